#include <algorithm>
#include <map>
#include <optional>
#include <random>
#include <set>

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "tests/support/simulated.h"
#include "tests/support/story.h"

// Random histories of one host, played twice: by the replay, and by resolvers simulated one by one,
// which share no line with it. Every value that the replay gives is held against the one predicate:
// a host is safe at a moment if every set that some cache may hold then fits what it presents.
//
// DANELAW_SIMULATED_HISTORIES=5000 plays as many, DANELAW_SIMULATED_FROM=77 begins with that one.
namespace {

using support::Story;
using support::Texts;

constexpr long kBefore = 200'000;  // seconds before the first change
constexpr int kCaches = 400;
constexpr double kTolerance = 0.11;  // four standard deviations, and what spread phases leave out
constexpr long kNoEnd = 1'000'000'000;

// Records: bits 0 to 2 are those of the keys, bit 3 is that of the CA, which fits every key.
constexpr int kCa = 8;

// What a server's zone holds from a moment on.
struct Zone {
  long at = 0;
  bool fails = false;
  std::string alias;  // of the owner; empty: the set is the owner's own
  long alias_ttl = 0;
  int set = 0;
  long ttl = 0;
  long expires = kNoEnd;
};

struct World {
  std::vector<std::vector<Zone>> servers;
  std::vector<std::vector<std::pair<long, int>>> endpoints;  // which key from when on

  [[nodiscard]] const Zone& zone(std::size_t server, double at) const {
    const auto* out = &servers[server].front();
    for (const auto& zone : servers[server]) {
      if (static_cast<double>(zone.at) <= at) out = &zone;
    }
    return *out;
  }
  [[nodiscard]] int key(std::size_t endpoint, double at) const {
    auto out = endpoints[endpoint].front().second;
    for (const auto& [from, key] : endpoints[endpoint]) {
      if (static_cast<double>(from) <= at) out = key;
    }
    return out;
  }
  [[nodiscard]] std::set<int> keys(double at) const {
    std::set<int> out;
    for (std::size_t i = 0; i < endpoints.size(); ++i) out.insert(key(i, at));
    return out;
  }
  // The set of a name: of the owner, or of an alias, that keeps what it had last.
  [[nodiscard]] const Zone* data(std::size_t server, const std::string& name, double at) const {
    if (zone(server, at).fails) return nullptr;
    const Zone* out = nullptr;
    for (const auto& one : servers[server]) {
      if (static_cast<double>(one.at) <= at && !one.fails && one.alias == name) out = &one;
    }
    if (out == nullptr || static_cast<double>(out->expires) <= at) return nullptr;
    return out;
  }
  [[nodiscard]] std::vector<long> changes() const {
    std::set<long> out;
    for (const auto& server : servers) {
      for (const auto& zone : server) {
        out.insert(zone.at);
        if (zone.expires != kNoEnd) out.insert(zone.expires);
      }
    }
    return {out.begin(), out.end()};
  }
  // What is known at that moment, and goes on for ever.
  [[nodiscard]] World until(long at) const {
    auto out = *this;
    for (auto& server : out.servers)
      std::erase_if(server, [&](const Zone& zone) { return zone.at > at; });
    for (auto& endpoint : out.endpoints)
      std::erase_if(endpoint, [&](const auto& shown) { return shown.first > at; });
    return out;
  }
};

// Of a key that nobody has seen yet the issuer is not known either.
constexpr int kOfAnyIssuer = 100;

bool refuses(int set, int key) {
  if (key >= kOfAnyIssuer) return set != 0 && (set & (1 << (key - kOfAnyIssuer))) == 0;
  return set != 0 && (set & kCa) == 0 && (set & (1 << key)) == 0;
}

// All that some cache may hold at one moment, whichever servers it has asked and whenever. A moment
// "just before" another is half a second before it: all times are whole seconds.
class Possible {
 public:
  Possible(const World& world, double at) : world_(world), at_(at) {
    std::set<double> asked{at};
    for (const auto change : world.changes()) asked.insert(static_cast<double>(change) - 0.5);
    for (const auto& server : world.servers) {
      for (std::size_t i = 0; i < server.size(); ++i) {
        // The last moment at which somebody knows an alias that is gone.
        if (i + 1 < server.size() && !server[i].alias.empty())
          asked.insert(static_cast<double>(server[i + 1].at + server[i].alias_ttl) - 0.5);
      }
    }
    for (const auto when : asked) {
      if (when <= at) asked_.push_back(when);
    }
    collect();
  }

