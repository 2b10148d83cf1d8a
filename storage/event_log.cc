#include "storage/event_log.h"

#include <algorithm>
#include <limits>
#include <set>
#include <tuple>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "probes/dane/tlsa.h"
#include "probes/tls/certificate.h"
#include "storage/alert_row.h"
#include "storage/delivery_past.h"
#include "storage/facts.h"
#include "storage/times.h"

namespace storage {
namespace {

using config::Seconds;
using config::Time;
using Kind = LogEvent::Kind;

constexpr auto kAny = std::numeric_limits<std::int64_t>::max();
constexpr std::size_t kMostRows = 50'000;
// Rows are numbered as they are recorded, a little later than they are seen.
constexpr Seconds kSlack = std::chrono::hours{1};

// One of the lists that are merged: events one after the other, back in time.
class Source {
 public:
  Source() = default;
  Source(const Source&) = delete;
  Source& operator=(const Source&) = delete;
  virtual ~Source() = default;

  // The one to come; null at the end, and when enough rows were looked at.
  [[nodiscard]] const LogEvent* peek(const LogQuery& query, std::size_t& rows) {
    while (!event_ && !is_over_ && rows < kMostRows) {
      ++rows;
      event_ = step(query);
    }
    return event_ ? &*event_ : nullptr;
  }
  LogEvent take() {
    auto out = *std::move(event_);
    event_.reset();
    place_ = seen_;
    return out;
  }
  // Events below this id were not given yet.
  [[nodiscard]] std::int64_t place() const { return event_ ? place_ : seen_; }
  [[nodiscard]] bool is_over() const { return is_over_ && !event_; }

 protected:
  void start(std::int64_t place) { place_ = seen_ = place; }
  // The row's id becomes seen; false when it is beyond the time asked for.
  bool is_row(std::int64_t id, Time at, const LogQuery& query) {
    if (query.from != Time::min() && at < query.from - kSlack) {
      end();
      return false;
    }
    seen_ = id;
    return at >= query.from && at <= query.until;
  }
  void end() { is_over_ = true; }

 private:
  // The event of the next row, or nothing when it is not asked for.
  virtual std::optional<LogEvent> step(const LogQuery& query) = 0;

  std::optional<LogEvent> event_;
  std::int64_t place_ = kAny, seen_ = kAny;
  bool is_over_ = false;
};

class Versions final : public Source {
 public:
  Versions(Database& db, const LogQuery& query)
      : rows_(db.scan("SELECT v.id, v.first_seen, v.last_seen, v.subject, s.kind, s.name, "
                      "v.content FROM version v JOIN subject s ON s.id = v.subject "
                      "WHERE v.id < ? ORDER BY v.id DESC")),
        before_(db.prepare("SELECT content FROM version WHERE subject = ? AND id < ? "
                           "ORDER BY id DESC LIMIT 1")),
        body_(db.prepare("SELECT body FROM content WHERE id = ?")),
        certificate_(db.prepare("SELECT der FROM certificate WHERE sha256 = ?")) {
    const auto begin = query.after ? query.after->version : first_after(db, query.until);
    start(begin);
    rows_.bind(begin);
  }

 private:
  // The times rise with the ids, nearly: what lies later is passed over without being read.
  static std::int64_t first_after(Database& db, Time until) {
    if (until == Time::max()) return kAny;
    auto find = db.prepare("SELECT first_seen FROM version WHERE id <= ? ORDER BY id DESC LIMIT 1");
    std::int64_t low = 0, high = db.integer("SELECT max(id) FROM version");
    while (low < high) {
      const auto middle = low + (high - low) / 2 + 1;
      const bool is_before =
          !find.bind(middle).step() || time_of(find.integer(0)) <= until + kSlack;
      find.reset();
      if (is_before) {
        low = middle;
      } else {
        high = middle - 1;
      }
    }
    return low + 1;
  }

