#include "probes/dns/authorities.h"

#include <map>
#include <set>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "probes/dns/chain.h"
#include "probes/dns/lookup.h"
#include "tests/support/scene.h"

namespace {

using namespace probes::dns;
using support::kNow;
using support::name;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

Record record(const std::string& owner, std::uint16_t rtype, Bytes data, std::uint32_t ttl = 60) {
  return {.owner = name(owner), .type = rtype, .klass = 1, .ttl = ttl, .data = std::move(data)};
}
Bytes wire(const std::string& text) {
  const auto target = name(text);
  return {target.wire().begin(), target.wire().end()};
}
Record a(const std::string& owner, std::uint8_t last) {
  return record(owner, type::a, {192, 0, 2, last});
}
Record ns(const std::string& owner, const std::string& server) {
  return record(owner, type::ns, wire(server));
}

// Name servers by address, each with what it says to a name and type, or to any below a zone.
class Internet final : public Direct, public Resolver {
 public:
  std::map<std::pair<std::string, Question>, Message> says;
  std::map<std::pair<std::string, Name>, Message> refers;  // by zone below
  std::set<std::string> silent;
  std::vector<std::string> asked;  // addresses, in order
  Message root_hint;
  int root_asked = 0;

  config::Result<Message, QueryFault> ask_server(const Query& query, const std::string& address,
                                                 Transport, config::Deadline) override {
    asked.push_back(address);
    if (silent.contains(address)) return nothing(address);
    if (const auto said = says.find({address, {query.name, query.type}}); said != says.end())
      return to(query, said->second, address);
    for (Name zone = query.name;; zone = zone.parent()) {
      if (const auto found = refers.find({address, zone}); found != refers.end())
        return to(query, found->second, address);
      if (zone.is_root()) break;
    }
    Message refusal;
    refusal.rcode = rcode::refused;
    return to(query, refusal, address);
  }

  // The resolver knows the root's servers and nothing else.
  config::Result<Message, QueryFault> ask(const Query& query, config::Deadline) override {
    if (query.name.is_root() && query.type == type::ns) {
      ++root_asked;
      Message reply;
      reply.answer = {ns(".", "a.root.test")};
      return to(query, reply, "resolver");
    }
    Message reply;
    if (query.name == name("a.root.test") && query.type == type::a) {
      reply.answer = {a("a.root.test", 1)};
    } else if (resolver_says.contains({query.name, query.type})) {
      reply = resolver_says.at({query.name, query.type});
    } else {
      reply.rcode = rcode::servfail;
    }
    return to(query, reply, "resolver");
  }
  void distrust(const std::string& server, const Name&) override { distrusted = server; }
  std::map<Question, Message> resolver_says;
  std::string distrusted;

 private:
  static config::Result<Message, QueryFault> nothing(const std::string& address) {
    return config::Failure<QueryFault>(
        QueryFault{.fault = Fault::timeout, .detail = "no reply", .server = address});
  }
  static Message to(const Query& query, Message reply, const std::string& server) {
    reply.question = query.name;
    reply.question_type = query.type;
    reply.server = server;
    return reply;
  }
};

class Asking : public testing::Test {
 protected:
  Asking() {
    Message referral;
    referral.authority = {ns("test", "ns.test")};
    referral.glue = {a("ns.test", 2), a("ns.elsewhere.example", 66)};
    net.refers[{"192.0.2.1", name("test")}] = referral;
    referral = {};
    referral.authority = {ns("example.test", "ns1.example.test"),
                          ns("example.test", "ns2.example.test")};
    referral.glue = {a("ns1.example.test", 3), a("ns2.example.test", 4)};
    net.refers[{"192.0.2.2", name("example.test")}] = referral;
    Message root;
    root.authoritative = true;
    net.says[{"192.0.2.1", {Name{}, type::soa}}] = root;
    for (const auto* address : {"192.0.2.3", "192.0.2.4"}) {
      Message answer;
      answer.authoritative = true;
      answer.answer = {record("example.test", type::mx, mx("mx.example.test"))};
      net.says[{address, {name("example.test"), type::mx}}] = answer;
    }
  }
  // Its servers refuse.
  void forget_the_zone() {
    for (const auto* address : {"192.0.2.3", "192.0.2.4"})
      net.says.erase({address, {name("example.test"), type::mx}});
  }
  static Bytes mx(const std::string& host) {
    Bytes data{0, 10};
    const auto target = wire(host);
    data.insert(data.end(), target.begin(), target.end());
    return data;
  }
  config::Result<Message, QueryFault> ask(const std::string& of, std::uint16_t rtype) {
    return authorities.ask({.name = name(of), .type = rtype}, later());
  }
  static config::Deadline later() {
    return std::chrono::steady_clock::now() + std::chrono::seconds{30};
  }

