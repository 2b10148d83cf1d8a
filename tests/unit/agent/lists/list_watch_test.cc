#include "agent/lists/list_watch.h"

#include <atomic>
#include <condition_variable>
#include <map>
#include <mutex>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace {

using namespace agent;
using config::Failure;
using config::ListedDomain;
using config::Result;
using std::chrono::hours;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

constexpr config::Time kNow{std::chrono::seconds{1'800'000'000}};
constexpr std::chrono::seconds kLong{20};  // nothing here takes so long

std::vector<ListedDomain> list_of(const std::vector<std::string>& names) {
  std::vector<ListedDomain> out;
  for (const auto& name : names) out.push_back({.name = name, .role = {}, .group = {}});
  return out;
}

config::Config settings_of(const std::vector<std::string>& names) {
  config::Config out{.domains = {{.name = "own.test"}}};
  out.domain_lists.push_back({.file = "/partners.txt"});
  for (const auto& name : names) {
    out.domain_lists.push_back({.url = "https://" + name + ".test/list?key=1",
                                .name = name,
                                .refresh = std::chrono::hours{24}});
  }
  return out;
}

// Remembers; or cannot be written.
class Memory final : public ListStore {
 public:
  Result<std::vector<Kept>, std::string> restore() override {
    const std::scoped_lock lock(mutex_);
    std::vector<Kept> out;
    for (const auto& [name, one] : kept) out.push_back(one);
    return out;
  }
  Result<void, std::string> keep(const Kept& list) override {
    const std::scoped_lock lock(mutex_);
    if (is_full) return Failure<std::string>("the disk is full");
    kept.insert_or_assign(list.name, list);
    return {};
  }
  Result<void, std::string> keep_read(const std::string& name, config::Time at) override {
    const std::scoped_lock lock(mutex_);
    if (kept.contains(name)) kept[name].read_at = at;
    return {};
  }
  Result<void, std::string> keep_only(const std::vector<std::string>& names) override {
    const std::scoped_lock lock(mutex_);
    std::erase_if(
        kept, [&](const auto& one) { return std::ranges::find(names, one.first) == names.end(); });
    return {};
  }
  [[nodiscard]] std::map<std::string, Kept> all() {
    const std::scoped_lock lock(mutex_);
    return kept;
  }

  std::map<std::string, Kept> kept;
  std::atomic<bool> is_full{false};

 private:
  std::mutex mutex_;
};

class ListWatchTest : public testing::Test {
 protected:
  template <class Work>
  auto locked(Work work) {
    const std::scoped_lock lock(mutex_);
    heard_.notify_all();
    return work();
  }

  std::unique_ptr<ListWatch> watch_of(const config::Config& settings) {
    auto made = std::make_unique<ListWatch>(
        store_, settings,
        ListWatch::Calls{
            .now = [this] { return locked([&] { return now_; }); },
            .read =
                [this](const config::DomainList& list, const std::stop_token&) {
                  return locked([&]() -> ReadList {
                    ++reads_;
                    const auto says = says_.find(list.name);
                    if (says == says_.end()) return Failure<std::string>("nobody is there");
                    return says->second;
                  });
                },
            .on_change = [this] { (void)locked([&] { return ++changes_; }); },
            .on_health =
                [this](const std::vector<ListHealth>& health) {
                  (void)locked([&] {
                    health_ = health;
                    return 0;
                  });
                },
            .on_event =
                [this](const std::string& event, const std::string& list, const std::string&) {
                  (void)locked([&] {
                    events_.push_back(list + ": " + event);
                    return 0;
                  });
                },
            .patience = std::chrono::milliseconds{1}});
    return made;
  }

  template <class IsSo>
  [[nodiscard]] bool comes(IsSo is_so) {
    std::unique_lock lock(mutex_);
    return heard_.wait_for(lock, kLong, is_so);
  }
  // What the list is, once that can be told.
  [[nodiscard]] bool becomes(const std::function<bool(const ListHealth&)>& is_so) {
    return comes([&] { return !health_.empty() && is_so(health_.front()); });
  }
  static std::vector<std::string> watched(const ListWatch& watch, const config::Config& settings) {
    auto config = settings;
    watch.add_to(config);
    std::vector<std::string> out;
    for (const auto& domain : config.domains) out.push_back(domain.name);
    return out;
  }

  Memory store_;
  std::mutex mutex_;  // guards the rest
  std::condition_variable heard_;
  config::Time now_ = kNow;
  std::map<std::string, ReadList> says_;
  int reads_ = 0, changes_ = 0;
  std::vector<ListHealth> health_;
  std::vector<std::string> events_;
};

TEST_F(ListWatchTest, ReadsEachListAndKeepsIt) {
  says_.emplace("one", list_of({"b.test", "own.test"}));
  says_.emplace("two", list_of({"a.test", "b.test"}));
  const auto settings = settings_of({"one", "two"});
  const auto watch = watch_of(settings);
  EXPECT_THAT(watched(*watch, settings), ElementsAre("own.test"));
  watch->start();
  ASSERT_TRUE(comes([&] { return changes_ == 2; }));
  EXPECT_THAT(watched(*watch, settings), ElementsAre("own.test", "b.test", "a.test"));
  EXPECT_THAT(store_.all(), SizeIs(2)) << "before anybody goes by it";
  ASSERT_TRUE(comes([&] { return health_.size() == 2 && health_[1].read_at; }));
  EXPECT_EQ(health_[0].source, "https://one.test/list") << "a secret may stand in the query";
  EXPECT_EQ(health_[0].domains, 2U);
}

TEST_F(ListWatchTest, GoesOnWithWhatIsKeptWhileTheSourceIsAway) {
  store_.kept["one"] = {.name = "one",
                        .domains = {{list_of({"a.test"})[0], std::nullopt}},
                        .read_at = kNow - hours{3}};
  const auto settings = settings_of({"one"});
  const auto watch = watch_of(settings);
  EXPECT_THAT(watched(*watch, settings), ElementsAre("own.test", "a.test")) << "before it starts";
  watch->start();
  ASSERT_TRUE(becomes([](const ListHealth& one) { return one.failures == 1; }));
  EXPECT_EQ(health_[0].fault, "nobody is there");
  EXPECT_EQ(health_[0].read_at, kNow - hours{3});
  EXPECT_THAT(watched(*watch, settings), ElementsAre("own.test", "a.test"));
  EXPECT_EQ(changes_, 0);
}

TEST_F(ListWatchTest, AsksBeforeItGoesByAListThatLostMuch) {
  std::vector<HeldDomain> before;
  for (const auto* name : {"a.test", "b.test", "c.test", "d.test", "e.test"})
    before.push_back({list_of({name})[0], std::nullopt});
  store_.kept["one"] = {.name = "one", .domains = before, .read_at = kNow};
  says_.emplace("one", list_of({"a.test"}));
  const auto settings = settings_of({"one"});
  const auto watch = watch_of(settings);
  watch->start();
  ASSERT_TRUE(becomes([](const ListHealth& one) { return one.refusal.has_value(); }));
  EXPECT_THAT(health_[0].refusal->lost, SizeIs(4));
  EXPECT_THAT(watched(*watch, settings), SizeIs(6));
  EXPECT_THAT(watch->accept("two").error(), HasSubstr("no list"));
  ASSERT_TRUE(watch->accept("one"));
  ASSERT_TRUE(becomes([](const ListHealth& one) { return !one.refusal && one.missing == 4; }));
  EXPECT_THAT(watch->accept("one").error(), HasSubstr("nothing is held back"));
  EXPECT_THAT(watched(*watch, settings), SizeIs(6)) << "for a day";
  (void)locked([&] { return now_ += hours{24}; });
  ASSERT_TRUE(becomes([](const ListHealth& one) { return one.missing == 0; }));
  EXPECT_THAT(watched(*watch, settings), ElementsAre("own.test", "a.test"));
  EXPECT_THAT(store_.all()["one"].domains, SizeIs(1));
}

TEST_F(ListWatchTest, ReadsAllAnewWhenTheConfigurationIs) {
  says_.emplace("one", list_of({"a.test"}));
  auto settings = settings_of({"one"});
  const auto watch = watch_of(settings);
  watch->start();
  ASSERT_TRUE(comes([&] { return reads_ == 1 && changes_ == 1; }));
  watch->configure(settings);
  EXPECT_THAT(watched(*watch, settings), ElementsAre("own.test", "a.test")) << "meanwhile";
  ASSERT_TRUE(comes([&] { return reads_ == 2; }));
  settings = settings_of({"two"});
  watch->configure(settings);
  EXPECT_THAT(watched(*watch, settings), ElementsAre("own.test")) << "nobody asked for it any more";
  ASSERT_TRUE(comes([&] { return reads_ == 3 && health_.size() == 1 && health_[0].fault; }));
  EXPECT_THAT(store_.all(), IsEmpty());
}

TEST_F(ListWatchTest, WatchesWhatCannotBeKeptAndKeepsItLater) {
  store_.is_full = true;
  says_.emplace("one", list_of({"a.test"}));
  const auto settings = settings_of({"one"});
  const auto watch = watch_of(settings);
  watch->start();
  ASSERT_TRUE(comes([&] { return changes_ == 1; }));
  ASSERT_TRUE(comes([&] { return events_.size() == 2; }));
  EXPECT_THAT(events_, ElementsAre("one: list-read", ": list-unkept"));
  EXPECT_THAT(store_.all(), IsEmpty());
  store_.is_full = false;
  const auto until = std::chrono::steady_clock::now() + kLong;
  while (store_.all().empty() && std::chrono::steady_clock::now() < until)
    std::this_thread::yield();
  EXPECT_THAT(store_.all(), SizeIs(1));
}

TEST_F(ListWatchTest, SaysOnceThatASourceIsAwayAndThatItIsBack) {
  const auto settings = settings_of({"one"});
  const auto watch = watch_of(settings);
  watch->start();
  ASSERT_TRUE(comes([&] { return events_.size() == 1; }));
  watch->configure(settings);
  ASSERT_TRUE(becomes([](const ListHealth& one) { return one.failures == 2; }));
  (void)locked([&] { return says_.emplace("one", list_of({})).second; });
  watch->configure(settings);
  ASSERT_TRUE(comes([&] { return events_.size() == 2; }));
  EXPECT_THAT(events_, ElementsAre("one: list-unreadable", "one: list-readable"));
}

}  // namespace
