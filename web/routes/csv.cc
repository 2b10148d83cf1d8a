#include "web/routes/csv.h"

#include <utility>
#include <vector>

#include <fmt/format.h>

namespace web {
namespace {

using Json = nlohmann::ordered_json;

std::string text_of(const Json& value) {
  if (value.is_null()) return {};
  if (value.is_string()) return value.get<std::string>();
  if (!value.is_array()) return value.dump();
  std::string out;
  for (const auto& one : value) out += (out.empty() ? "" : " ") + text_of(one);
  return out;
}

std::string cell(const Json& value) {
  auto text = text_of(value);
  constexpr std::string_view kFormula = "=+-@\t\r";
  if (!value.is_number() && !text.empty() && kFormula.find(text.front()) != std::string_view::npos)
    text.insert(0, 1, '\'');
  if (text.find_first_of(",\"\r\n") == std::string::npos) return text;
  std::string out = "\"";
  for (const char c : text) out += c == '"' ? std::string("\"\"") : std::string(1, c);
  return out + '"';
}

}  // namespace

std::string csv_of(std::span<const Column> columns, const Json& items) {
  std::string out;
  const char* between = "";
  std::vector<Json::json_pointer> pointers;
  for (const auto& column : columns) {
    out += std::exchange(between, ",");
    out += column.name;
    pointers.emplace_back(std::string(column.pointer));
  }
  out += "\r\n";
  for (const auto& item : items) {
    between = "";
    for (const auto& pointer : pointers) {
      out += std::exchange(between, ",");
      if (item.contains(pointer)) out += cell(item.at(pointer));
    }
    out += "\r\n";
  }
  return out;
}

Reply csv(std::string_view name, std::span<const Column> columns, const Json& items) {
  Reply out{.content_type = "text/csv; charset=utf-8; header=present",
            .body = csv_of(columns, items)};
  out.headers["Content-Disposition"] = fmt::format("attachment; filename=\"{}.csv\"", name);
  return out;
}

}  // namespace web
