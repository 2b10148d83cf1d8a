#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "probes/codec/bundle.h"
#include "probes/dns/validate.h"
#include "probes/judge.h"
#include "probes/proof.h"
#include "tests/fuzz/demand.h"

// Recorded observations and evidence come from other agents and from files: whatever they hold is
// refused with words or read, and what was read is written and read again as the same, judged as
// the agent that leads does, kept in few octets, verified and shown.
namespace {

using fuzz::demand;
using namespace probes;

// tests/recorded/root.key, of the lab in which that corpus was made.
const std::vector<dns::Record>& anchors() {
  static const auto read = dns::parse_trust_anchors(
      ". 3600 IN DS 56499 13 2 "
      "2f5a8c974d7e05ab1ff7bd1bfc71f2aff6343040381209facab0cf0881d09a74\n");
  demand(read.has_value(), "the trust anchor is one");
  return *read;
}

void check(const Recorded& one) {
  const auto again = decode(encode(one));
  demand(again && is_same(one, *again), "what was read is written and read again as the same");
  const auto json = encode_json(one);
  const auto from_json = decode({reinterpret_cast<const std::uint8_t*>(json.data()), json.size()});
  demand(from_json && is_same(one, *from_json), "as JSON, too");
  const auto judged = one.host ? judge_alone(one.host, one.observed_at())
                               : judge(one.domain, {}, one.observed_at());
  demand(static_cast<bool>(judged.seen), "whatever was read is judged");
  if (!one.domain) return;
  KeptDomain kept{one.domain};
  kept.pack();
  const Recorded opened{.domain = kept.open()};
  demand(is_same({.domain = one.domain}, opened), "what is kept is what was seen");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto read = decode_bundle({data, size});
  if (!read) {
    demand(!read.error().empty(), "a refusal has words");
    return 0;
  }
  for (const auto& one : read->observations) check(one);
  const auto proof = prove(*read, anchors(), config::Time{std::chrono::hours{24 * 365 * 100}});
  const auto text = to_text(*read, proof);
  demand(std::ranges::none_of(
             text, [](char c) { return c != '\n' && static_cast<unsigned char>(c) < 0x20; }),
         "nothing that is shown moves a terminal");
  demand(!to_json(*read, proof).dump().empty(), "what is shown is JSON");
  return 0;
}
