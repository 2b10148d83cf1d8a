#include "storage/recorder.h"

#include <algorithm>
#include <map>
#include <set>
#include <utility>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "agent/alerts/alert_json.h"
#include "config/mutex.h"
#include "probes/explain.h"
#include "probes/report.h"
#include "storage/alert_row.h"
#include "storage/anchor_keys.h"
#include "storage/announced.h"
#include "storage/bounds.h"
#include "storage/chores.h"
#include "storage/delivery_spans.h"
#include "storage/domain_row.h"
#include "storage/facts.h"
#include "storage/files.h"
#include "storage/host_history.h"
#include "storage/renewals.h"
#include "storage/schema.h"
#include "storage/spared.h"
#include "storage/times.h"
#include "storage/upkeep.h"

namespace storage {
namespace {

using agent::RecordFault;
using config::Failure;
using config::Result;

std::string dump(const nlohmann::ordered_json& json) {
  return json.dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace);
}

}  // namespace

struct DatabaseRecorder::State {
  Place place;
  Database db;
  Statement add_subject, find_subject, find_open, touch, close, find_content, add_content,
      add_version;
  Statement add_certificate, close_failure, put_domain, put_alert, drop_alert, add_transition;
  Statement add_letter, add_evidence, put_silence, put_exception, drop_exception;
  Bounds bounds{db};
  AnnouncedRows announced{db};
  RenewalRows renewals{db};
  AnchorKeyRows anchor_keys{db};
  SparedRow spared{db};
  std::int64_t gap_until = 0;  // the end of the last gap
  std::unique_ptr<Upkeep> upkeep;

  static Database& prepared(Database& db) {
    migrate(db);  // first: it leaves a file that is not ours as it was
    // The cache is in KiB: a large history is written all over, and a page that is not at hand has
    // to be read before.
    db.execute_on_sqlite(
        "PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL; PRAGMA foreign_keys = ON; PRAGMA "
        "journal_size_limit = 67108864; PRAGMA cache_size = -32768");
    return db;
  }

  static const Place& created(const Place& at) {
    if (!at.is_postgresql()) create_private(at.file());
    return at;
  }

