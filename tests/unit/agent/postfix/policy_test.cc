#include "agent/postfix/policy.h"

#include <array>
#include <functional>
#include <string>
#include <thread>

#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "agent/postfix/policy_server.h"
#include "agent/postfix/socketmap.h"

namespace agent {
namespace {

config::Time at(int seconds) {
  return config::Time{config::Seconds{seconds}};
}

Exception exception(const std::string& domain, const std::string& level = "encrypt") {
  return {.domain = domain, .level = level, .made_at = at(100), .until = at(200)};
}

TEST(PolicyTable, AnswersForApprovedExceptionsInTheirTimeOnly) {
  PolicyTable table;
  table.set({exception("a.test"), exception("clear.test", "may")});
  EXPECT_EQ(table.answer("danelaw", "a.test", at(150)), "encrypt");
  EXPECT_EQ(table.answer("danelaw", "A.Test", at(150)), "encrypt") << "names have no case";
  EXPECT_EQ(table.answer("danelaw", "a.test", at(200)), "") << "its time is over";
  EXPECT_EQ(table.answer("danelaw", "a.test", at(99)), "") << "the clock was set back";
  EXPECT_EQ(table.answer("danelaw", "clear.test", at(150)), "") << "never in the clear";
  EXPECT_EQ(table.answer("danelaw", "b.test", at(150)), "");
  EXPECT_EQ(table.answer("danelaw", ".test", at(150)), "");
  EXPECT_EQ(table.answer("danelaw", ".a.test", at(150)), "") << "what Postfix asks for sub.a.test";
  EXPECT_EQ(table.answer("danelaw", "[a.test]", at(150)), "");
  EXPECT_EQ(table.answer("danelaw", "", at(150)), "");
  EXPECT_EQ(table.answer("other", "a.test", at(150)), "") << "another map";
  table.set({});
  EXPECT_EQ(table.answer("danelaw", "a.test", at(150)), "") << "withdrawn";
}

TEST(PolicyTable, CountsHowOftenItWasAsked) {
  PolicyTable table;
  table.set({exception("a.test")});
  (void)table.answer("danelaw", "a.test", at(150));
  (void)table.answer("danelaw", "b.test", at(151));
  table.set({exception("a.test"), exception("c.test")});
  EXPECT_EQ(table.asked().at("a.test").times, 1U);
  EXPECT_EQ(table.asked().at("a.test").last_at, at(150));
  EXPECT_EQ(table.asked().at("c.test").times, 0U);
  EXPECT_EQ(table.answered_ok(), 1U);
  EXPECT_EQ(table.answered_not_found(), 1U);
  auto again = exception("a.test");
  again.made_at = at(160);
  table.set({again});
  EXPECT_EQ(table.asked().at("a.test").times, 0U) << "another approval";
}

std::string only_a(std::string_view map, std::string_view key) {
  return map == "danelaw" && key == "a.test" ? "encrypt" : "";
}

struct Row {
  std::string in, out;
  bool is_broken = false;
  const char* says;
};

TEST(Socketmap, ReadsNetstringsHoweverTheyAreCut) {
  const std::string ok = "10:OK encrypt,", no = "9:NOTFOUND ,";
  for (const auto& row : {
           Row{"14:danelaw a.test,", ok, false, "found"},
           Row{"14:danelaw b.test,", no, false, "not found"},
           Row{"14:danelaw a.test,14:danelaw b.test,", ok + no, false, "two at once"},
           Row{"7:danelaw,", no, false, "no key"},
           Row{"0:,", no, false, "nothing"},
           Row{"14:danelaw a.te", "", false, "not yet whole"},
           Row{"14:danelaw a.test;", "", true, "no comma"},
           Row{"014:danelaw a.test,", "", true, "a leading zero"},
           Row{"99999:", "", true, "too long"},
           Row{"1025:", "", true, "one too long"},
           Row{"GET / HTTP/1.0\r\n", "", true, "another protocol"},
           Row{":,", "", true, "no length"},
           Row{"14:danelaw a.test,x14:danelaw a.test,", ok, true, "rubbish behind"},
       }) {
    for (const std::size_t step : {std::size_t{1}, std::size_t{3}, row.in.size()}) {
      SocketmapSession session;
      std::string out;
      for (std::size_t i = 0; i < row.in.size(); i += step)
        out += session.feed(row.in.substr(i, step), only_a);
      EXPECT_EQ(out, row.out) << row.says << ", by " << step;
      EXPECT_EQ(session.is_broken(), row.is_broken) << row.says;
    }
  }
}

TEST(Socketmap, TakesTheLongestRequestThereIs) {
  SocketmapSession session;
  const auto long_one =
      netstring("danelaw " + std::string(SocketmapSession::kMostOfRequest - 8, 'x'));
  EXPECT_EQ(session.feed(long_one + long_one, only_a),
            netstring("NOTFOUND ") + netstring("NOTFOUND "));
}

// What one client at a socket is answered.
class Asking {
 public:
  explicit Asking(
      const std::string& path, const std::function<void()>& once_made = [] {}) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    path.copy(address.sun_path, sizeof address.sun_path - 1);
    fd_ = socket(AF_UNIX, SOCK_STREAM, 0);
    once_made();
    is_connected_ = connect(fd_, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0;
  }
  ~Asking() { close(fd_); }
  Asking(const Asking&) = delete;
  Asking& operator=(const Asking&) = delete;
  bool is_connected() const { return is_connected_; }
  // Until the other side closes or has sent as much as was expected.
  std::string ask(const std::string& octets, std::size_t expected) {
    EXPECT_EQ(send(fd_, octets.data(), octets.size(), MSG_NOSIGNAL),
              static_cast<ssize_t>(octets.size()));
    std::string out;
    std::array<char, 512> chunk{};
    while (out.size() < expected) {
      const auto count = recv(fd_, chunk.data(), chunk.size(), 0);
      if (count <= 0) break;
      out.append(chunk.data(), static_cast<std::size_t>(count));
    }
    return out;
  }

