#include "agent/watch/manners.h"

#include <algorithm>
#include <array>
#include <set>
#include <utility>

#include <arpa/inet.h>
#include <fmt/format.h>

#include "probes/service.h"

namespace agent {
namespace {

using config::Seconds;

constexpr Seconds kDay = std::chrono::hours{24};
// Until one that is under way may have ended.
constexpr Seconds kSoon{5};

std::string network_of(const std::string& address) {
  std::array<unsigned char, 16> octets{};
  if (inet_pton(AF_INET, address.c_str(), octets.data()) == 1) {
    if (octets[0] == 127) return {};
    return fmt::format("{}.{}.{}.0/24", octets[0], octets[1], octets[2]);
  }
  if (inet_pton(AF_INET6, address.c_str(), octets.data()) != 1) return {};
  const std::array<unsigned char, 16> loopback{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1};
  if (octets == loopback) return {};
  const auto group = [&](std::size_t at) {
    return (static_cast<unsigned>(octets[at]) << 8U) | octets[at + 1];
  };
  return fmt::format("{:x}:{:x}:{:x}::/48", group(0), group(2), group(4));
}

}  // namespace

std::vector<std::string> providers_of(const std::vector<std::string>& addresses) {
  std::set<std::string> out;
  for (const auto& address : addresses) {
    if (auto network = network_of(address); !network.empty()) out.insert(std::move(network));
  }
  return {out.begin(), out.end()};
}

std::string operator_of(const probes::dns::Name& host) {
  const auto name = probes::dns_name_of(host);
  return (name.label_count() > 2 ? name.parent() : name).text();
}

bool is_sent_away(const probes::HostObservation& seen) {
  return std::ranges::any_of(seen.sessions, [](const probes::smtp::SessionRecord& session) {
    if (session.stop != probes::smtp::SessionStop::negative_reply || !session.last_reply)
      return false;
    const int code = session.last_reply->code;
    const bool is_refusal = code / 100 == 4 || code / 100 == 5;
    const bool is_greeting = session.stage <= probes::smtp::Stage::ehlo && !session.took_helo;
    return code == 421 || code == 450 || (is_refusal && is_greeting);
  });
}

std::optional<Ticks> Manners::hold(const std::vector<std::string>& providers, std::size_t sessions,
                                   const config::Politeness& politeness, Ticks at) {
  std::optional<Ticks> until;
  const auto wait_for = [&](Ticks moment) {
    if (moment > at) until = std::max(until.value_or(moment), moment);
  };
  for (const auto& name : providers) {
    const auto& one = providers_[name];
    wait_for(one.spared_until);
    if (one.under_way >= politeness.at_once) wait_for(at + kSoon);
  }
  if (until) return until;
  const auto pace = std::chrono::milliseconds{60'000} / politeness.per_minute;
  const auto cost = std::chrono::duration_cast<Ticks::duration>(
      pace * std::max<std::int64_t>(1, static_cast<std::int64_t>(sessions)));
  for (const auto& name : providers) wait_for(providers_[name].next_slot);
  // A minute's worth may come at once.
  const auto slot = until.value_or(at);
  if (until && slot - at <= Seconds{60}) until.reset();
  if (!until) {
    for (const auto& name : providers) {
      auto& one = providers_[name];
      one.next_slot = std::max(one.next_slot, at) + cost;
    }
    return std::nullopt;
  }
  // One behind the other, so that not all ask again at the same moment.
  auto turn = slot - Seconds{60};
  for (const auto& name : providers) turn = std::max(turn, providers_[name].next_turn);
  turn += cost;
  for (const auto& name : providers) providers_[name].next_turn = turn;
  return turn;
}

void Manners::begin(const std::vector<std::string>& providers) {
  for (const auto& name : providers) ++providers_[name].under_way;
}

void Manners::end(const std::vector<std::string>& providers, bool was_sent_away, Seconds wait,
                  Ticks at) {
  for (const auto& name : providers) {
    auto& one = providers_[name];
    if (one.under_way > 0) --one.under_way;
    // Not every host of a provider need be as strict as the one that sent us away.
    if (!was_sent_away && at >= one.spared_until + one.spared_for) one.times = 0;
  }
  if (was_sent_away) take_refusal(providers, wait, at);
  if (providers_.size() >= forget_at_) forget(at);
}

void Manners::take_refusal(const std::vector<std::string>& providers, Seconds wait, Ticks at) {
  for (const auto& name : providers) {
    auto& one = providers_[name];
    // Those that were under way when it began are the same refusal.
    if (one.spared_until > at) continue;
    constexpr int kMostDoublings = 16;
    auto spared = wait;
    for (int i = 0; i < std::min(one.times, kMostDoublings) && spared < kDay; ++i) spared *= 2;
    one.spared_for = std::min(spared, kDay);
    one.spared_until = at + one.spared_for;
    ++one.times;
    has_news_ = true;
  }
}

void Manners::forget(Ticks at) {
  std::erase_if(providers_, [&](const auto& entry) {
    const auto& one = entry.second;
    return one.under_way == 0 && one.next_slot <= at && one.spared_until + kDay <= at;
  });
  forget_at_ = std::max<std::size_t>(4096, 2 * providers_.size());
}

std::vector<Manners::Held> Manners::those_until(Ticks after, bool with_lately) const {
  std::vector<Held> out;
  for (const auto& [name, one] : providers_) {
    const auto until = one.spared_until + (with_lately ? one.spared_for : Seconds{0});
    if (until > after) out.push_back({name, one.spared_until, one.times, one.spared_for});
  }
  std::ranges::sort(out, std::ranges::greater{}, &Held::until);
  return out;
}

std::vector<Manners::Held> Manners::held(Ticks at) const {
  return those_until(at, false);
}

std::optional<std::vector<Manners::Held>> Manners::take_news(Ticks at) {
  if (!std::exchange(has_news_, false)) return std::nullopt;
  auto out = those_until(at, true);
  if (out.size() > kMostSpared) out.resize(kMostSpared);
  return out;
}

void Manners::restore(const Held& one) {
  auto& entry = providers_[one.provider];
  entry.spared_until = one.until;
  entry.spared_for = one.wait;
  entry.times = one.times;
}

}  // namespace agent
