#pragma once

#include <memory>
#include <optional>
#include <utility>

namespace config {

// An optional value that costs a pointer where there is none: for what few of very many objects
// have. It never changes in place; copies share it.
template <class T>
class Boxed {
 public:
  Boxed() = default;
  Boxed(std::nullopt_t /*none*/) {}
  Boxed(T value) : value_(std::make_shared<const T>(std::move(value))) {}
  Boxed(std::optional<T> value) {
    if (value) *this = Boxed(*std::move(value));
  }

  explicit operator bool() const { return value_ != nullptr; }
  [[nodiscard]] bool has_value() const { return value_ != nullptr; }
  const T& operator*() const { return *value_; }
  const T* operator->() const { return value_.get(); }
  [[nodiscard]] std::optional<T> copy() const {
    return value_ ? std::optional{*value_} : std::nullopt;
  }
  void reset() { value_.reset(); }
  friend bool operator==(const Boxed& a, const Boxed& b) {
    return a.value_ == b.value_ || (a.value_ && b.value_ && *a.value_ == *b.value_);
  }

 private:
  std::shared_ptr<const T> value_;
};

}  // namespace config
