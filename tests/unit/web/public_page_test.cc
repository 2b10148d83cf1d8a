#include "web/routes/public_page.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "web/routes/badge.h"

// What everybody may see.
namespace {

using config::Time;
using probes::Delivery;
using probes::Verdict;
using testing::HasSubstr;
using testing::Not;

constexpr config::Seconds kMinute{60};
constexpr config::Seconds kDay = std::chrono::hours{24};
const Time kNoon = *config::parse_rfc3339("2027-01-15T12:00:00Z");

storage::DomainRow row(std::string name, Delivery delivery, Verdict verdict) {
  return {.name = std::move(name),
          .verdict = std::string(wire_name(verdict)),
          .delivery = delivery,
          .observed_at = kNoon};
}
web::PublicView view(std::vector<storage::DomainRow> domains) {
  return {.domains = std::move(domains), .past_until = kNoon, .now = kNoon};
}
storage::DeliverySpan span(Time from, Time until, Delivery delivery, Verdict verdict) {
  return {.from = from, .until = until, .delivery = delivery, .verdict = verdict};
}

// Elements, and pieces of text between them, of the main part.
std::size_t nodes(const std::string& page) {
  std::size_t out = 0;
  for (std::size_t i = page.find("<main>"); i < page.size(); ++i) {
    const bool is_tag = page[i] == '<' && page[i + 1] != '/';
    const bool is_text = page[i] == '>' && i + 1 < page.size() && page[i + 1] != '<';
    if (is_tag || is_text) ++out;
  }
  return out;
}

TEST(PublicPage, WhoTakesNoMailIsNotSaidToGetIt) {
  auto shown = view({row("a.test", Delivery::fine, Verdict::authenticated),
                     row("null.test", Delivery::fine, Verdict::no_mail)});
  shown.past["null.test"] = {span(kNoon - 100 * kDay, kNoon, Delivery::fine, Verdict::no_mail)};
  const auto page = web::public_page(shown).body;
  EXPECT_THAT(page,
              HasSubstr("<h2>null.test</h2><p><span class=\"mark ok\">✓ takes no mail</span>"));
  EXPECT_THAT(page, HasSubstr("Mail gets through securely."));
  EXPECT_THAT(page, Not(HasSubstr("unknown in 90 days; last check 2027-01-15 12:00 UTC</p>")));
  shown.domains[0].delivery = Delivery::held_up;
  EXPECT_THAT(web::public_page(shown).body, HasSubstr("does not arrive at 1 of 1 domains."));
  shown.domains.erase(shown.domains.begin());
  EXPECT_THAT(web::public_page(shown).body, HasSubstr("No mail is taken."));
}

TEST(PublicPage, ABadgeIsAsGreenAsThePage) {
  const auto badge = [](Delivery delivery, Verdict verdict) {
    return web::badge_of(delivery, std::string(wire_name(verdict)));
  };
  EXPECT_EQ(badge(Delivery::fine, Verdict::authenticated).colour, "#0b6b3a");
  EXPECT_EQ(badge(Delivery::unprotected, Verdict::cleartext).colour, "#8a5a00");
  EXPECT_EQ(badge(Delivery::unprotected, Verdict::cleartext).message, "cleartext");
  EXPECT_EQ(badge(Delivery::fine, Verdict::no_mail).message, "takes no mail");
  EXPECT_EQ(badge(Delivery::held_up, Verdict::authenticated).message, "held-up")
      << "what caches hold refuses";
  EXPECT_EQ(badge(Delivery::held_up, Verdict::deferred).message, "deferred");
  EXPECT_EQ(web::badge_of(Delivery::unknown, std::nullopt).message, "not seen yet");
}

TEST(PublicPage, ManyDomainsAreFewElementsWhateverHappened) {
  auto shown = view({});
  for (int i = 0; i < 300; ++i) {
    const auto name = fmt::format("d{:03}.test", i);
    shown.domains.push_back(row(name, Delivery::fine, Verdict::authenticated));
    auto& past = shown.past[name];
    for (int day = 95; day > 0; --day) {
      const auto begin = kNoon - day * kDay;
      past.push_back(span(begin, begin + kDay / 2, Delivery::fine, Verdict::authenticated));
      past.push_back(
          day % 2 == 0
              ? span(begin + kDay / 2, begin + kDay, Delivery::held_up, Verdict::deferred)
              : span(begin + kDay / 2, begin + kDay, Delivery::at_risk, Verdict::authenticated));
    }
  }
  shown.domains[299].delivery = Delivery::held_up;
  const auto page = web::public_page(shown).body;
  EXPECT_LT(nodes(page), 2000U);
  EXPECT_LT(page.size(), 300'000U);
  EXPECT_THAT(page, HasSubstr("<article><h2>d299.test</h2>")) << "what is wrong comes first";
  EXPECT_THAT(page, HasSubstr("Domains 1 to 50 of 300. <a href=\"?page=2\">More</a>"));
  shown.page = 99;
  EXPECT_THAT(web::public_page(shown).body,
              HasSubstr("Domains 251 to 300 of 300. <a href=\"?page=5\">Before</a></nav>"));
}

TEST(PublicPage, DaysThatAreAlikeAreOnePathAndOnlyWhatHappenedIsTold) {
  auto shown = view({row("a.test", Delivery::fine, Verdict::authenticated)});
  const auto begin = kNoon - 3 * kDay;
  shown.past["a.test"] = {span(kNoon - 60 * kDay, begin, Delivery::fine, Verdict::authenticated),
                          span(begin, begin + kDay, Delivery::held_up, Verdict::deferred),
                          span(begin + kDay, kNoon, Delivery::fine, Verdict::authenticated)};
  const auto page = web::public_page(shown).body;
  EXPECT_THAT(page, HasSubstr("<title>2027-01-12 to 2027-01-13: mail did not arrive</title>"));
  EXPECT_THAT(page, Not(HasSubstr(": fine</title>")));
  EXPECT_THAT(page, Not(HasSubstr("not watched</title>")));
  EXPECT_THAT(page, HasSubstr("<path class=\"held-up\" d=\"M344 0h3v20h-3zM348 0h3v20h-3z\">"));
}

TEST(PublicPage, AnIncidentDoesNotEndBecauseNobodyCanSee) {
  auto shown = view({row("a.test", Delivery::unknown, Verdict::unknown)});
  const auto down = kNoon - 60 * kMinute;
  const auto blind = kNoon - 10 * kMinute;
  auto& past = shown.past["a.test"];
  past = {span(kNoon - kDay, down, Delivery::fine, Verdict::authenticated),
          span(down, blind, Delivery::held_up, Verdict::deferred),
          span(blind, kNoon, Delivery::unknown, Verdict::unknown)};
  EXPECT_THAT(
      web::public_page(shown).body,
      HasSubstr("11:00 UTC</time>; unknown since <time datetime=\"2027-01-15T11:50:00Z\">"));
  auto incident = nlohmann::json::parse(web::public_json(shown).body)["incidents"][0];
  EXPECT_EQ(incident["until"], nullptr);
  EXPECT_EQ(incident["unknown_since"], "2027-01-15T11:50:00Z");
  past[2] = span(blind, kNoon, Delivery::fine, Verdict::authenticated);
  incident = nlohmann::json::parse(web::public_json(shown).body)["incidents"][0];
  EXPECT_EQ(incident["until"], "2027-01-15T11:50:00Z");
  EXPECT_EQ(incident["unknown_since"], nullptr);
}

}  // namespace
