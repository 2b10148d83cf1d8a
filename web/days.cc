#include "web/days.h"

#include <algorithm>
#include <tuple>

namespace web {
namespace {

using Json = nlohmann::ordered_json;
using config::Seconds;
using config::Time;
using probes::Delivery;
using probes::Verdict;
using storage::DeliverySpan;

constexpr Seconds kDay = std::chrono::hours{24};
constexpr std::size_t kMostEpisodes = 200;

// And delivered: what caches hold may keep senders away from a host that a new look finds sound.
bool is_authenticated(const DeliverySpan& span) {
  return span.delivery != Delivery::held_up &&
         (span.verdict == Verdict::authenticated || span.verdict == Verdict::host_authenticated);
}

Time day_begin(Time time) {
  return std::chrono::floor<std::chrono::days>(time);
}

// What is known is worse than what is not; else as bad as it is for mail.
int badness(Delivery delivery) {
  switch (delivery) {
    case Delivery::held_up:
      return 4;
    case Delivery::unprotected:
      return 3;
    case Delivery::at_risk:
      return 2;
    case Delivery::fine:
      return 1;
    case Delivery::unknown:
      return 0;
  }
  return 0;
}

}  // namespace

std::string date_of(Time time) {
  return config::rfc3339(time).substr(0, 10);
}

Share share_of(const DeliverySpans& spans, std::size_t domains, int days, Time now) {
  Share out{.days = days};
  const auto from = now - days * kDay;
  auto first = Time::max();
  for (const auto& [domain, list] : spans) {
    for (const auto& span : list) {
      const auto length = (std::min(span.until, now) - std::max(span.from, from)).count();
      if (length <= 0 || span.verdict == Verdict::no_mail) continue;
      first = std::min(first, span.from);
      (span.verdict == Verdict::unknown ? out.unknown : out.known) += length;
      if (is_authenticated(span)) out.authenticated += length;
    }
  }
  const auto all = static_cast<std::int64_t>(domains) * (now - from).count();
  // A domain's first look comes some time after its day began.
  if (first != Time::max() && first > from + (now - from) / 100) out.since = first;
  out.uncounted = std::max<std::int64_t>(0, all - out.known - out.unknown);
  return out;
}

Json to_json(const Share& share) {
  return {{"days", share.days},
          {"authenticated", share.known > 0 ? Json(static_cast<double>(share.authenticated) /
                                                   static_cast<double>(share.known))
                                            : Json(nullptr)},
          {"known_seconds", share.known},
          {"unknown_seconds", share.unknown},
          {"unwatched_seconds", share.uncounted},
          {"since", share.since ? Json(config::rfc3339(*share.since)) : Json(nullptr)}};
}

std::vector<Day> days_of(const DeliverySpans& spans, int days, Time now) {
  std::vector<Day> out;
  const auto first = day_begin(now) - (days - 1) * kDay;
  for (int i = 0; i < days; ++i) out.push_back({.begin = first + i * kDay});
  for (const auto& [domain, list] : spans) {
    for (const auto& span : list) {
      if (span.until <= first) continue;
      auto at = static_cast<std::size_t>((std::max(span.from, first) - first) / kDay);
      for (; at < out.size() && out[at].begin < span.until; ++at) {
        auto& day = out[at];
        if (span.delivery == Delivery::unknown)
          day.unknown +=
              (std::min(span.until, day.begin + kDay) - std::max(span.from, day.begin)).count();
        if (day.worst && badness(*day.worst) >= badness(span.delivery)) continue;
        day.worst = span.delivery;
        day.verdict = span.verdict;
      }
    }
  }
  return out;
}

std::vector<DeliverySpan> episodes_in(const std::vector<DeliverySpan>& spans, bool over_unknown) {
  std::vector<DeliverySpan> out;
  config::Seconds longest{0};
  for (const auto& span : spans) {
    if (over_unknown && span.delivery == Delivery::unknown) continue;
    const auto length = span.until - span.from;
    if (out.empty() || out.back().delivery != span.delivery) {
      out.push_back(span);
      longest = length;
      continue;
    }
    out.back().until = span.until;
    if (length <= longest) continue;
    out.back().verdict = span.verdict;
    longest = length;
  }
  return out;
}

Json days_json(const DeliverySpans& spans, std::size_t domains, int days, Time now) {
  Json list = Json::array();
  const auto shown = days_of(spans, days, now);
  for (const auto& day : shown) {
    list.push_back({{"date", date_of(day.begin)},
                    {"delivery", day.worst ? Json(wire_name(*day.worst)) : Json(nullptr)},
                    {"verdict", day.worst ? Json(wire_name(day.verdict)) : Json(nullptr)},
                    {"unknown_seconds", day.unknown}});
  }
  std::vector<std::pair<const std::string*, DeliverySpan>> episodes;
  for (const auto& [domain, all] : spans) {
    for (const auto& span : episodes_in(all, false)) {
      if (span.delivery != Delivery::fine && span.until > shown.front().begin)
        episodes.emplace_back(&domain, span);
    }
  }
  const auto count = episodes.size();
  const auto few = static_cast<std::ptrdiff_t>(std::min(count, kMostEpisodes));
  std::ranges::partial_sort(episodes, episodes.begin() + few, [](const auto& a, const auto& b) {
    return std::tuple(b.second.from, std::string_view(*a.first)) <
           std::tuple(a.second.from, std::string_view(*b.first));
  });
  Json told = Json::array();
  for (const auto& [domain, span] : std::vector(episodes.begin(), episodes.begin() + few)) {
    told.push_back({{"domain", *domain},
                    {"from", config::rfc3339(span.from)},
                    {"until", span.until < now ? Json(config::rfc3339(span.until)) : Json(nullptr)},
                    {"delivery", wire_name(span.delivery)},
                    {"verdict", wire_name(span.verdict)}});
  }
  Json shares = Json::array();
  for (const int length : {30, 90})
    shares.push_back(to_json(share_of(spans, domains, length, now)));
  return {{"days", list}, {"episodes", told}, {"episodes_count", count}, {"shares", shares}};
}

}  // namespace web
