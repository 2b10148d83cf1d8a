#include "probes/dns/wanted_ds.h"

#include <string>

#include <gtest/gtest.h>

#include "probes/dane/tlsa.h"
#include "probes/tls/crypto.h"

namespace {

using namespace probes::dns;
using Fit = WantedDs::Fit;
using Wish = WantedDs::Wish;

const Name kZone = *Name::parse("dskey.example.com");

Answer gives(std::vector<Bytes> data, DnssecStatus status = DnssecStatus::secure) {
  return {.name = kZone, .outcome = Outcome::answer, .status = status, .data = std::move(data)};
}
Answer absent(DnssecStatus status = DnssecStatus::secure) {
  return {.name = kZone, .outcome = Outcome::absent, .status = status};
}
Answer fails() {
  return {.outcome = Outcome::failed};
}

// RFC 4034 §5.4.
Bytes example_key() {
  const auto key = *probes::tls::from_base64(
      "AQOeiiR0GOMYkDshWoSKz9XzfwJr1AYtsmx3TGkJaNXVbfi/2pHm822aJ5iI9BMzNXxeYCmZDRD99WYwYqUSdjMm"
      "mAphXdvxegXd/M5+X7OrzKBaMbCVdFLUUh6DhweJBjEVv5f2wwjM9XzcnOf+EPbtG9DMBmADjFDc2w/rljwvFw==");
  Bytes out{1, 0, 3, 5};
  out.insert(out.end(), key.begin(), key.end());
  return out;
}

const Bytes kKey = example_key();
const Bytes kOther{1, 1, 3, 13, 0xde, 0xad};

// The CDS record of a key.
Bytes cds(const Bytes& key, std::uint8_t digest_type = 2) {
  const auto tag = key_tag_of(key);
  Bytes out{static_cast<std::uint8_t>(tag >> 8U), static_cast<std::uint8_t>(tag), key[3],
            digest_type};
  const auto digest = ds_digest(kZone, key, digest_type).value_or(Bytes{0xab});
  out.insert(out.end(), digest.begin(), digest.end());
  return out;
}
Bytes spoiled(Bytes record) {
  record.back() ^= 1U;
  return record;
}

DsData data_of(const Bytes& record) {
  return {.key = {.algorithm = record[2],
                  .tag = static_cast<std::uint16_t>(record[0] << 8U | record[1])},
          .digest_type = record[3],
          .digest = Bytes(record.begin() + 4, record.end())};
}
std::set<DsData> set_of(const std::vector<Bytes>& records) {
  std::set<DsData> out;
  for (const auto& record : records) out.insert(data_of(record));
  return out;
}

TEST(DsDigest, IsThatOfTheStandards) {
  EXPECT_EQ(key_tag_of(kKey), 60485);
  EXPECT_EQ(probes::dane::to_hex(*ds_digest(kZone, kKey, 1)),
            "2bb183af5f22588179a53b0a98631fad1a292118")
      << "RFC 4034 §5.4";
  EXPECT_EQ(probes::dane::to_hex(*ds_digest(kZone, kKey, 2)),
            "d4b7d520e7bb5f0f67674a0cceb1e3e0614b93c4f9e99b8383f6a1e4469da50a")
      << "RFC 4509 §2.3";
  EXPECT_EQ(ds_digest(kZone, kKey, 4)->size(), 48U);
  EXPECT_FALSE(ds_digest(kZone, kKey, 3)) << "GOST";
}

const Bytes kCdsDelete{0, 0, 0, 0, 0};
const Bytes kCdnskeyDelete{0, 0, 3, 0, 0};

struct Row {
  std::string says;
  Answer cds, cdnskey;
  Wish wish = Wish::unknown;
  std::set<DsData> records = {};
};

TEST(WantedDs, IsWhatTheZoneProvesThatItAsksFor) {
  const auto both = set_of({cds(kKey, 2), cds(kKey, 4)});
  for (const auto& row : std::vector<Row>{
           {"a CDS record", gives({cds(kKey)}), absent(), Wish::keys, set_of({cds(kKey)})},
           {"two digests of one key", gives({cds(kKey, 2), cds(kKey, 4)}), absent(), Wish::keys,
            both},
           {"CDNSKEY alone", absent(), gives({kKey}), Wish::keys, set_of({cds(kKey)})},
           {"neither", absent(), absent(), Wish::none},
           {"none wanted, RFC 8078 §4", gives({kCdsDelete}), absent(), Wish::removal},
           {"the same by CDNSKEY", absent(), gives({kCdnskeyDelete}), Wish::removal},
           {"deletion beside a key", gives({kCdsDelete, cds(kKey)}), absent(), Wish::conflict},
           {"both, of one key", gives({cds(kKey)}), gives({kKey}), Wish::keys, set_of({cds(kKey)})},
           {"both, with a digest more", gives({cds(kKey, 2), cds(kKey, 4)}), gives({kKey}),
            Wish::keys, both},
           {"both, by a digest that nobody knows", gives({cds(kKey, 3)}), gives({kKey}), Wish::keys,
            set_of({cds(kKey, 3)})},
           {"both, of two keys, RFC 7344 §4", gives({cds(kOther)}), gives({kKey}), Wish::conflict},
           {"both, one has a key more", gives({cds(kKey)}), gives({kKey, kOther}), Wish::conflict},
           {"both, the digest is another", gives({spoiled(cds(kKey))}), gives({kKey}),
            Wish::conflict},
           {"one deletes, one does not", gives({kCdsDelete}), gives({kKey}), Wish::conflict},
           {"both delete", gives({kCdsDelete}), gives({kCdnskeyDelete}), Wish::removal},
           {"too short", gives({{1, 2}}), absent()},
           {"not proven", gives({cds(kKey)}, DnssecStatus::insecure), absent()},
           {"the other not proven", gives({cds(kKey)}), absent(DnssecStatus::insecure)},
           {"absence not proven", absent(DnssecStatus::insecure), gives({kKey})},
           {"not learned", fails(), {}},
           {"the other not learned", absent(), fails()},
       }) {
    const auto got = wanted_ds(row.cds, row.cdnskey);
    EXPECT_EQ(got.wish, row.wish) << row.says;
    EXPECT_EQ(got.records, row.records) << row.says;
    EXPECT_EQ(got.fit, Fit::unknown) << row.says;
    EXPECT_EQ(got.is_by_keys_only, row.wish == Wish::keys && row.cds.data.empty()) << row.says;
  }
}

Record signature_of(const Bytes& key, std::uint32_t expiration = 0) {
  const auto tag = key_tag_of(key);
  Bytes data{0, type::dnskey, key[3], 3, 0, 0, 0, 60};
  for (int shift = 24; shift >= 0; shift -= 8)
    data.push_back(static_cast<std::uint8_t>(expiration >> static_cast<unsigned>(shift)));
  data.insert(data.end(), 4, 0);  // inception
  data.push_back(static_cast<std::uint8_t>(tag >> 8U));
  data.push_back(static_cast<std::uint8_t>(tag));
  data.insert(data.end(), kZone.wire().begin(), kZone.wire().end());
  data.push_back(0);
  return {.owner = kZone, .type = type::rrsig, .data = std::move(data)};
}

Replies keys(const std::vector<Bytes>& there, const std::vector<Bytes>& signing) {
  Message out{.question = kZone, .question_type = type::dnskey};
  for (const auto& key : there)
    out.answer.push_back({.owner = kZone, .type = type::dnskey, .data = key});
  for (const auto& key : signing) out.answer.push_back(signature_of(key));
  return {std::make_shared<const Message>(Message{.question = kZone, .question_type = type::ds}),
          std::make_shared<const Message>(std::move(out))};
}

TEST(WantedDs, FitAKeyThatSignsTheKeys) {
  const Bytes not_of_the_zone{0, 1, 3, 13, 0xde, 0xad};
  struct Case {
    std::string says;
    std::vector<Bytes> wanted;
    Replies replies;
    Fit want;
  };
  for (const auto& row : std::vector<Case>{
           {"a key that signs", {cds(kKey)}, keys({kKey}, {kKey}), Fit::fits},
           {"one of two", {cds(kKey), cds(kOther)}, keys({kKey}, {kKey}), Fit::fits},
           {"a wrong digest", {spoiled(cds(kKey))}, keys({kKey}, {kKey}), Fit::breaks},
           {"a key that is not there", {cds(kOther)}, keys({kKey}, {kKey}), Fit::breaks},
           {"a key that does not sign", {cds(kOther)}, keys({kKey, kOther}, {kKey}), Fit::breaks},
           {"a key that signs and is not there",
            {cds(kOther)},
            keys({kKey}, {kKey, kOther}),
            Fit::breaks},
           {"no zone key, RFC 4034 §2.1.1",
            {cds(not_of_the_zone)},
            keys({kKey, not_of_the_zone}, {kKey, not_of_the_zone}),
            Fit::breaks},
           {"the strongest digest counts, RFC 4509 §3",
            {cds(kKey, 2), spoiled(cds(kKey, 4))},
            keys({kKey}, {kKey}),
            Fit::breaks},
           {"a weaker one is not looked at",
            {spoiled(cds(kKey, 1)), cds(kKey, 2)},
            keys({kKey}, {kKey}),
            Fit::fits},
           {"a digest that nobody knows", {cds(kKey, 3)}, keys({kKey}, {kKey}), Fit::unknown},
           {"no keys were learned", {cds(kKey)}, {}, Fit::unknown},
           {"keys without signatures", {cds(kKey)}, keys({kKey}, {}), Fit::unknown},
       })
    EXPECT_EQ(fit_of(set_of(row.wanted), kZone, row.replies), row.want) << row.says;
}

TEST(WantedDs, KnowsUntilWhenWhichKeySignsTheKeys) {
  const auto at = config::Time{config::Seconds{0xffff'fff0}};  // in 2106
  Message reply{.question = kZone, .question_type = type::dnskey};
  reply.answer = {signature_of(kKey, 0xffff'fff5), signature_of(kKey, 0xffff'fff1),
                  signature_of(kOther, 16)};
  auto stray = signature_of(Bytes{1, 1, 3, 13, 0xbe, 0xef}, 99);
  stray.owner = *Name::parse("example.com");
  reply.answer.push_back(stray);
  const Replies replies{std::make_shared<const Message>(std::move(reply))};
  EXPECT_EQ(signed_until(kZone, replies, at),
            (std::map<KeyId, config::Time>{{key_id_of(kKey), at + config::Seconds{5}},
                                           {key_id_of(kOther), at + config::Seconds{32}}}))
      << "the last of each key, and beyond 2106";
  EXPECT_TRUE(signed_until(kZone, {}, at).empty());
}

TEST(WantedDs, KnowsWhatTheParentPublishes) {
  Message reply{.question = kZone, .question_type = type::ds};
  reply.answer = {{.owner = kZone, .type = type::ds, .data = cds(kKey)},
                  {.owner = kZone, .type = type::ds, .data = cds(kKey, 4)},
                  {.owner = kZone, .type = type::ds, .data = {1, 2, 3}},
                  {.owner = kZone, .type = type::cds, .data = cds(kOther)},
                  {.owner = *Name::parse("example.com"), .type = type::ds, .data = cds(kOther)}};
  const Replies replies{std::make_shared<const Message>(std::move(reply))};
  EXPECT_EQ(given_ds(kZone, replies), set_of({cds(kKey), cds(kKey, 4)}));
  EXPECT_TRUE(given_ds(*Name::parse("example.com"), replies).empty());
  EXPECT_TRUE(given_ds(kZone, keys({kKey}, {kKey})).empty());
}

TEST(WantedDs, KnowsTheTagOfAKey) {
  EXPECT_EQ(key_tag_of(Bytes{1, 1, 3, 13, 0xde, 0xad}), 0x0101 + 0x030d + 0xdead);
  EXPECT_EQ(key_tag_of(Bytes{1, 1, 3, 13, 0xff, 0xff}), 0x0101 + 0x030d) << "with the carry";
}

}  // namespace
