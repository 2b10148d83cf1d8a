#pragma once

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "agent/history/history.h"
#include "agent/history/signing.h"
#include "probes/observation.h"

// PURE
// What looks at one MX host showed, look after look, as versions; and the history they make.
namespace agent {

// What one server gave for the TLSA owner at one look.
struct Published {
  bool is_gone = false;              // it no longer serves the zone; the rest means nothing
  std::optional<std::string> alias;  // the owner is a CNAME to this name
  config::Seconds alias_ttl{0};
  config::Seconds ttl{0};
  bool is_secure = false;                         // else it demands nothing of anybody
  std::vector<probes::dane::TlsaRecord> records;  // none: absent
  // Of what is not secure but was before: so long do caches that hold the DS record of then take
  // what the server gives for secure (RFC 4035 §5.2).
  config::Seconds delegation_ttl{0};
  bool operator==(const Published&) const = default;
};

// What one endpoint presented, leaf first; empty: the endpoint is no more.
using Chain = std::vector<probes::tls::CertificatePtr>;

// What one look learned. Of a server or endpoint without a value nothing was learned, and what it
// gave before stands.
struct Sample {
  std::map<std::string, std::optional<Published>> servers;  // "ns1.example.org 192.0.2.53"
  std::map<std::string, std::optional<Chain>> endpoints;    // "192.0.2.1/default"
  bool knows_servers = false;    // a server that is not in the list serves the zone no more
  bool knows_endpoints = false;  // the same of endpoints
  // A sender would not ask for TLSA records, or not believe them: what servers give is for nobody.
  bool is_unprotected = false;
  config::Seconds delegation_ttl{0};  // then: that of the DS records that used to protect
  // The signatures over the TLSA RRset, and when they were seen.
  std::map<std::string, probes::dns::SignatureWindow> windows;
  config::Time seen_at;
  // The same, completed: the newest, which most servers give, under kAllServers, and of each that
  // gives or gave another its own; nothing when it does no more.
  std::map<std::string, std::optional<Signature>> signatures;
};
inline constexpr const char* kAllServers = "*";
[[nodiscard]] Sample sample_of(const probes::HostObservation& host);

// Versions of everything, in the order of time; of each list the last is what holds.
struct HostHistory {
  std::map<std::string, std::vector<Version<Published>>> servers;
  std::map<std::string, std::vector<Version<Chain>>> endpoints;
  std::map<std::string, std::vector<Version<std::optional<Signature>>>> signatures;
  // Sets of records were forgotten, since there were too many (version.h): from then on no cache
  // holds one of them. Until then nothing is proven of caches.
  config::Time forgotten_until = kEver;
};

// Until when a cache may hold what a server gave until `ended`; kEver when it demands nothing.
[[nodiscard]] config::Time held_until(const Published& given, config::Time ended);

// The sample says that records which were believed are for nobody any more.
[[nodiscard]] bool is_loss(const HostHistory& host_history, const Sample& sample);

// The sample, with what it says of servers and endpoints that only the host history knows.
[[nodiscard]] Sample completed(const HostHistory& host_history, Sample sample);

// Takes a completed sample up, of a look from `began` to `ended`, which is later than those
// before. Nobody knows when in between something was seen (note_version). True when anything but
// signatures changed.
bool record_sample(HostHistory& host_history, const Sample& sample, config::Time began,
                   config::Time ended);

// Adds the endpoints of another host with the same TLSA owner, as "HOST 192.0.2.1/default": hosts
// whose records are one RRset roll over together (RFC 7671 §8.4).
void add_endpoints(HostHistory& host_history, const std::string& host, const HostHistory& other);

// `names`: reference identifiers for DANE-TA(2); `names_of_users`: further ones, of which a large
// provider has very many, asked for where those are not enough. Certificates are called by the
// SHA2-256 of their key, so that one renewed with the same key is the same; a chain is held against
// a record as of the day when it was first seen. Endpoints that are no more are left out.
using NamesOfUsers = std::function<std::vector<std::string>()>;
[[nodiscard]] History history_of(const HostHistory& host_history,
                                 const std::vector<std::string>& names,
                                 const NamesOfUsers& names_of_users = {});

}  // namespace agent
