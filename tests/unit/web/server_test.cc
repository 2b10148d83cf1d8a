#include "web/http/server.h"

#include <array>
#include <chrono>
#include <optional>

#include <arpa/inet.h>
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tests/unit/web/service.h"
#include "web/routes/api.h"

namespace {

using namespace std::chrono_literals;
using std::chrono::steady_clock;
using testing::AllOf;
using testing::EndsWith;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

constexpr auto kPatience = 10s;  // of a test that is about to fail

class Client {
 public:
  explicit Client(std::uint16_t port, int buffer = 0) : fd_(socket(AF_INET, SOCK_STREAM, 0)) {
    if (buffer > 0) setsockopt(fd_, SOL_SOCKET, SO_RCVBUF, &buffer, sizeof buffer);
    sockaddr_in to{.sin_family = AF_INET, .sin_port = htons(port), .sin_addr = {htonl(0x7f000001)}};
    if (connect(fd_, reinterpret_cast<sockaddr*>(&to), sizeof to) != 0)
      throw std::runtime_error("cannot connect");
  }
  ~Client() { close(fd_); }
  Client(const Client&) = delete;
  Client& operator=(const Client&) = delete;

  // Whether the peer still takes it.
  bool say(std::string_view text) {
    return send(fd_, text.data(), text.size(), MSG_NOSIGNAL) == static_cast<ssize_t>(text.size());
  }
  // Whether the peer has said something or is gone, within that time.
  bool is_answered(std::chrono::milliseconds within) {
    pollfd wanted{.fd = fd_, .events = POLLIN, .revents = 0};
    return poll(&wanted, 1, static_cast<int>(within.count())) > 0;
  }
  // All the peer says until it is gone; nothing when it stays.
  std::optional<std::string> hear_to_the_end() {
    std::string all;
    std::array<char, 4096> some{};
    while (is_answered(kPatience)) {
      const auto got = recv(fd_, some.data(), some.size(), 0);
      if (got <= 0) return all;
      all.append(some.data(), static_cast<std::size_t>(got));
    }
    return std::nullopt;
  }

 private:
  int fd_;
};

class ServerTest : public testing::Test {
 protected:
  void start(web::ConnectionLoop::Limits limits = {.request_time = kPatience * 6}) {
    server_ = std::make_unique<web::Server>(web::site_of(service_.backend()), limits);
    const auto started = server_->start(settings_);
    ASSERT_TRUE(started) << started.error();
  }
  std::string reply_to(const std::string& request) {
    Client client{server_->port()};
    client.say(request);
    return client.hear_to_the_end().value_or("the connection stays open");
  }
  std::string get(const std::string& target, const std::string& headers = "Host: localhost\r\n") {
    return reply_to("GET " + target + " HTTP/1.1\r\n" + headers + "\r\n");
  }

  Client& follow() {
    followers_.push_back(std::make_unique<Client>(server_->port()));
    followers_.back()->say("GET /api/v1/events HTTP/1.1\r\nHost: localhost\r\n\r\n");
    return *followers_.back();
  }

