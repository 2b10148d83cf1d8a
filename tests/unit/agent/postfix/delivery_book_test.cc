#include "agent/postfix/delivery_book.h"

#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "agent/postfix/foretold.h"

namespace agent {
namespace {

using probes::Verdict;
using probes::reports::Delivery;
using probes::reports::DeliveryStatus;
using probes::reports::Removed;
using probes::reports::Setback;
using probes::reports::TlsLevel;
using testing::ElementsAre;

constexpr std::int64_t kDay0 = 1'795'824'000;  // midnight
config::Time at(std::int64_t seconds) {
  return config::Time{config::Seconds{kDay0 + seconds}};
}

Delivery sent(std::string id, int seconds, TlsLevel level = TlsLevel::verified) {
  return {.at = at(seconds),
          .queue_id = std::move(id),
          .domain = "a.test",
          .host = "mx.a.test",
          .level = level};
}
Delivery held_up(std::string id, int seconds, Setback setback = Setback::certificate) {
  return {.at = at(seconds),
          .queue_id = std::move(id),
          .domain = "a.test",
          .host = "mx.a.test",
          .status = DeliveryStatus::deferred,
          .setback = setback,
          .delay = config::Seconds{10}};
}

// ---- who has DANE

TEST(SeemsToHaveDane, WhoseMailWasVerifiedOrIsKeptBackForTls) {
  struct Row {
    Delivery delivery;
    bool want;
  };
  for (const auto& row : {Row{sent("A", 0), true}, Row{sent("A", 0, TlsLevel::trusted), false},
                          Row{sent("A", 0, TlsLevel::untrusted), false},
                          Row{held_up("A", 0, Setback::certificate), true},
                          Row{held_up("A", 0, Setback::tlsa_lookup), true},
                          Row{held_up("A", 0, Setback::starttls_missing), true},
                          Row{held_up("A", 0, Setback::starttls_refused), true},
                          Row{held_up("A", 0, Setback::handshake), true},
                          Row{held_up("A", 0, Setback::dane_demanded), false},
                          Row{held_up("A", 0, Setback::unreachable), false},
                          Row{held_up("A", 0, Setback::server), false}}) {
    DeliveryBook book;
    book.take(row.delivery, at(0), [](const Delivery&) { return std::nullopt; });
    ASSERT_NE(book.domain("a.test"), nullptr);
    EXPECT_EQ(book.domain("a.test")->seems_to_have_dane(), row.want)
        << wire_name(row.delivery.setback) << ' ' << wire_name(row.delivery.level);
  }
}

// Its other host takes the mail.
TEST(SeemsToHaveDane, WhoIsStrippedAtOneHostOfSeveral) {
  DomainDeliveries domain;
  domain.last_sent[TlsLevel::untrusted] = at(0);
  domain.hosts["mx2.a.test"].last_sent[TlsLevel::untrusted] = at(0);
  EXPECT_FALSE(domain.seems_to_have_dane());
  domain.hosts["mx.a.test"].setback = Setback::starttls_missing;
  EXPECT_TRUE(domain.seems_to_have_dane());
}

// ---- what a verdict foretells

struct Row {
  Verdict verdict;
  Delivery delivery;
  std::optional<bool> want;
  const char* says;
  bool is_excepted = false;
};

TEST(Foretold, ByTheReferenceSendersRules) {
  using enum Verdict;
  for (const auto& row : {
           Row{authenticated, sent("A", 0), true, "it was"},
           Row{host_authenticated, sent("A", 0, TlsLevel::trusted), true,
               "Postfix' word for an insecure MX RRset"},
           Row{authenticated, sent("A", 0, TlsLevel::trusted), false,
               "a public CA's certificate: no TLSA records were looked at"},
           Row{encrypted, sent("A", 0, TlsLevel::trusted), true, "and a public CA's, too"},
           Row{authenticated, sent("A", 0, TlsLevel::untrusted), false,
               "does this Postfix do DANE?"},
           Row{authenticated, held_up("A", 0), false, "the key changed, or its cache is stale"},
           Row{authenticated, held_up("A", 0, Setback::server), std::nullopt,
               "greylisting says nothing of DANE"},
           Row{authenticated, held_up("A", 0, Setback::own_policy), std::nullopt, "its own fault"},
           Row{authenticated, sent("A", 0, TlsLevel::unknown), std::nullopt,
               "smtp_tls_loglevel = 0"},
           Row{refused, held_up("A", 0), true, "mismatch"},
           Row{refused, held_up("A", 0, Setback::starttls_missing), true, "stripped"},
           Row{refused, sent("A", 0), false, "it matched there"},
           Row{refused, sent("A", 0, TlsLevel::untrusted), false, "mail went unauthenticated"},
           Row{refused, sent("A", 0, TlsLevel::untrusted), std::nullopt, "it was told to", true},
           Row{lookup_failed, held_up("A", 0, Setback::tlsa_lookup), true, "RFC 7672 §2.1"},
           Row{lookup_failed, sent("A", 0), false, "its resolver sees more"},
           Row{opportunistic, sent("A", 0, TlsLevel::untrusted), true, "no DANE"},
           Row{opportunistic, sent("A", 0, TlsLevel::verified), true, "a public CA"},
           Row{opportunistic, sent("A", 0, TlsLevel::none), false,
               "somebody strips STARTTLS on the way"},
           Row{opportunistic, held_up("A", 0, Setback::dane_demanded), std::nullopt,
               "dane-only is stricter"},
           Row{cleartext, sent("A", 0, TlsLevel::none), true, "in the clear"},
           Row{encrypted, sent("A", 0, TlsLevel::untrusted), true, "unusable records"},
           Row{encrypted, sent("A", 0, TlsLevel::none), false, "TLS is required"},
           Row{down, held_up("A", 0, Setback::unreachable), true, "nobody there"},
           Row{down, sent("A", 0), false, "somebody there"},
           Row{unknown, held_up("A", 0), std::nullopt, "unknown foretells nothing"},
       }) {
    EXPECT_EQ(was_foretold(row.verdict, row.delivery, row.is_excepted), row.want)
        << probes::wire_name(row.verdict) << ": " << row.says;
  }
}

// ---- the book

// Mail that waits is not forgotten for other mail that goes by another host, or waits for else.
TEST(DeliveryBook, IsDeferredForAsLongAsMailWaits) {
  DeliveryBook book;
  const auto take = [&](Delivery one) {
    book.take(one, at(0), [](const Delivery&) { return std::nullopt; });
  };
  const auto via = [](Delivery one, const char* host) {
    one.host = host;
    return one;
  };
  take(via(held_up("A", 0), "mx1.a.test"));
  take(via(sent("B", 1800), "mx2.a.test"));
  take(via(held_up("C", 3600, Setback::server), "mx2.a.test"));
  const auto* domain = book.domain("a.test");
  EXPECT_EQ(domain->deferred_since, at(0));
  EXPECT_EQ(domain->setback, Setback::certificate);
  EXPECT_EQ(domain->hosts.at("mx1.a.test").deferred_since, at(0));
  book.take(probes::reports::Removed{"C"}, at(0), [](const Delivery&) { return std::nullopt; });
  EXPECT_EQ(domain->hosts.at("mx2.a.test").deferred_since, std::nullopt);
  EXPECT_EQ(domain->deferred_since, at(0));
  take(via(sent("A", 7200), "mx2.a.test"));
  EXPECT_EQ(domain->deferred_since, std::nullopt);
  EXPECT_EQ(domain->hosts.at("mx1.a.test").deferred_since, std::nullopt) << "nothing waits there";
}

DeliveryBook::Foretell says(std::optional<bool> is_right, int looked_at = 0) {
  return [=](const Delivery&) -> std::optional<DeliveryBook::Foretold> {
    return DeliveryBook::Foretold{
        .is_right = is_right, .verdict = Verdict::refused, .looked_at = at(looked_at)};
  };
}
const DeliveryBook::Foretell kUnwatched = [](const Delivery&) { return std::nullopt; };

TEST(DeliveryBook, TellsTheLastDeliveryByLevelAndSinceWhenItIsDeferred) {
  DeliveryBook book;
  book.take(sent("A", 10), at(0), kUnwatched);
  book.take(sent("B", 20, TlsLevel::untrusted), at(0), kUnwatched);
  book.take(held_up("C", 30), at(0), kUnwatched);
  book.take(held_up("C", 40, Setback::starttls_missing), at(0), kUnwatched);
  const auto* domain = book.domain("a.test");
  ASSERT_NE(domain, nullptr);
  EXPECT_EQ(domain->last_sent,
            (Levels{{TlsLevel::verified, at(10)}, {TlsLevel::untrusted, at(20)}}));
  EXPECT_EQ(domain->deferred_since, at(30));
  EXPECT_EQ(domain->hosts.at("mx.a.test").setback, Setback::starttls_missing);
  book.take(sent("D", 50), at(0), kUnwatched);
  EXPECT_EQ(book.domain("a.test")->hosts.at("mx.a.test").setback, Setback::none);
  EXPECT_EQ(book.domain("a.test")->deferred_since, at(30)) << "C waits all the same";
  book.take(probes::reports::Removed{"C"}, at(0), kUnwatched);
  EXPECT_EQ(book.domain("a.test")->deferred_since, std::nullopt);
  EXPECT_EQ(book.domain("a.test")->messages_a_month(at(60)), 3U);
}

TEST(DeliveryBook, MessagesWaitUntilTheyAreRemoved) {
  DeliveryBook book;
  book.take(held_up("A", 100), at(0), kUnwatched);
  book.take(held_up("B", 110), at(0), kUnwatched);
  book.take(held_up("A", 200), at(0), kUnwatched);
  EXPECT_EQ(book.domain("a.test")->waiting.size(), 2U);
  EXPECT_EQ(book.domain("a.test")->oldest_waiting(), at(100)) << "both came in ten seconds before";
  EXPECT_EQ(book.totals().waiting, 2U);
  book.take(Removed{"B"}, at(0), kUnwatched);
  EXPECT_EQ(book.totals().waiting, 1U);
  EXPECT_EQ(book.domain("a.test")->deferred_since, at(100));
  book.forget(at(200 + 13 * 3600));
  EXPECT_EQ(book.totals().waiting, 0U) << "Postfix tries again within hours";
  EXPECT_EQ(book.domain("a.test")->deferred_since, std::nullopt) << "nothing waits any more";
}

// After `postsuper -r ALL`, as Postfix' manual advises after a change of its configuration.
TEST(DeliveryBook, AMessageThatIsPutIntoTheQueueAnewWaitsOnceAndSinceItCameIn) {
  DeliveryBook book;
  book.take(held_up("A", 100), at(0), kUnwatched);
  book.take(Removed{.queue_id = "A", .goes_on_as = "B"}, at(0), kUnwatched);
  EXPECT_EQ(book.totals().waiting, 1U);
  EXPECT_EQ(book.totals().oldest_waiting, at(90));
  EXPECT_EQ(book.domain("a.test")->deferred_since, at(100));
  book.take(held_up("B", 200), at(0), kUnwatched);
  EXPECT_EQ(book.totals().waiting, 1U);
  book.take(Removed{.queue_id = "B"}, at(0), kUnwatched);
  EXPECT_EQ(book.totals().waiting, 0U);
  EXPECT_EQ(book.domain("a.test")->deferred_since, std::nullopt);
}

Delivery to(std::string domain, Delivery delivery) {
  delivery.domain = std::move(domain);
  return delivery;
}

TEST(DeliveryBook, AMessageThatWaitsForTwoDomainsIsForgottenAtTheOneThatIsNotTriedAnyMore) {
  DeliveryBook book;
  constexpr int kLater = 13 * 3600;
  book.take(held_up("A", 0), at(0), kUnwatched);
  book.take(to("b.test", held_up("A", kLater - 60)), at(0), kUnwatched);
  book.forget(at(kLater));
  EXPECT_EQ(book.domain("a.test")->waiting.size(), 0U);
  EXPECT_EQ(book.domain("b.test")->waiting.size(), 1U);
  EXPECT_EQ(book.totals().waiting, 1U);
  book.take(Removed{"A"}, at(0), kUnwatched);
  EXPECT_EQ(book.domain("b.test")->waiting.size(), 0U) << "it is still known where it waits";
  EXPECT_EQ(book.totals().waiting, 0U);
}

TEST(DeliveryBook, AMessageToSeveralCountsOnceADomainWhateverStandsBetween) {
  DeliveryBook book;
  const auto a_month = [&](const char* name) { return book.domain(name)->messages_a_month(at(0)); };
  book.take(sent("A", 10), at(0), kUnwatched);
  book.take(to("b.test", sent("A", 10)), at(0), kUnwatched);
  book.take(sent("B", 10), at(0), kUnwatched);
  book.take(sent("A", 10), at(0), kUnwatched);
  book.take(held_up("A", 10), at(0), kUnwatched);
  for (int i = 0; i < 20; ++i) book.take(sent("C" + std::to_string(i), 20), at(0), kUnwatched);
  EXPECT_EQ(a_month("a.test"), 22U);
  EXPECT_EQ(a_month("b.test"), 1U);
  const auto changes = book.take_changes();
  DeliveryBook again;
  for (const auto& [name, body] : changes.domains) again.restore_domain(name, body);
  for (auto* one : {&book, &again}) {
    one->take(sent("A", 300), at(0), kUnwatched);
    one->take(sent("C19", 300), at(0), kUnwatched);
    EXPECT_EQ(one->domain("a.test")->messages_a_month(at(0)), 22U)
        << "a recipient that had to wait, after many others and a restart";
  }
}

TEST(DeliveryBook, ADeliveryIsHeldAgainstTheLookBeforeAndTheLookAfter) {
  DeliveryBook book;
  book.take(sent("A", 100), at(0), says(true));
  EXPECT_EQ(book.agreement(at(100)).compared, 1U);
  book.take(sent("B", 100), at(0), says(false, 50));
  EXPECT_EQ(book.agreement(at(100)).compared, 1U) << "the next look will tell";
  book.settle(at(110), config::Seconds{7200}, says(false, 50));
  EXPECT_TRUE(book.disagreements().empty()) << "nobody looked since";
  book.settle(at(120), config::Seconds{7200}, says(true, 115));
  EXPECT_EQ(book.agreement(at(120)).foretold, 2U) << "it was repaired in between";
  book.take(sent("C", 130), at(0), says(false, 115));
  book.settle(at(140), config::Seconds{7200}, says(false, 135));
  EXPECT_EQ(book.agreement(at(140)).compared, 3U);
  EXPECT_EQ(book.agreement(at(140)).foretold, 2U);
  ASSERT_EQ(book.disagreements().size(), 1U);
  EXPECT_EQ(book.disagreements()[0].at, at(130));
  EXPECT_EQ(book.disagreements()[0].verdict, Verdict::refused);
}

TEST(DeliveryBook, WhatCannotBeToldDoesNotCount) {
  DeliveryBook book;
  book.take(sent("A", 100), at(0), says(std::nullopt));
  book.take(sent("B", 100), at(0), kUnwatched);
  book.take(sent("C", 100), at(101), says(false));
  book.settle(at(99'999), config::Seconds{0}, says(false));
  EXPECT_EQ(book.agreement(at(100)).compared, 0U);
  book.take(sent("D", 100), at(0), says(false, 50));
  book.settle(at(110), config::Seconds{7200}, says(std::nullopt, 105));
  EXPECT_EQ(book.agreement(at(110)).compared, 0U) << "the look after it could not tell";
}

TEST(DeliveryBook, AHostThatWasTriedBeforeIsComparedToo) {
  DeliveryBook book;
  auto delivery = sent("A", 100);
  delivery.before = {{"mx1.a.test", Setback::certificate}};
  std::vector<std::string> asked;
  book.take(delivery, at(0), [&](const Delivery& one) -> std::optional<DeliveryBook::Foretold> {
    asked.push_back(one.host + " " + std::string(wire_name(one.status)));
    return std::nullopt;
  });
  EXPECT_THAT(asked, ElementsAre("mx.a.test sent", "mx1.a.test deferred"));
  EXPECT_EQ(book.domain("a.test")->hosts.at("mx1.a.test").setback, Setback::certificate);
}

TEST(DeliveryBook, SurvivesARestart) {
  DeliveryBook book;
  book.take(sent("A", 10), at(0), says(true));
  book.take(held_up("C", 30), at(0), says(false, 0));
  book.settle(at(40), config::Seconds{0}, says(false, 35));
  const auto changes = book.take_changes();
  EXPECT_TRUE(book.take_changes().domains.empty()) << "once";
  DeliveryBook again;
  for (const auto& [name, body] : changes.domains) again.restore_domain(name, body);
  again.restore_agreement(changes.agreement);
  for (const auto& body : changes.disagreements) again.restore_disagreement(body);
  EXPECT_EQ(*again.domain("a.test"), *book.domain("a.test"));
  EXPECT_EQ(again.agreement(at(40)).compared, 2U);
  EXPECT_EQ(again.disagreements(), book.disagreements());
  again.take(Removed{"C"}, at(0), kUnwatched);
  EXPECT_EQ(again.totals().waiting, 0U);
}

DeliveryBook restored(const DeliveryBook::Changes& changes) {
  DeliveryBook out;
  for (const auto& [name, body] : changes.domains) out.restore_domain(name, body);
  out.restore_agreement(changes.agreement);
  for (const auto& body : changes.disagreements) out.restore_disagreement(body);
  for (const auto& [number, body] : changes.undecided) out.restore_undecided(number, body);
  return out;
}

TEST(DeliveryBook, WhatWaitsForTheLookAfterItOutlivesARestart) {
  DeliveryBook book;
  book.take(held_up("A", 100), at(0), says(false, 50));
  book.take(held_up("B", 101), at(0), says(false, 50));
  const auto changes = book.take_changes();
  EXPECT_EQ(changes.undecided.size(), 2U);
  EXPECT_EQ(book.take_changes(), DeliveryBook::Changes{}) << "once";
  auto again = restored(changes);
  again.settle(at(110), std::chrono::hours{2}, kUnwatched);
  again.settle(at(120), std::chrono::hours{2}, says(false, 115));
  EXPECT_EQ(again.agreement(at(120)).compared, 2U);
  ASSERT_EQ(again.disagreements().size(), 2U);
  EXPECT_EQ(again.disagreements()[0], (Disagreement{.at = at(100),
                                                    .domain = "a.test",
                                                    .host = "mx.a.test",
                                                    .verdict = Verdict::refused,
                                                    .looked_at = at(50),
                                                    .status = DeliveryStatus::deferred,
                                                    .level = TlsLevel::unknown,
                                                    .setback = Setback::certificate}));
  again.take(held_up("C", 130), at(0), says(false, 50));
  const auto later = again.take_changes();
  EXPECT_THAT(later.decided, ElementsAre(1, 2));
  EXPECT_EQ(later.undecided.begin()->first, 3) << "no number is used twice while it is kept";
  again.settle(at(130 + 7201), std::chrono::hours{2}, kUnwatched);
  EXPECT_THAT(again.take_changes().decided, ElementsAre(3)) << "nobody watches it any more";
  EXPECT_EQ(again.agreement(at(140)).compared, 2U);
}

TEST(DeliveryBook, AMessageWaitsAtEveryHostThatDidNotTakeItInTheLastTry) {
  DeliveryBook book;
  auto first = held_up("A", 100);
  first.before = {{"mx1.a.test", Setback::certificate}};
  book.take(first, at(0), kUnwatched);
  book.take(held_up("B", 110), at(0), kUnwatched);
  const auto again = restored(book.take_changes());
  for (const auto* one : std::initializer_list<const DeliveryBook*>{&book, &again}) {
    const auto& domain = *one->domain("a.test");
    EXPECT_EQ(domain.waiting_at("mx.a.test"), (DomainDeliveries::Queue{2, at(90)}));
    EXPECT_EQ(domain.waiting_at("mx1.a.test"), (DomainDeliveries::Queue{1, at(90)}));
    EXPECT_EQ(domain.waiting_at("mx2.a.test"), DomainDeliveries::Queue{});
  }
  book.take(held_up("A", 400), at(0), kUnwatched);
  EXPECT_EQ(book.domain("a.test")->waiting_at("mx1.a.test").messages, 0U);
  book.take(Removed{"A"}, at(0), kUnwatched);
  EXPECT_EQ(book.domain("a.test")->waiting_at("mx.a.test").messages, 1U);
  DeliveryBook old;
  old.restore_domain("b.test",
                     R"({"sent":{},"last":1,"hosts":{},"waiting":{"A":[1,2]},"days":{}})");
  EXPECT_EQ(old.domain("b.test")->waiting.size(), 1U) << "from before hosts were kept";
}

TEST(DeliveryBook, WhatADiskGivesBackAsSomethingElseIsPassedOver) {
  DeliveryBook book;
  for (const auto* text : {"", "{", "[]", "{}", R"({"sent":[],"last":"x"})",
                           R"({"sent":{},"last":1,"hosts":{},"waiting":{"A":1},"days":{}})",
                           R"({"sent":{},"last":1,"hosts":{},"waiting":{},"days":{"x":1}})"}) {
    book.restore_domain("a.test", text);
    book.restore_agreement(text);
    book.restore_disagreement(text);
    book.restore_undecided(1, text);
  }
  EXPECT_EQ(book.domain("a.test"), nullptr);
}

TEST(DeliveryBook, IsBounded) {
  DeliveryBook book;
  for (std::size_t i = 0; i < DeliveryBook::kMostDomains + 100; ++i) {
    auto delivery = sent("A" + std::to_string(i), static_cast<int>(i));
    delivery.domain = "d" + std::to_string(i) + ".test";
    book.take(delivery, at(0), kUnwatched);
  }
  EXPECT_LE(book.domains().size(), DeliveryBook::kMostDomains);
  EXPECT_EQ(book.domain("d0.test"), nullptr) << "the oldest go";
  EXPECT_FALSE(book.take_changes().gone.empty());
  DeliveryBook other;
  for (int i = 0; i < 3000; ++i) {
    auto delivery = held_up("A" + std::to_string(i), i);
    delivery.host = "mx" + std::to_string(i) + ".test";
    other.take(delivery, at(0), says(false, 9'999'999));
  }
  EXPECT_EQ(other.domain("a.test")->waiting.size(), DeliveryBook::kMostWaiting);
  EXPECT_EQ(other.domain("a.test")->hosts.size(), DeliveryBook::kMostHosts);
  other.settle(at(5000), config::Seconds{0}, says(false, 9'999'999));
  EXPECT_EQ(other.disagreements().size(), DeliveryBook::kMostDisagreements);
}

const auto kNothing = [](const Delivery&) { return std::nullopt; };

TEST(DeliveryBook, PassesOverADayOlderThanTheMonthItHolds) {
  DeliveryBook book;
  constexpr int kDay = 86400;
  for (int day = 0; day < DeliveryBook::kDays; ++day)
    book.take(sent("A" + std::to_string(day), day * kDay), at(0), kNothing);
  book.take(sent("B", -60 * kDay), at(0), kNothing);
  const auto& days = book.domain("a.test")->days;
  EXPECT_EQ(days.size(), std::size_t{DeliveryBook::kDays});
  EXPECT_EQ(days.begin()->first, kDay0 / kDay);
  book.take(sent("C", DeliveryBook::kDays * kDay), at(0), kNothing);
  EXPECT_EQ(days.begin()->first, kDay0 / kDay + 1);
}

TEST(DeliveryBook, AMessageThatWentInALaterTryWaitsNoMore) {
  DeliveryBook book;
  book.take(held_up("A", 0), at(0), kNothing);
  book.take(sent("A", 1), at(0), kNothing);
  EXPECT_EQ(book.domain("a.test")->waiting.size(), 1U) << "another recipient, in the same try";
  book.take(sent("A", 300), at(0), kNothing);
  EXPECT_TRUE(book.domain("a.test")->waiting.empty());
}

TEST(DeliveryBook, ADisagreementOutlivesAMomentInWhichNothingIsKnown) {
  DeliveryBook book;
  const auto saying = [](std::optional<bool> is_right, int looked) {
    return [=](const Delivery&) {
      return DeliveryBook::Foretold{
          .is_right = is_right, .verdict = Verdict::authenticated, .looked_at = at(looked)};
    };
  };
  book.take(held_up("A", 100), at(0), saying(false, 50));
  book.settle(at(110), std::chrono::hours{2}, saying(std::nullopt, 105));
  book.settle(at(120), std::chrono::hours{2}, saying(false, 115));
  EXPECT_EQ(book.disagreements().size(), 1U);
}

}  // namespace
}  // namespace agent
