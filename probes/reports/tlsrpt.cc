#include "probes/reports/tlsrpt.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <map>
#include <optional>
#include <set>
#include <utility>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "config/bounded_json.h"
#include "config/moment.h"
#include "config/name.h"
#include "config/utf8.h"

namespace probes::reports {
namespace {

using Json = nlohmann::json;
using config::Failure;
using config::Result;
using config::Time;

// What is wrong with a report; caught where reading began.
struct Bad {
  std::string words;
};
// The same of a part, which is passed over.
struct BadPart : Bad {};

// RFC 8460 nests five deep; the rest is for fields that we pass over.
constexpr int kDeepest = 16;
// Eight of a failure, and as many that we pass over.
constexpr std::size_t kMostValues = 16 * kMostFailures;
constexpr std::size_t kMostKinds = 2000;      // of failures, of a report: a type at a host
constexpr std::size_t kMostAddresses = 1000;  // told apart, of one failure

Json parse(std::string_view text) {
  if (text.size() > kMostReport) throw Bad{"more octets than a report may have"};
  // Some write a byte order mark, which RFC 8259 §8.1 lets readers pass over.
  if (text.starts_with("\xEF\xBB\xBF")) text.remove_prefix(3);
  // A contact's name in Latin-1 says nothing against the counts.
  const auto mended = config::is_utf8(text) ? std::string() : config::as_utf8(text);
  auto json = config::parse_json(mended.empty() ? text : mended,
                                 {.depth = kDeepest, .values = kMostValues});
  if (!json) throw Bad{json.error()};
  // Some write a list of reports, of which each mail has one.
  if (json->is_array() && json->size() == 1) json = Json(std::move(json->front()));
  if (!json->is_object()) throw Bad{"not a JSON object"};
  return *std::move(json);
}

// The value of the first of these names that is there and not null.
const Json* find(const Json& object, std::initializer_list<const char*> names) {
  if (!object.is_object()) return nullptr;
  for (const auto* name : names) {
    const auto found = object.find(name);
    if (found != object.end() && !found->is_null()) return &*found;
  }
  return nullptr;
}

// A list, or what stands for a list of one: some senders write the value itself.
std::vector<const Json*> items(const Json* value, std::size_t most, std::string_view what) {
  if (value == nullptr) return {};
  if (!value->is_array()) return {value};
  if (value->size() > most) throw Bad{fmt::format("too many {}", what)};
  std::vector<const Json*> out;
  for (const auto& one : *value) out.push_back(&one);
  return out;
}

// Of letters and signs that stand for themselves: not controls, and nothing that is not seen or
// that turns the direction of what is.
bool is_plain(std::uint32_t point) {
  const bool is_format = (point >= 0x200B && point <= 0x200F) ||
                         (point >= 0x2028 && point <= 0x202E) ||
                         (point >= 0x2060 && point <= 0x206F) || point == 0xFEFF;
  return point >= 0x20 && (point < 0x7F || point >= 0xA0) && !is_format;
}

// In UTF-8, which the JSON reader has seen to, without blanks at its ends; what is not plain
// becomes '?'. Names of organizations are shown, compared and written into logs.
std::string plain(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size();) {
    const auto octet = static_cast<unsigned char>(text[i]);
    const auto more = config::utf8_length(text.substr(i)) - 1;
    std::uint32_t point = more == 0 ? octet : octet & (0x3FU >> more);
    for (std::size_t k = 1; k <= more && i + k < text.size(); ++k)
      point = (point << 6U) | (static_cast<unsigned char>(text[i + k]) & 0x3FU);
    if (point == '\t' || point == '\n' || point == '\r')
      out += ' ';
    else if (is_plain(point))
      out += text.substr(i, more + 1);
    else
      out += '?';
    i += more + 1;
  }
  const auto first = out.find_first_not_of(' ');
  if (first == std::string::npos) return {};
  return out.substr(first, out.find_last_not_of(' ') - first + 1);
}

std::string name_in(const Json& report, std::initializer_list<const char*> names,
                    std::string_view what) {
  const auto* value = find(report, names);
  if (value == nullptr) throw Bad{fmt::format("no {}", what)};
  // A report id is a number in some.
  auto text = value->is_string()           ? plain(value->get_ref<const std::string&>())
              : value->is_number_integer() ? value->dump()
                                           : std::string();
  if (text.empty()) throw Bad{fmt::format("no {}", what)};
  if (text.size() > kMostName) throw Bad{fmt::format("too long: {}", what)};
  return text;
}

// ---- counts

std::uint64_t count_of(const Json& value, std::string_view what) {
  std::uint64_t out = 0;
  if (value.is_number_unsigned()) {
    out = value.get<std::uint64_t>();
  } else if (value.is_number_float()) {  // "303.0"
    const auto number = value.get<double>();
    if (number < 0 || number != std::floor(number))
      throw BadPart{{fmt::format("no count: {}", what)}};
    if (number > static_cast<double>(kMostSessions))
      throw BadPart{{fmt::format("too many: {}", what)}};
    out = static_cast<std::uint64_t>(number);
  } else if (value.is_string()) {  // digits in quotes
    const auto& digits = value.get_ref<const std::string&>();
    const auto* end = digits.data() + digits.size();
    const auto [stop, fault] = std::from_chars(digits.data(), end, out);
    if (fault != std::errc{} || stop != end) throw BadPart{{fmt::format("no count: {}", what)}};
  } else {
    throw BadPart{{fmt::format("no count: {}", what)}};
  }
  if (out > kMostSessions) throw BadPart{{fmt::format("too many: {}", what)}};
  return out;
}

std::optional<std::uint64_t> count_in(const Json& object, std::initializer_list<const char*> names,
                                      std::string_view what) {
  const auto* value = find(object, names);
  return value == nullptr ? std::nullopt : std::optional{count_of(*value, what)};
}

// The same where a count that is none says no more than one that is not there.
std::uint64_t total_in(const Json& object, std::initializer_list<const char*> names,
                       std::string_view what, std::size_t& skipped) {
  try {
    return count_in(object, names, what).value_or(0);
  } catch (const BadPart&) {
    ++skipped;
    return 0;
  }
}

// ---- dates

// A date alone is the moment of that day.
std::optional<Time> moment(std::string_view text, std::string_view of_day) {
  if (text.size() == 10) return config::parse_rfc3339(fmt::format("{}T{}Z", text, of_day));
  return config::parse_moment(text);
}

Time date_in(const Json& report, std::initializer_list<const char*> names, std::string_view of_day,
             std::string_view what) {
  const auto* range = find(report, {"date-range", "date_range"});
  const auto* value = range == nullptr ? nullptr : find(*range, names);
  if (value == nullptr) throw Bad{fmt::format("no {}", what)};
  const auto out =
      value->is_string() ? moment(value->get_ref<const std::string&>(), of_day) : std::nullopt;
  if (!out) throw Bad{fmt::format("not an RFC 3339 date: {}", what)};
  return *out;
}

// ---- names

// A domain or host in the one form that we know; a pattern where one may stand.
std::optional<std::string> domain_name(std::string_view text, bool may_be_pattern) {
  while (!text.empty() && text.front() == ' ') text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '.')) text.remove_suffix(1);
  constexpr std::size_t kLongest = 1000;  // octets: of 253 in A-labels, whatever the script
  if (text.size() > kLongest) return std::nullopt;
  const bool is_pattern = text.starts_with("*.") || text.starts_with('.');
  if (is_pattern && !may_be_pattern) return std::nullopt;
  if (is_pattern) text.remove_prefix(text.front() == '*' ? 2 : 1);
  // The owner of the TLSA records instead of the name they are for.
  if (!is_pattern && text.starts_with("_25._tcp.")) text.remove_prefix(9);
  auto name = config::normal_domain(text);
  if (!name) return std::nullopt;
  return is_pattern ? "*." + *name : *name;
}

