#include "storage/queries.h"

#include <algorithm>
#include <condition_variable>
#include <limits>
#include <thread>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "config/mutex.h"
#include "storage/alert_row.h"
#include "storage/announced.h"
#include "storage/delivery_past.h"
#include "storage/host_history.h"
#include "storage/renewals.h"

namespace storage {
namespace {

using config::Failure;

constexpr std::string_view kDomainColumns =
    "name, role, grp, verdict, weakest, severity, status, worst_code, worst_severity, worst_title, "
    "mx_hosts, "
    "dane_mx_hosts, observed_at, next_check_at, known_at, known_verdict, known_status, "
    "delivery, known_delivery";

constexpr std::string_view kShownKinds =
    R"(["mx","addresses","tlsa","published","chain","verdict","findings","gap","clock"])";

std::optional<std::string> text_or_nothing(const Statement& row, int column) {
  return row.is_null(column) ? std::nullopt : std::optional{row.text(column)};
}

std::optional<config::Time> time_or_nothing(const Statement& row, int column) {
  return row.is_null(column) ? std::nullopt
                             : std::optional{config::Time{config::Seconds{row.integer(column)}}};
}

// To SQLite a negative LIMIT is none, a negative OFFSET 0.
std::int64_t integer(std::size_t count) {
  constexpr std::size_t most = std::numeric_limits<std::int64_t>::max();
  return static_cast<std::int64_t>(std::min(count, most));
}

// Rows of before the word was recorded have none.
probes::Delivery delivery_in_row(const Statement& row, int column,
                                 const std::optional<std::string>& verdict_word,
                                 probes::Status status) {
  if (!row.is_null(column))
    return probes::delivery_from(row.text(column)).value_or(probes::Delivery::unknown);
  const auto verdict = verdict_word ? probes::verdict_from(*verdict_word) : std::nullopt;
  return verdict ? probes::delivery_seen(*verdict, status) : probes::Delivery::unknown;
}

DomainRow read_domain(const Statement& row) {
  DomainRow out{.name = row.text(0),
                .role = row.text(1),
                .group = row.text(2),
                .verdict = text_or_nothing(row, 3),
                .weakest = text_or_nothing(row, 4),
                .severity = row.text(5),
                .status = probes::status_from(row.text(6)).value_or(probes::Status::unknown),
                .worst_code = text_or_nothing(row, 7),
                .worst_severity = text_or_nothing(row, 8),
                .worst_title = text_or_nothing(row, 9),
                .mx_hosts = row.integer(10),
                .dane_mx_hosts = row.integer(11),
                .observed_at = time_or_nothing(row, 12),
                .next_check_at = time_or_nothing(row, 13)};
  out.delivery = delivery_in_row(row, 17, out.verdict, out.status);
  if (const auto known_at = time_or_nothing(row, 14)) {
    out.known = {.at = *known_at,
                 .verdict = row.text(15),
                 .status = probes::status_from(row.text(16)).value_or(probes::Status::unknown)};
    out.known->delivery = delivery_in_row(row, 18, out.known->verdict, out.known->status);
  }
  return out;
}

}  // namespace

struct Queries::State {
  Place place;
  std::timed_mutex mutex;
  Database db;
  config::Mutex counting;
  std::condition_variable_any counted;
  std::map<std::string, std::int64_t> row_counts GUARDED_BY(counting);  // as of counted_at
  std::chrono::steady_clock::time_point counted_at GUARDED_BY(counting);
  bool is_counting GUARDED_BY(counting) = false;
  std::jthread counter;
  explicit State(const Place& at) : place(at), db(at, Database::Mode::read_only) {}

