#include "probes/status.h"

#include <algorithm>
#include <array>

namespace probes {
namespace {

constexpr std::array<std::string_view, kStatusCount> kStatuses{"ok", "warning", "critical",
                                                               "unknown"};
constexpr std::array<std::string_view, kDeliveryCount> kDeliveries{"held-up", "unprotected",
                                                                   "at-risk", "fine", "unknown"};

template <class Word, class Names>
std::optional<Word> word_in(const Names& names, std::string_view name) {
  const auto found = std::ranges::find(names, name);
  if (found == names.end()) return std::nullopt;
  return static_cast<Word>(found - names.begin());
}

// A sender passes over a host that it refuses: mail waits where it refuses each that takes mail.
bool do_caches_refuse(const DomainJudgement& judged) {
  bool is_any_refused = false;
  for (const auto& host : judged.hosts) {
    if (!is_deliverable(host.verdict)) continue;
    if (!host.most_caches_refuse) return false;
    is_any_refused = true;
  }
  return is_any_refused;
}

bool is_at(const Finding& finding, const HostJudgement& host) {
  return finding.subject.kind == Subject::Kind::host &&
         finding.subject.name == host.seen->host.text();
}

// By those of the findings that count.
Status status_by(Verdict verdict, const Findings& findings, const auto& counts) {
  const auto has = [&](auto&& is_meant) {
    return std::ranges::any_of(
        findings, [&](const Finding& finding) { return counts(finding) && is_meant(finding); });
  };
  const auto is_ours = [](const Finding& finding) { return finding.code == Code::monitor_fault; };
  if (has([&](const Finding& finding) {
        return finding.severity == Severity::critical && !is_ours(finding);
      }))
    return Status::critical;
  if (verdict == Verdict::unknown || has(is_blinding)) return Status::unknown;
  const bool is_delivered = is_deliverable(verdict) || verdict == Verdict::no_mail;
  return !is_delivered ||
                 has([](const Finding& finding) { return finding.severity >= Severity::medium; })
             ? Status::warning
             : Status::ok;
}

}  // namespace

Status status_of(Verdict verdict, const Findings& findings) {
  return status_by(verdict, findings, [](const Finding&) { return true; });
}

Status status_of(const DomainJudgement& judged) {
  const auto out = status_of(judged.verdict, judged.findings);
  return out == Status::ok && do_caches_refuse(judged) ? Status::warning : out;
}

Status status_of(const DomainJudgement& judged, const HostJudgement& host) {
  // The domain's list has also what was added later, as that a key to come is not published.
  const auto out = status_by(host.verdict, judged.findings,
                             [&](const Finding& finding) { return is_at(finding, host); });
  return out == Status::ok && host.most_caches_refuse ? Status::warning : out;
}

const Finding* worst_finding(const DomainJudgement& judged, const HostJudgement& host) {
  const auto found = std::ranges::find_if(
      judged.findings, [&](const Finding& finding) { return is_at(finding, host); });
  return found == judged.findings.end() ? nullptr : &*found;
}

Delivery delivery_seen(Verdict verdict, Status status) {
  switch (verdict) {
    case Verdict::refused:
    case Verdict::lookup_failed:
    case Verdict::down:
    case Verdict::no_address:
    case Verdict::deferred:
    case Verdict::bounced:
      return Delivery::held_up;
    case Verdict::unknown:
      return Delivery::unknown;
    case Verdict::encrypted:  // whoever sits between may be the peer
    case Verdict::opportunistic:
    case Verdict::cleartext:
      return status == Status::unknown ? Delivery::unknown : Delivery::unprotected;
    case Verdict::host_authenticated:  // a forged MX RRset may name another host
      return status == Status::unknown ? Delivery::unknown : Delivery::at_risk;
    case Verdict::authenticated:
    case Verdict::no_mail:
      break;
  }
  switch (status) {
    case Status::ok:
      return Delivery::fine;
    case Status::warning:
    case Status::critical:
      return Delivery::at_risk;
    case Status::unknown:
      return Delivery::unknown;
  }
  return Delivery::unknown;
}

Delivery delivery_of(const DomainJudgement& judged) {
  const auto seen = delivery_seen(judged.verdict, status_of(judged));
  return seen != Delivery::unknown && do_caches_refuse(judged) ? Delivery::held_up : seen;
}

Delivery delivery_of(const HostJudgement& judged) {
  const auto seen = delivery_seen(judged.verdict, status_of(judged.verdict, judged.findings));
  return seen != Delivery::unknown && judged.most_caches_refuse ? Delivery::held_up : seen;
}

Severity worst_severity(const Findings& findings) {
  auto out = Severity::info;
  for (const auto& finding : findings) out = std::max(out, finding.severity);
  return out;
}

bool is_worse(const HostJudgement& one, const HostJudgement& other) {
  return rank(delivery_of(one)) < rank(delivery_of(other));
}

std::string_view wire_name(Status status) {
  return kStatuses[static_cast<std::size_t>(status)];
}
std::string_view wire_name(Delivery delivery) {
  return kDeliveries[static_cast<std::size_t>(delivery)];
}
std::optional<Status> status_from(std::string_view name) {
  return word_in<Status>(kStatuses, name);
}
std::optional<Delivery> delivery_from(std::string_view name) {
  return word_in<Delivery>(kDeliveries, name);
}

int rank(Status status) {
  switch (status) {
    case Status::critical:
      return 0;
    case Status::unknown:
      return 1;
    case Status::warning:
      return 2;
    case Status::ok:
      return 3;
  }
  return 0;
}

int rank(Delivery delivery) {
  switch (delivery) {
    case Delivery::held_up:
      return 0;
    case Delivery::at_risk:
      return 1;
    case Delivery::unknown:
      return 2;
    case Delivery::unprotected:
      return 3;
    case Delivery::fine:
      return 4;
  }
  return 0;
}

Status look_of(Delivery delivery) {
  switch (delivery) {
    case Delivery::held_up:
      return Status::critical;
    case Delivery::unprotected:
    case Delivery::at_risk:
      return Status::warning;
    case Delivery::fine:
      return Status::ok;
    case Delivery::unknown:
      return Status::unknown;
  }
  return Status::unknown;
}

Status look_of(Verdict verdict) {
  if (verdict == Verdict::unknown) return Status::unknown;
  if (verdict == Verdict::authenticated || verdict == Verdict::no_mail) return Status::ok;
  return is_deliverable(verdict) ? Status::warning : Status::critical;
}

std::string_view sign_of(Status look) {
  switch (look) {
    case Status::ok:
      return "✓";
    case Status::warning:
      return "!";
    case Status::critical:
      return "✗";
    case Status::unknown:
      return "?";
  }
  return "?";
}

}  // namespace probes
