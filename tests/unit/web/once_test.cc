#include "web/once.h"

#include <condition_variable>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/web/service.h"
#include "web/routes/api.h"

namespace {

using nlohmann::json;
using support::kNow;
using testing::HasSubstr;
using web::OnceChecks;

// Looks that end when they are let, and a clock that stands still.
class Once : public testing::Test {
 protected:
  config::Result<std::string, std::string> look(const std::string& domain) {
    std::unique_lock lock(mutex_);
    free_.wait(lock, [this] { return is_free_; });
    if (domain == "broken.test") return config::Failure<std::string>("no memory");
    return R"({"domain":")" + domain + R"("})";
  }
  void let() {
    const std::scoped_lock lock(mutex_);
    is_free_ = true;
    free_.notify_all();
  }
  OnceChecks::Check ended(const std::string& id) {
    while (!checks_.find(id)->is_done) std::this_thread::yield();
    return *checks_.find(id);
  }

  std::mutex mutex_;
  std::condition_variable free_;
  bool is_free_ = false;
  std::chrono::steady_clock::time_point ticks_;
  OnceChecks checks_{[this](const std::string& domain) { return look(domain); },
                     [this] { return ticks_; }};
};

TEST_F(Once, OneAtATime) {
  const auto first = checks_.start("a.test", kNow);
  ASSERT_TRUE(first);
  EXPECT_FALSE(first->is_done);
  const auto second = checks_.start("b.test", kNow);
  ASSERT_FALSE(second);
  EXPECT_THAT(second.error().why, HasSubstr("under way"));
  let();
  EXPECT_EQ(ended(first->id).result, R"({"domain":"a.test"})");
  const auto third = checks_.start("broken.test", kNow);
  ASSERT_TRUE(third);
  EXPECT_EQ(ended(third->id).fault, "no memory");
  EXPECT_FALSE(checks_.find("99"));
}

TEST_F(Once, SoManyAnHour) {
  let();
  for (std::size_t i = 0; i < OnceChecks::kMostAnHour; ++i) {
    const auto made = checks_.start("a.test", kNow);
    ASSERT_TRUE(made);
    (void)ended(made->id);
  }
  EXPECT_FALSE(checks_.find("1")) << "the newest are remembered";
  ticks_ += std::chrono::minutes{59};
  const auto refused = checks_.start("a.test", kNow);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().again_in, std::chrono::seconds{60});
  ticks_ += std::chrono::minutes{1};
  EXPECT_TRUE(checks_.start("a.test", kNow));
}

TEST_F(Once, OverHttpDomainsAreCheckedByTheirNormalName) {
  support::Service service;
  auto backend = service.backend();
  backend.checks = &checks_;
  const web::Api api{std::move(backend), {.hosts = {"danelaw.test"}}};
  const auto ask = [&](const std::string& method, const std::string& path,
                       const std::string& body = "") {
    return api.answer({.method = method,
                       .path = path,
                       .headers = {{"host", "danelaw.test"}, {"content-type", "application/json"}},
                       .body = body});
  };
  const auto begun = ask("POST", "/api/v1/checks", R"({"domain":"Bücher.Test."})");
  ASSERT_EQ(begun.status, 202) << begun.body;
  const auto check = json::parse(begun.body);
  EXPECT_EQ(check["domain"], "xn--bcher-kva.test");
  EXPECT_EQ(check["state"], "running");
  const auto second = ask("POST", "/api/v1/checks", R"({"domain":"b.test"})");
  EXPECT_EQ(second.status, 429);
  EXPECT_EQ(second.headers.at("Retry-After"), "10");
  let();
  (void)ended(check["id"]);
  const auto done =
      json::parse(ask("GET", "/api/v1/checks/" + check["id"].get<std::string>()).body);
  EXPECT_EQ(done["state"], "done");
  EXPECT_EQ(done["result"]["domain"], "xn--bcher-kva.test");
  for (const auto* bad : {"", "{}", R"({"domain":5})", R"({"domain":"no dots"})",
                          R"({"domain":"a.test","colour":"red"})", R"({"domain":"../etc"})"})
    EXPECT_EQ(ask("POST", "/api/v1/checks", bad).status, 400) << bad;
  EXPECT_EQ(ask("GET", "/api/v1/checks/99").status, 404);
  EXPECT_EQ(json::parse(ask("GET", "/api/v1/acts").body)["items"][1]["act"], "check-once");
}

TEST_F(Once, ADomainIsWatchedOnceAndOnlyWhereThatIsAllowed) {
  support::Service service;
  auto backend = service.backend();
  std::vector<std::string> added;
  backend.watch = [&](const std::string& domain, const std::optional<std::string>& list,
                      const auto& groups) -> config::Result<std::string, std::string> {
    EXPECT_FALSE(groups) << "everybody's lists";
    if (list) return config::Failure<std::string>("no such list");
    added.push_back(domain);
    return "partners.txt";
  };
  const web::Api api{std::move(backend), {.hosts = {"danelaw.test"}}};
  const web::Api closed{service.backend(), {.hosts = {"danelaw.test"}}};
  const auto post = [](const web::Api& to, const std::string& body) {
    return to.answer({.method = "POST",
                      .path = "/api/v1/domains",
                      .headers = {{"host", "danelaw.test"}, {"content-type", "application/json"}},
                      .body = body});
  };
  const auto made = post(api, R"({"domain":"Other.Test"})");
  EXPECT_EQ(made.status, 201);
  EXPECT_EQ(json::parse(made.body),
            json::parse(R"({"domain":"other.test","list":"partners.txt"})"));
  EXPECT_THAT(added, testing::ElementsAre("other.test"));
  EXPECT_EQ(post(api, R"({"domain":"example.test"})").status, 409) << "it is watched";
  EXPECT_EQ(post(api, R"({"domain":"a.test","list":"x"})").status, 409);
  EXPECT_EQ(post(api, R"({"domain":"a.test\nb.test"})").status, 400);
  EXPECT_EQ(post(api, R"({"domain":"imap.a.test:993"})").status, 400) << "no list takes services";
  EXPECT_EQ(post(closed, R"({"domain":"a.test"})").status, 409);
}

}  // namespace
