#include "agent/notify/resilient_outbox.h"

#include <algorithm>
#include <set>

#include "agent/alerts/alert_json.h"
#include "agent/notify/courier.h"

namespace agent {
namespace {

std::string body_of(const Notification& notification) {
  return to_json(notification)
      .dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace);
}

// As notice.cc makes ids: the alert's comes first, and has no slash.
std::string alert_of(const std::string& notification) {
  return notification.substr(0, notification.find('/'));
}

}  // namespace

ResilientOutbox::ResilientOutbox(Outbox& recorded,
                                 std::function<std::vector<Notification>()> unrecorded,
                                 std::function<Ticks()> ticks)
    : recorded_(recorded), unrecorded_(std::move(unrecorded)), ticks_(std::move(ticks)) {}

bool ResilientOutbox::may_be_tried(const std::string& id) const {
  const auto mark = marks_.find(id);
  return mark == marks_.end() || (!mark->second.delivered_at && mark->second.next_try <= ticks_());
}

// The recorded times of tries are not asked: they are of a clock that may have been set since.
ResilientOutbox::OrFault<std::vector<QueuedNotification>> ResilientOutbox::due(
    const std::string& notifier, config::Time at, std::size_t most) {
  std::size_t known = 0;
  {
    const config::Lock lock(mutex_);
    known = marks_.size();
  }
  const auto recorded = recorded_.due(notifier, config::Time::max(), most + known);
  const auto notifications = unrecorded_();
  std::vector<QueuedNotification> out;
  std::vector<std::pair<std::string, config::Time>> to_write;  // delivered, and not written down
  std::set<std::string> waiting;                               // alerts with a notification before
  std::set<std::string> seen;
  {
    const config::Lock lock(mutex_);
    const auto consider = [&](const std::string& id, bool is_recorded, auto make) REQUIRES(mutex_) {
      if (!seen.insert(id).second) return;
      auto& mark = marks_[id];
      mark.notifier = notifier;
      mark.is_recorded = is_recorded;
      if (mark.delivered_at && is_recorded) to_write.emplace_back(id, *mark.delivered_at);
      if (mark.delivered_at) return;
      const bool is_next = waiting.insert(alert_of(id)).second;
      if (is_next && may_be_tried(id) && out.size() < most) out.push_back(make());
    };
    for (const auto& post : recorded.value_or(std::vector<QueuedNotification>{}))
      consider(post.id, true, [&] { return post; });
    for (const auto& notification : notifications) {
      if (notification.notifier != notifier) continue;
      consider(notification.id, false, [&]() REQUIRES(mutex_) {
        return QueuedNotification{.id = notification.id,
                                  .notifier = notifier,
                                  .body = body_of(notification),
                                  .attempts = marks_[notification.id].attempts};
      });
    }
  }
  for (const auto& [id, when] : to_write) {
    if (!recorded_.delivered(id, when)) break;
    const config::Lock lock(mutex_);
    marks_.erase(id);
  }
  if (!recorded && out.empty()) return config::Failure<RecordFault>(recorded.error());
  (void)at;
  return out;
}

ResilientOutbox::OrFault<void> ResilientOutbox::delivered(const std::string& id, config::Time at) {
  bool is_recorded = false;
  {
    const config::Lock lock(mutex_);
    auto& mark = marks_[id];
    mark.delivered_at = at;
    is_recorded = mark.is_recorded;
  }
  if (is_recorded && recorded_.delivered(id, at)) {
    const config::Lock lock(mutex_);
    marks_.erase(id);
  }
  return {};
}

ResilientOutbox::OrFault<void> ResilientOutbox::failed(const std::string& id, config::Time next_try,
                                                       const std::string& why) {
  {
    const config::Lock lock(mutex_);
    auto& mark = marks_[id];
    mark.next_try = ticks_() + back_off(++mark.attempts);
    if (!mark.is_recorded) return {};
  }
  (void)recorded_.failed(id, next_try, why);  // only for who asks how it goes
  return {};
}

ResilientOutbox::OrFault<std::size_t> ResilientOutbox::waiting(const std::string& notifier) {
  auto out = recorded_.waiting(notifier);
  if (!out) out = std::size_t{0};
  const auto notifications = unrecorded_();
  const config::Lock lock(mutex_);
  for (const auto& notification : notifications) {
    const auto mark = marks_.find(notification.id);
    if (notification.notifier == notifier && (mark == marks_.end() || !mark->second.delivered_at))
      ++*out;
  }
  for (const auto& [id, mark] : marks_) {
    if (mark.notifier == notifier && mark.is_recorded && mark.delivered_at && *out > 0) --*out;
  }
  return out;
}

ResilientOutbox::OrFault<std::optional<std::string>> ResilientOutbox::notifier_state(
    const std::string& key) {
  std::optional<std::optional<std::string>> kept;
  {
    const config::Lock lock(mutex_);
    if (const auto known = memos_.find(key); known != memos_.end()) kept = known->second;
  }
  if (!kept) return recorded_.notifier_state(key);
  if (recorded_.keep_notifier_state(key, *kept)) {
    const config::Lock lock(mutex_);
    memos_.erase(key);
  }
  return *kept;
}

ResilientOutbox::OrFault<void> ResilientOutbox::keep_notifier_state(
    const std::string& key, const std::optional<std::string>& value) {
  const auto done = recorded_.keep_notifier_state(key, value);
  const config::Lock lock(mutex_);
  if (done) {
    memos_.erase(key);
  } else {
    memos_.insert_or_assign(key, value);
  }
  return {};
}

std::vector<ResilientOutbox::Sent> ResilientOutbox::unrecorded_about(
    const std::string& alert) const {
  std::vector<Sent> out;
  const auto notifications = unrecorded_();
  const config::Lock lock(mutex_);
  for (const auto& notification : notifications) {
    if (notification.alert.id != alert) continue;
    Sent sent{.notification = notification};
    if (const auto mark = marks_.find(notification.id); mark != marks_.end()) {
      sent.delivered_at = mark->second.delivered_at;
      sent.attempts = mark->second.attempts;
    }
    out.push_back(std::move(sent));
  }
  return out;
}

}  // namespace agent