  explicit State(const Place& at)
      : place(created(at)),
        db(at, Database::Mode::create),
        add_subject(
            prepared(db).prepare("INSERT INTO subject(kind, name) VALUES(?, ?) RETURNING id")),
        find_subject(db.prepare("SELECT id FROM subject WHERE kind = ? AND name = ?")),
        find_open(
            db.prepare("SELECT v.id, c.body, v.last_seen FROM version v JOIN content c ON c.id = "
                       "v.content WHERE v.subject = ? AND v.is_open")),
        touch(db.prepare(
            "UPDATE version SET last_seen = max(last_seen, ?) WHERE id = ? AND subject = ?")),
        close(db.prepare("UPDATE version SET is_open = FALSE WHERE id = ? AND subject = ?")),
        find_content(db.prepare(
            "SELECT id FROM content WHERE digest = substr(sha256(?1), 1, 8) AND body = ?1")),
        add_content(db.prepare("INSERT INTO content(digest, body) "
                               "VALUES(substr(sha256(?1), 1, 8), ?1) RETURNING id")),
        add_version(
            db.prepare("INSERT INTO version(subject, content, first_seen, last_seen, is_open) "
                       "VALUES(?, ?, ?, ?, ?) RETURNING id")),
        add_certificate(
            db.prepare("INSERT INTO certificate(sha256, der) VALUES(?, ?) ON CONFLICT DO NOTHING")),
        close_failure(
            db.prepare("UPDATE version SET is_open = FALSE WHERE is_open AND "
                       "subject = (SELECT id FROM subject WHERE kind = 'failure' AND name = ?)")),
        put_domain(db.prepare(
            "INSERT OR REPLACE INTO domain(name, role, grp, verdict, weakest, severity, status, "
            "worst_code, worst_severity, worst_title, mx_hosts, dane_mx_hosts, observed_at, "
            "next_check_at, report, digest, known_at, known_verdict, known_status, known_delivery, "
            "known_report, delivery) "
            "SELECT ?1, ?, ?, ?4, ?, ?, ?7, ?, ?, ?, ?, ?, ?13, ?, ?15, substr(sha256(?15), 1, 8), "
            "CASE WHEN ?16 THEN ?13 ELSE o.known_at END, "
            "CASE WHEN ?16 THEN ?4 ELSE o.known_verdict END, "
            "CASE WHEN ?16 THEN ?7 ELSE o.known_status END, "
            "CASE WHEN ?16 THEN ?17 ELSE o.known_delivery END, "
            "CASE WHEN ?16 OR o.known_at IS NULL THEN NULL "
            "ELSE coalesce(o.known_report, o.report) END, ?17 "
            "FROM (SELECT 1) AS one LEFT JOIN domain o ON o.name = ?1")),
        put_alert(db.prepare(
            "INSERT OR REPLACE INTO alert(id, state, code, subject_kind, subject_name, severity, "
            "finding, domains, first_seen, last_seen, opened, resolved, looks_seen, looks_clean, "
            "rest, digest) "
            "VALUES(?, ?2, ?, ?, ?, ?6, ?7, ?8, ?, ?, ?, ?, ?, ?, ?15, "
            "substr(sha256(?2 || ?6 || ?7 || ?8 || ?15), 1, 8))")),
        drop_alert(db.prepare("DELETE FROM alert WHERE id = ? AND state = 'pending'")),
        add_transition(
            db.prepare("INSERT INTO transition(at, alert, what, reason) VALUES(?, ?, ?, ?)")),
        add_letter(
            db.prepare("INSERT INTO letter(id, notifier, alert, notice, made_at, body, next_try, "
                       "digest) VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?5, substr(sha256(?6), 1, 8)) "
                       "ON CONFLICT(id) DO NOTHING")),
        add_evidence(db.prepare(
            "INSERT INTO evidence(alert, at, body, digest) SELECT ?1, ?2, ?3, substr(sha256(?3), "
            "1, 8) "
            "WHERE (SELECT count(*) FROM evidence WHERE alert = ?1) < ?4 ON CONFLICT DO NOTHING")),
        put_silence(db.prepare("INSERT OR REPLACE INTO silence(id, ends, body, digest) "
                               "VALUES(?, ?, ?3, substr(sha256(?3), 1, 8))")),
        put_exception(db.prepare("INSERT OR REPLACE INTO exception(domain, body, digest) "
                                 "VALUES(?, ?2, substr(sha256(?2), 1, 8))")),
        drop_exception(db.prepare("DELETE FROM exception WHERE domain = ?")),
        gap_until(db.integer("SELECT coalesce(max(v.last_seen), 0) FROM version v "
                             "JOIN subject s ON s.id = v.subject WHERE s.kind = 'gap'")) {
    // What PostgreSQL keeps is checked by its own means.
    if (place.is_postgresql()) {
      upkeep = std::make_unique<Upkeep>(place, std::nullopt, true);
      return;
    }
    make_private(place.file());
    // A file that is soon read is looked through before anything is built on it. One that is
    // damaged is used all the same, as far as that goes: to watch and say so is better than not to
    // watch.
    const bool is_soon_read = used_octets(db) <= kMostRewritten;
    auto damage = is_soon_read ? find_damage(db, Depth::quick) : std::nullopt;
    if (is_soon_read && !damage) allow_giving_back(db, place.file());
    upkeep = std::make_unique<Upkeep>(place, std::move(damage), is_soon_read);
  }

  // Of the row that `find` finds, or else `add` adds.
  template <class... Values>
  static std::int64_t id_of(Statement& find, Statement& add, const Values&... values) {
    const bool is_there = find.bind(values...).step();
    if (!is_there) add.bind(values...).step();
    auto& row = is_there ? find : add;
    const auto id = row.integer(0);
    row.reset();
    return id;
  }

  // The subject of a fact, and the version of it that is open.
  struct Known {
    std::int64_t subject = 0;
    std::optional<std::int64_t> open;
    std::string content;  // of that one
    std::int64_t last_seen = 0;
  };
  // Those of last, so that a look that shows what the one before did reads nothing: nobody but us
  // writes them. Forgotten when what was written is taken back, or perhaps was, and all at once
  // when there are too many (some 500 octets each; of larger ones none is kept): then hardly one is
  // met again before its turn is over, and few are kept from then on.
  static constexpr std::size_t kMostKnown = 50'000;
  static constexpr std::size_t kFewKnown = 2'000;
  static constexpr std::size_t kLongestKnown = 4'000;  // octets
  std::map<std::pair<std::string, std::string>, Known> known;
  std::size_t most_known = kMostKnown;
  // Whose last lookup failed: mostly few, and each look asks. Nothing: not read yet.
  static constexpr std::size_t kMostFailing = 10'000;
  std::optional<std::set<std::string>> failing;
  bool is_failing_known = true;  // they are not too many to be kept
  std::uint64_t session = 0;     // of the database, in which all this was so

