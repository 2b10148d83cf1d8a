#pragma once

#include <compare>
#include <concepts>
#include <string>
#include <string_view>

namespace config {

// A text that very many objects have alike: each spends a pointer on it. Equal ones are kept once,
// for as long as the program runs: for words that operators choose, of which there are few. Reads
// as a std::string. Any thread may make one.
class Word {
 public:
  Word() = default;
  Word(std::string_view text);
  Word(const std::string& text) : Word(std::string_view(text)) {}
  Word(const char* text) : Word(std::string_view(text)) {}

  [[nodiscard]] const std::string& text() const;
  operator const std::string&() const { return text(); }
  [[nodiscard]] bool empty() const { return text_ == nullptr; }

  friend bool operator==(const Word& a, const Word& b) { return a.text_ == b.text_; }
  // What somebody asks for is not kept.
  template <std::convertible_to<std::string_view> Text>
  friend bool operator==(const Word& a, const Text& b) {
    return a.text() == std::string_view(b);
  }
  friend std::strong_ordering operator<=>(const Word& a, const Word& b) {
    return a.text() <=> b.text();
  }

 private:
  const std::string* text_ = nullptr;  // null: empty
};

}  // namespace config
