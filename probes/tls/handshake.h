#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "probes/net/socket.h"
#include "probes/tls/certificate.h"
#include "probes/tls/pkix.h"

namespace probes::tls {

enum class HandshakeStop {
  none,  // completed
  timeout,
  closed,          // the peer hung up in the middle
  version_old,     // it speaks no TLS 1.2 or later
  no_certificate,  // it has no certificate for the signature algorithms we offered
  refused,         // another fatal alert from the peer
  broken,          // what came was not TLS, or our library gave up on it
};
[[nodiscard]] std::string_view wire_name(HandshakeStop stop);

// What a handshake showed. Nothing was verified: that is for probes/dane, on these facts.
struct Handshake {
  HandshakeStop stop = HandshakeStop::none;
  std::string detail;   // the library's words when it stopped
  std::string version;  // "TLSv1.3"; empty unless completed
  std::string cipher;
  std::vector<CertificatePtr> chain;  // leaf first, as sent; also when the handshake failed later
  // What the Web's PKI says of the chain and the MX host's name, for senders that follow MTA-STS;
  // nothing when that was not asked. The caller of the handshake fills it in.
  std::optional<PkixStop> pkix;
};

// What is asked of a handshake.
enum class Demands {
  usual,  // TLS 1.2, security level 1, a certificate
  lax,    // TLS 1.0 and anonymous ciphers will do, as for senders that authenticate nobody
};

// A TLS client for one thread: its own library context (OpenSSL's default one is contended), no CA
// files, no session reuse, TLS 1.2 and later, security level 1 as Postfix uses when it
// authenticates by DANE.
class Client {
 public:
  // `cache` outlives the client.
  explicit Client(CertificateCache& cache);
  ~Client();
  Client(const Client&) = delete;
  Client& operator=(const Client&) = delete;

  // Shakes hands over `socket`, which outlives the session, naming `server_name` in SNI (none when
  // empty). The session is null unless the handshake completed.
  struct Outcome {
    Handshake handshake;
    std::unique_ptr<net::Stream> stream;
  };
  [[nodiscard]] Outcome shake_hands(net::Socket& socket, const std::string& server_name,
                                    KeyType key_type, config::Deadline deadline,
                                    Demands demands = Demands::usual);

 private:
  struct Context;
  std::unique_ptr<Context> context_;
  CertificateCache& cache_;
};

// Of OpenSSL, as "3.0.15".
[[nodiscard]] std::string library_version();

}  // namespace probes::tls
