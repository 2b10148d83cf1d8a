#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "config/result.h"
#include "config/time.h"
#include "probes/dns/message.h"

namespace probes::dns {

// Why a question got no usable reply.
enum class Fault {
  timeout,    // nothing came, all tries used up
  network,    // the packet could not be sent at all
  malformed,  // bytes came that are no reply to this question
  cut_off,    // nobody at all can be asked this way from here: says nothing of the one asked
};
[[nodiscard]] std::string_view wire_name(Fault fault);

struct QueryFault {
  Fault fault = Fault::timeout;
  std::string detail;
  std::string server;  // who was asked, for people; empty when nobody was
};

// What was asked and how it ended, counted for the metrics. Shared by all threads.
struct QueryCounts {
  // NOERROR … REFUSED; anything else counts as SERVFAIL.
  using ByRcode = std::array<std::atomic<std::uint64_t>, 6>;
  ByRcode udp{}, tcp{};
  std::atomic<std::uint64_t> unanswered{0};
};

struct Query {
  Name name;
  std::uint16_t type = 0;
  bool checking_disabled =
      false;  // the CD bit: let the resolver hand out what it would not vouch for
};

// A way to put one question to a recursive resolver, which is not trusted: it carries packets. The
// reply's question section has been compared with the query. One object serves one thread.
class Resolver {
 public:
  Resolver() = default;
  Resolver(const Resolver&) = delete;
  Resolver& operator=(const Resolver&) = delete;
  virtual ~Resolver() = default;
  // Blocks until a reply, a fault, or the deadline. Retries are the implementation's own business.
  [[nodiscard]] virtual config::Result<Message, QueryFault> ask(const Query& query,
                                                                config::Deadline deadline) = 0;
  // Names those asked when all were silent, slow or wrong of late: better ask elsewhere first,
  // where possible.
  [[nodiscard]] virtual std::optional<std::string> poor() const { return std::nullopt; }
  // What `server` (of a Message or QueryFault) said of `name` turned out wrong: ask others first
  // for a while.
  virtual void distrust(const std::string& server, const Name& name) {
    static_cast<void>(server);
    static_cast<void>(name);
  }
  // That happened lately: what is not signed may be wrong, too.
  [[nodiscard]] virtual bool is_doubted() const { return false; }
};

enum class Transport { udp_first, tcp };

// A way to put one question to one server by its address, without asking for recursion: what an
// authoritative server itself says. The reply's question section has been compared with the query.
// One object serves one thread.
class Direct {
 public:
  Direct() = default;
  Direct(const Direct&) = delete;
  Direct& operator=(const Direct&) = delete;
  virtual ~Direct() = default;
  // Blocks until a reply, a fault, or the deadline; over UDP a second try is made.
  [[nodiscard]] virtual config::Result<Message, QueryFault> ask_server(
      const Query& query, const std::string& address, Transport transport,
      config::Deadline deadline) = 0;
};

}  // namespace probes::dns
