#include "probes/tls/ssl_stream.h"

#include <utility>

namespace probes::tls {

using config::Deadline;
using config::Failure;
using config::Result;
using net::StreamFault;
using net::StreamStop;

Result<std::size_t, StreamFault> SslStream::read_some(std::span<char> into, Deadline deadline) {
  std::size_t got = 0;
  const auto step = drive(ssl_.get(), deadline,
                          [&] { return SSL_read_ex(ssl_.get(), into.data(), into.size(), &got); });
  if (step == Step::done) return got;
  return Failure<StreamFault>(fault(step));
}

Result<void, StreamFault> SslStream::write_all(std::string_view octets, Deadline deadline) {
  std::size_t put = 0;
  const auto step = drive(ssl_.get(), deadline, [&] {
    return SSL_write_ex(ssl_.get(), octets.data(), octets.size(), &put);
  });
  if (step == Step::done) return {};
  return Failure<StreamFault>(fault(step));
}

StreamFault SslStream::fault(Step step) const {
  const auto words = drain_errors();
  if (step == Step::timeout) return {.stop = StreamStop::timeout, .detail = "no data in time"};
  if (step == Step::closed || step == Step::cut)
    return {.stop = StreamStop::closed, .detail = "closed by the peer"};
  return {.stop = StreamStop::broken, .detail = words};
}

namespace {

OSSL_LIB_CTX* shared_library() {
  static OSSL_LIB_CTX* const library = OSSL_LIB_CTX_new();
  return library;
}

}  // namespace

ClientContext::ClientContext(int security_level, Threads threads)
    : library(threads == Threads::one ? OSSL_LIB_CTX_new() : nullptr),
      ssl(SSL_CTX_new_ex(library ? library.get() : shared_library(), nullptr,
                         TLS_client_method())) {
  SSL_CTX_set_verify(ssl.get(), SSL_VERIFY_NONE, nullptr);
  SSL_CTX_set_mode(ssl.get(), SSL_MODE_RELEASE_BUFFERS);
  SSL_CTX_set_quiet_shutdown(ssl.get(), 1);
  harden(ssl.get(), security_level);
}

void harden(SSL_CTX* ctx, int security_level) {
  SSL_CTX_set_min_proto_version(ctx, TLS1_2_VERSION);
  const auto ciphers = "DEFAULT:!aNULL:@SECLEVEL=" + std::to_string(security_level);
  SSL_CTX_set_cipher_list(ctx, ciphers.c_str());
  SSL_CTX_set_security_level(ctx, security_level);
  SSL_CTX_set_options(ctx, SSL_OP_NO_TICKET | SSL_OP_NO_COMPRESSION);
  SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_OFF);
}

SslPtr new_connection(const ClientContext& context, const net::Socket& socket,
                      const std::string& server_name) {
  SslPtr ssl{SSL_new(context.ssl.get())};
  if (!server_name.empty()) {
    SSL_ctrl(ssl.get(), SSL_CTRL_SET_TLSEXT_HOSTNAME, TLSEXT_NAMETYPE_host_name,
             const_cast<char*>(server_name.c_str()));
  }
  SSL_set_fd(ssl.get(), socket.descriptor());
  return ssl;
}

Refusal why_failed() {
  switch (ERR_GET_REASON(ERR_peek_error())) {
    case SSL_R_UNSUPPORTED_PROTOCOL:
    case SSL_R_WRONG_SSL_VERSION:
    case SSL_R_TLSV1_ALERT_PROTOCOL_VERSION:
      return Refusal::version_old;
    case SSL_R_SSLV3_ALERT_HANDSHAKE_FAILURE:
      return Refusal::handshake_alert;
    default:
      break;
  }
  // Reasons from 1000 on are the peer's alerts.
  return ERR_GET_REASON(ERR_peek_error()) >= SSL_AD_REASON_OFFSET ? Refusal::alert
                                                                  : Refusal::broken;
}

}  // namespace probes::tls
