#include <filesystem>
#include <fstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>
#include <unistd.h>

#include "tests/unit/web/service.h"
#include "web/routes/api.h"
#include "web/routes/digest_sources.h"
#include "web/routes/theirs.h"

// What those get who see and operate only what belongs to the domains of some groups. The shop has
// own.test and near.test, the club foreign.test and far.test; mx.shared.test is used by both, and
// refused there.
namespace {

using nlohmann::json;
using probes::Code;
using probes::Severity;
using probes::Subject;
using support::alert;
using support::kMinute;
using support::kNow;
using support::Scene;
using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using testing::SizeIs;
using web::Reply;

using Asked = std::map<std::string, std::string>;

// A domain with a host of its own and the shared one.
Scene scene_of(const std::string& domain) {
  Scene out;
  out.domain.domain = support::name(domain);
  out.domain.mx = support::answer(domain, probes::dns::type::mx, {});
  out.domain.hosts.clear();
  out.hosts.clear();
  out.add_host("mx." + domain, 10);
  auto& shared = out.add_host("mx.shared.test", 20);
  for (auto& session : shared.sessions)
    session.tls->chain = {support::Pki::get().old_leaf.certificate,
                          support::Pki::get().inter.certificate};
  return out;
}

agent::DomainState state_of(const Scene& scene, const std::string& group) {
  auto out = support::domain_state(scene);
  out.configured.change().group = group;
  return out;
}

agent::Hit hit_of(Subject::Kind kind, const std::string& name, std::vector<std::string> domains) {
  return {.subject = {.kind = kind, .name = name},
          .domains = std::move(domains),
          .severity = Severity::high};
}

agent::Alert alert_of(const std::string& id, std::vector<agent::Hit> hits,
                      agent::AlertState state = agent::AlertState::firing) {
  auto out = alert(id, state);
  out.finding.subject = out.cause = hits.front().subject;
  std::set<std::string> domains;
  for (const auto& hit : hits) domains.insert(hit.domains.begin(), hit.domains.end());
  out.domains = {domains.begin(), domains.end()};
  out.hits = std::move(hits);
  return out;
}

agent::Silence silence_of(const std::string& id, std::vector<agent::Matcher> matchers) {
  return {.id = id,
          .matchers = std::move(matchers),
          .starts_at = kNow,
          .ends_at = kNow + 60 * kMinute,
          .created_by = "root",
          .comment = id == "s-own" ? "known" : "known of foreign.test"};
}

class Groups : public testing::Test {
 protected:
  Groups() {
    std::filesystem::create_directories(folder_);
    config::Web settings;
    for (const std::string who : {"everything", "shop", "reader", "both"}) {
      std::ofstream(folder_ / who) << who << "0123456789abcdef\n";
      settings.tokens.push_back(
          {.name = who,
           .file = folder_ / who,
           .right = who == "reader" ? config::Right::read : config::Right::operate});
    }
    settings.tokens[1].groups = settings.tokens[2].groups = {"shop"};
    settings.tokens[3].groups = {"a|b", "shop"};
    auto auth = web::Auth::make(settings);
    EXPECT_TRUE(auth) << auth.error();
    guard_ = {.hosts = {"danelaw.test"}, .auth = *auth};
    watch();
    open_alerts();
    put_people();
    remember();
  }
  ~Groups() override { std::filesystem::remove_all(folder_); }

  void watch() {
    auto& snapshot = service_.snapshot;
    snapshot.domains = {
        state_of(own_, "shop"),
        state_of(foreign_, "club"),
        {.configured = config::Domain{.name = "near.test", .group = "shop"}, .next_check_at = kNow},
        {.configured =
             config::Domain{.name = "far.test", .role = config::Role::outbound, .group = "club"},
         .next_check_at = kNow}};
    snapshot.hosts = {};
    snapshot.rollovers = {};
    std::map<probes::dns::Name, probes::HostSeen> hosts;
    for (const auto* scene : {&own_, &foreign_}) {
      for (const auto& [name, seen] : scene->hosts)
        hosts[seen.host] = std::make_shared<const probes::HostObservation>(seen);
    }
    for (const auto& [name, seen] : hosts) {
      snapshot.hosts.push_back({name, seen});
      const auto past = agent::completed({}, agent::sample_of(*seen));
      snapshot.rollovers.push_back(
          {.host = seen,
           .rollovers = std::make_shared<const agent::Rollovers>(agent::History{}),
           .rolling_since = kNow});
    }
    snapshot.vantage = {{.check = "smtp_ipv4",
                         .is_up = false,
                         .detail = "mx.foreign.test says no",
                         .checked_at = kNow}};
    snapshot.spared = {{.provider = "203.0.113.0/24", .until = kNow, .times = 1}};
  }

