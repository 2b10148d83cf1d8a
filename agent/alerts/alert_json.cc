#include "agent/alerts/alert_json.h"

#include <algorithm>
#include <set>

#include <fmt/format.h>

#include "agent/alerts/lifecycle.h"
#include "agent/alerts/notice.h"
#include "agent/alerts/troubles.h"
#include "probes/explain.h"
#include "probes/report.h"

namespace agent {
namespace {

using config::Failure;
using config::Result;
using config::Time;
using Json = nlohmann::ordered_json;

constexpr std::size_t kMostText = 1000;

Json time_or_null(const std::optional<Time>& time) {
  return time ? Json(config::rfc3339(*time)) : Json(nullptr);
}

Json subject_json(const probes::Subject& subject) {
  return {{"kind", wire_name(subject.kind)}, {"name", probes::printable(subject.name)}};
}

// JSON that somebody sent. It is read where it is: copies are recursive, and lists may be nested as
// deep as the text is long. Not ordered_json, whose objects copy their members as they grow.
using Sent = nlohmann::json;

// Discarded (which is no object) when it is not JSON.
Sent parsed(std::string_view text) {
  return text.empty() ? Sent::object() : Sent::parse(text, nullptr, false);
}

// One member after the other of an object that somebody sent, which must outlive the reader;
// complains of the first that is wrong.
class MemberReader {
 public:
  MemberReader(const Sent& json, const std::set<std::string>& known)
      : json_(json.is_object() ? json : nothing()) {
    if (!json.is_object()) complain("send one JSON object");
    for (const auto& [name, value] : json_.items()) {
      if (!known.contains(name))
        complain(fmt::format("unknown member {}", probes::printable(name, 60)));
    }
  }

  [[nodiscard]] bool has(const char* name) const {
    const auto entry = json_.find(name);
    return entry != json_.end() && !entry->is_null();
  }
  std::string text(const char* name) {
    const auto* value = find(name, Sent::value_t::string, "a text");
    if (value == nullptr) return {};
    auto out = value->get<std::string>();
    if (out.size() > kMostText) complain(fmt::format("{}: longer than {}", name, kMostText));
    return probes::printable(out, kMostText);
  }
  std::string pattern(const char* name) {
    const auto* value = find(name, Sent::value_t::string, "a text");
    return value == nullptr ? std::string() : value->get<std::string>();
  }
  std::optional<Time> time(const char* name) {
    const auto* value = find(name, Sent::value_t::string, "a time as 2026-01-02T03:04:05Z");
    if (value == nullptr) return std::nullopt;
    auto out = config::parse_rfc3339(value->get<std::string>());
    if (!out) complain(fmt::format("{}: give a time as 2026-01-02T03:04:05Z", name));
    return out;
  }
  bool flag(const char* name, bool by_default) {
    const auto* value = find(name, Sent::value_t::boolean, "true or false");
    return value == nullptr ? by_default : value->get<bool>();
  }
  const Sent* list(const char* name) { return find(name, Sent::value_t::array, "a list"); }

  void complain(std::string what) {
    if (!fault_) fault_ = std::move(what);
  }
  [[nodiscard]] const std::optional<std::string>& fault() const { return fault_; }

 private:
  static const Sent& nothing() {
    static const Sent object = Sent::object();
    return object;
  }
  const Sent* find(const char* name, Sent::value_t type, const char* wanted) {
    if (!has(name)) return nullptr;
    const auto entry = json_.find(name);
    if (entry->type() == type) return &*entry;
    complain(fmt::format("{}: give {}", name, wanted));
    return nullptr;
  }

