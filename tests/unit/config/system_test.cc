#include "config/system.h"

#include <filesystem>
#include <fstream>
#include <string>
#include <string_view>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace config {
namespace {

using testing::ElementsAreArray;

struct Row {
  std::string_view says;
  std::string_view file;
  std::vector<std::string> want;
};

const Row rows[] = {
    {"in their order, both families",
     "nameserver 192.0.2.1\nnameserver 2001:db8::1\n",
     {"192.0.2.1", "2001:db8::1"}},
    {"other lines and comments are passed over",
     "# a comment\nsearch example.org\noptions edns0\nnameserver\t192.0.2.1 \n; nameserver ::1\n",
     {"192.0.2.1"}},
    {"no newline at the end", "nameserver 192.0.2.1", {"192.0.2.1"}},
    {"line ends of DOS", "nameserver 192.0.2.1\r\n", {"192.0.2.1"}},
    {"the keyword stands in front", " nameserver 192.0.2.1\n", {"127.0.0.1"}},
    {"the keyword is a word", "nameservers 192.0.2.1\nnameserver192.0.2.2\n", {"127.0.0.1"}},
    {"an address and nothing else",
     "nameserver dns.example.org\nnameserver 192.0.2.1 192.0.2.2\nnameserver "
     "fe80::1%eth0\nnameserver\n",
     {"127.0.0.1"}},
    {"empty", "", {"127.0.0.1"}},
    {"binary", std::string_view("\0\xff\n\0nameserver 192.0.2.1\n", 25), {"127.0.0.1"}},
};

std::vector<std::string> addresses(const std::filesystem::path& file) {
  std::vector<std::string> all;
  for (const auto& resolver : system_resolvers(file)) {
    EXPECT_EQ(resolver.port, 53);
    all.push_back(resolver.address);
  }
  return all;
}

TEST(SystemResolvers, AreTheNameserverLinesOfResolvConf) {
  const std::filesystem::path file = testing::TempDir() + "danelaw_system_test_resolv.conf";
  for (const auto& row : rows) {
    std::ofstream{file, std::ios::binary} << row.file;
    EXPECT_THAT(addresses(file), ElementsAreArray(row.want)) << row.says;
  }
  std::filesystem::remove(file);
}

TEST(SystemResolvers, WithoutAFileIsLoopback) {
  EXPECT_THAT(addresses("/nonexistent/resolv.conf"), ElementsAreArray({"127.0.0.1"}));
}

}  // namespace
}  // namespace config
