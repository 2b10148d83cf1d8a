#pragma once

#include <functional>
#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "agent/alerts/lifecycle.h"
#include "agent/alerts/narrowed.h"
#include "agent/alerts/round.h"

// PURE
// The alerts that are open and the silences, and what looks, people and time make of them. Every
// change is written into the round at hand, to be recorded with it.
namespace agent {

// To whom alerts are told.
struct Audience {
  struct Recipient {
    std::string notifier;
    probes::Severity least = probes::Severity::info;
    // All of which an alert must fit; by those of domains it is narrowed to what is theirs.
    std::vector<Matcher> matchers{};
  };
  std::vector<Recipient> recipients;  // by notification; Alertmanagers take the state instead
  config::Seconds remind_after{std::chrono::hours{24}};
};

class AlertBook {
 public:
  using Key = std::pair<probes::Code, probes::Subject>;  // code and cause

  // `alerts`: as recorded, open ones and those that ended lately. `silences`: as recorded.
  AlertBook(std::vector<Alert> alerts, std::vector<Silence> silences);

  // A look at `subject` found `troubles`, one a code at most. `is_told`: whether the look learned
  // enough to say that the alert's trouble is over there. True when it should be looked at again
  // soon.
  using IsConclusive = std::function<bool(const Alert& alert)>;
  bool follow(Round& round, const probes::Subject& subject, const std::vector<Trouble>& troubles,
              const IsConclusive& is_told);

  // Nobody asks about the subject any more; or only about those alerts of it that `is_such` names.
  void abandon(
      Round& round, const probes::Subject& subject, std::string_view reason,
      const std::function<bool(const Alert&)>& is_such = [](const Alert&) { return true; });
  // The same of all subjects that `is_orphan` says so of.
  void abandon_if(Round& round, const std::function<bool(const probes::Subject&)>& is_orphan,
                  std::string_view reason);

  // Tells what is due at the round's moment, of all alerts: to be called now and then, for
  // reminders and the ends of silences. What is over is forgotten in time, but not while
  // `is_time_doubtful`.
  void tell(Round& round, const Audience& audience, const Watched& watched, bool is_blind,
            bool is_time_doubtful = false);
  // The same of those that the round changed.
  void tell_changed(Round& round, const Audience& audience, const Watched& watched, bool is_blind);

  // People. False: there is no firing alert, or silence, of that id.
  bool acknowledge(Round& round, const std::string& id, std::optional<Acknowledgement> how);
  void put(Round& round, Silence silence);
  bool end_silence(Round& round, const std::string& id);

  // The clock was set: how long things have lasted does not change by that.
  void restate(const ClockStep& step);

  [[nodiscard]] const std::map<Key, Alert>& open() const { return open_; }
  // The codes of those that fire at the subject.
  [[nodiscard]] std::set<probes::Code> firing_at(const probes::Subject& subject) const;
  // Those that the subject's looks confirm and clear, though they hit others, too.
  [[nodiscard]] std::vector<Key> led_by(const probes::Subject& subject) const;
  // The alert speaks of that one of the hosts that it hits, from its next look on.
  void lead(Round& round, const Key& key, const probes::Subject& subject);
  // Whether one that is open hits the subject and is such.
  [[nodiscard]] bool any_open_at(const probes::Subject& subject,
                                 const std::function<bool(const Alert&)>& is_such) const;
  // Ended less than kRelapse ago, the newest of each key.
  [[nodiscard]] const std::map<Key, Alert>& ended() const { return ended_; }
  [[nodiscard]] const std::vector<Silence>& silences() const { return silences_; }

 private:
  bool take_over(Round& round, std::map<Key, const Trouble*>& all);
  bool take(Round& round, const Key& key, const Followed& followed);
  void put(Round& round, const Key& key, Alert alert);
  void tell(Round& round, Alert& alert, const Audience& audience, const Watched& watched,
            bool is_blind);
  [[nodiscard]] int relapses_of(const Key& key, config::Time at) const;
  void hold(const Key& key, Alert alert);
  void drop(const Key& key);
  void index(const Key& key, const Alert& alert, bool is_there);
  void abandon_key(Round& round, const Key& key,
                   const std::function<bool(const probes::Subject&)>& is_orphan,
                   std::string_view reason);

  std::map<Key, Alert> open_;
  std::map<probes::Subject, std::set<Key>> open_at_;  // those that hit the subject
  std::map<Key, Alert> ended_;
  std::vector<Silence> silences_;
};

}  // namespace agent
