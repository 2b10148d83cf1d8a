#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "agent/notify/courier.h"
#include "agent/notify/resilient_outbox.h"
#include "agent/postfix/postfix_watch.h"
#include "agent/senders/sender_sessions.h"
#include "agent/watch/runner.h"
#include "storage/act_log.h"
#include "storage/queries.h"
#include "web/feed.h"
#include "web/http/http.h"
#include "web/http/request_stats.h"
#include "web/once.h"

namespace web {

// How the configuration was taken: at the start, and at every reload since.
struct Reload {
  bool is_good = true;          // the last one
  config::Time succeeded_at{};  // the last good one
};

// What runs.
struct Build {
  std::string version;
  std::string revision;  // of the backend; empty when they came without their history
  std::string openssl;   // versions of the libraries that decide most
  std::string resolver;
};

// One of the agents that share a database; without a fleet the only one.
struct Member {
  std::string name, vantage;
  bool is_leader = true;  // schedules, judges and notifies
  std::optional<config::Time> last_seen_at;
  std::uint64_t looks = 0;  // since it started
  std::string fault{};      // why it cannot look; empty: it can
};

// Where the answers come from. All may be called from any thread.
struct Backend {
  std::function<std::shared_ptr<const agent::Snapshot>()> snapshot;
  std::function<bool(std::string_view domain)> check_now;
  std::function<config::Result<void, std::string>()> reload;
  std::function<bool()> is_ready;  // started, and not ending
  std::function<agent::Health()> health;
  std::function<std::optional<agent::DomainState>(std::string_view name)> domain;
  std::function<std::vector<agent::ResilientOutbox::Sent>(const std::string& alert)>
      unrecorded_about;
  storage::Queries* queries = nullptr;  // outlives the server, as do the next three
  agent::Actions* actions = nullptr;
  storage::ActLog* acts = nullptr;  // null: acts are only logged
  OnceChecks* checks = nullptr;     // outlives the server, too
  // Watches the domain from now on, with those of the list of that file name, or of the only list
  // that may be added to, of those of the groups where some are given; gives the list's name. The
  // error says why not.
  std::function<config::Result<std::string, std::string>(
      const std::string& domain, const std::optional<std::string>& list,
      const std::optional<std::set<std::string>>& groups)>
      watch;
  // Goes by the list from elsewhere that was refused for what it lost. The error says why not.
  std::function<config::Result<void, std::string>(const std::string& list)> accept_list;
  Feed* feed = nullptr;
  agent::PostfixWatch* postfix = nullptr;  // outlives the server, too; null: as if not configured
  agent::SenderReportStore* senders = nullptr;  // outlives the server, too
  std::function<void()> on_report;              // told after one was taken
  // Why not all of tlsrpt.folder is taken; empty: there is none.
  std::function<std::optional<std::string>()> report_folder_fault;
  std::function<std::vector<agent::NotifierHealth>()> notifiers;
  // As Courier::test.
  std::function<std::optional<std::vector<agent::Courier::Tested>>(
      const std::optional<std::string>& notifier, const std::string& by)>
      test_notifiers;
  std::function<Reload()> last_reload;
  std::function<std::vector<Member>()> agents;
  // Whom DNSSEC's chains are verified up to.
  std::function<std::vector<probes::dns::Record>()> anchors;
  std::function<void(std::size_t series)> on_scrape;  // told after each
  // Where another agent leads, and this one stands by: has it answer all but what is about this
  // agent itself. The others may be null then but for is_ready, health, reload and build.
  std::function<Reply(const Request& request)> leader;
  const RequestStats* traffic = nullptr;  // the server's own, set by site_of
  Build build;
};

}  // namespace web
