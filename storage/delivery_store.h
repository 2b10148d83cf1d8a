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

  [[nodiscard]] static config::Result<std::unique_ptr<DatabaseDeliveryStore>, std::string> open(
      const Place& place);

  [[nodiscard]] config::Result<Kept, std::string> restore() override;
  [[nodiscard]] config::Result<void, std::string> save(const agent::DeliveryBook::Changes& changes,
                                                       const std::string& log,
                                                       const std::string& position) override;

 private:
  explicit DatabaseDeliveryStore(const Place& place);

  Place place_;
  Database db_;
};

}  // namespace storage
