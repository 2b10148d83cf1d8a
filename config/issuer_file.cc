#include "config/issuer_file.h"

#include <algorithm>

namespace config {
namespace {

constexpr std::string_view kBlanks = " \t\r";
constexpr std::size_t kLongestOrganisation = 200;

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

// What is wrong with the line, or null.
const char* read_line(std::string_view line, AnnouncedIssuer& out) {
  if (!read_day(take_word(line), out.from)) return "FROM is a day, as 2026-05-13, or -";
  if (!read_day(take_word(line), out.until)) return "UNTIL is a day, as 2026-05-13, or -";
  if (out.from && out.until && *out.until <= *out.from) return "UNTIL is not after FROM";
  const auto digest = take_word(line);
  if (!is_digest(digest)) return "SHA256 is 64 hexadecimal digits: of the SubjectPublicKeyInfo";
  out.key = in_lower_case(digest);
  line.remove_prefix(std::min(line.find_first_not_of(kBlanks), line.size()));
  const auto end = line.find_last_not_of(kBlanks);
  line = line.substr(0, end == std::string_view::npos ? 0 : end + 1);
  if (line.empty()) return "ORGANISATION is missing: the O= of the intermediate's subject";
  if (line.size() > kLongestOrganisation) return "ORGANISATION is longer than 200 octets";
  out.organisation = line;
  return nullptr;
}

}  // namespace

IssuerFile parse_issuers(std::string_view text) {
  IssuerFile out;
  for (int number = 1; !text.empty(); ++number) {
    auto line = text.substr(0, text.find('\n'));
    text.remove_prefix(std::min(line.size() + 1, text.size()));
    line = line.substr(0, line.find('#'));
    if (line.find_first_not_of(kBlanks) == std::string_view::npos) continue;
    AnnouncedIssuer one;
    if (const auto* fault = read_line(line, one)) {
      out.faults.emplace_back(number, fault);
    } else if (out.issuers.size() == kMostIssuers) {
      out.faults.emplace_back(number, "more than 10000 intermediates");
      break;
    } else {
      out.issuers.push_back(std::move(one));
    }
  }
  return out;
}

}  // namespace config
