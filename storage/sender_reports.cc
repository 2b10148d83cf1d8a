#include "storage/sender_reports.h"

#include <algorithm>
#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <nlohmann/json.hpp>

#include "agent/senders/agreement.h"
#include "config/mutex.h"
#include "storage/database.h"
#include "storage/schema.h"
#include "storage/times.h"

namespace storage {
namespace {

using agent::SeenSpan;
using agent::SenderSessions;
using config::Time;
using probes::reports::Policy;
using probes::reports::TlsReport;

// Of more rows than are wanted every subject has as many as another, and of a subject every
// organization, each its newest: nobody who reports much, or of whom much is reported, pushes
// others out. The subject is what we watch of the two names. With the condition on s and r put in.
constexpr auto kRows = R"(
SELECT organization, begins, ends, domain, policy, mx_host, result_type, sessions, senders, receivers
FROM (
  SELECT of_subject.*, row_number() OVER (PARTITION BY subject ORDER BY turn, report DESC, id) AS place
  FROM (
    SELECT found.*,
      row_number() OVER (PARTITION BY subject, organization ORDER BY report DESC, id) AS turn
    FROM (
      SELECT r.organization, r.begins, r.ends, s.domain, s.policy, s.mx_host, s.result_type, s.sessions,
        s.senders, s.receivers, s.report, s.id,
        coalesce((SELECT w.name FROM domain w WHERE w.name = s.domain), nullif(s.mx_host, ''), s.domain)
          AS subject
      FROM tlsrpt_sessions s JOIN tlsrpt_report r ON r.id = s.report
      WHERE {} AND r.begins <= ?2 AND r.ends >= ?1) AS found) AS of_subject
  ORDER BY place, report DESC, id LIMIT ?4) AS fair
ORDER BY report DESC, id)";

// What a report says, the same for the same whatever the order of its policies.
std::string said_in(const TlsReport& report) {
  std::vector<std::string> policies;
  for (const auto& policy : report.policies) {
    auto failures = nlohmann::json::array();
    for (const auto& one : policy.failures)
      failures.push_back({one.result_type, one.mx_host, one.sessions, one.senders, one.receivers});
    const nlohmann::json said{wire_name(policy.type), policy.domain, policy.mx_hosts,
                              policy.successful,      policy.failed, failures};
    policies.push_back(said.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace));
  }
  std::ranges::sort(policies);
  return fmt::format("{}\n{}", seconds(report.from), fmt::join(policies, "\n"));
}

// Which watched domains use a host. Finding out reads every domain's row, once for all hosts.
class Users {
 public:
  explicit Users(Database& db)
      : rows_(db.prepare("SELECT d.name, json_extract(h.value, '$.host') FROM domain d, "
                         "json_each(d.report, '$.hosts') h")) {}

  // The most that are looked into; those beyond tell no more of the host.
  static constexpr std::size_t kMost = 20;
  const std::set<std::string>& of(const std::string& host) {
    if (!is_read_) read();
    return by_host_[host];
  }

 private:
  void read() {
    rows_.reset();
    while (rows_.step()) {
      auto& users = by_host_[rows_.text(1)];
      if (users.size() < kMost) users.insert(rows_.text(0));
    }
    rows_.reset();
    is_read_ = true;
  }

  Statement rows_;
  std::map<std::string, std::set<std::string>> by_host_;
  bool is_read_ = false;
};

// What was seen of domains while a report was of them; each is read once a query.
class Past {
 public:
  Past(Database& db, Users& users, Time from, Time until)
      : users_(users),
        findings_(db.prepare(kVersions)),
        verdicts_(db.prepare(kVersions)),
        hosts_(db.prepare(
            "SELECT v.first_seen, v.last_seen FROM subject s JOIN version v ON v.subject = s.id "
            "WHERE s.kind = 'addresses' AND s.name = ? AND v.first_seen <= ? AND v.last_seen >= "
            "?")),
        host_verdicts_(db.prepare(kVersions)),
        from_(from),
        until_(until) {}

