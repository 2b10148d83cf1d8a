#include "storage/outbox.h"

#include <optional>

#include "config/mutex.h"
#include "storage/database.h"

namespace storage {

using agent::QueuedNotification;
using agent::RecordFault;

constexpr std::chrono::seconds kLongest{10};

struct DatabaseOutbox::State {
  Place place;
  config::Mutex mutex;
  Database db;
  explicit State(const Place& at) : place(at), db(at, Database::Mode::create) {
    db.execute_on_sqlite("PRAGMA synchronous = NORMAL");
    db.wait_at_most(kLongest);  // people are told from memory while nothing can be recorded
  }

  template <class Work>
  auto guarded(Work work) {
    const config::Lock lock(mutex);
    return storage::guarded<RecordFault>(place, std::move(work));
  }
};

DatabaseOutbox::DatabaseOutbox(std::unique_ptr<State> state) : state_(std::move(state)) {}
DatabaseOutbox::~DatabaseOutbox() = default;

config::Result<std::unique_ptr<DatabaseOutbox>, std::string> DatabaseOutbox::open(
    const Place& place) {
  return storage::guarded<std::string>(place, [&] {
    return std::unique_ptr<DatabaseOutbox>(new DatabaseOutbox(std::make_unique<State>(place)));
  });
}

DatabaseOutbox::OrFault<std::vector<QueuedNotification>> DatabaseOutbox::due(
    const std::string& notifier, config::Time at, std::size_t most) {
  return state_->guarded([&] {
    // Who does not lead any more sends nothing. A file has one agent.
    std::optional<Transaction> led;
    if (state_->place.epoch()) led.emplace(state_->db);
    std::vector<QueuedNotification> out;
    auto rows = state_->db.prepare(
        "SELECT l.id, l.notifier, l.body, l.attempts FROM letter l "
        "WHERE l.notifier = ?1 AND l.sent_at IS NULL AND l.next_try <= ?2 AND NOT EXISTS ("
        "  SELECT 1 FROM letter b WHERE b.alert = l.alert AND b.notifier = l.notifier "
        "  AND b.sent_at IS NULL AND b.n < l.n) ORDER BY l.n LIMIT ?3");
    rows.bind(notifier, at.time_since_epoch().count(), static_cast<std::int64_t>(most));
    while (rows.step()) {
      out.push_back({.id = rows.text(0),
                     .notifier = rows.text(1),
                     .body = rows.text(2),
                     .attempts = static_cast<int>(rows.integer(3))});
    }
    return out;
  });
}

DatabaseOutbox::OrFault<void> DatabaseOutbox::delivered(const std::string& id, config::Time at) {
  return state_->guarded([&] {
    Transaction transaction{state_->db};
    state_->db.prepare("UPDATE letter SET sent_at = ?, fault = NULL WHERE id = ?")
        .bind(at.time_since_epoch().count(), id)
        .run();
    transaction.commit();
  });
}

DatabaseOutbox::OrFault<void> DatabaseOutbox::failed(const std::string& id, config::Time next_try,
                                                     const std::string& why) {
  return state_->guarded([&] {
    Transaction transaction{state_->db};
    state_->db
        .prepare("UPDATE letter SET attempts = attempts + 1, next_try = ?, fault = ? WHERE id = ?")
        .bind(next_try.time_since_epoch().count(), why, id)
        .run();
    transaction.commit();
  });
}

DatabaseOutbox::OrFault<std::size_t> DatabaseOutbox::waiting(const std::string& notifier) {
  return state_->guarded([&] {
    auto row =
        state_->db.prepare("SELECT count(*) FROM letter WHERE notifier = ? AND sent_at IS NULL");
    row.bind(notifier).step();
    return static_cast<std::size_t>(row.integer(0));
  });
}

DatabaseOutbox::OrFault<std::optional<std::string>> DatabaseOutbox::notifier_state(
    const std::string& key) {
  return state_->guarded([&]() -> std::optional<std::string> {
    auto row = state_->db.prepare("SELECT value FROM memo WHERE key = ?");
    return row.bind(key).step() ? std::optional{row.text(0)} : std::nullopt;
  });
}

DatabaseOutbox::OrFault<void> DatabaseOutbox::keep_notifier_state(
    const std::string& key, const std::optional<std::string>& value) {
  return state_->guarded([&] {
    if (value) {
      state_->db.prepare("INSERT OR REPLACE INTO memo(key, value) VALUES(?, ?)")
          .bind(key, *value)
          .run();
    } else {
      state_->db.prepare("DELETE FROM memo WHERE key = ?").bind(key).run();
    }
  });
}

}  // namespace storage
