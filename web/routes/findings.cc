#include <algorithm>
#include <functional>
#include <map>
#include <set>
#include <tuple>

#include "probes/explain.h"
#include "probes/report.h"
#include "web/routes/api.h"
#include "web/routes/csv.h"
#include "web/routes/parts.h"
#include "web/routes/query.h"

// What is found now.
namespace web {
namespace {

using Json = nlohmann::ordered_json;

constexpr Column kColumns[] = {{"domain", "/domain"}, {"severity", "/severity"},
                               {"code", "/code"},     {"subject", "/subject/name"},
                               {"title", "/title"},   {"since", "/since"}};
constexpr Column kCauseColumns[] = {{"severity", "/severity"},     {"code", "/code"},
                                    {"subject", "/subject/name"},  {"title", "/title"},
                                    {"domains", "/domains_count"}, {"since", "/since"}};

struct Filter {
  std::optional<probes::Code> code;
  std::optional<probes::Severity> severity;
  std::optional<std::string> domain;
  Whom whom;

  [[nodiscard]] bool fits(const agent::DomainState& state) const {
    return state.judged && (!domain || state.configured.name == *domain) &&
           whom.fits(state.configured);
  }
  [[nodiscard]] bool fits(const probes::Finding& finding) const {
    return (!code || finding.code == *code) && (!severity || finding.severity == *severity);
  }
};

// Since when it is found: as the alert that is open about it has it. What opens none has no past.
class Since {
 public:
  explicit Since(const agent::Snapshot& snapshot) {
    for (const auto& alert : snapshot.alerts) {
      note(alert.finding.code, alert.cause, alert.first_seen_at);
      note(alert.finding.code, alert.finding.subject, alert.first_seen_at);
      for (const auto& hit : alert.hits) note(alert.finding.code, hit.subject, alert.first_seen_at);
    }
  }
  [[nodiscard]] Json of(const probes::Finding& finding) const {
    const auto entry = times_.find({finding.code, finding.subject});
    return entry == times_.end() ? Json(nullptr) : Json(config::rfc3339(entry->second));
  }

 private:
  void note(probes::Code code, const probes::Subject& subject, config::Time at) {
    const auto [entry, is_new] = times_.try_emplace({code, subject}, at);
    if (!is_new) entry->second = std::min(entry->second, at);
  }
  std::map<std::pair<probes::Code, probes::Subject>, config::Time> times_;
};

// One trouble, at however many domains it shows.
struct Cause {
  const probes::Finding* worst = nullptr;
  std::vector<std::string> some;
  std::size_t domains = 0;
};

}  // namespace

// Of each domain in the order of the configuration, worst first in each; or by what is wrong where,
// the worst first, then the most domains.
Reply Api::findings(const Call& call) const {
  Query query(call.request);
  const Filter filter{.code = query.word("code", probes::code_from),
                      .severity = query.word("severity", probes::severity_from),
                      .domain = query.text("domain"),
                      .whom = whom(query)};
  const bool is_by_cause = query
                               .word("group_by",
                                     [](const std::string& word) {
                                       return word == "cause" ? std::optional{true} : std::nullopt;
                                     })
                               .value_or(false);
  const auto part = query.part(kMostItems);
  if (auto fault = query.fault()) return *std::move(fault);
  const auto snapshot = backend_.snapshot();
  const Since since(*snapshot);
  Json items = Json::array();
  std::size_t total = 0;
  const auto is_shown = [&] { return total++ >= part.offset && items.size() < part.limit; };
  std::map<std::pair<probes::Code, probes::Subject>, Cause> causes;
  for (const auto& state : snapshot->domains) {
    if (!filter.fits(state)) continue;
    for (const auto& finding : state.judged->findings) {
      if (!filter.fits(finding)) continue;
      if (is_by_cause) {
        auto& cause = causes[{finding.code, finding.subject}];
        if (cause.worst == nullptr || finding.severity > cause.worst->severity)
          cause.worst = &finding;
        auto& some = cause.some;
        if (!some.empty() && some.back() == state.configured.name) continue;  // counted already
        ++cause.domains;
        if (some.size() < kMostNames) some.push_back(state.configured.name);
      } else if (is_shown()) {
        Json item{{"domain", state.configured.name}};
        item.update(probes::to_json(finding));
        item["since"] = since.of(finding);
        items.push_back(std::move(item));
      }
    }
  }
  std::vector<const Cause*> ordered;
  for (const auto& [key, cause] : causes) ordered.push_back(&cause);
  std::ranges::stable_sort(ordered, std::greater{}, [](const Cause* cause) {
    return std::pair(cause->worst->severity, cause->domains);
  });
  for (const auto* cause : ordered) {
    if (!is_shown()) continue;
    const auto& finding = *cause->worst;
    items.push_back({{"code", wire_name(finding.code)},
                     {"severity", wire_name(finding.severity)},
                     {"subject",
                      {{"kind", wire_name(finding.subject.kind)},
                       {"name", probes::printable(finding.subject.name)}}},
                     {"title", probes::explain(finding).title},
                     {"domains", cause->some},
                     {"domains_count", cause->domains},
                     {"since", since.of(finding)}});
  }
  if (part.is_table) return csv("findings", is_by_cause ? kCauseColumns : kColumns, items);
  return page_of(std::move(items), part.offset, total);
}

}  // namespace web
