#pragma once

#include <span>
#include <string>
#include <string_view>

#include <nlohmann/json.hpp>

#include "web/http/http.h"

// PURE
// Lists as tables for spreadsheets (RFC 4180).
namespace web {

// A column: its name, and where its value stands in an item ("/worst_finding/code").
struct Column {
  std::string_view name;
  std::string_view pointer;
};

// The items, one a line below the names; of a list of texts the texts with blanks between. A text
// that a spreadsheet would take for a formula gets an apostrophe in front, which it hides.
[[nodiscard]] std::string csv_of(std::span<const Column> columns,
                                 const nlohmann::ordered_json& items);
// To be kept as NAME.csv.
[[nodiscard]] Reply csv(std::string_view name, std::span<const Column> columns,
                        const nlohmann::ordered_json& items);

}  // namespace web
