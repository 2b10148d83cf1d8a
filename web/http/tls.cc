#include "web/http/tls.h"

#include <algorithm>
#include <climits>

#include <fmt/format.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <poll.h>

#include "config/read_file.h"

namespace web {
namespace {

using config::Failure;
using config::Result;
using config::Tls;

// Of TLS 1.2 (RFC 9325 §4.2): no CBC, no key exchange by the certificate's key. Debian's OpenSSL
// takes both by default.
constexpr const char* kCiphers = "ECDHE+AESGCM:ECDHE+CHACHA20:!PSK";

// OpenSSL's words for what went wrong last in this thread.
std::string last_fault() {
  const auto code = ERR_peek_last_error();
  ERR_clear_error();
  const char* const words = ERR_reason_error_string(code);
  return words == nullptr ? "unknown fault" : words;
}

class TlsChannel final : public Channel {
 public:
  TlsChannel(int fd, SSL* session) : Channel(fd), session_(session) {}

  Outcome greet() override { return outcome(SSL_accept(session_.get())); }
  bool is_greeted() const override { return SSL_is_init_finished(session_.get()) == 1; }
  Outcome read(std::span<char> into) override {
    const auto most = static_cast<int>(std::min<std::size_t>(into.size(), INT_MAX));
    return outcome(SSL_read(session_.get(), into.data(), most));
  }
  Outcome write(std::string_view octets) override {
    const auto most = static_cast<int>(std::min<std::size_t>(octets.size(), INT_MAX));
    return outcome(SSL_write(session_.get(), octets.data(), most));
  }
  void finish() override {
    SSL_shutdown(session_.get());
    ERR_clear_error();
  }

 private:
  struct Free {
    void operator()(SSL* session) const { SSL_free(session); }
  };

  // SSL_get_error reads the thread's queue of errors: it must be empty before the next call.
  Outcome outcome(int moved) {
    if (moved > 0) return {.count = static_cast<std::size_t>(moved)};
    const int error = SSL_get_error(session_.get(), moved);
    ERR_clear_error();
    if (error == SSL_ERROR_WANT_READ) return {.wants = POLLIN};
    if (error == SSL_ERROR_WANT_WRITE) return {.wants = POLLOUT};
    return {};
  }

  std::unique_ptr<SSL, Free> session_;
};

}  // namespace

struct TlsServer::Context {
  struct Free {
    void operator()(SSL_CTX* context) const { SSL_CTX_free(context); }
  };
  std::unique_ptr<SSL_CTX, Free> ssl;
};

Result<std::shared_ptr<const TlsServer>, std::string> TlsServer::make(const Tls& settings) {
  auto context = std::make_shared<Context>();
  context->ssl.reset(SSL_CTX_new(TLS_server_method()));
  auto* const ssl = context->ssl.get();
  if (ssl == nullptr) return Failure<std::string>("TLS: " + last_fault());
  const bool is_new = settings.min_version == Tls::Version::tls13;
  SSL_CTX_set_min_proto_version(ssl, is_new ? TLS1_3_VERSION : TLS1_2_VERSION);
  SSL_CTX_set_options(ssl, SSL_OP_NO_RENEGOTIATION | SSL_OP_CIPHER_SERVER_PREFERENCE);
  SSL_CTX_set_mode(ssl, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER |
                            SSL_MODE_RELEASE_BUFFERS);
  if (SSL_CTX_set_cipher_list(ssl, kCiphers) != 1)
    return Failure<std::string>("TLS: " + last_fault());
  const auto fails = [](const std::filesystem::path& file) {
    const auto fault = last_fault();
    // Of a file that is not there OpenSSL only says "system lib".
    const auto read = config::read_file(file, 1);
    return Failure<std::string>(fmt::format("{}: {}", file.string(), read ? fault : read.error()));
  };
  if (SSL_CTX_use_certificate_chain_file(ssl, settings.cert_file.c_str()) != 1)
    return fails(settings.cert_file);
  if (SSL_CTX_use_PrivateKey_file(ssl, settings.key_file.c_str(), SSL_FILETYPE_PEM) != 1 ||
      SSL_CTX_check_private_key(ssl) != 1)
    return fails(settings.key_file);
  if (settings.client_auth != Tls::ClientAuth::none) {
    const auto& file = settings.client_ca_file;
    auto* const names = SSL_load_client_CA_file(file.c_str());
    if (names == nullptr || SSL_CTX_load_verify_file(ssl, file.c_str()) != 1) return fails(file);
    SSL_CTX_set_client_CA_list(ssl, names);
    const bool is_required = settings.client_auth == Tls::ClientAuth::required;
    SSL_CTX_set_verify(ssl, SSL_VERIFY_PEER | (is_required ? SSL_VERIFY_FAIL_IF_NO_PEER_CERT : 0),
                       nullptr);
    // Without it sessions cannot be resumed where clients show certificates.
    constexpr unsigned char kName[] = {'d', 'a', 'n', 'e', 'l', 'a', 'w'};
    SSL_CTX_set_session_id_context(ssl, kName, sizeof kName);
  }
  return std::shared_ptr<const TlsServer>(new TlsServer(std::move(context)));
}

std::unique_ptr<Channel> TlsServer::open(int fd) const {
  auto* const session = SSL_new(context_->ssl.get());
  auto channel = std::make_unique<TlsChannel>(fd, session);
  if (session == nullptr || SSL_set_fd(session, fd) != 1) return nullptr;
  SSL_set_accept_state(session);
  return channel;
}

}  // namespace web
