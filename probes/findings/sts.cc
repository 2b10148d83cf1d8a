#include <algorithm>

#include <fmt/format.h>

#include "probes/findings/parts.h"

namespace probes {
namespace {

using dns::Outcome;

// Why senders that follow the policy would not deliver to some host: not named in it, or without a
// certificate that the Web's PKI vouches for.
std::vector<Evidence> omitted_by(const sts::Policy& policy, const DomainObservation& domain) {
  std::vector<Evidence> out;
  for (const auto& mx : domain.hosts) {
    if (!sts::allows(policy, mx.name.text())) out.push_back({"not-in-policy", mx.name.text()});
  }
  return out;
}

std::vector<Evidence> unproven_hosts(const DomainJudgement& judged) {
  std::vector<Evidence> out;
  for (const auto& host : judged.hosts) {
    for (const auto& session : host.seen->sessions) {
      const bool is_proven =
          !session.tls || !session.tls->pkix || *session.tls->pkix == tls::PkixStop::none;
      if (session.key_type != tls::KeyType::by_default || is_proven) continue;
      Evidence item{"certificate",
                    fmt::format("{}: {}", host.seen->host.text(), wire_name(*session.tls->pkix))};
      if (std::ranges::find(out, item) == out.end()) out.push_back(std::move(item));
    }
  }
  return out;
}

// Whether the domain's announcement of MTA-STS leads to a policy; says why not.
std::vector<Evidence> why_no_policy(const StsObservation& sts) {
  if (sts.sts.state != sts::RecordState::valid)
    return {{"record", std::string(wire_name(sts.sts.state))}, {"detail", sts.sts.detail}};
  if (!sts.fetched || sts.fetched->is_own_limit ||
      sts.fetched->outcome == sts::FetchOutcome::policy)
    return {};
  return {{"fetch", std::string(wire_name(sts.fetched->outcome))}, {"detail", sts.fetched->detail}};
}

}  // namespace

void add_sts_findings(std::vector<Finding>& out, const DomainJudgement& judged) {
  const auto seen = judged.seen.open();
  const auto& sts = *seen->sts;
  const auto add = [&](Code code, Severity severity, std::vector<Evidence> evidence) {
    out.push_back({.code = code,
                   .severity = severity,
                   .subject = domain_subject(*seen),
                   .evidence = std::move(evidence)});
  };
  const bool is_announced =
      sts.sts_txt.outcome == Outcome::answer && sts.sts.state != sts::RecordState::absent;
  const bool has_dane = std::ranges::any_of(judged.hosts, [](const HostJudgement& host) {
    return host.seen->tlsa.outcome == Outcome::answer;
  });
  const bool has_no_tlsrpt =
      sts.tlsrpt_txt.outcome == Outcome::absent ||
      (sts.tlsrpt_txt.outcome == Outcome::answer && sts.tlsrpt.state != sts::RecordState::valid);
  if (has_no_tlsrpt && (has_dane || is_announced))
    add(Code::tlsrpt_missing, Severity::low,
        {{"record", std::string(wire_name(sts.tlsrpt.state))}});
  if (!is_announced) return;
  if (auto why = why_no_policy(sts); !why.empty())
    add(Code::mta_sts_invalid, Severity::medium, std::move(why));
  if (!sts.fetched || sts.fetched->outcome != sts::FetchOutcome::policy) return;
  const auto& policy = sts.fetched->policy;
  if (policy.mode == sts::Mode::none) return;
  auto evidence = omitted_by(policy, *seen);
  const bool omits_all = evidence.size() == seen->hosts.size();
  auto unproven = unproven_hosts(judged);
  const bool turns_away = policy.mode == sts::Mode::enforce && (omits_all || !unproven.empty());
  evidence.insert(evidence.end(), unproven.begin(), unproven.end());
  if (evidence.empty()) return;
  evidence.push_back({"mode", std::string(wire_name(policy.mode))});
  add(Code::mta_sts_conflict, turns_away ? Severity::high : Severity::medium, std::move(evidence));
}

}  // namespace probes
