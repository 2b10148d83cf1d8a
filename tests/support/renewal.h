#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <string_view>

#include "probes/tls/certificate_file.h"
#include "tests/support/past.h"

// Certificates of which a CA can be asked when to renew them.
namespace support {

// The example of RFC 9773 appendix A, which has an authorityKeyIdentifier, as if it were ours.
inline constexpr auto kExample = R"(
-----BEGIN CERTIFICATE-----
MIIBQzCB66ADAgECAgUAh2VDITAKBggqhkjOPQQDAjAVMRMwEQYDVQQDEwpFeGFt
cGxlIENBMCIYDzAwMDEwMTAxMDAwMDAwWhgPMDAwMTAxMDEwMDAwMDBaMBYxFDAS
BgNVBAMTC2V4YW1wbGUuY29tMFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEeBZu
7cbpAYNXZLbbh8rNIzuOoqOOtmxA1v7cRm//AwyMwWxyHz4zfwmBhcSrf47NUAFf
qzLQ2PPQxdTXREYEnKMjMCEwHwYDVR0jBBgwFoAUaYhba4dGQEHhs3uEe6CuLN4B
yNQwCgYIKoZIzj0EAwIDRwAwRAIge09+S5TZAlw5tgtiVvuERV6cT4mfutXIlwTb
+FYN/8oCIClDsqBklhB9KAelFiYt9+6FDj3z4KGVelYM5MdsO3pK
-----END CERTIFICATE-----
)";
// By the CA "Testcrypt"; each number is another certificate.
inline probes::tls::CertificatePtr leaf_number(std::uint8_t number) {
  auto leaf = *probes::tls::read_certificate_file(std::string_view(kExample))->chain.front();
  leaf.sha256.back() = number;
  leaf.issuer = "CN=E1,O=Testcrypt";
  leaf.not_after = kNow + std::chrono::hours{24 * 90};
  return std::make_shared<const probes::tls::Certificate>(std::move(leaf));
}

}  // namespace support
