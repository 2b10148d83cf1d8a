#include "probes/reports/ari.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "probes/tls/certificate_file.h"
#include "tests/support/renewal.h"
#include "tests/support/scene.h"

namespace {

using namespace probes::reports;
using config::Seconds;
using std::chrono::hours;
using std::chrono::minutes;
using support::kNow;

constexpr auto kGood =
    R"({"suggestedWindow":{"start":"2027-01-02T04:00:00Z","end":"2027-01-03T04:00:00Z"},)"
    R"("explanationURL":"https://acme.test/docs/ari"})";

TEST(Ari, ReadsTheWindow) {
  const auto read = parse_renewal_info(kGood);
  ASSERT_TRUE(read) << read.error();
  EXPECT_EQ(config::rfc3339(read->start), "2027-01-02T04:00:00Z");
  EXPECT_EQ(config::rfc3339(read->end), "2027-01-03T04:00:00Z");
  EXPECT_EQ(read->explanation, "https://acme.test/docs/ari");
}

struct ReplyCase {
  std::string says, reply, want;  // want: part of the fault
};

// As Go writes them, and by RFC 3339 anybody may.
TEST(Ari, ReadsFractionsAndOffsets) {
  const auto read = [](const std::string& start) {
    const auto window = parse_renewal_info(R"({"suggestedWindow":{"start":")" + start +
                                           R"(","end":"2027-01-03T04:00:00.1Z"}})");
    return window ? config::rfc3339(window->start) : window.error();
  };
  EXPECT_EQ(read("2027-01-02T04:00:00.123456789Z"), "2027-01-02T04:00:00Z");
  EXPECT_EQ(read("2027-01-02T05:00:00+01:00"), "2027-01-02T04:00:00Z");
}

TEST(Ari, TakesNothingElseForAWindow) {
  const auto with = [](const std::string& start, const std::string& end) {
    return R"({"suggestedWindow":{"start":)" + start + R"(,"end":)" + end + "}}";
  };
  const std::string early = R"("2027-01-02T04:00:00Z")";
  const std::string late = R"("2027-01-03T04:00:00Z")";
  for (const auto& row : std::vector<ReplyCase>{
           {"nothing", "", "JSON"},
           {"an error page", "<html>busy</html>", "JSON"},
           {"a list", "[]", "JSON"},
           {"no window", "{}", "suggestedWindow"},
           {"a window that is none", R"({"suggestedWindow":7})", "suggestedWindow"},
           {"no end", R"({"suggestedWindow":{"start":)" + early + "}}", "without"},
           {"a number", with("7", late), "without"},
           {"no time", with(R"("soon")", late), "without"},
           {"the wrong way round (§4.2)", with(late, early), "ends before"},
           {"no time at all", with(early, early), "ends before"},
           {"huge", std::string(kMostAriReply + 1, ' '), "64 KiB"},
           {"deep", std::string(1000, '[') + std::string(1000, ']'), "JSON"},
           {"cut off", std::string(kGood).substr(0, 60), "JSON"},
       }) {
    const auto read = parse_renewal_info(row.reply);
    ASSERT_FALSE(read) << row.says;
    EXPECT_NE(read.error().find(row.want), std::string::npos) << row.says << ": " << read.error();
  }
}

TEST(Ari, AnExplanationThatIsNoHttpsUrlIsLeftOut) {
  for (const auto* url : {"http://acme.test/", "javascript:alert(1)", "https://", "https://a b/"}) {
    auto text = std::string(kGood);
    text.replace(text.find("https://acme.test/docs/ari"), 26, url);
    const auto read = parse_renewal_info(text);
    ASSERT_TRUE(read) << url;
    EXPECT_EQ(read->explanation, "") << url;
  }
}

TEST(Ari, TheDirectorySaysWhereToAsk) {
  EXPECT_EQ(*renewal_info_url(R"({"renewalInfo":"https://acme.test/ari"})"),
            "https://acme.test/ari");
  EXPECT_FALSE(renewal_info_url(R"({"newOrder":"https://acme.test/order"})"));
  EXPECT_FALSE(renewal_info_url(R"({"renewalInfo":"http://acme.test/ari"})"));
  EXPECT_FALSE(renewal_info_url(R"({"renewalInfo":["https://acme.test/ari"]})"));
  EXPECT_FALSE(renewal_info_url("nonsense"));
  for (const auto* url : {"https://user:word@acme.test/ari", "https://acme.test@evil.test/ari",
                          "https://acme.test/ari#part", "https:///ari", "https://acme.test/<ari>"})
    EXPECT_FALSE(renewal_info_url(fmt::format(R"({{"renewalInfo":"{}"}})", url))) << url;
  EXPECT_TRUE(renewal_info_url(R"({"renewalInfo":"https://acme.test/@ari"})"))
      << "a path may hold it";
}

// The example of RFC 9773 §4.1 (appendix A): AKI 69:88:5B:6B:87:46:40:41:E1:B3:7B:84:7B:A0:AE:2C:
// DE:01:C8:D4, serial 87:65:43:21, which has its first bit set and so gets a zero in front.
TEST(Ari, NamesTheCertificateAsInTheRfc) {
  const auto read = probes::tls::read_certificate_file(std::string_view(support::kExample));
  ASSERT_TRUE(read) << read.error();
  EXPECT_EQ(ari_id(*read->chain.front()), "aYhba4dGQEHhs3uEe6CuLN4ByNQ.AIdlQyE");
}

TEST(Ari, WaitsAsItIsTold) {
  EXPECT_EQ(ari_pause(std::nullopt, kNow), hours{6});
  EXPECT_EQ(ari_pause("21600", kNow), hours{6});
  EXPECT_EQ(ari_pause("0", kNow), minutes{1}) << "but not at once (§4.3.2)";
  EXPECT_EQ(ari_pause("99999999999999999999", kNow), hours{24}) << "nor for ever";
  EXPECT_EQ(ari_pause("soon", kNow), hours{6});
  EXPECT_EQ(ari_pause("-5", kNow), hours{6});
  EXPECT_EQ(ari_pause("", kNow), hours{6});
  EXPECT_EQ(ari_pause("Fri, 15 Jan 2027 09:00:00 GMT", kNow), hours{1}) << config::rfc3339(kNow);
  EXPECT_EQ(ari_pause("Fri, 15 Jan 2021 09:00:00 GMT", kNow), minutes{1});
  EXPECT_EQ(ari_pause_after(1), minutes{10});
  EXPECT_EQ(ari_pause_after(3), minutes{40});
  EXPECT_EQ(ari_pause_after(100), hours{24});
}

TEST(Ari, AWindowThatIsMovedForwardToNowHasJumped) {
  const auto window = [](auto from_now) {
    return RenewalWindow{.start = kNow + from_now, .end = kNow + from_now + hours{24}};
  };
  EXPECT_TRUE(has_jumped(window(hours{24 * 30}), window(hours{-24}), kNow)) << "it is past";
  EXPECT_TRUE(has_jumped(window(hours{24 * 30}), window(hours{24}), kNow));
  EXPECT_TRUE(has_jumped(window(hours{24 * 60}), window(hours{24 * 5}), kNow));
  EXPECT_FALSE(has_jumped(window(hours{24 * 30}), window(hours{24 * 20}), kNow))
      << "a CA may tune its windows";
  EXPECT_FALSE(has_jumped(window(hours{2}), window(hours{0}), kNow)) << "by hours";
  EXPECT_FALSE(has_jumped(window(hours{24}), window(hours{24 * 40}), kNow)) << "it was renewed";
}

}  // namespace
