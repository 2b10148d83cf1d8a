#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "agent/alerts/narrowed.h"
#include "agent/alerts/ports.h"
#include "agent/alerts/silence.h"
#include "agent/notify/notifiers/notifier.h"
#include "agent/notify/notifiers/wire.h"

// A mail a day or a week that says how things stand: also that all is well.
namespace agent {

// A line of a digest beside alerts.
struct DigestLine {
  config::Time at;
  std::string text;                  // harmless already
  std::vector<std::string> domains;  // whom it is about; none: nobody in particular
};
// What the agent itself does not know; either may be null. Called by the notifier's thread. The
// error is that of the database.
struct DigestSources {
  using Lines = config::Result<std::vector<DigestLine>, std::string>;
  std::function<std::vector<DigestLine>(const Snapshot&)> deadlines;  // of the next 14 days
  // `owned`: of whose domains it is, and of the agent itself; null: all.
  std::function<Lines(config::Time from, config::Time until, const Owned* owned)> changes;
};
inline constexpr config::Seconds kDigestAhead = std::chrono::hours{24 * 14};

// PURE from here to the notifier.

// The last moment at or before `now` at which this digest was due: a time of day in UTC; Mondays'
// for a weekly one.
[[nodiscard]] config::Time last_due(const config::Mail& settings, config::Time now);

struct Digest {
  bool is_well = false;       // nothing is open, and all our own checks are sound
  bool says_nothing = false;  // well, and nothing is to come or has happened
  std::string subject;
  std::string text;  // lines that end with LF
};
// Of what fits the matchers. Those of other labels than domain, group and direction hold for alerts
// only; those of domains leave out what is of nobody of theirs, too.
struct DigestInput {
  const Snapshot& snapshot;
  const std::vector<Matcher>& matchers;
  std::vector<DigestLine> deadlines;
  std::vector<DigestLine> changes;    // of theirs already
  std::optional<std::string> unread;  // why it is not known what changed
  config::Time since;
  std::string page;
};
[[nodiscard]] Digest digest_of(const DigestInput& input);

// The notifier. Remembers through the outbox when it sent the last one, so that each is sent once,
// and one that fell into a standstill is sent after it. A new one begins with the next that is due.
[[nodiscard]] std::unique_ptr<StateNotifier> make_digest(config::Mail settings, wire::Envelope head,
                                                         std::vector<Matcher> matchers,
                                                         std::string page, Outbox& outbox,
                                                         DigestSources sources);

}  // namespace agent