  const std::vector<SeenSpan>& of(const SenderSessions& failed) {
    auto [place, is_new] = known_.try_emplace({failed.domain, failed.mx_host});
    if (!is_new) return place->second;
    auto& spans = place->second;
    spans = of_domain(failed.domain);
    // Some senders name the MX host as the policy's domain; and reports on a host tell of a domain
    // that others watch.
    const auto& host = failed.mx_host.empty() ? failed.domain : failed.mx_host;
    if (spans.empty()) spans = through(host);
    note_host(host, spans);
    return spans;
  }

 private:
  const std::vector<SeenSpan>& of_domain(const std::string& domain) {
    auto [place, is_new] = domains_.try_emplace(domain);
    if (is_new) read(domain, place->second);
    return place->second;
  }

  // Of the domains that use a host.
  const std::vector<SeenSpan>& through(const std::string& host) {
    auto [place, is_new] = through_.try_emplace(host);
    if (is_new) {
      for (const auto& user : users_.of(host)) read(user, place->second);
    }
    return place->second;
  }

  void note_host(const std::string& host, std::vector<SeenSpan>& spans) {
    hosts_.bind(host, seconds(until_), seconds(from_));
    while (hosts_.step()) {
      for (auto& span : spans) {
        const bool overlap =
            span.from <= time_of(hosts_.integer(1)) && span.until >= time_of(hosts_.integer(0));
        if (overlap) span.hosts.push_back(host);
      }
    }
    hosts_.reset();
    host_verdicts_.bind("host-verdict", host, seconds(until_), seconds(from_));
    while (host_verdicts_.step()) {
      const auto verdict = verdict_in(host_verdicts_.text(2));
      for (auto& span : spans) {
        const bool overlap = span.from <= time_of(host_verdicts_.integer(1)) &&
                             span.until >= time_of(host_verdicts_.integer(0));
        if (overlap && verdict) span.of_hosts.push_back({.host = host, .verdict = *verdict});
      }
    }
    host_verdicts_.reset();
  }

  static std::optional<probes::Verdict> verdict_in(const std::string& body) {
    const auto json = nlohmann::json::parse(body, nullptr, false);
    return json.is_object() ? probes::verdict_from(json.value("verdict", "")) : std::nullopt;
  }

  static constexpr const char* kVersions =
      "SELECT v.first_seen, v.last_seen, c.body FROM subject s JOIN version v ON v.subject = s.id "
      "JOIN content c ON c.id = v.content WHERE s.kind = ? AND s.name = ? AND v.first_seen <= ? "
      "AND v.last_seen >= ?";

  void read(const std::string& domain, std::vector<SeenSpan>& out) {
    std::vector<SeenSpan> spans;
    findings_.bind("findings", domain, seconds(until_), seconds(from_));
    while (findings_.step()) {
      SeenSpan span{.from = time_of(findings_.integer(0)), .until = time_of(findings_.integer(1))};
      const auto list = nlohmann::json::parse(findings_.text(2), nullptr, false);
      for (const auto& one : list) {
        if (!one.is_array() || one.size() < 3) continue;
        if (const auto code = probes::code_from(one[0].get<std::string>()))
          span.findings.push_back({.code = *code,
                                   .subject = one[2].get<std::string>(),
                                   .severity = probes::severity_from(one[1].get<std::string>())
                                                   .value_or(probes::Severity::high)});
      }
      spans.push_back(std::move(span));
    }
    findings_.reset();
    verdicts_.bind("verdict", domain, seconds(until_), seconds(from_));
    while (verdicts_.step()) {
      const auto verdict = verdict_in(verdicts_.text(2));
      if (!verdict) continue;
      // A time in which nobody looked breaks a verdict's version, and no version of findings.
      for (const auto& span : spans) {
        auto seen = span;
        seen.from = std::max(span.from, time_of(verdicts_.integer(0)));
        seen.until = std::min(span.until, time_of(verdicts_.integer(1)));
        seen.verdicts = {*verdict};
        if (seen.from <= seen.until) out.push_back(std::move(seen));
      }
    }
    verdicts_.reset();
  }

