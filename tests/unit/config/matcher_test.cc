#include "config/matcher.h"

#include <gtest/gtest.h>

namespace {

using namespace config;

TEST(Matcher, IsNameSignAndValue) {
  EXPECT_EQ(*parse_matcher("group=shop"), (Matcher{.name = "group", .value = "shop"}));
  EXPECT_EQ(*parse_matcher("code!~tlsa-.*"),
            (Matcher{.name = "code", .value = "tlsa-.*", .is_regex = true, .is_equal = false}));
  EXPECT_EQ(*parse_matcher("mx=~=x"), (Matcher{.name = "mx", .value = "=x", .is_regex = true}));
  EXPECT_EQ(*parse_matcher("mx!="), (Matcher{.name = "mx", .value = "", .is_equal = false}));
  for (const auto* text :
       {"", "group", "=shop", "group~shop", "group!shop", "a-b=c", " group=shop"})
    EXPECT_FALSE(parse_matcher(text)) << text;
  EXPECT_EQ(*matcher_text("group=shop"), "group=shop");
  EXPECT_FALSE(matcher_text("group"));
  EXPECT_FALSE(matcher_text("gruop=shop")) << "fits nothing";
  EXPECT_FALSE(matcher_text("gruop!=shop")) << "fits everything";
}

TEST(HookAddress, MayHaveFieldsBehindItsHost) {
  for (const auto* text :
       {"https://chat.test", "https://chat.test/a/{id}",
        "https://chat.test/v2/alerts/{alert_id}/close?identifierType=alias&x={id}"})
    EXPECT_EQ(*hook_address(text), text);
  EXPECT_EQ(*hook_address("https://chat.test/a/"), "https://chat.test/a");
  for (const auto* text :
       {"", "ftp://chat.test/{id}", "https://{id}/", "https://{id}.test/x",
        "https://chat.test/{token}", "https://chat.test/{id", "https://chat.test/}"})
    EXPECT_FALSE(hook_address(text)) << text;
}

}  // namespace
