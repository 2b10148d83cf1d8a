#include <fmt/format.h>

#include "config/name.h"
#include "config/service.h"
#include "probes/explain.h"
#include "web/routes/api.h"
#include "web/routes/parts.h"

// Domains that are not watched: checked once, or watched from now on.
namespace web {
namespace {

using Json = nlohmann::ordered_json;

struct Wish {
  std::string domain;  // A-label form
  std::optional<std::string> list;
};

// {"domain":…}, and {"list":…} where that may be told.
config::Result<Wish, std::string> wish_of(const std::string& body, bool may_name_list) {
  using config::Failure;
  const auto sent = nlohmann::json::parse(body, nullptr, false);
  if (!sent.is_object() || !sent.contains("domain"))
    return Failure<std::string>(R"(send {"domain": "example.org"})");
  Wish out;
  for (const auto& [name, value] : sent.items()) {
    const bool is_list = may_name_list && name == "list";
    if ((name != "domain" && !is_list) || !value.is_string())
      return Failure<std::string>(
          fmt::format("{}: no such member, or no text", probes::printable(name, 60)));
    if (is_list) out.list = value.get<std::string>();
  }
  const auto text = sent["domain"].get<std::string>();
  // Only domains stand in lists; services stand in the configuration itself.
  const auto domain = may_name_list ? config::normal_domain(text) : config::target_name(text);
  if (!domain) return Failure<std::string>("domain: " + domain.error());
  out.domain = *domain;
  return out;
}

// No two logins are called the same.
std::string login_of(const Auth::LoginAnswer& client) {
  return fmt::format("{} {}", wire_name(client.login), client.name);
}

Json check_json(const OnceChecks::Check& check) {
  return {{"id", check.id},
          {"domain", check.domain},
          {"started_at", config::rfc3339(check.started_at)},
          {"state", !check.is_done ? "running"
                    : check.fault  ? "failed"
                                   : "done"},
          {"fault", check.fault ? Json(probes::printable(*check.fault)) : Json(nullptr)},
          {"result", check.result ? Json::parse(*check.result, nullptr, false) : Json(nullptr)}};
}

}  // namespace

Reply Api::check_once(const Call& call) const {
  const auto wish = wish_of(call.request.body, false);
  if (!wish) return problem(400, "bad check", wish.error());
  Deed deed{.what = "check-once", .subject_kind = "domain", .subject = wish->domain};
  const auto started =
      backend_.checks->start(wish->domain, backend_.snapshot()->now, login_of(call.client));
  if (!started) {
    auto reply = problem(429, "not checked", started.error().why);
    reply.headers["Retry-After"] = std::to_string(started.error().again_in.count());
    return noted(call, std::move(deed), std::move(reply));
  }
  return noted(call, std::move(deed), json(check_json(*started), 202));
}

Reply Api::once_checked(const Call& call) const {
  auto check = backend_.checks->find(call.name);
  // Which domains somebody else looks into is theirs to know.
  if (view_ && check && check->by != login_of(call.client)) check.reset();
  return check ? json(check_json(*check))
               : problem(404, "not found", "no check of that id is remembered");
}

Reply Api::watch(const Call& call) const {
  const auto wish = wish_of(call.request.body, true);
  if (!wish) return problem(400, "not watched", wish.error());
  Deed deed{.what = "watch", .subject_kind = "domain", .subject = wish->domain};
  // That somebody else has it cannot be kept from whoever wants it.
  const bool is_watched = (view_ ? view_->everything() : backend_).domain(wish->domain).has_value();
  if (is_watched)
    return noted(call, std::move(deed), problem(409, "not watched", "it is watched already"));
  if (!backend_.watch) return problem(409, "not watched", "no list may be added to");
  const auto list = backend_.watch(wish->domain, wish->list, call.client.groups);
  if (!list) {
    // What is wrong with the configuration may be somebody else's.
    return noted(call, std::move(deed),
                 problem(409, "not watched",
                         view_ ? "no such list of your groups may be added to" : list.error()));
  }
  deed.comment = *list;
  return noted(call, std::move(deed), json({{"domain", wish->domain}, {"list", *list}}, 201));
}

Reply Api::accept_list(const Call& call) const {
  const Deed deed{.what = "accept-list", .subject_kind = "list", .subject = call.name};
  const auto lists = backend_.snapshot()->lists;
  const auto found = std::ranges::find(lists, call.name, &agent::ListHealth::name);
  if (found == lists.end())
    return noted(call, deed, problem(404, "not found", "no list from elsewhere has that name"));
  const auto done = backend_.accept_list(call.name);
  if (!done) return noted(call, deed, problem(409, "not accepted", done.error()));
  return noted(call, deed, json({{"list", call.name}, {"accepted", true}}));
}

}  // namespace web
