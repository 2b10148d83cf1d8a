#include "web/metrics.h"

#include <algorithm>
#include <map>
#include <numeric>
#include <ranges>
#include <set>
#include <unordered_map>

#include <prometheus/metric_family.h>
#include <prometheus/text_serializer.h>

#include "agent/alerts/notice.h"
#include "agent/alerts/silence.h"
#include "agent/self/progress.h"
#include "probes/explain.h"
#include "storage/domain_row.h"
#include "web/process.h"
#include "web/rollover.h"

namespace web {
namespace {

using probes::dns::Outcome;
using prometheus::ClientMetric;
using prometheus::MetricFamily;
using prometheus::MetricType;
using Labels = std::vector<std::pair<std::string, std::string>>;

// More than any name takes (254 octets, each shown in five characters at worst): two names cut to
// the same beginning would be the same series twice.
constexpr std::size_t kLongestLabel = 1300;

// Families in the order of their first use.
class Families {
 public:
  void gauge(const char* name, const char* help, const Labels& labels, double value) {
    auto metric = start(labels);
    metric.gauge.value = value;
    family(name, help, MetricType::Gauge).metric.push_back(std::move(metric));
  }
  void counter(const char* name, const char* help, const Labels& labels, double value) {
    auto metric = start(labels);
    metric.counter.value = value;
    family(name, help, MetricType::Counter).metric.push_back(std::move(metric));
  }
  void histogram(const char* name, const char* help, const Labels& labels,
                 const agent::Durations& durations) {
    auto metric = start(labels);
    auto& out = metric.histogram;
    for (std::size_t i = 0; i < durations.counts.size(); ++i) {
      out.sample_count += durations.counts[i];
      if (i < agent::Durations::kBounds.size())
        out.bucket.push_back({out.sample_count, agent::Durations::kBounds[i]});
    }
    out.sample_sum = durations.sum;
    family(name, help, MetricType::Histogram).metric.push_back(std::move(metric));
  }
  [[nodiscard]] std::string text() const {
    return prometheus::TextSerializer().Serialize(families_);
  }

 private:
  static ClientMetric start(const Labels& labels) {
    ClientMetric metric;
    for (const auto& [name, value] : labels) {
      ClientMetric::Label label;
      label.name = name;
      label.value = probes::printable(value, kLongestLabel);
      metric.label.push_back(std::move(label));
    }
    return metric;
  }

  MetricFamily& family(const char* name, const char* help, MetricType type) {
    const auto [entry, is_new] = index_.try_emplace(name, families_.size());
    if (is_new) {
      MetricFamily made;
      made.name = name;
      made.help = help;
      made.type = type;
      families_.push_back(std::move(made));
    }
    return families_[entry->second];
  }

