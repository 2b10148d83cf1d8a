#include "probes/dane/diagnose_record.h"

#include <array>
#include <initializer_list>

#include <fmt/format.h>

#include "probes/dane/verify.h"
#include "probes/tls/crypto.h"

namespace probes::dane {
namespace {

Bytes digest_of(std::uint8_t matching_type, std::string_view text) {
  const std::span octets{reinterpret_cast<const std::uint8_t*>(text.data()), text.size()};
  return tls::digest(matching_type == kSha512 ? tls::Digest::sha512 : tls::Digest::sha256, octets);
}

std::string pem(const Bytes& der, std::string_view label) {
  const auto text = tls::base64({reinterpret_cast<const char*>(der.data()), der.size()});
  std::string out = fmt::format("-----BEGIN {}-----\n", label);
  for (std::size_t i = 0; i < text.size(); i += 64) out += text.substr(i, 64) + "\n";
  return out + fmt::format("-----END {}-----\n", label);
}

// The digest of the text of a file, with and without the newline at its end.
bool is_digest_of_text(const TlsaRecord& record, std::string text) {
  if (record.data == digest_of(record.matching_type, text)) return true;
  text.pop_back();
  return record.data == digest_of(record.matching_type, text);
}

TlsaRecord corrected(std::uint8_t usage, std::uint8_t selector, std::uint8_t matching_type,
                     const tls::Certificate& of) {
  return {.usage = usage,
          .selector = selector,
          .matching_type = matching_type,
          .data = association(of, selector, matching_type)};
}

std::optional<Reading> as_another_combination(const TlsaRecord& record,
                                              const std::vector<tls::CertificatePtr>& chain) {
  for (std::size_t depth = 0; depth < chain.size(); ++depth) {
    const std::uint8_t usage = depth == 0 ? kDaneEe : kDaneTa;
    for (const std::uint8_t selector : {kCert, kSpki}) {
      for (const std::uint8_t matching_type : {kFull, kSha256, kSha512}) {
        if (record.data != association(*chain[depth], selector, matching_type)) continue;
        Reading reading{.corrected = corrected(usage, selector, matching_type, *chain[depth])};
        if (record.selector != selector) {
          reading.mistake = "wrong-selector";
          reading.explanation = fmt::format("the data fit selector {}, the record says {}",
                                            selector, record.selector);
        } else if (record.matching_type != matching_type) {
          reading.mistake = "wrong-matching-type";
          reading.explanation = fmt::format("the data fit matching type {}, the record says {}",
                                            matching_type, record.matching_type);
        } else if (record.usage != usage) {
          reading.mistake = "wrong-usage";
          reading.explanation =
              depth == 0
                  ? fmt::format(
                        "the data are those of the leaf certificate: usage should be 3, not {}",
                        record.usage)
                  : fmt::format(
                        "the data are those of an issuing certificate: usage should be 2, not {}",
                        record.usage);
        } else {
          return std::nullopt;  // it says what is served; the mismatch has another reason
        }
        return reading;
      }
    }
  }
  return std::nullopt;
}

}  // namespace

std::optional<Reading> reading_of(const TlsaRecord& record,
                                  const std::vector<tls::CertificatePtr>& chain) {
  if (record.data == digest_of(kSha256, "") || record.data == digest_of(kSha512, "")) {
    return Reading{.mistake = "empty-input",
                   .explanation =
                       "the data are the digest of nothing: the command that made the record read "
                       "no certificate",
                   .corrected = {}};
  }
  if (auto reading = as_another_combination(record, chain)) return reading;
  for (const auto& certificate : chain) {
    if (is_digest_of_text(record, pem(certificate->der, "CERTIFICATE")) ||
        is_digest_of_text(record, pem(certificate->spki, "PUBLIC KEY"))) {
      return Reading{
          .mistake = "pem-text",
          .explanation =
              "the data are the digest of the PEM text; it must be made from the DER form",
          .corrected =
              corrected(record.usage, record.selector, record.matching_type, *certificate)};
    }
  }
  return std::nullopt;
}

}  // namespace probes::dane
