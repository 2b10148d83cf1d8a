#include <chrono>
#include <cstdint>
#include <fstream>
#include <ostream>
#include <stdexcept>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <openssl/ssl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "probes/sts/fetch.h"
#include "tests/support/https_world.h"
#include "tests/support/test_ca.h"

namespace probes::sts {

// For messages of failing tests.
inline void PrintTo(FetchOutcome outcome, std::ostream* out) {
  *out << wire_name(outcome);
}

}  // namespace probes::sts

namespace probes::tls {

inline void PrintTo(PkixStop stop, std::ostream* out) {
  *out << wire_name(stop);
}

}  // namespace probes::tls

namespace probes::sts {
namespace {

using namespace std::chrono_literals;
using config::Seconds;
using config::Time;
using std::chrono::steady_clock;
using support::CertificatePlan;
using support::drip;
using support::http_reply;
using support::HttpsServer;
using support::Issued;
using support::Key;
using support::Peer;
using support::Port;
using support::say;
using support::say_forever;
using support::Script;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

const Time now{Seconds{1'800'000'000}};  // of the certificates; test_ca makes them for 1.7e9–2.0e9

constexpr std::string_view kDomain = "example.test";
constexpr std::string_view kHost = "mta-sts.example.test";
const std::string policy_file =
    "version: STSv1\r\nmode: enforce\r\nmx: *.example.test\r\nmax_age: 86400\r\n";

const std::string good_reply = http_reply("Content-Type: text/plain\r\n", policy_file);

void demand(bool ok, const char* what) {
  if (!ok) throw std::runtime_error(what);
}

class StsFetch : public support::HttpsWorld {
 protected:
  static void SetUpTestSuite() {
    HttpsWorld::SetUpTestSuite();
    std::ofstream(folder() / "empty.pem") << "nothing\n";
  }

  static const Issued& good_leaf() {
    static const Issued issued = leaf_for({std::string(kHost)});
    return issued;
  }

  Fetched fetch(std::uint16_t port, std::chrono::milliseconds time = 20s,
                std::vector<std::string> addresses = {"127.0.0.1"}) {
    const auto pki = tls::WebPki::trusting(folder() / "ca.pem");
    demand(pki.has_value(), "CAs");
    return fetch_policy({.domain = std::string(kDomain),
                         .addresses = std::move(addresses),
                         .port = port,
                         .at = now},
                        **pki, steady_clock::now() + time);
  }
  Fetched fetch_from(Script script) {
    HttpsServer server({.leaf = good_leaf(), .script = std::move(script)});
    return fetch(server.port());
  }
  Fetched fetch_with(const Issued& leaf, const Issued* intermediate = nullptr) {
    HttpsServer server({.leaf = leaf, .intermediate = intermediate, .script = say(good_reply)});
    auto fetched = fetch(server.port());
    if (fetched.outcome != FetchOutcome::policy) {
      EXPECT_THAT(server.request(), IsEmpty()) << "nothing is asked of a peer not verified";
    }
    return fetched;
  }
};

TEST_F(StsFetch, GetsAPolicyFromAServerThatIsWhoItShouldBe) {
  HttpsServer server({.leaf = good_leaf(), .script = say(good_reply)});
  const auto fetched = fetch(server.port());
  EXPECT_EQ(fetched.outcome, FetchOutcome::policy) << fetched.detail;
  EXPECT_EQ(fetched.policy,
            (Policy{.mode = Mode::enforce, .mx = {"*.example.test"}, .max_age = Seconds{86400}}));
  EXPECT_THAT(fetched.detail, IsEmpty());
  EXPECT_EQ(fetched.address, "127.0.0.1");
  EXPECT_EQ(fetched.status, 200);
  EXPECT_EQ(fetched.tls_stop, tls::PkixStop::none);
  ASSERT_TRUE(fetched.certificate);
  EXPECT_EQ(fetched.certificate->der, good_leaf().certificate->der);

  EXPECT_EQ(server.server_name(), kHost) << "SNI";
  EXPECT_EQ(server.request(),
            "GET /.well-known/mta-sts.txt HTTP/1.1\r\nHost: mta-sts.example.test:" +
                std::to_string(server.port()) +
                "\r\nUser-Agent: danelaw\r\nAccept: text/plain\r\nAccept-Encoding: identity\r\n"
                "Connection: close\r\n\r\n");
}

TEST_F(StsFetch, GetsAPolicyInEveryWayABodyCanBeSent) {
  EXPECT_EQ(fetch_from(say("HTTP/1.1 200 OK\r\nContent-Type: text/plain; charset=utf-8\r\n"
                           "Transfer-Encoding: chunked\r\n\r\n1\r\nv\r\n42\r\n" +
                           policy_file.substr(1) + "\r\n0\r\n\r\n"))
                .outcome,
            FetchOutcome::policy);
  EXPECT_EQ(
      fetch_from(say("HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\n\r\n" + policy_file)).outcome,
      FetchOutcome::policy);
  EXPECT_EQ(fetch_from([](Peer& peer) {
              for (const char c : good_reply) peer.send({&c, 1});
            }).outcome,
            FetchOutcome::policy)
      << "octet by octet";
}

TEST_F(StsFetch, BelievesNoBodyWithoutALengthThatWasCutOff) {
  HttpsServer server(
      {.leaf = good_leaf(),
       .script = say("HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\n\r\n" + policy_file),
       .says_goodbye = false});
  const auto fetched = fetch(server.port());
  EXPECT_EQ(fetched.outcome, FetchOutcome::tls_failed) << "RFC 9112 §9.8";
  EXPECT_EQ(fetched.tls_stop, tls::PkixStop::broken);
  EXPECT_THAT(fetched.detail, HasSubstr("cut"));
}

TEST_F(StsFetch, NeedsNoGoodbyeBehindABodyWithALength) {
  HttpsServer server({.leaf = good_leaf(), .script = say(good_reply), .says_goodbye = false});
  EXPECT_EQ(fetch(server.port()).outcome, FetchOutcome::policy);
}

TEST_F(StsFetch, AcceptsTheNamesThatRfc8461Does) {
  EXPECT_EQ(fetch_with(leaf_for({"a.test", std::string(kHost)})).outcome, FetchOutcome::policy)
      << "one of several names";
  EXPECT_EQ(fetch_with(leaf_for({"*.example.test"})).outcome, FetchOutcome::policy)
      << "a wildcard as the whole first label, §3.3";
  EXPECT_EQ(fetch_with(leaf_for({"MTA-STS.Example.TEST"})).outcome, FetchOutcome::policy)
      << "letters have no case";
}

TEST_F(StsFetch, RefusesACertificateOfAnotherName) {
  for (const std::string name :
       {"example.test", "www.example.test", "*.test", "mta*.example.test", "*sts.example.test",
        "*.mta-sts.example.test", "mta-sts.example.test.evil.test"}) {
    const auto fetched = fetch_with(leaf_for({name}));
    EXPECT_EQ(fetched.outcome, FetchOutcome::tls_failed) << name;
    EXPECT_EQ(fetched.tls_stop, tls::PkixStop::wrong_name) << name;
    EXPECT_EQ(fetched.detail, "the certificate is not for mta-sts.example.test but for " + name);
    ASSERT_TRUE(fetched.certificate) << name;
    EXPECT_THAT(fetched.certificate->dns_names, ElementsAre(name)) << "it is told all the same";
  }
}

TEST_F(StsFetch, RefusesANameThatIsOnlyTheCommonName) {
  const auto fetched =
      fetch_with(support::issue({.common_name = std::string(kHost)}, Key::ecdsa(), ca()));
  EXPECT_EQ(fetched.tls_stop, tls::PkixStop::wrong_name) << "only DNS-IDs count, RFC 8461 §3.3";
  EXPECT_THAT(fetched.detail, HasSubstr("no name"));
}

TEST_F(StsFetch, RefusesACertificateOutOfItsTime) {
  CertificatePlan plan{.common_name = "leaf", .dns_names = {std::string(kHost)}};
  plan.not_after = now - Seconds{1};
  const auto expired = fetch_with(support::issue(plan, Key::ecdsa(), ca()));
  EXPECT_EQ(expired.outcome, FetchOutcome::tls_failed);
  EXPECT_EQ(expired.tls_stop, tls::PkixStop::expired);
  EXPECT_EQ(expired.detail, "certificate has expired");
  ASSERT_TRUE(expired.certificate);
  EXPECT_EQ(expired.certificate->not_after, plan.not_after);

  plan.not_after = now + Seconds{1};
  EXPECT_EQ(fetch_with(support::issue(plan, Key::ecdsa(), ca())).outcome, FetchOutcome::policy)
      << "the time is the plan's, not the machine's";

  plan.not_after = Time{Seconds{2'000'000'000}};
  plan.not_before = now + Seconds{1};
  EXPECT_EQ(fetch_with(support::issue(plan, Key::ecdsa(), ca())).tls_stop,
            tls::PkixStop::not_yet_valid);
}

TEST_F(StsFetch, RefusesAnIssuerItDoesNotKnow) {
  const auto other = support::self_signed({.common_name = "Other CA", .is_ca = true}, Key::ecdsa());
  const auto leaf = support::issue({.common_name = "leaf", .dns_names = {std::string(kHost)}},
                                   Key::ecdsa(), other);
  for (const auto* sent : {static_cast<const Issued*>(nullptr), &other}) {
    const auto fetched = fetch_with(leaf, sent);
    EXPECT_EQ(fetched.outcome, FetchOutcome::tls_failed);
    EXPECT_EQ(fetched.tls_stop, tls::PkixStop::unknown_issuer) << fetched.detail;
  }

  const auto impostor =
      support::self_signed({.common_name = "Test CA", .is_ca = true}, Key::ecdsa());
  const auto forged = fetch_with(support::issue(
      {.common_name = "leaf", .dns_names = {std::string(kHost)}}, Key::ecdsa(), impostor));
  EXPECT_EQ(forged.outcome, FetchOutcome::tls_failed) << "the CA's name is not its key";
  EXPECT_EQ(forged.tls_stop, tls::PkixStop::untrusted) << forged.detail;
}

TEST_F(StsFetch, RefusesACertificateThatVouchesForItself) {
  const auto fetched = fetch_with(support::self_signed(
      {.common_name = "leaf", .dns_names = {std::string(kHost)}}, Key::ecdsa()));
  EXPECT_EQ(fetched.outcome, FetchOutcome::tls_failed);
  EXPECT_EQ(fetched.tls_stop, tls::PkixStop::self_signed) << fetched.detail;
}

TEST_F(StsFetch, FollowsAPathOverAnIntermediateCaAndNoOther) {
  const auto ca_below = support::issue({.common_name = "Below", .is_ca = true}, Key::ecdsa(), ca());
  const CertificatePlan plan{.common_name = "leaf", .dns_names = {std::string(kHost)}};
  const auto leaf = support::issue(plan, Key::ecdsa(), ca_below);
  EXPECT_EQ(fetch_with(leaf, &ca_below).outcome, FetchOutcome::policy);
  EXPECT_EQ(fetch_with(leaf).tls_stop, tls::PkixStop::unknown_issuer)
      << "the server forgot the intermediate";

  const auto no_ca = support::issue({.common_name = "No CA"}, Key::ecdsa(), ca());
  const auto of_no_ca = fetch_with(support::issue(plan, Key::ecdsa(), no_ca), &no_ca);
  EXPECT_EQ(of_no_ca.outcome, FetchOutcome::tls_failed);
  EXPECT_EQ(of_no_ca.tls_stop, tls::PkixStop::untrusted) << of_no_ca.detail;
}

TEST_F(StsFetch, RefusesAKeyTooShort) {
  const auto fetched = fetch_with(support::issue(
      {.common_name = "leaf", .dns_names = {std::string(kHost)}}, Key::rsa(1024), ca()));
  EXPECT_EQ(fetched.outcome, FetchOutcome::tls_failed);
  EXPECT_EQ(fetched.tls_stop, tls::PkixStop::untrusted) << fetched.detail;
}

TEST_F(StsFetch, SpeaksNothingOlderThanTls12) {
  HttpsServer old(
      {.leaf = good_leaf(), .script = say(good_reply), .newest_version = TLS1_1_VERSION});
  const auto fetched = fetch(old.port());
  EXPECT_EQ(fetched.outcome, FetchOutcome::tls_failed);
  EXPECT_EQ(fetched.tls_stop, tls::PkixStop::version_old) << fetched.detail;

  HttpsServer enough(
      {.leaf = good_leaf(), .script = say(good_reply), .newest_version = TLS1_2_VERSION});
  EXPECT_EQ(fetch(enough.port()).outcome, FetchOutcome::policy);
}

TEST_F(StsFetch, SeesAServerThatSpeaksNoTls) {
  const Port port{Port::listening};
  std::thread server([&] {
    const int fd = accept(port.descriptor(), nullptr, nullptr);
    constexpr std::string_view kWords = "HTTP/1.1 400 Bad Request\r\n\r\n";
    EXPECT_EQ(write(fd, kWords.data(), kWords.size()), static_cast<ssize_t>(kWords.size()));
    shutdown(fd, SHUT_WR);
    char rest[4096];
    while (read(fd, rest, sizeof rest) > 0) {
    }
    close(fd);
  });
  const auto fetched = fetch(port.number());
  server.join();
  EXPECT_EQ(fetched.outcome, FetchOutcome::tls_failed);
  EXPECT_EQ(fetched.tls_stop, tls::PkixStop::broken) << fetched.detail;
  EXPECT_FALSE(fetched.certificate);
}

TEST_F(StsFetch, SeesAServerThatHangsUpInTheHandshake) {
  const Port port{Port::listening};
  std::thread server([&] {
    const int fd = accept(port.descriptor(), nullptr, nullptr);
    char octet = 0;
    EXPECT_EQ(read(fd, &octet, 1), 1);
    close(fd);
  });
  const auto fetched = fetch(port.number());
  server.join();
  EXPECT_EQ(fetched.outcome, FetchOutcome::tls_failed);
  EXPECT_EQ(fetched.tls_stop, tls::PkixStop::closed) << fetched.detail;
}

TEST_F(StsFetch, DoesNotFollowARedirect) {
  HttpsServer other({.leaf = good_leaf(), .script = say(good_reply)});
  const auto location = "https://mta-sts.example.test:" + std::to_string(other.port()) + "/";
  for (const std::string status :
       {"301 Moved Permanently", "302 Found", "307 Temporary Redirect", "308 Permanent Redirect"}) {
    const auto fetched = fetch_from(say(http_reply(
        "Content-Type: text/plain\r\nLocation: " + location + "\r\n", policy_file, status)));
    EXPECT_EQ(fetched.outcome, FetchOutcome::http_status) << "RFC 8461 §3.3";
    EXPECT_EQ(std::to_string(fetched.status), status.substr(0, 3));
    EXPECT_THAT(fetched.detail, HasSubstr("a redirect to " + location));
  }
  fetch(other.port());  // lets the other server end
}

TEST_F(StsFetch, TakesNoStatusBut200) {
  for (const std::string status :
       {"201 Created", "203 Non-Authoritative Information", "204 No Content", "304 Not Modified",
        "404 Not Found", "500 Internal Server Error", "503 Service Unavailable"}) {
    const auto fetched =
        fetch_from(say(http_reply("Content-Type: text/plain\r\n", policy_file, status)));
    EXPECT_EQ(fetched.outcome, FetchOutcome::http_status) << status;
    EXPECT_EQ(std::to_string(fetched.status), status.substr(0, 3));
    EXPECT_EQ(fetched.detail, "HTTP status " + status.substr(0, 3));
  }
  EXPECT_EQ(fetch_from(say(http_reply("", std::string(1'000'000, 'x'), "404 Not Found"))).outcome,
            FetchOutcome::http_status)
      << "however large its page";
}

TEST_F(StsFetch, TakesNothingButPlainText) {
  const auto html = fetch_from(say(http_reply("Content-Type: text/html\r\n", policy_file)));
  EXPECT_EQ(html.outcome, FetchOutcome::not_text);
  EXPECT_EQ(html.detail, "Content-Type is text/html");
  const auto none = fetch_from(say(http_reply("", policy_file)));
  EXPECT_EQ(none.outcome, FetchOutcome::not_text);
  EXPECT_EQ(none.detail, "no Content-Type");
}

TEST_F(StsFetch, ReadsNoMoreThanItMust) {
  const std::string mebibyte(1 << 20, 'x');
  const std::string text = "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\n";
  EXPECT_EQ(fetch_from(say(http_reply("Content-Type: text/plain\r\n", mebibyte))).outcome,
            FetchOutcome::too_large);
  EXPECT_EQ(fetch_from(say(text + "\r\n" + mebibyte)).outcome, FetchOutcome::too_large);
  EXPECT_EQ(fetch_from(say_forever(text + "Transfer-Encoding: chunked\r\n\r\n",
                                   "400\r\n" + std::string(1024, 'x') + "\r\n"))
                .outcome,
            FetchOutcome::too_large);
  EXPECT_EQ(fetch_from(say_forever("HTTP/1.1 200 OK\r\n", "X-More: and more\r\n")).outcome,
            FetchOutcome::too_large)
      << "a header without an end";
  EXPECT_EQ(fetch_from(say_forever("HTTP/1.1 200 OK\r\nX: ", "and more")).outcome,
            FetchOutcome::too_large)
      << "a field without an end";
  EXPECT_EQ(fetch_from(say_forever("", "HTTP/1.1 100 Continue\r\n\r\n")).outcome,
            FetchOutcome::too_large)
      << "interim replies without an end";
}

TEST_F(StsFetch, SaysWhatIsWrongWithAReplyOrAPolicy) {
  const auto no_http = fetch_from(say("hello\r\n"));
  EXPECT_EQ(no_http.outcome, FetchOutcome::malformed);
  EXPECT_EQ(no_http.detail, "no HTTP/1 status line");
  const auto cut = fetch_from(say(good_reply.substr(0, good_reply.size() - 1)));
  EXPECT_EQ(cut.outcome, FetchOutcome::malformed);
  EXPECT_EQ(cut.detail, "the connection ended within the body");
  EXPECT_EQ(fetch_from(say("")).outcome, FetchOutcome::malformed) << "no reply";
  const auto bad = fetch_from(say(http_reply("Content-Type: text/plain\r\n", "version: STSv2\n")));
  EXPECT_EQ(bad.outcome, FetchOutcome::malformed);
  EXPECT_EQ(bad.status, 200);
  EXPECT_EQ(bad.detail, "the policy file: line 1: version is not STSv1 but \"STSv2\"");
  const auto empty = fetch_from(say(http_reply("Content-Type: text/plain\r\n", "")));
  EXPECT_EQ(empty.detail, "the policy file: no version");
}

TEST_F(StsFetch, EndsByItsDeadlineHoweverSlowlyTheServerTalks) {
  struct Row {
    std::string_view says;
    Script script;
  };
  const Row rows[] = {
      {"silent after the request", [](Peer& peer) { peer.wait_for_hangup(20s); }},
      {"a header, octet by octet", drip("HTTP/1.1 200 OK\r\nX: ", 'y')},
      {"a body, octet by octet",
       drip("HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 60000\r\n\r\n", 'y')},
  };
  for (const auto& row : rows) {
    SCOPED_TRACE(row.says);
    HttpsServer server({.leaf = good_leaf(), .script = row.script});
    const auto begin = steady_clock::now();
    const auto fetched = fetch(server.port(), 300ms);
    EXPECT_EQ(fetched.outcome, FetchOutcome::timeout) << fetched.detail;
    EXPECT_LT(steady_clock::now() - begin, 10s);
    EXPECT_THAT(server.request(), HasSubstr("GET ")) << "it came as far as that";
  }
}

TEST_F(StsFetch, EndsByItsDeadlineWhenNobodyShakesHands) {
  const Port port{Port::listening};  // the kernel takes the connection, nobody else does
  const auto fetched = fetch(port.number(), 50ms);
  EXPECT_EQ(fetched.outcome, FetchOutcome::timeout);
  EXPECT_EQ(fetched.address, "127.0.0.1");
  EXPECT_EQ(fetch(port.number(), -1ms).outcome, FetchOutcome::timeout) << "a deadline gone by";
}

TEST_F(StsFetch, TriesAddressesUntilOneTakesTheConnection) {
  HttpsServer server({.leaf = good_leaf(), .script = say(good_reply)});
  const auto fetched =
      fetch(server.port(), 20s, {"not an address", "127.0.0.2", "127.0.0.1", "127.0.0.3"});
  EXPECT_EQ(fetched.outcome, FetchOutcome::policy) << fetched.detail;
  EXPECT_EQ(fetched.address, "127.0.0.1");
  EXPECT_THAT(fetched.detail, IsEmpty()) << "what went before is not told";
}

TEST_F(StsFetch, SaysWhyNoAddressTookTheConnection) {
  const Port port{Port::refusing};
  const auto fetched = fetch(port.number(), 20s, {"127.0.0.1", "127.0.0.2"});
  EXPECT_EQ(fetched.outcome, FetchOutcome::connect_failed);
  EXPECT_EQ(fetched.detail, "127.0.0.1: Connection refused; 127.0.0.2: Connection refused");
  EXPECT_THAT(fetched.address, IsEmpty());
  EXPECT_FALSE(fetched.is_own_limit) << "a refusal comes from there";
}

TEST_F(StsFetch, KnowsAnOwnLimitFromAFaultOfTheOther) {
  // Forbidden by our own kernel whatever the network: a broadcast address without SO_BROADCAST.
  const auto own = fetch(443, 20s, {"255.255.255.255"});
  EXPECT_EQ(own.outcome, FetchOutcome::connect_failed);
  EXPECT_TRUE(own.is_own_limit) << own.detail;
  const Port port{Port::refusing};
  EXPECT_FALSE(fetch(port.number(), 20s, {"255.255.255.255", "127.0.0.1"}).is_own_limit);
}

TEST_F(StsFetch, NeedsAnAddress) {
  const auto fetched = fetch(443, 20s, {});
  EXPECT_EQ(fetched.outcome, FetchOutcome::no_address);
  EXPECT_EQ(fetched.detail, "mta-sts.example.test has no address");
}

TEST_F(StsFetch, NeedsCertificatesToTrust) {
  for (const std::string name : {"missing.pem", "empty.pem"}) {
    const auto pki = tls::WebPki::trusting(folder() / name);
    ASSERT_FALSE(pki) << name;
    EXPECT_THAT(pki.error().detail, HasSubstr(name));
  }
}

TEST_F(StsFetch, VerifiesNoPeerWithoutAWholeName) {
  const auto pki = tls::WebPki::trusting(folder() / "ca.pem");
  ASSERT_TRUE(pki);
  const std::unique_ptr<SSL_CTX, decltype(&SSL_CTX_free)> context{SSL_CTX_new(TLS_client_method()),
                                                                  SSL_CTX_free};
  for (const std::string name : {"", ".example.test"}) {
    tls::PkixClient client{**pki, name, now};
    EXPECT_FALSE(client.equip(context.get())) << name;
  }
}

}  // namespace
}  // namespace probes::sts