std::string required_domain(const Json& policy) {
  const auto* value = find(policy, {"policy-domain", "policy_domain"});
  if (value == nullptr || !value->is_string()) throw BadPart{{"a policy without a domain"}};
  auto name = domain_name(value->get_ref<const std::string&>(), false);
  if (!name) throw BadPart{{"the domain of a policy is no domain name"}};
  return *std::move(name);
}

// The first that are names; a list with one that is not says no less about the others.
std::vector<std::string> mx_hosts(const Json& policy, std::size_t& skipped) {
  std::set<std::string> out;
  const auto* value = find(policy, {"mx-host", "mx-host-pattern", "mx_host"});
  for (const auto* one : items(value, kMostValues, "MX hosts")) {
    if (!one->is_string()) {
      ++skipped;
      continue;
    }
    // A list in one string, as early drafts had it.
    std::string_view left = one->get_ref<const std::string&>();
    while (!left.empty()) {
      const auto end = std::min(left.find_first_of(", \t\n"), left.size());
      const auto text = left.substr(0, end);
      left.remove_prefix(std::min(end + 1, left.size()));
      if (text.empty()) continue;
      auto name = out.size() < kMostMxHosts ? domain_name(text, true) : std::nullopt;
      if (name)
        out.insert(*std::move(name));
      else
        ++skipped;
    }
  }
  return {out.begin(), out.end()};
}

// ---- words

std::string word(std::string_view text) {
  std::string out = plain(text);
  for (char& c : out) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
    if (c == '_' || c == ' ') c = '-';
  }
  return out;
}

