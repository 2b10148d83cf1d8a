#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>

#include "storage/database.h"

namespace storage {

enum class Depth {
  quick,  // the structure of the file and what rows say: about as fast as it is read
  whole,  // that indexes and tables agree, too: several times as long
};
// What is wrong with the database, in words that say how to go on; nothing when it is sound. Of
// PostgreSQL it is only what rows say.
[[nodiscard]] std::optional<std::string> find_damage(Database& db, Depth depth);

// Octets that are in use. What is free is not read when the file is written anew.
[[nodiscard]] std::int64_t used_octets(Database& db);

// Makes the file give free pages back when they are asked for (give_back), which takes writing it
// anew: done only where that is soon done (kMostRewritten) and the disk has room; else the file
// goes on as it is, and a restored backup has it (docs/backup.md). At the start only, before others
// open the file.
void allow_giving_back(Database& db, const std::filesystem::path& file);
inline constexpr std::int64_t kMostRewritten = 256LL << 20;  // octets: seconds, on a slow disk

// Gives up to `pages` free pages back to the disk, when the file has far more than it will use
// soon. True when there are still too many.
bool give_back(Database& db, int pages);

// What a database needs while it is used, on a thread and a connection of its own: free pages are
// given back in small steps, between which rounds are recorded; the file is looked through at the
// start, unless that has been done, and once a night. PostgreSQL gives pages back by itself.
class Upkeep {
 public:
  // `damage`: what was found at the start; `is_checked`: the file was looked through then.
  Upkeep(Place place, std::optional<std::string> damage, bool is_checked);
  ~Upkeep();  // waits for the step under way
  Upkeep(const Upkeep&) = delete;
  Upkeep& operator=(const Upkeep&) = delete;

  // What the last look through the file found. Any thread.
  [[nodiscard]] std::optional<std::string> damage() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace storage
