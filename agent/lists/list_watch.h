#pragma once

#include <chrono>
#include <condition_variable>
#include <functional>
#include <optional>
#include <stop_token>
#include <string>
#include <thread>
#include <vector>

#include "agent/lists/list_health.h"
#include "agent/lists/list_store.h"
#include "agent/lists/read_list.h"
#include "config/config.h"
#include "config/mutex.h"

namespace agent {

// Reads the lists of domains from elsewhere again and again, on a thread of its own, one at a time,
// so that a source that is slow or away holds up nothing but other lists. What it goes by is in
// the store as soon as it is watched, or a little later where the store cannot be written.
class ListWatch {
 public:
  // Called by the thread, and none but `now` while a lock of ours is held.
  struct Calls {
    std::function<config::Time()> now;
    std::function<ReadList(const config::DomainList&, const std::stop_token&)> read = read_list;
    // add_to() gives others than before.
    std::function<void()> on_change;
    std::function<void(const std::vector<ListHealth>&)> on_health;
    // For the log: "list-read", "list-refused", "list-unreadable", "list-readable" of one list, or
    // "lists-forgotten", "list-unkept" of the store; the rest is in words.
    std::function<void(const std::string& event, const std::string& list,
                       const std::string& detail)>
        on_event;
    std::chrono::milliseconds patience{std::chrono::seconds{1}};  // between two looks at the clock
  };
  // Goes on with what is in the store, which outlives it. Nothing is read before start().
  ListWatch(ListStore& store, const config::Config& settings, Calls calls);
  ~ListWatch();  // ends the thread
  ListWatch(const ListWatch&) = delete;
  ListWatch& operator=(const ListWatch&) = delete;

  // Without memory for a thread nothing is read, which is told.
  void start();
  // The lists of another configuration, all of which are read at once. What was read of one that
  // is no longer configured is forgotten.
  void configure(const config::Config& settings);
  // Adds the domains that the lists name to a configuration with these lists in it.
  void add_to(config::Config& config) const;
  // Goes by the list that was refused; the error says why not.
  [[nodiscard]] config::Result<void, std::string> accept(const std::string& name);
  [[nodiscard]] std::vector<ListHealth> health() const;

 private:
  using Steady = std::chrono::steady_clock;
  struct List {
    config::DomainList settings{};
    HeldList held{};
    std::optional<std::string> fault{};
    unsigned failures = 0;
    bool is_tried = false;
    Steady::time_point due{};
    bool is_unkept = false;                      // the store has another
    std::optional<config::Time> kept_read_at{};  // in the store
  };

  void work(const std::stop_token& stop);
  // Reads the list that is due for longest; false when none is.
  bool read_one(const std::stop_token& stop);
  void take(const config::DomainList& of, ReadList read);
  void let_go();
  void keep();
  void keep_again(const std::string& name);
  void tell();
  [[nodiscard]] List* find(const std::string& name) REQUIRES(mutex_);
  static ListHealth health_of(const List& list);

  ListStore& store_;
  const Calls calls_;
  mutable config::Mutex mutex_;
  std::vector<List> lists_ GUARDED_BY(mutex_);  // in the order of the configuration
  bool is_changed_ GUARDED_BY(mutex_) = false;  // add_to() would give others
  bool is_woken_ GUARDED_BY(mutex_) = false;
  bool has_left_ GUARDED_BY(mutex_) = false;  // lists that the store need not have any more
  std::condition_variable_any wake_;
  // Of the thread alone:
  std::vector<ListHealth> told_;
  bool is_store_faulty_ = false;
  std::jthread thread_;  // last: it uses the others
};

}  // namespace agent
