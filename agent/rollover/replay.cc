#include "agent/rollover/replay.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <set>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "agent/rollover/rollover.h"
#include "probes/dane/usable.h"

namespace agent {
namespace {

using config::Failure;
using config::Result;
using config::Seconds;
using config::Time;
using Json = nlohmann::json;
using Printed = nlohmann::ordered_json;
using probes::dane::TlsaRecord;

// Bounds of what one file may ask for: more than any real story, less than harm.
constexpr std::size_t kMostEvents = 20'000;
constexpr std::size_t kMostNames = 64;
constexpr std::size_t kMostRecords = 64;
constexpr std::size_t kMostMoments = 20'000;
constexpr double kMostSeconds = 1e10;  // three centuries

struct Wrong {
  std::string what;
};

// "3 1 1 K1": the record made from the certificate that is called K1.
struct PaperRecord {
  TlsaRecord fields;  // without data
  std::string of;
  auto operator<=>(const PaperRecord&) const = default;
};

PaperRecord parse_record(const std::string& text) {
  unsigned usage = 0, selector = 0, matching_type = 0;
  int end = 0;
  const bool is_whole =
      std::sscanf(text.c_str(), "%3u %3u %3u %n", &usage, &selector, &matching_type, &end) == 3 &&
      end > 0 && usage < 256 && selector < 256 && matching_type < 256;
  const auto of = is_whole ? text.substr(static_cast<std::size_t>(end)) : "";
  if (of.empty() || of.find(' ') != std::string::npos)
    throw Wrong{fmt::format("the record \"{}\": write it as \"3 1 1 K1\"", text.substr(0, 60))};
  return {{static_cast<std::uint8_t>(usage),
           static_cast<std::uint8_t>(selector),
           static_cast<std::uint8_t>(matching_type),
           {}},
          of};
}

// Whether the record fits a chain, taking every path, name and date as good: DANE-EE(3) the leaf,
// DANE-TA(2) anything above it.
bool fits(const PaperRecord& record, const std::vector<std::string>& chain) {
  const auto begin = chain.begin() + (record.fields.usage == probes::dane::kDaneEe ? 0 : 1);
  const auto end = record.fields.usage == probes::dane::kDaneEe ? begin + 1 : chain.end();
  return std::find(begin, end, record.of) != end;
}

// The records that a sender compares. A record on input has the length its digest must have.
std::vector<std::size_t> compared(const std::vector<PaperRecord>& records) {
  using namespace probes::dane;
  std::vector<TlsaRecord> digests;
  std::vector<std::size_t> index;
  std::vector<std::size_t> out;
  for (std::size_t i = 0; i < records.size(); ++i) {
    auto record = records[i].fields;
    const bool is_full = record.matching_type == kFull;
    // Full(0) is taken to be well-formed, and is compared whenever its fields are.
    if (is_full) record.matching_type = kSha256;
    record.data.assign(record.matching_type == kSha512 ? 64 : 32, 0);
    if (!is_full) {
      digests.push_back(record);
      index.push_back(i);
    } else if (!why_unusable(record)) {
      out.push_back(i);
    }
  }
  for (const auto i : records_compared(digests, Digests::sha512_first)) out.push_back(index[i]);
  std::ranges::sort(out);
  return out;
}

// One server or endpoint changes.
struct Event {
  Time at;
  std::vector<std::size_t> servers;
  std::vector<std::size_t> endpoints;
  Json what;
};

const Json& member(const Json& object, const char* key, Json::value_t type, const char* wanted) {
  const auto found = object.find(key);
  if (found == object.end() || found->type() != type)
    throw Wrong{fmt::format("\"{}\" must be {}", key, wanted)};
  return *found;
}

Time time_of(const Json& number, const char* key) {
  if (!number.is_number() || std::abs(number.get<double>()) > kMostSeconds)
    throw Wrong{fmt::format("\"{}\" must be a number of seconds", key)};
  return Time{Seconds{std::llround(number.get<double>())}};
}

Seconds seconds_of(const Json& event, const char* key) {
  const auto found = event.find(key);
  if (found == event.end()) throw Wrong{fmt::format("\"{}\" is missing", key)};
  const auto out = time_of(*found, key).time_since_epoch();
  if (out < Seconds{0} || out > std::chrono::hours{24} * 3653)
    throw Wrong{fmt::format("\"{}\" must be a number of seconds from 0 to ten years", key)};
  return out;
}

std::vector<std::string> texts_of(const Json& object, const char* key, std::size_t most) {
  std::vector<std::string> out;
  for (const auto& item : member(object, key, Json::value_t::array, "a list of strings")) {
    if (!item.is_string() || item.get<std::string>().empty())
      throw Wrong{fmt::format("\"{}\" must be a list of strings", key)};
    if (out.size() == most) throw Wrong{fmt::format("\"{}\" has more than {} items", key, most)};
    out.push_back(item.get<std::string>());
  }
  return out;
}

std::vector<Time> times_of(const Json& object, const char* key) {
  std::vector<Time> out;
  const auto found = object.find(key);
  if (found == object.end() || found->is_null()) return out;
  if (!found->is_array() || found->size() > kMostMoments)
    throw Wrong{fmt::format("\"{}\" must be a list of at most {} moments", key, kMostMoments)};
  for (const auto& item : *found) out.push_back(time_of(item, key));
  std::ranges::sort(out);
  out.erase(std::unique(out.begin(), out.end()), out.end());
  return out;
}

// The whole file, read.
class ReplayInput {
 public:
  explicit ReplayInput(const Json& json) {
    if (!json.is_object()) throw Wrong{"the file must hold one JSON object"};
    const auto schema = json.find("schema");
    if (schema == json.end() || *schema != "danelaw.replay/1")
      throw Wrong{"\"schema\" must be \"danelaw.replay/1\""};
    servers_ = texts_of(json, "servers", kMostNames);
    endpoints_ = texts_of(json, "endpoints", kMostNames);
    if (servers_.empty()) throw Wrong{"\"servers\" must name at least one"};
    const auto& events = member(json, "events", Json::value_t::array, "a list of events");
    if (events.size() > kMostEvents)
      throw Wrong{fmt::format("\"events\" has more than {} items", kMostEvents)};
    for (std::size_t i = 0; i < events.size(); ++i) {
      try {
        read(events[i]);
      } catch (const Wrong& wrong) {
        throw Wrong{fmt::format("events[{}]: {}", i, wrong.what)};
      }
    }
    std::ranges::stable_sort(events_, {}, &Event::at);
    asked_ = times_of(json, "ask");
    if (json.contains("scans") && !json["scans"].is_null()) scans_ = times_of(json, "scans");
    apply();
  }

