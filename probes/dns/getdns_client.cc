#include "probes/dns/getdns_client.h"

#include <algorithm>
#include <array>
#include <functional>
#include <optional>
#include <utility>

#include <arpa/inet.h>
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <getdns/getdns.h>
#include <getdns/getdns_extra.h>

#include "probes/dns/getdns_handle.h"
#include "probes/dns/owner.h"
#include "probes/dns/told.h"

namespace probes::dns {
namespace {

using config::Failure;
using config::Result;
using std::chrono::milliseconds;
using std::chrono::steady_clock;

// RFC 9715 §3.1: what crosses real paths without fragments.
constexpr std::uint16_t kUdpPayload = 1232;

bool set_text(getdns_dict* dict, const char* key, std::string_view text) {
  getdns_bindata data{
      text.size(), const_cast<std::uint8_t*>(reinterpret_cast<const std::uint8_t*>(text.data()))};
  return getdns_dict_set_bindata(dict, key, &data) == GETDNS_RETURN_GOOD;
}

List upstream(const config::ResolverAddress& server) {
  std::array<std::uint8_t, 16> raw{};
  const bool v4 = inet_pton(AF_INET, server.address.c_str(), raw.data()) == 1;
  if (!v4 && inet_pton(AF_INET6, server.address.c_str(), raw.data()) != 1) return nullptr;
  Dict address{getdns_dict_create()};
  getdns_bindata data{v4 ? std::size_t{4} : std::size_t{16}, raw.data()};
  List list{getdns_list_create()};
  if (!set_text(address.get(), "address_type", v4 ? "IPv4" : "IPv6") ||
      getdns_dict_set_bindata(address.get(), "address_data", &data) != GETDNS_RETURN_GOOD ||
      getdns_dict_set_int(address.get(), "port", server.port) != GETDNS_RETURN_GOOD ||
      getdns_list_set_dict(list.get(), 0, address.get()) != GETDNS_RETURN_GOOD) {
    return nullptr;
  }
  return list;
}

Failure<QueryFault> fault(Fault kind, std::string detail) {
  return Failure<QueryFault>(QueryFault{.fault = kind, .detail = std::move(detail)});
}

// The raw reply inside getdns' response dictionary, read by our own reader.
Result<Message, QueryFault> read_reply(const getdns_dict* response, const Query& query) {
  std::uint32_t status = 0;
  getdns_dict_get_int(response, "status", &status);
  if (status == GETDNS_RESPSTATUS_ALL_TIMEOUT) return fault(Fault::timeout, "no reply");
  getdns_bindata* wire = nullptr;
  if (getdns_dict_get_bindata(response, "/replies_full/0", &wire) != GETDNS_RETURN_GOOD) {
    return fault(Fault::timeout, "no reply");
  }
  auto message = read_message({wire->data, wire->size});
  if (!message) return fault(Fault::malformed, message.error());
  // getdns matches UDP replies by their id alone.
  if (message->question != query.name || message->question_type != query.type) {
    return fault(Fault::malformed, "a reply to another question");
  }
  std::uint32_t transport = GETDNS_TRANSPORT_UDP;
  getdns_dict_get_int(response, "/call_reporting/0/transport", &transport);
  message->came_over_tcp = transport == GETDNS_TRANSPORT_TCP;
  return std::move(*message);
}

milliseconds left_until(config::Deadline deadline) {
  return std::chrono::duration_cast<milliseconds>(deadline - steady_clock::now());
}

milliseconds took_since(steady_clock::time_point started) {
  return std::chrono::duration_cast<milliseconds>(steady_clock::now() - started);
}

// What a question is about, for the standings.
std::size_t subject(const Name& name) {
  return std::hash<std::string_view>{}(owner_of(name).wire());
}

}  // namespace

std::string shown(const config::ResolverAddress& resolver) {
  return resolver.port == 53 ? resolver.address
                             : fmt::format("{}@{}", resolver.address, resolver.port);
}

std::string library_version() {
  return fmt::format("getdns {}", getdns_get_version());
}

std::string_view wire_name(Fault kind) {
  switch (kind) {
    case Fault::timeout:
      return "timeout";
    case Fault::network:
      return "network";
    case Fault::malformed:
      return "malformed";
    case Fault::cut_off:
      return "cut-off";
  }
  return "";
}

struct GetdnsClient::Context {
  getdns_context* handle = nullptr;
  Context() = default;
  Context(const Context&) = delete;
  Context& operator=(const Context&) = delete;
  ~Context() {
    if (handle != nullptr) getdns_context_destroy(handle);
  }
};

Result<std::unique_ptr<GetdnsClient>, std::string> GetdnsClient::make(
    std::vector<config::ResolverAddress> servers, QueryCounts& counts, Standings& standings) {
  if (servers.empty()) return Failure<std::string>("no resolver to ask");
  for (const auto& server : servers) {
    if (!upstream(server))
      return Failure<std::string>(fmt::format("not an address: {}", server.address));
  }
  auto context = std::make_unique<Context>();
  getdns_namespace_t dns_only = GETDNS_NAMESPACE_DNS;
  std::array<getdns_transport_list_t, 2> transports{GETDNS_TRANSPORT_UDP, GETDNS_TRANSPORT_TCP};
  if (getdns_context_create(&context->handle, 0) != GETDNS_RETURN_GOOD ||
      getdns_context_set_resolution_type(context->handle, GETDNS_RESOLUTION_STUB) !=
          GETDNS_RETURN_GOOD ||
      getdns_context_set_namespaces(context->handle, 1, &dns_only) != GETDNS_RETURN_GOOD ||
      getdns_context_set_edns_maximum_udp_payload_size(context->handle, kUdpPayload) !=
          GETDNS_RETURN_GOOD ||
      getdns_context_set_dns_transport_list(context->handle, transports.size(),
                                            transports.data()) != GETDNS_RETURN_GOOD) {
    return Failure<std::string>("getdns refused to make a context");
  }
  return std::unique_ptr<GetdnsClient>(
      new GetdnsClient(std::move(context), std::move(servers), counts, standings));
}

GetdnsClient::GetdnsClient(std::unique_ptr<Context> context,
                           std::vector<config::ResolverAddress> servers, QueryCounts& counts,
                           Standings& standings)
    : context_(std::move(context)),
      servers_(std::move(servers)),
      counts_(counts),
      standings_(standings) {}

GetdnsClient::~GetdnsClient() = default;

Result<Message, QueryFault> GetdnsClient::ask(const Query& query, config::Deadline deadline) {
  const bool is_alone = servers_.size() == 1;
  const auto started = steady_clock::now();
  const auto order = standings_.order(started);
  const auto about = subject(query.name);
  Result<Message, QueryFault> last = fault(Fault::timeout, "no time left");
  std::optional<Message> refusal;
  std::vector<std::size_t> refused;
  for (const auto round_patience :
       {milliseconds{is_alone ? 1000 : 500}, milliseconds{2000}, milliseconds{3000}}) {
    for (const auto place : order) {
      if (std::ranges::find(refused, place) != refused.end()) continue;
      const auto left = left_until(deadline);
      if (left <= milliseconds{10}) break;
      const auto patience = std::max(round_patience, standings_.patience(place));
      const auto asked = steady_clock::now();
      auto reply =
          ask_once_counted(query, {.server = servers_[place], .timeout = std::min(patience, left)});
      const auto took = took_since(asked);
      if (!reply) {
        // A question that nobody answers is noted once, not with every try.
        if (round_patience <= milliseconds{1000})
          standings_.record_reply(place, Standings::Heard::nothing, took, steady_clock::now(),
                                  about);
        last = std::move(reply);
        continue;
      }
      if (is_told(*reply)) {
        standings_.record_reply(place, Standings::Heard::well, took, steady_clock::now(), about);
        // One that refuses what another vouches for does wrong; what nobody vouches for it may
        // have refused with reason.
        for (const auto other : refused) {
          if (reply->authentic_data)
            standings_.record_reply(other, Standings::Heard::badly, took, steady_clock::now(),
                                    about);
        }
        return reply;
      }
      refused.push_back(place);
      if (!refusal) refusal = std::move(*reply);
    }
    if (refused.size() == servers_.size()) break;
  }
  if (refusal) return std::move(*refusal);
  return last;
}

std::optional<std::string> GetdnsClient::poor() const {
  if (!standings_.is_poor(steady_clock::now())) return std::nullopt;
  std::vector<std::string> names;
  for (const auto& server : servers_) names.push_back(shown(server));
  return fmt::format("{}", fmt::join(names, ", "));
}

void GetdnsClient::distrust(const std::string& server, const Name& name) {
  const auto now = steady_clock::now();
  standings_.doubt(now);
  for (std::size_t place = 0; place < servers_.size(); ++place) {
    if (shown(servers_[place]) == server)
      standings_.record_reply(place, Standings::Heard::badly, milliseconds{0}, now, subject(name));
  }
}

bool GetdnsClient::is_doubted() const {
  return standings_.is_doubted(steady_clock::now());
}

Result<Message, QueryFault> GetdnsClient::ask_resolver(std::size_t resolver, const Query& query,
                                                       Transport transport,
                                                       config::Deadline deadline) {
  Result<Message, QueryFault> last = fault(Fault::timeout, "no time left");
  for (const auto patience : {milliseconds{1000}, milliseconds{3000}}) {
    const auto left = left_until(deadline);
    if (left <= milliseconds{10}) break;
    const auto asked = steady_clock::now();
    last = ask_once_counted(query, {.server = servers_.at(resolver),
                                    .transport = transport,
                                    .timeout = std::min(patience, left)});
    const auto took =
        took_since(asked) + (patience > Standings::kSlow ? Standings::kSlow : milliseconds{0});
    standings_.record_reply(resolver, last ? Standings::Heard::well : Standings::Heard::nothing,
                            took, steady_clock::now(), subject(query.name));
    if (last) break;
  }
  return last;
}

Result<Message, QueryFault> GetdnsClient::ask_once_counted(const Query& query, const Try& how) {
  auto reply = ask_once(query, how);
  if (!reply) {
    ++counts_.unanswered;
    reply.error().server = shown(how.server);
    return reply;
  }
  reply->server = shown(how.server);
  auto& by_rcode = reply->came_over_tcp ? counts_.tcp : counts_.udp;
  ++by_rcode.at(reply->rcode < by_rcode.size() ? reply->rcode : rcode::servfail);
  return reply;
}

Result<Message, QueryFault> GetdnsClient::ask_server(const Query& query, const std::string& address,
                                                     Transport transport,
                                                     config::Deadline deadline) {
  Try how{.server = {.address = address}, .transport = transport, .recursion = false};
  Result<Message, QueryFault> last = fault(Fault::timeout, "no time left");
  for (const auto patience : {milliseconds{1000}, milliseconds{2000}}) {
    if (transport == Transport::tcp && patience == milliseconds{1000}) continue;
    const auto left = left_until(deadline);
    if (left <= milliseconds{10}) return last;
    how.timeout = std::min(patience, left);
    last = ask_once(query, how);
    if (last) {
      last->server = address;
      return last;
    }
    last.error().server = address;
  }
  return last;
}

bool GetdnsClient::use(Transport transport) {
  if (transport == transport_) return true;
  std::array<getdns_transport_list_t, 2> list{GETDNS_TRANSPORT_UDP, GETDNS_TRANSPORT_TCP};
  const bool is_tcp = transport == Transport::tcp;
  if (getdns_context_set_dns_transport_list(context_->handle, is_tcp ? 1 : 2,
                                            list.data() + (is_tcp ? 1 : 0)) != GETDNS_RETURN_GOOD)
    return false;
  transport_ = transport;
  server_.reset();
  return true;
}

bool GetdnsClient::use(const Try& how) {
  if (!use(how.transport)) return false;
  const bool is_same =
      server_ && server_->address == how.server.address && server_->port == how.server.port;
  if (!is_same) {
    server_.reset();
    const List servers = upstream(how.server);
    if (!servers || getdns_context_set_upstream_recursive_servers(
                        context_->handle, servers.get()) != GETDNS_RETURN_GOOD)
      return false;
    server_ = how.server;
  }
  if (timeout_ != how.timeout &&
      getdns_context_set_timeout(
          context_->handle, static_cast<std::uint64_t>(how.timeout.count())) != GETDNS_RETURN_GOOD)
    return false;
  timeout_ = how.timeout;
  return true;
}

Result<Message, QueryFault> GetdnsClient::ask_once(const Query& query, const Try& how) {
  Dict extensions{getdns_dict_create()};
  getdns_dict_set_int(extensions.get(), "/add_opt_parameters/do_bit", 1);
  getdns_dict_set_int(extensions.get(), "/add_opt_parameters/maximum_udp_payload_size",
                      kUdpPayload);
  getdns_dict_set_int(extensions.get(), "return_call_reporting", GETDNS_EXTENSION_TRUE);
  getdns_dict_set_int(extensions.get(), "/header/rd", how.recursion ? 1 : 0);
  getdns_dict_set_int(extensions.get(), "/header/cd", query.checking_disabled ? 1 : 0);
  if (!use(how)) return fault(Fault::network, "getdns refused the server");
  getdns_dict* raw = nullptr;
  const auto text = query.name.text() + (query.name.is_root() ? "" : ".");
  const auto status =
      getdns_general_sync(context_->handle, text.c_str(), query.type, extensions.get(), &raw);
  const Dict response{raw};
  if (status != GETDNS_RETURN_GOOD || !response) {
    server_.reset();
    return fault(Fault::network, getdns_get_errorstr_by_id(status));
  }
  auto reply = read_reply(response.get(), query);
  // getdns rests servers that did not answer, and keeps connections that these may have closed.
  if (!reply || reply->came_over_tcp) server_.reset();
  return reply;
}

}  // namespace probes::dns
