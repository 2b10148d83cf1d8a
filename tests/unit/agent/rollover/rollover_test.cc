#include "agent/rollover/rollover.h"

#include <algorithm>
#include <map>
#include <optional>
#include <random>

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "tests/support/simulated.h"
#include "tests/support/story.h"

// The predictions against caches simulated one by one, which share no line with them.
namespace {

using support::Story;
using support::Texts;

constexpr long kDay = 86'400;
constexpr int kCaches = 1'000;

struct Given {  // by one server, from a moment on
  long at = 0;
  bool fails = false;
  std::optional<std::string> alias;
  long alias_ttl = 0;
  int set = 0;  // bits: 1 the record of the even keys is in it, 2 that of the odd ones
  long ttl = 0;
  long expires = 0;
};

struct World {
  std::vector<std::vector<Given>> servers;
  std::vector<std::pair<long, int>> keys;  // from when on which key is served

  [[nodiscard]] const Given* given(std::size_t server, long at) const {
    const Given* out = nullptr;
    for (const auto& one : servers[server]) {
      if (one.at <= at) out = &one;
    }
    return out;
  }
  // What the server gives for the alias: what it gave last while it pointed there, or will first.
  [[nodiscard]] const Given* given_for(std::size_t server, const std::string& alias,
                                       long at) const {
    const Given* out = nullptr;
    for (const auto& one : servers[server]) {
      if (one.alias == alias && !one.fails && (one.at <= at || out == nullptr)) out = &one;
    }
    return out;
  }
  [[nodiscard]] long next_publication(long after) const {
    auto out = after + 1000 * kDay;
    for (const auto& server : servers) {
      for (const auto& one : server) {
        if (one.at > after) out = std::min(out, one.at);
      }
    }
    return out;
  }
  [[nodiscard]] bool refuses(int set, long at) const {
    auto key = keys.front().second;
    for (const auto& [from, which] : keys) {
      if (from <= at) key = which;
    }
    return set != 0 && (set & (key % 2 == 0 ? 1 : 2)) == 0;
  }
};

class Cache {
 public:
  Cache(const World& world, long begin, std::mt19937& random)
      : world_(world), random_(random), now_(begin) {
    // As if it had been asking for ever: its entries are of any age.
    fetch_owner();
    owner_until_ = begin + 1 + below(std::max(1L, owner_until_ - begin));
    if (alias_) {
      fetch_set();
      set_until_ = begin + 1 + below(std::max(1L, set_until_ - begin));
    }
  }

  // Lives until `at`; tells the set it holds then, or nothing.
  std::optional<int> set_at(long at) {
    for (;;) {
      const auto next = alias_ ? std::min(owner_until_, set_until_) : owner_until_;
      if (next > at) break;
      now_ = next;
      if (owner_until_ <= now_) fetch_owner();
      if (alias_ && set_until_ <= now_) fetch_set();
    }
    return set_;
  }

 private:
  long below(long n) { return std::uniform_int_distribution<long>(0, n - 1)(random_); }

  std::optional<std::size_t> choose(const std::vector<const Given*>& given) {
    std::vector<std::size_t> answering;
    for (std::size_t i = 0; i < given.size(); ++i) {
      if (given[i] != nullptr) answering.push_back(i);
    }
    if (answering.empty()) return std::nullopt;
    return answering[static_cast<std::size_t>(below(static_cast<long>(answering.size())))];
  }

  void fetch_owner() {
    std::vector<const Given*> given;
    for (std::size_t i = 0; i < world_.servers.size(); ++i) {
      const auto* now = world_.given(i, now_);
      given.push_back(now->fails || (!now->alias && now->expires <= now_) ? nullptr : now);
    }
    const auto chosen = choose(given);
    if (!chosen) return wait(owner_until_);
    const auto& now = *given[*chosen];
    const bool is_new = now.alias && now.alias != alias_;
    alias_ = now.alias;
    if (alias_) {
      owner_until_ = now_ + now.alias_ttl;
      if (is_new) set_until_ = now_;
    } else {
      set_ = now.set;
      owner_until_ = std::min(now_ + now.ttl, now.expires);
    }
  }

  void fetch_set() {
    std::vector<const Given*> given;
    for (std::size_t i = 0; i < world_.servers.size(); ++i) {
      const auto* now = world_.given_for(i, *alias_, now_);
      const bool fails = now == nullptr || world_.given(i, now_)->fails || now->expires <= now_;
      given.push_back(fails ? nullptr : now);
    }
    const auto chosen = choose(given);
    if (!chosen) return wait(set_until_);
    set_ = given[*chosen]->set;
    set_until_ = std::min(now_ + given[*chosen]->ttl, given[*chosen]->expires);
  }

