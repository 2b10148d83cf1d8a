#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "config/boxed.h"
#include "config/text_lines.h"
#include "config/time.h"
#include "probes/net/socket.h"
#include "probes/smtp/reply.h"
#include "probes/tls/handshake.h"

namespace probes::smtp {

// Where a session ended.
enum class Stage { connect, banner, ehlo, starttls, handshake, ehlo_tls, done };
inline constexpr std::size_t kStages = 7;
[[nodiscard]] std::string_view wire_name(Stage stage);

// Why it ended there.
enum class SessionStop {
  none,             // it did not: QUIT was said at the end
  special_address,  // never contacted: the address is for special purposes and the configuration
                    // does not allow it
  connect_refused,
  connect_unreachable,
  connect_timeout,
  no_route,     // this machine cannot reach that address family
  local_fault,  // this machine could not even try
  timeout,      // the peer was slower than our patience
  closed,
  malformed_reply,
  reply_too_long,
  negative_reply,  // 4xx or 5xx; see last_reply
  not_offered,     // EHLO listed no STARTTLS
  tls,             // the handshake failed; see tls.stop
};
[[nodiscard]] std::string_view wire_name(SessionStop stop);

// What is odd in how a server talks, so that senders make different things of it.
struct Habits {
  // STARTTLS is offered in a way that only Postfix reads, or all but Postfix.
  bool offers_only_to_postfix = false;
  bool hides_offer_from_postfix = false;
  bool has_blotted_banner = false;  // as a PIX firewall leaves it: Postfix says HELO, never EHLO
  bool has_stray_lines = false;     // lines without a code: Postfix passes over them
  bool has_endless_line = false;    // Postfix (3.10.13) hangs up
  bool operator==(const Habits&) const = default;
};

// What became of TLS as senders have it that authenticate nobody (Postfix at its levels may and
// encrypt): TLS 1.0 and any cipher will do, and without TLSA records no server is named.
struct LaxTls {
  bool works = false;
  std::string version, cipher;  // empty when the handshake failed
  std::string detail;
  bool operator==(const LaxTls& other) const { return works == other.works; }
};

// What one session with one address showed. Texts are as received: escape them where shown.
struct SessionRecord {
  std::string address;
  std::uint16_t port = 25;
  tls::KeyType key_type = tls::KeyType::by_default;
  Stage stage = Stage::connect;
  SessionStop stop = SessionStop::none;
  std::string detail;
  std::optional<std::string> banner;
  std::optional<Reply> last_reply;
  bool offers_starttls = false;
  bool has_masked_starttls = false;  // EHLO shows a keyword overwritten by a middlebox
  bool refused_ehlo = false;         // EHLO was refused; `last_reply` is then that refusal
  bool took_helo = false;            // after that HELO was not: a server without extensions
  int helo_code = 0;                 // what HELO was answered; 0 when it was not said or answered
  Habits habits;                     // of the server's, by which senders differ
  std::size_t plaintext_after_starttls =
      0;  // octets that arrived in clear behind the STARTTLS reply; discarded
  std::optional<tls::Handshake> tls;
  // Only tried where it may differ from `tls`: that failed, or the server seems to want a name.
  config::Boxed<LaxTls> lax;
  // What was said, a line each: "S: " the server, "C: " we, "* " what was done beside talking. Cut
  // with "…" where it was longer than kLongestTranscript.
  config::TextLines transcript;
  std::array<std::chrono::microseconds, kStages> took{};  // each stage that was come to
  std::chrono::milliseconds duration{0};
};
inline constexpr std::size_t kLongestTranscript = 4096;  // octets

// Whether two sessions showed the same: all but texts that servers vary (banner, replies) and
// durations.
[[nodiscard]] bool same_facts(const SessionRecord& a, const SessionRecord& b);

struct SessionPlan {
  std::string address;
  std::uint16_t port = 25;
  std::string helo;         // what we call ourselves
  std::string server_name;  // for SNI: the TLSA base domain, or the MX host where there is none
                            // (RFC 7672 §8.1)
  tls::KeyType key_type = tls::KeyType::by_default;
  bool is_lax = false;  // TLS 1.0 and any cipher are good enough
};

// Connect, banner, EHLO, STARTTLS, TLS, EHLO, QUIT: no mail is offered. Always returns by the
// deadline, with whatever it has seen. STARTTLS is never said unless offered (RFC 3207 §4).
[[nodiscard]] SessionRecord run_session(const SessionPlan& plan, tls::Client& tls,
                                        config::Deadline deadline);

}  // namespace probes::smtp
