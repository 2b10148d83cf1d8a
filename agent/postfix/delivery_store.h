#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "agent/postfix/delivery_book.h"
#include "config/result.h"

namespace agent {

// Remembers what our own deliveries came to, and up to where the log was read: together or not at
// all, so that a restart counts nothing twice and loses nothing. Implemented in storage/, and by a
// fake in tests. One thread at a time calls it.
class DeliveryStore {
 public:
  DeliveryStore() = default;
  DeliveryStore(const DeliveryStore&) = delete;
  DeliveryStore& operator=(const DeliveryStore&) = delete;
  virtual ~DeliveryStore() = default;

  struct Kept {
    std::map<std::string, std::string> domains;
    std::string agreement;
    std::vector<std::string> disagreements;  // the oldest first
    std::map<std::int64_t, std::string> undecided;
    std::string log;       // the one that was read last
    std::string position;  // JSON, of PostfixWatch's making; empty: none was read
    std::string reader;    // what its reader knew there (MaillogReader::state)
  };
  [[nodiscard]] virtual config::Result<Kept, std::string> restore() = 0;
  [[nodiscard]] virtual config::Result<void, std::string> save(const DeliveryBook::Changes& changes,
                                                               const std::string& log,
                                                               const std::string& position,
                                                               const std::string& reader) = 0;
};

}  // namespace agent
