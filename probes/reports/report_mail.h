#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "config/result.h"

// The mails in which senders deliver their reports (RFC 8460 §3, §5.3): multipart/report with a
// part of the report, gzip or not. Real ones also name the part application/gzip,
// application/octet-stream or application/json, or are no multipart at all.
namespace probes::reports {

inline constexpr std::size_t kMostMail = std::size_t{16} << 20U;  // octets
inline constexpr std::size_t kMostParts = 100;
inline constexpr int kDeepestPart = 8;

struct MailPart {
  std::string octets;        // decoded, not unpacked
  bool is_declared = false;  // its type or name says that it is a report; else it may be one
};
// The parts of a mail that may be reports, in order; at least one. The error is a phrase that
// quotes nothing of the mail. Any thread may call.
[[nodiscard]] config::Result<std::vector<MailPart>, std::string> parts_of_mail(
    std::string_view mail);

// Whether it looks like a mail rather than a report.
[[nodiscard]] bool is_mail(std::string_view octets);

}  // namespace probes::reports
