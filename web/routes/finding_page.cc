#include "web/routes/finding_page.h"

#include <string_view>

#include <fmt/format.h>

#include "probes/explain.h"
#include "web/routes/plain_page.h"

namespace web {
namespace {

// What stands between `…` is code.
std::string escaped(std::string_view text) {
  std::string out;
  bool is_code = false;
  for (const char c : text) {
    switch (c) {
      case '`':
        out += is_code ? "</code>" : "<code>";
        is_code = !is_code;
        break;
      case '&':
        out += "&amp;";
        break;
      case '<':
        out += "&lt;";
        break;
      case '>':
        out += "&gt;";
        break;
      case '"':
        out += "&quot;";
        break;
      default:
        out.push_back(c);
    }
  }
  return is_code ? out + "</code>" : out;
}

// What is said of one host or domain, said of any.
std::string in_general(std::string text) {
  constexpr std::string_view kSubject = "NAME: ";
  if (text.starts_with(kSubject)) text.erase(0, kSubject.size());
  if (!text.empty() && text[0] >= 'a' && text[0] <= 'z')
    text[0] = static_cast<char>(text[0] - 'a' + 'A');
  return text;
}

template <class Items>
std::string list(const char* kind, const Items& items) {
  std::string out = fmt::format("<{}>", kind);
  for (const auto& item : items) out += fmt::format("<li>{}</li>", escaped(item));
  return out + fmt::format("</{}>\n", kind);
}

}  // namespace

Reply finding_page(const std::string& name) {
  const auto code = probes::code_from(name);
  if (!code) return text("not found\n", 404);
  const auto words = probes::explain({.code = *code, .subject = {.name = "NAME"}});
  const auto title = escaped(in_general(words.title));
  auto body = fmt::format(
      "<h1>{}</h1>\n<p><code>{}</code></p>\n<p>{}</p>\n<p><strong>Senders now:</strong> {}</p>\n"
      "<h2>What to do</h2>\n",
      title, wire_name(*code), escaped(words.explanation), escaped(words.senders_now));
  body += list("ol", words.fix);
  if (words.tlsrpt)
    body += fmt::format("<p>TLS reports of senders call it <code>{}</code>.</p>\n",
                        escaped(*words.tlsrpt));
  body += "<h2>Where it is written</h2>\n" + list("ul", words.references);
  body += fmt::format(
      "<p>To see whether it helped, check again: <code>danelaw check DOMAIN</code>, or \"Check "
      "now\" at the domain. <a href=\"../findings?code={}\">Who has this now</a> · "
      "<a href=\"../\">Overview</a></p>\n",
      wire_name(*code));
  return {.content_type = "text/html; charset=utf-8",
          .body = plain_page(title + " - danelaw", "../", body)};
}

}  // namespace web
