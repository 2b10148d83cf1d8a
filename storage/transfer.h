#pragma once

#include <cstdint>
#include <filesystem>
#include <string>

#include "config/result.h"
#include "storage/place.h"

namespace storage {

struct Transferred {
  std::int64_t tables = 0, rows = 0;
};

// Copies the history of a file into a database of PostgreSQL that holds none, in one transaction:
// all of it is there at the end, compared with the file row by row, or nothing. The file stays as
// it is. Refused while an agent uses one of them. The fault is a sentence.
[[nodiscard]] config::Result<Transferred, std::string> transfer(const std::filesystem::path& file,
                                                                const std::string& connection);

}  // namespace storage