  std::vector<MetricFamily> families_;
  std::map<std::string, std::size_t> index_;
};

double seconds(config::Time time) {
  return static_cast<double>(time.time_since_epoch().count());
}
double flag(bool value) {
  return value ? 1 : 0;
}

double number(probes::dns::DnssecStatus status) {
  switch (status) {
    case probes::dns::DnssecStatus::secure:
      return 0;
    case probes::dns::DnssecStatus::insecure:
      return 1;
    case probes::dns::DnssecStatus::bogus:
      return 2;
    case probes::dns::DnssecStatus::indeterminate:
      return 3;
  }
  return 3;
}

// So that the greatest is what somebody must do something about first.
double number(probes::Delivery delivery) {
  return probes::rank(probes::Delivery::fine) - probes::rank(delivery);
}

std::string direction(const config::Domain& domain) {
  return domain.role == config::Role::inbound ? "inbound" : "outbound";
}

// The state of a host for one domain that uses it.
double dane_state(const probes::HostJudgement& host) {
  const auto& tlsa = host.seen->tlsa;
  if (host.verdict == probes::Verdict::lookup_failed) return 5;
  if (tlsa.outcome != Outcome::answer)
    return tlsa.outcome == Outcome::not_queried && host.seen->addresses.empty() ? 6 : 1;
  if (tlsa.status != probes::dns::DnssecStatus::secure) return 2;
  if (host.verdict == probes::Verdict::encrypted) return 3;
  if (host.verdict == probes::Verdict::authenticated ||
      host.verdict == probes::Verdict::host_authenticated)
    return 0;
  const bool any_mismatch = std::ranges::any_of(host.endpoints, [](const auto& endpoint) {
    return endpoint.verdict == probes::Verdict::refused;
  });
  return any_mismatch ? 4 : 6;
}

// Worse first: what a host is for its worst-off domain.
double worse_state(double a, double b) {
  const auto rank = [](double state) {
    return std::string_view("0612354").find(static_cast<char>('0' + static_cast<int>(state)));
  };
  return rank(a) >= rank(b) ? a : b;
}

// The findings of the last look, at every level of detail.
void add_findings(Families& out, const agent::DomainState& state) {
  if (!state.judged || probes::is_blind(*state.judged)) return;
  std::set<std::pair<std::string, probes::Code>> told;
  for (const auto& finding : state.judged->findings) {
    const auto mx =
        finding.subject.kind == probes::Subject::Kind::host ? finding.subject.name : std::string();
    // Findings of one code differ in evidence; the series must not: the worst comes first.
    if (!told.emplace(mx, finding.code).second) continue;
    out.gauge("danelaw_finding", "An open finding; 1. It vanishes when the finding is gone.",
              {{"domain", state.configured->name},
               {"mx", mx},
               {"code", std::string(wire_name(finding.code))},
               {"severity", std::string(wire_name(finding.severity))},
               {"direction", direction(*state.configured)}},
              1);
  }
}

void add_domain(Families& out, const agent::DomainState& state, bool with_hosts) {
  const auto& name = state.configured->name;
  out.gauge("danelaw_domain_info", "A watched domain; 1.",
            {{"domain", name},
             {"direction", direction(*state.configured)},
             {"group", state.configured->group}},
            1);
  const auto* judged = state.judged.get();
  out.gauge("danelaw_domain_status",
            "Worst open finding: 0 ok, 1 warning (medium or high), 2 critical, 3 unknown.",
            {{"domain", name}}, static_cast<double>(storage::status_of(state)));
  out.gauge("danelaw_domain_delivery",
            "What happens to mail, the worse the higher: 0 fine, 1 unprotected, 2 unknown, 3 "
            "at-risk, 4 held-up.",
            {{"domain", name}}, number(storage::delivery_of(state)));
  if (judged == nullptr) return;
  const auto seen = judged->seen.open();
  out.gauge("danelaw_domain_verdict",
            "What a conforming sender does: 0 authenticated, 1 host-authenticated, 2 encrypted, 3 "
            "opportunistic, 4 cleartext, 5 refused, 6 lookup-failed, 7 down, 8 no-address, 9 "
            "unknown, 10 deferred, 11 bounced, 12 no-mail.",
            {{"domain", name}}, static_cast<double>(judged->verdict));
  out.gauge(
      "danelaw_domain_probe_success",
      "Whether the last probe was completed: 0 is a fault of danelaw's own, not the domain's.",
      {{"domain", name}}, flag(!probes::is_blind(*judged)));
  out.gauge("danelaw_domain_last_probe_timestamp_seconds", "When the domain was last probed.",
            {{"domain", name}}, seconds(seen->observed_at));
  if (probes::is_blind(*judged)) return;
  const auto dane_hosts = std::ranges::count_if(judged->hosts, probes::has_dane);
  out.gauge("danelaw_domain_mx_hosts", "MX hosts of the domain.", {{"domain", name}},
            static_cast<double>(judged->hosts.size()));
  out.gauge("danelaw_domain_dane_mx_hosts",
            "MX hosts of the domain with usable secure TLSA records.", {{"domain", name}},
            static_cast<double>(dane_hosts));
  out.gauge("danelaw_domain_mx_dnssec_status",
            "DNSSEC status of the MX RRset: 0 secure, 1 insecure, 2 bogus, 3 indeterminate.",
            {{"domain", name}}, number(seen->mx.status));
  if (seen->mx.chain_expires_at) {
    out.gauge("danelaw_domain_rrsig_expiration_timestamp_seconds",
              "Earliest end of a signature on the chain that vouches for the MX RRset.",
              {{"domain", name}}, seconds(*seen->mx.chain_expires_at));
  }
  if (!with_hosts) return;
  for (const auto& host : judged->hosts) {
    out.gauge("danelaw_domain_mx_info", "An MX host of a domain; 1.",
              {{"domain", name},
               {"mx", host.seen->host.text()},
               {"preference", std::to_string(host.preference)}},
              1);
  }
}

void add_session(Families& out, const std::string& mx, const probes::smtp::SessionRecord& session,
                 config::Time at) {
  const Labels labels{{"mx", mx}, {"address", session.address}};
  const bool has_chain = session.tls && !session.tls->chain.empty();
  out.gauge("danelaw_address_probe_success", "Whether a certificate chain was seen at the address.",
            labels, flag(has_chain));
  if (session.stage >= probes::smtp::Stage::starttls) {
    out.gauge("danelaw_address_starttls", "Whether the address offers STARTTLS.", labels,
              flag(session.offers_starttls));
  }
  out.gauge("danelaw_address_last_probe_timestamp_seconds", "When the address was last probed.",
            labels, seconds(at));
  out.gauge("danelaw_address_probe_duration_seconds", "How long the last session took.", labels,
            static_cast<double>(session.duration.count()) / 1000);
  if (!has_chain) return;
  const auto& leaf = *session.tls->chain.front();
  out.gauge("danelaw_address_cert_not_before_timestamp_seconds",
            "When the leaf certificate becomes valid.", labels, seconds(leaf.not_before));
  out.gauge("danelaw_address_cert_not_after_timestamp_seconds",
            "When the leaf certificate expires.", labels, seconds(leaf.not_after));
}

void add_host(Families& out, const probes::HostObservation& seen, bool with_addresses) {
  const auto mx = seen.host.text();
  out.gauge("danelaw_mx_addresses", "Addresses of the MX host.", {{"mx", mx}},
            static_cast<double>(seen.addresses.size()));
  const auto usable = std::ranges::count_if(
      seen.records, [](const auto& record) { return !probes::dane::why_unusable(record); });
  out.gauge("danelaw_mx_tlsa_records", "Usable TLSA records of the MX host.", {{"mx", mx}},
            static_cast<double>(usable));
  if (seen.tlsa.outcome != Outcome::not_queried) {
    out.gauge("danelaw_mx_tlsa_dnssec_status",
              "DNSSEC status of the TLSA lookup: 0 secure, 1 insecure, 2 bogus, 3 indeterminate.",
              {{"mx", mx}}, number(seen.tlsa.status));
  }
  if (seen.tlsa.outcome == Outcome::answer) {
    out.gauge("danelaw_mx_tlsa_ttl_seconds", "TTL of the TLSA RRset as published.", {{"mx", mx}},
              static_cast<double>(seen.tlsa.ttl.count()));
  }
  if (seen.tlsa.signatures) {
    out.gauge("danelaw_mx_rrsig_expiration_timestamp_seconds",
              "When the signature over the TLSA RRset expires.", {{"mx", mx}},
              seconds(seen.tlsa.signatures->expiration));
  }
  for (std::size_t i = 0; with_addresses && i < seen.sessions.size(); ++i) {
    const auto& session = seen.sessions[i];
    if (session.key_type == probes::tls::KeyType::by_default && is_first_look(seen, i))
      add_session(out, mx, session, seen.observed_at);
  }
}

// Of a fleet: each host by itself, as each place sees it.
void add_places(Families& out, const agent::Snapshot& snapshot) {
  for (const auto& places : snapshot.places) {
    for (const auto& place : places) {
      if (place.verdict == probes::Verdict::unknown) continue;
      const Labels labels{{"mx", place.host->host.text()}, {"vantage", place.vantage}};
      out.gauge("danelaw_mx_vantage_deliverable",
                "Whether the MX host takes mail as seen from a vantage of the fleet; nothing from "
                "where that cannot be told.",
                labels, flag(probes::is_deliverable(place.verdict)));
    }
  }
}

// What depends on the judging domains, worst over them.
void add_host_judgements(Families& out, const agent::Snapshot& snapshot, bool with_addresses) {
  std::map<std::string, double> states;
  std::map<std::string, double> deliveries;
  std::map<std::pair<std::string, std::string>, bool> matches;
  for (const auto& domain : snapshot.domains) {
    if (!domain.judged) continue;
    for (const auto& host : domain.judged->hosts) {
      const auto mx = host.seen->host.text();
      const auto [entry, is_new] = states.try_emplace(mx, dane_state(host));
      if (!is_new) entry->second = worse_state(entry->second, dane_state(host));
      auto& worst = deliveries[mx];  // fine where nothing worse is
      worst = std::max(worst, number(probes::delivery_of(host)));
      for (const auto& endpoint : host.endpoints) {
        const auto& session = host.seen->sessions[endpoint.session];
        if (session.key_type != probes::tls::KeyType::by_default || host.records.empty()) continue;
        const auto [match, first] =
            matches.try_emplace({mx, session.address}, endpoint.match.has_value());
        if (!first) match->second = match->second && endpoint.match.has_value();
      }
    }
  }
  for (const auto& [mx, state] : states) {
    out.gauge("danelaw_mx_dane_state",
              "DANE at the MX host: 0 verified, 1 no TLSA, 2 TLSA insecure, 3 all unusable, 4 "
              "mismatch or no TLS, 5 lookup failed, 6 not probed.",
              {{"mx", mx}}, state);
  }
  for (const auto& [mx, delivery] : deliveries) {
    out.gauge("danelaw_mx_delivery",
              "What happens to mail through the MX host, the worse the higher: 0 fine, 1 "
              "unprotected, 2 unknown, 3 at-risk, 4 held-up.",
              {{"mx", mx}}, delivery);
  }
  if (!with_addresses) return;
  for (const auto& [where, match] : matches) {
    out.gauge("danelaw_address_tlsa_match",
              "Whether a usable TLSA record matches the chain at the address.",
              {{"mx", where.first}, {"address", where.second}}, flag(match));
  }
}

void add_counts(Families& out, const agent::Snapshot& snapshot) {
  std::array<int, probes::kStatusCount> domains{};
  for (std::size_t i = 0; i < snapshot.domains.size(); ++i)
    ++domains[static_cast<std::size_t>(snapshot.domains.brief(i).status)];
  for (std::size_t i = 0; i < domains.size(); ++i) {
    out.gauge("danelaw_domains", "Watched domains by status.",
              {{"status", std::string(wire_name(static_cast<probes::Status>(i)))}}, domains[i]);
  }
  for (const auto& check : snapshot.vantage) {
    out.gauge(
        "danelaw_vantage_up",
        "Whether a self-check is OK: 0 is a fault of danelaw's own. While dns, clock or smtp is "
        "at 0, nothing is said of others.",
        {{"check", check.check}}, flag(check.is_up));
  }
}

const char* standing_of(const agent::Alert& alert, config::Time at) {
  if (alert.state == agent::AlertState::pending) return "pending";
  if (!alert.told_at) return "silenced";
  return agent::is_acknowledged(alert, at) ? "acknowledged" : "firing";
}

// The groups of the domains that an alert hits; one of our own seeing is about all of them.
class GroupsOfDomains {
 public:
  explicit GroupsOfDomains(const agent::DomainList& domains) : domains_(domains) {}
  [[nodiscard]] std::set<std::string_view> of(const agent::Alert& alert) {
    if (alert.domains.empty()) return all();
    std::set<std::string_view> out;
    for (const auto& name : alert.domains) {
      if (const auto place = domains_.place_of(name))
        out.insert(domains_[*place].configured->group.text());
    }
    return out;
  }

