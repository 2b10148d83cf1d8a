#pragma once

#include <nlohmann/json.hpp>

#include "agent/history/host_history.h"
#include "agent/history/zone_past.h"
#include "storage/database.h"

// How versions of what servers published and endpoints presented lie in the database.
namespace storage {

[[nodiscard]] nlohmann::json published_json(const agent::Published& published);
[[nodiscard]] nlohmann::json signature_json(const std::optional<agent::Signature>& signature);
// The SHA-256 of each certificate; they are kept in a table of their own.
[[nodiscard]] nlohmann::json chain_json(const agent::Chain& chain);
[[nodiscard]] nlohmann::json key_set_json(const probes::dns::KeySet& set);

// Reads back what was recorded of the host, but versions last seen before `since`. A version that
// cannot be read is passed over. Throws Fault.
[[nodiscard]] agent::HostHistory read_chronicle(Database& db, const std::string& host,
                                                config::Time since);
// The same of the signatures over a domain's MX RRset.
[[nodiscard]] agent::Signatures read_mx_signatures(Database& db, const std::string& domain,
                                                   config::Time since);
// The same of a zone's keys.
[[nodiscard]] agent::ZonePast read_zone_past(Database& db, const std::string& zone,
                                             config::Time since);

}  // namespace storage