  const Sent& json_;
  std::optional<std::string> fault_;
};

std::optional<Matcher> read_matcher(const Sent& json, MemberReader& silence) {
  MemberReader in(json, {"name", "value", "is_regex", "is_equal"});
  Matcher out{.name = in.pattern("name"),
              .value = in.pattern("value"),
              .is_regex = in.flag("is_regex", false),
              .is_equal = in.flag("is_equal", true)};
  if (out.name == "role") out.name = "direction";
  if (!in.fault()) return out;
  silence.complain("matchers: " + *in.fault());
  return std::nullopt;
}

Json matchers_json(const Silence& silence) {
  Json out = Json::array();
  for (const auto& matcher : silence.matchers) {
    out.push_back({{"name", matcher.name},
                   {"value", matcher.value},
                   {"is_regex", matcher.is_regex},
                   {"is_equal", matcher.is_equal}});
  }
  return out;
}

// As the finding itself says it: where a record was removed, with the servers that the cause names.
std::string title_below(const probes::Consequence& one, const probes::Finding& cause) {
  probes::Finding finding{.code = one.code, .subject = one.subject};
  if (one.code == probes::Code::early_retire)
    std::ranges::copy_if(cause.gaps, std::back_inserter(finding.gaps),
                         &probes::ServerGap::is_refusing);
  auto title = probes::explain(finding).title;
  if (hides(cause.code, one.code)) title += " (as last seen)";
  return title;
}

Json consequences_json(const probes::Finding& finding) {
  Json out = Json::array();
  for (const auto& one : finding.consequences) {
    out.push_back({{"code", wire_name(one.code)}, {"title", title_below(one, finding)}});
  }
  return out;
}

// The host at which it was seen first, where it is about hosts.
std::optional<std::string> host_of(const Alert& alert) {
  const auto& subject = alert.finding.subject;
  if (subject.kind != probes::Subject::Kind::host) return std::nullopt;
  return probes::printable(subject.name);
}

// On the page's own address.
Json links_json(const Alert& alert, const std::optional<std::string>& host) {
  constexpr std::size_t kRechecks = 3;
  Json recheck = Json::array();
  for (const auto& domain : alert.domains) {
    if (recheck.size() == kRechecks) break;
    recheck.push_back(fmt::format("/api/v1/domains/{}/check", domain));
  }
  return {{"alert", link_to("", alert.id)},
          {"host", host ? Json("/mx/" + *host) : Json(nullptr)},
          {"recheck", recheck}};
}

Json partner_json(const std::optional<PartnersTrouble>& theirs) {
  if (!theirs) return nullptr;
  return {{"whose", theirs->whose},
          {"ours", theirs->ours},
          {"page", fmt::format("/domains/{}", theirs->domain)}};
}

// Also of an alert that was recorded before it was known whose the zone is.
Json finding_json(probes::Finding finding, bool is_theirs) {
  finding.is_theirs = is_theirs;
  return probes::to_json(finding);
}

}  // namespace

std::string title_of(const Alert& alert) {
  auto title = probes::explain(alert.finding).title;
  const auto& name = alert.finding.subject.name;
  const auto others = alert.hits.empty() ? 0 : alert.hits.size() - 1;
  if (others > 0 && title.starts_with(name + ":"))
    title.insert(name.size(), fmt::format(" and {} more", others));
  return title;
}

std::string title_then(const Alert& alert) {
  if (!alert.finding.is_in_caches_only) return title_of(alert);
  auto then = alert;
  then.finding.is_in_caches_only = false;
  return title_of(then);
}

Json to_json(const Alert& alert, Time at) {
  const bool is_open = alert.state == AlertState::pending || alert.state == AlertState::firing;
  Json out{{"id", alert.id}, {"state", wire_name(alert.state)}};
  const auto theirs = partners_trouble(alert);
  out.update(finding_json(alert.finding, theirs.has_value()));
  out["title"] = title_of(alert);
  out["partner"] = partner_json(theirs);
  out.erase("consequence_of");
  out["consequences"] = consequences_json(alert.finding);
  if (const auto& remedy = alert.finding.remedy)
    out["remedy"]["recovers_at"] = time_or_null(is_open ? recovers_at(*remedy, at) : std::nullopt);
  out["bounces_at"] = time_or_null(bounces_at(alert));
  const auto host = host_of(alert);
  out["host"] = host ? Json(*host) : Json(nullptr);
  out["links"] = links_json(alert, host);
  out["subject"] = subject_json(alert.cause);
  out["domains"] = alert.domains;
  Json hits = Json::array();
  for (const auto& hit : alert.hits) {
    hits.push_back({{"subject", subject_json(hit.subject)},
                    {"domains", hit.domains},
                    {"refused_keys", hit.refused_keys},
                    {"publish", hit.publish}});
  }
  out["hits"] = hits;
  out["direction"] = alert.direction == config::Role::inbound ? "inbound" : "outbound";
  out["flapping"] = is_flapping(alert);
  out["relapses"] = alert.relapses;
  out["first_seen_at"] = config::rfc3339(alert.first_seen_at);
  out["last_seen_at"] = config::rfc3339(alert.last_seen_at);
  out["opened_at"] = time_or_null(alert.opened_at);
  out["resolved_at"] = time_or_null(alert.resolved_at);
  out["told_at"] = time_or_null(alert.told_at);
  out["acknowledged"] = nullptr;
  if (const auto& ack = alert.acknowledged) {
    out["acknowledged"] = {{"by", ack->by},
                           {"comment", ack->comment},
                           {"at", config::rfc3339(ack->at)},
                           {"until", time_or_null(ack->until)}};
  }
  return out;
}

Json to_json(const Silence& silence, Time at) {
  const auto* state = at < silence.starts_at ? "pending"
                      : at < silence.ends_at ? "active"
                                             : "ended";
  return {{"id", silence.id},
          {"state", state},
          {"matchers", matchers_json(silence)},
          {"starts_at", config::rfc3339(silence.starts_at)},
          {"ends_at", config::rfc3339(silence.ends_at)},
          {"created_by", silence.created_by},
          {"comment", silence.comment},
          {"expected_key", silence.expected_key ? Json(*silence.expected_key) : Json(nullptr)}};
}

Json to_json(const Exception& exception) {
  return {{"domain", exception.domain},
          {"level", exception.level},
          {"line", policy_line(exception)},
          {"made_at", config::rfc3339(exception.made_at)},
          {"until", config::rfc3339(exception.until)}};
}

std::string link_to(const std::string& page, const std::string& alert_id) {
  return fmt::format("{}/alerts#{}", page, alert_id);
}

Json to_json(const Notification& notification) {
  return {{"schema", "danelaw.notification/1"},
          {"id", notification.id},
          {"event", wire_name(notification.notice)},
          {"at", config::rfc3339(notification.at)},
          {"reason", notification.reason},
          {"alert", to_json(notification.alert, notification.at)}};
}

Result<Silence, std::string> silence_from_json(std::string_view text, Time at) {
  const auto json = parsed(text);
  MemberReader in(json,
                  {"matchers", "starts_at", "ends_at", "created_by", "comment", "expected_key"});
  Silence out;
  if (const auto* matchers = in.list("matchers")) {
    for (const auto& matcher : *matchers) {
      if (out.matchers.size() > kMaxMatchers) break;
      if (auto read = read_matcher(matcher, in)) out.matchers.push_back(std::move(*read));
    }
  }
  out.starts_at = in.time("starts_at").value_or(at);
  const auto ends_at = in.time("ends_at");
  if (!ends_at) in.complain("ends_at: every silence has an end");
  out.ends_at = ends_at.value_or(at);
  out.created_by = in.text("created_by");
  out.comment = in.text("comment");
  if (in.has("expected_key")) out.expected_key = in.text("expected_key");
  if (in.fault()) return Failure<std::string>(*in.fault());
  if (const auto fault = fault_of(out)) return Failure<std::string>(*fault);
  if (out.ends_at <= at) return Failure<std::string>("ends_at: it is over already");
  return out;
}

Result<Acknowledgement, std::string> acknowledgement_from_json(std::string_view text, Time at) {
  const auto json = parsed(text);
  MemberReader in(json, {"by", "comment", "until"});
  Acknowledgement out{.by = in.text("by"), .comment = in.text("comment"), .at = at};
  out.until = in.time("until");
  if (in.fault()) return Failure<std::string>(*in.fault());
  if (out.until && *out.until <= at) return Failure<std::string>("until: it is over already");
  return out;
}

}  // namespace agent
