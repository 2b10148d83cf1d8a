#pragma once

#include <functional>
#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "agent/history/host_history.h"
#include "config/config.h"

// PURE
// From which keys CAs issue: what every watched host teaches of them, and what they have announced.
namespace agent {

// A key from which the next certificate may come.
struct IssuerToCome {
  // SHA2-256 of its SubjectPublicKeyInfo, hexadecimal; empty: one that nobody knows yet.
  std::string key;
  std::string name;     // the subject of the intermediate; empty while nobody has shown it
  Chain certificates;   // the intermediate and those above it, as far as known; empty the same
  std::string because;  // how it is known, in words
};

// The O= of a name in RFC 2253 form; empty where it has none.
[[nodiscard]] std::string organisation_of(std::string_view name);
// What a CA is called that issues in this name: its O=, its CN= where it has none.
[[nodiscard]] std::string ca_of(std::string_view name);

class IssuerBook {
 public:
  // Whether the chain leads to a CA that the Web believes. Without that anybody who presents a
  // certificate could say in a CA's name from which key it issues.
  using Vouch = std::function<bool(const Chain& chain)>;
  void set_vouch(Vouch vouch);
  void set_announced(std::vector<config::AnnouncedIssuer> announced);

  // Takes up what `host` presents, or presented; leaf first, the others in any order.
  void learn(const Chain& presented, const std::string& host);

  // Who may issue the next certificate after this one, which `chain` is (in_order()): of the same
  // CA and for the same kind of key; until `renewal`. The key that it was issued from is not among
  // them. Where that is announced to end before and no other is known, there is one that nobody
  // knows.
  [[nodiscard]] std::vector<IssuerToCome> after(const Chain& chain, config::Time at,
                                                config::Time renewal) const;

 private:
  struct Issuer {
    Chain certificates;  // it and those above it
    std::string organisation;
    // By the kind of key of the leaf: when it was last seen to have issued one, and at which host.
    struct Sight {
      config::Time issued_at;
      config::Time in_use_until;  // the end of what it issued
      std::string host;
    };
    std::map<probes::tls::KeyType, Sight> issued;
  };
  [[nodiscard]] std::vector<probes::tls::CertificatePtr> all_certificates() const;
  [[nodiscard]] const config::AnnouncedIssuer* announcement(const std::string& key,
                                                            probes::tls::KeyType of) const;

  Vouch vouch_;
  std::map<std::string, Issuer> known_;  // by key
  std::vector<config::AnnouncedIssuer> announced_;
  // By the leaf's SHA2-256 and the length of the chain.
  std::set<std::pair<probes::tls::Bytes, std::size_t>> unvouched_;
};

}  // namespace agent
