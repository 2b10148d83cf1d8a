#include "storage/act_log.h"

#include <fmt/format.h>

namespace storage {

using config::Failure;
using config::Result;

Act read_act(const Statement& row) {
  return {.id = row.integer(0),
          .at = config::Time{config::Seconds{row.integer(1)}},
          .by = row.text(2),
          .login = row.text(3),
          .what = row.text(4),
          .subject_kind = row.text(5),
          .subject = row.text(6),
          .comment = row.text(7),
          .fault = row.is_null(8) ? std::nullopt : std::optional{row.text(8)}};
}

ActLog::ActLog(const Place& place) : place_(place), db_(place, Database::Mode::create) {
  // An act is rare, and is to outlive a power cut.
  db_.execute_on_sqlite("PRAGMA synchronous = FULL");
}

Result<std::unique_ptr<ActLog>, std::string> ActLog::open(const Place& place) {
  return guarded<std::string>(place, [&] { return std::unique_ptr<ActLog>(new ActLog(place)); });
}

void ActLog::write(Database& db, const Act& act) {
  db.prepare(
        "INSERT INTO act(at, by, login, what, subject_kind, subject, comment, fault) "
        "VALUES(?, ?, ?, ?, ?, ?, ?, ?)")
      .bind(act.at.time_since_epoch().count(), act.by, act.login, act.what, act.subject_kind,
            act.subject, act.comment, act.fault)
      .run();
}

Result<void, std::string> ActLog::record(Act act) {
  const config::Lock lock(mutex_);
  unwritten_.push_back(std::move(act));
  if (unwritten_.size() > kMostUnwritten) unwritten_.pop_front();
  // By pointers, for clang does not see that `guarded` runs the work here, under the lock.
  auto* const db = &db_;
  const auto* const unwritten = &unwritten_;
  const auto done = guarded<std::string>(place_, [&] {
    Transaction transaction{*db};
    for (const auto& one : *unwritten) write(*db, one);
    db->prepare("DELETE FROM act WHERE id <= (SELECT max(id) FROM act) - ?").bind(kMost).run();
    transaction.commit();
  });
  if (done) unwritten_.clear();
  return done;
}

}  // namespace storage
