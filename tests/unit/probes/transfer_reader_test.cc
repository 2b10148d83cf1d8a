#include "probes/dns/transfer_reader.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "probes/dane/tlsa.h"
#include "probes/dns/catalog_zone.h"
#include "tests/unit/probes/transfer_messages.h"

namespace {

using namespace probes::dns;
using support::kFirstMessage;
using support::kPlainRequest;
using support::kSecondMessage;
using support::kSignedRequest;
using support::kThirdMessage;
using testing::HasSubstr;
using testing::SizeIs;

constexpr config::Time kAt{std::chrono::seconds{1'800'000'000}};
constexpr std::uint16_t kId = 0x1234;

Name zone() {
  return *Name::parse("catalog.test");
}

Bytes octets(std::string_view hex) {
  return probes::dane::from_hex(std::string(hex)).value_or(Bytes{});
}

TsigKey key() {
  TsigKey out{.name = *Name::parse("transfer.key"), .secret = {}};
  for (std::uint8_t i = 0; i < 32; ++i) out.secret.push_back(i);
  return out;
}

// What came of the messages: "whole", "more", or the fault.
std::string taken(TransferReader& reader, const std::vector<Bytes>& messages,
                  config::Time at = kAt) {
  std::string out = "more";
  for (const auto& message : messages) {
    const auto done = reader.take(message, at);
    if (!done) return done.error();
    out = *done ? "whole" : "more";
  }
  return out;
}

std::string taken_signed(const std::vector<Bytes>& messages, config::Time at = kAt) {
  TsigExchange tsig(key());
  (void)tsig.sign(write_transfer_query(zone(), kId), kAt);
  TransferReader reader(zone(), kId, {type::ptr}, &tsig);
  return taken(reader, messages, at);
}

std::string taken_unsigned(const std::vector<Bytes>& messages) {
  TransferReader reader(zone(), kId, {type::ptr}, nullptr);
  return taken(reader, messages);
}

// A message with these records, as an answer.
Bytes message_of(const std::vector<Record>& records, std::uint16_t id = kId) {
  auto out = *write_message(
      {.question = zone(), .question_type = type::axfr, .answer = records, .authority = {}});
  out[0] = static_cast<std::uint8_t>(id >> 8U);
  out[1] = static_cast<std::uint8_t>(id);
  return out;
}

Record soa(std::uint8_t serial, const Name& owner = zone()) {
  Record out{.owner = owner, .type = type::soa, .data = Bytes(22, 0)};
  out.data[5] = serial;
  return out;
}

Record ptr(const char* owner, const char* member) {
  const auto name = *Name::parse(member);
  return {.owner = *Name::parse(owner),
          .type = type::ptr,
          .data = Bytes(name.wire().begin(), name.wire().end())};
}

TEST(ZoneTransfer, IsAskedForAsOthersDo) {
  EXPECT_EQ(write_transfer_query(zone(), kId), octets(kPlainRequest));
  TsigExchange tsig(key());
  EXPECT_EQ(tsig.sign(write_transfer_query(zone(), kId), kAt), octets(kSignedRequest));
}

TEST(ZoneTransfer, IsReadFromTheFirstSoaToTheSecond) {
  TsigExchange tsig(key());
  (void)tsig.sign(write_transfer_query(zone(), kId), kAt);
  TransferReader reader(zone(), kId, {type::ptr, type::txt}, &tsig);
  EXPECT_EQ(taken(reader, {octets(kFirstMessage), octets(kSecondMessage)}), "more");
  EXPECT_EQ(taken(reader, {octets(kThirdMessage)}), "whole");
  const auto records = std::move(reader).records();
  EXPECT_THAT(records, SizeIs(4)) << "but NS";
  const auto members = read_catalog_zone(zone(), records);
  ASSERT_TRUE(members) << members.error();
  ASSERT_THAT(*members, SizeIs(2));
  EXPECT_EQ((*members)[0].zone.text(), "a.test");
  EXPECT_EQ((*members)[0].group, "ours");
  EXPECT_EQ((*members)[1].zone.text(), "b.test");
}

TEST(ZoneTransfer, IsBelievedOnlyAsItWasSigned) {
  const auto one = octets(kFirstMessage), two = octets(kSecondMessage),
             three = octets(kThirdMessage);
  for (std::size_t at = 2; at < one.size(); ++at) {
    auto forged = one;
    forged[at] ^= 1U;
    EXPECT_NE(taken_signed({forged}), "more") << "octet " << at;
  }
  auto forged = two;
  forged.back() ^= 1U;
  EXPECT_THAT(taken_signed({one, forged, three}), HasSubstr("its signature is wrong"));
  EXPECT_THAT(taken_signed({one, three}), HasSubstr("its signature is wrong")) << "one is missing";
  EXPECT_THAT(taken_signed({one, one}), HasSubstr("its signature is wrong")) << "sent again";
  EXPECT_THAT(taken_signed({two}), HasSubstr("not signed"));
  EXPECT_THAT(taken_signed({one}, kAt + std::chrono::seconds{301}), HasSubstr("clock"));
  EXPECT_THAT(taken_signed({one}, kAt - std::chrono::seconds{301}), HasSubstr("clock"));
  EXPECT_EQ(taken_signed({one}, kAt + std::chrono::seconds{300}), "more");
}

TEST(ZoneTransfer, NeedsASignatureAtItsEndAndOnTheWay) {
  const auto one = octets(kFirstMessage);
  const auto more = message_of({ptr("a.zones.catalog.test", "a.test")});
  EXPECT_EQ(taken_signed({one, more}), "more");
  const auto end = message_of({read_transfer_message(one)->answer.front()});
  EXPECT_THAT(taken_signed({one, end}), HasSubstr("the end of it is not signed"));
  std::vector<Bytes> many(101, more);
  many.front() = one;
  EXPECT_THAT(taken_signed(many), HasSubstr("too much of it is not signed"));
  many.pop_back();
  EXPECT_EQ(taken_signed(many), "more");
}

TEST(ZoneTransfer, IsRefusedWithTheServersReason) {
  auto refused = message_of({});
  refused[3] = static_cast<std::uint8_t>((refused[3] & 0xf0U) | rcode::refused);
  EXPECT_EQ(taken_unsigned({refused}), "the server answers with REFUSED");
  EXPECT_EQ(taken_signed({refused}), "the server answers with REFUSED");
}

TEST(ZoneTransfer, NeedsNoSignatureWhereNoneWasAskedFor) {
  const auto member = ptr("a.zones.catalog.test", "a.test");
  EXPECT_EQ(taken_unsigned({message_of({soa(1)}), message_of({member}), message_of({soa(1)})}),
            "whole");
  EXPECT_EQ(taken_unsigned({message_of({soa(1), soa(1)})}), "whole") << "with nothing in it";
}

TEST(ZoneTransfer, IsNothingElse) {
  const auto member = ptr("a.zones.catalog.test", "a.test");
  auto of_chaos = member;
  of_chaos.klass = 3;
  const auto below = *Name::parse("b.catalog.test");
  struct Row {
    std::string says;
    std::vector<Bytes> messages;
    std::string want;
  };
  const Row rows[] = {
      {"another id", {message_of({soa(1)}, 7)}, "something else"},
      {"no records", {message_of({})}, "no records"},
      {"no SOA first", {message_of({member, soa(1)})}, "does not begin"},
      {"another zone's SOA", {message_of({soa(1), soa(1, below)})}, "second zone"},
      {"another zone's record", {message_of({soa(1), ptr("a.test", "b.test")})}, "another zone"},
      {"another serial at the end", {message_of({soa(1), soa(2)})}, "another SOA"},
      {"more behind it", {message_of({soa(1), soa(1), member})}, "more after"},
      {"a message behind it", {message_of({soa(1), soa(1)}), message_of({member})}, "more after"},
      {"another class", {message_of({soa(1), of_chaos})}, "another class"},
      {"nothing", {Bytes{}}, "shorter"},
      {"a query", {write_transfer_query(zone(), kId)}, "no response"},
  };
  for (const auto& row : rows)
    EXPECT_THAT(taken_unsigned(row.messages), HasSubstr(row.want)) << row.says;
  auto longer = message_of({soa(1)});
  longer.push_back(0);
  EXPECT_THAT(taken_unsigned({longer}), HasSubstr("malformed"));
  auto shorter = message_of({soa(1), member});
  shorter.pop_back();
  EXPECT_THAT(taken_unsigned({shorter}), HasSubstr("malformed"));
}

TEST(ZoneTransfer, IsBounded) {
  TransferReader reader(zone(), kId, {type::ptr}, nullptr);
  ASSERT_EQ(taken(reader, {message_of({soa(1)})}), "more");
  const Record filler{.owner = zone(), .type = type::txt, .data = Bytes(20, 0)};
  const auto message = message_of(std::vector<Record>(1400, filler));
  std::string said;
  for (std::size_t i = 0; i <= kLargestTransfer / message.size() + 1; ++i)
    said = taken(reader, {message});
  EXPECT_EQ(said, "larger than 64 MiB");
}

}  // namespace
