#include "agent/vantage.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/scene.h"

namespace {

using namespace agent;
using probes::dns::Message;
using probes::dns::Record;
using probes::smtp::SessionStop;
using probes::smtp::Stage;
using support::kNow;
using support::name;

// A resolver that says the same whatever it is asked, as far as there is any of that type.
class Stubborn final : public probes::dns::Resolver {
 public:
  std::vector<Record> records;
  bool is_dead = false;

  config::Result<Message, probes::dns::QueryFault> ask(const probes::dns::Query& query,
                                                       config::Deadline) override {
    if (is_dead)
      return config::Failure<probes::dns::QueryFault>(
          probes::dns::QueryFault{.detail = "no reply"});
    Message reply;
    reply.question = query.name;
    reply.question_type = query.type;
    for (const auto& record : records) {
      if (record.type == query.type) reply.answer.push_back(record);
    }
    return reply;
  }
};

class Senses : public testing::Test {
 protected:
  std::vector<VantageCheck> look() {
    probes::dns::Chain chain{{Record{.owner = {},
                                     .type = probes::dns::type::ds,
                                     .klass = 1,
                                     .ttl = 1,
                                     .data = probes::dns::Bytes(36, 8)}}};
    probes::dns::Lookup lookup{resolver, chain, config::Seconds{5}};
    return check_vantage(lookup, {}, kNow,
                         std::chrono::steady_clock::now() + std::chrono::seconds{5});
  }
  Stubborn resolver;
};

TEST_F(Senses, a_resolver_that_does_not_answer_is_named_as_that) {
  resolver.is_dead = true;
  const auto checks = look();
  ASSERT_NE(first_failing(checks), nullptr);
  EXPECT_EQ(first_failing(checks)->check, "dns");
  EXPECT_THAT(*first_failing(checks)->detail, testing::HasSubstr("no usable answer"));
}

TEST_F(Senses, a_resolver_that_strips_signatures_is_named_as_that) {
  resolver.records = {Record{.owner = {},
                             .type = probes::dns::type::soa,
                             .klass = 1,
                             .ttl = 1,
                             .data = probes::dns::Bytes(22, 0)}};
  const auto checks = look();
  ASSERT_NE(first_failing(checks), nullptr);
  EXPECT_EQ(first_failing(checks)->check, "dns");
  EXPECT_THAT(*first_failing(checks)->detail, testing::HasSubstr("strips DNSSEC signatures"));
}

// Hosts whose sessions ended as the test says.
class Smtp : public testing::Test {
 protected:
  void host(const std::string& host_name, std::initializer_list<std::string> addresses,
            SessionStop stop) {
    auto seen = std::make_shared<probes::HostObservation>();
    seen->host = name(host_name);
    for (const auto& address : addresses) {
      auto session = support::session(address, {});
      session.stop = stop;
      if (stop != SessionStop::none) session.stage = Stage::connect;
      seen->sessions.push_back(session);
    }
    hosts.push_back(seen);
  }
  std::vector<probes::HostSeen> hosts;
};

TEST_F(Smtp, nobody_reached_at_three_addresses_of_two_hosts_is_our_fault) {
  host("a.test", {"192.0.2.1", "192.0.2.2"}, SessionStop::connect_timeout);
  host("b.test", {"192.0.2.3"}, SessionStop::connect_refused);
  const auto checks = check_smtp(hosts, kNow);
  ASSERT_EQ(checks.size(), 1U);
  EXPECT_EQ(checks[0].check, "smtp_ipv4");
  EXPECT_FALSE(checks[0].is_up);
  EXPECT_NE(cut_off(checks), nullptr);
}

TEST_F(Smtp, fewer_than_that_may_well_be_theirs) {
  host("a.test", {"192.0.2.1", "192.0.2.2", "192.0.2.3"}, SessionStop::connect_timeout);
  EXPECT_TRUE(check_smtp(hosts, kNow).empty());
  hosts.clear();
  host("a.test", {"192.0.2.1"}, SessionStop::connect_timeout);
  host("b.test", {"192.0.2.2"}, SessionStop::connect_timeout);
  EXPECT_TRUE(check_smtp(hosts, kNow).empty());
}

TEST_F(Smtp, one_session_that_got_somewhere_clears_us) {
  host("a.test", {"192.0.2.1", "192.0.2.2"}, SessionStop::connect_timeout);
  host("b.test", {"192.0.2.3"}, SessionStop::none);
  const auto checks = check_smtp(hosts, kNow);
  ASSERT_EQ(checks.size(), 1U);
  EXPECT_TRUE(checks[0].is_up);
  EXPECT_EQ(cut_off(checks), nullptr);
}

TEST_F(Smtp, a_machine_without_ipv6_is_limited_not_cut_off) {
  host("a.test", {"2001:db8::1", "2001:db8::2"}, SessionStop::no_route);
  host("b.test", {"2001:db8::3"}, SessionStop::no_route);
  const auto checks = check_smtp(hosts, kNow);
  ASSERT_EQ(checks.size(), 1U);
  EXPECT_TRUE(checks[0].is_limit);
  EXPECT_EQ(cut_off(checks), nullptr);
}

TEST_F(Smtp, addresses_that_are_never_contacted_say_nothing) {
  host("a.test", {"10.0.0.1", "10.0.0.2"}, SessionStop::special_address);
  host("b.test", {"10.0.0.3"}, SessionStop::special_address);
  EXPECT_TRUE(check_smtp(hosts, kNow).empty());
}

}  // namespace
