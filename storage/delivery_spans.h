#pragma once

#include <map>
#include <string>
#include <vector>

#include "config/time.h"
#include "probes/status.h"
#include "storage/delivery_past.h"

// What happened to mail over time, from the verdicts in the history.
namespace storage {

struct DeliverySpan {
  config::Time from, until;
  probes::Delivery delivery = probes::Delivery::unknown;
  probes::Verdict verdict = probes::Verdict::unknown;
  bool operator==(const DeliverySpan&) const = default;
};

struct SpanQuery {
  Whose of = Whose::domains;
  std::vector<std::string> domains;  // names of either; empty: all
  config::Time from, until;
  // How far apart two looks may lie for what both saw to have held between them: what is older
  // without a look is unknown, because nobody looked, or nothing could be recorded.
  config::Seconds longest_silence{0};
};

// By name, in order and without gaps from when it was first watched, or from
// SpanQuery::from, to SpanQuery::until. Reads as many rows as verdicts changed, however long the
// time is.
[[nodiscard]] std::map<std::string, std::vector<DeliverySpan>> read_delivery_spans(
    Database& db, const SpanQuery& query);

// What SpanQuery::longest_silence is where a look is to come every `interval`.
[[nodiscard]] constexpr config::Seconds longest_silence(config::Seconds interval) {
  return 2 * interval + config::Seconds{600};
}

}  // namespace storage
