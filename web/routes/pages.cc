#include "web/routes/api.h"
#include "web/routes/badge.h"
#include "web/routes/current.h"
#include "web/routes/finding_page.h"
#include "web/routes/page.h"
#include "web/routes/public_page.h"
#include "web/routes/query.h"

namespace web {
namespace {

Reply file(std::string_view body, std::string type) {
  return {.content_type = std::move(type), .body = std::string(body)};
}

Reply asset(std::string_view path, std::string type) {
  const auto name = path.substr(path.rfind('/') + 1);
  const auto* found = page_asset(name);
  if (found == nullptr) return text("not found\n", 404);
  auto out = file(found->body, std::move(type));
  out.headers["Cache-Control"] =
      name == found->name ? "no-cache" : "private, max-age=31536000, immutable";
  return out;
}

Reply no_badge() {
  return problem(404, "not found", "no public badge; web.public_badges names those there are");
}

}  // namespace

// What it names changes with the program: it is asked for anew every time.
Reply Api::page(const Call& /*call*/) const {
  auto out = file(page_html(), "text/html; charset=utf-8");
  out.headers["Cache-Control"] = "no-cache";
  return out;
}

Reply Api::script(const Call& call) const {
  return asset(call.request.path, "text/javascript; charset=utf-8");
}

Reply Api::style(const Call& call) const {
  return asset(call.request.path, "text/css; charset=utf-8");
}

Reply Api::finding(const Call& call) const {
  return finding_page(call.name);
}

PublicView Api::public_view() const {
  const auto snapshot = backend_.snapshot();
  PublicView out{.title = guard_.public_title,
                 .text = guard_.public_text,
                 .past_until = snapshot->now,
                 .now = snapshot->now};
  std::map<std::string, probes::Delivery> now;
  storage::SpanQuery past{.from = snapshot->now - std::chrono::hours{24 * 91},
                          // What began in this second is in it: it is kept for a while.
                          .until = snapshot->now + config::Seconds{1},
                          .longest_silence = storage::longest_silence(snapshot->schedule.interval)};
  for (const auto& name : guard_.badges) {
    const auto state = backend_.domain(name);
    if (!state) continue;
    out.domains.push_back(current_row(*state, *backend_.queries));
    now.emplace(name, out.domains.back().delivery);
    past.domains.push_back(name);
  }
  if (past.domains.empty()) return out;
  out.since = since_of(now);
  // Without a history there is none to show.
  if (const auto known = remembered_->public_spans.of(past, *backend_.queries)) {
    out.past = (*known)->spans;
    out.past_until = (*known)->until;
  }
  return out;
}

Reply Api::public_html(const Call& call) const {
  if (guard_.badges.empty()) return text("not found\n", 404);
  auto view = public_view();
  constexpr std::size_t kMostPages = 1'000'000;
  view.page = Query(call.request).number("page", 1, kMostPages).value_or(1);
  return public_page(view);
}

Reply Api::public_list(const Call& /*call*/) const {
  return guard_.badges.empty() ? text("not found\n", 404) : public_json(public_view());
}

// Of what is not to be seen by everybody nobody sees whether it is there.
std::optional<Badge> Api::public_badge(const std::string& domain) const {
  if (!guard_.badges.contains(domain)) return std::nullopt;
  const auto state = backend_.domain(domain);
  if (!state) return std::nullopt;
  const auto row = current_row(*state, *backend_.queries);
  return badge_of(row.delivery, row.verdict);
}

Reply Api::badge_picture(const Call& call) const {
  const auto badge = public_badge(call.name);
  return badge ? badge_svg(*badge) : no_badge();
}

Reply Api::badge_object(const Call& call) const {
  const auto badge = public_badge(call.name);
  return badge ? badge_json(*badge) : no_badge();
}

}  // namespace web
