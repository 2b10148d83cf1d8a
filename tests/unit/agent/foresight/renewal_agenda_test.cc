#include "agent/foresight/renewal_agenda.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "agent/foresight/issuers.h"
#include "probes/dane/tlsa.h"
#include "tests/support/past.h"
#include "tests/support/renewal.h"

namespace {

using namespace agent;
using config::Failure;
using config::Seconds;
using config::Time;
using probes::net::HttpsAnswer;
using probes::net::HttpsReply;
using std::chrono::hours;
using std::chrono::minutes;
using support::kNow;
using support::leaf_number;

constexpr auto kDirectory = "https://ca.test/directory";
constexpr Seconds kDay = hours{24};

const probes::tls::Certificate& leaf() {
  static const auto out = leaf_number(1);
  return *out;
}
std::string digest() {
  return probes::dane::to_hex(leaf().sha256);
}

HttpsAnswer says(std::string body, std::optional<std::string> retry_after = {}, int status = 200) {
  return HttpsReply{
      .status = status, .body = std::move(body), .retry_after = std::move(retry_after)};
}
HttpsAnswer directory() {
  return says(R"({"renewalInfo":"https://ca.test/ari/"})");
}
HttpsAnswer window(Time start, std::optional<std::string> retry_after = {}) {
  return says(R"({"suggestedWindow":{"start":")" + config::rfc3339(start) + R"(","end":")" +
                  config::rfc3339(start + kDay) + R"("}})",
              std::move(retry_after));
}
HttpsAnswer fails() {
  return Failure<std::string>("no route");
}

RenewalAgenda agenda(RenewalBook known = {}) {
  RenewalAgenda out(std::move(known));
  out.set_directories({{ca_of(leaf().issuer), kDirectory}});
  out.set_chains({{leaf_number(1)}});
  return out;
}
// Past the directory.
RenewalAgenda ready() {
  auto out = agenda();
  EXPECT_EQ(out.take(*out.next(kNow), directory(), kNow), std::nullopt);
  return out;
}

TEST(RenewalAgenda, AsksTheDirectoryThenAboutTheCertificate) {
  auto one = agenda();
  const auto first = one.next(kNow);
  ASSERT_TRUE(first.has_value());
  EXPECT_EQ(first->url, kDirectory);
  one.take(*first, directory(), kNow);
  const auto second = one.next(kNow);
  ASSERT_TRUE(second.has_value());
  EXPECT_EQ(second->url, "https://ca.test/ari/" + *probes::reports::ari_id(leaf()));
  const auto told = one.take(*second, window(kNow + 60 * kDay), kNow);
  ASSERT_TRUE(told && told->window);
  EXPECT_EQ(told->certificate, digest());
  EXPECT_EQ(told->window->start, kNow + 60 * kDay);
  EXPECT_FALSE(one.next(kNow).has_value());
  EXPECT_FALSE(one.next(kNow + hours{6} - minutes{1}).has_value());
  EXPECT_TRUE(one.next(kNow + hours{6}).has_value()) << "the usual pace, RFC 9773 §4.3.3";
}

TEST(RenewalAgenda, AsksNobodyOfWhomNothingIsKnown) {
  auto one = agenda();
  one.set_directories({{"Somebody Else", kDirectory}});
  one.set_chains({{leaf_number(1)}});
  EXPECT_FALSE(one.next(kNow).has_value());
  auto gone = ready();
  gone.set_chains({});
  EXPECT_FALSE(gone.next(kNow).has_value()) << "it is in use no more";
  EXPECT_FALSE(ready().next(leaf().not_after).has_value()) << "what has expired needs no window";
}

TEST(RenewalAgenda, BelievesNoWindowThatStartsAfterTheCertificateExpires) {
  auto one = ready();
  const auto question = *one.next(kNow);
  const auto told = one.take(question, window(leaf().not_after), kNow);
  ASSERT_TRUE(told.has_value());
  EXPECT_FALSE(told->window);
  EXPECT_EQ(told->fault, "a suggestedWindow that starts after the certificate expires");
  const auto late = one.take(question, window(leaf().not_after - hours{1}), kNow);
  EXPECT_TRUE(late && late->window) << "it may end after that";
}

TEST(RenewalAgenda, AsksNothingOfACertificateThatItsIssuerHasNotSigned) {
  auto one = agenda();
  const auto impostor = support::self_signed(
      {.common_name = "E1", .is_ca = true, .organisation = "Testcrypt"}, support::Key::ecdsa());
  ASSERT_EQ(impostor.certificate->subject, leaf().issuer);
  one.set_chains({{leaf_number(2), impostor.certificate}});
  EXPECT_FALSE(one.next(kNow).has_value());
  one.set_chains({{leaf_number(2), impostor.certificate}});
  EXPECT_FALSE(one.next(kNow).has_value()) << "nor later";
}

struct ClaimCase {
  std::string says;
  Chain chain;
  bool want = false;
};

