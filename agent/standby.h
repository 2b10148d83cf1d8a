#pragma once

#include <memory>
#include <optional>
#include <string>

#include "agent/fleet/remote_prober.h"
#include "config/config.h"
#include "config/mutex.h"
#include "storage/leadership.h"
#include "web/backend.h"
#include "web/relay.h"

namespace agent {

// An agent of a fleet while another leads: it judges and notifies nothing, looks at what the one
// that leads lays out for its vantage, and is asked in that one's stead (page, API, acts of
// operators). Seen by Daemon only.
class Standby {
 public:
  // `reload`: as the server's client wishes it.
  explicit Standby(std::shared_ptr<web::Relay> relay) : relay_(std::move(relay)) {}

  // `context`: to look with.
  void reconfigure(const config::Config& settings, std::shared_ptr<ProbeContext> context);
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
  // Before it goes: what looks is given away, for looks under way may take their time to end.
  [[nodiscard]] std::unique_ptr<RemoteProber> stop() { return std::move(prober_); }
  // "stands by: agent one leads". Any thread.
  [[nodiscard]] std::string doing() const;

 private:
  std::shared_ptr<web::Relay> relay_;
  mutable config::Mutex mutex_;
  storage::Candidacy::NotYet not_yet_ GUARDED_BY(mutex_);
  std::unique_ptr<RemoteProber> prober_;
};

}  // namespace agent
