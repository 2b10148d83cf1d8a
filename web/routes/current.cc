#include "web/routes/current.h"

#include <algorithm>
#include <map>
#include <set>
#include <tuple>

#include "agent/watch/inventory.h"

namespace web {
namespace {

using agent::Alert;
using agent::AlertState;
using storage::DomainRow;

int rank(AlertState state) {
  switch (state) {
    case AlertState::firing:
      return 0;
    case AlertState::pending:
      return 1;
    case AlertState::resolved:
    case AlertState::passed:
      return 2;
  }
  return 2;
}

bool is_over(AlertState state) {
  return rank(state) == 2;
}

bool comes_before(const Alert& a, const Alert& b) {
  const auto key = [](const Alert& alert) {
    const auto severity = is_over(alert.state) ? 0 : -static_cast<int>(alert.finding.severity);
    const auto when = alert.resolved_at.value_or(alert.opened_at.value_or(alert.first_seen_at));
    return std::tuple(rank(alert.state), severity, -when.time_since_epoch(),
                      std::string_view(alert.id));
  };
  return key(a) < key(b);
}

std::vector<Alert> narrowed(const std::vector<Alert>& alerts, const Theirs& theirs) {
  std::vector<Alert> out;
  for (const auto& alert : alerts) {
    if (auto mine = theirs.narrowed(alert)) out.push_back(*std::move(mine));
  }
  return out;
}

// What was seen before the start, with what is configured now.
DomainRow merged(DomainRow now, const DomainRow& recorded) {
  auto out = recorded;
  out.role = std::move(now.role);
  out.group = std::move(now.group);
  out.next_check_at = now.next_check_at;
  return out;
}

// What a list is made of before it is known which lines are shown.
struct Line {
  const agent::DomainList* domains;
  std::size_t place;
  const RecordedBrief* recorded;  // null once it was looked at
  probes::Status status;
  probes::Delivery delivery;
  config::Time observed_at;
  const LastLook* look = nullptr;  // where nothing is known now

