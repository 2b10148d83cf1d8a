#include "config/fields.h"

#include <array>
#include <charconv>
#include <limits>
#include <numeric>
#include <system_error>

namespace config {
namespace {

// How many letters must be changed, added or dropped to make one word the other
// (Levenshtein).
std::size_t distance(std::string_view one, std::string_view other) {
  std::vector<std::size_t> row(other.size() + 1);
  std::iota(row.begin(), row.end(), std::size_t{0});
  for (std::size_t i = 0; i < one.size(); ++i) {
    std::size_t diagonal = std::exchange(row[0], i + 1);
    for (std::size_t j = 0; j < other.size(); ++j) {
      const std::size_t replaced = diagonal + (one[i] == other[j] ? 0 : 1);
      diagonal = row[j + 1];
      row[j + 1] = std::min({replaced, row[j] + 1, diagonal + 1});
    }
  }
  return row.back();
}

}  // namespace

std::string in_quotes(std::string_view text) {
  constexpr std::size_t longest = 60;
  std::string shown;
  const auto is_inner = [text](std::size_t at) { return (text[at] & 0xc0) == 0x80; };
  std::size_t length = std::min(text.size(), longest);
  while (length < text.size() && length > 0 && is_inner(length)) --length;
  for (const char c : text.substr(0, length)) {
    const auto octet = static_cast<unsigned char>(c);
    if (c == '"' || c == '\\') {
      shown += {'\\', c};
    } else if (octet < 0x20 || octet == 0x7f) {
      shown += fmt::format("\\x{:02x}", octet);
    } else {
      shown += c;
    }
  }
  return fmt::format("\"{}{}\"", shown, length < text.size() ? "…" : "");
}

std::string shown(const TreeNode& node) {
  switch (node.kind) {
    case TreeNode::Kind::nothing:
      return "nothing";
    case TreeNode::Kind::plain:
      return in_quotes(node.text);
    case TreeNode::Kind::quoted:
      return "the text " + in_quotes(node.text);
    case TreeNode::Kind::list:
      return "a list";
    case TreeNode::Kind::map:
      return "a map of keys";
  }
  return "";
}

std::string shown(Seconds duration) {
  constexpr auto units =
      std::to_array<std::pair<std::int64_t, char>>({{86400, 'd'}, {3600, 'h'}, {60, 'm'}});
  for (const auto& [seconds, letter] : units) {
    if (duration.count() >= seconds && duration.count() % seconds == 0) {
      return fmt::format("{}{}", duration.count() / seconds, letter);
    }
  }
  return fmt::format("{}s", duration.count());
}

std::optional<std::int64_t> whole_number(const TreeNode& node) {
  std::int64_t number = 0;
  const char* const end = node.text.data() + node.text.size();
  const auto [stop, error] = std::from_chars(node.text.data(), end, number);
  if (node.kind != TreeNode::Kind::plain || stop != end || node.text.empty()) return std::nullopt;
  if (error == std::errc::result_out_of_range) return std::numeric_limits<std::int64_t>::max();
  return error == std::errc{} ? std::optional{number} : std::nullopt;
}

void complain(Notes& notes, const TreeNode& at, std::string message) {
  notes.complaints.push_back({.place = at.place, .message = std::move(message)});
}

void wrong(Notes& notes, const TreeNode& node, std::string_view wanted) {
  complain(notes, node, fmt::format("expected {}, found {}", wanted, shown(node)));
}

std::string unknown_key(std::string_view given, const std::vector<std::string_view>& known) {
  constexpr std::size_t longest_typo = 40;
  if (given.size() <= longest_typo) {
    const auto far = [given](std::string_view name) { return distance(given, name); };
    const std::string_view nearest = *std::ranges::min_element(known, {}, far);
    if (far(nearest) <= 1 + nearest.size() / 4) {
      return fmt::format("unknown key {}; did you mean \"{}\"?", in_quotes(given), nearest);
    }
  }
  return fmt::format("unknown key {}; known here: {}", in_quotes(given), fmt::join(known, ", "));
}

const TreeNode* value_of(const TreeNode& map, std::string_view name) {
  if (map.kind != TreeNode::Kind::map) return nullptr;
  for (std::size_t i = 0; i + 1 < map.items.size(); i += 2) {
    if (map.items[i].is_text() && map.items[i].text == name) return &map.items[i + 1];
  }
  return nullptr;
}

bool has_key(const TreeNode& map, std::string_view name) {
  return value_of(map, name) != nullptr;
}

}  // namespace config
