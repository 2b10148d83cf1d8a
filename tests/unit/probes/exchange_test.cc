#include "probes/exchange.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/scene.h"

namespace probes {
namespace {

using testing::Eq;
using testing::Optional;

TEST(Exchange, MayBeAnAddressWherePostfixDelivers) {
  struct Row {
    std::string_view exchange, address;
  };
  const Row rows[] = {
      {"192.0.2.7", "192.0.2.7"},
      {"2001:db8::7", "2001:db8::7"},
      {"2001:0db8:0::0007", "2001:db8::7"},
      {"::ffff:192.0.2.7", "::ffff:192.0.2.7"},
  };
  for (const auto& row : rows) {
    EXPECT_THAT(address_in(support::name(row.exchange)), Optional(Eq(row.address)));
    EXPECT_FALSE(is_host_name(support::name(row.exchange)));
  }
  for (const auto* exchange : {"mx.example.org", "[192.0.2.7]", "192.0.2", "192.0.2.256",
                               "192.0.2.7.example", "ipv6:2001:db8::7", "12345", "."})
    EXPECT_FALSE(address_in(support::name(exchange))) << exchange;
}

TEST(Exchange, IsAHostByTheRulesOfPostfix) {
  for (const auto* exchange : {"mx.example.org", "mx_1.example.org", "1.example.org", "3com", "mx",
                               "*.example.org", "a-b.example.org"})
    EXPECT_TRUE(is_host_name(support::name(exchange))) << exchange;
  for (const auto* exchange :
       {".", "12345", "192.0.2", "[192.0.2.7]", "-mx.example.org", "mx-.example.org",
        "m x.example.org", "mx.*.example.org", "m*.example.org", "mx/1.example.org",
        "m\\195\\188x.example.org", "2001:db8::7"})
    EXPECT_FALSE(is_host_name(support::name(exchange))) << exchange;
}

}  // namespace
}  // namespace probes
