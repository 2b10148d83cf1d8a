#include "config/name.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <charconv>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <system_error>
#include <utility>

#include <arpa/inet.h>
#include <fmt/format.h>
#include <idn2.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include "config/utf8.h"

namespace config {
namespace {

constexpr std::size_t longest_name =
    253;  // RFC 1035 §2.3.4, less the root's and the first length octet
constexpr std::size_t longest_label = 63;
constexpr std::size_t longest_input =
    1024;  // four UTF-8 octets a character; keeps libidn2's work small

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}
bool is_name_character(char c) {
  return (c >= 'a' && c <= 'z') || is_digit(c) || c == '-' || c == '_' || c == '.';
}
bool is_ascii(char c) {
  return static_cast<unsigned char>(c) < 0x80;
}
// No control character of ASCII or of ISO 6429 (U+0080 to U+009F).
bool is_printable(std::string_view text) {
  for (std::size_t at = 0; at < text.size(); ++at) {
    const auto octet = static_cast<unsigned char>(text[at]);
    const auto next = static_cast<unsigned char>(at + 1 < text.size() ? text[at + 1] : '\0');
    if (octet < 0x20 || octet == 0x7f || (octet == 0xc2 && next < 0xa0)) return false;
  }
  return true;
}
char lower(char c) {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}

Failure<std::string> fails(std::string why) {
  return Failure<std::string>{std::move(why)};
}

Result<std::string, std::string> to_a_labels(const std::string& text) {
  // Plain ASCII names pass as they are: UTS 46 would refuse what DNS really holds, as in
  // "r3---x.example".
  if (std::ranges::all_of(text, is_ascii) && text.find("xn--") == std::string::npos) return text;
  std::uint8_t* raw = nullptr;
  // libidn2 speaks of octets as uint8_t*; same bytes, other type.
  const int rc = idn2_lookup_u8(reinterpret_cast<const std::uint8_t*>(text.c_str()), &raw,
                                IDN2_NONTRANSITIONAL | IDN2_NFC_INPUT);
  const std::unique_ptr<std::uint8_t, void (*)(void*)> owned{raw, idn2_free};
  if (rc != IDN2_OK) {
    return fails(fmt::format("not a valid internationalized name: {}", idn2_strerror(rc)));
  }
  return std::string{reinterpret_cast<const char*>(owned.get())};
}

std::optional<std::string> complaint_about_label(std::string_view label) {
  if (label.empty()) return "an empty label (a dot in front, or two in a row)";
  if (label.size() > longest_label) {
    return fmt::format("a label of {} characters; {} is the most", label.size(), longest_label);
  }
  if (label.front() == '-' || label.back() == '-') {
    return fmt::format("label \"{}\" begins or ends with a hyphen", label);
  }
  return std::nullopt;
}

std::optional<std::string> complaint_about_labels(std::string_view name) {
  for (std::size_t at = 0; at <= name.size();) {
    const std::size_t dot = std::min(name.find('.', at), name.size());
    if (auto complaint = complaint_about_label(name.substr(at, dot - at))) return complaint;
    at = dot + 1;
  }
  return std::nullopt;
}

std::optional<std::string> complaint_about(const std::string& name) {
  if (name.empty()) return "no name at all";
  if (!std::ranges::all_of(name, is_name_character)) {
    return "a domain name may contain only letters, digits, '-', '_' and '.'";
  }
  if (auto complaint = complaint_about_labels(name)) return complaint;
  if (name.size() > longest_name) {
    return fmt::format("a name of {} characters; {} is the most", name.size(), longest_name);
  }
  if (normal_address(name)) return "an address, not a domain name";
  const std::size_t last_dot = name.rfind('.');
  if (last_dot == std::string::npos) {
    return "one label only; a domain has two or more, as example.org";
  }
  if (std::all_of(name.begin() + static_cast<std::ptrdiff_t>(last_dot) + 1, name.end(), is_digit)) {
    return "the last label is a number; no top-level domain is";
  }
  return std::nullopt;
}

template <class Binary>
std::optional<std::string> canonical(int family, const std::string& text) {
  Binary binary{};
  std::array<char, INET6_ADDRSTRLEN> shown{};
  if (inet_pton(family, text.c_str(), &binary) != 1) return std::nullopt;
  return std::string{inet_ntop(family, &binary, shown.data(), shown.size())};
}

std::optional<std::uint16_t> parse_port(std::string_view text) {
  std::uint16_t port = 0;
  const char* const end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, port);
  if (error != std::errc{} || stop != end || port == 0) return std::nullopt;
  return port;
}

}  // namespace

namespace {

// What somebody gives who has a mail address or a link at hand; nothing when it is neither.
std::optional<std::string> complaint_about_kind(std::string_view text) {
  const auto ask = [](std::string_view what, std::string_view part) -> std::optional<std::string> {
    const auto name = normal_domain(part);
    if (!name) return std::nullopt;
    return fmt::format("{}; is the domain {}?", what, *name);
  };
  if (const auto scheme = text.find("://"); scheme != std::string_view::npos) {
    const auto rest = text.substr(scheme + 3);
    return ask("a link, not a domain name", rest.substr(0, rest.find_first_of("/:?#")));
  }
  const auto at = text.rfind('@');
  if (at == std::string_view::npos) return std::nullopt;
  return ask("a mail address, not a domain name", text.substr(at + 1));
}

}  // namespace

