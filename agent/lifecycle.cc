#include "agent/lifecycle.h"

#include <algorithm>

#include <fmt/format.h>

namespace agent {
namespace {

using probes::Code;
using probes::Verdict;
using probes::dns::Outcome;

constexpr int kLooksDeterministic = 2;
constexpr int kLooksTransient = 3;
constexpr config::Seconds kTransientFor = std::chrono::minutes{30};
constexpr int kLooksClean = 2;

// Only what may stand in a URL and a file name.
std::string id_of(const probes::Finding& finding, config::Time at) {
  std::string name;
  for (const char c : finding.subject.name) {
    const bool is_plain =
        (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '.' || c == '-' || c == '_';
    name.push_back(is_plain ? c : '_');
  }
  return fmt::format("{}.{}.{}", wire_name(finding.code), name.substr(0, 200),
                     at.time_since_epoch().count());
}

bool is_confirmed(const Alert& alert, config::Time at) {
  if (!is_transient(alert.finding.code)) return alert.looks_seen >= kLooksDeterministic;
  return alert.looks_seen >= kLooksTransient || at - alert.first_seen_at >= kTransientFor;
}

Followed seen(const std::optional<Alert>& before, const probes::Finding& finding,
              const std::vector<std::string>& domains, config::Time at) {
  Alert alert = before.value_or(Alert{.id = id_of(finding, at), .first_seen_at = at});
  alert.finding = finding;
  alert.domains = domains;
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
  auto reason = fmt::format("seen in {} looks since {}", alert.looks_seen,
                            config::rfc3339(alert.first_seen_at));
  return {.step = Step::opened, .alert = std::move(alert), .reason = std::move(reason)};
}

Followed clean(Alert alert, config::Time at) {
  if (alert.state == AlertState::pending)
    return {.step = Step::forgotten, .alert = std::move(alert)};
  if (++alert.looks_clean < kLooksClean)
    return {.step = Step::maybe_over, .alert = std::move(alert)};
  alert.state = AlertState::resolved;
  alert.resolved_at = at;
  return {.step = Step::resolved,
          .alert = std::move(alert),
          .reason = fmt::format("gone in {} looks", kLooksClean)};
}

bool is_about_name_servers(Code code) {
  return code == Code::nameserver_split || code == Code::nameserver_failing ||
         code == Code::nameserver_udp_only || code == Code::ent_nxdomain;
}

bool was_heard(const probes::dns::Survey& survey) {
  return std::ranges::any_of(survey.answers, [](const probes::dns::ServerAnswer& answer) {
    return answer.outcome == Outcome::answer || answer.outcome == Outcome::absent;
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
  }
  return "";
}

std::optional<AlertState> alert_state_from(std::string_view name) {
  for (const auto state : {AlertState::pending, AlertState::firing, AlertState::resolved}) {
    if (wire_name(state) == name) return state;
  }
  return std::nullopt;
}

bool is_transient(Code code) {
  switch (code) {
    case Code::starttls_rejected:
    case Code::tls_handshake_failed:
    case Code::tlsa_lookup_failed:
    case Code::mx_lookup_failed:
    case Code::address_lookup_failed:
    case Code::endpoint_partial:
    case Code::host_down:
    case Code::probe_refused:
    case Code::domain_gone:
    case Code::intermittent:
    case Code::nameserver_split:
      return true;
    default:
      return false;
  }
}

bool is_alertable(const probes::Finding& finding) {
  if (finding.code == Code::monitor_fault) return true;
  return finding.severity >= probes::Severity::high && !finding.is_consequence;
}

Followed follow(const std::optional<Alert>& before, Sight sight, const probes::Finding* finding,
                const std::vector<std::string>& domains, config::Time at) {
  switch (sight) {
    case Sight::seen:
      if (finding != nullptr) return seen(before, *finding, domains, at);
      break;
    case Sight::clean:
      if (before) return clean(*before, at);
      break;
    case Sight::unknown:
      break;
  }
  return {.step = Step::nothing, .alert = before};
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
                               seen.cname.outcome != Outcome::failed;
  const bool knows_tlsa = knows_addresses && seen.tlsa.outcome != Outcome::failed;
  switch (code) {
    case Code::address_lookup_failed:
      return knows_addresses;
    case Code::tlsa_lookup_failed:
    case Code::dnssec_expired:
    case Code::ds_broken:
    case Code::rrsig_expiring:
    case Code::all_unusable:
    case Code::tlsa_malformed:
      return knows_tlsa;
    default:
      break;
  }
  if (is_about_name_servers(code)) return was_heard(seen.survey);
  if (!knows_tlsa) return false;
  // An endpoint that showed the trouble must have shown that it is over; one that is silent has
  // shown nothing. A host that is down is itself a sign of life's absence, so any answer ends that.
  const bool is_about_silence =
      code == Code::host_down || code == Code::endpoint_partial || code == Code::probe_refused;
  return std::ranges::none_of(host.endpoints, [&](const probes::EndpointJudgement& endpoint) {
    const auto& address = seen.sessions[endpoint.session].address;
    const bool showed_it =
        addresses.empty() || std::ranges::find(addresses, address) != addresses.end();
    const bool is_silent = endpoint.verdict == Verdict::unknown ||
                           (endpoint.verdict == Verdict::down && !is_about_silence);
    return showed_it && is_silent;
  });
}

bool is_conclusive(Code code, const probes::DomainJudgement& domain) {
  if (is_about_name_servers(code)) return was_heard(domain.seen->survey);
  switch (code) {
    case Code::mx_lookup_failed:
    case Code::dnssec_expired:
    case Code::ds_broken:
    case Code::rrsig_expiring:
    case Code::mx_invalid:
      return domain.seen->mx.outcome != Outcome::failed;
    default:
      break;
  }
  if (domain.seen->mx.outcome == Outcome::failed || domain.hosts.size() < domain.seen->hosts.size())
    return false;
  return std::ranges::none_of(domain.hosts, [](const probes::HostJudgement& host) {
    return host.verdict == Verdict::unknown || host.verdict == Verdict::down ||
           host.verdict == Verdict::lookup_failed;
  });
}

}  // namespace agent
