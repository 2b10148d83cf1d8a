#include "storage/schema.h"

#include <algorithm>
#include <array>

#include <fmt/format.h>

#include "storage/schema_postgres.h"

namespace storage {
namespace {

// "DANE" in ASCII: marks the file as ours (PRAGMA application_id).
constexpr std::int64_t kApplication = 0x44414E45;

// Numbered from 1. A migration that was released is never changed in what it leaves; what is wrong
// with that is put right by the next.
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
    // A year of many hosts is small: what versions are of is written once, and so are contents,
    // found by eight octets of their digest. Certificates lie in a table with row ids; one without
    // them keeps at most a quarter of a page of a row, and gave each a further page of its own.
    // version.content is no foreign key: SQLite would look through all versions at every content
    // that is dropped, and only contents without versions are.
    R"(
CREATE TABLE subject (id INTEGER PRIMARY KEY, kind TEXT NOT NULL, name TEXT NOT NULL, UNIQUE (kind, name));
INSERT INTO subject(kind, name) SELECT DISTINCT kind, subject FROM version;
CREATE TABLE new_version (
  id INTEGER PRIMARY KEY, subject INTEGER NOT NULL REFERENCES subject(id), content INTEGER NOT NULL,
  first_seen INTEGER NOT NULL, last_seen INTEGER NOT NULL, is_open INTEGER NOT NULL);
INSERT INTO new_version SELECT v.id, s.id, v.content, v.first_seen, v.last_seen, v.is_open
  FROM version v JOIN subject s ON s.kind = v.kind AND s.name = v.subject;
DROP TABLE version;
ALTER TABLE new_version RENAME TO version;
CREATE UNIQUE INDEX version_open ON version(subject) WHERE is_open;
CREATE INDEX version_by_subject ON version(subject, first_seen);
CREATE TABLE new_content (id INTEGER PRIMARY KEY, digest BLOB NOT NULL, body TEXT NOT NULL);
INSERT INTO new_content SELECT id, substr(sha256(body), 1, 8), body FROM content;
DROP TABLE content;
ALTER TABLE new_content RENAME TO content;
CREATE INDEX content_by_digest ON content(digest);
CREATE TABLE new_certificate (id INTEGER PRIMARY KEY, sha256 BLOB NOT NULL UNIQUE, der BLOB NOT NULL);
INSERT INTO new_certificate(sha256, der) SELECT sha256(der), der FROM certificate;
DROP TABLE certificate;
ALTER TABLE new_certificate RENAME TO certificate;
)",
    // Alerts with a root cause, hits, acknowledgement and what was told; notifications on their
    // way,
    // which stay as the log of who was told; what people asked not to be told; exceptions in their
    // Postfix; what notifiers must remember.
    R"(
ALTER TABLE alert ADD COLUMN rest TEXT NOT NULL DEFAULT '{}';
CREATE TABLE letter (
  n INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, notifier TEXT NOT NULL, alert TEXT NOT NULL,
  notice TEXT NOT NULL, made_at INTEGER NOT NULL, body TEXT NOT NULL, attempts INTEGER NOT NULL DEFAULT 0,
  next_try INTEGER NOT NULL, sent_at INTEGER, fault TEXT);
CREATE INDEX letter_waiting ON letter(notifier, next_try) WHERE sent_at IS NULL;
CREATE INDEX letter_by_alert ON letter(alert);
CREATE TABLE silence (id TEXT PRIMARY KEY, ends INTEGER NOT NULL, body TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE exception (domain TEXT PRIMARY KEY, body TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE memo (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
)",
    // How many versions of a subject are no more than counted, and from when to when they were
    // (storage/bounds.h).
    R"(
ALTER TABLE subject ADD COLUMN summed INTEGER NOT NULL DEFAULT 0;
ALTER TABLE subject ADD COLUMN summed_from INTEGER;
ALTER TABLE subject ADD COLUMN summed_until INTEGER;
)",
    // Eight octets of the digest of what is written, as contents have them: what a disk gives back
    // as something else is told (storage/upkeep.h). Null in rows from before.
    R"(
ALTER TABLE domain ADD COLUMN digest BLOB;
ALTER TABLE alert ADD COLUMN digest BLOB;
ALTER TABLE letter ADD COLUMN digest BLOB;
ALTER TABLE silence ADD COLUMN digest BLOB;
ALTER TABLE exception ADD COLUMN digest BLOB;
)",
    // Who did what to the agent (storage/act_log.h). Ids are never used twice: what is bounded and
    // read by them must only rise.
    R"(
CREATE TABLE act (
  id INTEGER PRIMARY KEY AUTOINCREMENT, at INTEGER NOT NULL, by TEXT NOT NULL, login TEXT NOT NULL, what TEXT NOT NULL,
  subject_kind TEXT NOT NULL, subject TEXT NOT NULL, comment TEXT NOT NULL, fault TEXT);
)",
    // What was known of a domain last, while nothing is: known_report only where that is not
    // `report`. Null until it was known once.
    R"(
