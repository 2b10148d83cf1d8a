#include "agent/senders/refusals.h"

#include <algorithm>
#include <iterator>
#include <optional>
#include <tuple>
#include <utility>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "agent/senders/agreement.h"
#include "probes/catalogue.h"
#include "probes/findings.h"
#include "probes/judge.h"

namespace agent {
namespace {

using config::Time;
using probes::Code;
using probes::Finding;
using probes::Severity;
using probes::Subject;

constexpr std::size_t kMostNamed = 3;  // organizations in one sentence

Subject subject_of(const SenderSessions& one) {
  if (!one.mx_host.empty()) return {.kind = Subject::Kind::host, .name = one.mx_host};
  return {.kind = Subject::Kind::domain, .name = one.domain};
}

bool is_refusal(const SenderSessions& one) {
  return !one.result_type.empty() && probes::reports::is_dane_failure(one.policy, one.result_type);
}

// Only these tell how DANE fares.
bool is_of_dane(const SenderSessions& one) {
  return one.policy == probes::reports::PolicyType::tlsa || is_refusal(one);
}

// Senders spell themselves as they like, and not always the same: by the first of the spellings
// that differ in case only.
std::vector<SenderSessions> in_one_spelling(std::vector<SenderSessions> sessions) {
  const auto folded = [](std::string name) {
    std::ranges::transform(name, name.begin(), [](char c) {
      return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
    });
    return name;
  };
  std::map<std::string, std::pair<Time, std::string>> first;
  for (const auto& one : sessions) {
    const std::pair spelled{one.from, one.organization};
    auto& known = first.try_emplace(folded(one.organization), spelled).first->second;
    known = std::min(known, spelled);
  }
  for (auto& one : sessions) one.organization = first.at(folded(one.organization)).second;
  return sessions;
}

// What an organization says of a domain is what its newest report on it says.
using Reporter = std::pair<std::string, std::string>;  // organization, domain

std::map<Reporter, Time> newest_reports(const std::vector<SenderSessions>& sessions, Time at) {
  std::map<Reporter, Time> out;
  for (const auto& one : sessions) {
    if (at - one.until > kReportCounts) continue;
    auto& newest = out[{one.organization, one.domain}];
    newest = std::max(newest, one.until);
  }
  return out;
}

// Takes up sessions that failed, of a report that counts.
void add(Refuser& to, const SenderSessions& one) {
  to.since = to.refused == 0 ? one.from : std::min(to.since, one.from);
  to.until = std::max(to.until, one.until);
  to.refused += one.sessions;
}

struct Sums {
  std::uint64_t sessions = 0;
  std::map<std::string, std::uint64_t> by_organization;
};

// ---- findings

// Postfix names the MX host for the policy's domain: what it says is of the host.
SenderReports reports_on(const Subject& subject, const Subject& domain,
                         const ReportsBySubject& reports) {
  SenderReports out;
  const auto take = [&](const Subject& name) {
    const auto found = reports.find(name);
    if (found == reports.end()) return;
    std::ranges::copy(found->second.refusers, std::back_inserter(out.refusers));
    out.reported += found->second.reported;
    out.reporters.insert(found->second.reporters.begin(), found->second.reporters.end());
  };
  take(subject);
  if (subject != domain && subject.name != domain.name)
    take({.kind = Subject::Kind::domain, .name = subject.name});
  return out;
}

bool keeps_away(const Finding& finding) {
  const auto& rule = probes::row_of(finding.code).alerts;
  return finding.severity >= Severity::medium &&
         (rule.refuses || rule.queues || finding.refused_since);
}

// Who met what the look found at one of the subjects while we saw it says so there; who met the
// same at another time is explained by it, and says nothing; the others are left. Of a subject's
// findings it is the first that is the same fault, and what that follows from.
std::vector<Refuser> confirm(probes::DomainJudgement& judged, const std::vector<Subject>& subjects,
                             const std::vector<Refuser>& refusers,
                             std::map<const Finding*, std::vector<Refuser>>& confirmed) {
  std::vector<Refuser> left;
  for (const auto& refuser : refusers) {
    bool is_confirming = false;
    for (const auto& subject : subjects) {
      const auto found = std::ranges::find_if(judged.findings, [&](const Finding& finding) {
        return finding.subject == subject && keeps_away(finding) &&
               is_same_fault(refuser.result_type, finding.code);
      });
      if (found == judged.findings.end()) continue;
      is_confirming = true;
      if (refuser.agrees != Agreement::yes) continue;
      confirmed[&*found].push_back(refuser);
      const auto cause = std::ranges::find_if(judged.findings, [&](const Finding& finding) {
        return found->consequence_of == finding.code && finding.subject == subject;
      });
      if (cause != judged.findings.end()) confirmed[&*cause].push_back(refuser);
    }
    if (!is_confirming) left.push_back(refuser);
  }
  return left;
}

// What such a class does otherwise, it does in its lookups; else in its sessions.
bool differs_in_dns(const probes::Sender& sender) {
  return sender.skips_on_any_address_failure || sender.minimises_names ||
         sender.sha1_is_unsupported || sender.wants_every_algorithm || sender.limits_nsec3 ||
         sender.asks_other_servers || sender.is_strict_about_time;
}

// The classes of senders that do not deliver where the reference sender does, and would say so in
// one of these words.
std::vector<std::string> explaining_classes(const probes::DomainJudgement& judged,
                                            const Subject& subject,
                                            const std::set<std::string>& types) {
  std::vector<std::string> out;
  const auto would_say = [&](const probes::Sender& sender) {
    return std::ranges::any_of(types, [&](const std::string& type) {
      // Other records than ours are as good as a key that does not fit.
      if (sender.asks_other_servers || !is_of_lookup(type) == !differs_in_dns(sender)) return true;
      return type == "validation-failure";
    });
  };
  const auto take = [&](const std::vector<probes::Split>& splits) {
    for (const auto& split : splits) {
      if (is_deliverable(split.verdict) || split.verdict == probes::Verdict::unknown) continue;
      const auto who =
          std::ranges::find(probes::other_senders(), split.sender, &probes::Sender::name);
      if (who != probes::other_senders().end() && !would_say(*who)) continue;
      out.push_back(fmt::format("{} ({})", probes::words_of(split.sender), split.sender));
    }
  };
  if (subject.kind == Subject::Kind::domain) take(judged.splits);
  for (const auto& host : judged.hosts) {
    if (host.seen->host.text() == subject.name) take(host.splits);
  }
  return out;
}

// Signatures are a zone's: of every host in it, whoever reports.
std::optional<Subject> root_of(const probes::DomainJudgement& judged, const Subject& subject,
                               const std::set<std::string>& types) {
  if (types != std::set<std::string>{"dnssec-invalid"}) return std::nullopt;
  const auto seen = judged.seen.open();
  const auto* signer = seen->mx.signer ? &*seen->mx.signer : nullptr;
  for (const auto& host : judged.hosts) {
    if (subject.kind == Subject::Kind::host && host.seen->host.text() == subject.name)
      signer = host.seen->tlsa.signer ? &*host.seen->tlsa.signer : nullptr;
  }
  if (signer == nullptr) return std::nullopt;
  return Subject{.kind = Subject::Kind::zone, .name = signer->text()};
}

std::optional<Finding> finding_of(const probes::DomainJudgement& judged, const Subject& subject,
                                  const SenderReports& reports) {
  std::vector<Refuser> unexplained;
  std::uint64_t refused = 0;
  std::set<std::string> types, organizations;
  for (const auto& one : reports.refusers) {
    if (one.agrees != Agreement::no) continue;  // we saw it, or could not tell
    unexplained.push_back(one);
    refused += one.refused;
    types.insert(one.result_type);
    organizations.insert(one.organization);
  }
  if (unexplained.empty()) return std::nullopt;
  const bool is_large =
      reports.reporters.size() > 1 &&
      static_cast<double>(refused) > kRefusedShare * static_cast<double>(reports.reported);
  const bool refuse = organizations.size() > 1 || is_large;
  Finding out{.code = refuse ? Code::senders_refuse : Code::senders_disagree,
              .severity = refuse ? Severity::high : Severity::low,
              .subject = subject,
              .evidence = {{kSenderReports, words_of(unexplained)},
                           {"result-types", fmt::format("{}", fmt::join(types, ", "))},
                           {"reported", fmt::format("{} sessions by {} organizations",
                                                    reports.reported, reports.reporters.size())}},
              .root = root_of(judged, subject, types)};
  for (auto& words : explaining_classes(judged, subject, types))
    out.evidence.push_back({"explained-by", std::move(words)});
  return out;
}

// With blanks between thousands.
std::string grouped(std::uint64_t number) {
  auto out = std::to_string(number);
  for (std::size_t at = out.size(); at > 3;) out.insert(at -= 3, 1, ' ');
  return out;
}

}  // namespace

ReportsBySubject reports_by_subject(const std::vector<SenderSessions>& as_spelled, Time at) {
  const auto sessions = in_one_spelling(as_spelled);
  const auto newest = newest_reports(sessions, at);
  // Who still refuses what: those whose newest report says so.
  std::set<std::pair<std::string, Subject>> refusing;
  std::map<std::string, Sums> sums;  // by domain
  for (const auto& one : sessions) {
    const auto found = newest.find({one.organization, one.domain});
    if (found == newest.end() || at - one.until > kReportCounts) continue;
    if (is_of_dane(one)) {
      auto& sum = sums[one.domain];
      sum.sessions += one.sessions;
      sum.by_organization[one.organization] += one.sessions;
    }
    if (one.until == found->second && is_refusal(one))
      refusing.insert({one.organization, subject_of(one)});
  }
  std::map<std::tuple<Subject, std::string, std::string, Agreement>, Refuser> refusers;
  std::map<Subject, std::set<std::string>> domains;
  for (const auto& one : sessions) {
    const auto subject = subject_of(one);
    if (at - one.until > kReportCounts || !is_refusal(one) ||
        !refusing.contains({one.organization, subject}))
      continue;
    add(refusers[{subject, one.organization, one.result_type, one.agrees}], one);
    domains[subject].insert(one.domain);
  }
  ReportsBySubject out;
  for (auto& [key, refuser] : refusers) {
    std::tie(std::ignore, refuser.organization, refuser.result_type, refuser.agrees) = key;
    out[std::get<Subject>(key)].refusers.push_back(std::move(refuser));
  }
  for (auto& [subject, reports] : out) {
    for (const auto& domain : domains[subject]) {
      reports.reported += sums[domain].sessions;
      for (const auto& [organization, count] : sums[domain].by_organization) {
        if (count > 0) reports.reporters.insert(organization);
      }
    }
    std::ranges::stable_sort(reports.refusers, std::ranges::greater{}, &Refuser::refused);
  }
  return out;
}

std::string words_of(const std::vector<Refuser>& refusers) {
  std::vector<std::pair<std::string, std::uint64_t>> organizations;
  std::uint64_t refused = 0;
  auto since = Time::max();
  for (const auto& one : refusers) {
    refused += one.refused;
    since = std::min(since, one.since);
    const auto known = std::ranges::find(organizations, one.organization,
                                         [](const auto& sum) { return sum.first; });
    if (known == organizations.end())
      organizations.emplace_back(one.organization, one.refused);
    else
      known->second += one.refused;
  }
  std::ranges::stable_sort(organizations, std::ranges::greater{},
                           [](const auto& sum) { return sum.second; });
  std::string names;
  for (std::size_t i = 0; i < std::min(organizations.size(), kMostNamed); ++i) {
    const bool is_last = i + 1 == organizations.size();
    names += i == 0 ? "" : is_last ? " and " : ", ";
    names += organizations[i].first;
  }
  if (organizations.size() > kMostNamed)
    names += fmt::format(" and {} more", organizations.size() - kMostNamed);
  auto when = config::rfc3339(since).substr(0, 16);
  when[10] = ' ';
  return fmt::format("{} refused {} session{} since {} UTC", names, grouped(refused),
                     refused == 1 ? "" : "s", when);
}

void add_sender_findings(probes::DomainJudgement& judged, const ReportsBySubject& reports) {
  const Subject domain{.kind = Subject::Kind::domain, .name = judged.seen.open()->domain.text()};
  std::vector<Subject> subjects{domain};
  for (const auto& host : judged.hosts)
    subjects.push_back({.kind = Subject::Kind::host, .name = host.seen->host.text()});
  // Adding findings moves those that are confirmed.
  std::map<const Finding*, std::vector<Refuser>> confirmed;
  std::vector<Finding> added;
  for (const auto& subject : subjects) {
    auto left = reports_on(subject, domain, reports);
    left.refusers = confirm(judged, subject == domain ? subjects : std::vector{subject},
                            left.refusers, confirmed);
    if (auto finding = finding_of(judged, subject, left)) added.push_back(*std::move(finding));
  }
  for (std::size_t i = 0; i < judged.findings.size(); ++i) {
    const auto who = confirmed.find(&judged.findings[i]);
    if (who != confirmed.end())
      judged.findings.change(i).evidence.push_back({kSenderReports, words_of(who->second)});
  }
  for (auto& finding : added) probes::add_finding(judged, std::move(finding));
}

}  // namespace agent
