#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "agent/senders/sender_sessions.h"
#include "probes/judgement.h"

// PURE
// Whether senders refuse what we see well, and which of them confirm what we see.
namespace agent {

// An organization whose newest report on a host or domain says that DANE failed there, one of the
// ways in which it did, and what we saw then: sessions that we know more of are counted apart.
struct Refuser {
  std::string organization;
  std::string result_type;
  std::uint64_t refused = 0;               // sessions that failed so
  config::Time since;                      // begin of the first report that says so
  config::Time until;                      // end of the last
  Agreement agrees = Agreement::not_seen;  // of all of these sessions
  bool operator==(const Refuser&) const = default;
};

// What is reported of one host or domain.
struct SenderReports {
  std::vector<Refuser> refusers;  // by sessions, most first
  // Of the domain, under policies of DANE: what goes by MTA-STS or by nothing says nothing of it.
  std::uint64_t reported = 0;       // sessions, of all organizations
  std::set<std::string> reporters;  // the organizations
  bool operator==(const SenderReports&) const = default;
};
using ReportsBySubject = std::map<probes::Subject, SenderReports>;

// So long a report counts while the organization sends no newer one: they send one a day, and none
// for a day without mail.
inline constexpr config::Seconds kReportCounts = std::chrono::hours{24 * 4};
// Beyond this share of all sessions reported, one organization is enough where others report, too.
// Who reports alone has every share there is: that says nothing, it remains one that disagrees.
inline constexpr double kRefusedShare = 0.1;

// By the host where the report names one, else by the domain. `sessions`: all of those that may
// count. Organizations whose names differ in case only are one.
[[nodiscard]] ReportsBySubject reports_by_subject(const std::vector<SenderSessions>& sessions,
                                                  config::Time at);

// The name of the evidence that says who refuses.
inline constexpr const char* kSenderReports = "sender-reports";

// Adds to the judgement what is reported of the domain and its hosts: senders-refuse when several
// organizations refuse, or one refuses more than a share, while no look found why;
// senders-disagree when it is but one. A finding that senders confirm, for they met the same fault
// while we saw it, gets who they are as evidence, and so does what it follows from; one who does
// not say at which host may have met that of any host of the domain.
void add_sender_findings(probes::DomainJudgement& judged, const ReportsBySubject& reports);

// "Google and Microsoft refused 1 204 sessions since 2026-11-27 00:00 UTC": of those refusers,
// each organization once.
[[nodiscard]] std::string words_of(const std::vector<Refuser>& refusers);

}  // namespace agent
