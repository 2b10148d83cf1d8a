#include "storage/announced.h"

#include <nlohmann/json.hpp>

#include "agent/foresight/announcements.h"
#include "probes/dane/tlsa.h"
#include "storage/times.h"

namespace storage {
namespace {

using Json = nlohmann::json;

std::string dump(const Json& json) {
  return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

// One after the other: DER says how long it is.
std::vector<std::uint8_t> octets_of(const agent::Chain& chain) {
  std::vector<std::uint8_t> out;
  for (const auto& one : chain) out.insert(out.end(), one->der.begin(), one->der.end());
  return out;
}

// X.690 §8.1.3 with at most three octets of length, as any certificate has.
std::size_t first_length(std::span<const std::uint8_t> octets) {
  if (octets.size() < 2) return 0;
  std::size_t length = octets[1];
  std::size_t head = 2;
  if (length >= 0x80) {
    const auto count = length - 0x80;
    if (count == 0 || count > 3 || octets.size() < 2 + count) return 0;
    length = 0;
    for (std::size_t i = 0; i < count; ++i) length = length << 8U | octets[2 + i];
    head += count;
  }
  return head + length <= octets.size() ? head + length : 0;
}

agent::Chain chain_of(std::span<const std::uint8_t> octets) {
  agent::Chain out;
  while (!octets.empty()) {
    const auto length = first_length(octets);
    auto one = length == 0 ? nullptr : probes::tls::parse_certificate(octets.first(length));
    if (!one) return {};
    out.push_back(std::move(one));
    octets = octets.subspan(length);
  }
  return out;
}

constexpr const char* kColumns = "id, shown_at, body, chain";

std::optional<agent::AnnouncedCertificate> read_row(const Statement& row) {
  const auto body = Json::parse(row.text(2), nullptr, false);
  auto chain = chain_of(row.bytes(3));
  if (chain.empty() || !body.is_object()) return std::nullopt;
  return agent::AnnouncedCertificate{.id = row.text(0),
                                     .chain = std::move(chain),
                                     .is_precertificate = body.value("precertificate", false),
                                     .shown_at = time_of(row.integer(1)),
                                     .shown_by = body.value("by", "")};
}

}  // namespace

AnnouncedRows::AnnouncedRows(Database& db)
    : put_(db.prepare("INSERT OR REPLACE INTO announced(id, key, shown_at, not_after, body, chain) "
                      "VALUES(?, ?, ?, ?, ?, ?)")),
      say_(db.prepare("INSERT OR REPLACE INTO not_for_mail(key, at, body) VALUES(?, ?, ?)")),
      take_back_(db.prepare("DELETE FROM not_for_mail WHERE key = ?")) {}

void AnnouncedRows::record(const agent::Round& round) {
  for (const auto& one : round.announced) {
    put_.bind(one.id, key_of(one), seconds(one.shown_at), seconds(one.chain.front()->not_after),
              dump({{"precertificate", one.is_precertificate}, {"by", one.shown_by}}),
              octets_of(one.chain))
        .run();
  }
  for (const auto& key : round.for_mail) take_back_.bind(key).run();
  for (const auto& said : round.not_for_mail) {
    say_.bind(said.key, seconds(said.at), dump({{"by", said.by}, {"comment", said.comment}})).run();
  }
}

std::vector<agent::AnnouncedCertificate> read_announced(Database& db, config::Time since) {
  auto rows = db.prepare(std::string("SELECT ") + kColumns +
                         " FROM announced WHERE not_after > ? ORDER BY shown_at DESC LIMIT ?");
  rows.bind(seconds(since), static_cast<std::int64_t>(agent::Announcements::kMost));
  std::vector<agent::AnnouncedCertificate> out;
  while (rows.step()) {
    if (auto one = read_row(rows)) out.push_back(std::move(*one));
  }
  return out;
}

std::vector<agent::NotForMail> read_not_for_mail(Database& db) {
  std::vector<agent::NotForMail> out;
  auto rows = db.prepare("SELECT key, at, body FROM not_for_mail ORDER BY at DESC LIMIT ?");
  rows.bind(static_cast<std::int64_t>(agent::Announcements::kMostNotForMail));
  while (rows.step()) {
    const auto body = Json::parse(rows.text(2), nullptr, false);
    if (!body.is_object()) continue;
    out.push_back({.key = rows.text(0),
                   .by = body.value("by", ""),
                   .comment = body.value("comment", ""),
                   .at = time_of(rows.integer(1))});
  }
  return out;
}

void forget_announced(Database& db, config::Time before) {
  db.prepare("DELETE FROM announced WHERE not_after < ?").bind(seconds(before)).run();
}

}  // namespace storage