TEST(RenewalAgenda, AsksOfNoneThatOnlySayWhoIssuedThem) {
  const auto& pki = support::Pki::get();
  const auto& real = pki.leaf.certificate;
  const auto& inter = pki.inter.certificate;
  // Of the intermediate's name, with another's key.
  const auto impostor = support::issue({.common_name = *inter->common_name, .is_ca = true},
                                       support::Key::ecdsa(), pki.root);
  auto own = *real;
  own.issuer = own.subject;
  own.is_self_issued = true;
  const auto self_signed = std::make_shared<const probes::tls::Certificate>(std::move(own));
  ASSERT_EQ(impostor.certificate->subject, inter->subject);
  for (const auto& row : std::vector<ClaimCase>{
           {"with its issuer", {real, inter}, true},
           {"behind another", {real, pki.root.certificate, inter}, true},
           {"the issuer is left out", {real}, true},
           {"the issuer of that name has signed it, another of it has not",
            {real, impostor.certificate, inter},
            true},
           {"who is given as its issuer has not signed it", {real, impostor.certificate}, false},
           {"it has signed itself", {self_signed}, false},
           {"and shows somebody else", {self_signed, inter}, false},
       }) {
    EXPECT_EQ(is_issued_as_said(row.chain), row.want) << row.says;
  }
}

TEST(RenewalAdvice, AWindowThatWasMovedByADayStaysMovedUntilItIsMovedBack) {
  using probes::reports::RenewalWindow;
  const auto certificate = leaf();
  const auto begins = [&](Seconds from_now) {
    return RenewalWindow{.start = kNow + from_now, .end = certificate.not_after, .explanation = {}};
  };
  auto told = with_window({}, begins(2 * kDay), std::nullopt, kNow);
  EXPECT_FALSE(is_urgent(told, certificate, kNow));
  for (int look = 0; look < 3; ++look) {
    told = with_window(told, begins(kDay), std::nullopt, kNow);
    EXPECT_TRUE(is_urgent(told, certificate, kNow)) << look;
  }
  told = with_window(told, begins(2 * kDay), std::nullopt, kNow);
  EXPECT_FALSE(is_urgent(told, certificate, kNow));
}

struct PaceCase {
  std::string says;
  HttpsAnswer answer;
  Seconds want;  // until anything is asked again
};

TEST(RenewalAgenda, KeepsThePace) {
  const auto soon = kNow + 60 * kDay;
  for (const auto& row : std::vector<PaceCase>{
           {"as asked for", window(soon, "7200"), hours{2}},
           {"not more than once a minute", window(soon, "0"), minutes{1}},
           {"once a day at least", window(soon, "8640000"), kDay},
           {"what is no time is none", window(soon, "soon"), hours{6}},
           {"an answer without a window", says("{}"), minutes{10}},
           {"unknown there", says("", {}, 404), minutes{10}},
           {"the server has trouble", says("", {}, 500), minutes{10}},
           {"and says how long", says("", "1800", 503), minutes{30}},
           {"too many questions", says("", "3600", 429), hours{1}},
           {"nothing comes", fails(), minutes{10}},
       }) {
    SCOPED_TRACE(row.says);
    auto one = ready();
    one.take(*one.next(kNow), row.answer, kNow);
    EXPECT_FALSE(one.next(kNow + row.want - Seconds{1}).has_value());
    EXPECT_TRUE(one.next(kNow + row.want).has_value());
  }
}

TEST(RenewalAgenda, BacksOffUpToSixHours) {
  auto one = ready();
  auto at = kNow;
  std::vector<Seconds> pauses;
  for (int i = 0; i < 8; ++i) {
    one.take(*one.next(at), fails(), at);
    auto next = at;
    while (!one.next(next)) next += minutes{5};
    pauses.push_back(next - at);
    at = next;
    // The directory is known for a day.
    if (one.next(at)->certificate.empty()) break;
  }
  EXPECT_THAT(pauses, testing::ElementsAre(minutes{10}, minutes{20}, minutes{40}, minutes{80},
                                           minutes{160}, minutes{320}, hours{6}, hours{6}));
}

TEST(RenewalAgenda, ACaThatFailsIsLeftAloneWithAllItsCertificates) {
  auto one = ready();
  one.set_chains({{leaf_number(1)}, {leaf_number(2)}});
  const auto first = one.next(kNow);
  const auto told = one.take(*first, says("", {}, 500), kNow);
  ASSERT_TRUE(told.has_value());
  EXPECT_EQ(told->fault, "HTTP status 500");
  EXPECT_FALSE(one.next(kNow + minutes{9}).has_value());
  EXPECT_EQ(one.fault_of(kDirectory), "HTTP status 500");
  const auto second = one.next(kNow + minutes{10});
  ASSERT_TRUE(second.has_value());
  one.take(*second, window(kNow + kDay), kNow + minutes{10});
  EXPECT_EQ(one.fault_of(kDirectory), "");
}

