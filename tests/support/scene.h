#pragma once

#include <map>
#include <string>
#include <vector>

#include "probes/judge.h"
#include "tests/support/test_ca.h"

// The baseline world of the conformance cases, as facts: example.test with MX 10 mx.example.test,
// everything secure, one A and one AAAA address, an ECDSA leaf with key K1 under Inter (sent) under
// Root (not sent), TLSA 3 1 1 of K1, TTL 3600. A test changes what its case changes and asks for
// the judgement.
namespace support {

// Keys and certificates are made once a process: they are slow to make and never changed.
struct Pki {
  Issued root, inter, leaf, old_leaf, rsa_leaf;
  static const Pki& get();
};

inline const config::Time kNow{std::chrono::seconds{1'800'000'000}};

probes::dns::Name name(std::string_view text);
probes::dane::TlsaRecord record(int usage, int selector, int matching_type,
                                const probes::tls::Certificate& of);
probes::dane::TlsaRecord record(std::string_view text);

probes::dns::Answer answer(std::string_view owner, std::uint16_t type,
                           std::vector<probes::dns::Bytes> data,
                           probes::dns::DnssecStatus status = probes::dns::DnssecStatus::secure);
probes::dns::Answer absent(std::string_view owner, std::uint16_t type,
                           probes::dns::DnssecStatus status = probes::dns::DnssecStatus::secure);
probes::dns::Answer failed(std::string_view owner, std::uint16_t type, probes::dns::Cause cause);

// A session that ended well, showing `chain`.
probes::smtp::SessionRecord session(
    std::string address, std::vector<probes::tls::CertificatePtr> chain,
    probes::tls::KeyType key_type = probes::tls::KeyType::by_default);

struct Scene {
  probes::DomainObservation domain;
  std::map<std::string, probes::HostObservation> hosts;

  Scene();  // the baseline
  probes::HostObservation& mx() { return hosts.at("mx.example.test"); }
  // Another host like the baseline's, at the given preference.
  probes::HostObservation& add_host(const std::string& host, std::uint16_t preference);
  void publish(std::vector<probes::dane::TlsaRecord> records);  // at the baseline host
  void serve(std::vector<probes::tls::CertificatePtr> chain);   // at all its addresses
  [[nodiscard]] probes::DomainJudgement judge(config::Time at = kNow) const;
};

// How a judgement reads in a test: "authenticated", or "refused" of a host…
std::string verdict_of(const probes::DomainJudgement& judged);
std::string host_verdict_of(const probes::DomainJudgement& judged,
                            std::string_view host = "mx.example.test");
// "code/severity" of each finding, worst first.
std::vector<std::string> findings_of(const probes::DomainJudgement& judged);
// "sender=verdict" of the host's splits.
std::vector<std::string> splits_of(const probes::DomainJudgement& judged);

}  // namespace support
