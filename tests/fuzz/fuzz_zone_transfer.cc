// Any messages are a zone transfer, or end with a fault in words. The input is messages, each
// behind two octets with its length, as they come over TCP; once unsigned, and once as the answer
// to a signed request, where nothing but what the holder of the key made is believed.

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "probes/dns/catalog_zone.h"
#include "probes/dns/transfer_reader.h"
#include "tests/fuzz/demand.h"

namespace {

using fuzz::demand;
using namespace probes::dns;

constexpr config::Time kAt{std::chrono::seconds{1'800'000'000}};
constexpr std::uint16_t kId = 0x1234;

std::vector<std::span<const std::uint8_t>> messages_in(std::span<const std::uint8_t> octets) {
  std::vector<std::span<const std::uint8_t>> out;
  while (octets.size() >= 2) {
    const std::size_t wanted = static_cast<std::size_t>(octets[0] << 8U | octets[1]);
    octets = octets.subspan(2);
    const auto size = wanted < octets.size() ? wanted : octets.size();
    out.push_back(octets.first(size));
    octets = octets.subspan(size);
  }
  return out;
}

void check_catalog(const Name& zone, const std::vector<Record>& records) {
  for (const auto& record : records)
    demand(record.owner.is_within(zone) && record.klass == 1, "records are of the zone");
  const auto members = read_catalog_zone(zone, records);
  if (!members) {
    demand(!members.error().empty(), "a fault has words");
    return;
  }
  demand(members->size() <= records.size(), "members are records");
  for (const auto& member : *members) demand(!member.zone.is_root(), "the root is no member");
}

void take(std::span<const std::uint8_t> octets, TsigExchange* tsig) {
  const auto zone = Name::parse("catalog.test").value_or(Name{});
  TransferReader reader(zone, kId, {type::ptr, type::txt}, tsig);
  for (const auto message : messages_in(octets)) {
    const auto is_whole = reader.take(message, kAt);
    if (!is_whole) {
      demand(!is_whole.error().empty() && is_whole.error().size() < 300, "a fault has few words");
      return;
    }
    if (!*is_whole) continue;
    demand(tsig == nullptr || tsig->is_all_signed(), "all of it was signed");
    demand(!reader.take(message, kAt), "nothing follows the end");
    return check_catalog(zone, std::move(reader).records());
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::span<const std::uint8_t> octets{data, size};
  take(octets, nullptr);
  TsigKey key{.name = Name::parse("transfer.key").value_or(Name{}), .secret = {}};
  for (std::uint8_t i = 0; i < 32; ++i) key.secret.push_back(i);
  TsigExchange tsig(std::move(key));
  (void)tsig.sign(write_transfer_query(Name::parse("catalog.test").value_or(Name{}), kId), kAt);
  take(octets, &tsig);
  return 0;
}
