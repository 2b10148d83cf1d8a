#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

#include "config/result.h"
#include "storage/engine.h"
#include "storage/place.h"

// A thin layer over SQL: owners, and values in and out, whatever engine is behind it.
namespace storage {

// What to do about a damaged file, for the operator.
inline constexpr const char* kRestore = "danelaw restore FILE (docs/backup.md)";

// The border of the folder: what `work` gives, or what it threw as a fault in words that name the
// database.
template <class Words, class Work>
auto guarded(const Place& place, Work work) -> config::Result<decltype(work()), Words> {
  try {
    if constexpr (std::is_void_v<decltype(work())>) {
      work();
      return {};
    } else {
      return work();
    }
  } catch (const std::exception& e) {
    return config::Failure<Words>(Words{place.words() + ": " + e.what()});
  }
}

class Statement {
 public:
  explicit Statement(std::unique_ptr<EngineStatement> statement)
      : statement_(std::move(statement)) {}

  // Parameters in order; then the statement is ready to be stepped from the start.
  template <class... Values>
  Statement& bind(const Values&... values) {
    reset();
    int index = 0;
    (put(++index, values), ...);
    return *this;
  }
  // The same of all columns of the row that another stands at.
  Statement& bind_row(const Statement& row, const std::vector<Type>& types);
  bool step() { return statement_->step(); }  // true: a row is there
  void run();                                 // for statements without rows
  // Lets go of the row. Until then a connection of SQLite reads the database as it was at step():
  // it can write no more once another has written, and the WAL only grows.
  void reset() { statement_->reset(); }
  [[nodiscard]] std::int64_t integer(int column) const { return statement_->integer(column); }
  [[nodiscard]] std::string text(int column) const { return statement_->text(column); }
  [[nodiscard]] std::vector<std::uint8_t> bytes(int column) const {
    return statement_->bytes(column);
  }
  [[nodiscard]] bool is_null(int column) const { return statement_->is_null(column); }

 private:
  template <class T>
  static constexpr Type type_of() {
    if constexpr (std::is_same_v<T, bool>) return Type::boolean;
    if constexpr (std::is_integral_v<T>) return Type::integer;
    if constexpr (std::is_convertible_v<T, std::string_view>) return Type::text;
    return Type::bytes;
  }
  void put(int index, std::int64_t value) { statement_->put(index, value); }
  void put(int index, int value) { statement_->put(index, std::int64_t{value}); }
  void put(int index, bool value) { statement_->put_boolean(index, value); }
  void put(int index, std::string_view value) { statement_->put(index, value); }
  void put(int index, const std::string& value) { put(index, std::string_view{value}); }
  void put(int index, const char* value) { put(index, std::string_view{value}); }
  void put(int index, const std::vector<std::uint8_t>& value) {
    statement_->put(index, std::span<const std::uint8_t>{value});
  }
  template <class T>
  void put(int index, const std::optional<T>& value) {
    if (value) {
      put(index, *value);
    } else {
      statement_->put_null(index, type_of<T>());
    }
  }

  std::unique_ptr<EngineStatement> statement_;
};

// The use of a statement that its connection keeps; it lets go of the row at its end.
class KeptStatement {
 public:
  explicit KeptStatement(Statement& statement) : statement_(statement) {}
  ~KeptStatement() { statement_.reset(); }
  KeptStatement(const KeptStatement&) = delete;
  KeptStatement& operator=(const KeptStatement&) = delete;
  Statement* operator->() const { return &statement_; }

 private:
  Statement& statement_;
};

// One connection to a database. In SQL as dialect.h knows it, and with sha256(x), which gives a
// blob of 32 octets.
class Database {
 public:
  enum class Mode { create, read_only };
  Database(Place place, Mode mode);

  [[nodiscard]] Statement prepare(std::string_view sql) {
    return Statement{engine_->prepare(sql, Engine::Rows::all)};
  }
  // The same where there may be very many rows, or not all will be read.
  [[nodiscard]] Statement scan(std::string_view sql) {
    return Statement{engine_->prepare(sql, Engine::Rows::some)};
  }
  // For what is asked very often: it is prepared once, and kept with its words. One user at a time.
  [[nodiscard]] KeptStatement keep(std::string_view sql) {
    auto known = kept_.find(sql);
    if (known == kept_.end()) known = kept_.emplace(std::string(sql), prepare(sql)).first;
    return KeptStatement(known->second);
  }
  void execute(const std::string& sql) { engine_->execute(sql); }
  [[nodiscard]] std::int64_t integer(std::string_view sql);
  // Ends what runs on this connection with a Fault. Any thread, while it lives.
  void interrupt() noexcept { engine_->interrupt(); }
  // Rises when it was connected anew: perhaps to another server, which lacks what was written last.
  [[nodiscard]] std::uint64_t session() const { return engine_->session(); }

  // How long a statement may take from now on; a file's are not bounded. Whoever waits for a server
  // that has died without a word waits some seconds longer.
  void wait_at_most(std::chrono::seconds longest) { engine_->wait_at_most(longest); }

  // Hears of NOTIFY with that name from now on; wait_for_bell() ends early by one that has not been
  // waited for yet. Outside of transactions.
  void listen(const std::string& bell) { engine_->listen(bell); }
  void wait_for_bell(std::chrono::milliseconds longest) { engine_->wait_for_bell(longest); }

  // Settings of one engine; nothing where another is behind it.
  void execute_on_sqlite(const std::string& sql);
  void execute_on_postgresql(const std::string& sql);
  [[nodiscard]] bool is_postgresql() const { return place_.is_postgresql(); }
  [[nodiscard]] std::vector<std::string> tables() { return engine_->tables(); }  // by name

 private:
  friend class Transaction;
  void check_epoch();
  Place place_;
  std::unique_ptr<Engine> engine_;
  std::map<std::string, Statement, std::less<>> kept_;
};

// Begins at birth; rolled back at the end unless committed. Where the place has an epoch, nothing
// of it is done unless that lasts: until the end no other agent begins to lead.
class Transaction {
 public:
  explicit Transaction(Database& db);
  ~Transaction() {
    if (is_open_) engine_.roll_back();
  }
  Transaction(const Transaction&) = delete;
  Transaction& operator=(const Transaction&) = delete;
  void commit() {
    engine_.commit();
    is_open_ = false;
  }

 private:
  Engine& engine_;
  bool is_open_ = true;
};

}  // namespace storage
