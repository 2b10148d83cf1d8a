#include "web/routes/last_looks.h"

#include <algorithm>

namespace web {
namespace {

using Json = nlohmann::ordered_json;
using probes::Delivery;

bool is_unknown(const agent::DomainState& state) {
  return storage::delivery_of(state) == Delivery::unknown;
}

// What the check object has there, or an empty object.
const Json& object_in(const Json& from, const char* name) {
  static const Json kNone = Json::object();
  const auto found = from.find(name);
  return found != from.end() && found->is_object() ? *found : kNone;
}

std::string text_in(const Json& from, const char* name) {
  const auto found = from.find(name);
  return found != from.end() && found->is_string() ? found->get<std::string>() : std::string();
}

LastLook::Host host_from(const Json& told) {
  LastLook::Host out{.name = text_in(told, "host"),
                     .verdict = probes::verdict_from(text_in(told, "verdict"))};
  out.delivery = probes::delivery_from(text_in(told, "delivery"))
                     .value_or(out.verdict ? probes::delivery_seen(*out.verdict, probes::Status::ok)
                                           : Delivery::unknown);
  const auto& addresses = object_in(told, "addresses");
  for (const auto* family : {"a", "aaaa"}) {
    const auto found = addresses.find(family);
    if (found == addresses.end() || !found->is_array()) continue;
    for (const auto& one : *found) {
      if (one.is_string()) out.addresses.push_back(one.get<std::string>());
    }
  }
  const auto& tlsa = object_in(told, "tlsa");
  out.tlsa = {{"owner", text_in(tlsa, "owner")}, {"ttl", tlsa.value("ttl", Json(nullptr))}};
  return out;
}

std::optional<probes::Finding> finding_from(const Json& told) {
  const auto code = probes::code_from(text_in(told, "code"));
  const auto severity = probes::severity_from(text_in(told, "severity"));
  const auto& subject = object_in(told, "subject");
  const auto kind = probes::subject_kind_from(text_in(subject, "kind"));
  if (!code || !severity || !kind) return std::nullopt;  // of a danelaw to come
  return probes::Finding{.code = *code,
                         .severity = *severity,
                         .subject = {.kind = *kind, .name = text_in(subject, "name")},
                         .consequence_of = probes::code_from(text_in(told, "consequence_of"))};
}

template <class Take>
void each_in(const Json& report, const char* list, const Take& take) {
  const auto found = report.find(list);
  if (found == report.end() || !found->is_array()) return;
  for (const auto& one : *found) {
    if (one.is_object()) take(one);
  }
}

// The check object of then.
Json report_of(const storage::DomainRow& row) {
  const auto& text = row.known && row.known->report ? row.known->report : row.report;
  return text ? Json::parse(*text, nullptr, false) : Json();
}

std::shared_ptr<const LastLook> read(const std::string& domain, storage::Queries& queries) {
  const auto row = queries.domain(domain);
  if (!row || !*row || !(*row)->known) return nullptr;
  const auto& known = *(*row)->known;
  const auto report = report_of(**row);
  auto out = std::make_shared<LastLook>(LastLook{.at = known.at,
                                                 .verdict = probes::verdict_from(known.verdict),
                                                 .status = known.status,
                                                 .delivery = known.delivery});
  if (!report.is_object()) return out;
  each_in(report, "hosts", [&](const Json& one) { out->hosts.push_back(host_from(one)); });
  each_in(report, "findings", [&](const Json& one) {
    if (auto found = finding_from(one)) out->findings.push_back(*std::move(found));
  });
  return out;
}

}  // namespace

bool LastLook::has_host(const std::string& name) const {
  return std::ranges::find(hosts, name, &Host::name) != hosts.end();
}

bool LastLook::has_code(probes::Code code) const {
  return std::ranges::find(findings, code, &probes::Finding::code) != findings.end();
}

Json read_words(const std::string& domain, const probes::Finding& finding,
                storage::Queries& queries) {
  const auto row = queries.domain(domain);
  if (!row || !*row) return nullptr;
  Json out = nullptr;
  const auto report = report_of(**row);
  if (!report.is_object()) return out;
  each_in(report, "findings", [&](const Json& one) {
    const auto told = finding_from(one);
    if (out.is_null() && told && told->code == finding.code && told->subject == finding.subject)
      out = one;
  });
  return out;
}

std::optional<LastKnownHost> last_known_host(const LastLooks& looks, const std::string& host) {
  std::optional<LastKnownHost> out;
  for (const auto& [domain, look] : looks) {
    const auto mine = std::ranges::find(look->hosts, host, &LastLook::Host::name);
    if (mine == look->hosts.end()) continue;
    if (!out) out = {.at = look->at, .host = *mine};
    out->at = std::max(out->at, look->at);
    out->domains.push_back(domain);
    if (rank(mine->delivery) < rank(out->host.delivery)) out->host = *mine;
  }
  return out;
}

LastLooks read_last_looks(const std::vector<std::string>& domains, storage::Queries& queries) {
  LastLooks out;
  for (const auto& domain : domains) {
    if (auto look = read(domain, queries)) out.emplace(domain, std::move(look));
  }
  return out;
}

void LastLooksReader::forget() {
  const config::Lock lock(mutex_);
  known_.clear();
}

LastLooks LastLooksReader::of(const agent::Snapshot& snapshot, storage::Queries& queries) {
  if (!agent::is_any(snapshot.domains,
                     [](const auto& brief) { return brief.delivery == probes::Delivery::unknown; }))
    return {};
  const config::Lock lock(mutex_);
  LastLooks out;
  const auto rows = queries.domains();
  if (!rows) return out;
  std::map<std::string_view, config::Time> known_at;
  for (const auto& row : *rows) {
    if (row.known) known_at.emplace(row.name, row.known->at);
  }
  for (const auto& state : snapshot.domains) {
    const auto& name = state.configured->name;
    const auto at = known_at.find(name);
    if (!is_unknown(state) || at == known_at.end()) continue;
    if (known_.size() >= kMost && !known_.contains(name)) continue;
    auto& look = known_[name];
    if (!look || look->at != at->second) look = read(name, queries);
    if (look) out.emplace(name, look);
  }
  return out;
}

}  // namespace web
