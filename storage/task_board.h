#pragma once

#include <memory>
#include <string>

#include "agent/fleet/task_board.h"
#include "config/result.h"
#include "storage/place.h"

namespace storage {

// The board in a database of PostgreSQL: tables of tasks and looks, of which rows are locked one by
// one (SKIP LOCKED), and NOTIFY as the bell. Lent for how long is told by the server's clock.
class DatabaseTaskBoard final : public agent::TaskBoard {
 public:
  // `name` and `vantage`: ours. The place has an epoch for the one that leads.
  [[nodiscard]] static config::Result<std::unique_ptr<DatabaseTaskBoard>, std::string> open(
      const Place& place, std::string name, std::string vantage);
  ~DatabaseTaskBoard() override;

  Result<> clear() override;
  Result<> hand_out(const std::string& vantage, const std::vector<agent::Target>& targets) override;
  Result<> withdraw(const std::string& vantage, const std::vector<agent::Target>& targets) override;
  Result<std::vector<agent::SentLook>> collect(std::size_t most, config::Time now) override;
  Result<std::vector<agent::Target>> lease(std::size_t most, config::Seconds lent_for) override;
  Result<> renew(config::Seconds lent_for) override;
  Result<> release() override;
  Result<> send(const std::vector<agent::SentLook>& looks, config::Time now) override;
  void wait(std::chrono::milliseconds longest) override;

 private:
  struct State;
  explicit DatabaseTaskBoard(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace storage
