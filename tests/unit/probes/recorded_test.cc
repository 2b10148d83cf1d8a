#include "probes/codec/recorded.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "probes/codec/value.h"
#include "tests/support/scene.h"

namespace {

using namespace probes;
using codec::Value;
using support::kNow;
using support::name;
using support::Pki;
using support::Scene;
using testing::HasSubstr;

dns::ReplyPtr reply() {
  dns::Message message;
  message.question = name("_25._tcp.mx.example.test");
  message.question_type = dns::type::tlsa;
  message.server = "127.0.0.53";
  message.authentic_data = true;
  message.was_unchecked = true;
  message.rcode = dns::rcode::nxdomain;
  message.answer = {
      {.owner = message.question, .type = dns::type::tlsa, .ttl = 3600, .data = {3, 1, 1, 0xab}}};
  message.extended_errors = {{.code = 6, .text = "bogus \xff"}};
  return std::make_shared<const dns::Message>(std::move(message));
}

// As much as possible is not as it is by default.
Recorded of_host() {
  Scene scene;
  auto host = scene.mx();
  host.tlsa.aliases = {{.from = name("a.test"), .to = name("b.test"), .ttl = config::Seconds{7}}};
  host.tlsa.key_sets = std::make_shared<const dns::KeySets>(
      dns::KeySets{.zone = name("test"),
                   .ds = {.keys = {{.algorithm = 13, .tag = 4711}}, .ttl = config::Seconds{60}},
                   .dnskey = {},
                   .ds_given_at = kNow,
                   .dnskey_given_at = kNow});
  host.tlsa.denial = dns::Denial{.owner = name("*.test"), .types = {1, 46}};
  host.tlsa.resolver_fault = dns::ResolverFault{.resolver = "::1", .what = "lies"};
  host.misplaced = {support::absent("_25._tcp.test", dns::type::tlsa)};
  auto& session = host.sessions.at(0);
  session.banner = std::string("220 \xc3\x28 not UTF-8");
  session.last_reply = smtp::Reply{.code = 454, .lines = {"TLS not available"}, .words = {"TLS"}};
  session.tls->pkix = tls::PkixStop::wrong_name;
  session.lax = smtp::LaxTls{.works = true, .version = "TLSv1"};
  session.transcript = {"S: 220 mx", "C: EHLO a"};
  session.took[3] = std::chrono::microseconds{1500};
  return {.host = std::make_shared<const HostObservation>(std::move(host)),
          .replies = {reply()},
          .port = 2525,
          .agent = "one",
          .vantage = "fra",
          .version = "1.2.3"};
}

Recorded of_domain() {
  Scene scene;
  auto domain = scene.domain;
  domain.misplaced = support::absent("_25._tcp.example.test", dns::type::tlsa);
  auto& sts = domain.sts.change();
  sts.sts = {.state = sts::RecordState::valid, .id = "20260101", .detail = {}};
  sts.fetched = sts::Fetched{.outcome = sts::FetchOutcome::policy,
                             .certificate = Pki::get().leaf.certificate,
                             .status = 200,
                             .policy = {.mode = sts::Mode::enforce, .mx = {"mx.example.test"}}};
  return {.domain = std::make_shared<const DomainObservation>(std::move(domain))};
}

std::span<const std::uint8_t> octets(const std::string& text) {
  return {reinterpret_cast<const std::uint8_t*>(text.data()), text.size()};
}

TEST(RecordedObservation, ComesBackFromCborAsItWent) {
  for (const auto& recorded : {of_host(), of_domain()}) {
    const auto again = decode(encode(recorded));
    ASSERT_TRUE(again) << again.error();
    EXPECT_TRUE(is_same(recorded, *again)) << encode_json(recorded) << encode_json(*again);
  }
}

TEST(RecordedObservation, ComesBackFromJsonAsItWent) {
  for (const auto& recorded : {of_host(), of_domain()}) {
    const auto again = decode(octets(encode_json(recorded)));
    ASSERT_TRUE(again) << again.error();
    EXPECT_TRUE(is_same(recorded, *again));
    EXPECT_EQ(encode(recorded), encode(*again));
  }
}

TEST(RecordedObservation, HasWhatWasSetByItsName) {
  const auto again = decode(encode(of_host()));
  ASSERT_TRUE(again) << again.error();
  const auto& session = again->host->sessions.at(0);
  EXPECT_EQ(*session.banner, "220 \xc3\x28 not UTF-8");
  EXPECT_EQ(session.tls->pkix, tls::PkixStop::wrong_name);
  EXPECT_EQ(session.tls->chain.at(0)->der, Pki::get().leaf.certificate->der);
  EXPECT_EQ(session.took[3], std::chrono::microseconds{1500});
  EXPECT_EQ(again->host->tlsa.key_sets->ds.keys.begin()->tag, 4711);
  EXPECT_EQ(again->port, 2525);
  const auto& message = *again->replies.at(0);
  EXPECT_EQ(message.answer.at(0).data, (dns::Bytes{3, 1, 1, 0xab}));
  EXPECT_EQ(message.rcode, dns::rcode::nxdomain);
  EXPECT_TRUE(message.was_unchecked && message.authentic_data && !message.authoritative);
}

TEST(RecordedObservation, HoldsACertificateOnce) {
  const auto json = Value::parse(encode_json(of_host()));
  EXPECT_EQ(json["certificates"].size(), 2U) << "leaf and issuer, shown by two sessions";
}

TEST(RecordedObservation, IsToldFromAnotherByEveryField) {
  auto other = of_host();
  auto host = *other.host;
  host.sessions.at(0).habits.has_stray_lines = true;
  other.host = std::make_shared<const HostObservation>(host);
  EXPECT_FALSE(is_same(of_host(), other));
}

std::string repeated(std::string_view text, std::size_t times) {
  std::string out;
  for (std::size_t i = 0; i < times; ++i) out += text;
  return out;
}

// A map of nothing but different keys.
std::string many_keys(std::size_t count, bool is_json = false) {
  nlohmann::json all;
  for (std::size_t i = 0; i < count; ++i) all[std::to_string(i)] = 0;
  const auto cbor = nlohmann::json::to_cbor(all);
  return is_json ? all.dump() : std::string(cbor.begin(), cbor.end());
}

// What is refused, and with which words.
TEST(RecordedObservation, RefusesWhatItIsNot) {
  const auto changed = [](const std::function<void(Value&)>& change) {
    auto json = Value::parse(encode_json(of_host()));
    change(json);
    return json.dump();
  };
  const struct {
    std::string text, why;
  } cases[] = {
      {"", "ends too soon"},
      {"[]", "CBOR"},
      {"{", "neither CBOR nor JSON"},
      {"{}", "is not danelaw.observation/1"},
      {changed([](Value& v) { v["schema"] = "danelaw.observation/2"; }), "newer danelaw"},
      {changed([](Value& v) { v.erase("host"); }), "neither of a domain nor of a host"},
      {changed([](Value& v) { v["host"]["host"] = "a..b"; }), "host.host: is no domain name"},
      {changed([](Value& v) { v["host"]["sessions"][0]["stage"] = "lunch"; }),
       "host.sessions[0].stage: is a word that is not known"},
      {changed([](Value& v) { v["host"]["sessions"][0]["port"] = 65536; }), "out of range"},
      {changed([](Value& v) { v["host"]["sessions"][0]["port"] = -1; }), "out of range"},
      {changed([](Value& v) { v["host"]["tlsa"] = 1; }), "host.tlsa: is no map"},
      {changed([](Value& v) { v["host"]["sessions"][0]["tls"]["chain"] = {nullptr}; }),
       "host.sessions[0].tls.chain[0]: is nothing"},
      {changed([](Value& v) {
         v["host"]["sessions"][0]["address"] = {{"hex", "ff41"}};
       }),
       "has a session that is no address"},
      {changed([](Value& v) { v["host"]["sessions"][0]["address"] = "192.0.2.1\n  proven  all"; }),
       "has a session that is no address"},
      {changed(
           [](Value& v) { v["host"]["sessions"][0]["address"] = std::string("192.0.2.1\0x", 11); }),
       "has a session that is no address"},
      {changed([](Value& v) { v["host"]["sessions"][0].erase("tls"); }),
       "went on after a handshake which is not there"},
      {changed([](Value& v) { v["host"]["addresses"][0] = "mx"; }), "has an address that is no"},
      {changed([](Value& v) { v["host"]["observed_at"] = std::int64_t{1} << 62U; }),
       "out of range"},
      {changed([](Value& v) { v["host"]["tlsa"]["ttl"] = -1; }), "out of range"},
      {changed([](Value& v) { v["host"]["tlsa"]["ttl"] = std::int64_t{1} << 62U; }),
       "out of range"},
      {many_keys(100'000), "more in it than is read"},
      {many_keys(100'000, true), "more in it than is read"},
      {"{\"a\":[" + repeated("{},", kMaxRecorded / 4) + "{}]}", "more in it than is read"},
      {"{\"a\":[" + repeated("[" + repeated("{},", 4000) + "{}],", 50) + "{}]}",
       "more in it than is read"},
      {"\xa1\x61\x61\x9a" + std::string("\x00\x3f\xff\x00", 4) + repeated("\xa0", 0x3fff00),
       "more in it than is read"},
      {changed([](Value& v) {
         v["certificates"][0] = {{"hex", "00"}};
       }),
       "certificate"},
      {changed([](Value& v) { v["certificates"] = Value::array(); }), "not there"},
      {changed([](Value& v) {
         v["replies"][0]["wire"] = {{"hex", "00"}};
       }),
       "cannot be read"},
      {std::string(100, '{'), "too deeply"},
      {std::string(100, '\x81'), "too deeply"},
      {std::string("\x9f\xff"), "plain kind"},
      {std::string("\xbf\x61\x61\xf9\x00\x00\xff", 7), "plain kind"},
      {std::string("\x9b\xff\xff\xff\xff\xff\xff\xff\xff", 9), "ends too soon"},
      {std::string("\xa1\x7b\xff\xff\xff\xff\xff\xff\xff\xff", 10), "ends too soon"},
      {std::string(kMaxRecorded + 1, ' '), "too large"},
  };
  for (const auto& one : cases) {
    const auto read = decode(octets(one.text));
    ASSERT_FALSE(read) << one.text.substr(0, 200);
    EXPECT_THAT(read.error(), HasSubstr(one.why)) << one.text.substr(0, 200);
  }
}

TEST(RecordedObservation, MayBeginAsEditorsAndShellsBeginIt) {
  for (const auto* before : {"\n", " \r\n\t", "\xEF\xBB\xBF", "\xEF\xBB\xBF\n"}) {
    const auto read = decode(octets(before + encode_json(of_host())));
    EXPECT_TRUE(read) << read.error();
  }
}

TEST(RecordedObservation, TakesWhatItDoesNotKnowAndMissesNothingElse) {
  auto json = Value::parse(encode_json(of_host()));
  json["host"]["mood"] = "good";
  json["host"].erase("sessions");
  const auto read = decode(octets(json.dump()));
  ASSERT_TRUE(read) << read.error();
  EXPECT_TRUE(read->host->sessions.empty());
}

TEST(Replies, AreTakenOutOfTheObservationOnce) {
  Scene scene;
  auto host = scene.mx();
  const auto shared = reply();
  host.a.replies = std::make_shared<const dns::Replies>(dns::Replies{shared});
  host.tlsa.replies = std::make_shared<const dns::Replies>(dns::Replies{shared, reply()});
  EXPECT_EQ(take_replies(host).size(), 2U);
  EXPECT_TRUE(take_replies(host).empty());
}

}  // namespace
