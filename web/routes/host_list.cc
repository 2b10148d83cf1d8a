#include <algorithm>
#include <array>
#include <map>
#include <set>
#include <tuple>
#include <unordered_map>

#include "probes/explain.h"
#include "probes/status.h"
#include "web/rollover.h"
#include "web/routes/api.h"
#include "web/routes/csv.h"
#include "web/routes/deadlines.h"
#include "web/routes/parts.h"
#include "web/routes/query.h"

// All MX hosts, in a line each.
namespace web {
namespace {

using Json = nlohmann::ordered_json;
using probes::Delivery;

enum class Sort { delivery, name, domains, next_deadline_at };

std::optional<Sort> sort_from(std::string_view name) {
  constexpr std::array<std::pair<std::string_view, Sort>, 4> kSorts{
      {{"delivery", Sort::delivery},
       {"name", Sort::name},
       {"domains", Sort::domains},
       {"next_deadline_at", Sort::next_deadline_at}}};
  const auto* const found =
      std::ranges::find(kSorts, name, &std::pair<std::string_view, Sort>::first);
  return found == kSorts.end() ? std::nullopt : std::optional{found->second};
}

std::optional<std::string> state_from(const std::string& name) {
  for (int i = 0; i <= static_cast<int>(agent::RolloverState::unknown); ++i) {
    if (wire_name(static_cast<agent::RolloverState>(i)) == name) return name;
  }
  return std::nullopt;
}

constexpr Column kColumns[] = {{"host", "/host"},
                               {"delivery", "/delivery"},
                               {"delivery_since", "/delivery_since"},
                               {"verdict", "/verdict"},
                               {"domains", "/domains"},
                               {"held_up", "/held_up"},
                               {"state", "/state"},
                               {"next_deadline_at", "/next_deadline/at"},
                               {"next_deadline", "/next_deadline/kind"},
                               {"alerts", "/alerts"},
                               {"observed_at", "/observed_at"},
                               {"status", "/status"},
                               {"worst_finding", "/worst_finding/code"},
                               {"title", "/worst_finding/title"},
                               {"last_known", "/last_known/delivery"},
                               {"last_known_at", "/last_known/observed_at"}};

// A host, gathered in one walk through all domains.
struct Line {
  std::string name;
  const probes::HostObservation* seen = nullptr;  // null: not since the start
  std::optional<probes::Verdict> verdict;         // of the domain for which it is worst
  Delivery delivery = Delivery::unknown;
  probes::Status status = probes::Status::unknown;  // of the domain for which that is worst
  const probes::Finding* worst = nullptr;           // found at it there; null: nothing is
  std::size_t domains = 0, held_up = 0;
  bool is_asked_for = false;  // a domain of the group and role uses it
  bool has_code = false;      // what is asked for is found at it
  std::optional<std::string> state;
  bool is_rolling = false;  // a change of its key is under way
  std::size_t alerts = 0;
  // What was known last to a domain of which nothing is known now, and for which it was worst.
  const LastLook::Host* known = nullptr;
  config::Time known_at;

  // Nothing is known of it now.
  [[nodiscard]] bool is_last_known() const {
    return delivery == Delivery::unknown && known != nullptr;
  }
  // What lists go by.
  [[nodiscard]] Delivery shown(bool is_blind) const {
    return is_blind && is_last_known() ? known->delivery : delivery;
  }

  void take(const LastLook& look, const LastLook::Host& host) {
    known_at = std::max(known_at, look.at);
    if (known == nullptr || rank(host.delivery) < rank(known->delivery)) known = &host;
  }

  void take(probes::Status found, const probes::Finding* what) {
    const auto weight = [](probes::Status one, const probes::Finding* finding) {
      return std::pair(rank(one), finding == nullptr ? 1 : -static_cast<int>(finding->severity));
    };
    if (verdict && weight(found, what) >= weight(status, worst)) return;
    status = found;
    worst = what;
  }
};

Json last_known_json(const Line& line) {
  if (!line.is_last_known()) return nullptr;
  const auto& then = *line.known;
  return {{"delivery", wire_name(then.delivery)},
          {"verdict", then.verdict ? Json(wire_name(*then.verdict)) : Json(nullptr)},
          {"observed_at", config::rfc3339(line.known_at)}};
}

// While danelaw cannot see it is as good that a host fitted when that was known last.
struct Filter {
  bool is_blind = false;
  std::string substring;
  std::optional<probes::Verdict> verdict;
  std::optional<Delivery> delivery;
  std::optional<std::string> state;
  bool is_rolling = false;       // only those whose key is being changed
  std::set<probes::Code> codes;  // one of them is found at it; empty: all
  Whom whom;                     // of the domains that use it

