#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "config/time.h"
#include "probes/tls/certificate.h"

// Certificates made at run time, for tests. Throws on OpenSSL errors: a test that cannot make its
// world must fail.
namespace support {

class Key {
 public:
  static Key ecdsa();
  static Key rsa(int bits = 2048);
  static Key ed25519();
  void* handle() const { return handle_.get(); }  // EVP_PKEY
 private:
  explicit Key(void* handle);
  std::shared_ptr<void> handle_;
};

struct CertificatePlan {
  std::string common_name;
  std::vector<std::string> dns_names;
  config::Time not_before = config::Time{std::chrono::seconds{1'700'000'000}};
  config::Time not_after = config::Time{std::chrono::seconds{2'000'000'000}};
  bool is_ca = false;
  std::optional<std::string> permitted_dns;  // a name constraint
  std::size_t ballast = 0;   // octets of an extension that means nothing here, as logs' signatures
  std::string organisation;  // of the subject
};

// A certificate with the key to sign further ones.
struct Issued {
  probes::tls::CertificatePtr certificate;
  Key key;
};

Issued self_signed(const CertificatePlan& plan, const Key& key);
Issued issue(const CertificatePlan& plan, const Key& key, const Issued& issuer);

}  // namespace support