  [[nodiscard]] bool refuses_any_of(const std::set<int>& keys) const {
    return std::ranges::any_of(sets_, [&](int set) {
      return std::ranges::any_of(keys, [&](int key) { return refuses(set, key); });
    });
  }

 private:
  static bool is_kept(double asked, long ttl, double at) {
    return asked == at || asked + static_cast<double>(ttl) > at;
  }

  void collect() {
    std::set<std::string> names{""};
    for (const auto& server : world_.servers) {
      for (const auto& zone : server) names.insert(zone.alias);
    }
    for (const auto& name : names) {
      if (!name.empty() && !is_known(name, at_)) continue;
      for (const auto when : asked_) {
        if (!name.empty() && !is_known(name, when)) continue;
        for (std::size_t i = 0; i < world_.servers.size(); ++i) {
          if (name.empty() && !world_.zone(i, when).alias.empty()) continue;
          const auto* data = world_.data(i, name, when);
          if (data != nullptr && static_cast<double>(data->expires) > at_ &&
              is_kept(when, data->ttl, at_))
            sets_.insert(data->set);
        }
      }
    }
  }

  // Somebody who asked for the owner then or before knows that it is the alias.
  [[nodiscard]] bool is_known(const std::string& alias, double when) const {
    auto asked = asked_;
    asked.push_back(when);
    return std::ranges::any_of(asked, [&](double then) {
      if (then > when) return false;
      for (std::size_t i = 0; i < world_.servers.size(); ++i) {
        const auto& zone = world_.zone(i, then);
        if (!zone.fails && zone.alias == alias && is_kept(then, zone.alias_ttl, when)) return true;
      }
      return false;
    });
  }

  const World& world_;
  double at_;
  std::vector<double> asked_;
  std::set<int> sets_;
};

// A resolver that is asked all the time.
class Resolver {
 public:
  Resolver(const World& world, long begin, std::mt19937& random)
      : world_(world), random_(random), changes_(world.changes()), now_(begin) {
    ask_owner();
    owner_until_ = begin + 1 + below(std::max(1L, owner_until_ - begin));
    if (!alias_.empty()) {
      ask_set();
      auto& entry = sets_[alias_];
      entry.until = begin + 1 + below(std::max(1L, entry.until - begin));
    }
  }

  // The set it holds at that moment, after asking for what has ended; nothing without an answer.
  std::optional<int> set_at(long at) {
    for (int in_vain = 0;;) {
      const auto next = next_end();
      if (next > at) break;
      now_ = std::max(now_, next);
      if (owner_until_ <= now_) ask_owner();
      if (knows_owner_ && !alias_.empty() && sets_[alias_].until <= now_) ask_set();
      if (now_ >= at) break;
      // Where nothing is kept the next mail asks a second later; after many the last one will do.
      if (next_end() > now_) {
        in_vain = 0;
      } else if (++in_vain < 40) {
        ++now_;
      } else {
        in_vain = 0;
        now_ = next_of_note();
      }
      now_ = std::min(now_, at);
    }
    if (!knows_owner_) return std::nullopt;
    return alias_.empty() ? own_ : sets_[alias_].set;
  }

 private:
  struct Entry {
    std::optional<int> set;
    long until = 0;
  };

  long next_end() {
    if (!knows_owner_ || alias_.empty()) return owner_until_;
    return std::min(owner_until_, sets_[alias_].until);
  }
  long below(long n) { return std::uniform_int_distribution<long>(0, n - 1)(random_); }
  long next_change() const {
    const auto next = std::ranges::upper_bound(changes_, now_);
    return next == changes_.end() ? kNoEnd : *next;
  }
  // When asking in vain may come to an end.
  long next_of_note() {
    auto out = next_change();
    for (const auto end : {owner_until_, sets_[alias_].until}) {
      if (end > now_) out = std::min(out, end);
    }
    return out;
  }
  template <class Answers>
  std::optional<std::size_t> choose(Answers answers) {
    answering_.clear();
    for (std::size_t i = 0; i < world_.servers.size(); ++i) {
      if (answers(i)) answering_.push_back(i);
    }
    if (answering_.empty()) return std::nullopt;
    return answering_[static_cast<std::size_t>(below(static_cast<long>(answering_.size())))];
  }

