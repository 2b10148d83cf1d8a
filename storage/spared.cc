#include "storage/spared.h"

#include <string>

#include <nlohmann/json.hpp>

#include "storage/times.h"

namespace storage {
namespace {

using agent::Spared;
using Json = nlohmann::json;

constexpr const char* kKey = "politeness/spared";  // beside those of notifiers

Spared spared_of(const Json& json) {
  return {.provider = json.at("provider").get<std::string>(),
          .until = time_of(json.at("until").get<std::int64_t>()),
          .times = json.at("times").get<int>(),
          .wait = config::Seconds{json.at("wait").get<std::int64_t>()}};
}

}  // namespace

SparedRow::SparedRow(Database& db)
    : put_(db.prepare("INSERT OR REPLACE INTO memo(key, value) VALUES(?, ?)")) {}

void SparedRow::record(const agent::Round& round) {
  if (!round.spared) return;
  auto all = Json::array();
  for (const auto& [provider, until, times, wait] : *round.spared)
    all.push_back({{"provider", provider},
                   {"until", seconds(until)},
                   {"times", times},
                   {"wait", wait.count()}});
  put_.bind(kKey, all.dump()).run();
}

std::vector<Spared> read_spared(Database& db) {
  std::vector<Spared> out;
  auto row = db.prepare("SELECT value FROM memo WHERE key = ?");
  if (!row.bind(kKey).step()) return out;
  try {
    for (const auto& one : Json::parse(row.text(0))) {
      if (out.size() < agent::kMostSpared) out.push_back(spared_of(one));
    }
  } catch (const Json::exception&) {
    out.clear();
  }
  return out;
}

}  // namespace storage