  [[nodiscard]] const agent::DomainState& state() const { return (*domains)[place]; }
  [[nodiscard]] const agent::DomainBrief& brief() const { return domains->brief(place); }
  [[nodiscard]] const config::Domain& configured() const { return *state().configured; }
};

Line line_of(const agent::DomainList& domains, std::size_t place, const RecordedBriefs& recorded) {
  const auto& brief = domains.brief(place);
  Line out{&domains, place, nullptr, brief.status, brief.delivery, brief.observed_at};
  out.recorded = recorded.find(domains, place);
  if (out.recorded == nullptr) return out;
  out.status = out.recorded->status;
  out.delivery = out.recorded->delivery;
  out.observed_at = out.recorded->observed_at;
  return out;
}

RecordedBrief brief_of(const DomainRow& row) {
  return {.observed_at = row.observed_at.value_or(config::Time::min()),
          .verdict = row.verdict ? probes::verdict_from(*row.verdict) : std::nullopt,
          .worst = row.worst_code ? probes::code_from(*row.worst_code) : std::nullopt,
          .status = row.status,
          .delivery = row.delivery};
}

// Few rows are read one by one, many at once.
constexpr std::size_t kFew = 1000;
std::map<std::string, DomainRow> rows_of(const std::vector<std::string>& names,
                                         storage::Queries& queries) {
  std::map<std::string, DomainRow> out;
  if (names.size() > kFew) {
    auto rows = queries.domains();
    for (auto& row : rows.value_or(std::vector<DomainRow>{})) out.emplace(row.name, std::move(row));
    return out;
  }
  for (const auto& name : names) {
    if (auto row = queries.domain(name); row && *row) out.emplace(name, **std::move(row));
  }
  return out;
}

// What was found when that was known last.
bool had(const LastLook& look, const DomainFilter& filter) {
  return (!filter.verdict || look.verdict == *filter.verdict) &&
         (filter.codes.empty() ||
          std::ranges::any_of(filter.codes, [&](auto code) { return look.has_code(code); })) &&
         (!filter.host || look.has_host(filter.host->text())) &&
         (!filter.status || look.status == *filter.status) &&
         (!filter.delivery || look.delivery == *filter.delivery);
}

// What is found; of what was not looked at since the start only what its line says is known.
bool has(const Line& line, const DomainFilter& filter, FindHost& find_host) {
  if (filter.status && line.status != *filter.status) return false;
  if (filter.delivery && line.delivery != *filter.delivery) return false;
  const auto& brief = line.brief();
  if (filter.verdict) {
    const auto is_it = brief.is_judged
                           ? brief.verdict == *filter.verdict
                           : line.recorded != nullptr && line.recorded->verdict == filter.verdict;
    if (!is_it) return false;
  }
  const auto is_there = [&](probes::Code code) {
    if (!brief.is_judged) return line.recorded != nullptr && line.recorded->worst == code;
    if (!brief.has_findings) return false;
    const auto& findings = line.state().judged->findings;
    return std::ranges::find(findings, code, &probes::Finding::code) != findings.end();
  };
  if (!filter.codes.empty() && std::ranges::none_of(filter.codes, is_there)) return false;
  return !filter.host || find_host(*line.domains, line.place) != nullptr;
}

// By the name and what the operator says of it.
bool is_asked_for(const Line& line, const DomainFilter& filter) {
  if (filter.substring.empty() && filter.whom.is_everybody()) return true;
  const auto& configured = line.configured();
  return filter.whom.fits(configured) &&
         configured.name.find(filter.substring) != std::string::npos;
}

bool fits(const Line& line, const DomainFilter& filter, FindHost& find_host) {
  return (has(line, filter, find_host) || (line.look != nullptr && had(*line.look, filter))) &&
         is_asked_for(line, filter);
}

// Smaller ones come first; among equals the name decides.
std::int64_t weight(const Line& line, DomainFilter::Sort order) {
  switch (order) {
    case DomainFilter::Sort::name:
      return 0;
    case DomainFilter::Sort::status:
      return probes::rank(line.look != nullptr ? line.look->status : line.status);
    case DomainFilter::Sort::observed_at:
      return line.observed_at.time_since_epoch().count();
    case DomainFilter::Sort::delivery: {
      const auto is_theirs = line.brief().role == config::Role::outbound ? 1 : 0;
      const auto delivery = line.look != nullptr ? line.look->delivery : line.delivery;
      const auto status = line.look != nullptr ? line.look->status : line.status;
      return std::int64_t{probes::rank(delivery)} * 100 + probes::rank(status) * 10 + is_theirs;
    }
  }
  return 0;
}

}  // namespace

const probes::HostJudgement* FindHost::operator()(const agent::DomainList& domains,
                                                  std::size_t place) {
  const auto* list = domains.brief(place).hosts;
  if (list == nullptr) return nullptr;
  if (known_.empty()) known_.resize(kSlots);
  // Objects on the heap differ from the fifth bit on.
  auto& slot = known_[(reinterpret_cast<std::uintptr_t>(list) >> 4U) % kSlots];
  if (slot.list != list)
    slot = {.list = list, .found = agent::judgement_of(wanted_, domains[place].judged.get()).get()};
  return slot.found;
}

RecordedBriefs::RecordedBriefs(const agent::DomainList& domains, storage::Queries& queries) {
  if (!agent::is_any(domains, [](const auto& brief) { return !brief.is_judged; })) return;
  by_place_.resize(domains.size());
  const auto take = [&](std::uint32_t place, const DomainRow& row) {
    if (row.verdict) by_place_[place] = brief_of(row);
  };
  const auto name_at = [&](std::uint32_t place) -> const std::string& {
    return domains[place].configured->name;
  };
  if (domains.size() <= kFew) {
    for (std::uint32_t place = 0; place < domains.size(); ++place) {
      if (domains.brief(place).is_judged) continue;
      const auto row = queries.domain(name_at(place));
      if (row && *row) take(place, **row);
      is_whole_ = is_whole_ && row;
    }
    return;
  }
  // Both are in the order of names.
  const auto order = domains.by_name();
  auto next = order->begin();
  is_whole_ = queries
                  .each_domain([&](const DomainRow& row) {
                    while (next != order->end() && name_at(*next) < row.name) ++next;
                    if (next != order->end() && name_at(*next) == row.name) take(*next, row);
                  })
                  .has_value();
}

const RecordedBrief* RecordedBriefs::find(const agent::DomainList& domains,
                                          std::size_t place) const {
  if (place >= by_place_.size() || domains.brief(place).is_judged) return nullptr;
  const auto& out = by_place_[place];
  return out.verdict ? &out : nullptr;
}

const Alert* find_alert(const agent::Snapshot& snapshot, const std::string& id) {
  for (const auto* alerts : {&snapshot.alerts, &snapshot.ended, &snapshot.passed}) {
    const auto found = std::ranges::find(*alerts, id, &Alert::id);
    if (found != alerts->end()) return &*found;
  }
  return nullptr;
}

CurrentAlerts::CurrentAlerts(const agent::Snapshot& snapshot, storage::Queries& queries,
                             std::optional<AlertState> state, std::size_t limit, const View* view) {
  std::set<std::string_view> known;
  const auto is_wanted = [&](const Alert& alert) { return !state || alert.state == *state; };
  for (const auto* alerts : {&snapshot.alerts, &snapshot.ended, &snapshot.passed}) {
    for (const auto& alert : *alerts) {
      known.insert(alert.id);
      if (is_wanted(alert)) alerts_.push_back(&alert);
    }
  }
  if (!state || is_over(*state)) {
    // What storage takes for open and the agent does not is over, and not recorded yet.
    past_ = queries.alerts(state, limit + known.size()).value_or(std::vector<Alert>{});
    if (view != nullptr) past_ = narrowed(past_, view->theirs());
    for (const auto& alert : past_) {
      if (is_over(alert.state) && !known.contains(alert.id)) alerts_.push_back(&alert);
    }
  }
  std::ranges::sort(alerts_, [](const Alert* a, const Alert* b) { return comes_before(*a, *b); });
  if (alerts_.size() > limit) alerts_.resize(limit);
}

DomainRow current_row(const agent::DomainState& state, storage::Queries& queries) {
  auto out = storage::row_of(state);
  if (state.judged) return out;
  const auto recorded = queries.domain(state.configured->name);
  if (recorded && *recorded) return merged(std::move(out), **recorded);
  return out;
}

DomainPage current_domains(const agent::Snapshot& snapshot, storage::Queries& queries,
                           const RecordedBriefs& recorded, const DomainFilter& filter,
                           const LastLooks& looks) {
  const auto& domains = snapshot.domains;
  const auto line_at = [&](std::size_t place) {
    auto out = line_of(domains, place, recorded);
    if (out.delivery == probes::Delivery::unknown && !looks.empty()) {
      const auto known = looks.find(out.configured().name);
      if (known != looks.end()) out.look = known->second.get();
    }
    return out;
  };
  // Only what is shown is put in order: there may be very many that fit.
  struct Found {
    std::int64_t weight;
    std::uint32_t number;  // by name
    auto operator<=>(const Found&) const = default;
  };
  const auto order = domains.by_name();
  FindHost find_host{filter.host.value_or(probes::dns::Name{})};
  std::vector<Found> found;
  for (std::uint32_t number = 0; number < order->size(); ++number) {
    const auto line = line_at((*order)[number]);
    if (fits(line, filter, find_host)) found.push_back({weight(line, filter.sort), number});
  }
  const auto end = std::min(filter.offset + std::min(filter.limit, found.size()), found.size());
  const auto begin = std::min(filter.offset, end);
  const auto at = [&](std::size_t place) {
    return found.begin() + static_cast<std::ptrdiff_t>(place);
  };
  if (filter.sort != DomainFilter::Sort::name) {
    std::ranges::nth_element(found, at(begin));
    std::ranges::partial_sort(at(begin), at(end), found.end());
  }
  std::vector<std::string> unseen;
  for (auto place = begin; place < end; ++place) {
    const auto line = line_at((*order)[found[place].number]);
    if (line.recorded != nullptr) unseen.push_back(line.configured().name);
  }
  const auto rows = rows_of(unseen, queries);
  DomainPage out{.rows = {}, .total = found.size()};
  for (auto place = begin; place < end; ++place) {
    auto row = storage::row_of(domains[(*order)[found[place].number]]);
    const auto known = rows.find(row.name);
    out.rows.push_back(known == rows.end() ? std::move(row)
                                           : merged(std::move(row), known->second));
  }
  return out;
}

void Counts::add(const agent::DomainList& domains, std::size_t place,
                 const RecordedBriefs& recorded) {
  const auto line = line_of(domains, place, recorded);
  ++by_status[static_cast<std::size_t>(line.status)];
  auto& roles = by_delivery[static_cast<std::size_t>(line.delivery)];
  ++(domains.brief(place).role == config::Role::inbound ? roles.inbound : roles.outbound);
}

std::optional<LastKnown> last_known(const agent::Snapshot& snapshot, storage::Queries& queries) {
  const auto rows = queries.domains();
  if (!rows) return std::nullopt;
  std::map<std::string_view, const DomainRow*> by_name;
  for (const auto& row : *rows) by_name.emplace(row.name, &row);
  LastKnown out{.at = config::Time::min(), .counts = {}};
  for (const auto& state : snapshot.domains) {
    const auto entry = by_name.find(state.configured->name);
    const bool is_known = entry != by_name.end() && entry->second->known;
    const auto delivery = is_known ? entry->second->known->delivery : probes::Delivery::unknown;
    auto& roles = out.counts.by_delivery[static_cast<std::size_t>(delivery)];
    ++(state.configured->role == config::Role::inbound ? roles.inbound : roles.outbound);
    if (is_known) out.at = std::max(out.at, entry->second->known->at);
  }
  return out.at == config::Time::min() ? std::nullopt : std::optional{std::move(out)};
}

Counts all_counts(const agent::Snapshot& snapshot, const RecordedBriefs& recorded) {
  Counts out;
  for (std::size_t i = 0; i < snapshot.domains.size(); ++i) out.add(snapshot.domains, i, recorded);
  return out;
}

std::map<std::string, Counts> counts_by_group(const agent::Snapshot& snapshot,
                                              const RecordedBriefs& recorded) {
  std::map<std::string, Counts> out;
  for (std::size_t i = 0; i < snapshot.domains.size(); ++i)
    out[snapshot.domains[i].configured->group].add(snapshot.domains, i, recorded);
  return out;
}

}  // namespace web
