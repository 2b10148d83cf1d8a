#include "web/routes/public_page.h"

#include <algorithm>
#include <map>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "web/routes/badge.h"
#include "web/routes/page.h"
#include "web/routes/parts.h"
#include "web/routes/plain_page.h"

namespace web {
namespace {

using Json = nlohmann::ordered_json;
using probes::Delivery;

constexpr int kDays = 90;
constexpr std::size_t kMostIncidents = 20;
// So that a page has less than 2,000 elements whatever happened.
constexpr std::size_t kMostCards = 50;
constexpr std::size_t kMostTold = 6;  // runs of days, of a domain

// The mark of what happens to mail.
std::string mark_of(Delivery delivery, std::string_view words) {
  const auto look = probes::look_of(delivery);
  return fmt::format("<span class=\"mark {}\">{} {}</span>", wire_name(look), probes::sign_of(look),
                     words);
}

std::string_view in_words(Delivery delivery) {
  switch (delivery) {
    case Delivery::held_up:
      return "mail did not arrive";
    case Delivery::unprotected:
      return "mail was not protected";
    case Delivery::at_risk:
      return "mail arrived; something was wrong";
    case Delivery::fine:
      return "fine";
    case Delivery::unknown:
      return "unknown";
  }
  return "";
}

bool takes_mail(const storage::DomainRow& domain) {
  return domain.verdict != wire_name(probes::Verdict::no_mail);
}

std::string_view now_in_words(const storage::DomainRow& domain) {
  if (!takes_mail(domain)) return "takes no mail";
  switch (domain.delivery) {
    case Delivery::held_up:
      return "mail does not arrive";
    case Delivery::unprotected:
      return "mail is not protected";
    case Delivery::at_risk:
      return "mail arrives; something is wrong";
    case Delivery::fine:
      return "mail arrives securely";
    case Delivery::unknown:
      return "unknown";
  }
  return "";
}

std::string headline(const std::vector<storage::DomainRow>& domains) {
  const auto count = [&](Delivery delivery) {
    return static_cast<std::size_t>(std::ranges::count_if(domains, [&](const auto& domain) {
      return takes_mail(domain) && domain.delivery == delivery;
    }));
  };
  const auto all = static_cast<std::size_t>(std::ranges::count_if(domains, takes_mail));
  if (all == 0 && !domains.empty()) return "No mail is taken.";
  if (count(Delivery::fine) == all) return "Mail gets through securely.";
  const auto unknown = count(Delivery::unknown);
  if (unknown == all) return "Whether mail gets through could not be determined.";
  const auto rest =
      unknown == 0 ? std::string() : fmt::format(" Of {} it could not be determined.", unknown);
  if (const auto held_up = count(Delivery::held_up); held_up > 0)
    return fmt::format("Mail does not arrive at {} of {} domains.{}", held_up, all, rest);
  return fmt::format("Mail gets through securely at {} of {} domains.{}", count(Delivery::fine),
                     all, rest);
}

std::string minute_of(config::Time time) {
  const auto text = config::rfc3339(time);
  return fmt::format("<time datetime=\"{}\">{} {} UTC</time>", text, text.substr(0, 10),
                     text.substr(11, 5));
}

DeliverySpans only(const PublicView& view, const std::string& domain) {
  const auto mine = view.past.find(domain);
  if (mine == view.past.end()) return {};
  return {*mine};
}

// "99.93 %": never 100 % unless it is.
std::string percent(const Share& share) {
  if (share.known == 0) return "unknown";
  const auto hundredths = share.authenticated * 10'000 / share.known;  // rounded down
  return fmt::format("{}.{:02} %", hundredths / 100, hundredths % 100);
}

std::string in_words(config::Seconds time) {
  using namespace std::chrono;
  if (time >= days{2}) return fmt::format("{} days", floor<days>(time).count());
  if (time >= hours{2}) return fmt::format("{} hours", floor<hours>(time).count());
  const auto count = floor<minutes>(time).count();
  return fmt::format("{} minute{}", count, count == 1 ? "" : "s");
}

// "99.93 % of 30 days", or "… since", where watching began later; of how much of that time, where
// much is unknown.
std::string words_of(const Share& share, config::Time now) {
  const auto whole =
      share.since ? now - *share.since : config::Seconds{std::chrono::hours{24 * share.days}};
  const config::Seconds known{share.known};
  if (share.since && known > config::Seconds{0} && known >= whole - whole / 100)
    return fmt::format("{} since {}, when watching began", percent(share), minute_of(*share.since));
  if (known == config::Seconds{0}) return fmt::format("unknown in {} days", share.days);
  if (known >= whole - whole / 100) return fmt::format("{} of {} days", percent(share), share.days);
  return fmt::format("{} of the {} known in {} days", percent(share), in_words(known), share.days);
}

// The shares of 30 and of 90 days, or that of all there is as long as that is less.
std::string shares_of(const DeliverySpans& past, config::Time now) {
  const auto short_one = share_of(past, 1, 30, now);
  const auto long_one = share_of(past, 1, 90, now);
  if (short_one.known == long_one.known) return words_of(short_one, now);
  return words_of(short_one, now) + ", " + words_of(long_one, now);
}

// Days in a row that are alike.
struct Run {
  std::size_t first = 0, count = 0;
  std::optional<Delivery> worst;

