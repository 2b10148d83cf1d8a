#include "agent/history/signing.h"

#include <algorithm>

#include <fmt/format.h>

namespace agent {
namespace {

using config::Seconds;
using config::Time;
using probes::Code;
using probes::Severity;
using probes::dns::SignatureWindow;
using std::chrono::hours;

// Habits change: one late signing is forgiven after as many in time.
constexpr std::size_t kSigningsCounted = 12;
// Clocks of servers differ, and looks take their time.
constexpr Seconds kSlack{60};

bool is_close(Seconds a, Seconds b) {
  return std::chrono::abs(a - b) <= kSlack;
}

}  // namespace

Time ends_at(const Signature& signature, Time at) {
  return signature.slides_from ? signature.expiration + (at - *signature.slides_from)
                               : signature.expiration;
}

bool is_same_signing(const SignatureWindow& a, const SignatureWindow& b) {
  return is_close(a.inception - b.inception, Seconds{0}) &&
         is_close(a.expiration - b.expiration, Seconds{0});
}

Signature recognised(const std::optional<Version<Signature>>& before, const SignatureWindow& seen,
                     Time at) {
  const Signature fresh{.inception = seen.inception, .expiration = seen.expiration};
  if (!before || !before->what.inception || before->what == fresh) return fresh;
  const auto& was = before->what;
  const auto moved = [&](Time since) {
    return is_close(seen.inception - *was.inception, at - since) &&
           is_close(seen.expiration - was.expiration, at - since);
  };
  if (was.slides_from) return moved(*was.slides_from) ? was : fresh;
  // One that was seen again stands still; and between looks far apart it may just have been
  // renewed.
  const bool was_seen_once = before->first_seen == before->last_seen;
  const auto since = at - before->first_seen;
  const bool is_soon = since > Seconds{0} && since <= (seen.expiration - seen.inception) / 4;
  if (!was_seen_once || !is_soon || !moved(before->first_seen)) return fresh;
  return {.inception = seen.inception, .expiration = seen.expiration, .slides_from = at};
}

std::optional<SignatureWindow> mx_window(const probes::DomainObservation& seen) {
  const auto& mx = seen.mx;
  if (mx.outcome != probes::dns::Outcome::answer || mx.status != probes::dns::DnssecStatus::secure)
    return std::nullopt;
  auto out = mx.signatures;
  for (const auto& answer : seen.survey.answers) {
    if (answer.question.type != probes::dns::type::mx || answer.question.name != mx.final_name ||
        answer.outcome != probes::dns::Outcome::answer || !answer.signatures)
      continue;
    if (!out || out->expiration < answer.signatures->expiration) out = answer.signatures;
  }
  return out;
}

std::optional<Seconds> signature_left(const Signatures& seen) {
  if (seen.empty()) return std::nullopt;
  const auto& present = seen.back().what;
  if (present.slides_from) return present.expiration - *present.slides_from;
  std::vector<Seconds> left;
  // A server that lags brings an older signature back: only a newer one is a signing.
  const auto* newest = &seen.front();
  for (std::size_t i = 1; i < seen.size(); ++i) {
    if (seen[i].what.expiration <= newest->what.expiration) continue;
    const auto last_seen = seen[i - 1].last_seen;
    const auto mine = newest->what.expiration - last_seen;
    // Seen so long before that it may have had much less: no measure.
    if (seen[i].first_seen - last_seen <= mine / 4) left.push_back(mine);
    newest = &seen[i];
  }
  if (left.size() < 2) return std::nullopt;
  if (left.size() > kSigningsCounted) left.erase(left.begin(), left.end() - kSigningsCounted);
  const auto least = *std::ranges::min_element(left);
  const auto first = std::ranges::find_if(seen, [&](const Version<Signature>& one) {
    return one.what.expiration == present.expiration;
  });
  const auto when_new = first->what.expiration - first->first_seen;
  return when_new < least * 3 / 4 ? std::nullopt : std::optional{least};
}

probes::HistoryFindings predict_end(const Signatures& seen, const std::string& lookup, Seconds ttl,
                                    const probes::Subject& subject, Time at) {
  probes::HistoryFindings out;
  const auto usual = signature_left(seen);
  if (!usual) return out;
  const auto& current = seen.back();
  const auto end = ends_at(current.what, current.last_seen);
  const auto left = end - at;
  // Not looked at for long, it may have been signed anew; once it has expired the look says so.
  if (at - current.last_seen > *usual / 4 || left <= Seconds{0}) return out;
  out.overruled.push_back(Code::rrsig_expiring);
  const bool is_high = left < *usual / 2 || left < 2 * ttl;
  if (!is_high && left >= *usual * 3 / 4) return out;
  out.findings.push_back({.code = Code::rrsig_expiring,
                          .severity = is_high ? Severity::high : Severity::medium,
                          .subject = subject,
                          .evidence = {{"lookup", lookup},
                                       {"rrsig-expires-at", config::rfc3339(end)},
                                       {"usually-renewed", in_words(*usual) + " before"}}});
  return out;
}

std::string in_words(Seconds time) {
  constexpr Seconds kDay = hours{24};
  if (time >= 2 * kDay) return fmt::format("{} days", (time + kDay / 2) / kDay);
  return fmt::format("{} hours", (time + hours{1} / 2) / hours{1});
}

}  // namespace agent
