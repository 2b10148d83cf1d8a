#include "agent/cli/client_api.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace {

using namespace agent;
using testing::HasSubstr;
using testing::Not;

std::string fault_of(const std::string& url) {
  const auto made = AgentApi::make({.url = url});
  return made ? "" : made.error();
}

TEST(AgentApi, TakesNoPasswordInTheAddressThatItPrints) {
  for (const auto* url : {"http://user:hunter2@mon.test", "https://hunter2@mon.test/a",
                          "user:hunter2@mon.test", "http://user:hunter2@mon.test\x1b"}) {
    EXPECT_THAT(fault_of(url), HasSubstr("no user or password")) << url;
    EXPECT_THAT(fault_of(url), Not(HasSubstr("hunter2"))) << url;
  }
  EXPECT_EQ(fault_of("https://mon.test:9672/for/a@b"), "");
}

}  // namespace