  [[nodiscard]] const std::vector<Time>& asked() const { return asked_; }
  [[nodiscard]] const std::optional<std::vector<Time>>& scans() const { return scans_; }
  // What happened.
  [[nodiscard]] const History& history() const { return history_; }

  // What looks at those moments, up to `until`, could see of it.
  [[nodiscard]] History seen(Time until) const {
    auto out = history_;
    for (auto& server : out.servers) server = sampled(server, until);
    for (auto& endpoint : out.endpoints) endpoint.presented = sampled(endpoint.presented, until);
    const auto end = std::ranges::upper_bound(*scans_, until);
    out.known_until = end == scans_->begin() ? until : *std::prev(end);
    return out;
  }

 private:
  void read(const Json& event) {
    if (!event.is_object()) throw Wrong{"must be an object"};
    if (!event.contains("at")) throw Wrong{"\"at\" is missing"};
    Event out{.at = time_of(event["at"], "at"), .what = event};
    if (event.contains("server")) out.servers = chosen(event["server"], servers_, "server");
    if (event.contains("endpoint"))
      out.endpoints = chosen(event["endpoint"], endpoints_, "endpoint");
    if (out.servers.empty() == out.endpoints.empty())
      throw Wrong{"name either a \"server\" or an \"endpoint\""};
    events_.push_back(std::move(out));
  }

  static std::vector<std::size_t> chosen(const Json& name, const std::vector<std::string>& names,
                                         const char* key) {
    std::vector<std::size_t> out;
    for (std::size_t i = 0; i < names.size(); ++i) {
      if (name == "*" || name == names[i]) out.push_back(i);
    }
    if (out.empty())
      throw Wrong{fmt::format("\"{}\" must be \"*\" or one of the \"{}s\"", key, key)};
    return out;
  }

