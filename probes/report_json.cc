#include <utility>

#include "config/service.h"
#include "probes/explain.h"
#include "probes/judge.h"
#include "probes/report.h"
#include "probes/sender_classes.h"
#include "probes/service.h"
#include "probes/status.h"

namespace probes {
namespace {

using Json = nlohmann::ordered_json;
using dns::Outcome;

Json time_or_null(const std::optional<config::Time>& time) {
  return time ? Json(config::rfc3339(*time)) : Json(nullptr);
}

Json text_or_null(const std::string& text) {
  return text.empty() ? Json(nullptr) : Json(printable(text));
}

// Status and TTL mean nothing where nothing was learned.
Json status_of(const dns::Answer& answer) {
  return answer.outcome == Outcome::not_queried ? Json(nullptr) : Json(wire_name(answer.status));
}
Json ttl_of(const dns::Answer& answer) {
  return answer.outcome == Outcome::answer ? Json(answer.ttl.count()) : Json(nullptr);
}
Json expiry_of(const dns::Answer& answer) {
  return answer.signatures ? time_or_null(answer.signatures->expiration) : Json(nullptr);
}

// Every name server with what it said; of the data only whether it was there.
Json survey_json(const dns::Survey& survey) {
  Json out = Json::array();
  for (const auto& answer : survey.answers) {
    const bool is_failed = answer.outcome == Outcome::failed;
    out.push_back(
        {{"server", answer.server.name.text()},
         {"address", answer.server.address},
         {"name", answer.question.name.text()},
         {"type", dns::type_name(answer.question.type)},
         {"outcome", wire_name(answer.outcome)},
         {"cause", is_failed ? Json(wire_name(answer.cause)) : Json(nullptr)},
         {"records", answer.data.size()},
         {"ttl", answer.data.empty() ? Json(nullptr) : Json(answer.ttl.count())},
         {"rrsig_expires_at",
          answer.signatures ? time_or_null(answer.signatures->expiration) : Json(nullptr)}});
  }
  return out;
}

Json splits_json(const std::vector<Split>& splits) {
  Json out = Json::array();
  for (const auto& split : splits)
    out.push_back({{"sender", split.sender},
                   {"verdict", wire_name(split.verdict)},
                   {"weight", wire_name(weight_of(split.sender))}});
  return out;
}

// Null where nobody looked; a policy only where there is one.
Json sts_json(const StsObservation& seen) {
  if (seen.sts_txt.outcome == Outcome::not_queried) return nullptr;
  Json policy = nullptr;
  if (seen.fetched && seen.fetched->outcome == sts::FetchOutcome::policy) {
    Json patterns = Json::array();
    for (const auto& pattern : seen.fetched->policy.mx) patterns.push_back(printable(pattern));
    policy = {{"mode", wire_name(seen.fetched->policy.mode)},
              {"mx", std::move(patterns)},
              {"max_age", seen.fetched->policy.max_age.count()}};
  }
  return {{"record", wire_name(seen.sts.state)},
          {"fetch", seen.fetched ? Json(wire_name(seen.fetched->outcome)) : Json(nullptr)},
          {"detail", seen.fetched ? text_or_null(seen.fetched->detail) : Json(nullptr)},
          {"policy", std::move(policy)},
          {"tlsrpt", wire_name(seen.tlsrpt.state)}};
}

Json mx_json(const DomainObservation& seen) {
  return {{"outcome", wire_name(seen.mx.outcome)},
          {"source", wire_name(seen.source)},
          {"dnssec", status_of(seen.mx)},
          {"ttl", ttl_of(seen.mx)},
          {"rrsig_expires_at", expiry_of(seen.mx)},
          {"detail", text_or_null(seen.mx.detail)},
          {"name_servers", survey_json(seen.survey)}};
}

// Both families as one: what a sender that tries both has learned.
Json addresses_json(const HostObservation& seen) {
  const bool any = !seen.addresses.empty();
  const bool failed = seen.a.outcome == Outcome::failed || seen.aaaa.outcome == Outcome::failed;
  const auto outcome = any ? Outcome::answer : failed ? Outcome::failed : Outcome::absent;
  const auto& told = seen.a.outcome == Outcome::answer || seen.aaaa.outcome != Outcome::answer
                         ? seen.a
                         : seen.aaaa;
  auto status = told.status;
  if (seen.a.outcome == seen.aaaa.outcome) status = dns::weaker(seen.a.status, seen.aaaa.status);
  Json v4 = Json::array();
  Json v6 = Json::array();
  for (const auto& address : seen.addresses)
    (address.find(':') == std::string::npos ? v4 : v6).push_back(address);
  Json aliases = Json::array();
  for (const auto& alias : told.aliases) aliases.push_back(alias.to.text());
  return {{"outcome", wire_name(outcome)},
          {"dnssec", wire_name(status)},
          {"a", std::move(v4)},
          {"aaaa", std::move(v6)},
          {"cname", std::move(aliases)}};
}

Json record_json(const dane::TlsaRecord& record, const RecordJudgement& judged) {
  return {{"usage", record.usage},
          {"selector", record.selector},
          {"matching_type", record.matching_type},
          {"data", dane::to_hex(record.data)},
          {"usable", !judged.unusable.has_value()},
          {"unusable_because",
           judged.unusable ? Json(dane::wire_name(*judged.unusable)) : Json(nullptr)},
          {"matched", judged.matched}};
}

Json tlsa_json(const HostJudgement& host) {
  const auto& seen = *host.seen;
  Json records = Json::array();
  for (std::size_t i = 0; i < seen.records.size(); ++i)
    records.push_back(record_json(seen.records[i], host.records[i]));
  const bool asked = seen.tlsa.outcome != Outcome::not_queried;
  return {{"outcome", wire_name(seen.tlsa.outcome)},
          {"dnssec", status_of(seen.tlsa)},
          {"base_domain", asked ? Json(seen.base_domain.text()) : Json(nullptr)},
          {"owner", asked ? Json(seen.tlsa.name.text()) : Json(nullptr)},
          {"ttl", ttl_of(seen.tlsa)},
          {"rrsig_expires_at", expiry_of(seen.tlsa)},
          {"detail", text_or_null(seen.tlsa.detail)},
          {"records", std::move(records)}};
}

Json certificate_json(const tls::Certificate& certificate) {
  Json names = Json::array();
  for (const auto& name : certificate.dns_names) names.push_back(printable(name));
  return {{"subject", printable(certificate.subject)},
          {"issuer", printable(certificate.issuer)},
          {"not_before", config::rfc3339(certificate.not_before)},
          {"not_after", config::rfc3339(certificate.not_after)},
          {"sha256", dane::to_hex(certificate.sha256)},
          {"spki_sha256", dane::to_hex(certificate.spki_sha256)},
          {"dns_names", std::move(names)}};
}

Json matched_json(const HostObservation& seen, const std::optional<dane::Match>& match) {
  if (!match) return nullptr;
  const auto& record = seen.records[match->record];
  return {{"usage", record.usage},
          {"selector", record.selector},
          {"matching_type", record.matching_type},
          {"data", dane::to_hex(record.data)},
          {"depth", match->depth}};
}

Json endpoint_json(const HostObservation& seen, const EndpointJudgement& judged) {
  const auto& session = seen.sessions[judged.session];
  Json chain = Json::array();
  Json tls = nullptr;
  if (session.tls) {
    for (const auto& certificate : session.tls->chain)
      chain.push_back(certificate_json(*certificate));
    if (!session.tls->version.empty())
      tls = {{"version", printable(session.tls->version)},
             {"cipher", printable(session.tls->cipher)}};
  }
  Json transcript = Json::array();
  for (const auto line : session.transcript) transcript.push_back(printable(line));
  const bool knows_starttls = session.stage >= smtp::Stage::starttls;
  const auto& reply = session.last_reply;
  return {
      {"address", session.address},
      {"port", session.port},
      {"key_type", tls::wire_name(session.key_type)},
      {"verdict", wire_name(judged.verdict)},
      {"reason", wire_name(judged.reason)},
      {"stage", wire_name(session.stage)},
      {"starttls", knows_starttls ? Json(session.offers_starttls) : Json(nullptr)},
      {"tls", std::move(tls)},
      {"matched", matched_json(seen, judged.match)},
      {"chain", std::move(chain)},
      {"smtp",
       {{"banner", session.banner ? Json(printable(*session.banner)) : Json(nullptr)},
        {"last_reply", reply ? Json(printable(std::to_string(reply->code) + " " + reply->text()))
                             : Json(nullptr)},
        {"detail", text_or_null(session.detail)},
        {"transcript", std::move(transcript)}}},
      {"duration_seconds", static_cast<double>(session.duration.count()) / 1000.0}};
}

// Null of an MX host. The verdict is that of mail programs there, not of senders.
Json service_json(const HostObservation& seen) {
  const auto service = service_in(seen.host);
  if (!service) return nullptr;
  return {{"host", service->host.text()},
          {"port", service->port},
          {"starttls", wire_name(seen.starttls.value_or(config::Starttls::none))},
          {"sender", reference_client().name}};
}

Json host_json(const HostJudgement& host) {
  Json endpoints = Json::array();
  for (const auto& endpoint : host.endpoints)
    endpoints.push_back(endpoint_json(*host.seen, endpoint));
  return {{"host", host.seen->host.text()},
          {"service", service_json(*host.seen)},
          {"preference", host.preference},
          {"verdict", wire_name(host.verdict)},
          {"weakest", wire_name(host.weakest)},
          {"delivery", wire_name(delivery_of(host))},
          {"splits", splits_json(host.splits)},
          {"addresses", addresses_json(*host.seen)},
          {"tlsa", tlsa_json(host)},
          {"name_servers", survey_json(host.seen->survey)},
          {"endpoints", std::move(endpoints)}};
}

}  // namespace

Json to_json(const Remedy& remedy, bool is_theirs) {
  const auto lines = [&](const std::vector<std::string>& records) {
    Json out = Json::array();
    for (const auto& data : records) out.push_back(printable(record_line(remedy, data)));
    return out;
  };
  const auto text_or_null = [](const std::string& text) {
    return text.empty() ? Json(nullptr) : Json(printable(text));
  };
  return {{"owner", printable(remedy.owner)},
          {"zone", text_or_null(remedy.zone)},
          {"ttl", remedy.ttl ? Json(remedy.ttl->count()) : Json(nullptr)},
          {"server", text_or_null(remedy.server)},
          {"publish", lines(remedy.publish)},
          {"remove", lines(remedy.remove)},
          {"nsupdate", is_theirs ? "" : nsupdate_text(remedy)},
          {"zone_file", is_theirs ? "" : zone_file_text(remedy)},
          {"knotc", is_theirs ? "" : knotc_text(remedy)},
          {"recovers_after",
           remedy.recovers_after ? Json(remedy.recovers_after->count()) : Json(nullptr)}};
}

Json to_json(const Finding& finding) {
  const auto words = explain(finding);
  // A name that occurs several times (published records) becomes a list.
  Json evidence = Json::object();
  for (const auto& [name, value] : finding.evidence) {
    if (!evidence.contains(name)) {
      evidence[name] = printable(value);
    } else if (evidence[name].is_array()) {
      evidence[name].push_back(printable(value));
    } else {
      evidence[name] = Json::array({evidence[name], printable(value)});
    }
  }
  if (!finding.addresses.empty()) evidence["addresses"] = finding.addresses;
  Json consequences = Json::array();
  for (const auto& one : finding.consequences) consequences.push_back(wire_name(one.code));
  return {{"code", wire_name(finding.code)},
          {"severity", wire_name(finding.severity)},
          {"subject", {{"kind", wire_name(finding.subject.kind)}, {"name", finding.subject.name}}},
          {"title", words.title},
          {"explanation", words.explanation},
          {"senders_now", words.senders_now},
          {"fix", words.fix},
          {"evidence", std::move(evidence)},
          {"references", words.references},
          {"tlsrpt", words.tlsrpt ? Json(*words.tlsrpt) : Json(nullptr)},
          {"consequence_of",
           finding.consequence_of ? Json(wire_name(*finding.consequence_of)) : Json(nullptr)},
          {"consequences", std::move(consequences)},
          {"is_theirs", finding.is_theirs},
          {"remedy", finding.remedy && !finding.consequence_of
                         ? to_json(*finding.remedy, finding.is_theirs)
                         : Json(nullptr)}};
}

Json to_json(const DomainJudgement& judged) {
  Json hosts = Json::array();
  for (const auto& host : judged.hosts) hosts.push_back(host_json(host));
  Json findings = Json::array();
  for (const auto& finding : judged.findings) findings.push_back(to_json(finding));
  const auto seen = judged.seen.open();
  return {{"schema", "danelaw.check/1"},
          {"domain", seen->domain.text()},
          {"observed_at", config::rfc3339(seen->observed_at)},
          {"verdict", wire_name(judged.verdict)},
          {"weakest", wire_name(judged.weakest)},
          {"severity", wire_name(judged.severity)},
          {"status", wire_name(status_of(judged))},
          {"delivery", wire_name(delivery_of(judged))},
          {"splits", splits_json(judged.splits)},
          {"mx", mx_json(*seen)},
          {"mta_sts", sts_json(*seen->sts)},
          {"hosts", std::move(hosts)},
          {"findings", std::move(findings)}};
}

}  // namespace probes
