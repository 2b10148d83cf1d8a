#include <algorithm>

#include "agent/foresight/next_key.h"
#include "probes/dane/tlsa.h"
#include "probes/explain.h"
#include "probes/tls/certificate_file.h"
#include "web/routes/api.h"
#include "web/routes/own_words.h"
#include "web/routes/parts.h"
#include "web/routes/previews.h"
#include "web/routes/query.h"

// Certificates that were issued and that no host presents yet.
namespace web {
namespace {

using Json = nlohmann::ordered_json;

constexpr std::size_t kMostOfComment = 1000;
constexpr std::size_t kNamesShown = 20;

config::Result<agent::Chain, std::string> chain_from(const Request& request) {
  if (request.header("content-type").starts_with("application/json"))
    return chain_from_json(request.body);
  return chain_from_file(request.body);
}

Json forecast_json(const agent::KeyForecast& told) {
  Json records = Json::array();
  for (const auto& record : told.records) records.push_back(probes::dane::to_text(record));
  return {{"host", told.host},
          {"is_covered", told.is_covered ? Json(*told.is_covered) : Json(nullptr)},
          {"record", records.empty() ? Json(nullptr) : records.front()},
          {"records", records},
          {"safe_from", time_or_null(told.safe_from)},
          {"why", told.why}};
}

Json announced_json(const agent::AnnouncedCertificate& one, const agent::NotForMail* said,
                    const View* view) {
  const auto& leaf = *one.chain.front();
  Json names = Json::array();
  for (const auto& name : agent::names_of(leaf)) {
    if (view != nullptr && !view->theirs().fits(name)) continue;
    if (names.size() < kNamesShown) names.push_back(probes::printable(name));
  }
  auto issuer = probes::printable(leaf.issuer);
  if (view != nullptr) take_out_others("issuer", issuer, view->theirs());
  Json not_for_mail = nullptr;
  if (said != nullptr)
    not_for_mail = {
        {"by", said->by}, {"comment", said->comment}, {"at", config::rfc3339(said->at)}};
  return {{"id", one.id},
          {"key", agent::key_of(one)},
          {"names", names},
          {"issuer", issuer},
          {"not_before", config::rfc3339(leaf.not_before)},
          {"not_after", config::rfc3339(leaf.not_after)},
          {"precertificate", one.is_precertificate},
          {"shown_at", config::rfc3339(one.shown_at)},
          {"shown_by", probes::printable(one.shown_by)},
          {"not_for_mail", not_for_mail}};
}

std::size_t unseen_in(const agent::Snapshot& snapshot) {
  return static_cast<std::size_t>(
      std::ranges::count_if(snapshot.domains, [](const auto& state) { return !state.judged; }));
}

bool is_key(const std::string& text) {
  return text.size() == 64 && text.find_first_not_of("0123456789abcdef") == std::string::npos;
}

Reply no_such_key() {
  return problem(404, "not found",
                 "give the SHA2-256 of the key's SubjectPublicKeyInfo, 64 hexadecimal digits in "
                 "lower case: the data of its 3 1 1 record");
}

}  // namespace

Reply Api::certificates(const Call& call) const {
  Query query(call.request);
  const auto part = query.part(kMostItems);
  if (auto fault = query.fault()) return *std::move(fault);
  const auto snapshot = backend_.snapshot();
  if (!snapshot->announced) return page_of(Json::array(), 0, 0);
  auto all = snapshot->announced->certificates;
  std::ranges::stable_sort(all, std::greater{}, &agent::AnnouncedCertificate::shown_at);
  const auto& said = snapshot->announced->not_for_mail;
  Json items = Json::array();
  for (std::size_t i = part.offset; i < all.size() && items.size() < part.limit; ++i) {
    const auto of = std::ranges::find(said, agent::key_of(all[i]), &agent::NotForMail::key);
    items.push_back(announced_json(all[i], of == said.end() ? nullptr : &*of, view_.get()));
  }
  return page_of(std::move(items), part.offset, all.size());
}

Reply Api::take_certificate(const Call& call) const {
  auto chain = chain_from(call.request);
  if (!chain) return problem(400, "no certificate", chain.error());
  const auto key = probes::dane::to_hex(chain->front()->spki_sha256);
  const auto by = probes::printable(call.by(Query(call.request).text("by").value_or("")), 200);
  Deed deed{.what = "show-certificate", .subject_kind = "key", .subject = key, .called = by};
  if (view_ && !view_->theirs().is_all_named_in(*chain->front()))
    return noted(
        call, std::move(deed),
        problem(403, "refused", "it names more than your domains and hosts of yours alone"));
  auto told = backend_.actions->announce(std::move(*chain), by);
  if (!told) return noted(call, std::move(deed), not_done(409, "not taken", told.error()));
  Json hosts = Json::array();
  for (const auto& one : told->hosts) {
    if (!view_ || view_->theirs().has_host(one.host)) hosts.push_back(forecast_json(one));
  }
  const auto unseen = view_ ? unseen_in(*backend_.snapshot()) : told->domains_unseen;
  auto reply = json({{"key", key},
                     {"hosts", hosts},
                     {"domains_unseen", unseen},
                     {"has_more_names", told->has_more_names}});
  // A log shows all certificates of a domain: what changed nothing would crowd out what people did.
  return hosts.empty() ? reply : noted(call, std::move(deed), std::move(reply));
}

// Of a key that nobody has shown nothing says whose it is.
std::optional<Reply> Api::refuse_key(const std::string& key) const {
  if (!view_) return std::nullopt;
  const auto shown = backend_.snapshot()->announced;
  bool is_known = false;
  for (const auto& one : shown ? shown->certificates : std::vector<agent::AnnouncedCertificate>{}) {
    if (agent::key_of(one) != key) continue;
    is_known = true;
    if (!view_->theirs().is_all_named_in(*one.chain.front()))
      return problem(403, "refused", "its certificate names more than what is yours alone");
  }
  if (is_known) return std::nullopt;
  return problem(404, "not found", "no certificate of that key was shown that names yours");
}

Reply Api::set_not_for_mail(const Call& call) const {
  if (!is_key(call.name)) return no_such_key();
  agent::NotForMail said{.key = call.name};
  const auto sent = nlohmann::json::parse(call.request.body, nullptr, false);
  if (!sent.is_object()) return problem(400, "bad request", R"(send {"comment": "why"}, or {})");
  for (const auto& [name, value] : sent.items()) {
    if ((name != "by" && name != "comment") || !value.is_string())
      return problem(400, "bad request", "members are by and comment, both text");
    (name == "by" ? said.by : said.comment) =
        probes::printable(value.get<std::string>(), kMostOfComment);
  }
  said.by = call.by(said.by);
  Deed deed{.what = "not-for-mail",
            .subject_kind = "key",
            .subject = call.name,
            .called = said.by,
            .comment = said.comment};
  if (auto refusal = refuse_key(call.name))
    return noted(call, std::move(deed), *std::move(refusal));
  return noted(call, std::move(deed),
               done_or_not_found(backend_.actions->set_not_for_mail(std::move(said))));
}

Reply Api::set_for_mail(const Call& call) const {
  if (!is_key(call.name)) return no_such_key();
  Deed deed{.what = "for-mail", .subject_kind = "key", .subject = call.name};
  if (auto refusal = refuse_key(call.name))
    return noted(call, std::move(deed), *std::move(refusal));
  return noted(call, std::move(deed), done_or_not_found(backend_.actions->set_for_mail(call.name)));
}

}  // namespace web
