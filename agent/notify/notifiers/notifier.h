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

// Delivers notifications, one at a time. Used by one thread.
class EventNotifier {
 public:
  EventNotifier() = default;
  EventNotifier(const EventNotifier&) = delete;
  EventNotifier& operator=(const EventNotifier&) = delete;
  virtual ~EventNotifier() = default;
  [[nodiscard]] virtual std::string name() const = 0;
  // Gives up as soon as it is told to stop; whether the notification arrived is unknown then.
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
  [[nodiscard]] virtual bool is_urgent() const { return true; }     // at once when an alert changes
  [[nodiscard]] virtual bool tells_people() const { return true; }  // of alerts
  // Tells of a test, marked as one, as if it were an alert; what is told otherwise stays as it is.
  [[nodiscard]] virtual Delivered tell_test(const Alert& test, config::Time at,
                                            const std::stop_token& stop) {
    (void)test, (void)at, (void)stop;
    return config::Failure<std::string>("it tells of no alerts");
  }
  [[nodiscard]] virtual Delivered tell(const Snapshot& snapshot, const std::stop_token& stop) = 0;
};

struct Notifiers {
  std::vector<std::unique_ptr<EventNotifier>> event_notifiers;
  std::vector<std::unique_ptr<StateNotifier>> state_notifiers;
};

// Everything that the configuration names, with its secrets read. `page`: the address of the page.
// The error says which file is missing. `outbox` outlives the notifiers.
struct DigestSources;  // digest.h
[[nodiscard]] config::Result<Notifiers, std::string> make_notifiers(const config::Config& config,
                                                                    Outbox& outbox,
                                                                    const DigestSources& sources);

}  // namespace agent
