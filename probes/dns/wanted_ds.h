#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <span>

#include "probes/dns/answer.h"

// PURE
namespace probes::dns {

// The data of a DS or CDS record (RFC 4034 §5.1, RFC 7344 §3.1).
struct DsData {
  KeyId key;
  std::uint8_t digest_type = 0;
  Bytes digest;
  auto operator<=>(const DsData&) const = default;
  bool operator==(const DsData&) const = default;
};

// Which DS records a zone asks its parent for, in its CDS and CDNSKEY RRsets, of which it may have
// either or both (RFC 7344 §4). Whether the parent ever looks is the parent's.
struct WantedDs {
  enum class Wish {
    unknown,   // could not be learned, or is not proven by the zone's keys
    none,      // it asks for nothing
    keys,      // for these DS records and no others
    removal,   // that there be none: the zone is to be insecure (RFC 8078 §4)
    conflict,  // its records contradict each other: a parent must not follow any (RFC 7344 §4)
  };
  // What validators would make of the zone with these DS records.
  enum class Fit {
    unknown,  // its keys could not be learned, or no digest is of a type that is known
    fits,     // a key that signs the DNSKEY RRset has one of them
    breaks,   // none has: the zone would be bogus
  };
  Wish wish = Wish::unknown;
  std::set<DsData> records;  // of Wish::keys; those of CDNSKEY records with SHA-256
  // The parent chooses the digests: there are CDNSKEY records only.
  bool is_by_keys_only = false;
  std::set<DsData> given;  // what the parent publishes now; empty: not known
  Fit fit = Fit::unknown;  // of Wish::keys
  // Which keys sign the DNSKEY RRset as it is, and until when; empty: not known.
  std::map<KeyId, config::Time> signed_until;
  bool operator==(const WantedDs&) const = default;
};

// Both have to be learned, since one alone does not tell what a parent that reads the other does.
// Says nothing of the fit, of the signatures and of what is given.
[[nodiscard]] WantedDs wanted_ds(const Answer& cds, const Answer& cdnskey);

// The digest types that validators and we know, the strongest first: SHA-384, SHA-256, SHA-1.
inline constexpr std::array<std::uint8_t, 3> kDigestTypes{4, 2, 1};

// `replies`: with a proven one to the question for the zone's DNSKEY records; the first counts.
// Validators hold the strongest digest against the keys only (RFC 4509 §3, RFC 6605 §5).
[[nodiscard]] WantedDs::Fit fit_of(const std::set<DsData>& wanted, const Name& zone,
                                   const Replies& replies);

// `replies`: as above. Of several signatures of one key the last to expire counts. `at`: when they
// came, to which their times are the nearest (RFC 4034 §3.1.5).
[[nodiscard]] std::map<KeyId, config::Time> signed_until(const Name& zone, const Replies& replies,
                                                         config::Time at);

// The DS records of the zone; empty: there is no reply to the question for them.
[[nodiscard]] std::set<DsData> given_ds(const Name& zone, const Replies& replies);

// Of the data of a DNSKEY or CDNSKEY record (RFC 4034 appendix B).
[[nodiscard]] std::uint16_t key_tag_of(std::span<const std::uint8_t> dnskey);

[[nodiscard]] KeyId key_id_of(std::span<const std::uint8_t> dnskey);

// Over owner and data of a DNSKEY record (RFC 4034 §5.1.4). Null: another type than kDigestTypes.
[[nodiscard]] std::optional<Bytes> ds_digest(const Name& zone, std::span<const std::uint8_t> dnskey,
                                             std::uint8_t digest_type);

}  // namespace probes::dns
