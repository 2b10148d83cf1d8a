#include "web/routes/report_render.h"

#include <fmt/format.h>

#include "agent/cli/table.h"
#include "probes/explain.h"
#include "web/routes/csv.h"

namespace web {
namespace {

using Json = nlohmann::ordered_json;
using config::Time;

constexpr std::array kAll{MailTime::authenticated, MailTime::refused, MailTime::open,
                          MailTime::no_mail,       MailTime::unknown, MailTime::unwatched};

Json times_json(const MailTimes& seconds) {
  Json out = Json::object();
  for (const auto what : kAll) {
    std::string name(wire_name(what));
    for (char& c : name) c = c == '-' ? '_' : c;
    out[name] = seconds[static_cast<std::size_t>(what)];
  }
  return out;
}

Json lead_json(const std::optional<config::Seconds>& lead) {
  return lead ? Json(lead->count()) : Json(nullptr);
}

Json episode_json(const Episode& one) {
  return {{"what", wire_name(one.what)},
          {"from", config::rfc3339(one.from)},
          {"until", one.until ? Json(config::rfc3339(*one.until)) : Json(nullptr)},
          {"began_before", one.began_before},
          {"seconds", one.seconds},
          {"unknown_seconds", one.unknown_seconds},
          {"causes", one.causes}};
}

Json rollover_json(const HostRollover& one) {
  return {{"host", one.host},
          {"from", one.rollover.from},
          {"to", one.rollover.to},
          {"grade", wire_name(one.rollover.grade)},
          {"lead", {lead_json(one.rollover.lead_at_least), lead_json(one.rollover.lead_at_most)}},
          {"deployed_at", config::rfc3339(one.rollover.deployed_at)}};
}

Json domain_json(const ReportDomain& domain) {
  Json episodes = Json::array(), rollovers = Json::array(), certificates = Json::array();
  for (const auto& one : domain.episodes) episodes.push_back(episode_json(one));
  for (const auto& one : domain.rollovers) rollovers.push_back(rollover_json(one));
  for (const auto& one : domain.certificates) {
    certificates.push_back({{"host", one.host},
                            {"at", config::rfc3339(one.at)},
                            {"from", one.before},
                            {"to", one.now}});
  }
  return {{"domain", domain.name},       {"role", domain.role},
          {"group", domain.group},       {"seconds", times_json(domain.seconds)},
          {"episodes", episodes},        {"rollovers", rollovers},
          {"certificates", certificates}};
}

Json group_json(const ReportGroup& group) {
  return {{"group", group.name},
          {"domains", group.domains},
          {"seconds", times_json(group.seconds)},
          {"episodes", group.episodes},
          {"rollovers", Json(group.grades)},
          {"certificates_changed", group.certificates}};
}

// ---- plain text

std::string heading(const Report& report) {
  return fmt::format("Mail secured with DANE, {} to {}\n{} domains{}{}; made at {}\n",
                     config::rfc3339(report.from), config::rfc3339(report.until),
                     report.domains.size(), report.role ? ", " + *report.role : "",
                     report.group ? ", group " + *report.group : "",
                     config::rfc3339(report.made_at));
}

std::string length_of(std::int64_t seconds) {
  const auto minutes = seconds / 60;
  if (minutes < 60) return fmt::format("{} min", minutes);
  if (minutes < 48 * 60) return fmt::format("{} h {:02} min", minutes / 60, minutes % 60);
  return fmt::format("{} d {} h", minutes / 1440, minutes / 60 % 24);
}

std::string causes_in(const Episode& one) {
  std::string out;
  for (const auto& cause : one.causes) out += (out.empty() ? "" : ", ") + cause;
  return out.empty() ? "not recorded" : out;
}

std::string end_of(const Episode& one) {
  return one.until ? config::rfc3339(*one.until) : std::string("goes on");
}

std::string begin_of(const Episode& one) {
  return config::rfc3339(one.from) + (one.began_before ? " or before" : "");
}

std::string grades_in(const ReportGroup& group) {
  std::string out;
  for (const auto& [grade, count] : group.grades)
    out += fmt::format("{}{} {}", out.empty() ? "" : ", ", count, grade);
  return out.empty() ? "-" : out;
}

// A cell for each kind of time, in minutes.
std::vector<std::string> minute_cells(const MailTimes& seconds) {
  std::vector<std::string> out;
  for (const auto minutes : in_minutes(seconds)) out.push_back(fmt::format("{}", minutes));
  return out;
}

struct Part {
  std::string title;
  std::vector<std::string> head;
  std::vector<std::vector<std::string>> rows;
};

std::vector<std::string> times_head(std::vector<std::string> first,
                                    const std::vector<std::string>& last) {
  for (const auto what : kAll) first.emplace_back(wire_name(what));
  first.insert(first.end(), last.begin(), last.end());
  return first;
}

std::string shown(const std::string& text) {
  return probes::printable(text, 300);
}

std::vector<std::string> group_row(const ReportGroup& group, const std::string& name) {
  std::vector<std::string> row{shown(name), fmt::format("{}", group.domains)};
  for (auto& cell : minute_cells(group.seconds)) row.push_back(std::move(cell));
  row.push_back(fmt::format("{}", group.episodes));
  row.push_back(grades_in(group));
  row.push_back(fmt::format("{}", group.certificates));
  return row;
}

Part groups_part(const Report& report) {
  Part out{"Groups, in minutes",
           times_head({"group", "domains"}, {"episodes", "rollovers", "certificates changed"}),
           {}};
  for (const auto& group : report.groups)
    out.rows.push_back(group_row(group, group.name.empty() ? "(none)" : group.name));
  if (report.groups.size() != 1) out.rows.push_back(group_row(report.total, "all"));
  return out;
}

Part domains_part(const Report& report) {
  Part out{"Domains, in minutes", times_head({"domain", "role"}, {"episodes"}), {}};
  for (const auto& domain : report.domains) {
    std::vector<std::string> row{shown(domain.name), domain.role};
    for (auto& cell : minute_cells(domain.seconds)) row.push_back(std::move(cell));
    row.push_back(fmt::format("{}", domain.episodes.size()));
    out.rows.push_back(std::move(row));
  }
  return out;
}

Part episodes_part(const Report& report) {
  Part out{"Episodes: mail refused, or open to interception",
           {"domain", "what", "from", "until", "length", "not known within", "cause"},
           {}};
  for (const auto& domain : report.domains) {
    for (const auto& one : domain.episodes) {
      out.rows.push_back({shown(domain.name), std::string(wire_name(one.what)), begin_of(one),
                          end_of(one), length_of(one.seconds),
                          one.unknown_seconds > 0 ? length_of(one.unknown_seconds) : "-",
                          causes_in(one)});
    }
  }
  return out;
}

Part rollovers_part(const Report& report) {
  Part out{"Rollovers", {"domain", "host", "new key live", "grade", "old key", "new key"}, {}};
  for (const auto& domain : report.domains) {
    for (const auto& one : domain.rollovers) {
      out.rows.push_back(
          {shown(domain.name), shown(one.host), config::rfc3339(one.rollover.deployed_at),
           std::string(wire_name(one.rollover.grade)), shown(one.rollover.from.substr(0, 16)),
           shown(one.rollover.to.substr(0, 16))});
    }
  }
  return out;
}

Part certificates_part(const Report& report) {
  Part out{"Certificates changed", {"domain", "host", "first seen", "old", "new"}, {}};
  for (const auto& domain : report.domains) {
    for (const auto& one : domain.certificates)
      out.rows.push_back({shown(domain.name), shown(one.host), config::rfc3339(one.at),
                          one.before.substr(0, 16), one.now.substr(0, 16)});
  }
  return out;
}

std::vector<Part> parts_of(const Report& report) {
  return {groups_part(report), domains_part(report), episodes_part(report), rollovers_part(report),
          certificates_part(report)};
}

constexpr std::string_view kLegend =
    "authenticated: delivered to the right server; refused: senders with DANE do not deliver; "
    "open: "
    "delivered, and who sits between can read or forge it; no-mail: the domain takes none; "
    "unknown: "
    "could not be determined, neither good nor bad; unwatched: not looked at yet, or any more. For "
    "each domain they add up to the whole time.";

// ---- HTML

std::string html(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (c == '<') {
      out += "&lt;";
    } else if (c == '>') {
      out += "&gt;";
    } else if (c == '&') {
      out += "&amp;";
    } else if (c == '"') {
      out += "&quot;";
    } else {
      out += c;
    }
  }
  return out;
}

bool is_number(const std::string& text) {
  return !text.empty() && text.find_first_not_of("0123456789") == std::string::npos;
}

std::string html_table(const Part& part) {
  if (part.rows.empty()) return "<p>None.</p>\n";
  std::string out = "<table><thead><tr>";
  for (std::size_t i = 0; i < part.head.size(); ++i) {
    const bool is_of_numbers = i < part.rows.front().size() && is_number(part.rows.front()[i]);
    out += fmt::format("<th scope=\"col\"{}>{}</th>", is_of_numbers ? " class=\"n\"" : "",
                       html(part.head[i]));
  }
  out += "</tr></thead><tbody>\n";
  for (const auto& row : part.rows) {
    out += "<tr>";
    for (const auto& cell : row)
      out += fmt::format("<td{}>{}</td>", is_number(cell) ? " class=\"n\"" : "", html(cell));
    out += "</tr>\n";
  }
  return out + "</tbody></table>\n";
}

// Heads of tables are repeated on every page of paper, rows are not torn apart; what is too wide
// for a small screen is moved sideways.
constexpr std::string_view kStyle =
    "@page{size:A4 landscape;margin:14mm}"
    "body{font:10pt/1.4 system-ui,sans-serif;color:#111;background:#fff;margin:2em auto;"
    "max-width:75em;padding:0 1em}"
    "h1{font-size:1.5em}h2{font-size:1.15em;margin:1.6em 0 .4em;break-after:avoid}"
    "table{border-collapse:collapse;width:100%}thead{display:table-header-group}"
    "tr{break-inside:avoid}th,td{text-align:left;padding:.2em .6em .2em 0;vertical-align:top;"
    "border-bottom:1px solid #bbb;overflow-wrap:anywhere}th.n,td.n{text-align:right;"
    "font-variant-numeric:tabular-nums}"
    "@media screen and (max-width:60em){table{display:block;overflow-x:auto}"
    "th,td{overflow-wrap:normal}}"
    "@media print{body{margin:0;max-width:none;padding:0}}";

}  // namespace

