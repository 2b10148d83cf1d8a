#include "storage/postgres.h"

#include <charconv>
#include <chrono>
#include <map>
#include <thread>

#include <fmt/format.h>
#include <libpq-fe.h>

#include "storage/dialect.h"
#include "storage/postgres_connection.h"

namespace storage {
namespace {

// What is known of a statement of ours: it is prepared at the server from its second run on.
struct Known {
  std::string sql;  // PostgreSQL's
  std::string name;
  std::uint64_t runs = 0;
  std::uint64_t session = 0;  // in which it was prepared
  std::vector<Type> types;    // with which
};

class PostgresEngine final : public Engine {
 public:
  PostgresEngine(const Place& place, bool is_read_only)
      : connection_(place.connection(), is_read_only) {}

  std::unique_ptr<EngineStatement> prepare(std::string_view sql, Rows rows) override;
  void execute(const std::string& sql) override {
    if (!is_in_transaction()) connection_.ensure();
    (void)connection_.run(to_postgresql(sql));
  }
  void begin() override {
    connection_.ensure();
    (void)connection_.run("BEGIN");
    is_in_transaction_ = true;
  }
  void commit() override;
  void roll_back() noexcept override {
    is_in_transaction_ = false;
    try {
      if (!connection_.is_lost()) (void)connection_.run("ROLLBACK");
    } catch (const std::exception&) {
      // The server does so by itself.
    }
  }
  void interrupt() noexcept override { connection_.interrupt(); }
  std::uint64_t session() const override { return connection_.session(); }
  void wait_at_most(std::chrono::seconds longest) override { connection_.wait_at_most(longest); }
  void listen(const std::string& bell) override { connection_.listen(bell); }
  void wait_for_bell(std::chrono::milliseconds longest) override {
    connection_.wait_for_bell(longest);
  }
  std::vector<std::string> tables() override {
    if (!is_in_transaction()) connection_.ensure();
    const auto rows = connection_.run(
        "SELECT tablename FROM pg_tables WHERE schemaname = current_schema() ORDER BY tablename");
    std::vector<std::string> out;
    for (int row = 0; row < PQntuples(rows.get()); ++row)
      out.emplace_back(PQgetvalue(rows.get(), row, 0));
    return out;
  }

  ResultPtr run(Known& known, const std::vector<Parameter>& parameters);
  // Rows to be read one after the other need a transaction.
  std::string open_cursor(const Known& known, const std::vector<Parameter>& parameters);
  ResultPtr fetch(const std::string& cursor) {
    return connection_.run(fmt::format("FETCH 1000 FROM {}", cursor));
  }
  void close_cursor(const std::string& cursor) noexcept;

 private:
  [[nodiscard]] bool is_in_transaction() const { return is_in_transaction_ || cursors_ > 0; }
  [[nodiscard]] bool is_committed(const std::string& transaction);

  PostgresConnection connection_;
  bool is_in_transaction_ = false;
  int cursors_ = 0;  // open ones beyond a transaction of others
  std::uint64_t numbers_ = 0;
  std::map<std::string, std::shared_ptr<Known>, std::less<>> known_;
};

class PostgresStatement final : public EngineStatement {
 public:
  PostgresStatement(PostgresEngine& engine, std::shared_ptr<Known> known, Engine::Rows rows)
      : engine_(engine), known_(std::move(known)), rows_(rows) {}
  ~PostgresStatement() override { reset(); }

  void put(int index, std::int64_t value) override {
    at(index) = {Type::integer, std::to_string(value)};
  }
  void put_boolean(int index, bool value) override {
    at(index) = {Type::boolean, value ? "t" : "f"};
  }
  void put(int index, std::string_view value) override {
    at(index) = {Type::text, postgresql_text(value)};
  }
  void put(int index, std::span<const std::uint8_t> value) override {
    at(index) = {Type::bytes, std::string(value.begin(), value.end())};
  }
  void put_null(int index, Type type) override { at(index) = {type, std::nullopt}; }

  bool step() override {
    if (!result_) {
      start();
      row_ = 0;
    } else if (row_ < PQntuples(result_.get())) {
      ++row_;
    }
    if (row_ == PQntuples(result_.get()) && row_ > 0 && !cursor_.empty()) {
      result_ = engine_.fetch(cursor_);
      row_ = 0;
    }
    return row_ < PQntuples(result_.get());
  }
  void reset() override {
    result_.reset();
    parameters_.clear();
    if (!cursor_.empty()) engine_.close_cursor(cursor_);
    cursor_.clear();
  }

  std::int64_t integer(int column) const override {
    const auto value = view(column);
    if (value == "t") return 1;
    std::int64_t out = 0;
    std::from_chars(value.data(), value.data() + value.size(), out);
    return out;
  }
  std::string text(int column) const override { return std::string(view(column)); }
  std::vector<std::uint8_t> bytes(int column) const override {
    auto hex = view(column);
    std::vector<std::uint8_t> out;
    if (!hex.starts_with("\\x")) return out;
    for (hex.remove_prefix(2); hex.size() >= 2; hex.remove_prefix(2)) {
      std::uint8_t octet = 0;
      std::from_chars(hex.data(), hex.data() + 2, octet, 16);
      out.push_back(octet);
    }
    return out;
  }
  bool is_null(int column) const override { return PQgetisnull(result_.get(), row_, column) != 0; }

