#include "probes/codec/recorded.h"

#include <algorithm>
#include <memory>
#include <utility>

#include <fmt/format.h>

#include "probes/codec/reader.h"
#include "probes/codec/recorded_value.h"
#include "probes/codec/value.h"
#include "probes/codec/writer.h"
#include "probes/dns/server_address.h"
#include "probes/resolver_faults.h"

namespace probes {
namespace {

using codec::Reader;
using codec::Value;
using codec::Writer;
using config::Failure;
using config::Result;

Value value_of(const dns::Message& reply) {
  Writer writer;
  // Uncompressed, as RFC 1035 §4 has it: question, answer and authority. Flags and the extended
  // code stand beside it, for they are not the sender's as it is written here.
  const auto wire = dns::write_message(reply);
  Value out{{"wire", codec::octets(wire.value_or(dns::Bytes{}))},
            {"rcode", reply.rcode},
            {"server", codec::text(reply.server)}};
  if (reply.authoritative) out["authoritative"] = true;
  if (reply.truncated) out["truncated"] = true;
  if (reply.authentic_data) out["authentic_data"] = true;
  if (reply.came_over_tcp) out["came_over_tcp"] = true;
  if (reply.was_unchecked) out["was_unchecked"] = true;
  if (!reply.extended_errors.empty()) out["extended_errors"] = writer.write(reply.extended_errors);
  return out;
}

dns::ReplyPtr reply_from(Reader& reader, const Value& value) {
  dns::Bytes wire;
  reader.read_field(value, "wire", wire);
  auto message = dns::read_message(wire);
  if (!message) reader.refuse(fmt::format("a reply that cannot be read: {}", message.error()));
  message->authoritative = false;
  message->glue.clear();
  reader.read_field(value, "rcode", message->rcode);
  reader.read_field(value, "server", message->server);
  reader.read_field(value, "authoritative", message->authoritative);
  reader.read_field(value, "truncated", message->truncated);
  reader.read_field(value, "authentic_data", message->authentic_data);
  reader.read_field(value, "came_over_tcp", message->came_over_tcp);
  reader.read_field(value, "was_unchecked", message->was_unchecked);
  reader.read_field(value, "extended_errors", message->extended_errors);
  return std::make_shared<const dns::Message>(std::move(*message));
}

Value value_of(const Recorded& recorded) {
  Writer writer;
  Value out{{"schema", kObservationSchema},
            {"port", recorded.port},
            {"agent", codec::text(recorded.agent)},
            {"vantage", codec::text(recorded.vantage)},
            {"version", codec::text(recorded.version)}};
  if (recorded.domain) out["domain"] = writer.write(*recorded.domain);
  if (recorded.host) out["host"] = writer.write(*recorded.host);
  auto certificates = Value::array();
  for (const auto& [sha256, certificate] : writer.certificates())
    certificates.push_back(codec::octets(certificate->der));
  out["certificates"] = std::move(certificates);
  auto replies = Value::array();
  for (const auto& reply : recorded.replies) replies.push_back(value_of(*reply));
  out["replies"] = std::move(replies);
  return out;
}

template <class T>
std::shared_ptr<const T> seen_from(Reader& reader, const Value& value, const char* name) {
  if (!value.contains(name)) return nullptr;
  auto seen = std::make_shared<T>();
  reader.read_field(value, name, *seen);
  return seen;
}

template <class Seen>
dns::Replies take(Seen& seen) {
  dns::Replies out;
  for (const auto* answer : answers_of(seen)) {
    if (!answer->replies) continue;
    std::ranges::copy_if(*answer->replies, std::back_inserter(out), [&](const auto& reply) {
      return std::ranges::find(out, reply) == out.end();
    });
  }
  return out;
}

// Where an address stands there is nothing else: it is shown, told to others and gone by.
void demand_address(const Reader& reader, std::string_view place, const std::string& text) {
  if (!dns::is_address(text)) reader.refuse(fmt::format("has {} that is no address", place));
}

void demand_addresses(const Reader& reader, const dns::Survey& survey) {
  for (const auto& answer : survey.answers)
    demand_address(reader, "a name server", answer.server.address);
  for (const auto& server : survey.silent_on_tcp)
    demand_address(reader, "a name server", server.address);
}

void demand_addresses(const Reader& reader, const DomainObservation& seen) {
  demand_addresses(reader, seen.survey);
  // The one that took the connection, if one did.
  const auto& fetched = seen.sts->fetched;
  if (fetched && !fetched->address.empty())
    demand_address(reader, "a policy host", fetched->address);
}

void demand_addresses(const Reader& reader, const HostObservation& seen) {
  demand_addresses(reader, seen.survey);
  for (const auto& address : seen.addresses) demand_address(reader, "an address", address);
  for (const auto& session : seen.sessions) demand_address(reader, "a session", session.address);
}

// Whoever judges sessions goes by that.
void demand_tls(const Reader& reader, const HostObservation& seen) {
  for (const auto& session : seen.sessions) {
    if (session.stage > smtp::Stage::handshake && !session.tls)
      reader.refuse("has a session that went on after a handshake which is not there");
  }
}

void drop(dns::Answer& answer) {
  answer.replies = nullptr;
}

}  // namespace

Recorded codec::recorded_from(const Value& value) {
  std::map<dns::Bytes, tls::CertificatePtr> certificates;
  Reader reader(certificates);
  if (!value.is_object()) reader.refuse("is no map");
  std::string schema;
  reader.read_field(value, "schema", schema);
  if (schema != kObservationSchema)
    reader.refuse(fmt::format("is not {}; perhaps a newer danelaw made it", kObservationSchema));
  Recorded out;
  reader.read_field(value, "port", out.port);
  reader.read_field(value, "agent", out.agent);
  reader.read_field(value, "vantage", out.vantage);
  reader.read_field(value, "version", out.version);
  std::vector<dns::Bytes> ders;
  reader.read_field(value, "certificates", ders);
  for (const auto& der : ders) {
    auto certificate = tls::parse_certificate(der);
    if (!certificate) reader.refuse("has a certificate that is none");
    certificates.emplace(certificate->sha256, certificate);
  }
  out.domain = seen_from<DomainObservation>(reader, value, "domain");
  out.host = seen_from<HostObservation>(reader, value, "host");
  if ((out.domain == nullptr) == (out.host == nullptr))
    reader.refuse("is neither of a domain nor of a host");
  if (out.domain) demand_addresses(reader, *out.domain);
  if (out.host) {
    demand_addresses(reader, *out.host);
    demand_tls(reader, *out.host);
  }
  const auto replies = value.find("replies");
  if (replies != value.end()) {
    if (!replies->is_array() || replies->size() > codec::kMostItems)
      reader.refuse("has replies that are no list");
    for (const auto& reply : *replies) out.replies.push_back(reply_from(reader, reply));
  }
  return out;
}

dns::Bytes encode(const Recorded& recorded) {
  return codec::to_cbor(value_of(recorded));
}

std::string encode_json(const Recorded& recorded) {
  return codec::to_json_text(value_of(recorded));
}

Result<Recorded, std::string> decode(std::span<const std::uint8_t> octets) {
  const auto value = codec::read_value(octets, kMaxRecorded);
  if (!value) return Failure<std::string>(value.error());
  try {
    return codec::recorded_from(*value);
  } catch (const codec::Unreadable& why) {
    return Failure<std::string>(why.what());
  }
}

bool is_same(const Recorded& a, const Recorded& b) {
  return value_of(a) == value_of(b);
}

dns::Replies take_replies(DomainObservation& seen) {
  auto out = take(seen);
  drop(seen.mx);
  if (seen.misplaced.is_set()) drop(seen.misplaced.change());
  if (seen.sts.is_set()) {
    drop(seen.sts.change().sts_txt);
    drop(seen.sts.change().tlsrpt_txt);
  }
  return out;
}

dns::Replies take_replies(HostObservation& seen) {
  auto out = take(seen);
  for (auto* answer : {&seen.a, &seen.aaaa, &seen.tlsa}) drop(*answer);
  if (seen.cname.is_set()) drop(seen.cname.change());
  std::ranges::for_each(seen.misplaced, drop);
  return out;
}

}  // namespace probes
