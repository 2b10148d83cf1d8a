#include "agent/alerts/alert_json.h"
#include "probes/codec/bundle.h"
#include "probes/proof.h"
#include "web/routes/api.h"
#include "web/routes/parts.h"

namespace web {

// What an alert rests on, for `danelaw explain` and for those who are to believe it.
Reply Api::evidence(const Call& call) const {
  const auto found = backend_.queries->alert(call.name);
  if (!found) return storage_failed(found.error());
  if (!*found) return problem(404, "not found", "no alert of that id");
  const auto observations = backend_.queries->evidence(call.name);
  if (!observations) return storage_failed(observations.error());
  if (observations->empty()) return problem(404, "not found", "no evidence was kept of this alert");
  const auto alert = agent::to_json((*found)->alert, backend_.snapshot()->now).dump();
  const bool wants_cbor =
      call.request.header("accept").find("application/cbor") != std::string::npos;
  Reply out;
  if (wants_cbor) {
    const auto octets = probes::encode_bundle(alert, *observations);
    out.content_type = "application/cbor";
    out.body.assign(octets.begin(), octets.end());
  } else {
    out.body = probes::encode_bundle_json(alert, *observations);
  }
  out.headers["Content-Disposition"] =
      "attachment; filename=\"danelaw-evidence." + std::string(wants_cbor ? "cbor" : "json") + "\"";
  out.headers["Vary"] = "Accept";
  return out;
}

// The same, verified again as of then: what is proven, what was seen, what follows.
Reply Api::explanation(const Call& call) const {
  const auto found = backend_.queries->alert(call.name);
  if (!found) return storage_failed(found.error());
  if (!*found) return problem(404, "not found", "no alert of that id");
  const auto observations = backend_.queries->evidence(call.name);
  if (!observations) return storage_failed(observations.error());
  if (observations->empty()) return problem(404, "not found", "no evidence was kept of this alert");
  const auto alert = agent::to_json((*found)->alert, backend_.snapshot()->now).dump();
  const auto bundle = probes::decode_bundle(probes::encode_bundle(alert, *observations));
  if (!bundle) return problem(500, "unreadable", bundle.error());
  return json(to_json(*bundle, probes::prove(*bundle, backend_.anchors())));
}

}  // namespace web
