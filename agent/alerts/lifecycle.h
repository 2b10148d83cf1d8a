#pragma once

#include <optional>
#include <string_view>
#include <vector>

#include "agent/alerts/round.h"

// PURE
// When a finding becomes an alert and when the alert is over. Decides on what is handed in; knows
// no clock.
namespace agent {

// What one look said about one possible alert.
enum class Sight {
  seen,     // the finding is there
  clean,    // everything the finding depends on was learned, and it is not there
  unknown,  // could not tell: never opens and never closes anything
};

enum class Step {
  nothing,  // no alert before, none now
  noticed,  // a pending alert is born: look again soon
  waiting,  // still pending: look again soon
  opened,
  still_firing,
  maybe_over,  // one clean look: look again soon
  resolved,
  passed,     // it went before it was confirmed: an episode, nobody is told
  forgotten,  // the same of what passes by itself: as if it had never been
};

// What a look found.
struct Trouble {
  probes::Subject cause;
  probes::Finding finding;
  std::vector<std::string> domains;       // hit, sorted
  std::vector<std::string> refused_keys;  // as in Hit
  config::Role direction = config::Role::inbound;
  bool holds_mail = false;  // as in Hit
};

struct Followed {
  Step step = Step::nothing;
  std::optional<Alert> alert;  // as it is after the look; the forgotten one too, for its id
  std::string reason;          // in words, for opened and resolved
};

// Two looks confirm what is the same at every look; what may pass by itself (4xx, timeouts, a host
// that is down) takes three, or half an hour (verdicts are decided, networks are weather).
[[nodiscard]] bool is_transient(probes::Code code);

// Whether it is grave enough for an alert.
[[nodiscard]] bool is_grave(const probes::Finding& finding);

// Whether a finding is a matter for an alert at all: high or critical, or trouble to come that can
// still be prevented; and not the consequence of another.
[[nodiscard]] bool is_alertable(const probes::Finding& finding);

// Trouble that came back soon after it had gone for the third time is flapping: one look confirms
// it, and only half an hour of calm ends it, so that people hear of it once.
inline constexpr config::Seconds kRelapse = std::chrono::hours{6};  // "soon"
[[nodiscard]] bool is_flapping(const Alert& alert);

// Senders are refused, by what is published or by what caches hold of it. When what is published is
// mended, caches go on refusing: that is the same trouble, and still there until they have
// forgotten (stale_cache_window).
[[nodiscard]] bool is_refusal(probes::Code code);

// The trouble is the same as the pending one, that was not seen again: it names the cause of it, or
// is what has come of it, or what caches go on doing of a refusal (stale_cache_window).
[[nodiscard]] bool continues(const Trouble& trouble, const Alert& pending);

// `trouble` goes on with what is pending: a new alert of which the looks so far count, and the end
// of the pending one.
[[nodiscard]] Alert heir(const Alert& pending, const Trouble& trouble, config::Time at);
[[nodiscard]] Followed taken_over(const Alert& pending, config::Time at);

// One look at one alert. `trouble` matters when sight is seen; `relapses` to a new alert. The look
// must be later than the last.
[[nodiscard]] Followed follow(const std::optional<Alert>& before, Sight sight,
                              const Trouble* trouble, int relapses, config::Time at);

// The same trouble was found at another host or domain, too; the first hit stays the one whose
// looks confirm and clear the alert.
[[nodiscard]] Alert joined(Alert alert, const Trouble& trouble, config::Time at);
// It speaks of that one of its hosts from now on: what it said of another is not said any more.
[[nodiscard]] Alert led(Alert alert, const probes::Subject& subject);
// It is over at one of several.
[[nodiscard]] Alert left(Alert alert, const probes::Subject& subject);
[[nodiscard]] bool hits(const Alert& alert, const probes::Subject& subject);

// Ends a firing alert whose subject nobody asks about any more, or forgets a pending one.
[[nodiscard]] Followed abandon(const Alert& before, std::string_view reason, config::Time at);

// Whether a look at a host learned enough to say that trouble of this code is over. `addresses`:
// where it was seen.
[[nodiscard]] bool is_conclusive(probes::Code code, const std::vector<std::string>& addresses,
                                 const probes::HostJudgement& host);
[[nodiscard]] bool is_conclusive(probes::Code code, const probes::DomainJudgement& domain);

}  // namespace agent