TEST(RenewalAgenda, ACaWithoutRenewalInfoIsAskedOnceADay) {
  auto one = agenda();
  one.take(*one.next(kNow), says("{}"), kNow);
  EXPECT_EQ(one.fault_of(kDirectory), "the CA offers no renewalInfo");
  EXPECT_FALSE(one.next(kNow + kDay - Seconds{1}).has_value());
  EXPECT_TRUE(one.next(kNow + kDay).has_value());
}

TEST(RenewalAgenda, TheDirectoryIsReadAnewEveryDay) {
  auto one = ready();
  one.take(*one.next(kNow), window(kNow + 60 * kDay, "86400"), kNow);
  EXPECT_TRUE(one.next(kNow + kDay)->certificate.empty());
}

TEST(RenewalAgenda, WhatWasToldBeforeIsKnownAndPaced) {
  const RenewalAdvice before{.certificate = digest(),
                             .not_after = leaf().not_after,
                             .window = RenewalWindow{kNow + 60 * kDay, kNow + 61 * kDay, {}},
                             .next_at = kNow + hours{1}};
  auto one = agenda({{digest(), before}});
  EXPECT_FALSE(one.next(kNow).has_value()) << "as before the restart";
  one.take(*one.next(kNow + hours{1}), directory(), kNow + hours{1});
  const auto told = one.take(*one.next(kNow + hours{1}), window(kNow), kNow + hours{1});
  ASSERT_TRUE(told.has_value());
  EXPECT_EQ(told->moved_from, before.window) << "a jump is seen across a restart";
  auto wrong = before;
  wrong.next_at = kNow + 40 * kDay;
  EXPECT_TRUE(agenda({{digest(), wrong}}).next(kNow).has_value())
      << "a time that a wrong clock made holds nobody up";
}

TEST(RenewalAgenda, AnAnswerThatComesTooLateIsNobodys) {
  auto one = ready();
  const auto question = one.next(kNow);
  one.set_chains({});
  EXPECT_EQ(one.take(*question, window(kNow), kNow), std::nullopt);
}

// ---- what the answers mean

RenewalAdvice told(std::vector<Time> starts) {
  RenewalAdvice out;
  for (const auto start : starts)
    out = with_window(std::move(out), {start, start + kDay, {}}, std::nullopt, kNow);
  return out;
}

TEST(RenewalAdvice, RemembersFromWhereAWindowWasMoved) {
  EXPECT_EQ(told({kNow + 60 * kDay}).moved_from, std::nullopt);
  EXPECT_EQ(told({kNow + 60 * kDay, kNow + 61 * kDay}).moved_from, std::nullopt) << "to later";
  EXPECT_EQ(told({kNow + 60 * kDay, kNow + 60 * kDay - hours{23}}).moved_from, std::nullopt)
      << "less than a day is no move";
  const auto moved = told({kNow + 60 * kDay, kNow, kNow + hours{6}});
  ASSERT_TRUE(moved.moved_from.has_value());
  EXPECT_EQ(moved.moved_from->start, kNow + 60 * kDay) << "a window of now moves with the clock";
  EXPECT_EQ(told({kNow + 60 * kDay, kNow, kNow + 60 * kDay}).moved_from, std::nullopt)
      << "and back";
  const auto crept = told(
      {kNow + 6 * kDay, kNow + hours{125}, kNow + hours{106}, kNow + hours{86}, kNow + hours{67}});
  ASSERT_TRUE(crept.moved_from.has_value()) << "in steps of less than a day";
  EXPECT_EQ(crept.moved_from->start, kNow + 6 * kDay);
  EXPECT_TRUE(is_urgent(crept, leaf(), kNow));
}

TEST(RenewalAdvice, AFaultKeepsWhatWasTold) {
  const auto failed = with_fault(told({kNow + kDay}), "no route", std::nullopt, kNow);
  EXPECT_TRUE(failed.window.has_value());
  EXPECT_EQ(failed.failures, 1);
  const auto again = with_window(failed, *failed.window, std::nullopt, kNow);
  EXPECT_EQ(again.failures, 0);
  EXPECT_EQ(again.fault, "");
}

TEST(RenewalBook, SaysWhatIsNewsAndForgetsWhatHasExpired) {
  RenewalBook book;
  RenewalAdvice advice{.certificate = "c", .not_after = kNow + kDay};
  EXPECT_FALSE(take(book, advice)) << "nothing was told";
  advice.window = RenewalWindow{kNow, kNow + kDay, {}};
  EXPECT_TRUE(take(book, advice));
  advice.next_at = kNow;
  EXPECT_FALSE(take(book, advice)) << "the same again";
  forget_expired(book, kNow + kDay);
  EXPECT_TRUE(book.empty());
}

TEST(CaOf, IsTheOrganisationOrTheCommonName) {
  EXPECT_EQ(ca_of("CN=E5,O=Let's Encrypt,C=US"), "Let's Encrypt");
  EXPECT_EQ(ca_of("CN=WE1,O=Google Trust Services\\, LLC,C=US"), "Google Trust Services, LLC");
  EXPECT_EQ(ca_of("CN=Our Own"), "Our Own");
  EXPECT_EQ(ca_of("C=US"), "");
}

}  // namespace
