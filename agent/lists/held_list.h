#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "config/config.h"
#include "config/listed_domains.h"
#include "config/time.h"

// PURE
// A list of domains from elsewhere as the agent goes by it: not as it was read last, for a source
// that fails or was emptied by mistake must not end the watch over what it named.
namespace agent {

// So long a name is watched on after its list has it no more.
inline constexpr config::Seconds kMissingKept = std::chrono::hours{24};

struct HeldDomain {
  config::ListedDomain listed;
  // Since it was first not there; null: it is there.
  std::optional<config::Time> missing_since;
  bool operator==(const HeldDomain&) const = default;
};

class HeldList {
 public:
  HeldList() = default;
  // As it was remembered: `domains` as domains() gave them.
  HeldList(std::vector<HeldDomain> domains, config::Time read_at)
      : domains_(std::move(domains)), read_at_(read_at) {}

  // A list that lost more than a fifth of its names at once, however few it has, which is not gone
  // by before somebody said that it is right.
  struct Refusal {
    config::Time since;                      // first read like this, or worse
    std::vector<config::ListedDomain> list;  // as read last
    std::vector<std::string> lost;           // by name
    std::size_t of = 0;                      // that had so many
  };

  enum class Taken { unchanged, changed, refused };
  // What was read now, in which no name comes twice. `changed`: something of domains() is other
  // than before.
  Taken take(std::vector<config::ListedDomain> read, config::Time at);
  // Goes by the list that was refused; false when none is.
  bool accept(config::Time at);
  // Whether names were let go of that have been missing for long enough.
  bool forget_missing(config::Time at);

  // Those that are there and those that are missing, by name.
  [[nodiscard]] const std::vector<HeldDomain>& domains() const { return domains_; }
  [[nodiscard]] std::size_t missing() const;
  // When a list was read last that was gone by; null: never.
  [[nodiscard]] std::optional<config::Time> read_at() const { return read_at_; }
  [[nodiscard]] const std::optional<Refusal>& refusal() const { return refusal_; }

 private:
  Taken go_by(std::vector<config::ListedDomain> list, config::Time at);

  std::vector<HeldDomain> domains_;
  std::optional<config::Time> read_at_;
  std::optional<Refusal> refusal_;
};

// Adds what the list names to `config.domains`, unless it is there already: what stands in the
// configuration, or in a list before, is as it is there.
void add_domains(config::Config& config, const config::DomainList& settings, const HeldList& list);

}  // namespace agent
