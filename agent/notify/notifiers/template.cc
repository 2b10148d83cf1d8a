#include "agent/notify/notifiers/template.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <optional>

#include <fmt/format.h>
#include <kainjow/mustache.hpp>

#include "agent/alerts/notice.h"
#include "agent/notify/notifiers/render.h"
#include "probes/explain.h"
#include "probes/verdict.h"

namespace agent {
namespace {

namespace mustache = kainjow::mustache;
using config::Failure;
using config::Result;
using Json = nlohmann::ordered_json;

// Names within a list.
constexpr std::string_view kItem = "item", kIsLast = "is_last";

// What is inside the quotes of a JSON string.
std::string escaped(const std::string& text) {
  auto quoted = Json(text).dump(-1, ' ', false, Json::error_handler_t::replace);
  return quoted.substr(1, quoted.size() - 2);
}

// Checks what a template names before anything is filled in: the library passes over names it does
// not know, and over all of a section that does not show.
class Checker {
 public:
  explicit Checker(const TemplateValues& values) : values_(values) {}

  // The first fault.
  std::optional<std::string> fault_of(std::string_view text) {
    while (true) {
      const auto begin = text.find("{{");
      if (begin == text.npos) break;
      const auto end = text.find("}}", begin);
      if (end == text.npos) return "a {{ without its }}";
      if (auto fault = take(text.substr(begin + 2, end - begin - 2))) return fault;
      text.remove_prefix(end + 2);
    }
    if (open_.empty()) return std::nullopt;
    return fmt::format("{} is not closed", shown("#", open_.back()));
  }

 private:
  static constexpr std::size_t kDeepest = 16;

  std::optional<std::string> take(std::string_view tag) {
    const char kind = tag.empty() ? '\0' : tag.front();
    if (kind == '!') return std::nullopt;
    const bool is_section = kind == '#' || kind == '^';
    const auto name = trimmed(is_section || kind == '/' ? tag.substr(1) : tag);
    if (kind == '/') {
      if (open_.empty() || open_.back() != name)
        return fmt::format("{} closes nothing", shown("/", name));
      open_.pop_back();
      if (list_ > open_.size()) list_ = 0;
      return std::nullopt;
    }
    const bool in_list = list_ != 0;
    if (!is_section) {
      if (values_.texts.contains(name) || (in_list && name == kItem)) return std::nullopt;
      return fmt::format("no field {}", shown("", name));
    }
    const bool is_list = values_.lists.contains(name);
    if (!is_list && !values_.texts.contains(name) && !values_.flags.contains(name) &&
        !(in_list && name == kIsLast))
      return fmt::format("no section {}", shown("#", name));
    if (is_list && in_list) return fmt::format("{}: a list within a list", shown("#", name));
    open_.push_back(name);
    if (open_.size() > kDeepest) return "sections within sections, too deep";
    if (is_list && kind == '#') list_ = open_.size();
    return std::nullopt;
  }

  static std::string trimmed(std::string_view name) {
    constexpr std::string_view kBlanks = " \t\r\n\v\f";  // the library's, too
    const auto begin = std::min(name.find_first_not_of(kBlanks), name.size());
    return std::string(name.substr(begin, name.find_last_not_of(kBlanks) + 1 - begin));
  }
  static std::string shown(std::string_view kind, std::string_view name) {
    return fmt::format("{{{{{}{}}}}}", kind, probes::printable(name, 60));
  }

