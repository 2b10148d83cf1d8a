#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "agent/watch/snapshot.h"
#include "config/mutex.h"
#include "storage/queries.h"

// What was known last of the domains of which nothing is known now: while danelaw cannot see, lists
// and pages keep it, and say that it is that.
namespace web {

struct LastLook {
  config::Time at;
  std::optional<probes::Verdict> verdict;
  probes::Status status = probes::Status::unknown;
  probes::Delivery delivery = probes::Delivery::unknown;
  struct Host {
    std::string name;
    std::optional<probes::Verdict> verdict;
    probes::Delivery delivery = probes::Delivery::unknown;
    std::vector<std::string> addresses;
    nlohmann::ordered_json tlsa;  // {"owner":…,"ttl":…}
  };
  std::vector<Host> hosts;
  // Their codes, severities and subjects, and what they follow from; read_words() has the rest.
  probes::Findings findings;

  [[nodiscard]] bool has_host(const std::string& name) const;
  [[nodiscard]] bool has_code(probes::Code code) const;
};
using LastLooks = std::map<std::string, std::shared_ptr<const LastLook>>;  // by domain

// An MX host as it was known last to the domains of which nothing is known now.
struct LastKnownHost {
  config::Time at;                   // of the newest look
  LastLook::Host host;               // as it is for the domain for which it was worst
  std::vector<std::string> domains;  // that used it, sorted
};
[[nodiscard]] std::optional<LastKnownHost> last_known_host(const LastLooks& looks,
                                                           const std::string& host);

// The finding as it was told then; null where that is not known any more.
[[nodiscard]] nlohmann::ordered_json read_words(const std::string& domain,
                                                const probes::Finding& finding,
                                                storage::Queries& queries);

// Of a few domains; those of which nothing was known are left out.
[[nodiscard]] LastLooks read_last_looks(const std::vector<std::string>& domains,
                                        storage::Queries& queries);

// Reads those of all domains of which nothing is known now, each once; kMost at most. May be asked
// from several threads.
class LastLooksReader {
 public:
  [[nodiscard]] LastLooks of(const agent::Snapshot& snapshot, storage::Queries& queries)
      EXCLUDES(mutex_);
  // They are not wanted any more.
  void forget() EXCLUDES(mutex_);

 private:
  static constexpr std::size_t kMost = 100'000;
  config::Mutex mutex_;
  LastLooks known_ GUARDED_BY(mutex_);
};

}  // namespace web
