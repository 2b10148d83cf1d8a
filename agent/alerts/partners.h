#pragma once

#include <optional>
#include <string>
#include <vector>

#include "agent/alerts/alert.h"
#include "config/config.h"
#include "probes/judge.h"

// PURE
// What differs when the trouble is a partner's: it is not ours to repair, and there is something to
// do about it all the same.
namespace agent {

// Makes the findings of a partner's domain a degree calmer: mail to them waits, ours is not lost.
// What is high and holds all mail to them stays so.
// That a partner's protection disappeared stays as it is, for it is what partners are watched for.
// What is to be done about them is theirs to do.
[[nodiscard]] probes::DomainJudgement with_partner_severity(probes::DomainJudgement judged,
                                                            config::Role role);

// The domain had DANE until lately and has none now: mail goes there unprotected, and no sender
// reports it. `protected_until`: when it was last seen authenticated; null: never. Nothing when the
// look itself tells of a loss.
[[nodiscard]] std::optional<probes::Finding> find_loss(const probes::DomainJudgement& judged,
                                                       std::optional<config::Time> protected_until,
                                                       config::Time at);

// A message to the partner's postmaster that says what is wrong, in what order to mend it, and who
// says so; null when nothing high or critical is.
[[nodiscard]] std::optional<std::string> postmaster_text(const probes::DomainJudgement& judged);

// What the operator must know of an alert that hits partners' domains alone: the steps of its
// finding are for others to take.
struct PartnersTrouble {
  std::string domain;             // the first that it hits
  std::string whose;              // in a sentence: whose it is, and that only they can change it
  std::vector<std::string> ours;  // steps that we can take
};
// Null where one of our domains is hit, too, or where it is ours to end.
[[nodiscard]] std::optional<PartnersTrouble> partners_trouble(const Alert& alert);

// An exception in the operator's own Postfix, made in haste and meant to go again.
struct Exception {
  std::string domain;
  std::string level;  // "encrypt", or "may" where not even STARTTLS works
  config::Time made_at;
  config::Time until;
  bool operator==(const Exception&) const = default;
};

// For how long one is proposed.
inline constexpr config::Seconds kExceptionFor = std::chrono::hours{24 * 3};

// The line for Postfix's smtp_tls_policy_maps that lets mail to the domain go meanwhile; null when
// DANE is not what stops it. Everything that an attacker could want of the exception is that it
// stays: it carries its end.
[[nodiscard]] std::optional<Exception> exception_for(const probes::DomainJudgement& judged,
                                                     config::Time at);
[[nodiscard]] std::string policy_line(const Exception& exception);

// Asks for its removal, once the domain is well again or its time is over.
[[nodiscard]] std::optional<probes::Finding> leftover_exception(
    const probes::DomainJudgement& judged, const std::optional<Exception>& made, config::Time at);

}  // namespace agent
