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
#include "web/routes/own_words.h"
#include "web/routes/parts.h"
#include "web/routes/query.h"

// What is found now.
namespace web {
namespace {

using Json = nlohmann::ordered_json;

constexpr Column kColumns[] = {{"domain", "/domain"},
                               {"severity", "/severity"},
                               {"code", "/code"},
                               {"subject", "/subject/name"},
                               {"title", "/title"},
                               {"since", "/since"},
                               {"last_known_at", "/last_known/observed_at"}};
constexpr Column kCauseColumns[] = {
    {"severity", "/severity"},         {"code", "/code"},
    {"subject", "/subject/name"},      {"title", "/title"},
    {"domains", "/domains_count"},     {"since", "/since"},
    {"consequences", "/consequences"}, {"last_known_at", "/last_known/observed_at"}};

struct Filter {
  std::optional<probes::Code> code;
  std::optional<probes::Severity> severity;
  std::optional<std::string> domain;
  std::optional<probes::Verdict> verdict;  // of the domain
  Whom whom;

  [[nodiscard]] bool fits(const config::Domain& configured) const {
    return (!domain || configured.name == *domain) && whom.fits(configured);
  }
  [[nodiscard]] bool fits(std::optional<probes::Verdict> found) const {
    return !verdict || found == *verdict;
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
  // When all this was seen, where it was known last and nothing is known now.
  std::optional<config::Time> known_at;
};

// Since when it is found: as the alert that is open about it has it, else as it was recorded of a
// few of its domains.
class Since {
 public:
  Since(const agent::Snapshot& snapshot, storage::Queries& queries, const std::vector<Row>& rows) {
    for (const auto& alert : snapshot.alerts) {
      take_time(alert.finding.code, alert.cause, alert.first_seen_at);
      take_time(alert.finding.code, alert.finding.subject, alert.first_seen_at);
      for (const auto& hit : alert.hits)
        take_time(alert.finding.code, hit.subject, alert.first_seen_at);
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

  void take_time(probes::Code code, const probes::Subject& subject, config::Time at) {
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

// What one look at a domain found.
struct DomainFindings {
  const std::string& domain;
  const probes::Findings& findings;
  const probes::DomainJudgement* judged = nullptr;  // null: it is what was known last
  std::optional<config::Time> known_at = {};

  [[nodiscard]] probes::Subject cause_of(const probes::Finding& finding) const {
    return judged != nullptr ? probes::cause_in(*judged, finding) : finding.subject;
  }
};

class Rows {
 public:
  void add(const DomainFindings& look, const probes::Finding& finding) {
    rows_.push_back({.finding = &finding,
                     .severity = finding.severity,
                     .cause = finding.subject,
                     .some = {look.domain},
                     .domains = 1,
                     .known_at = look.known_at});
  }

  // A mismatch is one, whether or not the MX records that lead there are signed. What is found now
  // and what was known last are two.
  void add_to_cause(const DomainFindings& look, const probes::Finding& finding) {
    const auto& domain = look.domain;
    const auto* root = probes::cause_among(look.findings, finding);
    if (root == nullptr) root = &finding;
    // What is no matter for an alert has as many causes as it is found at, and one sentence; so has
    // what is a domain's own, found at many alike.
    const auto found_at = look.cause_of(*root);
    auto cause = found_at;
    if (!agent::is_grave(*root) || cause.kind == probes::Subject::Kind::domain) cause = {};
    const auto code = agent::is_mismatch(root->code) ? probes::Code::tlsa_mismatch : root->code;
    const auto [entry, is_new] =
        places_.try_emplace({look.known_at.has_value(), code, cause}, rows_.size());
    if (is_new) rows_.push_back({.finding = root, .cause = found_at});
    auto& row = rows_[entry->second];
    if (look.known_at) row.known_at = std::max(row.known_at, look.known_at);
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
  std::map<std::tuple<bool, probes::Code, probes::Subject>, std::size_t> places_;
  std::map<std::size_t, std::string> last_;  // domain that was counted last, by place
};

// What is told of findings: now, or when they were known last.
class Words {
 public:
  // All outlive it. `view`: whose the findings are; null: everybody's.
  Words(const View* view, storage::Queries& queries) : view_(view), queries_(queries) {}

  [[nodiscard]] Json of(const Row& row, const probes::Finding& finding) const {
    if (!row.known_at) return probes::to_json(finding);
    auto out = read_words(row.some.front(), finding, queries_);
    if (out.is_null()) return probes::to_json(finding);
    if (view_ != nullptr) take_out_others(out, view_->theirs());
    return out;
  }

 private:
  const View* view_;
  storage::Queries& queries_;
};

Json known_json(const Row& row) {
  if (!row.known_at) return nullptr;
  return {{"observed_at", config::rfc3339(*row.known_at)}};
}

Json finding_json(const Row& row, const Since& since, const Words& words) {
  Json out{{"domain", row.some.front()}};
  out.update(words.of(row, *row.finding));
  out["since"] = since.of(row);
  out["last_known"] = known_json(row);
  return out;
}

// Without the name where it is but one of many.
std::string title_of(const Row& row, const probes::Finding& finding, const Words& words) {
  auto title =
      row.known_at ? words.of(row, finding).value("title", "") : probes::explain(finding).title;
  return row.subjects.size() > 1 ? without_name(std::move(title), finding.subject) : title;
}

Json cause_json(const Row& row, const Since& since, const Words& words) {
  std::set<probes::Code> follow;
  Json titles = Json::array();
  for (const auto& [code, finding] : row.consequences) {
    follow.insert(code);
    titles.push_back(title_of(row, *finding, words));
  }
  return {{"code", wire_name(row.finding->code)},
          {"codes", names_of(row.codes)},
          {"severity", wire_name(row.severity)},
          {"subject",
           {{"kind", wire_name(row.cause.kind)}, {"name", probes::printable(row.cause.name)}}},
          {"subjects_count", row.subjects.size()},
          {"title", title_of(row, *row.finding, words)},
          {"consequences", names_of(follow)},
          {"consequence_titles", titles},
          {"domains", row.some},
          {"domains_count", row.domains},
          {"since", since.of(row)},
          {"last_known", known_json(row)}};
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
  const auto looks = last_looks(*snapshot);
  Rows rows;
  std::set<probes::Code> codes;  // there are, for the reader to choose from
  const auto take = [&](const DomainFindings& look) {
    for (const auto& finding : look.findings) {
      if (filter.almost_fits(finding)) codes.insert(finding.code);
      if (!filter.fits(finding)) continue;
      if (is_by_cause)
        rows.add_to_cause(look, finding);
      else
        rows.add(look, finding);
    }
  };
  for (const auto& state : snapshot->domains) {
    const auto& name = state.configured->name;
    if (!filter.fits(*state.configured)) continue;
    const auto* judged = state.judged.get();
    if (judged != nullptr && filter.fits(judged->verdict)) take({name, judged->findings, judged});
    const auto known = looks.find(name);
    if (known == looks.end() || !filter.fits(known->second->verdict)) continue;
    take({.domain = name, .findings = known->second->findings, .known_at = known->second->at});
  }
  const auto total = rows.size();
  const auto shown = std::move(rows).part(part, is_by_cause);
  const Since since(*snapshot, *backend_.queries, shown);
  const Words words(view_.get(), *backend_.queries);
  Json items = Json::array();
  for (const auto& row : shown)
    items.push_back(is_by_cause ? cause_json(row, since, words) : finding_json(row, since, words));
  if (part.is_table) {
    return is_by_cause ? csv("causes", kCauseColumns, items) : csv("findings", kColumns, items);
  }
  return page_of(std::move(items), part.offset, total, {{"codes", names_of(codes)}});
}

}  // namespace web
