#pragma once

#include <atomic>
#include <compare>
#include <cstddef>
#include <cstdint>
#include <new>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "config/counted.h"

// PURE
namespace probes::dns {

// A domain name, fully qualified, at most 255 octets of wire form. ASCII letters are folded
// to lower case at birth, so that two names are equal when DNS says they are (RFC 4343). Any octet
// may occur in a label; the text form escapes what is not a printable hostname-like character (RFC
// 1035 §5.1, RFC 4343 §2.1). A copy shares the octets: names are held in many places for long.
class Name {
 public:
  Name() = default;  // the root

  // From presentation form, with or without the trailing dot; "." is the root. Nothing on empty
  // labels, labels over 63 octets, names over 255, or bad escapes. Takes A-labels: IDN was
  // converted at the door.
  [[nodiscard]] static std::optional<Name> parse(std::string_view text);

  // From uncompressed wire form that ends exactly with the root label.
  [[nodiscard]] static std::optional<Name> from_wire(std::span<const std::uint8_t> wire);

  [[nodiscard]] std::string_view wire() const;  // as long as a copy of the name lives
  [[nodiscard]] std::string text() const;       // no trailing dot; the root is "."
  [[nodiscard]] bool is_root() const { return !octets_; }
  [[nodiscard]] std::size_t label_count() const;             // the root has none
  [[nodiscard]] Name parent() const;                         // of the root: the root
  [[nodiscard]] bool is_within(const Name& ancestor) const;  // true for the name itself
  // The last n labels; all of them when there are fewer.
  [[nodiscard]] Name suffix(std::size_t labels) const;
  // label.this; nothing when that would be too long.
  [[nodiscard]] std::optional<Name> child(std::string_view label) const;

  std::strong_ordering operator<=>(const Name& other) const;
  bool operator==(const Name& other) const;

 private:
  explicit Name(std::string_view wire);
  // The wire form is behind it.
  struct Octets {
    std::atomic<std::uint32_t> holders;
    std::uint8_t size;  // of the wire form, of which 255 octets are the most
    static void free(Octets* octets) { ::operator delete(octets); }
  };
  static constexpr std::size_t ahead();  // octets of it in front of the wire form
  config::Counted<Octets> octets_;       // null: the root
};

// The owner name of the TLSA records for a TCP service: "_25._tcp.mx.example.org" (RFC 6698 §3).
[[nodiscard]] std::optional<Name> tlsa_owner(const Name& base_domain, std::uint16_t port);

}  // namespace probes::dns
