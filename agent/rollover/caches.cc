#include "agent/rollover/caches.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <string>
#include <utility>

namespace agent {
namespace {

using config::Seconds;
using config::Time;

double number(Time time) {
  return static_cast<double>(time.time_since_epoch().count());
}

constexpr int kLongCalm = 20;  // times the longest TTL

// What asking for a name gives. Contents are numbered by the owner of the population. With a TTL of
// zero it is given on and not kept: who got it asks again for the next mail.
struct Entry {
  std::size_t content = 0;
  Seconds ttl{0};
  Time expires = kNever;
  bool operator==(const Entry&) const = default;
};

// What one server gives from a moment on; nothing when it does not answer.
struct Given {
  Time from;
  std::optional<Entry> entry;
};
using Line = std::vector<Given>;

// Caches that took `entry` at moments spread evenly over [from, until]; all at once when these are
// equal. `weight` is their share of all caches.
struct Batch {
  Time from;
  Time until;
  double weight = 0;
  Entry entry;

  static constexpr double kLongAgo = -1e18;

  [[nodiscard]] bool is_instant() const { return from == until; }
  [[nodiscard]] bool is_kept() const { return entry.ttl.count() > 0; }
  [[nodiscard]] double density() const { return weight / (number(until) - number(from)); }
  // The share taken after `after` and by `by`.
  [[nodiscard]] double taken(double after, double by) const {
    const auto length = std::min(number(until), by) - std::max(number(from), after);
    return length > 0 ? length * density() : 0;
  }
  // The share that holds the entry at `at`, while the entry is valid.
  [[nodiscard]] double held(double at) const {
    const auto oldest = is_kept() ? at - static_cast<double>(entry.ttl.count()) : kLongAgo;
    if (is_instant()) return number(from) <= at && number(from) > oldest ? weight : 0;
    return taken(oldest, at);
  }
};

// The share of caches that came to a content from another one.
using Moved = std::map<std::size_t, double>;

// All caches that ask for one name.
class Population {
 public:
  explicit Population(std::vector<Line> lines) : lines_(std::move(lines)) {}

  // Fills the caches at `at` with what is given at `seen`, as if it had been so for ever.
  void fill(Time at, Time seen, double weight) {
    const auto given = kept_longest(given_at(seen));
    batches_.clear();
    waiting_.clear();
    if (given.empty()) wait(kNothing, weight, at - Seconds{1}, at - Seconds{1});
    double sum = 0;
    for (const auto& entry : given) sum += static_cast<double>(entry.ttl.count());
    for (const auto& entry : given) {
      if (sum > 0)
        batches_.push_back(
            {at - entry.ttl, at, weight * static_cast<double>(entry.ttl.count()) / sum, entry});
      else
        add({at - Seconds{1}, at - Seconds{1}, weight / static_cast<double>(given.size()), entry});
    }
  }

  // What happens at one moment: signatures end, batches that asked at once ask again, and those
  // that had no answer try again. `arriving` caches ask for the name for the first time.
  Moved settle(Time at, double arriving) {
    std::map<std::size_t, double> asking;  // by what they held last
    for (const auto& batch : std::exchange(waiting_, {}))
      asking[batch.entry.content] += batch.weight;
    std::erase_if(batches_, [&](const Batch& batch) {
      if (!batch.is_kept()) {
        asking[batch.entry.content] += batch.weight;
        return true;
      }
      if (batch.entry.expires <= at) {
        // Those whose time to live ends now are among them.
        const auto oldest = number(at - batch.entry.ttl);
        asking[batch.entry.content] +=
            batch.is_instant() ? batch.weight : batch.taken(oldest, number(at));
        return true;
      }
      if (batch.until + batch.entry.ttl > at) return false;
      if (batch.is_instant()) asking[batch.entry.content] += batch.weight;
      return true;
    });
    return hand_out(asking, arriving, at, at);
  }

  // What flows from `from` until `until`, between which nothing begins or ends.
  Moved flow(Time from, Time until, double arriving) {
    std::map<std::size_t, double> asking;
    for (const auto& batch : batches_) {
      if (batch.is_kept() && !batch.is_instant())
        asking[batch.entry.content] +=
            batch.taken(number(from - batch.entry.ttl), number(until - batch.entry.ttl));
    }
    return hand_out(asking, arriving, from, until);
  }

  // The next moment after `at` when something begins or ends.
  [[nodiscard]] Time boundary(Time at) const {
    auto next = change_after(at);
    const auto take = [&](Time time) {
      if (time > at) next = std::min(next, time);
    };
    for (const auto& batch : batches_) {
      if (batch.is_kept()) take(batch.from + batch.entry.ttl);
      if (batch.is_kept()) take(batch.until + batch.entry.ttl);
      take(batch.entry.expires);
    }
    for (const auto& entry : given_at(at)) take(at + entry.ttl);
    return next;
  }