  void open_alerts() {
    auto zone = alert_of("a-zone", {hit_of(Subject::Kind::domain, "foreign.test", {"foreign.test"}),
                                    hit_of(Subject::Kind::domain, "own.test", {"own.test"})});
    zone.cause = {.kind = Subject::Kind::zone, .name = "test"};
    zone.finding.code = Code::dnssec_expired;
    zone.finding.evidence = {{.name = "domain", .value = "foreign.test"}};
    auto ours = alert("m-1", agent::AlertState::firing);
    ours.cause = ours.finding.subject = {.kind = Subject::Kind::monitor, .name = "smtp_ipv4"};
    ours.finding.code = Code::monitor_fault;
    ours.finding.evidence = {{.name = "detail", .value = "mx.foreign.test"}};
    ours.domains.clear();
    ours.hits = {{.subject = ours.cause}};
    using Kind = Subject::Kind;
    alerts_ = {
        alert_of("a-own", {hit_of(Kind::host, "mx.own.test", {"own.test"})}),
        alert_of("a-foreign", {hit_of(Kind::host, "mx.foreign.test", {"foreign.test"})}),
        alert_of("a-shared", {hit_of(Kind::host, "mx.shared.test", {"foreign.test", "own.test"})}),
        zone,
        ours,
        alert_of("r-own", {hit_of(Kind::host, "mx.own.test", {"own.test"})},
                 agent::AlertState::resolved),
        alert_of("r-shared", {hit_of(Kind::host, "mx.shared.test", {"foreign.test", "own.test"})},
                 agent::AlertState::resolved),
        alert_of("r-foreign", {hit_of(Kind::host, "mx.foreign.test", {"foreign.test"})},
                 agent::AlertState::resolved)};
    service_.snapshot.alerts = {};
    for (const auto& one : alerts_) {
      if (one.state == agent::AlertState::firing) service_.snapshot.alerts.push_back(one);
    }
  }

  void put_people() {
    service_.snapshot.silences = {
        silence_of("s-own", {{.name = "domain", .value = "own.test"}}),
        silence_of("s-foreign", {{.name = "domain", .value = "foreign.test"}}),
        silence_of("s-all", {{.name = "severity", .value = "critical"},
                             {.name = "domain", .value = "foreign.test", .is_equal = false}}),
        silence_of("s-host", {{.name = "mx", .value = "mx.foreign.test"}})};
    service_.snapshot.exceptions = {
        {.domain = "far.test", .level = "encrypt", .made_at = kNow, .until = kNow + kMinute}};
    const auto& pki = support::Pki::get();
    agent::Snapshot::Shown shown;
    for (const auto& names : std::vector<std::vector<std::string>>{
             {"mx.own.test", "foreign.test"}, {"mx.own.test"}, {"foreign.test"}}) {
      const auto leaf = support::issue({.common_name = names[0], .dns_names = names},
                                       support::Key::ecdsa(), pki.inter);
      shown.certificates.push_back(
          *agent::announce({leaf.certificate, pki.inter.certificate}, "root", kNow));
    }
    service_.snapshot.announced = std::make_shared<const agent::Snapshot::Shown>(shown);
  }

