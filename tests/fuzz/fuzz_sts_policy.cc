// Any octets are a policy of MTA-STS or a fault with words; a policy written down again is the same
// policy. The same octets as TXT RDATA are a record in order or are none.

#include <cctype>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "probes/sts/policy.h"
#include "probes/sts/record.h"
#include "tests/fuzz/demand.h"

namespace {

using fuzz::demand;
using namespace probes::sts;

void check_pattern(std::string_view pattern) {
  const bool is_wildcard = pattern.starts_with("*.");
  const std::string name(pattern.substr(is_wildcard ? 2 : 0));
  demand(!name.empty() && name.size() <= 253 && name.find('*') == name.npos,
         "a pattern is a host name behind the wildcard");
  demand(matches(pattern, name) == !is_wildcard, "a wildcard does not match what is behind it");
  demand(matches(pattern, "mx." + name) == is_wildcard, "a wildcard is one label");
  demand(!matches(pattern, "a.mx." + name), "a wildcard is not two labels");
  const auto* other = name.ends_with('x') ? ".y" : ".x";  // *.x matches x.x
  demand(!matches(pattern, name + other) && !matches(pattern, "x" + name) && !matches(pattern, ""),
         "nothing but whole labels match");
}

void check_policy(std::string_view file) {
  const auto policy = parse_policy(file);
  if (!policy) {
    demand(!policy.error().words.empty() && policy.error().words.size() < 200,
           "a fault has few words");
    demand(file.size() > kMaxPolicy || policy.error().line <= file.size(), "the line is there");
    return;
  }
  demand(file.size() <= kMaxPolicy, "a policy is at most kMaxPolicy octets");
  demand(policy->max_age.count() >= 0 && policy->max_age <= kMaxPolicyAge, "an age is bounded");
  demand(policy->mx.size() <= kMaxPatterns, "patterns are bounded");
  demand(policy->mode == Mode::none || !policy->mx.empty(), "there are patterns");
  std::string written = "version: STSv1\nmode: " + std::string(wire_name(policy->mode)) +
                        "\nmax_age: " + std::to_string(policy->max_age.count()) + "\n";
  for (const auto& pattern : policy->mx) {
    check_pattern(pattern);
    written += "mx: " + pattern + "\r\n";
  }
  if (written.size() > kMaxPolicy) return;
  const auto again = parse_policy(written);
  demand(again && *again == *policy, "a policy written down again is the same");
  demand(!parse_policy(std::string(file) + "\n\x01: x\n"), "no control character hides behind it");
}

void check_records(const Bytes& rdata) {
  const auto sts = read_sts_record({rdata});
  demand((sts.state == RecordState::valid) == !sts.id.empty(), "valid records have an id");
  demand(sts.id.size() <= 32, "an id is at most 32");
  for (const char c : sts.id)
    demand(std::isalnum(static_cast<unsigned char>(c)) != 0, "an id is letters and digits");
  const auto tlsrpt = read_tlsrpt_record({rdata});
  demand((tlsrpt.state == RecordState::valid) == !tlsrpt.rua.empty(), "valid records have a rua");
  demand(tlsrpt.rua.size() <= kMaxReportUris, "there are at most kMaxReportUris");
  for (const auto& uri : tlsrpt.rua) {
    demand(uri.find(':') != uri.npos, "a URI has a scheme");
    for (const char c : uri) demand(c > 0x20 && c < 0x7f, "a URI is visible ASCII");
  }
  if (sts.state != RecordState::absent) {
    demand(read_sts_record({rdata, rdata}).state == RecordState::several, "two are none");
    demand(tlsrpt.state == RecordState::absent, "a record has one version");
  }
}

Bytes as_strings(std::string_view text) {
  Bytes out;
  while (!text.empty()) {
    const auto string = text.substr(0, 255);
    out.push_back(static_cast<std::uint8_t>(string.size()));
    out.insert(out.end(), string.begin(), string.end());
    text.remove_prefix(string.size());
  }
  return out;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string text(data, data + size);
  check_policy(text);
  check_records(Bytes(data, data + size));
  check_records(as_strings(text));
  check_records(as_strings("v=STSv1;" + text));
  check_records(as_strings("v=TLSRPTv1;" + text));
  return 0;
}
