#pragma once

#include <map>
#include <memory>
#include <set>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "config/mutex.h"
#include "config/time.h"
#include "probes/dns/resolver.h"
#include "probes/dns/validate.h"

namespace probes::dns {

// Proves parts of replies from a trust anchor down: fetches the DS and DNSKEY records on the way,
// keeps them for their TTL (never beyond their signatures), and remembers proofs that succeeded, so
// that an unchanged answer costs one comparison. Shared by all threads; each call brings its own
// resolver.
class Chain {
 public:
  // `anchors`: DS or DNSKEY records of one name, usually the root.
  explicit Chain(std::vector<Record> anchors) : anchors_(std::move(anchors)) {}

  struct Result {
    Proof proof;
    std::optional<config::Time>
        expires_at;  // earliest end of a signature on the way, the part's own included
    Signing signing;
    KeySetsPtr key_sets;                 // of the signer, when secure
    std::optional<Name> broken_at = {};  // as in Answer
    Replies links = {};                  // what was proven with, from the anchor down
  };

  // `part`: one RRset with its signatures as answer (the denial records for a wildcard in
  // authority), or a denial. Its question names the owner and type. A link that cannot be fetched
  // makes the result indeterminate with chain_unreachable, never bogus.
  [[nodiscard]] Result prove(const Message& part, Resolver& resolver, config::Time at,
                             config::Deadline deadline);

 private:
  struct Link {
    Message message;
    config::Time at;  // when it came
  };
  using LinkPtr = std::shared_ptr<const Link>;
  struct Kept {
    LinkPtr link;
    config::Time until;
  };
  // By which algorithms the DS records of zones say that these are signed.
  using Algorithms = std::map<Name, std::set<std::uint8_t>>;
  // A zone whose keys are proven (secure) or that is proven to be outside the chain (insecure).
  struct Zone {
    DnssecStatus status = DnssecStatus::indeterminate;
    std::vector<Record> keys;
    config::Time until;
    config::Time expires_at;
    Signing signing;        // of the chain down to its keys
    Algorithms algorithms;  // its own
    KeySetsPtr key_sets;
    Replies links;  // that prove it
  };
  struct Walk {
    Proof proof;
    std::vector<LinkPtr> links;
    bool used_kept = false;
    std::optional<Name> broken_at;
    Signing signing;        // of the links
    Algorithms algorithms;  // of the zones on the way
  };

  static Signing signing_of(const Message& message, const Algorithms& algorithms);
  LinkPtr fetch(const Name& name, std::uint16_t rtype, Resolver& resolver, config::Time at,
                config::Deadline deadline, bool fresh, bool& used_kept);
  Walk walk(const Name& target, const Message& part, Resolver& resolver, config::Time at,
            config::Deadline deadline, bool fresh);
  Result prove_down(const Name& target, const Message& part, Resolver& resolver, config::Time at,
                    config::Deadline deadline);
  void find_break(Walk& walk, const Name& target, config::Time at) const;
  void keep_insecure(const Name& zone, const Message& ds, const Walk& walk, config::Time at);
  KeySetsPtr learn_zone(const Name& zone, const Walk& walk, config::Time at);
  std::optional<Zone> known_zone(const Name& name, config::Time at);
  std::optional<Zone> insecure_zone_above(const Name& name, config::Time at);

  const std::vector<Record> anchors_;
  config::Mutex mutex_;
  std::map<std::pair<Name, std::uint16_t>, Kept> links_ GUARDED_BY(mutex_);
  std::map<Name, Zone> zones_ GUARDED_BY(mutex_);
  std::unordered_map<std::string, config::Time> proven_
      GUARDED_BY(mutex_);  // part without TTLs → until when its proof holds
};

// The validity of the signatures in the message: per RRset the one that lasts longest, over all
// RRsets the narrowest. Nothing when nothing is signed.
[[nodiscard]] std::optional<SignatureWindow> signature_window(const Message& part, config::Time at);

}  // namespace probes::dns
