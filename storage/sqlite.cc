#include "storage/sqlite.h"

#include <fmt/format.h>
#include <sqlite3.h>

#include "probes/tls/certificate.h"
#include "storage/database.h"

namespace storage {
namespace {

// SQLITE_TRANSIENT spelled without its old-style cast: what is given is copied.
sqlite3_destructor_type copied() {
  return reinterpret_cast<sqlite3_destructor_type>(-1);
}

// sha256(x) in SQL: the digest of a text or blob, which SQLite does not have itself.
void sha256(sqlite3_context* context, int, sqlite3_value** values) noexcept {
  const auto* octets = static_cast<const std::uint8_t*>(sqlite3_value_blob(values[0]));
  const auto size = static_cast<std::size_t>(sqlite3_value_bytes(values[0]));
  const auto digest = probes::tls::digest(probes::tls::Digest::sha256, {octets, size});
  sqlite3_result_blob64(context, digest.data(), digest.size(), copied());
}

// What SQLite says went wrong last, as a Fault.
[[noreturn]] void fail(sqlite3* db, int code) {
  const auto words = fmt::format("{} ({})", sqlite3_errmsg(db), sqlite3_errstr(code));
  const int kind = code & 0xff;
  if (kind != SQLITE_CORRUPT && kind != SQLITE_NOTADB) throw Fault(words);
  throw Damage(words + "; stop the agent and go on from a backup: " + kRestore);
}

class SqliteStatement final : public EngineStatement {
 public:
  SqliteStatement(sqlite3* db, std::string_view sql) : db_(db) {
    check(sqlite3_prepare_v3(db, sql.data(), static_cast<int>(sql.size()),
                             SQLITE_PREPARE_PERSISTENT, &statement_, nullptr));
  }
  ~SqliteStatement() override { sqlite3_finalize(statement_); }

  void put(int index, std::int64_t value) override {
    check(sqlite3_bind_int64(statement_, index, value));
  }
  void put_boolean(int index, bool value) override { put(index, std::int64_t{value ? 1 : 0}); }
  void put(int index, std::string_view value) override {
    check(
        sqlite3_bind_text64(statement_, index, value.data(), value.size(), copied(), SQLITE_UTF8));
  }
  void put(int index, std::span<const std::uint8_t> value) override {
    check(sqlite3_bind_blob64(statement_, index, value.data(), value.size(), copied()));
  }
  void put_null(int index, Type) override { check(sqlite3_bind_null(statement_, index)); }

  bool step() override {
    const int code = sqlite3_step(statement_);
    if (code == SQLITE_ROW) return true;
    if (code != SQLITE_DONE) check(code);
    return false;
  }
  void reset() override {
    sqlite3_reset(statement_);
    sqlite3_clear_bindings(statement_);
  }

  std::int64_t integer(int column) const override {
    return sqlite3_column_int64(statement_, column);
  }
  bool is_null(int column) const override {
    return sqlite3_column_type(statement_, column) == SQLITE_NULL;
  }
  std::string text(int column) const override {
    const auto* data = static_cast<const char*>(sqlite3_column_blob(statement_, column));
    return data == nullptr ? std::string() : std::string(data, size(column));
  }
  std::vector<std::uint8_t> bytes(int column) const override {
    const auto* data = static_cast<const std::uint8_t*>(sqlite3_column_blob(statement_, column));
    return data == nullptr ? std::vector<std::uint8_t>()
                           : std::vector<std::uint8_t>(data, data + size(column));
  }

 private:
  [[nodiscard]] std::size_t size(int column) const {
    return static_cast<std::size_t>(sqlite3_column_bytes(statement_, column));
  }
  void check(int code) const {
    if (code != SQLITE_OK) fail(db_, code);
  }

  sqlite3* db_;
  sqlite3_stmt* statement_ = nullptr;
};

class SqliteEngine final : public Engine {
 public:
  SqliteEngine(const std::filesystem::path& file, bool is_read_only) {
    const int flags =
        is_read_only ? SQLITE_OPEN_READONLY : SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE;
    const int code = sqlite3_open_v2(file.c_str(), &db_, flags | SQLITE_OPEN_NOMUTEX, nullptr);
    if (code != SQLITE_OK) {
      const std::string why = db_ != nullptr ? sqlite3_errmsg(db_) : sqlite3_errstr(code);
      sqlite3_close(db_);
      throw Fault(why);
    }
    sqlite3_extended_result_codes(db_, 1);
    sqlite3_busy_timeout(db_, 5000);
    sqlite3_create_function_v2(db_, "sha256", 1, SQLITE_UTF8 | SQLITE_DETERMINISTIC, nullptr,
                               sha256, nullptr, nullptr, nullptr);
  }
  ~SqliteEngine() override { sqlite3_close(db_); }

  std::unique_ptr<EngineStatement> prepare(std::string_view sql, Rows) override {
    return std::make_unique<SqliteStatement>(db_, sql);
  }
  void execute(const std::string& sql) override {
    const int code = sqlite3_exec(db_, sql.c_str(), nullptr, nullptr, nullptr);
    if (code != SQLITE_OK) fail(db_, code);
  }
  void begin() override { execute("BEGIN IMMEDIATE"); }
  void commit() override { execute("COMMIT"); }
  void roll_back() noexcept override {
    // Where it fails, SQLite has rolled back by itself.
    sqlite3_exec(db_, "ROLLBACK", nullptr, nullptr, nullptr);
  }
  void interrupt() noexcept override { sqlite3_interrupt(db_); }

  std::vector<std::string> tables() override {
    std::vector<std::string> out;
    SqliteStatement rows(db_,
                         "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE "
                         "'sqlite_%' ORDER BY name");
    while (rows.step()) out.push_back(rows.text(0));
    return out;
  }

 private:
  sqlite3* db_ = nullptr;
};

}  // namespace

std::unique_ptr<Engine> open_sqlite(const std::filesystem::path& file, bool is_read_only) {
  return std::make_unique<SqliteEngine>(file, is_read_only);
}

}  // namespace storage
