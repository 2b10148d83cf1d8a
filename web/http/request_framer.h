#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

// PURE
namespace web {

// Gathers the octets of one HTTP/1.1 request until it is there as a whole, so that nobody who
// serves it ever waits for a client. It looks only at what tells where the request ends (RFC 9112
// §6); what is in it is for others to read. Stricter than they are: a request whose end could be
// understood in two ways is refused.
class RequestFramer {
 public:
  static constexpr std::size_t kHeadOctets = 32 * 1024;  // request line and headers
  static constexpr int kHeadLines = 101;                 // the request line and 100 headers
  static constexpr std::size_t kBodyOctets = 64 * 1024;  // as content, without the chunks' frame
  // The same of a report of a sender: of a day's mail at a large one, unpacked. No other request
  // has so much to say, and everybody who may connect can make us hold it.
  static constexpr std::size_t kReportOctets = 1024 * 1024;
  // Of a certificate with its issuers: some hold two thousand names.
  static constexpr std::size_t kCertificateOctets = 256 * 1024;
  static constexpr std::size_t kFrameOctets = 16 * 1024;  // of chunks: sizes and line ends

  // Why a request is refused: the status to answer with, and words for the client.
  struct Refusal {
    int status = 400;
    std::string_view why;
  };

  // The next octets of the client; those behind the end of the request are dropped. Not to be
  // called once the request is complete or refused.
  void take(std::string_view octets);

  [[nodiscard]] bool is_complete() const { return phase_ == Phase::complete; }
  [[nodiscard]] const std::optional<Refusal>& refusal() const { return refusal_; }
  // The value of the header Authorization; empty without one.
  [[nodiscard]] const std::string& authorization() const { return authorization_; }
  // What is asked for: method and target, with the query.
  [[nodiscard]] std::string_view first_line() const {
    return std::string_view(octets_).substr(0, octets_.find("\r\n"));
  }
  // All of the request, as the client sent it.
  [[nodiscard]] std::string release() && { return std::move(octets_); }

 private:
  enum class Phase { head, content, chunk_size, chunk, chunk_end, last_line, complete };

  void take_line_octet(char octet);
  void end_line(std::string_view line);
  void read_header(std::string_view line);
  void end_head();
  void read_chunk_size(std::string_view line);
  [[nodiscard]] std::size_t most_content() const;
  std::size_t take_content(std::string_view octets);
  void refuse(int status, std::string_view why) { refusal_ = {status, why}; }

  std::string octets_;
  std::size_t line_begin_ = 0;  // in octets_
  Phase phase_ = Phase::head;
  int lines_ = 0;
  bool is_chunked_ = false;
  std::optional<std::size_t> length_;  // Content-Length
  std::string authorization_;
  std::size_t left_ = 0;     // of the content, or of the chunk
  std::size_t content_ = 0;  // of all chunks
  std::size_t frame_ = 0;
  std::optional<Refusal> refusal_;
};

}  // namespace web
