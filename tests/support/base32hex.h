#pragma once

#include <cstdint>
#include <string_view>

#include "probes/dns/message.h"

namespace support {

// A hash as NSEC3 owner names and RFC 5155 write it (RFC 4648 §7, without padding).
inline probes::dns::Bytes from_base32hex(std::string_view text) {
  probes::dns::Bytes out;
  unsigned bits = 0;
  unsigned count = 0;
  for (const char c : text) {
    bits = bits << 5U | static_cast<unsigned>(c <= '9' ? c - '0' : c - 'a' + 10);
    count += 5;
    if (count < 8) continue;
    count -= 8;
    out.push_back(static_cast<std::uint8_t>(bits >> count & 255U));
  }
  return out;
}

}  // namespace support
