#include <algorithm>
#include <map>

#include <fmt/format.h>

#include "probes/dane/diagnose_record.h"
#include "probes/findings/parts.h"
#include "probes/service.h"

namespace probes {
namespace {

using config::Time;

std::optional<std::pair<Code, Severity>> code_of(Reason reason, bool is_mx_secure) {
  switch (reason) {
    case Reason::tlsa_mismatch:
      return std::pair(is_mx_secure ? Code::tlsa_mismatch : Code::tlsa_mismatch_insecure_mx,
                       Severity::critical);
    case Reason::name_mismatch:
      return std::pair(Code::name_mismatch, Severity::critical);
    case Reason::certificate_expired:
    case Reason::certificate_not_yet_valid:
      return std::pair(Code::certificate_expired, Severity::critical);
    case Reason::path_invalid:
    case Reason::anchor_not_sent:
    case Reason::weak_key:
      return std::pair(Code::tlsa_mismatch, Severity::critical);
    case Reason::starttls_missing:
    case Reason::ehlo_refused:
      return std::pair(Code::starttls_missing, Severity::critical);
    case Reason::starttls_stripped:
      return std::pair(Code::starttls_stripped, Severity::critical);
    case Reason::starttls_rejected:
      return std::pair(Code::starttls_rejected, Severity::critical);
    case Reason::tls_handshake_failed:
      return std::pair(Code::tls_handshake_failed, Severity::critical);
    case Reason::tls_version_old:
      return std::pair(Code::tls_version_old, Severity::critical);
    case Reason::probe_refused:
      return std::pair(Code::probe_refused, Severity::medium);
    case Reason::connect_failed:
    case Reason::smtp_broken:
      return std::pair(Code::host_down, Severity::high);
    case Reason::special_address:
      return std::pair(Code::mx_invalid, Severity::high);
    case Reason::certificate_untrusted:
      return std::pair(Code::certificate_untrusted, Severity::critical);
    case Reason::dns_failed:
    case Reason::tlsa_match:
    case Reason::tlsa_unusable:
    case Reason::no_tlsa:
    case Reason::web_pki:
    case Reason::too_slow:
    case Reason::no_route:
      return std::nullopt;
  }
  return std::nullopt;
}

void add_session_evidence(Finding& finding, const HostJudgement& host,
                          const EndpointJudgement& endpoint) {
  const auto& session = host.seen->sessions[endpoint.session];
  const auto once = [&](std::string name, std::string value) {
    Evidence item{std::move(name), std::move(value)};
    if (std::ranges::find(finding.evidence, item) == finding.evidence.end())
      finding.evidence.push_back(std::move(item));
  };
  if (session.tls && !session.tls->chain.empty()) {
    const auto& leaf = *session.tls->chain.front();
    once("served-spki-sha256", dane::to_hex(leaf.spki_sha256));
    once("served-record", fmt::format("3 1 1 {}", dane::to_hex(leaf.spki_sha256)));
    once("served-not-before", config::rfc3339(leaf.not_before));
    if (endpoint.reason == Reason::certificate_untrusted && session.tls->pkix)
      once("certificate", std::string(wire_name(*session.tls->pkix)));
  }
  if (session.last_reply && session.stage < smtp::Stage::done) {
    once("last-reply", fmt::format("{} {}", session.last_reply->code, session.last_reply->text()));
  }
  if (!session.detail.empty()) once("detail", session.detail);
}

// One finding per cause over all endpoints that show it.
class EndpointFindings {
 public:
  EndpointFindings(const HostJudgement& host, bool is_mx_secure)
      : host_(host), is_mx_secure_(is_mx_secure) {}

  void collect(std::vector<Finding>& out) {
    const auto& sessions = host_.seen->sessions;
    bool any_default_delivers = false;
    for (const auto& endpoint : host_.endpoints) {
      const bool is_default = sessions[endpoint.session].key_type == tls::KeyType::by_default;
      any_default_delivers =
          any_default_delivers || (is_default && is_deliverable(endpoint.verdict));
    }
    for (const auto& endpoint : host_.endpoints) {
      const auto& session = sessions[endpoint.session];
      if (session.plaintext_after_starttls > 0) injected(endpoint);
      if (session.lax && session.lax->works && session.stage == smtp::Stage::handshake)
        works_for_the_lax(endpoint);
      if (is_deliverable(endpoint.verdict)) continue;
      if (session.key_type == tls::KeyType::by_default) {
        failed(endpoint, any_default_delivers);
      } else {
        key_type_failed(endpoint);
      }
    }
    if (any_default_delivers) partial();
    for (auto& [code, finding] : found_) out.push_back(std::move(finding));
  }

