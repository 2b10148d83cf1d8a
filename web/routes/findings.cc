#include <algorithm>
#include <functional>
#include <iterator>
#include <map>
#include <set>
#include <utility>

#include "agent/alerts/lifecycle.h"
#include "agent/alerts/troubles.h"
#include "probes/cause_of.h"
#include "probes/causes.h"
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
constexpr Column kCauseColumns[] = {{"severity", "/severity"},        {"code", "/code"},
                                    {"subject", "/subject/name"},     {"title", "/title"},
                                    {"domains", "/domains_count"},    {"since", "/since"},
                                    {"consequences", "/consequences"}};

struct Filter {
  std::optional<probes::Code> code;
  std::optional<probes::Severity> severity;
  std::optional<std::string> domain;
  std::optional<probes::Verdict> verdict;  // of the domain
  Whom whom;

  [[nodiscard]] bool fits(const agent::DomainState& state) const {
    return state.judged && (!domain || state.configured.name == *domain) &&
           (!verdict || state.judged->verdict == *verdict) && whom.fits(state.configured);
  }
  // But for its code, among which the reader may want to choose.
  [[nodiscard]] bool almost_fits(const probes::Finding& finding) const {
    return !severity || finding.severity == *severity;
  }
  [[nodiscard]] bool fits(const probes::Finding& finding) const {
    return almost_fits(finding) && (!code || finding.code == *code);
  }
};

// One finding, or by cause one trouble at however many domains it shows.
struct Row {
  const probes::Finding* finding = nullptr;  // by cause: the worst of those that are no consequence
  probes::Severity severity = probes::Severity::info;  // the worst of all
  probes::Subject cause;
  std::set<probes::Code> codes;  // by cause: of the findings that are no consequence
  std::map<probes::Code, const probes::Finding*> consequences;  // by cause: what follows from them
  std::vector<std::string> some;                                // of the domains
  std::size_t domains = 0;
  std::set<probes::Subject> subjects;  // by cause: where it is found
};

// Since when it is found: as the alert that is open about it has it, else as it was recorded of a
// few of its domains.
class Since {
 public:
  Since(const agent::Snapshot& snapshot, storage::Queries& queries, const std::vector<Row>& rows) {
    for (const auto& alert : snapshot.alerts) {
      note(alert.finding.code, alert.cause, alert.first_seen_at);
      note(alert.finding.code, alert.finding.subject, alert.first_seen_at);
      for (const auto& hit : alert.hits) note(alert.finding.code, hit.subject, alert.first_seen_at);
    }
    std::set<std::string> asked;
    for (const auto& row : rows) {
      if (of_alert(row)) continue;
      for (const auto& domain : row.some) {
        if (asked.size() < kMostItems) asked.insert(domain);
      }
    }
    constexpr config::Seconds kLookBack = std::chrono::hours{24 * 400};
    const auto until = snapshot.now + config::Seconds{1};
    past_ = queries.findings_past({asked.begin(), asked.end()}, until - kLookBack, until)
                .value_or(Past{});
    longest_silence_ = storage::longest_silence(snapshot.schedule.interval);
  }
  [[nodiscard]] Json of(const Row& row) const {
    if (const auto at = of_alert(row)) return config::rfc3339(*at);
    std::optional<config::Time> out;
    for (const auto& domain : row.some) {
      const auto at = recorded(domain, row.finding->code);
      if (at) out = std::min(out.value_or(*at), *at);
    }
    return time_or_null(out);
  }

 private:
  using Past = std::map<std::string, std::vector<storage::FoundThen>>;

  void note(probes::Code code, const probes::Subject& subject, config::Time at) {
    const auto [entry, is_new] = times_.try_emplace({code, subject}, at);
    if (!is_new) entry->second = std::min(entry->second, at);
  }
  [[nodiscard]] std::optional<config::Time> of_alert(const Row& row) const {
    std::optional<config::Time> out;
    const auto take = [&](const probes::Subject& subject) {
      const auto entry = times_.find({row.finding->code, subject});
      if (entry != times_.end()) out = std::min(out.value_or(entry->second), entry->second);
    };
    for (const auto& subject : {row.finding->subject, row.cause}) take(subject);
    for (const auto& subject : row.subjects) take(subject);
    return out;
  }
  // Without a break, as far back as looks followed each other.
  [[nodiscard]] std::optional<config::Time> recorded(const std::string& domain,
                                                     probes::Code code) const {
    const auto entry = past_.find(domain);
    if (entry == past_.end()) return std::nullopt;
    std::optional<config::Time> out;
    for (auto then = entry->second.rbegin(); then != entry->second.rend(); ++then) {
      const bool has_it =
          std::ranges::find(then->found, code, &decltype(then->found)::value_type::first) !=
          then->found.end();
      if (!has_it || (out && then->until + longest_silence_ < *out)) break;
      out = then->from;
    }
    return out;
  }

  std::map<std::pair<probes::Code, probes::Subject>, config::Time> times_;
  Past past_;
  config::Seconds longest_silence_{0};
};

class Rows {
 public:
  void add(const std::string& domain, const probes::Finding& finding) {
    rows_.push_back({.finding = &finding,
                     .severity = finding.severity,
                     .cause = finding.subject,
                     .some = {domain},
                     .domains = 1});
  }

