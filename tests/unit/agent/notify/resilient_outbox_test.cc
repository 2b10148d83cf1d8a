#include "agent/notify/resilient_outbox.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/fake_world.h"

// Notifications while the outbox on disk can be read but not written, as on a full disk.
namespace {

using namespace agent;
using support::kNow;
using testing::ElementsAre;
using testing::IsEmpty;

class Disk final : public Outbox {
 public:
  bool is_full = false;
  std::vector<QueuedNotification> posts;  // not delivered
  std::vector<std::string> written;
  template <class T>
  using Answer = config::Result<T, RecordFault>;

  Answer<std::vector<QueuedNotification>> due(const std::string& notifier, config::Time,
                                              std::size_t) override {
    std::vector<QueuedNotification> out;
    for (const auto& post : posts) {
      if (post.notifier == notifier) out.push_back(post);
    }
    return out;
  }
  Answer<void> delivered(const std::string& id, config::Time) override {
    if (is_full) return fault();
    std::erase_if(posts, [&](const QueuedNotification& post) { return post.id == id; });
    written.push_back(id);
    return {};
  }
  Answer<void> failed(const std::string&, config::Time, const std::string&) override {
    return is_full ? Answer<void>(fault()) : Answer<void>();
  }
  Answer<std::size_t> waiting(const std::string&) override { return posts.size(); }
  Answer<std::optional<std::string>> notifier_state(const std::string& key) override {
    const auto known = memos.find(key);
    return known == memos.end() ? std::nullopt : std::optional{known->second};
  }
  Answer<void> keep_notifier_state(const std::string& key,
                                   const std::optional<std::string>& value) override {
    if (is_full) return fault();
    if (value) memos[key] = *value;
    return {};
  }
  std::map<std::string, std::string> memos;

 private:
  static config::Failure<RecordFault> fault() {
    return config::Failure<RecordFault>(RecordFault{.detail = "disk full"});
  }
};

class FullDisk : public testing::Test {
 protected:
  static Notification notification(const std::string& alert, const std::string& notice) {
    return {.id = alert + "/" + notice + "/1/chat", .notifier = "chat", .alert = {.id = alert}};
  }
  std::vector<std::string> due() {
    std::vector<std::string> out;
    const auto posts = outbox_.due("chat", clocks_.now(), 16);
    for (const auto& post : posts.value()) out.push_back(post.id);
    return out;
  }
  support::FakeClocks clocks_;
  Disk disk_;
  std::vector<Notification> unrecorded_;
  ResilientOutbox outbox_{disk_, [this] { return unrecorded_; }, clocks_.clocks().ticks};
};

TEST_F(FullDisk, gives_out_letters_from_memory_once_and_in_order) {
  disk_.is_full = true;
  unrecorded_ = {notification("a", "opened"), notification("a", "resolved"),
                 notification("b", "opened")};
  EXPECT_THAT(due(), ElementsAre("a/opened/1/chat", "b/opened/1/chat"))
      << "the end of a comes after its begin";
  EXPECT_EQ(outbox_.waiting("chat").value(), 3U);
  ASSERT_TRUE(outbox_.delivered("a/opened/1/chat", kNow));
  ASSERT_TRUE(outbox_.delivered("b/opened/1/chat", kNow));
  EXPECT_THAT(due(), ElementsAre("a/resolved/1/chat"));
  EXPECT_EQ(outbox_.waiting("chat").value(), 1U);
  const auto about = outbox_.unrecorded_about("b");
  ASSERT_EQ(about.size(), 1U);
  EXPECT_EQ(about.front().delivered_at, kNow);
}

TEST_F(FullDisk, what_was_delivered_from_memory_is_not_delivered_again_when_it_is_recorded) {
  disk_.is_full = true;
  unrecorded_ = {notification("a", "opened")};
  ASSERT_THAT(due(), ElementsAre("a/opened/1/chat"));
  ASSERT_TRUE(outbox_.delivered("a/opened/1/chat", kNow));
  disk_.is_full = false;
  unrecorded_.clear();
  disk_.posts = {{.id = "a/opened/1/chat", .notifier = "chat"}};
  EXPECT_THAT(due(), IsEmpty());
  EXPECT_THAT(disk_.written, ElementsAre("a/opened/1/chat")) << "the same id, marked as delivered";
}

TEST_F(FullDisk, a_recorded_letter_whose_delivery_cannot_be_marked_is_not_sent_again_and_again) {
  disk_.posts = {{.id = "a/opened/1/chat", .notifier = "chat"}};
  disk_.is_full = true;
  ASSERT_THAT(due(), ElementsAre("a/opened/1/chat"));
  ASSERT_TRUE(outbox_.delivered("a/opened/1/chat", kNow));
  EXPECT_THAT(due(), IsEmpty());
  EXPECT_EQ(outbox_.waiting("chat").value(), 0U);
  disk_.is_full = false;
  EXPECT_THAT(due(), IsEmpty());
  EXPECT_THAT(disk_.posts, IsEmpty());
}

TEST_F(FullDisk, tries_are_spaced_whatever_the_wall_clock_says) {
  disk_.posts = {{.id = "a/opened/1/chat", .notifier = "chat"}};
  ASSERT_THAT(due(), ElementsAre("a/opened/1/chat"));
  ASSERT_TRUE(outbox_.failed("a/opened/1/chat", clocks_.now() + config::Seconds{5}, "no route"));
  clocks_.set(-std::chrono::hours{24 * 40});
  EXPECT_THAT(due(), IsEmpty());
  clocks_.pass(config::Seconds{5});
  EXPECT_THAT(due(), ElementsAre("a/opened/1/chat")) << "not forty days later";
  ASSERT_TRUE(outbox_.failed("a/opened/1/chat", clocks_.now(), "no route"));
  clocks_.set(std::chrono::hours{24 * 40});
  EXPECT_THAT(due(), IsEmpty()) << "ever more seldom";
  clocks_.pass(config::Seconds{10});
  EXPECT_THAT(due(), ElementsAre("a/opened/1/chat"));
}

TEST_F(FullDisk, what_a_notifier_must_remember_is_remembered) {
  disk_.is_full = true;
  ASSERT_TRUE(outbox_.keep_notifier_state("grafana/g/mx.example.test", "7"));
  EXPECT_EQ(outbox_.notifier_state("grafana/g/mx.example.test").value(), "7");
  disk_.is_full = false;
  EXPECT_EQ(outbox_.notifier_state("grafana/g/mx.example.test").value(), "7");
  EXPECT_EQ(disk_.memos["grafana/g/mx.example.test"], "7") << "and written down when that works";
}

}  // namespace
