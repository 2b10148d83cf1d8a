#pragma once

#include <compare>
#include <string>
#include <vector>

// A configuration file as a tree that knows where everything stood: between the YAML library, which
// only load.cc sees, and read.h, which knows what the keys mean.
namespace config {

// Both count from 1, the column in octets.
struct Place {
  int line = 1;
  int column = 1;

  auto operator<=>(const Place&) const = default;
};

struct TreeNode {
  enum class Kind { nothing, plain, quoted, list, map };

  Kind kind = Kind::nothing;
  Place place;
  std::string text;             // of plain and quoted
  std::vector<TreeNode> items;  // list: its items; map: key, value, key, value …

  [[nodiscard]] bool is_text() const { return kind == Kind::plain || kind == Kind::quoted; }
};

// Something wrong with the file, and where.
struct Complaint {
  Place place;
  std::string message;
};

}  // namespace config
