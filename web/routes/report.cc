#include "web/routes/report.h"

#include <algorithm>
#include <numeric>

#include "probes/status.h"

namespace web {
namespace {

using config::Time;
using probes::Verdict;
using storage::DeliverySpan;

constexpr std::size_t kMostCauses = 3;

std::int64_t& at(MailTimes& times, MailTime what) {
  return times[static_cast<std::size_t>(what)];
}

bool is_bad(MailTime what) {
  return what == MailTime::refused || what == MailTime::open;
}

// The codes of what was worst while it lasted, in the order in which looks had them.
std::vector<std::string> causes_of(const Episode& episode,
                                   const std::vector<storage::FoundThen>& findings, Time until) {
  std::optional<probes::Severity> worst;
  std::vector<std::string> out;
  for (const auto& then : findings) {
    if (then.from >= episode.until.value_or(until) || then.until < episode.from) continue;
    for (const auto& [code, severity] : then.found) {
      if (code == probes::Code::monitor_fault) continue;  // of ours: no cause of anything there
      if (worst && severity < *worst) continue;
      if (!worst || severity > *worst) {
        worst = severity;
        out.clear();
      }
      const std::string name(probes::wire_name(code));
      if (std::ranges::find(out, name) == out.end() && out.size() < kMostCauses)
        out.push_back(name);
    }
  }
  return out;
}

void add(ReportGroup& to, const ReportDomain& domain) {
  ++to.domains;
  for (std::size_t i = 0; i < kMailTimes; ++i) to.seconds[i] += domain.seconds[i];
  to.episodes += domain.episodes.size();
}

// What hosts did, of the domains of one group or of all.
class HostsOf {
 public:
  void add(const ReportDomain& domain) {
    for (const auto& one : domain.rollovers)
      rollovers_.emplace(
          std::tuple(one.host, one.rollover.from, one.rollover.to, one.rollover.deployed_at),
          one.rollover.grade);
    certificates_.insert(domain.certificates.begin(), domain.certificates.end());
  }
  void put(ReportGroup& into) const {
    into.certificates = certificates_.size();
    for (const auto& [rollover, grade] : rollovers_) ++into.grades[std::string(wire_name(grade))];
  }

