#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "config/shared_vector.h"
#include "config/time.h"
#include "probes/remedy.h"

// PURE
// The words of judgement. Spelled the same in C++, JSON, SQL, metric labels and docs ('_' here is
// '-' there).
namespace probes {

// What a conforming sender does with an endpoint, a host, a domain. The last three are a domain's
// only.
enum class Verdict : std::uint8_t {
  authenticated,
  host_authenticated,
  encrypted,
  opportunistic,
  cleartext,
  refused,
  lookup_failed,
  down,
  no_address,
  unknown,
  deferred,
  bounced,
  no_mail,
};

// In rising order.
enum class Severity : std::uint8_t { info, low, medium, high, critical };

// Everything that can be found. A closed list: a new fact gets a new code, none is overloaded.
enum class Code {
  tlsa_mismatch,
  tlsa_mismatch_insecure_mx,
  starttls_missing,
  starttls_rejected,
  starttls_stripped,
  tls_handshake_failed,
  tls_version_old,
  name_mismatch,
  certificate_expired,
  certificate_expiring,
  certificate_untrusted,
  trust_anchor_not_sent,
  trust_anchor_expired,
  tlsa_lookup_failed,
  mx_lookup_failed,
  address_lookup_failed,
  dnssec_expired,
  ds_broken,
  ds_stale,
  ds_change,
  ds_change_breaks,
  combination_stale,
  key_type_partial,
  intermittent,
  endpoint_partial,
  stale_cache_window,
  early_retire,
  nameserver_split,
  dane_lost,
  downgrade,
  fallback_only,
  rrsig_expiring,
  rrsig_long,
  ent_nxdomain,
  denial_too_wide,
  plaintext_injection,
  selective_starttls,
  vantage_split,
  all_unusable,
  predicted_mismatch,
  next_key_unpublished,
  renewal_urgent,
  issuer_uncovered,
  rollover_late,
  rollover_stuck,
  partial_dane,
  mx_insecure,
  dane_ineffective,
  no_dane,
  tlsa_wrong_name,
  tlsa_malformed,
  tlsa_residue,
  tlsa_orphan,
  nsec3_parameters,
  dane_fragile,
  ttl_long,
  mta_sts_conflict,
  mx_invalid,
  mx_cname,
  mx_changed,
  domain_gone,
  null_mx,
  implicit_mx,
  host_down,
  probe_refused,
  selector_cert,
  certificate_changed,
  nameserver_failing,
  nameserver_udp_only,
  nameserver_lagging,
  mta_sts_invalid,
  tlsrpt_missing,
  senders_refuse,
  senders_disagree,
  policy_override,
  monitor_fault,
};

inline constexpr std::size_t kCodeCount = 76;
[[nodiscard]] const std::array<Code, kCodeCount>& all_codes();

[[nodiscard]] std::string_view wire_name(Verdict verdict);
[[nodiscard]] std::string_view wire_name(Severity severity);
[[nodiscard]] std::string_view wire_name(Code code);
[[nodiscard]] std::optional<Verdict> verdict_from(std::string_view name);
[[nodiscard]] std::optional<Severity> severity_from(std::string_view name);
[[nodiscard]] std::optional<Code> code_from(std::string_view name);

// Whether a sender that gets this delivers.
[[nodiscard]] bool is_deliverable(Verdict verdict);
// How much a man in the middle may read or forge: cleartext is the most open, what delivers nothing
// the least.
[[nodiscard]] int openness(Verdict verdict);

// What a finding is about. It is the identity of an alert, so it names the root of the trouble, not
// its victims.
struct Subject {
  // A TLSA owner that several hosts share, and a zone, are roots of trouble only: findings are
  // about what they hit.
  enum class Kind { domain, host, owner, zone, monitor };
  Kind kind = Kind::domain;
  std::string name;  // A-label form; of the monitor: what of it ("dns", "clock", "smtp_ipv4" …)
  auto operator<=>(const Subject&) const = default;
  bool operator==(const Subject&) const = default;
};
[[nodiscard]] std::string_view wire_name(Subject::Kind kind);
[[nodiscard]] std::optional<Subject::Kind> subject_kind_from(std::string_view name);

// The DNSSEC chain breaks in a zone above those that suffer.
struct ChainBreak {
  std::string zone;
  bool is_ds_signature = false;  // its signatures over the DS records below do not verify
  bool operator==(const ChainBreak&) const = default;
};

// One fact of evidence: a name and what was seen, in words. Values may quote the outside world. It
// is for people: what the program goes by has a field of its own.
struct Evidence {
  std::string name;
  std::string value;
  bool operator==(const Evidence&) const = default;
};

// What follows from a finding.
struct Consequence {
  Code code = Code::monitor_fault;
  Subject subject;
  bool operator==(const Consequence&) const = default;
};

// What history knows of the key that is refused.
struct KeyPast {
  config::Time since;            // it has been presented
  bool is_since_before = false;  // and was when it was looked for first: since then at least
  // The record that it fitted was taken out then; null: it has never fitted one that was published.
  std::optional<config::Time> record_removed_at;
  // The one before it was accepted by what was published when they changed.
  bool is_unannounced = false;
  bool operator==(const KeyPast&) const = default;
};

// A name server that does not give what others give.
struct ServerGap {
  std::string server;                 // "ns1.example.org (192.0.2.53)"
  std::vector<std::string> lacks;     // record data; of a key in use, where it refuses one
  std::vector<std::string> keeps;     // that the other does not give
  std::string given_by;               // the other server
  std::optional<config::Time> since;  // when that one was first seen giving them
  bool is_refusing = false;           // what it gives refuses a key in use that the others accept
  bool is_bare = false;               // what it gives protects nobody, unlike what the others give
  bool operator==(const ServerGap&) const = default;
};

struct Finding {
  Code code = Code::monitor_fault;
  Severity severity = Severity::info;
  Subject subject;
  // It is a partner's: what is to be done is for their operators.
  bool is_theirs = false;
  std::vector<Evidence> evidence;
  std::vector<std::string>
      addresses;  // endpoints it was seen at; empty when it is not about endpoints
  // Another finding of the same look names the cause (causes.h): shown, but never an alert of its
  // own. And what follows from this one. Set by link_causes().
  std::optional<Code> consequence_of;
  std::vector<Consequence> consequences;
  // False: what it explains by the order of the catalogue may have another cause beside it.
  bool is_whole_cause = true;
  // The last moment at which what it foretells can still be prevented without loss.
  std::optional<config::Time> due_at;
  // How that moment is known, where it is foretold: "ari", "habit", "lifetime".
  std::string due_source;
  // The root of the trouble, where it is known and not the subject; else cause_of() says it.
  std::optional<Subject> root;
  std::optional<ChainBreak> broken_above;
  // What to change in the DNS, where that is known to the letter.
  std::optional<Remedy> remedy;
  std::optional<config::Time> refused_since;  // some cache, or what is published, refuses the host
  // Of an alert's: what is published has been put right, and only what caches still hold refuses.
  bool is_in_caches_only = false;
  bool is_carried = false;          // senders deliver to another host of the domain
  bool is_old_key_refused = false;  // what is published refuses the key before that in use, too
  std::optional<KeyPast> key;
  std::vector<ServerGap> gaps;  // those that refuse first
  // SHA2-256 of the SubjectPublicKeyInfo, hexadecimal: keys that are not presented yet, and that it
  // is about.
  std::vector<std::string> next_keys;
  bool operator==(const Finding&) const = default;
};
// What very many domains suffer from one host is kept once.
using Findings = config::SharedVector<Finding>;

}  // namespace probes