  // The same, recorded.
  void remember() {
    service_.store.keep_only(
        {{.name = "own.test", .group = "shop"},
         {.name = "foreign.test", .group = "club"},
         {.name = "near.test", .group = "shop"},
         {.name = "far.test", .role = config::Role::outbound, .group = "club"}});
    auto round = support::domain_round(own_);
    round.judged = {service_.snapshot.domains[0]};
    round.alerts = alerts_;
    for (const auto& one : alerts_) {
      round.transitions.push_back({.what = agent::Transition::What::opened, .alert_id = one.id});
      for (const auto& name : {"mx.own.test", "mx.foreign.test", "mx.shared.test"}) {
        const auto& scene = own_.hosts.contains(name) ? own_ : foreign_;
        round.evidence.push_back(
            {.alert_id = one.id,
             .at = kNow + static_cast<int>(round.evidence.size()) * kMinute,
             .body = probes::encode(
                 {.host = std::make_shared<const probes::HostObservation>(scene.hosts.at(name)),
                  .agent = "mon1"})});
      }
    }
    service_.store.record(round);
    auto other = support::domain_round(foreign_);
    other.judged = {service_.snapshot.domains[1]};
    service_.store.record(other);
    for (const auto& [domain, subject] :
         std::vector<std::pair<std::string, std::string>>{{"domain", "foreign.test"},
                                                          {"domain", "own.test"},
                                                          {"alert", "a-foreign"},
                                                          {"alert", "r-shared"},
                                                          {"silence", "s-foreign"},
                                                          {"agent", ""}}) {
      EXPECT_TRUE(service_.acts->record(
          {.at = kNow,
           .by = "root",
           .login = "user",
           .what = "check",
           .subject_kind = domain,
           .subject = subject,
           .comment = subject == "own.test" ? "as they wished" : "as foreign.test wished"}));
    }
    agent::DeliveryBook book;
    for (const auto* domain : {"foreign.test", "own.test", "stranger.test"})
      book.take(
          probes::reports::Delivery{
              .at = kNow, .queue_id = domain, .domain = domain, .host = "mx.shared.test"},
          kNow, [](const auto&) { return std::nullopt; });
    EXPECT_TRUE(service_.deliveries->save(book.take_changes(), "", "", ""));
    service_.postfix = std::make_unique<agent::PostfixWatch>(
        *service_.deliveries,
        agent::PostfixWatch::World{.now = [] { return kNow; },
                                   .judged = [](std::string_view) { return nullptr; },
                                   .exceptions = [this] { return service_.snapshot.exceptions; },
                                   .report = [](const std::string&, bool) {}});
  }

  Reply ask(const std::string& who, const std::string& path, Asked query = {},
            const std::string& method = "GET", const std::string& body = "",
            const std::string& type = "application/json") {
    const web::Api api{service_.backend(), guard_};
    return api.answer({.method = method,
                       .path = path,
                       .query = std::move(query),
                       .headers = {{"host", "danelaw.test"},
                                   {"content-type", type},
                                   {"authorization", "Bearer " + who + "0123456789abcdef"}},
                       .body = body});
  }
  json got(const std::string& who, const std::string& path, Asked query = {}) {
    const auto reply = ask(who, path, std::move(query));
    EXPECT_EQ(reply.status, 200) << path << " " << reply.body;
    return json::parse(reply.body);
  }
  int posted(const std::string& path, const std::string& body = "{}",
             const std::string& method = "POST") {
    return ask("shop", path, {}, method, body).status;
  }

