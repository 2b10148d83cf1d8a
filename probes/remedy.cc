#include "probes/remedy.h"

#include <algorithm>

#include <fmt/format.h>

namespace probes {
namespace {

constexpr config::Seconds kUsualTtl = std::chrono::hours{1};

config::Seconds ttl_of(const Remedy& remedy) {
  return remedy.ttl.value_or(kUsualTtl);
}

// Names come from outside, and a shell or a zone file would take other characters for its own.
bool is_plain(std::string_view name) {
  return std::ranges::all_of(name, [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' ||
           c == '-' || c == '_';
  });
}

bool is_act(const Remedy& remedy) {
  return (!remedy.publish.empty() || !remedy.remove.empty()) && is_plain(remedy.owner) &&
         is_plain(remedy.zone);
}

// "192.0.2.53" of "ns1.example.org (192.0.2.53)".
std::string_view address_of(std::string_view server) {
  const auto open = server.find('(');
  const auto close = server.rfind(')');
  if (open == std::string_view::npos || close == std::string_view::npos || close < open)
    return server;
  return server.substr(open + 1, close - open - 1);
}

}  // namespace

std::string record_line(const Remedy& remedy, std::string_view data) {
  return fmt::format("{}. {} IN TLSA {}", remedy.owner, ttl_of(remedy).count(), data);
}

std::string nsupdate_text(const Remedy& remedy) {
  if (!is_act(remedy)) return "";
  std::string out;
  if (!remedy.server.empty()) out += fmt::format("server {}\n", address_of(remedy.server));
  if (!remedy.zone.empty()) out += fmt::format("zone {}\n", remedy.zone);
  for (const auto& data : remedy.publish)
    out += fmt::format("update add {}. {} TLSA {}\n", remedy.owner, ttl_of(remedy).count(), data);
  for (const auto& data : remedy.remove)
    out += fmt::format("update delete {}. TLSA {}\n", remedy.owner, data);
  return out + "send\n";
}

std::string zone_file_text(const Remedy& remedy) {
  if (!is_act(remedy)) return "";
  std::string out;
  for (const auto& data : remedy.publish) out += record_line(remedy, data) + "\n";
  for (const auto& data : remedy.remove)
    out += fmt::format("; take out: {}\n", record_line(remedy, data));
  return out;
}

std::string knotc_text(const Remedy& remedy) {
  if (!is_act(remedy)) return "";
  const std::string zone = remedy.zone.empty() ? "ZONE" : remedy.zone + ".";
  auto out = fmt::format("knotc zone-begin {}\n", zone);
  for (const auto& data : remedy.publish)
    out += fmt::format("knotc zone-set {} {}. {} TLSA {}\n", zone, remedy.owner,
                       ttl_of(remedy).count(), data);
  for (const auto& data : remedy.remove)
    out += fmt::format("knotc zone-unset {} {}. TLSA {}\n", zone, remedy.owner, data);
  return out + fmt::format("knotc zone-commit {}\n", zone);
}

std::optional<config::Time> recovers_at(const Remedy& remedy, config::Time at) {
  if (!remedy.recovers_after) return remedy.recovers_at;
  return std::max(at + *remedy.recovers_after, remedy.recovers_at.value_or(at));
}

}  // namespace probes
