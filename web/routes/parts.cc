#include "web/routes/parts.h"

#include <fmt/format.h>

#include "agent/alerts/alert_json.h"
#include "agent/alerts/silence.h"
#include "probes/explain.h"

namespace web {

using Json = nlohmann::ordered_json;

Json text_or_null(const std::optional<std::string>& value) {
  return value ? Json(*value) : Json(nullptr);
}

Json since_json(const std::map<std::string, config::Time>& since, const std::string& domain) {
  const auto entry = since.find(domain);
  return entry == since.end() ? Json(nullptr) : Json(config::rfc3339(entry->second));
}

namespace {

void add_silenced(Json& out, const agent::Alert& alert, const agent::Snapshot& snapshot,
                  const agent::Domains& domains) {
  const bool is_open =
      alert.state == agent::AlertState::pending || alert.state == agent::AlertState::firing;
  out["silenced"] = is_open && is_muted(alert, snapshot.silences, domains, snapshot.now);
}

// Cuts the list, and says in the member beside how long it was.
template <class T>
std::size_t cut(std::vector<T>& list) {
  const auto all = list.size();
  if (all > kMostNames) list.resize(kMostNames);
  return all;
}

}  // namespace

Json alert_json(const agent::Alert& alert, const agent::Snapshot& snapshot,
                const agent::Domains& domains) {
  auto out = agent::to_json(alert, snapshot.now);
  add_silenced(out, alert, snapshot, domains);
  return out;
}

Json short_alert_json(const agent::Alert& alert, const agent::Snapshot& snapshot,
                      const agent::Domains& domains) {
  auto few = alert;
  const auto all_domains = cut(few.domains);
  const auto all_hits = cut(few.hits);
  std::vector<std::size_t> counts;
  for (auto& hit : few.hits) counts.push_back(cut(hit.domains));
  auto out = agent::to_json(few, snapshot.now);
  out["domains_count"] = all_domains;
  out["hits_count"] = all_hits;
  for (std::size_t i = 0; i < counts.size(); ++i) out["hits"][i]["domains_count"] = counts[i];
  add_silenced(out, alert, snapshot, domains);
  return out;
}

std::string without_name(std::string title, const probes::Subject& subject) {
  const auto name = probes::printable(subject.name) + ": ";
  if (title.starts_with(name)) title.erase(0, name.size());
  return title;
}

Json worst_json(const probes::Finding* finding) {
  if (finding == nullptr) return nullptr;
  return {{"code", wire_name(finding->code)},
          {"severity", wire_name(finding->severity)},
          {"title", probes::explain(*finding).title}};
}

Json names_of(const std::set<probes::Code>& codes) {
  Json out = Json::array();
  for (const auto code : codes) out.push_back(wire_name(code));
  return out;
}

Reply page_of(Json items, std::size_t offset, std::size_t total, const Json& more) {
  const auto end = offset + items.size();
  Json out{{"items", std::move(items)},
           {"next", end < total ? Json(std::to_string(end)) : Json(nullptr)},
           {"total", total}};
  out.update(more);
  return json(out);
}

Reply storage_failed(const std::string& detail) {
  return problem(500, "the history cannot be read", detail);
}

Reply not_done(int status, std::string_view title, const std::string& error) {
  if (error == agent::kUnrecorded) return problem(503, "not recorded", error);
  return problem(status, std::string(title), error);
}

Reply done_or_not_found(const agent::Actions::Done& done) {
  if (!done) return not_done(404, "not found", done.error());
  return {.status = 204};
}

const probes::HostObservation* host_seen(const agent::Snapshot& snapshot, const std::string& name) {
  const auto wanted = probes::dns::Name::parse(name);
  for (const auto& [host, seen] : snapshot.hosts) {
    if (wanted && host == *wanted) return seen.get();
  }
  return nullptr;
}

Reply no_such_host(const std::string& name) {
  return problem(404, "not found", fmt::format("no watched domain uses the MX host {}", name));
}

const agent::Snapshot::Followed* find_host(const agent::Snapshot& snapshot,
                                           const std::string& name) {
  const auto wanted = probes::dns::Name::parse(name);
  if (!wanted) return nullptr;
  for (const auto& followed : snapshot.rollovers) {
    if (followed.host->host == *wanted) return &followed;
  }
  return nullptr;
}

bool is_same_site(const Request& request) {
  const auto site = request.header("sec-fetch-site");
  if (!site.empty()) return site == "same-origin" || site == "none";
  const auto origin = request.header("origin");
  if (origin.empty()) return true;
  const auto scheme = origin.find("://");
  return scheme != std::string::npos && origin.substr(scheme + 3) == request.header("host");
}

}  // namespace web
