#pragma once

#include <atomic>
#include <cstdint>
#include <utility>

namespace config {

// Holds a T together with others, each for the octets of one pointer; the last one frees it. Any
// thread may copy and drop its own. A T has `std::atomic<std::uint32_t> holders`, which is 1 when
// it is made, and `static void free(T*)`, because more may lie behind it. For what very many
// objects have each: a std::shared_ptr takes 16 octets in place of 8, and its counts 16 in place
// of 4.
template <class T>
class Counted {
 public:
  Counted() = default;
  explicit Counted(T* made) noexcept : what_(made) {}
  Counted(const Counted& other) noexcept : what_(other.what_) {
    if (what_ != nullptr) what_->holders.fetch_add(1, std::memory_order_relaxed);
  }
  Counted(Counted&& other) noexcept : what_(std::exchange(other.what_, nullptr)) {}
  Counted& operator=(Counted other) noexcept {
    std::swap(what_, other.what_);
    return *this;
  }
  ~Counted() {
    if (what_ != nullptr && what_->holders.fetch_sub(1, std::memory_order_acq_rel) == 1)
      T::free(what_);
  }

  [[nodiscard]] T* get() const { return what_; }
  T* operator->() const { return what_; }
  explicit operator bool() const { return what_ != nullptr; }
  friend bool operator==(const Counted& a, const Counted& b) { return a.what_ == b.what_; }

 private:
  T* what_ = nullptr;
};

}  // namespace config
