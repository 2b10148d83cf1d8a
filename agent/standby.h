#pragma once

#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <stop_token>
#include <string>

#include "agent/fleet/remote_prober.h"
#include "config/config.h"
#include "storage/leadership.h"
#include "web/backend.h"
#include "web/http/server.h"

namespace agent {

// An agent of a fleet while another leads: it judges and notifies nothing, looks at what the one
// that leads lays out for its vantage, and has that one answer what it is asked (page, API, acts of
// operators). Seen by Daemon only.
class Standby {
 public:
  // `reload`: as the server's client wishes it.
  Standby(std::string self, web::Build build,
          std::function<config::Result<void, std::string>()> reload)
      : self_(std::move(self)), build_(std::move(build)), reload_(std::move(reload)) {}

  // Listens; the error says why it cannot.
  [[nodiscard]] config::Result<void, std::string> serve(const config::Web& web);
  // `context`: to look with.
  [[nodiscard]] config::Result<void, std::string> reconfigure(
      const config::Config& settings, std::shared_ptr<ProbeContext> context);
  // Begins to look for the one that leads, unless it does already or the database cannot be had.
  void look(const config::Config& settings, const std::shared_ptr<ProbeContext>& context);
  // Targets looked at, and why it cannot look; empty: it can.
  struct Looking {
    std::uint64_t looks = 0;
    std::string fault;
  };
  [[nodiscard]] Looking looking() const;
  [[nodiscard]] std::optional<std::string> why_stuck() const;
  // What came of the last try to lead. Any thread.
  void take(const storage::Candidacy::NotYet& not_yet);
  // Before it goes: nobody is answered any more, and what waits for the leader is given up.
  // What looks is given away, for looks under way may take their time to end.
  [[nodiscard]] std::unique_ptr<RemoteProber> stop();
  // "stands by: agent one leads". Any thread.
  [[nodiscard]] std::string doing() const;

 private:
  web::Backend backend();
  web::Reply ask_leader(const web::Request& request) const;

  std::string self_;
  web::Build build_;
  std::function<config::Result<void, std::string>()> reload_;
  mutable std::mutex mutex_;  // guards the next
  storage::Candidacy::NotYet not_yet_;
  std::stop_source given_up_;
  std::unique_ptr<RemoteProber> prober_;
  std::unique_ptr<web::Server> server_;
};

}  // namespace agent
