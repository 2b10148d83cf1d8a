#pragma once

#include <cstddef>
#include <memory>
#include <utility>
#include <vector>

#include "config/place_iterator.h"

namespace config {

// A few values that copies share, each by itself: a copy costs a pointer a value, and what is equal
// in many lists can be kept once (`keep`). A change is seen by nobody else. (Long lists:
// agent/watch/shared_list.h.)
template <class T>
class SharedVector {
 public:
  using value_type = T;
  using Value = std::shared_ptr<const T>;
  using const_iterator = PlaceIterator<SharedVector>;
  using iterator = const_iterator;

  [[nodiscard]] std::size_t size() const { return values_.size(); }
  [[nodiscard]] bool empty() const { return values_.empty(); }
  [[nodiscard]] const T& operator[](std::size_t place) const { return *values_[place]; }
  [[nodiscard]] const T& front() const { return (*this)[0]; }
  [[nodiscard]] const T& back() const { return (*this)[size() - 1]; }
  [[nodiscard]] Value shared(std::size_t place) const { return values_[place]; }
  [[nodiscard]] const_iterator begin() const { return {this, 0}; }
  [[nodiscard]] const_iterator end() const { return {this, static_cast<std::ptrdiff_t>(size())}; }

  void reserve(std::size_t size) { values_.reserve(size); }
  void push_back(T value) { values_.push_back(std::make_shared<T>(std::move(value))); }
  // The value to change; a copy of its own when others hold it.
  T& change(std::size_t place) {
    auto& value = values_[place];
    if (value.use_count() > 1) value = std::make_shared<T>(*value);
    return *value;
  }
  // Another list's equal one in its place.
  void keep(std::size_t place, const Value& equal) {
    values_[place] = std::const_pointer_cast<T>(equal);  // changed by nobody: change() copies it
  }

 private:
  std::vector<std::shared_ptr<T>> values_;
};

}  // namespace config
