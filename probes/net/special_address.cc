#include "probes/net/special_address.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>

#include <arpa/inet.h>

namespace probes::net {
namespace {

struct Block {
  std::array<std::uint8_t, 16> bits;
  unsigned length;
};

// IANA IPv4 and IPv6 Special-Purpose Address Registries, the entries that are not globally
// reachable, and multicast.
constexpr std::array<Block, 16> kV4{{
    {{0}, 8},
    {{10}, 8},
    {{100, 64}, 10},
    {{127}, 8},
    {{169, 254}, 16},
    {{172, 16}, 12},
    {{192, 0, 0}, 24},
    {{192, 0, 2}, 24},
    {{192, 88, 99}, 24},
    {{192, 168}, 16},
    {{198, 18}, 15},
    {{198, 51, 100}, 24},
    {{203, 0, 113}, 24},
    {{224}, 4},
    {{240}, 4},
    {{255, 255, 255, 255}, 32},
}};
constexpr std::array<Block, 12> kV6{{
    {{0}, 96},                                         // unspecified, loopback, IPv4-compatible
    {{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff}, 96},  // IPv4-mapped
    {{0, 0x64, 0xff, 0x9b, 0, 1}, 48},                 // local NAT64
    {{0x01, 0x00}, 63},                                // discard, dummy (RFC 6666, RFC 9780)
    {{0x20, 0x01, 0x00}, 23},                          // IETF protocol assignments
    {{0x20, 0x01, 0x0d, 0xb8}, 32},                    // documentation
    {{0x20, 0x02}, 16},                                // 6to4, deprecated (RFC 7526)
    {{0x3f, 0xff, 0x00}, 20},                          // documentation
    {{0x5f, 0x00}, 16},                                // segment identifiers (RFC 9602)
    {{0xfc}, 7},                                       // unique local
    {{0xfe, 0x80}, 10},                                // link-local
    {{0xff}, 8},                                       // multicast
}};

// RFC 6052 §2.1: the last 32 bits are an IPv4 address, and a gateway may take us there.
constexpr Block kNat64{{0, 0x64, 0xff, 0x9b}, 96};

bool is_in(std::span<const std::uint8_t> address, const Block& block) {
  for (unsigned bit = 0; bit < block.length; ++bit) {
    const unsigned mask = 0x80U >> (bit % 8U);
    if (((address[bit / 8U] ^ block.bits[bit / 8U]) & mask) != 0) return false;
  }
  return true;
}

template <std::size_t count>
bool is_in_any(std::span<const std::uint8_t> address, const std::array<Block, count>& blocks) {
  return std::ranges::any_of(blocks, [&](const Block& block) { return is_in(address, block); });
}

}  // namespace

bool is_special_address(std::string_view address) {
  const std::string text{address};
  std::array<std::uint8_t, 16> raw{};
  if (inet_pton(AF_INET, text.c_str(), raw.data()) == 1) return is_in_any(raw, kV4);
  if (inet_pton(AF_INET6, text.c_str(), raw.data()) != 1) return true;
  if (is_in(raw, kNat64)) return is_in_any(std::span{raw}.subspan(12), kV4);
  return is_in_any(raw, kV6);
}

}  // namespace probes::net