  Internet net;
  DirectReach reach;
  Authorities authorities{net, net, reach, true};
};

TEST_F(Asking, goes_from_the_root_down_and_remembers_the_way) {
  const auto reply = ask("example.test", type::mx);
  ASSERT_TRUE(reply);
  EXPECT_EQ(reply->answer.size(), 1U);
  EXPECT_EQ(reply->server, "192.0.2.3");
  EXPECT_THAT(net.asked, ElementsAre("192.0.2.1", "192.0.2.1", "192.0.2.2", "192.0.2.3"))
      << "the root's servers are tried before they are believed";
  net.asked.clear();
  ASSERT_TRUE(ask("example.test", type::mx));
  EXPECT_THAT(net.asked, ElementsAre("192.0.2.3"));
  EXPECT_EQ(net.root_asked, 1);
}

TEST_F(Asking, asks_the_parent_for_ds_records) {
  Message ds;
  ds.authoritative = true;
  net.says[{"192.0.2.2", {name("example.test"), type::ds}}] = ds;
  ASSERT_TRUE(ask("example.test", type::mx));
  net.asked.clear();
  const auto reply = ask("example.test", type::ds);
  ASSERT_TRUE(reply);
  EXPECT_TRUE(reply->authoritative);
  EXPECT_THAT(net.asked, ElementsAre("192.0.2.2"));
}

TEST_F(Asking, passes_over_servers_that_are_silent_refuse_or_do_not_know_the_zone) {
  net.silent = {"192.0.2.3"};
  auto reply = ask("example.test", type::mx);
  ASSERT_TRUE(reply);
  EXPECT_EQ(reply->server, "192.0.2.4");
  net.asked.clear();
  ASSERT_TRUE(ask("example.test", type::mx));
  EXPECT_THAT(net.asked, ElementsAre("192.0.2.4")) << "it remembers who was silent";
}

TEST_F(Asking, says_what_the_servers_said_when_none_did_better) {
  forget_the_zone();
  const auto reply = ask("example.test", type::mx);
  ASSERT_TRUE(reply);
  EXPECT_EQ(reply->rcode, rcode::refused);
  EXPECT_FALSE(authorities.is_cut_off());
}

TEST_F(Asking, silence_of_one_zone_is_that_zones) {
  net.silent = {"192.0.2.3", "192.0.2.4"};
  const auto reply = ask("example.test", type::mx);
  ASSERT_FALSE(reply);
  EXPECT_EQ(reply.error().fault, Fault::timeout);
  EXPECT_FALSE(authorities.is_cut_off());
}

TEST_F(Asking, silence_of_everybody_is_ours) {
  net.silent = {"192.0.2.1", "192.0.2.2", "192.0.2.3", "192.0.2.4"};
  const auto reply = ask("example.test", type::mx);
  ASSERT_FALSE(reply);
  EXPECT_EQ(reply.error().fault, Fault::cut_off);
  EXPECT_TRUE(authorities.is_cut_off());
  net.asked.clear();
  EXPECT_FALSE(ask("other.test", type::mx));
  EXPECT_THAT(net.asked, IsEmpty()) << "and nobody is waited for again at once";
}

// A firewall or a forwarder that takes port 53 for itself.
TEST_F(Asking, what_somebody_in_between_says_is_nobodys_word) {
  net.says.clear();
  net.refers.clear();
  const auto refused = ask("example.test", type::mx);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().fault, Fault::cut_off);
  EXPECT_TRUE(authorities.is_cut_off());
}

