#include "web/routes/api.h"
#include "web/routes/badge.h"
#include "web/routes/current.h"
#include "web/routes/finding_page.h"
#include "web/routes/page.h"
#include "web/routes/public_page.h"

namespace web {
namespace {

Reply file(std::string_view body, std::string type) {
  return {.content_type = std::move(type), .body = std::string(body)};
}

Reply no_badge() {
  return problem(404, "not found", "no public badge; web.public_badges names those there are");
}

}  // namespace

Reply Api::page(const Call& /*call*/) const {
  return file(page_html(), "text/html; charset=utf-8");
}

Reply Api::script(const Call& /*call*/) const {
  return file(page_script(), "text/javascript; charset=utf-8");
}

Reply Api::style(const Call& /*call*/) const {
  return file(page_style(), "text/css; charset=utf-8");
}

Reply Api::finding(const Call& call) const {
  return finding_page(call.name);
}

std::vector<storage::DomainRow> Api::public_rows() const {
  std::vector<storage::DomainRow> rows;
  for (const auto& domain : guard_.badges) {
    if (const auto state = sources_.domain(domain))
      rows.push_back(current_row(*state, *sources_.queries));
  }
  return rows;
}

Reply Api::public_html(const Call& /*call*/) const {
  return guard_.badges.empty() ? text("not found\n", 404) : public_page(public_rows());
}

Reply Api::public_list(const Call& /*call*/) const {
  return guard_.badges.empty() ? text("not found\n", 404) : public_json(public_rows());
}

// Of what is not to be seen by everybody nobody sees whether it is there.
std::optional<Badge> Api::public_badge(const std::string& domain) const {
  if (!guard_.badges.contains(domain)) return std::nullopt;
  const auto state = sources_.domain(domain);
  if (!state) return std::nullopt;
  const auto row = current_row(*state, *sources_.queries);
  return badge_of(row.status, row.verdict);
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
