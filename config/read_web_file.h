#pragma once

#include <filesystem>
#include <vector>

#include "config/config.h"
#include "config/tree.h"

namespace config {

struct WebFileReading {
  WebFile file;
  std::vector<Complaint> complaints;  // in file order
};

// As read() of config/read.h, of the web configuration file.
[[nodiscard]] WebFileReading read_web_file(const TreeNode& root, std::filesystem::path folder);

}  // namespace config
