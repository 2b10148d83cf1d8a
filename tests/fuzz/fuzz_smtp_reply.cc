// An SMTP server's octets, however the network cuts them, give the same replies; no bound of
// ReplyReader is passed.
//
// Input: the first octet says how many octets behind it are chunk lengths (low three bits) and how
// often the rest, the server's octets, is repeated (two to the power of the high three bits).

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "probes/smtp/reply.h"
#include "tests/fuzz/demand.h"

namespace {

using fuzz::demand;
using probes::smtp::Reply;
using probes::smtp::ReplyFault;
using probes::smtp::ReplyReader;

struct Heard {
  std::vector<Reply> replies;
  std::vector<std::size_t> ends;  // where each reply ended in the stream
  std::optional<ReplyFault> fault;
  std::size_t used = 0;
};

// Feeds the stream in chunks of these lengths, over and over; a length of zero is an empty feed and
// one octet.
Heard hear(std::string_view stream, const std::vector<std::size_t>& lengths) {
  Heard heard;
  ReplyReader reader;
  const auto feed = [&](std::string_view chunk) {
    while (true) {
      const auto used = reader.feed(chunk);
      demand(used <= chunk.size(), "feed uses no more than it was given");
      heard.used += used;
      chunk.remove_prefix(used);
      auto reply = reader.take();
      if (reply) {
        heard.replies.push_back(*std::move(reply));
        heard.ends.push_back(heard.used);
        demand(!reader.take(), "a reply is taken once");
      } else {
        demand(chunk.empty() || reader.fault(), "only a whole reply or a fault stops a feed");
      }
      if (chunk.empty() || reader.fault()) return;
    }
  };
  for (std::size_t turn = 0; !stream.empty() && !reader.fault(); ++turn) {
    const auto length = lengths[turn % lengths.size()];
    if (length == 0) feed({});
    const auto chunk = stream.substr(0, std::max<std::size_t>(length, 1));
    feed(chunk);
    stream.remove_prefix(chunk.size());
  }
  heard.fault = reader.fault();
  if (heard.fault) {
    demand(reader.feed(std::string_view{"250 ok\r\n"}) == 0, "nothing is read behind a fault");
    demand(!reader.take(), "there is no reply behind a fault");
  }
  return heard;
}

// What the reply's own octets say of it, told in another way.
void check(const Reply& reply, std::string_view octets) {
  demand(octets.size() <= ReplyReader::kMaxReply, "a reply is at most kMaxReply octets");
  demand(octets.ends_with('\n'), "a reply ends with its line");
  std::vector<std::string_view> kept;
  bool cut = false;
  std::string_view last;
  for (auto rest = octets; !rest.empty(); rest.remove_prefix(last.size() + 1)) {
    last = rest.substr(0, rest.find('\n'));
    cut = cut || last.size() > ReplyReader::kMaxLineKept;
    auto line = last.substr(0, ReplyReader::kMaxLineKept);
    if (line.ends_with('\r')) line.remove_suffix(1);
    line.remove_prefix(std::min<std::size_t>(line.size(), 4));  // the code and its separator
    const auto is_digit = [&](std::size_t i) { return last[i] >= '0' && last[i] <= '9'; };
    const auto text = last.ends_with('\r') ? last.substr(0, last.size() - 1) : last;
    const bool has_code = text.size() >= 3 && is_digit(0) && is_digit(1) && is_digit(2) &&
                          (text.size() == 3 || text[3] == ' ' || text[3] == '-');
    if (!has_code) continue;
    if (kept.size() < ReplyReader::kMaxLines)
      kept.push_back(line);
    else
      cut = true;
  }
  demand(reply.code >= 0 && reply.code <= 999, "codes have three digits");
  demand(std::stoi(std::string(last.substr(0, 3))) == reply.code, "the code is the last line's");
  demand(reply.cut == cut, "cut says whether something was too long");
  demand(std::ranges::equal(reply.lines, kept), "the lines are those received, as far as kept");
  demand(reply.text().size() <= octets.size(), "the text is no longer than the reply");
  demand(offers(reply, "STARTTLS") == offers(reply, "starttls"), "keywords have no case");
  if (reply.lines.size() == 1) {
    demand(!offers(reply, "STARTTLS") && !has_masked_starttls(reply), "the first line greets");
  }
  demand(reply.words.size() > 1 || !offers_to_postfix(reply, "STARTTLS"),
         "the first word is a name");
}

void compare(const Heard& a, const Heard& b) {
  demand(a.used == b.used, "the split changes nothing about what is used");
  demand(a.fault == b.fault, "the split changes nothing about the fault");
  demand(a.ends == b.ends, "the split changes nothing about where replies end");
  for (std::size_t i = 0; i < a.replies.size(); ++i) {
    demand(a.replies[i].code == b.replies[i].code && a.replies[i].lines == b.replies[i].lines &&
               a.replies[i].cut == b.replies[i].cut,
           "the split changes nothing about a reply");
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const std::size_t count = std::min<std::size_t>(data[0] & 7U, size - 1);
  const std::vector<std::size_t> lengths(data + 1, data + 1 + count);
  const std::string once(data + 1 + count, data + size);
  std::string stream;
  for (unsigned times = 1U << (data[0] >> 5U); times > 0; --times) {
    if (stream.size() <= ReplyReader::kMaxReply) stream += once;
  }

  const auto whole = hear(stream, {stream.size()});
  for (std::size_t i = 0, from = 0; i < whole.replies.size(); from = whole.ends[i++]) {
    check(whole.replies[i], std::string_view{stream}.substr(from, whole.ends[i] - from));
  }
  if (whole.fault == ReplyFault::too_long) {
    const auto from = whole.ends.empty() ? 0 : whole.ends.back();
    demand(whole.used == from + ReplyReader::kMaxReply + 1, "too long is one over kMaxReply");
  }
  if (!whole.fault) demand(whole.used == stream.size(), "all octets are read where all is well");
  compare(whole, hear(stream, {1}));
  if (!lengths.empty()) compare(whole, hear(stream, lengths));
  return 0;
}
