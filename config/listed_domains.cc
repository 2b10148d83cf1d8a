#include "config/listed_domains.h"

#include <algorithm>
#include <unordered_set>
#include <utility>

#include <fmt/format.h>

#include "config/bounded_json.h"
#include "config/name.h"

namespace config {
namespace {

using Json = nlohmann::json;
using Words = Failure<std::string>;

constexpr std::size_t most_faults = 1000;

std::string_view without_byte_order_mark(std::string_view text) {
  constexpr std::string_view mark = "\xef\xbb\xbf";
  return text.starts_with(mark) ? text.substr(mark.size()) : text;
}

// In quotes: whoever shows it makes it harmless, once.
std::string as_it_came(std::string_view text) {
  constexpr std::size_t kMost = 60;
  auto length = std::min(text.size(), kMost);
  while (length < text.size() && length > 0 && (text[length] & 0xc0) == 0x80) --length;
  return fmt::format("\"{}{}\"", text.substr(0, length), length < text.size() ? "…" : "");
}

// What all targets of one group share.
struct Labels {
  std::optional<Role> role;
  std::optional<std::string> group;
};

Result<Labels, std::string> read_labels(const Json& entry) {
  Labels out;
  const auto labels = entry.find("labels");
  if (labels == entry.end()) return out;
  if (!labels->is_object()) return Words("\"labels\" is no object");
  if (const auto role = labels->find("role"); role != labels->end()) {
    if (*role == "inbound") out.role = Role::inbound;
    if (*role == "outbound") out.role = Role::outbound;
    if (!out.role) return Words("the label \"role\" is neither \"inbound\" nor \"outbound\"");
  }
  if (const auto group = labels->find("group"); group != labels->end()) {
    if (!group->is_string()) return Words("the label \"group\" is no text");
    auto word = group_name(group->get_ref<const std::string&>());
    if (!word) return Words("the label \"group\": " + word.error());
    out.group = *std::move(word);
  }
  return out;
}

Result<void, std::string> read_entry(const Json& entry, std::vector<ListedDomain>& into) {
  if (!entry.is_object()) return Words("it is no object");
  const auto targets = entry.find("targets");
  if (targets == entry.end() || !targets->is_array()) return Words("it has no list of \"targets\"");
  const auto labels = read_labels(entry);
  if (!labels) return Words(labels.error());
  for (const auto& target : *targets) {
    if (!target.is_string()) return Words("a target is no text");
    const auto& text = target.get_ref<const std::string&>();
    auto name = normal_domain(text);
    if (!name) return Words(fmt::format("{}: {}", as_it_came(text), name.error()));
    into.push_back({.name = *std::move(name), .role = labels->role, .group = labels->group});
  }
  return {};
}

// Depth and number are bounded: no entry needs more than four values a target.
Result<std::vector<ListedDomain>, std::string> read_json(std::string_view body) {
  const auto json = parse_json(body, {.depth = 8, .values = 2'000'000});
  if (!json) return Words(json.error());
  if (!json->is_array()) return Words("JSON, but no list");
  std::vector<ListedDomain> out;
  std::size_t number = 0;
  for (const auto& entry : *json) {
    ++number;
    if (const auto read = read_entry(entry, out); !read)
      return Words(fmt::format("entry {}: {}", number, read.error()));
  }
  return without_repeats(std::move(out));
}

Result<std::vector<ListedDomain>, std::string> read_lines(std::string_view body) {
  auto lines = parse_domain_lines(body);
  if (!lines.faults.empty()) {
    const auto& first = lines.faults.front();
    return Words(fmt::format("line {}: {}: {}", first.line, as_it_came(first.text), first.message));
  }
  if (lines.names.empty()) return Words("it names no domain; a list of none is written as []");
  std::vector<ListedDomain> out;
  out.reserve(lines.names.size());
  for (auto& name : lines.names)
    out.push_back({.name = std::move(name), .role = std::nullopt, .group = std::nullopt});
  return without_repeats(std::move(out));
}

}  // namespace

DomainLines parse_domain_lines(std::string_view text) {
  text = without_byte_order_mark(text);
  DomainLines out;
  for (int number = 1; !text.empty(); ++number) {
    const auto end = text.find('\n');
    auto line = text.substr(0, end);
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
    line = line.substr(0, line.find('#'));
    const auto begin = line.find_first_not_of(" \t\r");
    if (begin == std::string_view::npos) continue;
    line = line.substr(begin, line.find_last_not_of(" \t\r") + 1 - begin);
    auto name = normal_domain(line);
    if (name) {
      out.names.push_back(*std::move(name));
    } else if (out.faults.size() < most_faults) {
      out.faults.push_back({.line = number,
                            .column = static_cast<int>(begin) + 1,
                            .text = std::string(line),
                            .message = name.error()});
    }
  }
  return out;
}

Result<std::vector<ListedDomain>, std::string> parse_listed_domains(std::string_view body) {
  if (body.size() > kLargestList) return Words("larger than 16 MiB");
  body = without_byte_order_mark(body);
  const auto first = body.find_first_not_of(" \t\r\n");
  const bool is_json =
      first != std::string_view::npos && (body[first] == '[' || body[first] == '{');
  return is_json ? read_json(body) : read_lines(body);
}

std::vector<ListedDomain> without_repeats(std::vector<ListedDomain> domains) {
  std::unordered_set<std::string> known;
  std::erase_if(domains, [&](const ListedDomain& one) { return !known.insert(one.name).second; });
  return domains;
}

}  // namespace config
