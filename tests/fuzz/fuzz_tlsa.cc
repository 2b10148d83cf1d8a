// A TLSA record's three forms tell the same: RDATA, value, text. The input is taken as RDATA, as
// text, and as hexadecimal digits.

#include <algorithm>
#include <cctype>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "probes/dane/tlsa.h"
#include "probes/dane/usable.h"
#include "tests/fuzz/demand.h"

namespace {

using fuzz::demand;
using namespace probes::dane;

void check_value(const TlsaRecord& record) {
  const auto text = to_text(record);
  demand(tlsa_from_text(text) == record, "the text reads back as the same record");
  Bytes rdata{record.usage, record.selector, record.matching_type};
  rdata.insert(rdata.end(), record.data.begin(), record.data.end());
  demand(tlsa_from_wire(rdata) == record, "the RDATA reads back as the same record");
  demand(from_hex(to_hex(record.data)) == record.data, "hexadecimal reads back as the same");

  const bool is_usable = !why_unusable(record).has_value();
  for (const auto digests : {Digests::sha512_first, Digests::sha256_only}) {
    const bool is_known = digests == Digests::sha512_first || record.matching_type != kSha512;
    demand(records_compared({record}, digests).size() == (is_usable && is_known ? 1 : 0),
           "a record alone is compared exactly when it is usable and its digest known");
    demand(records_compared({record, record}, digests).size() ==
               2 * records_compared({record}, digests).size(),
           "a record does not displace its like");
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::span<const std::uint8_t> rdata{data, size};
  const auto from_wire = tlsa_from_wire(rdata);
  demand(from_wire.has_value() == (size >= 3), "three octets and more are a record");
  if (from_wire) {
    demand(from_wire->usage == data[0] && from_wire->selector == data[1] &&
               from_wire->matching_type == data[2] &&
               std::ranges::equal(from_wire->data, rdata.subspan(3)),
           "the fields are the octets");
    check_value(*from_wire);
  }

  const std::string text(data, data + size);
  if (const auto from_text = tlsa_from_text(text)) {
    demand(from_text->data.size() * 2 <= size, "the data is no more than the text says");
    check_value(*from_text);
  }
  if (const auto octets = from_hex(text)) {
    demand(
        std::ranges::equal(
            to_hex(*octets), text, {}, {},
            [](char c) { return static_cast<char>(std::tolower(static_cast<unsigned char>(c))); }),
        "digits read and written are the same but for case");
  }
  return 0;
}
