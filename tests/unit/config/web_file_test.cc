#include "config/web_file.h"

#include <filesystem>
#include <fstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

namespace {

using namespace config;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using testing::SizeIs;

const std::string kHash = "$2y$10$abcdefghijklmnopqrstuuAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";

std::vector<std::string> errors_of(std::string_view text) {
  const auto file = parse_web_file(text, "/etc/danelaw/w");
  std::vector<std::string> out;
  if (file) return out;
  for (const auto& error : file.error()) out.push_back(to_string(error).substr(13));
  return out;
}

TEST(WebFile, EveryKeyReachesItsField) {
  const auto file = parse_web_file(R"(
tls_server_config:
  cert_file: cert.pem
  key_file: /keys/key.pem
  client_ca_file: ca.pem
  client_auth_type: RequireAndVerifyClientCert
  min_version: TLS13
basic_auth_users:
  alice: )" + kHash + R"(
http_server_config:
  headers:
    Strict-Transport-Security: max-age=31536000
)",
                                   "/etc/danelaw/w");
  ASSERT_TRUE(file) << to_string(file.error().front());
  ASSERT_TRUE(file->tls);
  EXPECT_EQ(file->tls->cert_file, "/etc/danelaw/cert.pem");
  EXPECT_EQ(file->tls->key_file, "/keys/key.pem");
  EXPECT_EQ(file->tls->client_ca_file, "/etc/danelaw/ca.pem");
  EXPECT_EQ(file->tls->client_auth, Tls::ClientAuth::required);
  EXPECT_EQ(file->tls->min_version, Tls::Version::tls13);
  EXPECT_THAT(file->users, ElementsAre(std::pair(std::string("alice"), kHash)));
  EXPECT_EQ(file->headers.at("Strict-Transport-Security"), "max-age=31536000");
}

TEST(WebFile, NothingIsPlainHttpForEverybody) {
  for (const auto* text : {"", "# nothing\n", "tls_server_config:\nbasic_auth_users:\n"}) {
    const auto file = parse_web_file(text, "/etc/danelaw/w");
    ASSERT_TRUE(file) << text;
    EXPECT_FALSE(file->tls);
    EXPECT_THAT(file->users, IsEmpty());
  }
}

TEST(WebFile, WhatIsNotKnownIsAnErrorForItMightHaveMadeThingsSafer) {
  EXPECT_THAT(errors_of("tls_server_config: {cert_file: a, key_file: b, cipher_suites: [x]}\n"),
              ElementsAre(HasSubstr("unknown key \"cipher_suites\"")));
  EXPECT_THAT(errors_of("basic_auth_user: {}\n"), ElementsAre(HasSubstr("basic_auth_users\"?")));
  EXPECT_THAT(errors_of("http_server_config: {headers: {Set-Cookie: x}}\n"),
              ElementsAre(HasSubstr("unknown key \"Set-Cookie\"")));
  EXPECT_THAT(errors_of("tls_server_config: {cert_file: a}\n"),
              ElementsAre(HasSubstr("\"key_file\" is missing")));
  EXPECT_THAT(errors_of("tls_server_config: {cert_file: a, key_file: b, min_version: TLS10}\n"),
              ElementsAre(HasSubstr("expected TLS12 or TLS13")));
  EXPECT_THAT(errors_of("tls_server_config: {cert_file: a, key_file: b, client_auth_type: "
                        "RequireAnyClientCert}\n"),
              ElementsAre(HasSubstr("expected NoClientCert, ")));
  EXPECT_THAT(errors_of("tls_server_config: {cert_file: a, key_file: b, client_auth_type: "
                        "RequireAndVerifyClientCert}\n"),
              ElementsAre(HasSubstr("without client_ca_file")));
  EXPECT_THAT(errors_of("tls_server_config: {cert_file: a, key_file: b, client_ca_file: c}\n"),
              ElementsAre(HasSubstr("without client_auth_type")));
}

TEST(WebFile, WhatStandsInPlaceOfAHashIsNeverShown) {
  for (const std::string wrong :
       {"geheim", "$1$abc$geheim", "\"\"", "[geheim]", "{geheim: x}", "$2y$04$geheim",
        "$2x$10$abcdefghijklmnopqrstuuAAAAAAAAAAAAAAAAAAAAAAgeheimAAA"}) {
    const auto errors = errors_of("basic_auth_users:\n  alice: " + wrong + "\n");
    ASSERT_THAT(errors, SizeIs(1)) << wrong;
    EXPECT_THAT(errors[0], HasSubstr("user \"alice\": no bcrypt hash")) << wrong;
    EXPECT_THAT(errors[0], Not(HasSubstr("geheim")));
  }
  for (const auto* cost : {"04", "15", "31", "1x"}) {
    auto hash = kHash;
    hash.replace(4, 2, cost);
    EXPECT_THAT(errors_of("basic_auth_users: {alice: " + hash + "}\n"),
                ElementsAre(HasSubstr("cost")))
        << cost;
  }
  EXPECT_THAT(errors_of("basic_auth_users: {\"a:b\": " + kHash + "}\n"),
              ElementsAre(HasSubstr("without colons")));
}

// ---- with the configuration that names it

