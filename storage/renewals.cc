#include "storage/renewals.h"

#include <nlohmann/json.hpp>

#include "storage/times.h"

namespace storage {
namespace {

using Json = nlohmann::json;
using agent::RenewalAdvice;
using agent::RenewalWindow;

config::Time time_in(const Json& json) {
  return time_of(json.get<std::int64_t>());
}

Json json_of(const std::optional<RenewalWindow>& window) {
  if (!window) return nullptr;
  return {seconds(window->start), seconds(window->end), window->explanation};
}

std::optional<RenewalWindow> window_of(const Json& json) {
  if (json.is_null()) return std::nullopt;
  return RenewalWindow{.start = time_in(json.at(0)),
                       .end = time_in(json.at(1)),
                       .explanation = json.at(2).get<std::string>()};
}

std::string body_of(const RenewalAdvice& advice) {
  const Json json{{"window", json_of(advice.window)},
                  {"told_at", seconds(advice.told_at)},
                  {"latest", json_of(advice.latest)},
                  {"moved_from", json_of(advice.moved_from)},
                  {"next_at", seconds(advice.next_at)},
                  {"failures", advice.failures},
                  {"fault", advice.fault}};
  return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

std::optional<RenewalAdvice> read_row(const Statement& row) {
  try {
    const auto json = Json::parse(row.text(2));
    return RenewalAdvice{.certificate = row.text(0),
                         .not_after = time_of(row.integer(1)),
                         .window = window_of(json.at("window")),
                         .told_at = time_in(json.at("told_at")),
                         .latest = window_of(json.value("latest", Json())),
                         .moved_from = window_of(json.at("moved_from")),
                         .next_at = time_in(json.at("next_at")),
                         .failures = json.at("failures").get<int>(),
                         .fault = json.at("fault").get<std::string>()};
  } catch (const Json::exception&) {
    return std::nullopt;
  }
}

}  // namespace

RenewalRows::RenewalRows(Database& db)
    : put_(db.prepare(
          "INSERT OR REPLACE INTO renewal(certificate, not_after, body) VALUES(?, ?, ?)")) {}

void RenewalRows::record(const agent::Round& round) {
  for (const auto& advice : round.renewals)
    put_.bind(advice.certificate, seconds(advice.not_after), body_of(advice)).run();
}

agent::RenewalBook read_renewals(Database& db, config::Time since) {
  auto rows = db.prepare(
      "SELECT certificate, not_after, body FROM renewal WHERE not_after > ? "
      "ORDER BY not_after DESC LIMIT ?");
  rows.bind(seconds(since), static_cast<std::int64_t>(agent::kMostRenewals));
  agent::RenewalBook out;
  while (rows.step()) {
    if (auto one = read_row(rows)) out.emplace(one->certificate, *one);
  }
  return out;
}

void forget_renewals(Database& db, config::Time before) {
  db.prepare("DELETE FROM renewal WHERE not_after < ?").bind(seconds(before)).run();
}

}  // namespace storage