  std::filesystem::path folder_ =
      std::filesystem::temp_directory_path() / ("danelaw-groups-" + std::to_string(getpid()));
  Scene own_ = scene_of("own.test"), foreign_ = scene_of("foreign.test");
  std::vector<agent::Alert> alerts_;
  support::Service service_;
  web::Guard guard_;
};

std::string with_name(std::string_view pattern, const std::string& name) {
  std::string path(pattern);
  if (const auto open = path.find('{'); open != std::string::npos)
    path.replace(open, path.find('}') - open + 1, name);
  return path;
}

std::string replaced(std::string text, const std::string& what, const std::string& with) {
  for (auto at = text.find(what); at != std::string::npos; at = text.find(what, at + with.size()))
    text.replace(at, what.size(), with);
  return text;
}

bool names_others(const std::string& text) {
  return text.find("foreign.") != std::string::npos || text.find("far.test") != std::string::npos ||
         text.find("club") != std::string::npos || text.find("203.0.113") != std::string::npos;
}

// ---- every route

TEST_F(Groups, NoRouteNamesWhatIsNotTheirs) {
  for (const auto& route : web::Api::routes()) {
    if (route.method != "GET" || route.reach == web::Api::Reach::whole) continue;
    for (const std::string name :
         {"own.test", "near.test", "mx.own.test", "mx.shared.test", "a-own", "a-shared", "a-zone",
          "m-1", "r-own", "r-shared", "tlsa-mismatch"}) {
      const auto path = with_name(route.pattern, name);
      std::vector<Asked> queries{{}};
      for (const auto& parameter : route.parameters) {
        if (parameter == "format") {
          queries.push_back({{"format", "csv"}});
          if (path == "/api/v1/report") queries.push_back({{"format", "html"}});
        }
        if (parameter == "group_by") queries.push_back({{"group_by", "cause"}});
        if (parameter == "from") queries.push_back({{"from", "2027-01-01T00:00:00Z"}});
      }
      for (const auto& query : queries) {
        const auto reply = ask("reader", path, query);
        EXPECT_FALSE(names_others(reply.body)) << path << "\n" << reply.body;
      }
      if (path == route.pattern) break;
    }
  }
}

// A certificate for hosts of both that somebody else showed.
TEST_F(Groups, WhatIsFoundOfACertificateNamesNothingThatIsNotTheirs) {
  const probes::Finding found{
      .code = Code::next_key_unpublished,
      .severity = Severity::high,
      .subject = {.kind = Subject::Kind::host, .name = "mx.own.test"},
      .evidence = {{.name = "names",
                    .value = "mx.own.test, foreign.test, *.foreign.test, www.foreign.test …"},
                   {.name = "names", .value = "foreign.test"},
                   {.name = "issuer", .value = "CN=*.foreign.test"},
                   {.name = "because", .value = "as mx.foreign.test has it"}}};
  auto alert = alert_of("a-key", {hit_of(Subject::Kind::host, "mx.own.test", {"own.test"})});
  alert.finding = found;
  service_.snapshot.alerts.push_back(alert);
  agent::DomainList domains;
  for (auto state : service_.snapshot.domains) {
    if (state.configured->name == "own.test") {
      auto judged = *state.judged;
      judged.findings.push_back(found);
      for (std::size_t i = 0; i < judged.hosts.size(); ++i)
        judged.hosts.change(i).findings.push_back(found);
      state.judged = std::make_shared<const probes::DomainJudgement>(judged);
    }
    domains.push_back(state);
  }
  service_.snapshot.domains = domains;
  for (const auto* path : {"/api/v1/findings", "/api/v1/domains/own.test", "/api/v1/mx/mx.own.test",
                           "/api/v1/alerts", "/api/v1/domains", "/api/v1/alerts/a-key"}) {
    const auto reply = ask("shop", path);
    EXPECT_FALSE(names_others(reply.body)) << path << "\n" << reply.body;
  }
  EXPECT_THAT(ask("everything", "/api/v1/findings").body, HasSubstr("CN=*.foreign.test"));
  EXPECT_THAT(ask("shop", "/api/v1/findings").body,
              AllOf(HasSubstr(R"x("names":["mx.own.test","(not yours)"])x"),
                    HasSubstr("CN=*.(not yours)")));

  // As it was recorded, before the first look after a start.
  auto round = support::domain_round(own_, kNow + kMinute);
  round.judged = {service_.snapshot.domains[0]};
  service_.store.record(round);
  agent::DomainList unseen;
  for (auto state : service_.snapshot.domains) {
    state.judged = nullptr;
    unseen.push_back(state);
  }
  service_.snapshot.domains = unseen;
  const std::string path = "/api/v1/domains/own.test";
  EXPECT_THAT(ask("everything", path).body, HasSubstr("CN=*.foreign.test"));
  EXPECT_THAT(ask("shop", path).body, HasSubstr("CN=*.(not yours)"));
  EXPECT_FALSE(names_others(ask("shop", path).body));
}

// What they may not see is answered as what is not there.
TEST_F(Groups, WhatIsNotTheirsIsAsIfItWereNotThere) {
  const std::pair<std::string, std::string> twins[] = {{"foreign.test", "nothing.test"},
                                                       {"far.test", "not.test"},
                                                       {"mx.foreign.test", "mx.nothing.test"},
                                                       {"a-foreign", "a-nothing"},
                                                       {"r-foreign", "r-nothing"}};
  for (const auto& route : web::Api::routes()) {
    if (route.reach == web::Api::Reach::whole) continue;
    if (route.pattern.find('{') == std::string_view::npos) continue;
    for (const auto& [there, nowhere] : twins) {
      const auto asked = [&](const std::string& name) {
        return ask("shop", with_name(route.pattern, name), {}, std::string(route.method),
                   route.method == "POST" ? "{}" : "");
      };
      const auto one = asked(there), other = asked(nowhere);
      EXPECT_EQ(one.status, other.status) << route.method << route.pattern;
      EXPECT_EQ(replaced(one.body, there, nowhere), other.body) << route.method << route.pattern;
      EXPECT_EQ(one.headers, other.headers) << route.method << route.pattern;
    }
  }
}

TEST_F(Groups, NoQueryFindsWhatIsNotTheirs) {
  for (const auto& route : web::Api::routes()) {
    if (route.method != "GET" || route.reach != web::Api::Reach::narrowed) continue;
    for (const std::string parameter : {"q", "domain", "group", "mx", "by"}) {
      if (std::ranges::find(route.parameters, parameter) == route.parameters.end()) continue;
      for (const auto& [there, nowhere] :
           std::vector<std::pair<std::string, std::string>>{{"foreign.test", "nothing.test"},
                                                            {"club", "none"},
                                                            {"mx.foreign.test", "mx.n.test"}}) {
        const auto path = with_name(route.pattern, "own.test");
        EXPECT_EQ(ask("reader", path, {{parameter, there}}).body,
                  replaced(ask("reader", path, {{parameter, nowhere}}).body, nowhere, there))
            << path << "?" << parameter << "=" << there;
      }
    }
  }
}

// Else the tests above would hold for nothing.
TEST_F(Groups, WhoSeesEverythingSeesBoth) {
  for (const auto* path : {"/api/v1/status",
                           "/api/v1/domains",
                           "/api/v1/mx",
                           "/api/v1/findings",
                           "/api/v1/groups",
                           "/api/v1/history",
                           "/api/v1/deadlines",
                           "/api/v1/alerts",
                           "/api/v1/alerts/a-shared",
                           "/api/v1/alerts/a-zone",
                           "/api/v1/alerts/m-1",
                           "/api/v1/alerts/r-shared",
                           "/api/v1/mx/mx.shared.test",
                           "/api/v1/mx/mx.shared.test/deliveries",
                           "/api/v1/silences",
                           "/api/v1/exceptions",
                           "/api/v1/certificates",
                           "/api/v1/acts",
                           "/feeds/alerts.atom",
                           "/feeds/changes.atom",
                           "/feeds/deadlines.ics",
                           "/api/v1/deadlines.ics",
                           "/metrics"}) {
    const auto reply = ask("everything", path);
    EXPECT_EQ(reply.status, 200) << path << reply.body;
    EXPECT_TRUE(names_others(reply.body)) << path << "\n" << reply.body;
  }
  EXPECT_TRUE(
      names_others(ask("everything", "/api/v1/report", {{"from", "2027-01-01T00:00:00Z"}}).body));
}

TEST_F(Groups, WhatIsAboutEverythingIsRefused) {
  std::set<std::string> whole;
  for (const auto& route : web::Api::routes()) {
    if (route.reach != web::Api::Reach::whole) continue;
    whole.emplace(route.pattern);
    const auto reply =
        ask("shop", std::string(route.pattern), {}, std::string(route.method), "{}",
            route.content_types.empty() ? "application/json" : std::string(route.content_types[0]));
    EXPECT_EQ(reply.status, 403) << route.pattern;
  }
  EXPECT_THAT(whole, ElementsAre("/-/reload", "/api/v1/lists/{name}/accept",
                                 "/api/v1/notifiers/test", "/api/v1/tlsrpt", "/metrics"));
  EXPECT_EQ(service_.reloads, 0);
}

// ---- what is theirs

TEST_F(Groups, TheyAreToldWhoseTheyAre) {
  EXPECT_EQ(got("shop", "/api/v1/whoami")["groups"], json::parse(R"(["shop"])"));
  EXPECT_EQ(got("everything", "/api/v1/whoami")["groups"], nullptr);
}

TEST_F(Groups, CountsAreOfTheirs) {
  const auto status = got("shop", "/api/v1/status");
  EXPECT_EQ(status["config"]["domains"], 2);
  EXPECT_EQ(status["config"]["mx_hosts"], 2);
  EXPECT_EQ(status["open_alerts"], 4) << "with the agent's own fault";
  EXPECT_EQ(status["rollovers_under_way"], 2);
  EXPECT_EQ(status["vantage"][0]["detail"], "(not yours) says no");
  const auto host = got("shop", "/api/v1/mx/mx.shared.test");
  EXPECT_EQ(host["domains"], json::parse(R"(["own.test"])"));
  EXPECT_EQ(host["domains_count"], 1);
  EXPECT_EQ(got("shop", "/api/v1/domains")["total"], 2);
  EXPECT_EQ(got("shop", "/api/v1/mx")["total"], 2);
  EXPECT_EQ(got("shop", "/api/v1/groups")["items"].size(), 1U);
  EXPECT_EQ(got("everything", "/api/v1/status")["config"]["domains"], 4);
}

TEST_F(Groups, AnAlertThatHitsOthersTooIsToldAsTheirs) {
  const auto shared = got("shop", "/api/v1/alerts/a-shared");
  EXPECT_EQ(shared["domains"], json::parse(R"(["own.test"])"));
  EXPECT_EQ(shared["severity"], "high") << "as it was found for theirs";
  const auto zone = got("shop", "/api/v1/alerts/a-zone");
  EXPECT_EQ(zone["hits"].size(), 1U);
  EXPECT_EQ(zone["severity"], "high") << "of the worst hit of theirs";
  EXPECT_THAT(zone["title"].get<std::string>(), HasSubstr("own.test"));
}

TEST_F(Groups, EvidenceIsThatOfTheirHosts) {
  const auto bundle = got("shop", "/api/v1/alerts/a-shared/evidence");
  EXPECT_THAT(bundle["observations"], SizeIs(2));
  EXPECT_THAT(got("everything", "/api/v1/alerts/a-shared/evidence")["observations"], SizeIs(3));
}

TEST_F(Groups, ActsAreTheirsAndThoseAboutWhatIsTheirs) {
  EXPECT_EQ(posted("/api/v1/domains/foreign.test/check"), 404);
  std::vector<std::string> subjects;
  const auto list = got("shop", "/api/v1/acts");
  for (const auto& act : list["items"]) subjects.push_back(act["subject"]["name"]);
  EXPECT_THAT(subjects, ElementsAre("foreign.test", "r-shared", "own.test")) << "what they tried";
  EXPECT_EQ(list["items"][1]["comment"], "") << "it was said of others, too";
  EXPECT_EQ(list["items"][2]["comment"], "as they wished");
  const auto first = got("shop", "/api/v1/acts", {{"limit", "2"}});
  EXPECT_THAT(first["items"], SizeIs(2));
  const auto second = got("shop", "/api/v1/acts", {{"limit", "2"}, {"cursor", first["next"]}});
  EXPECT_THAT(second["items"], SizeIs(1));
  EXPECT_EQ(second["next"], nullptr);
}

// ---- acts

TEST_F(Groups, TheyDoWhatIsAboutTheirsAlone) {
  service_.actions.acknowledged.reset();
  EXPECT_EQ(posted("/api/v1/alerts/a-shared/ack"), 403);
  EXPECT_EQ(posted("/api/v1/alerts/m-1/ack"), 403);
  EXPECT_EQ(posted("/api/v1/alerts/a-foreign/ack"), 404);
  EXPECT_EQ(posted("/api/v1/alerts/a-shared/ack", "", "DELETE"), 403);
  EXPECT_FALSE(service_.actions.acknowledged);
  (void)posted("/api/v1/alerts/a-own/ack");
  EXPECT_TRUE(service_.actions.acknowledged);
  EXPECT_EQ(posted("/api/v1/domains/foreign.test/exception"), 404);
  EXPECT_EQ(posted("/api/v1/domains/far.test/exception", "", "DELETE"), 404);
  EXPECT_EQ(posted("/api/v1/domains/foreign.test/check"), 404);
  EXPECT_THAT(service_.checked, IsEmpty());
  EXPECT_EQ(ask("reader", "/api/v1/alerts/a-own/ack", {}, "POST", "{}").status, 403);
}

TEST_F(Groups, ASilenceIsBoundToTheirGroups) {
  const std::string by_host =
      R"({"matchers":[{"name":"mx","value":"mx.shared.test"}],"ends_at":"2027-01-15T09:00:00Z"})";
  EXPECT_EQ(posted("/api/v1/silences", by_host), 201);
  const auto& made = service_.actions.silences.back();
  ASSERT_THAT(made.matchers, SizeIs(2));
  EXPECT_EQ(made.matchers[1], (agent::Matcher{.name = "group", .value = "shop"}));
  EXPECT_EQ(ask("both", "/api/v1/silences", {}, "POST", by_host).status, 201);
  EXPECT_EQ(service_.actions.silences.back().matchers[1],
            (agent::Matcher{.name = "group", .value = "a\\|b|shop", .is_regex = true}));
  EXPECT_EQ(ask("everything", "/api/v1/silences", {}, "POST", by_host).status, 201);
  EXPECT_THAT(service_.actions.silences.back().matchers, SizeIs(1));
  const auto by_domain = replaced(replaced(by_host, "\"mx\"", "\"domain\""), "mx.shared", "own");
  EXPECT_EQ(posted("/api/v1/silences", by_domain), 201);
  EXPECT_THAT(service_.actions.silences.back().matchers, SizeIs(1)) << "bound already";
}

TEST_F(Groups, SilencesThatTouchTheirsAreShownAndOthersNot) {
  const auto items = got("shop", "/api/v1/silences")["items"];
  ASSERT_THAT(items, SizeIs(2));
  EXPECT_EQ(items[0]["id"], "s-own");
  EXPECT_EQ(items[1]["id"], "s-all");
  EXPECT_EQ(items[1]["comment"], "");
  EXPECT_EQ(items[1]["matchers"][1]["value"], "(not yours)");
  EXPECT_EQ(posted("/api/v1/silences/s-all", "", "DELETE"), 403);
  EXPECT_EQ(posted("/api/v1/silences/s-foreign", "", "DELETE"), 404);
}

TEST_F(Groups, ADomainIsAddedOnlyToAListOfTheirs) {
  auto backend = service_.backend();
  std::optional<std::set<std::string>> given;
  backend.watch = [&](const std::string&, const std::optional<std::string>&,
                      const std::optional<std::set<std::string>>& groups)
      -> config::Result<std::string, std::string> {
    given = groups;
    return std::string("shop.txt");
  };
  const web::Api api{backend, guard_};
  const auto watch = [&](const std::string& domain) {
    return api
        .answer({.method = "POST",
                 .path = "/api/v1/domains",
                 .headers = {{"host", "danelaw.test"},
                             {"content-type", "application/json"},
                             {"authorization", "Bearer shop0123456789abcdef"}},
                 .body = json({{"domain", domain}}).dump()})
        .status;
  };
  EXPECT_EQ(watch("foreign.test"), 409) << "one domain cannot be watched twice";
  EXPECT_FALSE(given);
  EXPECT_EQ(watch("fresh.test"), 201);
  EXPECT_EQ(given, (std::set<std::string>{"shop"}));
}

TEST_F(Groups, WhatSomebodyElseHadCheckedIsTheirs) {
  const auto begun = ask("everything", "/api/v1/checks", {}, "POST", R"({"domain":"x.test"})");
  ASSERT_EQ(begun.status, 202) << begun.body;
  const auto path = "/api/v1/checks/" + json::parse(begun.body)["id"].get<std::string>();
  EXPECT_EQ(ask("shop", path).status, 404);
  EXPECT_EQ(ask("everything", path).status, 200);
}

// ---- the stream

TEST_F(Groups, EventsAreOfWhatIsTheirs) {
  const auto reply = ask("reader", "/api/v1/events");
  ASSERT_TRUE(reply.stream);
  EXPECT_EQ(reply.stream(), "retry: 5000\n\n");
  for (const auto& [kind, name] :
       std::vector<std::pair<std::string, std::string>>{{"domain", "foreign.test"},
                                                        {"domain", "own.test"},
                                                        {"host", "mx.foreign.test"},
                                                        {"host", "mx.shared.test"},
                                                        {"alert", "a-foreign"},
                                                        {"alert", "a-zone"},
                                                        {"silence", "s-foreign"},
                                                        {"silence", "s-own"}})
    service_.feed.publish(kind, name);
  EXPECT_EQ(ask("everything", "/api/v1/domains/foreign.test/check", {}, "POST", "{}").status, 404);
  const auto said = reply.stream().value_or("");
  EXPECT_THAT(said,
              AllOf(HasSubstr("own.test"), HasSubstr("mx.shared.test"), HasSubstr("a-zone"),
                    HasSubstr("s-own"), Not(HasSubstr("foreign")), Not(HasSubstr("event: act"))));
  EXPECT_EQ(ask("shop", "/api/v1/domains/own.test/check", {}, "POST", "{}").status, 404);
  EXPECT_THAT(reply.stream().value_or(""), HasSubstr("event: act"));
}

// ---- addresses with a token

TEST_F(Groups, AFeedIsThatOfTheTokenInItsAddress) {
  const web::Api api{service_.backend(), guard_};
  const auto calendar = [&](const std::string& token) {
    return api
        .answer({.method = "GET",
                 .path = "/feeds/deadlines.ics",
                 .query = {{"token", token + "0123456789abcdef"}},
                 .headers = {{"host", "danelaw.test"}}})
        .body;
  };
  EXPECT_THAT(calendar("reader"), AllOf(HasSubstr("mx.own.test"), Not(HasSubstr("foreign"))));
}

// ---- digests, whose readers are owners by matchers

class GroupsDigests : public Groups {
 protected:
  std::string changes(const agent::Owned* owned) {
    const auto sources = web::digest_sources(*service_.queries);
    const auto lines = sources.changes(kNow - kMinute, kNow + 1000 * kMinute, owned);
    std::string out;
    if (!lines) return lines.error();
    for (const auto& line : *lines) out += line.text + '\n';
    return out;
  }
  const web::Theirs shop_{std::make_shared<const agent::Snapshot>(service_.snapshot),
                          {"shop"},
                          [](std::string_view) { return true; }};
};

TEST_F(GroupsDigests, TellOfTheHistoryWhatIsTheirs) {
  const auto owned = shop_.owned();
  const auto told = changes(&owned);
  EXPECT_THAT(told, HasSubstr("root asked for a check of own.test.\n"));
  EXPECT_THAT(told, HasSubstr("own.test: "));
  EXPECT_THAT(told, Not(HasSubstr("foreign")));
  EXPECT_THAT(told, Not(HasSubstr("s-foreign")));
  const auto all = changes(nullptr);
  EXPECT_THAT(all, HasSubstr("root asked for a check of foreign.test.\n"));
  EXPECT_THAT(all, HasSubstr("a-foreign: root asked for a check of"));
}

TEST_F(GroupsDigests, SayOfAnActThatFailedThatItDid) {
  ASSERT_TRUE(service_.acts->record({.at = kNow,
                                     .by = "shop",
                                     .login = "user",
                                     .what = "exception",
                                     .subject_kind = "domain",
                                     .subject = "nosuch.test",
                                     .fault = "not watched"}));
  EXPECT_THAT(changes(nullptr),
              HasSubstr("shop recorded an exception for nosuch.test, but it failed.\n"));
}

// ---- words

TEST_F(Groups, OfAListsFaultTheyAreToldThatItIsThere) {
  service_.snapshot.vantage = {{.check = "domain_list:club",
                                .is_up = false,
                                .detail = "line 3: \"secret-a.club.test:25\" at https://club.test/",
                                .checked_at = kNow}};
  EXPECT_EQ(got("shop", "/api/v1/status")["vantage"][0]["detail"], agent::kListInShort);
  EXPECT_THAT(ask("everything", "/api/v1/status").body, HasSubstr("secret-a.club.test"));
}

TEST_F(Groups, NamesOfOthersAreTakenOutAndNothingElse) {
  const web::Theirs theirs(std::make_shared<const agent::Snapshot>(service_.snapshot), {"shop"},
                           [](std::string_view name) {
                             return name == "foreign.test" || name == "far.test" ||
                                    name == "own.test" || name == "test";
                           });
  EXPECT_EQ(theirs.without_others("foreign.test, Foreign.Test. and <x@far.test>; mx.foreign.test"),
            "(not yours), (not yours). and <x@(not yours)>; (not yours)");
  const std::string fine = "own.test mx.shared.test 192.0.2.1 test. not-foreign.test a\\nb";
  EXPECT_EQ(theirs.without_others(fine), fine);
}

}  // namespace
