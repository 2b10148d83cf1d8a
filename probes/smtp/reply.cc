#include "probes/smtp/reply.h"

#include <algorithm>
#include <cctype>
#include <utility>

namespace probes::smtp {
namespace {

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

std::string_view first_word(std::string_view line) {
  return line.substr(0, line.find_first_of(" \t="));
}

bool equal_folded(std::string_view a, std::string_view b) {
  return std::ranges::equal(a, b, [](char x, char y) {
    return std::toupper(static_cast<unsigned char>(x)) ==
           std::toupper(static_cast<unsigned char>(y));
  });
}

}  // namespace

std::string Reply::text() const {
  std::string out;
  for (const auto& line : lines) {
    if (!out.empty()) out += ' ';
    out += line;
  }
  return out;
}

std::size_t ReplyReader::feed(std::span<const char> octets) {
  std::size_t used = 0;
  while (used < octets.size() && !whole_ && !fault_) {
    const char c = octets[used++];
    if (++octets_ > kMaxReply) {
      fault_ = ReplyFault::too_long;
    } else if (c == '\n') {
      end_line();
    } else if (line_.size() < kMaxLineKept) {
      line_.push_back(c);
    } else {
      reply_.cut = true;
    }
  }
  return used;
}

void ReplyReader::end_line() {
  std::string line = std::exchange(line_, {});
  if (!line.empty() && line.back() == '\r') line.pop_back();
  const bool has_code = line.size() >= 3 && line[0] >= '2' && line[0] <= '5' && is_digit(line[1]) &&
                        is_digit(line[2]);
  const char separator = line.size() > 3 ? line[3] : ' ';
  if (!has_code || (separator != ' ' && separator != '-')) {
    fault_ = ReplyFault::malformed;
    return;
  }
  reply_.code = (line[0] - '0') * 100 + (line[1] - '0') * 10 + (line[2] - '0');
  if (reply_.lines.size() < kMaxLines) {
    reply_.lines.push_back(line.size() > 4 ? line.substr(4) : std::string());
  } else {
    reply_.cut = true;
  }
  whole_ = separator == ' ';
}

std::optional<Reply> ReplyReader::take() {
  if (!whole_) return std::nullopt;
  whole_ = false;
  octets_ = 0;
  return std::exchange(reply_, {});
}

bool offers(const Reply& ehlo, std::string_view keyword) {
  return std::ranges::any_of(
      ehlo.lines.begin() + (ehlo.lines.empty() ? 0 : 1), ehlo.lines.end(),
      [&](const std::string& line) { return equal_folded(first_word(line), keyword); });
}

bool has_masked_starttls(const Reply& ehlo) {
  return std::ranges::any_of(ehlo.lines.begin() + (ehlo.lines.empty() ? 0 : 1), ehlo.lines.end(),
                             [](const std::string& line) {
                               const auto word = first_word(line);
                               return word.size() == 8 && word.starts_with("XXXX");
                             });
}

}  // namespace probes::smtp
