#pragma once

#include <cstdint>
#include <string>

#include "config/time.h"
#include "storage/database.h"

namespace storage {

// How subjects of a host are put in order, those first that are there, then those that went last;
// by when that was recorded, since the clock may have been set meanwhile. `s` is the subject.
inline constexpr const char* kNewestFirst =
    "(SELECT c.body IN ('[]', 'null', '{\"gone\":true}') FROM version v "
    "JOIN content c ON c.id = v.content WHERE v.subject = s.id ORDER BY v.id DESC LIMIT 1) "
    "NULLS FIRST, (SELECT max(v.id) FROM version v WHERE v.subject = s.id) DESC NULLS LAST";

// What one subject may cost, in rows. A host that shows another key at every look, a zone whose
// records never stay, addresses that come and go: nobody reads the hundredth thousandth version,
// but everybody would pay for it. The newest are kept; of the others remains how many there were,
// and from when to when (columns summed, summed_from and summed_until of the subject). To be used
// within a transaction; throws Fault.
class Bounds {
 public:
  // Versions of one subject. A zone signed every day has 365 in a year, a key changed every week
  // with three steps a change 160.
  static constexpr std::int64_t kMostVersions = 500;
  // Subjects of one kind that a host has: its endpoints, its name servers. Those that went longest
  // ago are dropped first.
  static constexpr std::int64_t kMostSubjects = 512;
  // Versions of all of them together, about; each has a share of it.
  static constexpr std::int64_t kMostOfHost = 10'000;
  // Ended alerts about one subject with one code; steps of one alert; notifications of it that were
  // sent.
  static constexpr std::int64_t kMostEpisodes = 200;

  explicit Bounds(Database& db);

  // To be called for every version that was added. True: subjects of that host were dropped for it.
  bool keep(std::int64_t subject, const std::string& kind, const std::string& name);
  // The same for what was not added now: another subject of its host may be, so that each has less,
  // and in a file from before there were no bounds. Of the subjects whose ids are above `from` and
  // not above `to`; and of a host that has so many of a kind.
  void trim(std::int64_t from, std::int64_t to);
  void trim(const std::string& kind, const std::string& host, std::int64_t subjects);

 private:
  void sum_up(std::int64_t subject, std::int64_t count);
  std::int64_t siblings(const std::string& kind, const std::string& host);
  void drop_subjects(const std::string& kind, const std::string& host, std::int64_t count);
  template <class... Values>
  void leave(const char* which, std::int64_t most, const Values&... values);

  Database& db_;
  Statement count_versions_, sum_, oldest_, count_subjects_, oldest_subjects_, move_sum_, versions_,
      drop_subject_;
};

}  // namespace storage