  void ask_owner() {
    const auto at = static_cast<double>(now_);
    const auto server = choose([&](std::size_t i) {
      const auto& zone = world_.zone(i, at);
      return !zone.fails && (!zone.alias.empty() || zone.expires > now_);
    });
    knows_owner_ = server.has_value();
    if (!server) {
      owner_until_ = next_change();
      return;
    }
    const auto& zone = world_.zone(*server, at);
    alias_ = zone.alias;
    own_ = zone.set;
    owner_until_ = alias_.empty() ? std::min(now_ + zone.ttl, zone.expires) : now_ + zone.alias_ttl;
  }

  void ask_set() {
    const auto at = static_cast<double>(now_);
    const auto server =
        choose([&](std::size_t i) { return world_.data(i, alias_, at) != nullptr; });
    auto& entry = sets_[alias_];
    if (!server) {
      entry = {std::nullopt, next_change()};
      return;
    }
    const auto* data = world_.data(*server, alias_, at);
    entry = {data->set, std::min(now_ + data->ttl, data->expires)};
  }

  const World& world_;
  std::mt19937& random_;
  std::vector<long> changes_;
  long now_;
  bool knows_owner_ = false;
  std::string alias_;
  int own_ = 0;
  long owner_until_ = 0;
  std::map<std::string, Entry> sets_;
  std::vector<std::size_t> answering_;  // of the question that is being asked
};

// One history, told to the simulation and to the replay.
class RandomHost {
 public:
  explicit RandomHost(unsigned seed) : random_(seed) {
    const auto servers = below(1, 4);
    for (long i = 0; i < servers; ++i) names_.push_back(fmt::format("ns{}", i));
    const auto endpoints = below(1, 3);
    for (long i = 0; i < endpoints; ++i) endpoints_.push_back(fmt::format("e{}", i));
    story_ = Story(names_, endpoints_);
    world_.servers.resize(names_.size());
    world_.endpoints.resize(endpoints_.size());
    ttl_ = any_ttl();
    if (one_in(2)) alias_ = "t0.example.test";
    alias_ttl_ = any_ttl();
    const int first = one_in(5) ? 1 | kCa : 1;
    for (std::size_t i = 0; i < names_.size(); ++i) publish(-kBefore, i, first);
    for (std::size_t i = 0; i < endpoints_.size(); ++i) present(-kBefore, i, 0);
    long at = 0;
    for (auto left = below(3, 9); left > 0; --left) {
      step(at);
      at += one_in(6) ? 0 : 1 + below(0, one_in(2) ? 500 : 5000);
    }
    last_ = at;
  }

  void compare() {
    std::vector<long> moments;
    for (int i = 0; i < 10; ++i) moments.push_back(below(-500, last_ + 4000));
    for (const auto& [at, line] : asked(moments)) {
      SCOPED_TRACE(fmt::format("{}\n{}", line.dump(), story_.text()));
      for (const auto* edge : {"from", "until"}) {
        if (line["window"].is_null() || line["window"][edge].is_null()) continue;
        for (const long before : {1, 0})
          moments.push_back(line["window"][edge].get<long>() - before);
      }
      if (testing::Test::HasFailure()) return;
    }
    std::ranges::sort(moments);
    moments.erase(std::unique(moments.begin(), moments.end()), moments.end());
    const auto counted = count(moments);
    for (const auto& [at, line] : asked(moments)) {
      if (!std::ranges::binary_search(moments, at)) continue;
      SCOPED_TRACE(fmt::format("{}\n{}", line.dump(), story_.text()));
      EXPECT_EQ(!line["window"].is_null(),
                Possible(world_, static_cast<double>(at))
                    .refuses_any_of(world_.keys(static_cast<double>(at))));
      if (!is_in_between(at)) {
        EXPECT_NEAR(line["failing_share"].get<double>(), counted.at(at), kTolerance);
      }
      check_switch(at, line);
      check_removal(at, line);
      if (testing::Test::HasFailure()) return;
    }
    check_grades();
  }

  [[nodiscard]] int checked_switches() const { return checked_switches_; }
  [[nodiscard]] int checked_removals() const { return checked_removals_; }
  [[nodiscard]] int checked_grades() const { return checked_grades_; }

 private:
  long below(long from, long to) {
    return std::uniform_int_distribution<long>(from, to - 1)(random_);
  }
  bool one_in(long n) { return below(0, n) == 0; }
  long any_ttl() {
    constexpr long kTtls[] = {0, 60, 300, 900, 3600, 3600, 7200};
    return kTtls[below(0, 7)];
  }

