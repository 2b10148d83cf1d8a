#pragma once

#include <array>
#include <chrono>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "config/boxed.h"
#include "config/rare.h"
#include "config/text_lines.h"
#include "probes/codec/fields.h"
#include "probes/codec/value.h"

// PURE
// Structs as values, by their fields. A field that has its default is left out.
namespace probes::codec {

class Writer {
 public:
  template <class T>
  [[nodiscard]] Value write(const T& value) {
    if constexpr (HasFields<const T>) {
      return of_fields(value);
    } else if constexpr (std::is_enum_v<T>) {
      return std::string(wire_name(value));
    } else {
      return of(value);
    }
  }

  // Every certificate that was written, by the SHA2-256 that stands for it.
  [[nodiscard]] const std::map<dns::Bytes, tls::CertificatePtr>& certificates() const {
    return certificates_;
  }

 private:
  // The fields of a struct, each as it is where it differs from `defaults`; all without.
  struct Fields {
    Writer& writer;
    const std::vector<Value>* defaults;
    Value out = Value::object();
    std::vector<Value> all = {};
    std::size_t place = 0;

    template <class T>
    Fields& operator()(const char* name, const T& value) {
      auto written = writer.write(value);
      if (defaults == nullptr)
        all.push_back(std::move(written));
      else if (written != (*defaults)[place++])
        out[name] = std::move(written);
      return *this;
    }
  };

  template <class T>
  Value of_fields(const T& value) {
    static const std::vector<Value> defaults = [] {
      Writer writer;
      Fields each{.writer = writer, .defaults = nullptr};
      const T nothing{};
      fields(each, nothing);
      return each.all;
    }();
    Fields each{.writer = *this, .defaults = &defaults};
    fields(each, value);
    return std::move(each.out);
  }

  template <std::integral T>
  Value of(T value) {
    return value;
  }
  Value of(const std::string& value) { return text(value); }
  Value of(const config::TextLines& value) {
    auto out = Value::array();
    for (const auto line : value) out.push_back(text(std::string(line)));
    return out;
  }
  Value of(const dns::Bytes& value) { return octets(value); }
  Value of(const dns::Name& value) { return value.text(); }
  Value of(config::Time value) { return value.time_since_epoch().count(); }
  template <class R, class P>
  Value of(std::chrono::duration<R, P> value) {
    return value.count();
  }
  Value of(const tls::CertificatePtr& value) {
    if (!value) return nullptr;
    certificates_.emplace(value->sha256, value);
    return octets(value->sha256);
  }
  Value of(const dns::KeySetsPtr& value) { return value ? write(*value) : Value(nullptr); }
  template <class T>
  Value of(const std::optional<T>& value) {
    return value ? write(*value) : Value(nullptr);
  }
  template <class T>
  Value of(const config::Boxed<T>& value) {
    return value ? write(*value) : Value(nullptr);
  }
  template <class T>
  Value of(const config::Rare<T>& value) {
    return value.is_set() ? write(*value) : Value(nullptr);
  }
  template <class T>
  Value of(const std::vector<T>& value) {
    return of_all(value);
  }
  template <class T, std::size_t N>
  Value of(const std::array<T, N>& value) {
    return of_all(value);
  }
  template <class T>
  Value of(const std::set<T>& value) {
    return of_all(value);
  }
  template <class Those>
  Value of_all(const Those& those) {
    auto out = Value::array();
    for (const auto& one : those) out.push_back(write(one));
    return out;
  }

  std::map<dns::Bytes, tls::CertificatePtr> certificates_;
};

}  // namespace probes::codec
