#include "storage/delivery_spans.h"

#include <algorithm>
#include <optional>
#include <string_view>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "storage/delivery_past.h"
#include "storage/times.h"

namespace storage {
namespace {

using config::Seconds;
using config::Time;
using probes::Delivery;
using probes::Verdict;
using Spans = std::vector<DeliverySpan>;

// Contents are few: each is read once.
class Meanings {
 public:
  explicit Meanings(Database& db) : body_(db.prepare("SELECT body FROM content WHERE id = ?")) {}

  const DeliverySpan& of(std::int64_t content) {
    const auto [entry, is_new] = known_.try_emplace(content);
    if (is_new && body_.bind(content).step()) {
      const auto json = nlohmann::json::parse(body_.text(0), nullptr, false);
      if (json.is_object()) {
        entry->second.verdict =
            probes::verdict_from(json.value("verdict", "")).value_or(Verdict::unknown);
        entry->second.delivery = delivery_in(json);
      }
      body_.reset();
    }
    return entry->second;
  }

 private:
  Statement body_;
  std::map<std::int64_t, DeliverySpan> known_;
};

// The spans of one domain, from its versions in order.
class Line {
 public:
  Line(const SpanQuery& query, Spans& out) : query_(query), out_(out) {}

  void take(Time first_seen, Time last_seen, const DeliverySpan& meaning) {
    if (last_) close(first_seen);
    last_ = meaning;
    last_->from = first_seen;
    last_->until = std::max(first_seen, last_seen);
  }
  void end() {
    if (last_) close(query_.until);
  }
  [[nodiscard]] bool is_begun() const { return last_.has_value(); }

 private:
  // What was seen last held until `next`, when that was soon; else nobody knows.
  void close(Time next) {
    const bool is_soon = next - last_->until <= query_.longest_silence;
    auto known = *last_;
    known.until = is_soon ? next : std::min(next, last_->until);
    add(known);
    if (!is_soon) add({.from = known.until, .until = next});
  }

  void add(DeliverySpan span) {
    span.from = std::max(span.from, query_.from);
    span.until = std::min(span.until, query_.until);
    if (!out_.empty())
      span.from = std::max(span.from, out_.back().until);  // the clock was set back
    if (span.until <= span.from) return;
    if (!out_.empty() && out_.back().delivery == span.delivery &&
        out_.back().verdict == span.verdict) {
      out_.back().until = span.until;
    } else {
      out_.push_back(span);
    }
  }

  const SpanQuery& query_;
  Spans& out_;
  std::optional<DeliverySpan> last_;
};

void read(Statement& rows, Statement& earliest, Meanings& meanings, const SpanQuery& query,
          std::map<std::string, Spans>& out) {
  std::optional<std::int64_t> subject;
  std::optional<Line> line;
  while (rows.step()) {
    const auto first_seen = time_of(rows.integer(2));
    if (rows.integer(0) != subject) {
      if (line) line->end();
      subject = rows.integer(0);
      line.emplace(query, out[rows.text(1)]);
      // Whether there is more, which lies too far back to be read.
      if (first_seen > query.from && earliest.bind(*subject).step() && !earliest.is_null(0)) {
        const auto begin = time_of(earliest.integer(0));
        if (begin < first_seen) line->take(begin, begin, {});
      }
      earliest.reset();
    }
    line->take(first_seen, time_of(rows.integer(3)), meanings.of(rows.integer(4)));
  }
  if (line) line->end();
}

}  // namespace

std::map<std::string, Spans> read_delivery_spans(Database& db, const SpanQuery& query) {
  const auto select = fmt::format(
      "SELECT s.id, s.name, v.first_seen, v.last_seen, v.content FROM subject s "
      "JOIN version v ON v.subject = s.id "
      "WHERE s.kind = '{}' AND (v.is_open OR v.last_seen >= ?1) AND v.first_seen < ?2 ",
      verdict_kind(query.of));
  std::map<std::string, Spans> out;
  Meanings meanings(db);
  auto earliest = db.prepare(
      "SELECT min(coalesce(s.summed_from, v.first_seen), v.first_seen) FROM subject s "
      "JOIN version v ON v.subject = s.id WHERE s.id = ? ORDER BY v.first_seen LIMIT 1");
  const auto from = query.from.time_since_epoch().count();
  const auto until = query.until.time_since_epoch().count();
  if (query.domains.empty()) {
    auto rows = db.scan(select + "ORDER BY s.id, v.first_seen, v.id");
    rows.bind(from, until);
    read(rows, earliest, meanings, query, out);
  } else {
    auto rows = db.prepare(select + "AND s.name = ?3 ORDER BY v.first_seen, v.id");
    for (const auto& domain : query.domains) {
      rows.bind(from, until, domain);
      read(rows, earliest, meanings, query, out);
      rows.reset();
    }
  }
  return out;
}

}  // namespace storage
