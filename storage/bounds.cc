#include "storage/bounds.h"

#include <algorithm>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "storage/drop.h"

namespace storage {
namespace {

// Subjects go so many at once, so that not every further one has to drop another.
constexpr std::int64_t kAtOnce = 50;
// Versions, too: a tenth. What a file from before has beyond that is for the sweep.
constexpr std::int64_t kMostAtOnce = 1'000;

// Of each subject, where a host has so many.
std::int64_t share_of(std::int64_t subjects) {
  return std::min(Bounds::kMostVersions, Bounds::kMostOfHost / std::max<std::int64_t>(1, subjects));
}

// Nothing for a subject that is not one of a host's.
std::string host_of(const std::string& name) {
  const auto cut = name.find('|');
  return cut == std::string::npos ? "" : name.substr(0, cut);
}

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
          "ORDER BY id LIMIT ?2) AS oldest) o WHERE id = ?1 AND o.n > 0")),
      oldest_(db.prepare(
          "SELECT id FROM version WHERE subject = ? AND NOT is_open ORDER BY id LIMIT ?")),
      count_subjects_(db.prepare("SELECT count(*) FROM subject WHERE kind = ?1 AND name > ?2 || "
                                 "'|' AND name < ?2 || '}'")),
      oldest_subjects_(db.prepare(
          fmt::format("SELECT id FROM (SELECT s.id, row_number() OVER (ORDER BY {}) AS place "
                      "FROM subject s WHERE s.kind = ?1 AND s.name > ?2 || '|' AND "
                      "s.name < ?2 || '}}') AS placed ORDER BY place DESC LIMIT ?3",
                      kNewestFirst))),
      move_sum_(db.prepare(
          "INSERT INTO subject(kind, name, summed, summed_from, summed_until) "
          "SELECT ?1, ?2, o.n, o.since, o.until FROM (SELECT "
          "s.summed + (SELECT count(*) FROM version v WHERE v.subject = s.id) AS n, "
          "coalesce(s.summed_from, (SELECT min(first_seen) FROM version v WHERE v.subject = s.id)) "
          "AS since, max(coalesce(s.summed_until, 0), coalesce((SELECT max(last_seen) FROM version "
          "v WHERE v.subject = s.id), 0)) AS until FROM subject s WHERE s.id = ?3) o WHERE o.n > 0 "
          "ON CONFLICT(kind, name) DO UPDATE SET summed = subject.summed + excluded.summed, "
          "summed_from = min(coalesce(subject.summed_from, excluded.summed_from), "
          "excluded.summed_from), "
          "summed_until = max(coalesce(subject.summed_until, 0), excluded.summed_until)")),
      versions_(db.prepare("SELECT id FROM version WHERE subject = ?")),
      drop_subject_(db.prepare("DELETE FROM subject WHERE id = ?")) {}

bool Bounds::keep(std::int64_t subject, const std::string& kind, const std::string& name) {
  count_versions_.bind(subject).step();
  const auto count = count_versions_.integer(0);
  count_versions_.reset();
  const auto host = host_of(name);
  const auto subjects = host.empty() ? 1 : siblings(kind, host);
  const auto most = share_of(subjects);
  if (count > most) sum_up(subject, std::min(count - most + most / 10, kMostAtOnce));
  if (subjects <= kMostSubjects) return false;
  drop_subjects(kind, host, subjects - kMostSubjects + kAtOnce);
  return true;
}

std::int64_t Bounds::siblings(const std::string& kind, const std::string& host) {
  count_subjects_.bind(kind, host).step();
  const auto count = count_subjects_.integer(0);
  count_subjects_.reset();
  return count;
}

void Bounds::sum_up(std::int64_t subject, std::int64_t count) {
  sum_.bind(subject, count).run();
  drop_versions(db_, ids_of(oldest_.bind(subject, count)));
  oldest_.reset();
}

void Bounds::drop_subjects(const std::string& kind, const std::string& host, std::int64_t count) {
  const auto oldest = ids_of(oldest_subjects_.bind(kind, host, count));
  oldest_subjects_.reset();
  for (const auto id : oldest) {
    move_sum_.bind(kind, host, id).run();
    drop_versions(db_, ids_of(versions_.bind(id)));
    versions_.reset();
    drop_subject_.bind(id).run();
  }
}

void Bounds::trim(std::int64_t from, std::int64_t to) {
  leave("subject > ?2 AND subject <= ?3", kMostVersions, from, to);
}

void Bounds::trim(const std::string& kind, const std::string& host, std::int64_t subjects) {
  if (subjects > kMostSubjects) drop_subjects(kind, host, subjects - kMostSubjects);
  leave(
      "subject IN (SELECT id FROM subject WHERE kind = ?2 AND name > ?3 || '|' AND "
      "name < ?3 || '}')",
      share_of(std::min(subjects, kMostSubjects)), kind, host);
}

// Leaves each of the subjects so many versions.
template <class... Values>
void Bounds::leave(const char* which, std::int64_t most, const Values&... values) {
  std::vector<std::pair<std::int64_t, std::int64_t>> excess;
  auto rows = db_.prepare(
      fmt::format("SELECT subject, count(*) - ?1 FROM version WHERE {} GROUP BY subject "
                  "HAVING count(*) > ?1",
                  which));
  rows.bind(most, values...);
  while (rows.step()) excess.emplace_back(rows.integer(0), rows.integer(1));
  rows.reset();
  for (const auto& [subject, count] : excess) sum_up(subject, count);
}

}  // namespace storage
