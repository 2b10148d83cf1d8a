#include "storage/chores.h"

#include <algorithm>
#include <array>
#include <utility>

#include <fmt/format.h>

#include "storage/anchor_keys.h"
#include "storage/announced.h"
#include "storage/drop.h"
#include "storage/renewals.h"
#include "storage/times.h"

namespace storage {
namespace {

// Rows that one part deletes or changes.
constexpr std::int64_t kMostChanged = 1'000;
// That it only reads.
constexpr std::int64_t kMostRead = 10'000;

void drop_beyond(Database& db, const char* table, const char* id, const char* of, const char* which,
                 const char* order) {
  db.prepare(fmt::format("DELETE FROM {0} WHERE {3} AND ({1}) IN (SELECT {1} FROM {0} WHERE {3} "
                         "GROUP BY {1} HAVING count(*) > ?1) AND {2} NOT IN (SELECT {2} FROM "
                         "(SELECT {2}, row_number() OVER (PARTITION BY {1} ORDER BY {4} DESC "
                         "NULLS LAST) AS place FROM {0} WHERE {3}) AS placed WHERE place <= ?1)",
                         table, of, id, which, order))
      .bind(Bounds::kMostEpisodes)
      .run();
}

}  // namespace

Forgetting::Forgetting(Database& db, Bounds& bounds, config::Time before)
    : db_(db), bounds_(bounds), before_(seconds(before)) {}

bool Forgetting::go_on() {
  static constexpr std::array<Part, 7> kParts{&Forgetting::closed_versions,
                                              &Forgetting::ended_sums,
                                              &Forgetting::subjects_with_too_many,
                                              &Forgetting::hosts_with_too_many,
                                              &Forgetting::rows,
                                              &Forgetting::episodes,
                                              &Forgetting::certificates};
  Transaction transaction{db_};
  const bool is_more = (this->*kParts.at(part_))();
  transaction.commit();
  if (!is_more) {
    ++part_;
    statement_ = 0;
  }
  return part_ < kParts.size();
}

bool Forgetting::take_subjects_gone() {
  return std::exchange(are_subjects_gone_, false);
}

bool Forgetting::closed_versions() {
  Ids versions, subjects;
  auto rows = db_.prepare(
      "SELECT id, subject FROM version WHERE NOT is_open AND last_seen < ? ORDER BY last_seen "
      "LIMIT ?");
  rows.bind(before_, kMostChanged);
  while (rows.step()) {
    versions.push_back(rows.integer(0));
    subjects.push_back(rows.integer(1));
  }
  rows.reset();
  if (versions.empty()) return false;
  drop_versions(db_, versions);
  are_subjects_gone_ = drop_unused_subjects(db_, subjects) || are_subjects_gone_;
  return true;
}

bool Forgetting::ended_sums() {
  auto rows = db_.prepare("SELECT id FROM subject WHERE summed_until < ? LIMIT ?");
  const auto subjects = ids_of(rows.bind(before_, kMostChanged));
  rows.reset();
  auto end = db_.prepare(
      "UPDATE subject SET summed = 0, summed_from = NULL, summed_until = NULL WHERE id = ?");
  for (const auto id : subjects) end.bind(id).run();
  are_subjects_gone_ = drop_unused_subjects(db_, subjects) || are_subjects_gone_;
  return !subjects.empty();
}

bool Forgetting::subjects_with_too_many() {
  bounds_.trim(above_, above_ + kMostRead);
  above_ += kMostRead;
  return above_ < db_.integer("SELECT coalesce(max(id), 0) FROM subject");
}

// Those of a host stand side by side: "host|address".
bool Forgetting::hosts_with_too_many() {
  struct Many {
    std::string kind, host;
    std::int64_t subjects;
  };
  std::vector<Many> many;
  const auto end_host = [&] {
    if (at_.subjects * Bounds::kMostVersions > Bounds::kMostOfHost)
      many.push_back({at_.kind, at_.host, at_.subjects});
    at_.subjects = 0;
  };
  auto rows = db_.prepare(
      "SELECT kind, name FROM subject WHERE (kind, name) > (?, ?) ORDER BY kind, name LIMIT ?");
  rows.bind(at_.kind, at_.name, kMostRead);
  std::int64_t read = 0;
  for (; rows.step(); ++read) {
    auto kind = rows.text(0), name = rows.text(1);
    const auto cut = name.find('|');
    const auto host = cut == std::string::npos ? std::string() : name.substr(0, cut);
    if (kind != at_.kind || host != at_.host) end_host();
    if (!host.empty()) ++at_.subjects;
    at_.kind = std::move(kind);
    at_.name = std::move(name);
    at_.host = host;
  }
  rows.reset();
  const bool is_more = read == kMostRead;
  if (!is_more) end_host();
  for (const auto& [kind, host, subjects] : many) bounds_.trim(kind, host, subjects);
  are_subjects_gone_ = are_subjects_gone_ || !many.empty();
  return is_more;
}

// Of tables that hold little: the cost is that of looking through them.
bool Forgetting::rows() {
  static constexpr std::array kStatements{
      "DELETE FROM alert WHERE state IN ('resolved', 'passed') AND resolved < ?",
      "DELETE FROM transition WHERE at < ?",
      "DELETE FROM letter WHERE sent_at < ?",
      "DELETE FROM silence WHERE ends < ?",
      "DELETE FROM act WHERE at < ?",
      "DELETE FROM tlsrpt_report WHERE ends < ?"};
  db_.prepare(kStatements.at(statement_)).bind(before_).run();
  if (++statement_ < kStatements.size()) return true;
  // In the same transaction: what is of no report counts as damage.
  db_.execute("DELETE FROM tlsrpt_sessions WHERE report NOT IN (SELECT id FROM tlsrpt_report)");
  return false;
}

bool Forgetting::episodes() {
  switch (statement_++) {
    case 0:
      drop_beyond(db_, "alert", "id", "code, subject_kind, subject_name",
                  "state IN ('resolved', 'passed')", "resolved");
      return true;
    case 1:
      drop_beyond(db_, "transition", "id", "alert", "TRUE", "id");
      return true;
    case 2:
      drop_beyond(db_, "letter", "n", "alert", "sent_at IS NOT NULL", "n");
      return true;
    default:
      break;
  }
  const config::Time before{config::Seconds{before_}};
  db_.prepare("DELETE FROM evidence WHERE alert NOT IN (SELECT id FROM alert)").run();
  forget_announced(db_, before);
  forget_renewals(db_, before);
  forget_anchor_keys(db_, before);
  return false;
}

// A chain names its certificates by their digests.
bool Forgetting::certificates() {
  db_.execute(
      "DELETE FROM certificate WHERE lower(hex(sha256)) NOT IN (SELECT j.value "
      "FROM subject s JOIN version v ON v.subject = s.id JOIN content c ON c.id = v.content, "
      "json_each(c.body) j WHERE s.kind = 'chain')");
  return false;
}

Keeping::Keeping(Database& db, std::vector<config::Domain> domains)
    : db_(db), domains_(std::move(domains)) {
  std::ranges::stable_sort(domains_, {}, &config::Domain::name);
  const auto twice = std::ranges::unique(domains_, {}, &config::Domain::name);
  domains_.erase(twice.begin(), twice.end());
}

// Both lists are by name: what is before the other's next is in one of them alone.
bool Keeping::go_on() {
  struct Row {
    std::string name, role, group;
  };
  const auto role_of = [](const config::Domain& domain) {
    return domain.role == config::Role::inbound ? "inbound" : "outbound";
  };
  Transaction transaction{db_};
  std::vector<Row> rows;
  auto read =
      db_.prepare("SELECT name, role, grp FROM domain WHERE name > ? ORDER BY name LIMIT ?");
  read.bind(above_, kMostRead);
  while (read.step()) rows.push_back({read.text(0), read.text(1), read.text(2)});
  read.reset();
  const bool are_all_read = rows.size() < static_cast<std::size_t>(kMostRead);
  auto put = db_.prepare(
      "INSERT INTO domain(name, role, grp) VALUES(?1, ?2, ?3) "
      "ON CONFLICT(name) DO UPDATE SET role = ?2, grp = ?3");
  auto drop = db_.prepare("DELETE FROM domain WHERE name = ?");
  auto row = rows.begin();
  for (std::int64_t changed = 0; changed < kMostChanged;) {
    const auto* wanted = next_ < domains_.size() ? &domains_[next_] : nullptr;
    if (row == rows.end() && (wanted == nullptr || !are_all_read)) break;
    const bool is_new = row == rows.end() || (wanted != nullptr && wanted->name < row->name);
    const bool is_gone = !is_new && (wanted == nullptr || row->name < wanted->name);
    above_ = is_new ? wanted->name : row->name;
    if (is_gone) {
      drop.bind(row->name).run();
    } else if (is_new || row->role != role_of(*wanted) || row->group != wanted->group.text()) {
      put.bind(wanted->name, role_of(*wanted), wanted->group.text()).run();
    } else {
      --changed;
    }
    ++changed;
    if (!is_new) ++row;
    if (!is_gone) ++next_;
  }
  const bool is_more = row != rows.end() || !are_all_read || next_ < domains_.size();
  transaction.commit();
  return is_more;
}

}  // namespace storage
