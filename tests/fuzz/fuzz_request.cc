// What a client sends to our own web server: any octets are a request that ends where they say,
// within bounds, or are refused with a status; and how they are cut into pieces changes nothing.

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "tests/fuzz/demand.h"
#include "web/http/request_framer.h"

namespace {

using fuzz::demand;
using web::RequestFramer;

constexpr std::size_t kMost =
    RequestFramer::kHeadOctets + RequestFramer::kBodyOctets + RequestFramer::kFrameOctets;

RequestFramer taken(std::string_view octets, std::size_t step) {
  RequestFramer framer;
  for (std::size_t at = 0; at < octets.size() && !framer.is_complete() && !framer.refusal();
       at += step)
    framer.take(octets.substr(at, step));
  return framer;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string text(data, data + size);
  auto whole = taken(text, size + 1);
  auto drops = taken(text, 1);
  demand(whole.is_complete() == drops.is_complete(), "pieces do not change when it is complete");
  demand(whole.refusal().has_value() == drops.refusal().has_value(), "nor whether it is refused");
  if (const auto refused = whole.refusal()) {
    demand(!whole.is_complete(), "what is refused is not complete");
    demand(refused->status >= 400 && refused->status < 600, "a refusal has a status");
    demand(refused->status == drops.refusal()->status && !refused->why.empty(), "and a reason");
    return 0;
  }
  const bool is_complete = whole.is_complete();
  const auto kept = std::move(whole).release();
  demand(kept == std::move(drops).release(), "pieces do not change what is kept");
  demand(kept.size() <= kMost, "what is kept is bounded");
  demand(text.starts_with(kept), "it is what was sent");
  demand(is_complete || kept == text, "nothing is dropped before the end");
  demand(!is_complete || kept.find("\r\n\r\n") != std::string::npos, "a request has a head");
  return 0;
}
