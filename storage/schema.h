#pragma once

#include "storage/database.h"

namespace storage {

// Brings the database to the newest schema, each migration in one transaction. Throws Fault when it
// is another program's or a newer danelaw's. Of several agents that begin on one database of
// PostgreSQL one does it, while the others wait.
void migrate(Database& db);

[[nodiscard]] bool is_ours(Database& db);
// Throws Fault when a newer danelaw wrote it.
void refuse_newer(Database& db);
// It is ours, and migrate() has nothing to do.
[[nodiscard]] bool is_newest(Database& db);

}  // namespace storage
