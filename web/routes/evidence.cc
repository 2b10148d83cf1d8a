#include "web/routes/evidence.h"

#include <utility>
#include <variant>

#include "agent/alerts/alert_json.h"
#include "probes/codec/bundle.h"
#include "probes/proof.h"
#include "web/routes/api.h"
#include "web/routes/parts.h"

namespace web {

namespace {

struct Kept {
  std::string alert;  // as the API shows it
  std::vector<probes::dns::Bytes> observations;
};

// Those that were made at domains and hosts of theirs.
void keep_theirs(std::vector<probes::dns::Bytes>& observations, const View* view) {
  if (view == nullptr) return;
  std::erase_if(observations, [&](const probes::dns::Bytes& octets) {
    const auto read = probes::decode(octets);
    if (!read) return true;
    return read->host ? !view->theirs().has_host(read->host->host.text())
                      : !view->theirs().has_domain(read->domain->domain.text());
  });
}

// What was kept of an alert, or the reply that says why there is nothing.
std::variant<Kept, Reply> kept_of(const Backend& backend, const View* view, const std::string& id) {
  const auto found = backend.queries->alert(id);
  if (!found) return storage_failed(found.error());
  auto alert = *found ? std::optional{(*found)->alert} : std::nullopt;
  if (view != nullptr && alert) alert = view->theirs().narrowed(*alert);
  if (!alert) return problem(404, "not found", "no alert of that id");
  auto observations = backend.queries->evidence(id);
  if (!observations) return storage_failed(observations.error());
  keep_theirs(*observations, view);
  if (observations->empty()) return problem(404, "not found", "no evidence was kept of this alert");
  return Kept{agent::to_json(*alert, backend.snapshot()->now).dump(), *std::move(observations)};
}

auto bundle_of(const std::string& alert, const std::vector<probes::dns::Bytes>& observations) {
  return probes::decode_bundle(probes::encode_bundle(alert, observations));
}

}  // namespace

std::optional<std::string> argument_of(const Backend& backend, const View* view,
                                       const agent::Alert& alert) {
  auto kept = backend.queries->evidence(alert.id);
  if (kept) keep_theirs(*kept, view);
  if (!kept || kept->empty()) return std::nullopt;
  const auto bundle =
      bundle_of(agent::to_json(alert, backend.snapshot()->now).dump(), {kept->back()});
  if (!bundle) return std::nullopt;
  return to_text(*bundle, probes::prove(*bundle, backend.anchors(), backend.snapshot()->now));
}

// What an alert rests on, for `danelaw explain` and for those who are to believe it.
Reply Api::evidence(const Call& call) const {
  const auto found = kept_of(backend_, view_.get(), call.name);
  if (const auto* refused = std::get_if<Reply>(&found)) return *refused;
  const auto& kept = std::get<Kept>(found);
  const bool wants_cbor =
      call.request.header("accept").find("application/cbor") != std::string::npos;
  Reply out;
  if (wants_cbor) {
    const auto octets = probes::encode_bundle(kept.alert, kept.observations);
    out.content_type = "application/cbor";
    out.body.assign(octets.begin(), octets.end());
  } else {
    out.body = probes::encode_bundle_json(kept.alert, kept.observations);
  }
  out.headers["Content-Disposition"] =
      "attachment; filename=\"danelaw-evidence." + std::string(wants_cbor ? "cbor" : "json") + "\"";
  out.headers["Vary"] = "Accept";
  return out;
}

// The same, verified again as of then: what is proven, what was seen, what follows.
Reply Api::explanation(const Call& call) const {
  const auto found = kept_of(backend_, view_.get(), call.name);
  if (const auto* refused = std::get_if<Reply>(&found)) return *refused;
  const auto& kept = std::get<Kept>(found);
  const auto bundle = bundle_of(kept.alert, kept.observations);
  if (!bundle) return problem(500, "unreadable", bundle.error());
  return json(
      to_json(*bundle, probes::prove(*bundle, backend_.anchors(), backend_.snapshot()->now)));
}

}  // namespace web
