#pragma once

#include <cstdint>

#include "storage/database.h"

// The schema where PostgreSQL is behind the port.
namespace storage {

// What SQLite's migrations come to up to this number (schema.h): there are no older databases.
inline constexpr std::int64_t kPostgresqlBegins = 12;
extern const char* const kPostgresqlTables;
// Functions of SQLite that our statements use and PostgreSQL lacks. Made anew by every migration.
extern const char* const kPostgresqlFunctions;

}  // namespace storage