 private:
  const std::set<std::string_view>& all() {
    if (all_.empty()) {
      for (const auto& domain : domains_) all_.insert(domain.configured->group.text());
    }
    return all_;
  }
  const agent::DomainList& domains_;
  std::set<std::string_view> all_;
};

// Rules stand on these: they are told as they are pushed to an Alertmanager, under the same labels.
void add_alerts(Families& out, const agent::Snapshot& snapshot) {
  std::map<std::pair<std::string, std::string>, int> counts;
  for (const auto* state : {"pending", "firing", "acknowledged", "silenced"}) {
    for (const auto* severity : {"medium", "high", "critical"}) counts[{state, severity}] = 0;
  }
  GroupsOfDomains groups{snapshot.domains};
  for (const auto& alert : snapshot.alerts) {
    const std::string severity(wire_name(alert.finding.severity));
    ++counts[{standing_of(alert, snapshot.now), severity}];
    if (alert.state != agent::AlertState::firing || !alert.told_at) continue;
    const Labels labels{
        {"code", std::string(wire_name(alert.finding.code))},
        {"severity", severity},
        {"direction", alert.direction == config::Role::inbound ? "inbound" : "outbound"},
        {agent::label_name(alert.cause.kind), alert.cause.name}};
    out.gauge("danelaw_alert_firing",
              "An alert of the agent's that is confirmed, open and not silenced; 1. One a root "
              "cause.",
              labels, 1);
    if (const auto time = alert.opened_at) {
      out.gauge("danelaw_alert_opened_timestamp_seconds", "When the alert that fires was opened.",
                labels, seconds(*time));
    }
    for (const auto group : groups.of(alert)) {
      auto with_group = labels;
      with_group.emplace_back("group", group);
      out.gauge("danelaw_alert_group_info",
                "A group with domains that the alert which fires hits; 1. A fault of our own is "
                "about all groups.",
                with_group, 1);
    }
    if (const auto time = alert.finding.due_at) {
      out.gauge("danelaw_alert_publish_by_timestamp_seconds",
                "Of a predicted mismatch: the record of the next key must be published by then.",
                labels, seconds(*time));
    }
  }
  for (const auto& [key, count] : counts)
    out.gauge("danelaw_alerts",
              "Open alerts by severity and state: pending (not confirmed), firing, acknowledged, "
              "silenced (nobody is notified).",
              {{"state", key.first}, {"severity", key.second}}, count);
}

// When the state of a rollover began, as far as its history tells.
config::Time since(const agent::Rollovers& rollovers, const agent::RolloverStanding& standing) {
  auto begin = standing.at;
  const auto points = rollovers.turning_points();
  for (auto point = points.rbegin(); point != points.rend(); ++point) {
    if (*point > standing.at) continue;
    if (rollovers.at(*point).state != standing.state) break;
    begin = *point;
  }
  return begin;
}

void add_rollover(Families& out, const agent::Snapshot::Followed& followed, config::Time at) {
  const Labels labels{{"mx", followed.host->host.text()}};
  const auto standing = followed.rollovers->at(at);
  out.gauge("danelaw_mx_rollover_state",
            "State of the TLSA owner's rollover: 0 no-dane, 1 steady, 2 prepub-wait, 3 prepub-ok, "
            "4 ready, 5 switching, 6 rolled, 7 withdrawn, 8 fallback, 9 stale-risk, 10 dns-fail, "
            "11 partial-mismatch, 12 mismatch, 13 unknown.",
            labels, rank(standing.state));
  out.gauge("danelaw_mx_rollover_safe_timestamp_seconds",
            "From when on every cache has the record of the key to come; 0 while none is awaited.",
            labels, standing.safe_to_switch_at ? seconds(*standing.safe_to_switch_at) : 0);
  out.gauge("danelaw_mx_rollover_removable_timestamp_seconds",
            "From when on the record of the old key may go; 0 while none is to go.", labels,
            standing.safe_to_remove_at ? seconds(*standing.safe_to_remove_at) : 0);
  out.gauge("danelaw_mx_rollover_state_since_timestamp_seconds",
            "When the change of key that is under way came into its state; 0 while none is.",
            labels, followed.rolling_since ? seconds(since(*followed.rollovers, standing)) : 0);
  if (standing.failing_share) {
    out.gauge("danelaw_mx_failing_cache_ratio",
              "Share of warm resolver caches that hold a TLSA set refusing what is served.", labels,
              *standing.failing_share);
  }
}

void add_notifier(Families& out, const agent::NotifierHealth& health) {
  const Labels labels{{"integration", health.name}};
  out.counter("danelaw_notifications_total", "Notifications delivered, or states sent.", labels,
              static_cast<double>(health.delivered));
  out.counter("danelaw_notifications_failed_total", "Tries to deliver that failed.", labels,
              static_cast<double>(health.failed));
  out.gauge("danelaw_notifications_waiting", "Notices decided and not yet delivered.", labels,
            static_cast<double>(health.waiting));
  out.gauge("danelaw_notification_last_success_timestamp_seconds",
            "When something was delivered last; 0 before that.", labels,
            health.last_success_at ? seconds(*health.last_success_at) : 0);
}

void add_probes(Families& out, const agent::ProbeCounts& counts) {
  const auto add_durations = [&](const std::string& stage, const agent::Durations& durations) {
    out.histogram("danelaw_probe_duration_seconds",
                  "How long the stages of probes took; session: those from connect on together.",
                  {{"stage", stage}}, durations);
  };
  for (std::size_t i = 0; i < counts.steps.size(); ++i) {
    const auto& tries = counts.steps[i];
    const std::string stage(wire_name(static_cast<agent::ProbeStep>(i)));
    out.counter("danelaw_probes_total",
                "Lookups (mx, address, tlsa) made, and SMTP sessions that came to the stage.",
                {{"stage", stage}}, static_cast<double>(tries.made));
    for (std::size_t j = 0; j < tries.missed.size(); ++j) {
      const std::string reason(wire_name(static_cast<agent::Miss>(j)));
      out.counter("danelaw_probes_failed_total",
                  "Lookups that failed, and SMTP sessions that ended at the stage.",
                  {{"stage", stage}, {"reason", reason}}, static_cast<double>(tries.missed[j]));
    }
    add_durations(stage, tries.took);
  }
  add_durations("session", counts.sessions);
}

void add_storage(Families& out, const agent::Snapshot& snapshot, const Vitals& vitals) {
  out.gauge("danelaw_storage_size_bytes", "Size of the database.", {},
            static_cast<double>(vitals.storage_bytes));
  for (const auto& [table, rows] : vitals.storage_rows) {
    out.gauge("danelaw_storage_rows", "Rows of the database's tables, as of some minutes ago.",
              {{"table", table}}, static_cast<double>(rows));
  }
  out.counter("danelaw_storage_errors_total", "Rounds that could not be recorded.", {},
              static_cast<double>(snapshot.record_errors));
  out.gauge("danelaw_storage_up", "Whether what is seen and decided is recorded.", {},
            flag(!snapshot.storage_fault));
  out.gauge("danelaw_storage_unrecorded_rounds", "Rounds that wait in memory to be recorded.", {},
            static_cast<double>(snapshot.unrecorded_rounds));
  out.counter(
      "danelaw_storage_lost_rounds_total",
      "Rounds that waited too long: what was decided in them is kept, what was seen is not.", {},
      static_cast<double>(snapshot.lost_rounds));
  out.histogram("danelaw_storage_write_duration_seconds",
                "How long it took to record what one probe showed.", {}, snapshot.recordings);
}

void add_requests(Families& out, const Vitals& vitals) {
  for (const auto& [what, durations] : vitals.requests) {
    const Labels labels{{"handler", what.first}, {"code", std::to_string(what.second)}};
    const auto count =
        std::accumulate(durations.counts.begin(), durations.counts.end(), std::uint64_t{0});
    out.counter("danelaw_http_requests_total",
                "HTTP requests answered, by route; none: every refusal and error.", labels,
                static_cast<double>(count));
    out.histogram("danelaw_http_request_duration_seconds",
                  "How long answers took, without the time that clients took to ask and to read.",
                  labels, durations);
  }
  out.gauge("danelaw_event_stream_clients", "Streams of events that are open.", {}, vitals.streams);
}

// What senders report now (RFC 8460), of hosts and domains where they refuse.
void add_senders(Families& out, const agent::Snapshot& snapshot) {
  if (!snapshot.reports) return;
  std::set<std::string> watched;
  for (const auto& state : snapshot.domains) watched.insert(state.configured->name);
  for (const auto& [host, seen] : snapshot.hosts) watched.insert(host.text());
  for (const auto& [subject, reports] : *snapshot.reports) {
    if (!watched.contains(subject.name)) continue;
    const bool is_host = subject.kind == probes::Subject::Kind::host;
    const Labels whose{{"domain", is_host ? "" : subject.name},
                       {"mx", is_host ? subject.name : ""}};
    std::map<agent::Agreement, double> refused{
        {agent::Agreement::yes, 0}, {agent::Agreement::no, 0}, {agent::Agreement::not_seen, 0}};
    std::set<std::string> organizations;
    for (const auto& one : reports.refusers) {
      refused[one.agrees] += static_cast<double>(one.refused);
      organizations.insert(one.organization);
    }
    for (const auto& [agrees, sessions] : refused) {
      auto labels = whose;
      labels.emplace_back("agrees", wire_name(agrees));
      out.gauge("danelaw_senders_refused_sessions",
                "Sessions that senders report as failed by DANE, in the newest reports of each; "
                "agrees: whether danelaw saw the same fault then (yes, no, not-seen).",
                labels, sessions);
    }
    out.gauge(
        "danelaw_senders_reported_sessions",
        "Sessions under policies of DANE that senders report of the domain in these days, where "
        "some refuse.",
        whose, static_cast<double>(reports.reported));
    out.gauge("danelaw_senders_refusing", "Organizations whose newest report says that DANE fails.",
              whose, static_cast<double>(organizations.size()));
  }
}

void add_dns(Families& out, const agent::Snapshot& snapshot) {
  constexpr std::array<const char*, 6> kRcodes{"NOERROR",  "FORMERR", "SERVFAIL",
                                               "NXDOMAIN", "NOTIMP",  "REFUSED"};
  for (const auto& [proto, by_rcode] : {std::pair{"udp", &snapshot.dns_by_rcode_udp},
                                        std::pair{"tcp", &snapshot.dns_by_rcode_tcp}}) {
    for (std::size_t i = 0; i < kRcodes.size(); ++i) {
      out.counter("danelaw_dns_queries_total",
                  "DNS queries that resolvers answered, by response code; rare codes count as "
                  "SERVFAIL.",
                  {{"rcode", kRcodes[i]}, {"proto", proto}}, static_cast<double>((*by_rcode)[i]));
    }
  }
  out.counter("danelaw_dns_unanswered_total", "DNS queries that got no usable reply.", {},
              static_cast<double>(snapshot.dns_unanswered));
  for (const auto& sight : snapshot.resolvers) {
    if (!sight.is_validating) continue;
    out.gauge("danelaw_resolver_validating",
              "Whether the resolver vouches (AD) for the trust anchor's zone. danelaw validates by "
              "itself; an MTA that asks this resolver does not.",
              {{"resolver", sight.resolver}}, flag(*sight.is_validating));
  }
}

void add_self(Families& out, const Build& build, bool leads) {
  out.gauge("danelaw_build_info", "The running program, and libraries in it; 1.",
            {{"version", build.version},
             {"revision", build.revision},
             {"openssl", build.openssl},
             {"resolver", build.resolver}},
            1);
  out.gauge("danelaw_agent_leads",
            "Whether this agent probes, judges and notifies; 0: it stands by, another leads.", {},
            flag(leads));
}

void add_lists(Families& out, const agent::Snapshot& snapshot) {
  for (const auto& list : snapshot.lists) {
    const Labels labels{{"list", list.name}};
    out.gauge("danelaw_domain_list_domains", "Domains that a list from elsewhere names.", labels,
              static_cast<double>(list.domains));
    out.gauge("danelaw_domain_list_missing",
              "Domains that it names no more, and that are watched for a day from then on.", labels,
              static_cast<double>(list.missing));
    out.gauge(
        "danelaw_domain_list_refused",
        "Whether it lost more than a fifth of its names at once, and waits for an operator to "
        "accept that.",
        labels, flag(list.refusal.has_value()));
    if (!list.read_at) continue;
    out.gauge("danelaw_domain_list_read_timestamp_seconds",
              "When a list from elsewhere was last read and accepted.", labels,
              seconds(*list.read_at));
  }
}

void add_agent(Families& out, const agent::Snapshot& snapshot, const Vitals& vitals) {
  add_self(out, vitals.build, true);
  out.gauge("danelaw_config_last_reload_successful",
            "Whether the configuration was taken when it was read last.", {},
            flag(vitals.reload.is_good));
  out.gauge("danelaw_config_last_reload_success_timestamp_seconds",
            "When a configuration was taken last.", {}, seconds(vitals.reload.succeeded_at));
  add_lists(out, snapshot);
  out.gauge("danelaw_probes_in_flight", "Probes under way.", {},
            static_cast<double>(snapshot.in_flight));
  out.gauge("danelaw_scheduler_queue_length", "Targets that are due and wait for a worker.", {},
            static_cast<double>(snapshot.queue_length));
  out.gauge("danelaw_scheduler_lag_seconds", "How late the most overdue target is.", {},
            static_cast<double>(snapshot.lag.count()));
  const auto& progress = snapshot.progress;
  out.gauge("danelaw_scheduler_healthy",
            "Whether probes are on schedule by the monotonic clock; as /-/healthy says.", {},
            flag(!why_stalled(progress)));
  out.gauge("danelaw_last_round_age_seconds", "How long ago a probe was finished.", {},
            static_cast<double>(progress.since_round.count()));
  out.gauge("danelaw_longest_look_seconds", "How long the longest probe under way has taken.", {},
            static_cast<double>(progress.longest_look.count()));
  out.gauge("danelaw_workers", "Threads that probe.", {}, progress.living);
  out.counter("danelaw_clock_steps_total", "How often the clock was set while we ran.", {},
              static_cast<double>(snapshot.clock_steps));
  out.counter("danelaw_rounds_total", "Probes finished.", {}, static_cast<double>(snapshot.rounds));
  const auto process = this_process();
  out.counter("process_cpu_seconds_total", "User and system CPU time spent.", {},
              process.cpu_seconds);
  out.gauge("process_resident_memory_bytes", "Resident memory.", {},
            static_cast<double>(process.resident_bytes));
  out.gauge("process_open_fds", "Open file descriptors.", {},
            static_cast<double>(process.open_fds));
  out.gauge("process_max_fds", "Most file descriptors allowed.", {},
            static_cast<double>(process.max_fds));
  out.gauge("process_start_time_seconds", "When the process started.", {},
            process.start_time_seconds);
}

// Our own deliveries, and what our Postfix is told.
void add_postfix(Families& out, const agent::PostfixWatch::View& view,
                 const agent::Snapshot& snapshot) {
  if (view.follows_log) {
    if (view.agreement.compared > 0) {
      out.gauge("danelaw_agreement_ratio",
                "Share of our own deliveries of the last seven days whose outcome our verdict "
                "foretold; unknown verdicts do not count.",
                {},
                static_cast<double>(view.agreement.foretold) /
                    static_cast<double>(view.agreement.compared));
    }
    out.gauge("danelaw_mail_log_readable", "Whether postfix.log can be read.", {},
              flag(!view.log_fault));
    for (const auto& [what, count] : view.totals.deliveries) {
      out.counter("danelaw_own_deliveries_total",
                  "Deliveries in our own Postfix' log, by outcome (sent, deferred, bounced) and by "
                  "TLS (verified, trusted, untrusted, anonymous, none, unknown).",
                  {{"status", std::string(wire_name(what.first))},
                   {"tls", std::string(wire_name(what.second))}},
                  static_cast<double>(count));
    }
    out.gauge("danelaw_own_messages_waiting", "Messages that wait in our own Postfix' queue.", {},
              static_cast<double>(view.totals.waiting));
    const auto& oldest = view.totals.oldest_waiting;
    out.gauge("danelaw_own_queue_age_seconds", "How long the oldest of them has waited; 0: none.",
              {}, oldest ? static_cast<double>((snapshot.now - *oldest).count()) : 0);
  }
  if (view.serves_policy) {
    for (const auto& [answer, count] :
         {std::pair{"encrypt", view.answered_ok}, std::pair{"notfound", view.answered_not_found}}) {
      out.counter("danelaw_policy_lookups_total", "Policy lookups of our own Postfix, by answer.",
                  {{"answer", answer}}, static_cast<double>(count));
    }
    out.gauge("danelaw_exceptions", "Exceptions in force.", {},
              static_cast<double>(snapshot.exceptions.size()));
  }
}

}  // namespace

std::string standby_metrics_text(const Build& build) {
  Families out;
  add_self(out, build, false);
  return out.text();
}

std::string metrics_text(const agent::Snapshot& snapshot, const Vitals& vitals) {
  const auto goes_to = [&](config::Detail detail) { return snapshot.metrics.detail <= detail; };
  Families out;
  for (std::size_t i = 0; i < snapshot.domains.size(); ++i) {
    if (snapshot.domains.brief(i).has_findings) add_findings(out, snapshot.domains[i]);
    if (goes_to(config::Detail::domain))
      add_domain(out, snapshot.domains[i], goes_to(config::Detail::mx));
  }
  if (goes_to(config::Detail::mx)) {
    const bool with_addresses = goes_to(config::Detail::address);
    for (const auto& [name, seen] : snapshot.hosts) add_host(out, *seen, with_addresses);
    add_host_judgements(out, snapshot, with_addresses);
    add_places(out, snapshot);
    for (const auto& followed : snapshot.rollovers) add_rollover(out, followed, snapshot.now);
  }
  add_counts(out, snapshot);
  add_alerts(out, snapshot);
  for (const auto& notifier : vitals.notifiers) add_notifier(out, notifier);
  if (goes_to(config::Detail::mx)) add_senders(out, snapshot);
  add_probes(out, snapshot.counts);
  add_dns(out, snapshot);
  add_storage(out, snapshot, vitals);
  add_requests(out, vitals);
  if (vitals.postfix) add_postfix(out, *vitals.postfix, snapshot);
  add_agent(out, snapshot, vitals);
  return out.text();
}

std::size_t series_in(std::string_view text) {
  return static_cast<std::size_t>(
      std::ranges::count_if(std::views::split(text, '\n'),
                            [](const auto& line) { return !line.empty() && line.front() != '#'; }));
}

}  // namespace web
