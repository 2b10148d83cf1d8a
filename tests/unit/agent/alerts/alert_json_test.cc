#include "agent/alerts/alert_json.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "agent/alerts/lifecycle.h"
#include "tests/support/scene.h"

namespace {

using namespace agent;
using probes::Code;
using probes::Severity;
using probes::Subject;
using std::chrono::hours;
using support::kNow;
using testing::ElementsAre;
using testing::HasSubstr;
using Json = nlohmann::ordered_json;

// ---- alerts

Alert pending() {
  const Subject host{.kind = Subject::Kind::host, .name = "mx.a.test"};
  Alert out{
      .id = "tlsa-mismatch.mx.a.test.1",
      .cause = {.kind = Subject::Kind::owner, .name = "tlsa.provider.test"},
      .finding = {.code = Code::tlsa_mismatch, .severity = Severity::critical, .subject = host},
      .domains = {"a.test", "b.test"},
      .first_seen_at = kNow,
      .last_seen_at = kNow + hours{1}};
  out.hits = {{.subject = host,
               .domains = {"a.test"},
               .refused_keys = {std::string(64, 'a')},
               .severity = Severity::critical},
              {.subject = {.kind = Subject::Kind::host, .name = "mx.b.test"},
               .domains = {"b.test"},
               .severity = Severity::high}};
  return out;
}

TEST(AlertJson, NamesTheRootAndEverythingItHits) {
  const auto json = to_json(pending(), kNow);
  EXPECT_EQ(json["id"], "tlsa-mismatch.mx.a.test.1");
  EXPECT_EQ(json["state"], "pending");
  EXPECT_EQ(json["code"], "tlsa-mismatch");
  EXPECT_EQ(json["severity"], "critical");
  EXPECT_EQ(json["subject"], Json({{"kind", "owner"}, {"name", "tlsa.provider.test"}}))
      << "the root of the trouble, not the host at which it was found";
  EXPECT_EQ(json["domains"], Json({"a.test", "b.test"}));
  ASSERT_EQ(json["hits"].size(), 2U);
  EXPECT_EQ(json["hits"][0]["subject"], Json({{"kind", "host"}, {"name", "mx.a.test"}}));
  EXPECT_EQ(json["hits"][0]["domains"], Json::array({"a.test"}));
  EXPECT_EQ(json["hits"][0]["refused_keys"], Json::array({std::string(64, 'a')}));
  EXPECT_EQ(json["hits"][1]["refused_keys"], Json::array());
  EXPECT_EQ(json["direction"], "inbound");
  EXPECT_EQ(json["first_seen_at"], "2027-01-15T08:00:00Z");
  EXPECT_EQ(json["last_seen_at"], "2027-01-15T09:00:00Z");
}

TEST(AlertJson, HasEveryMemberFromTheFirstSight) {
  const auto json = to_json(pending(), kNow);
  for (const auto* name : {"opened_at", "resolved_at", "told_at", "acknowledged"}) {
    ASSERT_TRUE(json.contains(name)) << name;
    EXPECT_TRUE(json[name].is_null()) << name;
  }
  EXPECT_EQ(json["flapping"], false);
  EXPECT_EQ(json["relapses"], 0);
}

Alert refusal() {
  auto out = pending();
  out.finding.remedy = probes::Remedy{.owner = "_25._tcp.mx.a.test",
                                      .zone = "a.test",
                                      .ttl = config::Seconds{300},
                                      .publish = {"3 1 1 ab"},
                                      .recovers_after = config::Seconds{300}};
  out.finding.refused_since = kNow - hours{1};
  out.finding.consequences = {{Code::stale_cache_window, out.finding.subject}};
  out.hits[0].holds_mail = true;
  return out;
}

TEST(AlertJson, CarriesTheLineAndWhenMailFlowsAgainAfterIt) {
  const auto json = to_json(refusal(), kNow + hours{2});
  const auto& remedy = json["remedy"];
  EXPECT_EQ(remedy["owner"], "_25._tcp.mx.a.test");
  EXPECT_EQ(remedy["ttl"], 300);
  EXPECT_EQ(remedy["publish"], Json::array({"_25._tcp.mx.a.test. 300 IN TLSA 3 1 1 ab"}));
  EXPECT_THAT(remedy["nsupdate"].get<std::string>(), testing::HasSubstr("update add"));
  EXPECT_THAT(remedy["knotc"].get<std::string>(), testing::HasSubstr("zone-set a.test."));
  EXPECT_EQ(remedy["recovers_at"], "2027-01-15T10:05:00Z") << "if it is done now";
  EXPECT_EQ(json["host"], "mx.a.test");
  EXPECT_EQ(json["links"]["host"], "/mx/mx.a.test");
  EXPECT_EQ(json["links"]["recheck"][0], "/api/v1/domains/a.test/check");
}

TEST(AlertJson, OfAPartnerSaysWhoseItIsAndGivesNothingToPaste) {
  auto alert = refusal();
  EXPECT_EQ(to_json(alert, kNow)["partner"], nullptr) << "ours";
  EXPECT_EQ(to_json(alert, kNow)["is_theirs"], false);
  alert.direction = config::Role::outbound;
  alert.domains = {"a.test"};
  alert.cause = alert.finding.subject;
  const auto json = to_json(alert, kNow);
  EXPECT_EQ(json["is_theirs"], true);
  EXPECT_EQ(json["partner"]["whose"],
            "a.test is a partner's domain: only its operators can change this. Send them this.");
  EXPECT_EQ(json["partner"]["page"], "/domains/a.test");
  ASSERT_EQ(json["partner"]["ours"].size(), 2U);
  EXPECT_THAT(json["partner"]["ours"][0].get<std::string>(), HasSubstr("postmaster@a.test"));
  EXPECT_THAT(json["partner"]["ours"][1].get<std::string>(), HasSubstr("exception"));
  EXPECT_EQ(json["remedy"]["publish"].size(), 1U) << "what they would have to publish";
  for (const auto* form : {"nsupdate", "zone_file", "knotc"})
    EXPECT_EQ(json["remedy"][form], "") << form;
}

TEST(AlertJson, OfAPartnerNamesTheZoneThatIsAnothers) {
  auto alert = refusal();
  alert.direction = config::Role::outbound;
  alert.finding.remedy->zone = "provider.test";
  EXPECT_EQ(to_json(alert, kNow)["partner"]["whose"],
            "a.test and b.test are partners' domains: only the operators of the zone provider.test "
            "can change this. Send them this.");
  alert.hits[0].holds_mail = false;
  EXPECT_EQ(to_json(alert, kNow)["partner"]["ours"].size(), 1U) << "no mail waits";
  alert.finding.code = Code::policy_override;
  EXPECT_EQ(to_json(alert, kNow)["partner"], nullptr) << "an exception of our own";
}

TEST(AlertJson, SaysWhenMailBeginsToBounceWhileItWaits) {
  auto alert = refusal();
  EXPECT_EQ(to_json(alert, kNow)["bounces_at"], "2027-01-20T07:00:00Z")
      << "five days after it was refused first";
  alert.state = AlertState::resolved;
  EXPECT_EQ(to_json(alert, kNow)["bounces_at"], nullptr);
  EXPECT_EQ(to_json(alert, kNow)["remedy"]["recovers_at"], nullptr);
  alert = refusal();
  alert.hits[0].holds_mail = false;
  EXPECT_EQ(to_json(alert, kNow)["bounces_at"], nullptr) << "another host takes it";
}

TEST(AlertJson, ListsWhatFollowsFromIt) {
  const auto json = to_json(refusal(), kNow);
  ASSERT_EQ(json["consequences"].size(), 1U);
  EXPECT_EQ(json["consequences"][0]["code"], "stale-cache-window");
  EXPECT_THAT(json["consequences"][0]["title"].get<std::string>(),
              testing::StartsWith("mx.a.test: caches may hold"));
  EXPECT_EQ(to_json(pending(), kNow)["remedy"], nullptr);
}

TEST(AlertJson, NamesWhatFollowsByWhatIsKnownOfIt) {
  auto split = pending();
  split.finding.code = Code::nameserver_split;
  split.finding.gaps = {{.server = "ns1 (192.0.2.53)", .lacks = {"3 1 1 ab"}, .is_refusing = true}};
  split.finding.consequences = {{Code::early_retire, split.finding.subject}};
  EXPECT_EQ(to_json(split, kNow)["consequences"][0]["title"],
            "mx.a.test: the TLSA record of the key in use was removed at ns1 (192.0.2.53)");
  split.finding.code = Code::starttls_stripped;
  split.finding.gaps.clear();
  split.finding.consequences = {{Code::tlsa_mismatch, split.finding.subject}};
  EXPECT_EQ(to_json(split, kNow)["consequences"][0]["title"],
            "mx.a.test: the certificate matches no TLSA record (as last seen)");
}

TEST(AlertJson, TellsTheMomentsOfItsLife) {
  auto alert = pending();
  alert.state = AlertState::resolved;
  alert.direction = config::Role::outbound;
  alert.opened_at = kNow + hours{2};
  alert.told_at = kNow + hours{3};
  alert.resolved_at = kNow + hours{4};
  const auto json = to_json(alert, kNow);
  EXPECT_EQ(json["state"], "resolved");
  EXPECT_EQ(json["direction"], "outbound");
  EXPECT_EQ(json["opened_at"], "2027-01-15T10:00:00Z");
  EXPECT_EQ(json["told_at"], "2027-01-15T11:00:00Z");
  EXPECT_EQ(json["resolved_at"], "2027-01-15T12:00:00Z");
}

TEST(AlertJson, SaysWhetherItFlaps) {
  auto alert = pending();
  while (!is_flapping(alert) && alert.relapses < 100) {
    EXPECT_EQ(to_json(alert, kNow)["flapping"], false);
    ++alert.relapses;
  }
  EXPECT_EQ(to_json(alert, kNow)["flapping"], true);
  EXPECT_EQ(to_json(alert, kNow)["relapses"], alert.relapses);
}

TEST(AlertJson, SaysWhoHasItInHand) {
  auto alert = pending();
  alert.acknowledged = {.by = "eve", .comment = "on it", .at = kNow, .until = kNow + hours{1}};
  EXPECT_EQ(to_json(alert, kNow)["acknowledged"], Json({{"by", "eve"},
                                                        {"comment", "on it"},
                                                        {"at", "2027-01-15T08:00:00Z"},
                                                        {"until", "2027-01-15T09:00:00Z"}}));
  alert.acknowledged->until.reset();
  EXPECT_EQ(to_json(alert, kNow)["acknowledged"]["until"], nullptr) << "to the end of the alert";
}

TEST(AlertJson, ShowsNothingFromOutsideAsItCame) {
  const std::string hostile = "\x1b[31m\xff\r\n\u202e";
  const std::string harmless = "\\x1b[31m\\xff\\x0d\\x0a\\xe2\\x80\\xae";
  auto alert = pending();
  alert.cause.name = alert.hits[0].subject.name = hostile;
  alert.finding.evidence = {{"reply", hostile}, {"reply", hostile}, {"banner", hostile}};
  const auto json = to_json(alert, kNow);
  EXPECT_EQ(json["subject"]["name"], harmless);
  EXPECT_EQ(json["hits"][0]["subject"]["name"], harmless);
  EXPECT_EQ(json["evidence"]["reply"], Json({harmless, harmless}));
  EXPECT_EQ(json["evidence"]["banner"], harmless);
}

TEST(LetterJson, HoldsTheAlertAsItWas) {
  const Notification notification{.id = "1/opened/2/chat",
                                  .notifier = "chat",
                                  .notice = Notice::reminded,
                                  .at = kNow,
                                  .reason = "open since",
                                  .alert = pending()};
  const auto json = to_json(notification);
  EXPECT_EQ(json["schema"], "danelaw.notification/1");
  EXPECT_EQ(json["id"], "1/opened/2/chat");
  EXPECT_EQ(json["event"], "reminded");
  EXPECT_EQ(json["reason"], "open since");
  EXPECT_EQ(json["alert"], to_json(pending(), kNow));
  EXPECT_EQ(link_to("http://page.test", "a.1"), "http://page.test/alerts#a.1");
}

TEST(ExceptionJson, HasTheLineAndItsEnd) {
  EXPECT_EQ(
      to_json(agent::Exception{
          .domain = "a.test", .level = "encrypt", .made_at = kNow, .until = kNow + hours{72}}),
      Json({{"domain", "a.test"},
            {"level", "encrypt"},
            {"line", "a.test encrypt"},
            {"made_at", "2027-01-15T08:00:00Z"},
            {"until", "2027-01-18T08:00:00Z"}}));
}

// ---- silences

const std::string kKey(64, '0');
constexpr auto* kEnd = R"("ends_at":"2027-01-15T09:00:00Z")";
constexpr auto* kMatchers = R"("matchers":[{"name":"mx","value":"mx.a.test"}])";

std::string object(std::initializer_list<std::string> members) {
  std::string out;
  for (const auto& member : members) out += (out.empty() ? "{" : ",") + member;
  return out + "}";
}

TEST(SilenceJson, NeedsMatchersAndAnEndOnly) {
  const auto silence = silence_from_json(object({kMatchers, kEnd}), kNow);
  ASSERT_TRUE(silence) << silence.error();
  EXPECT_EQ(*silence, (Silence{.matchers = {{.name = "mx", .value = "mx.a.test"}},
                               .starts_at = kNow,
                               .ends_at = kNow + hours{1}}));
}

TEST(SilenceJson, EveryMemberReachesItsField) {
  const auto silence = silence_from_json(
      R"({"matchers":[{"name":"domain","value":"a|b","is_regex":true,"is_equal":false}],
          "starts_at":"2027-01-15T08:30:00Z","ends_at":"2027-01-15T09:00:00Z",
          "created_by":"eve","comment":"new key","expected_key":")" +
          kKey + "\"}",
      kNow);
  ASSERT_TRUE(silence) << silence.error();
  const Matcher matcher{.name = "domain", .value = "a|b", .is_regex = true, .is_equal = false};
  EXPECT_THAT(silence->matchers, ElementsAre(matcher));
  EXPECT_EQ(silence->starts_at, kNow + std::chrono::minutes{30});
  EXPECT_EQ(silence->ends_at, kNow + hours{1});
  EXPECT_EQ(silence->created_by, "eve");
  EXPECT_EQ(silence->comment, "new key");
  EXPECT_EQ(silence->expected_key, kKey);
}

TEST(SilenceJson, ReadsBackWhatItWrote) {
  const auto text = object({R"("matchers":[{"name":"mx","value":"a\\.test|ü","is_regex":true}])",
                            kEnd, "\"expected_key\":\"" + kKey + "\"", R"("comment":"why")"});
  const auto once = silence_from_json(text, kNow);
  ASSERT_TRUE(once) << once.error();
  auto json = to_json(*once, kNow);
  json.erase("id");
  json.erase("state");
  const auto again = silence_from_json(json.dump(), kNow);
  ASSERT_TRUE(again) << again.error();
  EXPECT_EQ(*again, *once);
}

struct StateCase {
  const char* want;
  config::Seconds later;
};

TEST(SilenceJson, SaysWhetherItIsToComeActiveOrEnded) {
  const Silence silence{.starts_at = kNow, .ends_at = kNow + hours{1}};
  for (const auto& row : {StateCase{.want = "pending", .later = config::Seconds{-1}},
                          StateCase{.want = "active", .later = config::Seconds{0}},
                          StateCase{.want = "active", .later = config::Seconds{3599}},
                          StateCase{.want = "ended", .later = config::Seconds{3600}}}) {
    EXPECT_EQ(to_json(silence, kNow + row.later)["state"], row.want) << row.later.count();
    EXPECT_EQ(is_active(silence, kNow + row.later), std::string_view(row.want) == "active");
  }
}

struct RefusalCase {
  const char* says;
  std::string text;
  const char* want;  // a piece of the complaint
};

std::string of_matcher(const std::string& matcher) {
  return object({"\"matchers\":[" + matcher + "]", kEnd});
}

TEST(SilenceJson, IsRefusedWithTheReason) {
  std::string many;
  for (int i = 0; i < 21; ++i) many += std::string(i == 0 ? "" : ",") + R"({"name":"mx"})";
  const RefusalCase rows[] = {
      {.says = "no text", .text = "", .want = "ends_at: every silence has an end"},
      {.says = "no JSON", .text = "{", .want = "send one JSON object"},
      {.says = "a list", .text = "[]", .want = "send one JSON object"},
      {.says = "two objects", .text = "{}{}", .want = "send one JSON object"},
      {.says = "not UTF-8", .text = "{\"comment\":\"\xff\"}", .want = "send one JSON object"},
      {.says = "a member nobody knows, escaped",
       .text = object({kMatchers, kEnd, R"("\u001bx":1)"}),
       .want = "unknown member \\x1bx"},
      {.says = "the id is ours to give",
       .text = object({kMatchers, kEnd, R"("id":"a")"}),
       .want = "unknown member id"},
      {.says = "no matcher", .text = object({kEnd}), .want = "would silence everything"},
      {.says = "an empty list of them",
       .text = object({R"("matchers":[])", kEnd}),
       .want = "would silence everything"},
      {.says = "matchers that are no list",
       .text = object({R"("matchers":{})", kEnd}),
       .want = "matchers: give a list"},
      {.says = "a matcher that is a text", .text = of_matcher(R"("mx")"), .want = "matchers: send"},
      {.says = "a matcher with a typing error, which would else match more than was meant",
       .text = of_matcher(R"({"name":"mx","value":"a","isRegex":true})"),
       .want = "matchers: unknown member isRegex"},
      {.says = "a flag that is a number",
       .text = of_matcher(R"({"name":"mx","value":"a","is_equal":1})"),
       .want = "matchers: is_equal: give true or false"},
      {.says = "a value that is a number",
       .text = of_matcher(R"({"name":"mx","value":1})"),
       .want = "matchers: value: give a text"},
      {.says = "a matcher of no label", .text = of_matcher(R"({"value":"a"})"), .want = "name"},
      {.says = "a line break in a value",
       .text = of_matcher(R"({"name":"mx","value":"a\nb"})"),
       .want = "control characters"},
      {.says = "a pattern that is none",
       .text = of_matcher(R"({"name":"mx","value":"(","is_regex":true})"),
       .want = "the pattern of mx cannot be read"},
      {.says = "too many matchers",
       .text = object({"\"matchers\":[" + many + "]", kEnd}),
       .want = "more matchers than make sense"},
      {.says = "a time without a zone",
       .text = object({kMatchers, R"("ends_at":"2027-01-15T09:00:00")"}),
       .want = "ends_at: give a time as"},
      {.says = "a time in seconds",
       .text = object({kMatchers, R"("ends_at":1800003600)"}),
       .want = "ends_at: give a time as"},
      {.says = "no end", .text = object({kMatchers}), .want = "every silence has an end"},
      {.says = "an end before its start",
       .text = object({kMatchers, kEnd, R"("starts_at":"2027-01-15T09:00:00Z")"}),
       .want = "it ends before it starts"},
      {.says = "over already",
       .text = object({kMatchers, R"("starts_at":"2027-01-15T07:00:00Z")",
                       R"("ends_at":"2027-01-15T08:00:00Z")"}),
       .want = "over already"},
      {.says = "a key in capitals",
       .text = object({kMatchers, kEnd, "\"expected_key\":\"" + std::string(64, 'A') + "\""}),
       .want = "expected_key: give the SHA2-256"},
      {.says = "a key of a digit too many",
       .text = object({kMatchers, kEnd, "\"expected_key\":\"" + std::string(65, '0') + "\""}),
       .want = "expected_key: give the SHA2-256"},
      {.says = "a comment that is a novel",
       .text = object({kMatchers, kEnd, "\"comment\":\"" + std::string(1001, 'a') + "\""}),
       .want = "comment: longer than 1000"},
  };
  for (const auto& row : rows) {
    const auto silence = silence_from_json(row.text, kNow);
    ASSERT_FALSE(silence) << row.says;
    EXPECT_THAT(silence.error(), HasSubstr(row.want)) << row.says;
  }
}

TEST(SilenceJson, AWindowForAKeyThatWasNotGivenDoesNotSilenceEveryKey) {
  const auto silence = silence_from_json(object({kMatchers, kEnd, R"("expected_key":"")"}), kNow);
  ASSERT_FALSE(silence) << "a script whose variable was empty";
  EXPECT_THAT(silence.error(), HasSubstr("expected_key: give the SHA2-256"));
  EXPECT_TRUE(silence_from_json(object({kMatchers, kEnd, R"("expected_key":null)"}), kNow))
      << "null is none";
}

TEST(SilenceJson, DeepNestingIsRefusedWithoutAStack) {
  constexpr std::size_t kDeep = 1'000'000;
  const auto text =
      object({"\"matchers\":[" + std::string(kDeep, '[') + std::string(kDeep, ']') + "]", kEnd});
  const auto silence = silence_from_json(text, kNow);
  ASSERT_FALSE(silence);
  EXPECT_THAT(silence.error(), HasSubstr("matchers"));
}

TEST(SilenceJson, ShowsTheWordsOfOthersEscaped) {
  const auto silence = silence_from_json(
      object({kMatchers, kEnd, R"("created_by":"\u001b[31m")", R"("comment":"a\r\n\u202e")"}),
      kNow);
  ASSERT_TRUE(silence) << silence.error();
  EXPECT_EQ(silence->created_by, "\\x1b[31m");
  EXPECT_EQ(silence->comment, "a\\x0d\\x0a\\xe2\\x80\\xae");
}

// ---- acknowledgements

TEST(AcknowledgementJson, MayBeEmpty) {
  for (const auto* text : {"", "{}", R"({"by":null,"comment":null,"until":null})"}) {
    const auto ack = acknowledgement_from_json(text, kNow);
    ASSERT_TRUE(ack) << text;
    EXPECT_EQ(*ack, Acknowledgement{.at = kNow}) << text;
  }
}

TEST(AcknowledgementJson, EveryMemberReachesItsField) {
  const auto ack = acknowledgement_from_json(
      R"({"by":"eve","comment":"on\nit","until":"2027-01-15T09:00:00Z"})", kNow);
  ASSERT_TRUE(ack) << ack.error();
  EXPECT_EQ(*ack, (Acknowledgement{
                      .by = "eve", .comment = "on\\x0ait", .at = kNow, .until = kNow + hours{1}}));
}

TEST(AcknowledgementJson, IsRefusedWithTheReason) {
  const RefusalCase rows[] = {
      {.says = "no JSON", .text = "by=eve", .want = "send one JSON object"},
      {.says = "null", .text = "null", .want = "send one JSON object"},
      {.says = "a member nobody knows", .text = R"({"at":1})", .want = "unknown member at"},
      {.says = "by a number", .text = R"({"by":1})", .want = "by: give a text"},
      {.says = "an end without a zone",
       .text = R"({"until":"tomorrow"})",
       .want = "until: give a time as 2026-01-02T03:04:05Z"},
      {.says = "over already",
       .text = R"({"until":"2027-01-15T08:00:00Z"})",
       .want = "until: it is over already"},
      {.says = "a novel",
       .text = "{\"comment\":\"" + std::string(1001, 'a') + "\"}",
       .want = "comment: longer than 1000"},
  };
  for (const auto& row : rows) {
    const auto ack = acknowledgement_from_json(row.text, kNow);
    ASSERT_FALSE(ack) << row.says;
    EXPECT_THAT(ack.error(), HasSubstr(row.want)) << row.says;
  }
}

}  // namespace
