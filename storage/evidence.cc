#include "storage/evidence.h"

#include "agent/alerts/alert_json.h"
#include "probes/codec/bundle.h"
#include "storage/queries.h"

namespace storage {

config::Result<std::optional<probes::dns::Bytes>, std::string> evidence_from(
    const Place& database, const std::string& alert) {
  const auto queries = Queries::open(database);
  if (!queries) return config::Failure<std::string>(queries.error());
  const auto row = (*queries)->alert(alert);
  if (!row) return config::Failure<std::string>(row.error());
  const auto observations = (*queries)->evidence(alert);
  if (!observations) return config::Failure<std::string>(observations.error());
  if (!*row || observations->empty()) return std::nullopt;
  const auto& what = (*row)->alert;
  return probes::encode_bundle(agent::to_json(what, what.last_seen_at).dump(), *observations);
}

}  // namespace storage
