#include "probes/dane/verify.h"

#include <algorithm>

#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include "probes/tls/x509.h"

namespace probes::dane {
namespace {

using tls::FreeWith;
using StorePtr = std::unique_ptr<X509_STORE, FreeWith<X509_STORE_free>>;
using StoreCtxPtr = std::unique_ptr<X509_STORE_CTX, FreeWith<X509_STORE_CTX_free>>;

void free_stack(STACK_OF(X509) * stack) {
  sk_X509_pop_free(stack, X509_free);
}
using StackPtr = std::unique_ptr<STACK_OF(X509), FreeWith<free_stack>>;

// A context that never connects: only the DANE state of its SSL objects is used.
SSL_CTX* dane_context() {
  static SSL_CTX* const context = [] {
    SSL_CTX* made = SSL_CTX_new(TLS_client_method());
    SSL_CTX_dane_enable(made);
    return made;
  }();
  return context;
}

Mismatch mismatch_of(int error) {
  switch (error) {
    case X509_V_ERR_HOSTNAME_MISMATCH:
      return Mismatch::name;
    case X509_V_ERR_CERT_HAS_EXPIRED:
      return Mismatch::expired;
    case X509_V_ERR_CERT_NOT_YET_VALID:
      return Mismatch::not_yet_valid;
    case X509_V_ERR_DANE_NO_MATCH:
      return Mismatch::no_match;
    default:
      return Mismatch::path;
  }
}

// Whether the leaf names a reference identifier by a wildcard right under a top-level domain.
bool has_short_wildcard(const tls::Certificate& leaf, const std::vector<std::string>& names) {
  return std::ranges::any_of(names, [&](const std::string& name) {
    const auto dot = name.find('.');
    if (dot == 0 || dot == std::string::npos || name.find('.', dot + 1) != std::string::npos)
      return false;
    const auto wildcard = "*" + name.substr(dot);
    return std::ranges::any_of(leaf.dns_names, [&](const std::string& shown) {
      return shown.size() == wildcard.size() &&
             OPENSSL_strncasecmp(shown.data(), wildcard.data(), wildcard.size()) == 0;
    });
  });
}

// DANE-TA(2) by libcrypto: an unconnected SSL carries the records, a store context verifies the
// recorded chain.
Verification verify_anchored(const Expectation& expectation,
                             const std::vector<std::size_t>& compared,
                             const std::vector<tls::CertificatePtr>& chain, config::Time at) {
  const tls::SslPtr ssl{SSL_new(dane_context())};
  // Names that we have found to be there already need not be looked for again.
  std::vector<std::string> names;
  if (!expectation.accepts_short_wildcards ||
      !has_short_wildcard(*chain.front(), expectation.names))
    names = expectation.names;
  SSL_dane_enable(ssl.get(), names.empty() ? nullptr : names.front().c_str());
  for (const auto index : compared) {
    const auto& record = expectation.records[index];
    SSL_dane_tlsa_add(ssl.get(), record.usage, record.selector, record.matching_type,
                      record.data.data(), record.data.size());
  }
  const auto leaf = tls::read_x509(chain.front()->der);
  const StackPtr others{sk_X509_new_null()};
  for (const auto& certificate : chain) {
    auto x509 = tls::read_x509(certificate->der);
    if (x509) sk_X509_push(others.get(), x509.release());
  }
  const StorePtr store{X509_STORE_new()};
  const StoreCtxPtr context{X509_STORE_CTX_new()};
  if (!leaf || X509_STORE_CTX_init(context.get(), store.get(), leaf.get(), others.get()) != 1) {
    return {.match = {}, .mismatch = Mismatch::path};
  }
  X509_STORE_CTX_set_default(context.get(), "ssl_server");
  X509_STORE_CTX_set0_dane(context.get(), SSL_get0_dane(ssl.get()));
  auto* parameters = X509_STORE_CTX_get0_param(context.get());
  X509_VERIFY_PARAM_set1(parameters, SSL_get0_param(ssl.get()));
  X509_VERIFY_PARAM_set_time(parameters, static_cast<std::time_t>(at.time_since_epoch().count()));
  X509_VERIFY_PARAM_set_auth_level(parameters, 1);
  // The poison is critical and is meant to be understood by nobody.
  if (expectation.is_precertificate)
    X509_VERIFY_PARAM_set_flags(parameters, X509_V_FLAG_IGNORE_CRITICAL);
  for (std::size_t i = 0; i < names.size(); ++i) {
    const auto& name = names[i];
    if (i == 0) {
      X509_VERIFY_PARAM_set1_host(parameters, name.c_str(), name.size());
    } else {
      X509_VERIFY_PARAM_add1_host(parameters, name.c_str(), name.size());
    }
  }
  X509_VERIFY_PARAM_set_hostflags(parameters, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
  const bool passes = X509_verify_cert(context.get()) == 1;
  const int error = X509_STORE_CTX_get_error(context.get());
  (void)tls::drain_errors();
  if (!passes) return {.match = {}, .mismatch = mismatch_of(error)};

  std::uint8_t usage = 0;
  std::uint8_t selector = 0;
  std::uint8_t matching_type = 0;
  const unsigned char* data = nullptr;
  std::size_t size = 0;
  SSL_set_verify_result(ssl.get(), X509_V_OK);
  const int depth = SSL_get0_dane_tlsa(ssl.get(), &usage, &selector, &matching_type, &data, &size);
  for (const auto index : compared) {
    const auto& record = expectation.records[index];
    if (depth >= 0 && record.usage == usage && record.selector == selector &&
        record.matching_type == matching_type &&
        std::ranges::equal(record.data, std::span{data, size})) {
      return {.match = Match{.record = index, .depth = static_cast<std::size_t>(depth)},
              .mismatch = {}};
    }
  }
  return {.match = {}, .mismatch = Mismatch::no_match};
}

}  // namespace

std::string_view wire_name(Mismatch mismatch) {
  switch (mismatch) {
    case Mismatch::no_match:
      return "tlsa-mismatch";
    case Mismatch::no_certificate:
      return "no-certificate";
    case Mismatch::name:
      return "name-mismatch";
    case Mismatch::expired:
      return "certificate-expired";
    case Mismatch::not_yet_valid:
      return "certificate-not-yet-valid";
    case Mismatch::path:
      return "path-invalid";
  }
  return "";
}

Bytes association(const tls::Certificate& certificate, std::uint8_t selector,
                  std::uint8_t matching_type) {
  const bool whole = selector == kCert;
  switch (matching_type) {
    case kSha256:
      return whole ? certificate.sha256 : certificate.spki_sha256;
    case kSha512:
      return whole ? certificate.sha512 : certificate.spki_sha512;
    default:
      return whole ? certificate.der : certificate.spki;
  }
}

std::vector<TlsaRecord> records_lacking(const std::vector<TlsaRecord>& records,
                                        const tls::Certificate& certificate, std::uint8_t usage,
                                        std::uint8_t selector) {
  std::vector<TlsaRecord> out;
  for (const auto digest : digests_beside(records, usage, selector)) {
    TlsaRecord record{.usage = usage,
                      .selector = selector,
                      .matching_type = digest,
                      .data = association(certificate, selector, digest)};
    if (std::ranges::find(records, record) == records.end()) out.push_back(std::move(record));
  }
  return out;
}

Verification verify(const Expectation& expectation, const std::vector<tls::CertificatePtr>& chain,
                    config::Time at) {
  if (chain.empty()) return {.match = {}, .mismatch = Mismatch::no_certificate};
  const auto compared = records_compared(expectation.records, expectation.digests);
  std::vector<std::size_t> anchors;
  for (const auto index : compared) {
    const auto& record = expectation.records[index];
    if (record.usage == kDaneTa) {
      anchors.push_back(index);
    } else if (record.data == association(*chain.front(), record.selector, record.matching_type)) {
      return {.match = Match{.record = index, .depth = 0}, .mismatch = {}};
    }
  }
  if (anchors.empty()) return {.match = {}, .mismatch = Mismatch::no_match};
  return verify_anchored(expectation, anchors, chain, at);
}

}  // namespace probes::dane
