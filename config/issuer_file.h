#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "config/config.h"

// PURE
namespace config {

// What stands in an `issuers_file`: one intermediate a line, as
//   FROM UNTIL SHA256 ORGANISATION
// FROM and UNTIL are days (2026-05-13, UTC) or "-"; SHA256 is that of the SubjectPublicKeyInfo in
// 64 hexadecimal digits, with "rsa:", "ecdsa:" or "eddsa:" before it where only certificates of
// such keys come from it; ORGANISATION, the rest of the line, is the O= of the intermediate's
// subject, in UTF-8. '#' begins a comment, "\#" is one in a name. One intermediate has one line, or
// one for each kind of key. `faults`: line and what is wrong with it, as a phrase.
struct IssuerFile {
  std::vector<AnnouncedIssuer> issuers;
  std::vector<std::pair<int, std::string>> faults;
};
inline constexpr std::size_t kMostIssuers = 10'000;
[[nodiscard]] IssuerFile parse_issuers(std::string_view text);

}  // namespace config
