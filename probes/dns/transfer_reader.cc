#include "probes/dns/transfer_reader.h"

#include <utility>

#include <fmt/format.h>

namespace probes::dns {

using config::Failure;
using config::Result;

Result<bool, std::string> TransferReader::take(std::span<const std::uint8_t> message,
                                               config::Time at) {
  if (is_whole_) return Failure<std::string>("more after the end of the zone");
  octets_ += message.size();
  if (octets_ > kLargestTransfer) return Failure<std::string>("larger than 64 MiB");
  auto read = read_transfer_message(message);
  if (!read) return Failure<std::string>(read.error());
  if (read->id != id_) return Failure<std::string>("an answer to something else");
  // Which of the two a server sends with a signature that it refuses is its choice.
  const bool is_refused = read->rcode != rcode::noerror;
  if (is_refused && !(tsig_ != nullptr && read->tsig && read->tsig->error != 0))
    return Failure<std::string>("the server answers with " + rcode_name(read->rcode));
  if (tsig_ != nullptr) {
    if (const auto done = tsig_->verify(message, *read, at); !done)
      return Failure<std::string>(done.error());
  }
  if (read->answer.empty() && !soa_) return Failure<std::string>("the answer has no records");
  for (auto& record : read->answer) {
    if (const auto taken = take(std::move(record)); !taken)
      return Failure<std::string>(taken.error());
  }
  if (is_whole_ && tsig_ != nullptr && !tsig_->is_all_signed())
    return Failure<std::string>("the end of it is not signed");
  return is_whole_;
}

Result<void, std::string> TransferReader::take(Record record) {
  if (is_whole_) return Failure<std::string>("more after the end of the zone");
  if (!record.owner.is_within(zone_)) return Failure<std::string>("a record of another zone");
  const bool is_soa = record.type == type::soa;
  if (is_soa && record.owner != zone_) return Failure<std::string>("a second zone");
  if (!soa_) {
    if (!is_soa) return Failure<std::string>("it does not begin with an SOA record");
    soa_ = std::move(record.data);
    return {};
  }
  if (is_soa) {
    // A zone that changes meanwhile is sent as it was.
    if (record.data != *soa_) return Failure<std::string>("it ends with another SOA record");
    is_whole_ = true;
    return {};
  }
  if (!types_.contains(record.type)) return {};
  kept_ += sizeof(Record) + record.owner.wire().size() + record.data.size();
  if (kept_ > 4 * kLargestTransfer) return Failure<std::string>("its records take too much memory");
  records_.push_back(std::move(record));
  return {};
}

}  // namespace probes::dns
