#pragma once

#include <cstdint>
#include <span>
#include <string>

#include <nlohmann/json.hpp>

#include "config/result.h"
#include "probes/dns/message.h"

// PURE
// The common model of both forms of an encoding: JSON values, and octets besides.
namespace probes::codec {

using Value = nlohmann::ordered_json;  // octets are its binary type

[[nodiscard]] dns::Bytes to_cbor(const Value& value);
[[nodiscard]] std::string to_json_text(const Value& value);

inline constexpr std::size_t kMaxDepth = 16;
inline constexpr std::size_t kMostItems = 5000;  // of one list
inline constexpr std::size_t kMostKeys = 200;    // of one map
// In memory a value takes more than it may take as octets: so many octets are allowed for each.
inline constexpr std::size_t kOctetsAValue = 40;

// Reads CBOR or JSON (which begins with "{", after white space and a byte order mark), at most
// `most` octets and `most` / kOctetsAValue values. Of CBOR only what to_cbor() writes: no
// indefinite lengths, no tags, no floats, text keys. Whatever exceeds a bound is refused before it
// is built, in time that grows with the octets only.
[[nodiscard]] config::Result<Value, std::string> read_value(std::span<const std::uint8_t> octets,
                                                            std::size_t most);

// The octets of a binary value or of its JSON form {"hex":"…"}; nothing when it is neither.
[[nodiscard]] std::optional<dns::Bytes> octets_of(const Value& value);
[[nodiscard]] Value octets(std::span<const std::uint8_t> those);
// Text, or octets when it is not UTF-8.
[[nodiscard]] Value text(const std::string& that);

}  // namespace probes::codec
