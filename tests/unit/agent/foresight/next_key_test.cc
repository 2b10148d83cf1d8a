#include "agent/foresight/next_key.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "agent/foresight/announcements.h"
#include "tests/support/past.h"

namespace {

using namespace agent;
using std::chrono::hours;
using support::CertificatePlan;
using support::Issued;
using support::Key;
using support::kNow;
using support::Past;
using support::Pki;
using support::record;
using testing::ElementsAre;
using testing::IsEmpty;

constexpr auto kMx = "mx.example.test";

Issued issued(std::vector<std::string> names, config::Time at = kNow - hours{1},
              const Key& key = Key::ecdsa(), const Issued& by = Pki::get().inter) {
  return support::issue({.common_name = names.front(),
                         .dns_names = names,
                         .not_before = at,
                         .not_after = at + hours{24 * 90}},
                        key, by);
}

AnnouncedCertificate shown(const Issued& leaf, config::Time at = kNow, bool is_whole = true) {
  Chain chain{leaf.certificate};
  if (is_whole) chain.push_back(Pki::get().inter.certificate);
  return *announce(std::move(chain), "certspotter", at);
}

ForeseenHost host_of(const Past& past) {
  return {.host = kMx,
          .base_domain = kMx,
          .users = [] { return std::vector<std::string>{"example.test"}; },
          .past = &past.host_history};
}

// A host that has presented the baseline's leaf for a month and publishes these.
Past steady(Past::Records records) {
  Past out;
  const Chain chain{Pki::get().leaf.certificate, Pki::get().inter.certificate};
  out.look(kNow - hours{24 * 30}, Past::give(records), chain)
      .look(kNow - hours{1}, Past::give(records), chain);
  return out;
}

probes::dane::TlsaRecord key_record(const Issued& of) {
  return record(3, 1, 1, *of.certificate);
}

// ---- for whom

struct NameCase {
  std::string says;
  std::vector<std::string> names;
  bool want;
};

TEST(NextKey, IsForTheHostThatItNames) {
  const auto past = steady({key_record(Pki::get().leaf)});
  for (const NameCase& row : std::vector<NameCase>{
           {"its own name", {"mx.example.test"}, true},
           {"whatever its case", {"MX.Example.TEST"}, true},
           {"among others", {"www.example.test", "mx.example.test"}, true},
           {"a wildcard for its label", {"*.example.test"}, true},
           {"a wildcard is one label (RFC 6125 §6.4.3)", {"*.test"}, false},
           {"nor part of one", {"m*.example.test"}, false},
           {"the domain's web server", {"example.test"}, false},
           {"another host", {"mx.other.test"}, false},
           {"a suffix is no label", {"*.ample.test"}, false},
       }) {
    EXPECT_EQ(is_for(*issued(row.names).certificate, host_of(past)), row.want) << row.says;
  }
}

TEST(NextKey, IsForAHostThatPresentsAnotherNameWhenItNamesThat) {
  const auto odd = issued({"mail.hoster.test", "imap.hoster.test"}, kNow - hours{24 * 30});
  Past past;
  past.look(kNow - hours{1}, Past::give({key_record(odd)}), {odd.certificate});
  EXPECT_TRUE(is_for(*issued({"mail.hoster.test"}).certificate, host_of(past)))
      << "DANE-EE(3) asks for no name (RFC 7672 §3.1.1): the next one will hold what this holds";
  EXPECT_TRUE(is_for(*issued({kMx}).certificate, host_of(past)));
  EXPECT_FALSE(is_for(*issued({"www.hoster.test"}).certificate, host_of(past)));
}

TEST(NextKey, IsForAHostWhoseOtherNameAWildcardStandsFor) {
  struct Row {
    std::string_view says, presented, next;
    bool want;
  };
  for (const auto& [says, presented, next, want] : std::vector<Row>{
           {"to a wildcard", "server1.hoster.test", "*.hoster.test", true},
           {"and back", "*.hoster.test", "server1.hoster.test", true},
           {"the wildcard again", "*.hoster.test", "*.hoster.test", true},
           {"one label only", "*.hoster.test", "a.server1.hoster.test", false},
           {"another name", "server1.hoster.test", "server2.hoster.test", false},
       }) {
    const auto odd = issued({std::string(presented)}, kNow - hours{24 * 30});
    Past past;
    past.look(kNow - hours{1}, Past::give({key_record(odd)}), {odd.certificate});
    const auto announced = shown(issued({std::string(next)}));
    EXPECT_EQ(is_for(*announced.chain.front(), host_of(past)), want) << says;
    Announcements known;
    known.take(announced);
    EXPECT_EQ(known.of_host(host_of(past)).size(), want ? 1U : 0U) << says;
  }
}

// ---- whether it is covered

TEST(NextKey, IsCoveredByARecordOfItsKey) {
  const auto next = issued({kMx});
  const auto past = steady({key_record(Pki::get().leaf), key_record(next)});
  const auto told = forecast(shown(next), host_of(past), kNow);
  EXPECT_EQ(told.is_covered, true);
  EXPECT_THAT(told.records, IsEmpty());
  EXPECT_EQ(find_unpublished({}, host_of(past), kNow), std::nullopt);
}

TEST(NextKey, IsToldWithItsRecordAndWhenItMayGoLive) {
  const auto next = issued({kMx});
  const auto past = steady({key_record(Pki::get().leaf)});
  const auto announced = shown(next);
  const auto told = forecast(announced, host_of(past), kNow);
  EXPECT_EQ(told.is_covered, false);
  EXPECT_THAT(told.records, ElementsAre(key_record(next)));
  EXPECT_EQ(told.safe_from, kNow + hours{1}) << "one TTL, as gate says";
  const auto found = find_unpublished({&announced}, host_of(past), kNow);
  ASSERT_TRUE(found.has_value());
  EXPECT_EQ(found->code, probes::Code::next_key_unpublished);
  EXPECT_EQ(found->severity, probes::Severity::high);
  EXPECT_THAT(found->next_keys, ElementsAre(key_of(announced)));
  ASSERT_TRUE(found->remedy.has_value());
  EXPECT_THAT(found->remedy->publish, ElementsAre(probes::dane::to_text(key_record(next))));
}

TEST(NextKey, OfAWildcardThatMayBeForTheWebIsCalmer) {
  const auto announced = shown(issued({"*.example.test"}));
  const auto past = steady({key_record(Pki::get().leaf)});
  const auto found = find_unpublished({&announced}, host_of(past), kNow);
  ASSERT_TRUE(found.has_value());
  EXPECT_EQ(found->severity, probes::Severity::medium);
}

TEST(NextKey, IsCoveredByItsIssuer) {
  const auto past = steady({record(2, 1, 1, *Pki::get().inter.certificate)});
  EXPECT_EQ(forecast(shown(issued({kMx})), host_of(past), kNow).is_covered, true);
  // Without the domain's name DANE-TA(2) does not take it (RFC 7672 §3.2.2).
  const auto other = issued({kMx}, kNow - hours{1}, Key::ecdsa(), Pki::get().root);
  const auto stranger = announce({other.certificate, Pki::get().root.certificate}, "", kNow);
  EXPECT_EQ(forecast(*stranger, host_of(past), kNow).is_covered, false);
}

TEST(NextKey, OfALeafAloneIsHeldAgainstIssuersThatAreKnown) {
  const auto past = steady({record(2, 1, 1, *Pki::get().inter.certificate)});
  auto alone = shown(issued({kMx}), kNow, false);
  EXPECT_EQ(alone.chain.size(), 1U);
  alone.chain =
      with_issuers(alone.chain, {Pki::get().root.certificate, Pki::get().inter.certificate});
  EXPECT_EQ(alone.chain.size(), 3U);
  EXPECT_EQ(forecast(alone, host_of(past), kNow).is_covered, true);
}

TEST(NextKey, OfALeafAloneWhoseIssuerNobodyKnowsCannotBeHeldAgainstARoot) {
  const auto& pki = Pki::get();
  const auto unseen =
      support::issue({.common_name = "next", .is_ca = true}, Key::ecdsa(), pki.root);
  const auto next = issued({kMx}, kNow - hours{1}, Key::ecdsa(), unseen);
  const auto alone = shown(next, kNow, false);
  const auto at_host = [&](Past::Records records, const AnnouncedCertificate& one) {
    Past past;
    past.look(kNow - hours{1}, Past::give(records),
              {pki.leaf.certificate, pki.inter.certificate, pki.root.certificate});
    const auto told = forecast(one, host_of(past), kNow).is_covered;
    EXPECT_EQ(find_unpublished({&one}, host_of(past), kNow).has_value(), told == false);
    return told;
  };
  const auto by_root = record(2, 1, 1, *pki.root.certificate);
  EXPECT_EQ(at_host({by_root}, alone), std::nullopt);
  EXPECT_EQ(at_host({key_record(pki.leaf), record(2, 1, 1, *unseen.certificate)}, alone),
            std::nullopt)
      << "nobody knows of whom that record is";
  EXPECT_EQ(at_host({record(2, 1, 1, *pki.inter.certificate)}, alone), false)
      << "that one issues leaves, and this is none of its";
  EXPECT_EQ(at_host({key_record(pki.leaf)}, alone), false);
  const auto whole =
      announce({next.certificate, unseen.certificate, pki.root.certificate}, "", kNow);
  EXPECT_EQ(at_host({by_root}, *whole), true);
}

TEST(NextKey, IsForNobodyWhoIsNotAsked) {
  Past past;
  auto host = host_of(past);
  EXPECT_EQ(forecast(shown(issued({kMx})), host, kNow).is_covered, std::nullopt)
      << "nothing was seen of it yet";
  host.is_asked = false;
  EXPECT_EQ(forecast(shown(issued({kMx})), host, kNow).is_covered, true);
}

TEST(NextKey, IsUncoveredWhileOneServerLacksTheRecord) {
  const auto next = issued({kMx});
  Past past;
  const Chain chain{Pki::get().leaf.certificate};
  const auto before = Past::give({key_record(Pki::get().leaf)});
  past.look(kNow - hours{48}, before, chain)
      .look(kNow - hours{1}, Past::give({key_record(Pki::get().leaf), key_record(next)}), before,
            chain);
  const auto told = forecast(shown(next), host_of(past), kNow);
  EXPECT_EQ(told.is_covered, false);
  EXPECT_THAT(told.records, IsEmpty()) << "it is published, but not everywhere";
}

// ---- when it is over

TEST(NextKey, IsOverWhenItIsLiveOrExpired) {
  const auto next = issued({kMx});
  const auto past = steady({key_record(Pki::get().leaf)});
  const auto announced = shown(next);
  const auto is_over_at = [&](const Past& of, config::Time at) {
    return is_over(announced, host_of(of), at);
  };
  EXPECT_FALSE(is_over_at(past, kNow));
  EXPECT_TRUE(is_over_at(past, next.certificate->not_after)) << "it has expired";
  auto live = past;
  live.show(kNow, "192.0.2.1/default", {next.certificate});
  EXPECT_TRUE(is_over_at(live, kNow)) << "it is live: the mismatch is told, no forecast";
  auto later = past;
  later.show(kNow, "192.0.2.1/default", {issued({kMx}, kNow).certificate});
  EXPECT_TRUE(is_over_at(later, kNow)) << "a later one is live";
  later.show(kNow, "192.0.2.2/default", {Pki::get().leaf.certificate});
  EXPECT_FALSE(is_over_at(later, kNow)) << "but not everywhere";
}

// ACME clients may keep the key, and the CA takes another intermediate.
TEST(NextKey, OfAKeyThatIsKeptIsNotOverBecauseTheKeyIsLive) {
  const auto old_key = Key::ecdsa();
  const auto live = issued({kMx}, kNow - hours{24 * 60}, old_key);
  const auto other_ca =
      support::issue({.common_name = "other", .is_ca = true}, Key::ecdsa(), Pki::get().root);
  const auto renewed = issued({kMx}, kNow - hours{1}, old_key, other_ca);
  Past past;
  const Chain chain{live.certificate, Pki::get().inter.certificate};
  const auto relying = Past::give({record(2, 1, 1, *Pki::get().inter.certificate)});
  past.look(kNow - hours{24 * 30}, relying, chain).look(kNow - hours{1}, relying, chain);
  const auto next = *announce({renewed.certificate, other_ca.certificate}, "", kNow);
  ASSERT_TRUE(find_unpublished({&next}, host_of(past), kNow).has_value());
  const auto by_key = Past::give({key_record(live)});
  Past keyed;
  keyed.look(kNow - hours{24 * 30}, by_key, chain).look(kNow - hours{1}, by_key, chain);
  EXPECT_EQ(find_unpublished({&next}, host_of(keyed), kNow), std::nullopt)
      << "the record is of the key";
}

TEST(NextKey, IsHeldAgainstTheRecordsAsOfWhenItIsValid) {
  const auto past = steady({record(2, 1, 1, *Pki::get().inter.certificate)});
  const auto begin = kNow + std::chrono::minutes{5};
  const auto told = forecast(shown(issued({kMx}, begin)), host_of(past), kNow);
  EXPECT_EQ(told.is_covered, true);
  EXPECT_EQ(told.safe_from, begin);
  const auto over = forecast(shown(issued({kMx}, kNow - hours{24 * 200})), host_of(past), kNow);
  EXPECT_EQ(over.is_covered, std::nullopt);
  EXPECT_THAT(over.why, ElementsAre(testing::HasSubstr("expired")));
}

struct LaterCase {
  std::string says;
  AnnouncedCertificate later;
  bool supersedes;
};

TEST(NextKey, IsSupersededByALaterOneThatMayBeBelieved) {
  const auto past = steady({key_record(Pki::get().leaf)});
  const auto forger =
      support::issue({.common_name = "Test Inter", .is_ca = true}, Key::ecdsa(), Pki::get().root);
  const auto unheard_of =
      support::issue({.common_name = "nobody", .is_ca = true}, Key::ecdsa(), Pki::get().root);
  const auto three_days_ago = kNow - hours{24 * 3};
  const auto names = std::vector<std::string>{kMx, "www.example.test"};
  const auto first = shown(issued(names, three_days_ago));
  for (const LaterCase& row : std::vector<LaterCase>{
           {"of an issuer that the host presents", shown(issued(names)), true},
           {"of the same day: two servers', or a second try",
            shown(issued(names, three_days_ago + hours{23})), false},
           {"for other names", shown(issued({kMx})), false},
           {"not valid yet", shown(issued(names, kNow + hours{1})), false},
           {"of an issuer that the host never presented",
            shown(issued(names, kNow - hours{1}, Key::ecdsa(), unheard_of)), false},
           {"in the name of its issuer, signed by another",
            shown(issued(names, kNow - hours{1}, Key::ecdsa(), forger)), false},
       }) {
    const auto found = find_unpublished({&first, &row.later}, host_of(past), kNow);
    ASSERT_TRUE(found.has_value()) << row.says;
    EXPECT_EQ(std::ranges::count(found->next_keys, key_of(first)), row.supersedes ? 0 : 1)
        << row.says;
  }
}

// A stranger knows the host's public key, and may sign with what CA he likes.
TEST(NextKey, IsNotHiddenByAForgedOneOfTheKeyInUse) {
  const auto key = Key::ecdsa();
  const auto live = issued({kMx}, kNow - hours{24 * 60}, key);
  Past past;
  past.look(kNow - hours{1}, Past::give({key_record(live)}),
            {live.certificate, Pki::get().inter.certificate});
  const auto next = shown(issued({kMx}, kNow - hours{24 * 3}));
  const auto own_ca = support::self_signed({.common_name = "evil", .is_ca = true}, Key::ecdsa());
  const auto forged = shown(issued({kMx}, kNow - hours{1}, key, own_ca), kNow, false);
  const auto found = find_unpublished({&next, &forged}, host_of(past), kNow);
  ASSERT_TRUE(found.has_value());
  EXPECT_THAT(found->next_keys, ElementsAre(key_of(next)));
}

TEST(NextKey, IsSupersededByOneThatAnAddressPresentsWhoeverSignedThat) {
  const auto own_ca = support::self_signed({.common_name = "own", .is_ca = true}, Key::ecdsa());
  auto past = steady({key_record(Pki::get().leaf)});
  const auto second = issued({kMx}, kNow - hours{1}, Key::ecdsa(), own_ca);
  past.show(kNow, "192.0.2.2/default", {second.certificate});
  const auto first = shown(issued({kMx}, kNow - hours{24 * 3}));
  const auto later = shown(second, kNow, false);
  EXPECT_EQ(find_unpublished({&first, &later}, host_of(past), kNow), std::nullopt);
}

// ---- what is remembered

TEST(Announcements, ManyOfOneKeyAreNoReasonToForgetAnother) {
  Announcements known;
  const auto wanted = shown(issued({kMx}), kNow - hours{1});
  known.take(wanted);
  auto flood = shown(issued({kMx}));
  for (std::size_t i = 0; i <= Announcements::kMost; ++i) {
    flood.id = std::to_string(i);
    known.take(flood);
  }
  EXPECT_EQ(known.all().size(), Announcements::kMost);
  EXPECT_NE(known.find(wanted.id), nullptr);
  EXPECT_EQ(known.find("0"), nullptr);
}

TEST(Announcements, CountAnIssuanceOnceAndKeepWhoShowedItFirst) {
  const auto leaf = issued({kMx});
  Announcements known;
  EXPECT_EQ(known.take(shown(leaf, kNow, false)), Announcements::News::fresh);
  EXPECT_EQ(known.take(shown(leaf, kNow + hours{1}, false)), Announcements::News::none);
  EXPECT_EQ(known.take(shown(leaf, kNow + hours{2})), Announcements::News::better);
  ASSERT_EQ(known.all().size(), 1U);
  EXPECT_EQ(known.all()[0].shown_at, kNow);
  EXPECT_EQ(known.all()[0].chain.size(), 2U);
}

TEST(Announcements, TakeTheCertificateForItsPrecertificate) {
  const auto leaf = issued({kMx});
  auto pre = shown(leaf);
  pre.is_precertificate = true;
  Announcements known;
  EXPECT_EQ(known.take(pre), Announcements::News::fresh);
  EXPECT_EQ(known.take(pre), Announcements::News::none);
  EXPECT_EQ(known.take(shown(leaf, kNow, false)), Announcements::News::better);
  EXPECT_FALSE(known.all()[0].is_precertificate);
  EXPECT_EQ(known.all()[0].chain.size(), 2U) << "its issuer was shown before";
  EXPECT_EQ(known.take(pre), Announcements::News::none) << "it knows better by now";
}

TEST(Announcements, KeepTheIssuersWhateverTheyWereShownWith) {
  const auto leaf = issued({kMx});
  auto pre = shown(leaf);
  pre.is_precertificate = true;
  Announcements known;
  known.take(shown(leaf, kNow, false));
  EXPECT_EQ(known.take(pre), Announcements::News::better);
  EXPECT_EQ(known.all()[0].chain.size(), 2U);
  EXPECT_FALSE(known.all()[0].is_precertificate);
  auto odd = shown(leaf, kNow, false);
  odd.chain.insert(odd.chain.end(), 3, Pki::get().old_leaf.certificate);
  EXPECT_EQ(known.take(odd), Announcements::News::none) << "these have issued nothing";
  EXPECT_EQ(known.all()[0].chain[1]->sha256, Pki::get().inter.certificate->sha256);
}

TEST(Announcements, LeaveOutWhatIsForNoMail) {
  const auto past = steady({key_record(Pki::get().leaf)});
  const auto announced = shown(issued({"*.example.test"}));
  Announcements known;
  known.take(announced);
  EXPECT_EQ(known.of_host(host_of(past)).size(), 1U);
  known.set_not_for_mail({.key = key_of(announced)});
  EXPECT_THAT(known.of_host(host_of(past)), IsEmpty());
  EXPECT_TRUE(known.set_for_mail(key_of(announced)));
  EXPECT_EQ(known.of_host(host_of(past)).size(), 1U);
  EXPECT_FALSE(known.set_for_mail(key_of(announced)));
}

TEST(Announcements, AreFoundByEveryNameAndForgottenWhenTheyExpire) {
  const auto past = steady({key_record(Pki::get().leaf)});
  Announcements known;
  known.take(shown(issued({"www.other.test"})));
  known.take(shown(issued({"MX.example.test"})));
  EXPECT_EQ(known.of_host(host_of(past)).size(), 1U);
  known.forget_expired(kNow + hours{24 * 91});
  EXPECT_THAT(known.all(), IsEmpty());
  EXPECT_THAT(known.of_host(host_of(past)), IsEmpty());
}

}  // namespace
