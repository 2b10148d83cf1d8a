#include "agent/hindsight/renewal_forecast.h"

#include <algorithm>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "agent/foresight/next_key.h"
#include "agent/rollover/rollover.h"
#include "probes/dane/tlsa.h"
#include "tests/support/past.h"

namespace {

using agent::Chain;
using config::Time;
using probes::Code;
using std::chrono::days;
using std::chrono::hours;
using support::Issued;
using support::issued_at;
using support::Key;
using support::kNow;
using support::Past;
using support::Pki;
using support::record;
using testing::ElementsAre;
using testing::IsEmpty;

const Key& key(std::size_t i) {
  static const Key keys[] = {Key::ecdsa(), Key::ecdsa(), Key::ecdsa(), Key::ecdsa()};
  return keys[i];
}

Issued authority(const std::string& name, const std::string& organisation) {
  return issue({.common_name = name, .is_ca = true, .organisation = organisation}, Key::ecdsa(),
               Pki::get().root);
}
const Issued& e5() {
  static const auto out = authority("E5", "Testcrypt");
  return out;
}
const Issued& e6() {
  static const auto out = authority("E6", "Testcrypt");
  return out;
}
const Issued& other_issuer() {
  static const auto out = authority("G1", "Elsewhere");
  return out;
}

struct Renewed {
  std::size_t key;
  const Issued& by = Pki::get().inter;
};
// The combination of a record, and the certificate it is made from: the served leaf, its issuer.
struct Wanted {
  int usage, selector;
  const Issued* of = nullptr;  // none: the leaf served last
};

struct Row {
  std::string_view id;
  std::string_view says;
  std::vector<Renewed> renewed;  // one every 60 days, the last one 60 days before kNow
  std::vector<Wanted> published = {{.usage = 3, .selector = 1}};
  std::optional<days> next_since = std::nullopt;  // a record that fits nothing yet, so long before
  days at{0};                                     // after kNow
  std::vector<std::string> want;
};

Past past_of(const Row& row) {
  const auto at = kNow + row.at;
  std::vector<Chain> chains;
  std::vector<Time> looks{at};
  auto issued = kNow - days{60} * std::ssize(row.renewed);
  for (const auto& one : row.renewed) {
    chains.push_back(issued_at(issued, key(one.key), one.by));
    looks.push_back(issued);
    issued += days{60};
  }
  Past::Records records;
  for (const auto& wanted : row.published) {
    const auto& of = wanted.of == nullptr ? *chains.back().front() : *wanted.of->certificate;
    records.push_back(record(wanted.usage, wanted.selector, 1, of));
  }
  auto with_next = records;
  with_next.push_back(record(3, 1, 1, *Pki::get().leaf.certificate));
  const auto next_since = row.next_since ? at - *row.next_since : agent::kNever;
  if (row.next_since) looks.push_back(next_since);
  std::ranges::sort(looks);
  Past past;
  std::size_t worn = 0;
  for (const auto look : looks) {
    while (worn + 1 < chains.size() && chains[worn + 1].front()->not_before <= look) ++worn;
    past.look(look, Past::give(look < next_since ? records : with_next), chains[worn]);
  }
  return past;
}

probes::HistoryFindings predict(const Past& past, Time at,
                                const agent::RenewalBook& renewals = {}) {
  const agent::Rollovers rollovers{history_of(past.host_history, {"mx.example.test"})};
  return agent::predict(past.host_history, rollovers.history(), rollovers.at(at), renewals,
                        "mx.example.test");
}

std::vector<std::string> codes_of(const probes::HistoryFindings& known) {
  std::vector<std::string> out;
  for (const auto& finding : known.findings)
    out.push_back(fmt::format("{}/{}", wire_name(finding.code), wire_name(finding.severity)));
  return out;
}

std::string evidence_of(const probes::HistoryFindings& known, std::string_view name) {
  for (const auto& finding : known.findings) {
    for (const auto& evidence : finding.evidence) {
      if (evidence.name == name) return evidence.value;
    }
  }
  return "none";
}

const std::vector<Row>& rows() {
  static const std::vector<Row> all{
      {.id = "R-31",
       .says = "a new key at every renewal, due now, and no next record: RFC 7671 §8.1",
       .renewed = {{0}, {1}, {2}},
       .want = {"predicted-mismatch/high"}},
      {.id = "R-31",
       .says = "three days and two TTLs before it, it is urgent",
       .renewed = {{0}, {1}, {2}},
       .at = days{-3},
       .want = {"predicted-mismatch/high"}},
      {.id = "R-31",
       .says = "two weeks before the last moment to publish it can be planned",
       .renewed = {{0}, {1}, {2}},
       .at = days{-10},
       .want = {"predicted-mismatch/medium"}},
      {.id = "R-31",
       .says = "before that nobody need know",
       .renewed = {{0}, {1}, {2}},
       .at = days{-20},
       .want = {}},
      {.id = "R-31",
       .says = "the next record is published: all is well",
       .renewed = {{0}, {1}, {2}},
       .next_since = days{1},
       .want = {}},
      {.id = "R-27",
       .says = "a record that has fitted nothing for 200 days is not that of the next key",
       .renewed = {{0}, {1}, {2}, {3}},
       .next_since = days{200},
       .want = {"predicted-mismatch/high"}},
      {.id = "R-31",
       .says = "a renewal left out and the next one due: that habit has ended",
       .renewed = {{0}, {1}, {2}},
       .at = days{60},
       .want = {}},
      {.id = "R-31", .says = "a single certificate shows no habit", .renewed = {{0}}, .want = {}},
      {.id = "R-14",
       .says = "renewed with the same key a 3 1 1 record fits: RFC 7671 §5.1",
       .renewed = {{0}, {0}, {0}},
       .want = {}},
      {.id = "R-14",
       .says = "the key has been kept of late",
       .renewed = {{0}, {1}, {1}, {1}},
       .want = {}},
      {.id = "R-15",
       .says = "a 3 0 1 record fits no renewed certificate, even with the same key",
       .renewed = {{0}, {0}, {0}},
       .published = {{.usage = 3, .selector = 0}},
       .want = {"predicted-mismatch/high"}},
      {.id = "R-11",
       .says = "new keys, but the issuer has always been the one that 2 1 1 names",
       .renewed = {{0}, {1}, {2}},
       .published = {{.usage = 3, .selector = 1},
                     {.usage = 2, .selector = 1, .of = &Pki::get().inter}},
       .want = {}},
      {.id = "R-12",
       .says = "the issuer signs with two keys, 2 1 1 names that of today",
       .renewed = {{0, e5()}, {1, e6()}, {2, e5()}},
       .published = {{.usage = 3, .selector = 1}, {.usage = 2, .selector = 1, .of = &e5()}},
       .want = {"predicted-mismatch/high"}},
      {.id = "R-12",
       .says = "it names both",
       .renewed = {{0, e5()}, {1, e6()}, {2, e5()}},
       .published = {{.usage = 2, .selector = 1, .of = &e5()},
                     {.usage = 2, .selector = 1, .of = &e6()}},
       .want = {}},
      {.id = "R-12",
       .says = "another issuer than before was a choice",
       .renewed = {{0, other_issuer()}, {1, e6()}, {2, e6()}},
       .published = {{.usage = 2, .selector = 1, .of = &e6()}},
       .want = {}},
      {.id = "R-06",
       .says = "what does not fit now is told as that",
       .renewed = {{0}, {1}, {2}},
       .published = {{.usage = 3, .selector = 1, .of = &e5()}},
       .want = {}},
      {.id = "A-02",
       .says = "no record, nothing to fit",
       .renewed = {{0}, {1}, {2}},
       .published = {},
       .want = {}},
      {.id = "E-04",
       .says = "2 1 1 alone needs a valid certificate, and the renewal is long overdue",
       .renewed = {{0}, {0}, {0}},
       .published = {{.usage = 2, .selector = 1, .of = &Pki::get().inter}},
       .at = days{16},
       .want = {"certificate-expiring/high"}},
      {.id = "E-04",
       .says = "it is a little late",
       .renewed = {{0}, {0}, {0}},
       .published = {{.usage = 2, .selector = 1, .of = &Pki::get().inter}},
       .at = days{14},
       .want = {}},
      {.id = "E-04",
       .says = "two days are left, with no habit known",
       .renewed = {{0}},
       .published = {{.usage = 2, .selector = 1, .of = &Pki::get().inter}},
       .at = days{28},
       .want = {"certificate-expiring/high"}},
      {.id = "E-01",
       .says = "3 1 1 fits: the end of the certificate is nobody's trouble, RFC 7672 §3.1.1",
       .renewed = {{0}, {0}, {0}},
       .at = days{29},
       .want = {}},
  };
  return all;
}

TEST(Predict, SaysOfTheNextRenewalWhatHabitTells) {
  for (const auto& row : rows()) {
    SCOPED_TRACE(fmt::format("{}: {}", row.id, row.says));
    EXPECT_EQ(codes_of(predict(past_of(row), kNow + row.at)), row.want);
  }
}

// What a CA says of the certificate served last.
agent::RenewalBook told_of(const Past& past, std::chrono::days start,
                           std::optional<std::chrono::days> moved_from = {}) {
  const auto leaf = presented_by(past.host_history).front();
  const auto window = [](std::chrono::days at) {
    return agent::RenewalWindow{.start = kNow + at, .end = kNow + at + days{2}};
  };
  agent::RenewalAdvice told{.certificate = probes::dane::to_hex(leaf->sha256),
                            .not_after = leaf->not_after,
                            .window = window(start)};
  if (moved_from) told.moved_from = window(*moved_from);
  return {{told.certificate, told}};
}

struct SuggestedRow {
  std::string_view says;
  std::vector<Renewed> renewed;
  days start;  // after kNow
  std::optional<days> moved_from = std::nullopt;
  std::vector<Wanted> published = {{.usage = 3, .selector = 1}};
  std::optional<days> next_since = std::nullopt;
  std::vector<std::string> want;
};

TEST(Predict, GoesByWhatTheCaSuggestsBeforeHabit) {
  // The last of them was issued 60 days ago, and lives for 90.
  const std::vector<SuggestedRow> rows{
      {.says = "habit says now, the CA in three weeks: nobody need know yet",
       .renewed = {{0}, {1}},
       .start = days{21},
       .want = {}},
      {.says = "the CA says in ten days",
       .renewed = {{0}, {1}},
       .start = days{10},
       .want = {"predicted-mismatch/medium"}},
      {.says =
           "two renewals came well before that: who renews by a schedule of their own goes by it",
       .renewed = {{0}, {1}, {2}},
       .start = days{10},
       .want = {"predicted-mismatch/high"}},
      {.says = "a window over for weeks was not heeded: habit",
       .renewed = {{0}, {1}},
       .start = days{-16},
       .want = {"predicted-mismatch/high"}},
      {.says = "a first certificate whose key may be kept: nothing is foretold",
       .renewed = {{0}},
       .start = days{2},
       .want = {}},
      {.says = "but a record of the whole certificate fits no other",
       .renewed = {{0}},
       .start = days{2},
       .published = {{.usage = 3, .selector = 0}},
       .want = {"predicted-mismatch/high"}},
      {.says = "the CA moved it to tomorrow, and the next key has no record",
       .renewed = {{0}, {1}},
       .start = days{1},
       .moved_from = days{20},
       .want = {"predicted-mismatch/high", "renewal-urgent/high"}},
      {.says = "it was moved, but is far off: no hurry",
       .renewed = {{0}, {0}},
       .start = days{10},
       .moved_from = days{20},
       .want = {}},
      {.says = "nobody knows whether the key will change",
       .renewed = {{0}},
       .start = days{-1},
       .moved_from = days{20},
       .want = {"renewal-urgent/medium"}},
      {.says = "the key is kept at renewals",
       .renewed = {{0}, {0}, {0}},
       .start = days{-1},
       .moved_from = days{20},
       .want = {"renewal-urgent/low"}},
      {.says = "the next record is published",
       .renewed = {{0}, {1}, {2}},
       .start = days{-1},
       .moved_from = days{20},
       .next_since = days{1},
       .want = {"renewal-urgent/low"}},
      {.says = "2 1 1 vouches for whatever comes",
       .renewed = {{0}},
       .start = days{-1},
       .moved_from = days{20},
       .published = {{.usage = 2, .selector = 1, .of = &Pki::get().inter}},
       .want = {"renewal-urgent/low"}},
      {.says = "asked for the first time, and the window lies in the certificate's first half",
       .renewed = {{0}},
       .start = days{-50},
       .want = {"renewal-urgent/medium"}},
      {.says =
           "asked for the first time, the usual window is just over: an ordinary renewal is due",
       .renewed = {{0}},
       .start = days{-3},
       .want = {}},
  };
  for (const auto& row : rows) {
    SCOPED_TRACE(row.says);
    const auto past = past_of({.id = "ARI",
                               .says = row.says,
                               .renewed = row.renewed,
                               .published = row.published,
                               .next_since = row.next_since});
    EXPECT_EQ(codes_of(predict(past, kNow, told_of(past, row.start, row.moved_from))), row.want);
  }
}

TEST(Predict, NamesTheSourceOfTheDate) {
  const auto past = past_of({.renewed = {{0}, {1}}});
  const auto by_ca = predict(past, kNow, told_of(past, days{10}));
  ASSERT_FALSE(by_ca.findings.empty());
  EXPECT_EQ(by_ca.findings.front().due_source, "ari");
  EXPECT_EQ(evidence_of(by_ca, "expected-renewal"), config::rfc3339(kNow + days{10}));
  EXPECT_EQ(predict(past, kNow).findings.front().due_source, "habit");
  const auto moved = predict(past, kNow, told_of(past, days{1}, days{20}));
  EXPECT_EQ(evidence_of(moved, "suggested-before"), config::rfc3339(kNow + days{20}));
}

TEST(Predict, SaysWhenWhyAndByWhen) {
  const auto known = predict(past_of({.renewed = {{0}, {1}, {2}}}), kNow);
  EXPECT_EQ(evidence_of(known, "expected-renewal"), config::rfc3339(kNow));
  EXPECT_EQ(evidence_of(known, "publish-by"), config::rfc3339(kNow - hours{2})) << "two TTLs";
  EXPECT_EQ(known.findings.front().due_at, kNow - hours{2}) << "what the program goes by";
  EXPECT_EQ(evidence_of(known, "because"),
            "the key changes at every renewal; renewed about every 60 days");
  EXPECT_EQ(evidence_of(known, "renewals-seen"), "2");
}

// Records that show how they were made wrongly are no records of the next key.
TEST(Predict, ARecordThatWillNeverFitIsNoNextKey) {
  using namespace probes::dane;
  const auto shown = issued_at(kNow - days{60}, key(2));
  const TlsaRecord of_nothing{.usage = 3,
                              .selector = 1,
                              .matching_type = 1,
                              .data = probes::tls::digest(probes::tls::Digest::sha256, {})};
  const TlsaRecord wrong_selector{
      .usage = 3, .selector = 1, .matching_type = 1, .data = record(3, 0, 1, *shown.front()).data};
  const auto sound = record(3, 1, 1, *Pki::get().leaf.certificate);
  for (const auto& next : {of_nothing, wrong_selector, sound}) {
    SCOPED_TRACE(to_text(next));
    auto past = past_of({.renewed = {{0}, {1}, {2}}});
    past.look(kNow - days{1}, Past::give({record(3, 1, 1, *shown.front()), next}), shown);
    const auto wanted = next == sound ? std::vector<std::string>{}
                                      : std::vector<std::string>{"predicted-mismatch/high"};
    EXPECT_EQ(codes_of(predict(past, kNow)), wanted);
  }
}

TEST(Predict, LooksAtTheEndpointThatIsRenewedFirst) {
  auto past = past_of({.renewed = {{0}, {1}}});
  const auto first = issued_at(kNow - days{80}, key(2));
  const auto second = issued_at(kNow - days{30}, key(3));
  past.show(kNow - days{80}, "192.0.2.2/default", first)
      .show(kNow - days{30}, "192.0.2.2/default", second);
  past.look(kNow, Past::give({record(3, 1, 1, *issued_at(kNow, key(1)).front()),
                              record(3, 1, 1, *second.front())}));
  const auto known = predict(past, kNow);
  EXPECT_EQ(evidence_of(known, "expected-renewal"), config::rfc3339(kNow));
}

TEST(Predict, WhileTheFirstOfTwoServersIsSwitchedTheSecondIsNoSurprise) {
  auto past = past_of({.renewed = {{0}, {1}, {2}}});
  const auto before = past.host_history.endpoints.at("192.0.2.1/default").back().what;
  const auto after = issued_at(kNow, key(3));
  past.show(kNow, "192.0.2.2/default", before).show(kNow, "192.0.2.1/default", after);
  past.look(kNow, Past::give({record(3, 1, 1, *before.front()), record(3, 1, 1, *after.front())}));
  EXPECT_THAT(codes_of(predict(past, kNow)), IsEmpty());
}

struct Signing {
  std::string_view id;
  std::string_view says;
  days validity;
  hours renewed_before;  // the end, time and again
  hours left;            // now
  config::Seconds ttl = Past::kTtl;
  std::vector<std::string> want;
};

TEST(Predict, KnowsWhenASignatureIsLateByTheHabitOfItsZone) {
  const std::vector<Signing> signings{
      {"H-09",
       "renewed at 7 days for once it has 36 hours",
       days{14},
       days{7},
       hours{36},
       Past::kTtl,
       {"rrsig-expiring/high"}},
      {"H-09",
       "5 days left: the signer may be stuck",
       days{14},
       days{7},
       days{5},
       Past::kTtl,
       {"rrsig-expiring/medium"}},
      {"H-09", "6 days left: looks come and go", days{14}, days{7}, days{6}, Past::kTtl, {}},
      {"H-10",
       "short by design: 20 hours are what it always comes to",
       days{3},
       hours{16},
       hours{17},
       Past::kTtl,
       {}},
      {"H-10",
       "long, and renewed in the last day as ever",
       days{14},
       hours{20},
       hours{20},
       Past::kTtl,
       {}},
      {"H-08",
       "whatever the habit, caches need two TTLs: RFC 6781 §4.4.2",
       days{14},
       hours{20},
       hours{20},
       hours{12},
       {"rrsig-expiring/high"}},
  };
  for (const auto& row : signings) {
    SCOPED_TRACE(fmt::format("{}: {}", row.id, row.says));
    const auto chain = issued_at(kNow - days{60}, key(0));
    Past past;
    past.look(kNow - days{60}, Past::give({record(3, 1, 1, *chain.front())}, row.ttl), chain);
    auto until = kNow + row.left;
    std::vector<Time> ends{until};
    for (int i = 0; i < 3; ++i) ends.push_back(until -= row.validity - row.renewed_before);
    for (auto end = ends.rbegin(); end != ends.rend(); ++end)
      past.sign(*end - row.validity, *end)
          .sign(end + 1 == ends.rend() ? kNow : *end - row.renewed_before, *end);
    const auto known = predict(past, kNow);
    EXPECT_EQ(codes_of(known), row.want);
    EXPECT_THAT(known.overruled, ElementsAre(Code::rrsig_expiring));
  }
}

// Three signatures, each renewed at seven days of fourteen; the last one seen when it was made.
Past signed_thrice(const Past::Records& records, const Chain& chain) {
  Past past;
  past.look(kNow, Past::give(records), chain);
  for (int week = 0; week < 3; ++week) {
    if (week > 0) past.sign(kNow + days{7 * week}, kNow + days{7 * week + 7});
    past.sign(kNow + days{7 * week}, kNow + days{7 * week + 14});
  }
  return past;
}

TEST(Predict, CallsNoSignatureLateThatNobodyLookedForSince) {
  const auto chain = issued_at(kNow, key(0));
  const auto past = signed_thrice({record(3, 1, 1, *chain.front())}, chain);
  EXPECT_THAT(predict(past, kNow + days{15}).overruled, ElementsAre(Code::rrsig_expiring));
  const auto late = predict(past, kNow + days{26});
  EXPECT_THAT(codes_of(late), IsEmpty()) << "it may have been signed anew";
  EXPECT_THAT(late.overruled, IsEmpty());
}

TEST(Predict, CallsNoSignatureLateThatCoversNothingNow) {
  const auto past = signed_thrice({}, issued_at(kNow, key(0)));
  EXPECT_THAT(predict(past, kNow + days{15}).overruled, IsEmpty());
}

TEST(Predict, LeavesSignaturesToTheLookWhileTheirHabitIsNotKnown) {
  auto past = past_of({.renewed = {{0}}});
  past.sign(kNow - days{1}, kNow + hours{1}).sign(kNow, kNow + hours{1});
  EXPECT_THAT(predict(past, kNow).overruled, IsEmpty());
}

}  // namespace
