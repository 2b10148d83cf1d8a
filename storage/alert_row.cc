#include "storage/alert_row.h"

#include <algorithm>

#include <nlohmann/json.hpp>

#include "storage/finding_facts.h"
#include "storage/times.h"

namespace storage {
namespace {

using Json = nlohmann::json;

std::optional<config::Time> time_or_nothing(const Statement& row, int column) {
  return row.is_null(column) ? std::nullopt : std::optional{time_of(row.integer(column))};
}

template <class T>
T demand(std::optional<T> value, const char* what) {
  if (!value) throw Fault(what);
  return *value;
}

std::optional<config::Time> time_in(const Json& json, const char* name) {
  const auto found = json.find(name);
  if (found == json.end() || found->is_null()) return std::nullopt;
  return time_of(found->get<std::int64_t>());
}

probes::Subject subject_of(const Json& json) {
  return {
      .kind = demand(probes::subject_kind_from(json.at(0).get<std::string>()), "unknown subject"),
      .name = json.at(1).get<std::string>()};
}

// What stood only in the evidence before it had fields of its own.
void take_typed_from_evidence(probes::Finding& finding) {
  using probes::Code;
  const auto evidence = [&](std::string_view name) -> const std::string* {
    const auto found = std::ranges::find(finding.evidence, name, &probes::Evidence::name);
    return found == finding.evidence.end() ? nullptr : &found->value;
  };
  if (const auto* by = evidence("publish-by"); by && finding.code == Code::predicted_mismatch)
    finding.due_at = config::parse_rfc3339(*by);
  if (const auto* zone = evidence("zone"); zone && finding.code == Code::ds_stale)
    finding.root = probes::Subject{.kind = probes::Subject::Kind::zone, .name = *zone};
  if (const auto* zone = evidence("broken-at")) {
    const auto* cause = evidence("cause");
    finding.broken_above = probes::ChainBreak{
        .zone = *zone, .is_ds_signature = cause != nullptr && *cause == "ds-signature"};
  }
}

void take_typed(probes::Finding& finding, const Json& json) {
  const auto typed = json.find("typed");
  if (typed == json.end()) return take_typed_from_evidence(finding);
  finding.due_at = time_in(*typed, "due_at");
  finding.due_source = typed->value("due_source", "");
  if (const auto root = typed->find("root"); root != typed->end()) finding.root = subject_of(*root);
  if (const auto broken = typed->find("broken_above"); broken != typed->end())
    finding.broken_above = probes::ChainBreak{.zone = broken->at(0).get<std::string>(),
                                              .is_ds_signature = broken->at(1).get<bool>()};
  take_facts(finding, *typed);
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
      .addresses = json.at("addresses").get<std::vector<std::string>>()};
  for (const auto& item : json.at("evidence")) {
    finding.evidence.push_back({item.at(0).get<std::string>(), item.at(1).get<std::string>()});
  }
  take_typed(finding, json);
  return finding;
}

Json number_or_null(const std::optional<config::Time>& time) {
  return time ? Json(time->time_since_epoch().count()) : Json(nullptr);
}

Json subject_json(const probes::Subject& subject) {
  return {wire_name(subject.kind), subject.name};
}
config::Role role_of(const Json& json) {
  return json.get<bool>() ? config::Role::outbound : config::Role::inbound;
}

std::string dump(const Json& json) {
  return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

agent::Hit hit_of(const Json& json) {
  return {.subject = subject_of(json.at("subject")),
          .domains = json.at("domains").get<std::vector<std::string>>(),
          .refused_keys = json.at("keys").get<std::vector<std::string>>(),
          .severity = demand(probes::severity_from(json.at("severity").get<std::string>()),
                             "unknown severity"),
          .direction = role_of(json.at("outbound")),
          .holds_mail = json.value("holds_mail", false),
          .next_keys = json.value("next_keys", std::vector<std::string>{}),
          .publish = json.value("publish", std::vector<std::string>{})};
}

void take_rest(agent::Alert& alert, const Json& json) {
  if (!json.contains("cause")) {  // recorded before alerts had one
    alert.cause = alert.finding.subject;
    alert.hits = {
        {.subject = alert.cause, .domains = alert.domains, .severity = alert.finding.severity}};
    return;
  }
  alert.cause = subject_of(json.at("cause"));
  for (const auto& hit : json.at("hits")) alert.hits.push_back(hit_of(hit));
  alert.direction = role_of(json.at("outbound"));
  alert.relapses = json.at("relapses").get<int>();
  alert.told_at = time_in(json, "told_at");
  alert.told_severity = demand(probes::severity_from(json.at("told_severity").get<std::string>()),
                               "unknown severity");
  if (const auto told = json.find("told_to"); told != json.end() && !told->is_null())
    alert.told_to = told->get<std::set<std::string>>();
  alert.raised_at = time_in(json, "raised_at");
  alert.raised_from =
      demand(probes::severity_from(json.at("raised_from").get<std::string>()), "unknown severity");
  if (const auto& ack = json.at("acknowledged"); !ack.is_null()) {
    alert.acknowledged = agent::Acknowledgement{.by = ack.at("by").get<std::string>(),
                                                .comment = ack.at("comment").get<std::string>(),
                                                .at = time_of(ack.at("at").get<std::int64_t>()),
                                                .until = time_in(ack, "until")};
  }
}

}  // namespace

std::string finding_text(const probes::Finding& finding) {
  Json evidence = Json::array();
  for (const auto& [name, value] : finding.evidence) evidence.push_back({name, value});
  Json typed = Json::object();
  if (finding.due_at) typed["due_at"] = finding.due_at->time_since_epoch().count();
  if (!finding.due_source.empty()) typed["due_source"] = finding.due_source;
  if (finding.root) typed["root"] = subject_json(*finding.root);
  if (const auto& broken = finding.broken_above)
    typed["broken_above"] = {broken->zone, broken->is_ds_signature};
  put_facts(typed, finding);
  const Json json{{"code", wire_name(finding.code)},
                  {"severity", wire_name(finding.severity)},
                  {"kind", wire_name(finding.subject.kind)},
                  {"name", finding.subject.name},
                  {"evidence", evidence},
                  {"addresses", finding.addresses},
                  {"typed", typed}};
  return dump(json);
}

std::string rest_text(const agent::Alert& alert) {
  Json hits = Json::array();
  for (const auto& hit : alert.hits) {
    hits.push_back({{"subject", subject_json(hit.subject)},
                    {"domains", hit.domains},
                    {"keys", hit.refused_keys},
                    {"severity", wire_name(hit.severity)},
                    {"holds_mail", hit.holds_mail},
                    {"outbound", hit.direction == config::Role::outbound},
                    {"next_keys", hit.next_keys},
                    {"publish", hit.publish}});
  }
  Json acknowledged = nullptr;
  if (const auto& ack = alert.acknowledged)
    acknowledged = {{"by", ack->by},
                    {"comment", ack->comment},
                    {"at", ack->at.time_since_epoch().count()},
                    {"until", number_or_null(ack->until)}};
  return dump({{"cause", subject_json(alert.cause)},
               {"hits", hits},
               {"outbound", alert.direction == config::Role::outbound},
               {"relapses", alert.relapses},
               {"told_at", number_or_null(alert.told_at)},
               {"told_severity", wire_name(alert.told_severity)},
               {"told_to", alert.told_to ? Json(*alert.told_to) : Json(nullptr)},
               {"raised_at", number_or_null(alert.raised_at)},
               {"raised_from", wire_name(alert.raised_from)},
               {"acknowledged", acknowledged}});
}

std::string silence_text(const agent::Silence& silence) {
  Json matchers = Json::array();
  for (const auto& one : silence.matchers)
    matchers.push_back({one.name, one.value, one.is_regex, one.is_equal});
  return dump({{"matchers", matchers},
               {"starts", silence.starts_at.time_since_epoch().count()},
               {"ends", silence.ends_at.time_since_epoch().count()},
               {"by", silence.created_by},
               {"comment", silence.comment},
               {"key", silence.expected_key ? Json(*silence.expected_key) : Json(nullptr)}});
}

agent::Silence read_silence(const std::string& id, const std::string& text) {
  const auto json = Json::parse(text);
  agent::Silence out{.id = id,
                     .starts_at = time_of(json.at("starts").get<std::int64_t>()),
                     .ends_at = time_of(json.at("ends").get<std::int64_t>()),
                     .created_by = json.at("by").get<std::string>(),
                     .comment = json.at("comment").get<std::string>()};
  for (const auto& one : json.at("matchers"))
    out.matchers.push_back({.name = one.at(0).get<std::string>(),
                            .value = one.at(1).get<std::string>(),
                            .is_regex = one.at(2).get<bool>(),
                            .is_equal = one.at(3).get<bool>()});
  if (!json.at("key").is_null()) out.expected_key = json.at("key").get<std::string>();
  return out;
}

std::string exception_text(const agent::Exception& exception) {
  return dump({{"level", exception.level},
               {"made_at", exception.made_at.time_since_epoch().count()},
               {"until", exception.until.time_since_epoch().count()}});
}

agent::Exception read_exception(const std::string& domain, const std::string& text) {
  const auto json = Json::parse(text);
  return {.domain = domain,
          .level = json.at("level").get<std::string>(),
          .made_at = time_of(json.at("made_at").get<std::int64_t>()),
          .until = time_of(json.at("until").get<std::int64_t>())};
}

agent::Alert read_alert(const Statement& row) {
  agent::Alert out{.id = row.text(0),
                   .state = demand(agent::alert_state_from(row.text(1)), "unknown alert state"),
                   .finding = finding_of(row.text(2)),
                   .domains = Json::parse(row.text(3)).get<std::vector<std::string>>(),
                   .first_seen_at = time_of(row.integer(4)),
                   .last_seen_at = time_of(row.integer(5)),
                   .opened_at = time_or_nothing(row, 6),
                   .resolved_at = time_or_nothing(row, 7),
                   .looks_seen = static_cast<int>(row.integer(8)),
                   .looks_clean = static_cast<int>(row.integer(9))};
  take_rest(out, Json::parse(row.text(10)));
  return out;
}

}  // namespace storage
