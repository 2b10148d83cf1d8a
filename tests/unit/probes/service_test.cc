#include "probes/service.h"

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "probes/codec/recorded.h"
#include "probes/explain.h"
#include "probes/report.h"
#include "probes/status.h"
#include "tests/support/scene.h"

// Services without MX: what mail programs make of what was seen there (RFC 7673, RFC 8314).
namespace {

using namespace probes;
using smtp::SessionStop;
using smtp::Stage;
using support::kNow;
using support::name;
using support::Pki;
using support::record;
using tls::PkixStop;

constexpr std::string_view kService = "imap.example.test:993";

// The service shows the baseline's chain, in which no CA of the Web believes; its records fit.
HostObservation seen() {
  auto out = support::Scene{}.mx();
  out.host = name(kService);
  out.base_domain = name("imap.example.test");
  out.tlsa.name = out.tlsa.final_name = name("_993._tcp.imap.example.test");
  out.starttls = config::Starttls::none;
  for (auto& session : out.sessions) {
    session.port = 993;
    session.offers_starttls = false;
    session.tls->pkix = PkixStop::unknown_issuer;
  }
  return out;
}

void trust(HostObservation& host, PkixStop what = PkixStop::none) {
  for (auto& session : host.sessions) session.tls->pkix = what;
}

void publish(HostObservation& host, std::vector<dane::TlsaRecord> records) {
  host.records = std::move(records);
}

void publish_nothing(HostObservation& host) {
  host.records.clear();
  host.tlsa = support::absent("_993._tcp.imap.example.test", dns::type::tlsa);
}

void end_at(HostObservation& host, Stage stage, SessionStop stop) {
  for (auto& session : host.sessions) {
    session.stage = stage;
    session.stop = stop;
    if (stage < Stage::handshake) session.tls.reset();
  }
}

DomainJudgement judged(const std::function<void(HostObservation&)>& change) {
  auto host = seen();
  change(host);
  return judge_alone(std::make_shared<const HostObservation>(std::move(host)), kNow);
}

struct Case {
  std::string_view says;
  std::function<void(HostObservation&)> change;
  std::string verdict;
  std::string reason;
  std::vector<std::string> findings;
  std::vector<std::string> splits;
};

const Pki& pki() {
  return Pki::get();
}

TEST(Service, IsJudgedAsMailProgramsJudgeIt) {
  const auto& leaf = *pki().leaf.certificate;
  const std::vector<Case> cases{
      {"a record that fits and no CA: programs that know no DANE turn away",
       [](HostObservation&) {},
       "authenticated",
       "tlsa-match",
       {"certificate-untrusted/high"},
       {"web-pki-only=refused"}},
      {"a record that fits, and a CA",
       [](HostObservation& host) { trust(host); },
       "authenticated",
       "tlsa-match",
       {},
       {}},
      {"no record, a CA",
       [](HostObservation& host) {
         trust(host);
         publish_nothing(host);
       },
       "authenticated",
       "web-pki",
       {"no-dane/info"},
       {}},
      {"no record, no CA",
       [](HostObservation& host) { publish_nothing(host); },
       "refused",
       "certificate-untrusted",
       {"certificate-untrusted/critical"},
       {}},
      {"insecure addresses: CAs decide, and that is nothing to complain of",
       [](HostObservation& host) {
         trust(host);
         publish_nothing(host);
         host.tlsa = {};
         host.is_dane_candidate = false;
       },
       "authenticated",
       "web-pki",
       {"no-dane/info"},
       {}},
      {"a record that does not fit, a CA: programs that know DANE turn away (RFC 7673 §3.4)",
       [](HostObservation& host) {
         trust(host);
         publish(host, {record(3, 1, 1, *pki().old_leaf.certificate)});
       },
       "refused",
       "tlsa-mismatch",
       {"tlsa-mismatch/critical"},
       {"web-pki-only=authenticated"}},
      {"only unusable records: as without any",
       [](HostObservation& host) {
         trust(host);
         publish(host, {record("9 1 1 00")});
       },
       "authenticated",
       "web-pki",
       {},
       {}},
      {"PKIX-EE(1) counts where a CA vouches, too (RFC 6698 §2.1.1)",
       [&](HostObservation& host) {
         trust(host);
         publish(host, {record(1, 1, 1, leaf)});
       },
       "authenticated",
       "tlsa-match",
       {},
       {}},
      {"PKIX-EE(1) is worth nothing where none does",
       [&](HostObservation& host) { publish(host, {record(1, 1, 1, leaf)}); },
       "refused",
       "certificate-untrusted",
       {"certificate-untrusted/critical"},
       {}},
      {"PKIX-EE(1) of another key",
       [](HostObservation& host) {
         trust(host);
         publish(host, {record(1, 1, 1, *pki().old_leaf.certificate)});
       },
       "refused",
       "tlsa-mismatch",
       {},
       {}},
      {"no CA, but beside PKIX-EE(1) a DANE-EE(3) that fits",
       [&](HostObservation& host) {
         publish(host, {record(1, 1, 1, leaf), record(3, 1, 1, leaf)});
       },
       "authenticated",
       "tlsa-match",
       {},
       {}},
      {"TLS does not work: no program goes on without",
       [](HostObservation& host) {
         publish_nothing(host);
         end_at(host, Stage::handshake, SessionStop::tls);
         for (auto& session : host.sessions) {
           session.tls->chain.clear();
           session.tls->stop = tls::HandshakeStop::refused;
         }
       },
       "refused",
       "tls-handshake-failed",
       {"tls-handshake-failed/critical"},
       {}},
      {"STARTTLS is not offered",
       [](HostObservation& host) {
         publish_nothing(host);
         host.starttls = config::Starttls::imap;
         end_at(host, Stage::starttls, SessionStop::not_offered);
       },
       "refused",
       "starttls-missing",
       {"starttls-missing/critical"},
       {}},
      {"the greeting is a refusal: of us, perhaps not of others",
       [](HostObservation& host) { end_at(host, Stage::banner, SessionStop::negative_reply); },
       "down",
       "probe-refused",
       {"probe-refused/medium"},
       {}},
      {"under TLS it refuses to talk",
       [](HostObservation& host) {
         trust(host);
         end_at(host, Stage::ehlo_tls, SessionStop::negative_reply);
       },
       "down",
       "probe-refused",
       {},
       {}},
      {"nobody answers",
       [](HostObservation& host) { end_at(host, Stage::connect, SessionStop::connect_refused); },
       "down",
       "connect-failed",
       {"host-down/high"},
       {}},
      {"the TLSA lookup fails: programs that know DANE do not connect (RFC 7673 §3.4)",
       [](HostObservation& host) {
         trust(host);
         host.tlsa =
             support::failed("_993._tcp.imap.example.test", dns::type::tlsa, dns::Cause::servfail);
         host.records.clear();
       },
       "lookup-failed",
       "lookup-failed",
       {},
       {}},
      {"no file of CAs: not known",
       [](HostObservation& host) {
         publish_nothing(host);
         for (auto& session : host.sessions) session.tls->pkix.reset();
       },
       "unknown",
       "web-pki",
       {},
       {}},
  };
  for (const auto& one : cases) {
    const auto out = judged(one.change);
    EXPECT_EQ(wire_name(out.verdict), one.verdict) << one.says;
    ASSERT_EQ(out.hosts.size(), 1U) << one.says;
    ASSERT_FALSE(out.hosts[0].endpoints.empty()) << one.says;
    EXPECT_EQ(wire_name(out.hosts[0].endpoints[0].reason), one.reason) << one.says;
    EXPECT_THAT(support::findings_of(out), testing::IsSupersetOf(one.findings)) << one.says;
    EXPECT_THAT(support::splits_of(out), testing::IsSupersetOf(one.splits)) << one.says;
    for (const auto& finding : out.findings) {
      const auto words = explain(finding);
      EXPECT_FALSE(words.senders_now.find("queue") != std::string::npos) << words.senders_now;
      EXPECT_FALSE(words.tlsrpt) << one.says;
      for (const auto& step : words.fix) {
        EXPECT_THAT(step, testing::Not(testing::HasSubstr(":993:"))) << one.says;
        EXPECT_THAT(step, testing::Not(testing::HasSubstr("_25._tcp"))) << one.says;
      }
    }
  }
}

TEST(Service, IsNamedInCommandsAsTheyNeedIt) {
  const Finding finding{.code = Code::tls_handshake_failed,
                        .subject = {.kind = Subject::Kind::host, .name = std::string(kService)}};
  EXPECT_THAT(explain(finding).fix,
              testing::Contains(
                  testing::HasSubstr("`openssl s_client -connect imap.example.test:993 -servername "
                                     "imap.example.test`")));
  auto starttls = finding;
  starttls.subject.name = "imap.example.test:143";
  EXPECT_THAT(
      explain(starttls).fix,
      testing::Contains(testing::HasSubstr("-starttls imap -connect imap.example.test:143 ")));
}

TEST(Service, IsToldFromHostsByItsName) {
  const auto service = service_in(name(kService));
  ASSERT_TRUE(service);
  EXPECT_EQ(service->host.text(), "imap.example.test");
  EXPECT_EQ(service->port, 993);
  EXPECT_EQ(dns_name_of(name(kService)), name("imap.example.test"));
  for (const auto* other : {"imap.example.test", "imap.example.test:0", "imap.example.test:65536",
                            "imap.example.test:", "a:1:2", "imap.example.test:0993"}) {
    EXPECT_FALSE(is_service(name(other))) << other;
    EXPECT_EQ(dns_name_of(name(other)), name(other)) << other;
  }
}

TEST(Service, TravelsWithHowTlsBegins) {
  Recorded recorded;
  recorded.host = std::make_shared<const HostObservation>(seen());
  const auto again = decode(encode(recorded));
  ASSERT_TRUE(again) << again.error();
  EXPECT_EQ(again->host->starttls, config::Starttls::none);
  EXPECT_TRUE(same_facts(*again->host, *recorded.host));
}

TEST(Service, SaysInJsonWhatItIs) {
  const auto json = to_json(judged([](HostObservation&) {}));
  EXPECT_EQ(json["mx"]["source"], "service");
  const nlohmann::ordered_json want{
      {"host", "imap.example.test"}, {"port", 993}, {"starttls", "none"}, {"sender", "client"}};
  EXPECT_EQ(json["hosts"][0]["service"], want);
}

}  // namespace
