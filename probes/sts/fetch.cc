#include "probes/sts/fetch.h"

#include <algorithm>
#include <array>
#include <chrono>
#include <memory>
#include <span>
#include <utility>

#include "probes/net/socket.h"
#include "probes/sts/http_reply.h"

namespace probes::sts {
namespace {

using config::Deadline;
using std::chrono::steady_clock;

// As much of a Location as helps a person to see where it leads.
constexpr std::size_t kLocationTold = 200;

using SocketPtr = std::unique_ptr<net::Socket>;

// The first address that takes the connection; else says in `fetched` why none did.
SocketPtr connect(const FetchPlan& plan, Fetched& fetched, Deadline deadline) {
  bool is_own_limit = true;
  for (std::size_t i = 0; i < plan.addresses.size(); ++i) {
    const auto& address = plan.addresses[i];
    const auto now = steady_clock::now();
    const auto share = (deadline - now) / static_cast<long>(plan.addresses.size() - i);
    auto socket = net::Socket::connect(address, plan.port, now + share);
    if (socket) {
      fetched.address = address;
      fetched.detail.clear();
      return std::move(*socket);
    }
    is_own_limit = is_own_limit && socket.error().stop == net::ConnectStop::no_route;
    fetched.detail += (i == 0 ? "" : "; ") + address + ": " + socket.error().detail;
  }
  fetched.outcome =
      steady_clock::now() < deadline ? FetchOutcome::connect_failed : FetchOutcome::timeout;
  fetched.is_own_limit = is_own_limit && fetched.outcome == FetchOutcome::connect_failed;
  return nullptr;
}

std::string request_for(const std::string& host, std::uint16_t port) {
  return "GET /.well-known/mta-sts.txt HTTP/1.1\r\nHost: " + host +
         (port == 443 ? "" : ":" + std::to_string(port)) +
         "\r\nUser-Agent: danelaw\r\nAccept: text/plain\r\nAccept-Encoding: identity\r\n"
         "Connection: close\r\n\r\n";
}

void take_fault(const net::StreamFault& fault, Fetched& fetched) {
  fetched.detail = fault.detail;
  switch (fault.stop) {
    case net::StreamStop::timeout:
      fetched.outcome = FetchOutcome::timeout;
      fetched.detail = "no whole reply in time";
      return;
    case net::StreamStop::closed:
      fetched.outcome = FetchOutcome::malformed;
      return;
    case net::StreamStop::broken:
      fetched.outcome = FetchOutcome::tls_failed;
      fetched.tls_stop = tls::PkixStop::broken;
      return;
  }
}

// Whether the header alone decides: what follows it need not be read.
bool is_refused(const HttpReply& head, Fetched& fetched) {
  fetched.status = head.status;
  if (head.status != 200) {
    fetched.outcome = FetchOutcome::http_status;
    fetched.detail = "HTTP status " + std::to_string(head.status);
    if (head.status >= 300 && head.status < 400 && head.location) {
      fetched.detail += ", a redirect to " + head.location->substr(0, kLocationTold) +
                        ", which senders do not follow";
    }
    return true;
  }
  if (head.content_type && is_text_plain(*head.content_type)) return false;
  fetched.outcome = FetchOutcome::not_text;
  fetched.detail = head.content_type
                       ? "Content-Type is " + head.content_type->substr(0, kLocationTold)
                       : "no Content-Type";
  return true;
}

void take_http_fault(const HttpReplyReader& reader, Fetched& fetched) {
  fetched.detail = reader.detail();
  switch (*reader.fault()) {
    case HttpFault::malformed:
    case HttpFault::cut_off:
      fetched.outcome = FetchOutcome::malformed;
      return;
    case HttpFault::head_size:
    case HttpFault::body_size:
      fetched.outcome = FetchOutcome::too_large;
      return;
  }
}

void take_policy(const std::string& body, Fetched& fetched) {
  auto policy = parse_policy(body);
  if (policy) {
    fetched.outcome = FetchOutcome::policy;
    fetched.policy = *std::move(policy);
    return;
  }
  const auto& fault = policy.error();
  fetched.outcome = FetchOutcome::malformed;
  fetched.detail =
      "the policy file: " + (fault.line == 0 ? "" : "line " + std::to_string(fault.line) + ": ") +
      fault.words;
}

void read_reply(net::Stream& stream, Fetched& fetched, Deadline deadline) {
  HttpReplyReader reader;
  std::array<char, 8192> buffer{};
  while (!reader.is_whole() && !reader.fault()) {
    // A read that finds octets at once looks at no clock: a server that never pauses must not
    // outlast the deadline either.
    if (steady_clock::now() >= deadline)
      return take_fault({.stop = net::StreamStop::timeout}, fetched);
    const auto got = stream.read_some(buffer, deadline);
    if (got) {
      reader.feed(std::span{buffer}.first(*got));
    } else if (got.error().stop == net::StreamStop::closed) {
      reader.end();
    } else {
      return take_fault(got.error(), fetched);
    }
    if (reader.head() != nullptr && is_refused(*reader.head(), fetched)) return;
  }
  if (reader.fault()) return take_http_fault(reader, fetched);
  take_policy(reader.head()->body, fetched);
}

}  // namespace

std::string_view wire_name(FetchOutcome outcome) {
  switch (outcome) {
    case FetchOutcome::policy:
      return "policy";
    case FetchOutcome::no_address:
      return "no-address";
    case FetchOutcome::connect_failed:
      return "connect-failed";
    case FetchOutcome::tls_failed:
      return "tls-failed";
    case FetchOutcome::http_status:
      return "http-status";
    case FetchOutcome::too_large:
      return "too-large";
    case FetchOutcome::not_text:
      return "not-text";
    case FetchOutcome::malformed:
      return "malformed";
    case FetchOutcome::timeout:
      return "timeout";
  }
  return "";
}

std::string policy_host(std::string_view domain) {
  return "mta-sts." + std::string(domain);
}

Fetched fetch_policy(const FetchPlan& plan, tls::PkixClient& client, Deadline deadline) {
  Fetched fetched;
  const auto host = policy_host(plan.domain);
  if (plan.addresses.empty()) {
    fetched.detail = host + " has no address";
    return fetched;
  }
  const auto socket = connect(plan, fetched, deadline);
  if (!socket) return fetched;

  auto [handshake, stream] = client.shake_hands(*socket, host, plan.at, deadline);
  fetched.certificate = std::move(handshake.leaf);
  if (handshake.stop != tls::PkixStop::none) {
    fetched.outcome =
        handshake.stop == tls::PkixStop::timeout ? FetchOutcome::timeout : FetchOutcome::tls_failed;
    fetched.tls_stop = handshake.stop;
    fetched.detail = std::move(handshake.detail);
    return fetched;
  }
  const auto sent = stream->write_all(request_for(host, plan.port), deadline);
  if (!sent) {
    take_fault(sent.error(), fetched);
    return fetched;
  }
  read_reply(*stream, fetched, deadline);
  return fetched;
}

}  // namespace probes::sts
