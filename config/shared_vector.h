#pragma once

#include <algorithm>
#include <cstddef>
#include <initializer_list>
#include <memory>
#include <utility>
#include <vector>

#include "config/place_iterator.h"

namespace config {

// A few values that copies share, each by itself and as a list: a copy costs a pointer, an empty
// list no more, and what is equal in many lists, or a whole list of that, can be kept once
// (`keep`). A change is seen by nobody else. (Long lists: agent/watch/shared_list.h.)
template <class T>
class SharedVector {
 public:
  using value_type = T;
  using Value = std::shared_ptr<const T>;
  using Values = std::vector<std::shared_ptr<T>>;
  using List = std::shared_ptr<const Values>;
  using const_iterator = PlaceIterator<SharedVector>;
  using iterator = const_iterator;

  SharedVector() = default;
  SharedVector(std::initializer_list<T> values) {
    reserve(values.size());
    for (const auto& value : values) push_back(value);
  }
  SharedVector(std::vector<T> values) {  // as a vector is assigned
    reserve(values.size());
    for (auto& value : values) push_back(std::move(value));
  }

  [[nodiscard]] std::size_t size() const { return values_ ? values_->size() : 0; }
  [[nodiscard]] bool empty() const { return size() == 0; }
  [[nodiscard]] const T& operator[](std::size_t place) const { return *(*values_)[place]; }
  [[nodiscard]] const T& front() const { return (*this)[0]; }
  [[nodiscard]] const T& back() const { return (*this)[size() - 1]; }
  [[nodiscard]] Value shared(std::size_t place) const { return (*values_)[place]; }
  [[nodiscard]] const_iterator begin() const { return {this, 0}; }
  [[nodiscard]] const_iterator end() const { return {this, static_cast<std::ptrdiff_t>(size())}; }

  // For so many in all: a list that is kept should hold no room for more.
  void reserve(std::size_t size) {
    if (size > 0) own().reserve(size);
  }
  void push_back(T value) { own().push_back(std::make_shared<T>(std::move(value))); }
  // The value to change; a copy of its own when others hold it.
  T& change(std::size_t place) {
    auto& value = own()[place];
    if (value.use_count() > 1) value = std::make_shared<T>(*value);
    return *value;
  }
  // Lets `act` change all of them, and which there are: it is given a std::vector<T>&. Until it is
  // back nobody reads the list, and when it throws the values are lost.
  template <class Act>
  void edit(const Act& act) {
    std::vector<T> all;
    all.reserve(size());
    for (std::size_t i = 0; i < size(); ++i) all.push_back(std::move(change(i)));
    act(all);
    *this = SharedVector(std::move(all));
  }

  // Another list's equal one in its place.
  void keep(std::size_t place, const Value& equal) {
    if ((*values_)[place] == equal) return;
    own()[place] = std::const_pointer_cast<T>(equal);  // changed by nobody: change() copies it
  }
  // The list as a whole. Two of them (`*a == *b`) are equal only where they hold the very same
  // values. Null when it is empty.
  [[nodiscard]] List list() const { return values_; }
  // The same for lists that are kept once, as long as one of them is held; null when it is empty.
  [[nodiscard]] const void* identity() const { return values_.get(); }
  void keep(const List& same) { values_ = std::const_pointer_cast<Values>(same); }

  friend bool operator==(const SharedVector& a, const SharedVector& b) {
    return a.values_ == b.values_ || std::ranges::equal(a, b);
  }

 private:
  Values& own() {
    if (!values_) {
      values_ = std::make_shared<Values>();
    } else if (values_.use_count() > 1) {
      values_ = std::make_shared<Values>(*values_);
    }
    return *values_;
  }

  std::shared_ptr<Values> values_;  // null: none
};

}  // namespace config