  // A server may stand still for as long as a read may take: others do not queue up behind it.
  template <class Work>
  auto guarded(Work work) {
    using Answer = decltype(storage::guarded<std::string>(place, std::move(work)));
    constexpr std::chrono::seconds kPatience{3};
    std::unique_lock lock(mutex, std::defer_lock);
    if (!place.is_postgresql())
      lock.lock();
    else if (!lock.try_lock_for(kPatience))
      return Answer(config::Failure<std::string>("another read waits for the database already"));
    return storage::guarded<std::string>(place, std::move(work));
  }
};

Queries::Queries(std::unique_ptr<State> state) : state_(std::move(state)) {}
Queries::~Queries() = default;

config::Result<std::unique_ptr<Queries>, std::string> Queries::open(const Place& place) {
  return storage::guarded<std::string>(
      place, [&] { return std::unique_ptr<Queries>(new Queries(std::make_unique<State>(place))); });
}

Queries::OrFault<std::vector<DomainRow>> Queries::domains() {
  std::vector<DomainRow> out;
  const auto read = each_domain([&out](const DomainRow& row) { out.push_back(row); });
  if (!read) return config::Failure<std::string>(read.error());
  return out;
}

Queries::OrFault<void> Queries::each_domain(const std::function<void(const DomainRow&)>& take) {
  return state_->guarded([&] {
    auto rows = state_->db.scan(fmt::format("SELECT {} FROM domain ORDER BY name", kDomainColumns));
    while (rows.step()) take(read_domain(rows));
  });
}

Queries::OrFault<std::optional<DomainRow>> Queries::domain(const std::string& name) {
  return state_->guarded([&]() -> std::optional<DomainRow> {
    auto row = state_->db.prepare(
        fmt::format("SELECT {}, report, known_report FROM domain WHERE name = ?", kDomainColumns));
    row.bind(name);
    if (!row.step()) return std::nullopt;
    auto out = read_domain(row);
    out.report = text_or_nothing(row, 19);
    if (out.known) out.known->report = text_or_nothing(row, 20);
    return out;
  });
}

Queries::OrFault<std::vector<agent::Alert>> Queries::alerts(std::optional<agent::AlertState> state,
                                                            std::size_t limit) {
  return state_->guarded([&] {
    std::vector<agent::Alert> out;
    auto rows = state_->db.prepare(
        fmt::format("SELECT {} FROM alert WHERE (?1 IS NULL OR state = ?1) "
                    "ORDER BY CASE state WHEN 'firing' THEN 0 WHEN 'pending' "
                    "THEN 1 ELSE 2 END, "
                    "CASE WHEN state IN ('resolved', 'passed') OR severity = 'critical' THEN 0 "
                    "WHEN severity = 'high' THEN 1 ELSE 2 END, "
                    "coalesce(resolved, opened, first_seen) DESC, id LIMIT ?2",
                    kAlertColumns));
    rows.bind(state ? std::optional{wire_name(*state)} : std::nullopt, integer(limit));
    while (rows.step()) out.push_back(read_alert(rows));
    return out;
  });
}

Queries::OrFault<std::optional<Queries::AlertRow>> Queries::alert(const std::string& id) {
  return state_->guarded([&]() -> std::optional<AlertRow> {
    auto row = state_->db.prepare(fmt::format("SELECT {} FROM alert WHERE id = ?", kAlertColumns));
    if (!row.bind(id).step()) return std::nullopt;
    AlertRow out{.alert = read_alert(row), .notifications = {}};
    auto notifications = state_->db.prepare(
        "SELECT notice, notifier, made_at, sent_at, attempts, fault FROM letter WHERE alert = ? "
        "ORDER BY n LIMIT 500");
    notifications.bind(id);
    while (notifications.step()) {
      out.notifications.push_back(
          {.notice = notifications.text(0),
           .notifier = notifications.text(1),
           .made_at = config::Time{config::Seconds{notifications.integer(2)}},
           .sent_at = time_or_nothing(notifications, 3),
           .attempts = notifications.integer(4),
           .fault = text_or_nothing(notifications, 5)});
    }
    return out;
  });
}

Queries::OrFault<std::vector<probes::dns::Bytes>> Queries::evidence(const std::string& alert) {
  return state_->guarded([&] {
    std::vector<probes::dns::Bytes> out;
    auto rows =
        state_->db.prepare("SELECT body FROM evidence WHERE alert = ? ORDER BY at LIMIT 100");
    rows.bind(alert);
    while (rows.step()) out.push_back(rows.bytes(0));
    return out;
  });
}

Queries::OrFault<DeliveryTimes> Queries::delivery_since(
    const std::map<std::string, probes::Delivery>& now, Whose whose) {
  return state_->guarded([&] { return read_delivery_since(state_->db, whose, now); });
}

Queries::OrFault<std::vector<std::string>> Queries::changed_domains(config::Time since) {
  return state_->guarded([&] { return read_changed_domains(state_->db, since); });
}

Queries::OrFault<Changes> Queries::changes_behind(std::int64_t version) {
  return state_->guarded([&] { return read_changes_behind(state_->db, version); });
}

Queries::OrFault<std::int64_t> Queries::newest_version() {
  return state_->guarded([&] { return read_newest_version(state_->db); });
}

Queries::OrFault<std::vector<std::string>> Queries::hosts_between(const std::string& domain,
                                                                  config::Time from,
                                                                  config::Time until) {
  return state_->guarded([&] {
    std::vector<std::string> out;
    auto rows = state_->db.prepare(
        "SELECT json_extract(h.value, '$[1]') AS host FROM subject s "
        "JOIN version v ON v.subject = s.id JOIN content c ON c.id = v.content, "
        "json_each(c.body, '$.hosts') h WHERE s.kind = 'mx' AND s.name = ? "
        "AND (v.is_open OR v.last_seen >= ?) AND v.first_seen <= ? "
        "GROUP BY host ORDER BY max(v.last_seen) DESC LIMIT 100");
    rows.bind(domain, from.time_since_epoch().count(), until.time_since_epoch().count());
    while (rows.step()) out.push_back(rows.text(0));
    return out;
  });
}

Queries::OrFault<std::vector<Event>> Queries::history(const EventFilter& filter) {
  return state_->guarded([&] {
    std::vector<Event> out;
    // A subject is a name, a name and more behind '|', or the kind of a failure and a name. CROSS
    // keeps the order, in which few subjects are looked at.
    auto rows = state_->db.prepare(
        "SELECT v.id, v.first_seen, v.last_seen, v.is_open, s.kind, s.name, c.body "
        "FROM version v JOIN subject s ON s.id = v.subject JOIN content c ON c.id = v.content "
        "WHERE v.subject IN ("
        "         SELECT t.id FROM json_each(?1) n CROSS JOIN json_each(?2) k CROSS JOIN subject t "
        "         WHERE t.kind = k.value AND t.name >= n.value AND t.name < n.value || '}' "
        "         AND (t.name = n.value OR t.name >= n.value || '|')) "
        "AND v.first_seen BETWEEN ?3 AND ?4 AND v.id < ?5 ORDER BY v.id DESC LIMIT ?6");
    rows.bind(nlohmann::json(filter.names).dump(), kShownKinds,
              filter.from.time_since_epoch().count(), filter.until.time_since_epoch().count(),
              filter.before.value_or(std::numeric_limits<std::int64_t>::max()),
              integer(filter.limit));
    while (rows.step()) {
      out.push_back({.id = rows.integer(0),
                     .at = config::Time{config::Seconds{rows.integer(1)}},
                     .last_seen = config::Time{config::Seconds{rows.integer(2)}},
                     .is_open = rows.integer(3) != 0,
                     .kind = rows.text(4),
                     .subject = rows.text(5),
                     .content = rows.text(6)});
    }
    return out;
  });
}

Queries::OrFault<std::map<std::string, std::vector<DeliverySpan>>> Queries::delivery_spans(
    const SpanQuery& query) {
  return state_->guarded([&] { return read_delivery_spans(state_->db, query); });
}

Queries::OrFault<std::map<std::string, std::vector<FoundThen>>> Queries::findings_past(
    const std::vector<std::string>& domains, config::Time from, config::Time until) {
  return state_->guarded([&] { return read_findings_past(state_->db, domains, from, until); });
}

Queries::OrFault<std::map<std::string, std::set<std::string>>> Queries::hosts_past(
    config::Time from, config::Time until) {
  return state_->guarded([&] { return read_hosts_past(state_->db, from, until); });
}

Queries::OrFault<std::vector<CertificateChange>> Queries::certificate_changes(config::Time from,
                                                                              config::Time until) {
  return state_->guarded([&] { return read_certificate_changes(state_->db, from, until); });
}

Queries::OrFault<LogPage> Queries::event_log(const LogQuery& query) {
  return state_->guarded([&] { return read_event_log(state_->db, query); });
}

Queries::OrFault<std::vector<Act>> Queries::acts(const ActFilter& filter) {
  return state_->guarded([&] {
    std::vector<Act> out;
    auto rows = state_->db.prepare(
        "SELECT id, at, by, login, what, subject_kind, subject, comment, fault FROM act "
        "WHERE id < ?1 AND at BETWEEN ?2 AND ?3 AND (?4 IS NULL OR by = ?4) "
        "AND (?5 IS NULL OR what = ?5) ORDER BY id DESC LIMIT ?6");
    rows.bind(filter.before.value_or(std::numeric_limits<std::int64_t>::max()),
              filter.from.time_since_epoch().count(), filter.until.time_since_epoch().count(),
              filter.by, filter.what, integer(filter.limit));
    while (rows.step()) out.push_back(read_act(rows));
    return out;
  });
}

Queries::OrFault<std::vector<Queries::Sum>> Queries::summed(const std::vector<std::string>& names) {
  return state_->guarded([&] {
    std::vector<Sum> out;
    auto rows = state_->db.prepare(
        "SELECT t.kind, t.name, t.summed, t.summed_from, t.summed_until "
        "FROM json_each(?1) n CROSS JOIN json_each(?2) k CROSS JOIN subject t "
        "WHERE t.kind = k.value AND t.name >= n.value AND t.name < n.value || '}' "
        "AND (t.name = n.value OR t.name >= n.value || '|') AND t.summed > 0 "
        "ORDER BY t.summed DESC, t.id LIMIT 100");
    rows.bind(nlohmann::json(names).dump(), kShownKinds);
    while (rows.step()) {
      out.push_back({.kind = rows.text(0),
                     .subject = rows.text(1),
                     .versions = rows.integer(2),
                     .from = config::Time{config::Seconds{rows.integer(3)}},
                     .until = config::Time{config::Seconds{rows.integer(4)}}});
    }
    return out;
  });
}

Queries::OrFault<agent::HostHistory> Queries::host_history(const probes::dns::Name& host,
                                                           config::Time since) {
  return state_->guarded([&] { return read_chronicle(state_->db, host.text(), since); });
}

Queries::OrFault<agent::ZonePast> Queries::zone_past(const probes::dns::Name& zone,
                                                     config::Time since) {
  return state_->guarded([&] { return read_zone_past(state_->db, zone.text(), since); });
}

Queries::OrFault<std::vector<agent::AnnouncedCertificate>> Queries::announced(config::Time at) {
  return state_->guarded([&] { return read_announced(state_->db, at); });
}

Queries::OrFault<agent::RenewalBook> Queries::renewals(config::Time at) {
  return state_->guarded([&] { return read_renewals(state_->db, at); });
}

// Reads whole indexes.
static std::map<std::string, std::int64_t> count_rows(Database& db) {
  std::map<std::string, std::int64_t> out;
  for (const auto& table : db.tables())
    out[table] = db.integer(fmt::format("SELECT count(*) FROM \"{}\"", table));
  return out;
}

// Who scrapes does not wait for a disk that stands still: for the first count a moment, for others
// not at all.
Queries::OrFault<std::map<std::string, std::int64_t>> Queries::row_counts() {
  constexpr std::chrono::seconds kPatience{2};
  auto& s = *state_;
  config::Lock lock(s.counting);
  const auto never = std::chrono::steady_clock::time_point{};
  const bool is_due =
      s.counted_at == never || std::chrono::steady_clock::now() - s.counted_at >= kCountedEvery;
  if (is_due && !s.is_counting) {
    s.is_counting = true;
    s.counter = std::jthread([&s] {
      std::map<std::string, std::int64_t> found;
      try {
        Database db{s.place, Database::Mode::read_only};
        found = count_rows(db);
      } catch (const std::exception&) {
        // The next try is as far away as after any other.
      }
      const config::Lock again(s.counting);
      if (!found.empty()) s.row_counts = std::move(found);
      s.counted_at = std::chrono::steady_clock::now();
      s.is_counting = false;
      s.counted.notify_all();
    });
  }
  if (s.counted_at == never)
    s.counted.wait_for(lock, kPatience,
                       [&]() REQUIRES(s.counting) { return s.counted_at != never; });
  return s.row_counts;
}

Queries::OrFault<std::uint64_t> Queries::size_bytes() {
  if (state_->place.is_postgresql()) {
    return state_->guarded([&] {
      return static_cast<std::uint64_t>(state_->db.integer(
          "SELECT coalesce(sum(pg_total_relation_size(oid)), 0) FROM pg_class "
          "WHERE relkind = 'r' AND relnamespace = current_schema()::regnamespace"));
    });
  }
  // By the disk's directory, which tells at once, whatever is being written.
  return storage::guarded<std::string>(state_->place, [&] {
    return static_cast<std::uint64_t>(std::filesystem::file_size(state_->place.file()));
  });
}

}  // namespace storage
