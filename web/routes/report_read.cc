#include "web/routes/report_read.h"

#include <algorithm>
#include <charconv>
#include <chrono>

#include "agent/rollover/rollover.h"

namespace web {
namespace {

using config::Failure;
using config::Result;
using config::Time;

// What is left of keys of before: a rollover is graded by what caches could hold when it began.
constexpr config::Seconds kBefore = std::chrono::hours{24 * 35};

TimeSpan span_of(std::chrono::year_month month) {
  const auto begin = [](std::chrono::year_month one) {
    return std::chrono::time_point_cast<config::Seconds>(std::chrono::sys_days{one / 1});
  };
  return {begin(month), begin(month + std::chrono::months{1})};
}

std::optional<int> digits(std::string_view text) {
  int out = 0;
  const auto* const end = text.data() + text.size();
  const auto [stop, fault] = std::from_chars(text.data(), end, out);
  return fault == std::errc{} && stop == end && out > 0 ? std::optional{out} : std::nullopt;
}

std::vector<std::string> names_for(const std::string& host, const ReportInput& input) {
  std::vector<std::string> out{host};
  for (const auto& [domain, hosts] : input.hosts) {
    if (hosts.contains(host)) out.push_back(domain);
  }
  return out;
}

// Only of hosts whose certificate changed: no other can have rolled over.
Result<void, std::string> read_rollovers(storage::Queries& queries, ReportInput& input) {
  for (const auto& change : input.certificates) {
    if (input.rollovers.contains(change.host)) continue;
    auto& mine = input.rollovers[change.host];
    const auto name = probes::dns::Name::parse(change.host);
    if (!name) continue;
    const auto past = queries.host_history(*name, input.from - kBefore);
    if (!past) return Failure<std::string>(past.error());
    mine = agent::Rollovers(agent::history_of(*past, names_for(change.host, input))).graded();
  }
  return {};
}

template <class T>
bool take(T& into, Result<T, std::string> from, std::string& fault) {
  if (from)
    into = std::move(*from);
  else
    fault = from.error();
  return from.has_value();
}

}  // namespace

Result<Report, std::string> read_report(storage::Queries& queries, const ReportWish& wish) {
  ReportInput input{.from = wish.from,
                    .until = std::min(wish.until, wish.now),
                    .now = wish.now,
                    .role = wish.role,
                    .group = wish.group};
  std::string fault;
  if (!take(input.domains, queries.domains(), fault)) return Failure<std::string>(fault);
  std::erase_if(input.domains, [&](const storage::DomainRow& one) {
    return !fits(one, wish.role, wish.group) || (wish.has_domain && !wish.has_domain(one.name));
  });
  std::vector<std::string> names;
  for (const auto& one : input.domains) names.push_back(one.name);
  const storage::SpanQuery spans{.domains = names,
                                 .from = input.from,
                                 .until = input.until,
                                 .longest_silence = wish.longest_silence};
  // Without names all would be meant.
  if (!names.empty() && !take(input.spans, queries.delivery_spans(spans), fault))
    return Failure<std::string>(fault);
  std::vector<std::string> troubled;
  for (const auto& [domain, list] : input.spans) {
    if (!episodes_of(list, {}, input.from, input.until).empty()) troubled.push_back(domain);
  }
  if (!take(input.findings, queries.findings_past(troubled, input.from, input.until), fault) ||
      !take(input.hosts, queries.hosts_past(input.from, input.until), fault) ||
      !take(input.certificates, queries.certificate_changes(input.from, input.until), fault))
    return Failure<std::string>(fault);
  if (const auto read = read_rollovers(queries, input); !read)
    return Failure<std::string>(read.error());
  return report_of(input);
}

std::optional<TimeSpan> month_of(std::string_view text) {
  if (text.size() != 7 || text[4] != '-') return std::nullopt;
  const auto year = digits(text.substr(0, 4)), month = digits(text.substr(5));
  if (!year || !month || *month > 12) return std::nullopt;
  return span_of(std::chrono::year{*year} / std::chrono::month{static_cast<unsigned>(*month)});
}

TimeSpan month_before(Time now) {
  const std::chrono::year_month_day day{std::chrono::floor<std::chrono::days>(now)};
  return span_of(day.year() / day.month() - std::chrono::months{1});
}

}  // namespace web
