#pragma once

#include <memory>
#include <string>
#include <vector>

#include "agent/lists/list_store.h"
#include "storage/database.h"

namespace storage {

// On a connection of its own, for one thread. The recorder has made the file and its schema.
class DatabaseListStore final : public agent::ListStore {
 public:
  [[nodiscard]] static config::Result<std::unique_ptr<DatabaseListStore>, std::string> open(
      const Place& place);

  // A list that cannot be read is passed over: its source gives it again.
  [[nodiscard]] config::Result<std::vector<Kept>, std::string> restore() override;
  [[nodiscard]] config::Result<void, std::string> keep(const Kept& list) override;
  [[nodiscard]] config::Result<void, std::string> keep_read(const std::string& name,
                                                            config::Time at) override;
  [[nodiscard]] config::Result<void, std::string> keep_only(
      const std::vector<std::string>& names) override;

 private:
  explicit DatabaseListStore(const Place& place)
      : place_(place), db_(place, Database::Mode::create) {}

  Place place_;
  Database db_;
};

}  // namespace storage
