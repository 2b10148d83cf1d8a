#include "probes/reports/maillog.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <tuple>
#include <utility>

#include <nlohmann/json.hpp>

#include "config/name.h"

namespace probes::reports {
namespace {

using config::Time;

// A process that was seen for so long has no session from before the log began.
constexpr config::Seconds kSettled{600};
// Postfix waits no longer for a server's last word (smtp_data_done_timeout is 600 s).
constexpr config::Seconds kLongestSession{900};

template <class Word>
using Names = std::pair<Word, std::string_view>;

constexpr auto kLevels = std::to_array<Names<TlsLevel>>({{TlsLevel::unknown, "unknown"},
                                                         {TlsLevel::none, "none"},
                                                         {TlsLevel::anonymous, "anonymous"},
                                                         {TlsLevel::untrusted, "untrusted"},
                                                         {TlsLevel::trusted, "trusted"},
                                                         {TlsLevel::verified, "verified"}});
constexpr auto kStatuses =
    std::to_array<Names<DeliveryStatus>>({{DeliveryStatus::sent, "sent"},
                                          {DeliveryStatus::deferred, "deferred"},
                                          {DeliveryStatus::bounced, "bounced"}});
constexpr auto kSetbacks =
    std::to_array<Names<Setback>>({{Setback::none, "none"},
                                   {Setback::certificate, "certificate"},
                                   {Setback::starttls_missing, "starttls-missing"},
                                   {Setback::starttls_refused, "starttls-refused"},
                                   {Setback::handshake, "handshake"},
                                   {Setback::tlsa_lookup, "tlsa-lookup"},
                                   {Setback::dane_demanded, "dane-demanded"},
                                   {Setback::own_policy, "own-policy"},
                                   {Setback::name_lookup, "name-lookup"},
                                   {Setback::unreachable, "unreachable"},
                                   {Setback::server, "server"},
                                   {Setback::other, "other"}});

std::string_view name_in(const auto& names, auto word) {
  return std::ranges::find(names, word, [](const auto& one) { return one.first; })->second;
}
auto word_in(const auto& names, std::string_view name)
    -> std::optional<std::decay_t<decltype(names[0].first)>> {
  const auto* const found =
      std::ranges::find(names, name, [](const auto& one) { return one.second; });
  if (found == names.end()) return std::nullopt;
  return found->first;
}

bool is_letter_or_digit(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

// A domain as it is meant everywhere else; nothing for an address literal, one label, rubbish.
std::optional<std::string> domain_of(std::string_view text) {
  constexpr std::size_t kMost = 255;
  if (text.empty() || text.size() > kMost) return std::nullopt;
  // Most are in this form already; converting costs a hundred times as much.
  bool is_plain = text.find('.') != std::string_view::npos && is_letter_or_digit(text.front()) &&
                  is_letter_or_digit(text.back()) && text.find("xn--") == std::string_view::npos &&
                  text.size() <= 253;
  std::size_t label = 0;
  for (const char c : text) {
    label = c == '.' ? 0 : label + 1;
    is_plain = is_plain && label <= 63 &&
               ((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '.');
  }
  is_plain = is_plain && text.find("..") == std::string_view::npos &&
             text.find("-.") == std::string_view::npos &&
             text.find(".-") == std::string_view::npos &&
             text.find_first_not_of("0123456789", text.rfind('.') + 1) != std::string_view::npos &&
             text.find("--") == std::string_view::npos;
  if (is_plain) return std::string(text);
  auto normal = config::normal_domain(text);
  if (!normal) return std::nullopt;
  return *std::move(normal);
}

// Postfix' names of messages: hexadecimal digits, or long ones of letters and digits.
bool is_queue_id(std::string_view text) {
  constexpr std::size_t kLeast = 5, kMost = 32;
  return text.size() >= kLeast && text.size() <= kMost &&
         std::ranges::all_of(text, is_letter_or_digit);
}

std::string_view queue_id_of(std::string_view message) {
  const auto end = message.find(": ");
  if (end == std::string_view::npos) return {};
  const auto id = message.substr(0, end);
  return is_queue_id(id) ? id : std::string_view{};
}

// "mx.example.org[192.0.2.1]:25" to its name, which is empty where Postfix has none but the
// address.
// "mx.example.org[192.0.2.1]:25,conn_use=2": what goes to another port goes to a filter, a mailbox
// or a submission service, and not to the domain's MX host.
bool is_to_mx(std::string_view relay) {
  const auto close = relay.rfind("]:");
  if (close == std::string_view::npos) return relay == "none" || relay.empty();
  const auto port = relay.substr(close + 2);
  return port == "25" || port.starts_with("25,");
}

std::string host_of(std::string_view relay) {
  const auto open = relay.find('[');
  if (open == std::string_view::npos) return {};
  return domain_of(relay.substr(0, open)).value_or("");
}

// Where the recipient's address ends. A local part may hold anything, but in quotes then
// (info_log_addr_form, Postfix 3.5); where older ones leave them out, a recipient with ">, relay="
// in its name can deceive us about its own delivery.
std::size_t end_of_address(std::string_view text) {
  bool is_quoted = false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '"') is_quoted = !is_quoted;
    if (is_quoted && text[i] == '\\') ++i;
    if (!is_quoted && text[i] == '>') return i;
  }
  return text.find(">, ");
}

// Takes "to=<…>, " off and gives what stands behind the last "@": the first thing done with it.
std::optional<std::string_view> take_domain(std::string_view& rest) {
  rest.remove_prefix(std::string_view("to=<").size());
  const auto end = end_of_address(rest);
  if (end == std::string_view::npos) return std::nullopt;
  const auto at = rest.substr(0, end).rfind('@');
  const auto domain =
      at == std::string_view::npos ? std::string_view{} : rest.substr(at + 1, end - at - 1);
  rest.remove_prefix(end + 1);
  if (rest.starts_with(", orig_to=<")) {
    rest.remove_prefix(std::string_view(", orig_to=<").size());
    const auto stop = end_of_address(rest);
    if (stop == std::string_view::npos) return std::nullopt;
    rest.remove_prefix(stop + 1);
  }
  return domain;
}

// The value of a field of a delivery's line, up to the next comma; fields stand in front of what
// the server said.
std::string_view field(std::string_view fields, std::string_view name) {
  const auto begin = fields.find(name);
  if (begin == std::string_view::npos) return {};
  const auto value = fields.substr(begin + name.size());
  return value.substr(0, value.find(','));
}

config::Seconds seconds_in(std::string_view text) {
  constexpr std::int64_t kMost = 366L * 86400;
  std::int64_t value = 0;
  std::from_chars(text.data(), text.data() + text.size(), value);
  return config::Seconds{std::clamp<std::int64_t>(value, 0, kMost)};
}

struct Phrase {
  std::string_view begin;
  Setback setback;
};

// How Postfix' own words begin; what a server says never stands there.
constexpr auto kPhrases = std::to_array<Phrase>({
    {"Server certificate not", Setback::certificate},
    {"TLS is required, but was not offered", Setback::starttls_missing},
    {"TLS is required, but our TLS engine", Setback::own_policy},
    {"TLS is required, but host ", Setback::starttls_refused},
    {"Cannot start TLS", Setback::handshake},
    {"TLSA lookup error", Setback::tlsa_lookup},
    {"DANE TLSA lookup", Setback::tlsa_lookup},
    {"no TLSA records found", Setback::dane_demanded},
    {"TLSA records unusable", Setback::dane_demanded},
    {"non DNSSEC destination", Setback::dane_demanded},
    {"Verification not possible", Setback::dane_demanded},
    {"client TLS configuration problem", Setback::own_policy},
    {"Host or domain name not found", Setback::name_lookup},
    {"unable to look up", Setback::name_lookup},
    {"unable to find primary relay", Setback::name_lookup},
    {"connect to ", Setback::unreachable},
    {"lost connection", Setback::unreachable},
    {"conversation with ", Setback::unreachable},
    {"timed out", Setback::unreachable},
    {"host ", Setback::server},
    {"Domain ", Setback::server},
});

Setback setback_of(std::string_view words) {
  constexpr std::string_view kSuspended = "delivery temporarily suspended: ";
  if (words.starts_with(kSuspended)) words.remove_prefix(kSuspended.size());
  for (const auto& phrase : kPhrases) {
    if (words.starts_with(phrase.begin)) return phrase.setback;
  }
  return Setback::other;
}

// The host that Postfix' own words name: "… for mx.example.org:25", "connect to
// mx.example.org[192.0.2.1]:25", "… offered by host mx.example.org[192.0.2.1]".
std::string host_in(std::string_view words, Setback setback) {
  const auto behind = [&](std::string_view mark) -> std::string_view {
    const auto found = words.find(mark);
    if (found == std::string_view::npos) return {};
    auto rest = words.substr(found + mark.size());
    return rest.substr(0, rest.find(' '));
  };
  switch (setback) {
    case Setback::tlsa_lookup: {
      const auto name = behind("error for ");
      return domain_of(name.substr(0, name.find(':'))).value_or("");
    }
    case Setback::starttls_missing:
    case Setback::starttls_refused:
      return host_of(behind("host "));
    case Setback::unreachable:
      return words.starts_with("connect to ") ? host_of(behind("connect to "))
                                              : host_of(behind("with "));
    case Setback::server:
      return host_of(behind("host "));
    case Setback::none:
    case Setback::certificate:
    case Setback::handshake:
    case Setback::dane_demanded:
    case Setback::own_policy:
    case Setback::name_lookup:
    case Setback::other:
      return {};
  }
  return {};
}

// What `tls=` says of a session (Postfix 3.11, pol_stats_format()): "wanted" or "wanted:got", "!"
// in front when that kept the mail back, "?" behind when it was not learned. More of the kind may
// stand behind a slash (REQUIRETLS). Snapshots of 3.11 put a requirement that was relaxed in
// parentheses:
// "(wanted:got)".
std::optional<TlsLevel> level_in(std::string_view word) {
  word = word.substr(0, word.find('/'));
  if (word.starts_with('!') || word.ends_with('?')) return std::nullopt;
  if (word.starts_with('(') && word.ends_with(')')) word = word.substr(1, word.size() - 2);
  const auto got = word.find(':');
  if (got != std::string_view::npos) word = word.substr(got + 1);
  if (word == "none") return TlsLevel::none;
  if (word == "may" || word == "encrypt") return TlsLevel::untrusted;
  if (word == "half-dane") return TlsLevel::trusted;
  constexpr std::array<std::string_view, 5> kVerified{"dane", "dane-only", "fingerprint", "verify",
                                                      "secure"};
  if (std::ranges::find(kVerified, word) != kVerified.end()) return TlsLevel::verified;
  return std::nullopt;
}

// "Verified TLS connection established to mx.example.org[192.0.2.1]:25: TLSv1.3 with …"
struct Session {
  TlsLevel level;
  std::string host;
};
std::optional<Session> session_in(std::string_view message) {
  const auto space = message.find(' ');
  if (space == std::string_view::npos || space > 9) return std::nullopt;
  const auto rest = message.substr(space);
  constexpr std::string_view kNew = " TLS connection established to ";
  constexpr std::string_view kOld = " TLS connection reused to ";
  const auto& mark = rest.starts_with(kNew) ? kNew : kOld;
  if (!rest.starts_with(mark)) return std::nullopt;
  const auto word = message.substr(0, space);
  const auto level = word == "Verified"    ? TlsLevel::verified
                     : word == "Trusted"   ? TlsLevel::trusted
                     : word == "Untrusted" ? TlsLevel::untrusted
                     : word == "Anonymous" ? TlsLevel::anonymous
                                           : TlsLevel::unknown;
  if (level == TlsLevel::unknown) return std::nullopt;
  return Session{level, host_of(rest.substr(mark.size()))};
}

// "4bT1Jq0002: uid=111 from=<a@example.org> orig_id=4bT1Jq0001": what `postsuper -r` put back. Of
// other mail the line ends with the ">" of the sender.
std::optional<MailEvent> requeued(std::string_view queue_id, std::string_view rest) {
  constexpr std::string_view kMark = "> orig_id=";
  const auto mark = rest.rfind(kMark);
  if (!rest.starts_with("uid=") || mark == std::string_view::npos) return std::nullopt;
  const auto before = rest.substr(mark + kMark.size());
  if (!is_queue_id(before)) return std::nullopt;
  return Removed{.queue_id = std::string(before), .goes_on_as = std::string(queue_id)};
}

}  // namespace

std::string_view wire_name(TlsLevel level) {
  return name_in(kLevels, level);
}
std::string_view wire_name(DeliveryStatus status) {
  return name_in(kStatuses, status);
}
std::string_view wire_name(Setback setback) {
  return name_in(kSetbacks, setback);
}
std::optional<TlsLevel> tls_level_from(std::string_view name) {
  return word_in(kLevels, name);
}
std::optional<DeliveryStatus> delivery_status_from(std::string_view name) {
  return word_in(kStatuses, name);
}
std::optional<Setback> setback_from(std::string_view name) {
  return word_in(kSetbacks, name);
}

bool is_about_tls(Setback setback) {
  switch (setback) {
    case Setback::certificate:
    case Setback::starttls_missing:
    case Setback::starttls_refused:
    case Setback::handshake:
    case Setback::tlsa_lookup:
    case Setback::dane_demanded:
      return true;
    case Setback::none:
    case Setback::own_policy:
    case Setback::name_lookup:
    case Setback::unreachable:
    case Setback::server:
    case Setback::other:
      return false;
  }
  return false;
}

MaillogReader::Client& MaillogReader::client_of(std::string_view instance, std::uint32_t pid,
                                                Time at) {
  std::string key(instance);
  key += '/';
  key += std::to_string(pid);
  const auto found = clients_.find(key);
  if (found != clients_.end()) return found->second;
  // Postfix runs a hundred at once. More than these are those that have long ended.
  if (clients_.size() >= kMostProcesses) clients_.clear();
  Client client;
  client.is_known = began_ && at - *began_ >= kSettled;
  return clients_.emplace(std::move(key), std::move(client)).first->second;
}

// A session is for one message, unless Postfix says that it was used again. So what the last line
// about TLS said holds for this delivery only when no other message has had it.
TlsLevel MaillogReader::level_of(Client& client, std::string_view queue_id, std::string_view host) {
  const bool is_mine = client.host == host && !host.empty() &&
                       (client.used_by.empty() || client.used_by == queue_id);
  if (is_mine) {
    client.used_by = queue_id;
    return client.level;
  }
  const bool is_silence_telling = logs_tls_ && client.is_known;
  return is_silence_telling ? TlsLevel::none : TlsLevel::unknown;
}

// "to=<a@example.org>, relay=mx.example.org[192.0.2.1]:25, delay=0.3, delays=0/0/0.1/0.2,
// dsn=2.0.0, status=sent (250 2.0.0 Ok)"
std::optional<MailEvent> MaillogReader::delivered(Client& client, std::string_view queue_id,
                                                  std::string_view rest, Time at) {
  const auto domain = take_domain(rest);
  if (!domain) return std::nullopt;
  const auto mark = rest.find(", status=");
  if (mark == std::string_view::npos) return std::nullopt;
  const auto fields = rest.substr(0, mark + 1);
  auto end = rest.substr(mark + std::string_view(", status=").size());
  const auto status = delivery_status_from(end.substr(0, end.find(' ')));
  auto name = domain_of(*domain);
  if (!status || !name || !is_to_mx(field(fields, " relay="))) return std::nullopt;
  const auto open = end.find(" (");
  const auto words = open == std::string_view::npos ? std::string_view{} : end.substr(open + 2);
  Delivery out{.at = at,
               .queue_id = std::string(queue_id),
               .domain = *std::move(name),
               .host = host_of(field(fields, " relay=")),
               .status = *status,
               .delay = seconds_in(field(fields, " delay="))};
  const auto level = level_in(field(fields, " tls="));
  const bool has_session = !out.host.empty();
  if (has_session) {
    out.level = level_of(client, queue_id, out.host);
    // Postfix 3.11 says it here, whatever lines were there or not before.
    const bool is_guessed = out.level == TlsLevel::unknown || out.level == TlsLevel::none;
    if (level && (is_guessed || *level == TlsLevel::none)) out.level = *level;
  }
  if (out.status != DeliveryStatus::sent) {
    out.setback = setback_of(words);
    if (!has_session) out.host = host_in(words, out.setback);
  }
  if (client.trying == queue_id) {
    out.before = client.tried;
    std::erase_if(out.before, [&](const TriedHost& one) { return one.host == out.host; });
  }
  client.is_known = true;
  return out;
}

std::optional<MailEvent> MaillogReader::of_client(const LogLine& line, std::string_view instance) {
  auto& client = client_of(instance, line.pid, line.at);
  client.seen_at = line.at;
  if (auto session = session_in(line.message)) {
    logs_tls_ = true;
    client.host = std::move(session->host);
    client.level = session->level;
    client.used_by.clear();
    client.is_known = true;
    return std::nullopt;
  }
  constexpr std::string_view kFailed = "SSL_connect error to ";
  if (line.message.starts_with(kFailed)) {
    client.refused_by = host_of(line.message.substr(kFailed.size()));
    return std::nullopt;
  }
  const auto queue_id = queue_id_of(line.message);
  if (queue_id.empty()) return std::nullopt;
  auto rest = line.message.substr(queue_id.size() + 2);
  if (rest.starts_with("to=<")) return delivered(client, queue_id, rest, line.at);
  // "Server certificate not verified": this host would not do, and the next is tried.
  const auto setback = setback_of(rest);
  if (setback == Setback::other) return std::nullopt;
  if (client.trying != queue_id) {
    client.trying = queue_id;
    client.tried.clear();
  }
  auto host = host_in(rest, setback);
  // Of a session that was used before, or of one that was without TLS, it is not told.
  if (host.empty() && setback == Setback::certificate && client.used_by.empty()) host = client.host;
  if (host.empty() && setback == Setback::handshake) host = std::exchange(client.refused_by, {});
  if (!host.empty() && client.tried.size() < kMostTried)
    client.tried.push_back({std::move(host), setback});
  return std::nullopt;
}

std::string MaillogReader::state() const {
  std::vector<const std::pair<const std::string, Client>*> lately;
  for (const auto& one : clients_) {
    const auto& client = one.second;
    const bool has_word = !client.host.empty() || !client.trying.empty();
    if (has_word && last_at_ && *last_at_ - client.seen_at <= kLongestSession)
      lately.push_back(&one);
  }
  const auto kept = std::min(lately.size(), kMostRemembered);
  std::ranges::partial_sort(
      lately, lately.begin() + static_cast<std::ptrdiff_t>(kept), [](const auto* a, const auto* b) {
        return std::tie(b->second.seen_at, a->first) < std::tie(a->second.seen_at, b->first);
      });
  lately.resize(kept);
  auto clients = nlohmann::json::object();
  for (const auto* one : lately) {
    const auto& client = one->second;
    auto tried = nlohmann::json::array();
    for (const auto& host : client.tried) tried.push_back({host.host, wire_name(host.setback)});
    clients[one->first] = {{"host", client.host},
                           {"level", wire_name(client.level)},
                           {"used", client.used_by},
                           {"trying", client.trying},
                           {"tried", tried},
                           {"known", client.is_known},
                           {"at", client.seen_at.time_since_epoch().count()}};
  }
  nlohmann::json out{{"clients", clients}, {"tls", logs_tls_}};
  if (began_) out["began"] = began_->time_since_epoch().count();
  if (last_at_) out["last"] = last_at_->time_since_epoch().count();
  // The name of a program may be any octets.
  return out.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

void MaillogReader::restore(std::string_view state) {
  const auto time_from = [](const nlohmann::json& value) {
    return Time{config::Seconds{value.get<std::int64_t>()}};
  };
  try {
    const auto json = nlohmann::json::parse(state);
    decltype(clients_) clients;
    for (const auto& [key, one] : json.at("clients").items()) {
      auto& client = clients[key];
      client.host = one.at("host").get<std::string>();
      client.level = tls_level_from(one.at("level").get<std::string>()).value();
      client.used_by = one.at("used").get<std::string>();
      client.trying = one.at("trying").get<std::string>();
      for (const auto& host : one.at("tried"))
        client.tried.push_back(
            {host.at(0).get<std::string>(), setback_from(host.at(1).get<std::string>()).value()});
      client.is_known = one.at("known").get<bool>();
      client.seen_at = time_from(one.at("at"));
    }
    logs_tls_ = json.at("tls").get<bool>();
    if (json.contains("began")) began_ = time_from(json.at("began"));
    if (json.contains("last")) last_at_ = time_from(json.at("last"));
    clients_ = std::move(clients);
  } catch (const std::exception&) {  // a disk gave it back as something else
  }
}

std::optional<MailEvent> MaillogReader::understand(const LogLine& line) {
  if (lines_.is_to_come(line.at)) return std::nullopt;
  last_at_ = line.at;
  if (!began_) began_ = line.at;
  constexpr std::size_t kMostOfName = 64;
  const auto slash = line.program.rfind('/');
  if (slash == std::string_view::npos || slash > kMostOfName) return std::nullopt;
  const auto instance = line.program.substr(0, slash);
  const auto service = line.program.substr(slash + 1);
  // Those two say what an SMTP client said before, of mail that was not tried again.
  if (service == "smtp" || service == "error" || service == "retry")
    return of_client(line, instance);
  if (service != "qmgr" && service != "postsuper" && service != "pickup") return std::nullopt;
  const auto queue_id = queue_id_of(line.message);
  if (queue_id.empty()) return std::nullopt;
  const auto rest = line.message.substr(queue_id.size() + 2);
  if (service == "pickup") return requeued(queue_id, rest);
  if (rest != "removed" && rest != "expired, returned to sender" &&
      rest.find(", status=expired") == std::string_view::npos)
    return std::nullopt;
  return Removed{.queue_id = std::string(queue_id)};
}

void MaillogReader::take_field(std::string_view name, std::string_view value) {
  constexpr std::array<std::string_view, 7> kWanted{"__REALTIME_TIMESTAMP",
                                                    "SYSLOG_IDENTIFIER",
                                                    "MESSAGE",
                                                    "SYSLOG_PID",
                                                    "_PID",
                                                    "_UID",
                                                    "_COMM"};
  if (std::ranges::find(kWanted, name) == kWanted.end()) return;
  entry_->fields.emplace(name, value.substr(0, kMostOfLine));
}

// "NAME=value"; or "NAME", and its value follows as octets with their number in front.
void MaillogReader::take_line_of_entry(std::string_view line) {
  constexpr std::size_t kMostOfName = 64;
  const auto equals = line.find('=');
  const auto name = line.substr(0, equals);
  const bool is_name =
      !name.empty() && name.size() <= kMostOfName && std::ranges::all_of(name, [](char c) {
        return (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
      });
  if (!is_name) {
    entry_->is_broken = true;
  } else if (equals == std::string_view::npos) {
    binary_ = Binary{.name = std::string(name), .value = {}};
  } else {
    take_field(name, line.substr(equals + 1));
  }
}

// Eight octets, the lowest first, say how long the value is; it may hold line ends, as its length
// may. One more stands behind it.
void MaillogReader::take_line_of_binary(std::string_view line, std::uint64_t octets) {
  constexpr unsigned kOctetsOfLength = 8;
  constexpr std::uint64_t kMostOfField = std::uint64_t{1} << 30U;  // journald takes no longer ones
  std::size_t at = 0;
  for (; binary_->octets_of_length < kOctetsOfLength && at <= line.size(); ++at) {
    const auto octet = static_cast<unsigned char>(at < line.size() ? line[at] : '\n');
    binary_->left |= std::uint64_t{octet} << (8U * binary_->octets_of_length++);
  }
  if (binary_->octets_of_length < kOctetsOfLength) return;
  // With the line's end; 0 when that was the last octet of the length.
  const auto here = octets + 1 - at;
  if (here > binary_->left + 1 || binary_->left > kMostOfField) {
    entry_->is_broken = true;
    binary_.reset();
    return;
  }
  const auto text = line.substr(std::min(at, line.size()));
  if (binary_->value.size() < kMostOfLine) binary_->value += text;
  if (here == binary_->left + 1) {
    take_field(binary_->name, binary_->value);
    binary_.reset();
    return;
  }
  if (here > 0 && binary_->value.size() < kMostOfLine)
    binary_->value += ' ';  // one entry, one line
  binary_->left -= here;
}

std::optional<MailEvent> MaillogReader::end_entry() {
  const auto entry = *std::exchange(entry_, std::nullopt);
  const auto field = [&](std::string_view name) -> std::string_view {
    const auto found = entry.fields.find(name);
    return found == entry.fields.end() ? std::string_view{} : found->second;
  };
  const auto number = [&](std::string_view name) -> std::optional<std::int64_t> {
    const auto text = field(name);
    std::int64_t out = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), out);
    if (error != std::errc{} || end != text.data() + text.size() || out < 0) return std::nullopt;
    return out;
  };
  const auto microseconds = number("__REALTIME_TIMESTAMP");
  const auto program = field("SYSLOG_IDENTIFIER");
  if (entry.is_broken || !microseconds || !is_by_program(program, field("_UID"), field("_COMM")))
    return std::nullopt;
  const auto pid = field("SYSLOG_PID").empty() ? number("_PID") : number("SYSLOG_PID");
  return understand({.at = Time{config::Seconds{*microseconds / 1'000'000}},
                     .program = program,
                     .pid = static_cast<std::uint32_t>(pid.value_or(0)),
                     .message = field("MESSAGE")});
}

std::optional<MailEvent> MaillogReader::read(std::string_view line, std::uint64_t octets) {
  if (binary_) {
    take_line_of_binary(line, std::max<std::uint64_t>(octets, line.size()));
    return std::nullopt;
  }
  if (entry_ && line.empty()) return end_entry();
  // With one of these journalctl begins each.
  const bool is_entry =
      entry_ || line.starts_with("__CURSOR=") || line.starts_with("__REALTIME_TIMESTAMP=");
  if (is_entry) {
    if (!entry_) entry_ = Entry{};
    take_line_of_entry(line);
    return std::nullopt;
  }
  if (line.ends_with('\r')) line.remove_suffix(1);
  if (const auto read = lines_.read(line)) return understand(*read);
  return std::nullopt;
}

}  // namespace probes::reports