  void step(long at) {
    const int mine = 1 << key_;
    const int next = 1 << ((key_ + 1) % 3);
    switch (below(0, 9)) {
      case 0:
      case 1:
        return publish_somewhere(at, mine | next);
      case 2:
        return publish_somewhere(at, one_in(2) ? next : mine);
      case 3:
        return publish_somewhere(at, one_in(3) ? 0 : mine | next | kCa);
      case 4:
        for (std::size_t i = 0; i < names_.size(); ++i) {
          if (one_in(2)) fail(at, i);
        }
        return;
      case 5: {
        alias_ = one_in(3) ? "" : fmt::format("t{}.example.test", below(0, 2));
        alias_ttl_ = any_ttl();
        const int set = one_in(2) ? mine : mine | next;
        for (std::size_t i = 0; i < names_.size(); ++i) publish(at, i, set);
        return;
      }
      case 6:
        return publish_somewhere(at, sets_now_);
      default:
        if (one_in(4)) {  // back to the one before
          key_ = (key_ + 2) % 3;
        } else {
          key_ = (key_ + 1) % 3;
        }
        const bool is_partial = endpoints_.size() > 1 && one_in(3);
        for (std::size_t i = is_partial ? 1 : 0; i < endpoints_.size(); ++i) present(at, i, key_);
    }
  }

  void publish_somewhere(long at, int set) {
    if (one_in(3)) ttl_ = any_ttl();
    sets_now_ = set;
    const bool lags = names_.size() > 1 && one_in(3);
    for (std::size_t i = lags ? 1 : 0; i < names_.size(); ++i) publish(at, i, set);
  }

  static Texts records_of(int set) {
    Texts out;
    for (int key = 0; key < 3; ++key) {
      if ((set & (1 << key)) != 0) out.push_back(fmt::format("3 1 1 K{}", key));
    }
    if ((set & kCa) != 0) out.emplace_back("2 1 1 INT");
    return out;
  }

  // A later change of the same second counts.
  void put(std::size_t server, Zone zone) {
    auto& zones = world_.servers[server];
    if (!zones.empty() && zones.back().at == zone.at) zones.pop_back();
    zones.push_back(std::move(zone));
  }

  void publish(long at, std::size_t server, int set) {
    Zone zone{.at = at, .alias = alias_, .alias_ttl = alias_ttl_, .set = set, .ttl = ttl_};
    if (at >= 0 && one_in(8)) zone.expires = at + below(1, 8000);
    auto& zones = world_.servers[server];
    const bool had_alias = !zones.empty() && !zones.back().alias.empty();
    if (!alias_.empty())
      story_.alias(at, alias_, alias_ttl_, names_[server]);
    else if (had_alias)
      story_.no_alias(at, names_[server]);
    story_.publish(at, records_of(set), ttl_, names_[server]);
    if (zone.expires != kNoEnd) story_.signed_until(zone.expires);
    put(server, zone);
  }

  void fail(long at, std::size_t server) {
    auto zone = world_.servers[server].back();
    zone.at = at;
    zone.fails = true;
    story_.fail(at, names_[server]);
    put(server, zone);
  }

  void present(long at, std::size_t endpoint, int key) {
    auto& shown = world_.endpoints[endpoint];
    if (!shown.empty() && shown.back().first == at) shown.pop_back();
    shown.emplace_back(at, key);
    story_.present(at, {fmt::format("K{}", key), "INT"}, endpoints_[endpoint]);
  }

  std::map<long, nlohmann::json> asked(const std::vector<long>& moments) {
    std::map<long, nlohmann::json> out;
    for (auto& line : story_.ask(moments).played()) {
      if (line.contains("state")) out[line["at"].get<long>()] = line;
    }
    return out;
  }

