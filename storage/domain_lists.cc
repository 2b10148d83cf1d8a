#include "storage/domain_lists.h"

#include <algorithm>

#include <nlohmann/json.hpp>

#include "storage/times.h"

namespace storage {
namespace {

using agent::HeldDomain;
using config::Result;
using Json = nlohmann::json;

std::string_view word_of(config::Role role) {
  return role == config::Role::inbound ? "inbound" : "outbound";
}

// Only what there is to say of it beyond its name, which may be all.
Json json_of(const HeldDomain& domain) {
  Json out{{"name", domain.listed.name}};
  if (domain.listed.role) out["role"] = word_of(*domain.listed.role);
  if (domain.listed.group) out["group"] = *domain.listed.group;
  if (domain.missing_since) out["missing_since"] = seconds(*domain.missing_since);
  return out;
}

HeldDomain domain_in(const Json& json) {
  HeldDomain out{.listed = {.name = json.at("name").get<std::string>(), .role = {}, .group = {}},
                 .missing_since = {}};
  if (json.contains("role"))
    out.listed.role = json.at("role") == "inbound" ? config::Role::inbound : config::Role::outbound;
  if (json.contains("group")) out.listed.group = json.at("group").get<std::string>();
  if (json.contains("missing_since"))
    out.missing_since = time_of(json.at("missing_since").get<std::int64_t>());
  return out;
}

std::optional<std::vector<HeldDomain>> domains_in(const std::string& body) {
  try {
    std::vector<HeldDomain> out;
    for (const auto& one : Json::parse(body)) out.push_back(domain_in(one));
    return out;
  } catch (const Json::exception&) {
    return std::nullopt;
  }
}

}  // namespace

Result<std::unique_ptr<DatabaseListStore>, std::string> DatabaseListStore::open(
    const Place& place) {
  return guarded<std::string>(
      place, [&] { return std::unique_ptr<DatabaseListStore>(new DatabaseListStore(place)); });
}

Result<std::vector<agent::ListStore::Kept>, std::string> DatabaseListStore::restore() {
  return guarded<std::string>(place_, [&] {
    std::vector<Kept> out;
    auto rows = db_.prepare("SELECT name, read_at, body FROM domain_list ORDER BY name");
    while (rows.step()) {
      if (auto domains = domains_in(rows.text(2)))
        out.push_back({rows.text(0), *std::move(domains), time_of(rows.integer(1))});
    }
    return out;
  });
}

Result<void, std::string> DatabaseListStore::keep(const Kept& list) {
  return guarded<std::string>(place_, [&] {
    Json body = Json::array();
    for (const auto& domain : list.domains) body.push_back(json_of(domain));
    Transaction transaction{db_};
    db_.prepare("INSERT OR REPLACE INTO domain_list(name, read_at, body) VALUES(?, ?, ?)")
        .bind(list.name, seconds(list.read_at),
              body.dump(-1, ' ', false, Json::error_handler_t::replace))
        .run();
    transaction.commit();
  });
}

Result<void, std::string> DatabaseListStore::keep_read(const std::string& name, config::Time at) {
  return guarded<std::string>(place_, [&] {
    Transaction transaction{db_};
    db_.prepare("UPDATE domain_list SET read_at = ? WHERE name = ?").bind(seconds(at), name).run();
    transaction.commit();
  });
}

Result<void, std::string> DatabaseListStore::keep_only(const std::vector<std::string>& names) {
  return guarded<std::string>(place_, [&] {
    Transaction transaction{db_};
    std::vector<std::string> gone;
    auto rows = db_.prepare("SELECT name FROM domain_list");
    while (rows.step()) {
      auto name = rows.text(0);
      if (std::ranges::find(names, name) == names.end()) gone.push_back(std::move(name));
    }
    rows.reset();
    for (const auto& name : gone)
      db_.prepare("DELETE FROM domain_list WHERE name = ?").bind(name).run();
    transaction.commit();
  });
}

}  // namespace storage
