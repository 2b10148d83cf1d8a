#include "agent/history.h"

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

bool is_answer(const Publication& publication) {
  return !publication.fails && publication.began.by < publication.expires_at.value_or(kNever);
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

// While which caches may take the owner's set from `alias`.
std::vector<Span> reach_of_name(const std::vector<Publication>& server, const std::string& alias) {
  std::vector<Span> out;
  for (std::size_t i = 0; i < server.size(); ++i) {
    if (server[i].fails || server[i].alias != alias) continue;
    out.push_back({server[i].began.by, later(taken_until(server, i), server[i].alias_ttl)});
  }
  return out;
}

// While which publication `i` may be held where its name is asked at all. The set of an alias that
// the owner has left stays as it was last seen.
Span reach_of_set(const std::vector<Publication>& server, std::size_t i) {
  const auto& mine = server[i];
  auto end = kNever;
  for (auto next = i + 1; next < server.size() && end == kNever; ++next) {
    if (!mine.alias || server[next].alias == mine.alias) end = taken_until(server, next - 1);
  }
  return {mine.began.by, std::min(later(end, mine.ttl), mine.expires_at.value_or(kNever))};
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
  std::vector<Reach> out;
  std::map<std::string, std::vector<Span>> names;
  for (const auto& server : history.servers) {
    for (const auto& publication : server) {
      if (publication.alias) names[*publication.alias];
    }
  }
  // A cache that holds an alias asks any server for the alias's set.
  for (auto& [alias, spans] : names) {
    for (const auto& server : history.servers) {
      const auto more = reach_of_name(server, alias);
      spans.insert(spans.end(), more.begin(), more.end());
    }
  }
  for (const auto& server : history.servers) {
    for (std::size_t i = 0; i < server.size(); ++i) {
      if (!is_answer(server[i])) continue;
      const auto set = reach_of_set(server, i);
      if (!server[i].alias) {
        out.push_back({server[i].set, set.from, set.until});
        continue;
      }
      for (const auto& name : names[*server[i].alias]) {
        const auto from = std::max(name.from, set.from);
        const auto until = std::min(name.until, set.until);
        if (from < until) out.push_back({server[i].set, from, until});
      }
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

std::vector<Run> runs_of(const History& history, const Kind& is_of_kind) {
  std::vector<Run> out;
  for (const auto at : publication_times(history)) {
    const auto now = served(history, at);
    const bool is_on = !now.empty() && std::ranges::all_of(now, [&](const Publication* given) {
      return is_of_kind(given->set);
    });
    const bool was_on = !out.empty() && !out.back().ended;
    if (is_on && !was_on) out.push_back({moment_of(history, at, false), std::nullopt});
    if (!is_on && was_on) out.back().ended = moment_of(history, at, true);
  }
  return out;
}

const Run* run_at(const std::vector<Run>& runs, Time at) {
  for (const auto& run : runs) {
    if (run.covers(at)) return &run;
  }
  return nullptr;
}

Seconds cache_time(const History& history, const std::vector<Reach>& reaches, const Run& run,
                   const Kind& is_of_kind) {
  const auto published = run.began.by;
  Seconds out{0};
  for (const auto& reach : reaches) {
    if (reach.from >= published || reach.until == kNever) continue;
    if (demands(history, reach.set) && !is_of_kind(reach.set))
      out = std::max(out, reach.until - published);
  }
  // The first look found it there: what came before may be held as long as this.
  if (run.began.after == kEver) {
    for (const auto* given : served(history, published)) out = std::max(out, given->ttl);
  }
  return out;
}

std::vector<std::size_t> presented(const History& history, Time at) {
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
