#pragma once

#include <optional>
#include <string>
#include <vector>

#include "agent/alerts/alert.h"
#include "agent/alerts/evidence.h"
#include "agent/alerts/partners.h"
#include "agent/alerts/silence.h"
#include "agent/foresight/next_key.h"
#include "agent/foresight/renewal_advice.h"
#include "agent/history/host_history.h"
#include "agent/history/zone_past.h"
#include "agent/self/anchor_keys.h"
#include "agent/self/clock.h"
#include "config/config.h"
#include "config/shared.h"
#include "probes/codec/recorded.h"
#include "probes/judge.h"

// What one look at a target led to: the unit that is decided together and stored together.
namespace agent {

// What is looked at by itself. A host is one target however many domains use it.
struct Target {
  enum class Kind : std::uint8_t {
    domain,
    host,
    monitor  // our own senses; its name is the root
  };
  Kind kind = Kind::domain;
  probes::dns::Name name;
  auto operator<=>(const Target&) const = default;
  bool operator==(const Target&) const = default;
};

// A step of an alert that people may want to hear about, with the reason in words.
struct Transition {
  enum class What { opened, resolved };
  What what = What::opened;
  std::string alert_id;
  std::string reason;
};

// A domain as judged in a round, with what the configuration says of it.
struct DomainState {
  config::Shared<config::Domain> configured;
  std::shared_ptr<const probes::DomainJudgement> judged;  // null until the first look is complete
  config::Time next_check_at;
};

// Nothing that was seen in between is in the history: it could not be recorded.
struct Gap {
  config::Time from;   // when the first was decided that is missing
  config::Time until;  // when recording went on
  std::uint64_t rounds = 0;
};

// A provider that is left alone for a while because it sent probes away.
struct Spared {
  std::string provider;  // the network of its hosts
  config::Time until;
  int times = 0;           // that it did, one after the other
  config::Seconds wait{};  // the last of the spells, as long as it was from the start
  bool operator==(const Spared&) const = default;
};
inline constexpr std::size_t kMostSpared = 1000;

// What was decided, which must not be lost when what was seen is: with_decisions() is the one place
// that knows each kind, and does not compile when another is added here and not there.
struct Decisions {
  std::vector<Alert> alerts;           // those that changed, as they are now
  std::vector<std::string> forgotten;  // ids of pending alerts that were not confirmed
  std::vector<Transition> transitions;
  std::vector<Notification> notifications;      // what people are to be told, and by which notifier
  std::vector<Silence> silences;                // made, changed or ended
  std::vector<Exception> exceptions;            // made
  std::vector<std::string> ended_exceptions;    // domains
  std::vector<Evidence> evidence;               // of alerts that opened or became worse
  std::vector<AnnouncedCertificate> announced;  // shown to us, as they are now
  std::vector<NotForMail> not_for_mail;         // said
  std::vector<std::string> for_mail;            // keys of which it was taken back
  std::vector<RenewalAdvice> renewals;          // that a CA told anew
  std::vector<AnchorKey> anchor_keys;           // of the trust anchor's zone, as seen now
  std::optional<std::vector<Spared>> spared;    // all of them, when one is new
  std::optional<ClockStep> clock_step;          // times before and after it do not compare
  std::optional<Gap> gap;                       // before this round
};

struct Round : Decisions {
  Target target;
  config::Time at;
  probes::DomainSeen domain;                 // set when the target is a domain and was seen
  std::optional<Signature> mx_signature;     // then, when its MX RRset is signed
  probes::HostSeen host;                     // set when the target is a host and was seen
  Sample sample;                             // completed; of that host
  std::optional<probes::Recorded> recorded;  // what was seen, with what proves it
  std::vector<ZoneNews> zones;               // that vouch for what was seen
  std::vector<DomainState> judged;           // every domain whose judgement this look renewed
  // Of that host, for the domain for which it is worst, whether this look renewed it or not.
  std::shared_ptr<const probes::HostJudgement> host_judged;
};

// What was decided in a round, without what was seen and judged, which the next look brings again.
[[nodiscard]] Round decisions_of(const Round& round);
// The round with decisions of before, that could not be recorded, in front of its own.
[[nodiscard]] Round with_decisions(Round missed, Round round);
// Keeps of decisions that pile up what their subjects are now, and of the rest the newest: so many
// of each kind at most.
inline constexpr std::size_t kMostDecisions = 10'000;
void bound(Round& decisions);

}  // namespace agent
