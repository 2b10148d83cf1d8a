#include "storage/bounds.h"

#include <utility>
#include <vector>

#include <fmt/format.h>

namespace storage {
namespace {

// What goes at once, so that not every further version has to drop one.
constexpr std::int64_t kAtOnce = 50;

}  // namespace

Bounds::Bounds(Database& db)
    : db_(db),
      count_versions_(db.prepare("SELECT count(*) FROM version WHERE subject = ?")),
      sum_(db.prepare(
          "UPDATE subject SET summed = summed + o.n, "
          "summed_from = min(coalesce(summed_from, o.since), o.since), "
          "summed_until = max(coalesce(summed_until, o.until), o.until) "
          "FROM (SELECT count(*) AS n, min(first_seen) AS since, max(last_seen) AS until FROM "
          "(SELECT first_seen, last_seen FROM version WHERE subject = ?1 AND NOT is_open "
          "ORDER BY id LIMIT ?2)) o WHERE id = ?1 AND o.n > 0")),
      drop_(db.prepare("DELETE FROM version WHERE id IN (SELECT id FROM version WHERE subject = ?1 "
                       "AND NOT is_open ORDER BY id LIMIT ?2)")),
      count_subjects_(db.prepare("SELECT count(*) FROM subject WHERE kind = ?1 AND name > ?2 || "
                                 "'|' AND name < ?2 || '}'")),
      oldest_subjects_(db.prepare(
          "SELECT s.id FROM subject s WHERE s.kind = ?1 AND s.name > ?2 || '|' AND s.name < ?2 || "
          "'}' ORDER BY (SELECT max(v.last_seen) FROM version v WHERE v.subject = s.id), s.id "
          "LIMIT ?3")),
      move_sum_(db.prepare(
          "INSERT INTO subject(kind, name, summed, summed_from, summed_until) "
          "SELECT ?1, ?2, o.n, o.since, o.until FROM (SELECT "
          "s.summed + (SELECT count(*) FROM version v WHERE v.subject = s.id) AS n, "
          "coalesce(s.summed_from, (SELECT min(first_seen) FROM version v WHERE v.subject = s.id)) "
          "AS since, max(coalesce(s.summed_until, 0), coalesce((SELECT max(last_seen) FROM version "
          "v WHERE v.subject = s.id), 0)) AS until FROM subject s WHERE s.id = ?3) o WHERE o.n > 0 "
          "ON CONFLICT(kind, name) DO UPDATE SET summed = summed + excluded.summed, "
          "summed_from = min(coalesce(summed_from, excluded.summed_from), excluded.summed_from), "
          "summed_until = max(coalesce(summed_until, 0), excluded.summed_until)")),
      drop_subject_(db.prepare("DELETE FROM subject WHERE id = ?")) {}

void Bounds::keep(std::int64_t subject, const std::string& kind, const std::string& name) {
  count_versions_.bind(subject).step();
  const auto count = count_versions_.integer(0);
  count_versions_.reset();
  if (count > kMostVersions) sum_up(subject, kAtOnce);
  if (count == 1) keep_subjects(kind, name);
}

void Bounds::sum_up(std::int64_t subject, std::int64_t count) {
  sum_.bind(subject, count).run();
  drop_.bind(subject, count).run();
}

void Bounds::keep_subjects(const std::string& kind, const std::string& name) {
  const auto owner = name.substr(0, name.find('|'));
  if (owner == name) return;
  count_subjects_.bind(kind, owner).step();
  const auto count = count_subjects_.integer(0);
  count_subjects_.reset();
  if (count <= kMostSubjects) return;
  std::vector<std::int64_t> oldest;
  oldest_subjects_.bind(kind, owner, kAtOnce);
  while (oldest_subjects_.step()) oldest.push_back(oldest_subjects_.integer(0));
  oldest_subjects_.reset();
  auto drop = db_.prepare("DELETE FROM version WHERE subject = ?");
  for (const auto id : oldest) {
    move_sum_.bind(kind, owner, id).run();
    drop.bind(id).run();
    drop_subject_.bind(id).run();
  }
}

void Bounds::sweep(config::Time before) {
  std::vector<std::pair<std::int64_t, std::int64_t>> excess;
  {
    auto rows = db_.prepare(
        "SELECT subject, count(*) - ?1 FROM version GROUP BY subject "
        "HAVING count(*) > ?1");
    rows.bind(kMostVersions);
    while (rows.step()) excess.emplace_back(rows.integer(0), rows.integer(1));
  }
  for (const auto& [subject, count] : excess) sum_up(subject, count);
  db_.prepare(
         "UPDATE subject SET summed = 0, summed_from = NULL, summed_until = NULL "
         "WHERE summed_until < ?")
      .bind(before.time_since_epoch().count())
      .run();
  const auto drop_beyond = [&](const char* table, const char* part, const char* order,
                               const char* which) {
    db_.prepare(fmt::format("DELETE FROM {0} WHERE {3} AND ({1}) IN (SELECT {1} FROM {0} WHERE {3} "
                            "GROUP BY {1} HAVING count(*) > ?1) AND {2} NOT IN (SELECT {2} FROM "
                            "(SELECT {2}, row_number() OVER (PARTITION BY {1} ORDER BY {4} DESC) "
                            "AS place FROM {0} WHERE {3}) WHERE place <= ?1)",
                            table, part, std::string_view(table) == "letter" ? "n" : "id", which,
                            order))
        .bind(kMostEpisodes)
        .run();
  };
  drop_beyond("alert", "code, subject_kind, subject_name", "resolved",
              "state IN ('resolved', 'passed')");
  drop_beyond("transition", "alert", "id", "1");
  drop_beyond("letter", "alert", "n", "sent_at IS NOT NULL");
}

}  // namespace storage