  [[nodiscard]] bool fits(const Line& line) const {
    return line.is_asked_for && line.name.find(substring) != std::string::npos &&
           (!verdict || line.verdict == verdict ||
            (is_blind && line.is_last_known() && line.known->verdict == verdict)) &&
           (!delivery || line.delivery == *delivery || line.shown(is_blind) == *delivery) &&
           (!state || line.state == state) && (!is_rolling || line.is_rolling) &&
           (codes.empty() || line.has_code);
  }
};

class Lines {
 public:
  // `looks` outlives it.
  Lines(const agent::Snapshot& snapshot, const LastLooks& looks) : looks_(looks) {
    lines_.reserve(snapshot.hosts.size());
    for (const auto& [name, seen] : snapshot.hosts) {
      by_name_.emplace(name.text(), lines_.size());
      lines_.push_back({.name = name.text(), .seen = seen.get()});
    }
    for (const auto& [domain, look] : looks) {
      for (const auto& host : look->hosts) {
        if (by_name_.try_emplace(host.name, lines_.size()).second)
          lines_.push_back({.name = host.name});
      }
    }
  }

  void take(const agent::DomainState& state, const Filter& filter) {
    const auto look = looks_.find(state.configured->name);
    if (look != looks_.end()) take(state, *look->second, filter);
    if (!state.judged) return;
    const auto fate = probes::delivery_of(*state.judged);
    const bool is_asked_for = filter.whom.fits(*state.configured);
    for (const auto& finding : state.judged->findings) {
      if (finding.subject.kind != probes::Subject::Kind::host) continue;
      if (!filter.codes.contains(finding.code)) continue;
      if (auto* line = find(finding.subject.name)) line->has_code = true;
    }
    // Where danelaw cannot see none was judged, and the domain uses those of its last look.
    if (state.judged->hosts.empty() && look == looks_.end()) {
      const auto seen = state.judged->seen.open();
      for (const auto& mx : seen->hosts) {
        auto* line = find(mx.name.text());
        if (line == nullptr) continue;
        ++line->domains;
        line->is_asked_for = line->is_asked_for || is_asked_for;
      }
    }
    for (const auto& judged : state.judged->hosts) {
      auto* line = find(judged);
      if (line == nullptr) continue;
      ++line->domains;
      if (fate == Delivery::held_up) ++line->held_up;
      line->is_asked_for = line->is_asked_for || is_asked_for;
      line->take(probes::status_of(*state.judged, judged),
                 probes::worst_finding(*state.judged, judged));
      const auto delivery = probes::delivery_of(judged);
      if (line->verdict && rank(delivery) >= rank(line->delivery)) continue;
      line->verdict = judged.verdict;
      line->delivery = delivery;
    }
  }

  void take(const agent::Snapshot::Followed& followed, config::Time now) {
    auto* line = find(followed.host->host.text());
    if (line == nullptr) return;
    // Of keys that are not seen nothing is said.
    const auto state = probes::shows_certificate(*followed.host) ? followed.rollovers->at(now).state
                                                                 : agent::RolloverState::unknown;
    line->state = wire_name(state);
    line->is_rolling = followed.rolling_since.has_value();
  }

  void take(const agent::Alert& alert) {
    if (alert.state != agent::AlertState::firing) return;
    std::set<Line*> hit;
    const auto hit_at = [&](const probes::Subject& subject) {
      if (subject.kind != probes::Subject::Kind::host) return;
      if (auto* line = find(subject.name)) hit.insert(line);
    };
    hit_at(alert.cause);
    hit_at(alert.finding.subject);
    for (const auto& one : alert.hits) hit_at(one.subject);
    for (auto* line : hit) ++line->alerts;
  }

  [[nodiscard]] std::vector<const Line*> those(const Filter& filter) const {
    std::vector<const Line*> out;
    for (const auto& line : lines_) {
      if (filter.fits(line)) out.push_back(&line);
    }
    return out;
  }

 private:
  void take(const agent::DomainState& state, const LastLook& look, const Filter& filter) {
    const bool is_asked_for = filter.whom.fits(*state.configured);
    const bool is_judged = state.judged && !state.judged->hosts.empty();
    for (const auto& host : look.hosts) {
      auto* line = find(host.name);
      line->take(look, host);
      if (!is_judged) ++line->domains;
      line->is_asked_for = line->is_asked_for || is_asked_for;
    }
    for (const auto& finding : look.findings) {
      if (finding.subject.kind != probes::Subject::Kind::host) continue;
      auto* line = filter.codes.contains(finding.code) ? find(finding.subject.name) : nullptr;
      if (line != nullptr) line->has_code = true;
    }
  }

