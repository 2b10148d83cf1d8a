#include "storage/postgres_connection.h"

#include <array>

#include <fmt/format.h>
#include <libpq-fe.h>
#include <poll.h>

namespace storage {
namespace {

using std::chrono::steady_clock;

// The server ends a statement after the first; if it does not even do that, so long later it is
// taken for lost.
constexpr std::chrono::seconds kLongestRead{30};
constexpr std::chrono::seconds kLongestWrite{300};
constexpr std::chrono::seconds kGrace{10};

// Of the catalogue pg_type, which never changes them.
Oid oid_of(Type type) {
  switch (type) {
    case Type::boolean:
      return 16;
    case Type::bytes:
      return 17;
    case Type::integer:
      return 20;
    case Type::text:
      return 25;
  }
  return 0;
}

std::string without(std::string text, const std::string& secret) {
  if (secret.empty()) return text;
  for (auto at = text.find(secret); at != std::string::npos; at = text.find(secret, at))
    text.replace(at, secret.size(), "***");
  return text;
}

// On one line, without the end of it.
std::string tidy(std::string text) {
  while (!text.empty() && text.back() == '\n') text.pop_back();
  for (auto& octet : text) {
    if (octet == '\n' || octet == '\t') octet = ' ';
  }
  return text;
}

std::string field(const PGresult* result, int which) {
  const char* value = PQresultErrorField(result, which);
  return value == nullptr ? std::string() : std::string(value);
}

// As libpq takes them.
struct Arguments {
  explicit Arguments(const std::vector<Parameter>& parameters) {
    for (const auto& one : parameters) {
      types.push_back(oid_of(one.type));
      values.push_back(one.value ? one.value->data() : nullptr);
      lengths.push_back(one.value ? static_cast<int>(one.value->size()) : 0);
      formats.push_back(one.type == Type::bytes ? 1 : 0);
    }
  }
  [[nodiscard]] int count() const { return static_cast<int>(types.size()); }
  std::vector<Oid> types;
  std::vector<const char*> values;
  std::vector<int> lengths, formats;
};

}  // namespace

void ResultEnd::operator()(pg_result* result) const noexcept {
  PQclear(result);
}

PostgresConnection::PostgresConnection(std::string connection, bool is_read_only)
    : connection_(std::move(connection)),
      is_read_only_(is_read_only),
      longest_(is_read_only ? kLongestRead : kLongestWrite) {
  connect();
}

PostgresConnection::~PostgresConnection() {
  close();
}

void PostgresConnection::close() noexcept {
  const config::Lock lock(canceling_);
  PQfreeCancel(cancel_);
  cancel_ = nullptr;
  PQfinish(session_handle_);
  session_handle_ = nullptr;
}

void PostgresConnection::connect() {
  close();
  {
    // What libpq says of a string that it cannot read quotes it.
    const std::unique_ptr<PQconninfoOption, decltype(&PQconninfoFree)> options{
        PQconninfoParse(connection_.c_str(), nullptr), PQconninfoFree};
    if (!options)
      throw Fault("storage.postgresql is no connection string or URI that libpq can read");
    for (const auto* one = options.get(); one->keyword != nullptr; ++one) {
      if (std::string_view(one->keyword) == "password" && one->val != nullptr) password_ = one->val;
    }
  }
  // What stands before the operator's own words is only for what they leave out.
  constexpr std::size_t kCount = 10;
  const std::array<const char*, kCount> names{"connect_timeout",  "target_session_attrs",
                                              "keepalives_idle",  "keepalives_interval",
                                              "keepalives_count", "tcp_user_timeout",
                                              "dbname",           "fallback_application_name",
                                              "client_encoding",  nullptr};
  const std::array<const char*, kCount> values{"5",
                                               is_read_only_ ? "any" : "read-write",
                                               "10",
                                               "5",
                                               "3",
                                               "15000",
                                               connection_.c_str(),
                                               "danelaw",
                                               "UTF8",
                                               nullptr};
  session_handle_ = PQconnectdbParams(names.data(), values.data(), 1);
  if (PQstatus(session_handle_) != CONNECTION_OK) {
    const auto why = last_words();
    close();
    throw ConnectionLost(why);
  }
  const char* encoding = PQparameterStatus(session_handle_, "server_encoding");
  if (encoding != nullptr && std::string_view(encoding) != "UTF8") {
    const auto what = std::string(encoding);
    close();
    throw Fault(fmt::format("the database is encoded in {}: make one with ENCODING 'UTF8'", what));
  }
  ++session_;
  PQsetNoticeProcessor(
      session_handle_, [](void*, const char*) {}, nullptr);
  PQsetnonblocking(session_handle_, 1);
  {
    const config::Lock lock(canceling_);
    cancel_ = PQgetCancel(session_handle_);
  }
  set_up();
}

// Whatever the server or the role has for defaults.
void PostgresConnection::set_up() {
  const bool has_time = longest_ > kLongestWrite;  // also between statements
  run(fmt::format(
      "SET statement_timeout = '{}s'; SET lock_timeout = '{}s'; "
      "SET idle_in_transaction_session_timeout = '{}s'; "
      // What is not named by another table is looked for with a hash of all that is.
      "SET work_mem = '64MB'; SET jit = off; SET bytea_output = 'hex'; "
      "SET standard_conforming_strings = on; SET default_transaction_read_only = {}",
      longest_.count(), has_time ? 0 : 30, has_time ? 0 : 10, is_read_only_ ? "on" : "off"));
  if (!bell_.empty()) (void)run("LISTEN " + bell_);
}

void PostgresConnection::listen(const std::string& bell) {
  bell_ = bell;
  ensure();
  (void)run("LISTEN " + bell_);
}

// Takes what was rung so far.
bool PostgresConnection::has_rung() {
  bool has = false;
  while (PGnotify* one = PQnotifies(session_handle_)) {
    PQfreemem(one);
    has = true;
  }
  return has;
}

void PostgresConnection::wait_for_bell(std::chrono::milliseconds longest) {
  ensure();
  if (has_rung()) return;
  pollfd socket{.fd = PQsocket(session_handle_), .events = POLLIN, .revents = 0};
  if (poll(&socket, 1, static_cast<int>(longest.count())) > 0 &&
      PQconsumeInput(session_handle_) == 0)
    lose(last_words());
  (void)has_rung();
}

void PostgresConnection::wait_at_most(std::chrono::seconds longest) {
  longest_ = longest;
  ensure();
  set_up();
}

bool PostgresConnection::is_lost() const {
  return session_handle_ == nullptr || PQstatus(session_handle_) != CONNECTION_OK;
}

void PostgresConnection::ensure() {
  // A server that went has said so, and then the kernel.
  pollfd socket{.fd = PQsocket(session_handle_), .events = POLLIN, .revents = 0};
  for (int i = 0; i < 10 && !is_lost() && poll(&socket, 1, 0) > 0; ++i) {
    if (PQconsumeInput(session_handle_) == 0) close();
  }
  if (is_lost()) connect();
}

std::string PostgresConnection::last_words() const {
  return tidy(without(PQerrorMessage(session_handle_), password_));
}

void PostgresConnection::lose(const std::string& why) {
  close();
  throw ConnectionLost("the connection was lost: " + why);
}

void PostgresConnection::wait(bool is_writing, steady_clock::time_point until) {
  const auto left = until - steady_clock::now();
  pollfd socket{.fd = PQsocket(session_handle_),
                .events = static_cast<short>(is_writing ? POLLIN | POLLOUT : POLLIN),
                .revents = 0};
  const auto patience = std::chrono::ceil<std::chrono::milliseconds>(left).count();
  if (patience <= 0) lose("the server does not answer");
  (void)poll(&socket, 1, static_cast<int>(std::min<std::int64_t>(patience, 60'000)));
  if (socket.revents != 0 && PQconsumeInput(session_handle_) == 0) lose(last_words());
}

ResultPtr PostgresConnection::await(bool is_sent) {
  if (!is_sent) lose(last_words());
  const auto until = steady_clock::now() + longest_ + kGrace;
  int is_waiting = 0;
  while ((is_waiting = PQflush(session_handle_)) == 1) wait(true, until);
  if (is_waiting < 0) lose(last_words());
  ResultPtr last;
  while (true) {
    while (PQisBusy(session_handle_) != 0) wait(false, until);
    ResultPtr next{PQgetResult(session_handle_)};
    if (!next) break;
    const auto status = PQresultStatus(last.get());
    if (!last || status == PGRES_TUPLES_OK || status == PGRES_COMMAND_OK) last = std::move(next);
  }
  if (!last) lose(last_words());
  const auto status = PQresultStatus(last.get());
  if (status == PGRES_TUPLES_OK || status == PGRES_COMMAND_OK || status == PGRES_EMPTY_QUERY)
    return last;
  // Without the details, in which values stand.
  auto words = tidy(without(field(last.get(), PG_DIAG_MESSAGE_PRIMARY), password_));
  if (words.empty()) words = last_words();
  const auto state = field(last.get(), PG_DIAG_SQLSTATE);
  if (PQstatus(session_handle_) != CONNECTION_OK) lose(words);
  constexpr std::string_view kReadOnly = "25006";
  // Another is the primary now, which the next connection finds.
  if (state == kReadOnly && !is_read_only_) lose(words);
  throw Fault(state.empty() ? words : fmt::format("{} (SQLSTATE {})", words, state));
}

ResultPtr PostgresConnection::run(const std::string& sql) {
  if (is_lost()) throw ConnectionLost("the connection was lost");
  return await(PQsendQuery(session_handle_, sql.c_str()) == 1);
}

ResultPtr PostgresConnection::run(const std::string& sql,
                                  const std::vector<Parameter>& parameters) {
  if (is_lost()) throw ConnectionLost("the connection was lost");
  const Arguments with(parameters);
  return await(PQsendQueryParams(session_handle_, sql.c_str(), with.count(), with.types.data(),
                                 with.values.data(), with.lengths.data(), with.formats.data(),
                                 0) == 1);
}

void PostgresConnection::prepare(const std::string& name, const std::string& sql,
                                 const std::vector<Parameter>& parameters) {
  if (is_lost()) throw ConnectionLost("the connection was lost");
  const Arguments with(parameters);
  (void)await(PQsendPrepare(session_handle_, name.c_str(), sql.c_str(), with.count(),
                            with.types.data()) == 1);
}

ResultPtr PostgresConnection::run_prepared(const std::string& name,
                                           const std::vector<Parameter>& parameters) {
  if (is_lost()) throw ConnectionLost("the connection was lost");
  const Arguments with(parameters);
  return await(PQsendQueryPrepared(session_handle_, name.c_str(), with.count(), with.values.data(),
                                   with.lengths.data(), with.formats.data(), 0) == 1);
}

void PostgresConnection::interrupt() noexcept {
  const config::Lock lock(canceling_);
  std::array<char, 256> why{};
  if (cancel_ != nullptr) (void)PQcancel(cancel_, why.data(), static_cast<int>(why.size()));
}

}  // namespace storage
