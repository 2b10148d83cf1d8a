#include "probes/dane/usable.h"

#include <algorithm>
#include <map>
#include <utility>

#include "probes/tls/certificate.h"

namespace probes::dane {

std::string_view wire_name(Unusable reason) {
  switch (reason) {
    case Unusable::usage:
      return "usage";
    case Unusable::selector:
      return "selector";
    case Unusable::matching_type:
      return "matching-type";
    case Unusable::digest_length:
      return "digest-length";
    case Unusable::empty:
      return "empty";
    case Unusable::not_der:
      return "not-der";
  }
  return "";
}

bool is_malformed(Unusable reason) {
  switch (reason) {
    case Unusable::usage:
    case Unusable::selector:
    case Unusable::matching_type:
      return false;
    case Unusable::digest_length:
    case Unusable::empty:
    case Unusable::not_der:
      return true;
  }
  return true;
}

std::optional<Unusable> why_unusable(const TlsaRecord& record) {
  if (record.usage != kDaneTa && record.usage != kDaneEe) return Unusable::usage;
  if (record.selector > kSpki) return Unusable::selector;
  if (record.matching_type > kSha512) return Unusable::matching_type;
  if (record.data.empty()) return Unusable::empty;
  switch (record.matching_type) {
    case kSha256:
      return record.data.size() == 32 ? std::nullopt : std::optional{Unusable::digest_length};
    case kSha512:
      return record.data.size() == 64 ? std::nullopt : std::optional{Unusable::digest_length};
    default:
      break;
  }
  const bool parses = record.selector == kCert ? tls::parse_certificate(record.data) != nullptr
                                               : tls::is_public_key(record.data);
  return parses ? std::nullopt : std::optional{Unusable::not_der};
}

std::vector<std::size_t> records_compared(const std::vector<TlsaRecord>& records, Digests digests) {
  const auto is_known = [digests](const TlsaRecord& record) {
    return !(digests == Digests::sha256_only && record.matching_type == kSha512) &&
           !why_unusable(record);
  };
  std::map<std::pair<int, int>, int> strongest;
  for (const auto& record : records) {
    auto& best = strongest[{record.usage, record.selector}];
    if (is_known(record)) best = std::max<int>(best, record.matching_type);
  }
  std::vector<std::size_t> out;
  for (std::size_t i = 0; i < records.size(); ++i) {
    const auto& record = records[i];
    const bool is_chosen = record.matching_type == kFull ||
                           record.matching_type == strongest[{record.usage, record.selector}];
    if (is_known(record) && is_chosen) out.push_back(i);
  }
  return out;
}

std::vector<std::uint8_t> digests_beside(const std::vector<TlsaRecord>& records, std::uint8_t usage,
                                         std::uint8_t selector) {
  const bool demands = !records_compared(records, Digests::sha512_first).empty();
  const bool is_for_sha256 = !demands || !records_compared(records, Digests::sha256_only).empty();
  const bool is_passed_over = std::ranges::any_of(records, [&](const TlsaRecord& record) {
    return record.usage == usage && record.selector == selector &&
           record.matching_type == kSha512 && !why_unusable(record);
  });
  std::vector<std::uint8_t> out;
  if (is_for_sha256) out.push_back(kSha256);
  if (!is_for_sha256 || is_passed_over) out.push_back(kSha512);
  return out;
}

}  // namespace probes::dane
