#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "config/result.h"
#include "config/time.h"

// PURE
// The policy file of MTA-STS (RFC 8461 §3.2), and how its patterns match MX hosts (§4.1).
namespace probes::sts {

enum class Mode {
  enforce,  // senders must not deliver to a host that fails
  testing,  // they deliver and report
  none,     // the domain takes no part any more (§8.3)
};
[[nodiscard]] std::string_view wire_name(Mode mode);

struct Policy {
  Mode mode = Mode::none;
  // Patterns in order, lower case, no duplicates: a host name ("mx.example.org") or "*." and one.
  // Empty only with mode none.
  std::vector<std::string> mx;
  config::Seconds max_age{0};  // for how long senders keep the policy: 0–31557600
  bool operator==(const Policy&) const = default;
};

// Why a file is no policy.
struct PolicyFault {
  std::size_t line = 0;  // counted from 1; 0 when it is about the file as a whole
  std::string words;     // for a person; quotes at most 64 octets of the file, to be escaped
};

inline constexpr std::size_t kMaxPolicy = 64 * 1024;  // octets, as §3.3 proposes
inline constexpr std::size_t kMaxPatterns = 1000;     // our own bound: more is a fault
inline constexpr config::Seconds kMaxPolicyAge{31'557'600};

// Reads the whole file: "key: value" lines that end with LF or CRLF, the last line end optional.
// version, mode and max_age must be there, mx too unless the mode is none. Of a field given twice
// the first counts, except mx; unknown fields are ignored but must have the form of one. Blank
// lines are accepted at the end of the file only.
[[nodiscard]] config::Result<Policy, PolicyFault> parse_policy(std::string_view file);

// Whether an MX host is one that the pattern means: the same name, or for "*.example.org" any name
// with exactly one label more than "example.org". Letters have no case. `host`: A-label form
// without trailing dot, as dns::Name::text().
[[nodiscard]] bool matches(std::string_view pattern, std::string_view host);
// Whether any pattern of the policy does.
[[nodiscard]] bool allows(const Policy& policy, std::string_view host);

}  // namespace probes::sts
