#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "agent/alerts/actions.h"
#include "agent/alerts/ports.h"
#include "agent/self/clock.h"
#include "agent/senders/refusals.h"
#include "agent/watch/network_prober.h"
#include "agent/watch/prober.h"
#include "agent/watch/snapshot.h"
#include "config/config.h"

namespace agent {

// What the runner calls out with; one line per event. Called from worker threads, must not block
// long.
struct Events {
  std::function<void(const Alert&, const Transition&)> on_transition = [](const Alert&,
                                                                          const Transition&) {};
  std::function<void(const Round&)> on_round = [](const Round&) {};
  std::function<void(const std::string&)> on_fault = [](const std::string&) {};
  std::function<void(const std::string&)> on_recovery = [](const std::string&) {};
  std::function<void()> on_notifications = [] {};  // some were recorded, or could not be
  std::function<void(const ClockStep&)> on_clock_step = [](const ClockStep&) {};
  // Of run_errand(): null when nothing could be told for a fault of our own.
  std::function<void(const Target&, std::optional<probes::Recorded>)> on_errand =
      [](const Target&, const std::optional<probes::Recorded>&) {};
};

// Whether we can be relied on: cheap to ask for, whatever the number of targets.
struct Health {
  std::optional<std::string> stall;       // why nobody should take us for watching
  std::optional<std::string> stuck;       // why a restart would help
  std::optional<std::string> unrecorded;  // why nothing is recorded
};

// Looks at every target when it is due, follows what it sees, and records it: due → observe → judge
// → follow → record. Owns the worker threads. All public functions may be called from any thread.
class Runner final : public Actions {
 public:
  using MakeProber = std::function<config::Result<std::unique_ptr<Prober>, std::string>(
      std::shared_ptr<ProbeContext> context)>;

  // `context` and `recorder` outlive the runner. `restored` is what to go on with.
  // `make_prober`: for each worker one; by default NetworkProbers.
  Runner(config::Config config, std::shared_ptr<ProbeContext> context, Recorder& recorder,
         Recorder::RestoredState restored, Events events, Clocks clocks,
         MakeProber make_prober = {});
  ~Runner() override;  // stop()

  // From here on snapshot() knows what is watched; start() does it where nobody has.
  void take_up();
  void start();
  // Ends the threads; a look under way is cut off at its next deadline check. Idempotent.
  void stop();

  // Takes another configuration: targets come and go, what is known of the others stays.
  void reconfigure(config::Config config, std::shared_ptr<ProbeContext> context);
  // Has the recorder forget closed history from before that moment, soon; but not while it is
  // doubtful what time it is.
  void forget(config::Time before);
  // Looks at the domain and its hosts as soon as a worker is free; false when it is not configured.
  bool check_now(std::string_view domain);

  // What senders report now (senders/refusals.h).
  void take_reports(ReportsBySubject reports);

  // CAs told when certificates are to be renewed.
  void take_renewals(const std::vector<RenewalAdvice>& told);
  // The chains that hosts present, each leaf once; of partners' hosts only if asked for.
  [[nodiscard]] std::vector<Chain> chains_in_use(bool partners) const;

  // How the lists of domains from elsewhere are, for the check of ourselves and what is shown.
  void set_lists(std::vector<ListHealth> lists);

  // Of a fleet that this agent leads. Where other agents look from now: each host is looked at from
  // there, too.
  void set_places(std::set<std::string> others);
  // Targets that are due from there, which count as being looked at until take_look(). "" is our
  // own place: what our own workers are too busy for.
  [[nodiscard]] std::vector<Target> take_due(const std::string& vantage, std::size_t most);
  // What came of one: null when whoever looked could not tell, or nobody did.
  void take_look(const std::string& vantage, const Target& target,
                 std::optional<probes::Recorded> look);
  // Of a fleet that another leads: looks once at what need not be watched here, and hands it to
  // Events::on_errand. False: it is on its way already.
  bool run_errand(const Target& target);

  Done acknowledge(const std::string& alert, std::optional<Acknowledgement> how) override;
  config::Result<Silence, std::string> silence(Silence wanted) override;
  Done end_silence(const std::string& id) override;
  config::Result<Exception, std::string> make_exception(const std::string& domain) override;
  Done end_exception(const std::string& domain) override;
  config::Result<Foreseen, std::string> announce(Chain chain, std::string by) override;
  Done set_not_for_mail(NotForMail said) override;
  Done set_for_mail(const std::string& key) override;

  [[nodiscard]] std::shared_ptr<const Snapshot> snapshot() const;
  [[nodiscard]] Health health() const;
  // One domain as it is in the snapshot; nothing when it is not watched.
  [[nodiscard]] std::optional<DomainState> domain(std::string_view name) const;
  // For ResilientOutbox.
  [[nodiscard]] std::vector<Notification> unrecorded_notifications() const;

 private:
  struct State;

  std::unique_ptr<State> state_;
  std::vector<std::jthread> workers_;
};

}  // namespace agent
