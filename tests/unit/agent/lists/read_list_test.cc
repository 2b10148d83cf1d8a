#include "agent/lists/read_list.h"

#include <fstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/https_world.h"

namespace {

using namespace agent;
using config::DomainList;
using support::http_reply;
using support::HttpsServer;
using support::Issued;
using support::say;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

class ReadListTest : public support::HttpsWorld {
 protected:
  static const Issued& leaf() {
    static const Issued issued = leaf_for({"localhost"});
    return issued;
  }
  static DomainList list_at(std::uint16_t port) {
    return {.url = "https://localhost:" + std::to_string(port) + "/list",
            .ca_file = folder() / "ca.pem"};
  }
  static std::filesystem::path file_with(const std::string& text) {
    const auto path = folder() / "secret";
    std::ofstream(path) << text;
    return path;
  }
  static ReadList read_from(const std::string& reply) {
    HttpsServer server({.leaf = leaf(), .script = say(reply)});
    return read_list(list_at(server.port()), {});
  }
};

TEST_F(ReadListTest, TakesWhatTheServerGives) {
  const auto list = read_from(http_reply("", "a.test\nb.test\n"));
  ASSERT_TRUE(list) << list.error();
  EXPECT_THAT(*list, SizeIs(2));
}

TEST_F(ReadListTest, SaysWhyThereIsNone) {
  EXPECT_THAT(read_from(http_reply("", "a.test\n", "404 Not Found")).error(),
              HasSubstr("status 404"));
  EXPECT_THAT(read_from(http_reply("Location: https://localhost/\r\n", "", "302 Found")).error(),
              HasSubstr("status 302"))
      << "nobody is sent elsewhere";
  EXPECT_THAT(read_from(http_reply("", "<html>")).error(), HasSubstr("line 1"));
  EXPECT_THAT(read_list({.url = "https://localhost:1/"}, {}).error(), HasSubstr("connect"));
}

TEST_F(ReadListTest, ShowsItsToken) {
  HttpsServer server({.leaf = leaf(), .script = say(http_reply("", "[]"))});
  auto list = list_at(server.port());
  list.token_file = file_with("a-token\n");
  ASSERT_TRUE(read_list(list, {}));
  EXPECT_THAT(server.request(), HasSubstr("Authorization: Bearer a-token\r\n"));
}

TEST_F(ReadListTest, SendsNothingThatIsNoToken) {
  auto list = list_at(1);
  list.token_file = file_with("a-token\r\nHost: b");
  EXPECT_THAT(read_list(list, {}).error(), HasSubstr("not one word"));
  EXPECT_THAT(obstacles_of(list), ElementsAre(HasSubstr("not one word")));
  list.token_file = folder() / "missing";
  EXPECT_THAT(obstacles_of(list), ElementsAre(HasSubstr("missing")));
}

TEST_F(ReadListTest, SaysWhatOnThisMachineIsInItsWay) {
  EXPECT_THAT(obstacles_of({.file = "/nowhere"}), IsEmpty()) << "the configuration has read it";
  EXPECT_THAT(obstacles_of(list_at(1)), IsEmpty());
  EXPECT_THAT(obstacles_of({.url = "https://a.test", .ca_file = "/nowhere.pem"}),
              ElementsAre(HasSubstr("/nowhere.pem")));
  struct Row {
    std::string key, want;
  };
  for (const auto& [key, want] :
       {Row{"a.key:AAAA", ""}, Row{"hmac-sha512:a.key.:AAAA\n", ""},
        Row{"hmac-md5:a.key:AAAA", "the algorithm"}, Row{"a.key", "not one line"},
        Row{"a:b:c:d", "not one line"}, Row{":AAAA", "has no name"}, Row{"a.key:", "not base64"},
        Row{"a.key:?", "not base64"}}) {
    const auto found =
        obstacles_of({.catalog_zone = "catalog.test", .tsig_key_file = file_with(key)});
    if (want.empty()) {
      EXPECT_THAT(found, IsEmpty()) << key;
    } else {
      EXPECT_THAT(found, ElementsAre(HasSubstr(want))) << key;
    }
  }
}

TEST(SourceOf, HidesTheQuery) {
  EXPECT_EQ(source_of({.url = "https://a.test/b?key=secret"}), "https://a.test/b");
  EXPECT_EQ(source_of({.catalog_zone = "c.test", .primary = {.address = "::1", .port = 5353}}),
            "c.test from ::1@5353");
}

}  // namespace
