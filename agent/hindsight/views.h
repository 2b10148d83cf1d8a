#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "probes/codec/recorded.h"
#include "probes/judgement.h"

// PURE
// One host, seen from several places: which of the looks the agent that leads goes by, and what it
// means that places differ. An agent by itself has one place, and none of this.
namespace agent {

// What one place saw of a host last.
struct View {
  // In the order of gravity. Troubled: there is something to alert of, but mail is delivered there.
  // Held: it is not.
  enum class Opinion { unknown, well, troubled, held };

  std::string agent;      // that looked
  probes::HostSeen seen;  // `observed_at` by the clock of the agent that leads
  Opinion opinion = Opinion::unknown;
  probes::Verdict verdict = probes::Verdict::unknown;  // of the host by itself
  std::optional<probes::Reason> reason;                // of its worst endpoint
  // Addresses whose default key what is published refuses, and those whose it takes.
  std::set<std::string> refused_at, taken_at;
  int in_a_row = 0;  // looks, one after the other, that saw the same of STARTTLS, keys and verdict
  config::Time since;             // of the first of these
  bool follows_a_steady = false;  // what it saw before that, it had seen more than once
  // When it saw trouble last, or mail held more than once; null: it has seen it over since.
  std::optional<config::Time> troubled_at, held_at;
  // The look with what proves it: until another comes, as long as places are asked or differ.
  std::optional<probes::Recorded> look;
  bool is_followed = false;  // it was
};
using Views = std::map<std::string, View>;  // by vantage

// The fleet, as far as views depend on it.
struct Places {
  std::string own;               // of the agent that leads
  std::set<std::string> others;  // with an agent that can look now
  unsigned quorum = 1;
  config::Seconds kept_for{7200};  // an older view says nothing any more
};
// Whether there is more than one place.
[[nodiscard]] bool is_fleet(const Places& places);

// What is kept of a look as a view, after the one before it from that place (null at first).
[[nodiscard]] View view_of(probes::Recorded look, const View* before, config::Time at);

// Drops what places saw that cannot look any more; but trouble that they saw stays for as long as
// any view is kept. Of an agent by itself nothing is left then.
void forget_gone(Views& views, const Places& places, config::Time at);

struct Choice {
  std::optional<std::string> followed;  // the place whose look is to be followed now
  // Some place sees trouble, or an alert waits for all to see none.
  bool is_in_question = false;
  // Places that are to look at once: those that are asked, and where what one place had seen more
  // than once has changed, those whose look is from before.
  std::set<std::string> awaited;
  std::set<std::string> troubled;  // places that see trouble now, mail held among it
};

// Which look counts, now that the one from `arrived` is new. Trouble is what a quorum of places
// sees, or all of them where they are fewer; and where a quorum sees that mail is held, it is that,
// whatever lesser trouble others see. As long as places that have not looked since the
// question arose could tip the balance nothing is followed, so that nothing opens and nothing ends;
// one that does not answer for two minutes counts no more. Own looks are followed where they agree
// with what was decided, so that the history is of one place. `was_troubled`: an alert of the host
// is open. `asked_since`: since when it is in question.
[[nodiscard]] Choice choose(const Views& views, const std::string& arrived, const Places& places,
                            bool was_troubled, std::optional<config::Time> asked_since,
                            config::Time at);

// Places differ.
struct Split {
  probes::Finding finding;       // `selective-starttls` or `vantage-split`
  std::set<std::string> places;  // that see it otherwise
  bool operator==(const Split&) const = default;
};
// Where places that looked lately, and more than once, differ: what one has seen since before
// another changed is no difference, but from another time. `before`: as it was; it goes on while a
// place that it names cannot tell, or not yet, or is gone, for as long as views are kept.
[[nodiscard]] std::optional<Split> find_split(const Views& views, const Places& places,
                                              const std::optional<Split>& before,
                                              const std::string& host, config::Time at);

// "does not answer (timeout)", "authenticated": a view in few words.
[[nodiscard]] std::string in_words(const View& view);

}  // namespace agent