  // The next moment after `at` when a server gives something else.
  [[nodiscard]] Time change_after(Time at) const {
    auto next = kNever;
    for (const auto& line : lines_) {
      for (const auto& given : line) {
        if (given.from > at) next = std::min(next, given.from);
        if (given.entry && given.entry->expires > at) next = std::min(next, given.entry->expires);
      }
    }
    return next;
  }

  // The longest time to live of what is held or given.
  [[nodiscard]] Seconds longest(Time at) const {
    auto out = Seconds{1};
    for (const auto& entry : given_at(at)) out = std::max(out, entry.ttl);
    for (const auto& batch : batches_) out = std::max(out, batch.entry.ttl);
    return out;
  }

  void add_holdings(double at, std::map<std::size_t, double>& held) const {
    for (const auto& batch : batches_) held[batch.entry.content] += batch.held(at);
  }

  // The share that holds nothing at `at`, for want of an answer.
  [[nodiscard]] double waiting(double at) const {
    double sum = 0;
    for (const auto& batch : waiting_) sum += batch.held(at);
    return sum;
  }

 private:
  [[nodiscard]] std::vector<Entry> given_at(Time at) const {
    std::vector<Entry> out;
    for (const auto& line : lines_) {
      const Given* now = nullptr;
      for (const auto& given : line) {
        if (given.from <= at) now = &given;
      }
      if (now != nullptr && now->entry && now->entry->expires > at) out.push_back(*now->entry);
    }
    return out;
  }

  // Who may keep nothing of what a server gives asks again at once, and soon has asked another.
  static std::vector<Entry> kept_longest(std::vector<Entry> given) {
    const auto is_kept = [](const Entry& entry) { return entry.ttl.count() > 0; };
    if (std::ranges::any_of(given, is_kept)) std::erase_if(given, std::not_fn(is_kept));
    return given;
  }

  Moved hand_out(const std::map<std::size_t, double>& asking, double others, Time from,
                 Time until) {
    double sum = others;
    for (const auto& [content, weight] : asking) sum += weight;
    Moved moved;
    if (sum <= 0) return moved;
    const auto given = kept_longest(given_at(from));
    if (given.empty()) {
      for (const auto& [content, weight] : asking) wait(content, weight, from, until);
      wait(kNothing, others, from, until);
    }
    const auto part = 1.0 / static_cast<double>(given.size());
    for (const auto& entry : given) {
      const auto was = asking.find(entry.content);
      moved[entry.content] += part * (sum - (was == asking.end() ? 0 : was->second));
      add({from, until, part * sum, entry});
    }
    return moved;
  }

  void wait(std::size_t content, double weight, Time from, Time until) {
    if (weight > 0) waiting_.push_back({from, until, weight, Entry{.content = content}});
  }

  void add(const Batch& batch) {
    for (auto& other : batches_) {
      if (other.entry != batch.entry) continue;
      const bool is_same_moment = batch.is_instant() && other.is_instant();
      if (is_same_moment ? other.from == batch.from : continues(other, batch)) {
        other.until = batch.until;
        other.weight += batch.weight;
        return;
      }
    }
    batches_.push_back(batch);
  }

  // Neighbours as dense as each other are one: else mixed TTLs would cut ever finer.
  static bool continues(const Batch& before, const Batch& after) {
    if (before.is_instant() || after.is_instant()) return false;
    if (after.from != before.from && after.from != before.until) return false;
    if (after.from == before.from) return after.until == before.until;
    return std::abs(before.density() - after.density()) <= 1e-6 * after.density();
  }

  static constexpr std::size_t kNothing = static_cast<std::size_t>(-1);

  std::vector<Line> lines_;
  std::vector<Batch> batches_;
  // Got no answer from any server and hold nothing, by what they held last: who comes back to an
  // alias may hold its set still.
  std::vector<Batch> waiting_;
};

// When caches begin to take publication `i` in. That some believe the one before it for a while (a
// DS record that is no more) is counted as if all did: the share is one at most.
Time taken_from(const std::vector<Publication>& server, std::size_t i) {
  return server[i].began.by + (i == 0 ? Seconds{0} : server[i - 1].believed_for);
}

Entry entry_of(std::size_t content, Seconds ttl, std::optional<Time> expires) {
  return {content, ttl, expires.value_or(kNever)};
}

}  // namespace

class Caches::World {
 public:
  explicit World(const History& history) : sets_(history.sets.size()), owner_({}) {
    now_ = kNever;
    for (const auto& server : history.servers) {
      if (!server.empty()) now_ = std::min(now_, server.front().began.by);
      for (const auto& publication : server) {
        if (publication.alias) names_.emplace(*publication.alias, names_.size());
      }
    }
    owner_ = Population(lines(history, [this](const Publication& given) {
      return given.alias ? entry_of(content_of(*given.alias), given.alias_ttl, std::nullopt)
                         : entry_of(given.set, given.ttl, given.expires_at);
    }));
    for (const auto& [name, index] : names_)
      aliases_.emplace(content_of(name), Population(alias_lines(history, name)));
    fill(now_, now_, 1);
  }