ALTER TABLE domain ADD COLUMN known_at INTEGER;
ALTER TABLE domain ADD COLUMN known_verdict TEXT;
ALTER TABLE domain ADD COLUMN known_status TEXT;
ALTER TABLE domain ADD COLUMN known_report TEXT;
)",
    // The observations that an alert rests on, whole (probes/codec/recorded.h).
    R"(
CREATE TABLE evidence (id INTEGER PRIMARY KEY, alert TEXT NOT NULL, at INTEGER NOT NULL, body BLOB NOT NULL,
  digest BLOB NOT NULL, UNIQUE (alert, at));
)",
    // What senders reported (storage/sender_reports.h). Ids rise and are never used twice: what is
    // bounded, and who waits for news, goes by them. `report_id`: the sender's, a blank and the
    // digest of what the report says; in rows of before the sender's alone.
    R"(
CREATE TABLE tlsrpt_report (
  id INTEGER PRIMARY KEY AUTOINCREMENT, organization TEXT NOT NULL, report_id TEXT NOT NULL, begins INTEGER NOT NULL,
  ends INTEGER NOT NULL, taken_at INTEGER NOT NULL, UNIQUE (organization, report_id));
CREATE INDEX tlsrpt_report_by_end ON tlsrpt_report(ends);
CREATE TABLE tlsrpt_sessions (
  id INTEGER PRIMARY KEY AUTOINCREMENT, report INTEGER NOT NULL, domain TEXT NOT NULL, policy TEXT NOT NULL,
  mx_host TEXT NOT NULL, result_type TEXT NOT NULL, sessions INTEGER NOT NULL, senders INTEGER NOT NULL,
  receivers INTEGER NOT NULL);
CREATE INDEX tlsrpt_sessions_by_report ON tlsrpt_sessions(report);
CREATE INDEX tlsrpt_sessions_by_domain ON tlsrpt_sessions(domain, report);
CREATE INDEX tlsrpt_sessions_by_host ON tlsrpt_sessions(mx_host, report) WHERE mx_host <> '';
)",
    // What our own Postfix' deliveries came to, a domain; how often verdicts foretold them; up to
    // where its log was read (agent/postfix/delivery_book.h).
    R"(
CREATE TABLE own_delivery (domain TEXT PRIMARY KEY, body TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE own_delivery_state (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE own_disagreement (id INTEGER PRIMARY KEY AUTOINCREMENT, body TEXT NOT NULL);
)",
    // Certificates shown before any host presented them (storage/announced.h), the chain as DER,
    // leaf first; and keys of which operators said that they are for no mail server.
    R"(
CREATE TABLE announced (
  id TEXT PRIMARY KEY, key TEXT NOT NULL, shown_at INTEGER NOT NULL, not_after INTEGER NOT NULL, body TEXT NOT NULL,
  chain BLOB NOT NULL);
CREATE INDEX announced_by_end ON announced(not_after);
CREATE TABLE not_for_mail (key TEXT PRIMARY KEY, at INTEGER NOT NULL, body TEXT NOT NULL) WITHOUT ROWID;
)",
    // Every table has an index, since SQLite's check holds both against each other: a page that
    // came
    // back as one of another table is found by what the index says of it (storage/upkeep.h).
    R"(
CREATE INDEX transition_by_alert ON transition(alert);
CREATE INDEX act_by_time ON act(at);
CREATE INDEX silence_by_end ON silence(ends);
CREATE INDEX not_for_mail_by_time ON not_for_mail(at);
CREATE INDEX exception_by_size ON exception(length(body));
CREATE INDEX memo_by_size ON memo(length(value));
CREATE INDEX own_delivery_by_size ON own_delivery(length(body));
CREATE INDEX own_delivery_state_by_size ON own_delivery_state(length(value));
CREATE INDEX own_disagreement_by_size ON own_disagreement(length(body));
)",
    // When a CA suggests to renew a certificate (storage/renewals.h).
    R"(