  Known& look_up(const Fact& fact) {
    const auto [entry, is_new] = known.try_emplace({fact.kind, fact.subject});
    auto& out = entry->second;
    if (!is_new) return out;
    out.subject = id_of(find_subject, add_subject, fact.kind, fact.subject);
    if (find_open.bind(out.subject).step()) {
      out.open = find_open.integer(0);
      out.content = find_open.text(1);
      out.last_seen = find_open.integer(2);
    }
    find_open.reset();
    return out;
  }
  void forget_known() {
    known.clear();
    failing.reset();
    is_failing_known = true;
  }
  // Once a part of it is done.
  void hear(Forgetting& forgetting, bool /*is_more*/) {
    if (forgetting.take_subjects_gone()) forget_known();
  }
  void hear(Keeping& /*keeping*/, bool is_more) {
    if (!is_more) most_known = kMostKnown;  // they may be fewer now
  }
  void bound_failing() {
    if (!failing || failing->size() <= kMostFailing) return;
    failing.reset();
    is_failing_known = false;
  }

  // It was, or that is not known.
  [[nodiscard]] bool may_be_failing(const std::string& subject) {
    if (!is_failing_known) return true;
    if (!failing) {
      auto rows = db.prepare(
          "SELECT s.name FROM subject s JOIN version v ON v.subject = s.id "
          "WHERE s.kind = 'failure' AND v.is_open");
      auto& out = failing.emplace();
      while (rows.step() && out.size() <= kMostFailing) out.insert(rows.text(0));
      bound_failing();
    }
    return !failing || failing->contains(subject);
  }

  // Of a look from `began` to `at`; as agent/history/host_history.h notes it.
  void remember(const Fact& fact, std::int64_t began, std::int64_t at,
                std::int64_t longest_silence) {
    if (known.size() >= most_known) {
      known.clear();
      most_known = kFewKnown;
    }
    if (fact.kind == "failure" && failing) {
      failing->insert(fact.subject);
      bound_failing();
    }
    extend(look_up(fact), fact, began, at, longest_silence);
    if (fact.content.size() > kLongestKnown) known.erase({fact.kind, fact.subject});
  }

  // Its open version, or begins another.
  void extend(Known& last, const Fact& fact, std::int64_t began, std::int64_t at,
              std::int64_t longest_silence) {
    // Nobody knows whether it was so all through a gap; nor whether mail arrived while we did not
    // run.
    const bool is_behind_gap = (last.last_seen < gap_until && began >= gap_until) ||
                               ((fact.kind == "verdict" || fact.kind == "host-verdict") &&
                                began - last.last_seen > longest_silence);
    if (last.open && last.content == fact.content && !is_behind_gap) {
      touch.bind(began, *last.open, last.subject).run();
      last.last_seen = std::max(last.last_seen, began);
      return;
    }
    if (last.open) close.bind(*last.open, last.subject).run();
    last.open = add(fact, last.subject, {at, at}, true);
    last.content = fact.content;
    last.last_seen = at;
    if (bounds.keep(last.subject, fact.kind, fact.subject)) forget_known();
  }

  // The version.
  std::int64_t add(const Fact& fact, std::int64_t subject,
                   std::pair<std::int64_t, std::int64_t> seen, bool is_open) {
    add_version
        .bind(subject, id_of(find_content, add_content, fact.content), seen.first, seen.second,
              is_open)
        .step();
    const auto id = add_version.integer(0);
    add_version.reset();
    return id;
  }

  // What happened to ourselves, once.
  void remember_ours(const char* kind, const nlohmann::ordered_json& content, config::Time from,
                     config::Time until) {
    const Fact fact{.kind = kind, .subject = kOurselves, .content = dump(content), .given_at = {}};
    const auto subject = id_of(find_subject, add_subject, fact.kind, fact.subject);
    add(fact, subject, {seconds(from), seconds(until)}, false);
    bounds.keep(subject, fact.kind, fact.subject);
  }

  void remember_breaks(const agent::Round& round) {
    if (const auto& step = round.clock_step)
      remember_ours("clock",
                    {{"seconds", step->by.count()}, {"before", config::rfc3339(step->before)}},
                    step->after, step->after);
    if (const auto& gap = round.gap) {
      remember_ours("gap", {{"until", config::rfc3339(gap->until)}, {"rounds", gap->rounds}},
                    gap->from, gap->until);
      gap_until = seconds(gap->until);
    }
  }

  void remember_certificates(const agent::Sample& sample) {
    for (const auto& [endpoint, chain] : sample.endpoints) {
      if (!chain) continue;
      for (const auto& certificate : *chain)
        add_certificate.bind(certificate->sha256, certificate->der).run();
    }
  }

