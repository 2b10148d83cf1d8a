#include "agent/cli/stored_status.h"

#include <algorithm>
#include <array>

#include <fmt/format.h>

#include "agent/cli/nagios_line.h"
#include "agent/watch/watched_words.h"
#include "config/time.h"
#include "probes/explain.h"

namespace agent {
namespace {

using Json = nlohmann::ordered_json;
using probes::Status;

const Json* at(const Json& from, const std::string& pointer) {
  const Json::json_pointer place(pointer);
  return from.contains(place) ? &from[place] : nullptr;
}

bool is_host(const Json& row) {
  return row.contains("host");
}

std::string name_of(const Json& row) {
  return shown(row, is_host(row) ? "/host" : "/domain");
}

Tint tint_of(Status status) {
  switch (status) {
    case Status::ok:
      return Tint::good;
    case Status::warning:
      return Tint::warning;
    case Status::critical:
      return Tint::bad;
    case Status::unknown:
      return Tint::unknown;
  }
  return Tint::unknown;
}

// What is wrong.
std::string words_of(const Json& row) {
  return shown(row, "/worst_finding/title");
}

Status worse_of(Status a, Status b) {
  return probes::rank(b) < probes::rank(a) ? b : a;
}

std::vector<const Json*> worst_first(const StoredStatus& stored) {
  std::vector<const Json*> out;
  for (const auto& row : stored.items) out.push_back(&row);
  std::ranges::stable_sort(out, {},
                           [](const Json* row) { return probes::rank(status_of_row(*row)); });
  return out;
}

std::array<std::size_t, probes::kStatusCount> count(const StoredStatus& stored) {
  std::array<std::size_t, probes::kStatusCount> out{};
  for (const auto& row : stored.items) ++out[static_cast<std::size_t>(status_of_row(row))];
  out[static_cast<std::size_t>(Status::unknown)] += stored.unwatched.size();
  return out;
}

std::size_t with_delivery(const StoredStatus& stored, probes::Delivery wanted) {
  return static_cast<std::size_t>(std::ranges::count_if(stored.items, [&](const Json& row) {
    return probes::delivery_from(shown(row, "/delivery")) == wanted;
  }));
}

// Seconds since the row that was seen longest ago, by the agent's own clock; null when one was
// never seen, or none is there.
std::optional<std::int64_t> oldest(const StoredStatus& stored) {
  const auto now = config::parse_rfc3339(shown(stored.agent, "/now"));
  std::optional<std::int64_t> out;
  for (const auto& row : stored.items) {
    const auto seen = config::parse_rfc3339(shown(row, "/observed_at"));
    if (!now || !seen) return std::nullopt;
    out = std::max(out.value_or(0), (*now - *seen).count());
  }
  return out;
}

// The names of the self-checks that fail, whether they blind or not.
std::string failing_checks(const StoredStatus& stored) {
  std::string out;
  const auto* checks = at(stored.agent, "/vantage");
  if (checks == nullptr || !checks->is_array()) return out;
  for (const auto& one : *checks) {
    const bool is_failing = one.is_object() && one.value("up", Json(true)) == false &&
                            one.value("limit", Json(false)) != true;
    if (is_failing) out += (out.empty() ? "" : ", ") + shown(one, "/check");
  }
  return out;
}

Cell self_checks(const StoredStatus& stored) {
  const auto failing = failing_checks(stored);
  if (why_blind(stored))
    return {"self-checks failing" + (failing.empty() ? "" : ": " + failing), Tint::unknown};
  return failing.empty() ? Cell{"self-checks OK", Tint::good}
                         : Cell{"self-checks failing: " + failing, Tint::warning};
}

std::string head_line(const StoredStatus& stored, const Screen& screen) {
  const auto alerts = count_in(stored.agent, "/open_alerts");
  const auto services = static_cast<std::size_t>(count_in(stored.agent, "/config/services"));
  const auto all = static_cast<std::size_t>(count_in(stored.agent, "/config/domains"));
  return fmt::format("danelaw {} at {}: {}, {} open alert{}, {}\n", shown(stored.agent, "/version"),
                     probes::printable(stored.url),
                     watched_words(all - std::min(all, services), services), alerts,
                     alerts == 1 ? "" : "s", tinted(self_checks(stored), screen));
}

// Harmless on a terminal. A backslash stays as it is, for it is part of a pattern that somebody
// pastes, or of what the agent has made harmless already.
std::string harmless(std::string_view text, std::size_t most) {
  std::string out;
  while (true) {
    const auto end = std::min(text.find('\\'), text.size());
    out += probes::printable(text.substr(0, end), most - std::min(out.size(), most));
    if (end == text.size() || out.size() >= most) return out;
    out += '\\';
    text.remove_prefix(end + 1);
  }
}

}  // namespace

std::string shown(const Json& from, const std::string& pointer) {
  const auto* found = at(from, pointer);
  if (found == nullptr || !found->is_string()) return {};
  return harmless(found->get_ref<const std::string&>(), 300);
}

std::int64_t count_in(const Json& from, const std::string& pointer) {
  const auto* found = at(from, pointer);
  if (found == nullptr || !found->is_number_integer()) return 0;
  return std::max<std::int64_t>(0, found->get<std::int64_t>());
}

Tint tint_of_severity(std::string_view severity) {
  if (severity == "critical") return Tint::bad;
  return severity == "high" || severity == "medium" ? Tint::warning : Tint::none;
}

std::optional<std::string> why_blind(const StoredStatus& stored) {
  if (shown(stored.agent, "/version").empty() || !stored.agent.contains("blind"))
    return "it does not say how it fares: is it danelaw?";
  const auto& blind = stored.agent["blind"];
  if (blind.is_null()) return std::nullopt;
  std::string causes;
  const auto* listed = at(blind, "/causes");
  for (std::size_t i = 0; listed != nullptr && i < std::min<std::size_t>(listed->size(), 5); ++i) {
    const auto& one = *at(*listed, fmt::format("/{}", i));
    causes +=
        fmt::format("{}{}: {}", i > 0 ? "; " : "", shown(one, "/check"), shown(one, "/detail"));
  }
  return fmt::format("it cannot see since {}{}{}", shown(blind, "/since"),
                     causes.empty() ? "" : ": ", causes);
}

Status status_of_row(const Json& row) {
  return probes::status_from(shown(row, "/status")).value_or(Status::unknown);
}

Status worst_of(const StoredStatus& stored) {
  if (why_blind(stored)) return Status::unknown;
  if (stored.items.empty()) return Status::unknown;
  auto worst = stored.unwatched.empty() ? Status::ok : Status::unknown;
  for (const auto& row : stored.items) worst = worse_of(worst, status_of_row(row));
  return worst;
}

std::string status_text(const StoredStatus& stored, const Screen& screen) {
  auto out = head_line(stored, screen);
  if (const auto blind = why_blind(stored))
    out += tinted({fmt::format("The agent: {}. What follows is what was known before.", *blind),
                   Tint::unknown},
                  screen) +
           '\n';
  for (const auto& name : stored.unwatched)
    out += fmt::format("{}: not watched\n", probes::printable(name));
  std::vector<TableRow> rows;
  for (const auto* row : worst_first(stored)) {
    const auto status = status_of_row(*row);
    rows.push_back({{name_of(*row)},
                    {std::string(wire_name(status)), tint_of(status)},
                    {shown(*row, "/delivery")},
                    {shown(*row, "/verdict")},
                    {shown(*row, "/delivery_since")},
                    {words_of(*row)}});
  }
  if (rows.empty()) return out;
  return out + table({"NAME", "STATUS", "DELIVERY", "VERDICT", "SINCE", "WHAT"}, rows, screen);
}

Json status_json(const StoredStatus& stored) {
  Json items = Json::array();
  for (const auto& row : stored.items) items.push_back(row);
  return {{"schema", "danelaw.status/1"},
          {"url", stored.url},
          {"status", wire_name(worst_of(stored))},
          {"blind", why_blind(stored) ? Json(*why_blind(stored)) : Json(nullptr)},
          {"agent", stored.agent},
          {"items", items},
          {"unwatched", stored.unwatched}};
}

std::string status_nagios(const StoredStatus& stored) {
  NagiosLine line;
  for (const auto& name : stored.unwatched)
    line.add(Status::unknown, probes::printable(name) + " is not watched");
  for (const auto* row : worst_first(stored)) {
    const auto words = words_of(*row);
    line.add(status_of_row(*row), fmt::format("{} {}{}{}", name_of(*row), shown(*row, "/delivery"),
                                              words.empty() ? "" : ", ", words));
  }
  const auto blind = why_blind(stored);
  const auto n = count(stored);
  const auto age = oldest(stored);
  // A bar would begin the performance data.
  auto words = blind ? fmt::format("DANE UNKNOWN: the agent at {}: {}",
                                   probes::printable(stored.url), *blind)
                     : line.words();
  std::ranges::replace(words, '|', '/');
  return fmt::format(
      "{} | domains={} ok={} warning={} critical={} unknown={} held_up={} unprotected={} "
      "alerts={}{}\n",
      words, stored.items.size(), n[0], n[1], n[2], n[3],
      with_delivery(stored, probes::Delivery::held_up),
      with_delivery(stored, probes::Delivery::unprotected), count_in(stored.agent, "/open_alerts"),
      // Icinga 2.13 takes no "U" for a value that is not known.
      age ? fmt::format(" oldest={}s", *age) : "");
}

}  // namespace agent
