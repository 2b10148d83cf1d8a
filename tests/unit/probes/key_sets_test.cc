#include "probes/dns/key_sets.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace probes::dns {
namespace {

using config::Seconds;
using config::Time;
using testing::ElementsAre;

const Time kAt{Seconds{1'700'000'000}};
const auto kZone = *Name::parse("example.org");

Bytes rrsig(std::uint16_t covers, std::uint8_t algorithm, std::uint16_t tag, std::uint8_t ttl) {
  Bytes out{static_cast<std::uint8_t>(covers >> 8U),
            static_cast<std::uint8_t>(covers),
            algorithm,
            2,
            0,
            0,
            0,
            ttl};
  out.insert(out.end(), 8, 0);  // expiration, inception
  out.push_back(static_cast<std::uint8_t>(tag >> 8U));
  out.push_back(static_cast<std::uint8_t>(tag));
  for (const char c : kZone.wire()) out.push_back(static_cast<std::uint8_t>(c));
  out.push_back(0);  // signature
  return out;
}

Message reply(std::uint16_t rtype, std::vector<std::pair<std::uint16_t, Bytes>> records) {
  Message out{.question = kZone, .question_type = rtype};
  for (auto& [kind, data] : records)
    out.answer.push_back({.owner = kZone, .type = kind, .ttl = 40, .data = std::move(data)});
  return out;
}

TEST(KeySet, of_ds_records_has_the_keys_they_name_since_a_server_gave_them) {
  const auto [set, given_at] =
      key_set_of(reply(type::ds, {{type::ds, {0x11, 0x22, 13, 2, 1}},
                                  {type::ds, {0x33, 0x44, 8, 2, 1}},
                                  {type::ds, {1, 2}},
                                  {type::rrsig, rrsig(type::ds, 8, 9, 100)}}),
                 kAt);
  EXPECT_THAT(set.keys, ElementsAre(KeyId{8, 0x3344}, KeyId{13, 0x1122}));
  EXPECT_EQ(set.ttl, Seconds{100});
  EXPECT_EQ(given_at, kAt - Seconds{60}) << "40 of 100 seconds are left";
}

TEST(KeySet, of_dnskey_records_has_those_that_sign_them) {
  const auto [set, given_at] =
      key_set_of(reply(type::dnskey, {{type::dnskey, {1, 1, 3, 13, 7}},
                                      {type::rrsig, rrsig(type::dnskey, 13, 7, 30)},
                                      {type::rrsig, rrsig(type::ns, 13, 8, 30)}}),
                 kAt);
  EXPECT_THAT(set.keys, ElementsAre(KeyId{13, 7}));
  EXPECT_EQ(given_at, kAt) << "a cache that keeps it longer than it may is taken at its word";
}

TEST(KeySet, of_a_denial_is_empty) {
  EXPECT_TRUE(key_set_of(reply(type::ds, {}), kAt).first.keys.empty());
}

}  // namespace
}  // namespace probes::dns
