#include "agent/watch/configured.h"

#include <map>
#include <memory>
#include <string_view>

namespace agent {

Domains configured(const Snapshot& snapshot) {
  auto by_name = std::make_shared<std::map<std::string_view, const config::Domain*>>();
  for (const auto& domain : snapshot.domains)
    by_name->emplace(domain.configured->name, &*domain.configured);
  return [by_name = std::move(by_name)](const std::string& name) -> const config::Domain* {
    const auto found = by_name->find(name);
    return found == by_name->end() ? nullptr : found->second;
  };
}

}  // namespace agent
