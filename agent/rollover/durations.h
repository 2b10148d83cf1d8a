#pragma once

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdint>

// PURE
namespace agent {

// How long many things took, for a histogram: how many took at most each bound.
struct Durations {
  static constexpr std::array<double, 12> kBounds{0.005, 0.01, 0.025, 0.05, 0.1, 0.25,
                                                  0.5,   1,    2.5,   5,    10,  30};  // seconds
  std::array<std::uint64_t, kBounds.size() + 1> counts{};  // in each bucket alone; the last: more
  double sum = 0;                                          // seconds

  void add(std::chrono::duration<double> took) {
    const auto bound = std::ranges::lower_bound(kBounds, took.count());
    ++counts.at(static_cast<std::size_t>(bound - kBounds.begin()));
    sum += took.count();
  }
};

}  // namespace agent
