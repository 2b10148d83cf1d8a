#pragma once

#include <atomic>
#include <filesystem>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <thread>

#include "agent/fleet/dispatcher.h"
#include "agent/foresight/renewal_watch.h"
#include "agent/lists/list_watch.h"
#include "agent/notify/courier.h"
#include "agent/notify/resilient_outbox.h"
#include "agent/postfix/policy_server.h"
#include "agent/postfix/postfix_watch.h"
#include "agent/senders/report_watch.h"
#include "agent/standby.h"
#include "agent/watch/runner.h"
#include "config/mutex.h"
#include "storage/act_log.h"
#include "storage/delivery_store.h"
#include "storage/domain_lists.h"
#include "storage/leadership.h"
#include "storage/lock.h"
#include "storage/outbox.h"
#include "storage/queries.h"
#include "storage/recorder.h"
#include "storage/sender_reports.h"
#include "web/feed.h"
#include "web/http/server.h"
#include "web/once.h"
#include "web/routes/api.h"

namespace agent {

// What `danelaw run` consists of: storage, runner, courier and web server, connected. With main.cc
// the one place that sees the whole house (tests/layers).
class Daemon {
 public:
  Daemon() = default;
  ~Daemon();  // what waits for the one that leads is answered before
  Daemon(const Daemon&) = delete;
  Daemon& operator=(const Daemon&) = delete;

  enum class Begun { started, failed, stands_by };
  // Everything that can fail does so here, before a thread is started; the words go to the log.
  // Where another agent leads the fleet it is served only (standby.h), and start() is to be called
  // again once try_to_lead() says so.
  Begun start(const std::filesystem::path& file);

  // Of one that stands by: once in a second or so.
  [[nodiscard]] bool try_to_lead();

  // Of one that stands by, too: reload(), doing(), stop().

  // After start() failed: 1 when it was refused for what stands in files, 2 when trying again may
  // help (the unit of systemd tells them apart).
  [[nodiscard]] int exit_status() const { return exit_status_; }

  // As the file is now; with an error in it everything goes on as it was.
  config::Result<void, std::string> reload();

  // By whoever may send this process signals.
  void reload_by_signal();

  // As for /-/healthy.
  [[nodiscard]] std::optional<std::string> why_stuck() const;

  // For `systemctl status`.
  [[nodiscard]] std::string doing() const;

  // What is older than storage.retention, as the file says now.
  void forget_old();

  // Lets probes under way end, but not for long: what they would have seen will be seen at the next
  // start, and everything decided is recorded already.
  void stop();

 private:
  static config::Time now();
  static Begun fail(std::string_view event, const std::string& detail);
  // Keeps other agents away from the database, and says where it is from now on. Nothing: another
  // leads, and we stand by.
  config::Result<std::optional<storage::Place>, std::string> take_database(
      const config::Config& settings);
  storage::Leadership::Calls leader_calls();
  // Who can look now, ourselves not among them: as long as one gives a sign of life within
  // `patience`, after which another would take over from it. Null: the database cannot say.
  std::optional<Lookers> lookers(config::Seconds patience);
  // Members of a fleet are known by name and vantage: both stay as they were at the start.
  void keep_names(config::Config& settings);
  [[nodiscard]] config::Agent named() const;
  void take_names(const config::Config& settings, const ProbeContext& context);
  config::Result<void, std::string> dispatch(const storage::Place& place,
                                             const config::Config& settings);
  Begun fail_for_now(std::string_view event, const std::string& detail);
  config::Result<void, std::string> take_configuration();
  PostfixWatch::World postfix_world();
  ReportWatch::Calls report_calls();
  RenewalWatch::Calls renewal_calls();
  ListWatch::Calls list_calls();
  // Has the runner watch what the lists from elsewhere name now.
  void adopt_lists();
  web::Reload last_reload();
  std::vector<web::Member> agents();
  std::vector<probes::dns::Record> anchors();
  static void report_notifier(const std::string& notifier, const std::string& fault);
  // What changed, for the pages that are open; and the notifiers, which need not wait.
  void publish(const Round& round);
  Events events();
  web::Backend backend();
  web::Backend backend_of_standby();
  // Listens, or has others answer those who ask where we listen already. The error says why not.
  config::Result<void, std::string> serve(web::Backend backend, const config::Web& settings);
  static web::Build build();
  // A scrape that strains Prometheus is told once.
  void look_at_scrape(std::size_t series);
  // A domain that is not watched, as `danelaw check` looks at it.
  config::Result<std::string, std::string> check_once(const std::string& domain) const;
  // Adds the domain to a list that may be added to, of those of the groups where some are given,
  // and watches it.
  config::Result<std::string, std::string> watch(
      const std::string& domain, const std::optional<std::string>& list,
      const std::optional<std::set<std::string>>& groups);

  std::filesystem::path file_;
  int exit_status_ = 1;
  storage::DatabaseLock lock_;                     // of a file
  std::unique_ptr<storage::Candidacy> candidacy_;  // of PostgreSQL
  std::unique_ptr<Standby> standby_;               // while another leads
  std::shared_ptr<web::Relay> relay_;              // of one that stood by; the server has it, too
  config::Config settings_;                        // then
  std::shared_ptr<ProbeContext> context_;          // then
  std::jthread retiring_;                          // what it looked with, as long as looks end
  std::unique_ptr<storage::Leadership> lead_;      // of PostgreSQL
  std::atomic<bool> is_ready_{false};
  std::atomic<bool> is_scrape_told_{false};
  config::Mutex reloading_;
  config::Mutex adding_;                  // to a list of domains
  config::Config configured_;             // as it was taken last, without domains from elsewhere
  mutable config::Mutex telling_reload_;  // of its own: a scrape must not wait for a reload
  web::Reload reload_ GUARDED_BY(telling_reload_);
  config::Agent named_ GUARDED_BY(telling_reload_);  // the agent's name and vantage
  std::vector<probes::dns::Record> anchors_ GUARDED_BY(telling_reload_);
  std::unique_ptr<storage::DatabaseRecorder> recorder_;
  std::unique_ptr<storage::Queries> queries_;
  std::unique_ptr<storage::ActLog> acts_;
  std::unique_ptr<storage::DatabaseOutbox> outbox_;
  std::unique_ptr<ResilientOutbox> letters_;
  web::Feed feed_;
  web::OnceChecks checks_{[this](const std::string& domain) { return check_once(domain); }};
  std::unique_ptr<storage::SenderReports> senders_;
  std::unique_ptr<storage::DatabaseDeliveryStore> deliveries_;
  std::unique_ptr<Runner> runner_;
  std::unique_ptr<PostfixWatch> postfix_;
  std::unique_ptr<Courier> courier_;
  std::unique_ptr<storage::DatabaseListStore> list_store_;
  std::unique_ptr<ListWatch> lists_;  // made before the server, and gone after it
  std::unique_ptr<web::Server> server_;
  config::Mutex watching_;
  std::unique_ptr<ReportWatch> reports_ GUARDED_BY(watching_);
  std::unique_ptr<RenewalWatch> renewals_ GUARDED_BY(watching_);
  std::unique_ptr<Dispatcher> dispatcher_;  // of a fleet that we lead
};

// What start() would refuse, though the configuration itself is right: files that it names. One
// sentence each.
[[nodiscard]] std::vector<std::string> obstacles(const config::Config& settings);

}  // namespace agent
