#include "agent/watch/inventory.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/scene.h"

// Who uses whom, and who comes and goes by it.
namespace {

using namespace agent;
using probes::dns::Name;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::UnorderedElementsAre;

Target domain(const std::string& name) {
  return {.kind = Target::Kind::domain, .name = support::name(name)};
}
Target host(const std::string& name) {
  return {.kind = Target::Kind::host, .name = support::name(name)};
}
std::vector<probes::MxHost> mx(const std::vector<std::string>& names) {
  std::vector<probes::MxHost> out;
  for (const auto& name : names) out.push_back({.name = support::name(name), .preference = 10});
  return out;
}
probes::DomainSeen domain_seen(const std::string& name) {
  auto out = std::make_shared<probes::DomainObservation>();
  out->domain = support::name(name);
  return out;
}
probes::HostSeen host_seen(const std::string& name, const std::string& owner) {
  auto out = std::make_shared<probes::HostObservation>();
  out->host = support::name(name);
  out->tlsa.outcome = probes::dns::Outcome::absent;
  out->tlsa.final_name = support::name(owner);
  return out;
}

class AnInventory : public testing::Test {
 protected:
  AnInventory() { inventory.adopt({{.name = "a.test"}, {.name = "b.test"}}); }
  Inventory::Change use(const std::string& domain, const std::vector<std::string>& hosts) {
    return inventory.use(*inventory.domain(support::name(domain)), mx(hosts));
  }
  Inventory inventory;
};

TEST_F(AnInventory, SaysWhichDomainsComeAndGo) {
  const auto change =
      inventory.adopt({{.name = "b.test"}, {.name = "c.test"}, {.name = "c.test"}, {.name = ".."}});
  EXPECT_THAT(change.appeared, ElementsAre(domain("c.test")));
  EXPECT_THAT(change.vanished, ElementsAre(domain("a.test")));
  EXPECT_EQ(inventory.domain(support::name("a.test")), nullptr);
  EXPECT_EQ(inventory.domain(support::name("b.test"))->place, 0U);
}

TEST_F(AnInventory, KeepsAHostAsLongAsSomebodyUsesIt) {
  EXPECT_THAT(use("a.test", {"mx.test", "old.test"}).appeared,
              UnorderedElementsAre(host("mx.test"), host("old.test")));
  EXPECT_THAT(use("b.test", {"mx.test"}).vanished, IsEmpty());
  const auto change = use("a.test", {"new.test"});
  EXPECT_THAT(change.appeared, ElementsAre(host("new.test")));
  EXPECT_THAT(change.vanished, ElementsAre(host("old.test"))) << "b.test still uses mx.test";
  const auto reloaded = inventory.adopt({{.name = "a.test"}});
  EXPECT_THAT(reloaded.vanished, UnorderedElementsAre(domain("b.test"), host("mx.test")));
  EXPECT_EQ(inventory.host(support::name("mx.test")), nullptr);
  EXPECT_NE(inventory.host(support::name("new.test")), nullptr);
}

TEST_F(AnInventory, CountsTheInboundUsersOfAHost) {
  const auto own = [&] { return inventory.host(support::name("mx.test"))->own_users; };
  use("a.test", {"mx.test"});
  use("b.test", {"mx.test", "mx.test"});
  EXPECT_EQ(own(), 2U);
  use("b.test", {"mx.test"});
  EXPECT_EQ(own(), 2U);
  inventory.adopt({{.name = "a.test", .role = config::Role::outbound}, {.name = "b.test"}});
  EXPECT_EQ(own(), 1U) << "by its new role";
  use("b.test", {"other.test"});
  EXPECT_EQ(own(), 0U);
  inventory.adopt({{.name = "a.test"}, {.name = "b.test"}});
  EXPECT_EQ(own(), 1U);
}

TEST_F(AnInventory, KnowsWhenAllHaveBeenSeen) {
  EXPECT_FALSE(inventory.knows_all_hosts());
  for (const auto* name : {"a.test", "b.test"})
    inventory.take(*inventory.domain(support::name(name)), domain_seen(name));
  EXPECT_FALSE(inventory.knows_all_hosts()) << "a look may have learned nothing";
  for (const auto* name : {"a.test", "b.test"}) use(name, {});
  EXPECT_TRUE(inventory.knows_all_hosts());
  EXPECT_TRUE(inventory.has_seen_all_hosts());
  use("a.test", {"mx.test"});
  EXPECT_FALSE(inventory.has_seen_all_hosts());
  inventory.take(*inventory.host(support::name("mx.test")), host_seen("mx.test", "mx.test"));
  EXPECT_TRUE(inventory.has_seen_all_hosts());
  use("b.test", {"never.test"});
  use("b.test", {});
  EXPECT_TRUE(inventory.has_seen_all_hosts()) << "the one that was not is gone";
  inventory.adopt({{.name = "a.test"}, {.name = "c.test"}});
  EXPECT_FALSE(inventory.knows_all_hosts());
}

TEST_F(AnInventory, FindsHostsWhoseRecordsAreOneRRset) {
  use("a.test", {"mx1.test", "mx2.test", "mx3.test"});
  const std::map<std::string, std::string> owners{
      {"mx1.test", "tlsa.test"}, {"mx2.test", "tlsa.test"}, {"mx3.test", "mx3.test"}};
  for (const auto& [name, owner] : owners) {
    auto* one = inventory.host(support::name(name));
    one->history.emplace();
    inventory.take(*one, host_seen(name, owner));
  }
  const auto sharers = [&](const std::string& name, const std::string& owner) {
    std::vector<std::string> out;
    for (const auto* one : inventory.sharing_owner_with(*host_seen(name, owner)))
      out.push_back(one->name.text());
    return out;
  };
  EXPECT_THAT(sharers("mx1.test", "tlsa.test"), ElementsAre("mx2.test"));
  EXPECT_THAT(sharers("mx3.test", "mx3.test"), IsEmpty());
  // It goes its own way from now on.
  inventory.take(*inventory.host(support::name("mx2.test")), host_seen("mx2.test", "mx2.test"));
  EXPECT_THAT(sharers("mx1.test", "tlsa.test"), IsEmpty());
}

}  // namespace
