#include "web/http/auth.h"

#include <chrono>
#include <filesystem>
#include <fstream>

#include <crypt.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>
#include <unistd.h>

#include "probes/tls/crypto.h"
#include "tests/unit/web/service.h"
#include "web/routes/api.h"
#include "web/routes/page.h"

// Who comes in, and what they may do.
namespace {

using config::Right;
using probes::tls::base64;
using testing::HasSubstr;
using testing::Not;
using web::Auth;

std::string basic(const std::string& user, const std::string& password) {
  return "Basic " + base64(user + ":" + password);
}

std::string hash_of(const std::string& password, const std::string& cost = "05") {
  crypt_data space{};
  return crypt_r(password.c_str(), ("$2y$" + cost + "$abcdefghijklmnopqrstuu").c_str(), &space);
}

// As the server does it: what has to be tried is tried first.
Auth::LoginAnswer enter(const Auth& door, const std::string& authorization) {
  if (!door.untried(authorization)) return door.judge(authorization);
  return door.judge(authorization, door.attempt(authorization));
}

class Login : public testing::Test {
 protected:
  Login() {
    std::ofstream(file_) << kToken << "\n";
    settings_.file.users = {{"alice", hash_of("open sesame")}, {"bob", hash_of("b:o b")}};
    settings_.operators = {"alice"};
    settings_.tokens = {{.name = "scraper", .file = file_}};
  }
  ~Login() override { std::filesystem::remove(file_); }
  std::shared_ptr<const Auth> auth() {
    auto made = Auth::make(settings_);
    EXPECT_TRUE(made) << made.error();
    return *made;
  }

