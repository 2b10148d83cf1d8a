#include "agent/foresight/renewal_advice.h"

#include <algorithm>
#include <utility>

#include "probes/dane/tlsa.h"

namespace agent {
namespace {

using config::Seconds;
using config::Time;
using probes::reports::ari_pause;
using probes::reports::ari_pause_after;
using std::chrono::hours;

// After errors that do not pass RFC 9773 §4.3.3 has a client ask again six hours later.
constexpr Seconds kLongestPause = hours{6};
constexpr Seconds kDay = hours{24};
constexpr Seconds kSoon = 3 * kDay;

}  // namespace

RenewalAdvice with_window(RenewalAdvice advice, const RenewalWindow& window,
                          std::optional<std::string_view> retry_after, Time at) {
  if (!advice.latest) advice.latest = advice.moved_from ? advice.moved_from : advice.window;
  if (!advice.latest || window.start > advice.latest->start) advice.latest = window;
  advice.moved_from.reset();
  if (window.start <= advice.latest->start - kDay) advice.moved_from = advice.latest;
  advice.window = window;
  advice.told_at = at;
  advice.next_at = at + ari_pause(retry_after, at);
  advice.failures = 0;
  advice.fault.clear();
  return advice;
}

RenewalAdvice with_fault(RenewalAdvice advice, std::string fault,
                         std::optional<std::string_view> retry_after, Time at) {
  ++advice.failures;
  advice.fault = std::move(fault);
  advice.next_at = at + pause_after(advice.failures, retry_after, at);
  return advice;
}

Seconds pause_after(int failures, std::optional<std::string_view> retry_after, Time at) {
  if (retry_after) return ari_pause(retry_after, at);
  return std::min(ari_pause_after(failures), kLongestPause);
}

bool is_urgent(const RenewalAdvice& advice, const probes::tls::Certificate& leaf, Time at) {
  if (!advice.window) return false;
  if (advice.moved_from && has_jumped(*advice.moved_from, *advice.window, at)) return true;
  return advice.window->start <= at + kSoon &&
         advice.window->end < leaf.not_before + (leaf.not_after - leaf.not_before) / 2;
}

const RenewalAdvice* advice_on(const RenewalBook& book, const probes::tls::Certificate& leaf) {
  if (book.empty()) return nullptr;
  const auto found = book.find(probes::dane::to_hex(leaf.sha256));
  return found == book.end() ? nullptr : &found->second;
}

bool take(RenewalBook& book, const RenewalAdvice& advice) {
  const auto known = book.find(advice.certificate);
  if (known == book.end()) {
    if (book.size() >= kMostRenewals) return false;
    book.emplace(advice.certificate, advice);
    return advice.window.has_value();
  }
  const bool is_news =
      known->second.window != advice.window || known->second.moved_from != advice.moved_from;
  known->second = advice;
  return is_news;
}

void forget_expired(RenewalBook& book, Time at) {
  std::erase_if(book, [&](const auto& entry) { return entry.second.not_after <= at; });
}

}  // namespace agent
