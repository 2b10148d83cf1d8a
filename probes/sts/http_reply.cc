#include "probes/sts/http_reply.h"

#include <algorithm>
#include <cassert>
#include <utility>

namespace probes::sts {
namespace {

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

char lower(char c) {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}

bool equal_folded(std::string_view a, std::string_view b) {
  return std::ranges::equal(a, b, {}, lower, lower);
}

// RFC 9110 §5.6.2.
bool is_token(std::string_view text) {
  constexpr std::string_view kMarks = "!#$%&'*+-.^_`|~";
  return !text.empty() && std::ranges::all_of(text, [&](char c) {
    return (lower(c) >= 'a' && lower(c) <= 'z') || is_digit(c) || kMarks.find(c) != kMarks.npos;
  });
}

// RFC 9110 §5.5: no control characters but the tab.
bool is_field_value(std::string_view text) {
  return std::ranges::none_of(text, [](char c) {
    return (static_cast<unsigned char>(c) < 0x20 && c != '\t') || c == 0x7f;
  });
}

std::string_view trim(std::string_view text) {
  const auto is_blank = [](char c) { return c == ' ' || c == '\t'; };
  while (!text.empty() && is_blank(text.front())) text.remove_prefix(1);
  while (!text.empty() && is_blank(text.back())) text.remove_suffix(1);
  return text;
}

// At most 15 digits of the base, so that no sum overflows; nothing else.
std::optional<std::uint64_t> parse_number(std::string_view text, unsigned base) {
  if (text.empty() || text.size() > 15) return std::nullopt;
  std::uint64_t value = 0;
  for (const char c : text) {
    unsigned digit = base;
    if (is_digit(c)) digit = static_cast<unsigned>(c - '0');
    if (lower(c) >= 'a' && lower(c) <= 'f') digit = static_cast<unsigned>(lower(c) - 'a') + 10;
    if (digit >= base) return std::nullopt;
    value = value * base + digit;
  }
  return value;
}

bool is_bodyless(int status) {
  return status == 204 || status == 304;
}

}  // namespace

std::size_t HttpReplyReader::feed(std::span<const char> octets) {
  std::string_view rest{octets.data(), octets.size()};
  while (!rest.empty() && !fault_ && state_ != State::whole) {
    switch (state_) {
      case State::counted:
      case State::to_close:
      case State::chunk:
        rest.remove_prefix(take_body(rest));
        break;
      case State::status:
      case State::fields:
      case State::chunk_size:
      case State::chunk_end:
      case State::trailers:
        rest.remove_prefix(take_line(rest));
        break;
      case State::whole:
        break;
    }
  }
  return octets.size() - rest.size();
}

void HttpReplyReader::end() {
  if (fault_ || state_ == State::whole) return;
  if (state_ == State::to_close) {
    state_ = State::whole;
  } else {
    fail(HttpFault::cut_off, has_head_ ? "the connection ended within the body"
                                       : "the connection ended before the reply");
  }
}

std::size_t HttpReplyReader::take_line(std::string_view octets) {
  auto& total = has_head_ ? framing_ : head_;
  const auto bound = has_head_ ? kMaxFraming : kMaxHead;
  const auto end = octets.find('\n');
  auto size = end == octets.npos ? octets.size() : end + 1;
  if (size > bound - total) {
    size = bound - total + 1;
    fail(HttpFault::head_size, has_head_ ? "more than 64 KiB of chunk sizes and trailers"
                                         : "a header of more than 16 KiB");
    return size;
  }
  total += size;
  line_.append(octets.substr(0, size));
  if (end == octets.npos) return size;
  const std::string line = std::exchange(line_, {});
  if (!line.ends_with("\r\n")) {
    fail(HttpFault::malformed, "a line that does not end with CR LF");
  } else {
    read_line(std::string_view{line}.substr(0, line.size() - 2));
  }
  return size;
}

std::size_t HttpReplyReader::take_body(std::string_view octets) {
  const auto wanted = state_ == State::to_close
                          ? octets.size()
                          : static_cast<std::size_t>(std::min<std::uint64_t>(left_, octets.size()));
  const auto room = kMaxBody - reply_.body.size();
  if (wanted > room) {
    reply_.body.append(octets.substr(0, room));
    fail(HttpFault::body_size, "a body of more than 64 KiB");
    return room + 1;
  }
  reply_.body.append(octets.substr(0, wanted));
  if (state_ == State::to_close) return wanted;
  left_ -= wanted;
  if (left_ == 0) state_ = state_ == State::chunk ? State::chunk_end : State::whole;
  return wanted;
}

void HttpReplyReader::read_line(std::string_view line) {
  switch (state_) {
    case State::status:
      return read_status(line);
    case State::fields:
      return line.empty() ? end_head() : read_field(line);
    case State::chunk_size:
      return read_chunk_size(line);
    case State::chunk_end:
      if (!line.empty()) return fail(HttpFault::malformed, "a chunk longer than it said");
      state_ = State::chunk_size;
      return;
    case State::trailers:
      if (line.empty()) state_ = State::whole;
      return;  // trailer fields mean nothing to us (RFC 9110 §6.5.1)
    case State::counted:
    case State::to_close:
    case State::chunk:
    case State::whole:
      break;
  }
  assert(false && "these states take no lines");
}

// HTTP-version SP status-code SP [ reason-phrase ], RFC 9112 §4; servers leave out the last blank.
void HttpReplyReader::read_status(std::string_view line) {
  is_http_1_0_ = line.starts_with("HTTP/1.0 ");
  const bool is_http = is_http_1_0_ || line.starts_with("HTTP/1.1 ");
  const auto code = line.substr(std::min<std::size_t>(line.size(), 9), 3);
  if (!is_http || code.size() != 3 || !std::ranges::all_of(code, is_digit) || code[0] < '1' ||
      code[0] > '5' || (line.size() > 12 && line[12] != ' ') || !is_field_value(line)) {
    return fail(HttpFault::malformed, "no HTTP/1 status line");
  }
  reply_.status = (code[0] - '0') * 100 + (code[1] - '0') * 10 + (code[2] - '0');
  state_ = State::fields;
}

void HttpReplyReader::read_field(std::string_view line) {
  const auto colon = line.find(':');
  // A blank before the colon or at the line's begin (a folded line) makes no token either.
  if (colon == line.npos || !is_token(line.substr(0, colon)) || !is_field_value(line))
    return fail(HttpFault::malformed, "a header line that is no field");
  const auto name = line.substr(0, colon);
  const auto value = trim(line.substr(colon + 1));
  if (equal_folded(name, "content-length")) {
    const auto length = parse_number(value, 10);
    if (!length || content_length_)
      return fail(HttpFault::malformed, "a Content-Length that is not one number");
    content_length_ = length;
  } else if (equal_folded(name, "transfer-encoding")) {
    if (!equal_folded(value, "chunked") || is_chunked_)
      return fail(HttpFault::malformed, "a Transfer-Encoding other than chunked");
    is_chunked_ = true;
  } else if (equal_folded(name, "content-encoding")) {
    if (!equal_folded(value, "identity"))
      return fail(HttpFault::malformed, "a Content-Encoding nobody asked for");
  } else if (equal_folded(name, "content-type")) {
    if (reply_.content_type) return fail(HttpFault::malformed, "more than one Content-Type");
    reply_.content_type = std::string(value);
  } else if (equal_folded(name, "location") && !reply_.location) {
    reply_.location = std::string(value);
  }
}

void HttpReplyReader::end_head() {
  if (reply_.status == 101) return fail(HttpFault::malformed, "an upgrade nobody asked for");
  if (is_chunked_ && (content_length_ || is_http_1_0_))
    return fail(HttpFault::malformed, "a body whose length two readers may understand differently");
  if (reply_.status < 200) {  // interim: the final one follows, within the same bound
    reply_ = {};
    content_length_.reset();
    is_chunked_ = false;
    state_ = State::status;
    return;
  }
  has_head_ = true;
  if (is_bodyless(reply_.status)) {
    state_ = State::whole;
  } else if (is_chunked_) {
    state_ = State::chunk_size;
  } else if (!content_length_) {
    state_ = State::to_close;
  } else {
    left_ = *content_length_;
    state_ = left_ == 0 ? State::whole : State::counted;
    if (left_ > kMaxBody) fail(HttpFault::body_size, "a body of more than 64 KiB");
  }
}

// chunk-size [ chunk-ext ], RFC 9112 §7.1: extensions are passed over.
void HttpReplyReader::read_chunk_size(std::string_view line) {
  const auto size = parse_number(trim(line.substr(0, line.find(';'))), 16);
  if (!size || line.front() == ' ' || line.front() == '\t')
    return fail(HttpFault::malformed, "no chunk size");
  left_ = *size;
  state_ = left_ == 0 ? State::trailers : State::chunk;
  if (left_ > kMaxBody - reply_.body.size())
    fail(HttpFault::body_size, "a body of more than 64 KiB");
}

void HttpReplyReader::fail(HttpFault fault, std::string detail) {
  fault_ = fault;
  detail_ = std::move(detail);
}

bool is_text_plain(std::string_view content_type) {
  return equal_folded(trim(content_type.substr(0, content_type.find(';'))), "text/plain");
}

}  // namespace probes::sts
