#pragma once

#include <optional>
#include <vector>

#include "agent/history/history.h"
#include "agent/rollover/grading.h"
#include "agent/rollover/rollover_state.h"

// PURE
// Follows one TLSA owner through its rollovers: what state it is in, what caches still hold against
// it, and how well each change of key went (RFC 7671 §8, RFC 7672 §4, RFC 7583).
namespace agent {

class Rollovers {
 public:
  explicit Rollovers(History history);

  [[nodiscard]] const History& history() const { return history_; }
  // How things stand at `at`. Of what came later only the end of the window is told.
  [[nodiscard]] RolloverStanding at(config::Time at) const;
  // Every moment at which the state may turn, in order.
  [[nodiscard]] std::vector<config::Time> turning_points() const;
  // The times during which some cache may refuse some endpoint, in order.
  [[nodiscard]] std::vector<Window> windows() const;
  // SHA2-256 of the SubjectPublicKeyInfo (or the name on paper) of every leaf presented at `at`
  // that some set, published or in a cache, refuses; sorted.
  [[nodiscard]] std::vector<std::string> refused_keys(config::Time at) const;
  // The changes of key, in order.
  [[nodiscard]] std::vector<Rollover> graded() const;

 private:
  struct Course {  // of a share, a parabola through three values
    double begin = 0, middle = 0, end = 0;
  };
  struct Stretch {
    config::Time from;
    config::Time until;
    Course failing, held;  // as in RolloverStanding
  };

  void sweep();
  [[nodiscard]] std::vector<config::Time> breaks() const;
  [[nodiscard]] std::optional<double> share(Course Stretch::*which, config::Time at) const;
  [[nodiscard]] std::optional<double> exposure(config::Time from, config::Time until) const;

  History history_;
  std::vector<Reach> reaches_;
  std::vector<Stretch> stretches_;
};

}  // namespace agent
