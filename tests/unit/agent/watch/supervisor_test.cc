#include "agent/watch/supervisor.h"

#include <array>
#include <cstddef>
#include <cstring>
#include <filesystem>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

// What systemd hears of us, on a socket that we hold in its place.
namespace {

using namespace std::chrono_literals;
using agent::Supervisor;
using testing::ElementsAre;
using testing::StartsWith;

// The end that hears; `name` as NOTIFY_SOCKET has it.
class Listener {
 public:
  explicit Listener(std::string name) : name_(std::move(name)) {
    sockaddr_un at{.sun_family = AF_UNIX, .sun_path = {}};
    std::memcpy(at.sun_path, name_.data(), name_.size());
    if (name_[0] == '@') at.sun_path[0] = '\0';
    const auto size = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + name_.size());
    if (bind(fd_, reinterpret_cast<const sockaddr*>(&at), size) != 0)
      throw std::runtime_error("cannot listen at " + name_);
  }
  ~Listener() {
    close(fd_);
    if (name_[0] == '/') std::filesystem::remove(name_);
  }
  Listener(const Listener&) = delete;
  Listener& operator=(const Listener&) = delete;

  // All that was said since.
  [[nodiscard]] std::vector<std::string> heard() const {
    std::vector<std::string> out;
    std::array<char, 512> some{};
    while (true) {
      const auto got = recv(fd_, some.data(), some.size(), MSG_DONTWAIT);
      if (got < 0) return out;
      out.emplace_back(some.data(), static_cast<std::size_t>(got));
    }
  }
  [[nodiscard]] const std::string& name() const { return name_; }

 private:
  std::string name_;
  int fd_ = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
};

TEST(Supervisor, HearsOfEveryTurnWhateverKindOfSocketItHas) {
  for (const auto& name : {fmt::format("{}/danelaw-notify-{}",
                                       std::filesystem::temp_directory_path().string(), getpid()),
                           fmt::format("@danelaw-notify-{}", getpid())}) {
    const Listener listener(name);
    Supervisor supervisor({.socket = name, .watchdog_usec = {}, .watchdog_pid = {}}, getpid());
    supervisor.ready();
    supervisor.reloading();
    supervisor.ready();
    supervisor.stopping();
    EXPECT_THAT(listener.heard(),
                ElementsAre(StartsWith("READY=1\n"), StartsWith("RELOADING=1\nMONOTONIC_USEC="),
                            StartsWith("READY=1\n"), StartsWith("STOPPING=1\n")))
        << name;
  }
}

TEST(Supervisor, KeepsTheWatchdogQuietOnlyWhileWeGetOn) {
  const Listener listener(fmt::format("@danelaw-watchdog-{}", getpid()));
  Supervisor supervisor({.socket = listener.name(), .watchdog_usec = "3000000", .watchdog_pid = {}},
                        getpid());
  EXPECT_EQ(supervisor.every(), 1000ms);
  supervisor.alive(std::nullopt);
  supervisor.alive(std::nullopt);
  EXPECT_THAT(listener.heard(), ElementsAre("WATCHDOG=1", "WATCHDOG=1"));
  supervisor.alive("1 of 4 workers have ended");
  supervisor.alive("1 of 4 workers have ended");
  EXPECT_THAT(listener.heard(), ElementsAre("STATUS=not watching: 1 of 4 workers have ended"));
  supervisor.alive(std::nullopt);
  EXPECT_THAT(listener.heard(), ElementsAre("WATCHDOG=1\nSTATUS=watching"));
}

TEST(Supervisor, SaysWhatWeDoWhenItIsSomethingElse) {
  const Listener listener(fmt::format("@danelaw-doing-{}", getpid()));
  Supervisor supervisor({.socket = listener.name(), .watchdog_usec = "3000000", .watchdog_pid = {}},
                        getpid());
  const std::string calm = "watching 2 domains, 0 open alerts",
                    loud = "watching 2 domains, 1 open alert";
  supervisor.alive(std::nullopt, calm);
  supervisor.alive(std::nullopt, calm);
  supervisor.alive(std::nullopt, loud);
  EXPECT_THAT(listener.heard(), ElementsAre("WATCHDOG=1\nSTATUS=" + calm, "WATCHDOG=1",
                                            "WATCHDOG=1\nSTATUS=" + loud));
  supervisor.alive("no worker is left", "");
  supervisor.alive(std::nullopt, loud);
  supervisor.ready();  // after a reload
  EXPECT_THAT(listener.heard(),
              ElementsAre("STATUS=not watching: no worker is left", "WATCHDOG=1\nSTATUS=" + loud,
                          "READY=1\nSTATUS=" + loud));
}

TEST(Supervisor, IsAskedForTheWatchdogOfThisProcessOnly) {
  const auto every = [](Supervisor::Wishes wishes) { return Supervisor(wishes, 7).every(); };
  EXPECT_EQ(every({.socket = "/s", .watchdog_usec = "6000000", .watchdog_pid = "7"}), 2000ms);
  EXPECT_EQ(every({.socket = "/s", .watchdog_usec = "6000000", .watchdog_pid = "8"}), std::nullopt);
  EXPECT_EQ(every({.socket = "", .watchdog_usec = "6000000", .watchdog_pid = ""}), std::nullopt);
  for (const auto* wrong : {"", "0", "-5", "6s", "99999999999999999999"}) {
    EXPECT_EQ(every({.socket = "/s", .watchdog_usec = wrong, .watchdog_pid = ""}), std::nullopt)
        << wrong;
  }
}

TEST(Supervisor, SaysNothingWhereNobodyListens) {
  for (const auto& socket : {std::string(), std::string("/nowhere/at/all"), std::string("relative"),
                             std::string("@"), "/" + std::string(200, 'x')}) {
    Supervisor supervisor({.socket = socket, .watchdog_usec = {}, .watchdog_pid = {}}, getpid());
    supervisor.ready();
    supervisor.alive(std::nullopt);
    supervisor.stopping();
  }
}

}  // namespace
