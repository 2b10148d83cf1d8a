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

}  // namespace
