#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "agent/self/clock.h"
#include "config/config.h"
#include "probes/observation.h"

// PURE
namespace agent {

// The networks that an MX host's addresses are in, by which its provider is known: "192.0.2.0/24",
// "2001:db8:1::/48". Of addresses of this machine none.
[[nodiscard]] std::vector<std::string> providers_of(const std::vector<std::string>& addresses);

// Whether a server sent the probe away for being too much: 421 or 450, or no greeting at all.
[[nodiscard]] bool is_sent_away(const probes::HostObservation& seen);

// What a provider is asked for at once, whoever of a fleet asks: so many probes at a time, so many
// sessions a minute; and after one that was sent away nothing for a while, which doubles up to a
// day with each that is sent away again. Watching never stops.
class Manners {
 public:
  // When the probe of a host there may begin, which makes `sessions`: null: now; else when to ask
  // again.
  [[nodiscard]] std::optional<Ticks> hold(const std::vector<std::string>& providers,
                                          std::size_t sessions,
                                          const config::Politeness& politeness, Ticks at);
  void begin(const std::vector<std::string>& providers);
  // `wait`: after the first refusal.
  void end(const std::vector<std::string>& providers, bool was_sent_away, config::Seconds wait,
           Ticks at);

  struct Held {
    std::string provider;
    Ticks until;
    int times = 0;  // that it sent us away, one after the other
  };
  // Whoever is spared now for having sent us away, longest first.
  [[nodiscard]] std::vector<Held> held(Ticks at) const;

 private:
  struct Provider {
    unsigned under_way = 0;
    Ticks next_slot{};  // when the sessions of the last minute are used up
    Ticks next_turn{};  // of those that wait for that
    Ticks spared_until{};
    int times = 0;
  };
  void forget(Ticks at);
  std::map<std::string, Provider> providers_;
  std::size_t forget_at_ = 4096;
};

}  // namespace agent
