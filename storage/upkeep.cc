#include "storage/upkeep.h"

#include <array>
#include <condition_variable>
#include <ctime>
#include <system_error>
#include <thread>
#include <utility>

#include <fmt/format.h>
#include <sys/resource.h>
#include <sys/statvfs.h>

#include "config/mutex.h"

namespace storage {
namespace {

using std::chrono::steady_clock;

constexpr std::chrono::minutes kEvery{1};
constexpr std::chrono::milliseconds kBetweenSteps{20};  // for who waits to record
constexpr int kPagesAStep = 100;
constexpr int kStepsAtOnce = 50;
constexpr std::chrono::hours kChecked{20};  // so long is a whole check good for
constexpr std::chrono::hours kOverdue{72};  // then it is made at any hour
constexpr std::int64_t kFewPages = 256;     // a megabyte

// In the small hours most machines have least to do.
bool is_idle_hour() {
  const auto now = std::time(nullptr);
  std::tm local{};
  localtime_r(&now, &local);
  return local.tm_hour >= 2 && local.tm_hour < 5;
}

std::string words(std::string_view found, const char* how = kRestore) {
  return fmt::format("the database is damaged: {}; stop the agent and go on from a backup: {}",
                     found, how);
}

// What SQLite takes for sound, since it does not know what rows mean: a block of the disk that came
// back as something else.
constexpr std::array<std::pair<const char*, const char*>, 8> kWrong{{
    {"SELECT 1 FROM content WHERE digest <> substr(sha256(body), 1, 8)",
     "what was seen is not what was recorded"},
    {"SELECT 1 FROM certificate WHERE sha256 <> sha256(der)",
     "a certificate is not what was recorded"},
    {"SELECT 1 FROM version WHERE content NOT IN (SELECT id FROM content) "
     "OR subject NOT IN (SELECT id FROM subject) OR first_seen > last_seen",
     "history names what is not there"},
    {"SELECT 1 FROM alert WHERE NOT json_valid(finding) OR NOT json_valid(domains) "
     "OR NOT json_valid(rest) "
     "OR digest <> substr(sha256(state || severity || finding || domains || rest), 1, 8)",
     "an alert is not what was recorded"},
    {"SELECT 1 FROM domain WHERE report IS NOT NULL "
     "AND (NOT json_valid(report) OR digest <> substr(sha256(report), 1, 8))",
     "a domain's report is not what was recorded"},
    {"SELECT 1 FROM letter WHERE NOT json_valid(body) OR digest <> substr(sha256(body), 1, 8) "
     "UNION ALL SELECT 1 FROM silence "
     "WHERE NOT json_valid(body) OR digest <> substr(sha256(body), 1, 8) "
     "UNION ALL SELECT 1 FROM exception "
     "WHERE NOT json_valid(body) OR digest <> substr(sha256(body), 1, 8)",
     "a notice, silence or exception is not what was recorded"},
    {"SELECT 1 FROM evidence WHERE digest <> substr(sha256(body), 1, 8)",
     "an alert's evidence is not what was recorded"},
    // Of these nothing is lost that would not be seen again: their form is enough.
    {"SELECT 1 FROM announced WHERE NOT json_valid(body) "
     "UNION ALL SELECT 1 FROM not_for_mail WHERE NOT json_valid(body) "
     "UNION ALL SELECT 1 FROM renewal WHERE NOT json_valid(body) "
     "UNION ALL SELECT 1 FROM anchor_key WHERE NOT json_valid(body) "
     "UNION ALL SELECT 1 FROM domain_list WHERE NOT json_valid(body) "
     "UNION ALL SELECT 1 FROM own_delivery WHERE NOT json_valid(body) "
     "UNION ALL SELECT 1 FROM own_disagreement WHERE NOT json_valid(body) "
     "UNION ALL SELECT 1 FROM own_undecided WHERE NOT json_valid(body) "
     "UNION ALL SELECT 1 FROM tlsrpt_report WHERE typeof(begins) <> 'integer' OR begins > ends "
     "UNION ALL SELECT 1 FROM tlsrpt_sessions WHERE typeof(sessions) <> 'integer' "
     "OR report NOT IN (SELECT id FROM tlsrpt_report)",
     "what others reported is not what was recorded"},
}};

// SQLite's own table, which it does not look at: how far ids were given out.
constexpr auto kWrongSequence =
    "SELECT 1 FROM sqlite_sequence WHERE typeof(seq) <> 'integer' "
    "OR name IS NULL OR name NOT IN (SELECT name FROM sqlite_schema WHERE type = 'table') LIMIT 1";

std::optional<std::string> find_wrong_rows(Database& db) {
  for (const auto& [query, what] : kWrong) {
    auto rows = db.prepare(fmt::format("{} LIMIT 1", query));
    if (rows.step()) return words(what, db.is_postgresql() ? "pg_restore" : kRestore);
  }
  return std::nullopt;
}

}  // namespace

std::optional<std::string> find_damage(Database& db, Depth depth) {
  if (db.is_postgresql()) return find_wrong_rows(db);
  try {
    auto row =
        db.prepare(depth == Depth::quick ? "PRAGMA quick_check(1)" : "PRAGMA integrity_check(1)");
    if (!row.step()) return "the check says nothing";
    const auto found = row.text(0);
    if (found != "ok") return words(found);
    if (db.prepare(kWrongSequence).step())
      return words("what ids were given out is not what was recorded");
    return find_wrong_rows(db);
  } catch (const Damage& damage) {
    return damage.what();
  }
}

std::int64_t used_octets(Database& db) {
  const auto pages = db.integer("PRAGMA page_count") - db.integer("PRAGMA freelist_count");
  return pages * db.integer("PRAGMA page_size");
}

void allow_giving_back(Database& db, const std::filesystem::path& file) {
  constexpr std::int64_t kIncremental = 2;
  if (db.integer("PRAGMA auto_vacuum") == kIncremental) return;
  const auto used = used_octets(db);
  struct statvfs disk {};
  // The copy, and the log through which it comes into the file.
  const bool has_room = statvfs(file.c_str(), &disk) == 0 &&
                        static_cast<std::int64_t>(disk.f_bavail * disk.f_frsize) > 3 * used;
  if (used > kMostRewritten || !has_room) return;
  try {
    db.execute("PRAGMA auto_vacuum = INCREMENTAL; VACUUM");
    db.execute("PRAGMA wal_checkpoint(TRUNCATE)");
  } catch (const Fault&) {
    // Nothing is lost: the file is as it was.
  }
}

bool give_back(Database& db, int pages) {
  const auto has_too_many = [&] {
    const auto free = db.integer("PRAGMA freelist_count");
    return free > kFewPages && free > db.integer("PRAGMA page_count") / 10;
  };
  if (!has_too_many()) return false;
  const auto before = db.integer("PRAGMA freelist_count");
  db.prepare(fmt::format("PRAGMA incremental_vacuum({})", pages)).run();
  // A file that was not made for it keeps them.
  return db.integer("PRAGMA freelist_count") < before && has_too_many();
}

struct Upkeep::State {
  State(Place at, std::optional<std::string> found, bool was_checked)
      : place(std::move(at)), damage(std::move(found)), is_checked(was_checked) {
    try {
      thread = std::jthread([this](const std::stop_token& stop) { work(stop); });
    } catch (const std::system_error&) {
      // Without a thread to spare the file is neither made smaller nor looked through; it is used
      // all the same.
    }
  }

