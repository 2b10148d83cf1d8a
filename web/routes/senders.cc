#include <algorithm>
#include <map>
#include <tuple>
#include <utility>

#include <fmt/format.h>

#include "agent/log.h"
#include "agent/senders/report_intake.h"
#include "probes/explain.h"
#include "probes/reports/read_reports.h"
#include "web/routes/api.h"
#include "web/routes/parts.h"
#include "web/routes/query.h"

// What senders reported (RFC 8460): taken, and shown.
namespace web {
namespace {

using Json = nlohmann::ordered_json;
using agent::SenderSessions;

constexpr config::Seconds kShown = std::chrono::hours{24 * 30};  // where no time is asked for
constexpr std::size_t kMostRows = 5000;                          // of one reply

Reply no_store() {
  return problem(503, "no reports", "reports of senders are not kept by this agent");
}

// What rows of several reports of a day have in common.
using Key = std::tuple<std::string, std::string, std::string, std::string, std::string, std::string,
                       std::string>;

// A sender's day need not be UTC's: the one that holds its middle is most of it.
std::string day_of(const SenderSessions& one) {
  return config::rfc3339(one.from + (one.until - one.from) / 2).substr(0, 10);
}

Key key_of(const SenderSessions& one) {
  const bool has_failed = !one.result_type.empty();
  return {day_of(one),
          one.organization,
          one.domain,
          std::string(wire_name(one.policy)),
          one.mx_host,
          one.result_type,
          has_failed ? std::string(wire_name(one.agrees)) : std::string()};
}

Json or_null(const std::string& text) {
  return text.empty() ? Json(nullptr) : Json(text);
}

// Newest day first.
Json items_of(const std::vector<SenderSessions>& sessions) {
  std::map<Key, SenderSessions> sums;
  for (const auto& one : sessions) {
    auto [place, is_new] = sums.try_emplace(key_of(one), one);
    if (is_new) continue;
    auto& sum = place->second;
    sum.sessions += one.sessions;
    sum.from = std::min(sum.from, one.from);
    sum.until = std::max(sum.until, one.until);
    sum.senders = std::max(sum.senders, one.senders);  // the same ones may be in both
    sum.receivers = std::max(sum.receivers, one.receivers);
  }
  Json items = Json::array();
  for (auto at = sums.rbegin(); at != sums.rend() && items.size() < kMostRows; ++at) {
    const auto& one = at->second;
    const bool has_failed = !one.result_type.empty();
    items.push_back({{"day", std::get<0>(at->first)},
                     {"organization", one.organization},
                     {"from", config::rfc3339(one.from)},
                     {"until", config::rfc3339(one.until)},
                     {"domain", one.domain},
                     {"policy_type", wire_name(one.policy)},
                     {"mx_host", or_null(one.mx_host)},
                     {"result_type", or_null(one.result_type)},
                     {"sessions", one.sessions},
                     {"sending_addresses", has_failed ? Json(one.senders) : Json(nullptr)},
                     {"receiving_addresses", has_failed ? Json(one.receivers) : Json(nullptr)},
                     {"agrees", has_failed ? Json(wire_name(one.agrees)) : Json(nullptr)}});
  }
  return items;
}

// Of a host that others use, too, what was reported of theirs, and of the host by itself.
void keep_theirs(std::vector<SenderSessions>& sessions, const std::string& host, const View* view) {
  if (view == nullptr) return;
  std::erase_if(sessions, [&](const SenderSessions& one) {
    return one.domain != host && !view->theirs().has_domain(one.domain);
  });
}

Reply reported(const Backend& backend, const View* view, const Request& request,
               agent::SenderReportStore::Query query) {
  Query given(request);
  const auto now = backend.snapshot()->now;
  query.until = given.moment("until").value_or(now);
  query.from = given.moment("from").value_or(query.until - kShown);
  if (auto fault = given.fault()) return *std::move(fault);
  if (backend.senders == nullptr) return no_store();
  auto sessions = backend.senders->sessions(query);
  if (!sessions) return storage_failed(sessions.error());
  // A week of everybody's reports is far fewer.
  const bool is_all = sessions->size() < query.most;
  keep_theirs(*sessions, query.host, view);
  auto items = items_of(*sessions);
  const bool is_whole = is_all && items.size() < kMostRows;
  return json({{"items", std::move(items)}, {"next", nullptr}, {"is_whole", is_whole}});
}

}  // namespace

Reply Api::take_tlsrpt(const Call& call) const {
  if (backend_.senders == nullptr) return no_store();
  const auto read = probes::reports::read_report(call.request.body);
  if (!read) return problem(400, "bad report", read.error());
  const auto now = backend_.snapshot()->now;
  const auto taken = agent::take_report(*backend_.senders, *read, now);
  agent::log::info("tlsrpt-taken", {{"organization", taken.organization},
                                    {"report_id", taken.report_id},
                                    {"by", call.client.name},
                                    {"new", taken.is_new ? "yes" : "no"},
                                    {"skipped", std::to_string(taken.skipped)},
                                    {"fault", taken.fault.value_or("")}});
  if (taken.is_ours) return storage_failed(*taken.fault);
  if (taken.fault) return problem(400, "bad report", *taken.fault);
  if (taken.is_new && backend_.on_report) backend_.on_report();
  return json({{"organization", taken.organization},
               {"report_id", taken.report_id},
               {"policies", taken.policies},
               {"skipped", taken.skipped},
               {"is_new", taken.is_new}},
              202);
}

Reply Api::domain_senders(const Call& call) const {
  const auto state = backend_.domain(call.name);
  if (!state) return problem(404, "not found", "no such domain is watched");
  return reported(backend_, view_.get(), call.request,
                  {.domain = state->configured->name, .host = {}});
}

Reply Api::host_senders(const Call& call) const {
  const auto name = probes::dns::Name::parse(call.name);
  const auto snapshot = backend_.snapshot();
  const auto is_it = [&](const agent::Snapshot::Host& host) { return name && host.first == *name; };
  if (std::ranges::none_of(snapshot->hosts, is_it))
    return problem(404, "not found", "no watched domain uses such an MX host");
  return reported(backend_, view_.get(), call.request, {.domain = {}, .host = name->text()});
}

}  // namespace web
