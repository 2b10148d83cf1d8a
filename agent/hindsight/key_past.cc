#include "agent/hindsight/key_past.h"

#include <algorithm>

namespace agent {
namespace {

using config::Seconds;
using config::Time;

// Longer than any digest; whole certificates are not shown.
constexpr std::size_t kLongestRecord = 400;

bool is_refused(const History& history, std::size_t chain, Time at) {
  const auto now = served(history, at);
  return std::ranges::any_of(now, [&](const Publication* given) {
    return demand(history, given->set, chain) == Demand::refused;
  });
}

// Some server gave what the chain met at that moment.
bool is_met_at(const History& history, std::size_t chain, Time at) {
  const auto now = served(history, at);
  return std::ranges::any_of(now, [&](const Publication* given) {
    return demand(history, given->set, chain) == Demand::met;
  });
}

// When the server that refuses the key took out what it had fitted, and which records these were.
void note_removal(RefusedKey& out, const History& history, const std::vector<Publication>& server,
                  std::size_t chain, Time at) {
  const auto* now = item_at(server, at);
  if (now == nullptr || now->fails || demand(history, now->set, chain) != Demand::refused) return;
  for (const auto* given = now; given > server.data(); --given) {
    const auto& before = *(given - 1);
    if (before.fails || demand(history, before.set, chain) != Demand::met) continue;
    auto& removed_at = out.past.record_removed_at;
    removed_at = std::max(removed_at.value_or(kEver), given->began.by);
    // All of them: who knows SHA2-512 passes over SHA2-256 beside it, and others know no other.
    for (const auto record : history.sets[before.set].records) {
      if (!history.fits[record][chain] || contains(history.sets[now->set], record)) continue;
      auto text = probes::dane::to_text(history.records[record]);
      const bool is_told =
          std::ranges::find(out.removed_records, text) != out.removed_records.end();
      if (!is_told && text.size() <= kLongestRecord) out.removed_records.push_back(std::move(text));
    }
    return;
  }
}

// Since when the endpoint has the key that it has.
const Presented* first_of_same_key(const History& history, const Endpoint& endpoint,
                                   const Presented* now) {
  while (now > endpoint.presented.data() && is_same_key(history, (now - 1)->chain, now->chain))
    --now;
  return now;
}

}  // namespace

std::optional<RefusedKey> refused_key(const History& history, Time at) {
  for (const auto& endpoint : history.endpoints) {
    const auto* now = own_item_at(endpoint, at);
    if (now == nullptr || !is_refused(history, now->chain, at)) continue;
    const auto* first = first_of_same_key(history, endpoint, now);
    const bool is_oldest = first == endpoint.presented.data();
    RefusedKey out;
    out.past.since = first->began.by;
    out.past.is_since_before = is_oldest && first->began.after == kEver;
    out.past.is_unannounced = !is_oldest &&
                              is_met_at(history, (first - 1)->chain, first->began.by) &&
                              !is_met_at(history, now->chain, first->began.by);
    for (const auto& server : history.servers) note_removal(out, history, server, now->chain, at);
    return out;
  }
  return std::nullopt;
}

std::optional<probes::KeyPast> unchanged_key(const History& history, Time since, Time at) {
  std::optional<probes::KeyPast> out;
  for (const auto& endpoint : history.endpoints) {
    const auto* now = own_item_at(endpoint, at);
    if (now == nullptr) continue;
    const auto* first = first_of_same_key(history, endpoint, now);
    if (first->began.by >= since) return std::nullopt;
    out = probes::KeyPast{.since = first->began.by, .is_since_before = first->began.after == kEver};
  }
  return out;
}

bool is_old_key_refused(const History& history, Time at) {
  return std::ranges::any_of(history.endpoints, [&](const Endpoint& endpoint) {
    const auto* now = own_item_at(endpoint, at);
    if (now == nullptr) return false;
    const auto* first = first_of_same_key(history, endpoint, now);
    return first > endpoint.presented.data() && is_refused(history, (first - 1)->chain, at);
  });
}

std::optional<Seconds> refusal_ttl(const History& history, Time at) {
  std::optional<Seconds> out;
  for (const auto* given : served(history, at)) {
    const bool refuses = std::ranges::any_of(history.endpoints, [&](const Endpoint& endpoint) {
      const auto* now = own_item_at(endpoint, at);
      return now != nullptr && demand(history, given->set, now->chain) == Demand::refused;
    });
    // What the alias leads to is put right there: that it leads there is right.
    if (refuses) out = std::max(out.value_or(Seconds{0}), given->ttl);
  }
  return out;
}

}  // namespace agent
