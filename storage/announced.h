#pragma once

#include <string>
#include <vector>

#include "agent/alerts/round.h"
#include "storage/database.h"

// Certificates that were shown before any host presented them, and what operators said of their
// keys, as they lie in the database.
namespace storage {

class AnnouncedRows {
 public:
  explicit AnnouncedRows(Database& db);  // which outlives it and has the schema
  // What the round decided of them; within a transaction.
  void record(const agent::Round& round);

 private:
  Statement put_, say_, take_back_;
};

// Those that expire after `since`, the newest kMost that are remembered. A row that cannot be read
// is passed over. Throws Fault.
[[nodiscard]] std::vector<agent::AnnouncedCertificate> read_announced(Database& db,
                                                                      config::Time since);
[[nodiscard]] std::vector<agent::NotForMail> read_not_for_mail(Database& db);
// Those that expired before that moment.
void forget_announced(Database& db, config::Time before);

}  // namespace storage
