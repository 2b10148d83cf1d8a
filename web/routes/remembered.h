#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "agent/watch/snapshot.h"
#include "config/mutex.h"
#include "storage/queries.h"
#include "web/days.h"
#include "web/routes/current.h"
#include "web/routes/last_looks.h"

// What the page asks of all domains again and again, kept from request to request, so that an
// answer costs as much as changed since the one before. Each may be asked from several threads.
namespace web {

// Where mail began to be held up lately.
class HeldUpLately {
 public:
  // What is true of a domain now; nothing where it is not watched any more.
  using DeliveryNow = std::function<std::optional<probes::Delivery>(const std::string& domain)>;

  // At how many domains mail is held up since `begin` or later; null when that cannot be read. The
  // first time, and once in kAnew, everything is read that changed since `begin`; else what was
  // recorded since the time before.
  // `is_wanted`: which domains are counted, of all that `now` knows.
  [[nodiscard]] std::optional<std::int64_t> count(
      config::Time begin, const DeliveryNow& now, storage::Queries& queries,
      const std::function<bool(const std::string& domain)>& is_wanted = [](const auto&) {
        return true;
      }) EXCLUDES(mutex_);

 private:
  static constexpr config::Seconds kAnew = std::chrono::hours{1};
  bool take_changes(config::Time begin, storage::Queries& queries) REQUIRES(mutex_);

  config::Mutex mutex_;
  // Domains whose verdict changed lately, and since when their mail is held up, once asked.
  std::map<std::string, std::optional<config::Time>> changed_ GUARDED_BY(mutex_);
  std::int64_t newest_ GUARDED_BY(mutex_) = 0;
  std::optional<config::Time> anew_at_ GUARDED_BY(mutex_);
};

// What happened to mail at all domains, or always at the same ones, for one length of time after
// another.
class SpansOfAll {
 public:
  struct Known {
    config::Time until;  // as of when
    DeliverySpans spans;
  };
  // Up to kOldest old as long as no verdict was recorded since.
  [[nodiscard]] config::Result<std::shared_ptr<const Known>, std::string> of(
      const storage::SpanQuery& query, storage::Queries& queries) EXCLUDES(mutex_);

 private:
  static constexpr config::Seconds kOldest{60};
  static constexpr std::size_t kMost = 4;  // lengths of time; the page knows two
  struct Kept {
    std::int64_t newest = 0;
    std::shared_ptr<const Known> known;
  };
  config::Mutex mutex_;
  std::map<config::Seconds, Kept> kept_ GUARDED_BY(mutex_);  // by length
};

// Which acts that were refused are put down: the first of a person and act in kAnew. Else readers
// could push what was done out of the list of acts.
class RefusedActs {
 public:
  [[nodiscard]] bool is_new(const std::string& by, std::string_view act, config::Time now)
      EXCLUDES(mutex_);

 private:
  static constexpr config::Seconds kAnew = std::chrono::hours{1};
  config::Mutex mutex_;
  std::map<std::pair<std::string, std::string>, config::Time> noted_ GUARDED_BY(mutex_);
};

// What was recorded of the domains that were not looked at since the start.
class RecordedReader {
 public:
  // Read once for a list as it is configured; `domains`: everybody's.
  [[nodiscard]] std::shared_ptr<const RecordedBriefs> of(const agent::DomainList& domains,
                                                         storage::Queries& queries)
      EXCLUDES(mutex_);

 private:
  config::Mutex mutex_;
  agent::DomainList::Order order_ GUARDED_BY(mutex_);  // of the list
  std::shared_ptr<const RecordedBriefs> known_ GUARDED_BY(mutex_);
};

struct Remembered {
  HeldUpLately held_up;
  SpansOfAll spans;
  SpansOfAll public_spans;  // of the domains of the public page
  LastLooksReader looks;
  RecordedReader recorded;
  RefusedActs refused;
};

}  // namespace web
