#include "probes/sts/policy.h"

#include <algorithm>
#include <cstdint>
#include <optional>
#include <unordered_set>
#include <utility>

namespace probes::sts {
namespace {

using config::Failure;
using config::Result;

constexpr std::size_t kMaxKey = 32;     // octets, §3.2
constexpr std::size_t kMaxDigits = 10;  // of max_age, §3.2
constexpr std::size_t kMaxQuoted = 64;  // octets of the file in our words

bool is_alphanumeric(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

bool is_blank(char c) {
  return c == ' ' || c == '\t';
}

bool is_control(char c) {
  return static_cast<unsigned char>(c) < 0x20 || c == 0x7f;
}

char lower(char c) {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}

std::string folded(std::string_view text) {
  std::string out(text);
  std::ranges::transform(out, out.begin(), lower);
  return out;
}

bool equal_folded(std::string_view a, std::string_view b) {
  return std::ranges::equal(a, b, {}, lower, lower);
}

std::string quoted(std::string_view text) {
  return '"' + std::string(text.substr(0, kMaxQuoted)) + '"';
}

bool is_key(std::string_view key) {
  return !key.empty() && key.size() <= kMaxKey && is_alphanumeric(key.front()) &&
         std::ranges::all_of(
             key, [](char c) { return is_alphanumeric(c) || c == '_' || c == '-' || c == '.'; });
}

// Domain of RFC 5321 §4.1.2, with the lengths of DNS (RFC 1035 §2.3.4).
bool is_domain(std::string_view name) {
  if (name.empty() || name.size() > 253) return false;
  while (true) {
    const auto dot = name.find('.');
    const auto label = name.substr(0, dot);
    if (label.empty() || label.size() > 63 || label.front() == '-' || label.back() == '-' ||
        !std::ranges::all_of(label, [](char c) { return is_alphanumeric(c) || c == '-'; })) {
      return false;
    }
    if (dot == name.npos) return true;
    name.remove_prefix(dot + 1);
  }
}

bool is_pattern(std::string_view pattern) {
  if (pattern.starts_with("*.")) pattern.remove_prefix(2);
  return is_domain(pattern);
}

std::optional<config::Seconds> parse_age(std::string_view text) {
  if (text.empty() || text.size() > kMaxDigits || !std::ranges::all_of(text, is_digit))
    return std::nullopt;
  std::int64_t seconds = 0;
  for (const char c : text) seconds = seconds * 10 + (c - '0');
  // The prose has this bound, the ABNF allows more (erratum 7282); senders differ in what they make
  // of more, so it is not in order.
  if (config::Seconds{seconds} > kMaxPolicyAge) return std::nullopt;
  return config::Seconds{seconds};
}

std::optional<Mode> parse_mode(std::string_view text) {
  for (const auto mode : {Mode::enforce, Mode::testing, Mode::none})
    if (text == wire_name(mode)) return mode;
  return std::nullopt;
}

// Takes the fields line by line.
class PolicyReader {
 public:
  // Nothing, or what is wrong with the line.
  std::optional<std::string> take(std::string_view line);
  // Nothing, or what is missing.
  [[nodiscard]] std::optional<std::string> missing() const;
  [[nodiscard]] Policy policy() && {
    return {.mode = *mode_, .mx = std::move(mx_), .max_age = *max_age_};
  }

 private:
  std::optional<std::string> take_mx(std::string_view value);

  bool has_version_ = false;
  std::optional<Mode> mode_;
  std::optional<config::Seconds> max_age_;
  std::vector<std::string> mx_;
  std::unordered_set<std::string> known_mx_;
};

std::optional<std::string> PolicyReader::take(std::string_view line) {
  if (std::ranges::any_of(line, [](char c) { return is_control(c) && c != '\t'; }))
    return "a control character";
  const auto colon = line.find(':');
  if (colon == line.npos) return "no \":\" in " + quoted(line);
  const auto key = line.substr(0, colon);
  if (!is_key(key)) return "no field name: " + quoted(key);
  auto value = line.substr(colon + 1);
  while (!value.empty() && is_blank(value.front())) value.remove_prefix(1);
  if (value.empty()) return "no value for " + quoted(key);

  if (key == "mx") return take_mx(value);
  if (key == "version") {
    if (!has_version_ && value != "STSv1") return "version is not STSv1 but " + quoted(value);
    has_version_ = true;
  } else if (key == "mode" && !mode_) {
    mode_ = parse_mode(value);
    if (!mode_) return "mode is not enforce, testing or none but " + quoted(value);
  } else if (key == "max_age" && !max_age_) {
    max_age_ = parse_age(value);
    if (!max_age_) return "max_age is not 0 to 31557600 seconds but " + quoted(value);
  }
  return std::nullopt;
}

std::optional<std::string> PolicyReader::take_mx(std::string_view value) {
  if (!is_pattern(value)) return "mx is no host name or \"*.\" and one but " + quoted(value);
  auto pattern = folded(value);
  if (!known_mx_.insert(pattern).second) return std::nullopt;
  if (mx_.size() == kMaxPatterns) return "more than " + std::to_string(kMaxPatterns) + " mx";
  mx_.push_back(std::move(pattern));
  return std::nullopt;
}

std::optional<std::string> PolicyReader::missing() const {
  if (!has_version_) return "no version";
  if (!mode_) return "no mode";
  if (!max_age_) return "no max_age";
  // "Required at least once, except when mode is none", §3.2.
  if (mx_.empty() && *mode_ != Mode::none) return "no mx";
  return std::nullopt;
}

bool is_all_blank(std::string_view text) {
  return text.find_first_not_of(" \t\r\n") == text.npos;
}

}  // namespace

std::string_view wire_name(Mode mode) {
  switch (mode) {
    case Mode::enforce:
      return "enforce";
    case Mode::testing:
      return "testing";
    case Mode::none:
      return "none";
  }
  return "";
}

Result<Policy, PolicyFault> parse_policy(std::string_view file) {
  const auto failure = [](std::size_t line, std::string words) {
    return Failure<PolicyFault>(PolicyFault{.line = line, .words = std::move(words)});
  };
  if (file.size() > kMaxPolicy) return failure(0, "larger than 64 KiB");
  PolicyReader reader;
  // Editors leave blank lines at the end and senders pass over them; the ABNF has none elsewhere.
  for (std::size_t number = 1; !is_all_blank(file); ++number) {
    const auto end = file.find('\n');
    auto line = file.substr(0, end);
    file = end == file.npos ? std::string_view{} : file.substr(end + 1);
    if (line.ends_with('\r')) line.remove_suffix(1);
    while (!line.empty() && is_blank(line.back())) line.remove_suffix(1);
    if (line.empty()) return failure(number, "an empty line");
    if (auto words = reader.take(line)) return failure(number, *std::move(words));
  }
  if (auto words = reader.missing()) return failure(0, *std::move(words));
  return std::move(reader).policy();
}

bool matches(std::string_view pattern, std::string_view host) {
  if (!pattern.starts_with("*.")) return !host.empty() && equal_folded(pattern, host);
  const auto dot = host.find('.');
  return dot != host.npos && dot > 0 && equal_folded(pattern.substr(1), host.substr(dot));
}

bool allows(const Policy& policy, std::string_view host) {
  return std::ranges::any_of(policy.mx,
                             [&](const std::string& pattern) { return matches(pattern, host); });
}

}  // namespace probes::sts