TEST_F(Asking, begins_with_the_hints_where_they_lead_somewhere) {
  net.says[{"192.0.2.9", {Name{}, type::soa}}] = net.says[{"192.0.2.1", {Name{}, type::soa}}];
  net.refers[{"192.0.2.9", name("test")}] = net.refers[{"192.0.2.1", name("test")}];
  net.silent = {"192.0.2.8"};
  DirectReach hinted{{"192.0.2.8", "192.0.2.9"}};
  Authorities knowing{net, net, hinted, true};
  ASSERT_TRUE(knowing.ask({.name = name("example.test"), .type = type::mx}, later()));
  EXPECT_EQ(net.root_asked, 0);
  net.silent = {"192.0.2.8", "192.0.2.9"};
  DirectReach misled{{"192.0.2.8", "192.0.2.9"}};
  Authorities asking{net, net, misled, true};
  ASSERT_TRUE(asking.ask({.name = name("example.test"), .type = type::mx}, later()));
  EXPECT_EQ(net.root_asked, 1);
}

TEST_F(Asking, all_threads_share_what_was_found_of_the_root) {
  ASSERT_TRUE(ask("example.test", type::mx));
  Authorities other{net, net, reach, true};
  ASSERT_TRUE(other.ask({.name = name("example.test"), .type = type::mx}, later()));
  EXPECT_EQ(net.root_asked, 1);
}

TEST_F(Asking, with_no_time_left_nothing_is_learned_of_the_zone) {
  ASSERT_TRUE(ask("example.test", type::mx));
  const auto reply = authorities.ask({.name = name("example.test"), .type = type::mx},
                                     std::chrono::steady_clock::now());
  ASSERT_FALSE(reply);
  EXPECT_EQ(reply.error().fault, Fault::cut_off);
  EXPECT_FALSE(authorities.is_cut_off());
}

TEST_F(Asking, a_denial_beyond_the_zone_is_not_the_servers_to_give) {
  Message answer;
  answer.authoritative = true;
  answer.rcode = rcode::nxdomain;
  answer.answer = {record("www.example.test", type::cname, wire("victim.test"))};
  net.says[{"192.0.2.3", {name("www.example.test"), type::a}}] = answer;
  const auto reply = ask("www.example.test", type::a);
  ASSERT_TRUE(reply);
  EXPECT_EQ(reply->rcode, rcode::noerror);
}

TEST(RootHints, are_the_addresses_in_the_file) {
  EXPECT_THAT(parse_root_hints(";  NS line\n.  3600000  NS  A.ROOT-SERVERS.NET.\n"
                               "A.ROOT-SERVERS.NET. 3600000 A 198.41.0.4 ; a comment\n"
                               "A.ROOT-SERVERS.NET. 3600000 IN AAAA 2001:503:ba3e::2:30\n"
                               "B. 3600000 A 300.1.1.1\nA A A A\n\xff\x00\n"),
              ElementsAre("198.41.0.4", "2001:503:ba3e::2:30"));
}

TEST_F(Asking, does_not_take_addresses_from_those_who_do_not_know) {
  Message referral;
  referral.authority = {ns("hosted.test", "ns.elsewhere.example")};
  referral.glue = {a("ns.elsewhere.example", 66)};
  net.refers[{"192.0.2.2", name("hosted.test")}] = referral;
  ASSERT_FALSE(ask("hosted.test", type::mx));
  EXPECT_THAT(net.asked, Not(testing::Contains("192.0.2.66")));
}

TEST_F(Asking, looks_up_servers_that_come_without_an_address) {
  Message referral;
  referral.authority = {ns("hosted.test", "ns.example.test")};
  net.refers[{"192.0.2.2", name("hosted.test")}] = referral;
  Message address;
  address.authoritative = true;
  address.answer = {a("ns.example.test", 7)};
  net.says[{"192.0.2.3", {name("ns.example.test"), type::a}}] = address;
  Message answer;
  answer.authoritative = true;
  net.says[{"192.0.2.7", {name("hosted.test"), type::mx}}] = answer;
  const auto reply = ask("hosted.test", type::mx);
  ASSERT_TRUE(reply);
  EXPECT_EQ(reply->server, "192.0.2.7");
}

