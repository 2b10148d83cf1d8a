#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

// PURE
namespace probes::sts {

// The final reply to one GET (RFC 9112, RFC 9110). Texts are from outside: bounded, printable or
// not, to be escaped where shown.
struct HttpReply {
  int status = 0;                           // 200–599
  std::optional<std::string> content_type;  // value of the field, without blanks around it
  std::optional<std::string> location;
  std::string body;  // decoded from its transfer coding
};

enum class HttpFault {
  malformed,  // not HTTP/1, or said in a way that two readers may understand differently
  head_size,  // header fields, interim replies, trailers or chunk framing beyond the bounds
  body_size,  // a body over kMaxBody, announced or sent
  cut_off,    // the connection ended before the reply
};

// Takes a server's octets as they come and says when its reply to a single GET is whole: body by
// Content-Length, chunked, or up to the end of the connection (RFC 9112 §6.3). Interim 1xx replies
// are passed over. Strict, as a reader for one small file can be: CRLF only, no folded lines, no
// Transfer-Encoding but chunked and never beside Content-Length, no Content-Encoding (we ask for
// none), no HTTP/1.0 with a transfer coding. Our own because cpp-httplib 0.11.4, which Debian has,
// bounds neither the time of a whole reply nor the size of its header.
class HttpReplyReader {
 public:
  static constexpr std::size_t kMaxHead = 16 * 1024;     // status line and fields, interim ones too
  static constexpr std::size_t kMaxFraming = 64 * 1024;  // chunk sizes, extensions and trailers
  static constexpr std::size_t kMaxBody = 64 * 1024;

  // Consumes octets up to the end of the reply or a fault; returns how many.
  std::size_t feed(std::span<const char> octets);
  // The connection ended in order: completes a body without a length, and is a fault elsewhere.
  void end();

  // The reply once its header is known, the body as far as it came; null before. Stays readable
  // when a fault of the body follows.
  [[nodiscard]] const HttpReply* head() const { return has_head_ ? &reply_ : nullptr; }
  [[nodiscard]] bool is_whole() const { return state_ == State::whole; }
  [[nodiscard]] std::optional<HttpFault> fault() const { return fault_; }
  [[nodiscard]] const std::string& detail() const { return detail_; }  // of the fault, in words

 private:
  enum class State {
    status,
    fields,
    counted,
    to_close,
    chunk_size,
    chunk,
    chunk_end,
    trailers,
    whole
  };
  std::size_t take_line(std::string_view octets);
  std::size_t take_body(std::string_view octets);
  void read_line(std::string_view line);
  void read_status(std::string_view line);
  void read_field(std::string_view line);
  void read_chunk_size(std::string_view line);
  void end_head();
  void fail(HttpFault fault, std::string detail);

  State state_ = State::status;
  bool has_head_ = false;
  std::optional<HttpFault> fault_;
  std::string detail_;
  HttpReply reply_;
  std::string line_;         // the unfinished one
  std::size_t head_ = 0;     // octets
  std::size_t framing_ = 0;  // octets
  std::uint64_t left_ = 0;   // octets of the body or chunk still to come
  bool is_http_1_0_ = false;
  bool is_chunked_ = false;
  std::optional<std::uint64_t> content_length_;
};

// Whether a Content-Type is text/plain, whatever its parameters (RFC 8461 §3.2).
[[nodiscard]] bool is_text_plain(std::string_view content_type);

}  // namespace probes::sts
