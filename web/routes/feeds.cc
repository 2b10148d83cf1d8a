#include "web/routes/feeds.h"

#include <algorithm>
#include <array>
#include <set>

#include <fmt/format.h>

#include "config/system.h"
#include "probes/explain.h"
#include "probes/net/url.h"
#include "probes/tls/crypto.h"
#include "web/routes/api.h"
#include "web/routes/deadlines.h"
#include "web/routes/event_words.h"
#include "web/routes/narrow_log.h"
#include "web/routes/parts.h"
#include "web/routes/plain_page.h"

namespace web {
namespace {

using Json = nlohmann::ordered_json;
using storage::LogEvent;

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

std::string_view without_slash(std::string_view address) {
  while (address.ends_with('/')) address.remove_suffix(1);
  return address;
}

// What tells an event from all others of the same agent, at every time it is asked.
std::string name_of(const LogEvent& event) {
  if (event.alert) return fmt::format("alert:{}:{}", event.alert->id, event.what);
  if (event.act) return fmt::format("act:{}", event.act->id);
  const auto what = fmt::format("{}\n{}\n{}\n{}", event.subject, event.most_caches_refuse,
                                event.before.value_or(""), event.now);
  return fmt::format("{}:{}:{}", kind_name(event.kind), config::rfc3339(event.at),
                     probes::tls::hmac_sha256("event", what));
}

std::string title_with_subject(const LogEvent& event) {
  if (event.alert) return fmt::format("{}: {}", event.what, title_of(event));
  if (event.act || event.kind == LogEvent::Kind::ours) return title_of(event);
  return fmt::format("{}: {}", probes::printable(event.subject), title_of(event));
}

// Where the page has it.
std::string path_of(const LogEvent& event) {
  switch (event.kind) {
    case LogEvent::Kind::verdict:
      return "/domains/" + probes::net::percent_encoded(event.subject);
    case LogEvent::Kind::key:
    case LogEvent::Kind::records:
      return "/mx/" + probes::net::percent_encoded(event.subject);
    case LogEvent::Kind::alert:
      return "/alerts#" + event.alert->id;
    case LogEvent::Kind::act:
      return "/acts";
    case LogEvent::Kind::ours:
      return "/status";
  }
  return "/";
}

}  // namespace

std::string_view deadline_words(std::string_view kind) {
  constexpr auto kWords = std::to_array<std::pair<std::string_view, std::string_view>>(
      {{"safe-to-switch", "the next key may go live"},
       {"recommended-switch", "the next key should go live from now on (RFC 7671)"},
       {"safe-to-remove", "the old record may be removed"},
       {"caches-recover", "no cache refuses the key any more"},
       {"mail-bounces", "mail that waits begins to bounce"},
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

std::string atom_of(const FeedHead& head, const std::vector<LogEvent>& events, config::Time now) {
  const auto page = without_slash(head.page);
  const auto self = fmt::format("{}/feeds/{}.atom", page, head.name);
  const auto id = page.empty() ? fmt::format("urn:danelaw:{}:{}", head.host_name, head.name) : self;
  const auto last = std::ranges::max_element(events, {}, &LogEvent::at);
  auto out = fmt::format(
      "<?xml version=\"1.0\" encoding=\"utf-8\"?>\n<feed xmlns=\"http://www.w3.org/2005/Atom\">\n"
      "<id>{0}</id><title>danelaw: {1}</title><author><name>danelaw</name></author>"
      "<link rel=\"self\" type=\"application/atom+xml\" href=\"{2}\"/><updated>{3}</updated>\n",
      escaped_html(id), escaped_html(head.name), escaped_html(self),
      config::rfc3339(last == events.end() ? now : last->at));
  std::set<std::string> known;
  for (const auto& event : events) {
    const auto name = name_of(event);
    if (!known.insert(name).second) continue;
    out += fmt::format(
        "<entry><id>{}#{}</id><title>{}</title><updated>{}</updated><link href=\"{}{}\"/>",
        escaped_html(id), escaped_html(name), escaped_html(title_with_subject(event)),
        config::rfc3339(event.at), escaped_html(page), escaped_html(path_of(event)));
    if (event.alert)
      out += fmt::format("<summary>{}</summary>",
                         escaped_html(probes::explain(event.alert->finding).explanation));
    out += "</entry>\n";
  }
  return out + "</feed>\n";
}

Reply Api::calendar(const Call& /*call*/) const {
  const auto snapshot = backend_.snapshot();
  return {.content_type = "text/calendar; charset=utf-8",
          .body = calendar_of(deadlines_json(*snapshot, kMostItems), snapshot->now)};
}

Reply Api::alert_feed(const Call& /*call*/) const {
  return feed("alerts", [](LogEvent::Kind kind) { return kind == LogEvent::Kind::alert; });
}

Reply Api::change_feed(const Call& /*call*/) const {
  return feed("changes", [](LogEvent::Kind /*any*/) { return true; });
}

Reply Api::feed(const std::string& name, std::function<bool(LogEvent::Kind)> has_kind) const {
  constexpr std::size_t kMostEvents = 100;
  constexpr int kMostPages = 20;  // of theirs there may be little among much
  storage::LogQuery wanted{.has_kind = std::move(has_kind), .limit = kMostEvents};
  if (view_) narrow(wanted, view_->theirs());
  std::vector<LogEvent> events;
  for (int i = 0; i < kMostPages && events.size() < kMostEvents; ++i) {
    auto page = backend_.queries->event_log(wanted);
    if (!page) return storage_failed(page.error());
    if (view_) narrow(page->events, view_->theirs());
    std::ranges::move(page->events, std::back_inserter(events));
    if (!page->next) break;
    wanted.after = page->next;
  }
  return {.content_type = "application/atom+xml; charset=utf-8",
          .body = atom_of({.name = name, .page = guard_.page, .host_name = config::host_name()},
                          events, backend_.snapshot()->now)};
}

}  // namespace web
