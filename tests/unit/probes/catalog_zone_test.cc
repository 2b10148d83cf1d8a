#include "probes/dns/catalog_zone.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace {

using namespace probes::dns;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

Name catalog() {
  return *Name::parse("catalog.test");
}

Record txt(const std::string& owner, const std::vector<std::string>& strings) {
  Record out{.owner = *Name::parse(owner + ".catalog.test"), .type = type::txt, .data = {}};
  for (const auto& one : strings) {
    out.data.push_back(static_cast<std::uint8_t>(one.size()));
    out.data.insert(out.data.end(), one.begin(), one.end());
  }
  return out;
}

Record ptr(const std::string& owner, const std::string& zone) {
  const auto name = *Name::parse(zone);
  return {.owner = *Name::parse(owner + ".catalog.test"),
          .type = type::ptr,
          .data = Bytes(name.wire().begin(), name.wire().end())};
}

std::string fault_of(const std::vector<Record>& records) {
  const auto read = read_catalog_zone(catalog(), records);
  return read ? "" : read.error();
}

TEST(CatalogZone, NamesItsMembersWithTheirGroups) {
  const auto read = read_catalog_zone(
      catalog(),
      {ptr("a1.zones", "A.test"), txt("group.a1.zones", {"our", "s"}), txt("version", {"2"}),
       ptr("b2.zones", "b.test"), txt("group.b2.zones", {"one"}), txt("group.b2.zones", {"two"}),
       ptr("c3.zones", "c.test"), txt("other.c3.zones", {"x"}), txt("group.none.zones", {"x"})});
  ASSERT_TRUE(read) << read.error();
  ASSERT_THAT(*read, SizeIs(3));
  EXPECT_EQ((*read)[0].zone.text(), "a.test");
  EXPECT_EQ((*read)[0].group, "ours") << "the strings of a record are one";
  EXPECT_FALSE((*read)[1].group) << "several say nothing";
  EXPECT_FALSE((*read)[2].group);
}

TEST(CatalogZone, PassesOverWhatItDoesNotKnow) {
  const auto read = read_catalog_zone(
      catalog(), {txt("version", {"2"}), ptr("zones", "x.test"), ptr("coo.a1.zones", "x.test"),
                  ptr("ext.a1", "x.test"), txt("a1.zones", {"x"})});
  ASSERT_TRUE(read) << read.error();
  EXPECT_THAT(*read, IsEmpty());
}

TEST(CatalogZone, IsRefusedWhereItIsBroken) {
  const auto version = txt("version", {"2"});
  struct Row {
    std::string says;
    std::vector<Record> records;
    std::string want;
  };
  const Row rows[] = {
      {"any zone", {ptr("a1.zones", "a.test")}, "no version"},
      {"that of BIND's first", {txt("version", {"1"})}, "another version"},
      {"two versions", {version, version}, "several versions"},
      {"a version of no string", {txt("version", {})}, "malformed"},
      {"two PTR records at a member (RFC 9432 §4.1)",
       {version, ptr("a1.zones", "a.test"), ptr("a1.zones", "b.test")},
       "several PTR"},
      {"a zone that is a member twice (RFC 9432 §4.1)",
       {version, ptr("a1.zones", "a.test"), ptr("b2.zones", "a.test")},
       "a.test is a member twice"},
      {"the root", {version, ptr("a1.zones", ".")}, "no zone"},
  };
  for (const auto& row : rows) EXPECT_THAT(fault_of(row.records), HasSubstr(row.want)) << row.says;
}

}  // namespace
