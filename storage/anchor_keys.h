#pragma once

#include <vector>

#include "agent/alerts/round.h"
#include "storage/database.h"

// The keys of the trust anchor's zone, as they lie in the database.
namespace storage {

class AnchorKeyRows {
 public:
  explicit AnchorKeyRows(Database& db);  // which outlives it and has the schema
  // What the round learned of them; within a transaction.
  void record(const agent::Round& round);

 private:
  Statement put_;
};

// Those that were seen last, at most as many as are remembered. A row that cannot be read is passed
// over: the zone shows the key again. Throws Fault.
[[nodiscard]] std::vector<agent::AnchorKey> read_anchor_keys(Database& db);
// Those that were last seen before that moment.
void forget_anchor_keys(Database& db, config::Time before);

}  // namespace storage
