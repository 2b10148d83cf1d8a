#include "storage/drop.h"

#include <algorithm>
#include <span>

#include <fmt/format.h>
#include <fmt/ranges.h>

namespace storage {
namespace {

// In one statement.
constexpr std::size_t kMostAtOnce = 1'000;

// `sql` has {} where they stand; the ids that it gives back.
Ids of_each(Database& db, const char* sql, const Ids& ids) {
  Ids out;
  for (std::size_t from = 0; from < ids.size(); from += kMostAtOnce) {
    const auto some = std::span(ids).subspan(from, std::min(kMostAtOnce, ids.size() - from));
    auto statement = db.prepare(fmt::format(fmt::runtime(sql), fmt::join(some, ",")));
    const auto given = ids_of(statement);
    out.insert(out.end(), given.begin(), given.end());
  }
  return out;
}

}  // namespace

Ids ids_of(Statement& statement) {
  Ids out;
  while (statement.step()) out.push_back(statement.integer(0));
  return out;
}

void drop_versions(Database& db, const Ids& versions) {
  auto contents = of_each(db, "DELETE FROM version WHERE id IN ({}) RETURNING content", versions);
  std::ranges::sort(contents);
  const auto twice = std::ranges::unique(contents);
  contents.erase(twice.begin(), twice.end());
  of_each(db,
          "DELETE FROM content WHERE id IN ({}) AND NOT EXISTS "
          "(SELECT 1 FROM version v WHERE v.content = content.id) RETURNING id",
          contents);
}

bool drop_unused_subjects(Database& db, const Ids& subjects) {
  return !of_each(db,
                  "DELETE FROM subject WHERE id IN ({}) AND summed = 0 AND NOT EXISTS "
                  "(SELECT 1 FROM version v WHERE v.subject = subject.id) RETURNING id",
                  subjects)
              .empty();
}

}  // namespace storage
