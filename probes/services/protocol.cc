#include "probes/services/protocol.h"

#include <algorithm>

namespace probes::services {
namespace {

using config::Starttls;

constexpr Protocol kImap{.greeting = {.tag = "*"},
                         .capabilities = Exchange{.command = "a1 CAPABILITY", .tag = "a1"},
                         .starttls = {.command = "a2 STARTTLS", .tag = "a2"},
                         .under_tls = {.command = "a3 CAPABILITY", .tag = "a3"},
                         .goodbye = "a4 LOGOUT"};
constexpr Protocol kPop3{.greeting = {},
                         .capabilities = Exchange{.command = "CAPA", .is_multi_line = true},
                         .starttls = {.command = "STLS"},
                         .under_tls = {.command = "CAPA", .is_multi_line = true},
                         .goodbye = "QUIT"};
// Under TLS the server says its capabilities once more, unasked (RFC 5804 §2.2).
constexpr Protocol kSieve{.greeting = {},
                          .capabilities = std::nullopt,
                          .starttls = {.command = "STARTTLS"},
                          .under_tls = {},
                          .goodbye = "LOGOUT"};

char upper(char c) {
  return c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
}

bool same(std::string_view a, std::string_view b) {
  return std::ranges::equal(a, b, {}, upper, upper);
}

// Takes the first word off; words are parted by blanks.
std::string_view take_word(std::string_view& line) {
  line.remove_prefix(std::min(line.find_first_not_of(' '), line.size()));
  const auto end = std::min(line.find(' '), line.size());
  const auto word = line.substr(0, end);
  line.remove_prefix(end);
  return word;
}

bool has_word(std::string_view line, std::string_view wanted) {
  while (!line.empty()) {
    auto word = take_word(line);
    while (word.starts_with('[')) word.remove_prefix(1);
    while (word.ends_with(']')) word.remove_suffix(1);
    if (same(word, wanted)) return true;
  }
  return false;
}

Line status_of(std::string_view word) {
  if (same(word, "OK")) return Line::good;
  return same(word, "NO") || same(word, "BAD") || same(word, "BYE") ? Line::refused : Line::strange;
}

// RFC 9051 §7.1: untagged lines, and the tagged one that ends the exchange. The greeting is an
// untagged one; who is greeted with PREAUTH is past the moment for STARTTLS (§7.1.4), and it is
// offered there to nobody.
Line read_imap(const Exchange& exchange, std::string_view line) {
  const auto tag = take_word(line);
  const auto word = take_word(line);
  if (exchange.tag == "*") {
    if (tag != "*") return Line::strange;
    return same(word, "PREAUTH") ? Line::good : status_of(word);
  }
  if (tag == exchange.tag) return status_of(word);
  if (tag == "*") return same(word, "BYE") ? Line::refused : Line::more;
  return Line::strange;
}

// RFC 1939 §3.
Line read_pop3(const Exchange& exchange, std::string_view line, bool is_first) {
  if (!is_first) return line == "." ? Line::good : Line::more;
  const auto word = take_word(line);
  if (same(word, "+OK")) return exchange.is_multi_line ? Line::more : Line::good;
  return same(word, "-ERR") ? Line::refused : Line::strange;
}

// RFC 5804 §1.2, §1.7: strings, and then OK, NO or BYE, with "(CODE)" perhaps right behind.
Line read_sieve(std::string_view line) {
  if (line.starts_with('"') || line.starts_with('{')) return Line::more;
  auto word = take_word(line);
  word = word.substr(0, word.find('('));
  const auto status = status_of(word);
  return same(word, "BAD") ? Line::strange : status;
}

Line read_smtp(std::string_view line) {
  const bool has_code = line.size() >= 3 && std::ranges::all_of(line.substr(0, 3), [](char c) {
                          return c >= '0' && c <= '9';
                        });
  if (!has_code || (line.size() > 3 && line[3] != ' ' && line[3] != '-')) return Line::strange;
  return line.front() == '2' ? Line::good : Line::refused;
}

}  // namespace

const Protocol& protocol_of(Starttls starttls) {
  if (starttls == Starttls::imap) return kImap;
  return starttls == Starttls::pop3 ? kPop3 : kSieve;
}

Line read_line(Starttls starttls, const Exchange& exchange, std::string_view line, bool is_first) {
  switch (starttls) {
    case Starttls::imap:
      return read_imap(exchange, line);
    case Starttls::pop3:
      return read_pop3(exchange, line, is_first);
    case Starttls::sieve:
      return read_sieve(line);
    case Starttls::smtp:
    case Starttls::none:
      break;
  }
  return Line::strange;
}

bool offers_starttls(Starttls starttls, std::string_view line) {
  switch (starttls) {
    case Starttls::imap:
      return line.starts_with("* ") && has_word(line, "STARTTLS");
    case Starttls::pop3:
      return same(take_word(line), "STLS");
    case Starttls::sieve:
      return same(take_word(line), "\"STARTTLS\"");
    case Starttls::smtp:
    case Starttls::none:
      break;
  }
  return false;
}

std::optional<Greeting> read_greeting(std::string_view line) {
  const auto greeting = [](Starttls protocol, Line said) {
    return Greeting{.protocol = protocol,
                    .line = said,
                    .goodbye = protocol == Starttls::smtp ? std::string_view{"QUIT"}
                                                          : protocol_of(protocol).goodbye};
  };
  if (const auto said = read_smtp(line); said != Line::strange)
    return greeting(Starttls::smtp, said);
  for (const auto protocol : {Starttls::imap, Starttls::pop3, Starttls::sieve}) {
    const auto said = read_line(protocol, protocol_of(protocol).greeting, line, true);
    if (said != Line::strange) return greeting(protocol, said == Line::more ? Line::good : said);
  }
  return std::nullopt;
}

}  // namespace probes::services
