#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "agent/notify/courier.h"
#include "agent/notify/resilient_outbox.h"
#include "agent/watch/runner.h"
#include "storage/queries.h"
#include "web/feed.h"
#include "web/http/traffic.h"

namespace web {

// How the configuration was taken: at the start, and at every reload since.
struct Reload {
  bool is_good = true;          // the last one
  config::Time succeeded_at{};  // the last good one
};

// What runs.
struct Build {
  std::string version;
  std::string revision;  // of the sources; empty when they came without their history
  std::string openssl;   // versions of the libraries that decide most
  std::string resolver;
};

// Where the answers come from. All may be called from any thread.
struct Sources {
  std::function<std::shared_ptr<const agent::Snapshot>()> snapshot;
  std::function<bool(std::string_view domain)> check_now;
  std::function<config::Result<void, std::string>()> reload;
  std::function<bool()> is_ready;  // started, and not ending
  std::function<agent::Health()> health;
  std::function<std::optional<agent::DomainState>(std::string_view name)> domain;
  std::function<std::vector<agent::ResilientOutbox::Sent>(const std::string& alert)>
      unrecorded_about;
  storage::Queries* queries = nullptr;  // outlives the server, as do the next two
  agent::Actions* actions = nullptr;
  Feed* feed = nullptr;
  std::function<std::vector<agent::NotifierHealth>()> notifiers;
  std::function<Reload()> last_reload;
  std::function<void(std::size_t series)> on_scrape;  // told after each
  const Traffic* traffic = nullptr;                   // the server's own, set by site_of
  Build build;
};

}  // namespace web
