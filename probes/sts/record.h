#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

// PURE
// The TXT records by which a domain announces MTA-STS (RFC 8461 §3.1) and asks for TLS reports (RFC
// 8460 §3).
namespace probes::sts {

// RDATA of one TXT record: character strings, each behind its length octet (RFC 1035 §3.3.14). As
// in dns::Answer::data.
using Bytes = std::vector<std::uint8_t>;

// What the TXT RRset says as a whole. For a sender every state but `valid` means "does not take
// part"; they are kept apart because each has another remedy.
enum class RecordState {
  absent,     // no record begins with the version
  valid,      // exactly one does, and it is in order
  several,    // more than one does: none counts
  malformed,  // one does, and breaks the grammar
};
[[nodiscard]] std::string_view wire_name(RecordState state);

// At `_mta-sts.<domain>`.
struct StsRecord {
  RecordState state = RecordState::absent;
  std::string id;      // 1–32 letters and digits; empty unless valid. A new one: fetch the policy
  std::string detail;  // in words, when several or malformed; says nothing of the record's octets
};

// At `_smtp._tls.<domain>`.
struct TlsrptRecord {
  RecordState state = RecordState::absent;
  // Where reports go: URIs as published, in order, at most kMaxReportUris, printable ASCII. At
  // least one is "mailto:" or "https:" (the schemes RFC 8460 §3 knows). Empty unless valid.
  std::vector<std::string> rua;
  std::string detail;  // as above
};

inline constexpr std::size_t kMaxReportUris = 32;  // our own bound: more is malformed

// `txt`: the records in any order. The strings of one record are joined without blanks; records
// that do not begin with exactly "v=STSv1;" ("v=TLSRPTv1;") are somebody else's, and so is RDATA
// whose lengths do not add up. Of a field given twice the first counts; unknown fields are checked
// for form only. Names and values have case.
[[nodiscard]] StsRecord read_sts_record(const std::vector<Bytes>& txt);
[[nodiscard]] TlsrptRecord read_tlsrpt_record(const std::vector<Bytes>& txt);

}  // namespace probes::sts