  void apply() {
    history_.servers.resize(servers_.size());
    for (const auto& name : endpoints_) history_.endpoints.push_back({name, {}});
    for (const auto& event : events_) {
      for (const auto server : event.servers) publish(history_.servers[server], event);
      for (const auto endpoint : event.endpoints)
        put(history_.endpoints[endpoint].presented,
            Presented{.began = {event.at, event.at}, .chain = chain_of(event.what)});
    }
    // What is named first has always been so.
    for (auto& server : history_.servers) {
      if (!server.empty()) server.front().began = {events_[0].at, events_[0].at};
    }
    for (auto& endpoint : history_.endpoints) {
      if (!endpoint.presented.empty())
        endpoint.presented.front().began = {events_[0].at, events_[0].at};
    }
    for (const auto& record : records_) {
      history_.records.push_back(record.fields);
      std::vector<bool> row;
      for (const auto& chain : history_.chains) row.push_back(fits(record, chain));
      history_.fits.push_back(row);
    }
  }

  // A later event of the same moment counts on top of an earlier one.
  template <class Item>
  static void put(std::vector<Item>& items, Item item) {
    if (!items.empty() && items.back().began == item.began) items.pop_back();
    items.push_back(std::move(item));
  }

  void publish(std::vector<Publication>& server, const Event& event) {
    const auto& what = event.what;
    auto next = server.empty() ? Publication{.set = set_of({})} : server.back();
    next.began = {event.at, event.at};
    next.fails = what.contains("error");
    if (const auto alias = what.find("alias"); alias != what.end()) {
      if (!alias->is_null() && !alias->is_string())
        throw Wrong{"\"alias\" must be a name, or null for none"};
      next.alias = alias->is_null() ? std::nullopt : std::optional{alias->get<std::string>()};
      next.alias_ttl = next.alias ? seconds_of(what, "ttl") : Seconds{0};
    }
    if (what.contains("tlsa")) {
      std::vector<PaperRecord> records;
      for (const auto& text : texts_of(what, "tlsa", kMostRecords))
        records.push_back(parse_record(text));
      next.set = set_of(std::move(records));
      // The proof of absence has its own TTL, which demands nothing of anybody.
      if (what.contains("ttl") || what["tlsa"].size() > 0) next.ttl = seconds_of(what, "ttl");
      next.expires_at = std::nullopt;
      if (const auto end = what.find("rrsig_expires_at"); end != what.end() && !end->is_null())
        next.expires_at = time_of(*end, "rrsig_expires_at");
    }
    if (!next.fails && !what.contains("alias") && !what.contains("tlsa"))
      throw Wrong{"a server's event has \"tlsa\", \"alias\" or \"error\""};
    put(server, std::move(next));
  }

  std::size_t chain_of(const Json& what) {
    const auto chain = texts_of(what, "chain", kMostRecords);
    if (chain.empty()) throw Wrong{"\"chain\" must name at least the leaf"};
    return index_of(history_.chains, chain);
  }

  std::size_t set_of(std::vector<PaperRecord> records) {
    std::ranges::sort(records);
    records.erase(std::unique(records.begin(), records.end()), records.end());
    RecordSet set;
    for (const auto& record : records) set.records.push_back(index_of(records_, record));
    for (const auto i : compared(records)) set.compared.push_back(set.records[i]);
    return index_of(history_.sets, set);
  }

  template <class Item>
  static std::size_t index_of(std::vector<Item>& items, const Item& item) {
    const auto found = std::ranges::find(items, item);
    if (found != items.end()) return static_cast<std::size_t>(found - items.begin());
    items.push_back(item);
    return items.size() - 1;
  }

  // What the looks saw of one server or endpoint: what had changed at each, and since when at most.
  template <class Item>
  std::vector<Item> sampled(const std::vector<Item>& items, Time until) const {
    std::vector<Item> out;
    const Item* last = nullptr;
    auto before = kEver;
    for (const auto scan : *scans_) {
      if (scan > until) break;
      const auto* now = item_at(items, scan);
      if (now != nullptr && (last == nullptr || !is_same(*now, *last))) {
        out.push_back(*now);
        out.back().began = {before, scan};
      }
      if (now != nullptr) last = now;
      before = scan;
    }
    return out;
  }

