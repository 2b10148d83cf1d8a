#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>
#include <random>
#include <string>

#include <gtest/gtest.h>

#include "storage/upkeep.h"
#include "tests/support/finish.h"
#include "tests/unit/storage/store.h"

// Blocks of a disk that come back as something else. Whatever is hit: what is recorded is still all
// there and right, or the start is refused with the way back, or the agent starts and says that its
// database is damaged. Nothing crashes, and nothing is taken for true that was not recorded.
namespace {

using storage::Database;
using storage::DatabaseRecorder;
using support::kNow;
using support::Store;
using support::TemporaryFolder;

constexpr int kTries = 96;
constexpr std::size_t kPage = 4096;
constexpr std::size_t kSector = 512;

std::string read(const std::filesystem::path& file) {
  std::ifstream in{file, std::ios::binary};
  return {std::istreambuf_iterator<char>(in), {}};
}

void write(const std::filesystem::path& file, const std::string& octets) {
  std::ofstream{file, std::ios::binary | std::ios::trunc} << octets;
}

// Every row of every table.
std::string contents(const std::filesystem::path& file) {
  Database db{file, Database::Mode::create};
  std::string out;
  auto tables = db.prepare(
      "SELECT name, (SELECT group_concat('quote(\"' || name || '\")', '||''|''||') "
      "FROM pragma_table_info(s.name)) FROM sqlite_schema s WHERE type = 'table' ORDER BY name");
  while (tables.step()) {
    auto rows = db.prepare("SELECT " + tables.text(1) + " FROM \"" + tables.text(0) + "\"");
    while (rows.step()) out += tables.text(0) + ": " + rows.text(0) + "\n";
  }
  return out;
}

// A database with something in every table that matters, over some pages; whole in one file.
std::string sound_database() {
  Store store;
  store.keep_only({{.name = "example.test", .group = "ours"}});
  for (int i = 0; i < 40; ++i) {
    support::Scene scene;
    const auto at = kNow + i * support::kMinute;
    auto round = support::host_round(scene, at);
    round.alerts.push_back(
        support::alert("alert-" + std::to_string(i), agent::AlertState::firing, at));
    round.transitions.push_back({.alert_id = "alert-" + std::to_string(i), .reason = "seen twice"});
    store.record(support::domain_round(scene, at));
    store.record(round);
  }
  store.outside().execute("PRAGMA wal_checkpoint(TRUNCATE)");
  store.close();
  return read(store.file());
}

enum class Kind { zeros, noise, bit, truncated, other_page, header };
constexpr int kKinds = 6;

std::string corrupted(std::string octets, Kind kind, std::mt19937& random) {
  const auto any = [&](std::size_t below) {
    return std::uniform_int_distribution<std::size_t>{0, below - 1}(random);
  };
  const auto sector = any(octets.size() / kSector) * kSector;
  const auto pages = octets.size() / kPage;
  switch (kind) {
    case Kind::zeros:
      octets.replace(sector, kSector, kSector, '\0');
      break;
    case Kind::noise:
      for (std::size_t i = 0; i < kSector; ++i) octets[sector + i] = static_cast<char>(any(256));
      break;
    case Kind::bit: {  // of the structure: the header of a page
      auto& octet = octets[any(pages) * kPage + any(8)];
      octet = static_cast<char>(octet ^ (1 << any(8)));
      break;
    }
    case Kind::truncated:
      octets.resize(any(octets.size()));
      break;
    case Kind::other_page:
      octets.replace(any(pages) * kPage, kPage, octets.substr(any(pages) * kPage, kPage));
      break;
    case Kind::header:
      octets[any(100)] = static_cast<char>(any(256));
      break;
  }
  return octets;
}

// Whatever the agent and the page do with the file; nothing but faults may come of it. False when
// nothing can be recorded, which the journal tells.
bool use(DatabaseRecorder& recorder, const std::filesystem::path& file) {
  (void)recorder.restore(kNow);
  (void)recorder.protected_domains(kNow);
  (void)recorder.host_history(support::name("mx.example.test"), kNow - support::kMinute);
  (void)recorder.mx_signatures(support::name("example.test"), kNow - support::kMinute);
  if (auto queries = storage::Queries::open(file)) {
    (void)(*queries)->domains();
    (void)(*queries)->domain("example.test");
    (void)(*queries)->alerts(std::nullopt, 100);
    (void)(*queries)->alert("alert-3");
    (void)(*queries)->history({.names = {"example.test", "mx.example.test"}});
    (void)(*queries)->row_counts();
  }
  const bool is_recorded =
      recorder.record(support::host_round(support::Scene{}, kNow + 100 * support::kMinute))
          .has_value();
  (void)support::finish(recorder.forget(kNow));
  return is_recorded;
}

enum class Outcome { harmless, refused, told, silent };

Outcome outcome_of(const std::filesystem::path& file, const std::string& sound) {
  auto opened = DatabaseRecorder::open(file);
  if (!opened) {
    EXPECT_NE(opened.error().detail.find("danelaw restore"), std::string::npos)
        << opened.error().detail;
    return Outcome::refused;
  }
  auto found = (*opened)->damage();
  if (!found) {  // what a night's look through it finds
    Database db{file, Database::Mode::create};
    found = storage::find_damage(db, storage::Depth::whole);
  }
  const bool is_same = !found && contents(file) == sound;
  const bool is_recorded = use(**opened, file);
  if (is_same && is_recorded) return Outcome::harmless;
  if (!found) return is_recorded ? Outcome::silent : Outcome::told;
  EXPECT_NE(found->find("danelaw restore"), std::string::npos) << *found;
  return Outcome::told;
}

TEST(ADamagedDatabase, IsHarmlessOrRefusedOrToldWhateverIsHit) {
  const auto sound = sound_database();
  ASSERT_EQ(sound.size() % kPage, 0U);
  ASSERT_GT(sound.size() / kPage, 20U);
  const TemporaryFolder folder;
  const auto original = folder.path() / "original.db";
  write(original, sound);
  const auto rows = contents(original);
  ASSERT_NE(rows.find("alert-39"), std::string::npos);
  std::mt19937 random{20261128};
  std::map<Outcome, int> outcomes;
  for (int i = 0; i < kTries; ++i) {
    const TemporaryFolder place;
    const auto file = place.path() / "danelaw.db";
    const auto kind = static_cast<Kind>(i % kKinds);
    write(file, corrupted(sound, kind, random));
    const auto outcome = outcome_of(file, rows);
    EXPECT_NE(outcome, Outcome::silent) << "try " << i << ", kind " << i % kKinds;
    ++outcomes[outcome];
  }
  // Every outcome was tried.
  EXPECT_GT(outcomes[Outcome::refused], 5);
  EXPECT_GT(outcomes[Outcome::told], 5);
  EXPECT_GT(outcomes[Outcome::harmless], 0);
}

TEST(Rows, ThatAreNotWhatWasRecordedAreTold) {
  for (const auto* harm : {"UPDATE content SET body = replace(body, 'secure', 'sekure')",
                           "UPDATE certificate SET der = substr(der, 2)",
                           "UPDATE alert SET finding = '{'", "UPDATE alert SET state = 'resolved'",
                           "UPDATE domain SET report = replace(report, 'weakest', 'weaKest')",
                           "UPDATE version SET content = 4711", "UPDATE domain SET report = 'x'"}) {
    Store store;
    auto round = support::host_round(support::Scene{});
    round.alerts.push_back(support::alert("one", agent::AlertState::firing));
    store.keep_only({{.name = "example.test"}});
    store.record(support::domain_round(support::Scene{}));
    store.record(round);
    EXPECT_EQ(storage::find_damage(store.outside(), storage::Depth::quick), std::nullopt);
    store.outside().execute(harm);
    const auto found = storage::find_damage(store.outside(), storage::Depth::quick);
    ASSERT_TRUE(found) << harm;
    EXPECT_NE(found->find("go on from a backup"), std::string::npos) << *found;
  }
}

}  // namespace
