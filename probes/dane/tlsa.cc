#include "probes/dane/tlsa.h"

#include <array>
#include <charconv>

#include <fmt/format.h>

namespace probes::dane {
namespace {

int hex_value(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

bool is_blank(char c) {
  return c == ' ' || c == '\t' || c == '(' || c == ')' || c == '\n' || c == '\r';
}

std::optional<std::uint8_t> take_field(std::string_view& text) {
  while (!text.empty() && is_blank(text.front())) text.remove_prefix(1);
  std::uint8_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{}) return std::nullopt;
  text.remove_prefix(static_cast<std::size_t>(end - text.data()));
  if (!text.empty() && !is_blank(text.front())) return std::nullopt;
  return value;
}

}  // namespace

std::optional<TlsaRecord> tlsa_from_wire(std::span<const std::uint8_t> rdata) {
  if (rdata.size() < 3) return std::nullopt;
  return TlsaRecord{.usage = rdata[0],
                    .selector = rdata[1],
                    .matching_type = rdata[2],
                    .data = Bytes(rdata.begin() + 3, rdata.end())};
}

TlsaRecord tlsa_or_unusable(std::span<const std::uint8_t> rdata) {
  return tlsa_from_wire(rdata).value_or(
      TlsaRecord{.usage = 255, .selector = 255, .matching_type = 255, .data = {}});
}

std::optional<TlsaRecord> tlsa_from_text(std::string_view text) {
  const auto usage = take_field(text);
  const auto selector = usage ? take_field(text) : std::nullopt;
  const auto matching_type = selector ? take_field(text) : std::nullopt;
  if (!matching_type) return std::nullopt;
  std::string digits;
  for (const char c : text) {
    if (!is_blank(c)) digits.push_back(c);
  }
  auto data = from_hex(digits);
  if (!data) return std::nullopt;
  return TlsaRecord{.usage = *usage,
                    .selector = *selector,
                    .matching_type = *matching_type,
                    .data = std::move(*data)};
}

std::string to_text(const TlsaRecord& record) {
  return fmt::format("{} {} {} {}", record.usage, record.selector, record.matching_type,
                     to_hex(record.data));
}

std::string to_hex(std::span<const std::uint8_t> octets) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::string out;
  out.reserve(octets.size() * 2);
  for (const auto octet : octets) {
    out.push_back(kDigits[octet >> 4U]);
    out.push_back(kDigits[octet & 0xFU]);
  }
  return out;
}

std::optional<Bytes> from_hex(std::string_view text) {
  if (text.size() % 2 != 0) return std::nullopt;
  Bytes out;
  for (std::size_t i = 0; i < text.size(); i += 2) {
    const int high = hex_value(text[i]);
    const int low = hex_value(text[i + 1]);
    if (high < 0 || low < 0) return std::nullopt;
    out.push_back(static_cast<std::uint8_t>(high * 16 + low));
  }
  return out;
}

}  // namespace probes::dane
