#include "agent/alerts/silence.h"

#include <algorithm>

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <re2/re2.h>

namespace agent {
namespace {

using config::Time;
using probes::Severity;
using probes::Subject;

// Patterns come from people, but through HTTP: RE2 takes time and memory in proportion to them.
RE2::Options options() {
  RE2::Options out;
  out.set_log_errors(false);
  out.set_max_mem(1 << 20);
  return out;
}

bool matches(const Matcher& matcher, const Labels& labels) {
  const auto found = labels.find(matcher.name);
  return fits(matcher, found == labels.end() ? std::string() : found->second);
}

bool all_match(const std::vector<Matcher>& matchers, const Labels& labels) {
  return std::ranges::all_of(matchers,
                             [&](const Matcher& matcher) { return matches(matcher, labels); });
}

bool covers(const Silence& silence, const Hit& hit, const Labels& labels) {
  if (silence.expected_key) {
    const auto is_expected = [&](const std::string& key) { return key == *silence.expected_key; };
    if (hit.refused_keys.empty() || !std::ranges::all_of(hit.refused_keys, is_expected))
      return false;
  }
  return all_match(silence.matchers, labels);
}

std::string_view word(config::Role role) {
  return role == config::Role::inbound ? "inbound" : "outbound";
}

std::vector<Labels> labels_of(const Alert& alert, const Hit& hit, const Domains& domains) {
  Labels common{{"alertname", alert_name(alert.finding.code)},
                {"code", std::string(wire_name(alert.finding.code))},
                {"severity", std::string(wire_name(alert.finding.severity))},
                {"direction", std::string(word(alert.direction))},
                {label_name(alert.cause.kind), alert.cause.name}};
  common[label_name(hit.subject.kind)] = hit.subject.name;
  std::vector<Labels> out;
  for (const auto& domain : hit.domains) {
    auto& labels = out.emplace_back(common);
    labels["domain"] = domain;
    const auto* configured = domains(domain);
    if (configured == nullptr) continue;
    labels["direction"] = word(configured->role);
    if (!configured->group.empty()) labels["group"] = configured->group;
  }
  if (out.empty()) out.push_back(std::move(common));
  return out;
}

// What a label may say, where that is a closed list; else nothing.
std::vector<std::string> words_of(std::string_view label) {
  std::vector<std::string> out;
  if (label == "direction" || label == "role")
    for (const auto role : {config::Role::inbound, config::Role::outbound})
      out.emplace_back(word(role));
  if (label == "severity")
    for (const auto severity :
         {Severity::info, Severity::low, Severity::medium, Severity::high, Severity::critical})
      out.emplace_back(wire_name(severity));
  if (label == "code")
    for (const auto code : probes::all_codes()) out.emplace_back(wire_name(code));
  if (label == "alertname")
    for (const auto code : probes::all_codes()) out.push_back(alert_name(code));
  return out;
}

// Null: some alert may have what the matcher asks for. To match what none has would fit nothing,
// and not to match it everything.
std::optional<std::string> value_fault(const Matcher& matcher) {
  constexpr std::size_t kMostNamed = 10;
  auto asked = matcher;
  asked.is_equal = true;
  const auto words = words_of(matcher.name);
  if (words.empty() ||
      std::ranges::any_of(words, [&](const std::string& one) { return fits(asked, one); }))
    return std::nullopt;
  auto out = fmt::format("no alert has that {}", matcher.name);
  if (words.size() <= kMostNamed) out += fmt::format(", but: {}", fmt::join(words, ", "));
  return out;
}

bool is_printable(std::string_view text) {
  return std::ranges::none_of(
      text, [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; });
}

}  // namespace

bool fits(const Matcher& matcher, const std::string& value) {
  const bool is_it = matcher.is_regex ? RE2::FullMatch(value, RE2(matcher.value, options()))
                                      : value == matcher.value;
  return is_it == matcher.is_equal;
}

std::optional<std::string> fault_of(const Matcher& matcher) {
  if (matcher.name.empty()) return "a matcher without the name of a label";
  if (auto fault = config::label_fault(matcher.name)) return fault;
  if (matcher.name.size() + matcher.value.size() > kMaxMatcherText || !is_printable(matcher.name) ||
      !is_printable(matcher.value))
    return "a matcher that is too long, or holds control characters";
  const RE2 pattern(matcher.value, options());
  if (matcher.is_regex && !pattern.ok())
    return fmt::format("the pattern of {} cannot be read: {}", matcher.name, pattern.error());
  return value_fault(matcher);
}

std::vector<Matcher> matchers_of(const std::vector<std::string>& texts) {
  std::vector<Matcher> out;
  for (const auto& text : texts) {
    auto matcher = config::parse_matcher(text);
    if (!matcher) continue;
    if (matcher->name == "role") matcher->name = "direction";
    out.push_back(*std::move(matcher));
  }
  return out;
}

bool fits_any(const std::vector<Matcher>& matchers, const Alert& alert, const Domains& domains) {
  if (matchers.empty()) return true;
  return std::ranges::any_of(labels_of(alert, domains),
                             [&](const Labels& labels) { return all_match(matchers, labels); });
}

bool fits_domains(const std::vector<Matcher>& matchers, const std::vector<std::string>& names,
                  const Domains& domains) {
  if (matchers.empty()) return true;
  return std::ranges::any_of(names, [&](const std::string& name) {
    Labels labels{{"domain", name}};
    if (const auto* configured = domains(name)) {
      labels["direction"] = word(configured->role);
      if (!configured->group.empty()) labels["group"] = configured->group;
    }
    return all_match(matchers, labels);
  });
}

std::optional<std::string> fault_of(const Silence& silence) {
  constexpr std::size_t kMostText = 1000;
  if (silence.matchers.empty()) return "no matcher: it would silence everything";
  if (silence.matchers.size() > kMaxMatchers) return "more matchers than make sense";
  for (const auto& matcher : silence.matchers) {
    if (auto fault = fault_of(matcher)) return fault;
  }
  if (silence.ends_at <= silence.starts_at) return "it ends before it starts";
  if (silence.created_by.size() > kMostText || silence.comment.size() > kMostText)
    return "the comment or the name is too long";
  const auto is_hex = [](char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); };
  if (silence.expected_key &&
      (silence.expected_key->size() != 64 || !std::ranges::all_of(*silence.expected_key, is_hex)))
    return "expected_key: give the SHA2-256 of the key's SubjectPublicKeyInfo, 64 hexadecimal "
           "digits in lower case: the data of its 3 1 1 record";
  return std::nullopt;
}

