#pragma once

#include <memory>
#include <utility>

namespace config {

// A value that copies share until one of them is changed: for what many objects have the same of.
// There always is one; at first it is T{}.
template <class T>
class Shared {
 public:
  Shared() : value_(nothing()) {}
  Shared(T value) : value_(std::make_shared<T>(std::move(value))) {}  // as a T is assigned
  // One of many that were made together, never null. They are counted as one: it is copied to be
  // changed as long as any of them is held elsewhere.
  explicit Shared(std::shared_ptr<T> value) : value_(std::move(value)) {}

  const T& operator*() const { return *value_; }
  const T* operator->() const { return value_.get(); }
  // The value to change; a copy of its own when others hold it.
  T& change() {
    if (value_.use_count() > 1) value_ = std::make_shared<T>(*value_);
    return *value_;
  }

 private:
  static const std::shared_ptr<T>& nothing() {
    static const auto value = std::make_shared<T>();
    return value;
  }
  std::shared_ptr<T> value_;
};

}  // namespace config
