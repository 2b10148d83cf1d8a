#include "web/routes/api.h"

#include <algorithm>
#include <utility>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "web/routes/parts.h"
#include "web/routes/query.h"

namespace web {
namespace {

std::string host_of(const std::string& host_header) {
  const auto host = lower_case(host_header);
  if (host.starts_with('[')) return host.substr(0, host.find(']') + 1);
  return host.substr(0, host.find(':'));
}

// Whether it is one of our names that the client used. A page that has its own name lead to our
// address cannot do so with an address.
bool is_called_rightly(const Guard& guard, const Request& request) {
  const auto host = host_of(request.header("host"));
  const bool is_address =
      host.starts_with('[') ||
      (!host.empty() && host.find_first_not_of("0123456789.") == std::string::npos);
  return std::ranges::find(guard.hosts, host) != guard.hosts.end() ||
         (guard.takes_any_address && is_address);
}

Reply log_in(const std::string& challenge) {
  auto reply = problem(401, "log in", "a user of web.config_file, or one of web.tokens");
  reply.headers["WWW-Authenticate"] = challenge;
  return reply;
}

Reply come_again() {
  auto reply = problem(429, "password not tried", "who may come in has just changed; come again");
  reply.headers["Retry-After"] = "1";
  return reply;
}

bool is_look(const Request& request) {
  return request.method == "GET" || request.method == "HEAD";
}
bool is_change(const Request& request) {
  return request.method == "POST" || request.method == "DELETE";
}

// What stands where the pattern has {…}, or "" where it has none; nothing when the path does not
// fit.
std::optional<std::string> fit(std::string_view pattern, const std::string& path) {
  const auto open = pattern.find('{');
  if (open == std::string_view::npos)
    return path == pattern ? std::optional<std::string>("") : std::nullopt;
  auto name = between(path, pattern.substr(0, open), pattern.substr(pattern.find('}') + 1));
  if (!name || name->find('/') != std::string::npos) return std::nullopt;
  return name;
}

struct Found {
  const Api::Route* route = nullptr;
  std::string name;
  std::string allowed;  // methods of other routes that the path fits
};

Found find(const Request& request) {
  Found out;
  const std::string_view asked = request.method;
  const auto method = asked == "HEAD" ? std::string_view("GET") : asked;
  for (const auto& route : Api::routes()) {
    auto name = fit(route.pattern, request.path);
    if (!name) continue;
    if (route.method == method) return {&route, *std::move(name), ""};
    if (!out.allowed.empty()) out.allowed += ", ";
    out.allowed += route.method == "GET" ? "GET, HEAD" : route.method;
  }
  return out;
}

Reply not_allowed(const std::string& allowed) {
  auto reply = problem(405, "method not allowed", allowed);
  reply.headers["Allow"] = allowed;
  return reply;
}

// No form of another site can send JSON.
std::optional<Reply> refuse_change(const Request& request, const Api::Route* route) {
  if (!is_same_site(request))
    return problem(403, "refused", "this request comes from another site");
  auto type = std::string(request.header("content-type"));
  std::ranges::transform(type, type.begin(), [](char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  });
  const bool is_json = type == "application/json" || type.starts_with("application/json;");
  if (route != nullptr && !route->content_types.empty()) {
    const auto is_type = [&](std::string_view known) {
      return type == known || type.starts_with(fmt::format("{};", known));
    };
    if (std::ranges::any_of(route->content_types, is_type)) return std::nullopt;
    return problem(415, "unsupported media type",
                   fmt::format("send Content-Type: {}", fmt::join(route->content_types, " or ")));
  }
  const bool needs_none = route != nullptr && route->takes_no_body && type.empty();
  if (request.method == "POST" && !is_json && !needs_none)
    return problem(415, "unsupported media type", "send Content-Type: application/json");
  return std::nullopt;
}

Reply nothing_there(const Request& request, const std::string& allowed) {
  if (!allowed.empty()) return not_allowed(allowed);
  if (is_change(request)) return problem(404, "not found", "no such action");
  if (request.path.starts_with("/api/")) return problem(404, "not found", "no such resource");
  return text("not found\n", 404);
}

}  // namespace

Reply Api::answer(const Request& request) const {
  Reply reply = route(request);
  auto& headers = reply.headers;  // what the route says itself holds
  headers.emplace("Content-Security-Policy",
                  "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
                  "connect-src 'self'; "
                  "base-uri 'none'; form-action 'self'; frame-ancestors 'none'");
  headers["X-Content-Type-Options"] = "nosniff";
  headers["Referrer-Policy"] = "no-referrer";
  headers["Cross-Origin-Opener-Policy"] = "same-origin";
  headers.emplace("Cross-Origin-Resource-Policy", "same-origin");
  headers.emplace("Cache-Control", "no-store");
  for (const auto& [name, value] : guard_.headers) headers[name] = value;
  if (request.method == "HEAD") reply.body.clear();
  return reply;
}

Reply Api::route(const Request& request) const {
  if (!is_called_rightly(guard_, request)) {
    return problem(421, "unknown host",
                   "set web.external_url or web.hosts to what users call this machine");
  }
  const auto found = find(request);
  const auto* route = found.route;
  Auth::LoginAnswer client{.right = config::Right::operate};
  if (auto refusal = refuse(request, route, client)) {
    // The list of acts is the leader's, who refuses it, too.
    const bool is_noted = route != nullptr && !route->act.empty() && refusal->status == 403 &&
                          client.right && *client.right != config::Right::operate;
    if (is_noted && backend_.leader && !route->is_own()) return backend_.leader(request);
    if (is_noted && !backend_.leader)
      note_refusal({request, found.name, std::move(client)}, *route, *refusal);
    return *std::move(refusal);
  }
  if (route != nullptr && route->reach == Reach::whole && client.groups) {
    return problem(403, "refused",
                   "this is about everything that is watched; you are here for some groups only");
  }
  if (backend_.leader && (route == nullptr || !route->is_own())) return backend_.leader(request);
  if (route == nullptr) return nothing_there(request, found.allowed);
  if (route->pattern.starts_with("/api/")) {
    for (const auto& [name, value] : request.query) {
      if (std::ranges::find(route->parameters, name) == route->parameters.end())
        return bad_parameter(name, value);
    }
  }
  auto reply = called(*route, {request, found.name, std::move(client)});
  if (reply.content_type != kProblemType) reply.handler = route->handler();
  return reply;
}

// Handlers find in the backend what is theirs who ask.
Reply Api::called(const Route& route, const Call& call) const {
  if (!call.client.groups || route.reach != Reach::narrowed) return (this->*route.answer)(call);
  const auto mine = narrowed_to(*call.client.groups);
  return (mine.*route.answer)(call);
}

Api Api::narrowed_to(const Groups& groups) const {
  auto out = *this;
  out.view_ = std::make_shared<const View>(backend_, groups);
  out.backend_ = narrowed(out.view_);
  return out;
}

// Who may not. What is not in the table is nobody's business but readers'.
std::optional<Reply> Api::refuse(const Request& request, const Route* route,
                                 Auth::LoginAnswer& client) const {
  auto who = route != nullptr ? route->who : is_change(request) ? Who::operators : Who::readers;
  if (who == Who::everybody_with_badges)
    who = guard_.badges.empty() ? Who::readers : Who::everybody;
  if (guard_.auth && who != Who::everybody) {
    auto asked = guard_.auth->judge(request.header("authorization"), request.attempt);
    const auto token = Query(request).text("token");
    if (who == Who::readers_by_address && !asked.right && token) {
      asked = guard_.auth->judge("Bearer " + *token);
      if (asked.right == config::Right::operate) asked = {};
    }
    if (asked.is_untried) return come_again();
    if (!asked.right) return log_in(guard_.auth->challenge());
    client = asked;
    const bool only_reports = asked.right == config::Right::report;
    if (only_reports ? who != Who::reporters
                     : who == Who::reporters && asked.right != config::Right::operate)
      return problem(403, "refused",
                     only_reports
                         ? "a token whose role is report may hand in reports only"
                         : "reports are taken from tokens whose role is report or operate");
    if (who == Who::operators && asked.right != config::Right::operate)
      return problem(403, "refused",
                     "you may read; changes are for web.operators and for tokens "
                     "whose role is operate");
  }
  if (is_change(request)) return refuse_change(request, route);
  if (!is_look(request)) return not_allowed("GET, HEAD, POST, DELETE");
  return std::nullopt;
}

// Once in a while for each person and act: the list of acts, and the disk, are for what was done.
void Api::note_refusal(const Call& call, const Route& route, const Reply& refusal) const {
  if (!remembered_->refused.is_new(call.client.name, route.act, backend_.snapshot()->now)) return;
  [[maybe_unused]] const auto told = noted(call,
                                           {.what = std::string(route.act),
                                            .subject_kind = std::string(route.subject_kind),
                                            .subject = call.name},
                                           refusal);
}

MakeSite site_of(Backend backend) {
  return [backend = std::move(backend)](Guard guard, const RequestStats& traffic) -> Site {
    auto counted = backend;
    counted.traffic = &traffic;
    const auto api = std::make_shared<const Api>(std::move(counted), std::move(guard));
    return [api](const Request& request) { return api->answer(request); };
  };
}

}  // namespace web
