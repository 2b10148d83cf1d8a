#include "web/routes/event_words.h"

#include <algorithm>
#include <array>
#include <utility>

#include <nlohmann/json.hpp>

#include "agent/alerts/alert_json.h"
#include "probes/report.h"
#include "web/routes/act_words.h"

namespace web {
namespace {

using storage::LogEvent;

constexpr auto kKinds = std::to_array<std::pair<std::string_view, LogEvent::Kind>>(
    {{"verdict", LogEvent::Kind::verdict},
     {"key", LogEvent::Kind::key},
     {"records", LogEvent::Kind::records},
     {"alert", LogEvent::Kind::alert},
     {"act", LogEvent::Kind::act},
     {"ours", LogEvent::Kind::ours}});

// What was recorded of TLSA records.
bool do_servers_differ(const std::string& records) {
  const auto json = nlohmann::json::parse(records, nullptr, false);
  return json.is_object() && json.value("servers_differ", false);
}

}  // namespace

std::string_view kind_name(LogEvent::Kind kind) {
  return std::ranges::find(kKinds, kind, &std::pair<std::string_view, LogEvent::Kind>::second)
      ->first;
}

std::optional<LogEvent::Kind> kind_from(std::string_view word) {
  const auto* const kind =
      std::ranges::find(kKinds, word, &std::pair<std::string_view, LogEvent::Kind>::first);
  return kind == kKinds.end() ? std::nullopt : std::optional{kind->second};
}

std::string title_of(const LogEvent& event) {
  switch (event.kind) {
    case LogEvent::Kind::verdict: {
      if (event.most_caches_refuse)
        return "Half of the caches, or more, hold records that refuse the key served: mail waits.";
      const auto now = probes::verdict_from(event.now);
      return std::string(now ? probes::in_words(*now) : "");
    }
    case LogEvent::Kind::key:
      return event.before ? "It presents another key." : "It was seen to present a key.";
    case LogEvent::Kind::records:
      if (do_servers_differ(event.now)) return "Its name servers give different TLSA records.";
      return event.before ? "Its TLSA records changed." : "Its TLSA records were seen first.";
    case LogEvent::Kind::alert:
      return agent::title_then(*event.alert);
    case LogEvent::Kind::act:
      return in_words(*event.act);
    case LogEvent::Kind::ours:
      return event.subject == "gap" ? "Nothing was recorded for a while." : "The clock was set.";
  }
  return {};
}

}  // namespace web
