#include "agent/foresight/renewal_watch.h"

#include <condition_variable>
#include <mutex>
#include <stdexcept>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "agent/foresight/issuers.h"
#include "probes/dane/tlsa.h"
#include "tests/support/past.h"
#include "tests/support/renewal.h"

namespace {

using namespace agent;
using config::Failure;
using probes::net::HttpsAnswer;
using probes::net::HttpsQuestion;
using probes::net::HttpsReply;
using std::chrono::hours;
using support::kNow;
using support::leaf_number;
using testing::Each;
using testing::ElementsAre;
using testing::Pair;

constexpr auto kDirectory = "https://ca.test/directory";
constexpr std::chrono::seconds kLong{20};  // nothing here takes so long

// What the watch asked and told, so far.
class Heard {
 public:
  template <class Change>
  void note(Change change) {
    {
      const std::scoped_lock lock(mutex_);
      change();
    }
    changed_.notify_all();
  }
  template <class IsSo>
  [[nodiscard]] bool comes(IsSo is_so) {
    std::unique_lock lock(mutex_);
    return changed_.wait_for(lock, kLong, is_so);
  }

  std::vector<HttpsQuestion> asked;
  std::vector<std::vector<RenewalAdvice>> advice;
  std::vector<std::pair<std::string, std::string>> faults;
  std::vector<bool> partners;  // whether theirs were asked for

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
};

class RenewalWatchTest : public testing::Test {
 protected:
  RenewalWatchTest() {
    settings_.acme.enabled = true;
    settings_.acme.directories = {{"Testcrypt", kDirectory}};
    settings_.mta_sts.ca_file = "/etc/ca.pem";
  }

  RenewalWatch::Calls calls(std::function<HttpsAnswer(const HttpsQuestion&)> says) {
    return {
        .now = [] { return kNow; },
        .in_use =
            [this](bool partners) {
              heard_.note([&] { heard_.partners.push_back(partners); });
              std::vector<Chain> chains;
              for (const auto& leaf : leaves_) chains.push_back({leaf});
              return chains;
            },
        .ask =
            [this, says = std::move(says)](const HttpsQuestion& question, const std::stop_token&) {
              heard_.note([&] { heard_.asked.push_back(question); });
              return says(question);
            },
        .on_advice =
            [this](const std::vector<RenewalAdvice>& advice) {
              heard_.note([&] { heard_.advice.push_back(advice); });
            },
        .on_fault =
            [this](const std::string& directory, const std::string& fault) {
              heard_.note([&] { heard_.faults.emplace_back(directory, fault); });
            }};
  }

