#pragma once

#include <array>
#include <cstddef>
#include <string>

#include "config/result.h"
#include "config/time.h"
#include "probes/net/stream.h"
#include "probes/smtp/session.h"

namespace probes::services {

// Lines from a server, without their ends. What is hostile is bounded: a line by kLongestLine, and
// all of them together by kMostOctets, beyond which the talk is over. Each line goes into the
// transcript of the record.
class LineReader {
 public:
  static constexpr std::size_t kLongestLine = std::size_t{8} << 10;  // octets
  static constexpr std::size_t kMostOctets = std::size_t{64} << 10;

  // Both outlive the reader.
  LineReader(net::Stream& stream, smtp::SessionRecord& record) : stream_(stream), record_(record) {}

  // The next line; or why there is none: timeout, closed, reply_too_long, malformed_reply (the peer
  // hung up within a line).
  [[nodiscard]] config::Result<std::string, smtp::SessionStop> read_line(config::Deadline deadline);

  // Octets read beyond the last line.
  [[nodiscard]] std::size_t surplus() const { return end_ - begin_; }

 private:
  net::Stream& stream_;
  smtp::SessionRecord& record_;
  std::array<char, 4096> buffer_{};
  std::size_t begin_ = 0, end_ = 0;
  std::size_t octets_ = 0;
};

}  // namespace probes::services