 private:
  Parameter& at(int index) {
    const auto count = static_cast<std::size_t>(index);
    if (parameters_.size() < count) parameters_.resize(count);
    return parameters_[count - 1];
  }
  [[nodiscard]] std::string_view view(int column) const {
    return {PQgetvalue(result_.get(), row_, column),
            static_cast<std::size_t>(PQgetlength(result_.get(), row_, column))};
  }
  void start() {
    if (rows_ == Engine::Rows::all) {
      result_ = engine_.run(*known_, parameters_);
    } else {
      cursor_ = engine_.open_cursor(*known_, parameters_);
      result_ = engine_.fetch(cursor_);
    }
  }

  PostgresEngine& engine_;
  std::shared_ptr<Known> known_;
  const Engine::Rows rows_;
  std::vector<Parameter> parameters_;
  ResultPtr result_;
  int row_ = 0;
  std::string cursor_;
};

std::unique_ptr<EngineStatement> PostgresEngine::prepare(std::string_view sql, Rows rows) {
  auto found = known_.find(sql);
  if (found == known_.end()) {
    // Texts with ids in them come but once.
    constexpr std::size_t kMostKnown = 500;
    if (known_.size() >= kMostKnown)
      std::erase_if(known_, [](const auto& one) {
        return one.second.use_count() == 1 && one.second->runs < 2;
      });
    found = known_
                .emplace(std::string(sql),
                         std::make_shared<Known>(Known{.sql = to_postgresql(sql), .name = {}}))
                .first;
  }
  return std::make_unique<PostgresStatement>(*this, found->second, rows);
}

ResultPtr PostgresEngine::run(Known& known, const std::vector<Parameter>& parameters) {
  if (!is_in_transaction()) connection_.ensure();
  if (++known.runs == 1) return connection_.run(known.sql, parameters);
  std::vector<Type> types;
  for (const auto& one : parameters) types.push_back(one.type);
  if (known.session != connection_.session() || known.types != types) {
    known.name = fmt::format("d{}", ++numbers_);
    connection_.prepare(known.name, known.sql, parameters);
    known.session = connection_.session();
    known.types = std::move(types);
  }
  return connection_.run_prepared(known.name, parameters);
}

std::string PostgresEngine::open_cursor(const Known& known,
                                        const std::vector<Parameter>& parameters) {
  const auto name = fmt::format("c{}", ++numbers_);
  if (!is_in_transaction()) {
    connection_.ensure();
    (void)connection_.run("BEGIN");
  }
  if (!is_in_transaction_) ++cursors_;
  try {
    (void)connection_.run(fmt::format("DECLARE {} NO SCROLL CURSOR FOR {}", name, known.sql),
                          parameters);
  } catch (...) {
    close_cursor({});
    throw;
  }
  return name;
}

void PostgresEngine::close_cursor(const std::string& cursor) noexcept {
  const bool is_last = cursors_ > 0 && --cursors_ == 0;
  try {
    if (connection_.is_lost()) return;
    if (is_last) {
      (void)connection_.run("ROLLBACK");  // nothing was written
    } else if (!cursor.empty()) {
      (void)connection_.run(fmt::format("CLOSE {}", cursor));
    }
  } catch (const std::exception&) {
    // It ends with its transaction.
  }
}

void PostgresEngine::commit() {
  const auto row = connection_.run("SELECT pg_current_xact_id_if_assigned()");
  const std::string transaction = PQgetvalue(row.get(), 0, 0);
  try {
    const auto done = connection_.run("COMMIT");
    is_in_transaction_ = false;
    if (std::string_view(PQcmdStatus(done.get())) != "COMMIT")
      throw Fault("the server rolled the transaction back");
  } catch (const ConnectionLost&) {
    is_in_transaction_ = false;
    if (transaction.empty() || is_committed(transaction)) return;
    throw;
  }
}

// Whether a transaction whose end nobody heard of is committed.
bool PostgresEngine::is_committed(const std::string& transaction) {
  constexpr int kTries = 20;
  for (int i = 0; i < kTries; ++i) {
    connection_.ensure();
    const auto row = connection_.run("SELECT pg_xact_status($1::xid8)",
                                     {{.type = Type::text, .value = transaction}});
    const std::string_view status = PQgetvalue(row.get(), 0, 0);
    if (status != "in progress") return status == "committed";
    std::this_thread::sleep_for(std::chrono::milliseconds{100});
  }
  return false;
}

}  // namespace

std::unique_ptr<Engine> open_postgresql(const Place& place, bool is_read_only) {
  return std::make_unique<PostgresEngine>(place, is_read_only);
}

}  // namespace storage
