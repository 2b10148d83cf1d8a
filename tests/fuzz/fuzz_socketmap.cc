// Whatever octets come to the policy socket: however they are cut, the replies are the same; each
// is one of two, and what is looked up is bounded.
//
// Input: the first octet is how long the pieces are.

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "agent/postfix/socketmap.h"
#include "tests/fuzz/demand.h"

namespace {

using agent::SocketmapSession;
using fuzz::demand;

std::string replies(std::string_view octets, std::size_t step, bool& is_broken) {
  SocketmapSession session;
  std::string out;
  const auto lookup = [](std::string_view map, std::string_view key) {
    demand(map.size() + key.size() < SocketmapSession::kMostOfRequest, "requests are bounded");
    return std::string(key == "a" ? "encrypt" : "");
  };
  for (std::size_t i = 0; i < octets.size(); i += step)
    out += session.feed(octets.substr(i, step), lookup);
  is_broken = session.is_broken();
  return out;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const std::string octets(data + 1, data + size);
  bool whole_broken = false, cut_broken = false;
  const auto whole = replies(octets, octets.size() + 1, whole_broken);
  demand(whole == replies(octets, 1U + data[0] % 16U, cut_broken), "the cut changes nothing");
  demand(whole_broken == cut_broken, "nor whether it is broken");
  std::string_view rest = whole;
  const auto ok = agent::netstring("OK encrypt"), no = agent::netstring("NOTFOUND ");
  while (!rest.empty()) {
    const bool is_known = rest.starts_with(ok) || rest.starts_with(no);
    demand(is_known, "only these two are said");
    rest.remove_prefix(rest.starts_with(ok) ? ok.size() : no.size());
  }
  return 0;
}