  // Asks again when something changes; until then it holds nothing.
  void wait(long& until) {
    set_.reset();
    until = world_.next_publication(now_);
  }

  const World& world_;
  std::mt19937& random_;
  long now_;
  std::optional<std::string> alias_;
  std::optional<int> set_;
  long owner_until_ = 0;
  long set_until_ = 0;
};

// What a cache that keeps to the rules may hold at one moment, whichever servers it has asked and
// whenever. An answer given within a second may come at the end of it, and is held for its TTL from
// there.
class Possible {
 public:
  Possible(const World& world, long at) : world_(world), at_(at) {
    // Of the seconds in which an answer is the same the last lets it be held longest.
    asked_.push_back(at);
    for (const auto& server : world_.servers) {
      for (const auto& one : server) {
        if (one.at <= at && one.at > at - kDay) asked_.push_back(one.at - 1);  // no TTL is as long
      }
    }
  }

  // Whether one of the sets refuses what is served.
  [[nodiscard]] bool is_refusal() const {
    for (const auto asked : asked_) {
      for (std::size_t i = 0; i < world_.servers.size(); ++i) {
        const auto* given = world_.given(i, asked);
        if (given == nullptr || given->fails) continue;
        const bool is_refused =
            given->alias ? asked + 1 + given->alias_ttl > at_ && is_refused_by_set_of(*given->alias)
                         : is_refused_by(*given, asked);
        if (is_refused) return true;
      }
    }
    return false;
  }

 private:
  [[nodiscard]] bool is_refused_by(const Given& given, long asked) const {
    const bool is_held =
        asked < given.expires && at_ < given.expires && asked + 1 + given.ttl > at_;
    return is_held && world_.refuses(given.set, at_);
  }

  // A cache asks for the alias's set while it knows the alias, and any server.
  [[nodiscard]] bool is_refused_by_set_of(const std::string& alias) const {
    for (const auto asked : asked_) {
      if (!may_know(alias, asked)) continue;
      for (const auto& server : world_.servers) {
        const Given* last = nullptr;
        for (const auto& one : server) {
          if (one.alias == alias && one.at <= asked) last = &one;
        }
        if (last != nullptr && is_refused_by(*last, asked)) return true;
      }
    }
    return false;
  }

  [[nodiscard]] bool may_know(const std::string& alias, long when) const {
    return std::ranges::any_of(world_.servers, [&](const auto& server) {
      for (std::size_t i = 0; i < server.size(); ++i) {
        const bool is_over =
            i + 1 < server.size() && server[i + 1].at + server[i].alias_ttl <= when;
        if (server[i].alias == alias && server[i].at <= when && !is_over) return true;
      }
      return false;
    });
  }

  const World& world_;
  long at_;
  std::vector<long> asked_;
};

Texts records_of(int set) {
  Texts out;
  if ((set & 1) != 0) out.emplace_back("3 1 1 KEVEN");
  if ((set & 2) != 0) out.emplace_back("3 1 1 KODD");
  return out;
}

// One host with random rollovers, told twice: to the simulation and to the replay.
class RandomHost {
 public:
  RandomHost(unsigned seed, bool with_aliases) : random_(seed), with_aliases_(with_aliases) {
    const auto servers = static_cast<std::size_t>(below(1, 4));
    world_.servers.resize(servers);
    for (std::size_t i = 0; i < servers; ++i) names_.push_back(fmt::format("ns{}", i));
    story_ = Story(names_, {"a"});
    world_.keys.emplace_back(-kBefore, 0);
    story_.present(-kBefore, {"KEVEN", "INT"});
    ttl_ = below(1, 20) * 300;
    if (with_aliases_) alias_ = "t0.example.test";
    for (std::size_t i = 0; i < servers; ++i) publish(-kBefore, i, 1);
  }

  // A rollover from the key served to the other; any step may come too early, too late, or not at
  // one of the servers. Returns when it is over.
  long roll(long at) {
    const auto new_key = ++key_;
    const int both = 3;
    const int only_new = new_key % 2 == 0 ? 1 : 2;
    const auto begin = at;
    if (below(0, 3) == 0) ttl_ = below(1, 20) * 300;
    if (with_aliases_ && below(0, 2) == 0) alias_ = fmt::format("t{}.example.test", new_key);
    for (std::size_t i = 0; i < names_.size(); ++i)
      changes_.push_back({at + (below(0, 3) == 0 ? below(0, 4000) : 0), i, both});
    const auto deployed = at + below(0, 3 * ttl_);
    const auto removed = at + below(ttl_, 5 * ttl_);
    for (std::size_t i = 0; i < names_.size(); ++i) changes_.push_back({removed, i, only_new});
    std::ranges::stable_sort(changes_, {}, &Change::at);
    auto last = deployed;
    for (const auto& change : changes_) {
      publish(change.at, change.server, change.set);
      last = std::max(last, change.at);
    }
    changes_.clear();
    world_.keys.emplace_back(deployed, new_key);
    story_.present(deployed, {new_key % 2 == 0 ? "KEVEN" : "KODD", "INT"});
    clusters_.push_back({begin, last});
    return last;
  }