std::string label_name(Subject::Kind kind) {
  switch (kind) {
    case Subject::Kind::domain:
      return "domain";
    case Subject::Kind::host:
      return "mx";
    case Subject::Kind::owner:
      return "owner";
    case Subject::Kind::zone:
      return "zone";
    case Subject::Kind::monitor:
      return "check";
  }
  return "";
}

std::string alert_name(probes::Code code) {
  std::string out = "Danelaw";
  bool is_first = true;
  for (const char c : wire_name(code)) {
    if (c == '-') {
      is_first = true;
      continue;
    }
    out.push_back(is_first && c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c);
    is_first = false;
  }
  return out;
}

std::vector<Labels> labels_of(const Alert& alert, const Domains& domains) {
  std::vector<Labels> out;
  for (const auto& hit : alert.hits) {
    auto more = labels_of(alert, hit, domains);
    std::ranges::move(more, std::back_inserter(out));
  }
  return out;
}

bool is_active(const Silence& silence, Time at) {
  return silence.starts_at <= at && at < silence.ends_at;
}

bool is_muted(const Alert& alert, const std::vector<Silence>& silences, const Domains& domains,
              Time at) {
  if (std::ranges::none_of(silences, [&](const Silence& one) { return is_active(one, at); }))
    return false;
  return !alert.hits.empty() && std::ranges::all_of(alert.hits, [&](const Hit& hit) {
    return std::ranges::all_of(labels_of(alert, hit, domains), [&](const Labels& labels) {
      return std::ranges::any_of(silences, [&](const Silence& silence) {
        return is_active(silence, at) && covers(silence, hit, labels);
      });
    });
  });
}

}  // namespace agent
