#include "probes/reports/report_mail.h"

#include <algorithm>
#include <array>
#include <memory>
#include <optional>
#include <utility>

#include <gmime/gmime.h>

namespace probes::reports {
namespace {

using config::Failure;
using Parts = config::Result<std::vector<MailPart>, std::string>;

struct Unref {
  void operator()(void* object) const { g_object_unref(object); }
};
template <class T>
using Owned = std::unique_ptr<T, Unref>;

struct Library {
  Library() { g_mime_init(); }
};

char lower(char c) {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}

bool is_equal_ignoring_case(std::string_view a, std::string_view b) {
  return std::ranges::equal(a, b, [](char x, char y) { return lower(x) == lower(y); });
}

constexpr std::size_t kMostDashed = 1000;
constexpr std::size_t kMostFields = 5000;      // of all parts, and what looks like one
constexpr std::size_t kLongestField = 65'536;  // octets, with the lines that go on with it

// Lines that begin a Content-Type. The library descends into a part by calling itself, and every
// part that others are in has such a line: their number bounds the depth before it begins.
std::size_t count_content_types(std::string_view mail) {
  constexpr std::string_view kField = "content-type:";
  std::size_t out = 0;
  for (std::size_t at = 0; at < mail.size();) {
    if (is_equal_ignoring_case(mail.substr(at, kField.size()), kField)) ++out;
    const auto end = mail.find('\n', at);
    if (end == std::string_view::npos) break;
    at = end + 1;
  }
  return out;
}

// Some write empty lines in front of the head.
std::string_view without_blank_lines(std::string_view mail) {
  while (mail.starts_with('\n') || mail.starts_with("\r\n"))
    mail.remove_prefix(mail.front() == '\n' ? 1 : 2);
  return mail;
}

// Lines that may be a boundary. A part needs no field, and costs the library kilobytes all the
// same.
std::size_t count_dashed(std::string_view mail) {
  std::size_t out = mail.starts_with("--") ? 1 : 0;
  for (auto at = mail.find("\n--"); at != std::string_view::npos; at = mail.find("\n--", at + 1))
    ++out;
  return out;
}

bool goes_on(std::string_view line) {
  return line.starts_with(' ') || line.starts_with('\t');
}

// Of a line that begins with the name of a field and its colon: how long the name is; else 0.
std::size_t field_name_length(std::string_view line) {
  const auto end =
      line.find_first_not_of("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_");
  return end != std::string_view::npos && line[end] == ':' ? end : 0;
}

// The next line with its end, taken off the text, which is not empty.
std::string_view take_line(std::string_view& text) {
  const auto line = text.substr(0, std::min(text.find('\n'), text.size() - 1) + 1);
  text.remove_prefix(line.size());
  return line;
}

// Each field costs the library a multiple of its length.
const char* fault_of_fields(std::string_view mail) {
  std::size_t fields = 0, length = 0;
  bool is_field = false;
  while (!mail.empty()) {
    const auto line = take_line(mail);
    if (!goes_on(line)) {
      is_field = field_name_length(line) > 0;
      length = 0;
      if (is_field && ++fields > kMostFields) return "more header fields than a mail may have";
    }
    length += line.size();
    if (is_field && length > kLongestField) return "a header field that is too long";
  }
  return nullptr;
}

// Whether a line begins a field of addresses.
bool has_addresses(std::string_view line) {
  constexpr auto kFields =
      std::to_array<std::string_view>({"from", "sender", "reply-to", "to", "cc", "bcc"});
  const auto end = line.find_first_of(": \t");
  if (end == std::string_view::npos) return false;
  const auto rest = line.substr(end);
  const auto colon = rest.find_first_not_of(" \t");
  return colon != std::string_view::npos && rest[colon] == ':' &&
         std::ranges::any_of(kFields, [&](std::string_view field) {
           return is_equal_ignoring_case(line.substr(0, end), field);
         });
}

// The mail without its addresses, of whatever part: nobody here wants them, and the library reads
// them in time that grows with the square of their number, groups of them ("a:a:a:…") by calling
// itself, deeper with each colon.
std::string without_addresses(std::string_view mail) {
  std::string out;
  out.reserve(mail.size());
  bool is_dropped = false;
  while (!mail.empty()) {
    const auto line = take_line(mail);
    if (!goes_on(line)) is_dropped = has_addresses(line);
    if (!is_dropped) out += line;
  }
  return out;
}

bool is_of_type(GMimeObject* part, const char* type, const char* subtype) {
  auto* of = g_mime_object_get_content_type(part);
  return of != nullptr && g_mime_content_type_is_type(of, type, subtype) != 0;
}

bool is_declared(GMimeObject* part) {
  if (is_of_type(part, "application", "tlsrpt+gzip") ||
      is_of_type(part, "application", "tlsrpt+json"))
    return true;
  const char* name = g_mime_part_get_filename(GMIME_PART(part));
  std::string file = name == nullptr ? "" : name;
  std::ranges::transform(file, file.begin(), lower);
  return file.ends_with(".json") || file.ends_with(".json.gz");
}

bool may_be_report(GMimeObject* part) {
  if (is_declared(part) || is_of_type(part, "text", "json")) return true;
  for (const auto* subtype :
       {"gzip", "x-gzip", "json", "octet-stream", "x-gunzip", "gzip-compressed"}) {
    if (is_of_type(part, "application", subtype)) return true;
  }
  return false;
}

// RFC 2046 §5.2.1 has no mail in a mail encoded, but some do, and the library then leaves it as it
// is.
bool is_message(GMimeObject* part) {
  return is_of_type(part, "message", "rfc822");
}

std::string decoded(GMimePart* part) {
  auto* content = g_mime_part_get_content(part);
  if (content == nullptr) return {};
  const Owned<GMimeStream> stream(g_mime_stream_mem_new());
  g_mime_data_wrapper_write_to_stream(content, stream.get());
  const auto* octets = g_mime_stream_mem_get_byte_array(GMIME_STREAM_MEM(stream.get()));
  if (octets == nullptr || octets->data == nullptr) return {};
  return {reinterpret_cast<const char*>(octets->data), octets->len};
}

std::optional<std::string> gather_of_mail(std::string_view mail, int depth,
                                          std::vector<MailPart>& out);

void gather(GMimeObject* object, int depth, std::vector<MailPart>& out) {
  if (object == nullptr || depth > kDeepestPart || out.size() >= kMostParts) return;
  if (GMIME_IS_MULTIPART(object)) {
    auto* multipart = GMIME_MULTIPART(object);
    const int count = g_mime_multipart_get_count(multipart);
    for (int i = 0; i < count; ++i) gather(g_mime_multipart_get_part(multipart, i), depth + 1, out);
  } else if (GMIME_IS_MESSAGE_PART(object)) {  // forwarded whole
    auto* message = g_mime_message_part_get_message(GMIME_MESSAGE_PART(object));
    if (message != nullptr) gather(g_mime_message_get_mime_part(message), depth + 1, out);
  } else if (GMIME_IS_PART(object) && is_message(object)) {  // the same, encoded
    (void)gather_of_mail(decoded(GMIME_PART(object)), depth + 1, out);
  } else if (GMIME_IS_PART(object) && may_be_report(object)) {
    if (auto octets = decoded(GMIME_PART(object)); !octets.empty())
      out.push_back({.octets = std::move(octets), .is_declared = is_declared(object)});
  }
}

// What keeps it from being read at all.
std::optional<std::string> gather_of_mail(std::string_view mail, int depth,
                                          std::vector<MailPart>& out) {
  mail = without_blank_lines(mail);
  if (mail.size() > kMostMail) return "more octets than a mail may have";
  if (count_content_types(mail) > kMostParts || count_dashed(mail) > kMostDashed)
    return "more parts than a mail may have";
  static const Library library;
  const auto kept = without_addresses(mail);
  if (const char* fault = fault_of_fields(kept); fault != nullptr) return fault;
  const Owned<GMimeStream> stream(g_mime_stream_mem_new_with_buffer(kept.data(), kept.size()));
  const Owned<GMimeParser> parser(g_mime_parser_new_with_stream(stream.get()));
  // A mailbox of several mails begins with "From ", as each of them does.
  const bool is_mailbox = mail.starts_with("From ");
  if (is_mailbox) g_mime_parser_set_format(parser.get(), GMIME_FORMAT_MBOX);
  std::size_t mails = 0;
  do {
    const Owned<GMimeMessage> message(g_mime_parser_construct_message(parser.get(), nullptr));
    if (!message) break;
    gather(g_mime_message_get_mime_part(message.get()), depth, out);
  } while (is_mailbox && ++mails < kMostParts && g_mime_parser_eos(parser.get()) == 0);
  return std::nullopt;
}

}  // namespace

Parts parts_of_mail(std::string_view mail) {
  std::vector<MailPart> out;
  if (auto fault = gather_of_mail(mail, 0, out)) return Failure<std::string>(*std::move(fault));
  if (out.empty()) return Failure<std::string>("no part of the mail is a report");
  return out;
}

bool is_mail(std::string_view octets) {
  octets = without_blank_lines(octets);
  // "From " of an mbox, or the name of a field and its colon.
  if (octets.starts_with("From ")) return true;
  const auto length = field_name_length(octets);
  return length > 0 && length < 100;
}

}  // namespace probes::reports
