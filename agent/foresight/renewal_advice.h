#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "probes/reports/ari.h"
#include "probes/tls/certificate.h"

// PURE
// What CAs say of when certificates are to be renewed (RFC 9773).
namespace agent {

using probes::reports::RenewalWindow;

// Of one certificate: what was told last, and when its CA is asked again.
struct RenewalAdvice {
  std::string certificate;  // its SHA2-256, hexadecimal
  config::Time not_after;
  std::optional<RenewalWindow> window;  // told last; null: none yet
  config::Time told_at;                 // means nothing without a window
  std::optional<RenewalWindow> latest;  // of all that were told the one that starts last
  // That one, while the one told last starts a day or more before it: however many steps it took,
  // the CA has moved it ahead.
  std::optional<RenewalWindow> moved_from;
  config::Time next_at;  // asked again then
  int failures = 0;      // questions since that were not answered
  std::string fault;     // why, of the last; empty: it was. May quote the CA, escape where shown
  bool operator==(const RenewalAdvice&) const = default;
};

// As of the CA's answer, or of a question without one. `retry_after`: the field as it came.
[[nodiscard]] RenewalAdvice with_window(RenewalAdvice advice, const RenewalWindow& window,
                                        std::optional<std::string_view> retry_after,
                                        config::Time at);
[[nodiscard]] RenewalAdvice with_fault(RenewalAdvice advice, std::string fault,
                                       std::optional<std::string_view> retry_after,
                                       config::Time at);

// How long to wait after so many questions in a row that failed: RFC 9773 §4.3.3.
[[nodiscard]] config::Seconds pause_after(int failures, std::optional<std::string_view> retry_after,
                                          config::Time at);

// The CA wants it renewed now, and not in its time, as it does before it revokes: it has moved the
// window ahead, or the window that it named first ends in the first half of the certificate's life;
// and it begins now or in the next three days.
[[nodiscard]] bool is_urgent(const RenewalAdvice& advice, const probes::tls::Certificate& leaf,
                             config::Time at);

// By certificate, as in RenewalAdvice.
using RenewalBook = std::map<std::string, RenewalAdvice, std::less<>>;
// More are not remembered.
inline constexpr std::size_t kMostRenewals = 10'000;
[[nodiscard]] const RenewalAdvice* advice_on(const RenewalBook& book,
                                             const probes::tls::Certificate& leaf);
// Takes it up. True when it says anything else than before of the renewal.
bool take(RenewalBook& book, const RenewalAdvice& advice);
void forget_expired(RenewalBook& book, config::Time at);

}  // namespace agent
