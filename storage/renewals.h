#pragma once

#include "agent/alerts/round.h"
#include "storage/database.h"

// When CAs suggest to renew certificates, as it lies in the database.
namespace storage {

class RenewalRows {
 public:
  explicit RenewalRows(Database& db);  // which outlives it and has the schema
  // What the round learned of it; within a transaction.
  void record(const agent::Round& round);

 private:
  Statement put_;
};

// Of certificates that expire after `since`, at most as many as are remembered. A row that cannot
// be read is passed over: the CA says it again. Throws Fault.
[[nodiscard]] agent::RenewalBook read_renewals(Database& db, config::Time since);
// Of certificates that expired before that moment.
void forget_renewals(Database& db, config::Time before);

}  // namespace storage
