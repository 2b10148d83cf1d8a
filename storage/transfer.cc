#include "storage/transfer.h"

#include <algorithm>
#include <vector>

#include <fmt/format.h>

#include "storage/dialect.h"
#include "storage/lock.h"
#include "storage/schema.h"
#include "storage/upkeep.h"

namespace storage {
namespace {

struct Column {
  std::string name;
  Type type;
};

struct Table {
  std::string name;
  std::vector<Column> columns;
  std::string key;  // columns, with commas between
  std::string id;   // the column whose numbers the database gives; or none
};

Type type_of(const std::string& theirs) {
  if (theirs == "bigint") return Type::integer;
  if (theirs == "boolean") return Type::boolean;
  if (theirs == "bytea") return Type::bytes;
  return Type::text;
}

Table table_of(Database& from, Database& to, const std::string& name) {
  Table out{.name = name, .columns = {}, .key = {}, .id = {}};
  auto types = to.prepare(
      "SELECT column_name, data_type, is_identity FROM information_schema.columns "
      "WHERE table_schema = current_schema() AND table_name = ? ORDER BY ordinal_position");
  types.bind(name);
  while (types.step()) {
    out.columns.push_back({types.text(0), type_of(types.text(1))});
    if (types.text(2) == "YES") out.id = types.text(0);
  }
  auto keys = from.prepare("SELECT name FROM pragma_table_info(?) WHERE pk > 0 ORDER BY pk");
  keys.bind(name);
  while (keys.step()) out.key += (out.key.empty() ? "" : ", ") + keys.text(0);
  if (out.columns.empty() || out.key.empty())
    throw Fault("it has a table that is unknown: " + name);
  return out;
}

// What refers to others comes behind them.
std::vector<Table> tables_of(Database& from, Database& to) {
  auto names = from.tables();
  std::ranges::stable_partition(names, [](const std::string& name) { return name == "subject"; });
  std::vector<Table> out;
  for (const auto& name : names) out.push_back(table_of(from, to, name));
  return out;
}

std::string rows_of(const Table& table) {
  std::string names;
  for (const auto& column : table.columns) names += (names.empty() ? "" : ", ") + column.name;
  return fmt::format("SELECT {} FROM {} ORDER BY {}", names, table.name, table.key);
}

bool is_number(const Column& column) {
  return column.type == Type::integer || column.type == Type::boolean;
}

// SQLite takes any value in any column, and gives 1 for 1.5 when it is asked for an integer.
void demand_integers(Database& from, const Table& table) {
  std::string others;
  for (const auto& column : table.columns) {
    if (is_number(column))
      others += fmt::format("{}typeof({}) NOT IN ('integer', 'null')", others.empty() ? "" : " OR ",
                            column.name);
  }
  if (others.empty()) return;
  if (from.integer(fmt::format("SELECT count(*) FROM {} WHERE {}", table.name, others)) != 0)
    throw Fault("the file has values that are no whole numbers where these belong, in table " +
                table.name);
}

std::int64_t copy(Database& from, Database& to, const Table& table) {
  std::string names, places;
  std::vector<Type> types;
  for (const auto& column : table.columns) {
    names += (names.empty() ? "" : ", ") + column.name;
    places += places.empty() ? "?" : ", ?";
    types.push_back(column.type);
  }
  auto rows = from.scan(rows_of(table));
  auto add = to.prepare(fmt::format("INSERT INTO {}({}) VALUES({})", table.name, names, places));
  std::int64_t count = 0;
  for (; rows.step(); ++count) add.bind_row(rows, types).run();
  return count;
}

// The next number is beyond all that were given, as in the file.
void continue_numbers(Database& from, Database& to, const Table& table) {
  if (table.id.empty()) return;
  auto last = from.integer(fmt::format("SELECT max({}) FROM {}", table.id, table.name));
  auto given = from.prepare("SELECT seq FROM sqlite_sequence WHERE name = ?");
  if (given.bind(table.name).step()) last = std::max(last, given.integer(0));
  if (last == 0) return;
  to.prepare("SELECT setval(pg_get_serial_sequence(?, ?), ?)")
      .bind(table.name, table.id, last)
      .run();
}

bool is_same(const Statement& one, const Statement& other, const std::vector<Column>& columns) {
  int at = 0;
  for (const auto& column : columns) {
    if (one.is_null(at) != other.is_null(at)) return false;
    if (is_number(column) && one.integer(at) != other.integer(at)) return false;
    if (column.type == Type::bytes && one.bytes(at) != other.bytes(at)) return false;
    // What is no text became one (dialect.h).
    if (column.type == Type::text && postgresql_text(one.text(at)) != other.text(at)) return false;
    ++at;
  }
  return true;
}

void compare(Database& from, Database& to, const Table& table) {
  auto ours = from.scan(rows_of(table));
  auto theirs = to.scan(rows_of(table));
  for (std::int64_t row = 1;; ++row) {
    const bool is_there = ours.step();
    if (theirs.step() != is_there || (is_there && !is_same(ours, theirs, table.columns)))
      throw Fault(fmt::format("row {} of table {} is not what is in the file", row, table.name));
    if (!is_there) return;
  }
}

Database opened_file(const std::filesystem::path& file) {
  Database out{file, Database::Mode::read_only};
  if (!is_ours(out)) throw Fault("it is not a database of danelaw");
  if (!is_newest(out)) throw Fault("it was written by an older danelaw: start this one on it once");
  if (const auto damage = find_damage(out, Depth::quick)) throw Fault(*damage);
  return out;
}

Transferred transfer(Database& from, Database& to) {
  Transferred out;
  to.wait_at_most(std::chrono::hours{24});
  migrate(to);
  Transaction transaction{to};
  const auto tables = tables_of(from, to);
  for (const auto& table : tables) {
    if (to.integer(
            fmt::format("SELECT count(*) FROM (SELECT 1 FROM {} LIMIT 1) AS one", table.name)) != 0)
      throw Fault("it holds a history already (table " + table.name + ")");
  }
  for (const auto& table : tables) {
    demand_integers(from, table);
    out.rows += copy(from, to, table);
    continue_numbers(from, to, table);
    ++out.tables;
  }
  for (const auto& table : tables) compare(from, to, table);
  transaction.commit();
  return out;
}

}  // namespace

config::Result<Transferred, std::string> transfer(const std::filesystem::path& file,
                                                  const std::string& connection) {
  using config::Failure;
  if (connection.empty()) return Failure<std::string>("no PostgreSQL database is named");
  if (!std::filesystem::exists(file))
    return Failure<std::string>(file.string() + ": there is no such file");
  const auto target = Place::postgresql(connection);
  constexpr auto kAdvice = "stop that one first";
  const auto lock = DatabaseLock::take(file, kAdvice);
  if (!lock) return Failure<std::string>(lock.error());
  const auto other = DatabaseLock::take(target, kAdvice);
  if (!other) return Failure<std::string>(other.error());
  auto from = guarded<std::string>(file, [&] { return opened_file(file); });
  if (!from) return Failure<std::string>(from.error());
  return guarded<std::string>(target, [&] {
    Database to{target, Database::Mode::create};
    return transfer(*from, to);
  });
}

}  // namespace storage
