#include "probes/tls/handshake.h"

#include <array>
#include <utility>

#include <openssl/ssl.h>

#include "probes/tls/ssl_stream.h"
#include "probes/tls/x509.h"

namespace probes::tls {
namespace {

using config::Deadline;

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

HandshakeStop stop_of(Step step) {
  switch (step) {
    case Step::done:
      return HandshakeStop::none;
    case Step::timeout:
      return HandshakeStop::timeout;
    case Step::closed:
    case Step::cut:
      return HandshakeStop::closed;
    case Step::failed:
      break;
  }
  switch (why_failed()) {
    case Refusal::version_old:
      return HandshakeStop::version_old;
    case Refusal::handshake_alert:
      return HandshakeStop::no_certificate;
    case Refusal::alert:
      return HandshakeStop::refused;
    case Refusal::broken:
      return HandshakeStop::broken;
  }
  return HandshakeStop::broken;
}

}  // namespace

std::string library_version() {
  return OpenSSL_version(OPENSSL_VERSION_STRING);
}

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
  ClientContext client{1, ClientContext::Threads::one};
};

Client::Client(CertificateCache& cache) : context_(std::make_unique<Context>()), cache_(cache) {}

Client::~Client() = default;

Client::Outcome Client::shake_hands(net::Socket& socket, const std::string& server_name,
                                    KeyType key_type, Deadline deadline, Demands demands) {
  Outcome outcome;
  SslPtr ssl = new_connection(context_->client, socket, server_name);
  if (demands == Demands::lax) {
    SSL_set_security_level(ssl.get(), 0);
    SSL_set_min_proto_version(ssl.get(), TLS1_VERSION);
    SSL_set_cipher_list(ssl.get(), "ALL:@SECLEVEL=0");
  }
  if (const char* algorithms = signature_algorithms(key_type))
    SSL_set1_sigalgs_list(ssl.get(), algorithms);

  auto& seen = outcome.handshake;
  const auto step = drive(ssl.get(), deadline, [&] { return SSL_connect(ssl.get()); });
  seen.stop = stop_of(step);
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
    outcome.stream = std::make_unique<SslStream>(std::move(ssl));
  }
  return outcome;
}

}  // namespace probes::tls