  static constexpr auto kToken = "0123456789abcdef0123456789abcdef";
  std::filesystem::path file_ =
      std::filesystem::temp_directory_path() / ("danelaw-token-" + std::to_string(getpid()));
  config::Web settings_;
};

TEST_F(Login, UsersLookAndOperatorsOperate) {
  const auto door = auth();
  for (int i = 0; i < 2; ++i) {  // by bcrypt, then by memory
    EXPECT_EQ(enter(*door, basic("alice", "open sesame")).right, Right::operate);
    EXPECT_EQ(enter(*door, basic("bob", "b:o b")).right, Right::read);
  }
  EXPECT_THAT(door->challenge(), HasSubstr("Basic realm"));
}

TEST_F(Login, NothingElseOpens) {
  const auto door = auth();
  (void)enter(*door, basic("alice", "open sesame"));
  for (const auto& wrong :
       {basic("alice", "open sesam"), basic("alice", ""), basic("", ""), basic("mallory", "x"),
        basic("mallory", "open sesame"), basic("bob", "open sesame"), basic("Alice", "open sesame"),
        basic("alice", std::string("open sesame\0x", 13)), std::string("Basic"),
        std::string("Basic !!!!"), std::string("Basic QQ"), "Basic " + base64("alice"),
        std::string(), std::string("Bearer"), std::string("Bearer "),
        "Bearer " + std::string(kToken) + "0", "Basic " + std::string(kToken),
        "Digest " + base64("alice:open sesame")}) {
    EXPECT_FALSE(enter(*door, wrong).right) << wrong;
  }
}

TEST_F(Login, TokensMayWhatTheyAreGivenFor) {
  EXPECT_EQ(enter(*auth(), std::string("bearer ") + kToken).right, Right::read);
  settings_.tokens[0].right = Right::operate;
  EXPECT_EQ(enter(*auth(), std::string("Bearer  ") + kToken).right, Right::operate);
  settings_.file.users.clear();
  EXPECT_THAT(auth()->challenge(), HasSubstr("Bearer realm"));
  EXPECT_FALSE(enter(*auth(), basic("alice", "open sesame")).right);
}

TEST_F(Login, SomeAreForSomeGroups) {
  settings_.user_groups = {{"bob", {"shop", "club"}}};
  EXPECT_EQ(enter(*auth(), basic("bob", "b:o b")).groups, (Auth::Groups{"club", "shop"}));
  EXPECT_FALSE(enter(*auth(), basic("alice", "open sesame")).groups);
  EXPECT_FALSE(enter(*auth(), std::string("Bearer ") + kToken).groups);
  settings_.tokens[0].groups = {"shop"};
  EXPECT_EQ(enter(*auth(), std::string("Bearer ") + kToken).groups, Auth::Groups{"shop"});
}

TEST_F(Login, WithoutUsersAndTokensEverybodyMayDoEverything) {
  EXPECT_EQ(enter(**Auth::make({}), "").right, Right::operate);
}

TEST_F(Login, WeakOrMissingTokensAreSaidAtTheStartButNeverShown) {
  std::ofstream(file_) << "geheim";
  const auto made = Auth::make(settings_);
  ASSERT_FALSE(made);
  EXPECT_THAT(made.error(), HasSubstr("16 characters"));
  EXPECT_THAT(made.error(), Not(HasSubstr("geheim")));
  std::filesystem::remove(file_);
  EXPECT_FALSE(Auth::make(settings_));
}

TEST_F(Login, WhoIsNotKnownTakesAsLongAsWhoIs) {
  settings_.file.users = {{"alice", hash_of("open sesame", "09")}};
  const auto door = auth();
  const auto time = [&](const std::string& authorization) {
    const auto begin = std::chrono::steady_clock::now();
    EXPECT_FALSE(enter(*door, authorization).right);
    return std::chrono::steady_clock::now() - begin;
  };
  // A tenth is enough to tell a hash from none, whatever else the machine does.
  EXPECT_GT(time(basic("mallory", "x")) * 10, time(basic("alice", "x")));
}

TEST_F(Login, WhoHasAWeakHashTakesAsLongAsWhoHasAStrongOne) {
  settings_.file.users = {{"alice", hash_of("open sesame", "05")},
                          {"bob", hash_of("open sesame", "10")}};
  const auto door = auth();
  const auto time = [&](const std::string& authorization) {
    const auto begin = std::chrono::steady_clock::now();
    EXPECT_FALSE(door->attempt(authorization).is_right);
    return std::chrono::steady_clock::now() - begin;
  };
  // The hashes are a factor of 32 apart.
  for (const auto* user : {"alice", "mallory"})
    EXPECT_GT(time(basic(user, "x")) * 8, time(basic("bob", "x"))) << user;
}

TEST_F(Login, RightPasswordsAreTriedOnceAndWrongOnesEveryTime) {
  const auto door = auth();
  EXPECT_EQ(door->untried(basic("alice", "open sesame")), "alice");
  EXPECT_TRUE(door->judge(basic("alice", "open sesame")).is_untried);
  EXPECT_TRUE(door->attempt(basic("alice", "open sesame")).is_right);
  EXPECT_EQ(door->untried(basic("alice", "open sesame")), std::nullopt);
  EXPECT_EQ(door->judge(basic("alice", "open sesame")).right, Right::operate);
  for (int i = 0; i < 2; ++i) {
    EXPECT_EQ(door->untried(basic("alice", "x")), "alice");
    EXPECT_FALSE(door->attempt(basic("alice", "x")).is_right);
  }
  EXPECT_EQ(door->untried(basic("mallory", "x")), "mallory") << "as if known";
  for (const auto& free : {std::string("Bearer x"), std::string(), std::string("Basic !")})
    EXPECT_EQ(door->untried(free), std::nullopt) << "costs nothing";
}

TEST_F(Login, AnAttemptHoldsForTheVeryCredentialsThatWereTried) {
  const auto door = auth();
  const auto wrong = door->attempt(basic("alice", "x"));
  EXPECT_FALSE(door->judge(basic("alice", "x"), wrong).is_untried);
  const auto other = door->judge(basic("alice", "y"), wrong);
  EXPECT_TRUE(other.is_untried);
  EXPECT_FALSE(other.right);
  const web::Attempt forged{.authorization = basic("alice", "y"), .is_right = true};
  EXPECT_FALSE(door->judge(basic("alice", "y"), forged).right) << "it would be remembered";
}

TEST_F(Login, AReloadKeepsThosePasswordsOfWhichNothingHasChanged) {
  const auto door = auth();
  EXPECT_TRUE(door->attempt(basic("alice", "open sesame")).is_right);
  EXPECT_TRUE(door->attempt(basic("bob", "b:o b")).is_right);
  settings_.file.users["bob"] = hash_of("another");
  const auto later = *Auth::make(settings_, door.get());
  EXPECT_EQ(later->judge(basic("alice", "open sesame")).right, Right::operate);
  EXPECT_FALSE(later->judge(basic("bob", "b:o b")).right);
  EXPECT_FALSE(later->attempt(basic("bob", "b:o b")).is_right);
  settings_.file.users.erase("alice");
  EXPECT_FALSE((*Auth::make(settings_, later.get()))->judge(basic("alice", "open sesame")).right);
}

// ---- as the routes have it

class Guarded : public Login {
 protected:
  web::Reply ask(const std::string& method, const std::string& path,
                 const std::string& authorization = "",
                 std::map<std::string, std::string> headers = {}, const std::string& body = "",
                 const std::map<std::string, std::string>& query = {}) {
    const auto door = auth();
    web::Guard guard{.hosts = {"danelaw.test"},
                     .auth = door,
                     .badges = {"example.test", "other.test"},
                     .headers = {{"Strict-Transport-Security", "max-age=1"}}};
    headers.insert({{"host", "danelaw.test"}, {"content-type", "application/json"}});
    if (!authorization.empty()) headers["authorization"] = authorization;
    return web::Api(service_.backend(), guard)
        .answer({.method = method,
                 .path = path,
                 .query = query,
                 .headers = headers,
                 .body = body,
                 .attempt = door->attempt(authorization)});
  }
  support::Service service_;
  const std::string alice_ = basic("alice", "open sesame");
  const std::string bob_ = basic("bob", "b:o b");
};

TEST_F(Guarded, AnActIsPutDownToTheLoginWhateverTheBodySays) {
  settings_.tokens[0].right = Right::operate;
  const std::string bearer = std::string("Bearer ") + kToken;
  EXPECT_EQ(ask("POST", "/api/v1/alerts/f-1/ack", alice_, {},
                R"({"by":"Mallory the CEO","comment":"on it"})")
                .status,
            204);
  ASSERT_TRUE(service_.actions.acknowledged);
  EXPECT_EQ(service_.actions.acknowledged->by, "alice");
  EXPECT_EQ(ask("POST", "/api/v1/silences", bearer, {},
                R"({"created_by":"Mallory","ends_at":"2027-01-15T09:00:00Z",)"
                R"("matchers":[{"name":"mx","value":"mx.example.test"}]})")
                .status,
            201);
  ASSERT_EQ(service_.actions.silences.size(), 1U);
  EXPECT_EQ(service_.actions.silences[0].created_by, "scraper");
  EXPECT_EQ(
      ask("POST", "/api/v1/domains/example.test/check", alice_, {}, "", {{"by", "Mallory"}}).status,
      202);
  const auto list = nlohmann::json::parse(ask("GET", "/api/v1/acts", bob_).body)["items"];
  ASSERT_EQ(list.size(), 3U);
  EXPECT_EQ(list[0]["by"], "alice");
  EXPECT_EQ(list[0]["act"], "check");
  EXPECT_EQ(list[1]["by"], "scraper");
  EXPECT_EQ(list[1]["login"], "token");
  EXPECT_EQ(list[2]["by"], "alice");
  EXPECT_EQ(list[2]["login"], "user");
  EXPECT_EQ(list[2]["comment"], "on it");
}

TEST_F(Guarded, EverybodyIsToldWhoTheyAreAndWhatTheyMayDo) {
  const auto told = [&](const std::string& authorization) {
    return nlohmann::json::parse(ask("GET", "/api/v1/whoami", authorization).body);
  };
  EXPECT_EQ(
      told(alice_),
      nlohmann::json::parse(R"({"name":"alice","right":"operate","login":"user","groups":null})"));
  EXPECT_EQ(told(bob_),
            nlohmann::json::parse(R"({"name":"bob","right":"read","login":"user","groups":null})"));
  EXPECT_EQ(
      told(std::string("Bearer ") + kToken),
      nlohmann::json::parse(R"({"name":"scraper","right":"read","login":"token","groups":null})"));
  EXPECT_EQ(ask("GET", "/api/v1/whoami").status, 401);
}

TEST_F(Guarded, OnlyHealthReadinessAndPublicBadgesAreOpen) {
  for (const auto* path : {"/-/healthy", "/-/ready", "/api/v1/domains/example.test/badge.svg",
                           "/api/v1/domains/example.test/badge.json"})
    EXPECT_EQ(ask("GET", path).status, 200) << path;
  for (const auto* path : {"/", "/metrics", "/api/v1/status", "/api/v1/events", "/assets/app.js",
                           "/nothing", "/findings/tlsa-mismatch", "/api/v1/domains/example.test"}) {
    const auto reply = ask("GET", path);
    EXPECT_EQ(reply.status, 401) << path;
    EXPECT_THAT(reply.headers.at("WWW-Authenticate"), HasSubstr("Basic"));
    EXPECT_EQ(ask("GET", path, basic("bob", "x")).status, 401) << path;
    EXPECT_NE(ask("GET", path, bob_).status, 401) << path;
  }
  EXPECT_EQ(ask("PUT", "/").status, 401);
  EXPECT_EQ(ask("GET", "/").headers.at("Strict-Transport-Security"), "max-age=1");
}

TEST_F(Guarded, ThePublicPageHasTheOperatorsOwnWords) {
  const web::Guard guard{.hosts = {"danelaw.test"},
                         .auth = auth(),
                         .badges = {"example.test"},
                         .public_title = "Mail at <Example>",
                         .public_text = "Ask us & them"};
  const auto page =
      web::Api(service_.backend(), guard)
          .answer({.method = "GET", .path = "/public", .headers = {{"host", "danelaw.test"}}});
  EXPECT_THAT(page.body, HasSubstr("<title>Mail at &lt;Example&gt;</title>"));
  EXPECT_THAT(page.body, HasSubstr("<h1>Mail at &lt;Example&gt;</h1>\n<p>Ask us &amp; them</p>"));
}

TEST_F(Guarded, FeedsAreReadWithATokenInTheirAddress) {
  const std::map<std::string, std::string> token{{"token", kToken}};
  const auto get = [&](const std::string& path, const std::map<std::string, std::string>& query) {
    return ask("GET", path, "", {}, "", query);
  };
  const auto calendar = get("/feeds/deadlines.ics", token);
  EXPECT_EQ(calendar.status, 200);
  EXPECT_THAT(calendar.body, testing::StartsWith("BEGIN:VCALENDAR\r\n"));
  EXPECT_EQ(get("/api/v1/deadlines.ics", token).body, calendar.body) << "the same in the API";
  EXPECT_EQ(get("/api/v1/deadlines.ics", {}).status, 401);
  EXPECT_EQ(get("/api/v1/deadlines", token).status, 401);
  EXPECT_THAT(get("/feeds/alerts.atom", token).body, HasSubstr("<feed xmlns="));
  EXPECT_THAT(get("/feeds/changes.atom", token).body, HasSubstr("<feed xmlns="));
  EXPECT_EQ(get("/feeds/changes.atom", {}).status, 401);
  EXPECT_EQ(ask("GET", "/feeds/alerts.atom", bob_).status, 200);
  EXPECT_EQ(get("/feeds/alerts.atom", {}).status, 401);
  EXPECT_EQ(get("/feeds/alerts.atom", {{"token", "0123456789abcdef"}}).status, 401);
  EXPECT_EQ(get("/api/v1/status", token).status, 401) << "nowhere else";
  settings_.tokens[0].right = Right::operate;
  EXPECT_EQ(get("/feeds/alerts.atom", token).status, 401) << "addresses are logged and passed on";
}

TEST_F(Guarded, ThePublicPageShowsTheDomainsWithBadgesAndNoOthers) {
  const auto page = ask("GET", "/public");
  EXPECT_EQ(page.status, 200);
  EXPECT_EQ(page.headers.at("Cache-Control"), "max-age=60");
  EXPECT_THAT(page.body, HasSubstr("Mail does not arrive at 1 of 1 domains."));
  EXPECT_THAT(page.body, HasSubstr("<article><h2>example.test</h2>"));
  EXPECT_THAT(page.body, HasSubstr("✗ mail does not arrive</span>, since"));
  EXPECT_THAT(page.body, Not(HasSubstr("new.test")));
  EXPECT_THAT(page.body, HasSubstr("since <time datetime=\"2027-01-15T08:00:00Z\">"));
  EXPECT_THAT(page.body, HasSubstr("<li>example.test: mail did not arrive, <time"));
  EXPECT_THAT(page.body, HasSubstr("<title>2027-01-15: mail did not arrive</title>"));
  EXPECT_THAT(page.body,
              HasSubstr("authenticated 0.00 % since <time datetime=\"2027-01-15T08:00:00Z\">"));
  EXPECT_THAT(page.body, HasSubstr("<noscript><meta http-equiv=\"refresh\" content=\"60\">"));
  for (const auto* name : {"app.css", "public.css", "public.js"}) {
    const auto* asset = web::page_asset(name);
    ASSERT_NE(asset, nullptr);
    EXPECT_THAT(page.body, HasSubstr("\"assets/" + asset->lasting_name + "\""));
    const auto reply = ask("GET", "/assets/" + asset->lasting_name);
    EXPECT_EQ(reply.status, 200) << asset->lasting_name << ", which it needs";
    EXPECT_THAT(reply.headers.at("Cache-Control"), HasSubstr("immutable"));
  }
  EXPECT_EQ(ask("GET", "/assets/" + web::page_asset("app.js")->lasting_name).status, 401);
  const auto items = nlohmann::json::parse(ask("GET", "/public.json").body)["items"];
  ASSERT_EQ(items.size(), 1U);
  EXPECT_EQ(items[0]["domain"], "example.test");
  EXPECT_EQ(items[0]["verdict"], "deferred");
  EXPECT_EQ(items[0]["since"], "2027-01-15T08:00:00Z");
  EXPECT_EQ(items[0]["days"].size(), 90U);
  EXPECT_EQ(ask("POST", "/public").status, 401);

  const web::Api without(service_.backend(), {.hosts = {"danelaw.test"}, .auth = auth()});
  for (const auto* path : {"/public", "/public.json", "/assets/app.css"})
    EXPECT_EQ(without.answer({.method = "GET", .path = path, .headers = {{"host", "danelaw.test"}}})
                  .status,
              401)
        << path;
}

TEST_F(Guarded, WhoTriesWhatTheyMayNotIsListedOnceAnHour) {
  const auto door = auth();
  const web::Api api(service_.backend(), {.hosts = {"danelaw.test"}, .auth = door});
  const auto ask_api = [&](const std::string& method, const std::string& path) {
    return api.answer({.method = method,
                       .path = path,
                       .headers = {{"host", "danelaw.test"},
                                   {"content-type", "application/json"},
                                   {"authorization", bob_}},
                       .attempt = door->attempt(bob_)});
  };
  const auto list = [&] {
    return nlohmann::json::parse(ask_api("GET", "/api/v1/acts").body)["items"];
  };
  for (int i = 0; i < 3; ++i) {
    EXPECT_EQ(ask_api("POST", "/api/v1/alerts/f-1/ack").status, 403);
    EXPECT_EQ(ask_api("POST", "/api/v1/checks").status, 403);
    EXPECT_EQ(ask_api("POST", "/api/v1/silences/preview").status, 403);
  }
  ASSERT_EQ(list().size(), 2U);
  const auto refused = list()[1];
  EXPECT_EQ(refused["by"], "bob");
  EXPECT_EQ(refused["act"], "acknowledge");
  EXPECT_EQ(refused["subject"]["name"], "f-1");
  EXPECT_THAT(refused["fault"].get<std::string>(), HasSubstr("you may read"));
  service_.snapshot.now += std::chrono::hours{1};
  EXPECT_EQ(ask_api("DELETE", "/api/v1/alerts/f-1/ack").status, 403);
  EXPECT_EQ(ask_api("POST", "/api/v1/checks").status, 403);
  EXPECT_EQ(list().size(), 4U);
}

TEST_F(Guarded, WhoMayLookMayNotChange) {
  for (const auto* path : {"/-/reload", "/api/v1/domains/example.test/check",
                           "/api/v1/alerts/f-1/ack", "/api/v1/domains/example.test/exception"}) {
    EXPECT_EQ(ask("POST", path).status, 401) << path;
    EXPECT_EQ(ask("POST", path, bob_).status, 403) << path;
    EXPECT_EQ(ask("POST", path, std::string("Bearer ") + kToken).status, 403) << path;
    EXPECT_EQ(ask("POST", path, alice_, {{"sec-fetch-site", "cross-site"}}).status, 403) << path;
  }
  EXPECT_EQ(ask("DELETE", "/api/v1/silences/s-1", bob_).status, 403);
  EXPECT_EQ(service_.reloads, 0);
  EXPECT_TRUE(service_.checked.empty());
  EXPECT_EQ(ask("POST", "/-/reload", alice_).status, 200);
  EXPECT_EQ(ask("POST", "/api/v1/domains/example.test/check", alice_).status, 202);
}

TEST_F(Guarded, EveryRouteIsForThoseWhomTheTableNames) {
  using Who = web::Api::Who;
  for (const auto& route : web::Api::routes()) {
    auto path = std::string(route.pattern);
    if (const auto open = path.find('{'); open != std::string::npos)
      path.replace(open, path.find('}') - open + 1, "example.test");
    const auto status = [&](const std::string& authorization) {
      return ask(std::string(route.method), path, authorization).status;
    };
    SCOPED_TRACE(std::string(route.method) + " " + path);
    const bool is_open = route.who == Who::everybody || route.who == Who::everybody_with_badges;
    EXPECT_EQ(status("") != 401, is_open);
    const bool is_change = route.who == Who::operators || route.who == Who::reporters;
    EXPECT_EQ(status(bob_) == 403, is_change) << "who may only read";
    EXPECT_NE(status(alice_), 401);
    EXPECT_NE(status(alice_), 403);
    EXPECT_EQ(is_change, route.method != "GET") << "changes are for operators";
  }
}

TEST_F(Guarded, WhoMayHandInReportsMayDoNothingElse) {
  settings_.tokens[0].right = Right::report;
  const std::string bearer = std::string("Bearer ") + kToken;
  using Who = web::Api::Who;
  for (const auto& route : web::Api::routes()) {
    auto path = std::string(route.pattern);
    if (const auto open = path.find('{'); open != std::string::npos)
      path.replace(open, path.find('}') - open + 1, "example.test");
    SCOPED_TRACE(std::string(route.method) + " " + path);
    const bool is_open = route.who == Who::everybody || route.who == Who::everybody_with_badges;
    const auto status = ask(std::string(route.method), path, bearer).status;
    EXPECT_EQ(status != 403, is_open || route.who == Who::reporters);
    EXPECT_NE(status, 401);
  }
}

TEST_F(Guarded, NoReplyHoldsASecret) {
  for (const auto* path : {"/metrics", "/api/v1/status", "/api/v1/domains", "/"}) {
    const auto body = ask("GET", path, alice_).body;
    for (const auto& secret : {std::string(kToken), settings_.file.users["alice"],
                               std::string("open sesame"), std::string("alice")})
      EXPECT_THAT(body, Not(HasSubstr(secret))) << path;
  }
}

TEST_F(Guarded, OfOtherBadgesNobodySeesWhetherTheyAreThere) {
  const auto unlisted = ask("GET", "/api/v1/domains/new.test/badge.svg");
  EXPECT_EQ(unlisted.status, 404);
  EXPECT_EQ(ask("GET", "/api/v1/domains/nowhere.test/badge.svg").body, unlisted.body);
  EXPECT_EQ(ask("GET", "/api/v1/domains/other.test/badge.svg").body, unlisted.body)
      << "listed, but not watched";
  EXPECT_EQ(ask("GET", "/api/v1/domains/new.test/badge.json", alice_).status, 404);
  EXPECT_EQ(ask("POST", "/api/v1/domains/example.test/badge.svg").status, 401);
}

TEST_F(Guarded, BadgesSayTheVerdictInWordAndColour) {
  const auto picture = ask("GET", "/api/v1/domains/example.test/badge.svg");
  EXPECT_EQ(picture.content_type, "image/svg+xml");
  EXPECT_EQ(picture.headers.at("Cache-Control"), "max-age=60");
  EXPECT_EQ(picture.headers.at("Cross-Origin-Resource-Policy"), "cross-origin");
  EXPECT_THAT(picture.body, HasSubstr("aria-label=\"DANE: deferred\""));
  EXPECT_THAT(picture.body, HasSubstr("#b42318"));
  const auto shield =
      nlohmann::json::parse(ask("GET", "/api/v1/domains/example.test/badge.json").body);
  EXPECT_EQ(shield, nlohmann::json({{"schemaVersion", 1},
                                    {"label", "DANE"},
                                    {"message", "deferred"},
                                    {"color", "#b42318"},
                                    {"cacheSeconds", 60}}));
}

TEST_F(Guarded, AddressesAreNamesOnlyWhereAllAreListenedOn) {
  const auto status = [this](const std::string& host, bool any) {
    web::Guard guard{.hosts = {"localhost"}, .takes_any_address = any};
    return web::Api(service_.backend(), guard)
        .answer({.method = "GET", .path = "/-/healthy", .headers = {{"host", host}}})
        .status;
  };
  for (const auto* address : {"192.0.2.1", "192.0.2.1:9672", "[2001:db8::1]:9672"}) {
    EXPECT_EQ(status(address, true), 200) << address;
    EXPECT_EQ(status(address, false), 421) << address;
  }
  for (const auto* name : {"evil.test", "192.0.2.1.evil.test", "", "1.2.3.4x"})
    EXPECT_EQ(status(name, true), 421) << name;
}

TEST_F(Guarded, PagesOfOtherSitesTakeNoPlaceOfAStream) {
  EXPECT_EQ(ask("GET", "/api/v1/events", bob_, {{"sec-fetch-site", "cross-site"}}).status, 403);
  EXPECT_EQ(ask("GET", "/api/v1/events", bob_, {{"sec-fetch-site", "same-origin"}}).status, 200);
}

}  // namespace
