#pragma once

#include <chrono>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "config/mutex.h"
#include "config/time.h"
#include "probes/dns/resolver.h"

// The second witness: what the zones' own servers say, asked from the root down (RFC 1034 §5.3.3)
// without any resolver between. What a resolver of ours cannot tell, or tells wrong, is asked here
// before a zone is blamed for it. Nothing is believed: whoever asks validates, as with a resolver.
namespace probes::dns {

// The addresses in a file of root hints, in zone-file form as in Debian's dns-root-data: where to
// begin without asking anybody. Lines that are no address records are passed over.
[[nodiscard]] std::vector<std::string> parse_root_hints(std::string_view text);

// Whether name servers can be asked from here at all, or port 53 is closed to us (or somebody else
// answers there); and the root's servers, with which asking begins. Shared by all threads.
class DirectReach {
 public:
  using Moment = std::chrono::steady_clock::time_point;
  explicit DirectReach(std::vector<std::string> root_hints = {})
      : root_hints_(std::move(root_hints)) {}

  void heard(Moment at);
  void close(Moment at);
  // Nobody answered for a zone, not even the root's servers for the root; for kClosed nobody is
  // asked again.
  [[nodiscard]] bool is_closed(Moment at) const;
  // Somebody spoke for a zone of his within kHeard.
  [[nodiscard]] bool is_open(Moment at) const;

  [[nodiscard]] const std::vector<std::string>& root_hints() const { return root_hints_; }
  // Those that were found to speak for the root; empty when none are known, or not lately.
  [[nodiscard]] std::vector<std::string> root_servers(Moment at) const;
  void keep_root_servers(std::vector<std::string> addresses, Moment at);

  static constexpr std::chrono::seconds kClosed{60};
  static constexpr std::chrono::seconds kHeard{10};
  static constexpr std::chrono::seconds kRootKept{3600};

 private:
  const std::vector<std::string> root_hints_;
  mutable config::Mutex mutex_;
  std::optional<Moment> closed_until_ GUARDED_BY(mutex_);
  std::optional<Moment> heard_at_ GUARDED_BY(mutex_);
  std::vector<std::string> root_servers_ GUARDED_BY(mutex_);
  Moment root_until_ GUARDED_BY(mutex_){};
};

// Serves one thread, as its ports do.
class Authorities final : public Resolver {
 public:
  // `resolver` is asked for the root's servers only, when the hints lead nowhere.
  // `allow_special_addresses`: else servers at such addresses are passed over.
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
  std::optional<Zone> find_root();
  Zone learn_root();
  bool speaks_for_root(const Zone& root);
  Zone find_zone(Search& search, const Zone& above, const Name& name, const Message& referral,
                 unsigned depth);
  void add_address(Zone& zone, const Record& record) const;
  void add_address(Zone& zone, const std::string& address) const;
  bool is_anybody_there();

  Resolver& resolver_;
  Direct& direct_;
  DirectReach& reach_;
  const bool allow_special_addresses_;
  std::map<Name, Zone> zones_;
  std::map<std::string, config::Deadline> silent_;  // servers that did not answer, until when
};

}  // namespace probes::dns
