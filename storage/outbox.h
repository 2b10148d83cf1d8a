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
  using Answer = config::Result<T, agent::RecordFault>;
  [[nodiscard]] Answer<std::vector<agent::QueuedNotification>> due(const std::string& notifier,
                                                                   config::Time at,
                                                                   std::size_t most) override;
  [[nodiscard]] Answer<void> delivered(const std::string& id, config::Time at) override;
  [[nodiscard]] Answer<void> failed(const std::string& id, config::Time next_try,
                                    const std::string& why) override;
  [[nodiscard]] Answer<std::size_t> waiting(const std::string& notifier) override;
  [[nodiscard]] Answer<std::optional<std::string>> notifier_state(const std::string& key) override;
  [[nodiscard]] Answer<void> keep_notifier_state(const std::string& key,
                                                 const std::optional<std::string>& value) override;

 private:
  struct State;
  explicit DatabaseOutbox(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace storage
