#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "config/config.h"
#include "config/time.h"
#include "storage/bounds.h"
#include "storage/database.h"

// What a recorder does by parts (agent::Chore): each is a transaction, and takes some thousandths
// of a second in a database of whatever size; those that look through a whole table longer, where
// it is large. go_on() does the next, and says whether there are more; it throws Fault.
namespace storage {

// Deletes what ended before a moment, and brings all subjects within Bounds.
class Forgetting {
 public:
  // Both outlive it.
  Forgetting(Database& db, Bounds& bounds, config::Time before);
  bool go_on();
  // Subjects are gone that somebody may remember; since it was asked last.
  [[nodiscard]] bool take_subjects_gone();

 private:
  using Part = bool (Forgetting::*)();  // true: there is more of this one
  bool closed_versions();
  bool ended_sums();
  bool subjects_with_too_many();
  bool hosts_with_too_many();
  bool rows();
  bool episodes();
  bool certificates();

  Database& db_;
  Bounds& bounds_;
  std::int64_t before_;
  std::size_t part_ = 0;
  std::size_t statement_ = 0;  // of the part
  std::int64_t above_ = 0;     // the id of a subject
  struct {                     // where the walk through subjects stands, by kind and name
    std::string kind, name;
    std::string host;           // of those at hand
    std::int64_t subjects = 0;  // of it, of that kind
  } at_;
  bool are_subjects_gone_ = false;
};

// Leaves those domains and no others, with their role and group.
class Keeping {
 public:
  // Of a name that is there twice the first counts. `db` outlives it.
  Keeping(Database& db, std::vector<config::Domain> domains);
  bool go_on();

 private:
  Database& db_;
  std::vector<config::Domain> domains_;  // by name
  std::size_t next_ = 0;                 // of them
  std::string above_;                    // the name that was come to last
};

}  // namespace storage
