#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "probes/codec/recorded.h"
#include "probes/verdict.h"

// PURE
// What an alert rests on, as one file that another can verify: "danelaw.evidence/1".
namespace probes {

struct Bundle {
  // Of which alert, as far as verifying needs it; all empty for an observation by itself.
  std::string alert_id, code, title;
  Subject subject;
  std::vector<Recorded> observations;  // oldest first
};

inline constexpr std::string_view kEvidenceSchema = "danelaw.evidence/1";
inline constexpr std::size_t kMaxBundle = std::size_t{16} << 20U;  // octets

// `alert`: a JSON object with "id", "code", "title" and "subject" as the API gives it.
// Of its lists the first hundred items are taken. `observations`: each as encode() made it; what
// cannot be read of them is left out.
[[nodiscard]] dns::Bytes encode_bundle(const std::string& alert,
                                       const std::vector<dns::Bytes>& observations);
// The same shape as JSON.
[[nodiscard]] std::string encode_bundle_json(const std::string& alert,
                                             const std::vector<dns::Bytes>& observations);

// Reads a bundle or an observation, in either form, as strictly as decode() of recorded.h.
[[nodiscard]] config::Result<Bundle, std::string> decode_bundle(
    std::span<const std::uint8_t> octets);

}  // namespace probes