// Spellings that are in use beside those of RFC 8460 §4.3.
constexpr auto kSpellings = std::to_array<std::pair<std::string_view, std::string_view>>({
    {"starttls-not-support", "starttls-not-supported"},
    {"starttls-notsupported", "starttls-not-supported"},
    {"no-starttls", "starttls-not-supported"},
    {"certificate-name-mismatch", "certificate-host-mismatch"},
    {"certificate-hostname-mismatch", "certificate-host-mismatch"},
    {"certificate-untrusted", "certificate-not-trusted"},
    {"validation-failed", "validation-failure"},
    {"tlsa-record-invalid", "tlsa-invalid"},
    {"dnssec-failed", "dnssec-invalid"},
    {"sts-policy-fetch-failed", "sts-policy-fetch-error"},
    {"sts-webpki-failed", "sts-webpki-invalid"},
});

// RFC 8460 §4.3.
constexpr auto kResultTypes = std::to_array<std::string_view>(
    {"starttls-not-supported", "certificate-host-mismatch", "certificate-expired",
     "certificate-not-trusted", "validation-failure", "tlsa-invalid", "dnssec-invalid",
     "dane-required", "sts-policy-fetch-error", "sts-policy-invalid", "sts-webpki-invalid"});

// At most so many octets, and no part of a character.
std::string first_octets(std::string text, std::size_t most) {
  if (text.size() <= most) return text;
  while (most > 0 && (static_cast<unsigned char>(text[most]) & 0xC0U) == 0x80U) --most;
  text.resize(most);
  return text;
}

std::string result_type(const Json& failure, std::size_t& skipped) {
  const auto* value = find(failure, {"result-type", "result_type"});
  if (value != nullptr && !value->is_string()) ++skipped;
  if (value == nullptr || !value->is_string()) return "validation-failure";  // §4.3.3: the general
  const auto& text = value->get_ref<const std::string&>();
  const auto known = word(text);
  if (known.empty()) return "validation-failure";
  if (std::ranges::find(kResultTypes, known) != kResultTypes.end()) return known;
  for (const auto& [theirs, ours] : kSpellings) {
    if (known == theirs) return std::string(ours);
  }
  return first_octets(plain(text), kMostResultType);
}

PolicyType policy_type(const Json& policy) {
  const auto* value = find(policy, {"policy-type", "policy_type"});
  if (value == nullptr || !value->is_string()) return PolicyType::other;
  const auto name = word(value->get_ref<const std::string&>());
  if (name == "dane") return PolicyType::tlsa;
  if (name == "mta-sts") return PolicyType::sts;
  if (name == "no-policy" || name == "none") return PolicyType::no_policy_found;
  return policy_type_from(name).value_or(PolicyType::other);
}

// ---- failures

using Key = std::pair<std::string, std::string>;  // result type, host

struct Gathered {
  std::uint64_t sessions = 0;
  std::set<std::string> senders, receivers;
};

void note_address(std::set<std::string>& known, const Json& failure, const char* name) {
  const auto* value = find(failure, {name});
  if (value == nullptr || !value->is_string() || known.size() >= kMostAddresses) return;
  if (auto address = config::normal_address(value->get_ref<const std::string&>()))
    known.insert(*std::move(address));
}

std::string failing_host(const Json& failure, const Policy& policy, std::size_t& skipped) {
  const auto* value = find(failure, {"receiving-mx-hostname", "receiving_mx_hostname"});
  if (value != nullptr && value->is_string()) {
    if (auto name = domain_name(value->get_ref<const std::string&>(), false))
      return *std::move(name);
  }
  const bool is_empty =
      value != nullptr && value->is_string() && value->get_ref<const std::string&>().empty();
  if (value != nullptr && !is_empty) ++skipped;
  // There was no other.
  const bool is_only = policy.mx_hosts.size() == 1 && !policy.mx_hosts.front().starts_with('*');
  return is_only ? policy.mx_hosts.front() : std::string();
}

using Failures = std::map<Key, Gathered>;

// `otherwise`: where it has no count of its own.
void read_failure(const Json& failure, const Policy& policy, std::uint64_t otherwise,
                  Failures& gathered, std::size_t& skipped) {
  if (!failure.is_object()) throw BadPart{{"a failure that is no JSON object"}};
  const auto sessions =
      count_in(failure, {"failed-session-count", "failed_session_count"}, "failed sessions")
          .value_or(otherwise);
  auto& sum = gathered[{result_type(failure, skipped), failing_host(failure, policy, skipped)}];
  sum.sessions = std::min(sum.sessions + sessions, kMostSessions);
  note_address(sum.senders, failure, "sending-mta-ip");
  note_address(sum.receivers, failure, "receiving-ip");
}