class WebOf : public testing::Test {
 protected:
  WebOf() { std::filesystem::create_directories(folder_); }
  ~WebOf() override { std::filesystem::remove_all(folder_); }
  Result<Config, std::vector<LoadError>> loaded(const std::string& web,
                                                const std::string& web_file = "") {
    std::ofstream(folder_ / "web.yml") << web_file;
    std::ofstream(folder_ / "danelaw.yaml") << "domains: [example.org]\nweb: " << web << "\n";
    return load(folder_ / "danelaw.yaml");
  }
  std::filesystem::path folder_ =
      std::filesystem::temp_directory_path() / ("danelaw-web-file-" + std::to_string(getpid()));
};

TEST_F(WebOf, BeyondLoopbackSomebodyHasToLogInUnlessItIsSaidThatNobodyHas) {
  for (const std::string address : {"0.0.0.0", "192.0.2.1", "\"::\"", "\"::ffff:127.0.0.1\""}) {
    const auto open = loaded("{listen_address: " + address + "}");
    ASSERT_FALSE(open) << address;
    EXPECT_THAT(open.error()[0].message, HasSubstr("nobody has to log in"));
    const auto with = [&](const std::string& more, const std::string& file = "") {
      return loaded("{listen_address: " + address + ", " + more + "}", file).has_value();
    };
    EXPECT_FALSE(with("config_file: web.yml")) << "a file without users";
    EXPECT_TRUE(with("config_file: web.yml", "basic_auth_users: {alice: " + kHash + "}\n"));
    EXPECT_TRUE(with("tokens: [{name: a, file: b}]"));
    EXPECT_TRUE(with("allow_unauthenticated: true"));
    const std::string tls = "tls_server_config: {cert_file: a, key_file: b";
    EXPECT_FALSE(with("config_file: web.yml", tls + "}\n"));
    EXPECT_TRUE(with("config_file: web.yml",
                     tls + ", client_ca_file: c, client_auth_type: RequireAndVerifyClientCert}\n"));
  }
  EXPECT_TRUE(loaded("{listen_address: 127.0.0.2}"));
  EXPECT_TRUE(loaded("{listen_address: \"::1\"}"));
}

TEST_F(WebOf, ErrorsOfItsFileAreNamedWithIts) {
  const auto wrong = loaded("{config_file: web.yml}", "basic_auth_users: {alice: geheim}\n");
  ASSERT_FALSE(wrong);
  EXPECT_THAT(to_string(wrong.error()[0]), HasSubstr("web.yml:1:27: user \"alice\""));
  EXPECT_THAT(loaded("{operators: [bob]}").error()[0].message, HasSubstr("bob"));
}

TEST_F(WebOf, GroupsOfLoginsAreThoseOfDomainsAndNeverNone) {
  const auto with = [&](const std::string& web) {
    std::ofstream(folder_ / "web.yml") << "basic_auth_users: {alice: " + kHash + "}\n";
    std::ofstream(folder_ / "more.txt") << "more.example\n";
    std::ofstream(folder_ / "danelaw.yaml") << "domains: [{name: example.org, group: shop}]\n"
                                               "domain_lists: [{file: more.txt, group: club}]\n"
                                               "web: {config_file: web.yml, " +
                                                   web + "}\n";
    return load(folder_ / "danelaw.yaml");
  };
  const auto good =
      with("user_groups: {alice: [shop, club]}, tokens: [{name: t, file: f, groups: [club]}]");
  ASSERT_TRUE(good) << to_string(good.error()[0]);
  EXPECT_THAT(good->web.user_groups.at("alice"), ElementsAre("shop", "club"));
  EXPECT_THAT(good->web.tokens[0].groups, ElementsAre("club"));
  for (const auto& [text, why] : std::vector<std::pair<std::string, std::string>>{
           {"user_groups: {alice: []}", "a list of one group or more"},
           {"user_groups: {alice: }", "a list of one group or more"},
           {"user_groups: {alice: shop}", "a list of one group or more"},
           {"user_groups: {alice: [\"\"]}", "a group has a name"},
           {"user_groups: {alice: [[shop]]}", "no text"},
           {"user_groups: [alice]", "a map of users"},
           {"user_groups: {bob: [shop]}", "web.user_groups: no user of that name"},
           {"user_groups: {alice: [shpo]}",
            "web.user_groups: alice: no domain or list is of the group"},
           {"tokens: [{name: t, file: f, groups: [x]}]", "web.tokens: t: no domain or list"},
           {"tokens: [{name: t, file: f, groups: []}]", "a list of one group or more"},
           {"tokens: [{name: t, file: f, role: report, groups: [shop]}]", "everybody's domains"}}) {
    const auto wrong = with(text);
    ASSERT_FALSE(wrong) << text;
    EXPECT_THAT(wrong.error()[0].message, HasSubstr(why)) << text;
  }
}

TEST_F(WebOf, KeysReachTheirFields) {
  const auto config = loaded(
      "{config_file: web.yml, operators: [alice], hosts: [Danelaw.Internal, monitor],"
      " public_badges: [Example.ORG.], tokens: [{name: ci, file: t, role: operate}]}",
      "basic_auth_users: {alice: " + kHash + "}\n");
  ASSERT_TRUE(config) << to_string(config.error()[0]);
  EXPECT_THAT(config->web.hosts, ElementsAre("danelaw.internal", "monitor"));
  EXPECT_THAT(config->web.public_badges, ElementsAre("example.org"));
  EXPECT_EQ(config->web.tokens[0].right, Right::operate);
  EXPECT_EQ(config->web.tokens[0].file, folder_ / "t");
  EXPECT_FALSE(loaded("{hosts: [\"a:1\"]}"));
  EXPECT_FALSE(loaded("{tokens: [{name: a}]}"));
}

}  // namespace
