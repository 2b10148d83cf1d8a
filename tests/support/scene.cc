#include "tests/support/scene.h"

#include <stdexcept>

#include <arpa/inet.h>
#include <fmt/format.h>

#include "probes/dane/verify.h"

namespace support {

using namespace probes;
using dns::Bytes;

namespace {

Pki make_pki() {
  auto root = self_signed({.common_name = "Test Root", .is_ca = true}, Key::ecdsa());
  auto inter = issue({.common_name = "Test Inter", .is_ca = true}, Key::ecdsa(), root);
  const CertificatePlan mx{.common_name = "mx.example.test", .dns_names = {"mx.example.test"}};
  auto leaf = issue(mx, Key::ecdsa(), inter);
  auto old_leaf = issue(mx, Key::ecdsa(), inter);
  auto rsa_leaf = issue(mx, Key::rsa(), inter);
  return {root, inter, leaf, old_leaf, rsa_leaf};
}

}  // namespace

const Pki& Pki::get() {
  static const Pki pki = make_pki();
  return pki;
}

dns::Name name(std::string_view text) {
  const auto parsed = dns::Name::parse(text);
  if (!parsed) throw std::runtime_error("not a name in a test");
  return *parsed;
}

dane::TlsaRecord record(int usage, int selector, int matching_type, const tls::Certificate& of) {
  return {.usage = static_cast<std::uint8_t>(usage),
          .selector = static_cast<std::uint8_t>(selector),
          .matching_type = static_cast<std::uint8_t>(matching_type),
          .data = dane::association(of, static_cast<std::uint8_t>(selector),
                                    static_cast<std::uint8_t>(matching_type))};
}

dane::TlsaRecord record(std::string_view text) {
  return dane::tlsa_from_text(text).value();
}

dns::Answer answer(std::string_view owner, std::uint16_t type, std::vector<Bytes> data,
                   dns::DnssecStatus status) {
  using std::chrono::hours;
  dns::Answer out;
  out.name = out.final_name = out.source = name(owner);
  out.type = type;
  out.outcome = dns::Outcome::answer;
  out.status = status;
  out.ttl = config::Seconds{3600};
  out.data = std::move(data);
  if (status == dns::DnssecStatus::secure) {
    out.signatures = dns::SignatureWindow{kNow - hours{24 * 4}, kNow + hours{24 * 10}};
  }
  return out;
}

dns::Answer absent(std::string_view owner, std::uint16_t type, dns::DnssecStatus status) {
  auto out = answer(owner, type, {}, status);
  out.outcome = dns::Outcome::absent;
  return out;
}

dns::Answer failed(std::string_view owner, std::uint16_t type, dns::Cause cause) {
  dns::Answer out;
  out.name = out.final_name = out.source = name(owner);
  out.type = type;
  out.outcome = dns::Outcome::failed;
  out.cause = cause;
  out.status = cause == dns::Cause::timeout || cause == dns::Cause::servfail
                   ? dns::DnssecStatus::indeterminate
                   : dns::DnssecStatus::bogus;
  return out;
}

smtp::SessionRecord session(std::string address, std::vector<tls::CertificatePtr> chain,
                            tls::KeyType key_type) {
  smtp::SessionRecord out;
  out.address = std::move(address);
  out.key_type = key_type;
  out.stage = smtp::Stage::done;
  out.banner = "220 mx.example.test ESMTP";
  // As Postfix talks.
  const std::vector<std::string_view> greeting{"C: EHLO probe.example.net",
                                               "S: 250-mx.example.test",
                                               "S: 250-PIPELINING",
                                               "S: 250-SIZE 10240000",
                                               "S: 250-ETRN",
                                               "S: 250-STARTTLS",
                                               "S: 250-ENHANCEDSTATUSCODES",
                                               "S: 250-8BITMIME",
                                               "S: 250-DSN",
                                               "S: 250-SMTPUTF8",
                                               "S: 250 CHUNKING"};
  out.transcript = {"S: 220 mx.example.test ESMTP"};
  for (const auto line : greeting) out.transcript.push_back(line);
  for (const auto* line :
       {"C: STARTTLS", "S: 220 2.0.0 Ready to start TLS", "* TLSv1.3 TLS_AES_256_GCM_SHA384"})
    out.transcript.push_back(line);
  for (const auto line : greeting) out.transcript.push_back(line);
  for (const auto* line : {"C: QUIT", "S: 221 2.0.0 Bye"}) out.transcript.push_back(line);
  out.offers_starttls = true;
  out.tls = tls::Handshake{
      .version = "TLSv1.3", .cipher = "TLS_AES_256_GCM_SHA384", .chain = std::move(chain)};
  return out;
}

Scene::Scene() {
  domain.domain = name("example.test");
  domain.observed_at = kNow;
  domain.mx = answer("example.test", dns::type::mx, {});
  domain.source = MxSource::mx;
  add_host("mx.example.test", 10);
}

HostObservation& Scene::add_host(const std::string& host, std::uint16_t preference) {
  domain.hosts.push_back({.name = name(host), .preference = preference});
  HostObservation seen;
  seen.host = seen.base_domain = name(host);
  seen.observed_at = kNow;
  seen.a = answer(host, dns::type::a, {{192, 0, 2, 1}});
  seen.aaaa = answer(host, dns::type::aaaa, {Bytes(16, 1)});
  seen.is_dane_candidate = true;
  seen.tlsa = answer("_25._tcp." + host, dns::type::tlsa, {});
  const auto& pki = Pki::get();
  seen.records = {record(3, 1, 1, *pki.leaf.certificate)};
  seen.addresses = {"192.0.2.1", "2001:db8::1"};
  for (const auto& address : seen.addresses) {
    seen.sessions.push_back(session(address, {pki.leaf.certificate, pki.inter.certificate}));
  }
  return hosts[host] = std::move(seen);
}

void Scene::publish(std::vector<dane::TlsaRecord> records) {
  mx().records = std::move(records);
}

void Scene::serve(std::vector<tls::CertificatePtr> chain) {
  for (auto& one : mx().sessions) {
    if (one.tls) one.tls->chain = chain;
  }
}

DomainJudgement Scene::judge(config::Time at) const {
  std::map<dns::Name, HostSeen> seen;
  for (const auto& [host, observation] : hosts)
    seen[name(host)] = std::make_shared<const HostObservation>(observation);
  return probes::judge(std::make_shared<const DomainObservation>(domain), seen, at);
}

std::string verdict_of(const DomainJudgement& judged) {
  return std::string(wire_name(judged.verdict));
}

std::string host_verdict_of(const DomainJudgement& judged, std::string_view host) {
  for (const auto& one : judged.hosts) {
    if (one.seen->host.text() == host) return std::string(wire_name(one.verdict));
  }
  return "not judged";
}

std::vector<std::string> findings_of(const DomainJudgement& judged) {
  std::vector<std::string> out;
  for (const auto& finding : judged.findings) {
    out.push_back(fmt::format("{}/{}", wire_name(finding.code), wire_name(finding.severity)));
  }
  return out;
}

std::vector<std::string> splits_of(const DomainJudgement& judged) {
  std::vector<std::string> out;
  for (const auto& host : judged.hosts) {
    for (const auto& split : host.splits)
      out.push_back(fmt::format("{}={}", split.sender, wire_name(split.verdict)));
  }
  return out;
}

}  // namespace support
