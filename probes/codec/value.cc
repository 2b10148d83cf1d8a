#include "probes/codec/value.h"

#include <optional>
#include <string_view>
#include <vector>

#include "probes/dane/tlsa.h"

namespace probes::codec {
namespace {

using config::Failure;
using config::Result;

constexpr std::string_view kTooMany = "has more in it than is read";

// Walks CBOR without building anything, so that what is built afterwards is bounded: RFC 8949 §3.
class Scan {
 public:
  // `most`: values, keys among them.
  Scan(std::span<const std::uint8_t> octets, std::size_t most) : octets_(octets), left_(most) {}

  // Why it is not read; nothing when it may be.
  std::optional<std::string> fault() {
    std::vector<std::uint64_t> open{1};  // items to come at each level
    while (!open.empty()) {
      if (open.back() == 0) {
        open.pop_back();
        continue;
      }
      --open.back();
      if (at_ == octets_.size()) return "ends too soon";
      const auto first = octets_[at_++];
      const auto major = static_cast<unsigned>(first) >> 5U;
      const auto argument = read_argument(first & 0x1FU, major);
      if (!argument) return "is not of the plain kind of CBOR that is read here";
      if (major == 2 || major == 3) {
        if (*argument > octets_.size() - at_) return "ends too soon";
        at_ += static_cast<std::size_t>(*argument);
      } else if (major == 4 || major == 5) {
        // Every item takes an octet at least.
        if (*argument > octets_.size() - at_) return "ends too soon";
        if (open.size() > kMaxDepth) return "is nested too deeply";
        if (*argument > (major == 4 ? kMostItems : kMostKeys)) return std::string(kTooMany);
        open.push_back(major == 4 ? *argument : 2 * *argument);
        if (open.back() > left_) return std::string(kTooMany);
        left_ -= open.back();
      }
    }
    if (at_ != octets_.size()) return "has something behind its end";
    return std::nullopt;
  }

 private:
  std::optional<std::uint64_t> read_argument(unsigned low, unsigned major) {
    constexpr unsigned kFalse = 20, kTrue = 21, kNull = 22;
    if (major == 6) return std::nullopt;  // tags
    if (major == 7)
      return low == kFalse || low == kTrue || low == kNull ? std::optional<std::uint64_t>{0}
                                                           : std::nullopt;
    if (low < 24) return low;
    if (low > 27) return std::nullopt;
    const auto size = std::size_t{1} << (low - 24);
    if (size > octets_.size() - at_) return std::nullopt;
    std::uint64_t value = 0;
    for (std::size_t i = 0; i < size; ++i) value = value << 8U | octets_[at_++];
    return value;
  }

  std::span<const std::uint8_t> octets_;
  std::uint64_t left_;
  std::size_t at_ = 0;
};

// The same for JSON: why it is not read. Whether it is JSON is for who builds it.
std::optional<std::string> fault_of_json(std::span<const std::uint8_t> json, std::size_t most) {
  struct Level {
    std::size_t most = 0, items = 1;
  };
  std::vector<Level> open{{.most = 1}};
  std::size_t values = 0;
  bool is_text = false, is_escaped = false;
  for (const auto c : json) {
    if (is_escaped) {
      is_escaped = false;
    } else if (is_text) {
      is_escaped = c == '\\';
      if (c == '"') is_text = false;
    } else if (c == '"') {
      is_text = true;
    } else if (c == '{' || c == '[') {
      if (open.size() > kMaxDepth) return "is nested too deeply";
      open.push_back({.most = c == '{' ? kMostKeys : kMostItems});
      ++values;
    } else if ((c == '}' || c == ']') && open.size() > 1) {
      open.pop_back();
    } else if (c == ',') {
      ++values;
      if (++open.back().items > open.back().most) return std::string(kTooMany);
    }
    if (values > most) return std::string(kTooMany);
  }
  return std::nullopt;
}

bool begins_as_json(std::span<const std::uint8_t> octets) {
  std::string_view text(reinterpret_cast<const char*>(octets.data()), octets.size());
  if (constexpr std::string_view mark = "\xEF\xBB\xBF"; text.starts_with(mark))
    text.remove_prefix(mark.size());
  const auto first = text.find_first_not_of(" \t\r\n");
  return first != std::string_view::npos && text[first] == '{';
}

bool is_utf8(const std::string& text) {
  try {
    (void)Value(text).dump();
    return true;
  } catch (const Value::type_error&) {
    return false;
  }
}

// A copy without the binary type, which JSON does not have.
Value without_binary(const Value& value) {
  if (value.is_binary()) return {{"hex", dane::to_hex(value.get_binary())}};
  if (value.is_array()) {
    auto out = Value::array();
    for (const auto& one : value) out.push_back(without_binary(one));
    return out;
  }
  if (!value.is_object()) return value;
  auto out = Value::object();
  for (const auto& [key, one] : value.items()) out[key] = without_binary(one);
  return out;
}

}  // namespace

dns::Bytes to_cbor(const Value& value) {
  return Value::to_cbor(value);
}

std::string to_json_text(const Value& value) {
  return without_binary(value).dump();
}

Result<Value, std::string> read_value(std::span<const std::uint8_t> octets, std::size_t most) {
  if (octets.size() > most) return Failure<std::string>("is too large");
  const bool is_json = begins_as_json(octets);
  const auto most_values = most / kOctetsAValue;
  if (auto fault = is_json ? fault_of_json(octets, most_values) : Scan(octets, most_values).fault())
    return Failure<std::string>(std::move(*fault));
  auto value = is_json ? Value::parse(octets.begin(), octets.end(), nullptr, false)
                       : Value::from_cbor(octets.begin(), octets.end(), true, false);
  if (value.is_discarded()) return Failure<std::string>("is neither CBOR nor JSON");
  return value;
}

std::optional<dns::Bytes> octets_of(const Value& value) {
  if (value.is_binary()) return dns::Bytes(value.get_binary());
  if (!value.is_object() || value.size() != 1 || !value.contains("hex")) return std::nullopt;
  const auto& hex = value["hex"];
  return hex.is_string() ? dane::from_hex(hex.get_ref<const std::string&>()) : std::nullopt;
}

Value octets(std::span<const std::uint8_t> those) {
  return Value::binary(dns::Bytes(those.begin(), those.end()));
}

Value text(const std::string& that) {
  if (is_utf8(that)) return that;
  return octets({reinterpret_cast<const std::uint8_t*>(that.data()), that.size()});
}

}  // namespace probes::codec
