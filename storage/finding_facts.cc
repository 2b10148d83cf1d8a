#include "storage/finding_facts.h"

#include "storage/times.h"

namespace storage {
namespace {

using Json = nlohmann::json;
using Strings = std::vector<std::string>;
using probes::Finding;

std::optional<std::int64_t> number_in(const Json& json, const char* name) {
  const auto found = json.find(name);
  return found == json.end() ? std::nullopt : std::optional{found->get<std::int64_t>()};
}

std::optional<config::Time> time_in(const Json& json, const char* name) {
  const auto value = number_in(json, name);
  return value ? std::optional{config::Time{config::Seconds{*value}}} : std::nullopt;
}

std::optional<config::Seconds> seconds_in(const Json& json, const char* name) {
  const auto value = number_in(json, name);
  return value ? std::optional{config::Seconds{*value}} : std::nullopt;
}

Json remedy_json(const probes::Remedy& remedy) {
  Json out{{"owner", remedy.owner},
           {"zone", remedy.zone},
           {"server", remedy.server},
           {"publish", remedy.publish},
           {"remove", remedy.remove}};
  if (remedy.ttl) out["ttl"] = remedy.ttl->count();
  if (remedy.recovers_after) out["recovers_after"] = remedy.recovers_after->count();
  if (remedy.recovers_at) out["recovers_at"] = seconds(*remedy.recovers_at);
  return out;
}

probes::Remedy remedy_of(const Json& json) {
  return {.owner = json.at("owner").get<std::string>(),
          .zone = json.at("zone").get<std::string>(),
          .ttl = seconds_in(json, "ttl"),
          .server = json.at("server").get<std::string>(),
          .publish = json.at("publish").get<Strings>(),
          .remove = json.at("remove").get<Strings>(),
          .recovers_after = seconds_in(json, "recovers_after"),
          .recovers_at = time_in(json, "recovers_at")};
}

Json gap_json(const probes::ServerGap& gap) {
  Json out{{"server", gap.server},
           {"lacks", gap.lacks},
           {"keeps", gap.keeps},
           {"given_by", gap.given_by},
           {"refuses", gap.is_refusing}};
  if (gap.since) out["since"] = seconds(*gap.since);
  if (gap.is_bare) out["bare"] = true;
  return out;
}

probes::ServerGap gap_of(const Json& json) {
  return {.server = json.at("server").get<std::string>(),
          .lacks = json.at("lacks").get<Strings>(),
          .keeps = json.at("keeps").get<Strings>(),
          .given_by = json.at("given_by").get<std::string>(),
          .since = time_in(json, "since"),
          .is_refusing = json.at("refuses").get<bool>(),
          .is_bare = json.value("bare", false)};
}

Json key_json(const probes::KeyPast& key) {
  Json out{{"since", seconds(key.since)},
           {"before", key.is_since_before},
           {"unannounced", key.is_unannounced}};
  if (key.record_removed_at) out["removed"] = seconds(*key.record_removed_at);
  return out;
}

probes::KeyPast key_of(const Json& json) {
  return {.since = time_in(json, "since").value_or(config::Time{}),
          .is_since_before = json.at("before").get<bool>(),
          .record_removed_at = time_in(json, "removed"),
          .is_unannounced = json.at("unannounced").get<bool>()};
}

}  // namespace

void put_facts(Json& typed, const Finding& finding) {
  if (finding.consequence_of) typed["consequence_of"] = wire_name(*finding.consequence_of);
  for (const auto& one : finding.consequences)
    typed["consequences"].push_back(
        {wire_name(one.code), wire_name(one.subject.kind), one.subject.name});
  if (!finding.is_whole_cause) typed["is_whole_cause"] = false;
  if (finding.remedy) typed["remedy"] = remedy_json(*finding.remedy);
  if (finding.refused_since) typed["refused_since"] = seconds(*finding.refused_since);
  if (finding.is_in_caches_only) typed["is_in_caches_only"] = true;
  if (finding.is_carried) typed["is_carried"] = true;
  if (finding.is_old_key_refused) typed["is_old_key_refused"] = true;
  if (finding.key) typed["key"] = key_json(*finding.key);
  for (const auto& gap : finding.gaps) typed["gaps"].push_back(gap_json(gap));
  if (!finding.next_keys.empty()) typed["next_keys"] = finding.next_keys;
}

void take_facts(Finding& finding, const Json& typed) {
  if (const auto cause = typed.find("consequence_of"); cause != typed.end())
    finding.consequence_of = probes::code_from(cause->get<std::string>());
  if (const auto list = typed.find("consequences"); list != typed.end()) {
    for (const auto& one : *list) {
      const auto code = probes::code_from(one.at(0).get<std::string>());
      const auto kind = probes::subject_kind_from(one.at(1).get<std::string>());
      if (code && kind)
        finding.consequences.push_back({*code, {*kind, one.at(2).get<std::string>()}});
    }
  }
  finding.is_whole_cause = typed.value("is_whole_cause", true);
  if (const auto remedy = typed.find("remedy"); remedy != typed.end())
    finding.remedy = remedy_of(*remedy);
  finding.refused_since = time_in(typed, "refused_since");
  finding.is_in_caches_only = typed.value("is_in_caches_only", false);
  finding.is_carried = typed.value("is_carried", false);
  finding.is_old_key_refused = typed.value("is_old_key_refused", false);
  if (const auto key = typed.find("key"); key != typed.end()) finding.key = key_of(*key);
  if (const auto list = typed.find("gaps"); list != typed.end()) {
    for (const auto& gap : *list) finding.gaps.push_back(gap_of(gap));
  }
  finding.next_keys = typed.value("next_keys", Strings{});
}

}  // namespace storage
