#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

#include "config/result.h"

struct sqlite3;
struct sqlite3_stmt;

// A thin layer over SQLite: owners, and values in and out. Inside storage/ an error of SQLite is
// thrown as Fault, so that a transaction unwinds; every public function of the folder catches it at
// its border.
namespace storage {

struct Fault : std::runtime_error {
  using std::runtime_error::runtime_error;
};

// What to do about a damaged file, for the operator.
inline constexpr const char* kRestore = "danelaw restore FILE (docs/backup.md)";

// The file is damaged. Says how to go on from a backup.
struct Damage : Fault {
  using Fault::Fault;
};

// The border of the folder: what `work` gives, or what it threw as a fault in words that name the
// file.
template <class Words, class Work>
auto guarded(const std::filesystem::path& file, Work work)
    -> config::Result<decltype(work()), Words> {
  try {
    if constexpr (std::is_void_v<decltype(work())>) {
      work();
      return {};
    } else {
      return work();
    }
  } catch (const std::exception& e) {
    return config::Failure<Words>(Words{file.string() + ": " + e.what()});
  }
}

class Statement {
 public:
  Statement(sqlite3* db, std::string_view sql);
  ~Statement();
  Statement(Statement&& other) noexcept;
  Statement& operator=(Statement&&) = delete;
  Statement(const Statement&) = delete;
  Statement& operator=(const Statement&) = delete;

  // Parameters in order; then the statement is ready to be stepped from the start.
  template <class... Values>
  Statement& bind(const Values&... values) {
    reset();
    int index = 0;
    (put(++index, values), ...);
    return *this;
  }
  bool step();  // true: a row is there
  void run();   // for statements without rows
  // Lets go of the row. Until then the connection reads the database as it was at step(): it can
  // write no more once another has written, and the WAL only grows.
  void reset();
  [[nodiscard]] std::int64_t integer(int column) const;
  [[nodiscard]] std::string text(int column) const;
  [[nodiscard]] std::vector<std::uint8_t> bytes(int column) const;
  [[nodiscard]] bool is_null(int column) const;

 private:
  void put(int index, std::int64_t value);
  void put(int index, int value) { put(index, std::int64_t{value}); }
  void put(int index, std::string_view value);
  void put(int index, const std::string& value) { put(index, std::string_view{value}); }
  void put(int index, const char* value) { put(index, std::string_view{value}); }
  void put(int index, const std::vector<std::uint8_t>& value);
  void put(int index, std::nullopt_t);
  template <class T>
  void put(int index, const std::optional<T>& value) {
    if (value) {
      put(index, *value);
    } else {
      put(index, std::nullopt);
    }
  }
  void check(int code) const;

  sqlite3* db_;
  sqlite3_stmt* statement_ = nullptr;
};

// SQL may call sha256(x), which gives a blob of 32 octets.
class Database {
 public:
  enum class Mode { create, read_only };
  Database(const std::filesystem::path& file, Mode mode);
  ~Database();
  Database(const Database&) = delete;
  Database& operator=(const Database&) = delete;

  [[nodiscard]] Statement prepare(std::string_view sql) { return {db_, sql}; }
  void execute(const std::string& sql);
  [[nodiscard]] std::int64_t integer(std::string_view sql);
  // Ends what runs on this connection with a Fault. Any thread, while it lives.
  void interrupt() noexcept;

 private:
  sqlite3* db_ = nullptr;
};

// Begins at birth; rolled back at the end unless committed.
class Transaction {
 public:
  explicit Transaction(Database& db) : db_(db) { db_.execute("BEGIN IMMEDIATE"); }
  ~Transaction();
  Transaction(const Transaction&) = delete;
  Transaction& operator=(const Transaction&) = delete;
  void commit();

 private:
  Database& db_;
  bool is_open_ = true;
};

}  // namespace storage
