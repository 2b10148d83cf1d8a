#pragma once

#include <optional>
#include <string>
#include <vector>

#include "config/result.h"
#include "probes/dns/message.h"

// PURE
namespace probes::dns {

// A zone that a catalog zone names (RFC 9432).
struct CatalogMember {
  Name zone;
  std::optional<std::string> group;  // null: its group property is missing, or several; as received
};

// The members, in the order of the records. `records` are those of a whole catalog zone of version
// 2, by its version property. A catalog that is broken (§5.1) is refused as a whole: a version that
// is another or not told, a member node with several PTR records, a zone that is a member twice.
// Members that are the root are refused, too. What else is in the zone is passed over, as §3 has
// it.
[[nodiscard]] config::Result<std::vector<CatalogMember>, std::string> read_catalog_zone(
    const Name& catalog, const std::vector<Record>& records);

}  // namespace probes::dns
