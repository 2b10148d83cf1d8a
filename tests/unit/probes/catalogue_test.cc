#include "probes/catalogue.h"

#include <set>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "probes/judge.h"

namespace probes {
namespace {

TEST(Catalogue, HasOneRowACodeInTheOrderOfTheEnumeration) {
  ASSERT_EQ(catalogue().size(), kCodeCount);
  std::set<std::string_view> names;
  for (std::size_t i = 0; i < kCodeCount; ++i) {
    const auto& row = catalogue()[i];
    EXPECT_EQ(static_cast<std::size_t>(row.code), i) << row.name;
    EXPECT_EQ(&row_of(row.code), &row);
    EXPECT_EQ(wire_name(row.code), row.name);
    EXPECT_EQ(code_from(row.name), row.code);
    EXPECT_TRUE(names.insert(row.name).second) << row.name;
  }
}

TEST(Catalogue, EveryRowSaysWhatAPersonNeeds) {
  for (const auto& row : catalogue()) {
    for (const auto text : {row.title, row.explanation, row.senders_now})
      EXPECT_FALSE(text.empty()) << row.name;
    EXPECT_GT(row.fix.size(), 0U) << row.name;
    EXPECT_GT(row.references.size(), 0U) << row.name;
  }
}

// What may be worth a notification is what senders would report, or what none can; policies that
// cannot be used, or records, hold up no mail.
TEST(Catalogue, PostmastersAreWrittenOfWhatHoldsUpMail) {
  for (const auto& row : catalogue()) {
    const bool is_reported =
        !row.tlsrpt.empty() && row.code != Code::mta_sts_invalid && row.code != Code::all_unusable;
    // A name server that lags is the cause of refusals, which are told below it.
    const bool is_written = row.code == Code::dane_lost || row.code == Code::nameserver_split;
    EXPECT_EQ(row.alerts.is_for_postmaster, is_reported || is_written) << row.name;
  }
}

TEST(Catalogue, MediumFindingsAreAlertsWhereTheyCanStillBePreventedOrAreOurs) {
  std::vector<std::string_view> from_medium;
  for (const auto& row : catalogue()) {
    if (row.alerts.alerts_from < Severity::high) from_medium.push_back(row.name);
    EXPECT_LE(row.alerts.alerts_from, Severity::high) << row.name;
  }
  EXPECT_THAT(from_medium,
              testing::ElementsAre("ds-change-breaks", "predicted-mismatch", "next-key-unpublished",
                                   "renewal-urgent", "issuer-uncovered", "tlsa-orphan",
                                   "policy-override", "monitor-fault"));
}

TEST(Senders, HaveWordsForPeople) {
  for (const auto& sender : other_senders()) EXPECT_TRUE(sender.words.starts_with("senders "));
}

}  // namespace
}  // namespace probes
