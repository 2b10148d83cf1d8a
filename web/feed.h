#pragma once

#include <condition_variable>
#include <cstdint>
#include <deque>
#include <memory>
#include <string>
#include <vector>

#include "config/mutex.h"
#include "storage/act_log.h"

namespace web {

// What changed, for clients that follow: a kind and a name each; the client asks the API for the
// rest. Kept for the last kKept events, so that one that was away for a moment misses nothing; one
// that was away for longer is told to ask for everything. Any thread may call.
class Feed {
 public:
  struct Event {
    std::uint64_t id = 0;  // rises, over restarts too
    std::string kind;      // alert, domain, host, silence, act; reset: events are missing
    std::string name;
    // Of an act: what was done, by whom; for who decides whether to send it on. Never sent itself.
    std::shared_ptr<const storage::Act> act = nullptr;
  };
  static constexpr std::size_t kKept = 1000;

  Feed();
  void publish(std::string kind, std::string name,
               std::shared_ptr<const storage::Act> act = nullptr);
  // Those behind `after`; waits a little for one when there is none. Empty after that, and after
  // close().
  [[nodiscard]] std::vector<Event> wait(std::uint64_t after);
  [[nodiscard]] std::uint64_t last_id() const;
  void close();  // lets everybody go who waits
  [[nodiscard]] bool is_closed() const;

 private:
  mutable config::Mutex mutex_;
  std::condition_variable_any news_;
  std::deque<Event> events_ GUARDED_BY(mutex_);
  std::uint64_t next_id_ GUARDED_BY(mutex_);
  bool closed_ GUARDED_BY(mutex_) = false;
};

// The event in the form of the event stream (HTML §9.2.6).
[[nodiscard]] std::string to_stream(const Feed::Event& event);

}  // namespace web
