#include "web/http/request_framer.h"

#include <algorithm>
#include <charconv>

namespace web {
namespace {

std::string_view trimmed(std::string_view text) {
  constexpr std::string_view kBlanks = " \t";
  const auto begin = text.find_first_not_of(kBlanks);
  if (begin == std::string_view::npos) return {};
  return text.substr(begin, text.find_last_not_of(kBlanks) + 1 - begin);
}

bool is_same_word(std::string_view one, std::string_view other) {
  const auto lower = [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; };
  return std::ranges::equal(one, other, {}, lower, lower);
}

// The whole text as a number; nothing for signs, blanks and what is too great to hold.
std::optional<std::size_t> number_in(std::string_view digits, int base) {
  std::size_t value = 0;
  const auto* const end = digits.data() + digits.size();
  const auto [stop, error] = std::from_chars(digits.data(), end, value, base);
  if (error != std::errc{} || stop != end) return std::nullopt;
  return value;
}

}  // namespace

void RequestFramer::take(std::string_view octets) {
  while (!octets.empty() && !refusal_ && !is_complete()) {
    if (phase_ == Phase::content || phase_ == Phase::chunk) {
      octets.remove_prefix(take_content(octets));
    } else {
      take_line_octet(octets.front());
      octets.remove_prefix(1);
    }
  }
}

void RequestFramer::take_line_octet(char octet) {
  octets_ += octet;
  if (phase_ == Phase::head && octets_.size() > kHeadOctets)
    return refuse(431, "the request line and headers are too long");
  if (phase_ != Phase::head && ++frame_ > kFrameOctets)
    return refuse(413, "too many chunks for so little content");
  if (octet != '\n') return;
  const auto line = std::string_view(octets_).substr(line_begin_);
  line_begin_ = octets_.size();
  if (!line.ends_with("\r\n")) return refuse(400, "a line does not end with CR LF");
  end_line(line.substr(0, line.size() - 2));
}

void RequestFramer::end_line(std::string_view line) {
  switch (phase_) {
    case Phase::head:
      if (line.empty()) return end_head();
      if (++lines_ > kHeadLines) return refuse(431, "too many headers");
      if (lines_ > 1) read_header(line);
      return;
    case Phase::chunk_size:
      return read_chunk_size(line);
    case Phase::chunk_end:
      if (!line.empty()) return refuse(400, "a chunk is longer than it says");
      phase_ = Phase::chunk_size;
      return;
    case Phase::last_line:
      if (!line.empty()) return refuse(400, "headers behind the chunks are not taken");
      phase_ = Phase::complete;
      return;
    case Phase::content:
    case Phase::chunk:
    case Phase::complete:
      return;  // have no lines
  }
}

void RequestFramer::read_header(std::string_view line) {
  const auto colon = line.find(':');
  if (colon == std::string_view::npos || colon == 0) return refuse(400, "a header without a name");
  const auto name = line.substr(0, colon);
  // RFC 9112 §5.1 and §5.2: a blank before the colon, or a line that goes on with the one before,
  // is where two readers see two requests.
  if (name.find_first_of(" \t") != std::string_view::npos)
    return refuse(400, "a blank in the name of a header");
  const auto value = trimmed(line.substr(colon + 1));
  if (is_same_word(name, "content-length")) {
    const auto length = number_in(value, 10);
    if (!length || length_) return refuse(400, "Content-Length must be one number");
    length_ = length;
  } else if (is_same_word(name, "authorization")) {
    if (!authorization_.empty()) return refuse(400, "Authorization must be there once");
    authorization_ = value;
  } else if (is_same_word(name, "transfer-encoding")) {
    if (is_chunked_ || !is_same_word(value, "chunked"))
      return refuse(501, "Transfer-Encoding may be chunked, and nothing else");
    is_chunked_ = true;
  }
}

std::size_t RequestFramer::most_content() const {
  const auto asked = first_line();
  const auto is_for = [&](std::string_view route) {
    if (!asked.starts_with(route)) return false;
    const auto rest = asked.substr(route.size());
    return rest.starts_with(' ') || rest.starts_with('?');
  };
  if (is_for("POST /api/v1/tlsrpt")) return kReportOctets;
  return is_for("POST /api/v1/certificates") ? kCertificateOctets : kBodyOctets;
}

void RequestFramer::end_head() {
  if (lines_ == 0) return refuse(400, "no request line");
  if (is_chunked_ && length_) return refuse(400, "both Content-Length and Transfer-Encoding");
  if (length_.value_or(0) > most_content()) return refuse(413, "the content is too long");
  left_ = length_.value_or(0);
  phase_ = is_chunked_ ? Phase::chunk_size : left_ > 0 ? Phase::content : Phase::complete;
}

void RequestFramer::read_chunk_size(std::string_view line) {
  const auto size = number_in(trimmed(line.substr(0, line.find(';'))), 16);
  if (!size) return refuse(400, "a chunk without a size");
  if (*size > most_content() - content_) return refuse(413, "the content is too long");
  content_ += *size;
  left_ = *size;
  phase_ = left_ > 0 ? Phase::chunk : Phase::last_line;
}

std::size_t RequestFramer::take_content(std::string_view octets) {
  const auto count = std::min(octets.size(), left_);
  octets_.append(octets.substr(0, count));
  line_begin_ = octets_.size();
  left_ -= count;
  if (left_ == 0) phase_ = phase_ == Phase::content ? Phase::complete : Phase::chunk_end;
  return count;
}

}  // namespace web
