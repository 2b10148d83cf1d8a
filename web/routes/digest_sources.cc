#include "web/routes/digest_sources.h"

#include <map>
#include <set>

#include <fmt/format.h>

#include "agent/alerts/alert_json.h"
#include "probes/explain.h"
#include "web/routes/deadlines.h"
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
      out[host.seen->host.text()].push_back(state.configured.name);
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

std::string words_of(const LogEvent& event) {
  const auto name = probes::printable(event.subject);
  switch (event.kind) {
    case LogEvent::Kind::verdict:
      if (event.most_caches_refuse)
        return fmt::format("{}: most caches hold records that refuse the key served", name);
      return event.before ? fmt::format("{}: {} (was {})", name, event.now, *event.before)
                          : fmt::format("{}: {}, first seen", name, event.now);
    case LogEvent::Kind::key:
      return fmt::format("{}: {}", name, event.before ? "another key" : "its key was seen first");
    case LogEvent::Kind::records:
      return fmt::format("{}: TLSA records {}", name, event.before ? "changed" : "were seen first");
    case LogEvent::Kind::alert:
      return fmt::format("alert {}: {}", event.what, agent::title_then(*event.alert));
    case LogEvent::Kind::act:
      return fmt::format("{}: {} by {}", probes::printable(event.act->subject), event.act->what,
                         probes::printable(event.act->by));
    case LogEvent::Kind::ours:
      return event.subject == "gap" ? "nothing was recorded for a while" : "the clock was set";
  }
  return {};
}

agent::DigestSources::Lines changes(storage::Queries& queries, Time from, Time until) {
  const auto hosts = queries.hosts_past(from, until);
  if (!hosts) return Failure<std::string>(hosts.error());
  std::map<std::string, std::vector<std::string>> users;
  for (const auto& [domain, its] : *hosts) {
    for (const auto& host : its) users[host].push_back(domain);
  }
  std::vector<DigestLine> out;
  storage::LogQuery query{.has_kind = [](LogEvent::Kind) { return true; },
                          .has_domain = {},
                          .has_host = {},
                          .from = from,
                          .until = until,
                          .after = {}};
  do {
    auto page = queries.event_log(query);
    if (!page) return Failure<std::string>(page.error());
    for (const auto& event : page->events) {
      DigestLine line{.at = event.at, .text = words_of(event), .domains = {}};
      const bool is_hosts =
          event.kind == LogEvent::Kind::key || event.kind == LogEvent::Kind::records;
      if (event.kind == LogEvent::Kind::verdict) line.domains = {event.subject};
      if (event.alert) line.domains = event.alert->domains;
      if (is_hosts) line.domains = users[event.subject];
      out.push_back(std::move(line));
    }
    query.after = page->next;
  } while (query.after && out.size() < kMostEvents);
  return out;
}

}  // namespace

agent::DigestSources digest_sources(storage::Queries& queries) {
  return {.deadlines = deadlines,
          .changes = [&queries](Time from, Time until) { return changes(queries, from, until); }};
}

}  // namespace web
