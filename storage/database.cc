#include "storage/database.h"

#include "storage/postgres.h"
#include "storage/sqlite.h"

namespace storage {

void Statement::run() {
  while (step()) {
  }
  reset();
}

Statement& Statement::bind_row(const Statement& row, const std::vector<Type>& types) {
  reset();
  int column = 0;
  for (const auto type : types) {
    const int index = column + 1;
    if (row.is_null(column)) {
      statement_->put_null(index, type);
    } else if (type == Type::integer) {
      put(index, row.integer(column));
    } else if (type == Type::boolean) {
      put(index, row.integer(column) != 0);
    } else if (type == Type::text) {
      put(index, row.text(column));
    } else {
      put(index, row.bytes(column));
    }
    ++column;
  }
  return *this;
}

Database::Database(Place place, Mode mode)
    : place_(std::move(place)),
      engine_(place_.is_postgresql() ? open_postgresql(place_, mode == Mode::read_only)
                                     : open_sqlite(place_.file(), mode == Mode::read_only)) {}

std::int64_t Database::integer(std::string_view sql) {
  auto statement = prepare(sql);
  return statement.step() ? statement.integer(0) : 0;
}

void Database::check_epoch() {
  if (!place_.epoch()) return;
  auto row = prepare("SELECT 1 FROM leader WHERE epoch = ? FOR SHARE");
  if (!row.bind(*place_.epoch()).step()) throw Fault("another agent leads");
}

Transaction::Transaction(Database& db) : engine_(*db.engine_) {
  engine_.begin();
  try {
    db.check_epoch();
  } catch (...) {
    engine_.roll_back();
    throw;
  }
}

void Database::execute_on_sqlite(const std::string& sql) {
  if (!is_postgresql()) execute(sql);
}

void Database::execute_on_postgresql(const std::string& sql) {
  if (is_postgresql()) execute(sql);
}

}  // namespace storage
