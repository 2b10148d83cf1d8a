#include "agent/rollover/rollover_state.h"

#include <algorithm>
#include <set>

#include "agent/rollover/siblings.h"

namespace agent {
namespace {

using config::Seconds;
using config::Time;
using probes::Code;
using std::chrono::hours;

// A record that no longer matches belongs to the rollover for a while, then it is a leftover.
constexpr Seconds kLeftAtMost = hours{24};

bool ever_fitted(const History& history, std::size_t record, Time by) {
  return std::ranges::any_of(history.endpoints, [&](const Endpoint& endpoint) {
    return std::ranges::any_of(endpoint.presented, [&](const Presented& shown) {
      return shown.began.by <= by && history.fits[record][shown.chain];
    });
  });
}

// When the endpoint left a key that the record fits for the one it had before it first had that;
// nothing while it has it, or when it went on to another.
std::optional<Time> taken_back_at(const History& history, std::size_t record,
                                  const Endpoint& endpoint, Time at) {
  const auto& shown = endpoint.presented;
  const auto fits = [&](const Presented& one) { return history.fits[record][one.chain]; };
  const auto* now = item_at(shown, at);
  const auto first = std::ranges::find_if(shown, fits);
  if (now == nullptr || fits(*now) || first == shown.end() || now < &*first) return std::nullopt;
  const bool is_back = std::any_of(shown.begin(), first, [&](const Presented& one) {
    return is_same_key(history, one.chain, now->chain);
  });
  if (!is_back) return std::nullopt;
  while (!fits(*std::prev(now))) --now;
  return now->began.by;
}

// The same of all endpoints that ever had such a key; the last of them.
std::optional<Time> taken_back_at(const History& history, std::size_t record, Time at) {
  std::optional<Time> out;
  for (const auto& endpoint : history.endpoints) {
    const bool had_it = std::ranges::any_of(endpoint.presented, [&](const Presented& shown) {
      return shown.began.by <= at && history.fits[record][shown.chain];
    });
    if (!had_it) continue;
    const auto back = taken_back_at(history, record, endpoint, at);
    if (!back) return std::nullopt;
    out = std::max(out.value_or(*back), *back);
  }
  return out;
}

// One endpoint changed its chain while another, that had the same, has not.
bool is_switching(const History& history, Time at) {
  for (const auto& endpoint : history.endpoints) {
    const auto* now = item_at(endpoint.presented, at);
    if (now == nullptr || now == endpoint.presented.data()) continue;
    const auto before = (now - 1)->chain;
    if (is_same_key(history, before, now->chain)) continue;
    for (const auto chain : presented_at_owner(history, at)) {
      if (is_same_key(history, chain, before)) return true;
    }
  }
  return false;
}

Time last_switch(const History& history, Time at) {
  auto out = kEver;
  for (const auto& endpoint : history.endpoints) {
    if (const auto* now = item_at(endpoint.presented, at)) out = std::max(out, now->began.by);
  }
  return out;
}

// A published record whose key is to come, and when that may go live.
struct Next {
  std::size_t record = 0;
  std::optional<Time> published;  // when it was for the servers that answer; null: one lacks it
  Time safe_at;
  Time recommended_at;
};

// How things stand, from what is published and presented at one moment.
class StateEvaluator {
 public:
  StateEvaluator(const History& history, const std::vector<Reach>& reaches, Time at)
      : history_(history),
        reaches_(reaches),
        at_(at),
        served_(served(history, at)),
        chains_(presented(history, at)),
        at_owner_(presented_at_owner(history, at)),
        siblings_(siblings_at(history, at)) {}

  [[nodiscard]] RolloverStanding standing() const {
    RolloverStanding out{.at = at_};
    out.state = state();
    switch (out.state) {
      case RolloverState::prepub_wait:
      case RolloverState::prepub_ok:
      case RolloverState::ready:
      case RolloverState::unknown:
        if (const auto next = coming(); next && next->published && !chains_.empty()) {
          out.safe_to_switch_at = next->safe_at;
          out.recommended_switch_at = next->recommended_at;
        }
        break;
      case RolloverState::withdrawn:
        out.safe_to_switch_at = held_until();
        if (out.safe_to_switch_at)
          out.safe_to_switch_at = std::max(*out.safe_to_switch_at, history_.forgotten_until);
        break;
      case RolloverState::rolled:
        out.safe_to_remove_at = last_switch(history_, at_);
        break;
      default:
        break;
    }
    out.findings = findings(out.state);
    return out;
  }

