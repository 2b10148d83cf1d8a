#include "config/read.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstddef>
#include <cstdint>
#include <iterator>
#include <limits>
#include <map>
#include <numeric>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <system_error>
#include <type_traits>
#include <utility>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "config/name.h"
#include "config/result.h"
#include "config/time.h"

// First the readers that turn one node into one field, then the tables that say which key is which
// field.
namespace config {
namespace {

// ---- one node to one field

using Text = Result<std::string, std::string>;

// What the file said, fit for one line of a terminal.
std::string in_quotes(std::string_view text) {
  constexpr std::size_t longest = 60;
  std::string shown;
  const auto is_inner = [text](std::size_t at) { return (text[at] & 0xc0) == 0x80; };
  std::size_t length = std::min(text.size(), longest);
  while (length < text.size() && length > 0 && is_inner(length)) --length;
  for (const char c : text.substr(0, length)) {
    const auto octet = static_cast<unsigned char>(c);
    if (c == '"' || c == '\\') {
      shown += {'\\', c};
    } else if (octet < 0x20 || octet == 0x7f) {
      shown += fmt::format("\\x{:02x}", octet);
    } else {
      shown += c;
    }
  }
  return fmt::format("\"{}{}\"", shown, length < text.size() ? "…" : "");
}

std::string shown(const TreeNode& node) {
  switch (node.kind) {
    case TreeNode::Kind::nothing:
      return "nothing";
    case TreeNode::Kind::plain:
      return in_quotes(node.text);
    case TreeNode::Kind::quoted:
      return "the text " + in_quotes(node.text);
    case TreeNode::Kind::list:
      return "a list";
    case TreeNode::Kind::map:
      return "a map of keys";
  }
  return "";
}

// "15m": the largest unit that leaves a whole number.
std::string shown(Seconds duration) {
  constexpr auto units =
      std::to_array<std::pair<std::int64_t, char>>({{86400, 'd'}, {3600, 'h'}, {60, 'm'}});
  for (const auto& [seconds, letter] : units) {
    if (duration.count() >= seconds && duration.count() % seconds == 0) {
      return fmt::format("{}{}", duration.count() / seconds, letter);
    }
  }
  return fmt::format("{}s", duration.count());
}

std::optional<std::int64_t> whole_number(const TreeNode& node) {
  std::int64_t number = 0;
  const char* const end = node.text.data() + node.text.size();
  const auto [stop, error] = std::from_chars(node.text.data(), end, number);
  if (node.kind != TreeNode::Kind::plain || stop != end || node.text.empty()) return std::nullopt;
  if (error == std::errc::result_out_of_range) return std::numeric_limits<std::int64_t>::max();
  return error == std::errc{} ? std::optional{number} : std::nullopt;
}

void complain(Reading& reading, const TreeNode& at, std::string message) {
  reading.complaints.push_back({.place = at.place, .message = std::move(message)});
}

void wrong(Reading& reading, const TreeNode& node, std::string_view wanted) {
  complain(reading, node, fmt::format("expected {}, found {}", wanted, shown(node)));
}

template <auto member, std::int64_t least, std::int64_t most>
void number(const TreeNode& node, auto& section, Reading& reading) {
  const auto value = whole_number(node);
  if (!value || *value < least || *value > most) {
    return wrong(reading, node, fmt::format("a whole number from {} to {}", least, most));
  }
  section.*member = static_cast<std::decay_t<decltype(section.*member)>>(*value);
}

template <auto member, std::int64_t least, std::int64_t most>
void duration(const TreeNode& node, auto& section, Reading& reading) {
  constexpr Seconds from{least};
  constexpr Seconds to{most};
  const auto value = node.is_text() ? parse_duration(node.text) : std::nullopt;
  if (value && *value >= from && *value <= to) {
    section.*member = *value;
  } else if (whole_number(node)) {
    complain(reading, node,
             fmt::format("the number {} has no unit; write s, m, h or d behind it, as in {}",
                         node.text, shown(from)));
  } else {
    wrong(reading, node, fmt::format("a duration from {} to {}", shown(from), shown(to)));
  }
}

template <auto member>
void flag(const TreeNode& node, auto& section, Reading& reading) {
  if (node.kind != TreeNode::Kind::plain || (node.text != "true" && node.text != "false")) {
    return wrong(reading, node, "true or false");
  }
  section.*member = node.text == "true";
}

// Text that `check` brings into its normal form, or refuses.
template <auto member, Text (*check)(std::string_view)>
void text(const TreeNode& node, auto& section, Reading& reading) {
  if (!node.is_text()) return wrong(reading, node, "text");
  auto value = check(node.text);
  if (!value) {
    return complain(reading, node, fmt::format("{}: {}", in_quotes(node.text), value.error()));
  }
  section.*member = *std::move(value);
}

template <auto member>
void path(const TreeNode& node, auto& section, Reading& reading) {
  if (!node.is_text()) return wrong(reading, node, "a file name");
  const std::filesystem::path value{node.text};
  if (!value.has_filename() || node.text.find('\0') != std::string::npos) {
    return complain(reading, node, in_quotes(node.text) + ": not the name of a file");
  }
  section.*member = reading.folder / value;  // an absolute path replaces the folder
}

template <class Section>
void role(const TreeNode& node, Section& domain, Reading& reading) {
  if (!node.is_text() || (node.text != "inbound" && node.text != "outbound")) {
    return wrong(reading, node, "inbound or outbound");
  }
  domain.role = node.text == "inbound" ? Role::inbound : Role::outbound;
}

// One of these words, into `value`; `all` names them for who wrote another.
template <class Value, std::size_t count>
void word(const TreeNode& node, const std::pair<std::string_view, Value> (&words)[count],
          std::string_view all, Value& value, Reading& reading) {
  const auto found = std::ranges::find(words, std::string_view{node.text},
                                       &std::pair<std::string_view, Value>::first);
  if (!node.is_text() || found == std::end(words)) return wrong(reading, node, std::string{all});
  value = found->second;
}

template <class Section>
void least(const TreeNode& node, Section& section, Reading& reading) {
  constexpr std::pair<std::string_view, Least> words[] = {
      {"medium", Least::medium}, {"high", Least::high}, {"critical", Least::critical}};
  word(node, words, "medium, high or critical", section.least, reading);
}

void detail(const TreeNode& node, Metrics& metrics, Reading& reading) {
  constexpr std::pair<std::string_view, Detail> words[] = {{"address", Detail::address},
                                                           {"mx", Detail::mx},
                                                           {"domain", Detail::domain},
                                                           {"summary", Detail::summary}};
  word(node, words, "address, mx, domain or summary", metrics.detail, reading);
}

void recipients(const TreeNode& node, Mail& mail, Reading& reading) {
  if (node.kind != TreeNode::Kind::list || node.items.empty())
    return wrong(reading, node, "a list of one mail address or more");
  for (const TreeNode& item : node.items) {
    const auto address =
        item.is_text() ? mail_address(item.text) : Text(Failure<std::string>("no text"));
    if (address) {
      mail.to.push_back(*address);
    } else {
      complain(reading, item, fmt::format("{}: {}", in_quotes(item.text), address.error()));
    }
  }
}

// ---- which key is which field

template <class Section>
struct Key {
  std::string_view name;
  void (*read)(const TreeNode&, Section&, Reading&);
};

// How many letters must be changed, added or dropped to make one word the other (Levenshtein).
std::size_t distance(std::string_view one, std::string_view other) {
  std::vector<std::size_t> row(other.size() + 1);
  std::iota(row.begin(), row.end(), std::size_t{0});
  for (std::size_t i = 0; i < one.size(); ++i) {
    std::size_t diagonal = std::exchange(row[0], i + 1);
    for (std::size_t j = 0; j < other.size(); ++j) {
      const std::size_t replaced = diagonal + (one[i] == other[j] ? 0 : 1);
      diagonal = row[j + 1];
      row[j + 1] = std::min({replaced, row[j] + 1, diagonal + 1});
    }
  }
  return row.back();
}

std::string unknown_key(std::string_view given, const std::vector<std::string_view>& known) {
  constexpr std::size_t longest_typo = 40;
  if (given.size() <= longest_typo) {
    const auto far = [given](std::string_view name) { return distance(given, name); };
    const std::string_view nearest = *std::ranges::min_element(known, {}, far);
    if (far(nearest) <= 1 + nearest.size() / 4) {
      return fmt::format("unknown key {}; did you mean \"{}\"?", in_quotes(given), nearest);
    }
  }
  return fmt::format("unknown key {}; known here: {}", in_quotes(given), fmt::join(known, ", "));
}

// The value of the key, where it stands first; null where it does not, or `map` is none.
const TreeNode* value_of(const TreeNode& map, std::string_view name) {
  if (map.kind != TreeNode::Kind::map) return nullptr;
  for (std::size_t i = 0; i + 1 < map.items.size(); i += 2) {
    if (map.items[i].is_text() && map.items[i].text == name) return &map.items[i + 1];
  }
  return nullptr;
}

bool has_key(const TreeNode& map, std::string_view name) {
  return value_of(map, name) != nullptr;
}

template <class Section>
void read_key(const TreeNode& key, const TreeNode& value, std::span<const Key<Section>> keys,
              Section& section, Reading& reading) {
  const auto found = std::ranges::find(keys, key.text, &Key<Section>::name);
  if (key.is_text() && found != keys.end()) return found->read(value, section, reading);
  if (!key.is_text()) return wrong(reading, key, "a key");
  std::vector<std::string_view> names;
  std::ranges::transform(keys, std::back_inserter(names), &Key<Section>::name);
  complain(reading, key, unknown_key(key.text, names));
}

template <class Section>
void read_map(const TreeNode& node, std::span<const Key<Section>> keys, Section& section,
              Reading& reading) {
  if (node.kind == TreeNode::Kind::nothing) return;  // all of it commented out: the defaults hold
  if (node.kind != TreeNode::Kind::map) return wrong(reading, node, "a map of keys");
  std::map<std::string_view, int> lines;
  for (std::size_t i = 0; i + 1 < node.items.size(); i += 2) {
    const TreeNode& key = node.items[i];
    const auto [first, is_new] = lines.try_emplace(key.text, key.place.line);
    if (!is_new && key.is_text()) {
      complain(reading, key,
               fmt::format("key {} again; it stands in line {} already", in_quotes(key.text),
                           first->second));
    }
    read_key(key, node.items[i + 1], keys, section, reading);
  }
}

template <auto member, auto& keys>
void section(const TreeNode& node, Config& config, Reading& reading) {
  using Section = std::decay_t<decltype(config.*member)>;
  read_map<Section>(node, keys, config.*member, reading);
}

constexpr std::int64_t minute = 60;
constexpr std::int64_t hour = 60 * minute;
constexpr std::int64_t day = 24 * hour;

constexpr Key<Domain> domain_keys[] = {
    {"name", text<&Domain::name, normal_domain>},
    {"role", role<Domain>},
    {"group", text<&Domain::group, group_name>},
};

std::optional<Domain> read_domain(const TreeNode& node, Reading& reading) {
  Domain domain;
  if (node.is_text()) {
    text<&Domain::name, normal_domain>(node, domain, reading);
  } else if (node.kind == TreeNode::Kind::map) {
    if (!has_key(node, "name")) complain(reading, node, "a domain without a name");
    read_map<Domain>(node, domain_keys, domain, reading);
  } else {
    wrong(reading, node, "a domain name, or a map of name, role and group");
  }
  return domain.name.empty() ? std::nullopt : std::optional{std::move(domain)};
}

void domains(const TreeNode& node, Config& config, Reading& reading) {
  if (node.kind != TreeNode::Kind::list || node.items.empty()) {
    return wrong(reading, node, "a list of one domain or more");
  }
  std::map<std::string, int> lines;
  for (const TreeNode& item : node.items) {
    auto domain = read_domain(item, reading);
    if (!domain) continue;
    const auto [first, is_new] = lines.try_emplace(domain->name, item.place.line);
    if (is_new) {
      config.domains.push_back(*std::move(domain));
    } else {
      complain(reading, item,
               fmt::format("domain \"{}\" again; it stands in line {} already", domain->name,
                           first->second));
    }
  }
}

// A list of maps, each of which must have the keys `wanted`.
template <auto member, auto& keys, class Section>
void maps(const TreeNode& node, Section& section, Reading& reading,
          std::initializer_list<std::string_view> wanted) {
  using Item = typename std::decay_t<decltype(section.*member)>::value_type;
  if (node.kind != TreeNode::Kind::list) return wrong(reading, node, "a list");
  for (const TreeNode& item : node.items) {
    if (item.kind == TreeNode::Kind::nothing) {  // read_map would take its defaults
      wrong(reading, item, "a map of keys");
      continue;
    }
    Item& made = (section.*member).emplace_back();
    read_map<Item>(item, keys, made, reading);
    if (item.kind != TreeNode::Kind::map) continue;
    for (const auto key : wanted) {
      if (!has_key(item, key))
        complain(reading, item, fmt::format("the key \"{}\" is missing", key));
    }
  }
}

constexpr Key<DomainList> domain_list_keys[] = {
    {"file", path<&DomainList::file>},
    {"role", role<DomainList>},
    {"group", text<&DomainList::group, group_name>},
};

void domain_lists(const TreeNode& node, Config& config, Reading& reading) {
  if (node.kind == TreeNode::Kind::list && node.items.empty())
    return wrong(reading, node, "a list of one file or more");
  maps<&Config::domain_lists, domain_list_keys>(node, config, reading, {"file"});
}

void resolvers(const TreeNode& node, Dns& dns, Reading& reading) {
  if (node.kind != TreeNode::Kind::list) return wrong(reading, node, "a list of addresses");
  for (const TreeNode& item : node.items) {
    if (!item.is_text()) {
      wrong(reading, item, "an address");
    } else if (auto resolver = parse_resolver(item.text)) {
      dns.resolvers.push_back(*std::move(resolver));
    } else {
      complain(reading, item, fmt::format("{}: {}", in_quotes(item.text), resolver.error()));
    }
  }
}

constexpr Key<Dns> dns_keys[] = {
    {"resolvers", resolvers},
    {"trust_anchor_file", path<&Dns::trust_anchor_file>},
    {"timeout", duration<&Dns::timeout, 1, 10 * minute>},
    {"every_server", flag<&Dns::every_server>},
};

constexpr Key<Smtp> smtp_keys[] = {
    {"port", number<&Smtp::port, 1, 65535>},
    {"helo", text<&Smtp::helo, helo_name>},
    {"timeout", duration<&Smtp::timeout, 1, 10 * minute>},
    {"allow_special_addresses", flag<&Smtp::allow_special_addresses>},
    {"looks", number<&Smtp::looks, 1, 10>},
    {"every_key_type", flag<&Smtp::every_key_type>},
};

constexpr Key<MtaSts> mta_sts_keys[] = {
    {"enabled", flag<&MtaSts::enabled>},
    {"ca_file", path<&MtaSts::ca_file>},
    {"port", number<&MtaSts::port, 1, 65535>},
    {"timeout", duration<&MtaSts::timeout, 1, 5 * minute>},
};

constexpr Key<Schedule> schedule_keys[] = {
    {"interval", duration<&Schedule::interval, 10, 7 * day>},
    {"confirm_after", duration<&Schedule::confirm_after, 1, 2 * minute - 1>},
    {"fastest", duration<&Schedule::fastest, 1, day>},
    {"retry_after", duration<&Schedule::retry_after, 1, day>},
    {"workers", number<&Schedule::workers, 1, 1024>},
};

constexpr Key<Storage> storage_keys[] = {
    {"path", path<&Storage::path>},
    {"retention", duration<&Storage::retention, hour, 3650 * day>},
};

constexpr Key<Web> web_keys[] = {
    {"listen_address", text<&Web::listen_address, normal_address>},
    {"port", number<&Web::port, 1, 65535>},
    {"external_url", text<&Web::external_url, web_address>},
};

constexpr Key<Metrics> metrics_keys[] = {{"detail", detail}};

constexpr Key<Alertmanager> alertmanager_keys[] = {
    {"url", text<&Alertmanager::url, web_address>},
    {"token_file", path<&Alertmanager::token_file>},
};

constexpr Key<Webhook> webhook_keys[] = {
    {"name", text<&Webhook::name, label_value>},      {"url", text<&Webhook::url, web_address>},
    {"secret_file", path<&Webhook::secret_file>},     {"token_file", path<&Webhook::token_file>},
    {"template_file", path<&Webhook::template_file>}, {"least_severity", least<Webhook>},
};

constexpr Key<Mail> mail_keys[] = {
    {"name", text<&Mail::name, label_value>},    {"server", text<&Mail::server, mail_server>},
    {"from", text<&Mail::from, mail_address>},   {"to", recipients},
    {"user", text<&Mail::user, printable_text>}, {"password_file", path<&Mail::password_file>},
    {"ca_file", path<&Mail::ca_file>},           {"least_severity", least<Mail>},
};

constexpr Key<Grafana> grafana_keys[] = {
    {"name", text<&Grafana::name, label_value>},
    {"url", text<&Grafana::url, web_address>},
    {"token_file", path<&Grafana::token_file>},
};

constexpr Key<Heartbeat> heartbeat_keys[] = {
    {"url", text<&Heartbeat::url, web_address>},
    {"every", duration<&Heartbeat::every, 10, day>},
};

void heartbeat(const TreeNode& node, Notify& notify, Reading& reading) {
  if (node.kind == TreeNode::Kind::nothing) return;  // all of it commented out: there is none
  if (node.kind == TreeNode::Kind::map && !has_key(node, "url"))
    complain(reading, node, "a heartbeat without a url");
  notify.heartbeat.emplace();
  read_map<Heartbeat>(node, heartbeat_keys, *notify.heartbeat, reading);
}

void alertmanagers(const TreeNode& node, Notify& notify, Reading& reading) {
  maps<&Notify::alertmanagers, alertmanager_keys>(node, notify, reading, {"url"});
}
void webhooks(const TreeNode& node, Notify& notify, Reading& reading) {
  maps<&Notify::webhooks, webhook_keys>(node, notify, reading, {"name", "url"});
}
void mail(const TreeNode& node, Notify& notify, Reading& reading) {
  maps<&Notify::mail, mail_keys>(node, notify, reading, {"name", "server", "from", "to"});
}
void grafana(const TreeNode& node, Notify& notify, Reading& reading) {
  maps<&Notify::grafana, grafana_keys>(node, notify, reading, {"name", "url", "token_file"});
}

void labels(const TreeNode& node, Notify& notify, Reading& reading) {
  if (node.kind == TreeNode::Kind::nothing) return;
  if (node.kind != TreeNode::Kind::map) return wrong(reading, node, "a map of labels");
  for (std::size_t i = 0; i + 1 < node.items.size(); i += 2) {
    const TreeNode& key = node.items[i];
    const TreeNode& value = node.items[i + 1];
    const auto name = key.is_text() ? label_name(key.text) : Text(Failure<std::string>("no text"));
    if (!name) {
      complain(reading, key, fmt::format("{}: {}", in_quotes(key.text), name.error()));
    } else if (!value.is_text() || value.text.empty()) {
      wrong(reading, value, "text");
    } else if (const auto text = printable_text(value.text); !text) {
      complain(reading, value, fmt::format("{}: {}", in_quotes(value.text), text.error()));
    } else if (!notify.labels.emplace(*name, value.text).second) {
      complain(reading, key, fmt::format("label {} again", in_quotes(key.text)));
    }
  }
}

constexpr Key<Notify> notify_keys[] = {
    {"remind_after", duration<&Notify::remind_after, 0, 365 * day>},
    {"alertmanagers", alertmanagers},
    {"labels", labels},
    {"webhooks", webhooks},
    {"mail", mail},
    {"grafana", grafana},
    {"heartbeat", heartbeat},
};

// Letters wait under the name of their notifier: no two may have the same.
void notify(const TreeNode& node, Config& config, Reading& reading) {
  section<&Config::notify, notify_keys>(node, config, reading);
  std::map<std::string_view, int> lines;
  for (const auto* kind : {"webhooks", "mail", "grafana"}) {
    const TreeNode* const list = value_of(node, kind);
    if (list == nullptr) continue;
    for (const TreeNode& item : list->items) {
      const TreeNode* const name = value_of(item, "name");
      if (name == nullptr || !name->is_text()) continue;
      const auto [first, is_new] = lines.try_emplace(name->text, name->place.line);
      if (is_new) continue;
      complain(reading, *name,
               fmt::format("a notifier called {} again; it stands in line {} already",
                           in_quotes(name->text), first->second));
    }
  }
}

constexpr Key<Config> config_keys[] = {
    {"domains", domains},
    {"domain_lists", domain_lists},
    {"dns", section<&Config::dns, dns_keys>},
    {"smtp", section<&Config::smtp, smtp_keys>},
    {"mta_sts", section<&Config::mta_sts, mta_sts_keys>},
    {"schedule", section<&Config::schedule, schedule_keys>},
    {"storage", section<&Config::storage, storage_keys>},
    {"web", section<&Config::web, web_keys>},
    {"metrics", section<&Config::metrics, metrics_keys>},
    {"notify", notify},
};

}  // namespace

Reading read(const TreeNode& root, std::filesystem::path folder) {
  Reading reading{.folder = std::move(folder), .config = {}, .complaints = {}};
  const bool can_hold_keys =
      root.kind == TreeNode::Kind::map || root.kind == TreeNode::Kind::nothing;
  if (can_hold_keys && !has_key(root, "domains") && !has_key(root, "domain_lists")) {
    complain(reading, TreeNode{}, "the key \"domains\" is missing: which domains to watch");
  }
  read_map<Config>(root, config_keys, reading.config, reading);
  std::ranges::stable_sort(reading.complaints, {}, &Complaint::place);
  return reading;
}

}  // namespace config