  Users& users_;
  Statement findings_, verdicts_, hosts_, host_verdicts_;
  const Time from_, until_;
  std::map<std::pair<std::string, std::string>, std::vector<SeenSpan>> known_;  // domain and host
  std::map<std::string, std::vector<SeenSpan>> domains_, through_;
};

}  // namespace

struct SenderReports::State {
  Place place;
  config::Mutex mutex;
  Database db;
  Statement is_known, add_report, add_sessions;

  explicit State(const Place& at)
      : place(at),
        db(at, Database::Mode::create),
        is_known(checked(db).prepare(
            "SELECT 1 FROM tlsrpt_report WHERE organization = ? AND report_id = ?")),
        add_report(db.prepare(
            "INSERT OR IGNORE INTO tlsrpt_report(organization, report_id, begins, ends, taken_at) "
            "VALUES(?1, ?2 || ' ' || lower(hex(sha256(?6))), ?3, ?4, ?5) RETURNING id")),
        add_sessions(db.prepare(
            "INSERT INTO tlsrpt_sessions(report, domain, policy, mx_host, result_type, sessions, "
            "senders, receivers) VALUES(?, ?, ?, ?, ?, ?, ?, ?)")) {
    // A report that a power cut takes can be given again.
    db.execute_on_sqlite("PRAGMA synchronous = NORMAL");
  }

  // Without the schema of today it is not ours to make.
  static Database& checked(Database& db) {
    if (!is_ours(db) || std::ranges::count(db.tables(), "tlsrpt_report") == 0)
      throw Fault("no database of this danelaw: start the agent once, it makes it");
    return db;
  }

  template <class Work>
  auto guarded(Work work) {
    const config::Lock lock(mutex);
    return storage::guarded<std::string>(place, std::move(work));
  }

  void add(std::int64_t report, const Policy& policy) {
    const auto put = [&](const std::string& host, const std::string& result_type,
                         std::uint64_t sessions, std::size_t senders, std::size_t receivers) {
      add_sessions
          .bind(report, policy.domain, wire_name(policy.type), host, result_type,
                static_cast<std::int64_t>(sessions), static_cast<std::int64_t>(senders),
                static_cast<std::int64_t>(receivers))
          .run();
    };
    const bool has_one_host =
        policy.mx_hosts.size() == 1 && !policy.mx_hosts.front().starts_with('*');
    // Also where none succeeded: that the organization reports of the domain at all.
    put(has_one_host ? policy.mx_hosts.front() : "", "", policy.successful, 0, 0);
    for (const auto& failure : policy.failures)
      put(failure.mx_host, failure.result_type, failure.sessions, failure.senders,
          failure.receivers);
  }

  // MX hosts that reports name as the policy's domain, as Postfix does, and that no other watched
  // domain uses: those can only mean this one.
  std::vector<std::string> reported_hosts_of(const std::string& domain, Users& users) {
    std::vector<std::string> out;
    if (domain.empty()) return out;
    auto hosts = db.prepare(
        "SELECT DISTINCT s.domain FROM domain d, json_each(d.report, '$.hosts') h "
        "JOIN tlsrpt_sessions s ON s.domain = json_extract(h.value, '$.host') WHERE d.name = ?");
    hosts.bind(domain);
    while (hosts.step()) {
      const auto host = hosts.text(0);
      if (host != domain && users.of(host) == std::set{domain}) out.push_back(host);
    }
    return out;
  }

  void bound() {
    db.prepare("DELETE FROM tlsrpt_report WHERE id <= (SELECT max(id) FROM tlsrpt_report) - ?")
        .bind(kMostReports)
        .run();
    db.prepare(
          "DELETE FROM tlsrpt_sessions WHERE report <= (SELECT max(id) FROM tlsrpt_report) - ?")
        .bind(kMostReports)
        .run();
    db.prepare("DELETE FROM tlsrpt_sessions WHERE id <= (SELECT max(id) FROM tlsrpt_sessions) - ?")
        .bind(kMostRows)
        .run();
  }
};