Result<std::string, std::string> normal_domain(std::string_view text) {
  if (text.size() > longest_input) return fails("far too long for a domain name");
  if (auto complaint = complaint_about_kind(text)) return fails(*std::move(complaint));
  if (text.find('\0') != std::string_view::npos) return fails("a NUL byte in a domain name");
  std::string lowered{text};
  std::ranges::transform(lowered, lowered.begin(), lower);
  auto name = to_a_labels(lowered);
  if (!name) return name;
  if (name->ends_with('.')) {  // here, for an ideographic full stop is a dot only now
    name->pop_back();
  }
  if (auto complaint = complaint_about(*name)) return fails(*std::move(complaint));
  return name;
}

Result<std::string, std::string> normal_address(std::string_view text) {
  const std::string copy{text};
  if (copy.find('\0') == std::string::npos) {  // inet_pton would stop there and be content
    if (auto ipv4 = canonical<in_addr>(AF_INET, copy)) return *std::move(ipv4);
    if (auto ipv6 = canonical<in6_addr>(AF_INET6, copy)) return *std::move(ipv6);
  }
  return fails("not an IPv4 or IPv6 address");
}

Result<ResolverAddress, std::string> parse_resolver(std::string_view text) {
  ResolverAddress resolver;
  if (const std::size_t at = text.find('@'); at != std::string_view::npos) {
    const auto port = parse_port(text.substr(at + 1));
    if (!port) return fails("after '@' stands the port, 1 to 65535");
    resolver.port = *port;
    text = text.substr(0, at);
    if (text.size() > 2 && text.front() == '[' && text.back() == ']' &&
        text.find(':') != std::string_view::npos) {
      text = text.substr(1, text.size() - 2);
    }
  }
  auto address = normal_address(text);
  if (!address) return fails(address.error() + "; write as 192.0.2.1, 2001:db8::1, 192.0.2.1@5353");
  resolver.address = *std::move(address);
  return resolver;
}

Result<std::string, std::string> helo_name(std::string_view name) {
  constexpr std::string_view ipv6_tag = "[IPv6:";
  if (name.empty()) return std::string{};
  if (!name.starts_with('[')) {
    auto domain = normal_domain(name);
    // Names of records may have one (RFC 2181 §11), names of hosts not; Exim and others refuse it.
    if (domain && domain->find('_') != std::string::npos)
      return fails("mail servers refuse an underscore in the name that a client gives");
    return domain;
  }
  const bool is_ipv6 = name.starts_with(ipv6_tag);
  const std::string_view inner = name.substr(is_ipv6 ? ipv6_tag.size() : 1);
  const auto address = normal_address(inner.substr(0, inner.empty() ? 0 : inner.size() - 1));
  if (!name.ends_with(']') || !address || is_ipv6 != (address->find(':') != std::string::npos)) {
    return fails("not an address literal; write as [192.0.2.1] or [IPv6:2001:db8::1]");
  }
  return std::string{name};
}

std::optional<std::string> doubt_about_host_name(std::string_view host_name) {
  const auto name = helo_name(host_name);
  if (name && !name->empty()) return std::nullopt;
  const bool has_domain = host_name.find('.') != std::string_view::npos;
  return fmt::format(
      "smtp.helo is not set, and this machine's host name {} is {}: servers may refuse it in EHLO; "
      "set smtp.helo to a name that resolves to this machine's address and back",
      host_name, has_domain ? "none that they accept" : "not fully qualified");
}

Result<std::string, std::string> group_name(std::string_view name) {
  constexpr std::ptrdiff_t longest = 64;
  const auto is_lead = [](char c) { return (static_cast<unsigned char>(c) & 0xc0) != 0x80; };
  if (std::ranges::count_if(name, is_lead) > longest) return fails("longer than 64 characters");
  if (!is_utf8(name)) return fails("not UTF-8");
  if (!is_printable(name)) return fails("not all of it is printable");
  return std::string{name};
}

Result<std::string, std::string> web_address(std::string_view url) {
  constexpr std::size_t longest = 2048;
  constexpr std::string_view never = "\"<>\\^`{|} ";  // RFC 3986 has none of these
  const std::size_t scheme = url.starts_with("https://") ? 8 : url.starts_with("http://") ? 7 : 0;
  if (scheme == 0) return fails("begins neither with http:// nor with https://");
  const std::string_view rest = url.substr(scheme);
  const auto is_strange = [never](char c) {
    return c < 0x21 || c > 0x7e || never.find(c) != std::string_view::npos;
  };
  if (rest.empty() || rest.starts_with('/')) return fails("names no host");
  if (url.size() > longest || std::ranges::any_of(url, is_strange)) {
    return fails("not a web address");
  }
  return std::string{url.substr(0, url.find_last_not_of('/') + 1)};  // links add their own '/'
}

