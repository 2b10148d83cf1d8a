#pragma once

#include <filesystem>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "config/result.h"
#include "config/time.h"
#include "probes/net/socket.h"
#include "probes/tls/certificate.h"

namespace probes::tls {

// How a handshake with a certificate check ended.
enum class PkixStop {
  none,  // completed: the peer proved to be who we named
  timeout,
  closed,          // the peer hung up in the middle
  version_old,     // it speaks no TLS 1.2 or later
  refused,         // a fatal alert from the peer
  broken,          // what came was not TLS, or our library gave up on it
  expired,         // a certificate of the path is out of date
  not_yet_valid,   // the same, before its time
  wrong_name,      // the leaf has no DNS-ID for the name
  unknown_issuer,  // no path to a CA of the file
  self_signed,     // the same: the leaf, or the last of its path, vouches for itself alone
  untrusted,       // another fault of the path: constraints, purpose, weak key, signature
};
[[nodiscard]] std::string_view wire_name(PkixStop stop);

struct PkixHandshake {
  PkixStop stop = PkixStop::none;
  std::string detail;   // in words when it stopped; may quote the certificate, escape where shown
  std::string version;  // "TLSv1.3"; empty unless completed
  CertificatePtr leaf;  // as shown by the peer, also when it was found wrong; may be null
};

// Why a CA file is of no use.
struct TrustFault {
  std::string detail;
};

// A TLS client that believes a peer only by the Web's PKI (RFC 5280, RFC 6125). Threads may share
// one. TLS 1.2 and later, security level 2, no session reuse, no renegotiation, no revocation
// check. DANE knows nothing of this room: see handshake.h for that.
class PkixClient {
 public:
  // `ca_file`: PEM certificates of trusted CAs, e.g. /etc/ssl/certs/ca-certificates.crt. It is read
  // here, once, which takes some 20 ms: keep the client, and make a new one when the file changed.
  [[nodiscard]] static config::Result<std::unique_ptr<PkixClient>, TrustFault> trusting(
      const std::filesystem::path& ca_file);
  ~PkixClient();
  PkixClient(const PkixClient&) = delete;
  PkixClient& operator=(const PkixClient&) = delete;

  struct Outcome {
    PkixHandshake handshake;
    std::unique_ptr<net::Stream> stream;  // null unless completed
  };
  // Shakes hands over `socket`, which outlives the stream. `server_name` (A-label form, no trailing
  // dot) is named in SNI and must be a dNSName of the leaf, a wildcard standing for the whole first
  // label only and the common name for nothing (RFC 8461 §3.3). Dates are compared with `at`. An
  // end of the stream without TLS's close_notify is `broken`, not `closed`: it may be a cut made by
  // somebody on the way.
  [[nodiscard]] Outcome shake_hands(net::Socket& socket, const std::string& server_name,
                                    config::Time at, config::Deadline deadline);

  // What a peer that showed `chain` (leaf first) would have come to, by the same rules: one of
  // none, expired, not_yet_valid, wrong_name, unknown_issuer, self_signed, untrusted.
  [[nodiscard]] PkixStop verify(const std::vector<CertificatePtr>& chain,
                                const std::string& server_name, config::Time at) const;

 private:
  struct Context;
  explicit PkixClient(std::unique_ptr<Context> context);
  std::unique_ptr<Context> context_;
};

}  // namespace probes::tls