  [[nodiscard]] std::string_view name() const { return worst ? wire_name(*worst) : "none"; }
  [[nodiscard]] std::string path() const {
    std::string out;
    for (auto day = first; day < first + count; ++day)
      out += fmt::format("M{} 0h3v20h-3z", 4 * day);
    return out;
  }
};

std::vector<Run> runs_of(const std::vector<Day>& days) {
  std::vector<Run> out;
  for (std::size_t i = 0; i < days.size(); ++i) {
    if (out.empty() || out.back().worst != days[i].worst)
      out.push_back({.first = i, .worst = days[i].worst});
    ++out.back().count;
  }
  return out;
}

// What happened lately says when and what it was; the other days are one path for each kind.
std::string bars(const DeliverySpans& past, config::Time now) {
  const auto days = days_of(past, kDays, now);
  const auto runs = runs_of(days);
  std::map<std::string_view, std::string> rest;
  std::string told;
  std::size_t left = kMostTold;
  for (auto run = runs.rbegin(); run != runs.rend(); ++run) {
    const bool is_told = run->worst && *run->worst != Delivery::fine && left > 0;
    if (!is_told) {
      rest[run->name()] += run->path();
      continue;
    }
    --left;
    const auto first = date_of(days[run->first].begin);
    const auto last = date_of(days[run->first + run->count - 1].begin);
    told += fmt::format("<path class=\"{}\" d=\"{}\"><title>{}{}: {}</title></path>", run->name(),
                        run->path(), first, run->count > 1 ? " to " + last : std::string(),
                        in_words(*run->worst));
  }
  std::string out = fmt::format(
      "<svg class=\"days\" viewBox=\"0 0 {} 20\" preserveAspectRatio=\"none\" role=\"img\" "
      "aria-label=\"the last {} days\">",
      kDays * 4, kDays);
  for (const auto& [name, path] : rest)
    out += fmt::format("<path class=\"{}\" d=\"{}\"/>", name, path);
  return out + told + "</svg>\n";
}

std::string card(const PublicView& view, const storage::DomainRow& domain) {
  const auto past = only(view, domain.name);
  const auto since = view.since.find(domain.name);
  // Names are A-labels, the other words our own: nothing in them needs to be escaped.
  return fmt::format(
      "<article><h2>{}</h2><p>{}{}</p>\n{}<p class=\"quiet\">{}last check {}</p></article>\n",
      domain.name, mark_of(domain.delivery, now_in_words(domain)),
      since == view.since.end() ? std::string() : ", since " + minute_of(since->second),
      bars(past, view.past_until),
      takes_mail(domain) ? fmt::format("authenticated {}; ", shares_of(past, view.past_until)) : "",
      domain.observed_at ? minute_of(*domain.observed_at) : "not yet");
}

struct Incident {
  std::string domain;
  storage::DeliverySpan span;
  bool is_lost = false;  // since its end nothing is known: nobody knows whether it is over
};

// Mail that did not arrive, or was not protected; the newest first.
std::vector<Incident> incidents_of(const PublicView& view) {
  std::vector<Incident> out;
  const auto from = view.now - std::chrono::hours{24 * kDays};
  for (const auto& [domain, spans] : view.past) {
    const auto episodes = episodes_in(spans, true);
    for (const auto& span : episodes) {
      const bool is_bad =
          span.delivery == Delivery::held_up || span.delivery == Delivery::unprotected;
      const bool is_lost = &span == &episodes.back() && spans.back().delivery == Delivery::unknown;
      if (is_bad && (span.until > from || is_lost)) out.push_back({domain, span, is_lost});
    }
  }
  std::ranges::sort(out, std::greater{},
                    [](const Incident& one) { return std::pair(one.span.from, one.domain); });
  if (out.size() > kMostIncidents) out.resize(kMostIncidents);
  return out;
}

bool is_over(const Incident& one, const PublicView& view) {
  return !one.is_lost && one.span.until < view.past_until;
}

std::string incident_list(const PublicView& view) {
  const auto incidents = incidents_of(view);
  if (incidents.empty()) return fmt::format("<p class=\"quiet\">None in {} days.</p>\n", kDays);
  std::string out = "<ul>\n";
  for (const auto& one : incidents) {
    const auto until = is_over(one, view) ? " to " + minute_of(one.span.until)
                       : one.is_lost ? fmt::format("; unknown since {}", minute_of(one.span.until))
                                     : " to now";
    out += fmt::format("<li>{}: {}, {}{}</li>\n", one.domain, in_words(one.span.delivery),
                       minute_of(one.span.from), until);
  }
  return out + "</ul>\n";
}

// Those first that somebody must do something about.
std::vector<const storage::DomainRow*> in_order(const std::vector<storage::DomainRow>& domains) {
  std::vector<const storage::DomainRow*> out;
  for (const auto& domain : domains) out.push_back(&domain);
  std::ranges::stable_sort(out, {}, [](const auto* one) { return rank(one->delivery); });
  return out;
}

std::string cards(const PublicView& view) {
  const auto domains = in_order(view.domains);
  const auto pages = std::max<std::size_t>(1, (domains.size() + kMostCards - 1) / kMostCards);
  const auto page = std::clamp<std::size_t>(view.page, 1, pages);
  const auto first = (page - 1) * kMostCards;
  const auto end = std::min(first + kMostCards, domains.size());
  std::string out = "<div class=\"cards\">\n";
  for (auto i = first; i < end; ++i) out += card(view, *domains[i]);
  out += "</div>\n";
  if (pages == 1) return out;
  const auto link = [](std::size_t to, std::string_view words) {
    return fmt::format(" <a href=\"?page={}\">{}</a>", to, words);
  };
  return out + fmt::format("<nav aria-label=\"Pages\">Domains {} to {} of {}.{}{}</nav>\n",
                           first + 1, end, domains.size(), page > 1 ? link(page - 1, "Before") : "",
                           page < pages ? link(page + 1, "More") : "");
}

}  // namespace

Reply public_page(const PublicView& view) {
  const auto title = escaped_html(view.title.empty() ? "Mail and DANE" : view.title);
  auto body = fmt::format(
      "<h1>{}</h1>\n{}<p class=\"lead\" role=\"status\">{}</p>\n",
      view.title.empty() ? "Does mail get through securely?" : title,
      view.text.empty() ? std::string() : fmt::format("<p>{}</p>\n", escaped_html(view.text)),
      headline(view.domains));
  body += cards(view) + "<h2>Incidents</h2>\n" + incident_list(view);
  body += fmt::format("<p class=\"quiet\">As of {}.</p>\n", minute_of(view.now));
  const auto head = fmt::format(
      "<link rel=\"stylesheet\" href=\"assets/{}\"><script src=\"assets/{}\" defer></script>"
      "<noscript><meta http-equiv=\"refresh\" content=\"60\"></noscript>",
      page_asset("public.css")->lasting_name, page_asset("public.js")->lasting_name);
  return for_everybody(
      {.content_type = "text/html; charset=utf-8", .body = plain_page(title, "", body, head)});
}

// The page is asked for again, and of it only what differs is put in place: whoever reads or
// selects something is not disturbed.
std::string_view public_script() {
  return R"("use strict";
const patch = (old, now) => {
  if (old.isEqualNode(now)) return;
  const a = [...old.childNodes], b = [...now.childNodes];
  const isAlike = old.cloneNode(false).isEqualNode(now.cloneNode(false));
  if (isAlike && a.length === b.length && a.length > 0) a.forEach((one, at) => patch(one, b[at]));
  else old.replaceWith(document.importNode(now, true));
};
const load = async () => {
  if (document.hidden) return;
  try {
    const reply = await fetch(location.href, { cache: "no-store" });
    if (!reply.ok) return;
    const page = new DOMParser().parseFromString(await reply.text(), "text/html");
    patch(document.querySelector("main"), page.querySelector("main"));
  } catch {
    // The agent may be restarting; "As of" says how old this is.
  }
};
setInterval(load, 15000);
document.addEventListener("visibilitychange", load);
)";
}

