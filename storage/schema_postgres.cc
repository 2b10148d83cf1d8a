#include "storage/schema_postgres.h"

namespace storage {

// In the words of dialect.h; what the tables are for is told in schema.cc.
const char* const kPostgresqlTables = R"(
CREATE TABLE content (id INTEGER PRIMARY KEY, digest BLOB NOT NULL, body TEXT NOT NULL);
CREATE INDEX content_by_digest ON content(digest);
CREATE TABLE subject (
  id INTEGER PRIMARY KEY, kind TEXT NOT NULL, name TEXT NOT NULL, summed INTEGER NOT NULL DEFAULT 0,
  summed_from INTEGER, summed_until INTEGER, UNIQUE (kind, name));
CREATE TABLE version (
  id INTEGER PRIMARY KEY, subject INTEGER NOT NULL REFERENCES subject(id), content INTEGER NOT NULL,
  first_seen INTEGER NOT NULL, last_seen INTEGER NOT NULL, is_open BOOLEAN NOT NULL);
CREATE UNIQUE INDEX version_open ON version(subject) WHERE is_open;
CREATE INDEX version_by_subject ON version(subject, first_seen);
CREATE TABLE domain (
  name TEXT PRIMARY KEY, role TEXT NOT NULL, grp TEXT NOT NULL, verdict TEXT, weakest TEXT,
  severity TEXT NOT NULL DEFAULT 'info', status TEXT NOT NULL DEFAULT 'unknown',
  worst_code TEXT, worst_severity TEXT, worst_title TEXT,
  mx_hosts INTEGER NOT NULL DEFAULT 0, dane_mx_hosts INTEGER NOT NULL DEFAULT 0,
  observed_at INTEGER, next_check_at INTEGER, report TEXT, digest BLOB,
  known_at INTEGER, known_verdict TEXT, known_status TEXT, known_report TEXT) WITHOUT ROWID;
CREATE INDEX domain_by_status ON domain(status, name);
CREATE TABLE alert (
  id TEXT PRIMARY KEY, state TEXT NOT NULL, code TEXT NOT NULL, subject_kind TEXT NOT NULL, subject_name TEXT NOT NULL,
  severity TEXT NOT NULL, finding TEXT NOT NULL, domains TEXT NOT NULL, first_seen INTEGER NOT NULL,
  last_seen INTEGER NOT NULL, opened INTEGER, resolved INTEGER, looks_seen INTEGER NOT NULL,
  looks_clean INTEGER NOT NULL, rest TEXT NOT NULL DEFAULT '{}', digest BLOB) WITHOUT ROWID;
CREATE INDEX alert_by_state ON alert(state, last_seen);
CREATE TABLE transition (
  id INTEGER PRIMARY KEY, at INTEGER NOT NULL, alert TEXT NOT NULL, what TEXT NOT NULL, reason TEXT NOT NULL);
CREATE TABLE certificate (id INTEGER PRIMARY KEY, sha256 BLOB NOT NULL UNIQUE, der BLOB NOT NULL);
CREATE TABLE letter (
  n INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, notifier TEXT NOT NULL, alert TEXT NOT NULL,
  notice TEXT NOT NULL, made_at INTEGER NOT NULL, body TEXT NOT NULL, attempts INTEGER NOT NULL DEFAULT 0,
  next_try INTEGER NOT NULL, sent_at INTEGER, fault TEXT, digest BLOB);
CREATE INDEX letter_waiting ON letter(notifier, next_try) WHERE sent_at IS NULL;
CREATE INDEX letter_by_alert ON letter(alert);
CREATE TABLE silence (id TEXT PRIMARY KEY, ends INTEGER NOT NULL, body TEXT NOT NULL, digest BLOB) WITHOUT ROWID;
CREATE TABLE exception (domain TEXT PRIMARY KEY, body TEXT NOT NULL, digest BLOB) WITHOUT ROWID;
CREATE TABLE memo (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE act (
  id INTEGER PRIMARY KEY AUTOINCREMENT, at INTEGER NOT NULL, by TEXT NOT NULL, login TEXT NOT NULL, what TEXT NOT NULL,
  subject_kind TEXT NOT NULL, subject TEXT NOT NULL, comment TEXT NOT NULL, fault TEXT);
CREATE TABLE evidence (id INTEGER PRIMARY KEY, alert TEXT NOT NULL, at INTEGER NOT NULL, body BLOB NOT NULL,
  digest BLOB NOT NULL, UNIQUE (alert, at));
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
CREATE TABLE own_delivery (domain TEXT PRIMARY KEY, body TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE own_delivery_state (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE own_disagreement (id INTEGER PRIMARY KEY AUTOINCREMENT, body TEXT NOT NULL);
CREATE TABLE announced (
  id TEXT PRIMARY KEY, key TEXT NOT NULL, shown_at INTEGER NOT NULL, not_after INTEGER NOT NULL, body TEXT NOT NULL,
  chain BLOB NOT NULL);
CREATE INDEX announced_by_end ON announced(not_after);
CREATE TABLE not_for_mail (key TEXT PRIMARY KEY, at INTEGER NOT NULL, body TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE schema_version (version INTEGER NOT NULL);
CREATE TABLE leader (epoch INTEGER NOT NULL, agent TEXT NOT NULL, since TIMESTAMPTZ NOT NULL);
INSERT INTO leader VALUES(0, '', now());
)";

// What PostgreSQL refuses in JSON that SQLite takes, an escaped NUL in a text, is read as U+FFFD.
const char* const kPostgresqlFunctions = R"(
CREATE OR REPLACE FUNCTION sha256(x text) RETURNS bytea LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
  AS $$ SELECT pg_catalog.sha256(convert_to(x, 'UTF8')) $$;
CREATE OR REPLACE FUNCTION hex(x bytea) RETURNS text LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
  AS $$ SELECT upper(encode(x, 'hex')) $$;
CREATE OR REPLACE FUNCTION instr(x text, part text) RETURNS int LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
  AS $$ SELECT strpos(x, part) $$;
CREATE OR REPLACE FUNCTION typeof(x bigint) RETURNS text LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
  AS $$ SELECT 'integer' $$;
CREATE OR REPLACE FUNCTION json_extract(x text, path text) RETURNS text LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
  AS $$ SELECT jsonb_path_query_first(replace(x, '\u0000', '\ufffd')::jsonb, path::jsonpath) #>> '{}' $$;
CREATE OR REPLACE FUNCTION json_each(x text) RETURNS TABLE(value text) LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
  AS $$ SELECT jsonb_array_elements_text(CASE jsonb_typeof(j) WHEN 'array' THEN j ELSE '[]' END)
        FROM (SELECT replace(x, '\u0000', '\ufffd')::jsonb AS j) AS one $$;
CREATE OR REPLACE FUNCTION json_each(x text, path text) RETURNS TABLE(value text)
  LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
  AS $$ SELECT jsonb_array_elements_text(CASE jsonb_typeof(j) WHEN 'array' THEN j ELSE '[]' END)
        FROM (SELECT jsonb_path_query_first(replace(x, '\u0000', '\ufffd')::jsonb, path::jsonpath) AS j) AS one $$;
CREATE OR REPLACE FUNCTION json_valid(x text) RETURNS boolean LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE
  AS $$ BEGIN PERFORM x::json; RETURN true; EXCEPTION WHEN others THEN RETURN false; END $$;
)";

}  // namespace storage
