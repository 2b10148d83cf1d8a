#include "probes/dns/name.h"

#include <algorithm>
#include <cstddef>

#include <fmt/format.h>

namespace probes::dns {
namespace {

constexpr std::size_t kMaxWire = 255;
constexpr std::size_t kMaxLabel = 63;

char fold(char c) {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}

bool is_plain(char c) {
  return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '_' || c == '*' ||
         c == '/' || c == ':';
}

// One character of a label at text[at], escapes resolved; moves `at` behind it.
std::optional<char> take_character(std::string_view text, std::size_t& at) {
  if (text[at] != '\\') return text[at++];
  const auto digit = [&](std::size_t i) {
    return i < text.size() && text[i] >= '0' && text[i] <= '9';
  };
  if (digit(at + 1)) {
    if (!digit(at + 2) || !digit(at + 3)) return std::nullopt;
    const int value = (text[at + 1] - '0') * 100 + (text[at + 2] - '0') * 10 + (text[at + 3] - '0');
    if (value > 255) return std::nullopt;
    at += 4;
    return static_cast<char>(value);
  }
  if (at + 1 >= text.size()) return std::nullopt;
  const char c = text[at + 1];
  at += 2;
  return c;
}

}  // namespace

constexpr std::size_t Name::ahead() {
  return offsetof(Octets, size) + 1;
}

Name::Name(std::string_view wire) {
  if (wire.size() <= 1) return;
  auto* room = static_cast<char*>(::operator new(std::max(sizeof(Octets), ahead() + wire.size())));
  octets_ = config::Counted(
      new (room) Octets{.holders = 1, .size = static_cast<std::uint8_t>(wire.size())});
  std::ranges::copy(wire, room + ahead());
}

std::string_view Name::wire() const {
  static constexpr std::string_view kRoot("\0", 1);
  if (!octets_) return kRoot;
  return {reinterpret_cast<const char*>(octets_.get()) + ahead(), octets_->size};
}

std::strong_ordering Name::operator<=>(const Name& other) const {
  return octets_ == other.octets_ ? std::strong_ordering::equal : wire() <=> other.wire();
}

bool Name::operator==(const Name& other) const {
  return octets_ == other.octets_ || wire() == other.wire();
}

std::optional<Name> Name::parse(std::string_view text) {
  if (text == ".") return Name{};
  if (text.empty()) return std::nullopt;
  std::string wire;
  std::size_t at = 0;
  while (at < text.size()) {
    std::string label;
    while (at < text.size() && text[at] != '.') {
      const auto c = take_character(text, at);
      if (!c) return std::nullopt;
      label.push_back(fold(*c));
    }
    if (label.empty() || label.size() > kMaxLabel) return std::nullopt;
    if (at < text.size()) ++at;  // the dot
    wire.push_back(static_cast<char>(label.size()));
    wire += label;
    if (wire.size() >= kMaxWire) return std::nullopt;
  }
  wire.push_back('\0');
  return Name{wire};
}

std::optional<Name> Name::from_wire(std::span<const std::uint8_t> wire) {
  if (wire.empty() || wire.size() > kMaxWire) return std::nullopt;
  std::string folded;
  std::size_t at = 0;
  while (wire[at] != 0) {
    const std::size_t length = wire[at];
    if (length > kMaxLabel || at + length + 1 >= wire.size()) return std::nullopt;
    folded.push_back(static_cast<char>(length));
    for (std::size_t i = 1; i <= length; ++i)
      folded.push_back(fold(static_cast<char>(wire[at + i])));
    at += length + 1;
  }
  if (at + 1 != wire.size()) return std::nullopt;
  folded.push_back('\0');
  return Name{folded};
}

std::string Name::text() const {
  if (is_root()) return ".";
  const auto wire = this->wire();
  std::string out;
  for (std::size_t at = 0; wire[at] != '\0';) {
    if (at != 0) out.push_back('.');
    const auto length = static_cast<std::size_t>(static_cast<unsigned char>(wire[at]));
    for (std::size_t i = 1; i <= length; ++i) {
      const char c = wire[at + i];
      if (is_plain(c)) {
        out.push_back(c);
      } else {
        out += fmt::format("\\{:03}", static_cast<unsigned char>(c));
      }
    }
    at += length + 1;
  }
  return out;
}

std::size_t Name::label_count() const {
  const auto wire = this->wire();
  std::size_t count = 0;
  for (std::size_t at = 0; wire[at] != '\0'; at += static_cast<unsigned char>(wire[at]) + 1U)
    ++count;
  return count;
}

Name Name::parent() const {
  if (is_root()) return *this;
  return Name{wire().substr(static_cast<unsigned char>(wire().front()) + 1U)};
}

bool Name::is_within(const Name& ancestor) const {
  const auto mine = label_count();
  const auto theirs = ancestor.label_count();
  return mine >= theirs && suffix(theirs) == ancestor;
}

Name Name::suffix(std::size_t labels) const {
  Name name = *this;
  for (auto count = label_count(); count > labels; --count) name = name.parent();
  return name;
}

std::optional<Name> Name::child(std::string_view label) const {
  if (label.empty() || label.size() > kMaxLabel || wire().size() + label.size() + 1 > kMaxWire)
    return std::nullopt;
  std::string longer(1, static_cast<char>(label.size()));
  for (const char c : label) longer.push_back(fold(c));
  longer += wire();
  return Name{longer};
}

std::optional<Name> tlsa_owner(const Name& base_domain, std::uint16_t port) {
  const auto tcp = base_domain.child("_tcp");
  return tcp ? tcp->child(fmt::format("_{}", port)) : std::nullopt;
}

}  // namespace probes::dns
