#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "config/config.h"
#include "config/rare.h"
#include "config/time.h"
#include "probes/dane/tlsa.h"
#include "probes/dns/answer.h"
#include "probes/dns/survey.h"
#include "probes/smtp/session.h"
#include "probes/sts/fetch.h"
#include "probes/sts/record.h"

// What was seen of a target, with provenance and without opinion. Made by observe.h, never changed
// after.
namespace probes {

enum class MxSource {
  mx,        // an MX RRset
  implicit,  // none, so the domain itself is the host (RFC 5321 §5.1)
  null,      // a single "0 ." (RFC 7505)
  none,      // not learned, or the domain does not exist
  service,   // no MX leads there: the "domain" is a service, and its own host (service.h)
};
[[nodiscard]] std::string_view wire_name(MxSource source);

struct MxHost {
  dns::Name name;
  std::uint16_t preference = 0;
  auto operator<=>(const MxHost& other) const = default;
  bool operator==(const MxHost&) const = default;
};

// What a domain says about MTA-STS (RFC 8461) and TLS reports (RFC 8460).
struct StsObservation {
  dns::Answer sts_txt;     // at "_mta-sts."; not_queried when nobody asked
  sts::StsRecord sts;      // means something when sts_txt was learned
  dns::Answer tlsrpt_txt;  // at "_smtp._tls."
  sts::TlsrptRecord tlsrpt;
  std::optional<sts::Fetched> fetched;  // only when the record is valid
};

// The MX RRset of a domain and what leads to it.
struct DomainObservation {
  dns::Name domain;
  config::Time observed_at;
  dns::Answer mx;
  MxSource source = MxSource::none;
  // By preference, then name; addresses in place of names among them (exchange.h), without what
  // cannot be a host.
  std::vector<MxHost> hosts;
  std::vector<std::string> invalid_exchanges;  // what is no name of a host: kept as text
  // TLSA records at the domain itself, where no sender looks; asked only when the domain is not its
  // own MX host and its MX is secure.
  config::Rare<dns::Answer> misplaced;
  config::Rare<StsObservation> sts;
  dns::Survey survey;  // what every name server says of the MX RRset; empty when not asked
  std::chrono::microseconds mx_took{0};  // the lookup
  bool has_null_mx = false;
  bool cut = false;  // more hosts than kMaxHosts
};

// One MX host: addresses, TLSA, and a session with every address. It is observed once, whatever the
// number of domains that use it.
struct HostObservation {
  dns::Name host;
  config::Time observed_at;
  dns::Answer a, aaaa;
  // Asked only when an insecure alias target makes it necessary.
  config::Rare<dns::Answer> cname;
  bool is_dane_candidate = false;  // the addresses allow a TLSA query (RFC 7672 §2.2.2)
  dns::Name base_domain;           // TLSA base domain: where `tlsa` was asked last
  dns::Answer tlsa;  // the deciding lookup: the first secure RRset, a failure, or the last denial
  std::vector<dns::Answer> misplaced;  // TLSA RRsets found where no sender looks, asked only when
                                       // a secure denial stands where senders do look
  std::vector<dane::TlsaRecord>
      records;  // of `tlsa`, in canonical order; RDATA under three octets is no record
  // What every name server says of the addresses and TLSA records, and of "_tcp" between them;
  // empty when not asked.
  dns::Survey survey;
  std::chrono::microseconds addresses_took{0}, tlsa_took{0};  // the lookups
  std::vector<std::string> addresses;                         // in the order found, IPv6 last
  std::vector<smtp::SessionRecord> sessions;
  std::optional<config::Starttls> starttls;  // of a service: how TLS begins there
  bool cut = false;                          // more addresses or records than we look at
};

// Whether the session is the first with its address and key type: further ones are there because
// another back-end answered. What keeps or shows one state an endpoint takes the first.
[[nodiscard]] bool is_first_look(const HostObservation& host, std::size_t session);

// Whether some session got as far as to be shown a certificate.
[[nodiscard]] bool shows_certificate(const HostObservation& host);

// Whether two looks at a host learned the same: all but the moment, the durations and the
// resolver's remarks.
[[nodiscard]] bool same_facts(const HostObservation& a, const HostObservation& b);

using DomainSeen = std::shared_ptr<const DomainObservation>;
using HostSeen = std::shared_ptr<const HostObservation>;

inline constexpr std::size_t kMaxHosts = 20;
inline constexpr std::size_t kMaxAddresses = 8;
inline constexpr std::size_t kMaxTlsaRecords = 2000;

}  // namespace probes
