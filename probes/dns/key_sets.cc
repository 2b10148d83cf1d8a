#include "probes/dns/key_sets.h"

#include <algorithm>

namespace probes::dns {

std::pair<KeySet, config::Time> key_set_of(const Message& reply, config::Time at) {
  KeySet out;
  std::uint32_t left = 0;
  std::uint32_t published = 0;
  for (const auto& record : reply.answer) {
    if (record.owner != reply.question) continue;
    const auto& data = record.data;
    if (record.type == type::ds && reply.question_type == type::ds && data.size() >= 4) {
      out.keys.insert(
          {.algorithm = data[2], .tag = static_cast<std::uint16_t>(data[0] << 8U | data[1])});
      left = record.ttl;
    }
    const auto signature = read_rrsig(record);
    if (!signature || signature->type_covered != reply.question_type) continue;
    published = signature->original_ttl;
    if (reply.question_type != type::dnskey) continue;
    out.keys.insert({.algorithm = signature->algorithm, .tag = signature->key_tag});
    left = record.ttl;
  }
  out.ttl = config::Seconds{published};
  return {out, at - config::Seconds{published - std::min(left, published)}};
}

}  // namespace probes::dns
