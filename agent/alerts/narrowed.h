#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "agent/alerts/silence.h"
#include "probes/judgement.h"

// PURE
// What of an alert belongs to somebody: it may hit others' domains as well, and what is known of
// theirs may have been learned at others'.
namespace agent {

// What is somebody's among all that is watched.
struct Owned {
  Domains domain;  // what is configured of one of theirs; null: it is not theirs
  // What was judged of one of those; null: nothing yet.
  std::function<const probes::DomainJudgement*(const std::string& domain)> judged;
  // Whether it names a domain or host that is watched for somebody else.
  std::function<bool(std::string_view name)> is_others;
  // Whether a name, as certificates have them, is that of a domain or host of theirs.
  std::function<bool(const std::string& name)> fits;
};

// The alert as if nothing else were watched; nothing when it hits no domain of theirs. What is
// wrong with the agent itself everybody sees, without others' names.
[[nodiscard]] std::optional<Alert> narrowed(const Alert& alert, const Owned& owned);

// Evidence and text, ours, about the agent or what it learned elsewhere, with names taken out of it
// that are others'. In text that mail servers or people chose, the gaps would tell who is watched.
void take_out_others(std::string_view name, std::string& value, const Owned& owned);
[[nodiscard]] std::string without_others(std::string_view text,
                                         const std::function<bool(std::string_view)>& is_others);
// What is said of a self-check to somebody who is to read nothing of others: its name and detail.
[[nodiscard]] std::string own_detail(std::string_view check, std::string_view detail,
                                     const std::function<bool(std::string_view)>& is_others);

// ---- owners by matchers

// Those that say whose domains are meant: domain, group, direction.
[[nodiscard]] std::vector<Matcher> of_domains(const std::vector<Matcher>& matchers);

// All that is watched, for what matchers make of it. What it is made of outlives it.
struct Watched {
  Domains domains;
  std::function<const probes::DomainJudgement*(const std::string& domain)> judged;
  std::function<std::vector<std::string>(const std::string& host)> users;  // domains; of none: none
};

// What these matchers leave of it; null where they name nobody's domains, so that it is everything.
// `watched` outlives it.
[[nodiscard]] std::optional<Owned> owned_by(const std::vector<Matcher>& matchers,
                                            const Watched& watched);

}  // namespace agent
