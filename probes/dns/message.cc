#include "probes/dns/message.h"

#include <algorithm>
#include <limits>

#include <fmt/format.h>

namespace probes::dns {
namespace {

using config::Failure;

// A reader over the whole message, because compression pointers point anywhere before.
class MessageReader {
 public:
  explicit MessageReader(std::span<const std::uint8_t> wire) : wire_(wire) {}

  [[nodiscard]] std::size_t at() const { return at_; }
  [[nodiscard]] bool ok() const { return ok_; }

  std::uint8_t u8() { return take(1) ? wire_[at_ - 1] : std::uint8_t{0}; }
  std::uint16_t u16() {
    if (!take(2)) return 0;
    return static_cast<std::uint16_t>(wire_[at_ - 2] << 8U | wire_[at_ - 1]);
  }
  std::uint32_t u32() {
    const std::uint32_t high = u16();
    return high << 16U | u16();
  }
  std::span<const std::uint8_t> bytes(std::size_t count) {
    if (!take(count)) return {};
    return wire_.subspan(at_ - count, count);
  }

  // A possibly compressed name (RFC 1035 §4.1.4). Each pointer must go to an earlier place than the
  // one before: loops are impossible.
  Name name() {
    Bytes flat;
    std::size_t here = at_;
    std::size_t barrier = at_;
    bool jumped = false;
    while (true) {
      if (here >= wire_.size()) return fail();
      const std::uint8_t length = wire_[here];
      if ((length & 0xC0U) == 0xC0U) {
        if (here + 1 >= wire_.size()) return fail();
        const std::size_t target =
            static_cast<std::size_t>((length & 0x3FU) << 8U) | wire_[here + 1];
        if (target >= barrier) return fail();
        if (!jumped) at_ = here + 2;
        jumped = true;
        barrier = here = target;
        continue;
      }
      if (length > 63 || here + 1U + length > wire_.size() || flat.size() + 1U + length > 255)
        return fail();
      flat.insert(flat.end(), wire_.begin() + static_cast<std::ptrdiff_t>(here),
                  wire_.begin() + static_cast<std::ptrdiff_t>(here + 1U + length));
      here += 1U + length;
      if (length == 0) break;
    }
    if (!jumped) at_ = here;
    auto name = Name::from_wire(flat);
    return name ? *name : fail();
  }

 private:
  bool take(std::size_t count) {
    ok_ = ok_ && count <= wire_.size() - at_;
    if (ok_) at_ += count;
    return ok_;
  }
  Name fail() {
    ok_ = false;
    return {};
  }

