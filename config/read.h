#pragma once

#include <filesystem>
#include <vector>

#include "config/config.h"
#include "config/tree.h"

namespace config {

// What was read from a tree: the configuration holds only if nobody complains.
struct Reading {
  Config config;
  std::vector<Complaint> complaints;  // in file order
};

// Reads every key of the file's root, checks every value, and complains of all that is wrong.
// Relative paths start at `folder`.
[[nodiscard]] Reading read(const TreeNode& root, std::filesystem::path folder);

}  // namespace config
