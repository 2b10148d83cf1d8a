#include "agent/cli/gate.h"

#include <algorithm>
#include <ostream>
#include <set>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "agent/cli/certificate_input.h"
#include "agent/rollover/gate_decision.h"
#include "agent/watch/network_prober.h"
#include "probes/explain.h"
#include "probes/service.h"

namespace agent {
namespace {

using config::Failure;
using config::Result;
using config::Time;

Result<Chain, std::string> read_chain(const std::filesystem::path& file, std::ostream& errors) {
  auto read = read_certificates(file, errors);
  if (!read) return Failure<std::string>(std::move(read.error()));
  if (read->chain.empty()) {
    return Failure<std::string>(
        fmt::format("{}: a key and no certificate: give the certificate as the server will send it",
                    file.string()));
  }
  return std::move(read->chain);
}

Result<probes::HostObservation, std::string> look(const config::Config& config,
                                                  const probes::dns::Name& host, Time at) {
  auto context = ProbeContext::make(config);
  if (!context) return Failure<std::string>(context.error());
  auto prober = NetworkProber::make(std::move(*context));
  if (!prober) return Failure<std::string>(prober.error());
  const auto checks = (*prober)->probe_ourselves(at);
  if (const auto faults = blinding(checks); !faults.empty()) {
    return Failure<std::string>(fmt::format("we cannot see: {}: {}", faults.front()->check,
                                            faults.front()->detail.value_or("")));
  }
  return (*prober)->probe_records(host, at);
}

std::string advice(const GateDecision& clearance, const probes::HostObservation& seen) {
  std::string out;
  for (const auto& why : clearance.why) out += fmt::format("  {}\n", why);
  if (clearance.recommended) {
    out += fmt::format("  recommended from {} on (RFC 7671 §8.1)\n",
                       config::rfc3339(*clearance.recommended));
  }
  if (clearance.missing.empty()) return out;
  out += fmt::format(
      "  publish {} beside the present ones, and ask again; if that is done now, from {} on the "
      "certificate may go live:\n",
      clearance.missing.size() == 1 ? "this record" : "these records",
      config::rfc3339(*clearance.not_before_then));
  for (const auto& record : clearance.missing) {
    out += fmt::format("{}. {} IN TLSA {}\n", seen.tlsa.final_name.text(), seen.tlsa.ttl.count(),
                       probes::dane::to_text(record));
  }
  return out;
}

// That somebody has shown the very certificate to the agent.
std::string shown_before(const std::vector<AnnouncedCertificate>& announced, const Chain& chain,
                         Time at) {
  const auto asked = announce(chain, "", at);
  const auto one =
      asked ? std::ranges::find(announced, asked->id, &AnnouncedCertificate::id) : announced.end();
  if (one == announced.end()) return {};
  return fmt::format("  this certificate is the one that {} showed at {}\n",
                     one->shown_by.empty() ? "somebody" : probes::printable(one->shown_by),
                     config::rfc3339(one->shown_at));
}

// When the CAs suggest to renew what the host presents, as far as they have said.
std::string suggested(const RenewalBook& renewals, const HostHistory& past, Time at) {
  std::set<std::string> lines;
  for (const auto& leaf : presented_by(past)) {
    const auto* told = advice_on(renewals, *leaf);
    if (told == nullptr || !told->window) continue;
    lines.insert(fmt::format(
        "  the CA suggests to renew the certificate in use, which ends {}, between {} and {}{}\n",
        config::rfc3339(leaf->not_after), config::rfc3339(told->window->start),
        config::rfc3339(told->window->end),
        is_urgent(*told, *leaf, at) ? ", at once: it may be about to revoke it" : ""));
  }
  return fmt::format("{}", fmt::join(lines, ""));
}

Exit exit_of(GateAnswer answer) {
  switch (answer) {
    case GateAnswer::yes:
      return Exit::ok;
    case GateAnswer::not_before:
      return Exit::warning;
    case GateAnswer::never:
      return Exit::critical;
    case GateAnswer::unknown:
      return Exit::unknown;
  }
  return Exit::unknown;
}

// Why the records cannot be told, if so.
std::optional<std::string> obstacle(const probes::HostObservation& seen, const Sample& sample) {
  using probes::dns::Outcome;
  const auto failed = [](const char* what, const probes::dns::Answer& answer) {
    return fmt::format(
        "the lookup of {} failed: {}", what,
        probes::printable(answer.detail.empty() ? std::string(wire_name(answer.cause))
                                                : answer.detail));
  };
  if (seen.a.outcome == Outcome::failed) return failed("its IPv4 addresses", seen.a);
  if (seen.aaaa.outcome == Outcome::failed) return failed("its IPv6 addresses", seen.aaaa);
  if (seen.cname->outcome == Outcome::failed) return failed("its alias", *seen.cname);
  if (seen.tlsa.outcome == Outcome::failed) return failed("its TLSA records", seen.tlsa);
  if (seen.addresses.empty()) return "it has no address";
  if (!sample.is_unprotected && sample.servers.empty()) return "no name server answered";
  return std::nullopt;
}

}  // namespace

Exit gate(const config::Config& config, const GateQuestion& question, const Recall& recall,
          std::ostream& out, std::ostream& errors) {
  const auto at = std::chrono::floor<config::Seconds>(std::chrono::system_clock::now());
  const auto chain = read_chain(question.certificate, errors);
  if (!chain) {
    errors << probes::printable(chain.error()) << '\n';
    return Exit::unknown;
  }
  auto past = recall(question.host, at - kClearanceLookBack);
  if (!past) errors << fmt::format("going on without history: {}\n", past.error());
  const auto seen = look(config, question.host, at);
  if (!seen) {
    errors << seen.error() << '\n';
    return Exit::unknown;
  }
  auto [host_history, delegation_ttl, announced, renewals, users] =
      past ? std::move(*past) : Recalled{};
  auto sample = sample_of(*seen);
  sample.delegation_ttl = delegation_ttl;
  sample.knows_endpoints = false;  // nobody connected to them
  sample = completed(host_history, std::move(sample));
  const auto host = question.host.text();
  if (const auto why = obstacle(*seen, sample)) {
    out << fmt::format("unknown: {}: {}\n", host, *why);
    return Exit::unknown;
  }
  std::vector<std::string> unheard;
  for (const auto& [server, what] : sample.servers) {
    if (!what && !host_history.servers.contains(server)) unheard.push_back(server);
  }
  record_sample(host_history, sample, at, at);
  if (host_history.servers.empty()) {
    out << fmt::format("yes: {}: no sender asks for its TLSA records\n", host);
    return Exit::ok;
  }
  const auto clearance =
      clear(host_history, unheard, *chain,
            {{seen->base_domain.text(), probes::dns_name_of(question.host).text()}, users}, at);
  const auto when = clearance.not_before ? " " + config::rfc3339(*clearance.not_before) : "";
  out << fmt::format("{}{}: {}\n{}", wire_name(clearance.answer), when, host,
                     advice(clearance, *seen));
  out << shown_before(announced, *chain, at) << suggested(renewals, host_history, at);
  return exit_of(clearance.answer);
}

}  // namespace agent