 private:
  Finding& finding(Code code, Severity severity, const EndpointJudgement& endpoint) {
    auto& entry = found_
                      .try_emplace(code, Finding{.code = code,
                                                 .severity = severity,
                                                 .subject = host_subject(*host_.seen)})
                      .first->second;
    const auto& address = host_.seen->sessions[endpoint.session].address;
    if (std::ranges::find(entry.addresses, address) == entry.addresses.end())
      entry.addresses.push_back(address);
    add_session_evidence(entry, host_, endpoint);
    return entry;
  }

  void injected(const EndpointJudgement& endpoint) {
    finding(Code::plaintext_injection, Severity::high, endpoint);
  }

  // TLS that senders take only where they authenticate nobody.
  void works_for_the_lax(const EndpointJudgement& endpoint) {
    if (!is_deliverable(endpoint.verdict)) return;
    const auto what = code_of(endpoint.reason, is_mx_secure_);
    if (!what) return;
    const bool is_encrypted = endpoint.verdict == Verdict::encrypted;
    finding(what->first, is_encrypted ? Severity::medium : Severity::low, endpoint);
  }

  void failed(const EndpointJudgement& endpoint, bool others_deliver) {
    const auto what = code_of(endpoint.reason, is_mx_secure_);
    if (!what) return;
    auto [code, severity] = *what;
    const auto& session = host_.seen->sessions[endpoint.session];
    if (succeeds_at_times(session.address)) {
      auto& entry = finding(Code::intermittent, Severity::high, endpoint);
      entry.evidence.push_back({"reason", std::string(wire_name(endpoint.reason))});
      return;
    }
    const bool is_temporary = session.stop == smtp::SessionStop::negative_reply &&
                              session.last_reply && session.last_reply->code < 500 &&
                              code == Code::starttls_rejected;
    if (is_temporary || (others_deliver && severity == Severity::critical))
      severity = Severity::high;
    if (code == Code::host_down && others_deliver) {
      // The host takes mail at another address: that is a partial fault, not a host that is down.
      finding(Code::endpoint_partial, Severity::medium, endpoint);
      return;
    }
    auto& entry = finding(code, severity, endpoint);
    if (code == Code::tlsa_mismatch || code == Code::tlsa_mismatch_insecure_mx) {
      published(entry, session.tls ? session.tls->chain : std::vector<tls::CertificatePtr>{});
    }
  }

  // Another look at the same address went well: back-ends differ.
  bool succeeds_at_times(const std::string& address) const {
    return std::ranges::any_of(host_.endpoints, [&](const EndpointJudgement& endpoint) {
      const auto& session = host_.seen->sessions[endpoint.session];
      return session.address == address && session.key_type == tls::KeyType::by_default &&
             is_deliverable(endpoint.verdict);
    });
  }

  void key_type_failed(const EndpointJudgement& endpoint) {
    // Only where the default handshake of that address fares better: else the cause is told
    // already.
    for (const auto& other : host_.endpoints) {
      const auto& mine = host_.seen->sessions[endpoint.session];
      const auto& theirs = host_.seen->sessions[other.session];
      if (theirs.address != mine.address || theirs.key_type != tls::KeyType::by_default) continue;
      if (is_deliverable(other.verdict) && endpoint.verdict == Verdict::refused) {
        auto& entry = finding(Code::key_type_partial, Severity::high, endpoint);
        entry.evidence.push_back({"key-type", std::string(wire_name(mine.key_type))});
      }
    }
  }

  void partial() {
    Finding entry{.code = Code::endpoint_partial,
                  .severity = Severity::high,
                  .subject = host_subject(*host_.seen)};
    for (const auto& [code, told] : found_) {
      if (code == Code::plaintext_injection || code == Code::key_type_partial ||
          code == Code::endpoint_partial || code == Code::intermittent ||
          told.severity < Severity::high) {
        continue;
      }
      entry.addresses.insert(entry.addresses.end(), told.addresses.begin(), told.addresses.end());
    }
    if (!entry.addresses.empty()) found_.try_emplace(Code::endpoint_partial, std::move(entry));
  }

