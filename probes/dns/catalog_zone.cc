#include "probes/dns/catalog_zone.h"

#include <map>
#include <set>

#include <fmt/format.h>

namespace probes::dns {
namespace {

using config::Failure;
using config::Result;

// The strings of a TXT record, one behind the other; nothing when it is malformed.
std::optional<std::string> text_of(const Record& record) {
  std::string out;
  const auto& data = record.data;
  for (std::size_t at = 0; at < data.size();) {
    const std::size_t length = data[at];
    if (at + 1 + length > data.size()) return std::nullopt;
    const auto begin = data.begin() + static_cast<std::ptrdiff_t>(at + 1);
    out.append(begin, begin + static_cast<std::ptrdiff_t>(length));
    at += 1 + length;
  }
  return data.empty() ? std::nullopt : std::optional{out};
}

Result<void, std::string> check_version(const Name& catalog, const std::vector<Record>& records) {
  const auto owner = catalog.child("version");
  std::optional<std::string> version;
  for (const auto& record : records) {
    if (record.type != type::txt || !owner || record.owner != *owner) continue;
    if (version) return Failure<std::string>("it tells several versions");
    version = text_of(record);
    if (!version) return Failure<std::string>("its version is malformed");
  }
  if (!version) return Failure<std::string>("it tells no version: no catalog zone");
  if (*version != "2") return Failure<std::string>("a catalog zone of another version than 2");
  return {};
}

}  // namespace

Result<std::vector<CatalogMember>, std::string> read_catalog_zone(
    const Name& catalog, const std::vector<Record>& records) {
  if (const auto version = check_version(catalog, records); !version)
    return Failure<std::string>(version.error());
  const auto zones = catalog.child("zones");
  if (!zones) return std::vector<CatalogMember>{};
  std::vector<CatalogMember> members;
  std::map<Name, std::size_t> nodes;  // the place in `members`
  std::set<Name> known;
  for (const auto& record : records) {
    if (record.type != type::ptr || record.owner.is_root() || record.owner.parent() != *zones)
      continue;
    auto zone = name_in(record);
    if (!zone || zone->is_root()) return Failure<std::string>("a member that is no zone");
    if (!nodes.emplace(record.owner, members.size()).second)
      return Failure<std::string>(fmt::format("{} has several PTR records", record.owner.text()));
    if (!known.insert(*zone).second)
      return Failure<std::string>(fmt::format("{} is a member twice", zone->text()));
    members.push_back({.zone = *std::move(zone), .group = std::nullopt});
  }
  std::set<Name> grouped;  // nodes of which a group was found
  for (const auto& record : records) {
    if (record.type != type::txt || record.owner.is_root()) continue;
    const auto node = record.owner.parent();
    const auto member = nodes.find(node);
    if (member == nodes.end() || node.child("group") != record.owner) continue;
    auto& group = members[member->second].group;
    group = grouped.insert(node).second ? text_of(record) : std::nullopt;
  }
  return members;
}

}  // namespace probes::dns