Json report_json(const Report& report) {
  Json domains = Json::array(), groups = Json::array();
  for (const auto& domain : report.domains) domains.push_back(domain_json(domain));
  for (const auto& group : report.groups) groups.push_back(group_json(group));
  auto total = group_json(report.total);
  total.erase("group");
  return {{"schema", "danelaw.report/1"},
          {"from", config::rfc3339(report.from)},
          {"until", config::rfc3339(report.until)},
          {"made_at", config::rfc3339(report.made_at)},
          {"role", report.role ? Json(*report.role) : Json(nullptr)},
          {"group", report.group ? Json(*report.group) : Json(nullptr)},
          {"total", total},
          {"groups", groups},
          {"domains", domains}};
}

std::string report_text(const Report& report) {
  auto out = heading(report);
  for (const auto& part : parts_of(report)) {
    out += fmt::format("\n{}\n", part.title);
    std::vector<agent::TableRow> rows;
    for (const auto& row : part.rows) {
      auto& cells = rows.emplace_back();
      for (const auto& cell : row) cells.push_back({cell});
    }
    // Wide enough for whatever is in it: nothing is cut from a report.
    constexpr agent::Screen kPaper{.columns = 100'000};
    out += rows.empty() ? "none\n" : table(part.head, rows, kPaper);
  }
  return out + fmt::format("\n{}\n", kLegend);
}

std::string report_csv(const Report& report) {
  constexpr Column kColumns[] = {{"domain", "/domain"},
                                 {"role", "/role"},
                                 {"group", "/group"},
                                 {"from", "/from"},
                                 {"until", "/until"},
                                 {"authenticated_minutes", "/minutes/0"},
                                 {"refused_minutes", "/minutes/1"},
                                 {"open_minutes", "/minutes/2"},
                                 {"no_mail_minutes", "/minutes/3"},
                                 {"unknown_minutes", "/minutes/4"},
                                 {"unwatched_minutes", "/minutes/5"},
                                 {"episodes", "/episodes"},
                                 {"causes", "/causes"},
                                 {"rollovers", "/rollovers"},
                                 {"certificates_changed", "/certificates"}};
  Json rows = Json::array();
  for (const auto& domain : report.domains) {
    std::set<std::string> causes;
    for (const auto& one : domain.episodes) causes.insert(one.causes.begin(), one.causes.end());
    Json grades = Json::array();
    for (const auto& one : domain.rollovers) grades.push_back(wire_name(one.rollover.grade));
    rows.push_back({{"domain", domain.name},
                    {"role", domain.role},
                    {"group", domain.group},
                    {"from", config::rfc3339(report.from)},
                    {"until", config::rfc3339(report.until)},
                    {"minutes", in_minutes(domain.seconds)},
                    {"episodes", domain.episodes.size()},
                    {"causes", causes},
                    {"rollovers", grades},
                    {"certificates", domain.certificates.size()}});
  }
  return csv_of(kColumns, rows);
}

std::string report_html(const Report& report) {
  auto out = fmt::format(
      "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">"
      "<meta name=\"viewport\" content=\"width=device-width\">"
      "<title>danelaw: report from {} to {}</title><link rel=\"icon\" href=\"data:,\">"
      "<style>{}</style></head>\n<body>\n<h1>Mail secured with DANE</h1>\n",
      config::rfc3339(report.from), config::rfc3339(report.until), kStyle);
  const auto lines = heading(report);
  const auto first = lines.find('\n');
  out +=
      fmt::format("<p>{}<br>{}</p>\n",
                  html(lines.substr(std::string_view("Mail secured with DANE, ").size(),
                                    first - std::string_view("Mail secured with DANE, ").size())),
                  html(lines.substr(first + 1)));
  for (const auto& part : parts_of(report))
    out += fmt::format("<h2>{}</h2>\n{}", html(part.title), html_table(part));
  return out + fmt::format("<p>{}</p>\n</body></html>\n", html(kLegend));
}

}  // namespace web
