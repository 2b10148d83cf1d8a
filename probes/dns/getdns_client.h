#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "config/config.h"
#include "probes/dns/resolver.h"
#include "probes/dns/standings.h"

namespace probes::dns {

// The resolver port over getdns, used as a plain wire client: stub mode, DO set, no DNSSEC
// extension (getdns' own chain fetching crashes when a DNSKEY query times out), our own retry (it
// never resends over UDP). UDP first, TCP when a reply is truncated. Resolvers are tried in the
// order of their standing, with 1, 2 and 3 seconds each; of several the first round has 0.5 s. One
// that says SERVFAIL, REFUSED or worse has had its say for this question; when others have an
// answer that is taken. A server asked directly gets 1 and 2 seconds over UDP, 2 over TCP.
class GetdnsClient final : public Resolver, public Direct {
 public:
  // `servers` must not be empty; `counts` and `standings` (a place for each server) outlive the
  // client.
  [[nodiscard]] static config::Result<std::unique_ptr<GetdnsClient>, std::string> make(
      std::vector<config::ResolverAddress> servers, QueryCounts& counts, Standings& standings);
  ~GetdnsClient() override;

  [[nodiscard]] config::Result<Message, QueryFault> ask(const Query& query,
                                                        config::Deadline deadline) override;
  [[nodiscard]] config::Result<Message, QueryFault> ask_server(const Query& query,
                                                               const std::string& address,
                                                               Transport transport,
                                                               config::Deadline deadline) override;

  [[nodiscard]] std::optional<std::string> poor() const override;
  void distrust(const std::string& server, const Name& name) override;
  [[nodiscard]] bool is_doubted() const override;

  // One of the resolvers, by its place, which must answer itself; two tries, of one second and of
  // three. Counts for its standing.
  [[nodiscard]] config::Result<Message, QueryFault> ask_resolver(std::size_t resolver,
                                                                 const Query& query,
                                                                 Transport transport,
                                                                 config::Deadline deadline);

 private:
  struct Context;
  GetdnsClient(std::unique_ptr<Context> context, std::vector<config::ResolverAddress> servers,
               QueryCounts& counts, Standings& standings);
  // How one try is made.
  struct Try {
    config::ResolverAddress server;
    Transport transport = Transport::udp_first;
    bool recursion = true;
    std::chrono::milliseconds timeout{0};
  };
  config::Result<Message, QueryFault> ask_once(const Query& query, const Try& how);
  // The same, of a resolver: counted.
  config::Result<Message, QueryFault> ask_once_counted(const Query& query, const Try& how);
  bool use(const Try& how);
  bool use(Transport transport);

  std::unique_ptr<Context> context_;
  std::vector<config::ResolverAddress> servers_;
  QueryCounts& counts_;
  Standings& standings_;
  // Of the context at the moment: what is so already need not be said again. Null: said anew, for
  // the context remembers how it fared with a server.
  Transport transport_ = Transport::udp_first;
  std::optional<config::ResolverAddress> server_;
  std::chrono::milliseconds timeout_{0};
};

// A resolver as people know it: its address, with "@port" unless that is 53.
[[nodiscard]] std::string shown(const config::ResolverAddress& resolver);

// Of getdns, as "getdns 1.6.0".
[[nodiscard]] std::string library_version();

}  // namespace probes::dns
