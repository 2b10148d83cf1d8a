#include "probes/net/https_get.h"

#include <string>
#include <thread>
#include <utility>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/https_world.h"

namespace probes::net {
namespace {

using config::Seconds;
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
using testing::HasSubstr;
using testing::StartsWith;

constexpr std::size_t kMost = 1000;
constexpr Seconds kLong{20};  // more than any of these may take

class HttpsGet : public support::HttpsWorld {
 protected:
  static const Issued& leaf() {
    static const Issued issued = leaf_for({"localhost"});
    return issued;
  }

  static HttpsQuestion about(std::uint16_t port, Seconds patience = kLong) {
    return {.url = "https://localhost:" + std::to_string(port) + "/ari/abc.def",
            .ca_file = folder() / "ca.pem",
            .most = kMost,
            .patience = patience};
  }
  static HttpsAnswer get_from(Script script, Seconds patience = kLong) {
    HttpsServer server({.leaf = leaf(), .script = std::move(script)});
    return https_get(about(server.port(), patience));
  }
  static std::string fault_of(const HttpsAnswer& answer) {
    return answer ? "a reply with status " + std::to_string(answer->status) : answer.error();
  }
};

TEST_F(HttpsGet, SendsTheHeadersThatItWasGiven) {
  HttpsServer server({.leaf = leaf(), .script = say(http_reply("", "[]"))});
  auto question = about(server.port());
  question.headers = {"Accept: text/plain", "Authorization: Bearer x"};
  ASSERT_TRUE(https_get(question));
  EXPECT_THAT(server.request(), HasSubstr("Authorization: Bearer x\r\n"));
  EXPECT_THAT(server.request(), HasSubstr("Accept: text/plain\r\n"));
}

TEST_F(HttpsGet, SpeaksHttpOnlyWhereThatWasDecided) {
  const Port port(Port::refusing);
  auto question = about(port.number());
  question.url = "http://localhost:" + std::to_string(port.number()) + "/";
  const auto refused = fault_of(https_get(question));
  question.may_be_http = true;
  EXPECT_NE(fault_of(https_get(question)), refused) << "nobody listens, which is another fault";
}

TEST_F(HttpsGet, HandsOnStatusBodyAndTheFieldThatSaysWhenToAskAgain) {
  HttpsServer server({.leaf = leaf(), .script = say(http_reply("Retry-After: 21600\r\n", "{}"))});
  const auto answer = https_get(about(server.port()));
  ASSERT_TRUE(answer) << answer.error();
  EXPECT_EQ(answer->status, 200);
  EXPECT_EQ(answer->body, "{}");
  EXPECT_EQ(answer->retry_after, "21600");
  EXPECT_EQ(server.server_name(), "localhost");
  EXPECT_THAT(server.request(), StartsWith("GET /ari/abc.def HTTP/1.1\r\n"));
  for (const auto* secret : {"Authorization:", "Cookie:", "Referer:"})
    EXPECT_THAT(server.request(), testing::Not(HasSubstr(secret)));
}

TEST_F(HttpsGet, HandsOnEveryStatus) {
  for (const std::string status : {"204 No Content", "404 Not Found", "429 Too Many Requests",
                                   "500 Internal Server Error", "503 Service Unavailable"}) {
    const auto answer = get_from(say(http_reply("Retry-After: 60\r\n", "", status)));
    ASSERT_TRUE(answer) << status << ": " << answer.error();
    EXPECT_EQ(std::to_string(answer->status), status.substr(0, 3));
    EXPECT_EQ(answer->retry_after, "60") << status;
  }
}

TEST_F(HttpsGet, DoesNotFollowARedirect) {
  const Port other{Port::listening};
  const auto answer = get_from(say(http_reply(
      "Location: https://localhost:" + std::to_string(other.number()) + "/\r\n", "", "302 Found")));
  ASSERT_TRUE(answer) << answer.error();
  EXPECT_EQ(answer->status, 302);
}

TEST_F(HttpsGet, TakesABodyInChunksAndOneThatEndsWithTheConnection) {
  const auto chunked = get_from(
      say("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\n{\r\n1\r\n}\r\n0\r\n\r\n"));
  ASSERT_TRUE(chunked) << chunked.error();
  EXPECT_EQ(chunked->body, "{}");
  const auto unmeasured = get_from(say("HTTP/1.1 200 OK\r\n\r\n{}"));
  ASSERT_TRUE(unmeasured) << unmeasured.error();
  EXPECT_EQ(unmeasured->body, "{}");
}

TEST_F(HttpsGet, TakesABodyOfTheMostAndNoOctetMore) {
  const auto most = get_from(say(http_reply("", std::string(kMost, 'x'))));
  ASSERT_TRUE(most) << most.error();
  EXPECT_EQ(most->body.size(), kMost);
  EXPECT_EQ(fault_of(get_from(say(http_reply("", std::string(kMost + 1, 'x'))))),
            "a reply that is too large");
}

TEST_F(HttpsGet, EndsWithWhoeverNeverEnds) {
  const std::string head = "HTTP/1.1 200 OK\r\n";
  const std::string large = "a reply that is too large";
  EXPECT_EQ(fault_of(get_from(say_forever(head + "\r\n", std::string(4096, 'x')))), large);
  EXPECT_EQ(fault_of(get_from(say_forever(head + "Transfer-Encoding: chunked\r\n\r\n",
                                          "10\r\n0123456789abcdef\r\n"))),
            large);
  EXPECT_EQ(fault_of(get_from(say_forever(head, "X-Field: " + std::string(500, 'x') + "\r\n"))),
            large);
}

TEST_F(HttpsGet, WaitsForASlowServerNoLongerThanItsPatience) {
  EXPECT_THAT(fault_of(get_from(drip("HTTP/1.1 200 OK\r\nX-Slow: ", 'x'), Seconds{1})),
              HasSubstr("timed out"));
  EXPECT_THAT(fault_of(get_from([](Peer& peer) { peer.wait_for_hangup(kLong); }, Seconds{1})),
              HasSubstr("timed out"));
  // The kernel takes the connection, nobody else does.
  const Port silent{Port::listening};
  EXPECT_THAT(fault_of(https_get(about(silent.number(), Seconds{1}))), HasSubstr("timed out"));
}

TEST_F(HttpsGet, EndsAtOnceWhenToldToStop) {
  const Port silent{Port::listening};
  std::stop_source stop;
  stop.request_stop();
  EXPECT_FALSE(https_get(about(silent.number()), stop.get_token()));

  std::stop_source later;
  HttpsServer server({.leaf = leaf(), .script = [&](Peer& peer) {
                        later.request_stop();
                        EXPECT_TRUE(peer.wait_for_hangup(kLong));
                      }});
  EXPECT_FALSE(https_get(about(server.port()), later.get_token()));
}

TEST_F(HttpsGet, TakesNothingThatIsNotWhole) {
  for (const auto& [says, octets] : std::vector<std::pair<std::string, std::string>>{
           {"nothing", ""},
           {"a head cut off", "HTTP/1.1 200 O"},
           {"a body cut off", "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{}"},
           {"chunks without an end",
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n"},
           {"chunks that are none",
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n{}\r\n0\r\n\r\n"},
           {"a chunk of a size that no number holds",
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nfffffffffffffffff\r\n{}"},
           {"no HTTP", "220 mx.example.test ESMTP\r\n"},
           {"a length below nothing", "HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n{}"}}) {
    EXPECT_FALSE(get_from(say(octets))) << says;
  }
}

TEST_F(HttpsGet, AsksNothingOfWhoIsNotWhoItShouldBe) {
  const auto stranger =
      support::issue({.common_name = "leaf", .dns_names = {"localhost"}}, Key::ecdsa(),
                     support::self_signed({.common_name = "Test CA", .is_ca = true}, Key::ecdsa()));
  const auto expired = support::issue({.common_name = "leaf",
                                       .dns_names = {"localhost"},
                                       .not_before = config::Time{Seconds{1'600'000'000}},
                                       .not_after = config::Time{Seconds{1'650'000'000}}},
                                      Key::ecdsa(), ca());
  for (const auto& [says, certificate] : std::vector<std::pair<std::string, Issued>>{
           {"of another CA", stranger},
           {"of another name", leaf_for({"other.test"})},
           {"expired", expired},
           {"its own", support::self_signed({.common_name = "localhost"}, Key::ecdsa())}}) {
    HttpsServer server({.leaf = certificate, .script = say(http_reply("", "{}"))});
    EXPECT_FALSE(https_get(about(server.port()))) << says;
    EXPECT_EQ(server.request(), "") << says;
  }
}

TEST_F(HttpsGet, AsksOverHttpsOnly) {
  const Port other{Port::listening};
  auto question = about(other.number());
  question.url.replace(0, 5, "http");
  EXPECT_FALSE(https_get(question));
  question.url = "file:///etc/passwd";
  EXPECT_FALSE(https_get(question));
}

TEST_F(HttpsGet, SaysThatNobodyIsThere) {
  const Port closed{Port::refusing};
  EXPECT_THAT(fault_of(https_get(about(closed.number()))), HasSubstr("connect"));
}

TEST_F(HttpsGet, TakesNoProxyFromTheEnvironment) {
  const Port proxy{Port::refusing};
  const auto url = "http://127.0.0.1:" + std::to_string(proxy.number());
  ASSERT_EQ(setenv("https_proxy", url.c_str(), 1), 0);
  const auto answer = get_from(say(http_reply("", "{}")));
  unsetenv("https_proxy");
  EXPECT_TRUE(answer) << answer.error();
}

}  // namespace
}  // namespace probes::net
