#pragma once

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "config/time.h"
#include "probes/dane/tlsa.h"

// PURE
// What was published and what was served for one TLSA owner, over time: all that its rollovers are
// judged from. Holds for real looks and for sequences on paper (`danelaw replay`) alike.
namespace agent {

// When something began, as far as looks can tell: later than `after`, at `by` at the latest. Equal
// when it is known exactly. `after` is kEver for what the first look found already there.
struct Began {
  config::Time after;
  config::Time by;
  bool operator==(const Began&) const = default;
};
inline constexpr config::Time kEver = config::Time::min();
inline constexpr config::Time kNever = config::Time::max();

struct RecordSet {
  std::vector<std::size_t> records;   // into History::records; none is a proven absence
  std::vector<std::size_t> compared;  // those of them the reference sender compares (RFC 7671 §9)
  bool operator==(const RecordSet&) const = default;
};

// What one server gave from one moment until its next publication.
struct Publication {
  Began began;
  bool fails = false;  // no usable answer; the rest means nothing
  // The owner is a CNAME to this name. Its set is the alias's.
  std::optional<std::string> alias;
  config::Seconds alias_ttl{0};
  std::size_t set = 0;                     // into History::sets
  config::Seconds ttl{0};                  // of the set, as published
  std::optional<config::Time> expires_at;  // end of the set's signature: no cache keeps it longer
  // Caches that hold the DS record of a zone that lost it go on taking the set in for so long after
  // its end.
  config::Seconds believed_for{0};
  bool operator==(const Publication&) const = default;
};

// What one endpoint presented from one moment until its next.
struct Presented {
  Began began;
  std::size_t chain = 0;  // into History::chains
  bool operator==(const Presented&) const = default;
};

struct Endpoint {
  std::string name;  // "192.0.2.1/default"
  std::vector<Presented> presented;
  // Of another host whose records are the same RRset: its keys say what records are for, and not
  // how senders fare at the host this is about.
  bool is_anothers = false;
};

struct History {
  std::vector<probes::dane::TlsaRecord> records;  // each once
  std::vector<RecordSet> sets;                    // each once
  std::vector<std::vector<std::string>> chains;   // names of the certificates, leaf first
  std::vector<std::vector<bool>> fits;            // [record][chain]: would it authenticate alone
  // Of a record whose data show how it was made wrongly, and so will never fit anything: what is
  // wrong, for a person.
  std::map<std::size_t, std::string> mistakes;
  std::vector<std::vector<Publication>> servers;  // each in the order of time
  std::vector<std::string> server_names;          // parallel to them; empty on paper
  std::vector<Endpoint> endpoints;                // each in the order of time
  std::optional<config::Time> known_until;        // of the last look; none: all is known
  // Sets were published that are not listed: from then on no cache holds one of them.
  config::Time forgotten_until = kEver;
};

// What was known of it at `at`.
[[nodiscard]] History known_at(History history, config::Time at);

enum class Demand {
  met,      // TLS, authenticated
  refused,  // no record compared fits: the sender does not deliver
  none,     // absent or all unusable: nothing is refused
};
[[nodiscard]] Demand demand(const History& history, std::size_t set, std::size_t chain);
[[nodiscard]] bool demands(const History& history, std::size_t set);

[[nodiscard]] bool contains(const RecordSet& set, std::size_t record);

// What holds at `at`: the last that began by then, or null.
template <class Item>
const Item* item_at(const std::vector<Item>& items, config::Time at) {
  const Item* out = nullptr;
  for (const auto& item : items) {
    if (item.began.by <= at) out = &item;
  }
  return out;
}

// What the host itself presents there at `at`; null also where the endpoint is another's.
[[nodiscard]] inline const Presented* own_item_at(const Endpoint& endpoint, config::Time at) {
  return endpoint.is_anothers ? nullptr : item_at(endpoint.presented, at);
}

// The publications that give an answer at `at`, one a server at most: a failing server and an
// expired signature give none.
[[nodiscard]] std::vector<const Publication*> served(const History& history, config::Time at);

// The set may be in a cache from the first of these moments until just before the second.
struct Reach {
  std::size_t set = 0;
  config::Time from;
  config::Time until;  // kNever while a server gives it
};

// While which every set ever published may be held: as long as it is served, and by the TTL beyond,
// but never beyond its signature (RFC 4035 §5.3.3). Behind an alias a cache holds the alias and its
// set apart, each for a TTL of its own: the set is of use while the alias is known, from whichever
// server, and is asked for only then.
[[nodiscard]] std::vector<Reach> reaches(const History& history);

// A time during which all servers that answer give sets of a kind. Moments at which none answers
// neither begin nor end it: nobody can ask then.
struct Run {
  Began began;
  std::optional<Began> ended;  // null: it lasts
  [[nodiscard]] bool covers(config::Time at) const;
};
using Kind = std::function<bool(std::size_t set)>;
[[nodiscard]] std::vector<Run> runs_of(const History& history, const Kind& is_of_kind);
// The same of what holds from one change of the servers to the next, told by their publications.
using Holds = std::function<bool(const std::vector<const Publication*>& served, config::Time from)>;
[[nodiscard]] std::vector<Run> runs_while(const History& history, const Holds& holds);
[[nodiscard]] const Run* run_at(const std::vector<Run>& runs, config::Time at);

// Until when a cache may hold a set that demands something and is not of the kind, as far as known
// at `at`; kEver when there is none, kNever while a server gives one.
[[nodiscard]] config::Time held_until(const History& history, const std::vector<Reach>& reaches,
                                      const Kind& is_of_kind, config::Time at);
// Until when a cache may hold what was given before the first look, or what was forgotten since;
// kEver where all is known.
[[nodiscard]] config::Time unseen_until(const History& history, config::Time at);

// T of a rollover: how long after the run began a cache may still hold a set that is not of the
// kind, as far as known at `at`.
[[nodiscard]] config::Seconds cache_time(const History& history, const std::vector<Reach>& reaches,
                                         const Run& run, const Kind& is_of_kind, config::Time at);

// A server lags when another gives a set that came up later than the one it gives: it has not taken
// the owner's change over, or has fallen back behind it. What it does is nobody's decision.
[[nodiscard]] bool is_lagging(const History& history, const Publication& given,
                              const std::vector<const Publication*>& served);
// A set that refuses the chain is given at `at` because the owner retired what had met it while the
// chain was in use (RFC 7671 §8.4), not because a server lags.
[[nodiscard]] bool is_retired(const History& history, std::size_t chain, config::Time at);

// When servers began to give something else, or signatures ended; in order.
[[nodiscard]] std::vector<config::Time> publication_times(const History& history);

// The chains the host presented at `at`, one for each endpoint that had been seen.
[[nodiscard]] std::vector<std::size_t> presented(const History& history, config::Time at);
// The same, with those of other hosts at the owner.
[[nodiscard]] std::vector<std::size_t> presented_at_owner(const History& history, config::Time at);

// Two chains with the same leaf that are the same to every record there ever was.
[[nodiscard]] bool is_same_key(const History& history, std::size_t a, std::size_t b);

}  // namespace agent
