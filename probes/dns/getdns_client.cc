#include "probes/dns/getdns_client.h"

#include <algorithm>
#include <utility>

#include <arpa/inet.h>
#include <fmt/format.h>
#include <getdns/getdns.h>
#include <getdns/getdns_extra.h>

#include "probes/dns/getdns_handle.h"

namespace probes::dns {
namespace {

using config::Failure;
using config::Result;

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

}  // namespace

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
    std::vector<config::ResolverAddress> servers, QueryCounts& counts) {
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
      new GetdnsClient(std::move(context), std::move(servers), counts));
}

GetdnsClient::GetdnsClient(std::unique_ptr<Context> context,
                           std::vector<config::ResolverAddress> servers, QueryCounts& counts)
    : context_(std::move(context)), servers_(std::move(servers)), counts_(counts) {}

GetdnsClient::~GetdnsClient() = default;

Result<Message, QueryFault> GetdnsClient::ask(const Query& query, config::Deadline deadline) {
  using std::chrono::milliseconds;
  Result<Message, QueryFault> last = fault(Fault::timeout, "no time left");
  for (const auto patience : {milliseconds{1000}, milliseconds{2000}, milliseconds{3000}}) {
    for (const auto& server : servers_) {
      const auto left =
          std::chrono::duration_cast<milliseconds>(deadline - std::chrono::steady_clock::now());
      if (left <= milliseconds{10}) return last;
      last = ask_once_counted(query, {.server = server, .timeout = std::min(patience, left)});
      if (last) return last;
    }
  }
  return last;
}

Result<Message, QueryFault> GetdnsClient::ask_resolver(const config::ResolverAddress& resolver,
                                                       const Query& query,
                                                       config::Deadline deadline) {
  using std::chrono::milliseconds;
  Result<Message, QueryFault> last = fault(Fault::timeout, "no time left");
  for (int tries = 0; tries < 2 && !last; ++tries) {
    const auto left =
        std::chrono::duration_cast<milliseconds>(deadline - std::chrono::steady_clock::now());
    if (left <= milliseconds{10}) break;
    last = ask_once_counted(query,
                            {.server = resolver, .timeout = std::min(milliseconds{1000}, left)});
  }
  return last;
}

Result<Message, QueryFault> GetdnsClient::ask_once_counted(const Query& query, const Try& how) {
  auto reply = ask_once(query, how);
  if (!reply) {
    ++counts_.unanswered;
    return reply;
  }
  auto& by_rcode = reply->came_over_tcp ? counts_.tcp : counts_.udp;
  ++by_rcode.at(reply->rcode < by_rcode.size() ? reply->rcode : rcode::servfail);
  return reply;
}

Result<Message, QueryFault> GetdnsClient::ask_server(const Query& query, const std::string& address,
                                                     Transport transport,
                                                     config::Deadline deadline) {
  using std::chrono::milliseconds;
  Try how{.server = {.address = address}, .transport = transport, .recursion = false};
  Result<Message, QueryFault> last = fault(Fault::timeout, "no time left");
  for (const auto patience : {milliseconds{1000}, milliseconds{2000}}) {
    if (transport == Transport::tcp && patience == milliseconds{1000}) continue;
    const auto left =
        std::chrono::duration_cast<milliseconds>(deadline - std::chrono::steady_clock::now());
    if (left <= milliseconds{10}) return last;
    how.timeout = std::min(patience, left);
    last = ask_once(query, how);
    if (last) return last;
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
  return true;
}

Result<Message, QueryFault> GetdnsClient::ask_once(const Query& query, const Try& how) {
  const List servers = upstream(how.server);
  if (!servers) return fault(Fault::network, "not an address");
  Dict extensions{getdns_dict_create()};
  getdns_dict_set_int(extensions.get(), "/add_opt_parameters/do_bit", 1);
  getdns_dict_set_int(extensions.get(), "/add_opt_parameters/maximum_udp_payload_size",
                      kUdpPayload);
  getdns_dict_set_int(extensions.get(), "return_call_reporting", GETDNS_EXTENSION_TRUE);
  getdns_dict_set_int(extensions.get(), "/header/rd", how.recursion ? 1 : 0);
  getdns_dict_set_int(extensions.get(), "/header/cd", query.checking_disabled ? 1 : 0);
  if (!use(how.transport) ||
      getdns_context_set_upstream_recursive_servers(context_->handle, servers.get()) !=
          GETDNS_RETURN_GOOD ||
      getdns_context_set_timeout(context_->handle,
                                 static_cast<std::uint64_t>(how.timeout.count())) !=
          GETDNS_RETURN_GOOD) {
    return fault(Fault::network, "getdns refused the server");
  }
  getdns_dict* raw = nullptr;
  const auto text = query.name.text() + (query.name.is_root() ? "" : ".");
  const auto status =
      getdns_general_sync(context_->handle, text.c_str(), query.type, extensions.get(), &raw);
  const Dict response{raw};
  if (status != GETDNS_RETURN_GOOD || !response) {
    return fault(Fault::network, getdns_get_errorstr_by_id(status));
  }
  return read_reply(response.get(), query);
}

}  // namespace probes::dns
