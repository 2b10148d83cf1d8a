#include "web/feed.h"

#include <chrono>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

namespace web {
namespace {

// A client that is gone shows only when something is written to it.
constexpr std::chrono::milliseconds kPatience{1000};

}  // namespace

Feed::Feed()
    : next_id_(static_cast<std::uint64_t>(std::chrono::duration_cast<std::chrono::microseconds>(
                                              std::chrono::system_clock::now().time_since_epoch())
                                              .count())) {}

void Feed::publish(std::string kind, std::string name, std::shared_ptr<const storage::Act> act) {
  {
    const config::Lock lock(mutex_);
    events_.push_back({next_id_++, std::move(kind), std::move(name), std::move(act)});
    if (events_.size() > kKept) events_.pop_front();
  }
  news_.notify_all();
}

std::vector<Feed::Event> Feed::wait(std::uint64_t after) {
  config::Lock lock(mutex_);
  news_.wait_for(lock, kPatience,
                 [&]() REQUIRES(mutex_) { return closed_ || next_id_ > after + 1; });
  std::vector<Event> out;
  const auto oldest = events_.empty() ? next_id_ : events_.front().id;
  // Also a number that we never gave.
  if (after + 1 < oldest || after >= next_id_) {
    out.push_back({.id = next_id_ - 1, .kind = "reset", .name = ""});
    return out;
  }
  for (const auto& event : events_) {
    if (event.id > after) out.push_back(event);
  }
  return out;
}

std::uint64_t Feed::last_id() const {
  const config::Lock lock(mutex_);
  return next_id_ - 1;
}

void Feed::close() {
  {
    const config::Lock lock(mutex_);
    closed_ = true;
  }
  news_.notify_all();
}

bool Feed::is_closed() const {
  const config::Lock lock(mutex_);
  return closed_;
}

std::string to_stream(const Feed::Event& event) {
  const nlohmann::json data{{"name", event.name}};
  return fmt::format("id: {}\nevent: {}\ndata: {}\n\n", event.id, event.kind,
                     data.dump(-1, ' ', true, nlohmann::json::error_handler_t::replace));
}

}  // namespace web
