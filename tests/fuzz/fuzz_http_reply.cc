// A Web server's octets, however the network cuts them and whether or not the connection ends, give
// the same reply; no bound of HttpReplyReader is passed.
//
// Input: the first octet says how many octets behind it are chunk lengths (low three bits) and how
// often the rest, the server's octets, is repeated (two to the power of the high three bits).

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "probes/sts/http_reply.h"
#include "tests/fuzz/demand.h"

namespace {

using fuzz::demand;
using probes::sts::HttpFault;
using probes::sts::HttpReply;
using probes::sts::HttpReplyReader;

// More than any reply may have.
constexpr std::size_t kMost =
    HttpReplyReader::kMaxHead + HttpReplyReader::kMaxFraming + HttpReplyReader::kMaxBody + 1;

struct Heard {
  std::optional<HttpReply> reply;
  std::optional<HttpFault> fault;
  bool was_whole = false;  // before the connection ended
  bool is_whole = false;
  std::size_t used = 0;
};

Heard hear(std::string_view stream, const std::vector<std::size_t>& lengths) {
  Heard heard;
  HttpReplyReader reader;
  bool had_head = false;
  for (std::size_t turn = 0; !stream.empty(); ++turn) {
    const auto length = lengths[turn % lengths.size()];
    if (length == 0) demand(reader.feed({}) == 0, "nothing is used of nothing");
    const auto chunk = stream.substr(0, std::max<std::size_t>(length, 1));
    const auto used = reader.feed(chunk);
    demand(used <= chunk.size(), "feed uses no more than it was given");
    demand(used == chunk.size() || reader.is_whole() || reader.fault(),
           "only a whole reply or a fault stops a feed");
    demand(!had_head || reader.head() != nullptr, "a head stays");
    had_head = reader.head() != nullptr;
    heard.used += used;
    if (used < chunk.size()) break;
    stream.remove_prefix(used);
  }
  heard.was_whole = reader.is_whole();
  const auto fault = reader.fault();
  reader.end();
  demand(!fault || reader.fault() == fault, "the first fault stays");
  demand(reader.is_whole() != reader.fault().has_value(), "at the end it is whole or a fault");
  demand(!reader.fault() || !reader.detail().empty(), "a fault has words");
  demand(reader.feed(std::string_view{"HTTP/1.1 200 OK\r\n\r\n"}) == 0, "nothing follows the end");
  heard.fault = reader.fault();
  heard.is_whole = reader.is_whole();
  if (reader.head() != nullptr) heard.reply = *reader.head();
  return heard;
}

void compare(const Heard& a, const Heard& b) {
  demand(a.used == b.used, "the split changes nothing about what is used");
  demand(a.fault == b.fault, "the split changes nothing about the fault");
  demand(a.was_whole == b.was_whole && a.is_whole == b.is_whole,
         "the split changes nothing about the end");
  demand(a.reply.has_value() == b.reply.has_value(), "the split changes nothing about the head");
  if (!a.reply) return;
  demand(a.reply->status == b.reply->status && a.reply->content_type == b.reply->content_type &&
             a.reply->location == b.reply->location && a.reply->body == b.reply->body,
         "the split changes nothing about the reply");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const std::size_t count = std::min<std::size_t>(data[0] & 7U, size - 1);
  const std::vector<std::size_t> lengths(data + 1, data + 1 + count);
  const std::string once(data + 1 + count, data + size);
  std::string stream;
  for (unsigned times = 1U << (data[0] >> 5U); times > 0; --times) {
    if (stream.size() <= kMost) stream += once;
  }

  const auto whole = hear(stream, {stream.size()});
  demand(whole.used <= kMost, "no more is read than the bounds together");
  if (whole.reply) {
    demand(whole.reply->status >= 200 && whole.reply->status <= 599, "codes are 200 to 599");
    demand(whole.reply->body.size() <= HttpReplyReader::kMaxBody, "a body is at most kMaxBody");
    demand(stream.starts_with("HTTP/1."), "a reply begins as HTTP/1 does");
    if (whole.reply->content_type) (void)probes::sts::is_text_plain(*whole.reply->content_type);
  }
  if (whole.is_whole) demand(whole.reply.has_value(), "a whole reply has a head");
  if (whole.was_whole) {
    const auto again = hear(std::string_view{stream}.substr(0, whole.used), {whole.used});
    compare(whole, again);  // what follows a reply changes nothing about it
  }
  compare(whole, hear(stream, {1}));
  if (!lengths.empty()) compare(whole, hear(stream, lengths));
  return 0;
}
