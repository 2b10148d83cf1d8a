#include "web/routes/previews.h"

#include <algorithm>

#include "agent/rollover/gate_decision.h"
#include "agent/watch/configured.h"
#include "probes/dane/tlsa.h"
#include "probes/dane/verify.h"
#include "probes/explain.h"
#include "probes/service.h"
#include "probes/tls/certificate_file.h"
#include "web/http/http.h"

namespace web {
namespace {

using Json = nlohmann::ordered_json;

// The alert as if it hit nothing but that one.
agent::Alert only(const agent::Alert& alert, const agent::Hit& hit, const std::string* domain) {
  auto out = alert;
  out.hits = {hit};
  if (domain != nullptr) out.hits.front().domains = {*domain};
  return out;
}

}  // namespace

Json preview_json(const agent::Snapshot& snapshot, agent::Silence silence) {
  silence.starts_at = snapshot.now;
  const auto domains = configured(snapshot);
  Json out = Json::array();
  for (const auto& alert : snapshot.alerts) {
    std::size_t covered = 0, all = 0;
    const auto count = [&](const agent::Hit& hit, const std::string* domain) {
      ++all;
      if (is_muted(only(alert, hit, domain), {silence}, domains, snapshot.now)) ++covered;
    };
    for (const auto& hit : alert.hits) {
      if (hit.domains.empty()) count(hit, nullptr);
      for (const auto& domain : hit.domains) count(hit, &domain);
    }
    if (covered == 0) continue;
    out.push_back({{"id", alert.id},
                   {"state", wire_name(alert.state)},
                   {"severity", wire_name(alert.finding.severity)},
                   {"title", probes::explain(alert.finding).title},
                   {"covered", covered},
                   {"of", all}});
  }
  return out;
}

config::Result<agent::Chain, std::string> chain_from_json(std::string_view body) {
  using config::Failure;
  const auto sent = nlohmann::json::parse(body, nullptr, false);
  if (!sent.is_object() || !sent.contains("pem") || !sent["pem"].is_string() || sent.size() != 1)
    return Failure<std::string>(R"(send {"pem": "-----BEGIN CERTIFICATE----- ..."})");
  return chain_from_file(sent["pem"].get_ref<const std::string&>());
}

config::Result<agent::Chain, std::string> chain_from_file(std::string_view octets) {
  using config::Failure;
  if (octets.find("PRIVATE KEY-----") != std::string_view::npos)
    return Failure<std::string>("this is a private key: keep it to yourself, send the certificate");
  auto read = probes::tls::read_certificate_file(octets);
  if (!read) return Failure<std::string>(probes::printable(read.error(), 500));
  if (read->chain.empty()) return Failure<std::string>("a key and no certificate");
  return std::move(read->chain);
}

Json fitting_records(const agent::Chain& chain) {
  using namespace probes::dane;
  Json out = Json::array();
  for (std::size_t i = 0; i < chain.size(); ++i) {
    const auto& one = *chain[i];
    out.push_back({{"usage", i == 0 ? kDaneEe : kDaneTa},
                   {"selector", kSpki},
                   {"matching_type", kSha256},
                   {"data", to_hex(association(one, kSpki, kSha256))},
                   {"subject", probes::printable(one.subject)},
                   {"not_before", config::rfc3339(one.not_before)},
                   {"not_after", config::rfc3339(one.not_after)}});
  }
  return out;
}

namespace {

// As the history and the last look have it.
agent::GateDecision clear(const agent::HostHistory& past, const agent::Chain& chain,
                          const probes::HostObservation& host,
                          const std::vector<std::string>& users, config::Time at) {
  using probes::dns::Outcome;
  if (!past.servers.empty())
    return agent::clear(past, {}, chain,
                        {{host.base_domain.text(), probes::dns_name_of(host.host).text()}, users},
                        at);
  for (const auto* answer : {&host.a, &host.aaaa, &*host.cname, &host.tlsa}) {
    if (answer->outcome == Outcome::failed)
      return {.answer = agent::GateAnswer::unknown,
              .why = {"What senders find was never seen: the lookups fail."}};
  }
  return {.answer = agent::GateAnswer::yes,
          .why = {"No sender asks for TLSA records of this host."}};
}

// What is to be published of its key beside the present records, as far as they lack it or not.
std::vector<probes::dane::TlsaRecord> own_records(const agent::Chain& chain,
                                                  const probes::HostObservation& host) {
  using namespace probes::dane;
  std::vector<TlsaRecord> out;
  for (const auto digest : digests_beside(host.records, kDaneEe, kSpki))
    out.push_back({.usage = kDaneEe,
                   .selector = kSpki,
                   .matching_type = digest,
                   .data = association(*chain.front(), kSpki, digest)});
  return out;
}

Json record_json(const probes::dane::TlsaRecord& record) {
  return {{"usage", record.usage},
          {"selector", record.selector},
          {"matching_type", record.matching_type},
          {"data", probes::dane::to_hex(record.data)}};
}

Json decision_json(const agent::GateDecision& said, Json records, config::Time observed_at) {
  return {{"answer", wire_name(said.answer)},
          {"not_before", time_or_null(said.not_before)},
          {"recommended", time_or_null(said.recommended)},
          {"missing", said.missing.empty() ? Json(nullptr) : record_json(said.missing.front())},
          {"records", std::move(records)},
          {"not_before_then", time_or_null(said.not_before_then)},
          {"why", said.why},
          {"observed_at", config::rfc3339(observed_at)}};
}

}  // namespace

Json gate_json(const agent::HostHistory& past, const agent::Chain& chain,
               const probes::HostObservation& host, const std::vector<std::string>& users,
               config::Time at) {
  Json records = Json::array();
  for (const auto& record : own_records(chain, host)) records.push_back(record_json(record));
  return decision_json(clear(past, chain, host, users, at), std::move(records), host.observed_at);
}

Json gate_json_of_remembered(config::Time known_at) {
  return decision_json({.answer = agent::GateAnswer::unknown,
                        .why = {"The host has not been probed since danelaw started."}},
                       Json::array(), known_at);
}

Json shown_json(const agent::Snapshot& snapshot, const agent::Chain& chain) {
  const auto asked = agent::announce(chain, "", snapshot.now);
  if (!asked || !snapshot.announced) return nullptr;
  const auto& all = snapshot.announced->certificates;
  const auto one = std::ranges::find(all, asked->id, &agent::AnnouncedCertificate::id);
  if (one == all.end()) return nullptr;
  return {{"at", config::rfc3339(one->shown_at)}, {"by", probes::printable(one->shown_by)}};
}

}  // namespace web
