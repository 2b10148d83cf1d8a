#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "config/result.h"
#include "config/time.h"

// PURE
// Reports of senders on how TLS went with our hosts (RFC 8460 §4), as values. Anybody may write
// one: sizes, counts, dates and names are bounded and checked, and every text is printable.
// Where senders differ from the RFC and it is plain what they mean, that is taken. What is
// malformed inside (a policy, a failure, a count) is passed over and counted: it says no less about
// the rest. Refused is a report whose frame is (organization, id, dates, bounds), and one of which
// nothing is left.
namespace probes::reports {

// By which policy the sender went (RFC 8460 §4.4, "policy-type").
enum class PolicyType {
  tlsa,
  sts,
  no_policy_found,
  other,  // a word we do not know, or none
};
[[nodiscard]] std::string_view wire_name(PolicyType type);
[[nodiscard]] std::optional<PolicyType> policy_type_from(std::string_view name);

// Sessions that the summary counts as failed and no failure tells of.
inline constexpr std::string_view kNotDetailed = "not-detailed";

// Sessions that failed in one way at one host.
struct FailedSessions {
  // In the spelling of RFC 8460 §4.3, and kNotDetailed; what it does not have as it came, at most
  // kMostResultType octets of it.
  std::string result_type;
  std::string mx_host;  // A-label form, no trailing dot; empty: the report does not say
  std::uint64_t sessions = 0;
  // How many different addresses they came from and went to. The addresses are not kept.
  std::size_t senders = 0;
  std::size_t receivers = 0;
  bool operator==(const FailedSessions&) const = default;
};

struct Policy {
  PolicyType type = PolicyType::other;
  std::string domain;                    // A-label form; some senders name an MX host here
  std::vector<std::string> mx_hosts;     // names, "*.example.org" of MTA-STS too; sorted
  std::uint64_t successful = 0;          // sessions
  std::uint64_t failed = 0;              // those of the failures
  std::vector<FailedSessions> failures;  // by result type and host, each once
  bool operator==(const Policy&) const = default;
};

struct TlsReport {
  std::string organization;  // who reports: what it calls itself, which nobody has verified
  std::string report_id;     // its own; with the organization the name of the report
  config::Time from, until;  // of the sessions; from <= until
  std::vector<Policy> policies;
  std::size_t skipped = 0;  // what was malformed: policies, failures, counts, hosts, types
  bool operator==(const TlsReport&) const = default;
};

inline constexpr std::size_t kMostReport = std::size_t{8} << 20U;  // octets of JSON
inline constexpr std::size_t kMostPolicies = 1000;
inline constexpr std::size_t kMostFailures = 10'000;  // of the whole report, as they are written
inline constexpr std::size_t kMostMxHosts = 100;      // of a policy; more are passed over
inline constexpr std::uint64_t kMostSessions = 1'000'000'000'000;  // of one count
inline constexpr std::size_t kMostResultType = 128;                // octets
inline constexpr std::size_t kMostName = 200;  // octets of an organization or an id
// A report is of one day (§4.1); who sums up writes of a week, nobody of a year.
inline constexpr config::Seconds kLongestReport = std::chrono::hours{24 * 31};

// The error is a phrase that quotes nothing of the text.
[[nodiscard]] config::Result<TlsReport, std::string> read_tls_report(std::string_view json);

// Whether the sessions failed by what DANE asks: by a TLSA policy, or by a result type that only
// DANE has (RFC 8460 §4.3.2.1).
[[nodiscard]] bool is_dane_failure(PolicyType type, std::string_view result_type);

}  // namespace probes::reports
