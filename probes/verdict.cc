#include "probes/verdict.h"

#include <utility>

#include "probes/catalogue.h"

namespace probes {
namespace {

constexpr std::array<std::pair<Verdict, std::string_view>, 13> kVerdicts{{
    {Verdict::authenticated, "authenticated"},
    {Verdict::host_authenticated, "host-authenticated"},
    {Verdict::encrypted, "encrypted"},
    {Verdict::opportunistic, "opportunistic"},
    {Verdict::cleartext, "cleartext"},
    {Verdict::refused, "refused"},
    {Verdict::lookup_failed, "lookup-failed"},
    {Verdict::down, "down"},
    {Verdict::no_address, "no-address"},
    {Verdict::unknown, "unknown"},
    {Verdict::deferred, "deferred"},
    {Verdict::bounced, "bounced"},
    {Verdict::no_mail, "no-mail"},
}};

constexpr std::array<std::pair<Severity, std::string_view>, 5> kSeverities{{
    {Severity::info, "info"},
    {Severity::low, "low"},
    {Severity::medium, "medium"},
    {Severity::high, "high"},
    {Severity::critical, "critical"},
}};

constexpr std::array<std::pair<Subject::Kind, std::string_view>, 5> kKinds{{
    {Subject::Kind::domain, "domain"},
    {Subject::Kind::host, "host"},
    {Subject::Kind::owner, "owner"},
    {Subject::Kind::zone, "zone"},
    {Subject::Kind::monitor, "monitor"},
}};

template <class Table, class Value>
std::string_view name_in(const Table& table, Value value) {
  for (const auto& [entry, name] : table) {
    if (entry == value) return name;
  }
  return "";
}

template <class Table>
auto value_in(const Table& table, std::string_view name)
    -> std::optional<decltype(table[0].first)> {
  for (const auto& [entry, text] : table) {
    if (text == name) return entry;
  }
  return std::nullopt;
}

}  // namespace

const std::array<Code, kCodeCount>& all_codes() {
  static const auto codes = [] {
    std::array<Code, kCodeCount> out{};
    for (std::size_t i = 0; i < kCodeCount; ++i) out[i] = catalogue()[i].code;
    return out;
  }();
  return codes;
}

std::string_view wire_name(Verdict verdict) {
  return name_in(kVerdicts, verdict);
}
std::string_view wire_name(Severity severity) {
  return name_in(kSeverities, severity);
}
std::string_view wire_name(Code code) {
  return row_of(code).name;
}
std::string_view wire_name(Subject::Kind kind) {
  return name_in(kKinds, kind);
}
std::optional<Verdict> verdict_from(std::string_view name) {
  return value_in(kVerdicts, name);
}
std::optional<Severity> severity_from(std::string_view name) {
  return value_in(kSeverities, name);
}
std::optional<Code> code_from(std::string_view name) {
  for (const auto& row : catalogue()) {
    if (row.name == name) return row.code;
  }
  return std::nullopt;
}
std::optional<Subject::Kind> subject_kind_from(std::string_view name) {
  return value_in(kKinds, name);
}

bool is_deliverable(Verdict verdict) {
  switch (verdict) {
    case Verdict::authenticated:
    case Verdict::host_authenticated:
    case Verdict::encrypted:
    case Verdict::opportunistic:
    case Verdict::cleartext:
      return true;
    case Verdict::refused:
    case Verdict::lookup_failed:
    case Verdict::down:
    case Verdict::no_address:
    case Verdict::unknown:
    case Verdict::deferred:
    case Verdict::bounced:
    case Verdict::no_mail:
      return false;
  }
  return false;
}

int openness(Verdict verdict) {
  switch (verdict) {
    case Verdict::cleartext:
      return 6;
    case Verdict::opportunistic:
      return 5;
    case Verdict::encrypted:
      return 4;
    case Verdict::host_authenticated:
      return 3;
    case Verdict::authenticated:
      return 2;
    case Verdict::unknown:
      return 1;
    case Verdict::refused:
    case Verdict::lookup_failed:
    case Verdict::down:
    case Verdict::no_address:
    case Verdict::deferred:
    case Verdict::bounced:
    case Verdict::no_mail:
      return 0;
  }
  return 0;
}

}  // namespace probes
