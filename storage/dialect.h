#pragma once

#include <string>
#include <string_view>

// PURE
namespace storage {

// Our SQL, which is SQLite's, in PostgreSQL's words. What both understand is left alone; changed is
//   ? and ?N                            $N
//   INSERT OR REPLACE INTO t(a, b) …    INSERT INTO t(a, b) … ON CONFLICT (a) DO UPDATE …: the
//   first
//                                       column named must be the key
//   INSERT OR IGNORE …                  INSERT … ON CONFLICT DO NOTHING
//   max(a, b), min(a, b)                greatest, least
//   and in CREATE TABLE and ALTER TABLE the types: INTEGER, BLOB, TEXT (compared by octets, as
//   SQLite does), the ids that SQLite gives, WITHOUT ROWID.
// Functions that PostgreSQL lacks are made with the schema (schema_postgres.h). What else has to be
// written so that both take it: JOIN needs ON, a subquery in FROM a name, booleans are no numbers,
// a column in ON CONFLICT … DO UPDATE SET is named with its table, and where nulls go in an ORDER
// BY is said.
[[nodiscard]] std::string to_postgresql(std::string_view sql);

// The text as PostgreSQL takes it: UTF-8 without NUL. What is not becomes U+FFFD.
[[nodiscard]] std::string postgresql_text(std::string_view text);

}  // namespace storage
