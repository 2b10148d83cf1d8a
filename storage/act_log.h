#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <string>

#include "config/mutex.h"
#include "config/result.h"
#include "config/time.h"
#include "storage/database.h"

namespace storage {

// What somebody did to the agent, or tried to.
struct Act {
  std::int64_t id = 0;  // rises; 0 while it is not recorded
  config::Time at;
  std::string by;     // the name of their login; without logins what they called themselves
  std::string login;  // how that is known: "user", "token", "signal"; "none": nobody checked it
  std::string what;   // acknowledge, silence, check …; web/routes/action_routes.h has them all
  std::string subject_kind, subject;
  std::string comment;               // their own words; may be empty
  std::optional<std::string> fault;  // why nothing came of it
};

// Of the columns id, at, by, login, what, subject_kind, subject, comment, fault.
[[nodiscard]] Act read_act(const Statement& row);

// Who did what, on a connection of its own: the agent never waits for it. The newest kMost are
// kept, no longer than other history. What cannot be written is kept in memory, and written before
// what comes next. Any thread may call. The recorder has made the file and its schema.
class ActLog {
 public:
  static constexpr std::int64_t kMost = 10'000;
  static constexpr std::size_t kMostUnwritten = 1000;

  [[nodiscard]] static config::Result<std::unique_ptr<ActLog>, std::string> open(
      const Place& place);

  // The error says why it is only in memory.
  [[nodiscard]] config::Result<void, std::string> record(Act act);

 private:
  explicit ActLog(const Place& place);
  static void write(Database& db, const Act& act);

  Place place_;
  config::Mutex mutex_;
  Database db_ GUARDED_BY(mutex_);
  std::deque<Act> unwritten_ GUARDED_BY(mutex_);
};

}  // namespace storage
