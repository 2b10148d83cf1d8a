#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <vector>

#include "config/result.h"
#include "config/time.h"
#include "probes/dns/tsig.h"

// PURE
namespace probes::dns {

// A zone as its primary gives it (AXFR, RFC 5936), message by message, from its SOA record to the
// same one again. What comes is hostile: it is bounded in octets, and in what it expands to.
class TransferReader {
 public:
  // Only records of these types are kept. `id`: of the request. `tsig`: which signed the request;
  // null: nothing need be signed. It outlives the reader.
  TransferReader(Name zone, std::uint16_t id, std::set<std::uint16_t> types, TsigExchange* tsig)
      : zone_(std::move(zone)), id_(id), types_(std::move(types)), tsig_(tsig) {}

  // Takes the next message. True once the zone is there as a whole; then nothing may follow. The
  // error says what is wrong with it, or why the server gives nothing.
  [[nodiscard]] config::Result<bool, std::string> take(std::span<const std::uint8_t> message,
                                                       config::Time at);
  [[nodiscard]] std::vector<Record> records() && { return std::move(records_); }

 private:
  [[nodiscard]] config::Result<void, std::string> take(Record record);

  const Name zone_;
  const std::uint16_t id_;
  const std::set<std::uint16_t> types_;
  TsigExchange* const tsig_;
  std::vector<Record> records_;
  std::optional<Bytes> soa_;  // the first record's data
  bool is_whole_ = false;
  std::size_t octets_ = 0;  // that came
  std::size_t kept_ = 0;    // that records take
};

// A transfer of more is refused, as is one whose records take four times as much.
inline constexpr std::size_t kLargestTransfer = std::size_t{64} << 20;

}  // namespace probes::dns
