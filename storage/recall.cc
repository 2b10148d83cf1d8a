#include "storage/recall.h"

#include "agent/history/recorded_past.h"
#include "agent/history/zone_past.h"
#include "storage/queries.h"

namespace storage {
namespace {

// Nothing where it cannot be read: then the host's own names decide.
std::vector<std::string> users_of(Queries& queries, const std::string& host, config::Time now) {
  const auto watched = queries.domains();
  const auto hosts = queries.hosts_past(now, now + config::Seconds{1});
  std::vector<std::string> out;
  if (!watched || !hosts) return out;
  for (const auto& row : *watched) {
    const auto its = hosts->find(row.name);
    if (its != hosts->end() && its->second.contains(host)) out.push_back(row.name);
  }
  return out;
}

}  // namespace

agent::Recall recall_from(Place database, config::Time now) {
  return [database = std::move(database), now](
             const probes::dns::Name& of,
             config::Time since) -> config::Result<agent::Recalled, std::string> {
    auto queries = Queries::open(database);
    if (!queries) return config::Failure<std::string>(queries.error());
    auto host_history = (*queries)->host_history(of, since);
    if (!host_history) return config::Failure<std::string>(host_history.error());
    end_by(*host_history, now);
    const auto delegation = agent::delegation_ttl(of, [&](const probes::dns::Name& zone) {
      auto past = (*queries)->zone_past(zone, since);
      return past ? std::move(*past) : agent::ZonePast{};
    });
    return agent::Recalled{std::move(*host_history), delegation,
                           (*queries)->announced(now).value_or(agent::Announced{}),
                           (*queries)->renewals(now).value_or(agent::RenewalBook{}),
                           users_of(**queries, of.text(), now)};
  };
}

}  // namespace storage
