#pragma once

#include <cerrno>
#include <cstddef>
#include <string>

#include <openssl/err.h>
#include <openssl/ssl.h>

#include "probes/net/socket.h"
#include "probes/tls/x509.h"

// What the TLS clients of probes/tls have in common, for its files only: SSL objects over our
// non-blocking sockets. OpenSSL writes without MSG_NOSIGNAL, so the process ignores SIGPIPE.
namespace probes::tls {

enum class Step {
  done,
  timeout,
  closed,  // the peer ended TLS in order
  cut,     // the connection ended or was reset beneath TLS
  failed,  // OpenSSL's error queue says why
};

// Repeats an SSL call until it is done, fails, or the deadline passes.
template <class Call>
Step drive(SSL* ssl, config::Deadline deadline, Call call) {
  while (true) {
    ERR_clear_error();
    errno = 0;
    const int result = call();
    if (result > 0) return Step::done;
    switch (SSL_get_error(ssl, result)) {
      case SSL_ERROR_WANT_READ:
        if (!net::wait_for(SSL_get_fd(ssl), false, deadline)) return Step::timeout;
        break;
      case SSL_ERROR_WANT_WRITE:
        if (!net::wait_for(SSL_get_fd(ssl), true, deadline)) return Step::timeout;
        break;
      case SSL_ERROR_ZERO_RETURN:
        return Step::closed;
      case SSL_ERROR_SYSCALL:
        return Step::cut;
      case SSL_ERROR_SSL:
        return ERR_GET_REASON(ERR_peek_error()) == SSL_R_UNEXPECTED_EOF_WHILE_READING
                   ? Step::cut
                   : Step::failed;
      default:
        return Step::failed;
    }
  }
}

// An encrypted stream over a connection, after its handshake. The socket outlives it. A connection
// that is cut is one that the peer closed: SMTP servers hang up so, and replies have an end of
// their own.
class SslStream final : public net::Stream {
 public:
  explicit SslStream(SslPtr ssl) : ssl_(std::move(ssl)) {}
  [[nodiscard]] config::Result<std::size_t, net::StreamFault> read_some(
      std::span<char> into, config::Deadline deadline) override;
  [[nodiscard]] config::Result<void, net::StreamFault> write_all(
      std::string_view octets, config::Deadline deadline) override;

 private:
  [[nodiscard]] net::StreamFault fault(Step step) const;
  SslPtr ssl_;
};

// A client's context, not in OpenSSL's default library context, which is contended: TLS 1.2 and
// later, the security level given, no session reuse. Nothing is verified yet.
//
// A thread that works in a library context leaves a state there, which OpenSSL ends with the
// thread, whether the context is still there or not. So what one thread makes, uses and lets go
// has a library context of its own; all the rest shares one that stays to the end of the process.
struct ClientContext {
  enum class Threads { one, many };
  ClientContext(int security_level, Threads threads);
  std::unique_ptr<OSSL_LIB_CTX, FreeWith<OSSL_LIB_CTX_free>> library;  // null: the shared one
  SslCtxPtr ssl;
};

// Makes a client's context speak TLS 1.2 and later at that security level, and reuse no session.
void harden(SSL_CTX* context, int security_level);

// A connection to be over `socket`, naming `server_name` in SNI (none when empty).
[[nodiscard]] SslPtr new_connection(const ClientContext& context, const net::Socket& socket,
                                    const std::string& server_name);

// Why a handshake that `failed` did so, from OpenSSL's error queue, which it leaves as it is.
enum class Refusal {
  version_old,      // the peer speaks no version of ours
  handshake_alert,  // "handshake_failure": nothing we offered suits it
  alert,            // another fatal alert
  broken,           // what came was not TLS, or our library gave up on it
};
[[nodiscard]] Refusal why_failed();

}  // namespace probes::tls