CREATE TABLE renewal (
  certificate TEXT PRIMARY KEY, not_after INTEGER NOT NULL, body TEXT NOT NULL) WITHOUT ROWID;
CREATE INDEX renewal_by_end ON renewal(not_after);
)",
    // Agents that share a database of PostgreSQL (storage/leadership.h), by the server's clock; a
    // file has one agent, and none of these.
    R"(
CREATE TABLE member (
  name TEXT PRIMARY KEY, vantage TEXT NOT NULL, url TEXT NOT NULL, seen_at INTEGER NOT NULL, looks INTEGER NOT NULL)
  WITHOUT ROWID;
CREATE INDEX member_by_time ON member(seen_at);
)",
    // Deliveries of our own that went otherwise than the look before them said, until the look
    // after them (agent/postfix/delivery_book.h).
    R"(
CREATE TABLE own_undecided (number BIGINT PRIMARY KEY, body TEXT NOT NULL) WITHOUT ROWID;
CREATE INDEX own_undecided_by_size ON own_undecided(length(body));
)",
    // What the agents of a fleet are to look at, and what they saw (storage/task_board.h). A file
    // has one agent, and none of these. Why a member cannot look; empty: it can.
    R"(
ALTER TABLE member ADD COLUMN fault TEXT NOT NULL DEFAULT '';
CREATE TABLE task (
  vantage TEXT NOT NULL, kind INTEGER NOT NULL, name TEXT NOT NULL, agent TEXT NOT NULL, lent_until INTEGER NOT NULL,
  PRIMARY KEY(vantage, kind, name)) WITHOUT ROWID;
CREATE INDEX task_by_time ON task(vantage, lent_until);
CREATE TABLE look (
  n INTEGER PRIMARY KEY, vantage TEXT NOT NULL, agent TEXT NOT NULL, kind INTEGER NOT NULL, name TEXT NOT NULL,
  body BLOB NOT NULL, ahead INTEGER NOT NULL);
CREATE INDEX look_by_vantage ON look(vantage);
)",
    // Each agent of a fleet has a Postfix of its own. `agent`: '' in a file, which has one.
    R"(
ALTER TABLE own_delivery RENAME TO own_delivery_of_one;
CREATE TABLE own_delivery (
  agent TEXT NOT NULL, domain TEXT NOT NULL, body TEXT NOT NULL, PRIMARY KEY (agent, domain)) WITHOUT ROWID;
INSERT INTO own_delivery SELECT '', domain, body FROM own_delivery_of_one;
DROP TABLE own_delivery_of_one;
CREATE INDEX own_delivery_by_size ON own_delivery(length(body));
ALTER TABLE own_delivery_state RENAME TO own_delivery_state_of_one;
CREATE TABLE own_delivery_state (
  agent TEXT NOT NULL, key TEXT NOT NULL, value TEXT NOT NULL, PRIMARY KEY (agent, key)) WITHOUT ROWID;
INSERT INTO own_delivery_state SELECT '', key, value FROM own_delivery_state_of_one;
DROP TABLE own_delivery_state_of_one;
CREATE INDEX own_delivery_state_by_size ON own_delivery_state(length(value));
ALTER TABLE own_undecided RENAME TO own_undecided_of_one;
CREATE TABLE own_undecided (
  agent TEXT NOT NULL, number BIGINT NOT NULL, body TEXT NOT NULL, PRIMARY KEY (agent, number)) WITHOUT ROWID;
INSERT INTO own_undecided SELECT '', number, body FROM own_undecided_of_one;
DROP TABLE own_undecided_of_one;
CREATE INDEX own_undecided_by_size ON own_undecided(length(body));
ALTER TABLE own_disagreement ADD COLUMN agent TEXT NOT NULL DEFAULT '';
CREATE INDEX own_disagreement_by_agent ON own_disagreement(agent, id);
)",
    // What happens to mail, which is more than verdict and status say: where what caches hold
    // refuses a host. Null in rows of before.
    R"(
ALTER TABLE domain ADD COLUMN delivery TEXT;
ALTER TABLE domain ADD COLUMN known_delivery TEXT;
)",
    // The keys of the trust anchor's zone as they were seen (storage/anchor_keys.h).
    R"(
