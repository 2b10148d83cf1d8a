#include "probes/tls/names.h"

namespace probes::tls {
namespace {

std::string lower(std::string text) {
  for (auto& c : text) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return text;
}

}  // namespace

std::vector<std::string> names_of(const Certificate& leaf) {
  std::vector<std::string> out;
  out.reserve(leaf.dns_names.size());
  for (const auto& name : leaf.dns_names) out.push_back(lower(name));
  // RFC 7672 §3.2.3 counts it only where there is no DNS-ID.
  if (out.empty() && leaf.common_name) out.push_back(lower(*leaf.common_name));
  return out;
}

bool is_named(const std::set<std::string>& patterns, const std::string& name) {
  if (patterns.contains(name)) return true;
  const auto wildcard = wildcard_for(name);
  return !wildcard.empty() && patterns.contains(wildcard);
}

std::string wildcard_for(const std::string& name) {
  const auto dot = name.find('.');
  return dot == std::string::npos || dot == 0 ? std::string() : "*" + name.substr(dot);
}

}  // namespace probes::tls
