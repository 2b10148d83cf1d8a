#include "probes/dns/message.h"

#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <ostream>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace probes::dns {

// For messages of failing tests.
inline void PrintTo(const Name& name, std::ostream* out) {
  *out << name.text();
}

namespace {

using testing::ElementsAre;
using testing::Eq;
using testing::IsEmpty;
using testing::Optional;
using testing::SizeIs;

Name named(std::string_view text) {
  const auto name = Name::parse(text);
  EXPECT_TRUE(name) << "not a name: " << text;
  return name.value_or(Name{});
}

// Wire data by hand: what a resolver, or an attacker in its place, may send.
class Wire {
 public:
  Wire& u8(std::size_t value) {
    octets_.push_back(static_cast<std::uint8_t>(value));
    return *this;
  }
  Wire& u16(std::size_t value) { return u8(value >> 8U).u8(value); }
  Wire& u32(std::size_t value) { return u16(value >> 16U).u16(value); }
  Wire& name(std::string_view text) { return raw(named(text).wire()); }
  Wire& pointer(std::size_t target) { return u16(0xC000U | target); }
  Wire& raw(std::string_view octets) {
    octets_.insert(octets_.end(), octets.begin(), octets.end());
    return *this;
  }
  Wire& raw(const Bytes& octets) {
    octets_.insert(octets_.end(), octets.begin(), octets.end());
    return *this;
  }
  // Everything of a record behind its owner.
  Wire& rest(std::size_t rtype, std::size_t ttl, const Wire& data, std::size_t klass = 1) {
    return u16(rtype).u16(klass).u32(ttl).u16(data.octets_.size()).raw(data.octets_);
  }
  [[nodiscard]] std::size_t size() const { return octets_.size(); }
  [[nodiscard]] const Bytes& octets() const { return octets_; }

