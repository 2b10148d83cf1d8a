#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "agent/alerts/round.h"
#include "agent/lists/list_health.h"
#include "agent/rollover/rollover.h"
#include "agent/self/progress.h"
#include "agent/self/self_check.h"
#include "agent/senders/refusals.h"
#include "agent/watch/domain_list.h"
#include "agent/watch/probe_counts.h"
#include "agent/watch/shared_list.h"
#include "config/config.h"

namespace agent {

// Everything the agent knows at one moment, for the page and the metrics. Immutable once made. It
// shares what it holds with the agent, so that to make one costs little however much that is.
struct Snapshot {
  config::Time now;
  config::Time started_at;
  config::Schedule schedule;
  config::Metrics metrics;
  DomainList domains;
  using Host = std::pair<probes::dns::Name, probes::HostSeen>;
  SharedList<Host> hosts;  // the observed hosts of those domains, by name
  struct Followed {
    probes::HostSeen host;
    std::shared_ptr<const Rollovers> rollovers;
    std::optional<config::Time> rolling_since;  // a change of key is under way since then
  };
  SharedList<Followed> rollovers;  // of the hosts that have a TLSA owner to follow, by name
  // Of a fleet: what each place saw last of the hosts that more than one looks at, by name.
  struct SeenFrom {
    std::string vantage, agent;
    probes::HostSeen host;
    probes::Verdict verdict = probes::Verdict::unknown;  // of the host by itself
  };
  SharedList<std::vector<SeenFrom>> places;
  SharedList<Alert> alerts;  // pending and firing, by id
  SharedList<Alert> ended;   // resolved in the last hours
  SharedList<Alert> passed;  // the same of those that never fired
  std::vector<Silence> silences;
  std::vector<Exception> exceptions;
  std::shared_ptr<const ReportsBySubject> reports;  // of senders; null: none have been read yet
  // Certificates that were shown and have not expired, and keys that are for no mail server.
  struct Shown {
    std::vector<AnnouncedCertificate> certificates;
    std::vector<NotForMail> not_for_mail;
  };
  std::shared_ptr<const Shown> announced;       // null: none
  std::shared_ptr<const RenewalBook> renewals;  // that CAs suggest; null: none
  std::vector<SelfCheck> vantage;
  std::vector<ListHealth> lists;  // of domains from elsewhere, in the order of the configuration
  // Providers that are left alone for now; longest first.
  std::vector<Spared> spared;
  std::vector<ResolverCheck> resolvers;
  std::size_t queue_length = 0;  // targets that are due and wait for a worker
  std::size_t in_flight = 0;
  config::Seconds lag{0};  // how late the most overdue target is
  std::uint64_t rounds = 0;
  std::optional<config::Time> last_round_at;
  Progress progress;
  std::uint64_t record_errors = 0;
  std::optional<std::string> storage_fault;  // why nothing is recorded; null while all is
  std::size_t unrecorded_rounds = 0;         // that wait in memory
  std::uint64_t lost_rounds = 0;             // that waited too long to be kept
  std::uint64_t clock_steps = 0;
  std::array<std::uint64_t, 6> dns_by_rcode_udp{}, dns_by_rcode_tcp{};  // of dns::QueryCounts
  std::uint64_t dns_unanswered = 0;
  ProbeCounts counts;
  Durations recordings;  // rounds written into the database
};

}  // namespace agent
