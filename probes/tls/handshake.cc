#include "probes/tls/handshake.h"

#include <cerrno>

#include <openssl/err.h>
#include <openssl/ssl.h>

#include "probes/tls/x509.h"

namespace probes::tls {
namespace {

using config::Deadline;
using config::Failure;
using config::Result;
using smtp::StreamFault;
using smtp::StreamStop;

// The longest chain we describe; OpenSSL itself refuses certificate messages over 100 kB.
constexpr int kMaxChain = 20;

const char* signature_algorithms(KeyType key_type) {
  switch (key_type) {
    case KeyType::rsa:
      // TLS 1.3 signs with RSA keys by PSS only.
      return "RSA-PSS+SHA256:RSA-PSS+SHA384:RSA-PSS+SHA512:RSA+SHA256:RSA+SHA384:RSA+SHA512";
    case KeyType::ecdsa:
      return "ECDSA+SHA256:ECDSA+SHA384:ECDSA+SHA512";
    case KeyType::eddsa:
      return "ed25519:ed448";
    case KeyType::by_default:
      return nullptr;
  }
  return nullptr;
}

// Repeats an SSL call until it is done, fails, or the deadline passes.
enum class Step { done, timeout, closed, failed };
template <class Call>
Step drive(SSL* ssl, Deadline deadline, Call call) {
  while (true) {
    ERR_clear_error();
    errno = 0;
    const int result = call();
    if (result > 0) return Step::done;
    switch (SSL_get_error(ssl, result)) {
      case SSL_ERROR_WANT_READ:
        if (!smtp::wait_for(SSL_get_fd(ssl), false, deadline)) return Step::timeout;
        break;
      case SSL_ERROR_WANT_WRITE:
        if (!smtp::wait_for(SSL_get_fd(ssl), true, deadline)) return Step::timeout;
        break;
      case SSL_ERROR_ZERO_RETURN:
        return Step::closed;
      case SSL_ERROR_SYSCALL:
        return Step::closed;
      case SSL_ERROR_SSL:
        return ERR_GET_REASON(ERR_peek_error()) == SSL_R_UNEXPECTED_EOF_WHILE_READING
                   ? Step::closed
                   : Step::failed;
      default:
        return Step::failed;
    }
  }
}

HandshakeStop why_failed() {
  switch (ERR_GET_REASON(ERR_peek_error())) {
    case SSL_R_UNSUPPORTED_PROTOCOL:
    case SSL_R_WRONG_SSL_VERSION:
    case SSL_R_TLSV1_ALERT_PROTOCOL_VERSION:
      return HandshakeStop::version_old;
    case SSL_R_SSLV3_ALERT_HANDSHAKE_FAILURE:
      return HandshakeStop::no_certificate;
    default:
      break;
  }
  // Reasons from 1000 on are the peer's alerts.
  return ERR_GET_REASON(ERR_peek_error()) >= SSL_AD_REASON_OFFSET ? HandshakeStop::refused
                                                                  : HandshakeStop::broken;
}

}  // namespace

std::string_view wire_name(HandshakeStop stop) {
  switch (stop) {
    case HandshakeStop::none:
      return "none";
    case HandshakeStop::timeout:
      return "timeout";
    case HandshakeStop::closed:
      return "closed";
    case HandshakeStop::version_old:
      return "version-old";
    case HandshakeStop::no_certificate:
      return "no-certificate";
    case HandshakeStop::refused:
      return "refused";
    case HandshakeStop::broken:
      return "broken";
  }
  return "";
}

struct Client::Context {
  std::unique_ptr<OSSL_LIB_CTX, FreeWith<OSSL_LIB_CTX_free>> library{OSSL_LIB_CTX_new()};
  SslCtxPtr ssl{SSL_CTX_new_ex(library.get(), nullptr, TLS_client_method())};
};

class Client::Session final : public smtp::Stream {
 public:
  explicit Session(SslPtr ssl) : ssl_(std::move(ssl)) {}

