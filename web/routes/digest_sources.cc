#include "web/routes/digest_sources.h"

#include <map>
#include <set>

#include <fmt/format.h>

#include "probes/explain.h"
#include "web/routes/deadlines.h"
#include "web/routes/event_words.h"
#include "web/routes/feeds.h"

namespace web {
namespace {

using agent::DigestLine;
using config::Failure;
using config::Time;
using storage::LogEvent;

constexpr std::size_t kMostDeadlines = 1000;  // of each kind
constexpr std::size_t kMostEvents = 500;

// The watched domains of each host.
std::map<std::string, std::vector<std::string>> users_of(const agent::Snapshot& snapshot) {
  std::map<std::string, std::vector<std::string>> out;
  for (const auto& state : snapshot.domains) {
    if (!state.judged) continue;
    for (const auto& host : state.judged->hosts)
      out[host.seen->host.text()].push_back(state.configured->name);
  }
  return out;
}

std::vector<DigestLine> deadlines(const agent::Snapshot& snapshot) {
  const auto users = users_of(snapshot);
  std::vector<DigestLine> out;
  for (const auto& one : deadlines_json(snapshot, kMostDeadlines)) {
    const auto at = config::parse_rfc3339(one.at("at").get<std::string>());
    if (!at || *at > snapshot.now + agent::kDigestAhead) continue;
    const auto name = one.at("subject").at("name").get<std::string>();
    DigestLine line{
        .at = *at,
        .text = fmt::format("{}: {}", name, deadline_words(one.at("kind").get<std::string>())),
        .domains = {}};
    if (one.at("subject").at("kind") == "domain") {
      line.domains = {name};
    } else if (const auto known = users.find(name); known != users.end()) {
      line.domains = known->second;
    }
    out.push_back(std::move(line));
  }
  return out;
}

// As the history tells it, with whom it happened to.
std::string words_of(const LogEvent& event) {
  const auto title = title_of(event);
  switch (event.kind) {
    case LogEvent::Kind::verdict:
    case LogEvent::Kind::key:
    case LogEvent::Kind::records:
      return fmt::format("{}: {}", probes::printable(event.subject), title);
    case LogEvent::Kind::alert:
      return fmt::format("alert {}: {}", event.what, title);
    case LogEvent::Kind::act:
      return event.act->subject_kind == "alert"
                 ? fmt::format("{}: {}", probes::printable(event.act->subject), title)
                 : title;
    case LogEvent::Kind::ours:
      return title;
  }
  return {};
}

agent::DigestSources::Lines changes(storage::Queries& queries, Time from, Time until,
                                    const agent::Owned* owned) {
  storage::LogQuery query{.has_kind = [](LogEvent::Kind) { return true; },
                          .has_domain = {},
                          .has_host = {},
                          .from = from,
                          .until = until,
                          .after = {}};
  std::set<std::string> hosts;  // that theirs used then
  if (owned != nullptr) {
    const auto past = queries.hosts_past(from, until);
    if (!past) return Failure<std::string>(past.error());
    query.has_domain = [&](const std::string& name) { return owned->domain(name) != nullptr; };
    for (const auto& [domain, its] : *past) {
      if (query.has_domain(domain)) hosts.insert(its.begin(), its.end());
    }
    query.has_host = [&](const std::string& name) { return hosts.contains(name); };
    query.has_monitor = true;
  }
  std::vector<DigestLine> out;
  do {
    auto page = queries.event_log(query);
    if (!page) return Failure<std::string>(page.error());
    for (auto& event : page->events) {
      if (owned != nullptr && event.alert) event.alert = agent::narrowed(*event.alert, *owned);
      if (event.kind == LogEvent::Kind::alert && !event.alert) continue;
      out.push_back({.at = event.at, .text = words_of(event), .domains = {}});
    }
    query.after = page->next;
  } while (query.after && out.size() < kMostEvents);
  return out;
}

}  // namespace

agent::DigestSources digest_sources(storage::Queries& queries) {
  return {.deadlines = deadlines,
          .changes = [&queries](Time from, Time until, const agent::Owned* owned) {
            return changes(queries, from, until, owned);
          }};
}

}  // namespace web
