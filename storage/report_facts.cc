#include "storage/report_facts.h"

#include <algorithm>
#include <tuple>

#include <nlohmann/json.hpp>

#include "storage/times.h"

namespace storage {
namespace {

using config::Seconds;
using config::Time;

std::int64_t count_of(Time time) {
  return time.time_since_epoch().count();
}

// Words of another version of danelaw are passed over.
FoundThen found_in(const std::string& content) {
  FoundThen out;
  const auto json = nlohmann::json::parse(content, nullptr, false);
  if (!json.is_array()) return out;
  for (const auto& one : json) {
    if (!one.is_array() || one.size() < 2 || !one[0].is_string() || !one[1].is_string()) continue;
    const auto code = probes::code_from(one[0].get<std::string>());
    const auto severity = probes::severity_from(one[1].get<std::string>());
    if (code && severity) out.found.emplace_back(*code, *severity);
  }
  return out;
}

std::string leaf_in(const std::string& chain) {
  const auto json = nlohmann::json::parse(chain, nullptr, false);
  return json.is_array() && !json.empty() && json[0].is_string() ? json[0].get<std::string>() : "";
}

}  // namespace

std::map<std::string, std::vector<FoundThen>> read_findings_past(
    Database& db, const std::vector<std::string>& domains, Time from, Time until) {
  std::map<std::string, std::vector<FoundThen>> out;
  auto rows = db.prepare(
      "SELECT v.first_seen, v.last_seen, c.body FROM subject s JOIN version v ON v.subject = s.id "
      "JOIN content c ON c.id = v.content WHERE s.kind = 'findings' AND s.name = ?1 "
      "AND (v.is_open OR v.last_seen >= ?2) AND v.first_seen < ?3 ORDER BY v.first_seen, v.id");
  for (const auto& domain : domains) {
    rows.bind(domain, count_of(from), count_of(until));
    while (rows.step()) {
      auto then = found_in(rows.text(2));
      then.from = time_of(rows.integer(0));
      then.until = time_of(rows.integer(1));
      if (!then.found.empty()) out[domain].push_back(std::move(then));
    }
    rows.reset();
  }
  return out;
}

std::map<std::string, std::set<std::string>> read_hosts_past(Database& db, Time from, Time until) {
  std::map<std::string, std::set<std::string>> out;
  auto rows = db.prepare(
      "SELECT s.name, json_extract(h.value, '$[1]') FROM subject s "
      "JOIN version v ON v.subject = s.id JOIN content c ON c.id = v.content, "
      "json_each(c.body, '$.hosts') h WHERE s.kind = 'mx' "
      "AND (v.is_open OR v.last_seen >= ?1) AND v.first_seen < ?2");
  rows.bind(count_of(from), count_of(until));
  while (rows.step()) out[rows.text(0)].insert(rows.text(1));
  return out;
}

std::vector<CertificateChange> read_certificate_changes(Database& db, Time from, Time until) {
  auto rows = db.prepare(
      "SELECT v.id, v.subject, s.name, v.first_seen, v.content, c.body FROM subject s "
      "JOIN version v ON v.subject = s.id JOIN content c ON c.id = v.content "
      "WHERE s.kind = 'chain' AND v.first_seen >= ?1 AND v.first_seen < ?2 "
      "ORDER BY v.first_seen, v.id");
  auto before = db.prepare(
      "SELECT c.body FROM version v JOIN content c ON c.id = v.content "
      "WHERE v.subject = ? AND v.id < ? ORDER BY v.id DESC LIMIT 1");
  rows.bind(count_of(from), count_of(until));
  std::set<std::tuple<std::string, std::string, std::string>> known;  // host, before, now
  std::vector<CertificateChange> out;
  while (rows.step()) {
    const auto name = rows.text(2);
    CertificateChange change{.host = name.substr(0, name.find('|')),
                             .at = time_of(rows.integer(3)),
                             .before = {},
                             .now = leaf_in(rows.text(5))};
    if (before.bind(rows.integer(1), rows.integer(0)).step())
      change.before = leaf_in(before.text(0));
    before.reset();
    if (change.before.empty() || change.now.empty() || change.before == change.now) continue;
    if (known.emplace(change.host, change.before, change.now).second)
      out.push_back(std::move(change));
  }
  std::ranges::sort(out);
  return out;
}

}  // namespace storage
