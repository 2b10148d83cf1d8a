#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "config/time.h"
#include "probes/dane/tlsa.h"
#include "probes/dane/usable.h"
#include "probes/tls/certificate.h"

// Pure in effect: the same chain, records, names and time give the same result, whoever asks, and
// nothing else is touched. (It calls libcrypto for the path of usage DANE-TA(2).)
namespace probes::dane {

enum class Mismatch {
  no_match,        // no record says what the chain shows
  no_certificate,  // the peer showed none
  name,            // DANE-TA(2): no reference identifier is in the certificate
  expired,  // DANE-TA(2): a certificate below the anchor, or an anchor that is a root, is out of
            // date
  not_yet_valid,  // the same, before its time
  path,           // DANE-TA(2): signatures or constraints of the path fail
};
[[nodiscard]] std::string_view wire_name(Mismatch mismatch);

struct Match {
  std::size_t record = 0;  // index into the records given
  std::size_t depth = 0;   // 0 is the leaf; chain.size() when the anchor came from DNS
  bool operator==(const Match&) const = default;
};

struct Verification {
  std::optional<Match> match;
  Mismatch mismatch = Mismatch::no_match;  // means something without a match
};

struct Expectation {
  std::vector<TlsaRecord> records;  // the whole RRset; unusable ones are passed over
  std::vector<std::string>
      names;  // reference identifiers for DANE-TA(2), the TLSA base domain first
  Digests digests = Digests::sha512_first;
  // Takes "*.tld" for "host.tld", as RFC 7672 §3.2.3 is written and Go does; libcrypto wants two
  // labels behind the asterisk.
  bool accepts_short_wildcards = false;
  // Takes the leaf, a precertificate, for the certificate that it announces (RFC 6962 §3.1): no
  // sender would, but none will see it.
  bool is_precertificate = false;
};

// Holds a recorded chain (leaf first) against a TLSA RRset. DANE-EE(3) compares the leaf and
// ignores names, dates and issuer (RFC 7672 §3.1.1, §3.2.1); DANE-TA(2) builds a path to the anchor
// (§3.1.2, §3.2.2, §3.2.3; RFC 7671 §5.2).
[[nodiscard]] Verification verify(const Expectation& expectation,
                                  const std::vector<tls::CertificatePtr>& chain, config::Time at);

// What a record with this selector and matching type would hold for the certificate.
[[nodiscard]] Bytes association(const tls::Certificate& certificate, std::uint8_t selector,
                                std::uint8_t matching_type);

// Those of the certificate that these lack, so that every sender compares one (digests_beside()).
[[nodiscard]] std::vector<TlsaRecord> records_lacking(const std::vector<TlsaRecord>& records,
                                                      const tls::Certificate& certificate,
                                                      std::uint8_t usage, std::uint8_t selector);

}  // namespace probes::dane
