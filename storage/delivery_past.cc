#include "storage/delivery_past.h"

#include <optional>
#include <set>

#include <nlohmann/json.hpp>

namespace storage {
namespace {

using probes::Delivery;

}  // namespace

Delivery delivery_in(const nlohmann::json& version) {
  if (!version.is_object()) return Delivery::unknown;
  const auto word = [&](const char* key) {
    const auto value = version.find(key);
    return value != version.end() && value->is_string() ? value->get<std::string>() : "";
  };
  if (const auto delivery = probes::delivery_from(word("delivery"))) return *delivery;
  const auto verdict = probes::verdict_from(word("verdict"));
  const auto severity = probes::severity_from(word("severity"));
  if (!verdict || !severity) return Delivery::unknown;
  probes::Finding worst;
  worst.code = probes::Code::tlsa_mismatch;  // of a target's, not of ours
  worst.severity = *severity;
  return probes::delivery_seen(*verdict, probes::status_of(*verdict, {worst}));
}

std::string_view verdict_kind(Whose whose) {
  return whose == Whose::hosts ? "host-verdict" : "verdict";
}

DeliveryTimes read_delivery_since(Database& db, Whose whose,
                                  const std::map<std::string, probes::Delivery>& now) {
  DeliveryTimes out;
  auto rows = db.prepare(
      "SELECT v.first_seen, c.body FROM subject s JOIN version v ON v.subject = s.id JOIN content "
      "c ON c.id = v.content "
      "WHERE s.kind = ? AND s.name = ? ORDER BY v.first_seen DESC, v.id DESC");
  for (const auto& [name, delivery] : now) {
    rows.reset();
    rows.bind(verdict_kind(whose), name);
    std::optional<config::Time> since;
    while (rows.step()) {
      const auto then = delivery_in(nlohmann::json::parse(rows.text(1), nullptr, false));
      if (then == Delivery::unknown && delivery != Delivery::unknown) continue;
      if (then != delivery) break;
      since = config::Time{config::Seconds{rows.integer(0)}};
    }
    if (since) out.emplace(name, *since);
  }
  return out;
}

std::vector<std::string> read_changed_domains(Database& db, config::Time since) {
  // Versions are numbered as they are recorded, a little later than they are seen.
  constexpr config::Seconds kSlack = std::chrono::hours{1};
  std::set<std::string> out;
  auto rows = db.scan(
      "SELECT s.kind, s.name, v.first_seen FROM version v JOIN subject s ON s.id = v.subject "
      "ORDER BY v.id DESC");
  while (rows.step()) {
    const config::Time seen{config::Seconds{rows.integer(2)}};
    if (seen < since - kSlack) break;
    if (seen >= since && rows.text(0) == "verdict") out.insert(rows.text(1));
  }
  return {out.begin(), out.end()};
}

Changes read_changes_behind(Database& db, std::int64_t version) {
  Changes out{.newest = version, .domains = {}};
  auto rows = db.scan(
      "SELECT v.id, s.kind, s.name FROM version v JOIN subject s ON s.id = v.subject "
      "WHERE v.id > ? ORDER BY v.id");
  rows.bind(version);
  std::set<std::string> names;
  while (rows.step()) {
    out.newest = rows.integer(0);
    if (rows.text(1) == "verdict") names.insert(rows.text(2));
  }
  out.domains.assign(names.begin(), names.end());
  return out;
}

std::int64_t read_newest_version(Database& db) {
  auto row = db.prepare("SELECT coalesce(max(id), 0) FROM version");
  return row.step() ? row.integer(0) : 0;
}

}  // namespace storage
