// A DNS message that could be read can be written, and says the same when read again. Every name in
// it survives its text form. The input is a response, and also the text of a name.

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "probes/dns/message.h"
#include "tests/fuzz/demand.h"

namespace {

using fuzz::demand;
using namespace probes::dns;

std::span<const std::uint8_t> octets_of(std::string_view text) {
  return {reinterpret_cast<const std::uint8_t*>(text.data()), text.size()};
}

void check_name(const Name& name) {
  demand(name.wire().size() <= 255 && name.wire().back() == '\0', "a name is at most 255 octets");
  demand(Name::from_wire(octets_of(name.wire())) == name, "the wire form is the name");
  demand(Name::parse(name.text()) == name, "the text form is the name");
  // The colon is for MX records that hold an IPv6 address.
  demand(name.text().find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789-_*/:.\\") ==
             std::string::npos,
         "the text form is harmless");
  demand(name.is_root() == (name.label_count() == 0), "only the root has no labels");
  demand(name.is_within(name) && name.is_within(name.parent()) && name.is_within(Name{}),
         "a name is within itself, its parent and the root");
  demand(name.suffix(name.label_count()) == name && name.suffix(0).is_root(),
         "suffixes go from the root to the name");
  if (!name.is_root()) {
    demand(name.parent().label_count() + 1 == name.label_count(), "a parent has one label less");
    demand(!name.parent().is_within(name), "a parent is not within its child");
  }
  if (const auto owner = tlsa_owner(name, 25)) {
    demand(owner->parent().parent() == name && owner->text().starts_with("_25._tcp"),
           "the TLSA owner stands two labels below the name");
  }
}

void check_record(const Record& record) {
  check_name(record.owner);
  demand(record.klass == 1, "only records of class IN are kept");
  demand(record.ttl <= 0x7FFFFFFF, "a TTL has no top bit");
  demand(record.type != type::opt, "OPT is no record");
  demand(!type_name(record.type).empty(), "every type has a name");
  switch (record.type) {
    case type::mx:
      demand(name_in(record, 2).has_value(), "an MX record names a host");
      break;
    case type::ns:
    case type::cname:
    case type::ptr:
    case type::dname:
      demand(name_in(record).has_value(), "a record that is a name holds a name");
      break;
    default:
      break;
  }
  if (const auto name = name_in(record)) check_name(*name);
  const auto sig = read_rrsig(record);
  if (sig) {
    demand(record.type == type::rrsig, "only an RRSIG record is one");
    check_name(sig->signer);
    demand(record.data.size() >= 18 + 1, "an RRSIG has its fixed fields and a signer");
  }
}

bool same(const std::vector<Record>& a, const std::vector<Record>& b) {
  return std::ranges::equal(a, b, [](const Record& x, const Record& y) {
    return x.owner == y.owner && x.type == y.type && x.klass == y.klass && x.ttl == y.ttl &&
           x.data == y.data;
  });
}

std::size_t written_size(const Message& message) {
  std::size_t size = 12 + message.question.wire().size() + 4;
  for (const auto* section : {&message.answer, &message.authority}) {
    for (const auto& record : *section)
      size += record.owner.wire().size() + 10 + record.data.size();
  }
  return size;
}

void check_message(const Message& message) {
  check_name(message.question);
  demand(message.answer.size() + message.authority.size() <= kMaxRecords,
         "no more than kMaxRecords are kept");
  for (const auto* section : {&message.answer, &message.authority}) {
    for (const auto& record : *section) check_record(record);
  }
  demand(message.rcode <= 0xFFF, "an extended rcode has twelve bits");

  const auto wire = write_message(message);
  demand(wire.has_value() == (written_size(message) <= 65535),
         "what fits into a message can be written");
  if (!wire) return;
  demand(wire->size() == written_size(message), "a message is written in full");
  const auto again = read_message(*wire);
  demand(again.has_value(), "what was written can be read");
  demand(again->question == message.question && again->question_type == message.question_type &&
             again->rcode == (message.rcode & 0xFU) && same(again->answer, message.answer) &&
             same(again->authority, message.authority),
         "what was written reads as the same");
  demand(write_message(*again) == wire, "writing again gives the same octets");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (const auto message = read_message({data, size})) {
    check_message(*message);
  } else {
    demand(!message.error().empty(), "an error says what is wrong");
  }
  const std::string text(data, data + size);
  if (const auto name = Name::parse(text)) check_name(*name);
  if (const auto name = Name::from_wire({data, size})) check_name(*name);
  return 0;
}
