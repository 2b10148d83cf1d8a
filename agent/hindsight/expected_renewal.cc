#include "agent/hindsight/expected_renewal.h"

#include <algorithm>

namespace agent {
namespace {

using config::Seconds;
using config::Time;
using std::chrono::hours;

constexpr Seconds kUnheeded = hours{24 * 14};
// So many renewals are a schedule.
constexpr std::size_t kSchedule = 2;

// It renews more than a tenth of a certificate's life before the CA suggests.
bool is_ahead_of(const RenewalPattern& habit, const RenewalAdvice& advice,
                 const probes::tls::Certificate& leaf) {
  if (habit.renewals < kSchedule || !habit.next_at || advice.moved_from) return false;
  return *habit.next_at < advice.window->start - (leaf.not_after - leaf.not_before) / 10;
}

}  // namespace

const SeenCertificate& worn_now(const RenewalPattern& habit) {
  return *std::ranges::find_if(habit.worn.rbegin(), habit.worn.rend(),
                               &SeenCertificate::is_presented);
}

std::optional<ExpectedRenewal> expected_renewal(const RenewalPattern& habit,
                                                const RenewalBook& renewals, Time at) {
  const auto& leaf = *worn_now(habit).leaf;
  const auto* advice = advice_on(renewals, leaf);
  if (advice != nullptr && advice->window && at < advice->window->end + kUnheeded &&
      !is_ahead_of(habit, *advice, leaf))
    return ExpectedRenewal{advice->window->start, "ari"};
  // A whole renewal left out: that habit has ended.
  if (!habit.next_at || at >= *habit.next_at + habit.interval) return std::nullopt;
  return ExpectedRenewal{*habit.next_at, "habit"};
}

ExpectedRenewal expected_or_usual_renewal(const RenewalPattern& habit, const RenewalBook& renewals,
                                          Time at) {
  if (const auto expected = expected_renewal(habit, renewals, at)) return *expected;
  if (habit.next_at) return {*habit.next_at, "habit"};
  // ACME clients renew when a third is left (RFC 8555 says nothing of it; they do).
  const auto& leaf = *worn_now(habit).leaf;
  return {leaf.not_before + (leaf.not_after - leaf.not_before) * 2 / 3, "lifetime"};
}

}  // namespace agent