SenderReports::SenderReports(std::unique_ptr<State> state) : state_(std::move(state)) {}
SenderReports::~SenderReports() = default;

config::Result<std::unique_ptr<SenderReports>, std::string> SenderReports::open(
    const Place& place) {
  return storage::guarded<std::string>(place, [&] {
    // SQLite would make it.
    if (!place.is_postgresql() && !std::filesystem::exists(place.file()))
      throw Fault("there is no such database yet");
    return std::unique_ptr<SenderReports>(new SenderReports(std::make_unique<State>(place)));
  });
}

config::Result<bool, std::string> SenderReports::take(const TlsReport& report, Time at) {
  return state_->guarded([&] {
    auto& s = *state_;
    Transaction transaction{s.db};
    // Rows of before have the id alone: what they said is not known.
    s.is_known.bind(report.organization, report.report_id);
    const bool is_from_before = s.is_known.step();
    s.is_known.reset();
    if (is_from_before) return false;
    s.add_report.bind(report.organization, report.report_id, seconds(report.from),
                      seconds(report.until), seconds(at), said_in(report));
    if (!s.add_report.step()) return false;
    const auto id = s.add_report.integer(0);
    s.add_report.run();
    for (const auto& policy : report.policies) s.add(id, policy);
    s.bound();
    transaction.commit();
    return true;
  });
}

config::Result<std::vector<SenderSessions>, std::string> SenderReports::sessions(
    const Query& query) {
  return state_->guarded([&] {
    const auto& name = query.host.empty() ? query.domain : query.host;
    Users users(state_->db);
    const nlohmann::json own_hosts = state_->reported_hosts_of(query.domain, users);
    // Of everything only what we watch: anybody may report on names of their own.
    const auto* where =
        "?3 = '' AND (EXISTS (SELECT 1 FROM domain d WHERE d.name = s.domain) OR "
        "EXISTS (SELECT 1 FROM subject k WHERE k.kind = 'addresses' "
        "AND k.name IN (s.mx_host, s.domain)))";
    if (!query.host.empty()) where = "(s.mx_host = ?3 OR s.domain = ?3)";
    const bool is_of_domain = query.host.empty() && !query.domain.empty();
    if (is_of_domain)
      where = "(s.domain = ?3 OR s.domain IN (SELECT o.value FROM json_each(?5) o))";
    auto rows = state_->db.prepare(fmt::format(kRows, where));
    const auto most = static_cast<std::int64_t>(query.most);
    const auto from_second = seconds(query.from), until_second = seconds(query.until);
    if (is_of_domain)
      rows.bind(from_second, until_second, name, most, own_hosts.dump());
    else
      rows.bind(from_second, until_second, name, most);
    std::vector<SenderSessions> out;
    auto from = query.from;
    auto until = query.until;
    while (rows.step()) {
      out.push_back({.organization = rows.text(0),
                     .from = time_of(rows.integer(1)),
                     .until = time_of(rows.integer(2)),
                     .domain = rows.text(3),
                     .policy = probes::reports::policy_type_from(rows.text(4))
                                   .value_or(probes::reports::PolicyType::other),
                     .mx_host = rows.text(5),
                     .result_type = rows.text(6),
                     .sessions = static_cast<std::uint64_t>(rows.integer(7)),
                     .senders = static_cast<std::size_t>(rows.integer(8)),
                     .receivers = static_cast<std::size_t>(rows.integer(9))});
      from = std::min(from, out.back().from);
      until = std::max(until, out.back().until);
    }
    rows.reset();
    Past past(state_->db, users, from, until);
    for (auto& one : out) {
      if (!one.result_type.empty()) one.agrees = agent::agreement(one, past.of(one));
    }
    return out;
  });
}

config::Result<std::int64_t, std::string> SenderReports::newest() {
  return state_->guarded(
      [&] { return state_->db.integer("SELECT coalesce(max(id), 0) FROM tlsrpt_report"); });
}

}  // namespace storage
