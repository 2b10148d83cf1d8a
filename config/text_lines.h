#pragma once

#include <algorithm>
#include <cstddef>
#include <initializer_list>
#include <iterator>
#include <string>
#include <string_view>

namespace config {

// Lines of text in one piece of memory, for those that are kept for long and seldom read.
class TextLines {
 public:
  class Iterator {
   public:
    using iterator_category = std::forward_iterator_tag;
    using value_type = std::string_view;
    using difference_type = std::ptrdiff_t;
    using pointer = void;
    using reference = std::string_view;

    Iterator() = default;
    explicit Iterator(std::string_view rest) : rest_(rest) {}
    std::string_view operator*() const { return rest_.substr(0, rest_.find('\n')); }
    Iterator& operator++() {
      rest_.remove_prefix(rest_.find('\n') + 1);
      return *this;
    }
    Iterator operator++(int) {
      auto before = *this;
      ++*this;
      return before;
    }
    friend bool operator==(const Iterator& a, const Iterator& b) {
      return a.rest_.size() == b.rest_.size();
    }

   private:
    std::string_view rest_;
  };
  using const_iterator = Iterator;
  using value_type = std::string_view;

  TextLines() = default;
  TextLines(std::initializer_list<std::string_view> lines) {
    for (const auto line : lines) push_back(line);
  }
  // As text() gave them.
  [[nodiscard]] static TextLines of(std::string_view text) {
    TextLines out;
    out.text_ = text;
    return out;
  }

  // A line feed within becomes a space.
  void push_back(std::string_view line) {
    const auto begin = text_.size();
    text_ += line;
    std::replace(text_.begin() + static_cast<std::ptrdiff_t>(begin), text_.end(), '\n', ' ');
    text_ += '\n';
  }
  void shrink_to_fit() { text_.shrink_to_fit(); }

  [[nodiscard]] bool empty() const { return text_.empty(); }
  [[nodiscard]] Iterator begin() const { return Iterator(text_); }
  [[nodiscard]] Iterator end() const { return Iterator(std::string_view()); }
  // Each ends with a line feed.
  [[nodiscard]] const std::string& text() const { return text_; }
  bool operator==(const TextLines&) const = default;

 private:
  std::string text_;
};

}  // namespace config
