#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "config/mutex.h"
#include "storage/engine.h"

struct pg_conn;
struct pg_result;
struct pg_cancel;

namespace storage {

// The server, or the way to it, is not there any more: what was under way may or may not have been
// done.
struct ConnectionLost : Fault {
  using Fault::Fault;
};

struct Parameter {
  Type type = Type::text;
  std::optional<std::string> value;  // bytes as they are, all else as text; null: nothing
};

struct ResultEnd {
  void operator()(pg_result* result) const noexcept;
};
using ResultPtr = std::unique_ptr<pg_result, ResultEnd>;

// A connection to PostgreSQL that is made again after it was lost. Waits for the server for a
// bounded time, whatever it does. Nothing that it throws holds the password.
class PostgresConnection {
 public:
  PostgresConnection(std::string connection, bool is_read_only);
  ~PostgresConnection();
  PostgresConnection(const PostgresConnection&) = delete;
  PostgresConnection& operator=(const PostgresConnection&) = delete;

  // Connects, unless it is connected. To be called where nothing depends on what the last session
  // knew: outside of transactions.
  void ensure();
  // Rises with every session. Prepared statements belong to one.
  [[nodiscard]] std::uint64_t session() const { return session_; }
  [[nodiscard]] bool is_lost() const;

  // Statements behind each other; the result is the last one's. Throws what the server says of the
  // first that fails.
  ResultPtr run(const std::string& sql);
  ResultPtr run(const std::string& sql, const std::vector<Parameter>& parameters);
  void prepare(const std::string& name, const std::string& sql,
               const std::vector<Parameter>& parameters);
  ResultPtr run_prepared(const std::string& name, const std::vector<Parameter>& parameters);

  // From now on statements may take so long, and none is waited for much longer.
  void wait_at_most(std::chrono::seconds longest);
  void interrupt() noexcept;

  void listen(const std::string& bell);
  void wait_for_bell(std::chrono::milliseconds longest);

 private:
  void connect();
  void set_up();
  void close() noexcept;
  bool has_rung();
  ResultPtr await(bool is_sent);
  void wait(bool is_writing, std::chrono::steady_clock::time_point until);
  [[noreturn]] void lose(const std::string& why);
  [[nodiscard]] std::string last_words() const;

  const std::string connection_;
  const bool is_read_only_;
  std::chrono::seconds longest_;  // of a statement
  std::string bell_;              // that every session listens for; empty: none
  std::string password_;          // never shown
  pg_conn* session_handle_ = nullptr;
  std::uint64_t session_ = 0;
  config::Mutex canceling_;
  pg_cancel* cancel_ GUARDED_BY(canceling_) = nullptr;
};

}  // namespace storage
