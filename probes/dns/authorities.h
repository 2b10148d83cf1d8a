#pragma once

#include <chrono>
#include <map>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "config/time.h"
#include "probes/dns/resolver.h"

// The second witness: what the zones' own servers say, asked from the root down (RFC 1034 §5.3.3)
// without any resolver between. What a resolver of ours cannot tell, or tells wrong, is asked here
// before a zone is blamed for it. Nothing is believed: whoever asks validates, as with a resolver.
namespace probes::dns {

// Whether name servers can be asked from here at all, or port 53 is closed to us. Shared by all
// threads.
class DirectReach {
 public:
  using Moment = std::chrono::steady_clock::time_point;
  void heard();
  void close(Moment at);
  // Nobody answered, the root's servers included; for kClosed nobody is asked again.
  [[nodiscard]] bool is_closed(Moment at) const;
  static constexpr std::chrono::seconds kClosed{60};

 private:
  mutable std::mutex mutex_;
  std::optional<Moment> closed_until_;
};

// Serves one thread, as its ports do.
class Authorities final : public Resolver {
 public:
  // `resolver` is asked for the root's servers only, once an hour. `allow_special_addresses`: else
  // servers at such addresses are passed over.
  Authorities(Resolver& resolver, Direct& direct, DirectReach& reach, bool allow_special_addresses)
      : resolver_(resolver),
        direct_(direct),
        reach_(reach),
        allow_special_addresses_(allow_special_addresses) {}

  // The reply of the first server that knows the zone: authoritative, cut to what belongs to that
  // zone, so that an alias that leaves it ends there. An error only when no server did better.
  // Fault::cut_off: nobody can be asked from here, which says nothing of the zone.
  [[nodiscard]] config::Result<Message, QueryFault> ask(const Query& query,
                                                        config::Deadline deadline) override;
  [[nodiscard]] bool is_cut_off() const;

 private:
  struct Zone {
    Name name;
    std::vector<std::string> addresses;
    config::Deadline until;
    bool is_barred = false;  // it has servers that we have no way to, or may not contact
  };
  struct Search;
  using Reply = config::Result<Message, QueryFault>;

  Reply descend(Search& search, const Query& query, unsigned depth);
  Reply ask_servers(Search& search, const Zone& zone, const Query& query);
  std::optional<Zone> nearest_known(const Name& name);
  std::optional<Zone> find_root(Search& search);
  Zone find_zone(Search& search, const Zone& above, const Name& name, const Message& referral,
                 unsigned depth);
  void add_address(Zone& zone, const Record& record) const;
  bool is_root_silent(Search& search);

  Resolver& resolver_;
  Direct& direct_;
  DirectReach& reach_;
  const bool allow_special_addresses_;
  std::map<Name, Zone> zones_;
  std::map<std::string, config::Deadline> silent_;  // servers that did not answer, until when
};

}  // namespace probes::dns