  std::span<const std::uint8_t> wire_;
  std::size_t at_ = 0;
  bool ok_ = true;
};

void put16(Bytes& out, std::size_t value) {
  out.push_back(static_cast<std::uint8_t>(value >> 8U));
  out.push_back(static_cast<std::uint8_t>(value));
}

void put32(Bytes& out, std::uint32_t value) {
  put16(out, value >> 16U);
  put16(out, value & 0xFFFFU);
}

void put_name(Bytes& out, const Name& name) {
  out.insert(out.end(), name.wire().begin(), name.wire().end());
}

// The data of a record with the names in it expanded, for the types that RFC 1035 allows to
// compress.
Bytes read_data(MessageReader& reader, std::uint16_t rtype, std::size_t length) {
  const std::size_t end = reader.at() + length;
  Bytes data;
  const auto copy = [&](std::size_t count) {
    const auto bytes = reader.bytes(count);
    data.insert(data.end(), bytes.begin(), bytes.end());
  };
  switch (rtype) {
    case type::mx:
      copy(2);
      [[fallthrough]];
    case type::ns:
    case type::cname:
    case type::ptr:
    case type::dname:
      put_name(data, reader.name());
      break;
    case type::soa:
      put_name(data, reader.name());
      put_name(data, reader.name());
      copy(20);
      break;
    default:
      copy(length);
  }
  // The names must fill the data exactly; anything else is a lie about the length.
  if (reader.ok() && reader.at() != end) reader.bytes(std::numeric_limits<std::size_t>::max());
  return data;
}

// Options of the OPT pseudo-record (RFC 6891 §6.1.2); we only want extended errors (RFC 8914 §2).
void read_options(const Bytes& data, std::vector<ExtendedError>& errors) {
  constexpr std::uint16_t kExtendedError = 15;
  MessageReader reader{data};
  while (reader.ok() && reader.at() < data.size()) {
    const auto code = reader.u16();
    const auto value = reader.bytes(reader.u16());
    if (!reader.ok() || code != kExtendedError || value.size() < 2 || errors.size() >= 8) continue;
    errors.push_back({.code = static_cast<std::uint16_t>(value[0] << 8U | value[1]),
                      .text = std::string(value.begin() + 2, value.end())});
  }
}

Record read_record(MessageReader& reader) {
  Record record;
  record.owner = reader.name();
  record.type = reader.u16();
  record.klass = reader.u16();
  record.ttl = reader.u32();
  const std::size_t length = reader.u16();
  record.data = read_data(reader, record.type, length);
  return record;
}

void read_section(MessageReader& reader, std::size_t count, Message& message,
                  std::vector<Record>* keep) {
  for (std::size_t i = 0; i < count && reader.ok(); ++i) {
    auto record = read_record(reader);
    if (!reader.ok()) return;
    if (record.type == type::opt) {
      message.rcode = static_cast<std::uint16_t>(message.rcode | (record.ttl >> 24U) << 4U);
      read_options(record.data, message.extended_errors);
    } else if (record.klass == 1) {
      // RFC 2181 §8: a TTL with the top bit set means zero.
      if (record.ttl > 0x7FFFFFFFU) record.ttl = 0;
      keep->push_back(std::move(record));
    }
  }
}

void put_records(Bytes& out, const std::vector<Record>& records) {
  for (const auto& record : records) {
    put_name(out, record.owner);
    put16(out, record.type);
    put16(out, record.klass);
    put32(out, record.ttl);
    put16(out, record.data.size());
    out.insert(out.end(), record.data.begin(), record.data.end());
  }
}

}  // namespace

std::string type_name(std::uint16_t rtype) {
  switch (rtype) {
    case type::a:
      return "A";
    case type::ns:
      return "NS";
    case type::cname:
      return "CNAME";
    case type::soa:
      return "SOA";
    case type::mx:
      return "MX";
    case type::txt:
      return "TXT";
    case type::aaaa:
      return "AAAA";
    case type::dname:
      return "DNAME";
    case type::ds:
      return "DS";
    case type::rrsig:
      return "RRSIG";
    case type::nsec:
      return "NSEC";
    case type::dnskey:
      return "DNSKEY";
    case type::nsec3:
      return "NSEC3";
    case type::cds:
      return "CDS";
    case type::cdnskey:
      return "CDNSKEY";
    case type::tlsa:
      return "TLSA";
    default:
      return fmt::format("TYPE{}", rtype);
  }
}

std::string rcode_name(std::uint16_t code) {
  switch (code) {
    case rcode::noerror:
      return "NOERROR";
    case rcode::formerr:
      return "FORMERR";
    case rcode::servfail:
      return "SERVFAIL";
    case rcode::nxdomain:
      return "NXDOMAIN";
    case rcode::notimp:
      return "NOTIMP";
    case rcode::refused:
      return "REFUSED";
    case rcode::notauth:
      return "NOTAUTH";
    default:
      return fmt::format("RCODE{}", code);
  }
}

config::Result<Message, std::string> read_message(std::span<const std::uint8_t> wire) {
  MessageReader reader{wire};
  reader.u16();  // the id was the transport's business
  const std::uint16_t flags = reader.u16();
  const std::size_t questions = reader.u16();
  const std::size_t answers = reader.u16();
  const std::size_t authorities = reader.u16();
  const std::size_t additionals = reader.u16();
  if (!reader.ok()) return Failure<std::string>("shorter than a DNS header");
  if ((flags & 0x8000U) == 0) return Failure<std::string>("a query, not a response");
  if (questions != 1)
    return Failure<std::string>(fmt::format("{} questions in a response", questions));
  if (answers + authorities + additionals > kMaxRecords)
    return Failure<std::string>("more records than we read");

  Message message;
  message.authoritative = (flags & 0x0400U) != 0;
  message.truncated = (flags & 0x0200U) != 0;
  message.authentic_data = (flags & 0x0020U) != 0;
  message.rcode = flags & 0x000FU;
  message.question = reader.name();
  message.question_type = reader.u16();
  if (reader.u16() != 1 && reader.ok())
    return Failure<std::string>("a question of another class than IN");
  read_section(reader, answers, message, &message.answer);
  read_section(reader, authorities, message, &message.authority);
  read_section(reader, additionals, message, &message.glue);
  std::erase_if(message.glue, [](const Record& record) {
    return record.type != type::a && record.type != type::aaaa;
  });
  // A truncated message may end anywhere: what it says is not used anyway.
  if (!reader.ok() && !message.truncated) return Failure<std::string>("malformed record");
  return message;
}

namespace {

std::optional<Tsig> read_tsig(const Record& record) {
  constexpr std::uint16_t kAny = 255;
  if (record.klass != kAny || record.ttl != 0) return std::nullopt;
  MessageReader reader{record.data};
  Tsig out{.key = record.owner, .algorithm = reader.name()};
  out.signed_at = std::uint64_t{reader.u16()} << 32U;
  out.signed_at |= reader.u32();
  out.fudge = reader.u16();
  const auto mac = reader.bytes(reader.u16());
  out.mac.assign(mac.begin(), mac.end());
  out.original_id = reader.u16();
  out.error = reader.u16();
  const auto other = reader.bytes(reader.u16());
  out.other.assign(other.begin(), other.end());
  if (!reader.ok() || reader.at() != record.data.size()) return std::nullopt;
  return out;
}

}  // namespace

// Each record takes eleven octets at least, so that the size of a message bounds their number.
config::Result<TransferMessage, std::string> read_transfer_message(
    std::span<const std::uint8_t> wire) {
  MessageReader reader{wire};
  TransferMessage out{.id = reader.u16()};
  const std::uint16_t flags = reader.u16();
  const std::size_t questions = reader.u16();
  const std::size_t answers = reader.u16();
  const std::size_t authorities = reader.u16();
  const std::size_t additionals = reader.u16();
  constexpr std::uint16_t kOpcode = 0x7800U;
  if (!reader.ok()) return Failure<std::string>("shorter than a DNS header");
  if ((flags & 0x8000U) == 0 || (flags & kOpcode) != 0)
    return Failure<std::string>("no response to a query");
  if ((flags & 0x0200U) != 0) return Failure<std::string>("a truncated message");
  out.rcode = flags & 0x000FU;
  if (questions > 1) return Failure<std::string>(fmt::format("{} questions", questions));
  for (std::size_t i = 0; i < questions; ++i) {
    reader.name();
    reader.u32();
  }
  const auto total = answers + authorities + additionals;
  for (std::size_t i = 0; i < total && reader.ok(); ++i) {
    const auto begin = reader.at();
    auto record = read_record(reader);
    if (!reader.ok()) break;
    if (out.tsig) return Failure<std::string>("something behind the signature");
    if (record.type == type::tsig) {
      out.tsig = read_tsig(record);
      if (!out.tsig || i < answers + authorities)
        return Failure<std::string>("a malformed signature");
      out.signed_size = begin;
    } else if (i < answers) {
      if (record.klass != 1) return Failure<std::string>("a record of another class than IN");
      out.answer.push_back(std::move(record));
    }
  }
  if (!reader.ok() || reader.at() != wire.size()) return Failure<std::string>("malformed record");
  if (!out.tsig) out.signed_size = wire.size();
  return out;
}

Bytes write_transfer_query(const Name& zone, std::uint16_t id) {
  Bytes out;
  put16(out, id);
  put16(out, 0);
  put16(out, 1);
  put16(out, 0);
  put16(out, 0);
  put16(out, 0);
  put_name(out, zone);
  put16(out, type::axfr);
  put16(out, 1);
  return out;
}

std::optional<Bytes> write_message(const Message& message) {
  Bytes out;
  put16(out, 0);
  put16(out, 0x8180U | (message.rcode & 0x000FU));
  put16(out, 1);
  put16(out, message.answer.size());
  put16(out, message.authority.size());
  put16(out, 0);
  put_name(out, message.question);
  put16(out, message.question_type);
  put16(out, 1);
  put_records(out, message.answer);
  put_records(out, message.authority);
  if (out.size() > 65535) return std::nullopt;
  return out;
}

std::optional<Rrsig> read_rrsig(const Record& record) {
  constexpr std::size_t kFixed = 18;
  if (record.type != type::rrsig || record.data.size() <= kFixed) return std::nullopt;
  MessageReader reader{record.data};
  Rrsig sig;
  sig.type_covered = reader.u16();
  sig.algorithm = reader.u8();
  sig.labels = reader.u8();
  sig.original_ttl = reader.u32();
  sig.expiration = reader.u32();
  sig.inception = reader.u32();
  sig.key_tag = reader.u16();
  // A reader that begins at the signer has nowhere to point to: the name is never compressed
  // (RFC 4034 §3.1.7).
  MessageReader signer{std::span{record.data}.subspan(kFixed)};
  sig.signer = signer.name();
  if (!signer.ok()) return std::nullopt;
  return sig;
}

std::optional<Name> name_in(const Record& record, std::size_t skip) {
  if (record.data.size() < skip) return std::nullopt;
  return Name::from_wire(std::span{record.data}.subspan(skip));
}

std::optional<Name> signer_of(const Message& part) {
  const auto& records = part.answer.empty() ? part.authority : part.answer;
  for (const auto& record : records) {
    const auto sig = read_rrsig(record);
    if (sig && part.question.is_within(sig->signer)) return sig->signer;
  }
  return std::nullopt;
}

bool needs_denial(const Message& part) {
  if (part.answer.empty()) return true;
  return std::ranges::any_of(part.answer, [](const Record& record) {
    const auto sig = read_rrsig(record);
    const bool is_wildcard = record.owner.wire().starts_with("\x01*");
    return sig && sig->labels + (is_wildcard ? 1U : 0U) < record.owner.label_count();
  });
}

}  // namespace probes::dns
