#pragma once

#include <cstddef>
#include <initializer_list>
#include <memory>
#include <type_traits>
#include <utility>
#include <vector>

#include "config/place_iterator.h"

namespace agent {

// A list of values that copies share: a copy costs a pointer for every kChunk values, and a change
// afterwards that of one chunk, however long the list is. What one copy changes the others do not
// see. Whoever copies the same list from several threads holds a lock; copies may be read and
// dropped anywhere. `Kept`: T itself where values are small and gone through often.
template <class T, class Kept = std::shared_ptr<const T>>
class SharedList {
 public:
  static constexpr std::size_t kChunk = 256;
  static constexpr bool kIsWithin = std::is_same_v<T, Kept>;
  using Value = Kept;

  using value_type = T;
  using const_iterator = config::PlaceIterator<SharedList>;
  using iterator = const_iterator;

  SharedList() = default;
  SharedList(std::initializer_list<T> values) {
    for (const auto& value : values) push_back(value);
  }
  SharedList(const SharedList& other) : size_(other.size_) {
    chunks_.reserve(other.chunks_.size());
    for (auto& chunk : other.chunks_) {
      if (chunk.is_ours) chunk.is_ours = false;
      chunks_.push_back({chunk.values, false});
    }
  }
  SharedList(SharedList&&) noexcept = default;
  SharedList& operator=(SharedList other) noexcept {
    std::swap(chunks_, other.chunks_);
    std::swap(size_, other.size_);
    return *this;
  }
  ~SharedList() = default;

  [[nodiscard]] std::size_t size() const { return size_; }
  [[nodiscard]] bool empty() const { return size_ == 0; }
  [[nodiscard]] const T& operator[](std::size_t place) const {
    if constexpr (kIsWithin)
      return shared(place);
    else
      return *shared(place);
  }
  [[nodiscard]] const T& front() const { return (*this)[0]; }
  [[nodiscard]] const T& back() const { return (*this)[size_ - 1]; }
  [[nodiscard]] const Value& shared(std::size_t place) const {
    return (*chunks_[place / kChunk].values)[place % kChunk];
  }
  [[nodiscard]] const_iterator begin() const { return {this, 0}; }
  [[nodiscard]] const_iterator end() const { return {this, static_cast<std::ptrdiff_t>(size_)}; }

  void push_back(Value value) {
    if (size_ % kChunk == 0) chunks_.push_back({std::make_shared<Values>(), true});
    own(chunks_.back()).push_back(std::move(value));
    ++size_;
  }
  void push_back(T value)
    requires(!kIsWithin)
  {
    push_back(std::make_shared<const T>(std::move(value)));
  }
  void set(std::size_t place, Value value) {
    own(chunks_[place / kChunk])[place % kChunk] = std::move(value);
  }
  // A copy of the value in its place, to be changed before anybody copies the list.
  T& renew(std::size_t place) {
    if constexpr (kIsWithin) {
      return own(chunks_[place / kChunk])[place % kChunk];
    } else {
      auto fresh = std::make_shared<T>((*this)[place]);
      auto& out = *fresh;
      set(place, std::move(fresh));
      return out;
    }
  }

 private:
  using Values = std::vector<Value>;
  struct Chunk {
    std::shared_ptr<Values> values;
    mutable bool is_ours = false;  // nobody else may hold it
  };
  static Values& own(Chunk& chunk) {
    if (!chunk.is_ours) chunk = {std::make_shared<Values>(*chunk.values), true};
    return *chunk.values;
  }

  std::vector<Chunk> chunks_;
  std::size_t size_ = 0;
};

}  // namespace agent