 private:
  int fd_;
  bool is_connected_ = false;
};

class Serving : public testing::Test {
 protected:
  void SetUp() override {
    folder_ =
        std::filesystem::temp_directory_path() / ("danelaw-policy-" + std::to_string(getpid()));
    std::filesystem::create_directory(folder_);
    path_ = folder_ / "policy";
    table_.set({exception("a.test")});
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }
  auto start() {
    return PolicyServer::start(path_, table_, [] { return at(150); });
  }
  std::string ask(const std::string& key) {
    Asking client(path_);
    return client.is_connected() ? client.ask(netstring("danelaw " + key), 9) : "nobody there";
  }

  std::filesystem::path folder_, path_;
  PolicyTable table_;
};

TEST_F(Serving, AnswersAtItsSocketAndTakesItAway) {
  {
    const auto server = start();
    ASSERT_TRUE(server) << server.error();
    EXPECT_EQ(ask("a.test"), "10:OK encrypt,");
    EXPECT_EQ(ask("b.test"), "9:NOTFOUND ,");
    Asking hostile(path_);
    EXPECT_EQ(hostile.ask("GET / HTTP/1.0\r\n\r\n", 1), "") << "hung up on";
    EXPECT_EQ(ask("a.test"), "10:OK encrypt,");
  }
  EXPECT_EQ(ask("a.test"), "nobody there");
  EXPECT_FALSE(std::filesystem::exists(path_));
}

TEST_F(Serving, ManyClientsKeepNobodyOut) {
  const auto server = start();
  ASSERT_TRUE(server);
  std::vector<std::unique_ptr<Asking>> silent;
  for (std::size_t i = 0; i < PolicyServer::kMostClients + 20; ++i)
    silent.push_back(std::make_unique<Asking>(path_));
  EXPECT_EQ(ask("a.test"), "10:OK encrypt,");
}

TEST_F(Serving, WhoComesWhileThereAreNoDescriptorsIsAnsweredOnceThereAre) {
  const auto server = start();
  ASSERT_TRUE(server);
  rlimit before{};
  ASSERT_EQ(getrlimit(RLIMIT_NOFILE, &before), 0);
  Asking client(path_, [&] {
    auto none = before;
    none.rlim_cur = 0;
    ASSERT_EQ(setrlimit(RLIMIT_NOFILE, &none), 0);
  });
  ASSERT_TRUE(client.is_connected());
  ASSERT_EQ(setrlimit(RLIMIT_NOFILE, &before), 0);
  EXPECT_EQ(client.ask(netstring("danelaw a.test"), 9), "10:OK encrypt,");
}

TEST_F(Serving, TakesThePlaceOfASocketLeftBehindButOfNothingElse) {
  const int stale = socket(AF_UNIX, SOCK_STREAM, 0);
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  path_.string().copy(address.sun_path, sizeof address.sun_path - 1);
  ASSERT_EQ(bind(stale, reinterpret_cast<const sockaddr*>(&address), sizeof address), 0);
  close(stale);
  { EXPECT_TRUE(start()); }
  std::filesystem::create_directory(path_);
  EXPECT_FALSE(start());
}

// What Postfix is answered through the relay.
std::string relayed(const std::filesystem::path& socket, const std::string& asked) {
  std::array<int, 2> in{}, out{};
  EXPECT_EQ(pipe(in.data()), 0);
  EXPECT_EQ(pipe(out.data()), 0);
  EXPECT_EQ(write(in[1], asked.data(), asked.size()), static_cast<ssize_t>(asked.size()));
  close(in[1]);
  (void)relay_policy(socket, in[0], out[1], std::chrono::milliseconds{50});
  close(out[1]);
  std::string text;
  std::array<char, 512> chunk{};
  for (ssize_t count = 0; (count = read(out[0], chunk.data(), chunk.size())) > 0;)
    text.append(chunk.data(), static_cast<std::size_t>(count));
  close(in[0]);
  close(out[0]);
  return text;
}

TEST_F(Serving, TheRelayPassesOnWhatTheAgentSays) {
  const auto server = start();
  EXPECT_EQ(relayed(path_, netstring("danelaw a.test") + netstring("danelaw b.test")),
            "10:OK encrypt,9:NOTFOUND ,");
}

TEST_F(Serving, TheRelayAnswersWithoutTheAgent) {
  EXPECT_EQ(relayed(path_, netstring("danelaw a.test")), "9:NOTFOUND ,") << "no socket";
  const int dumb = socket(AF_UNIX, SOCK_STREAM, 0);
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  path_.string().copy(address.sun_path, sizeof address.sun_path - 1);
  ASSERT_EQ(bind(dumb, reinterpret_cast<const sockaddr*>(&address), sizeof address), 0);
  ASSERT_EQ(listen(dumb, 5), 0);
  EXPECT_EQ(relayed(path_, netstring("danelaw a.test")), "9:NOTFOUND ,")
      << "somebody who says nothing";
  close(dumb);
  EXPECT_EQ(relayed(path_, netstring("danelaw a.test")), "9:NOTFOUND ,") << "a socket left behind";
}

}  // namespace
}  // namespace agent