  const TemplateValues& values_;
  std::vector<std::string> open_;  // sections
  std::size_t list_ = 0;           // how deep the list is that is open; 0: none is
};

mustache::data data_of(const TemplateValues& values) {
  mustache::data out;
  // Nothing is no text of no length here: its section does not show.
  for (const auto& [name, text] : values.texts)
    out.set(name, text.empty() ? mustache::data(false) : mustache::data(text));
  for (const auto& [name, flag] : values.flags) out.set(name, flag);
  for (const auto& [name, items] : values.lists) {
    mustache::data list{mustache::data::type::list};
    for (std::size_t i = 0; i < items.size(); ++i) {
      mustache::data item;
      item.set(std::string(kItem), items[i]);
      item.set(std::string(kIsLast), i + 1 == items.size());
      list << item;
    }
    out.set(name, list);
  }
  return out;
}

// What is too long loses its middle: who it is about stands at the begin, what is wrong at the end.
std::string shortened(const std::string& text, std::size_t most) {
  constexpr std::string_view kGap = "…";
  if (text.size() <= most) return text;
  const auto is_inside = [&](std::size_t at) {
    return at < text.size() && (static_cast<unsigned char>(text[at]) & 0xc0U) == 0x80U;
  };
  auto begin = (most - kGap.size()) / 2;
  auto end = text.size() - (most - kGap.size() - begin);
  while (begin > 0 && is_inside(begin)) --begin;
  while (is_inside(end)) ++end;
  return fmt::format("{}{}{}", std::string_view(text).substr(0, begin), kGap,
                     std::string_view(text).substr(end));
}

// Services refuse a text that is longer than they take, and would at every try. In octets; so that
// every text of docs/notifiers stays below what its service takes, whatever it is filled with.
void shorten(std::map<std::string, std::string>& texts) {
  constexpr std::size_t kLongestLine = 500, kLongestText = 1500, kLongestSteps = 6000;
  constexpr std::size_t kShortTitle = 130;  // of an alert at Opsgenie
  const auto cut = [&](std::initializer_list<const char*> names, std::size_t most) {
    for (const auto* name : names) texts.at(name) = shortened(texts.at(name), most);
  };
  texts["short_title"] = shortened(texts.at("title"), kShortTitle);
  cut({"title", "subject", "host", "reason"}, kLongestLine);
  cut({"explanation", "senders_now", "sender_reports", "partner"}, kLongestText);
  cut({"fix", "remedy"}, kLongestSteps);
}

std::vector<std::string> list_of(const Json& notification, const char* name) {
  std::vector<std::string> out;
  const auto path = Json::json_pointer("/alert") / name;
  if (!notification.is_object() || !notification.contains(path) ||
      !notification.at(path).is_array())
    return out;
  for (const auto& item : notification.at(path)) {
    if (item.is_string() && out.size() < kMostItems) out.push_back(item.get<std::string>());
  }
  return out;
}

}  // namespace

TemplateValues template_values(const Json& notification, const std::string& page,
                               const config::TemplateWords& words) {
  using probes::Severity;
  TemplateValues out{.texts = fields_of(notification, page)};
  shorten(out.texts);
  const auto flag = [&](std::string_view word, const char* field) {
    out.flags[fmt::format("is_{}", word)] = out.texts.at(field) == word;
  };
  for (const auto event : {Notice::opened, Notice::escalated, Notice::reminded, Notice::resolved})
    flag(wire_name(event), "event");
  for (const auto severity :
       {Severity::info, Severity::low, Severity::medium, Severity::high, Severity::critical})
    flag(wire_name(severity), "severity");
  flag("inbound", "direction");
  flag("outbound", "direction");
  out.lists = {{"domain_list", list_of(notification, "domains")},
               {"fix_list", list_of(notification, "fix")}};
  for (const auto& [field, theirs] : words) {
    const auto text = out.texts.find(field);
    if (text == out.texts.end()) continue;
    auto word = theirs.find(text->second);
    if (word == theirs.end()) word = theirs.find("otherwise");
    if (word != theirs.end()) text->second = word->second;
  }
  return out;
}

Result<std::string, std::string> fill(std::string_view text, const TemplateValues& values) {
  if (auto fault = Checker(values).fault_of(text)) return Failure<std::string>(std::move(*fault));
  mustache::mustache form{std::string(text)};
  if (!form.is_valid()) return Failure<std::string>(probes::printable(form.error_message(), 200));
  std::size_t size = 0;
  form.set_custom_escape([&](const std::string& value) {
    auto out = size < kMostFilled ? escaped(value) : std::string();
    size += out.size();
    return out;
  });
  auto out = form.render(data_of(values));
  if (size + text.size() > kMostFilled || out.size() > kMostFilled)
    return Failure<std::string>(fmt::format("more than {} octets when filled in", kMostFilled));
  return out;
}

}  // namespace agent
