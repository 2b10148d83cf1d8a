#pragma once

#include <chrono>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "agent/alerts/round.h"
#include "config/result.h"
#include "storage/act_log.h"
#include "storage/delivery_past.h"
#include "storage/delivery_spans.h"
#include "storage/domain_row.h"
#include "storage/event_log.h"
#include "storage/report_facts.h"

namespace storage {

// A fact that became true, or was seen first.
struct Event {
  std::int64_t id = 0;  // falls with the time, going back
  config::Time at;
  config::Time last_seen;
  bool is_open = false;
  std::string kind, subject;  // as in facts.h
  std::string content;        // JSON
};

struct EventFilter {
  std::vector<std::string> names;  // of a domain and its MX hosts
  config::Time from = config::Time::min();
  config::Time until = config::Time::max();
  std::optional<std::int64_t> before;  // id: where the last page ended
  std::size_t limit = 100;
};

struct ActFilter {
  std::optional<std::string> by, what;
  config::Time from = config::Time::min();
  config::Time until = config::Time::max();
  std::optional<std::int64_t> before;  // id: where the last page ended
  std::size_t limit = 100;
};

// What the page and the API read, on a connection of its own, so that readers never wait for the
// agent nor it for them. Any thread may call; a fault is told in words.
class Queries {
 public:
  [[nodiscard]] static config::Result<std::unique_ptr<Queries>, std::string> open(
      const Place& place);
  ~Queries();

  template <class T>
  using OrFault = config::Result<T, std::string>;
  [[nodiscard]] OrFault<std::vector<DomainRow>> domains();  // by name
  // The same, one after the other: they may be very many. `take` asks nothing else meanwhile.
  [[nodiscard]] OrFault<void> each_domain(const std::function<void(const DomainRow&)>& take);
  [[nodiscard]] OrFault<std::optional<DomainRow>> domain(const std::string& name);
  // Firing first, then pending, both the worst first, then the newest resolved; `limit` in all.
  [[nodiscard]] OrFault<std::vector<agent::Alert>> alerts(std::optional<agent::AlertState> state,
                                                          std::size_t limit);
  struct NotificationRow {
    std::string notice, notifier;
    config::Time made_at;
    std::optional<config::Time> sent_at;
    std::int64_t attempts = 0;  // that failed
    std::optional<std::string> fault;
  };
  struct AlertRow {
    agent::Alert alert;
    std::vector<NotificationRow> notifications;  // who was told, in order
  };
  [[nodiscard]] OrFault<std::optional<AlertRow>> alert(const std::string& id);
  // The observations that the alert rests on, oldest first, as probes::encode() made them; empty
  // where none were kept.
  [[nodiscard]] OrFault<std::vector<probes::dns::Bytes>> evidence(const std::string& alert);
  // Since when what happens to mail is what it is now, and at which domains a verdict changed since
  // then; as in delivery_past.h.
  [[nodiscard]] OrFault<DeliveryTimes> delivery_since(
      const std::map<std::string, probes::Delivery>& now, Whose whose = Whose::domains);
  [[nodiscard]] OrFault<std::vector<std::string>> changed_domains(config::Time since);
  [[nodiscard]] OrFault<Changes> changes_behind(std::int64_t version);
  [[nodiscard]] OrFault<std::int64_t> newest_version();
  // What were MX hosts of the domain at any time between; the last hundred at most.
  [[nodiscard]] OrFault<std::vector<std::string>> hosts_between(const std::string& domain,
                                                                config::Time from,
                                                                config::Time until);
  // Newest first.
  [[nodiscard]] OrFault<std::vector<Event>> history(const EventFilter& filter);
  // What happened to mail over time; as in delivery_spans.h.
  [[nodiscard]] OrFault<std::map<std::string, std::vector<DeliverySpan>>> delivery_spans(
      const SpanQuery& query);
  // For reports; as in report_facts.h.
  [[nodiscard]] OrFault<std::map<std::string, std::vector<FoundThen>>> findings_past(
      const std::vector<std::string>& domains, config::Time from, config::Time until);
  [[nodiscard]] OrFault<std::map<std::string, std::set<std::string>>> hosts_past(
      config::Time from, config::Time until);
  [[nodiscard]] OrFault<std::vector<CertificateChange>> certificate_changes(config::Time from,
                                                                            config::Time until);
  // What happened to all that is watched; as in event_log.h.
  [[nodiscard]] OrFault<LogPage> event_log(const LogQuery& query);
  [[nodiscard]] OrFault<std::vector<Act>> acts(const ActFilter& filter);  // newest first
  // Things that changed so often that of their older versions only the number was kept
  // (storage/bounds.h); the most first, a hundred at most.
  struct Sum {
    std::string kind, subject;  // as in facts.h
    std::int64_t versions = 0;
    config::Time from, until;
  };
  [[nodiscard]] OrFault<std::vector<Sum>> summed(const std::vector<std::string>& names);
  // What was recorded of a host, but versions that were last seen before `since`.
  [[nodiscard]] OrFault<agent::HostHistory> host_history(const probes::dns::Name& host,
                                                         config::Time since);
  // The same of a zone's keys.
  [[nodiscard]] OrFault<agent::ZonePast> zone_past(const probes::dns::Name& zone,
                                                   config::Time since);
  // Those that have not expired at `at`.
  [[nodiscard]] OrFault<std::vector<agent::AnnouncedCertificate>> announced(config::Time at);
  // When CAs suggest to renew certificates that have not expired at `at`.
  [[nodiscard]] OrFault<agent::RenewalBook> renewals(config::Time at);
  [[nodiscard]] OrFault<std::uint64_t> size_bytes();
  // By table, as of some minutes ago: counting reads whole indexes, and is begun anew every
  // kCountedEvery.
  [[nodiscard]] OrFault<std::map<std::string, std::int64_t>> row_counts();
  static constexpr std::chrono::minutes kCountedEvery{5};

 private:
  struct State;
  explicit Queries(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace storage
