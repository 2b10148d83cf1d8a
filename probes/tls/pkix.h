#pragma once

#include <filesystem>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "config/result.h"
#include "config/time.h"
#include "probes/tls/certificate.h"

struct ssl_ctx_st;

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

// What a peer showed in a handshake, and why that stopped.
struct PkixHandshake {
  PkixStop stop = PkixStop::none;
  std::string detail;   // in words when it stopped; may quote the certificate, escape where shown
  CertificatePtr leaf;  // as shown by the peer, also when it was found wrong; may be null
};

// Why a CA file is of no use.
struct TrustFault {
  std::string detail;
};

// The CAs that the Web believes (RFC 5280, RFC 6125). Threads may share one. DANE knows nothing of
// this room: see handshake.h for that.
class WebPki {
 public:
  // `ca_file`: PEM certificates of trusted CAs, e.g. /etc/ssl/certs/ca-certificates.crt. It is read
  // here, once, which takes some 20 ms: keep the object, and make a new one when the file changed.
  [[nodiscard]] static config::Result<std::unique_ptr<WebPki>, TrustFault> trusting(
      const std::filesystem::path& ca_file);
  ~WebPki();
  WebPki(const WebPki&) = delete;
  WebPki& operator=(const WebPki&) = delete;

  // What a client that meets a peer with `chain` (leaf first) comes to: one of none, expired,
  // not_yet_valid, wrong_name, unknown_issuer, self_signed, untrusted.
  [[nodiscard]] PkixStop verify(const std::vector<CertificatePtr>& chain,
                                const std::string& server_name, config::Time at) const;

 private:
  friend class PkixClient;
  struct Context;
  explicit WebPki(std::unique_ptr<Context> context);
  std::unique_ptr<Context> context_;
};

// Makes the one handshake of somebody else's TLS client (libcurl's) follow WebPki's rules, and
// watches it: TLS 1.2 and later, security level 2, no session reuse, no renegotiation, no
// revocation check. `server_name` (A-label form, no trailing dot) must be a dNSName of the leaf, a
// wildcard standing for the whole first label only and the common name for nothing (RFC 8461 §3.3).
// Dates are compared with `at`. For one thread.
class PkixClient {
 public:
  PkixClient(const WebPki& pki, std::string server_name, config::Time at);
  ~PkixClient();
  PkixClient(const PkixClient&) = delete;
  PkixClient& operator=(const PkixClient&) = delete;

  // Before the connection is made of `context`, which does not outlive us. False when it must not
  // be used, for there is no whole name to verify the peer by.
  [[nodiscard]] bool equip(ssl_ctx_st* context);
  // How the handshake went, whose client gave up because its time was over, or not.
  [[nodiscard]] PkixHandshake handshake(bool is_time_over) const;

  // Whether the peer ended TLS in order (close_notify). Where only the end of the connection ends
  // the data, one without it may be a cut made by somebody on the way (RFC 9112 §9.8).
  [[nodiscard]] bool is_goodbye_heard() const;

  struct Watch;

 private:
  const WebPki& pki_;
  std::string server_name_;
  config::Time at_;
  std::unique_ptr<Watch> watch_;
};

}  // namespace probes::tls