  std::map<long, double> count(const std::vector<long>& moments) {
    std::map<long, double> out;
    for (int i = 0; i < kCaches; ++i) {
      Resolver resolver(world_, std::min(moments.front(), 0L) - 15'000, random_);
      for (const auto at : moments) {
        const auto set = resolver.set_at(at);
        for (std::size_t endpoint = 0; endpoint < endpoints_.size(); ++endpoint) {
          const bool is_refused =
              set && refuses(*set, world_.key(endpoint, static_cast<double>(at)));
          out[at] += is_refused ? 1.0 / kCaches / static_cast<double>(endpoints_.size()) : 0;
        }
      }
    }
    return out;
  }

  // Right after a change, while one server gives what is not kept and another what is: caches take
  // some seconds to have asked the other.
  bool is_in_between(long at) const {
    bool has_changed = false;
    std::set<bool> kept;
    for (std::size_t i = 0; i < names_.size(); ++i) {
      const auto& zone = world_.zone(i, static_cast<double>(at));
      has_changed = has_changed || (zone.at <= at && at - zone.at < 60);
      if (!zone.fails) kept.insert(zone.ttl > 0);
    }
    return has_changed && kept.size() > 1;
  }

  // The keys whose records some server gives now, and that no endpoint presents.
  std::set<int> waiting_at(long at) const {
    std::set<int> out;
    const auto now = static_cast<double>(at);
    for (std::size_t i = 0; i < names_.size(); ++i) {
      const auto* data = world_.data(i, world_.zone(i, now).alias, now);
      for (int key = 0; key < 3 && data != nullptr; ++key) {
        if ((data->set & (1 << key)) != 0 && !world_.keys(now).contains(key))
          out.insert(kOfAnyIssuer + key);
      }
    }
    return out;
  }

  void check_switch(long at, const nlohmann::json& line) {
    const auto waiting = waiting_at(at);
    if (line["safe_to_switch_at"].is_null() || line["state"] == "withdrawn") return;
    if (waiting.size() != 1) return;  // whose it is is not said
    ++checked_switches_;
    const auto safe = line["safe_to_switch_at"].get<long>();
    const auto known = world_.until(at);
    for (const auto later : {0L, 1L, 100L, 5000L}) {
      const auto then = static_cast<double>(std::max(safe, at) + later);
      EXPECT_FALSE(Possible(known, then).refuses_any_of(waiting)) << "too early, at " << then;
    }
    if (safe > at) {
      EXPECT_TRUE(Possible(known, static_cast<double>(safe - 1)).refuses_any_of(waiting))
          << "too late";
    }
  }

  void check_removal(long at, const nlohmann::json& line) {
    if (line["safe_to_remove_at"].is_null()) return;
    ++checked_removals_;
    EXPECT_LE(line["safe_to_remove_at"].get<long>(), at);
    auto known = world_.until(at);
    const auto keys = known.keys(static_cast<double>(at));
    int in_use = kCa;
    for (const auto key : keys) in_use |= 1 << key;
    for (auto& server : known.servers) {
      auto zone = server.back();
      if (zone.fails) continue;
      zone.at = at + 1;
      zone.set &= in_use;
      server.push_back(zone);
    }
    for (const auto later : {1L, 2L, 100L, 5000L}) {
      EXPECT_FALSE(Possible(known, static_cast<double>(at + later)).refuses_any_of(keys))
          << "removal hurts at " << at + later;
    }
  }

  void check_grades() {
    const auto printed = story_.played().back();
    for (const auto& rollover : printed["rollovers"]) {
      const auto grade = rollover["grade"].get<std::string>();
      const auto deployed = rollover["deployed_at"].get<long>();
      const int to = rollover["to"].get<std::string>()[1] - '0';
      const bool is_refused = Possible(world_, static_cast<double>(deployed)).refuses_any_of({to});
      const bool is_good = grade == "safe" || grade == "tight" || grade == "safe-via-ta";
      if (grade == "early-retire" || grade == "indeterminate") continue;
      ++checked_grades_;
      EXPECT_EQ(is_refused, !is_good) << rollover.dump() << "\n" << story_.text();
    }
  }

  std::mt19937 random_;
  World world_;
  Texts names_;
  Texts endpoints_;
  Story story_;
  std::string alias_;
  long alias_ttl_ = 300;
  long ttl_ = 300;
  int key_ = 0;
  int sets_now_ = 1;
  long last_ = 0;
  int checked_switches_ = 0;
  int checked_removals_ = 0;
  int checked_grades_ = 0;
};

TEST(SimulatedCaches, AgreeWithAllThatTheReplaySays) {
  const auto from = support::simulated_from();
  const auto histories = support::simulated_histories();
  int switches = 0;
  int removals = 0;
  int grades = 0;
  for (auto seed = from; seed < from + histories; ++seed) {
    SCOPED_TRACE(fmt::format("history {}", seed));
    RandomHost host(static_cast<unsigned>(seed));
    host.compare();
    switches += host.checked_switches();
    removals += host.checked_removals();
    grades += host.checked_grades();
    if (HasFailure()) break;
  }
  // What was never compared would agree, too.
  if (histories < 200 || HasFailure()) return;
  EXPECT_GT(switches, 50);
  EXPECT_GT(removals, 20);
  EXPECT_GT(grades, 50);
}

}  // namespace