TEST_F(Asking, zones_that_lead_to_each_other_end) {
  for (const auto& [zone, server] :
       {std::pair{"one.test", "ns.two.test"}, {"two.test", "ns.one.test"}}) {
    Message referral;
    referral.authority = {ns(zone, server)};
    net.refers[{"192.0.2.2", name(zone)}] = referral;
  }
  EXPECT_FALSE(ask("one.test", type::mx));
  EXPECT_LT(net.asked.size(), 100U);
}

TEST_F(Asking, a_server_speaks_for_its_own_zone_only) {
  Message answer;
  answer.authoritative = true;
  answer.answer = {record("www.example.test", type::cname, wire("victim.test")),
                   a("victim.test", 66)};
  net.says[{"192.0.2.3", {name("www.example.test"), type::a}}] = answer;
  const auto reply = ask("www.example.test", type::a);
  ASSERT_TRUE(reply);
  ASSERT_EQ(reply->answer.size(), 1U);
  EXPECT_EQ(reply->answer[0].type, type::cname);
}

TEST_F(Asking, special_addresses_are_not_contacted_unless_allowed) {
  Message referral;
  referral.authority = {ns("inside.test", "ns.inside.test")};
  referral.glue = {record("ns.inside.test", type::a, {127, 0, 0, 1})};
  net.refers[{"192.0.2.2", name("inside.test")}] = referral;
  // The scene's addresses are for documentation, and so special, too: only the count matters.
  Authorities careful{net, net, reach, false};
  const auto reply = careful.ask({.name = name("inside.test"), .type = type::mx}, later());
  ASSERT_FALSE(reply);
  EXPECT_EQ(reply.error().fault, Fault::cut_off);
  EXPECT_THAT(net.asked, IsEmpty());
}

// --- together with a resolver, in unsigned zones: the anchor denies the chain at the top

class TwoWitnesses : public Asking {
 protected:
  Answer look() {
    Chain chain{
        {Record{.owner = {}, .type = type::ds, .klass = 1, .ttl = 1, .data = Bytes(36, 8)}}};
    Lookup lookup{net, chain, config::Seconds{5}, &authorities};
    return lookup.ask(name("example.test"), type::mx, kNow, later());
  }
};

TEST_F(TwoWitnesses, failures_that_both_tell_of_are_the_zones) {
  forget_the_zone();
  const auto answer = look();
  EXPECT_EQ(answer.outcome, Outcome::failed);
  EXPECT_FALSE(answer.is_unconfirmed);
  EXPECT_FALSE(answer.resolver_fault);
}

TEST_F(TwoWitnesses, failures_that_only_the_resolver_tells_of_are_unconfirmed) {
  net.silent = {"192.0.2.1", "192.0.2.2", "192.0.2.3", "192.0.2.4"};
  const auto answer = look();
  EXPECT_EQ(answer.outcome, Outcome::failed);
  EXPECT_EQ(answer.cause, Cause::servfail);
  EXPECT_TRUE(answer.is_unconfirmed);
}

TEST(FaultOf, names_the_resolver_and_what_it_did) {
  Answer answer;
  answer.name = name("_25._tcp.mx.example.test");
  answer.type = type::tlsa;
  answer.server = "192.0.2.53";
  answer.outcome = Outcome::failed;
  answer.cause = Cause::servfail;
  answer.rcode = rcode::servfail;
  EXPECT_EQ(fault_of(answer).resolver, "192.0.2.53");
  EXPECT_THAT(fault_of(answer).what, HasSubstr("TLSA of _25._tcp.mx.example.test with SERVFAIL"));
  answer.cause = Cause::timeout;
  EXPECT_THAT(fault_of(answer).what, HasSubstr("does not answer TLSA"));
  answer.cause = Cause::bogus;
  EXPECT_THAT(fault_of(answer).what, HasSubstr("leaves out the signatures"));
  answer.outcome = Outcome::absent;
  EXPECT_THAT(fault_of(answer).what, HasSubstr("denies TLSA"));
}

}  // namespace
