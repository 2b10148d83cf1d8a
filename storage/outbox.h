#pragma once

#include <memory>
#include <string>

#include "agent/alerts/ports.h"
#include "storage/place.h"

namespace storage {

// The notifications that rounds have decided, on a connection of its own: notifiers are slow, and
// the agent never waits for them. The recorder has made the file and its schema.
class DatabaseOutbox final : public agent::Outbox {
 public:
  [[nodiscard]] static config::Result<std::unique_ptr<DatabaseOutbox>, std::string> open(
      const Place& place);
  ~DatabaseOutbox() override;

  template <class T>
  using OrFault = config::Result<T, agent::RecordFault>;
  [[nodiscard]] OrFault<std::vector<agent::QueuedNotification>> due(const std::string& notifier,
                                                                    config::Time at,
                                                                    std::size_t most) override;
  [[nodiscard]] OrFault<void> delivered(const std::string& id, config::Time at) override;
  [[nodiscard]] OrFault<void> failed(const std::string& id, config::Time next_try,
                                     const std::string& why) override;
  [[nodiscard]] OrFault<std::size_t> waiting(const std::string& notifier) override;
  [[nodiscard]] OrFault<std::optional<std::string>> notifier_state(const std::string& key) override;
  [[nodiscard]] OrFault<void> keep_notifier_state(const std::string& key,
                                                  const std::optional<std::string>& value) override;

 private:
  struct State;
  explicit DatabaseOutbox(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace storage
