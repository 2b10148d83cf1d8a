#include "storage/alert_row.h"

#include <nlohmann/json.hpp>

namespace storage {
namespace {

using Json = nlohmann::json;

config::Time time_of(std::int64_t seconds) {
  return config::Time{config::Seconds{seconds}};
}

std::optional<config::Time> time_or_nothing(const Statement& row, int column) {
  return row.is_null(column) ? std::nullopt : std::optional{time_of(row.integer(column))};
}

template <class T>
T demand(std::optional<T> value, const char* what) {
  if (!value) throw Fault(what);
  return *value;
}

probes::Finding finding_of(const std::string& text) {
  const auto json = Json::parse(text);
  probes::Finding finding{
      .code = demand(probes::code_from(json.at("code").get<std::string>()), "unknown finding code"),
      .severity =
          demand(probes::severity_from(json.at("severity").get<std::string>()), "unknown severity"),
      .subject = {.kind = demand(probes::subject_kind_from(json.at("kind").get<std::string>()),
                                 "unknown subject"),
                  .name = json.at("name").get<std::string>()},
      .addresses = json.at("addresses").get<std::vector<std::string>>(),
      .is_consequence = json.at("is_consequence").get<bool>()};
  for (const auto& item : json.at("evidence")) {
    finding.evidence.push_back({item.at(0).get<std::string>(), item.at(1).get<std::string>()});
  }
  return finding;
}

}  // namespace

std::string finding_text(const probes::Finding& finding) {
  Json evidence = Json::array();
  for (const auto& [name, value] : finding.evidence) evidence.push_back({name, value});
  const Json json{{"code", wire_name(finding.code)},
                  {"severity", wire_name(finding.severity)},
                  {"kind", wire_name(finding.subject.kind)},
                  {"name", finding.subject.name},
                  {"evidence", evidence},
                  {"addresses", finding.addresses},
                  {"is_consequence", finding.is_consequence}};
  return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

agent::Alert read_alert(const Statement& row) {
  return {.id = row.text(0),
          .state = demand(agent::alert_state_from(row.text(1)), "unknown alert state"),
          .finding = finding_of(row.text(2)),
          .domains = Json::parse(row.text(3)).get<std::vector<std::string>>(),
          .first_seen_at = time_of(row.integer(4)),
          .last_seen_at = time_of(row.integer(5)),
          .opened_at = time_or_nothing(row, 6),
          .resolved_at = time_or_nothing(row, 7),
          .looks_seen = static_cast<int>(row.integer(8)),
          .looks_clean = static_cast<int>(row.integer(9))};
}

}  // namespace storage
