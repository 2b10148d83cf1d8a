#pragma once

#include <vector>

#include "agent/alerts/round.h"
#include "storage/database.h"

// The providers that are left alone because they sent probes away, as they lie in the database: all
// of them in one memo. Whoever goes on with it spares them as long.
namespace storage {

class SparedRow {
 public:
  explicit SparedRow(Database& db);  // which outlives it and has the schema
  // What the round says of them, if it does; within a transaction.
  void record(const agent::Round& round);

 private:
  Statement put_;
};

// What cannot be read is passed over: they send the next probe away again. Throws Fault.
[[nodiscard]] std::vector<agent::Spared> read_spared(Database& db);

}  // namespace storage