  Line* find(const std::string& name) {
    const auto entry = by_name_.find(name);
    return entry == by_name_.end() ? nullptr : &lines_[entry->second];
  }

  // Domains mostly share what is judged of a host.
  Line* find(const probes::HostJudgement& judged) {
    const auto [known, is_new] = by_judgement_.try_emplace(&judged, nullptr);
    if (is_new) known->second = find(judged.seen->host.text());
    return known->second;
  }

  const LastLooks& looks_;
  std::vector<Line> lines_;  // all of them, once it is made
  std::unordered_map<std::string, std::size_t> by_name_;
  std::unordered_map<const probes::HostJudgement*, Line*> by_judgement_;
};

using Deadlines = std::map<std::string, Json>;

// Those that have none come last.
std::string deadline_of(const Deadlines& deadlines, const std::string& host) {
  const auto entry = deadlines.find(host);
  if (entry == deadlines.end() || entry->second.is_null()) return "~";
  return entry->second.at("at").get<std::string>();
}

void sort(std::vector<const Line*>& lines, Sort order, const Deadlines& deadlines, bool is_blind) {
  const auto weight = [&](const Line& line) -> std::int64_t {
    switch (order) {
      case Sort::delivery:
        return rank(line.shown(is_blind));
      case Sort::domains:
        return -static_cast<std::int64_t>(line.domains);
      case Sort::name:
      case Sort::next_deadline_at:
        return 0;
    }
    return 0;
  };
  std::ranges::sort(lines, {}, [&](const Line* line) {
    return std::tuple(
        weight(*line),
        order == Sort::next_deadline_at ? deadline_of(deadlines, line->name) : std::string(),
        std::string_view(line->name));
  });
}

std::set<std::string> names_of(const std::vector<const Line*>& lines) {
  std::set<std::string> out;
  for (const auto* line : lines) out.insert(line->name);
  return out;
}

}  // namespace

Reply Api::hosts(const Call& call) const {
  Query query(call.request);
  const auto snapshot = backend_.snapshot();
  const Filter filter{
      .is_blind = !agent::can_see(snapshot->vantage),
      .substring = query.text("q").value_or(""),
      .verdict = query.word("verdict", probes::verdict_from),
      .delivery = query.word("delivery", probes::delivery_from),
      .state = query.word("state", state_from),
      .is_rolling = query.says("rolling", "yes"),
      .codes = query.words("code", probes::code_from).value_or(std::set<probes::Code>{}),
      .whom = whom(query)};
  const auto order = query.word("sort", sort_from).value_or(Sort::delivery);
  const auto part = query.part(kMostItems);
  if (auto fault = query.fault()) return *std::move(fault);
  const auto looks = last_looks(*snapshot);
  Lines lines(*snapshot, looks);
  for (const auto& state : snapshot->domains) lines.take(state, filter);
  for (const auto& followed : snapshot->rollovers) lines.take(followed, snapshot->now);
  for (const auto& alert : snapshot->alerts) lines.take(alert);
  auto found = lines.those(filter);
  const auto total = found.size();
  Deadlines deadlines;
  if (order == Sort::next_deadline_at) deadlines = next_deadlines(*snapshot, names_of(found));
  sort(found, order, deadlines, filter.is_blind);
  found.erase(found.begin(),
              found.begin() + static_cast<std::ptrdiff_t>(std::min(part.offset, total)));
  if (found.size() > part.limit) found.resize(part.limit);
  if (order != Sort::next_deadline_at) deadlines = next_deadlines(*snapshot, names_of(found));
  std::map<std::string, Delivery> asked;
  for (const auto* line : found) asked.emplace(line->name, line->delivery);
  const auto since = since_of(asked, storage::Whose::hosts);
  Json items = Json::array();
  for (const auto* line : found) {
    items.push_back({{"host", line->name},
                     {"verdict", line->verdict ? Json(wire_name(*line->verdict)) : Json(nullptr)},
                     {"delivery", wire_name(line->delivery)},
                     {"delivery_since", since_json(since, line->name)},
                     {"status", wire_name(line->status)},
                     {"worst_finding", worst_json(line->worst)},
                     {"domains", line->domains},
                     {"held_up", line->held_up},
                     {"state", text_or_null(line->state)},
                     {"next_deadline", deadlines[line->name]},
                     {"alerts", line->alerts},
                     {"observed_at", config::rfc3339(line->seen != nullptr ? line->seen->observed_at
                                                                           : line->known_at)},
                     {"last_known", last_known_json(*line)}});
  }
  if (part.is_table) return csv("mx", kColumns, items);
  return page_of(std::move(items), part.offset, total);
}

}  // namespace web
