#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <initializer_list>
#include <iterator>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "config/result.h"
#include "config/time.h"
#include "config/tree.h"

// How one node of a file becomes one field of a struct, and a map of keys the struct: what the
// readers of our files share. A reader is a table of keys, each with one of these functions; all of
// them go on after an error, so that every error is named at once.
namespace config {

using Text = Result<std::string, std::string>;

// What is known while a file is read.
struct Notes {
  std::filesystem::path folder;  // of the file; relative paths start here
  std::vector<Complaint> complaints;
};

// ---- words for complaints

// What the file said, in quotes, fit for one line of a terminal.
[[nodiscard]] std::string in_quotes(std::string_view text);
[[nodiscard]] std::string shown(const TreeNode& node);
// "15m": the largest unit that leaves a whole number.
[[nodiscard]] std::string shown(Seconds duration);
void complain(Notes& notes, const TreeNode& at, std::string message);
// "expected …, found …": not where a secret may stand.
void wrong(Notes& notes, const TreeNode& node, std::string_view wanted);
[[nodiscard]] std::string unknown_key(std::string_view given,
                                      const std::vector<std::string_view>& known);

// ---- one node to one field

// A whole number in digits; the greatest there is when it is greater.
[[nodiscard]] std::optional<std::int64_t> whole_number(const TreeNode& node);

template <auto member, std::int64_t least, std::int64_t most>
void number(const TreeNode& node, auto& section, Notes& notes) {
  const auto value = whole_number(node);
  if (!value || *value < least || *value > most) {
    return wrong(notes, node, fmt::format("a whole number from {} to {}", least, most));
  }
  section.*member = static_cast<std::decay_t<decltype(section.*member)>>(*value);
}

template <auto member, std::int64_t least, std::int64_t most>
void duration(const TreeNode& node, auto& section, Notes& notes) {
  constexpr Seconds from{least};
  constexpr Seconds to{most};
  const auto value = node.is_text() ? parse_duration(node.text) : std::nullopt;
  if (value && *value >= from && *value <= to) {
    section.*member = *value;
  } else if (whole_number(node)) {
    complain(notes, node,
             fmt::format("the number {} has no unit; write s, m, h or d behind it, as in {}",
                         node.text, shown(from)));
  } else {
    wrong(notes, node, fmt::format("a duration from {} to {}", shown(from), shown(to)));
  }
}

template <auto member>
void flag(const TreeNode& node, auto& section, Notes& notes) {
  if (node.kind != TreeNode::Kind::plain || (node.text != "true" && node.text != "false")) {
    return wrong(notes, node, "true or false");
  }
  section.*member = node.text == "true";
}

// Text that `check` brings into its normal form, or refuses.
template <auto member, Text (*check)(std::string_view)>
void text(const TreeNode& node, auto& section, Notes& notes) {
  if (!node.is_text()) return wrong(notes, node, "text");
  auto value = check(node.text);
  if (!value) {
    return complain(notes, node, fmt::format("{}: {}", in_quotes(node.text), value.error()));
  }
  section.*member = *std::move(value);
}

template <auto member>
void path(const TreeNode& node, auto& section, Notes& notes) {
  if (!node.is_text()) return wrong(notes, node, "a file name");
  const std::filesystem::path value{node.text};
  if (!value.has_filename() || node.text.find('\0') != std::string::npos) {
    return complain(notes, node, in_quotes(node.text) + ": not the name of a file");
  }
  section.*member = notes.folder / value;  // an absolute path replaces the folder
}

// One of some words.
template <auto member, auto& words>
void word(const TreeNode& node, auto& section, Notes& notes) {
  std::vector<std::string_view> known;
  for (const auto& [name, value] : words) {
    if (node.is_text() && node.text == name) {
      section.*member = value;
      return;
    }
    known.push_back(name);
  }
  const auto last = known.back();
  known.pop_back();
  wrong(notes, node, fmt::format("{} or {}", fmt::join(known, ", "), last));
}

// A list of texts that `check` brings into their normal form, or refuses.
template <auto member, Text (*check)(std::string_view)>
void texts(const TreeNode& node, auto& section, Notes& notes) {
  if (node.kind != TreeNode::Kind::list) return wrong(notes, node, "a list");
  for (const TreeNode& item : node.items) {
    if (!item.is_text()) {
      wrong(notes, item, "text");
    } else if (auto value = check(item.text)) {
      (section.*member).push_back(*std::move(value));
    } else {
      complain(notes, item, fmt::format("{}: {}", in_quotes(item.text), value.error()));
    }
  }
}

// ---- a map of keys to a struct

template <class Section>
struct Key {
  std::string_view name;
  void (*read)(const TreeNode&, Section&, Notes&);
  std::string_view alias = {};  // says the same, in plainer words; empty: none

