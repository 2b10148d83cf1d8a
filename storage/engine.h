#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

// The port behind storage/database.h: what an engine of SQL is asked for. Two are behind it, SQLite
// (sqlite.h) and PostgreSQL (postgres.h). Statements are in SQLite's SQL as far as dialect.h can
// make it PostgreSQL's.
namespace storage {

// Inside storage/ what an engine refuses is thrown, so that a transaction unwinds; every public
// function of the folder catches it at its border.
struct Fault : std::runtime_error {
  using std::runtime_error::runtime_error;
};

// The file is damaged. Says how to go on from a backup.
struct Damage : Fault {
  using Fault::Fault;
};

enum class Type { integer, boolean, text, bytes };

// As Statement of database.h, which says more.
class EngineStatement {
 public:
  EngineStatement() = default;
  EngineStatement(const EngineStatement&) = delete;
  EngineStatement& operator=(const EngineStatement&) = delete;
  virtual ~EngineStatement() = default;

  // Parameters are counted from 1. What is not given is null.
  virtual void put(int index, std::int64_t value) = 0;
  virtual void put_boolean(int index, bool value) = 0;
  virtual void put(int index, std::string_view value) = 0;
  virtual void put(int index, std::span<const std::uint8_t> value) = 0;
  virtual void put_null(int index, Type type) = 0;
  virtual bool step() = 0;
  virtual void reset() = 0;
  // Columns are counted from 0. A null is 0 or empty, a boolean 0 or 1.
  [[nodiscard]] virtual std::int64_t integer(int column) const = 0;
  [[nodiscard]] virtual std::string text(int column) const = 0;
  [[nodiscard]] virtual std::vector<std::uint8_t> bytes(int column) const = 0;
  [[nodiscard]] virtual bool is_null(int column) const = 0;
};

// One connection.
class Engine {
 public:
  // How the rows of a statement are read.
  enum class Rows {
    all,  // they are few, or all are wanted
    some  // one after the other; there may be very many
  };
  Engine() = default;
  Engine(const Engine&) = delete;
  Engine& operator=(const Engine&) = delete;
  virtual ~Engine() = default;

  [[nodiscard]] virtual std::unique_ptr<EngineStatement> prepare(std::string_view sql,
                                                                 Rows rows) = 0;
  virtual void execute(const std::string& sql) = 0;
  virtual void begin() = 0;
  virtual void commit() = 0;
  virtual void roll_back() noexcept = 0;
  virtual void interrupt() noexcept = 0;
  // Rises when it was connected anew: perhaps to another server, which lacks what was written last.
  [[nodiscard]] virtual std::uint64_t session() const { return 0; }
  // How long a statement may take, where that is bounded.
  virtual void wait_at_most(std::chrono::seconds /*longest*/) {}
  [[nodiscard]] virtual std::vector<std::string> tables() = 0;  // by name
  // Bells that other connections ring (NOTIFY); an engine without others hears none.
  virtual void listen(const std::string& /*bell*/) {}
  virtual void wait_for_bell(std::chrono::milliseconds longest) {
    std::this_thread::sleep_for(longest);
  }
};

}  // namespace storage
