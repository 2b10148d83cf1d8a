#include "storage/schema.h"

#include <array>

#include <fmt/format.h>

namespace storage {
namespace {

// "DANE" in ASCII: marks the file as ours (PRAGMA application_id).
constexpr std::int64_t kApplication = 0x44414E45;

// Numbered from 1. A migration that was released is never changed; what is wrong is put right by
// the next.
constexpr std::array kMigrations{
    // History: a version says that a fact (kind, subject) had a content from first_seen to
    // last_seen. Contents are
    // stored once. A version is open while it is what was last seen; an unchanged fact only moves
    // last_seen.
    R"(
CREATE TABLE content (id INTEGER PRIMARY KEY, body TEXT NOT NULL UNIQUE);
CREATE TABLE version (
  id INTEGER PRIMARY KEY, kind TEXT NOT NULL, subject TEXT NOT NULL, content INTEGER NOT NULL REFERENCES content(id),
  first_seen INTEGER NOT NULL, last_seen INTEGER NOT NULL, is_open INTEGER NOT NULL);
CREATE UNIQUE INDEX version_open ON version(kind, subject) WHERE is_open;
CREATE INDEX version_by_subject ON version(kind, subject, first_seen);
CREATE TABLE domain (
  name TEXT PRIMARY KEY, role TEXT NOT NULL, grp TEXT NOT NULL, verdict TEXT, weakest TEXT,
  severity TEXT NOT NULL DEFAULT 'info', status TEXT NOT NULL DEFAULT 'unknown',
  worst_code TEXT, worst_severity TEXT, worst_title TEXT,
  mx_hosts INTEGER NOT NULL DEFAULT 0, dane_mx_hosts INTEGER NOT NULL DEFAULT 0,
  observed_at INTEGER, next_check_at INTEGER, report TEXT) WITHOUT ROWID;
CREATE INDEX domain_by_status ON domain(status, name);
CREATE TABLE alert (
  id TEXT PRIMARY KEY, state TEXT NOT NULL, code TEXT NOT NULL, subject_kind TEXT NOT NULL, subject_name TEXT NOT NULL,
  severity TEXT NOT NULL, finding TEXT NOT NULL, domains TEXT NOT NULL, first_seen INTEGER NOT NULL,
  last_seen INTEGER NOT NULL, opened INTEGER, resolved INTEGER, looks_seen INTEGER NOT NULL,
  looks_clean INTEGER NOT NULL) WITHOUT ROWID;
CREATE INDEX alert_by_state ON alert(state, last_seen);
CREATE TABLE transition (
  id INTEGER PRIMARY KEY, at INTEGER NOT NULL, alert TEXT NOT NULL, what TEXT NOT NULL, reason TEXT NOT NULL);
)",
    // Chains name their certificates, which are kept once and whole: what a server showed yesterday
    // is held against what is published today.
    R"(
CREATE TABLE certificate (sha256 TEXT PRIMARY KEY, der BLOB NOT NULL) WITHOUT ROWID;
UPDATE version SET is_open = 0 WHERE kind IN ('chain', 'signature');
)",
};

}  // namespace

bool is_ours(Database& db) {
  return db.integer("PRAGMA application_id") == kApplication;
}

void migrate(Database& db) {
  const auto version = db.integer("PRAGMA user_version");
  const bool is_empty = db.integer("SELECT count(*) FROM sqlite_schema") == 0;
  if (!is_empty && !is_ours(db)) throw Fault("the file is another program's database");
  if (version > static_cast<std::int64_t>(kMigrations.size())) {
    throw Fault(
        fmt::format("the file was written by a newer danelaw (schema {}; this one knows {})",
                    version, kMigrations.size()));
  }
  for (auto next = static_cast<std::size_t>(version); next < kMigrations.size(); ++next) {
    Transaction transaction{db};
    db.execute(kMigrations[next]);
    db.execute(fmt::format("PRAGMA application_id = {}; PRAGMA user_version = {}", kApplication,
                           next + 1));
    transaction.commit();
  }
}

}  // namespace storage