  std::optional<LogEvent> step(const LogQuery& query) override {
    if (!rows_.step()) {
      end();
      return std::nullopt;
    }
    const auto id = rows_.integer(0);
    const auto at = time_of(rows_.integer(1));
    if (!is_row(id, at, query)) return std::nullopt;
    const auto kind = rows_.text(4);
    const auto name = rows_.text(5);
    const auto content = rows_.integer(6);
    LogEvent out{.at = at, .subject = name};
    if (kind == "verdict") {
      out.kind = Kind::verdict;
    } else if (kind == "chain") {
      out.kind = Kind::key;
      out.subject = name.substr(0, name.find('|'));
    } else if (kind == "tlsa") {
      out.kind = Kind::records;
      constexpr std::string_view kPort = "_25._tcp.";
      out.subject = name.starts_with(kPort) ? name.substr(kPort.size()) : name;
    } else if (name == kOurselves) {
      out.kind = Kind::ours;
      out.subject = kind;
    } else {
      return std::nullopt;
    }
    if (!query.has_kind(out.kind)) return std::nullopt;
    if (out.kind == Kind::verdict && query.has_domain && !query.has_domain(out.subject))
      return std::nullopt;
    const bool is_hosts = out.kind == Kind::key || out.kind == Kind::records;
    if (is_hosts && query.has_host && !query.has_host(out.subject)) return std::nullopt;
    std::optional<std::int64_t> before;
    if (out.kind != Kind::ours && before_.bind(rows_.integer(3), id).step())
      before = before_.integer(0);
    before_.reset();
    if (before == content) return std::nullopt;  // it was only not looked at for a while
    out.now = meaning(out.kind, content);
    if (out.kind == Kind::verdict && query.has_verdict && !query.has_verdict(out.now))
      return std::nullopt;
    out.most_caches_refuse = out.kind == Kind::verdict && do_caches_refuse(content);
    if (before) out.before = meaning(out.kind, *before);
    const bool did_refuse = before && out.kind == Kind::verdict && do_caches_refuse(*before);
    // The same key, certified anew.
    if (out.before == out.now && did_refuse == out.most_caches_refuse) return std::nullopt;
    // A host shows it at many addresses, at the same look.
    if (out.kind == Kind::key && !shown_.emplace(out.subject, out.now, at).second)
      return std::nullopt;
    return out;
  }

  std::string meaning(Kind kind, std::int64_t content) {
    std::string out;
    if (body_.bind(content).step()) out = body_.text(0);
    body_.reset();
    if (kind == Kind::verdict) {
      auto json = nlohmann::json::parse(out, nullptr, false);
      return json.is_object() ? json.value("verdict", "") : "";
    }
    return kind == Kind::key ? key_of(out) : out;
  }

  bool do_caches_refuse(std::int64_t content) {
    const auto json = body_.bind(content).step()
                          ? nlohmann::json::parse(body_.text(0), nullptr, false)
                          : nlohmann::json();
    body_.reset();
    const auto verdict =
        json.is_object() ? probes::verdict_from(json.value("verdict", "")) : std::nullopt;
    return verdict && is_deliverable(*verdict) && delivery_in(json) == probes::Delivery::held_up;
  }

  std::string key_of(const std::string& chain) {
    const auto json = nlohmann::json::parse(chain, nullptr, false);
    if (!json.is_array() || json.empty() || !json[0].is_string()) return {};
    const auto sha256 = probes::dane::from_hex(json[0].get<std::string>());
    std::string out;
    if (sha256 && certificate_.bind(*sha256).step()) {
      if (const auto read = probes::tls::parse_certificate(certificate_.bytes(0)))
        out = probes::dane::to_hex(read->spki_sha256);
    }
    certificate_.reset();
    return out;
  }