  void advance(Time until, const Hear& hear) {
    while (now_ < until) {
      const auto change = std::min(until, next_change());
      const auto settled = now_ + kLongCalm * longest();
      flow(std::min(change, settled), hear);
      if (now_ < change) stay(change, hear);
    }
  }

 private:
  // So much before a moment that all has happened but what happens at it; more than a double's
  // grain at today's times.
  static constexpr double kMoment = 1e-6;

  std::size_t content_of(const std::string& alias) const { return sets_ + names_.at(alias); }

  template <class EntryOf>
  std::vector<Line> lines(const History& history, EntryOf entry_of_publication) const {
    std::vector<Line> out;
    for (const auto& server : history.servers) {
      Line line;
      for (std::size_t i = 0; i < server.size(); ++i) {
        line.push_back({i == 0 ? now_ : taken_from(server, i), std::nullopt});
        if (!server[i].fails) line.back().entry = entry_of_publication(server[i]);
      }
      out.push_back(std::move(line));
    }
    return out;
  }

  // The sets of one alias. While the owner points elsewhere the alias's set stays what it was, or
  // is what it will be at first.
  std::vector<Line> alias_lines(const History& history, const std::string& alias) const {
    std::vector<Line> out;
    for (const auto& server : history.servers) {
      const auto first = std::ranges::find(server, std::optional{alias}, &Publication::alias);
      Line line;
      std::optional<Entry> last;
      if (first != server.end()) last = entry_of(first->set, first->ttl, first->expires_at);
      for (std::size_t i = 0; i < server.size(); ++i) {
        const auto& given = server[i];
        if (!given.fails && given.alias == alias)
          last = entry_of(given.set, given.ttl, given.expires_at);
        line.push_back({i == 0 ? now_ : taken_from(server, i), given.fails ? std::nullopt : last});
      }
      out.push_back(std::move(line));
    }
    return out;
  }

  static double arriving(const Moved& moved, std::size_t content) {
    const auto found = moved.find(content);
    return found == moved.end() ? 0 : found->second;
  }

  void flow(Time until, const Hear& hear) {
    while (now_ < until) {
      const auto settled = owner_.settle(now_, 0);
      for (auto& [content, population] : aliases_)
        population.settle(now_, arriving(settled, content));
      const auto next = std::min(until, boundary());
      const auto begin = shares(number(now_));
      const auto moved = owner_.flow(now_, next, 0);
      for (auto& [content, population] : aliases_)
        population.flow(now_, next, arriving(moved, content));
      const auto middle = (number(now_) + number(next)) / 2;
      hear(now_, next, begin, shares(middle), shares(number(next) - kMoment));
      now_ = next;
    }
  }

  // After a long calm nothing changes any more but phases, which are spread evenly again: those of
  // real caches drift, for not every one is asked the moment an entry ends.
  void stay(Time until, const Hear& hear) {
    fill(until, now_, 1);
    const auto held = shares(number(until) - kMoment);
    hear(now_, until, held, held, held);
    now_ = until;
  }

  void fill(Time at, Time seen, double weight) {
    owner_.fill(at, seen, weight);
    std::map<std::size_t, double> held;
    owner_.add_holdings(number(at) - kMoment, held);
    for (auto& [content, population] : aliases_) population.fill(at, seen, held[content]);
  }

  Seconds longest() const {
    auto out = owner_.longest(now_);
    for (const auto& [content, population] : aliases_)
      out = std::max(out, population.longest(now_));
    return out;
  }

  Time boundary() const {
    auto next = owner_.boundary(now_);
    for (const auto& [content, population] : aliases_)
      next = std::min(next, population.boundary(now_));
    return next;
  }

  Time next_change() const {
    auto next = owner_.change_after(now_);
    for (const auto& [content, population] : aliases_)
      next = std::min(next, population.change_after(now_));
    return next;
  }

  // Those who hold an alias hold its sets as all who ask for the alias do: its own phases are taken
  // to be independent of the alias's.
  Shares shares(double at) const {
    Shares out(sets_, 0.0);
    std::map<std::size_t, double> held;
    owner_.add_holdings(at, held);
    for (const auto& [content, weight] : held) {
      if (content < sets_) {
        out[content] += weight;
        continue;
      }
      std::map<std::size_t, double> inner;
      aliases_.at(content).add_holdings(at, inner);
      double sum = aliases_.at(content).waiting(at);
      for (const auto& [set, share] : inner) sum += share;
      for (const auto& [set, share] : inner) {
        if (sum > 0) out[set] += weight * share / sum;
      }
    }
    return out;
  }

  std::size_t sets_;
  std::map<std::string, std::size_t> names_;
  Time now_;
  Population owner_;                           // contents: sets, then aliases
  std::map<std::size_t, Population> aliases_;  // contents: sets
};

Caches::Caches(const History& history) : world_(std::make_unique<World>(history)) {}
Caches::~Caches() = default;

void Caches::advance(Time until, const Hear& hear) {
  world_->advance(until, hear);
}

}  // namespace agent
