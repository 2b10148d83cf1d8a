#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "agent/self/clock.h"
#include "agent/self/outbound_smtp.h"
#include "agent/self/resolver_watch.h"
#include "agent/self/self_check.h"
#include "agent/self/welcome.h"
#include "probes/resolver_faults.h"

// PURE
namespace agent {

// How we see: what our own checks and all looks together say of our resolvers, our way out, our
// name, our clock. What it takes up it answers with what turned by it; it does nothing itself.
class OwnSight {
 public:
  // --- our own check, twice a minute

  // Whether it was made so lately.
  [[nodiscard]] bool is_fresh(Ticks now, config::Seconds max_age) const;
  // What keeps us from seeing anything, as of that check.
  [[nodiscard]] std::optional<SelfCheck> fault() const;
  struct Checked {
    std::vector<SelfCheck> checks;  // to be followed
    bool sees_again = false;        // something failed and nothing does any more
  };
  // Asked at `asked_at`. Nothing when a later one was taken up already: several workers may have
  // asked at the same moment, and that is one look.
  std::optional<Checked> take(std::vector<SelfCheck> checks, std::vector<ResolverCheck> resolvers,
                              Ticks asked_at, Ticks now, config::Time at);

  // --- what looks show of resolvers

  template <class Observation>
  void take(const probes::dns::Name& target, const Observation& seen, config::Time at) {
    controls_.learn(seen);
    watch_.record_faults(probes::resolver_faults(probes::answers_of(seen)), target, at);
  }
  [[nodiscard]] const Controls& controls() const { return controls_; }
  // Whether failures that only our resolver told of are its own: it is known to do wrong, or fails
  // for others alike. Else `controls` are to be asked: when too many of them fail, too, that is
  // the resolver's (`blame_resolvers`).
  struct Doubt {
    bool is_ours = false;
    std::vector<probes::dns::Question> controls;
  };
  Doubt doubt(const probes::dns::Name& target,
              const std::vector<const probes::dns::Answer*>& answers, config::Time at);
  void blame_resolvers(const std::string& what, config::Time at);

  // --- sessions

  void take(const probes::dns::Name& host, const std::vector<probes::smtp::SessionRecord>& sessions,
            config::Time began);
  // Only whether it was reached.
  void take_try(const probes::dns::Name& host, const probes::smtp::SessionRecord& session,
                config::Time began);
  [[nodiscard]] const OutboundSmtp& reach() const { return reach_; }
  struct WayOut {
    std::vector<SelfCheck> checks;        // to be followed
    std::vector<std::string> untellable;  // checks of which too little is known to say anything
    bool is_any_up_again = false;
    bool has_turned = false;  // between working and cut off
  };
  // Whether sessions get out of here, and whether servers talk to us, as looks show by now. `helo`:
  // what we call ourselves.
  WayOut sense_way_out(config::Time at, const std::string& helo);
  // The check to blame when no session gets out, as sensed last; null while any does.
  [[nodiscard]] const SelfCheck* blocked() const { return cut_off(way_out_); }

  // --- ourselves

  void take_step(const ClockStep& step, Ticks now);
  [[nodiscard]] std::uint64_t clock_steps() const { return clock_steps_; }
  // The check with what is to be said of the clock.
  [[nodiscard]] SelfCheck stepped(SelfCheck check, Ticks now) const;
  // Nobody knows yet whether the clock that was set is right now.
  [[nodiscard]] bool is_time_doubtful(Ticks now) const;
  void lose_look(std::string why, Ticks now);
  // Whether looks come to an end. One that was lost says nothing about its target.
  [[nodiscard]] SelfCheck looks_check(config::Time at, Ticks now) const;

  // Nothing can be said about anybody.
  [[nodiscard]] bool is_blind() const;
  // Every check as it stands, but that of storage and looks.
  [[nodiscard]] std::vector<SelfCheck> checks(Ticks now) const;
  [[nodiscard]] bool is_checked() const { return checked_at_.has_value(); }
  [[nodiscard]] const std::vector<ResolverCheck>& resolvers() const { return resolvers_; }

  // Nobody asks about it any more.
  void forget_target(const probes::dns::Name& name);
  void forget_host(const probes::dns::Name& host);
  // We look with other means from now on.
  void start_anew();

 private:
  std::vector<SelfCheck> checks_;
  std::optional<Ticks> checked_at_;
  std::vector<ResolverCheck> resolvers_;
  Controls controls_;
  ResolverWatch watch_;      // of the resolvers
  Unconfirmed unconfirmed_;  // what only they told of
  OutboundSmtp reach_;
  std::vector<SelfCheck> way_out_;  // its checks, as sensed last
  Welcome welcome_;
  std::vector<SelfCheck> greeting_;  // the same
  std::uint64_t clock_steps_ = 0;
  struct Step {
    ClockStep step;
    Ticks at;
  };
  std::optional<Step> step_;  // the last one
  struct LostLook {
    Ticks at;
    std::string why;
  };
  std::optional<LostLook> lost_look_;  // the last one
};

}  // namespace agent
