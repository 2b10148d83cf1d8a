#include <set>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "tests/unit/web/service.h"
#include "web/routes/api.h"
#include "web/routes/page.h"
#include "web/routes/query.h"

// The table of routes against all else that names them, and how it reads queries.
namespace {

using nlohmann::json;
using testing::IsEmpty;
using web::Query;
using web::Request;

std::string lower(std::string_view text) {
  return web::lower_case(std::string(text));
}

// "get /api/v1/domains?q", without the parameter "get /api/v1/domains".
std::set<std::string> operations_of_the_table() {
  std::set<std::string> out;
  for (const auto& route : web::Api::routes()) {
    if (!route.pattern.starts_with("/api/")) continue;
    const auto operation = lower(route.method) + " " + std::string(route.pattern);
    out.insert(operation);
    for (const auto& parameter : route.parameters)
      out.insert(operation + "?" + std::string(parameter));
  }
  return out;
}

std::set<std::string> operations_of_the_document() {
  std::set<std::string> out;
  const auto document = json::parse(web::api_document());
  for (const auto& [path, methods] : document["paths"].items()) {
    for (const auto& [method, operation] : methods.items()) {
      const auto name = method + " " + path;
      out.insert(name);
      for (const auto& parameter : operation.value("parameters", json::array())) {
        if (parameter.value("in", "") == "query")
          out.insert(name + "?" + parameter["name"].get<std::string>());
      }
    }
  }
  return out;
}

TEST(Table, HasWhatTheDocumentDescribesAndNothingElse) {
  EXPECT_EQ(operations_of_the_table(), operations_of_the_document());
}

TEST(Table, NamesEveryRouteOnce) {
  std::set<std::string> seen;
  for (const auto& route : web::Api::routes()) {
    const auto name = std::string(route.method) + " " + std::string(route.pattern);
    EXPECT_TRUE(seen.insert(name).second) << name;
  }
}

TEST(Table, LabelsInTheMetricsAreItsOwn) {
  support::Service service;
  const web::Api api{service.backend(), {.hosts = {"danelaw.test"}, .badges = {"example.test"}}};
  std::set<std::string> answered;
  for (const auto& route : web::Api::routes()) {
    for (const std::string name : {"example.test", "mx.example.test", "tlsa-mismatch", "f-1"}) {
      auto path = std::string(route.pattern);
      if (const auto open = path.find('{'); open != std::string::npos)
        path.replace(open, path.find('}') - open + 1, name);
      const auto reply =
          api.answer({.method = std::string(route.method),
                      .path = path,
                      .headers = {{"host", "danelaw.test"}, {"content-type", "application/json"}},
                      .body = "{}"});
      const bool is_problem = reply.content_type == web::kProblemType;
      EXPECT_EQ(reply.handler, is_problem ? "none" : std::string(route.handler())) << path;
      EXPECT_NE(reply.status, 405) << path;
      if (!is_problem) answered.insert(reply.handler);
    }
  }
  for (const auto& route : web::Api::routes()) {
    if (route.method != "GET" || route.pattern.ends_with("/timeline") ||
        route.pattern.ends_with("/checks/{id}"))
      continue;
    EXPECT_TRUE(answered.contains(std::string(route.handler()))) << route.pattern;
  }
}

// ---- queries

struct Asked {
  std::optional<std::string> text;
  std::optional<std::size_t> number;
  std::optional<config::Time> moment;
  std::optional<probes::Status> word;
  std::string fault;
};

Asked read(const std::map<std::string, std::string>& given) {
  const Request request{.query = given};
  Query query(request);
  Asked out{.text = query.text("text"),
            .number = query.number("number", 1, 500),
            .moment = query.moment("moment"),
            .word = query.word("word", probes::status_from),
            .fault = ""};
  if (const auto fault = query.fault()) out.fault = json::parse(fault->body)["detail"];
  return out;
}

TEST(AQuery, IsReadByWhatEachParameterMustBe) {
  const auto all = read(
      {{"text", "a b"}, {"number", "500"}, {"moment", "1970-01-01T00:01:00Z"}, {"word", "ok"}});
  EXPECT_EQ(all.text, "a b");
  EXPECT_EQ(all.number, 500U);
  EXPECT_EQ(all.moment, config::Time{config::Seconds{60}});
  EXPECT_EQ(all.word, probes::Status::ok);
  EXPECT_THAT(all.fault, IsEmpty());
  EXPECT_EQ(read({{"moment", "60999"}}).moment, config::Time{config::Seconds{60}});
}

TEST(AQuery, GivesNothingForWhatIsNotGivenOrAnEmptyWord) {
  for (const auto& given : {std::map<std::string, std::string>{},
                            std::map<std::string, std::string>{{"text", ""}, {"word", ""}}}) {
    const auto none = read(given);
    EXPECT_FALSE(none.text || none.number || none.moment || none.word);
    EXPECT_THAT(none.fault, IsEmpty());
  }
}

TEST(AQuery, TellsWhichParameterCannotBeRead) {
  const std::pair<std::string, std::string> rows[] = {{"number", "0"},
                                                      {"number", "501"},
                                                      {"number", ""},
                                                      {"number", "1e2"},
                                                      {"number", "-1"},
                                                      {"number", " 1"},
                                                      {"moment", ""},
                                                      {"moment", "now"},
                                                      {"moment", "-60"},
                                                      {"word", "Ok"},
                                                      {"moment", "253402300800000"}};
  for (const auto& [name, value] : rows) {
    EXPECT_EQ(read({{name, value}}).fault, name + "=" + value);
  }
}

}  // namespace
