#include "probes/exchange.h"

#include <array>

#include <arpa/inet.h>

namespace probes {
namespace {

// The labels as they are, joined by dots.
std::string plain_text(const dns::Name& name) {
  const auto wire = name.wire();
  std::string out;
  for (std::size_t at = 0; wire[at] != '\0';) {
    const auto length = static_cast<std::size_t>(static_cast<unsigned char>(wire[at]));
    if (at != 0) out.push_back('.');
    out.append(wire, at + 1, length);
    at += length + 1;
  }
  return out;
}

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

bool is_letter(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}

}  // namespace

std::optional<std::string> address_in(const dns::Name& exchange) {
  const auto text = plain_text(exchange);
  if (text.find('\0') != std::string::npos) return std::nullopt;
  for (const int family : {AF_INET, AF_INET6}) {
    std::array<unsigned char, sizeof(in6_addr)> address{};
    std::array<char, INET6_ADDRSTRLEN> usual{};
    if (inet_pton(family, text.c_str(), address.data()) == 1 &&
        inet_ntop(family, address.data(), usual.data(), usual.size()) != nullptr)
      return std::string(usual.data());
  }
  return std::nullopt;
}

bool is_host_name(const dns::Name& exchange) {
  const auto wire = exchange.wire();
  bool is_numeric = true;
  for (std::size_t at = 0; wire[at] != '\0';) {
    const auto length = static_cast<std::size_t>(static_cast<unsigned char>(wire[at]));
    const auto label = std::string_view{wire}.substr(at + 1, length);
    const bool is_wildcard = at == 0 && label == "*";
    if (!is_wildcard && (label.front() == '-' || label.back() == '-')) return false;
    for (const char c : label) {
      if (!is_wildcard && !is_digit(c) && !is_letter(c) && c != '-') return false;
      is_numeric = is_numeric && is_digit(c);
    }
    at += length + 1;
  }
  return !exchange.is_root() && !is_numeric;
}

}  // namespace probes
