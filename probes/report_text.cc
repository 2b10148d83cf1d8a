#include <algorithm>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "probes/explain.h"
#include "probes/report.h"

namespace probes {
namespace {

using dns::Outcome;

constexpr std::size_t kWidth = 96;

// Breaks words into lines; the first line starts with `first`, the others with as many blanks.
std::string wrapped(std::string_view first, std::string_view text) {
  const std::string indent(first.size(), ' ');
  std::string out{first};
  std::size_t column = first.size();
  bool at_start = true;
  while (!text.empty()) {
    const auto word = text.substr(0, text.find(' '));
    text.remove_prefix(std::min(word.size() + 1, text.size()));
    if (!at_start && column + 1 + word.size() > kWidth) {
      out += "\n" + indent;
      column = indent.size();
      at_start = true;
    }
    if (!at_start) out += ' ';
    out += word;
    column += word.size() + (at_start ? 0 : 1);
    at_start = false;
  }
  return out + "\n";
}

std::string_view mark(Severity severity) {
  switch (severity) {
    case Severity::critical:
      return "CRITICAL";
    case Severity::high:
      return "HIGH";
    case Severity::medium:
      return "MEDIUM";
    case Severity::low:
      return "LOW";
    case Severity::info:
      return "INFO";
  }
  return "";
}

std::string finding_text(const Finding& finding) {
  const auto words = explain(finding);
  std::string out = wrapped(fmt::format("{:<9}", mark(finding.severity)),
                            fmt::format("{} [{}]", words.title, wire_name(finding.code)));
  if (finding.severity <= Severity::low || finding.consequence_of) return out;
  out += wrapped("         ", words.explanation);
  for (const auto& [name, value] : finding.evidence) {
    out += fmt::format("           {}: {}\n", name, printable(value, 160));
  }
  if (!finding.addresses.empty())
    out += fmt::format("           at: {}\n", fmt::join(finding.addresses, ", "));
  if (!words.senders_now.empty()) out += wrapped("         Now:  ", words.senders_now);
  int step = 0;
  for (const auto& fix : words.fix) out += wrapped(fmt::format("         {}. ", ++step), fix);
  return out;
}

std::string answer_text(const dns::Answer& answer) {
  if (answer.outcome == Outcome::failed) return fmt::format("failed: {}", printable(answer.detail));
  return fmt::format("{}, {}", wire_name(answer.outcome), wire_name(answer.status));
}

std::string record_text(const dane::TlsaRecord& record, const RecordJudgement& judged) {
  auto text = dane::to_text(record);
  if (text.size() > 72) text.replace(69, std::string::npos, "...");
  if (judged.unusable)
    return fmt::format("{}  unusable: {}", text, dane::wire_name(*judged.unusable));
  return fmt::format("{}  {}", text, judged.matched ? "matches" : "matches nothing served");
}

std::string endpoint_text(const HostObservation& seen, const EndpointJudgement& judged) {
  const auto& session = seen.sessions[judged.session];
  std::string out =
      fmt::format("      {} ({}): {} ({})", session.address, tls::wire_name(session.key_type),
                  wire_name(judged.verdict), wire_name(judged.reason));
  if (session.stage != smtp::Stage::done)
    out += fmt::format(", ended at {}", wire_name(session.stage));
  if (session.tls && !session.tls->version.empty())
    out += fmt::format(", {}", printable(session.tls->version, 40));
  out += "\n";
  if (session.tls && !session.tls->chain.empty()) {
    const auto& leaf = *session.tls->chain.front();
    out += fmt::format("        certificate {}, until {}\n        3 1 1 {}\n",
                       printable(leaf.subject, 60), config::rfc3339(leaf.not_after),
                       dane::to_hex(leaf.spki_sha256));
  } else if (session.last_reply) {
    out += fmt::format("        last reply: {} {}\n", session.last_reply->code,
                       printable(session.last_reply->text(), 70));
  }
  return out;
}

template <class Split>
std::string split_text(std::string_view indent, const Split& split) {
  const auto words = words_of(split.sender);
  return fmt::format("{0}{1} ({2}):\n{0}  {3}\n", indent, words, split.sender,
                     in_words(split.verdict));
}

std::string host_text(const HostJudgement& host) {
  const auto& seen = *host.seen;
  std::string out =
      fmt::format("  MX {} {}: {}\n", host.preference, seen.host.text(), in_words(host.verdict));
  out += fmt::format("    addresses  A {}; AAAA {}\n", answer_text(seen.a), answer_text(seen.aaaa));
  if (seen.tlsa.outcome == Outcome::not_queried) {
    out += "    TLSA       not asked for: the addresses do not allow it\n";
  } else {
    out += fmt::format("    TLSA       {}: {}\n", seen.tlsa.name.text(), answer_text(seen.tlsa));
  }
  for (std::size_t i = 0; i < seen.records.size(); ++i) {
    out += fmt::format("      {}\n", record_text(seen.records[i], host.records[i]));
  }
  for (const auto& endpoint : host.endpoints) out += endpoint_text(seen, endpoint);
  for (const auto& split : host.splits) out += split_text("      ", split);
  return out;
}

}  // namespace

std::string_view in_words(Verdict verdict) {
  switch (verdict) {
    case Verdict::authenticated:
      return "mail is delivered over authenticated TLS (DANE)";
    case Verdict::host_authenticated:
      return "the host is authenticated by DANE, but its choice (MX) is not signed";
    case Verdict::encrypted:
      return "mail is delivered over TLS without authentication (no usable TLSA record)";
    case Verdict::opportunistic:
      return "mail is delivered over TLS if nobody interferes (no DANE)";
    case Verdict::cleartext:
      return "mail is delivered in the clear (no DANE, no TLS)";
    case Verdict::refused:
      return "senders that check DANE refuse to deliver here";
    case Verdict::lookup_failed:
      return "DNS fails: senders treat it as unreachable";
    case Verdict::down:
      return "no usable SMTP session";
    case Verdict::no_address:
      return "the host has no address";
    case Verdict::unknown:
      return "unknown: could not be determined";
    case Verdict::deferred:
      return "mail waits in senders' queues: no host takes it";
    case Verdict::bounced:
      return "mail bounces: no such domain, no host with an address, or a host that refuses for "
             "good";
    case Verdict::no_mail:
      return "the domain takes no mail (null MX)";
  }
  return "";
}

std::string_view in_words(Reason reason) {
  switch (reason) {
    case Reason::tlsa_match:
      return "a TLSA record fits";
    case Reason::tlsa_unusable:
      return "no TLSA record can be used";
    case Reason::no_tlsa:
      return "no TLSA record applies";
    case Reason::tlsa_mismatch:
      return "no TLSA record fits";
    case Reason::dns_failed:
      return "a lookup fails";
    case Reason::name_mismatch:
      return "the certificate does not name the host";
    case Reason::certificate_expired:
      return "the certificate has expired";
    case Reason::certificate_not_yet_valid:
      return "the certificate is not valid yet";
    case Reason::path_invalid:
      return "the chain does not lead to the trust anchor";
    case Reason::anchor_not_sent:
      return "the trust anchor is not sent";
    case Reason::weak_key:
      return "the key is too weak";
    case Reason::starttls_missing:
      return "STARTTLS is not offered";
    case Reason::starttls_stripped:
      return "something on the way overwrites STARTTLS";
    case Reason::starttls_rejected:
      return "STARTTLS is refused";
    case Reason::ehlo_refused:
      return "EHLO is refused";
    case Reason::tls_handshake_failed:
      return "the TLS handshake fails";
    case Reason::tls_version_old:
      return "the TLS versions are too old";
    case Reason::connect_failed:
      return "there is no connection";
    case Reason::smtp_broken:
      return "what answers is no SMTP";
    case Reason::probe_refused:
      return "it refuses to talk to danelaw";
    case Reason::too_slow:
      return "it is too slow";
    case Reason::special_address:
      return "the address is for special purposes";
    case Reason::no_route:
      return "there is no way there from here";
    case Reason::web_pki:
      return "no TLSA record applies; a CA vouches for the certificate";
    case Reason::certificate_untrusted:
      return "no CA vouches for the certificate";
  }
  return "";
}

std::string to_text(const DomainJudgement& judged) {
  const auto opened = judged.seen.open();
  const auto& seen = *opened;
  std::string out =
      wrapped(fmt::format("{}: ", seen.domain.text()),
              fmt::format("{} [{}]", in_words(judged.verdict), wire_name(judged.verdict)));
  if (openness(judged.weakest) > openness(judged.verdict) && is_deliverable(judged.verdict)) {
    out += fmt::format("  at worst: {}\n", in_words(judged.weakest));
  }
  // Who knows no ECDSA is rare, and told below, at the host: nothing to be alarmed by in the
  // summary.
  for (const auto& split : judged.splits) {
    if (split.sender != "rsa-only") out += split_text("  ", split);
  }
  if (!judged.findings.empty()) out += "\n";
  for (const auto& finding : judged.findings) out += finding_text(finding);
  out += fmt::format("\n  MX ({}) {}\n", wire_name(seen.source), answer_text(seen.mx));
  for (const auto& host : judged.hosts) out += host_text(host);
  return out;
}

}  // namespace probes
