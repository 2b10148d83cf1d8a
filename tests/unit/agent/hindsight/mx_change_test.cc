#include "agent/hindsight/mx_change.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/scene.h"

namespace agent {
namespace {

using probes::Evidence;
using support::kNow;
using support::name;

class MxChanges : public testing::Test {
 protected:
  MxChanges() {
    after_.domain.observed_at = kNow + std::chrono::hours{1};
    after_.domain.hosts = {{.name = name("mx.new.test"), .preference = 10},
                           {.name = name("mx.example.test"), .preference = 20}};
  }
  [[nodiscard]] std::optional<MxChange> change() const {
    return find_mx_change(before_.domain, after_.domain);
  }
  support::Scene before_, after_;
};

TEST_F(MxChanges, are_told_for_a_day_with_what_was_before) {
  const auto found = change();
  ASSERT_TRUE(found);
  const auto told = finding_of(*found, after_.domain, kNow + std::chrono::hours{2});
  ASSERT_TRUE(told);
  EXPECT_EQ(told->code, probes::Code::mx_changed);
  EXPECT_EQ(told->severity, probes::Severity::info);
  EXPECT_THAT(told->evidence,
              testing::ElementsAre(Evidence{"at", config::rfc3339(after_.domain.observed_at)},
                                   Evidence{"before", "10 mx.example.test"},
                                   Evidence{"now", "10 mx.new.test, 20 mx.example.test"}));
  EXPECT_FALSE(finding_of(*found, after_.domain, kNow + std::chrono::hours{25}));
}

TEST_F(MxChanges, a_lookup_that_failed_is_none) {
  after_.domain.mx.outcome = probes::dns::Outcome::failed;
  after_.domain.hosts.clear();
  EXPECT_FALSE(change());
  std::swap(before_, after_);
  EXPECT_FALSE(change());
}

TEST_F(MxChanges, a_preference_alone_is_one_and_the_same_hosts_are_none) {
  after_.domain.hosts = before_.domain.hosts;
  EXPECT_FALSE(change());
  after_.domain.hosts[0].preference = 5;
  EXPECT_TRUE(change());
}

TEST_F(MxChanges, a_domain_may_be_left_without_any) {
  after_.domain.hosts.clear();
  const auto found = change();
  ASSERT_TRUE(found);
  const auto told = finding_of(*found, after_.domain, after_.domain.observed_at);
  ASSERT_TRUE(told);
  EXPECT_THAT(told->evidence, testing::Contains(Evidence{"now", "none"}));
}

}  // namespace
}  // namespace agent
