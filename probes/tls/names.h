#pragma once

#include <set>
#include <string>
#include <vector>

#include "probes/tls/certificate.h"

// PURE
// For which names a certificate is.
namespace probes::tls {

// In lower case: its DNS-IDs; the last CN where it has none.
[[nodiscard]] std::vector<std::string> names_of(const Certificate& leaf);

// The name, or the wildcard that stands for its left-most label (RFC 6125 §6.4.3), is among those;
// all in lower case.
[[nodiscard]] bool is_named(const std::set<std::string>& patterns, const std::string& name);

// "*.example.test" for "mx.example.test"; empty where the name has one label only.
[[nodiscard]] std::string wildcard_for(const std::string& name);

}  // namespace probes::tls
