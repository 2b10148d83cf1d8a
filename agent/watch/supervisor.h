#pragma once

#include <chrono>
#include <optional>
#include <string>

#include <sys/types.h>

namespace agent {

// Whoever started us and wants to hear how we fare: systemd with Type=notify and WatchdogSec, or
// what speaks as it does. Source: sd_notify(3), sd_watchdog_enabled(3). Where nobody listens
// nothing is said; nothing said ever fails or waits for long. One thread.
class Supervisor {
 public:
  // What it left in our environment; empty where it did not.
  struct Wishes {
    std::string socket;         // NOTIFY_SOCKET: a path, or an abstract name behind @
    std::string watchdog_usec;  // WATCHDOG_USEC
    std::string watchdog_pid;   // WATCHDOG_PID: whom the watchdog is for
  };
  [[nodiscard]] static Wishes wishes_of_environment();

  Supervisor(Wishes wishes, pid_t we);

  // How often alive() is to be called; nothing while no watchdog waits. A third of its patience, so
  // that one call that comes late does no harm.
  [[nodiscard]] std::optional<std::chrono::milliseconds> every() const;

  // We serve and look.
  void ready();
  void reloading();  // until ready()
  void stopping();
  // Keeps the watchdog quiet, unless we stand still: then why, in words, for `systemctl status`.
  // Otherwise what we do, for the same; it is said again only when it is something else.
  void alive(const std::optional<std::string>& stall, const std::string& doing = "watching");

 private:
  void say(const std::string& state) const;

  std::string socket_;
  std::optional<std::chrono::microseconds> patience_;  // of the watchdog
  bool is_stalled_ = false;                            // as said last
  std::string doing_ = "watching";                     // the same
};

}  // namespace agent