  // What is published, and what a record that fits nothing was probably meant to be.
  void published(Finding& entry, const std::vector<tls::CertificatePtr>& chain) const {
    const auto once = [&](Evidence item) {
      if (std::ranges::find(entry.evidence, item) == entry.evidence.end())
        entry.evidence.push_back(std::move(item));
    };
    for (const auto& record : host_.seen->records) {
      once({"published-record", dane::to_text(record).substr(0, 160)});
      const auto reading = dane::reading_of(record, chain);
      if (!reading) continue;
      once({"hint", reading->explanation});
      if (reading->corrected)
        once({"corrected-record", dane::to_text(*reading->corrected).substr(0, 160)});
    }
  }

  const HostJudgement& host_;
  bool is_mx_secure_;
  std::map<Code, Finding> found_;
};

}  // namespace

void add_endpoint_findings(std::vector<Finding>& out, const HostJudgement& host,
                           bool is_mx_secure) {
  EndpointFindings{host, is_mx_secure}.collect(out);
}

void add_expiring_certificate(std::vector<Finding>& out, const DomainObservation& domain,
                              const HostJudgement& host, Time at) {
  const auto& fetched = domain.sts->fetched;
  const bool is_enforced = fetched && fetched->outcome == sts::FetchOutcome::policy &&
                           fetched->policy.mode == sts::Mode::enforce;
  for (const auto& endpoint : host.endpoints) {
    const auto& session = host.seen->sessions[endpoint.session];
    const bool is_anchored =
        endpoint.match && host.seen->records[endpoint.match->record].usage == dane::kDaneTa;
    // What is not valid today for another reason is an mta-sts-conflict.
    const bool is_proven = session.tls && session.tls->pkix == tls::PkixStop::none;
    const bool needs_ca = is_enforced || domain.source == MxSource::service;
    if (!is_anchored && !(needs_ca && is_proven)) continue;
    if (!session.tls || session.tls->chain.empty()) continue;
    const auto& leaf = *session.tls->chain.front();
    if (leaf.not_after - at >= (leaf.not_after - leaf.not_before) / 5) continue;
    out.push_back({.code = Code::certificate_expiring,
                   .severity = Severity::medium,
                   .subject = host_subject(*host.seen),
                   .evidence = {{"not-after", config::rfc3339(leaf.not_after)}}});
    return;
  }
}

void add_untrusted_certificate(std::vector<Finding>& out, const HostJudgement& host) {
  const bool is_refused = std::ranges::any_of(host.splits, [](const Split& split) {
    return split.sender == "web-pki-only" && split.verdict == Verdict::refused;
  });
  if (!is_refused || !is_deliverable(host.verdict)) return;
  for (const auto& session : host.seen->sessions) {
    if (!session.tls || !session.tls->pkix || *session.tls->pkix == tls::PkixStop::none) continue;
    out.push_back({.code = Code::certificate_untrusted,
                   .severity = Severity::high,
                   .subject = host_subject(*host.seen),
                   .evidence = {{"certificate", std::string(wire_name(*session.tls->pkix))}},
                   .addresses = {session.address}});
    return;
  }
}

void add_own_limits(std::vector<Finding>& out, const HostJudgement& host) {
  for (const auto& session : host.seen->sessions) {
    if (session.stop != smtp::SessionStop::no_route &&
        session.stop != smtp::SessionStop::local_fault)
      continue;
    const bool is_v6 = session.address.find(':') != std::string::npos;
    const Subject subject{
        .kind = Subject::Kind::monitor,
        .name = fmt::format("{}_ipv{}", is_service(host.seen->host) ? "service" : "smtp",
                            is_v6 ? 6 : 4)};
    auto told = std::ranges::find(out, subject, &Finding::subject);
    if (told == out.end()) {
      out.push_back(
          {.code = Code::monitor_fault,
           .severity = host.verdict == Verdict::unknown ? Severity::medium : Severity::info,
           .subject = subject,
           .evidence = {{"detail", session.detail}}});
      told = out.end() - 1;
    }
    if (std::ranges::find(told->addresses, session.address) == told->addresses.end())
      told->addresses.push_back(session.address);
  }
}

}  // namespace probes
