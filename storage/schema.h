#pragma once

#include "storage/sqlite.h"

namespace storage {

// Brings the database to the newest schema, each migration in one transaction. Throws Fault when
// the file is another program's or a newer danelaw's.
void migrate(Database& db);

[[nodiscard]] bool is_ours(Database& db);

}  // namespace storage
