#include "probes/dns/wanted_ds.h"

#include <algorithm>
#include <array>
#include <vector>

#include <openssl/evp.h>

namespace probes::dns {
namespace {

using Fit = WantedDs::Fit;
using Wish = WantedDs::Wish;

// Key tag, algorithm, digest type; or flags, protocol, algorithm.
constexpr std::size_t kHead = 4;
// "0 0 0 00", "0 3 0 AA==" (RFC 8078 §4): an algorithm that no key has.
constexpr std::uint8_t kDelete = 0;
constexpr std::uint8_t kSha256 = 2;

// Of a DS or CDS record.
DsData read_ds(const Bytes& data) {
  return {.key = {.algorithm = data[2], .tag = static_cast<std::uint16_t>(data[0] << 8U | data[1])},
          .digest_type = data[3],
          .digest = Bytes(data.begin() + kHead, data.end())};
}

DsData ds_of(const Name& zone, const Bytes& dnskey) {
  return {.key = key_id_of(dnskey),
          .digest_type = kSha256,
          .digest = ds_digest(zone, dnskey, kSha256).value_or(Bytes{})};
}

template <class Read>
WantedDs read_all(const Answer& answer, Read read) {
  if (answer.outcome == Outcome::absent) return {.wish = Wish::none};
  WantedDs out{.wish = Wish::keys};
  for (const auto& data : answer.data) {
    if (data.size() < kHead) return {};
    auto ds = read(data);
    // One that deletes stands alone.
    if (ds.key.algorithm == kDelete)
      return {.wish = answer.data.size() == 1 ? Wish::removal : Wish::conflict};
    out.records.insert(std::move(ds));
  }
  return out;
}

bool is_proven(const Answer& answer) {
  return is_learned(answer.outcome) && answer.status == DnssecStatus::secure &&
         answer.aliases.empty();
}

// Of a digest that cannot be computed the key's name has to do.
bool is_of(const DsData& ds, const Name& zone, const Bytes& dnskey) {
  if (ds.key != key_id_of(dnskey)) return false;
  const auto digest = ds_digest(zone, dnskey, ds.digest_type);
  return !digest || *digest == ds.digest;
}

// "The two RRsets MUST match in content" (RFC 7344 §4).
bool match(const std::set<DsData>& cds, const Answer& cdnskey) {
  return std::ranges::all_of(cds,
                             [&](const DsData& ds) {
                               return std::ranges::any_of(cdnskey.data, [&](const Bytes& key) {
                                 return is_of(ds, cdnskey.name, key);
                               });
                             }) &&
         std::ranges::all_of(cdnskey.data, [&](const Bytes& key) {
           return std::ranges::any_of(
               cds, [&](const DsData& ds) { return is_of(ds, cdnskey.name, key); });
         });
}

const Message* reply_in(const Replies& replies, const Name& zone, std::uint16_t rtype) {
  const auto found = std::ranges::find_if(replies, [&](const ReplyPtr& reply) {
    return reply->question == zone && reply->question_type == rtype;
  });
  return found == replies.end() ? nullptr : found->get();
}

// Over the DNSKEY RRset, as they stand there.
std::vector<Rrsig> signatures_in(const Message& reply) {
  std::vector<Rrsig> out;
  for (const auto& record : reply.answer) {
    auto signature = read_rrsig(record);
    if (signature && record.owner == reply.question && signature->type_covered == type::dnskey)
      out.push_back(std::move(*signature));
  }
  return out;
}

KeyId signer_of(const Rrsig& signature) {
  return {.algorithm = signature.algorithm, .tag = signature.key_tag};
}

// Those that may sign the DNSKEY RRset, and have.
std::vector<Bytes> signing_keys(const Message& reply) {
  constexpr std::uint8_t kZoneKey = 1;  // of the flags' first octet (RFC 4034 §2.1.1)
  std::set<KeyId> signers;
  for (const auto& signature : signatures_in(reply)) signers.insert(signer_of(signature));
  std::vector<Bytes> out;
  for (const auto& [owner, rtype, klass, ttl, data] : reply.answer) {
    if (rtype == type::dnskey && owner == reply.question && data.size() > kHead &&
        (data[0] & kZoneKey) != 0 && signers.contains(key_id_of(data)))
      out.push_back(data);
  }
  return out;
}

}  // namespace

WantedDs wanted_ds(const Answer& cds, const Answer& cdnskey) {
  if (!is_proven(cds) || !is_proven(cdnskey)) return {};
  auto by_digest = read_all(cds, read_ds);
  auto by_key = read_all(cdnskey, [&](const Bytes& dnskey) { return ds_of(cdnskey.name, dnskey); });
  if (by_digest.wish == Wish::unknown || by_key.wish == Wish::unknown) return {};
  if (by_digest.wish == Wish::none) {
    by_key.is_by_keys_only = by_key.wish == Wish::keys;
    return by_key;
  }
  if (by_key.wish == Wish::none) return by_digest;
  const bool agree = by_digest.wish == by_key.wish &&
                     (by_key.wish != Wish::keys || match(by_digest.records, cdnskey));
  return agree ? by_digest : WantedDs{.wish = Wish::conflict};
}

Fit fit_of(const std::set<DsData>& wanted, const Name& zone, const Replies& replies) {
  const auto* reply = reply_in(replies, zone, type::dnskey);
  if (reply == nullptr) return Fit::unknown;
  const auto keys = signing_keys(*reply);
  if (keys.empty()) return Fit::unknown;
  for (const auto digest_type : kDigestTypes) {
    bool is_there = false;
    for (const auto& ds : wanted) {
      if (ds.digest_type != digest_type) continue;
      is_there = true;
      if (std::ranges::any_of(keys, [&](const Bytes& key) { return is_of(ds, zone, key); }))
        return Fit::fits;
    }
    if (is_there) return Fit::breaks;
  }
  return Fit::unknown;
}

std::map<KeyId, config::Time> signed_until(const Name& zone, const Replies& replies,
                                           config::Time at) {
  std::map<KeyId, config::Time> out;
  const auto* reply = reply_in(replies, zone, type::dnskey);
  if (reply == nullptr) return out;
  const auto now = static_cast<std::uint32_t>(at.time_since_epoch().count());
  for (const auto& signature : signatures_in(*reply)) {
    const config::Seconds left{static_cast<std::int32_t>(signature.expiration - now)};
    auto& until = out.try_emplace(signer_of(signature), at + left).first->second;
    until = std::max(until, at + left);
  }
  return out;
}

std::set<DsData> given_ds(const Name& zone, const Replies& replies) {
  std::set<DsData> out;
  const auto* reply = reply_in(replies, zone, type::ds);
  if (reply == nullptr) return out;
  for (const auto& record : reply->answer) {
    if (record.type == type::ds && record.owner == zone && record.data.size() >= kHead)
      out.insert(read_ds(record.data));
  }
  return out;
}

std::uint16_t key_tag_of(std::span<const std::uint8_t> dnskey) {
  constexpr std::uint8_t kRsaMd5 = 1;
  const auto size = dnskey.size();
  if (size > kHead && dnskey[3] == kRsaMd5)
    return static_cast<std::uint16_t>(dnskey[size - 3] << 8U | dnskey[size - 2]);
  std::uint32_t sum = 0;
  for (std::size_t i = 0; i < size; ++i) sum += std::uint32_t{dnskey[i]} << (i % 2 == 1 ? 0U : 8U);
  return static_cast<std::uint16_t>(sum + (sum >> 16U));
}

KeyId key_id_of(std::span<const std::uint8_t> dnskey) {
  return {.algorithm = dnskey[3], .tag = key_tag_of(dnskey)};
}

std::optional<Bytes> ds_digest(const Name& zone, std::span<const std::uint8_t> dnskey,
                               std::uint8_t digest_type) {
  const EVP_MD* method = nullptr;
  if (digest_type == 1) method = EVP_sha1();
  if (digest_type == 2) method = EVP_sha256();
  if (digest_type == 4) method = EVP_sha384();
  if (method == nullptr) return std::nullopt;
  Bytes in(zone.wire().begin(), zone.wire().end());
  in.insert(in.end(), dnskey.begin(), dnskey.end());
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
  unsigned size = 0;
  if (EVP_Digest(in.data(), in.size(), digest.data(), &size, method, nullptr) != 1)
    return std::nullopt;
  return Bytes(digest.begin(), digest.begin() + size);
}

}  // namespace probes::dns
