#include "probes/services/line_reader.h"

#include <algorithm>

#include <fmt/format.h>

#include "probes/smtp/talk.h"

namespace probes::services {

using config::Failure;
using config::Result;
using smtp::SessionStop;

Result<std::string, SessionStop> LineReader::read_line(config::Deadline deadline) {
  std::string line;
  const auto ends = [&](SessionStop why) {
    if (!line.empty()) smtp::write_down(record_, fmt::format("S: {}", line));
    return Failure<SessionStop>(why);
  };
  while (true) {
    if (begin_ == end_) {
      const auto got = stream_.read_some(buffer_, deadline);
      if (!got) {
        record_.detail = got.error().detail;
        const auto why = smtp::stop_of(got.error().stop);
        return ends(why == SessionStop::closed && !line.empty() ? SessionStop::malformed_reply
                                                                : why);
      }
      begin_ = 0;
      end_ = *got;
    }
    const auto* const from = buffer_.data() + begin_;
    const auto* const to = buffer_.data() + end_;
    const auto* const newline = std::find(from, to, '\n');
    line.append(from, newline);
    const auto used = static_cast<std::size_t>(newline - from) + (newline == to ? 0 : 1);
    begin_ += used;
    octets_ += used;
    if (line.size() > kLongestLine || octets_ > kMostOctets)
      return ends(SessionStop::reply_too_long);
    if (newline == to) continue;
    if (line.ends_with('\r')) line.pop_back();
    smtp::write_down(record_, fmt::format("S: {}", line));
    return line;
  }
}

}  // namespace probes::services
