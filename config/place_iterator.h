#pragma once

#include <compare>
#include <cstddef>
#include <iterator>
#include <utility>

namespace config {

// Goes through a list by its operator[], whatever that does. List::value_type is what it gives.
template <class List>
class PlaceIterator {
 public:
  using iterator_category = std::random_access_iterator_tag;
  using iterator_concept = std::random_access_iterator_tag;
  using value_type = typename List::value_type;
  using difference_type = std::ptrdiff_t;
  using pointer = const value_type*;
  using reference = const value_type&;

  PlaceIterator() = default;
  PlaceIterator(const List* list, std::ptrdiff_t place) : list_(list), place_(place) {}
  reference operator*() const { return (*list_)[static_cast<std::size_t>(place_)]; }
  pointer operator->() const { return &**this; }
  reference operator[](difference_type n) const { return *(*this + n); }
  PlaceIterator& operator++() { return *this += 1; }
  PlaceIterator& operator--() { return *this += -1; }
  PlaceIterator operator++(int) { return std::exchange(*this, *this + 1); }
  PlaceIterator operator--(int) { return std::exchange(*this, *this - 1); }
  PlaceIterator& operator+=(difference_type n) {
    place_ += n;
    return *this;
  }
  PlaceIterator& operator-=(difference_type n) { return *this += -n; }
  friend PlaceIterator operator+(PlaceIterator it, difference_type n) { return it += n; }
  friend PlaceIterator operator+(difference_type n, PlaceIterator it) { return it += n; }
  friend PlaceIterator operator-(PlaceIterator it, difference_type n) { return it -= n; }
  friend difference_type operator-(const PlaceIterator& a, const PlaceIterator& b) {
    return a.place_ - b.place_;
  }
  friend bool operator==(const PlaceIterator& a, const PlaceIterator& b) {
    return a.place_ == b.place_;
  }
  friend auto operator<=>(const PlaceIterator& a, const PlaceIterator& b) {
    return a.place_ <=> b.place_;
  }

 private:
  const List* list_ = nullptr;
  std::ptrdiff_t place_ = 0;
};

}  // namespace config
