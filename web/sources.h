#pragma once

#include <functional>
#include <memory>
#include <string>

#include "agent/runner.h"
#include "storage/queries.h"

namespace web {

// Where the answers come from. All may be called from any thread.
struct Sources {
  std::function<std::shared_ptr<const agent::Snapshot>()> snapshot;
  std::function<bool(std::string_view domain)> check_now;
  std::function<config::Result<void, std::string>()> reload;
  std::function<bool()> is_ready;
  storage::Queries* queries = nullptr;  // outlives the server
  std::string version;
};

}  // namespace web
