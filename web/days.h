#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "storage/delivery_spans.h"

// PURE
// Time as people think of it: days, episodes, shares.
namespace web {

using DeliverySpans = std::map<std::string, std::vector<storage::DeliverySpan>>;  // by domain

// How long mail to these domains was authenticated, of the last so many days. Time in which that is
// unknown is neither good nor bad; nor is that in which a domain was not watched or takes no mail.
struct Share {
  int days = 0;
  std::int64_t authenticated = 0, known = 0, unknown = 0, uncounted = 0;  // seconds, of all domains
  std::optional<config::Time> since;  // when watching began, where that is within these days
};
[[nodiscard]] Share share_of(const DeliverySpans& spans, std::size_t domains, int days,
                             config::Time now);
[[nodiscard]] nlohmann::ordered_json to_json(const Share& share);

// A day (UTC) and the worst that was known of it at any of the domains.
struct Day {
  config::Time begin;
  std::optional<probes::Delivery> worst;  // nothing while none was watched
  probes::Verdict verdict = probes::Verdict::unknown;
  std::int64_t unknown = 0;  // seconds, of all domains
};
// The last so many, today the last.
[[nodiscard]] std::vector<Day> days_of(const DeliverySpans& spans, int days, config::Time now);

// Spans of one domain, one after the other, in which the same happened to mail are one episode,
// whatever verdicts it had meanwhile: that of the longest stands for it. `over_unknown`: what was
// known before a time in which nothing was, and behind it, went on; else that time is a span.
[[nodiscard]] std::vector<storage::DeliverySpan> episodes_in(
    const std::vector<storage::DeliverySpan>& spans, bool over_unknown);

// {"days":…,"episodes":…,"episodes_count":…,"shares":…} of so many days; episodes are what was not
// fine, the newest first, a few hundred at most.
[[nodiscard]] nlohmann::ordered_json days_json(const DeliverySpans& spans, std::size_t domains,
                                               int days, config::Time now);

// "2027-01-15".
[[nodiscard]] std::string date_of(config::Time time);

}  // namespace web
