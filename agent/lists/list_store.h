#pragma once

#include <string>
#include <vector>

#include "agent/lists/held_list.h"
#include "config/result.h"

namespace agent {

// Where lists from elsewhere are remembered, so that an agent that starts while their source is
// away goes on with what they named. Faults are in words.
class ListStore {
 public:
  struct Kept {
    std::string name;
    std::vector<HeldDomain> domains;
    config::Time read_at;
  };

  virtual ~ListStore() = default;
  [[nodiscard]] virtual config::Result<std::vector<Kept>, std::string> restore() = 0;
  [[nodiscard]] virtual config::Result<void, std::string> keep(const Kept& list) = 0;
  // That it was read again and names what it did. Nothing where no such list is kept.
  [[nodiscard]] virtual config::Result<void, std::string> keep_read(const std::string& name,
                                                                    config::Time at) = 0;
  // Of all lists but these.
  [[nodiscard]] virtual config::Result<void, std::string> keep_only(
      const std::vector<std::string>& names) = 0;
};

}  // namespace agent
