#pragma once

#include <string>

// PURE
namespace web {

// Credentials whose password was tried, since that costs time: what came of it.
struct Attempt {
  std::string authorization;  // as it was given
  bool is_right = false;
};

}  // namespace web
