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

// Takes the next word from the front of `text`, as Postfix's mystrtok() does.
std::string_view take_word(std::string_view& text, std::string_view separators) {
  text.remove_prefix(std::min(text.find_first_not_of(separators), text.size()));
  const auto word = text.substr(0, text.find_first_of(separators));
  text.remove_prefix(std::min(word.size() + 1, text.size()));
  return word;
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
    } else {
      ++line_octets_;
      if (line_.size() < kMaxLineKept) {
        line_.push_back(c);
      } else {
        reply_.cut = true;
      }
    }
  }
  return used;
}

// smtp_chat_resp() and smtp_helo() of Postfix: what the line says is of no account, the text of a
// line without a code counts like any other.
void ReplyReader::read_as_postfix(std::string_view line) {
  if (read_ >= kMostRead) return;
  while (line.ends_with('\r')) line.remove_suffix(1);
  read_ += line.size() + (read_ > 0 ? 1 : 0);
  is_blotted_ = is_blotted_ && line.find_first_not_of("20 *\t") == std::string_view::npos;
  if (take_word(line, "- ").empty()) return;
  if (const auto word = take_word(line, " \t="); !word.empty()) reply_.words.emplace_back(word);
}

void ReplyReader::end_line() {
  std::string line = std::exchange(line_, {});
  read_as_postfix(line);
  if (std::exchange(line_octets_, 0) >= kEndlessLine) reply_.has_endless_line = true;
  if (!line.empty() && line.back() == '\r') line.pop_back();
  const bool has_code =
      line.size() >= 3 && is_digit(line[0]) && is_digit(line[1]) && is_digit(line[2]);
  const char separator = line.size() > 3 ? line[3] : ' ';
  if (!has_code || (separator != ' ' && separator != '-')) {
    reply_.has_stray_lines = true;
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
  octets_ = read_ = 0;
  reply_.is_blotted = std::exchange(is_blotted_, true);
  return std::exchange(reply_, {});
}

bool offers(const Reply& ehlo, std::string_view keyword) {
  return std::ranges::any_of(
      ehlo.lines.begin() + (ehlo.lines.empty() ? 0 : 1), ehlo.lines.end(),
      [&](const std::string& line) { return equal_folded(first_word(line), keyword); });
}

bool offers_to_postfix(const Reply& ehlo, std::string_view keyword) {
  return std::any_of(ehlo.words.begin() + (ehlo.words.empty() ? 0 : 1), ehlo.words.end(),
                     [&](const std::string& word) { return equal_folded(word, keyword); });
}

bool has_masked_starttls(const Reply& ehlo) {
  return std::ranges::any_of(ehlo.lines.begin() + (ehlo.lines.empty() ? 0 : 1), ehlo.lines.end(),
                             [](const std::string& line) {
                               const auto word = first_word(line);
                               return word.size() == 8 && word.starts_with("XXXX");
                             });
}

}  // namespace probes::smtp
