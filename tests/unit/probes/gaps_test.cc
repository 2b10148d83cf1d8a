#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "probes/dane/tlsa.h"
#include "probes/explain.h"
#include "probes/findings.h"
#include "probes/judge.h"
#include "tests/support/scene.h"

// Which name server lacks which TLSA record, and what is said of it.
namespace {

using namespace probes;
using support::kNow;
using support::Pki;
using support::record;
using support::Scene;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;
using Records = std::vector<dane::TlsaRecord>;

dns::Bytes wire(const dane::TlsaRecord& record) {
  dns::Bytes out{record.usage, record.selector, record.matching_type};
  out.insert(out.end(), record.data.begin(), record.data.end());
  return out;
}

// What ns1 and ns2 give for the TLSA records of the scene's host.
void survey(Scene& scene, const Records& ns1, const Records& ns2) {
  int last = 53;
  for (const auto* records : {&ns1, &ns2}) {
    dns::ServerAnswer answer{
        .server = {.name = support::name(last == 53 ? "ns1.example.test" : "ns2.example.test"),
                   .address = "192.0.2." + std::to_string(last)},
        .question = {scene.mx().tlsa.name, dns::type::tlsa},
        .outcome = dns::Outcome::answer,
        .is_authoritative = true,
        .signatures =
            dns::SignatureWindow{kNow - std::chrono::days{4}, kNow + std::chrono::days{10}}};
    for (const auto& one : *records) answer.data.push_back(wire(one));
    std::ranges::sort(answer.data);
    scene.mx().survey.answers.push_back(answer);
    ++last;
  }
}

const Finding& find(const DomainJudgement& judged, Code code) {
  const auto found = std::ranges::find(judged.findings, code, &Finding::code);
  if (found == judged.findings.end()) throw std::runtime_error("not found");
  return *found;
}

// The lab's drift: ns2 lost the record of the key in use.
TEST(Gaps, AServerThatRefusesTheKeyInUseIsNamedWithTheRecordThatItLacks) {
  const auto used = record(3, 1, 1, *Pki::get().leaf.certificate);
  const auto next = record(3, 1, 1, *Pki::get().old_leaf.certificate);
  Scene scene;
  survey(scene, {used}, {next});
  scene.publish({next});  // our resolver asked ns2
  const auto judged = scene.judge();
  const auto& split = find(judged, Code::nameserver_split);
  ASSERT_FALSE(split.gaps.empty());
  EXPECT_TRUE(split.gaps.front().is_refusing);
  EXPECT_EQ(split.gaps.front().server, "ns2.example.test (192.0.2.54)");
  EXPECT_THAT(split.gaps.front().lacks, ElementsAre(dane::to_text(used)));
  EXPECT_EQ(find(judged, Code::tlsa_mismatch).consequence_of, Code::nameserver_split);

  const auto words = explain(split);
  const auto line = "_25._tcp.mx.example.test. 3600 IN TLSA " + dane::to_text(used);
  EXPECT_THAT(words.title, HasSubstr("ns2.example.test (192.0.2.54) lacks 3 1 1 "));
  EXPECT_THAT(words.explanation, HasSubstr("the record of the key in use"));
  EXPECT_THAT(words.fix, testing::Contains(HasSubstr(line)));
  ASSERT_TRUE(split.remedy);
  EXPECT_EQ(split.remedy->server, "ns2.example.test (192.0.2.54)");
}

TEST(Gaps, AServerThatLagsIsNamedThoughNobodyIsRefused) {
  const auto used = record(3, 1, 1, *Pki::get().leaf.certificate);
  const auto next = record(3, 1, 1, *Pki::get().old_leaf.certificate);
  Scene scene;
  scene.mx().tlsa.signer = support::name("example.test");
  survey(scene, {used}, {used, next});
  auto split = find(scene.judge(), Code::nameserver_split);
  EXPECT_FALSE(split.gaps.front().is_refusing);
  split.gaps.front().since = kNow;
  const auto words = explain(split);
  EXPECT_THAT(words.title, HasSubstr("ns1.example.test (192.0.2.53) lacks 3 1 1 "));
  EXPECT_THAT(words.explanation,
              HasSubstr("ns2.example.test (192.0.2.54) has it since 2027-01-15"));
  EXPECT_THAT(words.senders_now, HasSubstr("No mail is held up"));
  EXPECT_THAT(words.fix.front(), HasSubstr("retransfer example.test"));
}

// Whichever of them was changed last: to take over from the one that has none would end DANE.
TEST(Gaps, AServerWithoutAnyRecordLacksThoseOfTheKeyInUse) {
  const auto used = record(3, 1, 1, *Pki::get().leaf.certificate);
  Scene scene;
  survey(scene, {used}, {});
  scene.mx().survey.answers.back().outcome = dns::Outcome::absent;
  auto judged = scene.judge();
  // By the serial number it is the other that lags.
  HistoryFindings known;
  known.past.lagging = {"ns1.example.test (192.0.2.53)"};
  add_history_findings(judged, support::name("mx.example.test"), known);
  const auto& split = find(judged, Code::nameserver_split);
  ASSERT_EQ(split.gaps.size(), 1U);
  EXPECT_TRUE(split.gaps.front().is_bare);
  EXPECT_THAT(split.gaps.front().lacks, ElementsAre(dane::to_text(used)));
  const auto words = explain(split);
  EXPECT_THAT(words.title, HasSubstr("ns2.example.test (192.0.2.54) lacks 3 1 1 "));
  EXPECT_THAT(words.senders_now, HasSubstr("without protection"));
  EXPECT_THAT(words.fix.back(), HasSubstr(dane::to_text(used)));
  EXPECT_THAT(words.fix, testing::Each(Not(HasSubstr("ns1"))));
}

// Both refuse it: that they differ is not why.
TEST(Gaps, ADifferenceThatRefusesEverywhereExplainsNoMismatch) {
  const auto next = record(3, 1, 1, *Pki::get().old_leaf.certificate);
  const auto other = record(3, 1, 1, *Pki::get().rsa_leaf.certificate);
  Scene scene;
  survey(scene, {next}, {next, other});
  scene.publish({next});
  const auto judged = scene.judge();
  EXPECT_EQ(find(judged, Code::tlsa_mismatch).consequence_of, std::nullopt);
}

TEST(Mismatch, CarriesTheLineToPublish) {
  Scene scene;
  scene.publish({record(3, 1, 1, *Pki::get().old_leaf.certificate)});
  scene.mx().tlsa.signer = support::name("example.test");
  const auto judged = scene.judge();
  const auto& mismatch = find(judged, Code::tlsa_mismatch);
  ASSERT_TRUE(mismatch.remedy);
  const auto line = "_25._tcp.mx.example.test. 3600 IN TLSA " +
                    dane::to_text(record(3, 1, 1, *Pki::get().leaf.certificate));
  EXPECT_EQ(record_line(*mismatch.remedy, mismatch.remedy->publish.front()), line);
  EXPECT_EQ(mismatch.remedy->zone, "example.test");
  EXPECT_EQ(mismatch.remedy->recovers_after, std::chrono::seconds{3600});
  EXPECT_THAT(explain(mismatch).fix, testing::Contains(HasSubstr(line)));
}

// Whoever publishes them is let through by every sender (RFC 7671 §9).
TEST(Mismatch, NamesALineForEachDigestThatSendersCompare) {
  const auto of = [](const support::Issued& key, std::uint8_t digest) {
    return record(3, 1, digest, *key.certificate);
  };
  const auto& old = Pki::get().old_leaf;
  const auto& live = Pki::get().leaf;
  struct Row {
    std::string_view says;
    Records published, want;
  };
  for (const auto& [says, published, want] : std::vector<Row>{
           {"SHA2-512 only", {of(old, 2)}, {of(live, 2)}},
           {"both", {of(old, 1), of(old, 2)}, {of(live, 1), of(live, 2)}},
           {"one is there, and passed over", {of(live, 1), of(old, 2)}, {of(live, 2)}},
       }) {
    Scene scene;
    scene.publish(published);
    const auto judged = scene.judge();
    const auto& mismatch = find(judged, Code::tlsa_mismatch);
    ASSERT_TRUE(mismatch.remedy) << says;
    std::vector<std::string> texts;
    for (const auto& one : want) texts.push_back(dane::to_text(one));
    EXPECT_EQ(mismatch.remedy->publish, texts) << says;
    auto then = published;
    then.insert(then.end(), want.begin(), want.end());
    scene.publish(then);
    EXPECT_EQ(support::verdict_of(scene.judge()), "authenticated") << says;
    EXPECT_THAT(support::splits_of(scene.judge()), testing::Each(Not(HasSubstr("=refused"))))
        << says;
  }
}

// Never "put the previous key back" where history knows that there is none.
TEST(Mismatch, AsksForThePreviousKeyOnlyWhereTheKeyHasChanged) {
  Finding mismatch{.code = Code::tlsa_mismatch,
                   .subject = {.kind = Subject::Kind::host, .name = "mx.example.test"}};
  EXPECT_THAT(explain(mismatch).fix.front(), HasSubstr("If the previous key still exists"));
  mismatch.key = KeyPast{.since = kNow, .is_unannounced = true};
  EXPECT_THAT(explain(mismatch).fix.front(), HasSubstr("If the previous key still exists"));
  EXPECT_THAT(explain(mismatch).fix[1], testing::StartsWith("Otherwise publish"));
  EXPECT_THAT(explain(mismatch).explanation,
              testing::StartsWith("The key changed at 2027-01-15 08:00 UTC, before its record"));
  mismatch.key = KeyPast{.since = kNow, .is_since_before = true};
  EXPECT_THAT(explain(mismatch).fix, testing::Each(Not(HasSubstr("previous key"))));
  EXPECT_THAT(explain(mismatch).fix.front(), testing::StartsWith("Publish"));
}

TEST(EarlyRetire, SaysWhenTheRecordWentAndWhatToPutBack) {
  const Finding gone{
      .code = Code::early_retire,
      .subject = {.kind = Subject::Kind::host, .name = "mx.example.test"},
      .remedy = Remedy{.owner = "_25._tcp.mx.example.test", .publish = {"3 1 1 ab"}},
      .key = KeyPast{.since = kNow - std::chrono::hours{48}, .record_removed_at = kNow}};
  const auto words = explain(gone);
  EXPECT_THAT(words.explanation,
              testing::StartsWith("The key has not changed since 2027-01-13 08:00 UTC; its record "
                                  "was removed at 2027-01-15 08:00 UTC."));
  EXPECT_EQ(words.fix.front(),
            "Put the record back: `_25._tcp.mx.example.test. 3600 IN TLSA 3 1 1 ab`.");
}

TEST(EarlyRetire, NamesTheOnlyServerThatLacksTheRecord) {
  const Subject host{.kind = Subject::Kind::host, .name = "mx.example.test"};
  const Finding gone{
      .code = Code::early_retire,
      .subject = host,
      .gaps = {{.server = "ns1 (192.0.2.53)", .lacks = {"3 1 1 ab"}, .is_refusing = true}}};
  const auto* title =
      "mx.example.test: the TLSA record of the key in use was removed at ns1 (192.0.2.53)";
  EXPECT_EQ(explain(gone).title, title);
}

}  // namespace