  void remember_domain(const agent::DomainState& state) {
    const auto row = row_of(state);
    put_domain
        .bind(row.name, row.role, row.group, row.verdict, row.weakest, row.severity,
              probes::wire_name(row.status), row.worst_code, row.worst_severity, row.worst_title,
              row.mx_hosts, row.dane_mx_hosts, seconds(row.observed_at), seconds(row.next_check_at),
              dump(probes::to_json(*state.judged)), row.delivery != probes::Delivery::unknown,
              probes::wire_name(row.delivery))
        .run();
  }

  void remember_alert(const agent::Alert& alert) {
    put_alert
        .bind(alert.id, wire_name(alert.state), wire_name(alert.finding.code),
              wire_name(alert.finding.subject.kind), alert.finding.subject.name,
              wire_name(alert.finding.severity), finding_text(alert.finding), dump(alert.domains),
              seconds(alert.first_seen_at), seconds(alert.last_seen_at), seconds(alert.opened_at),
              seconds(alert.resolved_at), alert.looks_seen, alert.looks_clean, rest_text(alert))
        .run();
  }

  void remember_what_people_hear(const agent::Round& round) {
    for (const auto& notification : round.notifications) {
      add_letter
          .bind(notification.id, notification.notifier, notification.alert.id,
                wire_name(notification.notice), seconds(notification.at),
                dump(agent::to_json(notification)))
          .run();
    }
    for (const auto& silence : round.silences)
      put_silence.bind(silence.id, seconds(silence.ends_at), silence_text(silence)).run();
    for (const auto& made : round.exceptions)
      put_exception.bind(made.domain, exception_text(made)).run();
    for (const auto& domain : round.ended_exceptions) drop_exception.bind(domain).run();
    announced.record(round);
    renewals.record(round);
    anchor_keys.record(round);
    spared.record(round);
  }

  void record(const std::vector<const agent::Round*>& rounds) {
    const auto gap_before = gap_until;
    try {
      Transaction transaction{db};
      if (std::exchange(session, db.session()) != db.session()) forget_known();
      for (const auto* round : rounds) record(*round);
      transaction.commit();
    } catch (...) {
      gap_until = gap_before;
      forget_known();
      throw;
    }
  }

  // Within a transaction.
  void record(const agent::Round& round) {
    const auto at = seconds(round.at);
    const auto began = round.host ? seconds(round.host->observed_at) : at;
    remember_breaks(round);
    config::Seconds interval{0};
    for (const auto& state : round.judged)
      interval = std::max(interval, state.next_check_at - round.at);
    for (const auto& fact : facts_of(round))
      remember(fact, seconds(fact.given_at).value_or(began), seconds(fact.given_at).value_or(at),
               longest_silence(interval).count());
    remember_certificates(round.sample);
    for (const auto& over : recoveries_of(round)) {
      if (!may_be_failing(over.subject)) continue;
      close_failure.bind(over.subject).run();
      if (failing) failing->erase(over.subject);
      known.erase({"failure", over.subject});
    }
    for (const auto& state : round.judged) {
      if (state.judged) remember_domain(state);
    }
    for (const auto& id : round.forgotten) drop_alert.bind(id).run();
    for (const auto& alert : round.alerts) remember_alert(alert);
    for (const auto& transition : round.transitions) {
      const auto what = transition.what == agent::Transition::What::opened ? "opened" : "resolved";
      add_transition.bind(at, transition.alert_id, what, transition.reason).run();
    }
    // Of an alert that grows worse again and again the first are kept: they say why it opened.
    constexpr std::int64_t kMostOfOne = 60;
    for (const auto& one : round.evidence)
      add_evidence.bind(one.alert_id, seconds(one.at), one.body, kMostOfOne).run();
    remember_what_people_hear(round);
  }

  template <class Work>
  auto guarded(Work work) {
    return storage::guarded<RecordFault>(place, std::move(work));
  }

  // What was recorded is read on a connection of its own: nobody who asks for it waits for a round
  // that is being written.
  config::Mutex reading;
  Database reader GUARDED_BY(reading){place, Database::Mode::read_only};
  template <class Work>
  auto read(Work work) {
    const config::Lock lock(reading);
    auto* const on = &reader;
    return storage::guarded<RecordFault>(place, [&] { return work(*on); });
  }
};

DatabaseRecorder::DatabaseRecorder(std::unique_ptr<State> state) : state_(std::move(state)) {}
DatabaseRecorder::~DatabaseRecorder() = default;