  // A mismatch is one, whether or not the MX records that lead there are signed.
  void add_to_cause(const std::string& domain, const probes::DomainJudgement& judged,
                    const probes::Finding& finding) {
    const auto* root = probes::cause_among(judged.findings, finding);
    if (root == nullptr) root = &finding;
    // What is no matter for an alert has as many causes as it is found at, and one sentence; so has
    // what is a domain's own, found at many alike.
    auto cause = probes::cause_in(judged, *root);
    if (!agent::is_grave(*root) || cause.kind == probes::Subject::Kind::domain) cause = {};
    const auto code = agent::is_mismatch(root->code) ? probes::Code::tlsa_mismatch : root->code;
    const auto [entry, is_new] = places_.try_emplace({code, cause}, rows_.size());
    if (is_new) rows_.push_back({.finding = root, .cause = probes::cause_in(judged, *root)});
    auto& row = rows_[entry->second];
    row.subjects.insert(root->subject);
    if (root->severity > row.finding->severity) row.finding = root;
    row.severity = std::max(row.severity, finding.severity);
    row.codes.insert(root->code);
    if (root != &finding) row.consequences.emplace(finding.code, &finding);
    if (!row.some.empty() && last_[entry->second] == domain) return;  // counted already
    last_[entry->second] = domain;
    ++row.domains;
    if (row.some.size() < kMostNames) row.some.push_back(domain);
  }

  // By cause the worst first, then the most domains.
  [[nodiscard]] std::vector<Row> part(const Query::Part& part, bool is_by_cause) && {
    if (is_by_cause) {
      std::ranges::stable_sort(rows_, std::greater{},
                               [](const Row& row) { return std::pair(row.severity, row.domains); });
    }
    const auto begin = std::min(part.offset, rows_.size());
    const auto end = begin + std::min(part.limit, rows_.size() - begin);
    const auto at = [&](std::size_t place) {
      return std::make_move_iterator(rows_.begin() + static_cast<std::ptrdiff_t>(place));
    };
    return {at(begin), at(end)};
  }
  [[nodiscard]] std::size_t size() const { return rows_.size(); }

 private:
  std::vector<Row> rows_;
  std::map<std::pair<probes::Code, probes::Subject>, std::size_t> places_;
  std::map<std::size_t, std::string> last_;  // domain that was counted last, by place
};

Json finding_json(const Row& row, const Since& since) {
  Json out{{"domain", row.some.front()}};
  out.update(probes::to_json(*row.finding));
  out["since"] = since.of(row);
  return out;
}

// Without the name where it is but one of many.
std::string title_of(const Row& row, const probes::Finding& finding) {
  auto title = probes::explain(finding).title;
  return row.subjects.size() > 1 ? without_name(std::move(title), finding.subject) : title;
}

Json cause_json(const Row& row, const Since& since) {
  std::set<probes::Code> follow;
  Json titles = Json::array();
  for (const auto& [code, finding] : row.consequences) {
    follow.insert(code);
    titles.push_back(title_of(row, *finding));
  }
  return {{"code", wire_name(row.finding->code)},
          {"codes", names_of(row.codes)},
          {"severity", wire_name(row.severity)},
          {"subject",
           {{"kind", wire_name(row.cause.kind)}, {"name", probes::printable(row.cause.name)}}},
          {"subjects_count", row.subjects.size()},
          {"title", title_of(row, *row.finding)},
          {"consequences", names_of(follow)},
          {"consequence_titles", titles},
          {"domains", row.some},
          {"domains_count", row.domains},
          {"since", since.of(row)}};
}

}  // namespace

// Of each domain in the order of the configuration, worst first in each; or by what is wrong where,
// the worst first, then the most domains.
Reply Api::findings(const Call& call) const {
  Query query(call.request);
  const Filter filter{.code = query.word("code", probes::code_from),
                      .severity = query.word("severity", probes::severity_from),
                      .domain = query.text("domain"),
                      .verdict = query.word("verdict", probes::verdict_from),
                      .whom = whom(query)};
  const bool is_by_cause = query.says("group_by", "cause");
  const auto part = query.part(kMostItems);
  if (auto fault = query.fault()) return *std::move(fault);
  const auto snapshot = backend_.snapshot();
  Rows rows;
  std::set<probes::Code> codes;  // there are, for the reader to choose from
  for (const auto& state : snapshot->domains) {
    if (!filter.fits(state)) continue;
    for (const auto& finding : state.judged->findings) {
      if (filter.almost_fits(finding)) codes.insert(finding.code);
      if (!filter.fits(finding)) continue;
      if (is_by_cause)
        rows.add_to_cause(state.configured.name, *state.judged, finding);
      else
        rows.add(state.configured.name, finding);
    }
  }
  const auto total = rows.size();
  const auto shown = std::move(rows).part(part, is_by_cause);
  const Since since(*snapshot, *backend_.queries, shown);
  Json items = Json::array();
  for (const auto& row : shown)
    items.push_back(is_by_cause ? cause_json(row, since) : finding_json(row, since));
  if (part.is_table) {
    return is_by_cause ? csv("causes", kCauseColumns, items) : csv("findings", kColumns, items);
  }
  return page_of(std::move(items), part.offset, total, {{"codes", names_of(codes)}});
}

}  // namespace web