 private:
  [[nodiscard]] RolloverState state() const {
    if (served_.empty()) return RolloverState::dns_fail;
    const bool is_demanded = std::ranges::any_of(
        served_, [&](const Publication* given) { return demands(history_, given->set); });
    if (!is_demanded && held_until()) return RolloverState::withdrawn;
    if (!is_demanded) return is_forgetful() ? RolloverState::unknown : RolloverState::no_dane;
    if (chains_.empty()) return RolloverState::unknown;  // no key was ever seen there
    if (const auto refused = count_refused(); refused > 0) {
      return refused == chains_.size() ? RolloverState::mismatch : RolloverState::partial_mismatch;
    }
    if (is_refused_somewhere()) return RolloverState::stale_risk;
    if (is_fallback()) return RolloverState::fallback;
    if (is_forgetful()) return RolloverState::unknown;
    if (is_switching(history_, at_)) return RolloverState::switching;
    const auto next = coming();
    const auto next_seen = next ? next->published.value_or(at_) : kEver;
    if (has_leftover() && last_switch(history_, at_) > next_seen) return RolloverState::rolled;
    if (next) return readiness(*next);
    return has_leftover() ? RolloverState::rolled : RolloverState::steady;
  }

  [[nodiscard]] RolloverState readiness(const Next& next) const {
    if (!next.published || at_ < next.safe_at) return RolloverState::prepub_wait;
    return at_ < next.recommended_at ? RolloverState::prepub_ok : RolloverState::ready;
  }

  // Endpoints that every set published refuses.
  [[nodiscard]] std::size_t count_refused() const {
    return static_cast<std::size_t>(std::ranges::count_if(chains_, [&](std::size_t chain) {
      return std::ranges::all_of(served_, [&](const Publication* given) {
        return demand(history_, given->set, chain) == Demand::refused;
      });
    }));
  }

  // A set that a cache may hold now refuses an endpoint.
  [[nodiscard]] bool is_refused_somewhere() const {
    return std::ranges::any_of(reaches_, [&](const Reach& reach) {
      return reach.from <= at_ && at_ < reach.until &&
             std::ranges::any_of(chains_, [&](std::size_t chain) {
               return demand(history_, reach.set, chain) == Demand::refused;
             });
    });
  }

  // A cache may hold a set that nobody remembers.
  [[nodiscard]] bool is_forgetful() const { return at_ < history_.forgotten_until; }

  // Until when a cache may hold a set that demands something, though none is published.
  [[nodiscard]] std::optional<Time> held_until() const {
    std::optional<Time> out;
    for (const auto& reach : reaches_) {
      if (reach.from <= at_ && at_ < reach.until && demands(history_, reach.set))
        out = std::max(out.value_or(kEver), reach.until);
    }
    return out;
  }

  [[nodiscard]] bool is_fallback() const {
    return std::ranges::any_of(served_, [&](const Publication* given) {
      const auto& compared = history_.sets[given->set].compared;
      return std::ranges::any_of(chains_, [&](std::size_t chain) {
        bool has_ee = false;
        bool ee_fits = false;
        for (const auto record : compared) {
          if (history_.records[record].usage != probes::dane::kDaneEe) continue;
          has_ee = true;
          ee_fits = ee_fits || history_.fits[record][chain];
        }
        return has_ee && !ee_fits;
      });
    });
  }

  [[nodiscard]] std::set<std::size_t> compared_now() const {
    std::set<std::size_t> out;
    for (const auto* given : served_) {
      const auto& compared = history_.sets[given->set].compared;
      out.insert(compared.begin(), compared.end());
    }
    return out;
  }

  [[nodiscard]] bool fits_now(std::size_t record) const {
    return std::ranges::any_of(at_owner_,
                               [&](std::size_t chain) { return history_.fits[record][chain]; });
  }

