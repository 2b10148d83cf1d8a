#pragma once

#include <array>
#include <bit>
#include <chrono>
#include <concepts>
#include <cstdint>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

#include "config/boxed.h"
#include "config/rare.h"
#include "config/text_lines.h"
#include "probes/codec/fields.h"

// PURE
// Structs in few octets, for this program's own memory: by their fields' places, a bit for each
// that says whether there is anything, and a name by one that was there before.
// (recorded.h has the form that travels.) Certificates are named by number: who packs keeps them.
namespace probes::codec {

// Whether two bits say all of it: that it is there, or that it is not.
template <class T>
concept Flag = std::same_as<T, bool>;

struct Count {
  std::size_t fields = 0;
  template <class T>
  Count& operator()(const char* /*name*/, const T& /*value*/) {
    ++fields;
    return *this;
  }
};

// Octets for the bits of its fields.
template <class T>
std::size_t octets_for() {
  static const std::size_t out = [] {
    Count count;
    const T nothing{};
    fields(count, nothing);
    return (count.fields + 7) / 8;
  }();
  return out;
}

// How a name is given: whole, by its first label and the number of one that differs only in that,
// or, if it was there before, by its own number.
inline constexpr std::uint64_t kWhole = 0, kSibling = 1, kNewNames = 2;
// Of a name in wire form.
inline std::string_view above_first_label(std::string_view wire) {
  return wire.size() <= 1 ? std::string_view()
                          : wire.substr(1 + static_cast<std::uint8_t>(wire.front()));
}

class Packer {
 public:
  template <class T>
  void put(const T& value) {
    if constexpr (HasFields<const T>) {
      put_fields(value);
    } else if constexpr (std::is_enum_v<T>) {
      number(static_cast<std::uint64_t>(value));
    } else {
      put_value(value);
    }
  }
  [[nodiscard]] const dns::Bytes& octets() const { return out_; }
  [[nodiscard]] const std::vector<tls::CertificatePtr>& certificates() const {
    return certificates_;
  }

 private:
  struct Fields {
    Packer& packer;
    std::size_t bits;  // where they stand
    std::size_t place = 0;

    template <class T>
    Fields& operator()(const char* /*name*/, const T& value) {
      const auto bit = place++;
      if (is_nothing(value)) return *this;
      packer.out_[bits + bit / 8] |= static_cast<std::uint8_t>(1U << bit % 8);
      if constexpr (!Flag<T>) packer.put(value);
      return *this;
    }
  };

  template <class T>
  void put_fields(const T& value) {
    Fields each{.packer = *this, .bits = out_.size()};
    out_.resize(out_.size() + octets_for<T>());
    fields(each, value);
  }

  template <class T>
  static bool is_nothing(const T& value) {
    if constexpr (HasFields<const T>) {
      return false;  // its own bits say it
    } else if constexpr (std::same_as<T, dns::Name>) {
      return value.is_root();
    } else if constexpr (requires { value.is_set(); }) {
      return !value.is_set();
    } else if constexpr (requires { value.empty(); }) {
      return value.empty();
    } else if constexpr (
        requires { value.has_value(); } || requires { value.get(); }) {
      return !value;
    } else {
      return value == T{};
    }
  }

  void number(std::uint64_t value) {
    for (; value >= 0x80; value >>= 7) out_.push_back(static_cast<std::uint8_t>(value | 0x80));
    out_.push_back(static_cast<std::uint8_t>(value));
  }
  void run(std::string_view octets) {
    number(octets.size());
    out_.insert(out_.end(), octets.begin(), octets.end());
  }

  template <std::integral T>
  void put_value(T value) {
    if constexpr (std::is_signed_v<T>) {
      const auto wide = static_cast<std::int64_t>(value);
      number((static_cast<std::uint64_t>(wide) << 1) ^ static_cast<std::uint64_t>(wide >> 63));
    } else {
      number(value);
    }
  }
  template <class R, class P>
  void put_value(std::chrono::duration<R, P> value) {
    put_value(static_cast<std::int64_t>(value.count()));
  }
  void put_value(config::Time value) { put_value(value.time_since_epoch()); }
  void put_value(const std::string& value) { run(value); }
  void put_value(const config::TextLines& value) { run(value.text()); }
  void put_value(const dns::Bytes& value) {
    number(value.size());
    out_.insert(out_.end(), value.begin(), value.end());
  }
  void put_value(const dns::Name& value) {
    const auto wire = value.wire();
    const auto above = above_first_label(wire);
    std::optional<std::size_t> sibling;
    for (std::size_t i = 0; i < names_.size(); ++i) {
      const auto known = names_[i].wire();
      if (known == wire) return number(i + kNewNames);
      if (above_first_label(known) == above) sibling = i;
    }
    names_.push_back(value);
    number(sibling ? kSibling : kWhole);
    if (sibling) number(*sibling);
    run(sibling ? wire.substr(0, wire.size() - above.size()) : wire);
  }
  void put_value(const tls::CertificatePtr& value) {
    number(certificates_.size());
    certificates_.push_back(value);
  }
  void put_value(const dns::KeySetsPtr& value) { put(*value); }
  template <class T>
  void put_value(const std::optional<T>& value) {
    put(*value);
  }
  template <class T>
  void put_value(const config::Boxed<T>& value) {
    put(*value);
  }
  template <class T>
  void put_value(const config::Rare<T>& value) {
    put(*value);
  }
  template <class T, std::size_t N>
  void put_value(const std::array<T, N>& value) {
    for (const auto& one : value) put(one);
  }
  template <class T>
  void put_value(const std::vector<T>& value) {
    put_all(value);
  }
  template <class T>
  void put_value(const std::set<T>& value) {
    put_all(value);
  }
  template <class Those>
  void put_all(const Those& those) {
    number(those.size());
    for (const auto& one : those) put(one);
  }

