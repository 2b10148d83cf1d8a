#pragma once

#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "config/config.h"
#include "config/time.h"
#include "probes/verdict.h"

// PURE
// An alert and what is told of it, as values.
namespace agent {

enum class AlertState {
  pending,  // seen, not confirmed: nobody is told
  firing,
  resolved,  // over; kept as history
  passed,    // was there and went before it was confirmed: an episode, kept as history
};
[[nodiscard]] std::string_view wire_name(AlertState state);
[[nodiscard]] std::optional<AlertState> alert_state_from(std::string_view name);

// Somebody has it in hand: no reminders. Looks go on, and the end is told.
struct Acknowledgement {
  std::string by;
  std::string comment;
  config::Time at;
  std::optional<config::Time> until;  // null: to the end of the alert
  bool operator==(const Acknowledgement&) const = default;
};

// One host or domain at which the trouble shows.
struct Hit {
  probes::Subject subject;
  std::vector<std::string> domains;  // watched ones that use it, sorted
  // SHA2-256 of the SubjectPublicKeyInfo, in hexadecimal, of every key presented that some TLSA
  // set, published or cached, refuses; sorted. What a planned change of key is told from others by.
  std::vector<std::string> refused_keys;
  probes::Severity severity = probes::Severity::info;
  config::Role direction = config::Role::inbound;  // outbound: only partners' domains use it
  bool holds_mail = false;             // mail for one of the domains waits in senders' queues
  std::vector<std::string> next_keys;  // as in Finding
  std::vector<std::string> publish;    // as in Remedy
  bool operator==(const Hit&) const = default;
};

// Trouble with one root cause (code and cause), whatever the number of hosts and domains it hits.
// Changed only by lifecycle.h and notice.h; a resolved one is never reopened.
struct Alert {
  std::string id;  // stable from the first sight to the end, unique for ever; letters, digits, '.',
                   // '_', '-'
  AlertState state = AlertState::pending;
  probes::Subject cause;
  // As last seen at the first hit; its severity is that of the worst hit, and while the alert fires
  // the worst that it was. Its next keys are those of all hits; so are the records to publish where
  // the cause is the owner of all.
  probes::Finding finding;
  std::vector<Hit> hits;             // the first is the one whose looks confirm and clear it
  std::vector<std::string> domains;  // of all hits, sorted
  config::Role direction = config::Role::inbound;  // outbound: all hits are
  config::Time first_seen_at;
  config::Time last_seen_at;
  std::optional<config::Time> opened_at;
  std::optional<config::Time> resolved_at;  // of a passed one, too
  int looks_seen = 0;                       // in a row, while pending
  int looks_clean = 0;                      // in a row, while firing
  int relapses = 0;                         // how often it came back soon after it had gone
  std::optional<Acknowledgement> acknowledged;
  // When people were told last, and how bad it was then; null while nobody was.
  std::optional<config::Time> told_at;
  probes::Severity told_severity = probes::Severity::info;
  // Which notifiers were told: they hear of its end, whatever it hits by then, and the others as
  // soon as it is theirs. Null: not known, as it was told before that was kept.
  std::optional<std::set<std::string>> told_to;
  // When they were told that it had become worse, and what it was before. Alertmanager takes the
  // severity for a part of the alert's name: the one under the old name has to end.
  std::optional<config::Time> raised_at;
  probes::Severity raised_from = probes::Severity::info;
  bool operator==(const Alert&) const = default;
};

// When the mail that has waited longest begins to come back to its senders: five days after it was
// refused first (maximal_queue_lifetime of Postfix; RFC 5321 §4.5.4.1 asks for four at least). Null
// while none waits.
[[nodiscard]] std::optional<config::Time> bounces_at(const Alert& alert);

// What people are told of an alert.
enum class Notice { opened, escalated, reminded, resolved };
[[nodiscard]] std::string_view wire_name(Notice notice);

// One notice on its way through one notifier. Decided once; delivered at least once, under the same
// id.
struct Notification {
  std::string id;  // the alert's, the notice and its moment, the notifier; unique
  std::string notifier;
  Notice notice = Notice::opened;
  config::Time at;
  std::string reason;  // in words
  Alert alert;         // as it was then
};

}  // namespace agent
