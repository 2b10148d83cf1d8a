#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "agent/alerts/round.h"
#include "agent/self/clock.h"
#include "config/config.h"
#include "probes/observation.h"

// PURE
namespace agent {

// The networks that an MX host's addresses are in, by which its provider is known: "192.0.2.0/24",
// "2001:db8:1::/48". Of addresses of this machine none.
[[nodiscard]] std::vector<std::string> providers_of(const std::vector<std::string>& addresses);

// By what the provider of a host is known until its first probe has learned where it is: the name
// above its own, which is that of who runs it ("mx1.mail.example" is one of "mail.example").
[[nodiscard]] std::string operator_of(const probes::dns::Name& host);

// Whether a server sent the probe away: by 421 or 450, or by refusing the greeting, as the judge
// says probe-refused.
[[nodiscard]] bool is_sent_away(const probes::HostObservation& seen);

// What a provider is asked for at once, whoever of a fleet asks: so many probes at a time, so many
// sessions a minute; and after one that was sent away nothing for a while, which doubles up to a
// day with each that is sent away again, until it has sent none away for as long as it was spared.
// Watching never stops.
class Manners {
 public:
  // When the probe of a host there may begin, which makes `sessions`: null: now; else when to ask
  // again.
  [[nodiscard]] std::optional<Ticks> hold(const std::vector<std::string>& providers,
                                          std::size_t sessions,
                                          const config::Politeness& politeness, Ticks at);
  void begin(const std::vector<std::string>& providers);
  // Of one that began. `wait`: after the first refusal.
  void end(const std::vector<std::string>& providers, bool was_sent_away, config::Seconds wait,
           Ticks at);
  // Of one that began without it: a first probe knows an operator's name only. One that is spared
  // already is not spared for longer.
  void take_refusal(const std::vector<std::string>& providers, config::Seconds wait, Ticks at);

  struct Held {
    std::string provider;
    Ticks until;
    int times = 0;         // that it sent us away, one after the other
    config::Seconds wait;  // how long it is spared for the last of them
  };
  // Whoever is spared now for having sent us away, longest first.
  [[nodiscard]] std::vector<Held> held(Ticks at) const;
  // The same with those that were lately, of whom the next refusal counts on; kMostSpared at most.
  // Nothing when none has sent us away since this was asked last.
  [[nodiscard]] std::optional<std::vector<Held>> take_news(Ticks at);
  void restore(const Held& one);

 private:
  struct Provider {
    unsigned under_way = 0;
    Ticks next_slot{};  // when the sessions of the last minute are used up
    Ticks next_turn{};  // of those that wait for that
    Ticks spared_until{};
    config::Seconds spared_for{};
    int times = 0;
  };
  void forget(Ticks at);
  [[nodiscard]] std::vector<Held> those_until(Ticks after, bool with_lately) const;
  std::map<std::string, Provider> providers_;
  std::size_t forget_at_ = 4096;
  bool has_news_ = false;
};

}  // namespace agent
