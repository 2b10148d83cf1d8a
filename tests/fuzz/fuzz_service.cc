// Whatever a mailbox server says: however it is cut, the lines are the same and bounded; what a
// line means is one of four things, and STARTTLS is offered by nobody who does not name it.
//
// Input: the first octet is how long the pieces are.

#include <algorithm>
#include <cctype>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "probes/services/line_reader.h"
#include "probes/services/protocol.h"
#include "tests/fuzz/demand.h"

namespace {

using config::Starttls;
using fuzz::demand;
using probes::services::LineReader;
using probes::smtp::SessionStop;

class Said final : public probes::net::Stream {
 public:
  Said(std::string_view octets, std::size_t step) : octets_(octets), step_(step) {}
  config::Result<std::size_t, probes::net::StreamFault> read_some(std::span<char> into,
                                                                  config::Deadline) override {
    const auto count = std::min({step_, into.size(), octets_.size()});
    if (count == 0)
      return config::Failure<probes::net::StreamFault>({probes::net::StreamStop::closed, {}});
    std::copy_n(octets_.begin(), count, into.begin());
    octets_.remove_prefix(count);
    return count;
  }
  config::Result<void, probes::net::StreamFault> write_all(std::string_view,
                                                           config::Deadline) override {
    return {};
  }

 private:
  std::string_view octets_;
  std::size_t step_;
};

std::pair<std::vector<std::string>, SessionStop> lines_of(std::string_view octets,
                                                          std::size_t step) {
  Said said{octets, step};
  probes::smtp::SessionRecord record;
  LineReader reader{said, record};
  std::vector<std::string> out;
  while (true) {
    auto line = reader.read_line(config::Deadline::max());
    if (!line) return {out, line.error()};
    demand(line->size() <= LineReader::kLongestLine, "lines are bounded");
    out.push_back(std::move(*line));
  }
}

bool names(std::string_view line, std::string_view word) {
  return std::ranges::search(line, word, [](char a, char b) {
           return std::toupper(static_cast<unsigned char>(a)) == b;
         }).begin() != line.end();
}

void hold(std::string_view line) {
  using namespace probes::services;
  for (const auto protocol : {Starttls::imap, Starttls::pop3, Starttls::sieve}) {
    const auto& known = protocol_of(protocol);
    for (const bool is_first : {true, false}) {
      const auto said = read_line(protocol, known.starttls, line, is_first);
      if (line.empty() && is_first) demand(said == Line::strange, "nothing is no answer");
    }
    if (offers_starttls(protocol, line))
      demand(names(line, protocol == Starttls::pop3 ? "STLS" : "STARTTLS"), "it is named");
  }
  if (const auto greeting = read_greeting(line))
    demand(greeting->line == Line::good || greeting->line == Line::refused, "a greeting is either");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const std::string octets(data + 1, data + size);
  const auto whole = lines_of(octets, octets.size() + 1);
  demand(whole == lines_of(octets, 1U + data[0] % 16U), "the cut changes nothing");
  for (const auto& line : whole.first) hold(line);
  return 0;
}
