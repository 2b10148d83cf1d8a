#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "config/result.h"
#include "probes/dns/name.h"

// PURE
// The DNS message as bytes and as values (RFC 1035 §4, RFC 6891, RFC 8914). What comes in is
// hostile: every read is bounds-checked, compression pointers only go backwards, and a message of
// more than kMaxRecords is refused.
namespace probes::dns {

using Bytes = std::vector<std::uint8_t>;

namespace type {
inline constexpr std::uint16_t a = 1, ns = 2, cname = 5, soa = 6, ptr = 12, mx = 15, txt = 16,
                               aaaa = 28, dname = 39, opt = 41, ds = 43, rrsig = 46, nsec = 47,
                               dnskey = 48, nsec3 = 50, tlsa = 52, cds = 59, cdnskey = 60,
                               tsig = 250, axfr = 252;
}  // namespace type
// "MX", "TLSA"; "TYPE1234" for what we have no word for (RFC 3597 §5).
[[nodiscard]] std::string type_name(std::uint16_t type);

namespace rcode {
inline constexpr std::uint16_t noerror = 0, formerr = 1, servfail = 2, nxdomain = 3, notimp = 4,
                               refused = 5, notauth = 9;
}  // namespace rcode
[[nodiscard]] std::string rcode_name(std::uint16_t rcode);

// One resource record. Names inside the data of the types that may be compressed are already
// expanded.
struct Record {
  Name owner;
  std::uint16_t type = 0;
  std::uint16_t klass = 1;
  std::uint32_t ttl = 0;
  Bytes data;
};

// RFC 8914: why a resolver could not, or did not like to, answer. Text is as received: escape it
// where shown.
struct ExtendedError {
  std::uint16_t code = 0;
  std::string text;
};

struct Message {
  std::uint16_t rcode = 0;  // extended by the OPT record
  bool authoritative = false;
  bool truncated = false;
  bool authentic_data = false;  // the AD bit: the sender's opinion, not ours
  bool came_over_tcp = false;   // set by who received it
  bool was_unchecked = false;   // set by who asked: with the CD bit
  std::string server;           // the same: who sent it, for people ("127.0.0.53")
  Name question;
  std::uint16_t question_type = 0;
  std::vector<Record> answer;
  std::vector<Record> authority;
  std::vector<Record>
      glue;  // A and AAAA records of the additional section: hints, never vouched for
  std::vector<ExtendedError> extended_errors;
};

// Replies as they came, without glue: what an answer was learned from. Shared, for the upper links
// of a chain belong to many.
using ReplyPtr = std::shared_ptr<const Message>;
using Replies = std::vector<ReplyPtr>;

inline constexpr std::size_t kMaxRecords = 4096;

// Reads a response. The error says what is wrong with the bytes.
[[nodiscard]] config::Result<Message, std::string> read_message(std::span<const std::uint8_t> wire);

// The signature at the end of a message (RFC 8945 §4.2).
struct Tsig {
  Name key;
  Name algorithm;
  std::uint64_t signed_at = 0;  // Unix seconds, 48 bits
  std::uint16_t fudge = 0;      // seconds
  Bytes mac;
  std::uint16_t original_id = 0;
  std::uint16_t error = 0;
  Bytes other;
};

// One message of a zone transfer (RFC 5936 §2.2), which may be without the question.
struct TransferMessage {
  std::uint16_t id = 0;
  std::uint16_t rcode = 0;
  std::vector<Record> answer;  // all records must be of class IN
  std::optional<Tsig> tsig;
  std::size_t signed_size = 0;  // octets before the signature; without one all
};
[[nodiscard]] config::Result<TransferMessage, std::string> read_transfer_message(
    std::span<const std::uint8_t> wire);

// Asks for the transfer of the zone.
[[nodiscard]] Bytes write_transfer_query(const Name& zone, std::uint16_t id);

// Writes the message as an uncompressed response (header, question, answer, authority): the form in
// which parts of an answer are handed to the validator. Nothing when it would not fit 65535 octets.
[[nodiscard]] std::optional<Bytes> write_message(const Message& message);

// The fixed fields of an RRSIG and its signer (RFC 4034 §3.1).
struct Rrsig {
  std::uint16_t type_covered = 0;
  std::uint8_t algorithm = 0;
  std::uint8_t labels = 0;
  std::uint32_t original_ttl = 0;
  std::uint32_t expiration = 0;  // Unix seconds, serial arithmetic (RFC 4034 §3.1.5)
  std::uint32_t inception = 0;
  std::uint16_t key_tag = 0;
  Name signer;
};
[[nodiscard]] std::optional<Rrsig> read_rrsig(const Record& record);

// Who signed a part of a reply: the signer of the first signature under whose name the owner
// stands.
[[nodiscard]] std::optional<Name> signer_of(const Message& part);

// Whether the proof of a part of a reply needs the denial records that came with it: it is a denial
// itself, or a wildcard's expansion, by the labels of its signatures (RFC 4035 §5.3.4).
[[nodiscard]] bool needs_denial(const Message& part);

// A name that is the whole of the data (CNAME, DNAME, NS) or stands behind `skip` octets of it (MX:
// 2).
[[nodiscard]] std::optional<Name> name_in(const Record& record, std::size_t skip = 0);

}  // namespace probes::dns
