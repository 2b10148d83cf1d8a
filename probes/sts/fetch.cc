#include "probes/sts/fetch.h"

#include <algorithm>
#include <chrono>
#include <memory>
#include <utility>

#include "probes/net/curl_handle.h"
#include "probes/net/socket.h"

namespace probes::sts {
namespace {

using config::Deadline;
using std::chrono::steady_clock;

constexpr std::size_t kMostHead = 16 * 1024;
constexpr std::size_t kMostBody = 64 * 1024;
// As much of a field as helps a person to see what it means.
constexpr std::size_t kFieldTold = 200;

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

// What comes, no more of it than we take; libcurl's callbacks, which run in C.
struct Reply {
  explicit Reply(net::CurlHandle& of) : curl(of) {}
  net::CurlHandle& curl;
  std::string body;
  std::size_t head = 0;  // octets of all headers
  bool is_head_whole = false;
  bool is_refused = false;  // the header alone decides: what follows it need not be read
  bool is_too_large = false;

  static std::size_t take_head(char* data, std::size_t size, std::size_t count, void* into) {
    auto& reply = *static_cast<Reply*>(into);
    const std::string_view line{data, size * count};
    reply.head += line.size();
    reply.is_too_large = reply.head > kMostHead;
    if (reply.is_too_large) return 0;
    if (line != "\r\n" && line != "\n") return line.size();
    const int status = reply.curl.status();
    reply.is_head_whole = status >= 200;
    reply.is_refused = reply.is_head_whole && (status != 200 || !has_text(reply.curl));
    return reply.is_refused ? 0 : line.size();
  }
  static std::size_t take_body(char* data, std::size_t size, std::size_t count, void* into) {
    auto& reply = *static_cast<Reply*>(into);
    reply.is_too_large = reply.body.size() + size * count > kMostBody;
    if (reply.is_too_large) return 0;
    reply.body.append(data, size * count);
    return size * count;
  }
  // Whether it is text/plain, whatever its parameters (RFC 8461 §3.2).
  static bool has_text(const net::CurlHandle& curl) {
    const char* const field = curl.field("Content-Type");
    if (field == nullptr) return false;
    const std::string_view type{field};
    const auto name = type.substr(0, type.find_first_of("; \t"));
    return std::ranges::equal(name, std::string_view{"text/plain"}, [](char a, char b) {
      return (a >= 'A' && a <= 'Z' ? static_cast<char>(a - 'A' + 'a') : a) == b;
    });
  }
};

// Where it was the header that said no.
void take_refusal(const net::CurlHandle& curl, Fetched& fetched) {
  const auto told = [](const char* value) { return std::string(value).substr(0, kFieldTold); };
  if (fetched.status != 200) {
    fetched.outcome = FetchOutcome::http_status;
    fetched.detail = "HTTP status " + std::to_string(fetched.status);
    const char* const location = curl.field("Location");
    if (fetched.status >= 300 && fetched.status < 400 && location != nullptr)
      fetched.detail += ", a redirect to " + told(location) + ", which senders do not follow";
    return;
  }
  fetched.outcome = FetchOutcome::not_text;
  const char* const type = curl.field("Content-Type");
  fetched.detail = type == nullptr ? "no Content-Type" : "Content-Type is " + told(type);
}

// The handshake was good, the header no reason to stop, and no whole reply came.
void take_fault(const Reply& reply, const net::CurlFault& fault, Fetched& fetched) {
  if (fault.code == CURLE_OPERATION_TIMEDOUT) {
    fetched.outcome = FetchOutcome::timeout;
    fetched.detail = "no whole reply in time";
  } else if (reply.is_too_large || fault.code == CURLE_OUT_OF_MEMORY) {  // curl's word for a line
    fetched.outcome = FetchOutcome::too_large;
    fetched.detail = reply.is_head_whole ? "a policy file over 64 KiB" : "a header over 16 KiB";
  } else if (fault.code == CURLE_PARTIAL_FILE) {
    fetched.outcome = FetchOutcome::malformed;
    fetched.detail = "the connection ended within the body";
  } else if (fault.code == CURLE_UNSUPPORTED_PROTOCOL || fault.code == CURLE_WEIRD_SERVER_REPLY) {
    fetched.outcome = FetchOutcome::malformed;
    fetched.detail = "no HTTP/1 status line";
  } else {
    fetched.outcome = FetchOutcome::malformed;
    fetched.detail = fault.detail;
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

void prepare(net::CurlHandle& curl, const FetchPlan& plan, const std::string& host,
             const std::string& address, Deadline deadline) {
  const auto port = std::to_string(plan.port);
  const auto url =
      "https://" + host + (plan.port == 443 ? "" : ":" + port) + "/.well-known/mta-sts.txt";
  const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline - steady_clock::now());
  curl.set(CURLOPT_URL, url.c_str());
  curl.set(CURLOPT_PROTOCOLS_STR, "https");
  curl.set(CURLOPT_HTTP_VERSION, static_cast<long>(CURL_HTTP_VERSION_1_1));
  // Nobody asks a resolver: the connection stands.
  curl.add(
      CURLOPT_CONNECT_TO,
      "::" + (address.find(':') == std::string::npos ? address : "[" + address + "]") + ":" + port);
  curl.set(CURLOPT_TIMEOUT_MS, std::max<long>(1, left.count()));
  curl.add(CURLOPT_HTTPHEADER, "Accept: text/plain");
  curl.add(CURLOPT_HTTPHEADER, "Accept-Encoding: identity");
  curl.add(CURLOPT_HTTPHEADER, "Connection: close");
  // By PkixClient instead.
  curl.set(CURLOPT_SSL_VERIFYHOST, 0L);
  curl.set(CURLOPT_CAINFO, nullptr);
  curl.set(CURLOPT_CAPATH, nullptr);
  curl.set(CURLOPT_SSL_SESSIONID_CACHE, 0L);
}

// The connection is `socket`, which stays its owner's.
void use(net::CurlHandle& curl, net::Socket& socket) {
  using Call = curl_socket_t (*)(void*, curlsocktype, curl_sockaddr*);
  constexpr Call kOpen = [](void* from, curlsocktype, curl_sockaddr*) {
    return static_cast<net::Socket*>(from)->descriptor();
  };
  constexpr auto kKeep = [](void*, curl_socket_t, curlsocktype) {
    return static_cast<int>(CURL_SOCKOPT_ALREADY_CONNECTED);
  };
  constexpr auto kClose = [](void*, curl_socket_t) { return 0; };
  curl.set(CURLOPT_OPENSOCKETFUNCTION, kOpen);
  curl.set(CURLOPT_OPENSOCKETDATA, &socket);
  curl.set(CURLOPT_SOCKOPTFUNCTION, +kKeep);
  curl.set(CURLOPT_CLOSESOCKETFUNCTION, +kClose);
}

CURLcode equip(CURL*, void* context, void* client) {
  const bool is_ready =
      static_cast<tls::PkixClient*>(client)->equip(static_cast<ssl_ctx_st*>(context));
  return is_ready ? CURLE_OK : CURLE_ABORTED_BY_CALLBACK;
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

Fetched fetch_policy(const FetchPlan& plan, const tls::WebPki& pki, Deadline deadline) {
  Fetched fetched;
  const auto host = policy_host(plan.domain);
  if (plan.addresses.empty()) {
    fetched.detail = host + " has no address";
    return fetched;
  }
  const auto socket = connect(plan, fetched, deadline);
  if (!socket) return fetched;

  tls::PkixClient tls{pki, host, plan.at};
  net::CurlHandle curl;
  Reply reply{curl};
  prepare(curl, plan, host, fetched.address, deadline);
  use(curl, *socket);
  curl.set(CURLOPT_SSL_CTX_FUNCTION, equip);
  curl.set(CURLOPT_SSL_CTX_DATA, &tls);
  curl.set(CURLOPT_HEADERFUNCTION, Reply::take_head);
  curl.set(CURLOPT_HEADERDATA, &reply);
  curl.set(CURLOPT_WRITEFUNCTION, Reply::take_body);
  curl.set(CURLOPT_WRITEDATA, &reply);
  const auto done = curl.perform();

  auto handshake = tls.handshake(!done && done.error().code == CURLE_OPERATION_TIMEDOUT);
  fetched.certificate = std::move(handshake.leaf);
  fetched.status = curl.status();
  if (handshake.stop != tls::PkixStop::none) {
    fetched.outcome =
        handshake.stop == tls::PkixStop::timeout ? FetchOutcome::timeout : FetchOutcome::tls_failed;
    fetched.tls_stop = handshake.stop;
    fetched.detail = std::move(handshake.detail);
  } else if (reply.is_refused) {
    take_refusal(curl, fetched);
  } else if (!done) {
    take_fault(reply, done.error(), fetched);
  } else if (!reply.is_head_whole) {
    fetched.outcome = FetchOutcome::malformed;
    fetched.detail = "the connection ended within the header";
  } else if (curl.field("Content-Length") == nullptr &&
             curl.field("Transfer-Encoding") == nullptr && !tls.is_goodbye_heard()) {
    fetched.outcome = FetchOutcome::tls_failed;
    fetched.tls_stop = tls::PkixStop::broken;
    fetched.detail = "the connection was cut within TLS";
  } else {
    take_policy(reply.body, fetched);
  }
  return fetched;
}

}  // namespace probes::sts
