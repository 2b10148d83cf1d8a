#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <variant>
#include <vector>

#include "probes/reports/log_line.h"

// PURE
// What a Postfix says in its log of the mail that it sends out: how each delivery went, and how the
// session was protected. Nothing of people leaves this file: of an address only what stands behind
// the "@" is read, and of what a server said only the kind.
// Source: what Postfix 3.7 logs; for `tls=` the documentation of smtp_log_tls_feature_status
// (Postfix 3.11).
namespace probes::reports {

// Postfix' own words ("Verified TLS connection established to …"). In a session by DANE it is
// `verified` when the certificate matched, `trusted` when it did and the MX RRset was insecure.
enum class TlsLevel {
  unknown,    // the log does not say: smtp_tls_loglevel = 0, or it began in the middle
  none,       // in the clear
  anonymous,  // without a certificate
  untrusted,  // encrypted; it is not known with whom
  trusted,
  verified,
};

enum class DeliveryStatus { sent, deferred, bounced };

// What came between.
enum class Setback {
  none,
  certificate,       // it matches no TLSA record, or is otherwise not trusted
  starttls_missing,  // TLS is required and was not offered
  starttls_refused,  // TLS was offered and then refused
  handshake,         // TLS could not be set up
  tlsa_lookup,       // TLSA records could not be looked up
  dane_demanded,     // this Postfix wants DANE where there is none (dane-only)
  own_policy,        // this Postfix could not learn its own TLS policy
  name_lookup,       // MX or addresses could not be looked up, or there are none
  unreachable,       // no connection, or it broke
  server,            // the server would not take the mail, for reasons of its own
  other,
};

[[nodiscard]] std::string_view wire_name(TlsLevel level);
[[nodiscard]] std::string_view wire_name(DeliveryStatus status);
[[nodiscard]] std::string_view wire_name(Setback setback);
[[nodiscard]] std::optional<TlsLevel> tls_level_from(std::string_view name);
[[nodiscard]] std::optional<DeliveryStatus> delivery_status_from(std::string_view name);
[[nodiscard]] std::optional<Setback> setback_from(std::string_view name);
// TLS, DNSSEC or DANE kept the mail, and not a server, a network or a recipient.
[[nodiscard]] bool is_about_tls(Setback setback);

// A host that was tried and left before the one that the delivery tells of.
struct TriedHost {
  std::string host;
  Setback setback = Setback::other;
  bool operator==(const TriedHost&) const = default;
};

// To one recipient.
struct Delivery {
  config::Time at;
  std::string queue_id;  // Postfix' own name for the message while it waits
  std::string domain;    // A-labels, lower case
  std::string host;      // that it was about; empty: none
  DeliveryStatus status = DeliveryStatus::sent;
  TlsLevel level = TlsLevel::unknown;  // of the session; `unknown` where there was none
  Setback setback = Setback::none;
  config::Seconds delay{0};  // since the message came in
  std::vector<TriedHost> before;
  bool operator==(const Delivery&) const = default;
};

// The message waits no more: every recipient has it or was given up, or somebody deleted it.
struct Removed {
  std::string queue_id;
  // Its name from now on, where it was put into the queue anew (postsuper -r); empty: it is gone.
  std::string goes_on_as{};
  bool operator==(const Removed&) const = default;
};

using MailEvent = std::variant<Delivery, Removed>;

// Reads a log line by line. What is not of Postfix' SMTP client or queue says nothing. Sessions are
// told apart by the process that has them, so lines of one log must be read in their order.
// Memory is bounded whatever the log holds.
//
// Besides lines (log_line.h) it reads entries as `journalctl -o export` prints them, fields with
// their length in front included: what such a field says is never taken for another. An entry that
// is not of that form, or of a program that is not what it calls itself, says nothing.
// Source: systemd's "Journal Export Formats".
class MaillogReader {
 public:
  explicit MaillogReader(Calendar calendar) : lines_(std::move(calendar)) {}
  // `line` has no line end; `octets`: how long it was, where only its beginning is given.
  [[nodiscard]] std::optional<MailEvent> read(std::string_view line, std::uint64_t octets = 0);
  // For traditional lines: where the log is followed for long.
  void set_now(config::Time now) { lines_.set_now(now); }
  // The moment of the last line that had one.
  [[nodiscard]] std::optional<config::Time> last_at() const { return last_at_; }

  // Lines in a row, the last ones, that are of no form that is known.
  [[nodiscard]] std::uint64_t strange() const { return lines_.strange(); }

  // What a restart in the middle of a log must not lose: sessions whose deliveries are to come, and
  // how long the log has been read. A text of our own making, which names hosts and queue ids.
  [[nodiscard]] std::string state() const;
  // Takes up what state() gave, before the first line; what is not of that form is passed over.
  void restore(std::string_view state);

  static constexpr std::size_t kMostProcesses = 4096;
  static constexpr std::size_t kMostTried = 8;
  static constexpr std::size_t kMostRemembered = 256;  // processes in a state, those seen last

 private:
  // One process of the SMTP client, which has one session at a time.
  struct Client {
    std::string host;  // of the session at hand; empty: none was seen with TLS
    std::string
        refused_by;  // the last that a handshake with failed, until that is told of a message
    TlsLevel level = TlsLevel::none;
    std::string used_by;  // the message that it was for; empty: none yet
    std::string trying;   // the message whose tries are in `tried`
    std::vector<TriedHost> tried;
    bool is_known = false;  // seen long enough to know that silence means no TLS
    config::Time seen_at{};
  };
  struct Entry {  // of a journal's export
    std::optional<config::Time> at;
    std::map<std::string, std::string, std::less<>> fields;  // of those that count, the first
    bool is_broken = false;
  };
  struct Binary {  // a field of it, as far as it is read
    std::string name, value;
    unsigned octets_of_length = 0;
    std::uint64_t left = 0;  // its length, and then what of it is to come
  };

  [[nodiscard]] std::optional<MailEvent> understand(const LogLine& line);
  [[nodiscard]] std::optional<MailEvent> of_client(const LogLine& line, std::string_view instance);
  [[nodiscard]] std::optional<MailEvent> delivered(Client& client, std::string_view queue_id,
                                                   std::string_view rest, config::Time at);
  [[nodiscard]] TlsLevel level_of(Client& client, std::string_view queue_id, std::string_view host);
  Client& client_of(std::string_view instance, std::uint32_t pid, config::Time at);
  void take_field(std::string_view name, std::string_view value);
  void take_line_of_entry(std::string_view line);
  void take_line_of_binary(std::string_view line, std::uint64_t octets);
  [[nodiscard]] std::optional<MailEvent> end_entry();

  LogLineReader lines_;
  std::unordered_map<std::string, Client> clients_;  // by instance and process
  std::optional<config::Time> began_, last_at_;
  bool logs_tls_ = false;  // a line about TLS was seen: smtp_tls_loglevel is 1 or more
  std::optional<Entry> entry_;
  std::optional<Binary> binary_;
};

}  // namespace probes::reports
