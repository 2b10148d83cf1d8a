#pragma once

#include <array>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "agent/watch/runner.h"
#include "storage/queries.h"
#include "web/routes/last_looks.h"
#include "web/routes/query.h"
#include "web/routes/view.h"

// What holds now, as page, API and metrics show it alike: what the agent knows, whether or not it
// could be recorded. Storage is asked only for what lies back.
namespace web {

// Of a domain of which nothing is known now it is as good that it fitted when that was known last:
// lists show both.
struct DomainFilter {
  std::string substring;  // of the name; empty: all
  std::optional<probes::Status> status;
  std::optional<probes::Delivery> delivery;
  Whom whom;
  std::optional<probes::Verdict> verdict;
  std::set<probes::Code> codes;           // one of them is found there now; empty: all
  std::optional<probes::dns::Name> host;  // an MX host of it
  // The worst first, but names: they rise.
  enum class Sort { name, status, observed_at, delivery } sort = Sort::name;
  std::size_t offset = 0;
  std::size_t limit = 100;
};

struct DomainPage {
  std::vector<storage::DomainRow> rows;
  std::size_t total = 0;  // that fit the filter
};

// Alerts of that state, or all: firing first, then pending, both the worst first, then those that
// are over, the newest first; `limit` in all. Without storage only those that are over for hours
// are missing.
class CurrentAlerts {
 public:
  // `view`: whose the snapshot is; null: everybody's.
  CurrentAlerts(const agent::Snapshot& snapshot, storage::Queries& queries,
                std::optional<agent::AlertState> state, std::size_t limit,
                const View* view = nullptr);
  [[nodiscard]] const std::vector<const agent::Alert*>& alerts() const { return alerts_; }

 private:
  std::vector<agent::Alert> past_;
  std::vector<const agent::Alert*> alerts_;  // of the snapshot, which outlives this, and past_
};

// The alert as the agent knows it; null when it does not.
[[nodiscard]] const agent::Alert* find_alert(const agent::Snapshot& snapshot,
                                             const std::string& id);

// The domain's line; of one that was not looked at since the start as it was recorded last.
[[nodiscard]] storage::DomainRow current_row(const agent::DomainState& state,
                                             storage::Queries& queries);

// What was recorded, in brief, of the domains that were not looked at since the start: what lists
// are filtered, sorted and counted by. It does not change until they are.
struct RecordedBrief {
  config::Time observed_at = config::Time::min();
  std::optional<probes::Verdict> verdict;  // nothing: so with all the rest
  std::optional<probes::Code> worst;
  probes::Status status = probes::Status::unknown;
  probes::Delivery delivery = probes::Delivery::unknown;
};
class RecordedBriefs {
 public:
  RecordedBriefs() = default;  // of a list of which all were looked at
  // Reads them; of a list as it is configured now.
  RecordedBriefs(const agent::DomainList& domains, storage::Queries& queries);
  [[nodiscard]] bool is_whole() const { return is_whole_; }  // they could be read
  // Null: looked at since, or nothing is recorded.
  [[nodiscard]] const RecordedBrief* find(const agent::DomainList& domains,
                                          std::size_t place) const;

 private:
  std::vector<RecordedBrief> by_place_;
  bool is_whole_ = true;
};

// Watched domains; of those that were not looked at since the start as recorded last. `looks`: of
// those of which nothing is known now.
[[nodiscard]] DomainPage current_domains(const agent::Snapshot& snapshot, storage::Queries& queries,
                                         const RecordedBriefs& recorded, const DomainFilter& filter,
                                         const LastLooks& looks = {});

// Finds what is judged of one host among what is judged of domains. Domains mostly share the list
// of it (agent/watch/domain_judge), so that it is mostly known where it is: of as many lists as
// fit, in a table that is near at hand. The list it was asked of outlives it.
class FindHost {
 public:
  explicit FindHost(probes::dns::Name wanted) : wanted_(std::move(wanted)) {}
  // Null: the domain does not use the host.
  const probes::HostJudgement* operator()(const agent::DomainList& domains, std::size_t place);

 private:
  static constexpr std::size_t kSlots = std::size_t{1} << 16U;
  struct Slot {
    const void* list = nullptr;
    const probes::HostJudgement* found = nullptr;
  };
  probes::dns::Name wanted_;
  std::vector<Slot> known_;  // by hash
};

// How many there are of each status, and of each kind of delivery: ours and partners'.
struct Counts {
  std::array<std::size_t, probes::kStatusCount> by_status{};
  struct Roles {
    std::size_t inbound = 0, outbound = 0;
  };
  std::array<Roles, probes::kDeliveryCount> by_delivery{};

  void add(const agent::DomainList& domains, std::size_t place, const RecordedBriefs& recorded);
};

// How many there are of each kind as far as that was known last, each domain by its last look that
// could tell. Null when nothing was ever known.
struct LastKnown {
  config::Time at;  // of the newest of those looks
  Counts counts;    // their by_delivery
};
[[nodiscard]] std::optional<LastKnown> last_known(const agent::Snapshot& snapshot,
                                                  storage::Queries& queries);

// Counts of all, and of each group.
[[nodiscard]] Counts all_counts(const agent::Snapshot& snapshot, const RecordedBriefs& recorded);
[[nodiscard]] std::map<std::string, Counts> counts_by_group(const agent::Snapshot& snapshot,
                                                            const RecordedBriefs& recorded);

}  // namespace web
