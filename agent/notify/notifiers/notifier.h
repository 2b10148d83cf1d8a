#pragma once

#include <functional>
#include <memory>
#include <stop_token>
#include <string>
#include <vector>

#include "agent/alerts/ports.h"
#include "agent/watch/runner.h"
#include "config/config.h"

// Ways to reach people. What is told is decided elsewhere; here it is only delivered.
namespace agent {

using Delivered = config::Result<void, std::string>;  // else why not, in words

// Delivers letters, one at a time. Used by one thread.
class EventNotifier {
 public:
  EventNotifier() = default;
  EventNotifier(const EventNotifier&) = delete;
  EventNotifier& operator=(const EventNotifier&) = delete;
  virtual ~EventNotifier() = default;
  [[nodiscard]] virtual std::string name() const = 0;
  // Gives up as soon as it is told to stop; whether the letter arrived is unknown then.
  [[nodiscard]] virtual Delivered deliver(const QueuedNotification& post,
                                          const std::stop_token& stop) = 0;
};

// Tells again and again how things stand; what is missed once is told the next time. Used by one
// thread.
class StateNotifier {
 public:
  StateNotifier() = default;
  StateNotifier(const StateNotifier&) = delete;
  StateNotifier& operator=(const StateNotifier&) = delete;
  virtual ~StateNotifier() = default;
  [[nodiscard]] virtual std::string name() const = 0;
  [[nodiscard]] virtual config::Seconds every() const = 0;
  [[nodiscard]] virtual bool hurries() const { return true; }  // at once when an alert changes
  [[nodiscard]] virtual Delivered tell(const Snapshot& snapshot, const std::stop_token& stop) = 0;
};

struct Notifiers {
  std::vector<std::unique_ptr<EventNotifier>> messengers;
  std::vector<std::unique_ptr<StateNotifier>> heralds;
};

// Everything that the configuration names, with its secrets read. `page`: the address of the page.
// The error says which file is missing. `outbox` outlives the notifiers.
[[nodiscard]] config::Result<Notifiers, std::string> make_notifiers(const config::Config& config,
                                                                    Outbox& outbox);

}  // namespace agent
