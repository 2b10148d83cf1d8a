#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "config/result.h"
#include "config/time.h"
#include "probes/tls/certificate.h"

// PURE
// When a CA suggests to renew a certificate: ACME Renewal Information (RFC 9773). Asking needs no
// account.
namespace probes::reports {

// The last part of the URL that is asked (§4.1): keyIdentifier of the authority and serial number.
// Nothing for a certificate without that extension, of which no CA can be asked.
[[nodiscard]] std::optional<std::string> ari_id(const tls::Certificate& certificate);

// `renewalInfo` of a directory (RFC 8555 §7.1.1): an https URL of at most 1000 octets, without
// user, password or fragment. The error is a phrase, as of the reader below.
[[nodiscard]] config::Result<std::string, std::string> renewal_info_url(std::string_view directory);

// What the CA suggests (§4.2): to renew at a time between the two.
struct RenewalWindow {
  config::Time start, end;  // start is before end
  std::string explanation;  // an https URL of a page for people; empty: none. Escape where shown
  bool operator==(const RenewalWindow&) const = default;
};
inline constexpr std::size_t kMostAriReply = 64 * 1024;  // octets
[[nodiscard]] config::Result<RenewalWindow, std::string> parse_renewal_info(std::string_view reply);

// How long to wait before the next question (§4.3.2). `retry_after`: the field as it came, delay in
// seconds or a date (RFC 9110 §10.2.3); null: there was none. Kept between a minute and a day; six
// hours where it says nothing.
[[nodiscard]] config::Seconds ari_pause(std::optional<std::string_view> retry_after,
                                        config::Time at);
// After `failures` questions in a row that failed: doubled each time up to a day (§4.3.3).
[[nodiscard]] config::Seconds ari_pause_after(int failures);

// The CA has moved the window to an earlier time (§4.2: as it does before it revokes): it begins a
// day or more before the one that it suggested last, and within a week of `at`: a CA has five days
// to revoke what it has to (CA/Browser Forum's Baseline Requirements §4.9.1.1).
[[nodiscard]] bool has_jumped(const RenewalWindow& before, const RenewalWindow& now,
                              config::Time at);

}  // namespace probes::reports