  [[nodiscard]] bool is_called(std::string_view text) const {
    return text == name || (!alias.empty() && text == alias);
  }
};

// The value of the key, where it stands first; null where it does not, or `map` is none.
[[nodiscard]] const TreeNode* value_of(const TreeNode& map, std::string_view name);
[[nodiscard]] bool has_key(const TreeNode& map, std::string_view name);

// Null, and a complaint, where there is no such key.
template <class Section>
const Key<Section>* find_key(const TreeNode& key, std::span<const Key<Section>> keys,
                             Notes& notes) {
  if (!key.is_text()) {
    wrong(notes, key, "a key");
    return nullptr;
  }
  const auto found =
      std::ranges::find_if(keys, [&](const Key<Section>& one) { return one.is_called(key.text); });
  if (found != keys.end()) return &*found;
  std::vector<std::string_view> names;
  for (const auto& one : keys) {
    names.push_back(one.name);
    if (!one.alias.empty()) names.push_back(one.alias);
  }
  complain(notes, key, unknown_key(key.text, names));
  return nullptr;
}

template <class Section>
void read_map(const TreeNode& node, std::span<const Key<Section>> keys, Section& section,
              Notes& notes) {
  if (node.kind == TreeNode::Kind::nothing) return;  // all of it commented out: the defaults hold
  if (node.kind != TreeNode::Kind::map) return wrong(notes, node, "a map of keys");
  std::map<std::string_view, const TreeNode*> first;  // that says it, by name
  for (std::size_t i = 0; i + 1 < node.items.size(); i += 2) {
    const TreeNode& key = node.items[i];
    const auto* found = find_key(key, keys, notes);
    const auto name = found == nullptr ? std::string_view{key.text} : found->name;
    const auto [before, is_new] = first.try_emplace(name, &key);
    if (!is_new && key.is_text()) {
      const auto& other = *before->second;
      complain(notes, key,
               other.text == key.text
                   ? fmt::format("key {} again; it is in line {} already", in_quotes(key.text),
                                 other.place.line)
                   : fmt::format("key {} says what {} says in line {} already", in_quotes(key.text),
                                 in_quotes(other.text), other.place.line));
    }
    if (found != nullptr) found->read(node.items[i + 1], section, notes);
  }
}

// A list of maps, each of which must have the keys `wanted`.
template <auto member, auto& keys, class Section>
void maps(const TreeNode& node, Section& section, Notes& notes,
          std::initializer_list<std::string_view> wanted) {
  using Item = typename std::decay_t<decltype(section.*member)>::value_type;
  if (node.kind != TreeNode::Kind::list) return wrong(notes, node, "a list");
  for (const TreeNode& item : node.items) {
    if (item.kind == TreeNode::Kind::nothing) {  // read_map would take its defaults
      wrong(notes, item, "a map of keys");
      continue;
    }
    Item& made = (section.*member).emplace_back();
    read_map<Item>(item, keys, made, notes);
    if (item.kind != TreeNode::Kind::map) continue;
    for (const auto key : wanted) {
      if (!has_key(item, key)) complain(notes, item, fmt::format("the key \"{}\" is missing", key));
    }
  }
}

}  // namespace config