Result<std::unique_ptr<DatabaseRecorder>, RecordFault> DatabaseRecorder::open(const Place& place) {
  const auto name = place.words();
  try {
    return std::unique_ptr<DatabaseRecorder>(new DatabaseRecorder(std::make_unique<State>(place)));
  } catch (const Damage& e) {
    return Failure<RecordFault>(RecordFault{
        .detail = fmt::format("cannot use {} as database: {}, or name another with storage.path",
                              name, e.what())});
  } catch (const std::exception& e) {
    if (place.is_postgresql())
      return Failure<RecordFault>(RecordFault{
          .detail = fmt::format("cannot use {} (storage.postgresql): {}", name, e.what())});
    return Failure<RecordFault>(RecordFault{
        .detail = fmt::format(
            "cannot use {} as database: {}; name another with storage.path, or make its folder "
            "writable for this user; if the file is damaged, go on from a backup: {}",
            name, e.what(), kRestore)});
  }
}

std::optional<std::string> DatabaseRecorder::damage() const {
  return state_->upkeep->damage();
}

Result<void, RecordFault> DatabaseRecorder::record_all(
    const std::vector<const agent::Round*>& rounds) {
  return state_->guarded([&] { state_->record(rounds); });
}

Result<agent::Recorder::RestoredState, RecordFault> DatabaseRecorder::restore(config::Time since) {
  return state_->read([&](Database& db) {
    RestoredState out;
    auto alerts = db.prepare(fmt::format(
        "SELECT {} FROM alert WHERE resolved IS NULL OR resolved >= ? ORDER BY id", kAlertColumns));
    alerts.bind(seconds(since));
    while (alerts.step()) out.alerts.push_back(read_alert(alerts));
    auto silences = db.prepare("SELECT id, body FROM silence WHERE ends >= ? ORDER BY id");
    silences.bind(seconds(since));
    while (silences.step())
      out.silences.push_back(read_silence(silences.text(0), silences.text(1)));
    auto exceptions = db.prepare("SELECT domain, body FROM exception ORDER BY domain");
    while (exceptions.step())
      out.exceptions.push_back(read_exception(exceptions.text(0), exceptions.text(1)));
    out.announced = read_announced(db, since);
    out.not_for_mail = read_not_for_mail(db);
    out.renewals = read_renewals(db, since);
    out.anchor_keys = read_anchor_keys(db);
    out.spared = read_spared(db);
    return out;
  });
}

Result<std::map<std::string, config::Time>, RecordFault> DatabaseRecorder::protected_domains(
    config::Time since) {
  return state_->read([&](Database& db) {
    std::map<std::string, config::Time> out;
    auto rows = db.prepare(
        "SELECT s.name, max(v.last_seen) FROM subject s JOIN version v ON v.subject = s.id "
        "JOIN content c ON c.id = v.content WHERE s.kind = 'verdict' AND v.last_seen >= ? "
        "AND json_extract(c.body, '$.verdict') IN ('authenticated', 'host-authenticated') "
        "GROUP BY s.name");
    rows.bind(seconds(since));
    while (rows.step()) out[rows.text(0)] = config::Time{config::Seconds{rows.integer(1)}};
    return out;
  });
}

Result<agent::HostHistory, RecordFault> DatabaseRecorder::host_history(
    const probes::dns::Name& host, config::Time since) {
  return state_->read([&](Database& db) { return read_chronicle(db, host.text(), since); });
}

Result<agent::Signatures, RecordFault> DatabaseRecorder::mx_signatures(
    const probes::dns::Name& domain, config::Time since) {
  return state_->read([&](Database& db) { return read_mx_signatures(db, domain.text(), since); });
}

Result<agent::ZonePast, RecordFault> DatabaseRecorder::zone_past(const probes::dns::Name& zone,
                                                                 config::Time since) {
  return state_->read([&](Database& db) { return read_zone_past(db, zone.text(), since); });
}

// `Work` does the parts; what it must tell the recorder's memory is heard after each.
template <class Work>
class DatabaseRecorder::ByParts final : public agent::Chore {
 public:
  ByParts(State& state, Work work) : state_(state), work_(std::move(work)) {}
  Result<bool, RecordFault> go_on() override {
    return state_.guarded([&] {
      const bool is_more = work_.go_on();
      state_.hear(work_, is_more);
      return is_more;
    });
  }

 private:
  State& state_;
  Work work_;
};

std::unique_ptr<agent::Chore> DatabaseRecorder::keep_only(std::vector<config::Domain> domains) {
  return std::make_unique<ByParts<Keeping>>(*state_, Keeping{state_->db, std::move(domains)});
}

std::unique_ptr<agent::Chore> DatabaseRecorder::forget(config::Time before) {
  return std::make_unique<ByParts<Forgetting>>(*state_,
                                               Forgetting{state_->db, state_->bounds, before});
}

}  // namespace storage
