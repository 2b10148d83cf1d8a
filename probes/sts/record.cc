#include "probes/sts/record.h"

#include <algorithm>
#include <cstddef>
#include <optional>
#include <utility>

namespace probes::sts {
namespace {

// What both grammars share. Bounds of names and values: RFC 8461 §3.1, RFC 8460 §3.
constexpr std::size_t kMaxFieldName = 32;
constexpr std::size_t kMaxId = 32;

bool is_alphanumeric(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

bool is_blank(char c) {
  return c == ' ' || c == '\t';
}

std::string_view trim_front(std::string_view text) {
  while (!text.empty() && is_blank(text.front())) text.remove_prefix(1);
  return text;
}

std::string_view trim_back(std::string_view text) {
  while (!text.empty() && is_blank(text.back())) text.remove_suffix(1);
  return text;
}

// The parts between delimiters. Blanks belong to a delimiter beside them and are nowhere else.
std::vector<std::string_view> parts_of(std::string_view text, char delimiter) {
  std::vector<std::string_view> parts;
  while (true) {
    const auto at = text.find(delimiter);
    if (at == text.npos) break;
    parts.push_back(trim_back(text.substr(0, at)));
    text = trim_front(text.substr(at + 1));
  }
  parts.push_back(text);
  return parts;
}

std::optional<std::string> join(const Bytes& rdata) {
  std::string text;
  for (std::size_t at = 0; at < rdata.size();) {
    const std::size_t length = rdata[at++];
    if (length > rdata.size() - at) return std::nullopt;
    text.append(rdata.begin() + static_cast<std::ptrdiff_t>(at),
                rdata.begin() + static_cast<std::ptrdiff_t>(at + length));
    at += length;
  }
  return text;
}

// The part behind `version` of the records that begin with it.
std::vector<std::string> of_version(const std::vector<Bytes>& txt, std::string_view version) {
  std::vector<std::string> found;
  for (const auto& rdata : txt) {
    // The ABNF would let blanks stand before the semicolon, the prose discards such records: the
    // prose decides, as erratum 6285 has it.
    if (auto text = join(rdata); text && text->starts_with(version))
      found.push_back(text->substr(version.size()));
  }
  return found;
}

struct Field {
  std::string_view name, value;
};

bool is_field_name(std::string_view name) {
  return !name.empty() && name.size() <= kMaxFieldName && is_alphanumeric(name.front()) &&
         std::ranges::all_of(
             name, [](char c) { return is_alphanumeric(c) || c == '_' || c == '-' || c == '.'; });
}

bool is_visible(char c) {
  return c >= 0x21 && c <= 0x7e;
}

// The fields behind "v=…;". `words` says why there are none.
std::optional<std::vector<Field>> split(std::string_view text, std::string& words) {
  auto parts = parts_of(trim_front(text), ';');
  if (parts.back().empty()) parts.pop_back();  // the delimiter at the end is optional
  std::vector<Field> fields;
  for (const auto part : parts) {
    const auto equals = part.find('=');
    if (part.empty() || equals == part.npos) {
      words = part.empty() ? "an empty field" : "a field without \"=\"";
      return std::nullopt;
    }
    const Field field{.name = part.substr(0, equals), .value = part.substr(equals + 1)};
    if (!is_field_name(field.name)) {
      words = "a field name that is none";
      return std::nullopt;
    }
    fields.push_back(field);
  }
  return fields;
}

// An extension's value: visible ASCII without "=" and ";".
bool is_extension_value(std::string_view value) {
  return !value.empty() &&
         std::ranges::all_of(value, [](char c) { return is_visible(c) && c != '=' && c != ';'; });
}

const Field* find(const std::vector<Field>& fields, std::string_view name) {
  const auto it = std::ranges::find(fields, name, &Field::name);
  return it == fields.end() ? nullptr : &*it;
}

bool has_bad_extension(const std::vector<Field>& fields, std::string_view known) {
  return std::ranges::any_of(fields, [&](const Field& field) {
    return field.name != known && !is_extension_value(field.value);
  });
}

// The one field a record must have, of those that `read` finds in its text.
struct Reading {
  RecordState state = RecordState::absent;
  std::string value;
  std::string detail;
};

Reading read(const std::vector<Bytes>& txt, std::string_view version, std::string_view known) {
  const auto malformed = [](std::string words) {
    return Reading{.state = RecordState::malformed, .detail = std::move(words)};
  };
  const auto records = of_version(txt, version);
  if (records.empty()) return {};
  if (records.size() > 1) {
    return {.state = RecordState::several,
            .detail = std::to_string(records.size()) + " records begin with \"" +
                      std::string(version) + "\""};
  }
  std::string words;
  const auto fields = split(records.front(), words);
  if (!fields) return malformed(std::move(words));
  const auto* field = find(*fields, known);
  if (field == nullptr) return malformed("no field \"" + std::string(known) + "\"");
  if (has_bad_extension(*fields, known)) return malformed("an unknown field with a bad value");
  return {.state = RecordState::valid, .value = std::string(field->value)};
}

bool is_hex_digit(char c) {
  return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}

// Whether only characters of RFC 3986 are in it, those that RFC 8460 §3 reserves percent-encoded.
bool has_uri_characters(std::string_view uri) {
  constexpr std::string_view kMarks = "-._~:/?#[]@$&'()*+=";  // without "!", "," and ";"
  for (std::size_t i = 0; i < uri.size(); ++i) {
    if (uri[i] == '%') {
      if (uri.size() - i < 3 || !is_hex_digit(uri[i + 1]) || !is_hex_digit(uri[i + 2]))
        return false;
    } else if (!is_alphanumeric(uri[i]) && kMarks.find(uri[i]) == kMarks.npos) {
      return false;
    }
  }
  return true;
}

bool is_scheme(std::string_view scheme) {
  return !scheme.empty() && !(scheme.front() >= '0' && scheme.front() <= '9') &&
         is_alphanumeric(scheme.front()) && std::ranges::all_of(scheme, [](char c) {
           return is_alphanumeric(c) || c == '+' || c == '-' || c == '.';
         });
}

std::string folded(std::string_view text) {
  std::string out(text);
  for (auto& c : out)
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  return out;
}

enum class Uri { reportable, other_scheme, broken };

Uri judge_uri(std::string_view uri) {
  const auto colon = uri.find(':');
  if (colon == uri.npos || !has_uri_characters(uri) || !is_scheme(uri.substr(0, colon)))
    return Uri::broken;
  const auto scheme = folded(uri.substr(0, colon));
  const auto rest = uri.substr(colon + 1);
  if (scheme == "mailto") {
    const auto address = rest.substr(0, rest.find('?'));
    const auto at = address.find('@');
    return at == address.npos || at == 0 || at + 1 == address.size() ? Uri::broken
                                                                     : Uri::reportable;
  }
  if (scheme == "https") {
    if (!rest.starts_with("//")) return Uri::broken;
    const auto authority = rest.substr(2, rest.find_first_of("/?#", 2) - 2);
    return authority.empty() ? Uri::broken : Uri::reportable;
  }
  return Uri::other_scheme;
}

}  // namespace

std::string_view wire_name(RecordState state) {
  switch (state) {
    case RecordState::absent:
      return "absent";
    case RecordState::valid:
      return "valid";
    case RecordState::several:
      return "several";
    case RecordState::malformed:
      return "malformed";
  }
  return "";
}

StsRecord read_sts_record(const std::vector<Bytes>& txt) {
  auto reading = read(txt, "v=STSv1;", "id");
  if (reading.state != RecordState::valid)
    return {.state = reading.state, .detail = std::move(reading.detail)};
  if (reading.value.empty() || reading.value.size() > kMaxId ||
      !std::ranges::all_of(reading.value, is_alphanumeric)) {
    return {.state = RecordState::malformed, .detail = "id is not 1 to 32 letters and digits"};
  }
  return {.state = RecordState::valid, .id = std::move(reading.value)};
}

TlsrptRecord read_tlsrpt_record(const std::vector<Bytes>& txt) {
  auto reading = read(txt, "v=TLSRPTv1;", "rua");
  if (reading.state != RecordState::valid)
    return {.state = reading.state, .detail = std::move(reading.detail)};
  const auto malformed = [](std::string words) {
    return TlsrptRecord{.state = RecordState::malformed, .detail = std::move(words)};
  };
  TlsrptRecord record{.state = RecordState::valid};
  bool is_reportable = false;
  for (const auto uri : parts_of(reading.value, ',')) {
    const auto judged = judge_uri(uri);
    if (judged == Uri::broken) return malformed("rua has something that is no URI to report to");
    if (record.rua.size() == kMaxReportUris) return malformed("rua has too many URIs");
    is_reportable = is_reportable || judged == Uri::reportable;
    record.rua.emplace_back(uri);
  }
  if (!is_reportable) return malformed("rua has no mailto or https URI");
  return record;
}

}  // namespace probes::sts