CREATE TABLE anchor_key (id TEXT PRIMARY KEY, last_seen INTEGER NOT NULL, body TEXT NOT NULL) WITHOUT ROWID;
CREATE INDEX anchor_key_by_time ON anchor_key(last_seen);
)",
    // Lists of domains from elsewhere, as they were read last (storage/domain_lists.h).
    R"(
CREATE TABLE domain_list (name TEXT PRIMARY KEY, read_at INTEGER NOT NULL, body TEXT NOT NULL) WITHOUT ROWID;
)",
    // Several places may look at one host in one second.
    R"(
ALTER TABLE evidence RENAME TO evidence_of_one;
CREATE TABLE evidence (id INTEGER PRIMARY KEY, alert TEXT NOT NULL, at INTEGER NOT NULL, body BLOB NOT NULL,
  digest BLOB NOT NULL, UNIQUE (alert, at, digest));
INSERT INTO evidence(alert, at, body, digest) SELECT alert, at, body, digest FROM evidence_of_one ORDER BY id;
DROP TABLE evidence_of_one;
)",
    // What goes is found by what it is, and what nobody needs for it any more with it
    // (storage/drop.h): so that it takes as long as there is of it, whatever there is of the rest.
    R"(
CREATE INDEX version_by_content ON version(content);
DELETE FROM content WHERE NOT EXISTS (SELECT 1 FROM version v WHERE v.content = content.id);
DELETE FROM subject WHERE summed = 0
  AND NOT EXISTS (SELECT 1 FROM version v WHERE v.subject = subject.id);
CREATE INDEX version_closed ON version(last_seen) WHERE NOT is_open;
CREATE INDEX subject_summed ON subject(summed_until) WHERE summed_until IS NOT NULL;
)",
};

constexpr auto kNewest = static_cast<std::int64_t>(kMigrations.size());

void migrate_sqlite(Database& db) {
  const auto version = db.integer("PRAGMA user_version");
  const bool is_empty = db.integer("SELECT count(*) FROM sqlite_schema") == 0;
  if (!is_empty && !is_ours(db)) throw Fault("the file is another program's database");
  refuse_newer(db);
  // Takes hold in a file that is still empty (see allow_giving_back).
  if (is_empty) db.execute("PRAGMA auto_vacuum = INCREMENTAL");
  for (auto next = static_cast<std::size_t>(version); next < kMigrations.size(); ++next) {
    Transaction transaction{db};
    db.execute(kMigrations[next]);
    db.execute(fmt::format("PRAGMA application_id = {}; PRAGMA user_version = {}", kApplication,
                           next + 1));
    transaction.commit();
  }
}

std::int64_t version_of_postgresql(Database& db) {
  return is_ours(db) ? db.integer("SELECT version FROM schema_version") : 0;
}

void migrate_postgresql(Database& db) {
  if (version_of_postgresql(db) == kNewest) return;
  Transaction transaction{db};
  db.prepare("SELECT pg_advisory_xact_lock(?)").bind(kApplication).step();
  auto version = version_of_postgresql(db);
  refuse_newer(db);
  if (version == 0) {
    if (!db.tables().empty()) throw Fault("the schema holds another program's tables");
    db.execute(kPostgresqlTables);
    version = kPostgresqlBegins;
    db.prepare("INSERT INTO schema_version(version) VALUES(?)").bind(version).run();
  }
  db.execute(kPostgresqlFunctions);
  for (; version < kNewest; ++version) db.execute(kMigrations[static_cast<std::size_t>(version)]);
  db.prepare("UPDATE schema_version SET version = ?").bind(version).run();
  transaction.commit();
}

std::int64_t version_of(Database& db) {
  return db.is_postgresql() ? version_of_postgresql(db) : db.integer("PRAGMA user_version");
}

}  // namespace

bool is_ours(Database& db) {
  if (!db.is_postgresql()) return db.integer("PRAGMA application_id") == kApplication;
  const auto tables = db.tables();
  return std::ranges::count(tables, "schema_version") + std::ranges::count(tables, "version") == 2;
}

bool is_newest(Database& db) {
  return version_of(db) == kNewest;
}

void refuse_newer(Database& db) {
  if (version_of(db) <= kNewest) return;
  throw Fault(fmt::format("the {} was written by a newer danelaw (schema {}; this one knows {})",
                          db.is_postgresql() ? "database" : "file", version_of(db), kNewest));
}

void migrate(Database& db) {
  if (db.is_postgresql()) {
    migrate_postgresql(db);
  } else {
    migrate_sqlite(db);
  }
}

}  // namespace storage
