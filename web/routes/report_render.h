#pragma once

#include <string>

#include <nlohmann/json.hpp>

#include "web/routes/report.h"

// PURE
// A report in the forms in which it is read. All show the same: nothing is left out that would make
// time add up to less.
namespace web {

// One object of schema danelaw.report/1; times in seconds.
[[nodiscard]] nlohmann::ordered_json report_json(const Report& report);
// For a terminal or a mail, lines of plain text.
[[nodiscard]] std::string report_text(const Report& report);
// A line a domain (RFC 4180), times in minutes.
[[nodiscard]] std::string report_csv(const Report& report);
// One file without script and without parts from elsewhere, laid out to be printed (A4).
[[nodiscard]] std::string report_html(const Report& report);

}  // namespace web