  template <class Item>
  static bool is_same(Item a, const Item& b) {
    a.began = b.began;
    return a == b;
  }

  std::vector<std::string> servers_;
  std::vector<std::string> endpoints_;
  std::vector<Event> events_;
  std::vector<Time> asked_;
  std::optional<std::vector<Time>> scans_;
  std::vector<PaperRecord> records_;
  History history_;
};

Printed number(const std::optional<Time>& time) {
  return time ? Printed(time->time_since_epoch().count()) : Printed(nullptr);
}

Printed number(const std::optional<Seconds>& seconds) {
  return seconds ? Printed(seconds->count()) : Printed(nullptr);
}

// To a millionth: beyond that it is arithmetic.
Printed number(const std::optional<double>& value) {
  return value ? Printed(std::round(*value * 1e6) / 1e6 + 0.0) : Printed(nullptr);
}

std::string line(const RolloverStanding& standing) {
  Printed window = nullptr;
  if (standing.window)
    window = {{"from", number(std::optional{standing.window->from})},
              {"until", number(standing.window->until)}};
  Printed findings = Printed::array();
  for (const auto code : standing.findings) findings.push_back(probes::wire_name(code));
  const Printed out{{"at", number(std::optional{standing.at})},
                    {"state", wire_name(standing.state)},
                    {"failing_share", number(standing.failing_share)},
                    {"window", window},
                    {"safe_to_switch_at", number(standing.safe_to_switch_at)},
                    {"recommended_switch_at", number(standing.recommended_switch_at)},
                    {"safe_to_remove_at", number(standing.safe_to_remove_at)},
                    {"findings", findings}};
  return out.dump() + "\n";
}

std::string line(const std::vector<Rollover>& rollovers) {
  Printed list = Printed::array();
  for (const auto& rollover : rollovers) {
    list.push_back({{"from", rollover.from},
                    {"to", rollover.to},
                    {"grade", wire_name(rollover.grade)},
                    {"lead", {number(rollover.lead_at_least), number(rollover.lead_at_most)}},
                    {"exposure_seconds", number(rollover.exposure_seconds)},
                    {"deployed_at", number(std::optional{rollover.deployed_at})}});
  }
  return Printed{{"rollovers", list}}.dump(-1, ' ', false, Printed::error_handler_t::replace) +
         "\n";
}

// The states at `moments`: all those asked for, of the others only where the state turns.
template <class StandingAt>
std::string states(const std::set<Time>& moments, const std::vector<Time>& asked,
                   StandingAt standing_at) {
  std::string out;
  std::optional<RolloverState> before;
  for (const auto at : moments) {
    const auto standing = standing_at(at);
    if (std::ranges::binary_search(asked, at) || before != standing.state) out += line(standing);
    before = standing.state;
  }
  return out;
}

std::string play(const ReplayInput& input) {
  std::set<Time> moments(input.asked().begin(), input.asked().end());
  if (!input.scans()) {
    const Rollovers rollovers(input.history());
    for (const auto at : rollovers.turning_points()) moments.insert(at);
    return states(moments, input.asked(), [&](Time at) { return rollovers.at(at); }) +
           line(rollovers.graded());
  }
  // What is known changes with every look.
  const Rollovers all(input.seen(kNever));
  for (const auto at : all.turning_points()) moments.insert(at);
  moments.insert(input.scans()->begin(), input.scans()->end());
  std::optional<Rollovers> known;
  std::optional<Time> known_at;
  return states(moments, input.asked(),
                [&](Time at) {
                  const auto next = std::ranges::upper_bound(*input.scans(), at);
                  const auto last = next == input.scans()->begin() ? kEver : *std::prev(next);
                  if (known_at != last) known.emplace(input.seen(last));
                  known_at = last;
                  return known->at(at);
                }) +
         line(all.graded());
}

}  // namespace

Result<std::string, std::string> replay(std::string_view json) {
  try {
    const auto parsed = Json::parse(json);
    return play(ReplayInput(parsed));
  } catch (const Json::exception& e) {
    return Failure<std::string>(e.what());
  } catch (const Wrong& wrong) {
    return Failure<std::string>(wrong.what);
  }
}

}  // namespace agent
