#pragma once

#include <memory>
#include <utility>

namespace config {

// A value that few of very many objects have: those without one spend a pointer on it and read as
// a T that was never touched. Copies share the value until one of them is changed.
template <class T>
class Rare {
 public:
  Rare() = default;
  Rare(T value) : value_(std::make_shared<T>(std::move(value))) {}  // as a T would be assigned

  [[nodiscard]] bool is_set() const { return value_ != nullptr; }
  const T& operator*() const { return value_ ? *value_ : nothing(); }
  const T* operator->() const { return &**this; }
  // The value to change, made when there is none; a copy of its own when it is shared.
  T& change() {
    if (!value_) {
      value_ = std::make_shared<T>();
    } else if (value_.use_count() > 1) {
      value_ = std::make_shared<T>(*value_);
    }
    return *value_;
  }

 private:
  static const T& nothing() {
    static const T value;
    return value;
  }
  std::shared_ptr<T> value_;
};

}  // namespace config
