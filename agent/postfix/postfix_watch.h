#pragma once

#include <condition_variable>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "agent/alerts/partners.h"
#include "agent/postfix/delivery_book.h"
#include "agent/postfix/delivery_store.h"
#include "agent/postfix/log_source.h"
#include "agent/postfix/policy.h"
#include "agent/postfix/policy_server.h"
#include "config/config.h"
#include "config/mutex.h"
#include "probes/judgement.h"

namespace agent {

// Our own Postfix: follows its log and answers its policy lookups, as far as the configuration asks
// for either. One thread reads the log; what it has learned may be asked for by any thread.
class PostfixWatch {
 public:
  // All may be called from any thread.
  struct World {
    std::function<config::Time()> now;
    // Null when the domain is not watched or nothing is known of it yet.
    std::function<std::shared_ptr<const probes::DomainJudgement>(std::string_view domain)> judged;
    std::function<std::vector<Exception>()> exceptions;
    // One line for the log; `is_over`: what was wrong is not any more.
    std::function<void(const std::string& detail, bool is_over)> report;
  };

  // `store` outlives it. Takes up what is kept; what cannot be read is reported, and grows anew.
  PostfixWatch(DeliveryStore& store, World world);
  ~PostfixWatch();  // stop()

  // Serves and follows what the settings say, from now on. On an error, which is a sentence, all
  // stays as it was.
  [[nodiscard]] config::Result<void, std::string> configure(const config::Postfix& settings);
  void start();
  void stop();

  // As of the newest decisions, so that an approval or a withdrawal holds at once; otherwise within
  // a second.
  void refresh_exceptions();

  // ---- what is shown

  struct View {
    bool follows_log = false, serves_policy = false;
    std::optional<std::string> log_fault;  // why the log cannot be read
    std::optional<config::Time> last_line_at;
    DeliveryBook::Agreement agreement;
    DeliveryBook::Totals totals;
    std::map<std::string, PolicyTable::Asked> asked;  // by domain with an exception
    std::uint64_t answered_ok = 0, answered_not_found = 0;
  };
  [[nodiscard]] View view() const;
  // What waits for some domains only; without a lock on anything that `is_wanted` may ask.
  [[nodiscard]] DeliveryBook::Totals waiting_of(
      const std::function<bool(const std::string& domain)>& is_wanted) const;
  [[nodiscard]] std::optional<DomainDeliveries> domain(std::string_view name) const;
  struct ThroughHost {
    HostDeliveries deliveries;
    DomainDeliveries::Queue waiting;
  };
  // Of the domains whose mail went to the host, or should have.
  [[nodiscard]] std::map<std::string, ThroughHost> host(std::string_view name) const;
  [[nodiscard]] std::vector<Disagreement> disagreements() const;  // the newest first

  // A domain that mail goes to and that `is_watched` says no of.
  struct Proposal {
    std::string domain;
    std::uint64_t messages = 0;  // a month
    bool has_dane = false;       // Postfix found TLSA records
  };
  // Those with DANE first, then by messages.
  [[nodiscard]] std::vector<Proposal> proposals(
      const std::function<bool(const std::string&)>& is_watched, std::size_t most) const;

 private:
  struct ReadLog {
    std::string name;      // LogSource::name()
    std::string position;  // LogSource::position()
    bool operator==(const ReadLog&) const = default;
  };
  static constexpr std::size_t kMostLogs = 8;
  [[nodiscard]] static std::vector<ReadLog> with_first(std::vector<ReadLog> logs, ReadLog first);
  [[nodiscard]] static std::string text_of(const std::vector<ReadLog>& logs);
  [[nodiscard]] static std::vector<ReadLog> read_logs_from(const DeliveryStore::Kept& kept);

  void work(const std::stop_token& stop);
  [[nodiscard]] bool read_on() REQUIRES(reading_);
  void settle() REQUIRES(reading_);
  void keep_socket() REQUIRES(reading_);
  void save() REQUIRES(reading_);
  [[nodiscard]] DeliveryBook::Foretell foretell() const REQUIRES(mutex_);

  DeliveryStore& store_;
  World world_;
  config::Time began_;  // what was delivered before cannot be compared
  PolicyTable table_;

  // Who reads the log: taken before mutex_.
  mutable config::Mutex reading_;
  std::unique_ptr<LogSource> log_ GUARDED_BY(reading_);
  std::unique_ptr<probes::reports::MaillogReader> reader_ GUARDED_BY(reading_);
  DeliveryBook::Changes unsaved_ GUARDED_BY(reading_);
  // How far each log was read, as far as that is kept: the one read last first.
  std::vector<ReadLog> read_logs_ GUARDED_BY(reading_);
  std::string kept_reader_ GUARDED_BY(reading_);
  std::optional<std::string> store_fault_ GUARDED_BY(reading_);
  std::unique_ptr<PolicyServer> server_ GUARDED_BY(reading_);

  mutable config::Mutex mutex_;
  DeliveryBook book_ GUARDED_BY(mutex_);
  std::map<std::string, config::Time> excepted_ GUARDED_BY(mutex_);  // last time seen in force
  std::optional<std::string> log_fault_ GUARDED_BY(mutex_);
  std::optional<config::Time> last_line_at_ GUARDED_BY(mutex_);
  bool follows_log_ GUARDED_BY(mutex_) = false;
  bool serves_policy_ GUARDED_BY(mutex_) = false;

  config::Mutex waiting_;
  std::condition_variable_any wake_;
  std::jthread thread_;
};

}  // namespace agent
