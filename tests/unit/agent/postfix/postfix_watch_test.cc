#include "agent/postfix/postfix_watch.h"

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <semaphore>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "tests/support/past.h"

namespace {

using namespace agent;
using support::kNow;

// Keeps what was saved last.
class FakeStore final : public DeliveryStore {
 public:
  config::Result<Kept, std::string> restore() override { return kept; }
  config::Result<void, std::string> save(const DeliveryBook::Changes& changes,
                                         const std::string& log, const std::string& position,
                                         const std::string& reader) override {
    for (const auto& [name, body] : changes.domains) kept.domains[name] = body;
    kept.log = log;
    kept.position = position;
    kept.reader = reader;
    return {};
  }
  Kept kept;
};

class Watching : public testing::Test {
 protected:
  ~Watching() override { std::filesystem::remove_all(folder_); }

  static std::filesystem::path made() {
    auto pattern = (std::filesystem::temp_directory_path() / "danelaw-XXXXXX").string();
    return mkdtemp(pattern.data());
  }
  // A log with that many messages delivered, all to a.test.
  [[nodiscard]] config::Postfix log_of(const std::string& name, int messages) const {
    std::ofstream file(folder_ / name, std::ios::app);
    for (int i = 0; i < messages; ++i)
      file << config::rfc3339(kNow - std::chrono::minutes{1}) << " out postfix/smtp[1]: " << name
           << "0000" << i
           << ": to=<x@a.test>, relay=mx.a.test[192.0.2.1]:25, delay=1, delays=0/0/0/1, "
              "dsn=2.0.0, status=sent (ok)\n";
    config::Postfix out;
    out.log = folder_ / name;
    return out;
  }
  // One run of the agent, which reads all that there is: so many messages are counted, ever.
  std::uint64_t counted_after(const config::Postfix& settings) {
    std::counting_semaphore<> begun{0};
    bool is_started = false;
    PostfixWatch watch(store_, {.now = [] { return kNow; },
                                .judged = [](std::string_view) { return nullptr; },
                                .exceptions =
                                    [&] {
                                      if (is_started) begun.release();
                                      return std::vector<Exception>{};
                                    },
                                .report = [](const std::string&, bool) {}});
    EXPECT_TRUE(watch.configure(settings));
    is_started = true;
    watch.start();
    begun.acquire();  // a turn that has begun is gone through
    watch.stop();
    const auto domain = watch.domain("a.test");
    return domain ? domain->messages_a_month(kNow) : 0;
  }

  const std::filesystem::path folder_ = made();
  FakeStore store_;
};

TEST_F(Watching, ALogThatIsFollowedAgainIsNotCountedAgain) {
  const auto first = log_of("AAAA", 5);
  const auto second = log_of("BBBB", 7);
  EXPECT_EQ(counted_after(first), 5U);
  EXPECT_EQ(counted_after(second), 12U);
  EXPECT_EQ(counted_after(first), 12U);
  EXPECT_EQ(counted_after(log_of("AAAA", 1)), 13U) << "what was written since counts";
  EXPECT_EQ(counted_after(second), 13U);
}

TEST_F(Watching, NoMoreThanEightLogsAreRemembered) {
  const auto first = log_of("A", 9);
  std::uint64_t all = counted_after(first);
  for (const auto* name : {"B", "C", "D", "E", "F", "G", "H"}) all = counted_after(log_of(name, 9));
  EXPECT_EQ(all, 72U);
  EXPECT_EQ(counted_after(first), 72U);
  EXPECT_EQ(counted_after(log_of("I", 9)), 81U);
  EXPECT_EQ(nlohmann::json::parse(store_.kept.position).size(), 8U);
}

TEST_F(Watching, APositionFromBeforeThereWereSeveralIsGoneOnFrom) {
  const auto log = log_of("AAAA", 9);
  EXPECT_EQ(counted_after(log), 9U);
  const auto several = nlohmann::json::parse(store_.kept.position);
  store_.kept.position = several.at(0).at(1).get<std::string>();
  EXPECT_EQ(counted_after(log), 9U);
  store_.kept.position = "{";
  EXPECT_EQ(counted_after(log), 18U) << "it is none: what is lost is lost";
}

}  // namespace
