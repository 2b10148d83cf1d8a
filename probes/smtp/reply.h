#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

// PURE
namespace probes::smtp {

// One SMTP reply (RFC 5321 §4.2), multi-line replies joined. Text is as received, bounded, not
// escaped.
struct Reply {
  int code = 0;                    // 200–599, of the last line
  std::vector<std::string> lines;  // text behind the code and its separator; at most kMaxLines
  bool cut = false;                // something was too long to be kept whole
  [[nodiscard]] std::string text() const;  // the lines joined by one blank
};

enum class ReplyFault { malformed, too_long };

// Takes octets as they come and says when a reply is whole. A line longer than kMaxLineKept is read
// to its end but kept only so far (RFC 5321 §4.5.3.1.5 allows 512; servers exceed it); a reply over
// kMaxReply octets is a fault.
class ReplyReader {
 public:
  static constexpr std::size_t kMaxLineKept = 1024;
  static constexpr std::size_t kMaxLines = 128;
  static constexpr std::size_t kMaxReply = 64 * 1024;

  // Consumes octets up to the end of one reply; returns how many. What is left belongs to the next
  // reply.
  std::size_t feed(std::span<const char> octets);
  // The reply, once whole; taking it readies the reader for the next one.
  [[nodiscard]] std::optional<Reply> take();
  [[nodiscard]] std::optional<ReplyFault> fault() const { return fault_; }

 private:
  void end_line();

  Reply reply_;
  std::string line_;
  std::size_t octets_ = 0;
  bool whole_ = false;
  std::optional<ReplyFault> fault_;
};

// Whether an EHLO reply lists the keyword (first word of a line from the second on, any case: RFC
// 5321 §4.1.1.1).
[[nodiscard]] bool offers(const Reply& ehlo, std::string_view keyword);

// Whether a line of the EHLO reply looks like STARTTLS overwritten by a middlebox ("XXXXXXXA", RFC
// 7672 §1.3.1).
[[nodiscard]] bool has_masked_starttls(const Reply& ehlo);

}  // namespace probes::smtp