  // Where the replay and the caches disagree, over all moments asked.
  void compare() {
    std::vector<long> moments;
    for (const auto& [begin, end] : clusters_) {
      for (int i = 0; i < 16; ++i) moments.push_back(below(begin - 100, end + 2 * kMostTtl));
    }
    std::ranges::sort(moments);
    moments.erase(std::unique(moments.begin(), moments.end()), moments.end());
    std::map<long, double> predicted;
    std::vector<long> edges;
    for (const auto& line : predict(moments)) {
      predicted[line["at"].get<long>()] = line["failing_share"].get<double>();
      for (const auto* edge : {"from", "until"}) {
        if (line["window"].is_null() || line["window"][edge].is_null()) continue;
        for (const long before : {1, 0}) edges.push_back(line["window"][edge].get<long>() - before);
      }
    }
    compare_windows(moments);
    compare_windows(edges);
    for (const auto& [begin, end] : clusters_) {
      std::vector<long> mine;
      for (const auto at : moments) {
        if (at >= begin - 100 && at <= end + 2 * kMostTtl) mine.push_back(at);
      }
      const auto counted = count(begin, mine);
      for (const auto at : mine) {
        EXPECT_NEAR(predicted.at(at), counted.at(at), 0.07) << "at " << at << "\n" << story_.text();
      }
    }
  }

 private:
  struct Change {
    long at;
    std::size_t server;
    int set;
  };
  static constexpr long kBefore = 10 * kDay;
  static constexpr long kMostTtl = 20 * 300;

  long below(long from, long to) {
    return std::uniform_int_distribution<long>(from, to - 1)(random_);
  }

  void publish(long at, std::size_t server, int set) {
    Given given{.at = at, .alias = alias_, .alias_ttl = 1800, .set = set, .ttl = ttl_};
    const bool ends = below(0, 6) == 0;
    given.expires = ends ? at + below(ttl_, 30 * kDay) : at + 400 * kDay;
    // A signature that ends is renewed in time, or else the server has no answer for the rest.
    world_.servers[server].push_back(given);
    if (alias_) story_.alias(at, *alias_, 1800, names_[server]);
    story_.publish(at, records_of(set), ttl_, names_[server]).signed_until(given.expires);
  }

  // What the replay says of those moments and of all at which the state turns.
  std::vector<nlohmann::json> predict(const std::vector<long>& moments) {
    auto out = story_.ask(moments).played();
    std::erase_if(out, [](const auto& line) { return !line.contains("state"); });
    return out;
  }

  // A window is where some cache may hold a set that refuses what is served, and nowhere else.
  void compare_windows(const std::vector<long>& moments) {
    for (const auto& line : predict(moments)) {
      const auto at = line["at"].get<long>();
      EXPECT_EQ(!line["window"].is_null(), Possible(world_, at).is_refusal())
          << "at " << at << ": " << line.dump() << "\n"
          << story_.text();
    }
  }

  // The share of simulated caches that refuse what is served.
  std::map<long, double> count(long begin, const std::vector<long>& moments) {
    std::map<long, double> out;
    for (int i = 0; i < kCaches; ++i) {
      Cache cache(world_, begin - 4 * kMostTtl, random_);
      for (const auto at : moments) {
        const auto set = cache.set_at(at);
        out[at] += set && world_.refuses(*set, at) ? 1.0 / kCaches : 0;
      }
    }
    return out;
  }

  std::mt19937 random_;
  bool with_aliases_;
  World world_;
  Texts names_;
  Story story_;
  std::optional<std::string> alias_;
  long ttl_ = 300;
  int key_ = 0;
  std::vector<Change> changes_;
  std::vector<std::pair<long, long>> clusters_;
};

TEST(Rollovers, FailAsSimulatedCachesDoOverAYear) {
  const auto from = support::simulated_from();
  for (auto host = from; host < from + support::simulated_histories(); ++host) {
    SCOPED_TRACE(fmt::format("host {}", host));
    RandomHost world(static_cast<unsigned>(host), host % 3 == 0);
    for (long at = 0; at < 365 * kDay;) at = world.roll(at) + 60 * kDay;
    world.compare();
    if (HasFailure()) break;
  }
}

}  // namespace