  // What is published refuses a key at the owner: that may yet be put right by the key before it.
  [[nodiscard]] bool refuses_at_owner() const {
    return std::ranges::any_of(served_, [&](const Publication* given) {
      return std::ranges::any_of(at_owner_, [&](std::size_t chain) {
        return demand(history_, given->set, chain) == Demand::refused;
      });
    });
  }

  // It matched once, and its key is not to come.
  [[nodiscard]] bool is_leftover(std::size_t record) const {
    return !fits_now(record) && ever_fitted(history_, record, at_) && !refuses_at_owner() &&
           !is_to_come(history_, record, at_) && !siblings_.contains(record);
  }

  // One of a key before that in use; after a key was taken back its record is none of an old key.
  [[nodiscard]] bool has_leftover() const {
    return std::ranges::any_of(compared_now(), [&](std::size_t record) {
      return is_leftover(record) && !taken_back_at(history_, record, at_);
    });
  }

  [[nodiscard]] bool is_orphan(std::size_t record) const {
    return !ever_fitted(history_, record, at_) && !is_to_come(history_, record, at_) &&
           !siblings_.contains(record);
  }

  // The record published last of those that wait for their key.
  [[nodiscard]] std::optional<Next> coming() const {
    std::optional<Next> out;
    for (const auto record : compared_now()) {
      if (fits_now(record) || siblings_.contains(record) || !is_to_come(history_, record, at_))
        continue;
      const auto next = next_of(record);
      const auto when = [&](const Next& one) { return one.published.value_or(at_); };
      if (!out || when(next) > when(*out)) out = next;
    }
    return out;
  }

  [[nodiscard]] Next next_of(std::size_t record) const {
    const auto accepts = accepting(history_, record);
    Next out{.record = record, .published = std::nullopt, .safe_at = {}, .recommended_at = {}};
    const auto runs = runs_of(history_, accepts);
    const auto* run = run_at(runs, at_);
    if (run == nullptr) return out;
    const auto since = seen_since(history_, record, at_);
    const auto wait = cache_time(history_, reaches_, *run, accepts, at_);
    out.published = std::max(run->began.by, since);
    out.safe_at = std::max(run->began.by + wait, since);
    out.recommended_at = std::max(run->began.by + 2 * wait, since);
    return out;
  }

  // A combination of usage, selector and matching type is published, and none of its records fits
  // what some endpoint presents (RFC 7671 §8).
  [[nodiscard]] bool has_stale_combination() const {
    for (const auto* given : served_) {
      const auto& set = history_.sets[given->set];
      for (const auto record : set.records) {
        const auto& mine = history_.records[record];
        if (mine.usage != probes::dane::kDaneEe && mine.usage != probes::dane::kDaneTa) continue;
        for (const auto chain : chains_) {
          if (!std::ranges::any_of(set.records, [&](std::size_t other) {
                const auto& theirs = history_.records[other];
                return theirs.usage == mine.usage && theirs.selector == mine.selector &&
                       theirs.matching_type == mine.matching_type && history_.fits[other][chain];
              }))
            return true;
        }
      }
    }
    return false;
  }

  [[nodiscard]] bool is_retired_early() const {
    return std::ranges::any_of(chains_,
                               [&](std::size_t chain) { return is_retired(history_, chain, at_); });
  }

  [[nodiscard]] bool servers_disagree() const {
    return std::ranges::any_of(served_, [&](const Publication* given) {
      return history_.sets[given->set].records != history_.sets[served_[0]->set].records;
    });
  }

  [[nodiscard]] bool has_expired() const {
    return std::ranges::any_of(history_.servers, [&](const auto& server) {
      const auto* now = item_at(server, at_);
      return now != nullptr && !now->fails && now->expires_at && *now->expires_at <= at_;
    });
  }

