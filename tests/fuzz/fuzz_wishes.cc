// What people ask for through the API, and what is made of alerts for them: any text is a silence,
// an acknowledgement or a template that holds what its header says, or is refused in words; any
// notification is a mail whose headers nobody can extend. Octet 0 says which of the four the rest
// is.

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>

#include <nlohmann/json.hpp>

#include "agent/alerts/alert_json.h"
#include "agent/alerts/silence.h"
#include "agent/notify/notifiers/render.h"
#include "agent/notify/notifiers/template.h"
#include "tests/fuzz/demand.h"
#include "tests/support/domains.h"

namespace {

using namespace agent;
using fuzz::demand;
using probes::Subject;
using std::string_view;
using Json = nlohmann::ordered_json;

constexpr config::Time kNow{std::chrono::seconds{1'800'000'000}};

bool is_one_line(string_view text) {
  return std::ranges::none_of(text, [](char c) {
    const auto octet = static_cast<unsigned char>(c);
    return octet < 0x20 || octet == 0x7f;
  });
}

bool is_utf8(const std::string& text) {
  return Json::accept(Json(text).dump(-1, ' ', false, Json::error_handler_t::ignore)) &&
         Json(text).dump(-1, ' ', false, Json::error_handler_t::ignore) ==
             Json(text).dump(-1, ' ', false, Json::error_handler_t::replace);
}

void check_words(const std::string& words) {
  demand(!words.empty() && words.size() < 3000, "a refusal has words, and not many");
  demand(is_one_line(words), "a refusal is one line");
  demand(is_utf8(words), "a refusal is UTF-8");
}

// ---- silences and acknowledgements

Alert an_alert() {
  const Subject host{.kind = Subject::Kind::host, .name = "mx.a.test"};
  const std::string key(64, 'a');
  return {.id = "1",
          .state = AlertState::firing,
          .cause = host,
          .finding = {.code = probes::Code::tlsa_mismatch,
                      .severity = probes::Severity::critical,
                      .subject = host},
          .hits = {{.subject = host, .domains = {"a.test", "b.test"}, .refused_keys = {key}}},
          .domains = {"a.test", "b.test"},
          .first_seen_at = kNow,
          .last_seen_at = kNow};
}

void check_silence(string_view text) {
  const auto silence = silence_from_json(text, kNow);
  if (!silence) return check_words(silence.error());
  demand(silence->id.empty(), "the id is ours to give");
  demand(!fault_of(*silence), "nothing is wrong with a silence that was taken");
  demand(silence->ends_at > kNow && silence->starts_at < silence->ends_at, "it has a time to come");
  demand(is_one_line(silence->created_by) && is_one_line(silence->comment), "words are one line");

  auto json = to_json(*silence, kNow);
  json.erase("id");
  json.erase("state");
  const auto again = silence_from_json(json.dump(), kNow);
  // Escaped once more, words may be too long.
  demand(!again || again->matchers == silence->matchers, "matchers come back as they went");
  demand(!again || again->expected_key == silence->expected_key, "and the key");

  const Domains domains = support::configured({{"a.test", {.name = "a.test", .group = "ours"}}});
  const auto alert = an_alert();
  const auto during = std::max(silence->starts_at, kNow);
  const bool is_silent = is_muted(alert, {*silence}, domains, during);
  demand(!is_muted(alert, {*silence}, domains, silence->ends_at), "a silence ends");
  demand(!is_muted(alert, {*silence}, domains, silence->starts_at - config::Seconds{1}),
         "and begins");
  demand(!is_silent || !silence->expected_key || *silence->expected_key == std::string(64, 'a'),
         "a window for one key is not silent for another");
  auto opposite = *silence;
  for (auto& matcher : opposite.matchers) matcher.is_equal = !matcher.is_equal;
  demand(!is_silent || !is_muted(alert, {opposite}, domains, during),
         "what all matchers match, none of their opposites does");
}

void check_acknowledgement(string_view text) {
  const auto ack = acknowledgement_from_json(text, kNow);
  if (!ack) return check_words(ack.error());
  demand(ack->at == kNow, "the moment is ours to say");
  demand(!ack->until || *ack->until > kNow, "it is not over");
  demand(is_one_line(ack->by) && is_one_line(ack->comment), "words are one line");
  demand(is_utf8(ack->by) && is_utf8(ack->comment), "words are UTF-8");
  auto alert = an_alert();
  alert.acknowledged = *ack;
  demand(Json::accept(to_json(alert, kNow).dump()), "an alert with it is JSON");
}

// ---- templates

// The fields are from the input, too: what stands behind its first line end.
void check_template(string_view text) {
  const auto end = std::min(text.find('\n'), text.size());
  const std::string value(text.substr(std::min(end + 1, text.size())));
  const TemplateValues fields{.texts = {{"a", value}, {"title", "plain"}},
                              .flags = {{"yes", true}, {"no", false}},
                              .lists = {{"list", {value, "b"}}}};
  const auto form = text.substr(0, end);
  const auto filled = fill(form, fields);
  if (!filled) return check_words(filled.error());
  if (form.find("{{") == string_view::npos) demand(*filled == form, "no field: nothing changes");
  const auto quoted = fill("{\"x\":\"{{ a }}\"}", fields);
  demand(quoted.has_value(), "a field that is there is filled in");
  const auto json = Json::parse(*quoted, nullptr, false);
  demand(json.is_object() && json.size() == 1 && json["x"].is_string(),
         "a field stays inside its quotes");
  if (is_utf8(value)) demand(json["x"] == value, "and is what it was");
}

// ---- mail

// The end of a line that is folded: the next one begins with a blank and is not empty.
bool is_folding(string_view head, std::size_t at) {
  return head.substr(at, 3) == "\r\n ";
}

void check_mail(string_view text) {
  const auto notification = Json::parse(text, nullptr, false);
  const auto mail = mail_of({.from = "danelaw@page.test", .to = {"a@b.test", "c@d.test"}},
                            notification, "http://page.test");
  constexpr auto kNames = std::to_array<string_view>(
      {"From: ", "To: ", "Subject: ", "Date: ", "Message-ID: ", "Auto-Submitted: "});
  demand(mail.headers.size() == kNames.size(), "the headers are ours, each once");
  for (std::size_t i = 0; i < kNames.size(); ++i) {
    const string_view header = mail.headers[i];
    demand(header.starts_with(kNames[i]), "the headers are ours, each once");
    demand(std::ranges::all_of(header, [](char c) { return static_cast<unsigned char>(c) < 0x80; }),
           "a header is ASCII");
    for (std::size_t begin = 0; begin < header.size();) {
      const auto end = std::min(header.find("\r\n", begin), header.size());
      demand(end - begin <= 998, "no line has more than 998 octets (RFC 5322 §2.1.1)");
      demand(is_one_line(header.substr(begin, end - begin)), "no bare CR, LF or other");
      demand(end == header.size() || is_folding(header, end), "a line that goes on is folded");
      begin = end + 2;
    }
  }
  demand(!mail.text.empty() && is_utf8(mail.text), "the text is UTF-8");
  for (std::size_t at = 0; (at = mail.text.find('\n', at)) != std::string::npos; ++at)
    demand(at > 0 && mail.text[at - 1] == '\r', "its lines end as mail's do");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const std::string text(data + 1, data + size);
  switch (data[0]) {
    case 's':
      check_silence(text);
      break;
    case 'a':
      check_acknowledgement(text);
      break;
    case 't':
      check_template(text);
      break;
    case 'm':
      check_mail(text);
      break;
    default:
      return -1;  // the corpus keeps only what asks for something
  }
  return 0;
}
