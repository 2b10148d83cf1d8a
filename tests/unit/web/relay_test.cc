#include "web/relay.h"

#include <atomic>
#include <future>
#include <latch>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "web/forward.h"
#include "web/http/server.h"

namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;

// An agent that leads: says its name, and whom it is asked by.
class Leader {
 public:
  explicit Leader(std::string name)
      : server_([name = std::move(name)](const web::Guard&, const web::RequestStats&) {
          return [name](const web::Request& asked) {
            return web::text(name + " does " + asked.path + " for " + asked.header(web::kAskedBy));
          };
        }) {
    const auto started = server_.start({.port = 0});
    if (!started) throw std::runtime_error(started.error());
  }
  [[nodiscard]] std::string url() const {
    return "http://127.0.0.1:" + std::to_string(server_.port());
  }

 private:
  web::Server server_;
};

// One that takes what it is asked, and does no more: it is stopped.
class Stopped {
 public:
  Stopped()
      : server_([this](const web::Guard&, const web::RequestStats&) {
          return [this](const web::Request&) {
            ++asked_;
            asked_.notify_all();
            woken_.wait();
            return web::text("too late");
          };
        }) {
    const auto started = server_.start({.port = 0});
    if (!started) throw std::runtime_error(started.error());
  }
  ~Stopped() { woken_.count_down(); }
  [[nodiscard]] std::string url() const {
    return "http://127.0.0.1:" + std::to_string(server_.port());
  }
  void wait_until_asked(int times = 1) {
    for (int now = asked_; now < times; now = asked_) asked_.wait(now);
  }

 private:
  std::atomic<int> asked_{0};
  std::latch woken_{1};
  web::Server server_;
};

const web::Request kAct{.method = "POST", .path = "/api/v1/alerts/a/ack"};
const web::Request kLook{.method = "GET", .path = "/api/v1/alerts"};

class Relaying : public testing::Test {
 protected:
  std::future<web::Reply> answer(const web::Request& request) {
    return std::async(std::launch::async, [this, request] { return relay_.answer(request); });
  }
  web::Relay relay_{"two", 20s};
};

TEST_F(Relaying, AsksTheOneThatLeads) {
  EXPECT_FALSE(relay_.has_leader());
  EXPECT_EQ(relay_.answer(kLook).status, 503);
  const Leader one{"one"};
  relay_.follow(one.url(), "agent one leads");
  EXPECT_TRUE(relay_.has_leader());
  EXPECT_EQ(relay_.answer(kLook).body, "one does /api/v1/alerts for two");
}

TEST_F(Relaying, AsksTheNextWhenTheLastOneStopped) {
  Stopped one;
  const Leader three{"three"};
  relay_.follow(one.url(), "agent one leads");
  auto act = answer(kAct), look = answer(kLook);
  one.wait_until_asked(2);
  relay_.follow("", "the database cannot say");
  relay_.follow(three.url(), "agent three leads");
  EXPECT_EQ(act.get().body, "three does /api/v1/alerts/a/ack for two");
  EXPECT_EQ(look.get().body, "three does /api/v1/alerts for two");
}

TEST_F(Relaying, AnswersItselfOnceItHasTakenOver) {
  Stopped one;
  relay_.follow(one.url(), "agent one leads");
  auto before = answer(kAct);
  one.wait_until_asked();
  relay_.take_over();
  EXPECT_FALSE(relay_.has_leader());
  auto meanwhile = answer(kLook);
  relay_.answer_here([](const web::Request& asked) { return web::text("here " + asked.path); });
  EXPECT_EQ(before.get().body, "here /api/v1/alerts/a/ack");
  EXPECT_EQ(meanwhile.get().body, "here /api/v1/alerts");
}

TEST_F(Relaying, LetsActsWaitForOneThatListens) {
  std::string gone;
  {
    const Leader one{"one"};
    gone = one.url();
  }
  relay_.follow(gone, "agent one leads");
  const auto look = relay_.answer(kLook);
  EXPECT_EQ(look.status, 503);
  EXPECT_THAT(look.body, HasSubstr("not reached"));
  auto act = answer(kAct);
  const Leader three{"three"};
  relay_.follow(three.url(), "agent three leads");
  EXPECT_EQ(act.get().body, "three does /api/v1/alerts/a/ack for two");
}

TEST_F(Relaying, WaitsNoLongerThanClientsDo) {
  Stopped one;
  web::Relay hasty{"two", 50ms};
  hasty.follow(one.url(), "agent one leads");
  EXPECT_EQ(hasty.answer(kAct).status, 503);
  hasty.take_over();
  const auto late = hasty.answer(kAct);
  EXPECT_EQ(late.status, 503);
  EXPECT_THAT(late.body, HasSubstr("taking over"));
}

TEST_F(Relaying, GivesUpWhatWaitsWhenItEnds) {
  Stopped one;
  relay_.follow(one.url(), "agent one leads");
  auto act = answer(kAct);
  one.wait_until_asked();
  relay_.give_up();
  const auto told = act.get();
  EXPECT_EQ(told.status, 503);
  EXPECT_THAT(told.body, HasSubstr("ends"));
}

TEST_F(Relaying, SendsOnNothingThatWasSentOn) {
  const Leader one{"one"};
  relay_.follow(one.url(), "agent one leads");
  auto asked = kAct;
  asked.headers[web::kAskedBy] = "three";
  EXPECT_EQ(relay_.answer(asked).status, 503);
}

}  // namespace
