#include "config/issuer_file.h"

#include <algorithm>
#include <array>
#include <map>

#include <fmt/format.h>

#include "config/utf8.h"

namespace config {
namespace {

constexpr std::string_view kBlanks = " \t\r";
constexpr std::size_t kLongestOrganisation = 200;
constexpr auto kKeyTypes = std::to_array<std::string_view>({"rsa", "ecdsa", "eddsa"});

// The next word of the line, which is taken off it.
std::string_view take_word(std::string_view& line) {
  line.remove_prefix(std::min(line.find_first_not_of(kBlanks), line.size()));
  const auto word = line.substr(0, line.find_first_of(kBlanks));
  line.remove_prefix(word.size());
  return word;
}

// Of "-" nothing, and no fault.
bool read_day(std::string_view word, std::optional<Time>& out) {
  if (word == "-") return true;
  out = parse_rfc3339(std::string(word) + "T00:00:00Z");
  return out.has_value();
}

bool is_digest(std::string_view text) {
  return text.size() == 64 &&
         text.find_first_not_of("0123456789abcdefABCDEF") == std::string_view::npos;
}

std::string in_lower_case(std::string_view text) {
  std::string out{text};
  for (auto& c : out) {
    if (c >= 'A' && c <= 'F') c = static_cast<char>(c - 'A' + 'a');
  }
  return out;
}

// Without what '#' begins.
std::string_view without_comment(std::string_view line) {
  for (std::size_t at = line.find('#'); at != std::string_view::npos; at = line.find('#', at + 1)) {
    if (at == 0 || line[at - 1] != '\\') return line.substr(0, at);
  }
  return line;
}

std::string unescaped(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text.substr(i).starts_with("\\#")) ++i;
    out += text[i];
  }
  return out;
}

// "rsa:" before the digest is taken off it.
std::string take_key_type(std::string_view& digest) {
  const auto colon = digest.find(':');
  const auto word = digest.substr(0, colon);
  if (colon == std::string_view::npos || std::ranges::find(kKeyTypes, word) == kKeyTypes.end())
    return {};
  digest.remove_prefix(colon + 1);
  return std::string(word);
}

// No O= is written so, and one that is would be the name of nobody.
const char* fault_of_organisation(std::string_view text) {
  if (text.empty()) return "ORGANISATION is missing: the O= of the intermediate's subject";
  if (text.size() > kLongestOrganisation) return "ORGANISATION is longer than 200 octets";
  if (!is_utf8(text)) return "ORGANISATION is not UTF-8";
  if (std::ranges::any_of(text, [](unsigned char c) { return c < 0x20 || c == 0x7f; }))
    return "ORGANISATION has a control character";
  if (text.size() > 1 && text.front() == text.back() &&
      (text.front() == '"' || text.front() == '\''))
    return "ORGANISATION is in quotes, which would be part of it: leave them out";
  return nullptr;
}

// What is wrong with the line, or null.
const char* read_line(std::string_view line, AnnouncedIssuer& out) {
  if (!read_day(take_word(line), out.from)) return "FROM is a day, as 2026-05-13, or -";
  if (!read_day(take_word(line), out.until)) return "UNTIL is a day, as 2026-05-13, or -";
  if (out.from && out.until && *out.until <= *out.from) return "UNTIL is not after FROM";
  auto digest = take_word(line);
  out.key_type = take_key_type(digest);
  if (!is_digest(digest))
    return "SHA256 is 64 hexadecimal digits, of the SubjectPublicKeyInfo; \"rsa:\", \"ecdsa:\" or "
           "\"eddsa:\" may stand before";
  out.key = in_lower_case(digest);
  line.remove_prefix(std::min(line.find_first_not_of(kBlanks), line.size()));
  const auto end = line.find_last_not_of(kBlanks);
  line = line.substr(0, end == std::string_view::npos ? 0 : end + 1);
  out.organisation = unescaped(line);
  return fault_of_organisation(out.organisation);
}

// The line that speaks of the same kind of key, too; 0: none.
int line_before(const std::map<std::string, int>& lines, const std::string& key_type) {
  for (const auto& [other, line] : lines) {
    if (other == key_type || other.empty() || key_type.empty()) return line;
  }
  return 0;
}

}  // namespace

IssuerFile parse_issuers(std::string_view text) {
  IssuerFile out;
  std::map<std::string, std::map<std::string, int>> lines;  // by key and kind
  for (int number = 1; !text.empty(); ++number) {
    auto line = text.substr(0, text.find('\n'));
    text.remove_prefix(std::min(line.size() + 1, text.size()));
    line = without_comment(line);
    if (line.find_first_not_of(kBlanks) == std::string_view::npos) continue;
    AnnouncedIssuer one;
    if (const auto* fault = read_line(line, one)) {
      out.faults.emplace_back(number, fault);
    } else if (out.issuers.size() == kMostIssuers) {
      out.faults.emplace_back(number, "more than 10000 intermediates");
      break;
    } else if (const auto before = line_before(lines[one.key], one.key_type); before > 0) {
      out.faults.emplace_back(number, fmt::format("line {} is about the same key", before));
    } else {
      lines[one.key].emplace(one.key_type, number);
      out.issuers.push_back(std::move(one));
    }
  }
  return out;
}

}  // namespace config
