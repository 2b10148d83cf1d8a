#include <string>

#include <gtest/gtest.h>

#include "probes/codec/recorded.h"
#include "probes/dns/chain.h"
#include "probes/dns/lookup.h"
#include "probes/dns/validate.h"
#include "tests/support/recorded_corpus.h"

// What one name server says by itself is believed only where the zone's keys vouch for it. On
// recorded replies.
namespace {

using namespace probes;

class Recall final : public dns::Resolver {
 public:
  explicit Recall(const dns::Replies& replies) : replies_(replies) {}
  config::Result<dns::Message, dns::QueryFault> ask(const dns::Query& query,
                                                    config::Deadline) override {
    for (const auto& reply : replies_) {
      if (reply->question == query.name && reply->question_type == query.type) return *reply;
    }
    return config::Failure<dns::QueryFault>({.fault = dns::Fault::network});
  }

 private:
  const dns::Replies& replies_;
};

TEST(WhatAServerSays, IsForgedUnlessTheZonesKeysVouchForIt) {
  const auto text = support::kept_in("host-mx.healthy.test.cbor");
  const dns::Bytes octets(text.begin(), text.end());
  const auto recorded = decode(octets);
  ASSERT_TRUE(recorded) << recorded.error();
  const auto anchors = dns::parse_trust_anchors(support::kept_in("root.key"));
  ASSERT_TRUE(anchors);
  Recall resolver{recorded->replies};
  dns::Chain chain(*anchors);
  dns::Lookup lookup(resolver, chain, config::Seconds{10});
  const auto owner = recorded->host->tlsa.name;
  auto reply = resolver.ask({.name = owner, .type = dns::type::tlsa}, config::Deadline::max());
  ASSERT_TRUE(reply);
  const auto is_forged = [&](const dns::Message& message) {
    return lookup.is_forged(message, owner, dns::type::tlsa, recorded->host->observed_at,
                            config::Deadline::max());
  };
  EXPECT_FALSE(is_forged(*reply));
  auto other_key = *reply;
  for (auto& record : other_key.answer) {
    if (record.type == dns::type::tlsa) record.data.back() ^= 1U;
  }
  EXPECT_TRUE(is_forged(other_key));
}

}  // namespace
