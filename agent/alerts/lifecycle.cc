#include "agent/alerts/lifecycle.h"

#include <algorithm>
#include <set>

#include <fmt/format.h>

#include "probes/catalogue.h"
#include "probes/causes.h"

namespace agent {
namespace {

using probes::Code;
using probes::Proof;
using probes::Verdict;
using probes::dns::Outcome;

constexpr int kLooksDeterministic = 2;
constexpr int kLooksTransient = 3;
constexpr config::Seconds kTransientFor = std::chrono::minutes{30};
constexpr int kLooksClean = 2;

constexpr int kFlaps = 2;  // relapses that make it flapping
constexpr config::Seconds kCalm = std::chrono::minutes{30};

// Only what may stand in a URL and a file name.
std::string id_of(const Trouble& trouble, config::Time at) {
  std::string name;
  for (const char c : trouble.cause.name) {
    const bool is_plain =
        (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '.' || c == '-' || c == '_';
    name.push_back(is_plain ? c : '_');
  }
  return fmt::format("{}.{}.{}", wire_name(trouble.finding.code), name.substr(0, 200),
                     at.time_since_epoch().count());
}

// Whether it may be weather. Where a name server lacks the record of a key in use, both what it
// gives and what the others give was learned, and senders that ask it refuse the key: that is as
// certain as a mismatch.
bool may_pass(const probes::Finding& finding) {
  return is_transient(finding.code) &&
         std::ranges::none_of(finding.gaps, &probes::ServerGap::is_refusing);
}

bool is_confirmed(const Alert& alert, config::Time at) {
  if (!may_pass(alert.finding))
    return alert.looks_seen >= kLooksDeterministic || is_flapping(alert);
  return alert.looks_seen >= kLooksTransient || at - alert.first_seen_at >= kTransientFor;
}

void add_new(std::vector<std::string>& all, const std::vector<std::string>& some) {
  for (const auto& one : some) {
    if (std::ranges::find(all, one) == all.end()) all.push_back(one);
  }
}

// What each hit knows of is to be done for all of them.
void sum_up_remedies(Alert& alert) {
  auto& finding = alert.finding;
  finding.next_keys.clear();
  std::vector<std::string> publish;
  for (const auto& hit : alert.hits) {
    add_new(finding.next_keys, hit.next_keys);
    add_new(publish, hit.publish);
  }
  if (alert.cause.kind != probes::Subject::Kind::owner || finding.is_in_caches_only) return;
  if (!finding.remedy && !publish.empty()) finding.remedy = {.owner = alert.cause.name};
  if (finding.remedy && finding.remedy->server.empty())
    finding.remedy->publish = std::move(publish);
}

// What the hits make of the alert. One that fires is not told anew when it grows calmer: it keeps
// the worst that it was.
void sum_up(Alert& alert, probes::Severity before) {
  std::set<std::string> all;
  const bool fires = alert.state == AlertState::firing;
  alert.finding.severity = fires ? before : probes::Severity::info;
  alert.direction = config::Role::outbound;
  for (const auto& hit : alert.hits) {
    all.insert(hit.domains.begin(), hit.domains.end());
    alert.finding.severity = std::max(alert.finding.severity, hit.severity);
    if (hit.direction == config::Role::inbound) alert.direction = hit.direction;
  }
  alert.domains.assign(all.begin(), all.end());
  sum_up_remedies(alert);
}

// What was said before was seen elsewhere.
void speak_of(Alert& alert, const probes::Subject& subject) {
  alert.finding = {.code = alert.finding.code,
                   .severity = alert.finding.severity,
                   .subject = subject,
                   .root = std::move(alert.finding.root),
                   .refused_since = alert.finding.refused_since};
}

// Puts the trouble's subject into the hits.
void take_hit(Alert& alert, const Trouble& trouble, probes::Severity before) {
  const auto& subject = trouble.finding.subject;
  auto hit = std::ranges::find(alert.hits, subject, &Hit::subject);
  if (hit == alert.hits.end()) hit = alert.hits.insert(hit, Hit{});
  *hit = {.subject = subject,
          .domains = trouble.domains,
          .refused_keys = trouble.refused_keys,
          .severity = trouble.finding.severity,
          .direction = trouble.direction,
          .holds_mail = trouble.holds_mail,
          .next_keys = trouble.finding.next_keys,
          .publish = trouble.finding.remedy ? trouble.finding.remedy->publish
                                            : std::vector<std::string>{}};
  sum_up(alert, before);
}

// Who knows of one key to come, and perhaps does not mind, does not know of the next.
bool has_new_key(const Alert& alert, const Trouble& trouble) {
  const auto& known = alert.finding.next_keys;
  return std::ranges::any_of(trouble.finding.next_keys, [&](const std::string& key) {
    return std::ranges::find(known, key) == known.end();
  });
}

// Name servers that differed without harm, or of which another refused the key in use: what people
// were told to do then may be the opposite of what helps now.
bool has_new_refusal(const Alert& alert, const Trouble& trouble) {
  const auto was_refusing = [&](const std::string& server) {
    return std::ranges::any_of(alert.finding.gaps, [&](const probes::ServerGap& gap) {
      return gap.is_refusing && gap.server == server;
    });
  };
  return std::ranges::any_of(trouble.finding.gaps, [&](const probes::ServerGap& gap) {
    return gap.is_refusing && !was_refusing(gap.server);
  });
}

// As if nobody had been told, or had it in hand.
void tell_anew(Alert& alert) {
  alert.acknowledged.reset();
  alert.told_at.reset();
}

Followed seen(const std::optional<Alert>& before, const Trouble& trouble, int relapses,
              config::Time at) {
  Alert alert = before.value_or(Alert{
      .id = id_of(trouble, at), .cause = trouble.cause, .first_seen_at = at, .relapses = relapses});
  const auto worst = alert.finding.severity;
  const bool goes_on = before && before->finding.code == trouble.finding.code;  // not an heir
  if (before && (has_new_key(alert, trouble) || (goes_on && has_new_refusal(alert, trouble))))
    tell_anew(alert);
  if (!trouble.finding.is_in_caches_only) {
    alert.finding = trouble.finding;
  } else if (alert.hits.size() == 1) {  // it stays what it was, but there is nothing left to do
    alert.finding.is_in_caches_only = true;
    alert.finding.remedy = trouble.finding.remedy;
  }
  take_hit(alert, trouble, worst);
  alert.last_seen_at = at;
  alert.looks_clean = 0;
  if (alert.state == AlertState::firing)
    return {.step = Step::still_firing, .alert = std::move(alert)};
  ++alert.looks_seen;
  if (!is_confirmed(alert, at)) {
    return {.step = before ? Step::waiting : Step::noticed, .alert = std::move(alert)};
  }
  alert.state = AlertState::firing;
  alert.opened_at = at;
  auto reason = fmt::format("seen by {} probes since {}{}", alert.looks_seen,
                            config::rfc3339(alert.first_seen_at),
                            is_flapping(alert) ? ", and comes and goes" : "");
  return {.step = Step::opened, .alert = std::move(alert), .reason = std::move(reason)};
}

// What was pending and is not confirmed.
Followed unconfirmed(Alert alert, config::Time at) {
  if (may_pass(alert.finding)) return {.step = Step::forgotten, .alert = std::move(alert)};
  alert.state = AlertState::passed;
  alert.resolved_at = at;
  return {.step = Step::passed, .alert = std::move(alert)};
}

Followed clean(Alert alert, config::Time at) {
  if (alert.state == AlertState::pending) return unconfirmed(std::move(alert), at);
  const bool is_calm = !is_flapping(alert) || at - alert.last_seen_at >= kCalm;
  if (++alert.looks_clean < kLooksClean || !is_calm)
    return {.step = Step::maybe_over, .alert = std::move(alert)};
  alert.state = AlertState::resolved;
  alert.resolved_at = at;
  alert.finding.is_in_caches_only = false;  // what it was is told as over
  return {.step = Step::resolved,
          .alert = std::move(alert),
          .reason = fmt::format("not seen by {} probes in a row", alert.looks_clean)};
}

bool was_heard(const probes::dns::Survey& survey) {
  return std::ranges::any_of(survey.answers, [](const probes::dns::ServerAnswer& answer) {
    return is_learned(answer.outcome);
  });
}

}  // namespace

std::string_view wire_name(AlertState state) {
  switch (state) {
    case AlertState::pending:
      return "pending";
    case AlertState::firing:
      return "firing";
    case AlertState::resolved:
      return "resolved";
    case AlertState::passed:
      return "passed";
  }
  return "";
}

std::optional<config::Time> bounces_at(const Alert& alert) {
  constexpr config::Seconds kQueued = std::chrono::days{5};
  const bool is_over = alert.state == AlertState::resolved || alert.state == AlertState::passed;
  if (is_over || std::ranges::none_of(alert.hits, &Hit::holds_mail)) return std::nullopt;
  const auto since = alert.finding.refused_since.value_or(alert.first_seen_at);
  return std::min(since, alert.first_seen_at) + kQueued;
}

std::optional<AlertState> alert_state_from(std::string_view name) {
  for (const auto state :
       {AlertState::pending, AlertState::firing, AlertState::resolved, AlertState::passed}) {
    if (wire_name(state) == name) return state;
  }
  return std::nullopt;
}

bool is_transient(Code code) {
  return probes::row_of(code).alerts.is_transient;
}

bool is_grave(const probes::Finding& finding) {
  return finding.severity >= probes::row_of(finding.code).alerts.alerts_from;
}

bool is_alertable(const probes::Finding& finding) {
  return is_grave(finding) && !finding.consequence_of;
}

bool is_flapping(const Alert& alert) {
  return alert.relapses >= kFlaps;
}

bool is_refusal(Code code) {
  return probes::row_of(code).alerts.refuses;
}

bool continues(const Trouble& trouble, const Alert& pending) {
  return (trouble.finding.code == Code::stale_cache_window && is_refusal(pending.finding.code)) ||
         probes::explains(trouble.finding, pending.finding.code) ||
         probes::explains(pending.finding, trouble.finding.code);
}

Alert heir(const Alert& pending, const Trouble& trouble, config::Time at) {
  return {.id = id_of(trouble, at),
          .cause = trouble.cause,
          .first_seen_at = pending.first_seen_at,
          .looks_seen = pending.looks_seen};
}

Followed taken_over(const Alert& pending, config::Time at) {
  return unconfirmed(pending, at);
}

Followed follow(const std::optional<Alert>& before, Sight sight, const Trouble* trouble,
                int relapses, config::Time at) {
  switch (sight) {
    case Sight::seen:
      if (trouble != nullptr) return seen(before, *trouble, relapses, at);
      break;
    case Sight::clean:
      if (before) return clean(*before, at);
      break;
    case Sight::unknown:
      break;
  }
  return {.step = Step::nothing, .alert = before};
}

Alert joined(Alert alert, const Trouble& trouble, config::Time at) {
  if (has_new_key(alert, trouble)) tell_anew(alert);
  take_hit(alert, trouble, alert.finding.severity);
  alert.last_seen_at = at;
  alert.looks_clean = 0;
  return alert;
}

Alert left(Alert alert, const probes::Subject& subject) {
  std::erase_if(alert.hits, [&](const Hit& hit) { return hit.subject == subject; });
  if (alert.finding.subject == subject && !alert.hits.empty())
    speak_of(alert, alert.hits.front().subject);
  sum_up(alert, alert.finding.severity);
  return alert;
}

Alert led(Alert alert, const probes::Subject& subject) {
  const auto hit = std::ranges::find(alert.hits, subject, &Hit::subject);
  if (hit == alert.hits.end() || hit == alert.hits.begin()) return alert;
  std::rotate(alert.hits.begin(), hit, std::next(hit));
  speak_of(alert, subject);
  sum_up(alert, alert.finding.severity);
  return alert;
}

bool hits(const Alert& alert, const probes::Subject& subject) {
  return std::ranges::find(alert.hits, subject, &Hit::subject) != alert.hits.end();
}

Followed abandon(const Alert& before, std::string_view reason, config::Time at) {
  Alert alert = before;
  if (alert.state == AlertState::pending)
    return {.step = Step::forgotten, .alert = std::move(alert)};
  alert.state = AlertState::resolved;
  alert.resolved_at = at;
  return {.step = Step::resolved, .alert = std::move(alert), .reason = std::string(reason)};
}

bool is_conclusive(Code code, const std::vector<std::string>& addresses,
                   const probes::HostJudgement& host) {
  const auto& seen = *host.seen;
  const bool knows_addresses = seen.a.outcome != Outcome::failed &&
                               seen.aaaa.outcome != Outcome::failed &&
                               seen.cname->outcome != Outcome::failed;
  const bool knows_tlsa = knows_addresses && seen.tlsa.outcome != Outcome::failed;
  const auto over_by = probes::row_of(code).alerts.over_by;
  switch (over_by) {
    case Proof::addresses:
      return knows_addresses;
    case Proof::records:
      return knows_tlsa;
    case Proof::name_servers:
      return was_heard(seen.survey);
    case Proof::endpoints:
    case Proof::any_answer:
      break;
  }
  if (!knows_tlsa) return false;
  // An endpoint that showed the trouble must have shown that it is over; one that is silent has
  // shown nothing. A host that is down is itself a sign of life's absence, so any answer ends that.
  return std::ranges::none_of(host.endpoints, [&](const probes::EndpointJudgement& endpoint) {
    const auto& address = seen.sessions[endpoint.session].address;
    const bool showed_it =
        addresses.empty() || std::ranges::find(addresses, address) != addresses.end();
    const bool is_silent = endpoint.verdict == Verdict::unknown ||
                           (endpoint.verdict == Verdict::down && over_by != Proof::any_answer);
    return showed_it && is_silent;
  });
}

bool is_conclusive(Code code, const probes::DomainJudgement& domain) {
  const auto seen = domain.seen.open();
  switch (probes::row_of(code).alerts.over_by) {
    case Proof::name_servers:
      return was_heard(seen->survey);
    case Proof::records:
      return seen->mx.outcome != Outcome::failed;
    case Proof::addresses:
    case Proof::endpoints:
    case Proof::any_answer:
      break;
  }
  if (seen->mx.outcome == Outcome::failed || domain.hosts.size() < seen->hosts.size()) return false;
  return std::ranges::none_of(domain.hosts, [](const probes::HostJudgement& host) {
    return host.verdict == Verdict::unknown || host.verdict == Verdict::down ||
           host.verdict == Verdict::lookup_failed;
  });
}

}  // namespace agent
