#include "probes/dns/denial.h"

#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "probes/dns/nsec3.h"
#include "tests/support/base32hex.h"
#include "tests/support/scene.h"

namespace probes::dns {
namespace {

using support::from_base32hex;
using support::name;
using testing::ElementsAre;
using testing::IsEmpty;

// "a MX RRSIG NSEC TYPE1234" of RFC 4034 §4.3.
const Bytes kBitmap{0, 6, 0x40, 1, 0, 0, 0, 3, 4, 27, 0, 0, 0, 0, 0, 0, 0, 0,   0,
                    0, 0, 0,    0, 0, 0, 0, 0, 0, 0,  0, 0, 0, 0, 0, 0, 0, 0x20};

Record nsec(std::string_view owner, std::string_view next, const Bytes& bitmap) {
  Record record{.owner = name(owner), .type = type::nsec, .data = {}};
  const auto next_name = name(next);
  record.data.assign(next_name.wire().begin(), next_name.wire().end());
  record.data.insert(record.data.end(), bitmap.begin(), bitmap.end());
  return record;
}

Message denial(std::string_view of, std::vector<Record> records) {
  return {.question = name(of),
          .question_type = type::aaaa,
          .answer = {},
          .authority = std::move(records),
          .extended_errors = {}};
}

TEST(Denial, ABitmapListsTypes) {
  EXPECT_THAT(types_in_bitmap(kBitmap), ElementsAre(1, 15, 46, 47, 1234));
  EXPECT_THAT(types_in_bitmap({}), IsEmpty());
  for (std::size_t size = 1; size < kBitmap.size(); ++size)
    EXPECT_THAT(types_in_bitmap(std::span{kBitmap}.first(size)),
                testing::AnyOf(IsEmpty(), ElementsAre(1, 15, 46, 47)));
  EXPECT_THAT(types_in_bitmap(Bytes(40, 33)), IsEmpty()) << "more octets than a window has";
}

TEST(Denial, TheRecordOfTheNameItselfListsItsTypes) {
  const auto read =
      read_denial(denial("mx.example", {nsec("a.example", "b.example", {}),
                                        nsec("mx.example", "n.example", {0, 2, 0x40, 1})}));
  ASSERT_TRUE(read);
  EXPECT_EQ(read->owner, name("mx.example"));
  EXPECT_THAT(read->types, ElementsAre(1, 15));
}

TEST(Denial, OfAnExpandedNameTheWildcardsListCounts) {
  const auto read =
      read_denial(denial("mx.sub.example", {nsec("l.example", "z.example", {}),
                                            nsec("*.example", "a.example", {0, 3, 0, 0, 0x80})}));
  ASSERT_TRUE(read);
  EXPECT_EQ(read->owner, name("*.example"));
  EXPECT_THAT(read->types, ElementsAre(type::txt));
}

TEST(Denial, WhatDoesNotExistHasNoList) {
  auto part = denial("mx.example", {nsec("l.example", "z.example", {0, 1, 0x40}),
                                    nsec("example", "a.example", {0, 1, 0x40})});
  EXPECT_FALSE(read_denial(part));
  part = denial("mx.example", {nsec("mx.example", "z.example", {0, 1, 0x40})});
  part.rcode = rcode::nxdomain;
  EXPECT_FALSE(read_denial(part));
}

TEST(Denial, BrokenRecordsListNothing) {
  for (std::size_t size = 0; size < 12; ++size) {
    auto record = nsec("mx.example", "z.example", {0, 1, 0x40});
    record.data.resize(size);
    const auto read = read_denial(denial("mx.example", {record}));
    EXPECT_THAT(read->types, IsEmpty());
  }
}

Record nsec3(const std::string& owner, std::string_view next, const Bytes& bitmap) {
  Record record{.owner = name(owner + ".example"), .type = type::nsec3, .data = {}};
  record.data = {1, 1, 0, 12, 4, 0xaa, 0xbb, 0xcc, 0xdd, 20};
  const auto hash = from_base32hex(next);
  record.data.insert(record.data.end(), hash.begin(), hash.end());
  record.data.insert(record.data.end(), bitmap.begin(), bitmap.end());
  return record;
}

// RFC 5155, Appendix B.2 (ns1.example: A RRSIG) and B.5 (*.w.example: MX RRSIG).
TEST(Denial, Nsec3RecordsAreFoundByTheirHashes) {
  const auto own =
      read_denial(denial("ns1.example", {nsec3("2t7b4g4vsa5smi47k61mv5bv1a22bojr",
                                               "2vptu5timamqttgl4luu9kg21e0aor3s", {0, 1, 0x40})}));
  ASSERT_TRUE(own);
  EXPECT_EQ(own->owner, name("ns1.example"));
  EXPECT_THAT(own->types, ElementsAre(type::a));

  const auto wildcard = read_denial(
      denial("a.z.w.example",
             {nsec3("k8udemvp1j2f7eg6jebps17vp3n8i58h", "kohar7mbb8dc2ce8a9qvl8hon4k53uhi", {}),
              nsec3("q04jkcevqvmu85r014c7dkba38o0ji5r", "r53bq7cc2uvmubfu5ocmm6pers9tk9en", {}),
              nsec3("r53bq7cc2uvmubfu5ocmm6pers9tk9en", "t644ebqk9bibcna874givr6joj62mlhv",
                    {0, 2, 0, 1})}));
  ASSERT_TRUE(wildcard);
  EXPECT_EQ(wildcard->owner, name("*.w.example"));
  EXPECT_THAT(wildcard->types, ElementsAre(type::mx));
}

}  // namespace
}  // namespace probes::dns
