#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <set>
#include <stop_token>
#include <string>
#include <vector>

#include "config/result.h"
#include "config/time.h"
#include "probes/dns/tsig.h"

namespace probes::dns {

struct TransferRequest {
  Name zone;
  std::string address;  // of the primary; IPv4 or IPv6 text
  std::uint16_t port = 53;
  std::optional<TsigKey> key;     // signs the request and the answer
  std::set<std::uint16_t> types;  // of records that are given back
};

// Has a primary give a whole zone over TCP (AXFR). Records are as TransferReader keeps them; the
// error says why there are none, and may quote the outside world. When told to stop, it ends at
// once. `now`: the wall clock.
[[nodiscard]] config::Result<std::vector<Record>, std::string> transfer_zone(
    const TransferRequest& request, const std::function<config::Time()>& now,
    config::Deadline deadline, const std::stop_token& stop);

}  // namespace probes::dns
