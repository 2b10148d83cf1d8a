#pragma once

#include <cstddef>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "agent/history/host_history.h"
#include "agent/rollover/gate_decision.h"
#include "probes/findings.h"
#include "probes/tls/names.h"

// PURE
// Certificates that exist and that no host presents yet: whether what is published will take them
// (RFC 7671 §8.1: the record comes first).
namespace agent {

// A certificate that was issued, as somebody showed it to us: a log of Certificate Transparency, an
// ACME client before it deploys, a person.
struct AnnouncedCertificate {
  std::string id;  // of its issuance (probes/tls/issuance.h), hexadecimal
  Chain chain;     // leaf first, as far as it was handed in or is known
  bool is_precertificate = false;
  config::Time shown_at;  // to us, for the first time
  std::string shown_by;   // the name of the login, or what the client calls itself; may be empty
};
// SHA2-256 of the SubjectPublicKeyInfo of its leaf, hexadecimal.
[[nodiscard]] std::string key_of(const AnnouncedCertificate& announced);
// Nothing when the chain is empty or its leaf no certificate.
[[nodiscard]] std::optional<AnnouncedCertificate> announce(Chain chain, std::string shown_by,
                                                           config::Time at);

// An operator says that certificates of this key are for no mail server.
struct NotForMail {
  std::string key;  // as key_of()
  std::string by;
  std::string comment;
  config::Time at;
  bool operator==(const NotForMail&) const = default;
};

// A watched MX host, as far as certificates are held against it.
struct ForeseenHost {
  std::string host;         // A-label form, in lower case
  std::string base_domain;  // of its TLSA records; the host itself before that was learned
  // Watched domains whose MX host it is: of a large provider very many, and few ask. Null: none.
  std::function<std::vector<std::string>()> users;
  const HostHistory* past = nullptr;  // null: never seen
  bool is_asked = true;  // false: the last look learned that no sender asks for TLSA records
};

// The chains that a host's endpoints present, one of each; none is empty.
[[nodiscard]] std::vector<Chain> chains_of(const HostHistory& past);
// The leaves of those.
[[nodiscard]] std::vector<probes::tls::CertificatePtr> presented_by(const HostHistory& past);

// By these a certificate is found.
using probes::tls::names_of;
// The names, wildcards among them, one of which a certificate for the host must hold;
// ".example.org" is any that has one label more.
[[nodiscard]] std::vector<std::string> names_asked(const ForeseenHost& host);
// It names the host or the TLSA base domain, by itself or by a wildcard. Where what the host
// presents does not (DANE-EE(3) asks for no name, and DANE-TA(2) takes the mail domain's): it names
// what that names, be it that one of both does so by a wildcard.
[[nodiscard]] bool is_for(const probes::tls::Certificate& leaf, const ForeseenHost& host);

// The host presents it, or a later one everywhere; or it has expired.
[[nodiscard]] bool is_over(const AnnouncedCertificate& announced, const ForeseenHost& host,
                           config::Time at);

// Whether senders will take it from the host.
struct KeyForecast {
  std::string host;
  std::optional<bool> is_covered;  // by everything that is published; null: could not tell
  std::vector<probes::dane::TlsaRecord> records;  // to publish, all, when it is not covered
  // No cache refuses it from then on; when it is not covered: if they are published at once.
  std::optional<config::Time> safe_from;
  std::vector<std::string> why;  // sentences
};
[[nodiscard]] KeyForecast forecast(const AnnouncedCertificate& announced, const ForeseenHost& host,
                                   config::Time at);

// What a certificate means for those who are watched, as far as is known now.
struct Foreseen {
  std::vector<KeyForecast> hosts;  // that it is for
  // Not probed since the start: hosts of theirs may be missing.
  std::size_t domains_unseen = 0;
  // It holds more names than are kept (probes/tls/certificate.h): the same.
  bool has_more_names = false;
};

// What of these is worth telling: one finding at most. `announced`: all that are for the host and
// not for something else; those that are over may be among them. One is superseded, and not told,
// by another for the same names that was issued a day or more later, is valid, and may be believed:
// the host presents it, or an issuer that the host has presented has signed it. Anybody can sign
// one in a name of his choice and show that.
[[nodiscard]] std::optional<probes::Finding> find_unpublished(
    const std::vector<const AnnouncedCertificate*>& announced, const ForeseenHost& host,
    config::Time at);

// The chain with those of the issuers that it lacks, as far as they are among `known`.
[[nodiscard]] Chain with_issuers(Chain chain,
                                 const std::vector<probes::tls::CertificatePtr>& known);
// The leaf and, as far as they were sent, its issuer and those above, each by name and signature:
// servers send them in any order, twice, and with others between. Empty of an empty chain.
[[nodiscard]] Chain in_order(const Chain& chain);

}  // namespace agent