  dns::Bytes out_;
  std::vector<dns::Name> names_;
  std::vector<tls::CertificatePtr> certificates_;
};

// Octets of a Packer back into what it was given.
class Unpacker {
 public:
  // Those of the same packer.
  Unpacker(const std::uint8_t* octets, const std::vector<tls::CertificatePtr>& certificates)
      : at_(octets), certificates_(certificates) {}

  template <class T>
  void take(T& into) {
    if constexpr (HasFields<T>) {
      take_fields(into);
    } else if constexpr (std::is_enum_v<T>) {
      into = static_cast<T>(number());
    } else {
      take_value(into);
    }
  }

 private:
  struct Fields {
    Unpacker& unpacker;
    const std::uint8_t* bits;
    std::size_t place = 0;

    template <class T>
    Fields& operator()(const char* /*name*/, T& into) {
      const auto bit = place++;
      const bool is_there = (bits[bit / 8] >> bit % 8 & 1) != 0;
      if constexpr (Flag<T>) {
        into = is_there;
      } else if constexpr (HasFields<T>) {
        unpacker.take(into);
      } else if (is_there) {
        unpacker.take(into);
      } else {
        into = T{};
      }
      return *this;
    }
  };

  template <class T>
  void take_fields(T& into) {
    Fields each{.unpacker = *this, .bits = at_};
    at_ += octets_for<T>();
    fields(each, into);
  }

  std::uint64_t number() {
    std::uint64_t out = 0;
    for (unsigned shift = 0;; shift += 7) {
      const auto octet = *at_++;
      out |= std::uint64_t{octet & 0x7FU} << shift;
      if (octet < 0x80) return out;
    }
  }
  std::string_view run() {
    const auto size = number();
    const auto* begin = reinterpret_cast<const char*>(at_);
    at_ += size;
    return {begin, size};
  }

  template <std::integral T>
  void take_value(T& into) {
    const auto value = number();
    if constexpr (std::is_signed_v<T>) {
      into = static_cast<T>(static_cast<std::int64_t>(value >> 1) ^
                            -static_cast<std::int64_t>(value & 1));
    } else {
      into = static_cast<T>(value);
    }
  }
  template <class R, class P>
  void take_value(std::chrono::duration<R, P>& into) {
    std::int64_t count = 0;
    take_value(count);
    into = std::chrono::duration<R, P>{count};
  }
  void take_value(config::Time& into) {
    config::Time::duration since{};
    take_value(since);
    into = config::Time{since};
  }
  void take_value(std::string& into) { into = run(); }
  void take_value(config::TextLines& into) { into = config::TextLines::of(run()); }
  void take_value(dns::Bytes& into) {
    const auto octets = run();
    into.assign(octets.begin(), octets.end());
  }
  void take_value(dns::Name& into) {
    const auto how = number();
    if (how >= kNewNames) {
      into = names_[how - kNewNames];
      return;
    }
    const auto above =
        how == kSibling ? above_first_label(names_[number()].wire()) : std::string_view();
    std::string wire{run()};
    wire += above;
    into = *dns::Name::from_wire({reinterpret_cast<const std::uint8_t*>(wire.data()), wire.size()});
    names_.push_back(into);
  }
  void take_value(tls::CertificatePtr& into) { into = certificates_[number()]; }
  void take_value(dns::KeySetsPtr& into) {
    auto sets = std::make_shared<dns::KeySets>();
    take(*sets);
    into = std::move(sets);
  }
  template <class T>
  void take_value(std::optional<T>& into) {
    take(into.emplace());
  }
  template <class T>
  void take_value(config::Boxed<T>& into) {
    T value;
    take(value);
    into = std::move(value);
  }
  template <class T>
  void take_value(config::Rare<T>& into) {
    take(into.change());
  }
  template <class T, std::size_t N>
  void take_value(std::array<T, N>& into) {
    for (auto& one : into) take(one);
  }
  template <class T>
  void take_value(std::vector<T>& into) {
    into.resize(number());
    for (auto& one : into) take(one);
  }
  template <class T>
  void take_value(std::set<T>& into) {
    for (auto left = number(); left > 0; --left) {
      T one;
      take(one);
      into.insert(into.end(), std::move(one));
    }
  }

  const std::uint8_t* at_;
  const std::vector<tls::CertificatePtr>& certificates_;
  std::vector<dns::Name> names_;
};

}  // namespace probes::codec
