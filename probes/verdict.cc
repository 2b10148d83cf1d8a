#include "probes/verdict.h"

#include <utility>

namespace probes {
namespace {

constexpr std::array<std::pair<Verdict, std::string_view>, 13> kVerdicts{{
    {Verdict::authenticated, "authenticated"},
    {Verdict::host_authenticated, "host-authenticated"},
    {Verdict::encrypted, "encrypted"},
    {Verdict::opportunistic, "opportunistic"},
    {Verdict::cleartext, "cleartext"},
    {Verdict::refused, "refused"},
    {Verdict::lookup_failed, "lookup-failed"},
    {Verdict::down, "down"},
    {Verdict::no_address, "no-address"},
    {Verdict::unknown, "unknown"},
    {Verdict::deferred, "deferred"},
    {Verdict::bounced, "bounced"},
    {Verdict::no_mail, "no-mail"},
}};

constexpr std::array<std::pair<Severity, std::string_view>, 5> kSeverities{{
    {Severity::info, "info"},
    {Severity::low, "low"},
    {Severity::medium, "medium"},
    {Severity::high, "high"},
    {Severity::critical, "critical"},
}};

constexpr std::array<std::pair<Code, std::string_view>, kCodeCount> kCodes{{
    {Code::tlsa_mismatch, "tlsa-mismatch"},
    {Code::tlsa_mismatch_insecure_mx, "tlsa-mismatch-insecure-mx"},
    {Code::starttls_missing, "starttls-missing"},
    {Code::starttls_rejected, "starttls-rejected"},
    {Code::starttls_stripped, "starttls-stripped"},
    {Code::tls_handshake_failed, "tls-handshake-failed"},
    {Code::tls_version_old, "tls-version-old"},
    {Code::name_mismatch, "name-mismatch"},
    {Code::certificate_expired, "certificate-expired"},
    {Code::certificate_expiring, "certificate-expiring"},
    {Code::trust_anchor_not_sent, "trust-anchor-not-sent"},
    {Code::trust_anchor_expired, "trust-anchor-expired"},
    {Code::tlsa_lookup_failed, "tlsa-lookup-failed"},
    {Code::mx_lookup_failed, "mx-lookup-failed"},
    {Code::address_lookup_failed, "address-lookup-failed"},
    {Code::dnssec_expired, "dnssec-expired"},
    {Code::ds_broken, "ds-broken"},
    {Code::ds_stale, "ds-stale"},
    {Code::combination_stale, "combination-stale"},
    {Code::key_type_partial, "key-type-partial"},
    {Code::intermittent, "intermittent"},
    {Code::endpoint_partial, "endpoint-partial"},
    {Code::stale_cache_window, "stale-cache-window"},
    {Code::early_retire, "early-retire"},
    {Code::nameserver_split, "nameserver-split"},
    {Code::dane_lost, "dane-lost"},
    {Code::downgrade, "downgrade"},
    {Code::fallback_only, "fallback-only"},
    {Code::rrsig_expiring, "rrsig-expiring"},
    {Code::rrsig_long, "rrsig-long"},
    {Code::ent_nxdomain, "ent-nxdomain"},
    {Code::denial_too_wide, "denial-too-wide"},
    {Code::plaintext_injection, "plaintext-injection"},
    {Code::selective_starttls, "selective-starttls"},
    {Code::all_unusable, "all-unusable"},
    {Code::predicted_mismatch, "predicted-mismatch"},
    {Code::rollover_late, "rollover-late"},
    {Code::rollover_stuck, "rollover-stuck"},
    {Code::partial_dane, "partial-dane"},
    {Code::mx_insecure, "mx-insecure"},
    {Code::dane_ineffective, "dane-ineffective"},
    {Code::no_dane, "no-dane"},
    {Code::tlsa_wrong_name, "tlsa-wrong-name"},
    {Code::tlsa_malformed, "tlsa-malformed"},
    {Code::tlsa_residue, "tlsa-residue"},
    {Code::tlsa_orphan, "tlsa-orphan"},
    {Code::nsec3_parameters, "nsec3-parameters"},
    {Code::dane_fragile, "dane-fragile"},
    {Code::ttl_long, "ttl-long"},
    {Code::mta_sts_conflict, "mta-sts-conflict"},
    {Code::mx_invalid, "mx-invalid"},
    {Code::mx_cname, "mx-cname"},
    {Code::mx_changed, "mx-changed"},
    {Code::domain_gone, "domain-gone"},
    {Code::null_mx, "null-mx"},
    {Code::implicit_mx, "implicit-mx"},
    {Code::host_down, "host-down"},
    {Code::probe_refused, "probe-refused"},
    {Code::selector_cert, "selector-cert"},
    {Code::certificate_changed, "certificate-changed"},
    {Code::nameserver_failing, "nameserver-failing"},
    {Code::nameserver_udp_only, "nameserver-udp-only"},
    {Code::nameserver_lagging, "nameserver-lagging"},
    {Code::mta_sts_invalid, "mta-sts-invalid"},
    {Code::tlsrpt_missing, "tlsrpt-missing"},
    {Code::policy_override, "policy-override"},
    {Code::monitor_fault, "monitor-fault"},
}};

constexpr std::array<std::pair<Subject::Kind, std::string_view>, 5> kKinds{{
    {Subject::Kind::domain, "domain"},
    {Subject::Kind::host, "host"},
    {Subject::Kind::owner, "owner"},
    {Subject::Kind::zone, "zone"},
    {Subject::Kind::monitor, "monitor"},
}};

template <class Table, class Value>
std::string_view name_in(const Table& table, Value value) {
  for (const auto& [entry, name] : table) {
    if (entry == value) return name;
  }
  return "";
}

template <class Table>
auto value_in(const Table& table, std::string_view name)
    -> std::optional<decltype(table[0].first)> {
  for (const auto& [entry, text] : table) {
    if (text == name) return entry;
  }
  return std::nullopt;
}

}  // namespace

const std::array<Code, kCodeCount>& all_codes() {
  static const auto codes = [] {
    std::array<Code, kCodeCount> out{};
    for (std::size_t i = 0; i < kCodeCount; ++i) out[i] = kCodes[i].first;
    return out;
  }();
  return codes;
}

std::string_view wire_name(Verdict verdict) {
  return name_in(kVerdicts, verdict);
}
std::string_view wire_name(Severity severity) {
  return name_in(kSeverities, severity);
}
std::string_view wire_name(Code code) {
  return name_in(kCodes, code);
}
std::string_view wire_name(Subject::Kind kind) {
  return name_in(kKinds, kind);
}
std::optional<Verdict> verdict_from(std::string_view name) {
  return value_in(kVerdicts, name);
}
std::optional<Severity> severity_from(std::string_view name) {
  return value_in(kSeverities, name);
}
std::optional<Code> code_from(std::string_view name) {
  return value_in(kCodes, name);
}
std::optional<Subject::Kind> subject_kind_from(std::string_view name) {
  return value_in(kKinds, name);
}

bool is_deliverable(Verdict verdict) {
  switch (verdict) {
    case Verdict::authenticated:
    case Verdict::host_authenticated:
    case Verdict::encrypted:
    case Verdict::opportunistic:
    case Verdict::cleartext:
      return true;
    case Verdict::refused:
    case Verdict::lookup_failed:
    case Verdict::down:
    case Verdict::no_address:
    case Verdict::unknown:
    case Verdict::deferred:
    case Verdict::bounced:
    case Verdict::no_mail:
      return false;
  }
  return false;
}

int openness(Verdict verdict) {
  switch (verdict) {
    case Verdict::cleartext:
      return 6;
    case Verdict::opportunistic:
      return 5;
    case Verdict::encrypted:
      return 4;
    case Verdict::host_authenticated:
      return 3;
    case Verdict::authenticated:
      return 2;
    case Verdict::unknown:
      return 1;
    case Verdict::refused:
    case Verdict::lookup_failed:
    case Verdict::down:
    case Verdict::no_address:
    case Verdict::deferred:
    case Verdict::bounced:
    case Verdict::no_mail:
      return 0;
  }
  return 0;
}

}  // namespace probes