void read_failures(const Json& entry, Policy& policy, std::size_t& left, std::size_t& skipped) {
  const auto* details = find(entry, {"failure-details", "failure_details"});
  const auto list = items(details, left, "failures");
  left -= list.size();
  // Without a count it is all of them where it is the only one, and one at least.
  const auto otherwise = list.size() == 1 ? std::max<std::uint64_t>(policy.failed, 1) : 1;
  Failures gathered;
  for (const auto* failure : list) {
    try {
      read_failure(*failure, policy, otherwise, gathered, skipped);
    } catch (const BadPart&) {
      ++skipped;
    }
  }
  std::uint64_t all = 0;
  for (const auto& [key, sum] : gathered) all += sum.sessions;
  policy.failed = std::min(std::max(policy.failed, all), kMostSessions);
  // What is in the summary only.
  if (policy.failed > all)
    gathered[{std::string(kNotDetailed), failing_host(Json::object(), policy, skipped)}].sessions +=
        policy.failed - all;
  for (const auto& [key, sum] : gathered) {
    if (sum.sessions == 0) continue;  // some list every kind, with zeros
    policy.failures.push_back({.result_type = key.first,
                               .mx_host = key.second,
                               .sessions = sum.sessions,
                               .senders = sum.senders.size(),
                               .receivers = sum.receivers.size()});
  }
}

Policy read_policy(const Json& entry, std::size_t& failures_left, std::size_t& skipped) {
  if (!entry.is_object()) throw BadPart{{"a policy that is no JSON object"}};
  const auto* inner = find(entry, {"policy"});
  const auto& about = inner != nullptr && inner->is_object() ? *inner : entry;
  Policy out{.type = policy_type(about),
             .domain = required_domain(about),
             .mx_hosts = mx_hosts(about, skipped)};
  const auto* within = find(entry, {"summary"});
  if (within != nullptr && !within->is_object()) ++skipped;
  const auto& summary = within != nullptr && within->is_object() ? *within : entry;
  out.successful = total_in(summary,
                            {"total-successful-session-count", "total-successful-sessions",
                             "total_successful_session_count"},
                            "successful sessions", skipped);
  out.failed = total_in(
      summary,
      {"total-failure-session-count", "total-failed-session-count", "total_failure_session_count"},
      "failed sessions", skipped);
  read_failures(entry, out, failures_left, skipped);
  return out;
}

TlsReport read_report(const Json& json) {
  TlsReport out{
      .organization = name_in(json, {"organization-name", "organization_name"}, "organization"),
      .report_id = name_in(json, {"report-id", "report_id"}, "report id"),
      .from = date_in(json, {"start-datetime", "start_datetime"}, "00:00:00",
                      "begin of the date range"),
      .until =
          date_in(json, {"end-datetime", "end_datetime"}, "23:59:59", "end of the date range")};
  if (out.from > out.until) throw Bad{"the date range ends before it begins"};
  if (out.until - out.from > kLongestReport) throw Bad{"the date range is too long"};
  const auto* policies = find(json, {"policies"});
  if (policies == nullptr) throw Bad{"no policies"};
  std::size_t failures_left = kMostFailures, kinds = 0;
  std::optional<Bad> bad;
  for (const auto* entry : items(policies, kMostPolicies, "policies")) {
    try {
      out.policies.push_back(read_policy(*entry, failures_left, out.skipped));
    } catch (const BadPart& part) {
      ++out.skipped;
      bad = part;
      continue;
    }
    kinds += out.policies.back().failures.size();
    if (kinds > kMostKinds) throw Bad{"too many kinds of failures"};
  }
  if (out.policies.empty()) throw bad.value_or(Bad{"no policies"});
  return out;
}

}  // namespace

std::string_view wire_name(PolicyType type) {
  switch (type) {
    case PolicyType::tlsa:
      return "tlsa";
    case PolicyType::sts:
      return "sts";
    case PolicyType::no_policy_found:
      return "no-policy-found";
    case PolicyType::other:
      return "other";
  }
  return "other";
}

std::optional<PolicyType> policy_type_from(std::string_view name) {
  for (const auto type :
       {PolicyType::tlsa, PolicyType::sts, PolicyType::no_policy_found, PolicyType::other}) {
    if (wire_name(type) == name) return type;
  }
  return std::nullopt;
}

Result<TlsReport, std::string> read_tls_report(std::string_view json) {
  try {
    return read_report(parse(json));
  } catch (const Bad& bad) {
    return Failure<std::string>(bad.words);
  }
}

bool is_dane_failure(PolicyType type, std::string_view result_type) {
  if (result_type.starts_with("sts-")) return false;
  return type == PolicyType::tlsa || result_type == "tlsa-invalid" ||
         result_type == "dnssec-invalid" || result_type == "dane-required";
}

}  // namespace probes::reports