  [[nodiscard]] std::vector<Code> findings(RolloverState state) const {
    std::vector<Code> out;
    const auto add = [&](bool is_so, Code code) {
      if (is_so) out.push_back(code);
    };
    using State = RolloverState;
    const bool is_refusing = state == State::mismatch || state == State::partial_mismatch;
    add(is_refusing, Code::tlsa_mismatch);
    add(is_retired_early(), Code::early_retire);
    add(state == State::dns_fail, Code::tlsa_lookup_failed);
    add(has_expired(), Code::dnssec_expired);
    add((state == State::stale_risk || state == State::withdrawn) && is_refused_somewhere(),
        Code::stale_cache_window);
    add(state == State::withdrawn, Code::dane_lost);
    add(servers_disagree(), Code::nameserver_split);
    add(state == State::fallback, Code::fallback_only);
    add(!is_refusing && has_stale_combination(), Code::combination_stale);
    for (const auto record : compared_now()) {
      add(is_orphan(record) && !is_refusing && !has(out, Code::tlsa_orphan), Code::tlsa_orphan);
      add(is_leftover(record) && at_ - last_switch(history_, at_) >= kLeftAtMost &&
              !has(out, Code::tlsa_residue),
          Code::tlsa_residue);
    }
    return out;
  }

  static bool has(const std::vector<Code>& codes, Code code) {
    return std::ranges::find(codes, code) != codes.end();
  }

  const History& history_;
  const std::vector<Reach>& reaches_;
  Time at_;
  std::vector<const Publication*> served_;
  std::vector<std::size_t> chains_;    // that the host presents
  std::vector<std::size_t> at_owner_;  // with those of other hosts at the owner
  std::set<std::size_t> siblings_;
};

}  // namespace

std::string_view wire_name(RolloverState state) {
  switch (state) {
    case RolloverState::no_dane:
      return "no-dane";
    case RolloverState::steady:
      return "steady";
    case RolloverState::prepub_wait:
      return "prepub-wait";
    case RolloverState::prepub_ok:
      return "prepub-ok";
    case RolloverState::ready:
      return "ready";
    case RolloverState::switching:
      return "switching";
    case RolloverState::rolled:
      return "rolled";
    case RolloverState::stale_risk:
      return "stale-risk";
    case RolloverState::fallback:
      return "fallback";
    case RolloverState::mismatch:
      return "mismatch";
    case RolloverState::partial_mismatch:
      return "partial-mismatch";
    case RolloverState::dns_fail:
      return "dns-fail";
    case RolloverState::withdrawn:
      return "withdrawn";
    case RolloverState::unknown:
      return "unknown";
  }
  return "";
}

probes::Status look_of(RolloverState state) {
  switch (state) {
    case RolloverState::steady:
    case RolloverState::prepub_wait:
    case RolloverState::prepub_ok:
    case RolloverState::ready:
    case RolloverState::switching:
    case RolloverState::rolled:
      return probes::Status::ok;
    case RolloverState::fallback:
    case RolloverState::withdrawn:
      return probes::Status::warning;
    case RolloverState::stale_risk:
    case RolloverState::mismatch:
    case RolloverState::partial_mismatch:
    case RolloverState::dns_fail:
      return probes::Status::critical;
    case RolloverState::no_dane:
    case RolloverState::unknown:
      return probes::Status::unknown;
  }
  return probes::Status::unknown;
}

Time seen_since(const History& history, std::size_t record, Time at) {
  auto out = at;
  for (const auto& server : history.servers) {
    auto since = at;
    for (const auto& given : server) {
      if (given.began.by > at) break;
      if (given.fails) continue;
      const bool is_there = contains(history.sets[given.set], record);
      if (!is_there) since = at;
      if (is_there && since == at) since = given.began.by;
    }
    out = std::min(out, since);
  }
  return out;
}

bool is_to_come(const History& history, std::size_t record, Time at) {
  if (history.mistakes.contains(record)) return false;
  if (!ever_fitted(history, record, at))
    return at - seen_since(history, record, at) < kNextRecordAtMost;
  const auto back = taken_back_at(history, record, at);
  return back && at - *back < kNextRecordAtMost;
}

Kind accepting(const History& history, std::size_t record) {
  return [&history, record](std::size_t set) {
    return !demands(history, set) || std::ranges::find(history.sets[set].compared, record) !=
                                         history.sets[set].compared.end();
  };
}

RolloverStanding stand(const History& history, const std::vector<Reach>& reaches, Time at) {
  return StateEvaluator(history, reaches, at).standing();
}

}  // namespace agent
