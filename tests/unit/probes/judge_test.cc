#include "probes/judge.h"

#include <functional>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/scene.h"

// The cases of the conformance corpus that are decided by pure functions on what was seen, by their
// ids: the baseline world, one change, and what senders then do.
namespace {

using namespace probes;
using dns::Cause;
using dns::DnssecStatus;
using smtp::SessionStop;
using smtp::Stage;
using support::absent;
using support::failed;
using support::Issued;
using support::Key;
using support::kNow;
using support::name;
using support::Pki;
using support::record;
using support::Scene;
using tls::KeyType;

struct Case {
  std::string_view id;
  std::function<void(Scene&)> change;
  std::string verdict;                // of the domain
  std::vector<std::string> findings;  // that must be among those found
  std::vector<std::string> splits;    // that must be among those of the hosts
};

const Pki& pki() {
  return Pki::get();
}

// The world's only session per address ends here, for that reason.
void end_at(Scene& scene, Stage stage, SessionStop stop, int code = 0) {
  for (auto& session : scene.mx().sessions) {
    session.stage = stage;
    session.stop = stop;
    if (stage < Stage::handshake) session.tls.reset();
    if (code != 0)
      session.last_reply = smtp::Reply{.code = code, .lines = {"no, thank you"}, .cut = false};
  }
}

// One more name server, which has that TLSA RRset, validly signed.
void tell_at_ns2(Scene& scene, dns::Outcome outcome, std::vector<dns::Bytes> data) {
  auto& host = scene.mx();
  host.survey.answers.push_back(
      {.server = {name("ns2.example.test"), "192.0.2.54"},
       .question = {.name = host.tlsa.final_name, .type = dns::type::tlsa},
       .outcome = outcome,
       .data = std::move(data),
       .signatures =
           dns::SignatureWindow{kNow - std::chrono::hours{1}, kNow + std::chrono::hours{24}}});
}

// A world in which the two servers differ, and our resolver asked the one or the other.
Scene split_world(const std::vector<dane::TlsaRecord>& at_ns1,
                  const std::vector<dane::TlsaRecord>& at_ns2, bool asked_ns1) {
  Scene scene;
  const auto tell = [&](const char* server, const std::vector<dane::TlsaRecord>& records) {
    std::vector<dns::Bytes> data;
    for (const auto& one : records) {
      dns::Bytes rdata{one.usage, one.selector, one.matching_type};
      rdata.insert(rdata.end(), one.data.begin(), one.data.end());
      data.push_back(std::move(rdata));
    }
    const auto outcome = data.empty() ? dns::Outcome::absent : dns::Outcome::answer;
    tell_at_ns2(scene, outcome, std::move(data));
    scene.mx().survey.answers.back().server.name = name(server);
    scene.mx().survey.answers.back().ttl = scene.mx().tlsa.ttl;
  };
  tell("ns1.example.test", at_ns1);
  tell("ns2.example.test", at_ns2);
  const auto& told = scene.mx().survey.answers[asked_ns1 ? 0 : 1];
  scene.mx().tlsa.outcome = told.outcome;
  scene.mx().tlsa.data = told.data;
  scene.mx().records = asked_ns1 ? at_ns1 : at_ns2;
  return scene;
}

// The same, of signatures that are over: resolvers ask another server.
void tell_at_ns2_too_late(Scene& scene) {
  tell_at_ns2(scene, dns::Outcome::absent, {});
  scene.mx().survey.answers.back().signatures->expiration = kNow;
}

void fail_handshake(Scene& scene, tls::HandshakeStop why) {
  end_at(scene, Stage::handshake, SessionStop::tls);
  for (auto& session : scene.mx().sessions) {
    session.tls->stop = why;
    session.tls->chain.clear();
  }
}

void no_tlsa(Scene& scene, DnssecStatus status = DnssecStatus::secure) {
  scene.publish({});
  scene.mx().tlsa = absent("_25._tcp.mx.example.test", dns::type::tlsa, status);
}

void fail_tlsa(Scene& scene, Cause cause) {
  scene.publish({});
  scene.mx().tlsa = failed("_25._tcp.mx.example.test", dns::type::tlsa, cause);
}

void insecure_addresses(Scene& scene) {
  auto& mx = scene.mx();
  mx.a.status = mx.aaaa.status = DnssecStatus::insecure;
  mx.is_dane_candidate = false;
  mx.tlsa = {};
  mx.records.clear();
}

void fail_mx(Scene& scene, Cause cause) {
  scene.domain.mx = failed("example.test", dns::type::mx, cause);
  scene.domain.source = MxSource::none;
  scene.domain.hosts.clear();
  scene.hosts.clear();
}

// A leaf below the intermediate, with the names and dates of the plan.
Issued leaf_of(std::vector<std::string> dns_names, std::string common_name = "") {
  return support::issue({.common_name = std::move(common_name), .dns_names = std::move(dns_names)},
                        Key::ecdsa(), pki().inter);
}

Issued leaf_of_age(config::Time not_before, config::Time not_after) {
  return support::issue({.common_name = "mx.example.test",
                         .dns_names = {"mx.example.test"},
                         .not_before = not_before,
                         .not_after = not_after},
                        Key::ecdsa(), pki().inter);
}

Issued same_key_leaf() {
  return support::issue({.common_name = "mx.example.test",
                         .dns_names = {"mx.example.test"},
                         .not_after = kNow + std::chrono::days{500}},
                        pki().leaf.key, pki().inter);
}
Issued same_key_inter() {
  return support::issue(
      {.common_name = "Test Inter", .not_after = kNow + std::chrono::days{500}, .is_ca = true},
      pki().inter.key, pki().root);
}
Issued expired_leaf() {
  return leaf_of_age(kNow - std::chrono::days{90}, kNow - std::chrono::days{1});
}
Issued future_leaf() {
  return leaf_of_age(kNow + std::chrono::days{1}, kNow + std::chrono::days{90});
}

const tls::Certificate& leaf() {
  return *pki().leaf.certificate;
}
const tls::Certificate& old_leaf() {
  return *pki().old_leaf.certificate;
}
const tls::Certificate& inter() {
  return *pki().inter.certificate;
}
const tls::Certificate& root() {
  return *pki().root.certificate;
}

// The chain of a leaf under the intermediate, as served.
void serve_under_inter(Scene& scene, const Issued& one) {
  scene.serve({one.certificate, pki().inter.certificate});
}

std::string text_of(int usage, int selector, int matching_type, const dns::Bytes& data) {
  return fmt::format("{} {} {} {}", usage, selector, matching_type, dane::to_hex(data));
}

// Further handshakes that bring out the server's other certificate.
void add_key_type(Scene& scene, KeyType type, const Issued& one) {
  for (const auto& address : scene.mx().addresses) {
    scene.mx().sessions.push_back(
        support::session(address, {one.certificate, pki().inter.certificate}, type));
  }
}

HostObservation& second_host(Scene& scene, std::uint16_t preference) {
  return scene.add_host("mx2.example.test", preference);
}

// A host whose certificate no record fits.
void mismatch(HostObservation& host) {
  host.records = {record(3, 1, 1, old_leaf())};
}

void without_tlsa(HostObservation& host) {
  host.records.clear();
  host.tlsa = absent("_25._tcp." + host.host.text(), dns::type::tlsa);
}

// An MTA-STS policy that names these hosts, and what the Web's PKI says of the certificates.
void announce_sts(Scene& scene, sts::Mode mode, std::vector<std::string> patterns,
                  tls::PkixStop pkix) {
  auto& seen = scene.domain.sts.change();
  seen.sts_txt = support::answer("_mta-sts.example.test", dns::type::txt, {});
  seen.sts.state = sts::RecordState::valid;
  seen.fetched = sts::Fetched{.outcome = sts::FetchOutcome::policy,
                              .policy = {.mode = mode, .mx = std::move(patterns)}};
  for (auto& session : scene.mx().sessions) session.tls->pkix = pkix;
}

const std::vector<Case>& cases() {
  static const std::vector<Case> all{
      // A: what DNSSEC says
      {"A-01 baseline", [](Scene&) {}, "authenticated", {}, {}},
      {"A-02 A-03 addresses insecure, no TLSA query",
       [](Scene& s) {
         s.domain.mx.status = DnssecStatus::insecure;
         insecure_addresses(s);
       },
       "opportunistic",
       {"dane-ineffective/medium"},
       {}},
      {"A-04 B-02 bogus MX",
       [](Scene& s) { fail_mx(s, Cause::bogus); },
       "lookup-failed",
       {"mx-lookup-failed/critical"},
       {}},
      {"A-05 DS matches no key",
       [](Scene& s) { fail_mx(s, Cause::ds_mismatch); },
       "lookup-failed",
       {"ds-broken/critical", "mx-lookup-failed/critical"},
       {}},
      {"A-06 zone expired",
       [](Scene& s) { fail_mx(s, Cause::signature_expired); },
       "lookup-failed",
       {"dnssec-expired/critical"},
       {}},
      {"A-07 only TLSA expired",
       [](Scene& s) { fail_tlsa(s, Cause::signature_expired); },
       "deferred",
       {"dnssec-expired/critical", "tlsa-lookup-failed/critical"},
       {}},
      {"A-08 signature of the future",
       [](Scene& s) { fail_tlsa(s, Cause::signature_not_yet_valid); },
       "deferred",
       {"tlsa-lookup-failed/critical"},
       {}},
      {"A-09 the last second of a signature",
       [](Scene& s) { s.mx().tlsa.signatures->expiration = kNow; },
       "authenticated",
       {"rrsig-expiring/high"},
       {}},
      {"H-08 less life than twice the TTL",
       [](Scene& s) {
         s.mx().tlsa.ttl = config::Seconds{3 * 86400};
         s.mx().tlsa.signatures =
             dns::SignatureWindow{.inception = kNow - std::chrono::hours{24 * 9},
                                  .expiration = kNow + std::chrono::hours{24 * 5}};
       },
       "authenticated",
       {"rrsig-expiring/high", "ttl-long/medium"},
       {}},
      {"H-08 just enough",
       [](Scene& s) {
         s.mx().tlsa.ttl = config::Seconds{86400};
         s.mx().tlsa.signatures =
             dns::SignatureWindow{.inception = kNow - std::chrono::hours{24 * 12},
                                  .expiration = kNow + std::chrono::hours{48}};
       },
       "authenticated",
       {},
       {}},
      {"H-11 signatures of a year",
       [](Scene& s) {
         s.mx().tlsa.signatures =
             dns::SignatureWindow{.inception = kNow - std::chrono::hours{24},
                                  .expiration = kNow + std::chrono::hours{24 * 364}};
       },
       "authenticated",
       {"rrsig-long/low"},
       {}},
      {"H-12 a TTL of a week",
       [](Scene& s) {
         s.mx().tlsa.ttl = config::Seconds{604800};
         s.mx().tlsa.signatures->expiration = kNow + std::chrono::hours{24 * 28};
       },
       "authenticated",
       {"ttl-long/medium"},
       {}},
      {"A-25 insecure denial (opt-out)",
       [](Scene& s) { no_tlsa(s, DnssecStatus::insecure); },
       "opportunistic",
       {"no-dane/info"},
       {}},
      {"A-26 A-27 secure denial",
       [](Scene& s) { no_tlsa(s); },
       "opportunistic",
       {"no-dane/info"},
       {}},
      {"A-10 A-11 A-36 a signature is missing, or of a stranger's key",
       [](Scene& s) { fail_tlsa(s, Cause::bogus); },
       "deferred",
       {"tlsa-lookup-failed/critical"},
       {}},
      {"A-28 bogus denial",
       [](Scene& s) { fail_tlsa(s, Cause::bogus); },
       "deferred",
       {"tlsa-lookup-failed/critical"},
       {}},
      {"A-30 TLSA SERVFAIL",
       [](Scene& s) { fail_tlsa(s, Cause::servfail); },
       "deferred",
       {"tlsa-lookup-failed/critical"},
       {}},
      {"A-31 TLSA timeout",
       [](Scene& s) { fail_tlsa(s, Cause::timeout); },
       "deferred",
       {"tlsa-lookup-failed/critical"},
       {}},
      {"A-33 TLSA REFUSED",
       [](Scene& s) { fail_tlsa(s, Cause::refused); },
       "deferred",
       {"tlsa-lookup-failed/critical"},
       {}},

      {"A-12 A-13 signed only in ways that nobody knows",
       [](Scene& s) {
         insecure_addresses(s);
         s.mx().a.signing.is_unsupported = true;
       },
       "opportunistic",
       {"dane-lost/high"},
       {}},
      {"A-16 only a SHA-1 DS digest",
       [](Scene& s) {
         s.domain.mx.signing.needs_sha1 = true;
         for (auto* answer : {&s.mx().a, &s.mx().aaaa, &s.mx().tlsa})
           answer->signing.needs_sha1 = true;
       },
       "authenticated",
       {"dane-fragile/high"},
       {"sha1-unsupported=opportunistic"}},
      {"H-14 a DS for an algorithm that the zone is not signed with",
       [](Scene& s) {
         for (auto* answer : {&s.domain.mx, &s.mx().a, &s.mx().aaaa, &s.mx().tlsa})
           answer->signing.lacks_algorithm = true;
       },
       "authenticated",
       {"dane-fragile/high"},
       {"strict-algorithms=lookup-failed"}},
      {"A-20 many NSEC3 iterations, TLSA by explicit name",
       [](Scene& s) {
         s.mx().aaaa = absent("mx.example.test", dns::type::aaaa, DnssecStatus::insecure);
         s.mx().aaaa.signing.nsec3_iterations = 200;
         s.mx().addresses.pop_back();
         s.mx().sessions.pop_back();
       },
       "authenticated",
       {"nsec3-parameters/medium"},
       {}},
      {"A-22 TLSA by wildcard under 100 NSEC3 iterations",
       [](Scene& s) { s.mx().tlsa.signing.nsec3_iterations = 100; },
       "authenticated",
       {"nsec3-parameters/medium"},
       {"nsec3-limited=opportunistic"}},
      {"A-24 too many NSEC3 iterations in the denial of TLSA",
       [](Scene& s) {
         no_tlsa(s, DnssecStatus::insecure);
         s.mx().tlsa.signing.nsec3_iterations = 600;
       },
       "opportunistic",
       {"nsec3-parameters/high"},
       {"nsec3-limited=lookup-failed"}},

      // B: from domain to hosts
      {"B-01 MX SERVFAIL",
       [](Scene& s) { fail_mx(s, Cause::servfail); },
       "lookup-failed",
       {"mx-lookup-failed/critical"},
       {}},
      {"B-03 domain does not exist",
       [](Scene& s) {
         s.domain.mx = absent("example.test", dns::type::mx);
         s.domain.source = MxSource::none;
         s.domain.hosts.clear();
       },
       "bounced",
       {"domain-gone/critical"},
       {}},
      {"B-04 implicit MX",
       [](Scene& s) {
         s.domain.mx = absent("example.test", dns::type::mx);
         s.domain.source = MxSource::implicit;
         s.domain.hosts.clear();
         s.add_host("example.test", 0);
       },
       "authenticated",
       {"implicit-mx/info"},
       {}},
      {"B-05 no MX, no address",
       [](Scene& s) {
         s.domain.mx = absent("example.test", dns::type::mx);
         s.domain.source = MxSource::implicit;
         s.domain.hosts.clear();
         auto& host = s.add_host("example.test", 0);
         host.a = absent("example.test", dns::type::a);
         host.aaaa = absent("example.test", dns::type::aaaa);
         host.addresses.clear();
         host.sessions.clear();
         without_tlsa(host);
       },
       "bounced",
       {"domain-gone/critical"},
       {}},
      {"B-07 null MX",
       [](Scene& s) {
         s.domain.source = MxSource::null;
         s.domain.has_null_mx = true;
         s.domain.hosts.clear();
       },
       "no-mail",
       {"null-mx/info"},
       {}},
      {"B-08 null MX beside another",
       [](Scene& s) { s.domain.has_null_mx = true; },
       "no-mail",
       {"mx-invalid/high"},
       {}},
      {"B-09 insecure MX, secure host",
       [](Scene& s) { s.domain.mx.status = DnssecStatus::insecure; },
       "host-authenticated",
       {"mx-insecure/medium"},
       {"secure-mx-only=opportunistic"}},
      {"B-12 the domain is an alias, the certificate names where it leads",
       [](Scene& s) {
         s.domain.mx.aliases = {{.from = name("example.test"), .to = name("other.test")}};
         s.domain.mx.final_name = name("other.test");
         serve_under_inter(s, leaf_of({"other.test"}));
         s.publish({record(2, 1, 1, inter())});
       },
       "authenticated",
       {},
       {}},
      {"B-13 alias loop",
       [](Scene& s) { fail_mx(s, Cause::alias_loop); },
       "lookup-failed",
       {"mx-lookup-failed/critical"},
       {}},
      {"B-14 the first host has no TLSA",
       [](Scene& s) {
         without_tlsa(s.mx());
         second_host(s, 20);
       },
       "opportunistic",
       {"partial-dane/medium"},
       {}},
      {"B-15 the second host has no TLSA",
       [](Scene& s) { without_tlsa(second_host(s, 20)); },
       "authenticated",
       {"partial-dane/medium"},
       {}},
      {"B-16 the first mismatches, the second takes the mail",
       [](Scene& s) {
         mismatch(s.mx());
         second_host(s, 20);
       },
       "authenticated",
       {"tlsa-mismatch/high"},
       {}},
      {"B-17 the first mismatches, the second takes it unprotected",
       [](Scene& s) {
         mismatch(s.mx());
         without_tlsa(second_host(s, 20));
       },
       "opportunistic",
       {"downgrade/high"},
       {}},
      {"B-18 DNS of the first fails, the second takes the mail",
       [](Scene& s) {
         fail_tlsa(s, Cause::servfail);
         second_host(s, 20);
       },
       "authenticated",
       {"tlsa-lookup-failed/high"},
       {}},
      {"B-19 every host is refused or skipped",
       [](Scene& s) {
         mismatch(s.mx());
         auto& other = second_host(s, 20);
         other.tlsa = failed("_25._tcp.mx2.example.test", dns::type::tlsa, Cause::timeout);
         other.records.clear();
       },
       "deferred",
       {"tlsa-mismatch/critical", "tlsa-lookup-failed/critical"},
       {}},
      {"B-20 of two equal hosts one mismatches",
       [](Scene& s) { mismatch(second_host(s, 10)); },
       "authenticated",
       {"tlsa-mismatch/high"},
       {}},
      {"a name that is no host's",
       [](Scene& s) { s.domain.invalid_exchanges.emplace_back("12345"); },
       "authenticated",
       {"mx-invalid/high"},
       {}},

      // C: addresses
      {"C-01 no AAAA",
       [](Scene& s) {
         s.mx().aaaa = absent("mx.example.test", dns::type::aaaa);
         s.mx().addresses.pop_back();
         s.mx().sessions.pop_back();
       },
       "authenticated",
       {},
       {}},
      {"C-02 no address at all",
       [](Scene& s) {
         s.mx().a = absent("mx.example.test", dns::type::a);
         s.mx().aaaa = absent("mx.example.test", dns::type::aaaa);
         s.mx().addresses.clear();
         s.mx().sessions.clear();
       },
       "bounced",
       {"mx-invalid/critical"},
       {}},
      {"C-03 insecure addresses under a secure MX",
       insecure_addresses,
       "opportunistic",
       {"dane-ineffective/medium"},
       {}},
      {"C-04 one family fails",
       [](Scene& s) {
         s.mx().a = failed("mx.example.test", dns::type::a, Cause::servfail);
         s.mx().addresses.erase(s.mx().addresses.begin());
         s.mx().sessions.erase(s.mx().sessions.begin());
       },
       "authenticated",
       {"address-lookup-failed/high"},
       {"strict-addresses=lookup-failed"}},
      {"C-05 MX host is an alias",
       [](Scene& s) {
         s.mx().a.aliases = {{.from = name("mx.example.test"), .to = name("real.example.test")}};
         s.mx().a.final_name = s.mx().base_domain = name("real.example.test");
       },
       "authenticated",
       {"mx-cname/low"},
       {}},

      {"C-16 TLSA behind a secure alias, the name to prove stays the host's",
       [](Scene& s) {
         s.mx().tlsa.aliases = {{.from = s.mx().tlsa.name, .to = name("tlsa.provider.test")}};
         s.mx().tlsa.final_name = name("tlsa.provider.test");
         s.publish({record(2, 1, 1, inter())});
       },
       "authenticated",
       {},
       {}},
      {"C-16 a certificate for the alias target proves nothing",
       [](Scene& s) {
         s.mx().tlsa.final_name = name("tlsa.provider.test");
         serve_under_inter(s, leaf_of({"tlsa.provider.test"}));
         s.publish({record(2, 1, 1, inter())});
       },
       "deferred",
       {"name-mismatch/critical"},
       {}},
      {"C-18 C-20 the alias of the TLSA name fails, or does not end",
       [](Scene& s) { fail_tlsa(s, Cause::alias_loop); },
       "deferred",
       {"tlsa-lookup-failed/critical"},
       {}},
      {"C-17 TLSA behind an alias into an unsigned zone",
       [](Scene& s) {
         s.mx().tlsa.status = DnssecStatus::insecure;
         s.mx().tlsa.aliases = {{.from = s.mx().tlsa.name, .to = name("tlsa.provider.test")}};
       },
       "opportunistic",
       {"dane-lost/high"},
       {}},
      {"C-19 the TLSA alias dangles",
       [](Scene& s) {
         no_tlsa(s);
         s.mx().tlsa.aliases = {{.from = s.mx().tlsa.name, .to = name("gone.provider.test")}};
       },
       "opportunistic",
       {"dane-lost/high"},
       {}},
      {"C-22 a wildcard that an existing name hides",
       [](Scene& s) {
         no_tlsa(s);
         s.mx().misplaced = {support::answer("*.example.test", dns::type::tlsa, {})};
       },
       "opportunistic",
       {"tlsa-wrong-name/medium"},
       {}},
      {"C-24 TLSA at the domain in place of the host",
       [](Scene& s) {
         no_tlsa(s);
         s.domain.misplaced = support::answer("_25._tcp.example.test", dns::type::tlsa, {});
       },
       "opportunistic",
       {"tlsa-wrong-name/medium"},
       {}},
      {"C-25 TLSA for submission only",
       [](Scene& s) {
         no_tlsa(s);
         s.mx().misplaced = {support::answer("_465._tcp.mx.example.test", dns::type::tlsa, {})};
       },
       "opportunistic",
       {"tlsa-wrong-name/low"},
       {}},

      // D: records
      {"D-01 3 1 1", [](Scene&) {}, "authenticated", {}, {}},
      {"D-02 3 0 1",
       [](Scene& s) { s.publish({record(3, 0, 1, leaf())}); },
       "authenticated",
       {"selector-cert/low"},
       {}},
      {"D-03 only SHA-512",
       [](Scene& s) { s.publish({record(3, 1, 2, leaf())}); },
       "authenticated",
       {"dane-fragile/low"},
       {"sha256-only=encrypted"}},
      {"D-04 3 0 0",
       [](Scene& s) { s.publish({record(3, 0, 0, leaf())}); },
       "authenticated",
       {},
       {}},
      {"D-05 3 1 0",
       [](Scene& s) { s.publish({record(3, 1, 0, leaf())}); },
       "authenticated",
       {},
       {}},
      {"D-06 2 0 1",
       [](Scene& s) { s.publish({record(2, 0, 1, inter())}); },
       "authenticated",
       {},
       {}},
      {"D-07 2 1 1",
       [](Scene& s) { s.publish({record(2, 1, 1, inter())}); },
       "authenticated",
       {},
       {}},
      {"D-08 only usage 0",
       [](Scene& s) { s.publish({record(0, 0, 1, inter())}); },
       "encrypted",
       {"all-unusable/medium"},
       {}},
      {"D-09 only usage 1",
       [](Scene& s) { s.publish({record(1, 1, 1, leaf())}); },
       "encrypted",
       {"all-unusable/medium"},
       {}},
      {"D-11 usage 1 and a match",
       [](Scene& s) {
         s.publish({record(1, 1, 1, leaf()), record(3, 1, 1, leaf())});
       },
       "authenticated",
       {},
       {}},
      {"D-13 only usage 255",
       [](Scene& s) { s.publish({record(255, 1, 1, leaf())}); },
       "encrypted",
       {},
       {}},
      {"D-13 only usage 4",
       [](Scene& s) { s.publish({record(4, 1, 1, leaf())}); },
       "encrypted",
       {"all-unusable/medium"},
       {}},
      {"D-14 only selector 2",
       [](Scene& s) { s.publish({record(text_of(3, 2, 1, leaf().spki_sha256))}); },
       "encrypted",
       {"all-unusable/medium"},
       {}},
      {"D-15 only matching type 3",
       [](Scene& s) { s.publish({record(text_of(3, 1, 3, leaf().spki_sha256))}); },
       "encrypted",
       {"all-unusable/medium"},
       {}},
      {"D-16 31 octets",
       [](Scene& s) {
         auto data = leaf().spki_sha256;
         data.pop_back();
         s.publish({record(text_of(3, 1, 1, data))});
       },
       "encrypted",
       {"all-unusable/high"},
       {}},
      {"D-18 malformed beside a match",
       [](Scene& s) {
         s.publish({record("3 1 1 00"), record(3, 1, 1, leaf())});
       },
       "authenticated",
       {"tlsa-malformed/low"},
       {}},
      {"D-19 3 0 0 that is no certificate",
       [](Scene& s) { s.publish({record("3 0 0 3000")}); },
       "encrypted",
       {"all-unusable/high"},
       {}},
      {"D-20 no data at all",
       [](Scene& s) {
         s.publish({dane::TlsaRecord{.usage = 3, .selector = 1, .matching_type = 1, .data = {}}});
       },
       "encrypted",
       {"all-unusable/high"},
       {}},
      {"D-21 digest of nothing",
       [](Scene& s) {
         s.publish(
             {record("3 1 1 e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855")});
       },
       "deferred",
       {"tlsa-mismatch/critical"},
       {}},
      {"D-23 agility is per usage and selector",
       [](Scene& s) {
         s.publish({record(3, 0, 2, old_leaf()), record(3, 1, 1, leaf())});
       },
       "authenticated",
       {"combination-stale/medium"},
       {}},
      {"D-24 2 1 2 stale, 3 1 1 current",
       [](Scene& s) {
         s.publish({record(2, 1, 2, root()), record(3, 1, 1, leaf())});
       },
       "authenticated",
       {"combination-stale/medium"},
       {}},
      {"D-25 Full(0) is never passed over",
       [](Scene& s) {
         s.publish({record(3, 1, 2, old_leaf()), record(3, 1, 0, leaf())});
       },
       "authenticated",
       {"combination-stale/medium"},
       {}},
      {"D-26 SHA-512 stale, SHA-256 current",
       [](Scene& s) {
         s.publish({record(3, 1, 2, old_leaf()), record(3, 1, 1, leaf())});
       },
       "deferred",
       {"tlsa-mismatch/critical"},
       {"sha256-only=authenticated"}},
      {"D-27 SHA-256 stale, SHA-512 current",
       [](Scene& s) {
         s.publish({record(3, 1, 1, old_leaf()), record(3, 1, 2, leaf())});
       },
       "authenticated",
       {"combination-stale/high"},
       {"sha256-only=refused"}},
      {"D-28 3 0 1 with the key's digest",
       [](Scene& s) { s.publish({record(text_of(3, 0, 1, leaf().spki_sha256))}); },
       "deferred",
       {"tlsa-mismatch/critical"},
       {}},
      {"D-29 3 1 1 of the intermediate",
       [](Scene& s) { s.publish({record(3, 1, 1, inter())}); },
       "deferred",
       {"tlsa-mismatch/critical"},
       {}},
      {"D-30 2 1 1 of the leaf",
       [](Scene& s) { s.publish({record(2, 1, 1, leaf())}); },
       "deferred",
       {"tlsa-mismatch/critical"},
       {}},
      {"D-32 many records, one matches",
       [](Scene& s) {
         std::vector<dane::TlsaRecord> many;
         for (std::uint8_t i = 0; i < 19; ++i) {
           many.push_back(record(3, 1, 1, old_leaf()));
           many.back().data[0] = i;
         }
         many.push_back(record(3, 1, 1, leaf()));
         s.publish(many);
       },
       "authenticated",
       {},
       {}},
      {"D-33 insecure TLSA that mismatches",
       [](Scene& s) {
         mismatch(s.mx());
         s.mx().tlsa.status = DnssecStatus::insecure;
       },
       "opportunistic",
       {"dane-ineffective/medium"},
       {}},
      {"D-34 all unusable, no STARTTLS",
       [](Scene& s) {
         s.publish({record(0, 0, 1, inter())});
         end_at(s, Stage::ehlo, SessionStop::not_offered);
         for (auto& one : s.mx().sessions) one.stage = Stage::starttls;
       },
       "deferred",
       {"starttls-missing/critical"},
       {}},
      {"D-35 all unusable, handshake fails",
       [](Scene& s) {
         s.publish({record(0, 0, 1, inter())});
         fail_handshake(s, tls::HandshakeStop::refused);
       },
       "deferred",
       {"tls-handshake-failed/critical"},
       {}},

      // E: certificates
      {"E-01 usage 3 and an expired leaf",
       [](Scene& s) {
         const auto one = expired_leaf();
         serve_under_inter(s, one);
         s.publish({record(3, 1, 1, *one.certificate)});
       },
       "authenticated",
       {},
       {}},
      {"E-02 usage 3 before its time",
       [](Scene& s) {
         const auto one = future_leaf();
         serve_under_inter(s, one);
         s.publish({record(3, 1, 1, *one.certificate)});
       },
       "authenticated",
       {},
       {}},
      {"E-03 usage 3 and other names",
       [](Scene& s) {
         const auto one = leaf_of({"other.test"});
         serve_under_inter(s, one);
         s.publish({record(3, 1, 1, *one.certificate)});
       },
       "authenticated",
       {},
       {}},
      {"E-04 usage 2 and an expired leaf",
       [](Scene& s) {
         serve_under_inter(s, expired_leaf());
         s.publish({record(2, 1, 1, inter())});
       },
       "deferred",
       {"certificate-expired/critical"},
       {}},
      {"E-05 usage 2 before its time",
       [](Scene& s) {
         serve_under_inter(s, future_leaf());
         s.publish({record(2, 1, 1, inter())});
       },
       "deferred",
       {"certificate-expired/critical"},
       {}},
      {"E-06 usage 2 and other names",
       [](Scene& s) {
         serve_under_inter(s, leaf_of({"other.test"}));
         s.publish({record(2, 1, 1, inter())});
       },
       "deferred",
       {"name-mismatch/critical"},
       {}},
      {"E-07 usage 2 names the next hop, MX secure",
       [](Scene& s) {
         serve_under_inter(s, leaf_of({"example.test"}));
         s.publish({record(2, 1, 1, inter())});
       },
       "authenticated",
       {},
       {}},
      {"E-08 usage 2 names the next hop, MX insecure",
       [](Scene& s) {
         s.domain.mx.status = DnssecStatus::insecure;
         serve_under_inter(s, leaf_of({"example.test"}));
         s.publish({record(2, 1, 1, inter())});
       },
       "host-authenticated",
       {"mx-insecure/medium"},
       {"rfc-7672=refused"}},
      {"E-09 anchor not sent",
       [](Scene& s) { s.publish({record(2, 0, 1, root())}); },
       "deferred",
       {"tlsa-mismatch/critical", "trust-anchor-not-sent/critical"},
       {}},
      {"E-10 anchor sent",
       [](Scene& s) {
         s.publish({record(2, 0, 1, root())});
         s.serve({pki().leaf.certificate, pki().inter.certificate, pki().root.certificate});
       },
       "authenticated",
       {},
       {}},
      {"E-11 whole anchor in DNS",
       [](Scene& s) { s.publish({record(2, 0, 0, root())}); },
       "authenticated",
       {},
       {"trust-anchor-strict=refused"}},
      {"E-12 whole anchor key in DNS",
       [](Scene& s) { s.publish({record(2, 1, 0, root())}); },
       "authenticated",
       {"trust-anchor-not-sent/high"},
       {"trust-anchor-strict=refused"}},
      {"E-13 leaf only",
       [](Scene& s) {
         s.publish({record(2, 1, 1, inter())});
         s.serve({pki().leaf.certificate});
       },
       "deferred",
       {"trust-anchor-not-sent/critical"},
       {}},
      {"E-14 the link to the anchor is not sent",
       [](Scene& s) {
         s.publish({record(2, 1, 1, root())});
         s.serve({pki().leaf.certificate, pki().root.certificate});
       },
       "deferred",
       {},
       {}},
      {"E-15 an expired root above the anchor",
       [](Scene& s) {
         const auto old_root = support::self_signed(
             {.common_name = "Test Root", .not_after = kNow - std::chrono::days{1}, .is_ca = true},
             pki().root.key);
         s.publish({record(2, 1, 1, inter())});
         s.serve({pki().leaf.certificate, pki().inter.certificate, old_root.certificate});
       },
       "authenticated",
       {},
       {}},
      {"E-17 the anchor is an expired root",
       [](Scene& s) {
         const auto old_root = support::self_signed(
             {.common_name = "Test Root", .not_after = kNow - std::chrono::days{1}, .is_ca = true},
             pki().root.key);
         s.publish({record(2, 0, 1, *old_root.certificate)});
         s.serve({pki().leaf.certificate, pki().inter.certificate, old_root.certificate});
       },
       "deferred",
       {"certificate-expired/critical"},
       {}},
      {"E-19 name constraints are broken",
       [](Scene& s) {
         const auto narrow = support::issue(
             {.common_name = "Narrow", .is_ca = true, .permitted_dns = "elsewhere.test"},
             Key::ecdsa(), pki().root);
         const auto one = support::issue({.common_name = "", .dns_names = {"mx.example.test"}},
                                         Key::ecdsa(), narrow);
         s.publish({record(2, 1, 1, root())});
         s.serve({one.certificate, narrow.certificate, pki().root.certificate});
       },
       "deferred",
       {"tlsa-mismatch/critical"},
       {}},
      {"E-21 a leaf that vouches for itself by its whole key",
       [](Scene& s) {
         const auto own = support::self_signed(
             {.common_name = "mx.example.test", .dns_names = {"mx.example.test"}}, Key::ecdsa());
         s.serve({own.certificate});
         s.publish({record(2, 1, 0, *own.certificate)});
       },
       "authenticated",
       {"trust-anchor-not-sent/high"},
       {"trust-anchor-strict=refused"}},
      {"E-22 whole-label wildcard",
       [](Scene& s) {
         serve_under_inter(s, leaf_of({"*.example.test"}));
         s.publish({record(2, 1, 1, inter())});
       },
       "authenticated",
       {},
       {}},
      {"E-23 a wildcard is one label",
       [](Scene& s) {
         s.mx().base_domain = name("a.mx.example.test");
         serve_under_inter(s, leaf_of({"*.example.test"}));
         s.publish({record(2, 1, 1, inter())});
       },
       "deferred",
       {"name-mismatch/critical"},
       {}},
      {"H-05 one name server proves that there are no TLSA records",
       [](Scene& s) { tell_at_ns2(s, dns::Outcome::absent, {}); },
       "authenticated",
       {},
       {"other-nameserver=opportunistic"}},
      {"H-01 one name server has records of another key",
       [](Scene& s) {
         dns::Bytes rdata{3, 1, 1};
         const auto other = record(3, 1, 1, *pki().old_leaf.certificate).data;
         rdata.insert(rdata.end(), other.begin(), other.end());
         tell_at_ns2(s, dns::Outcome::answer, {rdata});
       },
       "authenticated",
       {},
       {"other-nameserver=refused"}},
      {"E-25 a wildcard right under a top-level domain, for the next-hop",
       [](Scene& s) {
         serve_under_inter(s, leaf_of({"*.TEST"}));
         s.publish({record(2, 1, 1, inter())});
       },
       "deferred",
       {"name-mismatch/critical"},
       {"short-wildcards=authenticated"}},
      {"E-25 which vouches for nothing deeper",
       [](Scene& s) {
         serve_under_inter(s, leaf_of({"*.test"}));
         s.publish({record(2, 1, 1, inter())});
         s.domain.domain = name("mail.example.test");
       },
       "deferred",
       {"name-mismatch/critical"},
       {}},
      {"E-26 common name when there is no DNS name",
       [](Scene& s) {
         serve_under_inter(s, leaf_of({}, "mx.example.test"));
         s.publish({record(2, 1, 1, inter())});
       },
       "authenticated",
       {},
       {}},
      {"E-27 common name beside other DNS names",
       [](Scene& s) {
         serve_under_inter(s, leaf_of({"other.test"}, "mx.example.test"));
         s.publish({record(2, 1, 1, inter())});
       },
       "deferred",
       {"name-mismatch/critical"},
       {}},
      {"E-28 chain out of order",
       [](Scene& s) {
         s.publish({record(2, 0, 1, root())});
         s.serve({pki().leaf.certificate, pki().root.certificate, pki().inter.certificate});
       },
       "authenticated",
       {},
       {}},
      {"E-29 only the fallback matches",
       [](Scene& s) {
         s.publish({record(3, 1, 1, old_leaf()), record(2, 1, 1, inter())});
       },
       "authenticated",
       {"fallback-only/high"},
       {}},
      {"E-30 the fallback is expired too",
       [](Scene& s) {
         serve_under_inter(s, expired_leaf());
         s.publish({record(3, 1, 1, old_leaf()), record(2, 1, 1, inter())});
       },
       "deferred",
       {"certificate-expired/critical"},
       {}},
      {"E-31 3 1 1 matches, 2 1 1 does not, leaf expired",
       [](Scene& s) {
         const auto one = expired_leaf();
         serve_under_inter(s, one);
         s.publish({record(3, 1, 1, *one.certificate), record(2, 1, 1, root())});
       },
       "authenticated",
       {"combination-stale/medium"},
       {}},
      {"E-32 RSA-1024",
       [](Scene& s) {
         static const auto weak = support::issue(
             {.common_name = "", .dns_names = {"mx.example.test"}}, Key::rsa(1024), pki().inter);
         serve_under_inter(s, weak);
         s.publish({record(3, 1, 1, *weak.certificate)});
       },
       "authenticated",
       {"dane-fragile/high"},
       {"strict-security-level=refused"}},
      {"E-33 two key types, both published",
       [](Scene& s) {
         add_key_type(s, KeyType::rsa, pki().rsa_leaf);
         s.publish({record(3, 1, 1, leaf()), record(3, 1, 1, *pki().rsa_leaf.certificate)});
       },
       "authenticated",
       {},
       {}},
      {"E-34 two key types, one published",
       [](Scene& s) {
         add_key_type(s, KeyType::rsa, pki().rsa_leaf);
         s.publish({record(3, 1, 1, *pki().rsa_leaf.certificate)});
       },
       "deferred",
       {"tlsa-mismatch/critical"},
       {"rsa-only=authenticated"}},
      {"E-35 the default works, RSA does not",
       [](Scene& s) { add_key_type(s, KeyType::rsa, pki().rsa_leaf); },
       "authenticated",
       {"key-type-partial/high"},
       {"rsa-only=refused"}},
      {"E-36 no certificate at all",
       [](Scene& s) { s.serve({}); },
       "deferred",
       {"tlsa-mismatch/critical"},
       {}},

      {"E-38 issued anew with the same key, bound by key",
       [](Scene& s) { serve_under_inter(s, same_key_leaf()); },
       "authenticated",
       {},
       {}},
      {"E-38 issued anew with the same key, bound by certificate",
       [](Scene& s) {
         s.publish({record(3, 0, 1, leaf())});
         serve_under_inter(s, same_key_leaf());
       },
       "deferred",
       {"tlsa-mismatch/critical"},
       {}},
      {"E-39 CA issued anew with the same key, bound by key",
       [](Scene& s) {
         s.publish({record(2, 1, 1, inter())});
         s.serve({pki().leaf.certificate, same_key_inter().certificate});
       },
       "authenticated",
       {},
       {}},
      {"E-39 CA issued anew with the same key, bound by certificate",
       [](Scene& s) {
         s.publish({record(2, 0, 1, inter())});
         s.serve({pki().leaf.certificate, same_key_inter().certificate});
       },
       "deferred",
       {"tlsa-mismatch/critical"},
       {}},

      // F: sessions
      {"F-01 no STARTTLS",
       [](Scene& s) { end_at(s, Stage::starttls, SessionStop::not_offered); },
       "deferred",
       {"starttls-missing/critical"},
       {}},
      {"F-02 no TLSA and no STARTTLS",
       [](Scene& s) {
         no_tlsa(s);
         end_at(s, Stage::starttls, SessionStop::not_offered);
       },
       "cleartext",
       {"no-dane/info"},
       {}},
      {"F-03 STARTTLS overwritten",
       [](Scene& s) {
         end_at(s, Stage::starttls, SessionStop::not_offered);
         for (auto& one : s.mx().sessions) one.has_masked_starttls = true;
       },
       "deferred",
       {"starttls-stripped/critical"},
       {}},
      {"F-04 454",
       [](Scene& s) { end_at(s, Stage::starttls, SessionStop::negative_reply, 454); },
       "deferred",
       {"starttls-rejected/high"},
       {}},
      {"F-05 502",
       [](Scene& s) { end_at(s, Stage::starttls, SessionStop::negative_reply, 502); },
       "bounced",
       {"starttls-rejected/critical"},
       {}},
      {"F-06 EHLO unknown",
       [](Scene& s) {
         end_at(s, Stage::ehlo, SessionStop::negative_reply, 502);
         for (auto& session : s.mx().sessions) session.took_helo = true;
       },
       "deferred",
       {"starttls-missing/critical"},
       {}},
      {"our own name refused: EHLO and HELO answered 501",
       [](Scene& s) { end_at(s, Stage::ehlo, SessionStop::negative_reply, 501); },
       "unknown",
       {"probe-refused/medium"},
       {}},
      {"F-07 banner 554",
       [](Scene& s) { end_at(s, Stage::banner, SessionStop::negative_reply, 554); },
       "unknown",
       {"probe-refused/medium"},
       {}},
      {"F-08 banner 421",
       [](Scene& s) { end_at(s, Stage::banner, SessionStop::negative_reply, 421); },
       "unknown",
       {"probe-refused/medium"},
       {}},
      {"F-09 garbage as banner",
       [](Scene& s) { end_at(s, Stage::banner, SessionStop::malformed_reply); },
       "deferred",
       {"host-down/high"},
       {}},
      {"F-10 refused",
       [](Scene& s) { end_at(s, Stage::connect, SessionStop::connect_refused); },
       "deferred",
       {"host-down/high"},
       {}},
      {"F-11 no banner in our time",
       [](Scene& s) { end_at(s, Stage::banner, SessionStop::timeout); },
       "unknown",
       {},
       {}},
      {"F-14 endless reply",
       [](Scene& s) { end_at(s, Stage::ehlo, SessionStop::reply_too_long); },
       "deferred",
       {"host-down/high"},
       {}},
      {"F-16 plaintext behind the STARTTLS reply",
       [](Scene& s) {
         for (auto& one : s.mx().sessions) one.plaintext_after_starttls = 20;
       },
       "authenticated",
       {"plaintext-injection/high"},
       {}},
      {"F-21 no common cipher",
       [](Scene& s) { fail_handshake(s, tls::HandshakeStop::refused); },
       "deferred",
       {"tls-handshake-failed/critical"},
       {}},
      {"F-22 handshake stalls",
       [](Scene& s) { fail_handshake(s, tls::HandshakeStop::timeout); },
       "deferred",
       {"tls-handshake-failed/critical"},
       {}},
      {"F-23 reset in the handshake",
       [](Scene& s) { fail_handshake(s, tls::HandshakeStop::closed); },
       "deferred",
       {"tls-handshake-failed/critical"},
       {}},
      {"F-24 handshake fails without TLSA",
       [](Scene& s) {
         no_tlsa(s);
         fail_handshake(s, tls::HandshakeStop::refused);
       },
       "cleartext",
       {},
       {}},
      {"F-25 TLS 1.0 only",
       [](Scene& s) { fail_handshake(s, tls::HandshakeStop::version_old); },
       "deferred",
       {"tls-version-old/critical"},
       {}},
      {"no TLSA, and no word after STARTTLS",
       [](Scene& s) {
         no_tlsa(s);
         end_at(s, Stage::starttls, SessionStop::closed);
       },
       "deferred",
       {"host-down/high"},
       {}},
      {"no TLSA, STARTTLS refused",
       [](Scene& s) {
         no_tlsa(s);
         end_at(s, Stage::starttls, SessionStop::negative_reply, 550);
       },
       "cleartext",
       {},
       {}},
      {"no TLSA, the session breaks under TLS",
       [](Scene& s) {
         no_tlsa(s);
         end_at(s, Stage::ehlo_tls, SessionStop::closed);
       },
       "cleartext",
       {},
       {}},
      {"the session breaks under TLS",
       [](Scene& s) { end_at(s, Stage::ehlo_tls, SessionStop::closed); },
       "deferred",
       {"host-down/high"},
       {}},
      {"EHLO and HELO within TLS refused for good",
       [](Scene& s) {
         end_at(s, Stage::ehlo_tls, SessionStop::negative_reply, 550);
         for (auto& one : s.mx().sessions) one.helo_code = 550;
       },
       "bounced",
       {"host-down/high"},
       {}},
      {"a banner that is no answer",
       [](Scene& s) { end_at(s, Stage::banner, SessionStop::negative_reply, 354); },
       "bounced",
       {"host-down/high"},
       {}},
      {"a banner blotted by a PIX firewall: Postfix says HELO",
       [](Scene& s) {
         for (auto& one : s.mx().sessions) one.habits.has_blotted_banner = true;
       },
       "deferred",
       {"starttls-stripped/critical"},
       {"rfc-7672=authenticated"}},
      {"STARTTLS behind what Postfix reads of a reply",
       [](Scene& s) {
         for (auto& one : s.mx().sessions) one.habits.hides_offer_from_postfix = true;
       },
       "deferred",
       {"starttls-missing/critical"},
       {"rfc-7672=authenticated"}},
      {"the same without TLSA",
       [](Scene& s) {
         no_tlsa(s);
         for (auto& one : s.mx().sessions) one.habits.hides_offer_from_postfix = true;
       },
       "cleartext",
       {},
       {"rfc-7672=opportunistic"}},
      {"STARTTLS offered in a way that only Postfix reads",
       [](Scene& s) {
         for (auto& one : s.mx().sessions) one.habits.offers_only_to_postfix = true;
       },
       "authenticated",
       {},
       {"rfc-7672=refused"}},
      {"lines without a code, which Postfix passes over",
       [](Scene& s) {
         for (auto& one : s.mx().sessions) one.habits.has_stray_lines = true;
       },
       "authenticated",
       {},
       {"rfc-7672=down"}},
      {"F-13 a line at which Postfix hangs up",
       [](Scene& s) {
         for (auto& one : s.mx().sessions) one.habits.has_endless_line = true;
       },
       "deferred",
       {"host-down/high"},
       {"rfc-7672=authenticated"}},
      {"no TLSA, TLS 1.0 only: good enough where nobody is authenticated",
       [](Scene& s) {
         no_tlsa(s);
         fail_handshake(s, tls::HandshakeStop::version_old);
         for (auto& one : s.mx().sessions)
           one.lax = smtp::LaxTls{.works = true, .version = "TLSv1"};
       },
       "opportunistic",
       {"tls-version-old/low"},
       {"rfc-7672=cleartext"}},
      {"unusable TLSA, anonymous ciphers only",
       [](Scene& s) {
         s.publish({record("3 1 1 00")});
         fail_handshake(s, tls::HandshakeStop::no_certificate);
         for (auto& one : s.mx().sessions)
           one.lax = smtp::LaxTls{.works = true, .version = "TLSv1.2"};
       },
       "encrypted",
       {"tls-handshake-failed/medium", "all-unusable/high"},
       {"rfc-7672=refused"}},
      {"no TLSA, a server that wants to be named in TLS",
       [](Scene& s) {
         no_tlsa(s);
         for (auto& one : s.mx().sessions) one.lax = smtp::LaxTls{};
       },
       "cleartext",
       {},
       {"rfc-7672=opportunistic"}},
      {"signatures over half an hour ago",
       [](Scene& s) { s.mx().tlsa.signing.needs_grace = true; },
       "authenticated",
       {"dnssec-expired/critical"},
       {"strict-time=lookup-failed"}},
      {"a TLSA record without data stops whole senders",
       [](Scene& s) {
         s.publish({record(3, 1, 1, leaf()), record("3 1 1")});
       },
       "authenticated",
       {"tlsa-malformed/high"},
       {}},
      {"only that",
       [](Scene& s) { s.publish({record("3 1 1")}); },
       "encrypted",
       {"tlsa-malformed/high", "all-unusable/high"},
       {}},
      {"more TLSA records than large senders read",
       [](Scene& s) {
         std::vector<dane::TlsaRecord> records{record(3, 1, 1, leaf())};
         for (std::uint8_t i = 0; i < 12; ++i)
           records.push_back(
               {.usage = 3, .selector = 1, .matching_type = 1, .data = dns::Bytes(32, i)});
         s.publish(records);
       },
       "authenticated",
       {"dane-fragile/medium"},
       {}},
      {"F-32 EHLO within TLS refused",
       [](Scene& s) { end_at(s, Stage::ehlo_tls, SessionStop::negative_reply, 550); },
       "deferred",
       {"host-down/high"},
       {}},

      // G: the matrix
      {"G-01 G-04 one address shows another certificate",
       [](Scene& s) {
         s.mx().sessions[1].tls->chain = {pki().old_leaf.certificate, pki().inter.certificate};
       },
       "authenticated",
       {"tlsa-mismatch/high", "endpoint-partial/high"},
       {}},
      {"G-07 two hosts, one with stale records",
       [](Scene& s) { mismatch(second_host(s, 20)); },
       "authenticated",
       {"tlsa-mismatch/high"},
       {}},
      {"G-02 we have no IPv6",
       [](Scene& s) {
         s.mx().sessions[1].stage = Stage::connect;
         s.mx().sessions[1].stop = SessionStop::no_route;
         s.mx().sessions[1].tls.reset();
       },
       "authenticated",
       {},
       {}},
      {"G-03 IPv6 refuses connections",
       [](Scene& s) {
         s.mx().sessions[1].stage = Stage::connect;
         s.mx().sessions[1].stop = SessionStop::connect_refused;
         s.mx().sessions[1].tls.reset();
       },
       "authenticated",
       {"endpoint-partial/medium"},
       {}},
      {"G-05 back-ends behind one address differ",
       [](Scene& s) {
         s.mx().sessions.push_back(support::session("192.0.2.1", {pki().old_leaf.certificate}));
       },
       "authenticated",
       {"intermittent/high"},
       {}},
      {"G-06 IPv6 lacks STARTTLS",
       [](Scene& s) {
         s.mx().sessions[1].stage = Stage::starttls;
         s.mx().sessions[1].stop = SessionStop::not_offered;
         s.mx().sessions[1].tls.reset();
       },
       "authenticated",
       {"starttls-missing/high", "endpoint-partial/high"},
       {}},

      // M: MTA-STS beside DANE
      {"M-02 a mismatch stays one whatever MTA-STS says",
       [](Scene& s) {
         mismatch(s.mx());
         announce_sts(s, sts::Mode::enforce, {"mx.example.test"}, tls::PkixStop::none);
       },
       "deferred",
       {"tlsa-mismatch/critical"},
       {}},
      {"M-04 DANE with a certificate of one's own, MTA-STS enforced",
       [](Scene& s) {
         announce_sts(s, sts::Mode::enforce, {"mx.example.test"}, tls::PkixStop::self_signed);
       },
       "authenticated",
       {"mta-sts-conflict/high"},
       {}},
      {"M-05 no TLSA, MTA-STS enforced, certificate not valid",
       [](Scene& s) {
         no_tlsa(s);
         announce_sts(s, sts::Mode::enforce, {"*.example.test"}, tls::PkixStop::expired);
       },
       "opportunistic",
       {"mta-sts-conflict/high"},
       {}},
      {"M-06 the policy omits a host",
       [](Scene& s) {
         second_host(s, 20);
         announce_sts(s, sts::Mode::enforce, {"mx.example.test"}, tls::PkixStop::none);
       },
       "authenticated",
       {"mta-sts-conflict/medium"},
       {}},
      {"M-07 nobody asks for reports",
       [](Scene& s) {
         s.domain.sts.change().tlsrpt_txt = absent("_smtp._tls.example.test", dns::type::txt);
       },
       "authenticated",
       {"tlsrpt-missing/low"},
       {}},
      {"M-09 the policy cannot be fetched",
       [](Scene& s) {
         announce_sts(s, sts::Mode::enforce, {}, tls::PkixStop::none);
         s.domain.sts.change().fetched = sts::Fetched{.outcome = sts::FetchOutcome::tls_failed};
       },
       "authenticated",
       {"mta-sts-invalid/medium"},
       {}},

      // S: our own limits
      {"S-01 special-purpose address",
       [](Scene& s) { end_at(s, Stage::connect, SessionStop::special_address); },
       "deferred",
       {"mx-invalid/high"},
       {}},
      {"S-02 slower than our patience",
       [](Scene& s) { end_at(s, Stage::ehlo, SessionStop::timeout); },
       "unknown",
       {},
       {}},
  };
  return all;
}

class Conformance : public testing::TestWithParam<Case> {};

TEST_P(Conformance, judges_as_the_case_says) {
  const auto& wanted = GetParam();
  Scene scene;
  wanted.change(scene);
  const auto judged = scene.judge();
  EXPECT_EQ(support::verdict_of(judged), wanted.verdict) << wanted.id;
  EXPECT_THAT(support::findings_of(judged), testing::IsSupersetOf(wanted.findings)) << wanted.id;
  EXPECT_THAT(support::splits_of(judged), testing::IsSupersetOf(wanted.splits)) << wanted.id;
}

std::string test_name(const testing::TestParamInfo<Case>& info) {
  std::string out;
  for (const char c : info.param.id)
    out += std::isalnum(static_cast<unsigned char>(c)) != 0 ? c : '_';
  return out;
}

INSTANTIATE_TEST_SUITE_P(Corpus, Conformance, testing::ValuesIn(cases()), test_name);

TEST(Judge, finds_nothing_in_the_baseline) {
  const auto judged = Scene{}.judge();
  EXPECT_THAT(support::findings_of(judged), testing::IsEmpty());
  EXPECT_EQ(judged.severity, Severity::info);
  EXPECT_EQ(judged.weakest, Verdict::authenticated);
}

TEST(Judge, finds_nothing_where_mta_sts_and_dane_agree) {
  Scene scene;  // M-01, and M-03's mode
  for (const auto mode : {sts::Mode::enforce, sts::Mode::testing}) {
    announce_sts(scene, mode, {"mx.example.test"}, tls::PkixStop::none);
    EXPECT_THAT(support::findings_of(scene.judge()), testing::IsEmpty());
  }
}

TEST(Judge, does_not_hold_a_policy_against_a_domain_that_we_could_not_fetch_for_reasons_of_ours) {
  Scene scene;
  announce_sts(scene, sts::Mode::enforce, {}, tls::PkixStop::none);
  scene.domain.sts.change().fetched =
      sts::Fetched{.outcome = sts::FetchOutcome::connect_failed, .is_own_limit = true};
  EXPECT_THAT(support::findings_of(scene.judge()), testing::IsEmpty());
}

TEST(Judge, says_one_second_after_the_expiration_what_it_said_before) {
  // validation itself is dated by the look, not by the judgement; a judgement never
  // overrules a status.
  Scene scene;
  scene.mx().tlsa.signatures->expiration = kNow;
  EXPECT_EQ(support::verdict_of(scene.judge(kNow)), "authenticated");
}

TEST(Judge, names_an_unobserved_host_unknown_and_waits_for_it) {
  Scene scene;
  scene.hosts.clear();
  EXPECT_EQ(support::verdict_of(scene.judge()), "unknown");
  EXPECT_THAT(support::findings_of(scene.judge()), testing::IsEmpty());
}

TEST(Judge, weakest_is_the_most_open_endpoint_of_any_host) {
  Scene scene;
  without_tlsa(second_host(scene, 20));
  const auto judged = scene.judge();
  EXPECT_EQ(judged.verdict, Verdict::authenticated);
  EXPECT_EQ(judged.weakest, Verdict::opportunistic);
}

TEST(Judge, a_failed_tlsa_lookup_says_nothing_of_starttls) {
  Scene scene;
  fail_tlsa(scene, Cause::servfail);
  end_at(scene, Stage::starttls, SessionStop::not_offered);
  const auto judged = scene.judge();
  EXPECT_EQ(judged.verdict, Verdict::deferred);
  EXPECT_THAT(support::findings_of(judged), testing::ElementsAre("tlsa-lookup-failed/critical"));
  for (const auto& endpoint : judged.hosts[0].endpoints)
    EXPECT_EQ(endpoint.reason, Reason::dns_failed);
}

// Postfix (smtp_bulk_fail); RFC 7672 §2.2 has mail wait, and the next host tried.
TEST(Judge, starttls_refused_for_good_bounces_although_another_host_is_sound) {
  Scene scene;
  end_at(scene, Stage::starttls, SessionStop::negative_reply, 550);
  scene.add_host("mx2.example.test", 20);
  const auto judged = scene.judge();
  EXPECT_EQ(judged.verdict, Verdict::bounced);
  ASSERT_EQ(judged.splits.size(), 1U);
  EXPECT_EQ(judged.splits[0].sender, "rfc-7672");
  EXPECT_EQ(judged.splits[0].verdict, Verdict::authenticated);
  EXPECT_THAT(support::findings_of(judged),
              testing::Not(testing::Contains(testing::StartsWith("domain-gone"))));
}

// B-22: RFC 5321 §5.1 forbids it; Postfix delivers there, and never with DANE.
TEST(Judge, an_address_in_place_of_a_name_is_delivered_to) {
  Scene scene;
  auto literal = scene.mx();
  insecure_addresses(scene);
  literal = scene.mx();
  literal.host = name("192.0.2.1");
  scene.domain.hosts = {{.name = literal.host, .preference = 10}};
  scene.hosts = {{"192.0.2.1", literal}};
  const auto judged = scene.judge();
  EXPECT_EQ(judged.verdict, Verdict::opportunistic);
  EXPECT_THAT(support::findings_of(judged), testing::ElementsAre("mx-invalid/high"));
  ASSERT_EQ(judged.splits.size(), 1U);
  EXPECT_EQ(judged.splits[0].sender, "rfc-7672");
  EXPECT_EQ(judged.splits[0].verdict, Verdict::bounced);
}

// smtp_dns_resolver of Postfix: half of DANE is for MX records that are not secure, not for none.
TEST(Judge, without_mx_records_nothing_but_the_addresses_counts) {
  Scene scene;
  scene.domain.source = MxSource::implicit;
  scene.domain.mx = support::absent("example.test", dns::type::mx, DnssecStatus::insecure);
  const auto judged = scene.judge();
  EXPECT_EQ(judged.verdict, Verdict::authenticated);
  EXPECT_THAT(support::splits_of(judged), testing::IsSupersetOf({"rfc-7672=host-authenticated",
                                                                 "secure-mx-only=opportunistic"}));
}

TEST(Judge, a_host_that_a_failed_lookup_keeps_senders_from_bounces_nothing) {
  Scene scene;
  fail_tlsa(scene, Cause::bogus);
  end_at(scene, Stage::banner, SessionStop::negative_reply, 650);
  EXPECT_EQ(support::verdict_of(scene.judge()), "deferred");
}

TEST(Judge, mail_bounces_where_the_mx_records_name_no_host) {
  Scene scene;
  scene.domain.hosts.clear();
  scene.domain.invalid_exchanges = {"12345"};
  scene.hosts.clear();
  const auto judged = scene.judge();
  EXPECT_EQ(judged.verdict, Verdict::bounced);
  EXPECT_THAT(support::findings_of(judged), testing::ElementsAre("mx-invalid/critical"));
}

// A wildcard in a zone with Opt-Out (RFC 5155 §9.2).
TEST(Judge, dane_is_lost_where_a_wildcard_proves_nothing) {
  Scene scene;
  scene.mx().tlsa.status = DnssecStatus::insecure;
  scene.mx().tlsa.signing.rests_on_opt_out = true;
  const auto judged = scene.judge();
  EXPECT_EQ(judged.verdict, Verdict::opportunistic);
  EXPECT_THAT(support::findings_of(judged), testing::Contains("dane-lost/high"));
}

TEST(Judge, records_in_the_middle_of_an_alias_chain_stand_at_the_wrong_name) {
  Scene scene;
  no_tlsa(scene);
  scene.mx().misplaced = {support::answer("_25._tcp.middle.example.test", dns::type::tlsa, {{3}})};
  EXPECT_THAT(support::findings_of(scene.judge()), testing::Contains("tlsa-wrong-name/medium"));
}

TEST(Judge, a_banner_that_is_no_answer_bounces_although_another_host_is_sound) {
  Scene scene;
  end_at(scene, Stage::banner, SessionStop::negative_reply, 354);
  scene.add_host("mx2.example.test", 20);
  EXPECT_EQ(support::verdict_of(scene.judge()), "bounced");
}

// Whether the name is at fault or the mail: nobody else would come to the next host either.
TEST(Judge, who_refuses_us_for_good_leaves_it_open_what_becomes_of_the_mail) {
  for (const int code : {450, 501}) {
    Scene scene;
    end_at(scene, Stage::ehlo, SessionStop::negative_reply, code);
    for (auto& session : scene.mx().sessions) session.helo_code = code;
    scene.add_host("mx2.example.test", 20);
    EXPECT_EQ(support::verdict_of(scene.judge()), code == 501 ? "unknown" : "authenticated");
  }
}

TEST(Judge, starttls_refused_for_good_bounces_nothing_behind_a_host_that_takes_the_mail) {
  Scene scene;
  auto& second = scene.add_host("mx2.example.test", 20);
  for (auto& session : second.sessions) {
    session.stage = Stage::starttls;
    session.stop = SessionStop::negative_reply;
    session.tls.reset();
    session.last_reply = smtp::Reply{.code = 550, .lines = {"no"}, .cut = false};
  }
  EXPECT_EQ(support::verdict_of(scene.judge()), "authenticated");
}

// smtp_mx_address_limit of Postfix.
TEST(Judge, a_host_behind_five_addresses_that_refuse_is_never_reached) {
  for (const std::size_t dead : {4U, 5U}) {
    Scene scene;
    scene.mx().addresses.clear();
    const auto one = scene.mx().sessions.front();
    scene.mx().sessions.clear();
    for (std::size_t i = 0; i < dead; ++i) {
      auto session = one;
      session.address = fmt::format("192.0.2.{}", 10 + i);
      session.stage = Stage::connect;
      session.stop = SessionStop::connect_refused;
      session.tls.reset();
      scene.mx().addresses.push_back(session.address);
      scene.mx().sessions.push_back(session);
    }
    auto& second = scene.add_host("mx2.example.test", 20);
    second.addresses = {one.address};
    second.sessions = {one};
    EXPECT_EQ(support::verdict_of(scene.judge()), dead < 5 ? "authenticated" : "deferred");
  }
}

TEST(Judge, equal_hosts_count_by_the_most_open_one) {
  Scene scene;
  without_tlsa(second_host(scene, 10));
  EXPECT_EQ(support::verdict_of(scene.judge()), "opportunistic");
}

TEST(Judge, a_failed_lookup_keeps_senders_away_although_the_session_works) {
  Scene scene;
  fail_tlsa(scene, Cause::timeout);
  const auto judged = scene.judge();
  EXPECT_EQ(support::host_verdict_of(judged), "lookup-failed");
}

//
TEST(Judge, a_resolver_that_accepts_what_we_reject_is_told_of) {
  Scene scene;
  fail_mx(scene, Cause::bogus);
  const auto told = [&] {
    return std::ranges::any_of(scene.judge().findings[0].evidence,
                               [](const Evidence& one) { return one.name == "resolver"; });
  };
  EXPECT_FALSE(told());
  scene.domain.mx.resolver_says_secure = true;
  EXPECT_TRUE(told());
}

TEST(Judge, what_a_name_server_says_with_signatures_that_are_over_splits_nothing) {
  Scene scene;
  tell_at_ns2_too_late(scene);
  EXPECT_THAT(scene.judge().hosts[0].splits, testing::IsEmpty());
}

// Which server our resolver asks is luck, and none of it may be seen in what is said.
TEST(Judge, says_the_same_whichever_of_the_servers_that_differ_was_asked) {
  const auto good = record(3, 1, 1, *pki().leaf.certificate);
  const auto other = record(3, 1, 1, *pki().old_leaf.certificate);
  const auto third = record(3, 1, 1, *pki().rsa_leaf.certificate);
  struct Row {
    const char* says;
    std::vector<dane::TlsaRecord> ns1, ns2;
    std::string want;
    std::vector<std::string> splits;
  };
  const Row rows[] = {
      {"one refuses the key", {good}, {other}, "authenticated", {"other-nameserver=refused"}},
      {"one proves that there is no record",
       {good},
       {},
       "authenticated",
       {"other-nameserver=opportunistic"}},
      {"both accept it", {good}, {good, other}, "authenticated", {}},
      {"both refuse it", {other}, {other, third}, "deferred", {}},
  };
  for (const auto& row : rows) {
    SCOPED_TRACE(row.says);
    const auto first = split_world(row.ns1, row.ns2, true).judge();
    const auto second = split_world(row.ns1, row.ns2, false).judge();
    EXPECT_EQ(support::verdict_of(first), row.want);
    EXPECT_EQ(support::verdict_of(second), row.want);
    EXPECT_EQ(support::splits_of(first), support::splits_of(second));
    EXPECT_THAT(support::splits_of(first), testing::IsSupersetOf(row.splits));
    EXPECT_EQ(first.findings, second.findings);
    EXPECT_EQ(first.hosts.front().seen->records, second.hosts.front().seen->records);
  }
}

// A resolver may remember what no server gives any more: then that is what senders meet, too.
TEST(Judge, what_our_resolver_remembers_is_judged_as_it_is) {
  const auto good = record(3, 1, 1, *pki().leaf.certificate);
  auto scene = split_world({good}, {good}, true);
  scene.publish({record(3, 1, 1, *pki().old_leaf.certificate)});
  scene.mx().tlsa.data = {{3, 1, 1, 0xab}};
  EXPECT_EQ(scene.judge().verdict, Verdict::deferred);
}

TEST(Judge, a_domain_split_follows_its_hosts) {
  Scene scene;
  scene.domain.has_null_mx = true;
  const auto judged = scene.judge();
  ASSERT_EQ(judged.splits.size(), 1U);
  EXPECT_EQ(judged.splits[0].sender, "null-mx-ignored");
  EXPECT_EQ(judged.splits[0].verdict, Verdict::authenticated);
}

// A certificate with ten days left of ninety, whose key the TLSA record names.
Scene with_ageing_leaf() {
  const auto leaf = leaf_of_age(kNow - std::chrono::days{80}, kNow + std::chrono::days{10});
  Scene scene;
  scene.publish({record(3, 1, 1, *leaf.certificate)});
  scene.serve({leaf.certificate, pki().inter.certificate});
  return scene;
}

TEST(Judge, the_end_of_a_certificate_that_dane_ee_fits_is_nobodys_trouble) {
  EXPECT_THAT(support::findings_of(with_ageing_leaf().judge()), testing::IsEmpty());  // E-01
}

// RFC 8461 §4.2
TEST(Judge, senders_that_follow_mta_sts_mind_the_end_of_a_certificate) {
  auto scene = with_ageing_leaf();
  announce_sts(scene, sts::Mode::enforce, {"mx.example.test"}, tls::PkixStop::none);
  EXPECT_THAT(support::findings_of(scene.judge()),
              testing::Contains("certificate-expiring/medium"));
  announce_sts(scene, sts::Mode::testing, {"mx.example.test"}, tls::PkixStop::none);
  EXPECT_THAT(support::findings_of(scene.judge()),
              testing::Not(testing::Contains("certificate-expiring/medium")));
}

TEST(Judge, hints_at_what_a_record_was_meant_to_be) {
  Scene scene;
  scene.publish({record(text_of(3, 0, 1, leaf().spki_sha256))});  // D-28
  const auto judged = scene.judge();
  ASSERT_FALSE(judged.findings.empty());
  const Evidence wanted{"corrected-record", text_of(3, 1, 1, leaf().spki_sha256)};
  EXPECT_THAT(judged.findings.front().evidence, testing::Contains(wanted));
}

TEST(Judge, hints_at_the_other_host_whose_certificate_the_records_fit) {
  Scene scene;
  scene.serve({pki().old_leaf.certificate});
  second_host(scene, 20);
  const auto judged = scene.judge();
  ASSERT_FALSE(judged.findings.empty());
  const Evidence wanted{"hint", "the records fit the certificate of mx2.example.test"};
  EXPECT_THAT(judged.findings.front().evidence, testing::Contains(wanted));
}

TEST(Judge, what_explains_stands_before_what_follows_and_a_record_of_a_ca_hints_at_no_host) {
  Scene scene;
  second_host(scene, 20);
  scene.publish({record(2, 1, 1, *pki().inter.certificate)});
  scene.serve({pki().old_leaf.certificate});
  const auto judged = scene.judge();
  ASSERT_GT(judged.findings.size(), 1U);
  EXPECT_EQ(judged.findings[0].code, Code::tlsa_mismatch);
  EXPECT_EQ(judged.findings[1].code, Code::trust_anchor_not_sent);
  EXPECT_EQ(judged.findings[1].severity, judged.findings[0].severity);
  for (const auto& fact : judged.findings[0].evidence) EXPECT_NE(fact.name, "hint");
}

TEST(Judge, blindness_is_one_fault_of_ours_and_nothing_of_the_targets) {
  const auto judged =
      judge_blind(std::make_shared<const DomainObservation>(Scene{}.domain), "dns", "no answer");
  EXPECT_EQ(judged.verdict, Verdict::unknown);
  EXPECT_THAT(support::findings_of(judged), testing::ElementsAre("monitor-fault/medium"));
}

}  // namespace
