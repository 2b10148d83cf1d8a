#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "config/time.h"
#include "probes/dns/answer.h"
#include "probes/dns/lookup.h"
#include "probes/dns/resolver.h"
#include "probes/dns/wanted_ds.h"

// Asks every authoritative server of a zone the same questions, to see whether they agree: what
// senders get depends on which server their resolver happens to ask. Nothing here is validated;
// that is what the lookup through the resolver is for.
namespace probes::dns {

// One authoritative server at one of its addresses.
struct Server {
  Name name;
  std::string address;
  auto operator<=>(const Server&) const = default;
  bool operator==(const Server&) const = default;
};

struct Question {
  Name name;
  std::uint16_t type = 0;
  auto operator<=>(const Question&) const = default;
  bool operator==(const Question&) const = default;
};

// What one server said to one question.
struct ServerAnswer {
  Server server;
  Question question;
  Outcome outcome = Outcome::not_queried;  // answer and absent as in Answer
  Cause cause = Cause::none;               // set when failed
  std::uint16_t rcode = 0;
  bool is_authoritative = false;  // the AA bit: the server knows the zone
  std::vector<Bytes> data;        // canonical order; of an alias its target
  bool is_alias = false;
  config::Seconds ttl{0};
  std::optional<SignatureWindow> signatures;  // nothing: it sent none, or of TLSA no valid ones
  bool operator==(const ServerAnswer&) const = default;
};

// Whether a resolver takes it, in a signed zone: told, and with signatures that are in their time.
[[nodiscard]] bool is_acceptable(const ServerAnswer& answer, config::Time at);

struct Survey {
  std::vector<ServerAnswer> answers;  // by question, then server
  std::vector<Server> silent_on_tcp;  // servers that answered over UDP and not over TCP
  void add(Survey other);
  bool cut = false;  // more servers than we ask
  bool operator==(const Survey&) const = default;
};

// The serial numbers of a zone's SOA record that its servers gave when all were asked, and what it
// asks its parent for.
struct ZoneSerials {
  Name zone;
  config::Time asked_at;
  config::Seconds refresh{0};  // of the newest: within that all have it (RFC 1035 §3.3.13)
  std::map<Server, std::optional<std::uint32_t>> by_server;  // nothing: it gave none
  WantedDs wanted;
  [[nodiscard]] std::optional<std::uint32_t> newest() const;
};
// Serial numbers go round (RFC 1982 §3.2).
[[nodiscard]] bool is_newer(std::uint32_t a, std::uint32_t b);

inline constexpr std::size_t kMaxServerAddresses = 12;
inline constexpr config::Seconds kServersKept{300};

// Serves one thread, as its ports do.
class Surveyor {
 public:
  // `allow_special_addresses`: else servers at such addresses are passed over.
  Surveyor(Lookup& lookup, Direct& direct, bool allow_special_addresses)
      : lookup_(lookup), direct_(direct), allow_special_addresses_(allow_special_addresses) {}

  // All questions must belong to the zone that holds the first one's name; what a server refers to
  // others stays not_queried. A server that is silent to the first question is not asked the
  // others; one that is not is asked it over TCP, too.
  [[nodiscard]] Survey ask(const std::vector<Question>& questions, config::Time at,
                           config::Deadline deadline);

  // Of that zone. They are kept for a while, kServersKept at most.
  [[nodiscard]] ZoneSerials serials_of(const Name& zone, config::Time at,
                                       config::Deadline deadline);

 private:
  struct Zone {
    Name name;
    std::vector<Server> servers;
    bool cut = false;
    config::Time until;
    std::optional<ZoneSerials> serials;  // once they were wanted
  };
  Zone& zone_of(const Name& name, config::Time at, config::Deadline deadline);
  void find_servers(Zone& zone, const Answer& ns, config::Time at, config::Deadline deadline);

  Lookup& lookup_;
  Direct& direct_;
  const bool allow_special_addresses_;
  std::map<Name, Zone> zones_;  // by the name asked about
};

}  // namespace probes::dns
