#include "agent/history/history.h"

#include <algorithm>
#include <map>
#include <set>

namespace agent {
namespace {

using config::Seconds;
using config::Time;

Time later(Time time, Seconds by) {
  return time == kNever ? kNever : time + by;
}

// When the server gave something else than publication `i`.
Time end_of(const std::vector<Publication>& server, std::size_t i) {
  return i + 1 < server.size() ? server[i + 1].began.by : kNever;
}

// When no cache took publication `i` in any more.
Time taken_until(const std::vector<Publication>& server, std::size_t i) {
  return later(end_of(server, i), server[i].believed_for);
}

// A time during which something may be held.
struct Span {
  Time from;
  Time until;
};

// Spans that meet are one.
std::vector<Span> joined(std::vector<Span> spans) {
  std::ranges::sort(spans, {}, &Span::from);
  std::vector<Span> out;
  for (const auto& span : spans) {
    if (out.empty() || out.back().until < span.from)
      out.push_back(span);
    else
      out.back().until = std::max(out.back().until, span.until);
  }
  return out;
}

// While which the server gives a set to who asks for it.
struct Service {
  const Publication* given;
  Span span;
};

// The sets that the server gives to who asks for `alias`, or for the owner where that is none. The
// set of an alias that the owner has left stays as it was last seen.
std::vector<Service> services_of(const std::vector<Publication>& server,
                                 const std::optional<std::string>& alias) {
  std::vector<Service> out;
  const Publication* last = nullptr;
  for (std::size_t i = 0; i < server.size(); ++i) {
    if (!server[i].fails && server[i].alias == alias) last = &server[i];
    const bool is_given = !server[i].fails && last != nullptr && (alias || last == &server[i]);
    if (!is_given) continue;
    const Span span{server[i].began.by, taken_until(server, i)};
    if (!out.empty() && out.back().given == last && out.back().span.until >= span.from)
      out.back().span.until = std::max(out.back().span.until, span.until);
    else
      out.push_back({last, span});
  }
  return out;
}

// While which caches may know that the owner is the alias.
std::vector<Span> known_spans(const History& history, const std::string& alias) {
  std::vector<Span> out;
  for (const auto& server : history.servers) {
    for (std::size_t i = 0; i < server.size(); ++i) {
      if (server[i].fails || server[i].alias != alias) continue;
      out.push_back({server[i].began.by, later(taken_until(server, i), server[i].alias_ttl)});
    }
  }
  return joined(std::move(out));
}

// While which a cache that asked within `asked` holds what the server gave.
Span held(const Service& service, const Span& asked) {
  const auto from = std::max(service.span.from, asked.from);
  const auto end = std::min(service.span.until, asked.until);
  if (end <= from) return {from, from};
  return {from,
          std::min(later(end, service.given->ttl), service.given->expires_at.value_or(kNever))};
}

void add_reaches(std::vector<Reach>& out, const Service& service, const std::vector<Span>& known) {
  std::vector<Span> spans;
  for (const auto& asked : known) {
    const auto kept = held(service, asked);
    for (const auto& used : known) {
      const Span span{std::max(kept.from, used.from), std::min(kept.until, used.until)};
      if (span.from < span.until) spans.push_back(span);
    }
  }
  for (const auto& span : joined(std::move(spans)))
    out.push_back({service.given->set, span.from, span.until});
}

// When what happened at `by` may have happened at the earliest: the first (`is_first`) or the last
// of the servers that changed then.
Began moment_of(const History& history, Time by, bool is_first) {
  std::optional<Time> after;
  for (const auto& server : history.servers) {
    for (const auto& given : server) {
      if (given.began.by != by) continue;
      if (!after) after = given.began.after;
      after = is_first ? std::min(*after, given.began.after) : std::max(*after, given.began.after);
    }
  }
  return {after.value_or(by), by};
}

}  // namespace

History known_at(History history, Time at) {
  const auto is_later = [&](const auto& item) { return item.began.by > at; };
  for (auto& server : history.servers) std::erase_if(server, is_later);
  for (auto& endpoint : history.endpoints) std::erase_if(endpoint.presented, is_later);
  return history;
}

bool contains(const RecordSet& set, std::size_t record) {
  return std::ranges::find(set.records, record) != set.records.end();
}

Demand demand(const History& history, std::size_t set, std::size_t chain) {
  const auto& compared = history.sets[set].compared;
  if (compared.empty()) return Demand::none;
  const bool fits = std::ranges::any_of(
      compared, [&](std::size_t record) { return history.fits[record][chain]; });
  return fits ? Demand::met : Demand::refused;
}

std::vector<const Publication*> served(const History& history, Time at) {
  std::vector<const Publication*> out;
  for (const auto& server : history.servers) {
    const auto* now = item_at(server, at);
    if (now != nullptr && !now->fails && at < now->expires_at.value_or(kNever)) out.push_back(now);
  }
  return out;
}

std::vector<Reach> reaches(const History& history) {
  // A cache that holds an alias asks any server for the alias's set.
  std::map<std::optional<std::string>, std::vector<Span>> known;
  for (const auto& server : history.servers) {
    for (const auto& publication : server) known[publication.alias];
  }
  for (auto& [alias, spans] : known)
    spans = alias ? known_spans(history, *alias) : std::vector<Span>{{kEver, kNever}};
  std::vector<Reach> out;
  for (const auto& server : history.servers) {
    for (const auto& [alias, spans] : known) {
      for (const auto& service : services_of(server, alias)) add_reaches(out, service, spans);
    }
  }
  return out;
}

bool Run::covers(Time at) const {
  return began.by <= at && (!ended || at < ended->by);
}

bool demands(const History& history, std::size_t set) {
  return !history.sets[set].compared.empty();
}

std::vector<Time> publication_times(const History& history) {
  std::set<Time> out;
  for (const auto& server : history.servers) {
    for (const auto& given : server) {
      out.insert(given.began.by);
      if (given.expires_at) out.insert(std::max(given.began.by, *given.expires_at));
    }
  }
  return {out.begin(), out.end()};
}

std::vector<Run> runs_while(const History& history, const Holds& holds) {
  std::vector<Run> out;
  for (const auto at : publication_times(history)) {
    const auto now = served(history, at);
    if (now.empty()) continue;
    const bool is_on = holds(now, at);
    const bool was_on = !out.empty() && !out.back().ended;
    if (is_on && !was_on) out.push_back({moment_of(history, at, false), std::nullopt});
    if (!is_on && was_on) out.back().ended = moment_of(history, at, true);
  }
  return out;
}

std::vector<Run> runs_of(const History& history, const Kind& is_of_kind) {
  return runs_while(history, [&](const std::vector<const Publication*>& now, Time) {
    return std::ranges::all_of(now,
                               [&](const Publication* given) { return is_of_kind(given->set); });
  });
}

const Run* run_at(const std::vector<Run>& runs, Time at) {
  for (const auto& run : runs) {
    if (run.covers(at)) return &run;
  }
  return nullptr;
}

Time held_until(const History& history, const std::vector<Reach>& reaches, const Kind& is_of_kind,
                Time at) {
  auto out = kEver;
  for (const auto& reach : reaches) {
    if (reach.from <= at && demands(history, reach.set) && !is_of_kind(reach.set))
      out = std::max(out, reach.until);
  }
  return out;
}

Time unseen_until(const History& history, Time at) {
  auto watched_since = kNever;
  bool is_all_known = true;
  for (const auto& server : history.servers) {
    if (server.empty()) continue;
    watched_since = std::min(watched_since, server.front().began.by);
    is_all_known = is_all_known && server.front().began.after != kEver;
  }
  if (is_all_known) return history.forgotten_until;
  Seconds longest{0};
  for (const auto* given : served(history, at))
    longest = std::max({longest, given->ttl, given->alias_ttl});
  return std::max(watched_since + longest, history.forgotten_until);
}

Seconds cache_time(const History& history, const std::vector<Reach>& reaches, const Run& run,
                   const Kind& is_of_kind, Time at) {
  const auto published = run.began.by;
  const auto known_at = std::max(at, published);
  const auto held = held_until(history, reaches, is_of_kind, known_at);
  const auto last = std::max(held == kNever ? kEver : held, unseen_until(history, known_at));
  return last > published ? last - published : Seconds{0};
}

namespace {

// When a set of the same records came up first.
Time came_up(const History& history, std::size_t set) {
  auto out = kNever;
  for (const auto& server : history.servers) {
    for (const auto& given : server) {
      if (!given.fails && given.set == set) out = std::min(out, given.began.by);
    }
  }
  return out;
}

bool is_presented(const History& history, std::size_t chain, Time at) {
  return std::ranges::any_of(presented(history, at),
                             [&](std::size_t other) { return is_same_key(history, other, chain); });
}

// Since when the server, that gives `now`, has refused the chain without a break.
Time refusing_since(const History& history, const Publication& now, std::size_t chain) {
  auto out = now.began.by;
  for (const auto& server : history.servers) {
    if (server.empty() || &now < server.data() || &now >= server.data() + server.size()) continue;
    for (const auto* given = &now; given >= server.data(); --given) {
      if (given->fails) continue;
      if (demand(history, given->set, chain) != Demand::refused) break;
      out = given->began.by;
    }
  }
  return out;
}

bool was_met(const History& history, std::size_t chain, Time before) {
  return std::ranges::any_of(history.servers, [&](const auto& server) {
    return std::ranges::any_of(server, [&](const Publication& given) {
      return given.began.by < before && !given.fails &&
             demand(history, given.set, chain) == Demand::met;
    });
  });
}

}  // namespace

bool is_lagging(const History& history, const Publication& given,
                const std::vector<const Publication*>& served) {
  const auto mine = came_up(history, given.set);
  return std::ranges::any_of(served, [&](const Publication* other) {
    return other->set != given.set && came_up(history, other->set) > mine;
  });
}

bool is_retired(const History& history, std::size_t chain, Time at) {
  const auto now = served(history, at);
  return std::ranges::any_of(now, [&](const Publication* given) {
    if (demand(history, given->set, chain) != Demand::refused) return false;
    const auto since = refusing_since(history, *given, chain);
    return is_presented(history, chain, since) && was_met(history, chain, since) &&
           !is_lagging(history, *given, now);
  });
}

std::vector<std::size_t> presented(const History& history, Time at) {
  std::vector<std::size_t> out;
  for (const auto& endpoint : history.endpoints) {
    if (const auto* now = own_item_at(endpoint, at)) out.push_back(now->chain);
  }
  return out;
}

std::vector<std::size_t> presented_at_owner(const History& history, Time at) {
  std::vector<std::size_t> out;
  for (const auto& endpoint : history.endpoints) {
    if (const auto* now = item_at(endpoint.presented, at)) out.push_back(now->chain);
  }
  return out;
}

bool is_same_key(const History& history, std::size_t a, std::size_t b) {
  return history.chains[a].front() == history.chains[b].front() &&
         std::ranges::all_of(history.fits, [&](const auto& row) { return row[a] == row[b]; });
}

}  // namespace agent