std::string_view host_of(std::string_view url) {
  const auto scheme = url.find("://");
  if (scheme == std::string_view::npos) return {};
  auto host = url.substr(scheme + 3);
  host = host.substr(0, host.find_first_of("/?#"));
  const auto bracket = host.rfind(']');
  const auto colon = host.rfind(':');
  const bool has_port =
      colon != std::string_view::npos && (bracket == std::string_view::npos || colon > bracket);
  return has_port ? host.substr(0, colon) : host;
}

bool is_loopback(std::string_view address) {
  return address == "::1" || (address.starts_with("127.") && normal_address(address));
}

Result<std::string, std::string> list_address(std::string_view text) {
  auto url = web_address(text);
  if (!url) return url;
  const auto authority = text.substr(0, text.find_first_of("/?#", text.find("://") + 3));
  if (authority.find('@') != std::string_view::npos)
    return fails("it may contain no user or password; see token_file");
  if (text.find('#') != std::string_view::npos) return fails("has a fragment, which is never sent");
  const auto host = host_of(text);
  const bool is_here = is_loopback(host) || host == "[::1]" || host == "localhost";
  if (text.starts_with("http://") && !is_here)
    return fails("http:// only to this machine (127.0.0.1, [::1], localhost); otherwise https://");
  return std::string{text};  // a slash at its end may matter to the server
}

Result<std::string, std::string> mail_address(std::string_view text) {
  constexpr std::size_t longest = 254;  // RFC 5321 §4.5.3.1.3, without the angle brackets
  constexpr std::string_view never = "<>\"(),:;\\[]@ ";
  const auto is_strange = [never](char c) {
    return c < 0x21 || c > 0x7e || never.find(c) != std::string_view::npos;
  };
  const std::size_t at = text.rfind('@');
  if (at == std::string_view::npos || at == 0 ||
      std::ranges::any_of(text.substr(0, at), is_strange))
    return fails("not a mail address");
  const auto domain = normal_domain(text.substr(at + 1));
  if (!domain) return fails("behind '@': " + domain.error());
  auto address = std::string{text.substr(0, at + 1)} + *domain;
  if (address.size() > longest) return fails("too long for a mail address");
  return address;
}

Result<std::string, std::string> mail_server(std::string_view text) {
  constexpr std::string_view wanted = "write as smtp://mail.example.org:587 or smtps://…:465";
  const bool is_tls = text.starts_with("smtps://");
  if (!is_tls && !text.starts_with("smtp://")) return fails(std::string{wanted});
  std::string_view host = text.substr(is_tls ? 8 : 7);
  std::uint16_t port = is_tls ? 465 : 587;  // RFC 8314 §3.3, RFC 6409 §3.1
  if (const std::size_t colon = host.rfind(':');
      colon != std::string_view::npos && host.find(']', colon) == std::string_view::npos) {
    const auto given = parse_port(host.substr(colon + 1));
    if (!given) return fails(fmt::format("the port is none; {}", wanted));
    port = *given;
    host = host.substr(0, colon);
  }
  const bool is_bracketed = host.size() > 2 && host.starts_with('[') && host.ends_with(']');
  if (is_bracketed) host = host.substr(1, host.size() - 2);
  auto name = normal_address(host);
  const bool is_ipv6 = name && name->find(':') != std::string::npos;
  if (!name) name = host == "localhost" ? std::string{host} : normal_domain(host);
  if (!name || is_bracketed != is_ipv6) return fails(fmt::format("names no host; {}", wanted));
  if (is_ipv6) name = fmt::format("[{}]", *name);
  return fmt::format("{}://{}:{}", is_tls ? "smtps" : "smtp", *name, port);
}

Result<std::string, std::string> label_value(std::string_view text) {
  constexpr std::size_t longest = 64;
  const auto is_plain = [](char c) {
    return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '.' || c == '_' || c == '-';
  };
  if (text.empty() || text.size() > longest || !std::ranges::all_of(text, is_plain))
    return fails("not a word of letters, digits, '.', '_' and '-'");
  return std::string{text};
}

Result<std::string, std::string> web_host(std::string_view text) {
  constexpr std::size_t longest = 253;
  std::string host{text};
  std::ranges::transform(host, host.begin(), lower);
  const auto is_plain = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '.' || c == '-';
  };
  if (host.empty() || host.size() > longest || !std::ranges::all_of(host, is_plain))
    return fails("not a host name without a port");
  return host;
}

Result<std::string, std::string> label_name(std::string_view text) {
  constexpr std::size_t longest = 64;
  const auto is_plain = [](char c) {
    return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_';
  };
  if (text.empty() || text.size() > longest || !std::ranges::all_of(text, is_plain) ||
      std::isdigit(static_cast<unsigned char>(text.front())) != 0 || text.starts_with("__"))
    return fails("not the name of a label: letters, digits and '_', no digit first");
  return std::string{text};
}

Result<std::string, std::string> printable_text(std::string_view text) {
  constexpr std::size_t longest = 256;
  if (!is_utf8(text)) return fails("not UTF-8");
  if (text.size() > longest || !is_printable(text))
    return fails("too long, or not all of it is printable");
  return std::string{text};
}

}  // namespace config
