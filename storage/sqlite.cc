#include "storage/sqlite.h"

#include <utility>

#include <fmt/format.h>
#include <sqlite3.h>

#include "probes/tls/certificate.h"

namespace storage {
namespace {

// sha256(x) in SQL: the digest of a text or blob, which SQLite does not have itself.
void sha256(sqlite3_context* context, int, sqlite3_value** values) noexcept {
  const auto* octets = static_cast<const std::uint8_t*>(sqlite3_value_blob(values[0]));
  const auto size = static_cast<std::size_t>(sqlite3_value_bytes(values[0]));
  const auto digest = probes::tls::digest(probes::tls::Digest::sha256, {octets, size});
  const auto copy = reinterpret_cast<sqlite3_destructor_type>(-1);  // SQLITE_TRANSIENT, as below
  sqlite3_result_blob64(context, digest.data(), digest.size(), copy);
}

// What SQLite says went wrong last, as a Fault.
[[noreturn]] void fail(sqlite3* db, int code) {
  const auto words = fmt::format("{} ({})", sqlite3_errmsg(db), sqlite3_errstr(code));
  const int kind = code & 0xff;
  if (kind != SQLITE_CORRUPT && kind != SQLITE_NOTADB) throw Fault(words);
  throw Damage(words + "; stop the agent and go on from a backup: " + kRestore);
}

}  // namespace

Statement::Statement(sqlite3* db, std::string_view sql) : db_(db) {
  check(sqlite3_prepare_v3(db, sql.data(), static_cast<int>(sql.size()), SQLITE_PREPARE_PERSISTENT,
                           &statement_, nullptr));
}
Statement::~Statement() {
  sqlite3_finalize(statement_);
}
Statement::Statement(Statement&& other) noexcept
    : db_(other.db_), statement_(std::exchange(other.statement_, nullptr)) {}

bool Statement::step() {
  const int code = sqlite3_step(statement_);
  if (code == SQLITE_ROW) return true;
  if (code == SQLITE_DONE) return false;
  check(code);
  return false;
}

void Statement::run() {
  while (step()) {
  }
  reset();
}

void Statement::reset() {
  sqlite3_reset(statement_);
  sqlite3_clear_bindings(statement_);
}

std::int64_t Statement::integer(int column) const {
  return sqlite3_column_int64(statement_, column);
}
bool Statement::is_null(int column) const {
  return sqlite3_column_type(statement_, column) == SQLITE_NULL;
}
std::string Statement::text(int column) const {
  const auto* data = static_cast<const char*>(sqlite3_column_blob(statement_, column));
  const auto size = static_cast<std::size_t>(sqlite3_column_bytes(statement_, column));
  return data == nullptr ? std::string() : std::string(data, size);
}

std::vector<std::uint8_t> Statement::bytes(int column) const {
  const auto* data = static_cast<const std::uint8_t*>(sqlite3_column_blob(statement_, column));
  const auto size = static_cast<std::size_t>(sqlite3_column_bytes(statement_, column));
  return data == nullptr ? std::vector<std::uint8_t>()
                         : std::vector<std::uint8_t>(data, data + size);
}

void Statement::put(int index, std::int64_t value) {
  check(sqlite3_bind_int64(statement_, index, value));
}
void Statement::put(int index, std::string_view value) {
  // SQLITE_TRANSIENT spelled without its old-style cast: the text is copied.
  const auto copy = reinterpret_cast<sqlite3_destructor_type>(-1);
  check(sqlite3_bind_text64(statement_, index, value.data(), value.size(), copy, SQLITE_UTF8));
}
void Statement::put(int index, const std::vector<std::uint8_t>& value) {
  const auto copy = reinterpret_cast<sqlite3_destructor_type>(-1);
  check(sqlite3_bind_blob64(statement_, index, value.data(), value.size(), copy));
}
void Statement::put(int index, std::nullopt_t) {
  check(sqlite3_bind_null(statement_, index));
}

void Statement::check(int code) const {
  if (code == SQLITE_OK) return;
  fail(db_, code);
}

Database::Database(const std::filesystem::path& file, Mode mode) {
  const int flags =
      mode == Mode::create ? SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE : SQLITE_OPEN_READONLY;
  const int code = sqlite3_open_v2(file.c_str(), &db_, flags | SQLITE_OPEN_NOMUTEX, nullptr);
  if (code != SQLITE_OK) {
    const std::string why = db_ != nullptr ? sqlite3_errmsg(db_) : sqlite3_errstr(code);
    sqlite3_close(db_);
    throw Fault(why);
  }
  sqlite3_extended_result_codes(db_, 1);
  sqlite3_busy_timeout(db_, 5000);
  sqlite3_create_function_v2(db_, "sha256", 1, SQLITE_UTF8 | SQLITE_DETERMINISTIC, nullptr, sha256,
                             nullptr, nullptr, nullptr);
}

Database::~Database() {
  sqlite3_close(db_);
}

void Database::execute(const std::string& sql) {
  const int code = sqlite3_exec(db_, sql.c_str(), nullptr, nullptr, nullptr);
  if (code != SQLITE_OK) fail(db_, code);
}

void Database::interrupt() noexcept {
  sqlite3_interrupt(db_);
}

std::int64_t Database::integer(std::string_view sql) {
  auto statement = prepare(sql);
  return statement.step() ? statement.integer(0) : 0;
}

Transaction::~Transaction() {
  if (!is_open_) return;
  try {
    db_.execute("ROLLBACK");
  } catch (const Fault&) {
    // SQLite has rolled back by itself.
  }
}

void Transaction::commit() {
  db_.execute("COMMIT");
  is_open_ = false;
}

}  // namespace storage
