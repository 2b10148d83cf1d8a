#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "agent/rollover/grading.h"
#include "config/config.h"
#include "storage/domain_row.h"
#include "storage/report_facts.h"
#include "web/days.h"

// PURE
// How mail to domains fared over a month, and what was done meanwhile.
namespace web {

// What a moment of a domain counts as. Together they make up the whole time of the report: what is
// not known is neither good nor bad, and is shown.
enum class MailTime {
  authenticated,
  refused,    // not delivered
  open,       // delivered, and who sits between could read or forge it
  no_mail,    // the domain said that it takes none
  unknown,    // could not be determined
  unwatched,  // before it was first looked at, or after it was last
};
inline constexpr std::size_t kMailTimes = 6;
[[nodiscard]] MailTime mail_time_of(const storage::DeliverySpan& span);
[[nodiscard]] std::string_view wire_name(MailTime what);
// Seconds by MailTime.
using MailTimes = std::array<std::int64_t, kMailTimes>;
// The same in minutes that add up to what the seconds add up to, rounded down.
[[nodiscard]] MailTimes in_minutes(const MailTimes& seconds);

// A time in which mail was refused, or open. What could not be determined ends none.
struct Episode {
  MailTime what = MailTime::refused;
  config::Time from;
  std::optional<config::Time> until;  // nothing: it went on at the end of the report
  bool began_before = false;          // before the report
  std::int64_t seconds = 0;           // known to be so, within the report
  std::int64_t unknown_seconds = 0;   // in between
  std::vector<std::string> causes;    // codes of what was found worst then; three at most
};

struct HostRollover {
  std::string host;
  agent::Rollover rollover;
};

struct ReportDomain {
  std::string name, role, group;
  MailTimes seconds{};
  std::vector<Episode> episodes;
  std::vector<HostRollover> rollovers;                   // deployed in that time, at its MX hosts
  std::vector<storage::CertificateChange> certificates;  // the same
};

// Domains together; what their common hosts did counts once.
struct ReportGroup {
  std::string name;  // empty: of no group; and of all together
  std::size_t domains = 0;
  MailTimes seconds{};
  std::size_t episodes = 0, certificates = 0;
  std::map<std::string, std::size_t> grades;  // rollovers, by grade
};

struct Report {
  config::Time from, until, made_at;
  std::optional<std::string> role, group;  // when not of all domains
  std::vector<ReportDomain> domains;       // by name
  std::vector<ReportGroup> groups;         // by name
  ReportGroup total;
};

struct ReportInput {
  config::Time from, until, now;
  std::optional<std::string> role, group;
  std::vector<storage::DomainRow> domains;  // those that are watched
  DeliverySpans spans;
  std::map<std::string, std::vector<storage::FoundThen>> findings;
  std::map<std::string, std::set<std::string>> hosts;  // by domain
  std::vector<storage::CertificateChange> certificates;
  std::map<std::string, std::vector<agent::Rollover>> rollovers;  // by host
};

// Of the domains that are watched now and fit role and group. `until` is at most `now`.
[[nodiscard]] Report report_of(const ReportInput& input);
[[nodiscard]] bool fits(const storage::DomainRow& domain, const std::optional<std::string>& role,
                        const std::optional<std::string>& group);

// Of a domain, from its spans.
[[nodiscard]] MailTimes times_of(const std::vector<storage::DeliverySpan>& spans, config::Time from,
                                 config::Time until);
[[nodiscard]] std::vector<Episode> episodes_of(const std::vector<storage::DeliverySpan>& spans,
                                               const std::vector<storage::FoundThen>& findings,
                                               config::Time from, config::Time until);

}  // namespace web
