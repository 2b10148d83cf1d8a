#include "probes/dns/opt_out.h"

#include <string>

#include <gtest/gtest.h>

#include "tests/support/base32hex.h"
#include "tests/support/scene.h"

// The replies of RFC 5155, Appendix B.
namespace probes::dns {
namespace {

using support::from_base32hex;
using support::name;

Bytes unhex(std::string_view hex) {
  return *dane::from_hex(hex);
}

Record nsec3(const std::string& owner, std::string_view next, bool has_opt_out = true) {
  Record record{.owner = name(owner + ".example"), .type = type::nsec3, .data = {}};
  record.data = {1, static_cast<std::uint8_t>(has_opt_out ? 1 : 0), 0, 12, 4};
  const auto salt = unhex("aabbccdd");
  record.data.insert(record.data.end(), salt.begin(), salt.end());
  const auto hash = from_base32hex(next);
  record.data.push_back(static_cast<std::uint8_t>(hash.size()));
  record.data.insert(record.data.end(), hash.begin(), hash.end());
  return record;
}

Record rrsig(std::string_view owner, std::uint8_t labels) {
  Record record{.owner = name(owner), .type = type::rrsig, .data = {0, 15, 13, labels}};
  record.data.resize(18);
  for (const char c : std::string_view{"\7example\0", 9})
    record.data.push_back(static_cast<std::uint8_t>(c));
  record.data.push_back(1);  // the signature
  return record;
}

Message denial(std::string_view of, std::vector<Record> records) {
  return {.question = name(of),
          .question_type = type::mx,
          .answer = {},
          .authority = std::move(records),
          .extended_errors = {}};
}

// B.4: *.w.example, and the record that covers z.w.example.
Message wildcard(bool has_opt_out) {
  auto part = denial("a.z.w.example", {nsec3("q04jkcevqvmu85r014c7dkba38o0ji5r",
                                             "r53bq7cc2uvmubfu5ocmm6pers9tk9en", has_opt_out)});
  part.answer = {Record{.owner = part.question, .type = type::mx, .data = {0, 1, 0}},
                 rrsig("a.z.w.example", 2)};
  return part;
}

TEST(OptOut, AWildcardsAnswerRestsOnTheSpanOfTheNextCloserName) {
  EXPECT_TRUE(rests_on_opt_out(wildcard(true)));
  EXPECT_FALSE(rests_on_opt_out(wildcard(false)));
  auto elsewhere = wildcard(true);
  elsewhere.authority = {
      nsec3("35mthgpgcu1qg68fab165klnsnk3dpvl", "b4um86eghhds6nea196smvmlo4ors995")};
  EXPECT_FALSE(rests_on_opt_out(elsewhere));
}

TEST(OptOut, WhatIsNoWildcardsAnswerNeedsNoSpan) {
  auto part = wildcard(true);
  part.answer[1] = rrsig("a.z.w.example", 4);
  EXPECT_FALSE(rests_on_opt_out(part));
}

// B.1: x.w.example exists, c.x.w.example is covered.
TEST(OptOut, ADeniedNameRestsOnIt) {
  const auto part = [](bool has_opt_out) {
    return denial("a.c.x.w.example", {nsec3("0p9mhaveqvm6t7vbl5lop2u3t2rp3tom",
                                            "2t7b4g4vsa5smi47k61mv5bv1a22bojr", has_opt_out),
                                      nsec3("b4um86eghhds6nea196smvmlo4ors995",
                                            "gjeqe526plbf1g8mklp59enfd789njgi", has_opt_out)});
  };
  EXPECT_TRUE(rests_on_opt_out(part(true)));
  EXPECT_FALSE(rests_on_opt_out(part(false)));
}

// B.2: the record of the name itself says which types there are.
TEST(OptOut, ADeniedTypeOfANameThatExistsDoesNot) {
  EXPECT_FALSE(rests_on_opt_out(
      denial("ns1.example",
             {nsec3("2t7b4g4vsa5smi47k61mv5bv1a22bojr", "2vptu5timamqttgl4luu9kg21e0aor3s")})));
}

TEST(OptOut, RecordsThatAreNoneAreNoSpans) {
  auto part = wildcard(true);
  for (std::size_t size = 0; size < 20; ++size) {
    part.authority[0].data.resize(size);
    EXPECT_FALSE(rests_on_opt_out(part));
  }
  part.authority[0].owner = Name{};
  EXPECT_FALSE(rests_on_opt_out(part));
}

}  // namespace
}  // namespace probes::dns
