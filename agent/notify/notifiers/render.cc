#include "agent/notify/notifiers/render.h"

#include <algorithm>
#include <array>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "agent/alerts/alert_json.h"
#include "agent/senders/refusals.h"
#include "probes/explain.h"
#include "probes/tls/crypto.h"

namespace agent {
namespace {

using config::Time;
using probes::tls::base64;
using Json = nlohmann::ordered_json;

std::string text_of(const Json& json, const char* name) {
  const auto found = json.find(name);
  return found != json.end() && found->is_string() ? found->get<std::string>() : std::string();
}

std::vector<std::string> texts_of(const Json& json, const char* name) {
  std::vector<std::string> out;
  const auto found = json.find(name);
  if (found == json.end() || !found->is_array()) return out;
  for (const auto& item : *found) {
    if (item.is_string()) out.push_back(item.get<std::string>());
  }
  return out;
}

// As many as a person reads and services take: whoever wants all follows the link.
std::string names_told(const std::vector<std::string>& names, std::string_view between) {
  constexpr std::size_t kMostNames = 20, kMostOctets = 1000;
  std::string out;
  std::size_t told = 0;
  while (told < names.size() && told < kMostNames) {
    const auto& name = names[told];
    if (told > 0 && out.size() + between.size() + name.size() > kMostOctets) break;
    out += (told == 0 ? "" : std::string(between)) + name;
    ++told;
  }
  return told == names.size() ? out : fmt::format("{} and {} more", out, names.size() - told);
}

Json object_of(const Json& json, const char* name) {
  const auto found = json.find(name);
  return found != json.end() && found->is_object() ? *found : Json::object();
}

// RFC 2047 words, for what may be longer than a line or not ASCII: of 45 octets, cut between
// characters. The first is shorter, for a line has 76 columns and begins with "Subject: " (§2).
std::string encoded(std::string_view text) {
  constexpr std::size_t kFirst = 39, kWord = 45;
  std::string out;
  while (!text.empty()) {
    auto length = std::min(out.empty() ? kFirst : kWord, text.size());
    while (length < text.size() && length > 1 &&
           (static_cast<unsigned char>(text[length]) & 0xc0U) == 0x80U)
      --length;
    out +=
        fmt::format("{}=?utf-8?B?{}?=", out.empty() ? "" : "\r\n ", base64(text.substr(0, length)));
    text.remove_prefix(length);
  }
  return out;
}

// RFC 5322 §3.3.
std::string mail_date(Time time) {
  constexpr std::array kDays{"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
  constexpr std::array kMonths{"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                               "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
  const auto day = std::chrono::floor<std::chrono::days>(time);
  const std::chrono::year_month_day date{day};
  const std::chrono::hh_mm_ss clock{time - day};
  return fmt::format(
      "{}, {:02} {} {:04} {:02}:{:02}:{:02} +0000", kDays[std::chrono::weekday{day}.c_encoding()],
      static_cast<unsigned>(date.day()), kMonths[static_cast<unsigned>(date.month()) - 1],
      static_cast<int>(date.year()), clock.hours().count(), clock.minutes().count(),
      clock.seconds().count());
}

// As text has them in mail, encoded or not (RFC 2046 §4.1.1).
std::string with_crlf(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (c == '\n') out.push_back('\r');
    out.push_back(c);
  }
  return out;
}

// The same at every try, so that a repeat can be told from news. What is too long for a line loses
// its begin: what tells two notifications of one alert apart stands at the end.
std::string message_id(std::string_view letter_id, std::string_view from) {
  constexpr std::size_t kLongest = 512;
  std::string id;
  for (const char c : letter_id.substr(letter_id.size() - std::min(kLongest, letter_id.size()))) {
    const bool is_plain = std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '-' || c == '_';
    id.push_back(is_plain ? c : '.');
  }
  return fmt::format("<{}@{}>", id, from.substr(from.find('@') + 1));
}

// What to paste, when mail flows again after it, and when it begins to bounce without.
std::string remedy_text(const Json& alert) {
  const auto remedy = object_of(alert, "remedy");
  std::string out;
  const auto line = [&](std::string_view what, const std::string& value) {
    if (!value.empty()) out += fmt::format("{}{}\n", what, value);
  };
  const auto publish = texts_of(remedy, "publish"), remove = texts_of(remedy, "remove");
  const bool is_theirs = !object_of(alert, "partner").empty();
  line("At this name server only: ", publish.empty() ? "" : text_of(remedy, "server"));
  for (const auto& one : publish) line(is_theirs ? "For them to publish: " : "Publish: ", one);
  for (const auto& one : remove) line(is_theirs ? "For them to take out: " : "Take out: ", one);
  const auto nsupdate = text_of(remedy, "nsupdate");
  if (!nsupdate.empty()) {
    out += "\nFor nsupdate:\n\n" + nsupdate;
    out += "\nFor Knot DNS:\n\n" + text_of(remedy, "knotc") + "\n";
  }
  line(publish.empty() ? "The last cache lets mail through at: "
       : is_theirs     ? "If they do that now, the last cache lets mail through at: "
                       : "If that is done now, the last cache lets mail through at: ",
       text_of(remedy, "recovers_at"));
  line("The mail that waits longest begins to bounce at: ", text_of(alert, "bounces_at"));
  return out;
}

std::string consequences_text(const Json& alert) {
  std::string out;
  const auto found = alert.find("consequences");
  if (found == alert.end() || !found->is_array()) return out;
  for (const auto& one : *found) out += fmt::format("\n- {}", text_of(one, "title"));
  return out.empty() ? out : "What belongs to it:" + out + "\n\n";
}

// Where to go from the letter.
std::string links_text(const Json& alert, const std::string& page) {
  const auto links = object_of(alert, "links");
  std::string out;
  const auto host = text_of(links, "host");
  if (!host.empty()) out += fmt::format("MX host: {}{}\n", page, host);
  const auto domains = texts_of(alert, "domains");
  if (!domains.empty())
    out += fmt::format("Check now, when it is done: `danelaw recheck {}`, or the button at {}\n",
                       domains.front(), link_to(page, text_of(alert, "id")));
  return out;
}

// Whose it is, where it is a partner's, and what we can do.
std::string partner_text(const Json& alert, const std::string& page) {
  const auto partner = object_of(alert, "partner");
  if (partner.empty()) return "";
  std::string out = text_of(partner, "whose") + "\n\nWhat we can do:";
  for (const auto& one : texts_of(partner, "ours")) out += "\n- " + one;
  return fmt::format("{}\n- The page of the domain: {}{}\n\n", out, page, text_of(partner, "page"));
}

// What senders themselves report (RFC 8460), if they do.
std::string reports_text(const std::string& said) {
  return said.empty() ? said : fmt::format("Senders report it: {}.\n\n", said);
}

std::string mail_text(const Json& notification, const std::map<std::string, std::string>& fields,
                      const std::string& page) {
  const auto at = [&](const char* name) { return fields.at(name); };
  // What was to be done is to be done no more, and may do harm by now.
  if (at("event") == wire_name(Notice::resolved))
    return fmt::format("{}\n\n{}: it was {} since {} ({}).\n\nHits: {}\n\n{}\n", at("title"),
                       at("event"), at("severity"), at("since"), at("reason"), at("domains"),
                       at("url"));
  const auto& remedy = at("remedy");
  const auto alert = object_of(notification, "alert");
  const auto partner = partner_text(alert, page);
  return fmt::format(
      "{}\n\n{}: {} since {} ({}).\n\nHits: {}\n\n{}\n\n{}\n\n{}{}{}{}:\n{}\n\n{}{}{}{}\n",
      at("title"), at("event"), at("severity"), at("since"), at("reason"), at("domains"),
      at("explanation"), at("senders_now"), reports_text(at("sender_reports")),
      consequences_text(alert), partner,
      partner.empty() ? "What to do" : "What their operators have to do", at("fix"), remedy,
      remedy.empty() ? "" : "\n", links_text(alert, page), at("url"));
}

Json alert_for(const Alert& alert, probes::Severity severity,
               const std::map<std::string, std::string>& labels, const std::string& page,
               Time ends_at) {
  Json names = Json::object();
  for (const auto& [name, value] : labels) names[name] = value;
  const auto direction = alert.direction == config::Role::inbound ? "inbound" : "outbound";
  names["alertname"] = alert_name(alert.finding.code);
  names["code"] = wire_name(alert.finding.code);
  names["severity"] = wire_name(severity);
  names["direction"] = direction;
  names[label_name(alert.cause.kind)] = probes::printable(alert.cause.name);
  const auto words = probes::explain(alert.finding);
  Json notes{{"summary", title_of(alert)},
             {"description", words.explanation + " " + words.senders_now},
             {"runbook_url", fmt::format("{}/findings/{}", page, wire_name(alert.finding.code))},
             {"domains", names_told(alert.domains, " ")}};
  for (const auto& [name, value] : alert.finding.evidence) {
    if (name == kSenderReports) notes["sender_reports"] = probes::printable(value);
  }
  if (alert.acknowledged)
    notes["acknowledged"] =
        fmt::format("{}: {}", alert.acknowledged->by, alert.acknowledged->comment);
  return {{"labels", names},
          {"annotations", notes},
          {"startsAt", config::rfc3339(alert.opened_at.value_or(alert.first_seen_at))},
          {"endsAt", config::rfc3339(ends_at)},
          {"generatorURL", link_to(page, alert.id)}};
}

}  // namespace

std::map<std::string, std::string> fields_of(const Json& notification, const std::string& page) {
  const auto alert = object_of(notification, "alert");
  const auto subject = object_of(alert, "subject");
  std::string fix;
  int step = 0;
  for (const auto& one : texts_of(alert, "fix"))
    fix += fmt::format("{}{}. {}", step == 0 ? "" : "\n", step + 1, one), ++step;
  const auto opened = text_of(alert, "opened_at");
  return {{"id", text_of(notification, "id")},
          {"event", text_of(notification, "event")},
          {"at", text_of(notification, "at")},
          {"reason", text_of(notification, "reason")},
          {"alert_id", text_of(alert, "id")},
          {"code", text_of(alert, "code")},
          {"severity", text_of(alert, "severity")},
          {"direction", text_of(alert, "direction")},
          {"subject", text_of(subject, "name")},
          {"domains", names_told(texts_of(alert, "domains"), ", ")},
          {"title", text_of(alert, "title")},
          {"explanation", text_of(alert, "explanation")},
          {"senders_now", text_of(alert, "senders_now")},
          {"fix", fix},
          {"sender_reports", text_of(object_of(alert, "evidence"), kSenderReports)},
          {"host", text_of(alert, "host")},
          {"partner", text_of(object_of(alert, "partner"), "whose")},
          {"remedy", remedy_text(alert)},
          {"bounces_at", text_of(alert, "bounces_at")},
          {"recovers_at", text_of(object_of(alert, "remedy"), "recovers_at")},
          {"since", opened.empty() ? text_of(alert, "first_seen_at") : opened},
          {"url", link_to(page, text_of(alert, "id"))}};
}

wire::Message mail_of(const MessageHead& head, const Json& notification, const std::string& page) {
  const auto fields = fields_of(notification, page);
  const auto subject = fmt::format("[danelaw {}] {}", fields.at("event"),
                                   probes::printable(fields.at("title"), 300));
  const auto at = config::parse_rfc3339(fields.at("at")).value_or(Time{});
  std::string to;
  for (const auto& one : head.to) to += fmt::format("{}<{}>", to.empty() ? "" : ",\r\n ", one);
  return {.headers = {fmt::format("From: danelaw <{}>", head.from), "To: " + to,
                      "Subject: " + encoded(subject), "Date: " + mail_date(at),
                      "Message-ID: " + message_id(fields.at("id"), head.from),
                      "Auto-Submitted: auto-generated"},
          .text = with_crlf(mail_text(notification, fields, page))};
}

wire::Message plain_mail(const MessageHead& head, const std::string& subject,
                         const std::string& text, Time at, const std::string& id) {
  std::string to;
  for (const auto& one : head.to) to += fmt::format("{}<{}>", to.empty() ? "" : ",\r\n ", one);
  return {.headers = {fmt::format("From: danelaw <{}>", head.from), "To: " + to,
                      "Subject: " + encoded(subject), "Date: " + mail_date(at),
                      "Message-ID: " + message_id(id, head.from), "Auto-Submitted: auto-generated"},
          .text = with_crlf(text)};
}

Json alertmanager_json(const SharedList<Alert>& open, const SharedList<Alert>& ended,
                       const std::map<std::string, std::string>& labels, const std::string& page,
                       config::Seconds every, Time at) {
  Json out = Json::array();
  for (const auto& alert : open) {
    if (alert.state == AlertState::firing && alert.told_at)
      out.push_back(alert_for(alert, alert.finding.severity, labels, page, at + 4 * every));
    if (alert.raised_at && at - *alert.raised_at < kEndTold)
      out.push_back(alert_for(alert, alert.raised_from, labels, page, *alert.raised_at));
  }
  for (const auto& alert : ended) {
    if (!alert.told_at || at - *alert.resolved_at >= kEndTold) continue;
    out.push_back(alert_for(alert, alert.finding.severity, labels, page, *alert.resolved_at));
  }
  return out;
}

}  // namespace agent
