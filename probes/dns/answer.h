#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "config/boxed.h"
#include "config/time.h"
#include "probes/dns/denial.h"
#include "probes/dns/key_sets.h"
#include "probes/dns/message.h"

// What one lookup taught us, and how far DNSSEC vouches for it. Facts only: no rule of DANE is in
// here.
namespace probes::dns {

// RFC 4035 §4.3 as RFC 7672 §2.1.1 reads it.
enum class DnssecStatus { secure, insecure, bogus, indeterminate };

enum class Outcome {
  answer,       // the RRset exists
  absent,       // NODATA or NXDOMAIN, proven (secure) or not signed (insecure)
  failed,       // we could not learn: SERVFAIL, timeout, bogus, malformed
  not_queried,  // the ladder did not need it
};

// Something was learned: the RRset, or that there is none.
[[nodiscard]] constexpr bool is_learned(Outcome outcome) {
  return outcome == Outcome::answer || outcome == Outcome::absent;
}

// Why a lookup failed. One word each, because each has another remedy.
enum class Cause {
  none,
  timeout,
  network,
  malformed,
  servfail,
  refused,
  other_rcode,
  bogus,
  signature_expired,
  signature_not_yet_valid,
  ds_mismatch,        // the parent's DS records match no key of the zone
  ds_signature,       // a zone above vouches for the next with signatures that do not verify
  chain_unreachable,  // DNSKEY or DS records could not be fetched: nothing can be said
  alias_loop,
  too_large,  // more signatures or keys than we are willing to check
};

[[nodiscard]] std::string_view wire_name(DnssecStatus status);
[[nodiscard]] std::string_view wire_name(Outcome outcome);
[[nodiscard]] std::string_view wire_name(Cause cause);

// The weaker of two links of one chain: bogus < indeterminate < insecure < secure.
[[nodiscard]] DnssecStatus weaker(DnssecStatus a, DnssecStatus b);

// One step of an alias chain.
struct Alias {
  Name from;
  Name to;
  DnssecStatus status = DnssecStatus::indeterminate;
  config::Seconds ttl{0};
  bool operator==(const Alias&) const = default;
};

// When the signatures that vouch for something are valid (RFC 4034 §3.1.5): latest inception,
// earliest expiration.
struct SignatureWindow {
  config::Time inception;
  config::Time expiration;
  bool operator==(const SignatureWindow&) const = default;
};

// How the data and the chain above it are signed, as far as validators differ about it.
struct Signing {
  // Some link has only SHA-1 to vouch for it: all its signatures are of RSASHA1 algorithms, or all
  // DS digests are SHA-1. Validators that follow RFC 9905 take what is below for unsigned.
  bool needs_sha1 = false;
  // Insecure because a zone above is signed only in ways that no validator knows (RFC 4035 §5.2,
  // RFC 6840 §5.2): signed in vain.
  bool is_unsupported = false;
  // The most NSEC3 iterations among the denials that the proof needs; 0 where it needs none.
  std::uint16_t nsec3_iterations = 0;
  // Some link is not signed by every algorithm that the DS records of its zone name. RFC 6840 §5.11
  // asks it of signers and not of validators, but some insist.
  bool lacks_algorithm = false;
  // Some signature is outside its time, but within the grace that Unbound gives, and so Postfix
  // behind it: for validators without grace the lookup fails.
  bool needs_grace = false;
  // Insecure because a denial that the proof needs covers a span with Opt-Out (RFC 5155 §9.2).
  bool rests_on_opt_out = false;
  bool operator==(const Signing&) const = default;
};

// RFC 9276 §3.2: above this, widely used validators take a denial for unsigned (PowerDNS, Unbound
// and BIND of 2023), and above kMostNsec3Iterations some fail the lookup.
inline constexpr std::uint16_t kFewNsec3Iterations = 50;
inline constexpr std::uint16_t kMostNsec3Iterations = 150;

// The worse of both in each respect.
[[nodiscard]] Signing worse(const Signing& a, const Signing& b);

// Our own resolver did not tell what the zone's own servers tell, or told otherwise.
struct ResolverFault {
  std::string resolver;  // its address, as operators write it
  std::string what;      // what it does wrong, in words
  bool operator==(const ResolverFault&) const = default;
};

struct Answer {
  Name name;  // as asked
  std::uint16_t type = 0;
  Outcome outcome = Outcome::not_queried;
  // Of everything from `name` to the data or its denial: the weakest link. Means nothing unless
  // answer or absent.
  DnssecStatus status = DnssecStatus::indeterminate;
  Cause cause = Cause::none;  // set when failed
  std::string detail;  // in words for a person; may quote the outside world, escape where shown
  std::uint16_t rcode = 0;
  std::vector<Alias> aliases;  // in order; empty when the name is no alias
  Name final_name;             // where the aliases end
  config::Seconds ttl{
      0};  // of the RRset as published (RRSIG original TTL when signed), not a cache's remainder
  std::optional<SignatureWindow> signatures;  // over the RRset (or its denial) itself
  std::optional<Name> signer;  // the zone whose keys signed what was proved last, or failed to be
  // Where the chain breaks when that is not at the signer's own keys: the zone above whose DS or
  // DNSKEY records do not verify. All zones below it share that fate.
  std::optional<Name> broken_at;
  KeySetsPtr key_sets;  // of the signer; null when not proven secure
  Signing signing;
  std::optional<config::Time>
      chain_expires_at;     // earliest expiration from the root down to the data
  std::vector<Bytes> data;  // canonical order, no duplicates
  std::vector<ExtendedError> extended_errors;
  bool resolver_says_secure = false;  // the AD bit: a second opinion
  bool is_from_wildcard = false;      // the RRset was made from a wildcard's
  Name source;                        // where it stands: `final_name`, or that wildcard
  config::Boxed<Denial> denial;       // of what is absent: what else its proof denies
  std::string server;                 // who was asked last, for people
  // The answer is the zone's own servers', because the resolver failed or was wrong.
  config::Boxed<ResolverFault> resolver_fault;
  // Failed, and only our resolver could be asked: perhaps the fault is its own.
  bool is_unconfirmed = false;
  // The same, and found to be our own: the resolver fails for others, too.
  bool is_ours = false;
  // What all this was read from: the replies about the name and its aliases, and those with the DS
  // and DNSKEY records above them. Only until probes::take_replies() has it.
  std::shared_ptr<const Replies> replies;
};

// Whether two answers tell the same of the name: all but the signer's keys, extended errors and
// what concerns our resolver; and the replies.
[[nodiscard]] bool same_facts(const Answer& a, const Answer& b);

}  // namespace probes::dns
