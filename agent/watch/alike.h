#pragma once

#include <algorithm>
#include <cstddef>
#include <memory>
#include <vector>

// PURE
namespace agent {

// Lets many who come to hold equal values hold one: the last few that anybody holds are known here.
// It keeps none of them alive.
template <class T>
class Alike {
 public:
  using Value = std::shared_ptr<const T>;
  static constexpr std::size_t kMost = 16;

  // An equal one that somebody holds, or this.
  [[nodiscard]] Value one(const Value& value) {
    std::erase_if(known_, [](const auto& one) { return one.expired(); });
    for (auto known = known_.begin(); known != known_.end(); ++known) {
      auto held = known->lock();
      if (!held || !(*held == *value)) continue;
      std::rotate(known, known + 1, known_.end());  // what is rarely met makes room
      return held;
    }
    if (known_.size() == kMost) known_.erase(known_.begin());
    known_.push_back(value);
    return value;
  }

 private:
  std::vector<std::weak_ptr<const T>> known_;
};

}  // namespace agent
