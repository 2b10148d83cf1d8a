#pragma once

#include <map>
#include <string_view>
#include <vector>

#include "probes/dane/usable.h"
#include "probes/judgement.h"

// PURE
// What senders do with what was seen: the ladder of RFC 7672 §2.2 and §3, one rung at a time.
namespace probes {

// A class of sending software, by the choices in which deployed senders differ. The reference is
// Postfix 3.10.
struct Sender {
  std::string_view name;            // as in the `splits` of the JSON
  std::string_view words;           // who they are, for people; the page has the same (script/docs)
  bool dane_on_insecure_mx = true;  // RFC 7672 §2.2.1 "MAY"
  dane::Digests digests = dane::Digests::sha512_first;
  tls::KeyType key_type = tls::KeyType::by_default;
  bool skips_on_any_address_failure = false;  // strict reading of RFC 7672 §2.2.2
  int least_rsa_bits = 0;                     // refuses shorter RSA keys
  bool wants_anchor_sent = false;      // DANE-TA(2): only an anchor that is sent, and in date
  bool ignores_null_mx = false;        // delivers to the other MX records beside a null MX
  bool minimises_names = false;        // its resolver stops where a name above is denied (RFC 8020)
  bool sha1_is_unsupported = false;    // its validator takes SHA-1 for no signature (RFC 9905)
  bool wants_every_algorithm = false;  // its validator insists on what RFC 6840 §5.11 lets it waive
  bool accepts_short_wildcards = false;  // DANE-TA(2): "*.tld" vouches for "host.tld"
  bool limits_nsec3 = false;        // its validator gives up on NSEC3 iterations sooner (RFC 9276)
  bool asks_other_servers = false;  // its resolver asked a name server that has other TLSA records
  bool is_strict_about_time = false;  // its validator forgives no signature a second
  // Goes by the letter of the RFCs where Postfix does not: defers (7672 §2.2) where a 5xx to
  // STARTTLS makes Postfix bounce, takes the reference identifiers of 7672 §3.2.2, reads replies as
  // in 5321 §4.2, wants names in MX records (5321 §5.1), and the same TLS for all.
  bool goes_by_the_letter = false;
  // A mail program at a service: never goes on without TLS (RFC 8314 §5), goes by the CAs of the
  // Web where no TLSA record can be used, and by both where its usage is PKIX-TA(0) or PKIX-EE(1)
  // (RFC 7673 §3.4, §4.2).
  bool is_client = false;
  bool knows_dane = true;  // of a client
};
[[nodiscard]] const Sender& reference_sender();
[[nodiscard]] const std::vector<Sender>& other_senders();  // named as in the `splits` of the JSON
// The same for services: the mail program that the verdict is of, and others.
[[nodiscard]] const Sender& reference_client();
[[nodiscard]] const std::vector<Sender>& other_clients();
// What the class is called for people, whether of senders or of mail programs; its name where it is
// not known.
[[nodiscard]] std::string_view words_of(std::string_view sender);

// A domain with the hosts of its MX RRset, as seen; `at` is the moment for which certificates are
// judged. A host missing from `hosts` has not been observed yet: the domain is then `unknown`
// unless another host decides.
[[nodiscard]] DomainJudgement judge(const DomainSeen& domain,
                                    const std::map<dns::Name, HostSeen>& hosts, config::Time at);

// A host by itself: in a domain of which it is the only host, with MX records that are secure.
[[nodiscard]] DomainJudgement judge_alone(const HostSeen& host, config::Time at);

// The same when our own sight is impaired: everything that depends on it is unknown, one
// monitor_fault says why. `what` names the impaired sense ("dns", "clock", "smtp_ipv4"), `detail`
// says it in words.
[[nodiscard]] DomainJudgement judge_blind(const DomainSeen& domain, std::string_view what,
                                          std::string_view detail);

// Whether a fault of our own hid the domain: nothing is known about it. A limit that hid nothing
// that matters (no IPv6 where IPv4 tells all) is a monitor_fault of lower severity.
[[nodiscard]] bool is_blind(const DomainJudgement& judged);
[[nodiscard]] bool is_blinding(const Finding& finding);

// Whether the host has secure TLSA records of which at least one can be used.
[[nodiscard]] bool has_dane(const HostJudgement& host);

}  // namespace probes
