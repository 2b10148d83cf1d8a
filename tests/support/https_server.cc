#include "tests/support/https_server.h"

#include <stdexcept>
#include <utility>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

namespace support {
namespace {

using namespace std::chrono_literals;

void demand(bool ok, const char* what) {
  if (!ok) throw std::runtime_error(what);
}

std::unique_ptr<X509, decltype(&X509_free)> x509(const Issued& issued) {
  const auto& der = issued.certificate->der;
  const auto* at = der.data();
  return {d2i_X509(nullptr, &at, static_cast<long>(der.size())), X509_free};
}

}  // namespace

Port::Port(Kind kind) : fd_(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  auto* any = reinterpret_cast<sockaddr*>(&address);
  demand(bind(fd_, any, size) == 0 && getsockname(fd_, any, &size) == 0, "bind");
  if (kind == listening) demand(listen(fd_, 8) == 0, "listen");
  number_ = ntohs(address.sin_port);
}

Port::~Port() {
  close(fd_);
}

bool Peer::send(std::string_view octets) {
  return octets.empty() ||
         SSL_write(static_cast<SSL*>(ssl_), octets.data(), static_cast<int>(octets.size())) > 0;
}

bool Peer::wait_for_hangup(std::chrono::milliseconds longest) {
  pollfd wanted{.fd = fd_, .events = POLLIN, .revents = 0};
  return poll(&wanted, 1, static_cast<int>(longest.count())) != 0;
}

Script say(std::string octets) {
  return [octets = std::move(octets)](Peer& peer) { peer.send(octets); };
}

Script say_forever(std::string first, std::string again) {
  return [first = std::move(first), again = std::move(again)](Peer& peer) {
    if (peer.send(first))
      while (peer.send(again)) {
      }
  };
}

Script drip(std::string first, char again) {
  return [first = std::move(first), again](Peer& peer) {
    for (std::size_t i = 0;
         peer.send(i < first.size() ? std::string(1, first[i]) : std::string(1, again)); ++i) {
      if (peer.wait_for_hangup(2ms)) return;
    }
  };
}

std::string http_reply(std::string_view fields, std::string_view body, std::string_view status) {
  return "HTTP/1.1 " + std::string(status) + "\r\n" + std::string(fields) +
         "Content-Length: " + std::to_string(body.size()) + "\r\n\r\n" + std::string(body);
}

HttpsServer::HttpsServer(ServerPlan plan)
    : plan_(std::move(plan)), ctx_(SSL_CTX_new(TLS_server_method()), [](void* ctx) {
        SSL_CTX_free(static_cast<SSL_CTX*>(ctx));
      }) {
  auto* ctx = static_cast<SSL_CTX*>(ctx_.get());
  SSL_CTX_set_security_level(ctx, 0);
  if (plan_.newest_version != 0) {
    SSL_CTX_set_min_proto_version(ctx, TLS1_VERSION);
    SSL_CTX_set_max_proto_version(ctx, plan_.newest_version);
  }
  const auto leaf = x509(plan_.leaf);
  demand(SSL_CTX_use_certificate(ctx, leaf.get()) == 1, "certificate");
  demand(SSL_CTX_use_PrivateKey(ctx, static_cast<EVP_PKEY*>(plan_.leaf.key.handle())) == 1, "key");
  if (plan_.intermediate != nullptr) {
    const auto next = x509(*plan_.intermediate);
    demand(SSL_CTX_add1_chain_cert(ctx, next.get()) == 1, "chain");
  }
  thread_ = std::thread([this] { serve(); });
}

HttpsServer::~HttpsServer() {
  join();
}

const std::string& HttpsServer::request() {
  join();
  return request_;
}

const std::string& HttpsServer::server_name() {
  join();
  return server_name_;
}

void HttpsServer::join() {
  if (thread_.joinable()) thread_.join();
}

void HttpsServer::serve() {
  // A client that never comes must not hang the test.
  pollfd wanted{.fd = port_.descriptor(), .events = POLLIN, .revents = 0};
  if (poll(&wanted, 1, 20'000) != 1) return;
  const int fd = accept(port_.descriptor(), nullptr, nullptr);
  const timeval longest{.tv_sec = 20, .tv_usec = 0};
  setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &longest, sizeof longest);
  setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &longest, sizeof longest);
  const std::unique_ptr<SSL, decltype(&SSL_free)> ssl{SSL_new(static_cast<SSL_CTX*>(ctx_.get())),
                                                      SSL_free};
  SSL_set_fd(ssl.get(), fd);
  if (SSL_accept(ssl.get()) == 1) {
    if (const char* name = SSL_get_servername(ssl.get(), TLSEXT_NAMETYPE_host_name))
      server_name_ = name;
    char octet = 0;
    while (!request_.ends_with("\r\n\r\n") && SSL_read(ssl.get(), &octet, 1) == 1)
      request_ += octet;
    Peer peer{fd, ssl.get()};
    if (request_.ends_with("\r\n\r\n")) plan_.script(peer);
    if (plan_.says_goodbye) SSL_shutdown(ssl.get());
  }
  // Leaves the client what is still on its way: closing with unread octets would reset it.
  shutdown(fd, SHUT_WR);
  char rest[4096];
  while (read(fd, rest, sizeof rest) > 0) {
  }
  close(fd);
  ERR_clear_error();
}

std::string pem(const Issued& issued) {
  const std::unique_ptr<BIO, decltype(&BIO_free)> into{BIO_new(BIO_s_mem()), BIO_free};
  demand(into && PEM_write_bio_X509(into.get(), x509(issued).get()) == 1, "PEM");
  char* text = nullptr;
  const auto size = BIO_get_mem_data(into.get(), &text);
  return {text, static_cast<std::size_t>(size)};
}

}  // namespace support