 private:
  Bytes octets_;
};

constexpr std::size_t kResponse = 0x8180;
constexpr std::size_t kTruncated = 0x8380;
constexpr std::size_t kHeader = 12;  // where the question's name is

// A response about a.test with the counts given; records are to be written behind it.
Wire response(std::size_t answers, std::size_t authorities = 0, std::size_t additionals = 0,
              std::size_t flags = kResponse) {
  return Wire{}
      .u16(0x1234)
      .u16(flags)
      .u16(1)
      .u16(answers)
      .u16(authorities)
      .u16(additionals)
      .name("a.test")
      .u16(type::mx)
      .u16(1);
}

Message read(const Wire& wire) {
  const auto message = read_message(wire.octets());
  EXPECT_TRUE(message) << (message ? "" : message.error());
  return message ? *message : Message{};
}

void expect_refused(const Wire& wire, std::string_view why) {
  const auto message = read_message(wire.octets());
  ASSERT_FALSE(message);
  EXPECT_EQ(message.error(), why);
}

void expect_same(const std::vector<Record>& got, const std::vector<Record>& want) {
  ASSERT_EQ(got.size(), want.size());
  for (std::size_t i = 0; i < got.size(); ++i) {
    SCOPED_TRACE(i);
    EXPECT_EQ(got[i].owner, want[i].owner);
    EXPECT_EQ(got[i].type, want[i].type);
    EXPECT_EQ(got[i].klass, want[i].klass);
    EXPECT_EQ(got[i].ttl, want[i].ttl);
    EXPECT_EQ(got[i].data, want[i].data);
  }
}

// ---- header and question

TEST(DnsMessage, HeaderAndQuestionAreRead) {
  struct Row {
    std::string_view says;
    std::size_t flags;
    std::uint16_t rcode;
    bool authoritative, truncated, authentic_data;
  };
  const Row rows[] = {
      {"nothing set", 0x8000, rcode::noerror, false, false, false},
      {"AA", 0x8400, rcode::noerror, true, false, false},
      {"TC", 0x8200, rcode::noerror, false, true, false},
      {"AD", 0x8020, rcode::noerror, false, false, true},
      {"RD, RA and CD are the resolver's business", 0x8190, rcode::noerror, false, false, false},
      {"NXDOMAIN", 0x8003, rcode::nxdomain, false, false, false},
      {"all", 0xFFFF, 15, true, true, true},
  };
  for (const auto& row : rows) {
    SCOPED_TRACE(row.says);
    const auto message = read(response(0, 0, 0, row.flags));
    EXPECT_EQ(message.question, named("a.test"));
    EXPECT_EQ(message.question_type, type::mx);
    EXPECT_EQ(message.rcode, row.rcode);
    EXPECT_EQ(message.authoritative, row.authoritative);
    EXPECT_EQ(message.truncated, row.truncated);
    EXPECT_EQ(message.authentic_data, row.authentic_data);
  }
}

TEST(DnsMessage, RefusesWhatIsNoResponseToOneQuestion) {
  expect_refused(Wire{}, "shorter than a DNS header");
  expect_refused(Wire{}.u16(1).u16(kResponse).u16(1).u16(0).u16(0).u8(0),
                 "shorter than a DNS header");
  expect_refused(response(0, 0, 0, 0x0100), "a query, not a response");
  expect_refused(Wire{}.u16(1).u16(kResponse).u16(0).u16(0).u32(0), "0 questions in a response");
  expect_refused(
      Wire{}.u16(1).u16(kResponse).u16(2).u16(0).u32(0).name("a").u32(1).name("b").u32(1),
      "2 questions in a response");
  expect_refused(Wire{}.u16(1).u16(kResponse).u16(1).u16(0).u32(0).name("a").u16(1).u16(3),
                 "a question of another class than IN");
}

// ---- records

TEST(DnsMessage, RecordsAreKeptBySectionInOrder) {
  Wire wire = response(2, 1, 1);
  wire.pointer(kHeader).rest(type::tlsa, 3600, Wire{}.u8(3).u8(1).u8(1).u8(0xab));
  wire.name("B.Test").rest(type::a, 0, Wire{}.raw(Bytes{192, 0, 2, 1}));
  wire.name("test").rest(65280, 5, Wire{}.raw(Bytes{0xC0, 0x0C}));
  wire.name("ns.test").rest(type::a, 5, Wire{}.raw(Bytes{192, 0, 2, 2}));
  const auto message = read(wire);
  expect_same(message.answer,
              {{.owner = named("a.test"), .type = type::tlsa, .ttl = 3600, .data = {3, 1, 1, 0xab}},
               {.owner = named("b.test"), .type = type::a, .ttl = 0, .data = {192, 0, 2, 1}}});
  expect_same(message.authority, {{.owner = named("test"),
                                   .type = 65280,  // what looks like a pointer there is data
                                   .ttl = 5,
                                   .data = {0xC0, 0x0C}}});
}

TEST(DnsMessage, NamesInDataAreExpanded) {
  struct Row {
    std::string_view says;
    std::uint16_t rtype;
    Wire data, want;
  };
  const Wire soa_numbers = Wire{}.u32(1).u32(2).u32(3).u32(4).u32(5);
  const Row rows[] = {
      {"MX", type::mx, Wire{}.u16(10).raw("\2mx").pointer(kHeader),
       Wire{}.u16(10).name("mx.a.test")},
      {"NS", type::ns, Wire{}.raw("\2NS").pointer(kHeader), Wire{}.name("ns.a.test")},
      {"CNAME", type::cname, Wire{}.pointer(kHeader), Wire{}.name("a.test")},
      {"CNAME not compressed", type::cname, Wire{}.name("B.Test"), Wire{}.name("b.test")},
      {"DNAME", type::dname, Wire{}.pointer(kHeader + 2), Wire{}.name("test")},
      {"PTR", type::ptr, Wire{}.pointer(kHeader), Wire{}.name("a.test")},
      {"SOA", type::soa,
       Wire{}.raw("\2ns").pointer(kHeader).raw("\1r").pointer(kHeader).raw(soa_numbers.octets()),
       Wire{}.name("ns.a.test").name("r.a.test").raw(soa_numbers.octets())},
  };
  for (const auto& row : rows) {
    SCOPED_TRACE(row.says);
    const auto message = read(response(1).name("x").rest(row.rtype, 60, row.data));
    ASSERT_THAT(message.answer, SizeIs(1));
    EXPECT_EQ(message.answer[0].data, row.want.octets());
  }
}

TEST(DnsMessage, DataMustBeExactlyAsLongAsItSays) {
  struct Row {
    std::string_view says;
    std::uint16_t rtype;
    std::size_t length;
    Wire data;
  };
  const Row rows[] = {
      {"an octet behind a CNAME", type::cname, 9, Wire{}.name("b.test").u8(0)},
      {"a CNAME that passes the end of its data", type::cname, 7, Wire{}.name("b.test").u8(0)},
      {"an MX without a host", type::mx, 2, Wire{}.u16(10)},
      {"an MX of one octet", type::mx, 1, Wire{}.u8(0)},
      {"an SOA without its numbers", type::soa, 2, Wire{}.u8(0).u8(0)},
      {"an SOA with a number too many", type::soa, 26, Wire{}.raw(Bytes(26, 0))},
      {"no data where there must be a name", type::ns, 0, Wire{}},
      {"data that passes the end of the message", type::a, 5, Wire{}.u32(0)},
  };
  for (const auto& row : rows) {
    SCOPED_TRACE(row.says);
    expect_refused(
        response(1).name("x").u16(row.rtype).u16(1).u32(60).u16(row.length).raw(row.data.octets()),
        "malformed record");
  }
}

TEST(DnsMessage, EveryPrefixOfAMessageIsRefused) {
  Wire wire = response(2, 1, 1);
  wire.pointer(kHeader).rest(type::mx, 60, Wire{}.u16(10).raw("\2mx").pointer(kHeader));
  wire.pointer(kHeader).rest(type::rrsig, 60, Wire{}.raw(Bytes(18, 1)).name("test"));
  wire.name("test").rest(type::soa, 60,
                         Wire{}.raw("\2ns").pointer(kHeader).pointer(kHeader).raw(Bytes(20, 0)));
  wire.name(".").rest(type::opt, 0, Wire{}.u16(15).u16(3).u16(6).raw("x"), 1232);
  ASSERT_TRUE(read_message(wire.octets()));
  for (std::size_t size = 0; size < wire.size(); ++size) {
    SCOPED_TRACE(size);
    EXPECT_FALSE(read_message(std::span{wire.octets()}.first(size)));
  }
}

TEST(DnsMessage, RecordsOfAnotherClassAreNotKept) {
  Wire wire = response(2);
  wire.name("a.test").rest(type::txt, 60, Wire{}.raw("\1x"), 3);
  wire.name("a.test").rest(type::txt, 60, Wire{}.raw("\1y"));
  const auto message = read(wire);
  ASSERT_THAT(message.answer, SizeIs(1));
  EXPECT_THAT(message.answer[0].data, ElementsAre(1, 'y'));
}

TEST(DnsMessage, ATtlWithTheTopBitIsZero) {
  // RFC 2181 §8.
  Wire wire = response(2);
  wire.name("a.test").rest(type::txt, 0x80000000, Wire{});
  wire.name("a.test").rest(type::txt, 0x7FFFFFFF, Wire{});
  const auto message = read(wire);
  ASSERT_THAT(message.answer, SizeIs(2));
  EXPECT_EQ(message.answer[0].ttl, 0U);
  EXPECT_EQ(message.answer[1].ttl, 0x7FFFFFFFU);
}

TEST(DnsMessage, S03ReadsKMaxRecordsAndNoMore) {
  const auto many = [](std::size_t answers, std::size_t authorities, std::size_t additionals) {
    Wire wire = response(answers, authorities, additionals);
    for (std::size_t i = 0; i < answers + authorities + additionals; ++i)
      wire.pointer(kHeader).rest(type::tlsa, 60, Wire{});
    return wire;
  };
  EXPECT_THAT(read(many(kMaxRecords, 0, 0)).answer, SizeIs(kMaxRecords));
  EXPECT_THAT(read(many(1, kMaxRecords - 2, 1)).authority, SizeIs(kMaxRecords - 2));
  expect_refused(many(kMaxRecords + 1, 0, 0), "more records than we read");
  expect_refused(many(1, kMaxRecords - 1, 1), "more records than we read");
  expect_refused(response(65535, 65535, 65535), "more records than we read");
}

// ---- compression

TEST(DnsMessage, PointersMayGoThroughPointersBackwards) {
  Wire wire = response(2);
  const std::size_t first = wire.size();
  wire.raw("\1b").pointer(kHeader).rest(type::txt, 1, Wire{});
  wire.raw("\1c").pointer(first).rest(type::txt, 1, Wire{});
  const auto message = read(wire);
  ASSERT_THAT(message.answer, SizeIs(2));
  EXPECT_EQ(message.answer[0].owner, named("b.a.test"));
  EXPECT_EQ(message.answer[1].owner, named("c.b.a.test"));
}

TEST(DnsMessage, ANameEndsBehindItsFirstPointer) {
  Wire wire = response(1);
  const std::size_t first = wire.size();
  wire.pointer(kHeader).rest(type::cname, 1, Wire{}.raw("\1d").pointer(first));
  const auto message = read(wire);
  ASSERT_THAT(message.answer, SizeIs(1));
  EXPECT_THAT(name_in(message.answer[0]), Optional(Eq(named("d.a.test"))));
}

TEST(DnsMessage, PointersThatDoNotGoBackwardsAreRefused) {
  const std::size_t at = response(1).size();
  struct Row {
    std::string_view says;
    Wire owner;
  };
  const Row rows[] = {
      {"to itself", Wire{}.pointer(at)},
      {"to its own label: a loop", Wire{}.raw("\1b").pointer(at)},
      {"to its own second octet", Wire{}.pointer(at + 1)},
      {"forwards, to a name", Wire{}.pointer(at + 12)},
      {"behind the message", Wire{}.pointer(0x3FFF)},
      {"into the header, which is no name", Wire{}.pointer(2)},
  };
  for (const auto& row : rows) {
    SCOPED_TRACE(row.says);
    expect_refused(
        response(1).raw(row.owner.octets()).rest(type::cname, 1, Wire{}.name("forward.test")),
        "malformed record");
  }
}

TEST(DnsMessage, TwoPointersAtEachOtherAreRefused) {
  Wire wire = response(1);
  const std::size_t owner = wire.size();
  // The data's pointer goes back to the owner, the owner's label runs into a pointer to the data.
  const std::size_t data = owner + 4 + 10;
  wire.raw("\1b").pointer(data).rest(type::cname, 1, Wire{}.raw("\1c").pointer(owner));
  expect_refused(wire, "malformed record");
}

TEST(DnsMessage, LoopsInDataThatNobodyReadAreRefused) {
  // The owner of the second record points back into the text of the first, where pointers turn.
  const std::size_t text = Wire{response(2)}.name("x").rest(type::txt, 1, Wire{}).size();
  struct Row {
    std::string_view says;
    Wire text;
  };
  const Row rows[] = {
      {"a pointer to itself", Wire{}.pointer(text)},
      {"two pointers at each other", Wire{}.pointer(text + 2).pointer(text)},
      {"labels and a pointer to them", Wire{}.raw("\1b").pointer(text)},
      {"forwards, to a name", Wire{}.pointer(text + 2).name("b")},
  };
  for (const auto& row : rows) {
    SCOPED_TRACE(row.says);
    expect_refused(
        response(2).name("x").rest(type::txt, 1, row.text).pointer(text).rest(type::txt, 1, Wire{}),
        "malformed record");
  }
}

TEST(DnsMessage, APointerAtTheEndMustBeWhole) {
  expect_refused(response(1).u8(0xC0), "malformed record");
}

TEST(DnsMessage, LabelTypesThatAreNoneAreRefused) {
  for (const std::size_t label : {0x40U, 0x80U}) {
    SCOPED_TRACE(label);
    expect_refused(response(1).u8(label).raw(Bytes(200, 0)).rest(type::txt, 1, Wire{}),
                   "malformed record");
  }
}

TEST(DnsMessage, NamesOver255OctetsAreRefusedHoweverTheyArePutTogether) {
  const std::string label = "\x3f" + std::string(63, 'x');
  const auto chained = [&](std::string_view last) {
    Wire wire = response(2);
    const std::size_t first = wire.size();
    wire.raw(label).raw(label).raw(label).u8(0).rest(type::txt, 1, Wire{});
    return wire.raw(last).pointer(first).rest(type::txt, 1, Wire{});
  };
  const auto fits = read(chained("\x3d" + std::string(61, 'y')));
  ASSERT_THAT(fits.answer, SizeIs(2));
  EXPECT_THAT(fits.answer[1].owner.wire(), SizeIs(255));
  expect_refused(chained("\x3e" + std::string(62, 'y')), "malformed record");
}

// ---- truncation

TEST(DnsMessage, ATruncatedMessageMayEndAnywhere) {
  Wire wire = response(3, 0, 0, kTruncated);
  wire.pointer(kHeader).rest(type::mx, 60, Wire{}.u16(10).name("mx.test"));
  const std::size_t first = wire.size();
  wire.pointer(kHeader).rest(type::mx, 60, Wire{}.u16(20).name("mx2.test"));
  for (std::size_t size = kHeader; size < wire.size(); ++size) {
    SCOPED_TRACE(size);
    const auto message = read_message(std::span{wire.octets()}.first(size));
    ASSERT_TRUE(message);
    EXPECT_TRUE(message->truncated);
    EXPECT_THAT(message->answer, SizeIs(size < first ? 0 : 1)) << "half a record is not kept";
  }
}

// ---- OPT and extended errors

Wire option(std::size_t code, std::string_view text) {
  return Wire{}.u16(15).u16(2 + text.size()).u16(code).raw(text);
}

Message with_options(const Wire& options, std::size_t flags = kResponse, std::size_t high = 0) {
  return read(
      response(0, 0, 1, flags).name(".").rest(type::opt, high << 24U | 0x8000U, options, 1232));
}

TEST(DnsMessage, ExtendedErrorsAreReadWithTheirText) {
  const auto message = with_options(
      Wire{}.raw(option(7, "signature \x1b expired").octets()).raw(option(22, "").octets()));
  ASSERT_THAT(message.extended_errors, SizeIs(2));
  EXPECT_EQ(message.extended_errors[0].code, 7);
  EXPECT_EQ(message.extended_errors[0].text, "signature \x1b expired") << "as received";
  EXPECT_EQ(message.extended_errors[1].code, 22);
  EXPECT_EQ(message.extended_errors[1].text, "");
}

TEST(DnsMessage, OtherOptionsArePassedOver) {
  const Wire cookie = Wire{}.u16(10).u16(8).raw(Bytes(8, 1));
  const auto message =
      with_options(Wire{}.raw(cookie.octets()).raw(option(9, "").octets()).raw(cookie.octets()));
  ASSERT_THAT(message.extended_errors, SizeIs(1));
  EXPECT_EQ(message.extended_errors[0].code, 9);
}

TEST(DnsMessage, BrokenOptionsEndTheReadingOfOptionsOnly) {
  EXPECT_THAT(with_options(Wire{}.u16(15).u16(1).u8(0)).extended_errors, IsEmpty())
      << "an extended error without a code";
  EXPECT_THAT(with_options(Wire{}.u16(15).u16(500).u16(7)).extended_errors, IsEmpty())
      << "an option longer than the record";
  EXPECT_THAT(with_options(Wire{}.raw(option(7, "a").octets()).u8(0)).extended_errors, SizeIs(1))
      << "an octet behind the last option";
}

TEST(DnsMessage, AHandfulOfExtendedErrorsIsEnough) {
  Wire options;
  for (std::size_t i = 0; i < 100; ++i) options.raw(option(i, "x").octets());
  EXPECT_THAT(with_options(options).extended_errors, SizeIs(8));
}

TEST(DnsMessage, OptExtendsTheRcode) {
  EXPECT_EQ(with_options(Wire{}, 0x8180, 1).rcode, 16) << "BADVERS, RFC 6891 §9";
  EXPECT_EQ(with_options(Wire{}, 0x8187, 1).rcode, 23) << "BADCOOKIE, RFC 7873 §8";
  EXPECT_EQ(with_options(Wire{}, 0x8182, 0).rcode, rcode::servfail);
}

TEST(DnsMessage, OptIsNoRecord) {
  Wire wire = response(1, 1);
  wire.name(".").rest(type::opt, 0, option(7, ""), 1);
  wire.name(".").rest(type::opt, 0, option(8, ""), 1);
  const auto message = read(wire);
  EXPECT_THAT(message.answer, IsEmpty());
  EXPECT_THAT(message.authority, IsEmpty());
  EXPECT_THAT(message.extended_errors, SizeIs(2));
}

// ---- writing

TEST(DnsMessage, WrittenAndReadAgainSaysTheSame) {
  const Message message{
      .rcode = rcode::nxdomain,
      .question = named("_25._tcp.mx.example.org"),
      .question_type = type::tlsa,
      .answer = {{.owner = named("x.org"), .type = type::mx, .ttl = 1, .data = {0, 1, 1, 'a', 0}},
                 {.owner = Name{}, .type = type::txt, .ttl = 0x7FFFFFFF, .data = Bytes(300, 7)}},
      .authority = {{.owner = named("org"), .type = type::ns, .ttl = 2, .data = {0}}}};
  const auto wire = write_message(message);
  ASSERT_TRUE(wire);
  const auto again = read_message(*wire);
  ASSERT_TRUE(again) << again.error();
  EXPECT_EQ(again->rcode, message.rcode);
  EXPECT_EQ(again->question, message.question);
  EXPECT_EQ(again->question_type, message.question_type);
  EXPECT_FALSE(again->truncated);
  expect_same(again->answer, message.answer);
  expect_same(again->authority, message.authority);
}

TEST(DnsMessage, OfAnExtendedRcodeTheHeadersFourBitsAreWritten) {
  for (const std::uint16_t code : std::vector<std::uint16_t>{5, 8, 15, 16, 0xFFF}) {
    const auto wire = write_message({.rcode = code});
    ASSERT_TRUE(wire);
    const auto again = read_message(*wire);
    ASSERT_TRUE(again) << again.error();
    EXPECT_EQ(again->rcode, code & 0xF);
  }
}

TEST(DnsMessage, IsWrittenOnlyWhenItFits65535Octets) {
  const auto with_data = [](std::size_t size) {
    return Message{.question_type = type::txt,
                   .answer = {{.owner = Name{}, .type = type::txt, .data = Bytes(size, 0)}}};
  };
  constexpr std::size_t most = 65535 - 12 - 5 - 11;
  const auto wire = write_message(with_data(most));
  ASSERT_TRUE(wire);
  EXPECT_THAT(*wire, SizeIs(65535));
  EXPECT_FALSE(write_message(with_data(most + 1)));
  EXPECT_FALSE(write_message(with_data(70000)));
  EXPECT_FALSE(write_message(Message{.answer = std::vector<Record>(70000)}));
}

// ---- what is in a record

Record rrsig_record(const Bytes& data) {
  return {.owner = named("mx.test"), .type = type::rrsig, .data = data};
}

TEST(Rrsig, FieldsAreReadInNetworkOrder) {
  const Wire data = Wire{}
                        .u16(type::tlsa)
                        .u8(13)
                        .u8(4)
                        .u32(3600)
                        .u32(0xFEDCBA98)
                        .u32(0x01020304)
                        .u16(54321)
                        .name("Example.Test")
                        .raw(Bytes(64, 0xee));
  const auto sig = read_rrsig(rrsig_record(data.octets()));
  ASSERT_TRUE(sig);
  EXPECT_EQ(sig->type_covered, type::tlsa);
  EXPECT_EQ(sig->algorithm, 13);
  EXPECT_EQ(sig->labels, 4);
  EXPECT_EQ(sig->original_ttl, 3600U);
  EXPECT_EQ(sig->expiration, 0xFEDCBA98U);
  EXPECT_EQ(sig->inception, 0x01020304U);
  EXPECT_EQ(sig->key_tag, 54321);
  EXPECT_EQ(sig->signer, named("example.test"));
}

TEST(Rrsig, IsNothingWhenFieldsOrSignerAreNotWhole) {
  const Bytes whole = Wire{}.raw(Bytes(18, 0)).name("example.test").octets();
  ASSERT_TRUE(read_rrsig(rrsig_record(whole)));
  for (std::size_t size = 0; size < whole.size(); ++size) {
    SCOPED_TRACE(size);
    EXPECT_FALSE(read_rrsig(
        rrsig_record(Bytes(whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(size)))));
  }
}

TEST(Rrsig, SignerMayNotPointAnywhere) {
  // RFC 4034 §3.1.7: the signer's name is never compressed.
  const auto with = [](const Wire& signer) {
    return rrsig_record(Wire{}.raw(Bytes(18, 0)).raw(signer.octets()).octets());
  };
  EXPECT_FALSE(read_rrsig(with(Wire{}.pointer(0))));
  EXPECT_FALSE(read_rrsig(with(Wire{}.raw("\1a").pointer(18))));
}

TEST(Rrsig, OnlyARecordOfThatTypeIsOne) {
  auto record = rrsig_record(Bytes(64, 0));
  ASSERT_TRUE(read_rrsig(record));
  record.type = type::txt;
  EXPECT_FALSE(read_rrsig(record));
}

TEST(NeedsDenial, IsADenialOrAWildcardsExpansion) {
  // RFC 4035 §5.3.4: the labels field of a signature counts neither the root nor the wildcard.
  struct Row {
    std::string_view says, owner;
    std::size_t labels;
    bool needs;
  };
  const Row rows[] = {
      {"signed as it stands", "_25._tcp.mx.test", 4, false},
      {"C-21: expanded from *._tcp.mx.test", "_25._tcp.mx.test", 3, true},
      {"expanded from *.test", "_25._tcp.mx.test", 1, true},
      {"the wildcard itself was asked for", "*._tcp.mx.test", 3, false},
      {"a wildcard's name expanded from a wildcard above", "*._tcp.mx.test", 2, true},
      {"a label that only begins with an asterisk", "*a.mx.test", 2, true},
      {"more labels than the name has", "mx.test", 5, false},
  };
  for (const auto& row : rows) {
    SCOPED_TRACE(row.says);
    const Wire sig = Wire{}.u16(type::tlsa).u8(13).u8(row.labels).raw(Bytes(14, 0)).name("test");
    const Record data{.owner = named(row.owner), .type = type::tlsa, .data = {3, 1, 1}};
    const Record rrsig{.owner = named(row.owner), .type = type::rrsig, .data = sig.octets()};
    EXPECT_EQ(needs_denial(Message{.answer = {data, rrsig}}), row.needs);
    EXPECT_FALSE(needs_denial(Message{.answer = {data}})) << "unsigned: nothing tells";
    EXPECT_TRUE(needs_denial(Message{.authority = {data, rrsig}})) << "no answer: a denial";
  }
}

TEST(NameIn, IsTheRestOfTheData) {
  const Record mx{.type = type::mx, .data = Wire{}.u16(10).name("MX.test").octets()};
  EXPECT_THAT(name_in(mx, 2), Optional(Eq(named("mx.test"))));
  EXPECT_FALSE(name_in(mx, 0));
  EXPECT_FALSE(name_in(mx, 100));
  EXPECT_FALSE(name_in(Record{}, 0));
  EXPECT_FALSE(name_in(Record{.data = Wire{}.name("mx.test").u8(0).octets()}));
}

TEST(DnsWords, AreThoseOfTheRegistriesOrANumber) {
  struct Row {
    std::uint16_t number;
    std::string_view word;
  };
  for (const auto& [number, word] : std::initializer_list<Row>{{1, "A"},
                                                               {2, "NS"},
                                                               {5, "CNAME"},
                                                               {6, "SOA"},
                                                               {15, "MX"},
                                                               {16, "TXT"},
                                                               {28, "AAAA"},
                                                               {39, "DNAME"},
                                                               {43, "DS"},
                                                               {46, "RRSIG"},
                                                               {47, "NSEC"},
                                                               {48, "DNSKEY"},
                                                               {50, "NSEC3"},
                                                               {52, "TLSA"},
                                                               {0, "TYPE0"},
                                                               {65535, "TYPE65535"}}) {
    EXPECT_EQ(type_name(number), word);
  }
  for (const auto& [number, word] : std::initializer_list<Row>{{0, "NOERROR"},
                                                               {1, "FORMERR"},
                                                               {2, "SERVFAIL"},
                                                               {3, "NXDOMAIN"},
                                                               {4, "NOTIMP"},
                                                               {5, "REFUSED"},
                                                               {16, "RCODE16"},
                                                               {4095, "RCODE4095"}}) {
    EXPECT_EQ(rcode_name(number), word);
  }
}

}  // namespace
}  // namespace probes::dns