  static HttpsAnswer ca_says(const HttpsQuestion& question) {
    if (question.url == kDirectory)
      return HttpsReply{.status = 200, .body = R"({"renewalInfo":"https://ca.test/ari"})"};
    return HttpsReply{.status = 200,
                      .body = R"({"suggestedWindow":{"start":"2027-03-01T00:00:00Z",)"
                              R"("end":"2040-01-03T00:00:00Z"}})"};
  }

  config::Config settings_;
  std::vector<probes::tls::CertificatePtr> leaves_{leaf_number(1)};
  Heard heard_;  // before any watch: its thread uses it
};

TEST_F(RenewalWatchTest, AsksTheCaAndHandsOnWhatItSuggests) {
  const RenewalWatch watch({}, settings_, calls(ca_says));
  ASSERT_TRUE(heard_.comes([&] { return !heard_.advice.empty(); }));
  heard_.note([&] {
    ASSERT_EQ(heard_.asked.size(), 2U) << "the directory, then about the certificate";
    EXPECT_EQ(heard_.asked[0].url, kDirectory);
    EXPECT_THAT(heard_.asked[1].url, testing::StartsWith("https://ca.test/ari/"));
    for (const auto& question : heard_.asked) {
      EXPECT_EQ(question.ca_file, "/etc/ca.pem");
      EXPECT_EQ(question.most, probes::reports::kMostAriReply);
      EXPECT_GT(question.patience, config::Seconds{0});
    }
    ASSERT_EQ(heard_.advice.front().size(), 1U);
    const auto& advice = heard_.advice.front().front();
    EXPECT_EQ(advice.certificate, probes::dane::to_hex(leaves_.front()->sha256));
    ASSERT_TRUE(advice.window);
    EXPECT_EQ(config::rfc3339(advice.window->start), "2027-03-01T00:00:00Z");
    EXPECT_THAT(heard_.partners, Each(false));
    EXPECT_TRUE(heard_.faults.empty());
  });
}

TEST_F(RenewalWatchTest, HandsOnTwentyAtOnceOfMany) {
  leaves_.clear();
  for (std::uint8_t number = 0; number < 50; ++number) leaves_.push_back(leaf_number(number));
  const RenewalWatch watch({}, settings_, calls(ca_says));
  ASSERT_TRUE(heard_.comes([&] { return !heard_.advice.empty(); }));
  heard_.note([&] { EXPECT_EQ(heard_.advice.front().size(), 19U) << "one was the directory"; });
}

TEST_F(RenewalWatchTest, TellsOnceThatACaDoesNotAnswer) {
  leaves_.push_back(leaf_number(2));
  RenewalWatch watch({}, settings_, calls([](const HttpsQuestion&) {
                       return HttpsAnswer(Failure<std::string>("no route"));
                     }));
  ASSERT_TRUE(heard_.comes([&] { return !heard_.faults.empty(); }));
  watch.configure(settings_);  // it looks again, and must leave the CA alone
  ASSERT_TRUE(heard_.comes([&] { return heard_.partners.size() >= 2; }));
  heard_.note([&] {
    EXPECT_THAT(heard_.faults, ElementsAre(Pair(kDirectory, "no route")));
    EXPECT_EQ(heard_.asked.size(), 1U);
    EXPECT_TRUE(heard_.advice.empty());
  });
}

TEST_F(RenewalWatchTest, KeepsThePaceThatWasTold) {
  const auto digest = probes::dane::to_hex(leaves_.front()->sha256);
  RenewalBook known;
  known[digest] = {
      .certificate = digest, .not_after = leaves_.front()->not_after, .next_at = kNow + hours{6}};
  RenewalWatch watch(std::move(known), settings_, calls(ca_says));
  ASSERT_TRUE(heard_.comes([&] { return !heard_.partners.empty(); }));
  watch.configure(settings_);
  ASSERT_TRUE(heard_.comes([&] { return heard_.partners.size() >= 2; }));
  heard_.note([&] { EXPECT_TRUE(heard_.asked.empty()); });
}

TEST_F(RenewalWatchTest, AsksNobodyWhereItIsSwitchedOff) {
  settings_.acme.enabled = false;
  RenewalWatch watch({}, settings_, calls(ca_says));
  settings_.acme.enabled = true;
  settings_.acme.partners = true;
  watch.configure(settings_);
  ASSERT_TRUE(heard_.comes([&] { return !heard_.advice.empty(); }));
  heard_.note([&] { EXPECT_THAT(heard_.partners, Each(true)) << "not before it was switched on"; });
}

TEST_F(RenewalWatchTest, SurvivesWhatIsThrown) {
  auto one = calls(ca_says);
  bool has_thrown = false;
  one.in_use = [&, then = one.in_use](bool partners) {
    if (!std::exchange(has_thrown, true)) throw std::runtime_error("storage is away");
    return then(partners);
  };
  RenewalWatch watch({}, settings_, std::move(one));
  ASSERT_TRUE(heard_.comes([&] { return !heard_.faults.empty(); }));
  watch.configure(settings_);
  ASSERT_TRUE(heard_.comes([&] { return !heard_.advice.empty(); }));
  heard_.note([&] { EXPECT_THAT(heard_.faults, ElementsAre(Pair("", "storage is away"))); });
}

TEST_F(RenewalWatchTest, EndsInTheMiddleOfAQuestion) {
  auto one = calls(ca_says);
  one.ask = [&](const HttpsQuestion& question, const std::stop_token& stop) {
    heard_.note([&] { heard_.asked.push_back(question); });
    std::mutex mutex;
    std::condition_variable_any never;
    std::unique_lock lock(mutex);
    never.wait(lock, stop, [] { return false; });
    return HttpsAnswer(Failure<std::string>("was told to stop"));
  };
  {
    const RenewalWatch watch({}, settings_, std::move(one));
    ASSERT_TRUE(heard_.comes([&] { return !heard_.asked.empty(); }));
  }
  EXPECT_TRUE(heard_.faults.empty()) << "that it had to stop is no fault of the CA";
  EXPECT_TRUE(heard_.advice.empty());
}

}  // namespace
