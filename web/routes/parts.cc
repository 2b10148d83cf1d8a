#include "web/routes/parts.h"

#include "agent/alerts/alert_json.h"
#include "agent/alerts/silence.h"

namespace web {

using Json = nlohmann::ordered_json;

Json text_or_null(const std::optional<std::string>& value) {
  return value ? Json(*value) : Json(nullptr);
}

Json since_json(const std::map<std::string, config::Time>& since, const std::string& domain) {
  const auto entry = since.find(domain);
  return entry == since.end() ? Json(nullptr) : Json(config::rfc3339(entry->second));
}

Json alert_json(const agent::Alert& alert, const agent::Snapshot& snapshot,
                const agent::Domains& domains) {
  auto out = agent::to_json(alert);
  const bool is_open =
      alert.state == agent::AlertState::pending || alert.state == agent::AlertState::firing;
  out["silenced"] = is_open && is_muted(alert, snapshot.silences, domains, snapshot.now);
  return out;
}

Reply storage_failed(const std::string& detail) {
  return problem(500, "the history cannot be read", detail);
}

Reply done_or_not_found(const agent::Actions::Done& done) {
  if (!done) return problem(404, "not found", done.error());
  return {.status = 204};
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
