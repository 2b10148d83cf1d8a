#pragma once

#include <memory>

#include <openssl/ssl.h>
#include <openssl/x509.h>

#include "probes/tls/certificate.h"

// OpenSSL's objects with owners, for the files of probes/tls and probes/dane/verify only.
namespace probes::tls {

template <auto Free>
struct FreeWith {
  template <class T>
  void operator()(T* object) const {
    Free(object);
  }
};
using X509Ptr = std::unique_ptr<X509, FreeWith<X509_free>>;
using SslPtr = std::unique_ptr<SSL, FreeWith<SSL_free>>;
using SslCtxPtr = std::unique_ptr<SSL_CTX, FreeWith<SSL_CTX_free>>;

[[nodiscard]] X509Ptr read_x509(std::span<const std::uint8_t> der);
// The facts of a parsed certificate; nothing when it cannot be encoded again or its key is
// unreadable.
[[nodiscard]] CertificatePtr describe(X509* x509);
// What OpenSSL's error queue says, emptied.
[[nodiscard]] std::string drain_errors();

}  // namespace probes::tls
