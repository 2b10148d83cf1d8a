#include "agent/hindsight/issuer_forecast.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/past.h"

namespace {

using namespace agent;
using config::Seconds;
using std::chrono::hours;
using support::CertificatePlan;
using support::Issued;
using support::Key;
using support::kNow;
using support::Past;
using support::record;
using testing::ElementsAre;

constexpr Seconds kDay = hours{24};
constexpr auto kMx = "mx.example.test";

// A CA with an old intermediate and one of the next generation.
struct Authority {
  Issued root = support::self_signed(
      {.common_name = "Root X", .is_ca = true, .organisation = "Encrypt Us"}, Key::ecdsa());
  Issued old_one = intermediate("R12", kNow - kDay * 500);
  Issued sibling = intermediate("R13", kNow - kDay * 500);
  Issued next = intermediate("YR1", kNow - kDay * 40);

  [[nodiscard]] Issued intermediate(const std::string& name, config::Time at) const {
    return support::issue({.common_name = name,
                           .not_before = at,
                           .not_after = at + kDay * 1000,
                           .is_ca = true,
                           .organisation = "Encrypt Us"},
                          Key::ecdsa(), root);
  }
};

const Authority& ca() {
  static const Authority made;
  return made;
}

Chain leaf_of(const Issued& by, config::Time at, const std::string& name = kMx) {
  const auto leaf = support::issue(
      {.common_name = name, .dns_names = {name}, .not_before = at, .not_after = at + kDay * 90},
      Key::ecdsa(), by);
  return {leaf.certificate, by.certificate};
}

probes::dane::TlsaRecord anchor(const Issued& of) {
  return record(2, 1, 1, *of.certificate);
}

// A host that renews every 60 days, the last time `ago`, from the old intermediate.
Past relying_on(Past::Records records, Seconds ago = kDay * 50) {
  Past out;
  const auto last = kNow - ago;
  out.look(last - kDay * 60, Past::give(records), leaf_of(ca().old_one, last - kDay * 60))
      .look(last, Past::give(records), leaf_of(ca().old_one, last))
      .look(kNow, Past::give(records));
  return out;
}

std::optional<probes::Finding> foreseen(const Past& past, const IssuerBook& issuers) {
  return find_uncovered_issuer(past.host_history, history_of(past.host_history, {kMx}), issuers, {},
                               kMx, kNow);
}

IssuerBook believing() {
  IssuerBook out;
  out.set_vouch([](const Chain&) { return true; });
  return out;
}

// The replay of Generation Y: the intermediates of a CA change for everybody, and whoever is
// renewed first shows it to all.
TEST(IssuerForecast, WarnsOfTheNewGenerationThatAnotherHostWasIssuedBy) {
  const auto past = relying_on({anchor(ca().old_one)});
  auto issuers = believing();
  issuers.learn(leaf_of(ca().old_one, kNow - kDay * 20, "mx.other.test"), "mx.other.test");
  EXPECT_EQ(foreseen(past, issuers), std::nullopt) << "all come from the one that it vouches for";
  issuers.learn(leaf_of(ca().next, kNow - kDay, "mx.other.test"), "mx.other.test");
  const auto told = foreseen(past, issuers);
  ASSERT_TRUE(told.has_value());
  EXPECT_EQ(told->code, probes::Code::issuer_uncovered);
  EXPECT_EQ(told->severity, probes::Severity::high) << "the next renewal is ten days away";
  ASSERT_TRUE(told->remedy.has_value());
  EXPECT_THAT(told->remedy->publish, ElementsAre(probes::dane::to_text(anchor(ca().next))));
  ASSERT_TRUE(told->due_at.has_value());
  EXPECT_EQ(*told->due_at, kNow + kDay * 10 - 2 * Past::kTtl);
}

TEST(IssuerForecast, NamesARecordForEachDigestThatSendersCompare) {
  const auto of = [](const Issued& issuer, std::uint8_t digest) {
    return record(2, 1, digest, *issuer.certificate);
  };
  const auto& before = ca().old_one;
  const auto& next = ca().next;
  auto issuers = believing();
  issuers.learn(leaf_of(next, kNow - kDay, "mx.other.test"), "mx.other.test");
  struct Row {
    std::string_view says;
    Past::Records published;
    std::vector<probes::dane::TlsaRecord> want;
  };
  for (const auto& [says, published, want] : std::vector<Row>{
           {"SHA2-512 only", {of(before, 2)}, {of(next, 2)}},
           {"both", {of(before, 1), of(before, 2)}, {of(next, 1), of(next, 2)}},
           {"one is there", {of(before, 1), of(before, 2), of(next, 1)}, {of(next, 2)}},
           {"the other is", {of(before, 1), of(before, 2), of(next, 2)}, {of(next, 1)}},
           {"what was told is published",
            {of(before, 1), of(before, 2), of(next, 1), of(next, 2)},
            {}},
       }) {
    const auto told = foreseen(relying_on(published), issuers);
    std::vector<std::string> texts;
    for (const auto& one : want) texts.push_back(probes::dane::to_text(one));
    EXPECT_EQ(told && told->remedy ? told->remedy->publish : std::vector<std::string>{}, texts)
        << says;
    EXPECT_EQ(told.has_value(), !want.empty()) << says;
  }
}

// RFC 8446 §4.4.2: a client copes with certificates beside the chain, in any order.
TEST(IssuerForecast, FindsTheIssuerWhereverTheServerSendsIt) {
  const auto& root = ca().root.certificate;
  const auto straight = leaf_of(ca().old_one, kNow - kDay * 50);
  const auto newer = leaf_of(ca().next, kNow - kDay);
  for (const auto& [says, mine, others] : std::vector<std::tuple<std::string, Chain, Chain>>{
           {"the root first", {straight[0], root, straight[1]}, {newer[0], root, newer[1]}},
           {"the leaf twice",
            {straight[0], straight[0], straight[1]},
            {newer[0], newer[0], newer[1]}},
       }) {
    const auto records = Past::give({anchor(ca().old_one)});
    Past past;
    past.look(kNow - kDay * 50, records, mine).look(kNow, records);
    auto issuers = believing();
    issuers.learn(others, "mx.other.test");
    const auto told = foreseen(past, issuers);
    ASSERT_TRUE(told.has_value()) << says;
    EXPECT_THAT(told->remedy->publish, ElementsAre(probes::dane::to_text(anchor(ca().next))))
        << says;
  }
}

TEST(IssuerForecast, KnowsARootByNameWhereverItStands) {
  const auto straight = leaf_of(ca().old_one, kNow - kDay * 50);
  const auto records = Past::give({anchor(ca().root)});
  const auto key = probes::dane::to_hex(ca().next.certificate->spki_sha256);
  IssuerBook issuers;
  issuers.set_announced({{.organisation = "Encrypt Us", .key = key}});
  Past past;
  past.look(kNow - kDay * 50, records, {straight[0], ca().root.certificate, straight[1]})
      .look(kNow, records);
  EXPECT_EQ(foreseen(past, issuers), std::nullopt) << "a root stands above the next, too";
}

TEST(IssuerForecast, LearnsWhatStandsAboveFromALongerChainOfTheSameLeaf) {
  auto mine = leaf_of(ca().old_one, kNow - kDay * 50);
  mine.push_back(ca().root.certificate);
  const auto records = Past::give({anchor(ca().root)});
  Past past;
  past.look(kNow - kDay * 50, records, mine).look(kNow, records);
  IssuerBook issuers;
  bool is_believed = true;
  issuers.set_vouch([&](const Chain&) { return is_believed; });
  auto others = leaf_of(ca().next, kNow - kDay);
  issuers.learn(others, "mx.other.test");
  EXPECT_NE(foreseen(past, issuers), std::nullopt) << "nobody knows what stands above the next";
  others.push_back(ca().root.certificate);
  is_believed = false;
  issuers.learn(others, "mx.other.test");
  EXPECT_NE(foreseen(past, issuers), std::nullopt) << "only what is believed teaches";
  issuers.set_vouch([](const Chain&) { return true; });
  issuers.learn(others, "mx.other.test");
  EXPECT_EQ(foreseen(past, issuers), std::nullopt);
}

TEST(IssuerForecast, IsCalmerWhileTheRenewalIsFar) {
  auto issuers = believing();
  issuers.learn(leaf_of(ca().next, kNow - kDay), "mx.other.test");
  EXPECT_EQ(foreseen(relying_on({anchor(ca().old_one)}, kDay * 40), issuers)->severity,
            probes::Severity::medium);
  EXPECT_EQ(foreseen(relying_on({anchor(ca().old_one)}, kDay * 5), issuers)->severity,
            probes::Severity::low);
}

struct QuietCase {
  std::string says;
  Past::Records records;
};

TEST(IssuerForecast, IsQuietWhereTheNextIsCovered) {
  auto issuers = believing();
  issuers.learn(leaf_of(ca().next, kNow - kDay), "mx.other.test");
  // Somebody sends the root, so that it is known who stands above the new one.
  auto with_root = leaf_of(ca().old_one, kNow - kDay);
  with_root.push_back(ca().root.certificate);
  issuers.learn(with_root, "mx.third.test");
  for (const auto& row : std::vector<QuietCase>{
           {"the set names the new one, too", {anchor(ca().old_one), anchor(ca().next)}},
           {"all siblings are named",
            {anchor(ca().old_one), anchor(ca().sibling), anchor(ca().next)}},
           {"a root vouches for both", {anchor(ca().old_one), anchor(ca().root)}},
           {"a record of the next key is there",
            {anchor(ca().old_one), record("3 1 1 " + std::string(64, 'a'))}},
           {"it relies on no issuer", {record("3 1 1 " + std::string(64, 'a'))}},
       }) {
    EXPECT_EQ(foreseen(relying_on(row.records, kDay * 20), issuers), std::nullopt) << row.says;
  }
}

TEST(IssuerForecast, DoesNotWaitForAnIntermediateThatIsNoMoreInUse) {
  const auto past = relying_on({anchor(ca().old_one)});
  auto issuers = believing();
  issuers.learn(leaf_of(ca().next, kNow - kDay * 95), "mx.other.test");
  EXPECT_EQ(foreseen(past, issuers), std::nullopt) << "nothing came from it since, and that ended";
  const auto ancient = ca().intermediate("R3", kNow - kDay * 900);
  issuers.learn(leaf_of(ancient, kNow - kDay * 55), "mx.other.test");
  EXPECT_EQ(foreseen(past, issuers), std::nullopt)
      << "older than the one in use, and not seen since that was used";
  issuers.learn(leaf_of(ancient, kNow - kDay * 2), "mx.other.test");
  EXPECT_NE(foreseen(past, issuers), std::nullopt) << "the CA has gone back to it";
}

TEST(IssuerForecast, TakesANewerOneForInUseWhileWhatItIssuedIsValid) {
  const auto past = relying_on({anchor(ca().old_one)});
  const auto newer = ca().intermediate("YR2", kNow - kDay * 120);
  for (const auto& [ago, is_told] : {std::pair{kDay * 95, false}, {kDay * 70, true}}) {
    auto issuers = believing();
    issuers.learn(leaf_of(newer, kNow - ago, "mx.other.test"), "mx.other.test");
    EXPECT_EQ(foreseen(past, issuers).has_value(), is_told) << ago / kDay;
  }
}

TEST(IssuerForecast, DoesNotWaitForAnIntermediateThatIsRetiredBeforeTheRenewal) {
  auto issuers = believing();
  issuers.learn(leaf_of(ca().next, kNow - kDay, "mx.other.test"), "mx.other.test");
  const auto key = probes::dane::to_hex(ca().next.certificate->spki_sha256);
  const auto until = [&](config::Time at) {
    issuers.set_announced({{.organisation = "Encrypt Us", .key = key, .until = at}});
    return foreseen(relying_on({anchor(ca().old_one)}), issuers).has_value();
  };
  EXPECT_FALSE(until(kNow + kDay * 9)) << "the renewal is ten days away";
  EXPECT_TRUE(until(kNow + kDay * 11));
}

// Whether the next certificate keeps the key nobody knows before the first renewal.
TEST(IssuerForecast, WarnsCalmlyWhereTheKeyMayBeKept) {
  auto issuers = believing();
  issuers.learn(leaf_of(ca().next, kNow - kDay, "mx.other.test"), "mx.other.test");
  const auto chain = leaf_of(ca().old_one, kNow - kDay * 85);
  const auto records = Past::give({anchor(ca().old_one), record(3, 1, 1, *chain.front())});
  Past past;
  past.look(kNow - kDay * 85, records, chain).look(kNow, records);
  const auto told = foreseen(past, issuers);
  ASSERT_TRUE(told.has_value());
  EXPECT_EQ(told->severity, probes::Severity::medium);
}

TEST(IssuerForecast, WarnsOfTheEndOfTheOneInUseWhateverComesThen) {
  IssuerBook issuers;
  const auto told = [&](const Past& past, config::Time until) {
    issuers.set_announced({{.organisation = "Encrypt Us",
                            .key = probes::dane::to_hex(ca().old_one.certificate->spki_sha256),
                            .until = until}});
    return foreseen(past, issuers);
  };
  const auto past = relying_on({anchor(ca().old_one)});
  EXPECT_EQ(told(past, kNow + kDay * 11), std::nullopt) << "the renewal is ten days away";
  const auto warned = told(past, kNow + kDay * 9);
  ASSERT_TRUE(warned.has_value());
  EXPECT_EQ(warned->severity, probes::Severity::high);
  EXPECT_FALSE(warned->remedy) << "nobody knows which record it will need";
  EXPECT_EQ(told(relying_on({anchor(ca().old_one), anchor(ca().sibling)}), kNow + kDay * 9),
            std::nullopt)
      << "the other record may be of the one to come";
}

TEST(IssuerForecast, BelievesNobodyWhomTheWebDoesNotBelieve) {
  const auto past = relying_on({anchor(ca().old_one)});
  IssuerBook issuers;
  issuers.learn(leaf_of(ca().next, kNow - kDay), "mx.liar.test");
  EXPECT_EQ(foreseen(past, issuers), std::nullopt) << "nobody to ask";
  issuers.set_vouch([](const Chain&) { return false; });
  issuers.learn(leaf_of(ca().next, kNow - kDay), "mx.liar.test");
  EXPECT_EQ(foreseen(past, issuers), std::nullopt);
}

TEST(IssuerForecast, TakesWhatTheFileAnnounces) {
  const auto past = relying_on({anchor(ca().old_one)});
  const auto key = probes::dane::to_hex(ca().next.certificate->spki_sha256);
  const auto announced = [&](std::optional<config::Time> from, std::optional<config::Time> until,
                             const std::string& organisation = "Encrypt Us") {
    IssuerBook out;
    out.set_announced({{.organisation = organisation, .key = key, .from = from, .until = until}});
    return out;
  };
  EXPECT_NE(foreseen(past, announced(std::nullopt, std::nullopt)), std::nullopt);
  EXPECT_NE(foreseen(past, announced(kNow + kDay * 9, std::nullopt)), std::nullopt);
  EXPECT_EQ(foreseen(past, announced(kNow + kDay * 11, std::nullopt)), std::nullopt)
      << "the next renewal comes before it";
  EXPECT_EQ(foreseen(past, announced(std::nullopt, kNow - kDay)), std::nullopt) << "it is over";
  EXPECT_EQ(foreseen(past, announced(std::nullopt, std::nullopt, "Another CA")), std::nullopt);
  const auto covered = relying_on({anchor(ca().old_one), anchor(ca().next)});
  EXPECT_EQ(foreseen(covered, announced(std::nullopt, std::nullopt)), std::nullopt);
}

TEST(IssuerForecast, TakesOfTheFileWhatIsForItsKindOfKey) {
  const auto past = relying_on({anchor(ca().old_one)});  // of an ECDSA key
  const auto key = probes::dane::to_hex(ca().next.certificate->spki_sha256);
  const auto with = [&](IssuerBook book, const std::string& key_type) {
    book.set_announced({{.organisation = "Encrypt Us", .key = key, .key_type = key_type}});
    return foreseen(past, book).has_value();
  };
  auto seen_with_rsa = believing();
  const auto leaf = support::issue({.common_name = "mx.other.test",
                                    .dns_names = {"mx.other.test"},
                                    .not_before = kNow - kDay,
                                    .not_after = kNow + kDay * 89},
                                   Key::rsa(), ca().next);
  seen_with_rsa.learn({leaf.certificate, ca().next.certificate}, "mx.other.test");
  EXPECT_TRUE(with(believing(), "ecdsa"));
  EXPECT_TRUE(with(believing(), "")) << "nobody has said for which";
  EXPECT_FALSE(with(believing(), "rsa"));
  EXPECT_FALSE(with(seen_with_rsa, "")) << "only RSA keys were seen to be certified with it";
  EXPECT_TRUE(with(seen_with_rsa, "ecdsa")) << "it is said to be for both";
}

TEST(IssuerBook, ReadsTheOrganisationOfAName) {
  EXPECT_EQ(organisation_of("CN=R12,O=Let's Encrypt,C=US"), "Let's Encrypt");
  EXPECT_EQ(organisation_of("CN=a\\,O=b,O=Sectigo Limited\\, Ltd,C=GB"), "Sectigo Limited, Ltd");
  EXPECT_EQ(organisation_of("O=First"), "First");
  EXPECT_EQ(organisation_of("CN=nobody"), "");
  EXPECT_EQ(organisation_of("CN=x,O=\\"), "\\");
  EXPECT_EQ(organisation_of(""), "");
}

}  // namespace
