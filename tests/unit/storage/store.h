#pragma once

#include <functional>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

#include "probes/status.h"
#include "storage/database.h"
#include "storage/queries.h"
#include "storage/recorder.h"
#include "tests/support/finish.h"
#include "tests/support/scene.h"
#include "tests/unit/storage/test_database.h"

// A database of its own, seen through a second connection; and rounds to record in it.
namespace support {

inline const config::Seconds kMinute{60};

class Store {
 public:
  Store() { reopen(); }

  const storage::Place& place() const { return database_.place(); }
  const std::filesystem::path& file() const { return place().file(); }  // where it is one
  storage::DatabaseRecorder& recorder() { return *recorder_; }
  // What another process does with it.
  storage::Database& outside() { return *outside_; }

  void close() {
    outside_.reset();
    recorder_.reset();
  }
  void reopen() {
    close();
    auto opened = storage::DatabaseRecorder::open(place());
    if (!opened) throw std::runtime_error(opened.error().detail);
    recorder_ = std::move(*opened);
    outside_ = std::make_unique<storage::Database>(place(), storage::Database::Mode::create);
  }
  std::unique_ptr<storage::Queries> queries() {
    auto opened = storage::Queries::open(place());
    if (!opened) throw std::runtime_error(opened.error());
    return std::move(*opened);
  }

  void record(const agent::Round& round) {
    const auto done = recorder_->record(round);
    if (!done) throw std::runtime_error(done.error().detail);
  }
  void keep_only(const std::vector<config::Domain>& domains) {
    const auto done = support::finish(recorder_->keep_only(domains));
    if (!done) throw std::runtime_error(done.error().detail);
  }
  auto forget(config::Time before) { return support::finish(recorder_->forget(before)); }
  // What the agent would take up its work with, had it stopped at `since`.
  agent::Recorder::RestoredState restore(config::Time since = kNow) {
    auto read = recorder_->restore(since);
    if (!read) throw std::runtime_error(read.error().detail);
    return std::move(*read);
  }
  std::vector<agent::Alert> open_alerts() { return restore(config::Time::max()).alerts; }

  // What is written to a table, or deleted from it, fails from now on ("INSERT", "DELETE").
  void break_table(const std::string& event, const std::string& table) {
    outside_->execute_on_sqlite("CREATE TRIGGER t AFTER " + event + " ON " + table +
                                " BEGIN SELECT raise(ABORT, 'the disk is full'); END");
    // There a row that is written over is not inserted.
    outside_->execute_on_postgresql(
        "CREATE FUNCTION broken() RETURNS trigger LANGUAGE plpgsql AS "
        "$$ BEGIN RAISE 'the disk is full'; END $$; CREATE TRIGGER t AFTER " +
        (event == "INSERT" ? "INSERT OR UPDATE" : event) + " ON " + table +
        " FOR EACH ROW EXECUTE FUNCTION broken()");
  }
  void mend_table(const std::string& table) {
    outside_->execute_on_sqlite("DROP TRIGGER t");
    outside_->execute_on_postgresql("DROP TRIGGER t ON " + table + "; DROP FUNCTION broken()");
  }

  // The first column of every row.
  std::vector<std::string> rows(std::string_view sql) {
    std::vector<std::string> out;
    auto statement = outside_->prepare(sql);
    while (statement.step()) out.push_back(statement.text(0));
    return out;
  }
  // "0..60 open" of each version of the facts of a kind, in seconds from kNow.
  std::vector<std::string> versions(const std::string& kind) {
    std::vector<std::string> out;
    auto statement = outside_->prepare(
        "SELECT (first_seen - ?2) || '..' || (last_seen - ?2) || "
        "CASE WHEN is_open THEN ' open' ELSE ' closed' END FROM version WHERE subject IN (SELECT "
        "id FROM subject WHERE kind = ?1) ORDER BY id");
    statement.bind(kind, kNow.time_since_epoch().count());
    while (statement.step()) out.push_back(statement.text(0));
    return out;
  }

 private:
  TestDatabase database_;
  std::unique_ptr<storage::DatabaseRecorder> recorder_;
  std::unique_ptr<storage::Database> outside_;
};

inline agent::DomainState domain_state(const Scene& scene, config::Time at = kNow) {
  return {.configured = config::Domain{.name = scene.domain.domain.text(), .group = "ours"},
          .judged = std::make_shared<const probes::DomainJudgement>(scene.judge(at)),
          .next_check_at = at + 15 * kMinute};
}

// A look at the scene's domain.
inline agent::Round domain_round(const Scene& scene, config::Time at = kNow) {
  return {.target = {.kind = agent::Target::Kind::domain, .name = scene.domain.domain},
          .at = at,
          .domain = std::make_shared<const probes::DomainObservation>(scene.domain),
          .judged = {domain_state(scene, at)}};
}

// The round with the judgement of its host, as the follower hands it on.
inline agent::Round with_host_judged(agent::Round round) {
  for (const auto& state : round.judged) {
    for (const auto& one : state.judged->hosts) {
      const bool is_it = one.seen->host == round.target.name;
      if (is_it && (!round.host_judged || probes::is_worse(one, *round.host_judged)))
        round.host_judged = {state.judged, &one};
    }
  }
  return round;
}

// A look at the scene's host, which renews the judgement of the domain.
inline agent::Round host_round(const Scene& scene, config::Time at = kNow) {
  auto host = scene.hosts.at("mx.example.test");
  host.observed_at = at;
  return with_host_judged({.target = {.kind = agent::Target::Kind::host, .name = host.host},
                           .at = at,
                           .host = std::make_shared<const probes::HostObservation>(host),
                           .sample = agent::completed({}, agent::sample_of(host)),
                           .judged = {domain_state(scene, at)}});
}

inline agent::Alert alert(const std::string& id, agent::AlertState state,
                          config::Time seen = kNow) {
  agent::Alert out{
      .id = id,
      .state = state,
      .finding = {.code = probes::Code::tlsa_mismatch,
                  .severity = probes::Severity::critical,
                  .subject = {.kind = probes::Subject::Kind::host, .name = "mx.example.test"}},
      .domains = {"example.test"},
      .first_seen_at = seen,
      .last_seen_at = seen};
  out.cause = out.finding.subject;
  out.hits = {{.subject = out.cause, .domains = out.domains, .severity = out.finding.severity}};
  if (state != agent::AlertState::pending) out.opened_at = seen;
  const bool is_over = state == agent::AlertState::resolved || state == agent::AlertState::passed;
  if (is_over) out.resolved_at = seen;
  return out;
}

}  // namespace support
