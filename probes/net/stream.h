#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <string_view>

#include "config/result.h"
#include "config/time.h"

namespace probes::net {

enum class StreamStop {
  timeout,  // the deadline passed
  closed,   // the peer ended the connection in order
  broken,   // reset, or an error of the layer below
};

struct StreamFault {
  StreamStop stop = StreamStop::broken;
  std::string detail;
};

// Octets to and from a peer, each call ending by the deadline at the latest.
class Stream {
 public:
  Stream() = default;
  Stream(const Stream&) = delete;
  Stream& operator=(const Stream&) = delete;
  virtual ~Stream() = default;
  // At least one octet, or a fault.
  [[nodiscard]] virtual config::Result<std::size_t, StreamFault> read_some(
      std::span<char> into, config::Deadline deadline) = 0;
  [[nodiscard]] virtual config::Result<void, StreamFault> write_all(std::string_view octets,
                                                                    config::Deadline deadline) = 0;
};

}  // namespace probes::net
