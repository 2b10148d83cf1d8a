#include "web/acts.h"

#include <fmt/format.h>

#include "agent/alerts/alert_json.h"

namespace web {
namespace {

Reply not_allowed(const std::string& allowed) {
  auto reply = problem(405, "method not allowed", allowed + " is");
  reply.headers["Allow"] = allowed;
  return reply;
}

Reply done_or(const agent::Actions::Done& done, const std::string& handler) {
  if (!done) return problem(404, "not found", done.error());
  return {.status = 204, .handler = handler};
}

Reply acknowledge(agent::Actions& actions, const std::string& id, const Request& request,
                  config::Time now) {
  const std::string handler = "/api/v1/alerts/{id}/ack";
  if (request.method == "DELETE") return done_or(actions.acknowledge(id, std::nullopt), handler);
  auto how = agent::acknowledgement_from_json(request.body, now);
  if (!how) return problem(400, "bad acknowledgement", how.error());
  return done_or(actions.acknowledge(id, std::move(*how)), handler);
}

Reply put_silence(agent::Actions& actions, const Request& request, config::Time now) {
  auto wanted = agent::silence_from_json(request.body, now);
  if (!wanted) return problem(400, "bad silence", wanted.error());
  const auto made = actions.silence(std::move(*wanted));
  if (!made) return problem(409, "not silenced", made.error());
  return json(agent::to_json(*made, now), "/api/v1/silences", 201);
}

Reply change_exception(agent::Actions& actions, const std::string& domain, const Request& request) {
  const std::string handler = "/api/v1/domains/{name}/exception";
  if (request.method == "DELETE") return done_or(actions.end_exception(domain), handler);
  const auto made = actions.make_exception(domain);
  if (!made) return problem(409, "no exception", made.error());
  return json(agent::to_json(*made), handler, 201);
}

}  // namespace

Reply act(agent::Actions& actions, const Request& request, config::Time now) {
  const auto& path = request.path;
  if (const auto id = between(path, "/api/v1/alerts/", "/ack"))
    return acknowledge(actions, *id, request, now);
  if (path == "/api/v1/silences")
    return request.method == "POST" ? put_silence(actions, request, now)
                                    : not_allowed("GET, HEAD, POST");
  if (const auto id = between(path, "/api/v1/silences/", ""))
    return request.method == "DELETE" ? done_or(actions.end_silence(*id), "/api/v1/silences/{id}")
                                      : not_allowed("DELETE");
  if (const auto domain = between(path, "/api/v1/domains/", "/exception"))
    return change_exception(actions, *domain, request);
  return problem(404, "not found", "no such action");
}

}  // namespace web