  std::vector<std::unique_ptr<Client>> followers_;  // of events
  config::Web settings_{.port = 0};
  support::Service service_;
  std::unique_ptr<web::Server> server_;
};

using Serving = ServerTest;

constexpr auto kOk = "HTTP/1.1 200 OK\r\n";

TEST_F(Serving, AnswersAndClosesTheConnection) {
  start();
  const auto reply = get("/-/healthy");
  EXPECT_THAT(reply, AllOf(StartsWith(kOk), EndsWith("\r\n\r\nhealthy\n"),
                           HasSubstr("Content-Type: text/plain; charset=utf-8\r\n"),
                           HasSubstr("X-Content-Type-Options: nosniff\r\n"),
                           HasSubstr("Content-Security-Policy: default-src 'none'")));
}

TEST_F(Serving, HandsOnWhatIsSaidInABody) {
  start();
  const std::string said = R"({"by":"me"})";
  const auto head =
      "POST /api/v1/alerts/f-1/ack HTTP/1.1\r\nHost: localhost\r\n"
      "Content-Type: application/json\r\n";
  EXPECT_THAT(reply_to(head + fmt::format("Content-Length: {}\r\n\r\n{}", said.size(), said)),
              StartsWith("HTTP/1.1 204"));
  ASSERT_TRUE(service_.actions.acknowledged);
  EXPECT_EQ(service_.actions.acknowledged->by, "me");
  EXPECT_THAT(
      reply_to(head + fmt::format("Transfer-Encoding: chunked\r\n\r\n{:x}\r\n{}\r\n0\r\n\r\n",
                                  said.size(), said)),
      StartsWith("HTTP/1.1 204"));
  EXPECT_THAT(reply_to("DELETE /api/v1/alerts/f-1/ack HTTP/1.1\r\nHost: localhost\r\n\r\n"),
              StartsWith("HTTP/1.1 204"));
  EXPECT_FALSE(service_.actions.acknowledged);
}

TEST_F(Serving, StreamsEventsToAFewAndTurnsTheOthersAway) {
  start();
  for (int i = 0; i < web::Server::kMostStreams; ++i) ASSERT_TRUE(follow().is_answered(kPatience));
  EXPECT_THAT(follow().hear_to_the_end().value_or(""),
              AllOf(StartsWith("HTTP/1.1 503"), HasSubstr("Retry-After: 30")));
  EXPECT_THAT(get("/-/healthy"), StartsWith(kOk)) << "and everybody else is served";
  service_.feed.publish("alert", "f-1");
  service_.feed.close();
  const auto heard = followers_.front()->hear_to_the_end().value_or("");
  EXPECT_THAT(heard, AllOf(StartsWith(kOk), HasSubstr("Content-Type: text/event-stream"),
                           HasSubstr("retry: 5000")));
}

TEST_F(Serving, GivesThePlaceOfAStreamThatWasLeftToTheNext) {
  start();
  const std::string name = "\ndanelaw_event_stream_clients ";
  for (int i = 0; i < web::Server::kMostStreams; ++i) ASSERT_TRUE(follow().is_answered(kPatience));
  EXPECT_THAT(get("/metrics"), HasSubstr(fmt::format("{}{}\n", name, web::Server::kMostStreams)));
  followers_.clear();
  const auto deadline = std::chrono::steady_clock::now() + kPatience;  // two pings take longer
  bool is_free = false;
  while (!is_free && std::chrono::steady_clock::now() < deadline)
    is_free = get("/metrics").find(name + "0\n") != std::string::npos;
  EXPECT_TRUE(is_free);
}

TEST_F(Serving, DecodesPathAndQuery) {
  start();
  EXPECT_THAT(get("/api/v1/domains/example%2Etest"), HasSubstr(R"("domain":"example.test")"));
  EXPECT_THAT(get("/api/v1/domains?q=new%2etest&limit=1"),
              AllOf(HasSubstr("new.test"), Not(HasSubstr("example.test"))));
  EXPECT_THAT(get("/api/v1/domains/%00%0d%0aX:%201"),
              AllOf(StartsWith("HTTP/1.1 404"), HasSubstr(R"(\\x00\\x0d\\x0aX: 1 is not)")));
}

TEST_F(Serving, AnswersHeadWithoutABody) {
  start();
  EXPECT_THAT(reply_to("HEAD / HTTP/1.1\r\nHost: localhost\r\n\r\n"),
              AllOf(StartsWith(kOk), EndsWith("\r\n\r\n")));
}

TEST_F(Serving, AnswersUnderItsOwnNamesHoweverTheyAreSpelled) {
  settings_.external_url = "https://Danelaw.Example:8443/there";
  start();
  for (const auto* host : {"localhost", "127.0.0.1:9672", "[::1]:80", "danelaw.example:8443"})
    EXPECT_THAT(get("/-/healthy", "Host: " + std::string(host) + "\r\n"), StartsWith(kOk)) << host;
  EXPECT_THAT(get("/-/healthy", "Host: evil.test\r\n"), StartsWith("HTTP/1.1 421"));
  EXPECT_THAT(get("/-/healthy", ""), StartsWith("HTTP/1.1 421"));
}

TEST_F(Serving, TurnsWhatIsThrownIntoAProblem) {
  auto backend = service_.backend();
  backend.snapshot = []() -> std::shared_ptr<const agent::Snapshot> {
    throw std::runtime_error("no\nsnapshot");
  };
  server_ = std::make_unique<web::Server>(web::site_of(backend));
  ASSERT_TRUE(server_->start(settings_));
  EXPECT_THAT(get("/metrics"), AllOf(StartsWith("HTTP/1.1 500"), HasSubstr(R"(no\\x0asnapshot)")));
  EXPECT_THAT(get("/-/healthy"), StartsWith(kOk));
}

// ---- clients that are slow, endless or greedy

TEST_F(Serving, CutsAClientThatDripsAtTheDeadlineWhileOthersAreServed) {
  constexpr auto kTime = 150ms;
  start({.request_time = kTime});
  const auto begin = steady_clock::now();
  Client dripping{server_->port()};
  std::string_view octets = "GET /-/healthy HTTP/1.1\r\nHost: localhost\r\nX: ";
  std::string other;
  while (steady_clock::now() < begin + kPatience && !dripping.is_answered(5ms) &&
         dripping.say(octets.empty() ? "x" : octets.substr(0, 1))) {
    octets.remove_prefix(octets.empty() ? 0 : 1);
    if (other.empty()) other = get("/-/healthy");
  }
  const auto took = steady_clock::now() - begin;
  EXPECT_GE(took, kTime);
  EXPECT_LT(took, kPatience);
  EXPECT_THAT(dripping.hear_to_the_end().value_or("HTTP/1.1 200"), Not(HasSubstr("HTTP/1.1 200")));
  EXPECT_THAT(other, StartsWith(kOk));
}

TEST_F(Serving, SilentClientsHoldNoThreadAndTheOldestMakesRoom) {
  constexpr std::size_t kPlaces = 20;
  start({.request_time = kPatience * 6, .threads = 2, .places = kPlaces});
  std::vector<std::unique_ptr<Client>> silent;
  for (std::size_t i = 0; i < 3 * kPlaces; ++i) {
    silent.push_back(std::make_unique<Client>(server_->port()));
    silent.back()->say("GET / HT");
    if (i % kPlaces == 0) {
      EXPECT_THAT(get("/-/healthy"), StartsWith(kOk));
    }
  }
  EXPECT_THAT(get("/-/healthy"), StartsWith(kOk));
  EXPECT_TRUE(silent.front()->is_answered(kPatience)) << "the first was sent away";
  EXPECT_FALSE(silent.back()->is_answered(0ms)) << "the last still has time";
}

TEST_F(Serving, ClientsThatDoNotTakeTheirReplyHoldNoThread) {
  for (int i = 0; i < 5000; ++i)
    service_.snapshot.domains.push_back(
        {.configured = config::Domain{.name = fmt::format("d{}.test", i)}});
  start({.threads = 2});
  const auto whole = get("/metrics");
  std::vector<std::unique_ptr<Client>> lazy;
  for (int i = 0; i < 10; ++i) {
    lazy.push_back(std::make_unique<Client>(server_->port(), 2048));
    lazy.back()->say("GET /metrics HTTP/1.1\r\nHost: localhost\r\n\r\n");
    ASSERT_TRUE(lazy.back()->is_answered(kPatience));
  }
  EXPECT_THAT(get("/-/healthy"), StartsWith(kOk));
  EXPECT_GT(lazy.front()->hear_to_the_end().value_or("").size(), whole.size() - 100)
      << "they get all of it in the end; the metrics of the process differ by some digits";
}

TEST_F(Serving, RepliesThatNobodyTakesAreBoundedAllTogether) {
  // One whole reply is some half a megabyte: one fits beside another that is taken, not twelve.
  for (int i = 0; i < 3000; ++i)
    service_.snapshot.domains.push_back(
        {.configured = config::Domain{.name = fmt::format("d{}.test", i)}});
  start({.reply_octets = 1000000});
  std::vector<std::unique_ptr<Client>> lazy;
  for (int i = 0; i < 12; ++i) {
    lazy.push_back(std::make_unique<Client>(server_->port(), 2048));
    lazy.back()->say("GET /metrics HTTP/1.1\r\nHost: localhost\r\n\r\n");
    ASSERT_TRUE(lazy.back()->is_answered(kPatience));
  }
  const auto whole = get("/metrics").size();
  EXPECT_LT(lazy.front()->hear_to_the_end().value_or("").size(), whole / 2) << "it was cut";
  EXPECT_GT(lazy.back()->hear_to_the_end().value_or("").size(), whole - 100);
}

TEST_F(Serving, CutsAFloodOfHeadersLongBeforeTheDeadline) {
  start();
  for (const std::string header : {"X-Flood: flood\r\n", "X: "}) {
    Client flooding{server_->port()};
    flooding.say("GET /-/healthy HTTP/1.1\r\nHost: localhost\r\n");
    std::string headers = header;
    while (headers.size() < 1000000)
      headers += header.ends_with('\n') ? header : "xxxxxxxxxxxxxxxx";
    flooding.say(headers);
    const auto reply = flooding.hear_to_the_end();
    ASSERT_TRUE(reply) << "the server waits for more";
    EXPECT_THAT(*reply, StartsWith("HTTP/1.1 431 "));
  }
}

TEST_F(Serving, DoesNotWaitForABodyThatIsTooGreatNorForOneThatNeverComes) {
  start({.request_time = 500ms});
  const std::string head =
      "POST /api/v1/domains/example.test/check HTTP/1.1\r\nHost: localhost\r\n"
      "Content-Type: application/json\r\nContent-Length: ";
  EXPECT_THAT(reply_to(head + "1000000000\r\n\r\n"), StartsWith("HTTP/1.1 413"));
  EXPECT_NE(reply_to(head + "10\r\n\r\n"), "the connection stays open");
  server_->stop();
  EXPECT_THAT(service_.checked, testing::IsEmpty());
}

TEST_F(Serving, IsNotTalkedIntoSendingThePageManyTimesOver) {
  start();
  std::string ranges = "Range: bytes=0-";
  for (int i = 0; i < 50; ++i) ranges += ",0-";
  const auto whole = get("/assets/app.js");
  EXPECT_THAT(whole, StartsWith(kOk));
  EXPECT_EQ(get("/assets/app.js", "Host: localhost\r\n" + ranges + "\r\n").size(), whole.size());
}

// ---- start and stop

TEST_F(Serving, SaysWhyItCannotListen) {
  start();
  web::Server second{web::site_of(service_.backend())};
  const auto port = server_->port();
  auto started = second.start({.port = port});
  ASSERT_FALSE(started);
  EXPECT_EQ(started.error(), "cannot listen on 127.0.0.1 port " + std::to_string(port) +
                                 ": Address already in use; is another danelaw running?");
  EXPECT_THAT(get("/-/healthy"), StartsWith(kOk));  // the first is not disturbed

  web::Server elsewhere{web::site_of(service_.backend())};
  started =
      elsewhere.start({.listen_address = "192.0.2.1", .port = 0, .allow_unauthenticated = true});
  ASSERT_FALSE(started);
  EXPECT_THAT(started.error(), StartsWith("cannot listen on 192.0.2.1 port 0: Cannot assign"));
}

TEST_F(Serving, IsNotOpenToAllBeyondLoopbackNorBecomesSoByAReload) {
  web::Server open{web::site_of(service_.backend())};
  EXPECT_FALSE(open.start({.listen_address = "0.0.0.0", .port = 0}));
  settings_.listen_address = "0.0.0.0";
  settings_.allow_unauthenticated = true;
  start();
  EXPECT_FALSE(server_->reconfigure({})) << "it still listens on all addresses";
  settings_.hosts = {"other.test"};
  EXPECT_TRUE(server_->reconfigure(settings_));
  EXPECT_THAT(get("/-/healthy", "Host: other.test\r\n"), StartsWith(kOk));
}

TEST_F(Serving, StopsAtOnceHoweverSoonAfterTheStart) {
  for (int i = 0; i < 50; ++i) {
    start();
    server_->stop();
    server_->stop();
  }
}

}  // namespace
