#pragma once

#include <array>
#include <chrono>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "config/boxed.h"
#include "config/rare.h"
#include "config/text_lines.h"
#include "probes/codec/fields.h"
#include "probes/codec/value.h"

// PURE
// Values back into structs: whatever the value is.
namespace probes::codec {

// Thrown and caught within the codec.
struct Unreadable : std::runtime_error {
  using std::runtime_error::runtime_error;
};

// So that times can be added and written: the end of the year 9999, and the longest TTL there is.
inline constexpr std::int64_t kLatest = 253'402'300'799;
inline constexpr config::Seconds kLongest{std::int64_t{1} << 32U};

class Reader {
 public:
  // `certificates`: those that may be named by the SHA2-256 of their DER.
  explicit Reader(const std::map<dns::Bytes, tls::CertificatePtr>& certificates)
      : certificates_(certificates) {}

  template <class T>
  void read(const Value& value, T& into) {
    if constexpr (HasFields<T>) {
      if (!value.is_object()) refuse("is no map");
      Fields each{.reader = *this, .from = value};
      fields(each, into);
    } else if constexpr (std::is_enum_v<T>) {
      into = word<T>(value);
    } else {
      take(value, into);
    }
  }

  // The field of a map, when it is there.
  template <class T>
  void read_field(const Value& map, const char* name, T& into) {
    const auto found = map.find(name);
    if (found == map.end()) return;
    const auto before = path_.size();
    if (!path_.empty()) path_ += '.';
    path_ += name;
    read(*found, into);
    path_.resize(before);
  }

  [[noreturn]] void refuse(std::string_view why) const {
    throw Unreadable(fmt::format("{}: {}", path_.empty() ? "the whole" : path_, why));
  }

 private:
  struct Fields {
    Reader& reader;
    const Value& from;
    template <class T>
    Fields& operator()(const char* name, T& into) {
      reader.read_field(from, name, into);
      return *this;
    }
  };

  template <class T>
  T word(const Value& value) {
    if (!value.is_string()) refuse("is no word");
    const auto& text = value.get_ref<const std::string&>();
    for (int i = 0;; ++i) {
      const auto name = wire_name(static_cast<T>(i));
      if (name == text) return static_cast<T>(i);
      if (name.empty()) refuse("is a word that is not known");
    }
  }

  template <std::integral T>
  void take(const Value& value, T& into) {
    if constexpr (std::same_as<T, bool>) {
      if (!value.is_boolean()) refuse("is neither true nor false");
      into = value.get<bool>();
    } else {
      if (!value.is_number_integer()) refuse("is no whole number");
      const bool fits = value.is_number_unsigned() ? std::in_range<T>(value.get<std::uint64_t>())
                                                   : std::in_range<T>(value.get<std::int64_t>());
      if (!fits) refuse("is out of range");
      into = value.get<T>();
    }
  }
  void take(const Value& value, std::string& into) {
    if (value.is_string()) {
      into = value.get<std::string>();
    } else if (const auto octets = octets_of(value)) {
      into.assign(octets->begin(), octets->end());
    } else {
      refuse("is no text");
    }
  }
  void take(const Value& value, config::TextLines& into) {
    into = {};
    each(value, [&](const Value& one) {
      std::string line;
      read(one, line);
      into.push_back(line);
    });
  }
  void take(const Value& value, dns::Bytes& into) {
    auto octets = octets_of(value);
    if (!octets) refuse("is no octets");
    into = std::move(*octets);
  }
  void take(const Value& value, dns::Name& into) {
    const auto name =
        value.is_string() ? dns::Name::parse(value.get_ref<const std::string&>()) : std::nullopt;
    if (!name) refuse("is no domain name");
    into = *name;
  }
  void take(const Value& value, config::Time& into) {
    std::int64_t seconds = 0;
    take(value, seconds);
    if (seconds < -kLatest || seconds > kLatest) refuse("is out of range");
    into = config::Time{config::Seconds{seconds}};
  }
  template <class R, class P>
  void take(const Value& value, std::chrono::duration<R, P>& into) {
    std::int64_t count = 0;
    take(value, count);
    into = std::chrono::duration<R, P>{count};
    if (count < 0 || std::chrono::duration_cast<config::Seconds>(into) > kLongest)
      refuse("is out of range");
  }
  void take(const Value& value, tls::CertificatePtr& into) {
    if (value.is_null()) {
      into = nullptr;
      return;
    }
    dns::Bytes sha256;
    take(value, sha256);
    const auto found = certificates_.find(sha256);
    if (found == certificates_.end()) refuse("names a certificate that is not there");
    into = found->second;
  }
  void take(const Value& value, dns::KeySetsPtr& into) {
    if (value.is_null()) {
      into = nullptr;
      return;
    }
    dns::KeySets sets;
    read(value, sets);
    into = std::make_shared<const dns::KeySets>(std::move(sets));
  }
  template <class T>
  void take(const Value& value, std::optional<T>& into) {
    into.reset();
    if (!value.is_null()) read(value, into.emplace());
  }
  template <class T>
  void take(const Value& value, config::Boxed<T>& into) {
    std::optional<T> read_value;
    take(value, read_value);
    into = std::move(read_value);
  }
  template <class T>
  void take(const Value& value, config::Rare<T>& into) {
    into = {};
    if (!value.is_null()) read(value, into.change());
  }
  template <class T>
  void take(const Value& value, std::vector<T>& into) {
    into.clear();
    each(value, [&](const Value& one) { read(one, into.emplace_back()); });
  }
  template <class T, std::size_t N>
  void take(const Value& value, std::array<T, N>& into) {
    if (!value.is_array() || value.size() != N) refuse(fmt::format("is no list of {}", N));
    std::size_t place = 0;
    each(value, [&](const Value& one) { read(one, into[place++]); });
  }
  template <class T>
  void take(const Value& value, std::set<T>& into) {
    into.clear();
    each(value, [&](const Value& one) {
      T item;
      read(one, item);
      into.insert(std::move(item));
    });
  }
  template <class Do>
  void each(const Value& value, const Do& act) {
    if (!value.is_array()) refuse("is no list");
    if (value.size() > kMostItems) refuse("is too long");
    const auto before = path_.size();
    for (std::size_t i = 0; i < value.size(); ++i) {
      path_ += fmt::format("[{}]", i);
      if (value[i].is_null()) refuse("is nothing");
      act(value[i]);
      path_.resize(before);
    }
  }

  const std::map<dns::Bytes, tls::CertificatePtr>& certificates_;
  std::string path_;
};

}  // namespace probes::codec
