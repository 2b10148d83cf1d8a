#pragma once

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "agent/alerts/ports.h"
#include "agent/self/clock.h"
#include "config/mutex.h"

namespace agent {

// An outbox that goes on while the recorded one behind it cannot be written: notifications that are
// decided and not recorded go out from memory, and what became of notifications is remembered until
// it can be written down. A notification keeps its id all the way. Tries are spaced by the
// monotonic clock. Any thread may call.
class ResilientOutbox final : public Outbox {
 public:
  // `recorded` outlives this one. `unrecorded`: what Journal::unrecorded_notifications() gives.
  ResilientOutbox(Outbox& recorded, std::function<std::vector<Notification>()> unrecorded,
                  std::function<Ticks()> ticks);

  template <class T>
  using OrFault = config::Result<T, RecordFault>;
  OrFault<std::vector<QueuedNotification>> due(const std::string& notifier, config::Time at,
                                               std::size_t most) override;
  OrFault<void> delivered(const std::string& id, config::Time at) override;
  OrFault<void> failed(const std::string& id, config::Time next_try,
                       const std::string& why) override;
  OrFault<std::size_t> waiting(const std::string& notifier) override;
  OrFault<std::optional<std::string>> notifier_state(const std::string& key) override;
  OrFault<void> keep_notifier_state(const std::string& key,
                                    const std::optional<std::string>& value) override;

  // Notifications about an alert that only memory knows of, for who asks what became of them.
  struct Sent {
    Notification notification;
    std::optional<config::Time> delivered_at;
    int attempts = 0;  // that failed
  };
  [[nodiscard]] std::vector<Sent> unrecorded_about(const std::string& alert) const;

 private:
  struct Mark {
    std::string notifier;
    bool is_recorded = false;  // the notification itself
    std::optional<config::Time> delivered_at;
    int attempts = 0;  // that failed, since the start
    Ticks next_try{};
  };
  [[nodiscard]] bool may_be_tried(const std::string& id) const REQUIRES(mutex_);

  Outbox& recorded_;
  std::function<std::vector<Notification>()> unrecorded_;
  std::function<Ticks()> ticks_;

  mutable config::Mutex mutex_;                           // never held during calls to others
  std::map<std::string, Mark> marks_ GUARDED_BY(mutex_);  // by id of notification
  std::map<std::string, std::optional<std::string>> memos_
      GUARDED_BY(mutex_);  // not written down yet
};

}  // namespace agent
