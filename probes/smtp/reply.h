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
  int code = 0;                    // three digits, any, of the last line
  std::vector<std::string> lines;  // text behind the code and its separator; at most kMaxLines
  bool cut = false;                // something was too long to be kept whole
  // What Postfix reads of it: of each line the word behind the code, also where that is none, of
  // those lines that begin in the first kMostRead octets. In EHLO's reply the first is the server's
  // name, and each later one a keyword.
  std::vector<std::string> words = {};
  bool has_stray_lines = false;   // lines without a code, which Postfix passes over
  bool has_endless_line = false;  // at which Postfix 3.10.13 and later hang up
  // As a banner: nothing but what a PIX firewall leaves of one, so that Postfix says HELO.
  bool is_blotted = false;
  [[nodiscard]] std::string text() const;  // the lines joined by one blank
};

enum class ReplyFault { too_long };

// Takes octets as they come and says when a reply is whole. Lines without a code are passed over. A
// line longer than kMaxLineKept is read to its end but kept only so far (RFC 5321 §4.5.3.1.5 allows
// 512; servers exceed it); a reply over kMaxReply octets is a fault.
class ReplyReader {
 public:
  static constexpr std::size_t kMaxLineKept = 2048;       // line_length_limit of Postfix
  static constexpr std::size_t kMostRead = kMaxLineKept;  // of a whole reply, by Postfix
  static constexpr std::size_t kEndlessLine = 2 * kMaxLineKept;
  static constexpr std::size_t kMaxLines = 128;
  static constexpr std::size_t kMaxReply = 64 * 1024;

  // Consumes octets up to the end of one reply; returns how many. What is left belongs to the next
  // reply.
  std::size_t feed(std::span<const char> octets);
  // The reply, once whole; taking it readies the reader for the next one.
  [[nodiscard]] std::optional<Reply> take();
  [[nodiscard]] std::optional<ReplyFault> fault() const { return fault_; }
  // Of the reply under way: something came, and it is no reply so far.
  [[nodiscard]] bool has_only_strays() const {
    return reply_.has_stray_lines && reply_.lines.empty();
  }

 private:
  void end_line();
  void read_as_postfix(std::string_view line);

  Reply reply_;
  std::string line_;
  std::size_t line_octets_ = 0;
  std::size_t read_ = 0;  // octets that Postfix has kept of the reply
  bool is_blotted_ = true;
  std::size_t octets_ = 0;
  bool whole_ = false;
  std::optional<ReplyFault> fault_;
};

// Whether an EHLO reply lists the keyword (first word of a line from the second on, any case: RFC
// 5321 §4.1.1.1).
[[nodiscard]] bool offers(const Reply& ehlo, std::string_view keyword);
// Whether it does so for Postfix.
[[nodiscard]] bool offers_to_postfix(const Reply& ehlo, std::string_view keyword);

// Whether a line of the EHLO reply looks like STARTTLS overwritten by a middlebox ("XXXXXXXA", RFC
// 7672 §1.3.1).
[[nodiscard]] bool has_masked_starttls(const Reply& ehlo);

}  // namespace probes::smtp