  void work(const std::stop_token& stop) {
    setpriority(PRIO_PROCESS, 0, 10);  // of this thread, in Linux
    config::Lock lock(mutex);
    while (!stop.stop_requested()) {
      lock.unlock();
      try {
        work_once(stop);
      } catch (const std::exception&) {
        // As when somebody writes for long: there is another minute.
      }
      lock.lock();
      wake.wait_for(lock, stop, kEvery, [] { return false; });
    }
  }

  void work_once(const std::stop_token& stop) {
    Database db{place, Database::Mode::create};
    db.wait_at_most(std::chrono::hours{24});
    // Nobody who ends the agent waits for a long look.
    const std::stop_callback interrupt(stop, [&] { db.interrupt(); });
    if (!is_checked) {
      tell(find_damage(db, Depth::quick));
      is_checked = true;
    }
    for (int i = 0; !db.is_postgresql() && i < kStepsAtOnce && !stop.stop_requested() &&
                    give_back(db, kPagesAStep);
         ++i)
      std::this_thread::sleep_for(kBetweenSteps);
    const auto age = steady_clock::now() - looked_through_at;
    if (stop.stop_requested() || !(age > kOverdue || (age > kChecked && is_idle_hour()))) return;
    tell(find_damage(db, Depth::whole));
    looked_through_at = steady_clock::now();
  }

  void tell(std::optional<std::string> found) {
    const config::Lock lock(mutex);
    damage = std::move(found);
  }

  const Place place;
  mutable config::Mutex mutex;
  std::optional<std::string> damage GUARDED_BY(mutex);
  bool is_checked;
  steady_clock::time_point looked_through_at = steady_clock::now();
  std::condition_variable_any wake;
  std::jthread thread;  // last: it uses the others
};

Upkeep::Upkeep(Place place, std::optional<std::string> damage, bool is_checked)
    : state_(std::make_unique<State>(std::move(place), std::move(damage), is_checked)) {}

Upkeep::~Upkeep() = default;

std::optional<std::string> Upkeep::damage() const {
  const config::Lock lock(state_->mutex);
  return state_->damage;
}

}  // namespace storage
