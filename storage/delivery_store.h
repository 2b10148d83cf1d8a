#pragma once

#include <memory>
#include <string>

#include "agent/postfix/delivery_store.h"
#include "storage/database.h"

namespace storage {

// On a connection of its own: neither the agent nor this waits for the other. The recorder has made
// the file and its schema.
class DatabaseDeliveryStore final : public agent::DeliveryStore {
 public:
  static constexpr std::int64_t kMostDisagreements = 1000;

  // `agent`: its name in its fleet, each of which has a Postfix of its own. What a file held that
  // was moved into the fleet's database is the first agent's that asks.
  [[nodiscard]] static config::Result<std::unique_ptr<DatabaseDeliveryStore>, std::string> open(
      const Place& place, const std::string& agent);

  [[nodiscard]] config::Result<Kept, std::string> restore() override;
  [[nodiscard]] config::Result<void, std::string> save(const agent::DeliveryBook::Changes& changes,
                                                       const std::string& log,
                                                       const std::string& position,
                                                       const std::string& reader) override;

 private:
  DatabaseDeliveryStore(const Place& place, const std::string& agent);
  void take_over();

  Place place_;
  std::string agent_;  // empty: the only one of a file, whatever it is called by now
  Database db_;
};

}  // namespace storage
