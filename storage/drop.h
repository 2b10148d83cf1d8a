#pragma once

#include <cstdint>
#include <vector>

#include "storage/database.h"

namespace storage {

using Ids = std::vector<std::int64_t>;

// What is deleted of the history, with what nobody needs for it any more: the cost is that of what
// goes, whatever there is. To be used within a transaction; throws Fault.

// The versions, and the contents that no other is of.
void drop_versions(Database& db, const Ids& versions);
// Of the subjects those that have neither versions nor a sum of some. True: there were any.
bool drop_unused_subjects(Database& db, const Ids& subjects);

// The ids that a statement gives, its first column.
[[nodiscard]] Ids ids_of(Statement& statement);

}  // namespace storage
