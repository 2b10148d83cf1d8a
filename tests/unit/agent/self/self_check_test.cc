#include "agent/self/self_check.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/scene.h"

namespace {

using namespace agent;
using probes::dns::Message;
using probes::dns::Record;
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
  std::vector<SelfCheck> look() {
    probes::dns::Chain chain{{Record{.owner = {},
                                     .type = probes::dns::type::ds,
                                     .klass = 1,
                                     .ttl = 1,
                                     .data = probes::dns::Bytes(36, 8)}}};
    probes::dns::Lookup lookup{resolver, chain, config::Seconds{5}};
    return check_ourselves(lookup, {}, kNow,
                           std::chrono::steady_clock::now() + std::chrono::seconds{5});
  }
  Stubborn resolver;
};

TEST_F(Senses, a_resolver_that_does_not_answer_is_named_as_that) {
  resolver.is_dead = true;
  const auto checks = look();
  ASSERT_EQ(blinding(checks).size(), 1U);
  EXPECT_EQ(blinding(checks).front()->check, "dns");
  EXPECT_THAT(*blinding(checks).front()->detail, testing::HasSubstr("no usable answer"));
}

TEST_F(Senses, a_resolver_that_strips_signatures_is_named_as_that) {
  resolver.records = {Record{.owner = {},
                             .type = probes::dns::type::soa,
                             .klass = 1,
                             .ttl = 1,
                             .data = probes::dns::Bytes(22, 0)}};
  const auto checks = look();
  ASSERT_EQ(blinding(checks).size(), 1U);
  EXPECT_EQ(blinding(checks).front()->check, "dns");
  EXPECT_THAT(*blinding(checks).front()->detail, testing::HasSubstr("strips DNSSEC signatures"));
}

// Names of the checks that blind, of those given as failing; "-" in front: a limit to live with.
std::vector<std::string> blinding_among(const std::vector<std::string>& failing,
                                        const std::vector<std::string>& working = {}) {
  std::vector<SelfCheck> checks;
  for (const auto& name : working) checks.push_back({.check = name, .checked_at = kNow});
  for (const auto& name : failing) {
    const bool is_limit = name.starts_with('-');
    checks.push_back({.check = name.substr(is_limit ? 1 : 0),
                      .is_up = false,
                      .checked_at = kNow,
                      .is_limit = is_limit});
  }
  std::vector<std::string> out;
  for (const auto* one : blinding(checks)) out.push_back(one->check);
  return out;
}

TEST(Blinding, is_what_nothing_can_be_said_without) {
  using testing::ElementsAre;
  using testing::IsEmpty;
  EXPECT_THAT(blinding_among({"dns"}), ElementsAre("dns"));
  EXPECT_THAT(blinding_among({"dns", "clock"}), ElementsAre("dns", "clock"));
  EXPECT_THAT(blinding_among({"greeting", "looks", "storage", "resolver", "trust_anchor",
                              "service_ipv4", "service_ipv6", "domain_list:x"},
                             {"dns", "clock", "smtp_ipv4"}),
              IsEmpty())
      << "domains are seen";
  EXPECT_THAT(blinding_among({"smtp_ipv6"}, {"smtp_ipv4"}), IsEmpty()) << "one way out is left";
  EXPECT_THAT(blinding_among({"smtp_ipv4", "-smtp_ipv6"}), ElementsAre("smtp_ipv4"));
  EXPECT_THAT(blinding_among({"smtp_ipv4", "smtp_ipv6"}), ElementsAre("smtp_ipv4"));
}

TEST(Sight, is_not_known_before_it_was_tried) {
  const SelfCheck list{.check = "domain_list:x", .checked_at = kNow};
  EXPECT_FALSE(can_see({list}));
  EXPECT_TRUE(can_see({list, {.check = "dns", .checked_at = kNow}}));
  EXPECT_FALSE(can_see({{.check = "dns", .is_up = false, .checked_at = kNow}}));
}

}  // namespace
