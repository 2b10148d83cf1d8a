#include "probes/codec/bundle.h"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "probes/codec/reader.h"
#include "probes/codec/recorded_value.h"
#include "probes/codec/value.h"

namespace probes {
namespace {

using codec::Reader;
using codec::Value;
using config::Failure;
using config::Result;

// A zone's trouble may hit any number of domains, and they are no part of the proof.
void shorten_lists(Value& value) {
  constexpr std::size_t kMost = 100;
  if (value.is_array() && value.size() > kMost) value.erase(value.begin() + kMost, value.end());
  if (value.is_structured()) std::ranges::for_each(value, shorten_lists);
}

Value value_of(const std::string& alert, const std::vector<dns::Bytes>& observations) {
  auto about = Value::parse(alert, nullptr, false);
  shorten_lists(about);
  Value out{{"schema", kEvidenceSchema},
            {"alert", about.is_discarded() ? Value::object() : std::move(about)}};
  auto all = Value::array();
  for (const auto& one : observations) {
    if (auto value = codec::read_value(one, kMaxRecorded)) all.push_back(std::move(*value));
  }
  out["observations"] = std::move(all);
  return out;
}

// Fields that are not needed are passed over.
void read_about(Reader& reader, const Value& value, Bundle& into) {
  reader.read_field(value, "id", into.alert_id);
  reader.read_field(value, "code", into.code);
  reader.read_field(value, "title", into.title);
  const auto subject = value.find("subject");
  if (subject == value.end() || !subject->is_object())
    reader.refuse("has an alert without subject");
  reader.read_field(*subject, "kind", into.subject.kind);
  reader.read_field(*subject, "name", into.subject.name);
}

}  // namespace

dns::Bytes encode_bundle(const std::string& alert, const std::vector<dns::Bytes>& observations) {
  return codec::to_cbor(value_of(alert, observations));
}

std::string encode_bundle_json(const std::string& alert,
                               const std::vector<dns::Bytes>& observations) {
  return codec::to_json_text(value_of(alert, observations));
}

Result<Bundle, std::string> decode_bundle(std::span<const std::uint8_t> octets) {
  const auto value = codec::read_value(octets, kMaxBundle);
  if (!value) return Failure<std::string>(value.error());
  Bundle out;
  std::string place;  // in the bundle; nothing: of itself
  try {
    const std::map<dns::Bytes, tls::CertificatePtr> none;
    Reader reader(none);
    if (!value->is_object()) reader.refuse("is no map");
    std::string schema;
    reader.read_field(*value, "schema", schema);
    if (schema == kObservationSchema) {
      out.observations.push_back(codec::recorded_from(*value));
      return out;
    }
    if (schema != kEvidenceSchema)
      reader.refuse(fmt::format("is neither {} nor {}; perhaps a newer danelaw made it",
                                kEvidenceSchema, kObservationSchema));
    const auto alert = value->find("alert");
    if (alert == value->end() || !alert->is_object()) reader.refuse("names no alert");
    read_about(reader, *alert, out);
    const auto all = value->find("observations");
    if (all == value->end() || !all->is_array() || all->size() > codec::kMostItems)
      reader.refuse("has no list of observations");
    for (std::size_t i = 0; i < all->size(); ++i) {
      place = fmt::format("observations[{}]", i);
      out.observations.push_back(codec::recorded_from((*all)[i]));
    }
  } catch (const codec::Unreadable& why) {
    return Failure<std::string>(place.empty() ? std::string(why.what())
                                              : fmt::format("{}: {}", place, why.what()));
  }
  return out;
}

}  // namespace probes
