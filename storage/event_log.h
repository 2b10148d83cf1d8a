#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "agent/alerts/alert.h"
#include "storage/act_log.h"
#include "storage/database.h"

// What happened to all that is watched, in one list.
namespace storage {

struct LogEvent {
  enum class Kind { verdict, key, records, alert, act, ours };
  Kind kind = Kind::verdict;
  config::Time at;
  // verdict: the domain; key, records: the MX host; ours: gap or clock
  std::string subject;
  // verdict: its JSON; key: the SHA-256 of the SubjectPublicKeyInfo, in hexadecimal; records: the
  // set's JSON; ours: its JSON. Null before: it was seen first.
  std::optional<std::string> before;
  std::string now;
  // Of a verdict: mail is held up though it takes mail, since most caches hold records that refuse.
  bool most_caches_refuse = false;
  std::optional<agent::Alert> alert;  // of an alert
  std::string what;                   // of an alert: opened, resolved
  std::optional<Act> act;
};

// How far the list has been read: ids of what comes next have to be smaller.
struct LogPlace {
  std::int64_t version, transition, act;
  bool operator==(const LogPlace&) const = default;
};

struct LogQuery {
  std::function<bool(LogEvent::Kind)> has_kind;
  // Null: everything. Of alerts that of any domain of theirs counts, of acts that of whom they
  // were about.
  std::function<bool(const std::string&)> has_domain, has_host;
  bool has_monitor = false;  // beside has_domain: alerts about the agent itself
  // Null: every verdict that a domain came to; alerts, and acts about them, of every finding.
  std::function<bool(const std::string& verdict)> has_verdict;
  std::function<bool(probes::Code)> has_code;
  config::Time from = config::Time::min(), until = config::Time::max();
  std::optional<LogPlace> after;
  std::size_t limit = 100;
};

struct LogPage {
  std::vector<LogEvent> events;  // newest first, nearly: as they were recorded
  std::optional<LogPlace> next;  // null at the end
};

// Looks at a bounded number of rows: a page may hold less than was asked for and still have a next
// one.
[[nodiscard]] LogPage read_event_log(Database& db, const LogQuery& query);

}  // namespace storage
