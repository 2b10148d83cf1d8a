#include "storage/anchor_keys.h"

#include <nlohmann/json.hpp>

#include "probes/dane/tlsa.h"
#include "probes/tls/certificate.h"
#include "storage/times.h"

namespace storage {
namespace {

using Json = nlohmann::json;
using agent::AnchorKey;

Json json_of(const std::optional<config::Time>& time) {
  return time ? Json(seconds(*time)) : Json(nullptr);
}

std::optional<config::Time> time_in(const Json& json) {
  return json.is_null() ? std::nullopt : std::optional{time_of(json.get<std::int64_t>())};
}

std::string id_of(const AnchorKey& key) {
  return key.zone.text() + " " +
         probes::dane::to_hex(probes::tls::digest(probes::tls::Digest::sha256, key.key));
}

std::string body_of(const AnchorKey& key) {
  return Json{{"zone", key.zone.text()},
              {"key", probes::dane::to_hex(key.key)},
              {"first_seen", seconds(key.first_seen)},
              {"published_after", json_of(key.published_after)},
              {"revoked_at", json_of(key.revoked_at)}}
      .dump(-1, ' ', false, Json::error_handler_t::replace);
}

// Flags, protocol and algorithm at least.
constexpr std::size_t kKeyHead = 4;

std::optional<AnchorKey> read_row(const Statement& row) {
  try {
    const auto json = Json::parse(row.text(1));
    auto zone = probes::dns::Name::parse(json.at("zone").get<std::string>());
    auto key = probes::dane::from_hex(json.at("key").get<std::string>());
    if (!zone || !key || key->size() <= kKeyHead) return std::nullopt;
    return AnchorKey{.zone = *std::move(zone),
                     .key = *std::move(key),
                     .first_seen = time_of(json.at("first_seen").get<std::int64_t>()),
                     .last_seen = time_of(row.integer(0)),
                     .published_after = time_in(json.at("published_after")),
                     .revoked_at = time_in(json.at("revoked_at"))};
  } catch (const Json::exception&) {
    return std::nullopt;
  }
}

}  // namespace

AnchorKeyRows::AnchorKeyRows(Database& db)
    : put_(db.prepare("INSERT OR REPLACE INTO anchor_key(id, last_seen, body) VALUES(?, ?, ?)")) {}

void AnchorKeyRows::record(const agent::Round& round) {
  for (const auto& key : round.anchor_keys)
    put_.bind(id_of(key), seconds(key.last_seen), body_of(key)).run();
}

std::vector<AnchorKey> read_anchor_keys(Database& db) {
  auto rows = db.prepare("SELECT last_seen, body FROM anchor_key ORDER BY last_seen DESC LIMIT ?");
  rows.bind(static_cast<std::int64_t>(agent::kMostAnchorKeys));
  std::vector<AnchorKey> out;
  while (rows.step()) {
    if (auto one = read_row(rows)) out.push_back(*std::move(one));
  }
  return out;
}

void forget_anchor_keys(Database& db, config::Time before) {
  db.prepare("DELETE FROM anchor_key WHERE last_seen < ?").bind(seconds(before)).run();
}

}  // namespace storage