  Result<std::size_t, StreamFault> read_some(std::span<char> into, Deadline deadline) override {
    std::size_t got = 0;
    const auto step = drive(ssl_.get(), deadline, [&] {
      return SSL_read_ex(ssl_.get(), into.data(), into.size(), &got);
    });
    if (step == Step::done) return got;
    return Failure<StreamFault>(fault(step));
  }

  Result<void, StreamFault> write_all(std::string_view octets, Deadline deadline) override {
    std::size_t put = 0;
    const auto step = drive(ssl_.get(), deadline, [&] {
      return SSL_write_ex(ssl_.get(), octets.data(), octets.size(), &put);
    });
    if (step == Step::done) return {};
    return Failure<StreamFault>(fault(step));
  }

 private:
  static StreamFault fault(Step step) {
    const auto words = drain_errors();
    if (step == Step::timeout) return {.stop = StreamStop::timeout, .detail = "no data in time"};
    if (step == Step::closed) return {.stop = StreamStop::closed, .detail = "closed by the peer"};
    return {.stop = StreamStop::broken, .detail = words};
  }
  SslPtr ssl_;
};

Client::Client(CertificateCache& cache) : context_(std::make_unique<Context>()), cache_(cache) {
  auto* ctx = context_->ssl.get();
  SSL_CTX_set_verify(ctx, SSL_VERIFY_NONE, nullptr);
  SSL_CTX_set_min_proto_version(ctx, TLS1_2_VERSION);
  SSL_CTX_set_cipher_list(ctx, "DEFAULT:!aNULL:@SECLEVEL=1");
  SSL_CTX_set_security_level(ctx, 1);
  SSL_CTX_set_options(ctx, SSL_OP_NO_TICKET | SSL_OP_NO_COMPRESSION);
  SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_OFF);
  SSL_CTX_set_mode(ctx, SSL_MODE_RELEASE_BUFFERS);
  SSL_CTX_set_quiet_shutdown(ctx, 1);
}

Client::~Client() = default;

Client::Outcome Client::shake_hands(smtp::Socket& socket, const std::string& server_name,
                                    KeyType key_type, Deadline deadline) {
  Outcome outcome;
  SslPtr ssl{SSL_new(context_->ssl.get())};
  if (!server_name.empty()) {
    SSL_ctrl(ssl.get(), SSL_CTRL_SET_TLSEXT_HOSTNAME, TLSEXT_NAMETYPE_host_name,
             const_cast<char*>(server_name.c_str()));
  }
  if (const char* algorithms = signature_algorithms(key_type))
    SSL_set1_sigalgs_list(ssl.get(), algorithms);
  SSL_set_fd(ssl.get(), socket.descriptor());

  auto& seen = outcome.handshake;
  const auto step = drive(ssl.get(), deadline, [&] { return SSL_connect(ssl.get()); });
  switch (step) {
    case Step::done:
      break;
    case Step::timeout:
      seen.stop = HandshakeStop::timeout;
      break;
    case Step::closed:
      seen.stop = HandshakeStop::closed;
      break;
    case Step::failed:
      seen.stop = why_failed();
      break;
  }
  seen.detail = drain_errors();

  if (const auto* chain = SSL_get_peer_cert_chain(ssl.get())) {
    for (int i = 0; i < sk_X509_num(chain) && i < kMaxChain; ++i) {
      auto* x509 = sk_X509_value(chain, i);
      std::array<unsigned char, EVP_MAX_MD_SIZE> hash{};
      unsigned size = 0;
      X509_digest(x509, EVP_sha256(), hash.data(), &size);
      auto certificate = cache_.find(Bytes(hash.begin(), hash.begin() + size));
      if (!certificate) {
        certificate = describe(x509);
        if (!certificate) break;
        cache_.keep(certificate);
      }
      seen.chain.push_back(std::move(certificate));
    }
  }
  if (step == Step::done) {
    seen.version = SSL_get_version(ssl.get());
    seen.cipher = SSL_get_cipher_name(ssl.get());
    outcome.stream = std::make_unique<Session>(std::move(ssl));
  }
  return outcome;
}

}  // namespace probes::tls
