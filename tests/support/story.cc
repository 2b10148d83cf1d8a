#include "tests/support/story.h"

#include <cmath>
#include <sstream>
#include <stdexcept>

#include <fmt/format.h>

#include "agent/rollover/replay.h"

namespace support {

using Json = nlohmann::json;

Story::Story(Texts servers, Texts endpoints)
    : json_{{"schema", "danelaw.replay/1"}, {"host", "mx.example.test"}, {"servers", servers},
            {"endpoints", endpoints},       {"events", Json::array()},   {"ask", Json::array()}} {}

Story Story::baseline(Texts servers, Texts endpoints) {
  Story story(std::move(servers), std::move(endpoints));
  story.publish(-9000, {"3 1 1 K1"}).present(-9000, {"K1", "INT1"});
  return story;
}

Story& Story::publish(long at, Texts records, long ttl, const std::string& server) {
  json_["events"].push_back({{"at", at}, {"server", server}, {"tlsa", records}, {"ttl", ttl}});
  return *this;
}

Story& Story::signed_until(long at) {
  json_["events"].back()["rrsig_expires_at"] = at;
  return *this;
}

Story& Story::alias(long at, const std::string& to, long ttl, const std::string& server) {
  json_["events"].push_back({{"at", at}, {"server", server}, {"alias", to}, {"ttl", ttl}});
  return *this;
}

Story& Story::no_alias(long at, const std::string& server) {
  json_["events"].push_back({{"at", at}, {"server", server}, {"alias", nullptr}});
  return *this;
}

Story& Story::fail(long at, const std::string& server) {
  json_["events"].push_back({{"at", at}, {"server", server}, {"error", "servfail"}});
  return *this;
}

Story& Story::present(long at, Texts chain, const std::string& endpoint) {
  json_["events"].push_back({{"at", at}, {"endpoint", endpoint}, {"chain", chain}});
  return *this;
}

Story& Story::scan(std::vector<long> at) {
  json_["scans"] = at;
  return *this;
}

Story& Story::ask(std::vector<long> at) {
  json_["ask"] = at;
  return *this;
}

std::string Story::text() const {
  return json_.dump();
}

std::vector<Json> Story::played() const {
  const auto printed = agent::replay(text());
  if (!printed) throw std::runtime_error(printed.error());
  std::vector<Json> out;
  std::istringstream lines(*printed);
  for (std::string line; std::getline(lines, line);) out.push_back(Json::parse(line));
  return out;
}

Texts Story::states() const {
  Texts out;
  for (const auto& line : played()) {
    if (line.contains("state"))
      out.push_back(fmt::format("{} {}", line["at"].get<long>(), line["state"].get<std::string>()));
  }
  return out;
}

Texts Story::rollovers() const {
  Texts out;
  const auto lines = played();
  for (const auto& one : lines.back()["rollovers"]) {
    const auto text = [](const Json& value) {
      return value.is_null() ? "?" : fmt::format("{}", std::lround(value.get<double>()));
    };
    out.push_back(fmt::format("{}>{} {} {}..{} exposure {}", one["from"].get<std::string>(),
                              one["to"].get<std::string>(), one["grade"].get<std::string>(),
                              text(one["lead"][0]), text(one["lead"][1]),
                              text(one["exposure_seconds"])));
  }
  return out;
}

Json Story::at(long at) const {
  auto asking = *this;
  asking.ask({at});
  for (const auto& line : asking.played()) {
    if (line.value("at", at - 1) == at) return line;
  }
  throw std::runtime_error("the replay says nothing of that moment");
}

}  // namespace support
