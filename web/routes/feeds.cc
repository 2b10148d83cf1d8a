#include "web/routes/feeds.h"

#include <algorithm>
#include <array>

#include <fmt/format.h>

#include "probes/explain.h"
#include "web/routes/api.h"
#include "web/routes/deadlines.h"
#include "web/routes/narrow_log.h"
#include "web/routes/parts.h"
#include "web/routes/plain_page.h"

namespace web {
namespace {

using Json = nlohmann::ordered_json;

// RFC 5545 §3.3.11.
std::string calendar_text(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (c == '\\' || c == ';' || c == ',') out += '\\';
    out += c == '\n' ? ' ' : c;
  }
  return out;
}

// "20270115T080000Z", of RFC 3339 as we write it.
std::string calendar_time(std::string text) {
  std::erase_if(text, [](char c) { return c == '-' || c == ':'; });
  return text;
}

// No line is longer than 75 octets; the parts of a character stay together (§3.1).
std::string folded(std::string_view line) {
  constexpr std::size_t kMost = 75;
  std::string out;
  std::size_t used = 0;
  for (std::size_t at = 0; at < line.size();) {
    auto end = at + 1;
    while (end < line.size() && (static_cast<unsigned char>(line[end]) & 0xC0U) == 0x80U) ++end;
    if (used + (end - at) > kMost) {
      out += "\r\n ";
      used = 1;
    }
    out += line.substr(at, end - at);
    used += end - at;
    at = end;
  }
  return out + "\r\n";
}

}  // namespace

std::string_view deadline_words(std::string_view kind) {
  constexpr auto kWords = std::to_array<std::pair<std::string_view, std::string_view>>(
      {{"safe-to-switch", "the next key may go live"},
       {"recommended-switch", "the next key should go live from now on (RFC 7671)"},
       {"safe-to-remove", "the old record may be removed"},
       {"caches-recover", "no cache refuses the key any more"},
       {"signature-end", "a DNSSEC signature expires"},
       {"certificate-end", "a certificate expires"},
       {"renewal-suggested", "the CA suggests to renew from now on"},
       {"publish-by", "publish the record of the next key by now"}});
  const auto* const found =
      std::ranges::find(kWords, kind, &std::pair<std::string_view, std::string_view>::first);
  return found == kWords.end() ? kind : found->second;
}

std::string_view source_words(const Json& source) {
  constexpr auto kWords = std::to_array<std::pair<std::string_view, std::string_view>>(
      {{"ttl", "by the TTLs of the records"},
       {"ari", "as the CA suggests (ARI)"},
       {"habit", "by how it was renewed so far"},
       {"lifetime", "by how long the certificate lives"},
       {"rrsig", "as the signature says"},
       {"not-after", "as the certificate says (notAfter)"}});
  if (!source.is_string()) return {};
  const auto* const found =
      std::ranges::find(kWords, source.get_ref<const std::string&>(),
                        &std::pair<std::string_view, std::string_view>::first);
  return found == kWords.end() ? std::string_view() : found->second;
}

std::string calendar_of(const Json& deadlines, config::Time now) {
  std::string out =
      "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//danelaw//deadlines//"
      "EN\r\nX-WR-CALNAME:danelaw\r\n"
      "REFRESH-INTERVAL;VALUE=DURATION:PT1H\r\n";
  const auto stamp = calendar_time(config::rfc3339(now));
  for (const auto& one : deadlines) {
    const auto kind = one.at("kind").get<std::string>();
    const auto name = one.at("subject").at("name").get<std::string>();
    const auto at = calendar_time(one.at("at").get<std::string>());
    out += "BEGIN:VEVENT\r\n";
    out += folded(fmt::format("UID:{}-{}-{}@danelaw", kind, at, calendar_text(name)));
    out += folded("DTSTAMP:" + stamp);
    out += folded("DTSTART:" + at);
    out += folded(
        fmt::format("SUMMARY:{}: {}", calendar_text(name), calendar_text(deadline_words(kind))));
    if (const auto source = source_words(one.at("source")); !source.empty())
      out += folded(fmt::format("DESCRIPTION:Known {}", calendar_text(source)));
    out += "END:VEVENT\r\n";
  }
  return out + "END:VCALENDAR\r\n";
}

std::string atom_of(const std::vector<storage::LogEvent>& events, config::Time now) {
  const auto updated = events.empty() ? now : events.front().at;
  auto out = fmt::format(
      "<?xml version=\"1.0\" encoding=\"utf-8\"?>\n<feed xmlns=\"http://www.w3.org/2005/Atom\">\n"
      "<id>urn:danelaw:alerts</id><title>danelaw: "
      "alerts</title><author><name>danelaw</name></author>"
      "<updated>{}</updated>\n",
      config::rfc3339(updated));
  for (const auto& event : events) {
    if (!event.alert) continue;
    const auto words = probes::explain(event.alert->finding);
    out += fmt::format(
        "<entry><id>urn:danelaw:alert:{0}:{1}</id><title>{1}: {2}</title><updated>{3}</updated>"
        "<link href=\"/alerts#{0}\"/><summary>{4}</summary></entry>\n",
        escaped_html(event.alert->id), escaped_html(event.what), escaped_html(words.title),
        config::rfc3339(event.at), escaped_html(words.explanation));
  }
  return out + "</feed>\n";
}

Reply Api::calendar(const Call& /*call*/) const {
  const auto snapshot = backend_.snapshot();
  return {.content_type = "text/calendar; charset=utf-8",
          .body = calendar_of(deadlines_json(*snapshot, kMostItems), snapshot->now)};
}

Reply Api::atom(const Call& /*call*/) const {
  storage::LogQuery wanted{
      .has_kind =
          [](storage::LogEvent::Kind kind) { return kind == storage::LogEvent::Kind::alert; },
      .limit = 50};
  if (view_) narrow(wanted, view_->theirs());
  auto page = backend_.queries->event_log(wanted);
  if (!page) return storage_failed(page.error());
  if (view_) narrow(page->events, view_->theirs());
  return {.content_type = "application/atom+xml; charset=utf-8",
          .body = atom_of(page->events, backend_.snapshot()->now)};
}

}  // namespace web
