#pragma once

#include <optional>
#include <string>
#include <vector>

#include "probes/dane/tlsa.h"
#include "probes/tls/certificate.h"

// Pure in effect.
namespace probes::dane {

// What a record that matches nothing was probably meant to be: the mistakes that real records show.
struct Reading {
  std::string mistake;      // one word each: "empty-input", "pem-text", "wrong-selector",
                            // "wrong-usage", "wrong-matching-type"
  std::string explanation;  // one sentence for a person
  std::optional<TlsaRecord> corrected;  // what would match now
};

// Tries the record's data as each of the twelve combinations (usage, selector, matching type)
// against every certificate of the chain (leaf first), as a digest of PEM text and of nothing. The
// first explanation wins.
[[nodiscard]] std::optional<Reading> reading_of(const TlsaRecord& record,
                                                const std::vector<tls::CertificatePtr>& chain);

}  // namespace probes::dane
