#include "probes/proof.h"

#include <algorithm>
#include <functional>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "probes/codec/value.h"
#include "probes/derivation.h"
#include "probes/dns/validate.h"
#include "tests/support/recorded_corpus.h"

// Evidence as others hand it over, changed in every way by which they might make more of it than
// there is.
namespace {

using namespace probes;
using codec::Value;
using support::kept_in;
using testing::ContainsRegex;
using testing::HasSubstr;
using testing::Not;

using Change = std::function<void(Value&)>;

Value recorded(const std::string& file) {
  const auto text = kept_in(file + ".cbor");
  auto value = codec::read_value({reinterpret_cast<const std::uint8_t*>(text.data()), text.size()},
                                 kMaxRecorded);
  EXPECT_TRUE(value) << file << ": " << value.error();
  return value ? *value : Value();
}

struct Said {
  std::string code, kind, name;
};

Value bundle_of(const Said& said, std::vector<Value> observations) {
  return {{"schema", kEvidenceSchema},
          {"alert",
           {{"id", "1"},
            {"code", said.code},
            {"title", "mx.bigbank.example: hostile"},
            {"subject", {{"kind", said.kind}, {"name", said.name}}}}},
          {"observations", std::move(observations)}};
}

const std::vector<dns::Record>& anchors() {
  static const auto read = *dns::parse_trust_anchors(kept_in("root.key"));
  return read;
}

struct Shown {
  Proof proof;
  std::string text;
};

// Behind whatever was recorded.
constexpr config::Time kAfterAll{std::chrono::hours{24 * 365 * 100}};

Shown shown(const Value& evidence) {
  const auto octets = codec::to_cbor(evidence);
  const auto bundle = decode_bundle(octets);
  EXPECT_TRUE(bundle) << bundle.error();
  if (!bundle) return {};
  auto proof = prove(*bundle, anchors(), kAfterAll);
  (void)to_json(*bundle, proof).dump();
  auto text = to_text(*bundle, proof);
  return {std::move(proof), std::move(text)};
}

void each_session(Value& host, const std::function<void(Value&)>& change) {
  for (auto& session : host["host"]["sessions"]) change(session);
}

void lose_starttls(Value& session) {
  session["stage"] = "starttls";
  session["stop"] = "starttls-not-offered";
  session.erase("tls");
  session.erase("offers_starttls");
}

// Alerts as the agent opens them, about the root of the trouble.
TEST(Proof, ShowsWhatTheAlertSaysAtTheRootOfTheTrouble) {
  const struct {
    std::string file;
    Said said;
  } rows[] = {
      {"host-mx.mismatch.test", {"tlsa-mismatch", "host", "mx.mismatch.test"}},
      {"host-mx.tlsaexpired.test", {"dnssec-expired", "zone", "tlsaexpired.test"}},
      {"domain-expired.test", {"dnssec-expired", "zone", "expired.test"}},
      {"domain-dsbroken.test", {"ds-broken", "zone", "dsbroken.test"}},
  };
  for (const auto& row : rows) {
    SCOPED_TRACE(row.file);
    const auto [proof, text] = shown(bundle_of(row.said, {recorded(row.file)}));
    EXPECT_TRUE(proof.is_proven) << text;
    EXPECT_THAT(text,
                HasSubstr(fmt::format("{} of {} {}", row.said.code, row.said.kind, row.said.name)));
    EXPECT_THAT(text, Not(HasSubstr("bigbank"))) << "titles are anybody's words";
  }
}

TEST(Proof, LinksAboveABrokenOneAreProvenByThemselves) {
  for (const std::string name : {"expired.test", "dsbroken.test"}) {
    const auto [proof, text] = shown(recorded("domain-" + name));
    EXPECT_THAT(text, ContainsRegex("proven +DNSKEY of the root: vouched for"));
    EXPECT_THAT(text, ContainsRegex("proven +DS of test, "));
    EXPECT_THAT(text, ContainsRegex("proven +DNSKEY of test, "));
    EXPECT_THAT(text, ContainsRegex(fmt::format("proven +DS of {}, ", name)));
    EXPECT_THAT(text, ContainsRegex("seen +MX of [^ ]+: failed"))
        << "what does not validate may be anybody's";
  }
}

// What is changed beside the replies changes nothing: judged is what they show.
TEST(Proof, WhatTheRepliesDoNotShowIsRefuted) {
  const struct {
    std::string says, file;
    Said said;
    Change change;
  } rows[] = {
      {"an MX record that is not there",
       "domain-healthy.test",
       {"mx-invalid", "domain", "healthy.test"},
       [](Value& v) { v["domain"]["invalid_exchanges"] = {"bad"}; }},
      {"signatures that expire sooner",
       "domain-healthy.test",
       {"rrsig-expiring", "domain", "healthy.test"},
       [](Value& v) {
         v["domain"]["mx"]["signatures"]["expiration"] =
             v["domain"]["observed_at"].get<std::int64_t>() + 3600;
       }},
      {"another TTL", "host-mx.healthy.test", {}, [](Value& v) { v["host"]["tlsa"]["ttl"] = 7; }},
      {"another signer",
       "host-mx.healthy.test",
       {},
       [](Value& v) { v["host"]["tlsa"]["signer"] = "bank.test"; }},
      {"another name behind an alias",
       "host-mx.healthy.test",
       {},
       [](Value& v) { v["host"]["a"]["final_name"] = "elsewhere.test"; }},
      {"other keys than the parent names",
       "host-mx.healthy.test",
       {},
       [](Value& v) { v["host"]["a"]["key_sets"]["ds"]["keys"][0]["tag"] = 7; }},
      {"another way of signing",
       "host-mx.healthy.test",
       {},
       [](Value& v) {
         v["host"]["tlsa"]["signing"] = {{"needs_sha1", true}};
       }},
      {"another cause",
       "host-mx.tlsaexpired.test",
       {"ds-broken", "zone", "tlsaexpired.test"},
       [](Value& v) { v["host"]["tlsa"]["cause"] = "ds-mismatch"; }},
      {"sessions with another machine",
       "host-mx.healthy.test",
       {"starttls-missing", "host", "mx.healthy.test"},
       [](Value& v) {
         each_session(v, lose_starttls);
         each_session(v, [](Value& session) { session["address"] = "198.51.100.7"; });
       }},
      {"sessions at another port",
       "host-mx.healthy.test",
       {"starttls-missing", "host", "mx.healthy.test"},
       [](Value& v) {
         each_session(v, lose_starttls);
         each_session(v, [](Value& session) { session["port"] = 2525; });
       }},
  };
  for (const auto& row : rows) {
    SCOPED_TRACE(row.says);
    auto changed = recorded(row.file);
    row.change(changed);
    const auto [proof, text] =
        shown(row.said.code.empty() ? changed : bundle_of(row.said, {changed}));
    EXPECT_FALSE(proof.is_proven) << text;
    EXPECT_THAT(text, ContainsRegex("\n  refuted "));
    EXPECT_FALSE(proof.shown) << "nothing of it is judged";
  }
}

// What nobody can prove is told as the word of whoever looked.
TEST(Proof, WhatWasOnlySeenIsNeverCalledProven) {
  auto survey = recorded("host-mx.healthy.test");
  survey["host"]["survey"]["answers"] = Value::array();
  const auto says = [&](const char* server, const char* address, Value answer) {
    answer["server"] = {{"name", server}, {"address", address}};
    answer["question"] = {{"name", "_25._tcp.mx.healthy.test"}, {"type", 52}};
    answer["is_authoritative"] = true;
    survey["host"]["survey"]["answers"].push_back(std::move(answer));
  };
  says("ns1.healthy.test", "192.0.2.1",
       {{"outcome", "answer"}, {"data", survey["host"]["tlsa"]["data"]}});
  says("ns2.healthy.test", "192.0.2.2", {{"outcome", "absent"}});
  const auto told = shown(survey).text;
  EXPECT_THAT(told, ContainsRegex("seen +TLSA of [^\n]*none[^\n]*ns2.healthy.test"));
  EXPECT_THAT(told, Not(ContainsRegex("proven [^\n]*ns2.healthy.test")));

  auto silent = recorded("host-mx.healthy.test");
  each_session(silent, lose_starttls);
  const auto missing = shown(bundle_of({"starttls-missing", "host", "mx.healthy.test"}, {silent}));
  EXPECT_TRUE(missing.proof.is_proven) << missing.text;
  EXPECT_THAT(missing.proof.conclusion, HasSubstr("the word of whoever looked"));

  auto timeout = recorded("host-mx.healthy.test");
  timeout["host"]["records"] = Value::array();
  timeout["host"]["tlsa"] = {{"name", "_25._tcp.mx.healthy.test"},
                             {"type", 52},
                             {"outcome", "failed"},
                             {"cause", "timeout"}};
  const auto answered =
      shown(bundle_of({"tlsa-lookup-failed", "host", "mx.healthy.test"}, {timeout}));
  EXPECT_FALSE(answered.proof.is_proven) << "the signed answer is there";

  const auto text = kept_in("host-mx.healthy.test.cbor");
  auto silence = *decode(dns::Bytes(text.begin(), text.end()));
  std::erase_if(silence.replies,
                [](const auto& reply) { return reply->question_type == dns::type::tlsa; });
  auto host = *silence.host;
  host.records.clear();
  host.survey = {};
  host.tlsa = {.name = host.tlsa.name,
               .type = dns::type::tlsa,
               .outcome = dns::Outcome::failed,
               .cause = dns::Cause::timeout};
  silence.host = std::make_shared<const HostObservation>(std::move(host));
  const Bundle bundle{.code = "tlsa-lookup-failed",
                      .subject = {.kind = Subject::Kind::host, .name = "mx.healthy.test"},
                      .observations = {silence}};
  const auto proof = prove(bundle, anchors(), kAfterAll);
  const auto failed = to_text(bundle, proof);
  EXPECT_THAT(failed, ContainsRegex("seen +TLSA of [^\n]*failed, timeout"));
  EXPECT_THAT(failed, Not(ContainsRegex("proven +TLSA of")));
  EXPECT_THAT(proof.conclusion, HasSubstr("the word of whoever looked"));
  EXPECT_FALSE(prove(bundle, anchors(), config::Time{}).is_proven) << "it has not come yet";
}

// Signatures from before 2038 to beyond are beyond our validator, which then goes by the AD bit:
// in a file that is anybody's.
TEST(Proof, WhatOnlyTheAdBitVouchesForIsSeen) {
  const auto text = kept_in("host-mx.healthy.test.cbor");
  auto forged = *decode(dns::Bytes(text.begin(), text.end()));
  for (auto& reply : forged.replies) {
    if (reply->question_type != dns::type::tlsa) continue;
    auto message = *reply;
    message.authentic_data = true;
    for (auto& record : message.answer) {
      if (record.type == dns::type::tlsa) record.data.back() ^= 1U;
      if (record.type == dns::type::rrsig) record.data.at(8) = 0x90;  // of the expiration
    }
    reply = std::make_shared<const dns::Message>(std::move(message));
  }
  forged.host = Derivation(forged, anchors()).host();
  ASSERT_EQ(forged.host->tlsa.status, dns::DnssecStatus::secure) << "by the AD bit";
  for (const auto& step : verify(forged, anchors()).steps) {
    EXPECT_NE(step.standing, Standing::refuted) << step.what;
    if (step.what.starts_with("TLSA of")) {
      EXPECT_EQ(step.standing, Standing::seen) << step.what;
    }
  }
}

TEST(Proof, DomainsAreJudgedWithTheHostsThatAreThere) {
  const auto text =
      shown(bundle_of({"tlsa-mismatch", "host", "mx.mismatch.test"},
                      {recorded("domain-mismatch.test"), recorded("host-mx.mismatch.test")}))
          .text;
  EXPECT_THAT(text, ContainsRegex("follows +mismatch.test: "));
}

TEST(Proof, PlacesDifferWhereLooksFromThemDo) {
  const auto from = [](const std::string& vantage, bool is_stripped) {
    auto look = recorded("host-mx.healthy.test");
    look["vantage"] = vantage;
    if (is_stripped) each_session(look, lose_starttls);
    return look;
  };
  const struct {
    std::string says;
    std::vector<Value> looks;
    bool is_proven;
  } rows[] = {{"two places", {from("near", false), from("far", true)}, true},
              {"they see the same", {from("near", false), from("far", false)}, false},
              {"one place at two times", {from("near", false), from("near", true)}, false},
              {"one place alone", {from("far", true)}, false}};
  for (const auto& row : rows) {
    const auto [proof, text] =
        shown(bundle_of({"selective-starttls", "host", "mx.healthy.test"}, row.looks));
    EXPECT_EQ(proof.is_proven, row.is_proven) << row.says << '\n' << text;
    EXPECT_THAT(text, Not(HasSubstr("proves what was said"))) << "it is the word of who looked";
  }
}

TEST(Bundle, OfAnAlertThatHitsEveryDomainOfAZoneIsReadAgain) {
  Value alert{
      {"id", "1"}, {"code", "ds-broken"}, {"subject", {{"kind", "zone"}, {"name", "test"}}}};
  for (int i = 0; i < 100'000; ++i) alert["domains"].push_back(fmt::format("{}.test", i));
  const auto text = kept_in("domain-dsbroken.test.cbor");
  const auto octets = encode_bundle(alert.dump(), {dns::Bytes(text.begin(), text.end())});
  const auto bundle = decode_bundle(octets);
  ASSERT_TRUE(bundle) << bundle.error();
  EXPECT_EQ(bundle->observations.size(), 1U);
  EXPECT_EQ(codec::read_value(octets, kMaxBundle)->at("alert")["domains"].size(), 100U);
}

// Every value in turn becomes what it cannot be: it is refused or told, and never obeyed.
TEST(Proof, WhateverItHoldsIsRefusedOrToldInPlainLines) {
  const Value odd[] = {nullptr, Value::binary({0xff, 0x1b}), "\x1b[31m\n  proven   forged",
                       Value::array({nullptr})};
  std::size_t read = 0, refused = 0;
  const auto hold = [&](const Value& changed) {
    const auto bundle = decode_bundle(codec::to_cbor(changed));
    ++(bundle ? read : refused);
    if (!bundle) return;
    const auto proof = prove(*bundle, anchors(), kAfterAll);
    const auto text = to_text(*bundle, proof);
    EXPECT_THAT(text, Not(HasSubstr("\x1b")));
    EXPECT_THAT(text, Not(HasSubstr("\n  proven   forged")));
    EXPECT_FALSE(to_json(*bundle, proof).dump().empty());
  };
  for (const auto* file : {"host-mx.mismatch.test", "domain-healthy.test"}) {
    auto whole = recorded(file);
    const std::function<void(Value&)> walk = [&](Value& value) {
      for (const auto& one : odd) {
        auto before = std::exchange(value, one);
        hold(whole);
        value = std::move(before);
      }
      if (value.is_structured() && &value != &whole["replies"]) {
        for (auto& inner : value) walk(inner);
      }
    };
    walk(whole);
  }
  EXPECT_GT(read, 50U);
  EXPECT_GT(refused, 500U);
}

}  // namespace
