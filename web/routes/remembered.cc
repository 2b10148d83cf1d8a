#include "web/routes/remembered.h"

#include <algorithm>

namespace web {

bool HeldUpLately::take_changes(config::Time begin, storage::Queries& queries) {
  if (anew_at_ && begin < *anew_at_ + kAnew && begin >= *anew_at_) {
    const auto changes = queries.changes_behind(newest_);
    if (!changes) return false;
    newest_ = changes->newest;
    for (const auto& name : changes->domains) changed_[name] = std::nullopt;
    return true;
  }
  // First the number: what is recorded meanwhile is read twice then, and not never.
  const auto newest = queries.newest_version();
  const auto names = queries.changed_domains(begin);
  if (!newest || !names) return false;
  newest_ = *newest;
  anew_at_ = begin;
  changed_.clear();
  for (const auto& name : *names) changed_.emplace(name, std::nullopt);
  return true;
}

std::optional<std::int64_t> HeldUpLately::count(
    config::Time begin, const DeliveryNow& now, storage::Queries& queries,
    const std::function<bool(const std::string& domain)>& is_wanted) {
  const config::Lock lock(mutex_);
  if (!take_changes(begin, queries)) return std::nullopt;
  std::map<std::string, probes::Delivery> unasked;
  for (auto& [name, since] : changed_) {
    if (now(name) != probes::Delivery::held_up) {
      since.reset();
    } else if (!since) {
      unasked.emplace(name, probes::Delivery::held_up);
    }
  }
  if (!unasked.empty()) {
    const auto times = queries.delivery_since(unasked);
    if (!times) return std::nullopt;
    for (const auto& [name, since] : *times) changed_[name] = since;
  }
  return std::ranges::count_if(changed_, [&](const auto& one) {
    return one.second && *one.second >= begin && is_wanted(one.first);
  });
}

bool RefusedActs::is_new(const std::string& by, std::string_view act, config::Time now) {
  const config::Lock lock(mutex_);
  // A clock that was set back must not keep anything from being put down.
  std::erase_if(noted_,
                [&](const auto& one) { return one.second + kAnew <= now || one.second > now; });
  return noted_.try_emplace({by, std::string(act)}, now).second;
}

config::Result<std::shared_ptr<const SpansOfAll::Known>, std::string> SpansOfAll::of(
    const storage::SpanQuery& query, storage::Queries& queries) {
  using config::Failure;
  const config::Lock lock(mutex_);
  const auto length = query.until - query.from;
  const auto found = kept_.find(length);
  if (found != kept_.end()) {
    auto& [newest, known] = found->second;
    const auto age = query.until - known->until;
    if (age >= config::Seconds{0} && age < kOldest) {
      const auto changes = queries.changes_behind(newest);
      if (!changes) return Failure<std::string>(changes.error());
      newest = changes->newest;
      if (changes->domains.empty()) return known;
    }
  }
  const auto newest = queries.newest_version();
  if (!newest) return Failure<std::string>(newest.error());
  auto spans = queries.delivery_spans(query);
  if (!spans) return Failure<std::string>(spans.error());
  if (kept_.size() >= kMost && found == kept_.end()) kept_.clear();
  const auto known =
      std::make_shared<const Known>(Known{.until = query.until, .spans = std::move(*spans)});
  kept_[length] = {*newest, known};
  return known;
}

std::shared_ptr<const RecordedBriefs> RecordedReader::of(const agent::DomainList& domains,
                                                         storage::Queries& queries) {
  const bool is_wanted = agent::is_any(domains, [](const auto& brief) { return !brief.is_judged; });
  const config::Lock lock(mutex_);
  if (!is_wanted) {
    order_ = nullptr;
    known_ = std::make_shared<const RecordedBriefs>();
  } else if (const auto order = domains.by_name(); order_ != order || !known_->is_whole()) {
    known_ = std::make_shared<const RecordedBriefs>(domains, queries);
    order_ = order;
  }
  return known_;
}

}  // namespace web