std::string_view public_style() {
  return R"(.cards { display: grid; gap: 1rem; grid-template-columns: repeat(auto-fill, minmax(min(100%, 20rem), 1fr)); }
.cards article { border: 1px solid color-mix(in srgb, currentColor 20%, transparent); border-radius: 0.5rem;
  padding: 0.75rem 1rem; min-width: 0; }
.cards h2 { margin: 0; font-size: 1.1rem; overflow-wrap: anywhere; }
.cards p { margin: 0.5rem 0 0; }
.quiet { opacity: 0.8; font-size: 0.9rem; }
svg.days { display: block; width: 100%; height: 1.5rem; margin-top: 0.5rem; }
nav { margin-top: 1rem; }
svg.days .fine { fill: #12805c; }
svg.days .at-risk { fill: #b7791f; }
svg.days .unprotected { fill: #c2410c; }
svg.days .held-up { fill: #b42318; }
svg.days .unknown { fill: #7c5cbf; }
svg.days .none { fill: #8884; }
li { overflow-wrap: anywhere; }
)";
}

Reply public_json(const PublicView& view) {
  Json items = Json::array();
  for (const auto& domain : view.domains) {
    const auto past = only(view, domain.name);
    Json days = Json::array();
    for (const auto& day : days_of(past, kDays, view.past_until)) {
      days.push_back({{"date", date_of(day.begin)},
                      {"delivery", day.worst ? Json(wire_name(*day.worst)) : Json(nullptr)}});
    }
    Json shares = Json::array();
    for (const int length : {30, kDays})
      shares.push_back(to_json(share_of(past, 1, length, view.past_until)));
    items.push_back({{"domain", domain.name},
                     {"status", wire_name(domain.status)},
                     {"verdict", domain.verdict ? Json(*domain.verdict) : Json(nullptr)},
                     {"delivery", wire_name(domain.delivery)},
                     {"since", since_json(view.since, domain.name)},
                     {"observed_at", time_or_null(domain.observed_at)},
                     {"days", days},
                     {"shares", shares}});
  }
  Json incidents = Json::array();
  for (const auto& one : incidents_of(view)) {
    incidents.push_back(
        {{"domain", one.domain},
         {"from", config::rfc3339(one.span.from)},
         {"until", is_over(one, view) ? Json(config::rfc3339(one.span.until)) : Json(nullptr)},
         {"unknown_since", one.is_lost ? Json(config::rfc3339(one.span.until)) : Json(nullptr)},
         {"delivery", wire_name(one.span.delivery)},
         {"verdict", wire_name(one.span.verdict)}});
  }
  return for_everybody(json({{"items", items}, {"next", nullptr}, {"incidents", incidents}}));
}

}  // namespace web
