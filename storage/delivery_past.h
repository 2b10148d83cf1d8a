#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include <nlohmann/json_fwd.hpp>

#include "config/time.h"
#include "probes/status.h"
#include "storage/database.h"

// Since when what happens to mail is what it is now, from the verdicts in the history. A time in
// which nothing could be determined ends nothing and begins nothing.
namespace storage {

// By a verdict's version, its JSON. Where that does not say it, by verdict and severity.
[[nodiscard]] probes::Delivery delivery_in(const nlohmann::json& version);

// Of whom history is asked: domains, or mail through MX hosts, whichever domain's.
enum class Whose { domains, hosts };
// How the history calls the subjects whose versions are their verdicts.
[[nodiscard]] std::string_view verdict_kind(Whose whose);

using DeliveryTimes = std::map<std::string, config::Time>;  // by domain, or by host

// `now`: what happens to mail at each of them. Nothing is said of one of whose change the history
// does not know yet.
[[nodiscard]] DeliveryTimes read_delivery_since(Database& db, Whose whose,
                                                const std::map<std::string, probes::Delivery>& now);

// Domains of which a verdict was recorded for the first time since then, or anew. Reads only what
// was recorded in about that time, however much history there is.
[[nodiscard]] std::vector<std::string> read_changed_domains(Database& db, config::Time since);

// The same of what was recorded behind that version, by the numbers that the history gives them;
// and the newest there is, to ask behind next time.
struct Changes {
  std::int64_t newest = 0;
  std::vector<std::string> domains;
};
[[nodiscard]] Changes read_changes_behind(Database& db, std::int64_t version);
[[nodiscard]] std::int64_t read_newest_version(Database& db);

}  // namespace storage