 private:
  std::map<std::tuple<std::string, std::string, std::string, Time>, agent::Grade> rollovers_;
  std::set<storage::CertificateChange> certificates_;
};

void sum_up(Report& report) {
  std::map<std::string, std::pair<ReportGroup, HostsOf>> groups;
  HostsOf all;
  for (const auto& domain : report.domains) {
    auto& [group, hosts] = groups[domain.group];
    group.name = domain.group;
    add(group, domain);
    hosts.add(domain);
    add(report.total, domain);
    all.add(domain);
  }
  for (auto& [name, entry] : groups) {
    entry.second.put(entry.first);
    report.groups.push_back(std::move(entry.first));
  }
  all.put(report.total);
}

}  // namespace

MailTime mail_time_of(const DeliverySpan& span) {
  if (span.verdict == Verdict::no_mail) return MailTime::no_mail;
  if (span.delivery == probes::Delivery::held_up) return MailTime::refused;
  // What else was found then is no part of it.
  switch (probes::delivery_seen(span.verdict, probes::Status::ok)) {
    case probes::Delivery::fine:
    case probes::Delivery::at_risk:  // by the reference sender, as shares have it (days.h)
      return MailTime::authenticated;
    case probes::Delivery::unprotected:
      return MailTime::open;
    case probes::Delivery::held_up:
      return MailTime::refused;
    case probes::Delivery::unknown:
      return MailTime::unknown;
  }
  return MailTime::unknown;
}

std::string_view wire_name(MailTime what) {
  switch (what) {
    case MailTime::authenticated:
      return "authenticated";
    case MailTime::refused:
      return "refused";
    case MailTime::open:
      return "open";
    case MailTime::no_mail:
      return "no-mail";
    case MailTime::unknown:
      return "unknown";
    case MailTime::unwatched:
      return "unwatched";
  }
  return "";
}

MailTimes in_minutes(const MailTimes& seconds) {
  MailTimes out{};
  for (std::size_t i = 0; i < kMailTimes; ++i) out[i] = seconds[i] / 60;
  const auto sum = std::accumulate(seconds.begin(), seconds.end(), std::int64_t{0}) / 60;
  auto left = sum - std::accumulate(out.begin(), out.end(), std::int64_t{0});
  // Those that lost most to rounding get it back.
  std::array<std::size_t, kMailTimes> order{};
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::ranges::stable_sort(order, std::ranges::greater{},
                           [&](std::size_t i) { return seconds[i] % 60; });
  for (std::size_t i = 0; left > 0 && i < kMailTimes; ++i, --left) ++out[order[i]];
  return out;
}

MailTimes times_of(const std::vector<DeliverySpan>& spans, Time from, Time until) {
  MailTimes out{};
  std::int64_t counted = 0;
  for (const auto& span : spans) {
    const auto length = (std::min(span.until, until) - std::max(span.from, from)).count();
    if (length <= 0) continue;
    at(out, mail_time_of(span)) += length;
    counted += length;
  }
  at(out, MailTime::unwatched) = std::max<std::int64_t>(0, (until - from).count() - counted);
  return out;
}

std::vector<Episode> episodes_of(const std::vector<DeliverySpan>& spans,
                                 const std::vector<storage::FoundThen>& findings, Time from,
                                 Time until) {
  std::vector<Episode> out;
  std::optional<Episode> open;
  std::int64_t doubtful = 0;  // since it was last known to be so
  Time known_until = from;
  const auto close = [&](Time end) {
    if (!open) return;
    open->until = end;
    out.push_back(*std::exchange(open, std::nullopt));
  };
  for (const auto& span : spans) {
    const auto begin = std::max(span.from, from), end = std::min(span.until, until);
    if (end <= begin) continue;
    const auto what = mail_time_of(span);
    if (what == MailTime::unknown) {
      doubtful += (end - begin).count();
      continue;
    }
    if (open && open->what != what) close(known_until);
    if (is_bad(what)) {
      if (!open) {
        open = Episode{
            .what = what, .from = begin, .until = {}, .began_before = begin == from, .causes = {}};
      } else {
        open->unknown_seconds += doubtful;
      }
      open->seconds += (end - begin).count();
    }
    doubtful = 0;
    known_until = end;
  }
  // What was not known to end goes on; how it stands at the end is told by unknown time.
  if (open) {
    open->unknown_seconds += doubtful;
    if (!spans.empty() && spans.back().until < until) open->until = known_until;  // unwatched since
    out.push_back(*open);
  }
  for (auto& episode : out) episode.causes = causes_of(episode, findings, until);
  return out;
}

bool fits(const storage::DomainRow& domain, const std::optional<std::string>& role,
          const std::optional<std::string>& group) {
  return (!role || domain.role == *role) && (!group || domain.group == *group);
}

Report report_of(const ReportInput& input) {
  Report out{.from = input.from,
             .until = std::max(input.from, std::min(input.until, input.now)),
             .made_at = input.now,
             .role = input.role,
             .group = input.group,
             .domains = {},
             .groups = {},
             .total = {}};
  std::map<std::string, std::vector<storage::CertificateChange>> changes;
  for (const auto& change : input.certificates) changes[change.host].push_back(change);
  const auto listed = [](const auto& map, const std::string& key) {
    const auto found = map.find(key);
    return found == map.end() ? typename std::decay_t<decltype(map)>::mapped_type{} : found->second;
  };
  for (const auto& row : input.domains) {
    if (!fits(row, input.role, input.group)) continue;
    auto& domain = out.domains.emplace_back(ReportDomain{.name = row.name,
                                                         .role = row.role,
                                                         .group = row.group,
                                                         .episodes = {},
                                                         .rollovers = {},
                                                         .certificates = {}});
    const auto spans = listed(input.spans, row.name);
    domain.seconds = times_of(spans, out.from, out.until);
    domain.episodes = episodes_of(spans, listed(input.findings, row.name), out.from, out.until);
    for (const auto& host : listed(input.hosts, row.name)) {
      for (const auto& change : listed(changes, host)) domain.certificates.push_back(change);
      for (const auto& rollover : listed(input.rollovers, host)) {
        if (rollover.deployed_at >= out.from && rollover.deployed_at < out.until)
          domain.rollovers.push_back({host, rollover});
      }
    }
  }
  std::ranges::sort(out.domains, {}, &ReportDomain::name);
  sum_up(out);
  return out;
}

}  // namespace web