  Statement rows_, before_, body_, certificate_;
  std::set<std::tuple<std::string, std::string, Time>> shown_;  // host, key, since when
};

bool is_about(const agent::Alert& alert, const LogQuery& query) {
  if (query.has_code && !query.has_code(alert.finding.code)) return false;
  if (query.has_monitor && alert.cause.kind == probes::Subject::Kind::monitor) return true;
  return !query.has_domain || std::ranges::any_of(alert.domains, query.has_domain);
}

// The alert as it is now, or was at its end.
class AlertOf {
 public:
  explicit AlertOf(Database& db)
      : row_(db.prepare(fmt::format("SELECT {} FROM alert WHERE id = ?", kAlertColumns))) {}
  std::optional<agent::Alert> operator()(const std::string& id) {
    std::optional<agent::Alert> out;
    if (row_.bind(id).step()) out = read_alert(row_);
    row_.reset();
    return out;
  }

 private:
  Statement row_;
};

class Transitions final : public Source {
 public:
  Transitions(Database& db, const LogQuery& query)
      : rows_(db.scan("SELECT id, at, alert, what FROM transition WHERE id < ? "
                      "ORDER BY id DESC")),
        alert_(db) {
    start(query.after ? query.after->transition : kAny);
    rows_.bind(query.after ? query.after->transition : kAny);
    if (!query.has_kind(Kind::alert)) end();
  }

 private:
  std::optional<LogEvent> step(const LogQuery& query) override {
    if (!rows_.step()) {
      end();
      return std::nullopt;
    }
    const auto at = time_of(rows_.integer(1));
    if (!is_row(rows_.integer(0), at, query)) return std::nullopt;
    LogEvent out{.kind = Kind::alert, .at = at, .what = rows_.text(3)};
    out.alert = alert_(rows_.text(2));
    if (!out.alert || !is_about(*out.alert, query)) return std::nullopt;
    return out;
  }

  Statement rows_;
  AlertOf alert_;
};

class Acts final : public Source {
 public:
  Acts(Database& db, const LogQuery& query)
      : rows_(db.scan("SELECT id, at, by, login, what, subject_kind, subject, comment, fault "
                      "FROM act WHERE id < ? ORDER BY id DESC")),
        alert_(db) {
    start(query.after ? query.after->act : kAny);
    rows_.bind(query.after ? query.after->act : kAny);
    if (!query.has_kind(Kind::act)) end();
  }

 private:
  std::optional<LogEvent> step(const LogQuery& query) override {
    if (!rows_.step()) {
      end();
      return std::nullopt;
    }
    auto act = read_act(rows_);
    if (!is_row(act.id, act.at, query)) return std::nullopt;
    if (query.has_domain || query.has_code) {
      const auto alert =
          act.subject_kind == "alert" ? alert_(act.subject) : std::optional<agent::Alert>{};
      const bool is_wanted =
          alert ? is_about(*alert, query)
                : !query.has_code && act.subject_kind == "domain" && query.has_domain(act.subject);
      if (!is_wanted) return std::nullopt;
    }
    LogEvent out{.kind = Kind::act, .at = act.at};
    out.act = std::move(act);
    return out;
  }

  Statement rows_;
  AlertOf alert_;
};

}  // namespace

LogPage read_event_log(Database& db, const LogQuery& query) {
  Versions versions(db, query);
  Transitions transitions(db, query);
  Acts acts(db, query);
  const std::initializer_list<Source*> sources{&versions, &transitions, &acts};
  LogPage out;
  std::size_t rows = 0;
  while (out.events.size() < query.limit) {
    Source* newest = nullptr;
    const LogEvent* first = nullptr;
    for (auto* source : sources) {
      const auto* event = source->peek(query, rows);
      if (event != nullptr && (first == nullptr || event->at > first->at)) {
        first = event;
        newest = source;
      }
    }
    // One that was not read to its next event might have a newer one.
    const bool is_known = std::ranges::all_of(sources, [&](Source* source) {
      return source->is_over() || source->peek(query, rows) != nullptr;
    });
    if (newest == nullptr || !is_known) break;
    out.events.push_back(newest->take());
  }
  if (!std::ranges::all_of(sources, &Source::is_over))
    out.next = {
        .version = versions.place(), .transition = transitions.place(), .act = acts.place()};
  return out;
}

}  // namespace storage
