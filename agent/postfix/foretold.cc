#include "agent/postfix/foretold.h"

#include <algorithm>

namespace agent {
namespace {

using probes::Verdict;
using probes::reports::Delivery;
using probes::reports::DeliveryStatus;
using probes::reports::Setback;
using probes::reports::TlsLevel;

// What came of it, as far as a verdict can foretell it.
enum class Outcome { authenticated, encrypted, cleartext, refused, lookup_failed, not_reached };

std::optional<Outcome> outcome_of(const Delivery& delivery) {
  if (delivery.status == DeliveryStatus::sent) {
    switch (delivery.level) {
      case TlsLevel::verified:
      case TlsLevel::trusted:
        return Outcome::authenticated;
      case TlsLevel::untrusted:
      case TlsLevel::anonymous:
        return Outcome::encrypted;
      case TlsLevel::none:
        return Outcome::cleartext;
      case TlsLevel::unknown:
        return std::nullopt;
    }
    return std::nullopt;
  }
  switch (delivery.setback) {
    case Setback::certificate:
    case Setback::starttls_missing:
    case Setback::starttls_refused:
    case Setback::handshake:
      return Outcome::refused;
    case Setback::tlsa_lookup:
      return Outcome::lookup_failed;
    case Setback::name_lookup:
      return Outcome::lookup_failed;
    case Setback::unreachable:
      return Outcome::not_reached;
    case Setback::none:
    case Setback::dane_demanded:
    case Setback::own_policy:
    case Setback::server:
    case Setback::other:
      return std::nullopt;
  }
  return std::nullopt;
}

bool is_any(Outcome outcome, std::initializer_list<Outcome> wanted) {
  return std::ranges::find(wanted, outcome) != wanted.end();
}

}  // namespace

std::optional<bool> was_foretold(Verdict verdict, const Delivery& delivery, bool is_excepted) {
  const auto outcome = outcome_of(delivery);
  if (!outcome) return std::nullopt;
  // A policy of the operator's, not DANE, decided over this session.
  if (is_excepted && delivery.status == DeliveryStatus::sent) return std::nullopt;
  using enum Outcome;
  switch (verdict) {
    case Verdict::authenticated:
      // "Trusted" is a certificate of a public CA: this Postfix looked at no TLSA records.
      return *outcome == authenticated && delivery.level == TlsLevel::verified;
    case Verdict::host_authenticated:
      return *outcome == authenticated;
    case Verdict::encrypted:
      return *outcome == encrypted ||
             (*outcome == authenticated && delivery.level == TlsLevel::trusted);
    case Verdict::opportunistic:
      // Where there is no DANE, "Trusted" and "Verified" are a certificate of a public CA.
      return is_any(*outcome, {encrypted, authenticated});
    case Verdict::cleartext:
      return *outcome == cleartext;
    case Verdict::refused:
      return *outcome == refused;
    case Verdict::lookup_failed:
      return is_any(*outcome, {lookup_failed, not_reached});
    case Verdict::down:
      return is_any(*outcome, {not_reached, lookup_failed});
    case Verdict::no_address:
    case Verdict::bounced:
    case Verdict::no_mail:
      return is_any(*outcome, {not_reached, lookup_failed});
    case Verdict::deferred:
      return is_any(*outcome, {refused, lookup_failed, not_reached});
    case Verdict::unknown:
      return std::nullopt;
  }
  return std::nullopt;
}

std::optional<Verdict> verdict_about(const probes::DomainJudgement& judged,
                                     const Delivery& delivery) {
  if (delivery.host.empty()) return judged.verdict;
  const auto host = std::ranges::find_if(judged.hosts, [&](const probes::HostJudgement& one) {
    return one.seen->host.text() == delivery.host;
  });
  if (host == judged.hosts.end()) return std::nullopt;
  return host->verdict;
}

config::Time looked_at(const probes::DomainJudgement& judged, const Delivery& delivery) {
  for (const auto& host : judged.hosts) {
    if (host.seen->host.text() == delivery.host) return host.seen->observed_at;
  }
  return judged.seen.open()->observed_at;
}

}  // namespace agent
