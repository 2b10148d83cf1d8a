#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "config/result.h"
#include "config/time.h"
#include "probes/reports/tlsrpt.h"
#include "probes/verdict.h"

// What senders reported (RFC 8460), as it is remembered.
namespace agent {

// What danelaw had seen of the host or domain in the hours that a report speaks of.
enum class Agreement {
  yes,       // the same fault
  no,        // it was well: a class of senders that differs, a vantage, a cache, or an episode
             // between two looks
  not_seen,  // nothing that tells
};
[[nodiscard]] std::string_view wire_name(Agreement agreement);

// Sessions of one kind, as one organization reported them.
struct SenderSessions {
  std::string organization;  // as it calls itself
  config::Time from, until;  // of the report
  std::string domain;        // the policy domain, A-labels; an MX host in the reports of some
  probes::reports::PolicyType policy = probes::reports::PolicyType::other;
  std::string mx_host;      // empty: not said
  std::string result_type;  // empty: they succeeded
  std::uint64_t sessions = 0;
  std::size_t senders = 0, receivers = 0;  // different addresses, where they failed
  Agreement agrees = Agreement::not_seen;  // where they failed
  bool operator==(const SenderSessions&) const = default;
};

// What was found at a domain and its hosts, from one look to another that said the same.
struct SeenSpan {
  config::Time from, until;
  std::vector<probes::Verdict> verdicts;  // of the domain meanwhile
  struct Found {
    probes::Code code;
    std::string subject;  // its name
    probes::Severity severity = probes::Severity::high;
  };
  std::vector<Found> findings;
  std::vector<std::string> hosts;  // those asked for that were looked at meanwhile
  struct OfHost {
    std::string host;
    probes::Verdict verdict;
  };
  std::vector<OfHost> of_hosts;  // verdicts of those meanwhile
};

// The store of reports (a port: storage/sender_reports.h). Any thread may call; errors are words.
class SenderReportStore {
 public:
  SenderReportStore() = default;
  SenderReportStore(const SenderReportStore&) = delete;
  SenderReportStore& operator=(const SenderReportStore&) = delete;
  virtual ~SenderReportStore() = default;

  // False when a report of that organization and id that says the same was taken before: nothing
  // changes then.
  [[nodiscard]] virtual config::Result<bool, std::string> take(
      const probes::reports::TlsReport& report, config::Time at) = 0;

  struct Query {
    std::string domain, host;  // of either; both empty: everything
    config::Time from, until;  // of reports that overlap this time
    // Rows. Of more, every domain or host has its share, and every organization at each.
    std::size_t most = 50'000;
  };
  // Newest reports first, failures held against history.
  [[nodiscard]] virtual config::Result<std::vector<SenderSessions>, std::string> sessions(
      const Query& query) = 0;
  // Rises with every report that is taken, by whichever process.
  [[nodiscard]] virtual config::Result<std::int64_t, std::string> newest() = 0;
};

}  // namespace agent
