#include "config/read.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "config/fields.h"
#include "config/matcher.h"
#include "config/name.h"
#include "config/service.h"

// Which key is which field.
namespace config {
namespace {

constexpr auto kRoles = std::to_array<std::pair<std::string_view, Role>>(
    {{"inbound", Role::inbound}, {"outbound", Role::outbound}});
constexpr auto kLeasts = std::to_array<std::pair<std::string_view, Least>>(
    {{"medium", Least::medium}, {"high", Least::high}, {"critical", Least::critical}});
constexpr auto kHookMethods = std::to_array<std::pair<std::string_view, HookMethod>>(
    {{"POST", HookMethod::post}, {"PUT", HookMethod::put}});
constexpr auto kDigests =
    std::to_array<std::pair<std::string_view, DigestEvery>>({{"never", DigestEvery::never},
                                                             {"daily", DigestEvery::daily},
                                                             {"weekly", DigestEvery::weekly}});
constexpr auto kDetails =
    std::to_array<std::pair<std::string_view, Detail>>({{"address", Detail::address},
                                                        {"mx", Detail::mx},
                                                        {"domain", Detail::domain},
                                                        {"summary", Detail::summary}});
constexpr auto kRights = std::to_array<std::pair<std::string_view, Right>>(
    {{"report", Right::report}, {"read", Right::read}, {"operate", Right::operate}});

template <auto member, auto& keys>
void section(const TreeNode& node, Config& config, Notes& notes) {
  using Section = std::decay_t<decltype(config.*member)>;
  read_map<Section>(node, keys, config.*member, notes);
}

constexpr std::int64_t minute = 60;
constexpr std::int64_t hour = 60 * minute;
constexpr std::int64_t day = 24 * hour;

constexpr Key<Domain> domain_keys[] = {
    {"name", text<&Domain::name, normal_domain>},
    {"role", word<&Domain::role, kRoles>},
    {"group", text<&Domain::group, group_name>},
};

std::optional<Domain> read_domain(const TreeNode& node, Notes& notes) {
  Domain domain;
  if (node.is_text()) {
    text<&Domain::name, normal_domain>(node, domain, notes);
  } else if (node.kind == TreeNode::Kind::map) {
    if (!has_key(node, "name")) complain(notes, node, "a domain without a name");
    read_map<Domain>(node, domain_keys, domain, notes);
  } else {
    wrong(notes, node, "a domain name, or a map of name, role and group");
  }
  return domain.name.empty() ? std::nullopt : std::optional{std::move(domain)};
}

void domains(const TreeNode& node, Config& config, Notes& notes) {
  if (node.kind != TreeNode::Kind::list || node.items.empty()) {
    return wrong(notes, node, "a list of one domain or more");
  }
  std::map<std::string, int> lines;
  for (const TreeNode& item : node.items) {
    auto domain = read_domain(item, notes);
    if (!domain) continue;
    const auto [first, is_new] = lines.try_emplace(domain->name, item.place.line);
    if (is_new) {
      config.domains.push_back(*std::move(domain));
    } else {
      complain(notes, item,
               fmt::format("domain \"{}\" again; it is in line {} already", domain->name,
                           first->second));
    }
  }
}

constexpr Key<Service> service_keys[] = {
    {"host", text<&Service::host, normal_domain>},     {"port", number<&Service::port, 1, 65535>},
    {"starttls", word<&Service::starttls, kStarttls>}, {"role", word<&Service::role, kRoles>},
    {"group", text<&Service::group, group_name>},
};

// "HOST:PORT", or a map; of port and starttls the one stands for the other where that is missing.
std::optional<Service> read_service(const TreeNode& node, Notes& notes) {
  Service service;
  if (node.is_text()) {
    const auto called = service_called(node.text);
    auto host =
        called ? normal_domain(called->host)
               : Failure<std::string>("a service is a host and a port, as imap.example.org:993");
    if (!host) {
      complain(notes, node, fmt::format("{}: {}", in_quotes(node.text), host.error()));
      return std::nullopt;
    }
    service.host = *std::move(host);
    service.port = called->port;
    service.starttls = usual_starttls(service.port);
    return service;
  }
  if (node.kind != TreeNode::Kind::map) {
    wrong(notes, node, "HOST:PORT, or a map of host, port, starttls, role and group");
    return std::nullopt;
  }
  if (!has_key(node, "host")) complain(notes, node, "a service without a host");
  read_map<Service>(node, service_keys, service, notes);
  const bool has_port = has_key(node, "port");
  if (!has_port) service.port = usual_port(service.starttls).value_or(0);
  if (!has_key(node, "starttls")) service.starttls = usual_starttls(service.port);
  if (!has_port && service.port == 0 && !service.host.empty())
    complain(notes, node, "a service without a port");
  if (service.host.empty() || service.port == 0) return std::nullopt;
  return service;
}

void hosts(const TreeNode& node, Config& config, Notes& notes) {
  if (node.kind != TreeNode::Kind::list || node.items.empty())
    return wrong(notes, node, "a list of one service or more");
  std::map<std::string, int> lines;
  for (const TreeNode& item : node.items) {
    auto service = read_service(item, notes);
    if (!service) continue;
    const auto name = service_name(service->host, service->port);
    const auto [first, is_new] = lines.try_emplace(name, item.place.line);
    if (is_new) {
      config.hosts.push_back(*std::move(service));
    } else {
      complain(notes, item,
               fmt::format("service {} again; it is in line {} already", name, first->second));
    }
  }
}

// They are watched as domains are, by names of their own.
void add_services(Config& config) {
  for (const auto& service : config.hosts) {
    config.domains.push_back({.name = service_name(service.host, service.port),
                              .role = service.role,
                              .group = service.group});
  }
}

void primary(const TreeNode& node, DomainList& list, Notes& notes) {
  if (!node.is_text()) return wrong(notes, node, "an address");
  auto address = parse_resolver(node.text);
  if (!address)
    return complain(notes, node, fmt::format("{}: {}", in_quotes(node.text), address.error()));
  list.primary = *std::move(address);
}

constexpr Key<DomainList> domain_list_keys[] = {
    {"file", path<&DomainList::file>},
    {"url", text<&DomainList::url, list_address>},
    {"catalog_zone", text<&DomainList::catalog_zone, normal_domain>},
    {"role", word<&DomainList::role, kRoles>},
    {"group", text<&DomainList::group, group_name>},
    {"appendable", flag<&DomainList::appendable>},
    {"name", text<&DomainList::name, label_value>},
    {"refresh", duration<&DomainList::refresh, 10, day>},
    {"token_file", path<&DomainList::token_file>},
    {"ca_file", path<&DomainList::ca_file>},
    {"primary", primary},
    {"tsig_key_file", path<&DomainList::tsig_key_file>},
};

// Where a list is, and which further keys go with that.
struct ListKind {
  std::string_view key;
  std::vector<std::string_view> with;
};

// Complains of keys that say nothing of a list of that kind.
void check_list_keys(const TreeNode& item, Notes& notes) {
  static const std::vector<ListKind> kinds{
      {"file", {"appendable"}},
      {"url", {"name", "refresh", "token_file", "ca_file"}},
      {"catalog_zone", {"name", "refresh", "primary", "tsig_key_file"}},
  };
  const auto has = [&](std::string_view key) { return has_key(item, key); };
  const auto given =
      std::ranges::count_if(kinds, [&](const ListKind& kind) { return has(kind.key); });
  if (given != 1)
    return complain(notes, item, "exactly one of the keys file, url and catalog_zone is wanted");
  const auto kind = std::ranges::find_if(kinds, [&](const ListKind& one) { return has(one.key); });
  std::set<std::string_view> strange;
  for (const auto& other : kinds) strange.insert(other.with.begin(), other.with.end());
  for (const auto key : kind->with) strange.erase(key);
  for (const auto key : strange) {
    if (has(key))
      complain(notes, item, fmt::format("the key \"{}\" is not for a {}", key, kind->key));
  }
}

// A transfer that nobody signs is believed from this machine only, as a page without TLS is.
void check_primary(const TreeNode& item, const DomainList& list, Notes& notes) {
  if (!has_key(item, "catalog_zone")) return;
  if (!has_key(item, "primary"))
    return complain(notes, item, "the key \"primary\" is missing: who gives the catalog zone");
  if (!list.primary.address.empty() && !is_loopback(list.primary.address) &&
      !has_key(item, "tsig_key_file"))
    complain(notes, item,
             "a primary on another machine can only be believed with a \"tsig_key_file\"");
}

// The name that it has when the operator gives none.
std::string name_of_list(const DomainList& list) {
  auto name = list.catalog_zone.empty() ? std::string{host_of(list.url)} : list.catalog_zone;
  std::ranges::replace_if(
      name,
      [](char c) {
        return !label_value({&c, 1});
      },
      '_');
  constexpr std::size_t longest = 64;  // of a label_value
  return name.substr(0, longest);
}

// Each list from elsewhere is known by its name: what was read of it is kept under that.
void name_lists(Config& config, const std::vector<const TreeNode*>& items, Notes& notes) {
  std::map<std::string, int> lines;
  for (std::size_t i = 0; i < items.size(); ++i) {
    auto& list = config.domain_lists[i];
    if (list.url.empty() && list.catalog_zone.empty()) continue;
    if (list.name.empty()) list.name = name_of_list(list);
    const int line = items[i]->place.line;
    const auto [first, is_new] = lines.try_emplace(list.name, line);
    if (is_new) continue;
    complain(notes, *items[i],
             fmt::format("a second list called {}; the first is in line {}: give each a \"name\"",
                         in_quotes(list.name), first->second));
  }
}

void domain_lists(const TreeNode& node, Config& config, Notes& notes) {
  if (node.kind != TreeNode::Kind::list) return wrong(notes, node, "a list");
  if (node.items.empty()) return wrong(notes, node, "a list of one file or more");
  std::vector<const TreeNode*> items;
  for (const TreeNode& item : node.items) {
    if (item.kind == TreeNode::Kind::nothing) {  // read_map would take its defaults
      wrong(notes, item, "a map of keys");
      continue;
    }
    auto& list = config.domain_lists.emplace_back();
    items.push_back(&item);
    read_map<DomainList>(item, domain_list_keys, list, notes);
    if (item.kind != TreeNode::Kind::map) continue;
    check_list_keys(item, notes);
    check_primary(item, list, notes);
  }
  name_lists(config, items, notes);
}

void resolvers(const TreeNode& node, Dns& dns, Notes& notes) {
  if (node.kind != TreeNode::Kind::list) return wrong(notes, node, "a list of addresses");
  for (const TreeNode& item : node.items) {
    if (!item.is_text()) {
      wrong(notes, item, "an address");
    } else if (auto resolver = parse_resolver(item.text)) {
      dns.resolvers.push_back(*std::move(resolver));
    } else {
      complain(notes, item, fmt::format("{}: {}", in_quotes(item.text), resolver.error()));
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
    {"looks", number<&Smtp::looks, 1, 10>, "handshakes_per_address"},
    {"every_key_type", flag<&Smtp::every_key_type>},
};

constexpr Key<MtaSts> mta_sts_keys[] = {
    {"enabled", flag<&MtaSts::enabled>},
    {"ca_file", path<&MtaSts::ca_file>},
    {"port", number<&MtaSts::port, 1, 65535>},
    {"timeout", duration<&MtaSts::timeout, 1, 5 * minute>},
};

void directories(const TreeNode& node, Acme& acme, Notes& notes) {
  if (node.kind == TreeNode::Kind::nothing) return;
  if (node.kind != TreeNode::Kind::map) return wrong(notes, node, "a map of CAs to URLs");
  for (std::size_t i = 0; i + 1 < node.items.size(); i += 2) {
    const TreeNode& key = node.items[i];
    const TreeNode& value = node.items[i + 1];
    if (!key.is_text() || key.text.empty() || !printable_text(key.text)) {
      wrong(notes, key, "the name of a CA");
    } else if (!value.is_text()) {
      wrong(notes, value, "an https URL, or \"\" for none");
    } else if (value.text.empty()) {
      acme.directories.erase(key.text);
    } else if (!value.text.starts_with("https://")) {
      complain(notes, value,
               fmt::format("{}: does not begin with https://", in_quotes(value.text)));
    } else if (const auto url = web_address(value.text); !url) {
      complain(notes, value, fmt::format("{}: {}", in_quotes(value.text), url.error()));
    } else {
      acme.directories.insert_or_assign(key.text, value.text);
    }
  }
}

constexpr Key<Acme> acme_keys[] = {
    {"enabled", flag<&Acme::enabled>},
    {"directories", directories},
    {"partners", flag<&Acme::partners>},
};

constexpr Key<Tlsrpt> tlsrpt_keys[] = {{"folder", path<&Tlsrpt::folder>}};

constexpr Key<Schedule> schedule_keys[] = {
    {"interval", duration<&Schedule::interval, 10, 7 * day>},
    {"confirm_after", duration<&Schedule::confirm_after, 1, 2 * minute - 1>},
    {"fastest", duration<&Schedule::fastest, 1, day>, "min_interval"},
    {"retry_after", duration<&Schedule::retry_after, 1, day>},
    {"workers", number<&Schedule::workers, 1, 1024>},
};

constexpr Key<Politeness> politeness_keys[] = {
    {"at_once", number<&Politeness::at_once, 1, 1024>},
    {"per_minute", number<&Politeness::per_minute, 1, 60'000>},
    {"own_hosts_too", flag<&Politeness::own_hosts_too>},
};

// Nothing of it is repeated: a password may stand in it.
void connection(const TreeNode& node, Storage& storage, Notes& notes) {
  constexpr std::size_t longest = 2000;
  const auto is_printable = [](char c) {
    return static_cast<unsigned char>(c) >= 0x20 && c != 0x7f;
  };
  if (!node.is_text() || node.text.empty() || node.text.size() > longest ||
      !std::ranges::all_of(node.text, is_printable))
    return complain(notes, node, "expected a connection string or URI of PostgreSQL");
  storage.postgresql = node.text;
}

constexpr Key<Storage> storage_keys[] = {
    {"path", path<&Storage::path>},
    {"postgresql", connection},
    {"retention", duration<&Storage::retention, hour, 3650 * day>},
};

constexpr Key<Agent> agent_keys[] = {
    {"name", text<&Agent::name, label_value>},
    {"vantage", text<&Agent::vantage, label_value>},
};

constexpr Key<Fleet> fleet_keys[] = {
    {"takeover", duration<&Fleet::takeover, 5, hour>},
    {"quorum", number<&Fleet::quorum, 1, 100>},
    {"cross_check", duration<&Fleet::cross_check, 60, day>},
};

// The groups of a login. None at all would not be "nobody's": whoever empties the list by mistake
// must not open everything.
std::vector<std::string> read_groups(const TreeNode& node, Notes& notes) {
  std::vector<std::string> out;
  if (node.kind != TreeNode::Kind::list || node.items.empty()) {
    wrong(notes, node, "a list of one group or more");
    return out;
  }
  for (const TreeNode& item : node.items) {
    const auto name =
        item.is_text() ? group_name(item.text) : Text(Failure<std::string>("no text"));
    if (!name || name->empty()) {
      complain(notes, item,
               fmt::format("{}: {}", shown(item), name ? "a group has a name" : name.error()));
    } else {
      out.push_back(*name);
    }
  }
  return out;
}

void token_groups(const TreeNode& node, Token& token, Notes& notes) {
  token.groups = read_groups(node, notes);
}

constexpr Key<Token> token_keys[] = {
    {"name", text<&Token::name, label_value>},
    {"file", path<&Token::file>},
    {"role", word<&Token::right, kRights>},
    {"groups", token_groups},
};

// What hands in reports and certificates only sees nothing that groups could narrow.
void tokens(const TreeNode& node, Web& web, Notes& notes) {
  maps<&Web::tokens, token_keys>(node, web, notes, {"name", "file"});
  for (const TreeNode& item : node.items) {
    const auto* groups = value_of(item, "groups");
    const auto* role = value_of(item, "role");
    if (groups != nullptr && role != nullptr && role->text == "report")
      complain(notes, *groups, "a token whose role is report is for everybody's domains");
  }
}

void user_groups(const TreeNode& node, Web& web, Notes& notes) {
  if (node.kind == TreeNode::Kind::nothing) return;
  if (node.kind != TreeNode::Kind::map)
    return wrong(notes, node, "a map of users, each with a list of groups");
  for (std::size_t i = 0; i + 1 < node.items.size(); i += 2) {
    const TreeNode& user = node.items[i];
    auto groups = read_groups(node.items[i + 1], notes);
    if (!user.is_text() || user.text.empty()) {
      wrong(notes, user, "the name of a user");
    } else if (!web.user_groups.emplace(user.text, std::move(groups)).second) {
      complain(notes, user, fmt::format("user {} again", in_quotes(user.text)));
    }
  }
}

constexpr Key<Web> web_keys[] = {
    {"listen_address", text<&Web::listen_address, normal_address>},
    {"port", number<&Web::port, 1, 65535>},
    {"external_url", text<&Web::external_url, web_address>},
    {"hosts", texts<&Web::hosts, web_host>},
    {"config_file", path<&Web::config_file>},
    {"operators", texts<&Web::operators, printable_text>},
    {"user_groups", user_groups},
    {"tokens", tokens},
    {"allow_unauthenticated", flag<&Web::allow_unauthenticated>},
    {"public_badges", texts<&Web::public_badges, target_name>},
    {"public_title", text<&Web::public_title, printable_text>},
    {"public_text", text<&Web::public_text, printable_text>},
};

constexpr Key<Metrics> metrics_keys[] = {{"detail", word<&Metrics::detail, kDetails>}};

constexpr Key<Alertmanager> alertmanager_keys[] = {
    {"url", text<&Alertmanager::url, web_address>},
    {"token_file", path<&Alertmanager::token_file>},
};

// Complains of what is not printable text; nothing then.
std::optional<std::string> word_of(const TreeNode& node, Notes& notes) {
  if (!node.is_text()) {
    wrong(notes, node, "text");
    return std::nullopt;
  }
  auto text = printable_text(node.text);
  if (text) return *std::move(text);
  complain(notes, node, fmt::format("{}: {}", in_quotes(node.text), text.error()));
  return std::nullopt;
}

void template_words(const TreeNode& node, Webhook& webhook, Notes& notes) {
  if (node.kind == TreeNode::Kind::nothing) return;
  if (node.kind != TreeNode::Kind::map)
    return wrong(notes, node, "a map of fields, each with a map of words");
  for (std::size_t i = 0; i + 1 < node.items.size(); i += 2) {
    const auto field = word_of(node.items[i], notes);
    const TreeNode& words = node.items[i + 1];
    if (words.kind != TreeNode::Kind::map) {
      wrong(notes, words, "a map of our words, each with yours");
      continue;
    }
    for (std::size_t j = 0; j + 1 < words.items.size(); j += 2) {
      const auto ours = word_of(words.items[j], notes);
      const auto theirs = word_of(words.items[j + 1], notes);
      if (field && ours && theirs && !webhook.values[*field].emplace(*ours, *theirs).second)
        complain(notes, words.items[j], fmt::format("{} again", in_quotes(*ours)));
    }
  }
}

constexpr Key<Webhook> webhook_keys[] = {
    {"name", text<&Webhook::name, label_value>},
    {"url", text<&Webhook::url, hook_address>},
    {"secret_file", path<&Webhook::secret_file>},
    {"token_file", path<&Webhook::token_file>},
    {"template_file", path<&Webhook::template_file>},
    {"values", template_words},
    {"least_severity", word<&Webhook::least, kLeasts>},
    {"matchers", texts<&Webhook::matchers, matcher_text>},
    {"method", word<&Webhook::method, kHookMethods>},
    {"resolved_url", text<&Webhook::resolved_url, hook_address>},
    {"token_scheme", text<&Webhook::token_scheme, label_value>},
};

void recipients(const TreeNode& node, Mail& mail, Notes& notes) {
  if (node.kind != TreeNode::Kind::list || node.items.empty())
    return wrong(notes, node, "a list of one mail address or more");
  texts<&Mail::to, mail_address>(node, mail, notes);
}

constexpr Key<Mail> mail_keys[] = {
    {"name", text<&Mail::name, label_value>},
    {"server", text<&Mail::server, mail_server>},
    {"from", text<&Mail::from, mail_address>},
    {"to", recipients},
    {"user", text<&Mail::user, printable_text>},
    {"password_file", path<&Mail::password_file>},
    {"ca_file", path<&Mail::ca_file>},
    {"least_severity", word<&Mail::least, kLeasts>},
    {"matchers", texts<&Mail::matchers, matcher_text>},
    {"tells_alerts", flag<&Mail::tells_alerts>},
    {"digest", word<&Mail::digest, kDigests>},
    {"digest_at", duration<&Mail::digest_at, 0, day - 60>},
    {"digest_when_well", flag<&Mail::digest_when_well>},
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

void heartbeat(const TreeNode& node, Notify& notify, Notes& notes) {
  if (node.kind == TreeNode::Kind::nothing) return;  // all of it commented out: there is none
  if (node.kind == TreeNode::Kind::map && !has_key(node, "url"))
    complain(notes, node, "a heartbeat without a url");
  notify.heartbeat.emplace();
  read_map<Heartbeat>(node, heartbeat_keys, *notify.heartbeat, notes);
}

void alertmanagers(const TreeNode& node, Notify& notify, Notes& notes) {
  maps<&Notify::alertmanagers, alertmanager_keys>(node, notify, notes, {"url"});
}
void webhooks(const TreeNode& node, Notify& notify, Notes& notes) {
  maps<&Notify::webhooks, webhook_keys>(node, notify, notes, {"name", "url"});
}
void mail(const TreeNode& node, Notify& notify, Notes& notes) {
  maps<&Notify::mail, mail_keys>(node, notify, notes, {"name", "server", "from", "to"});
}
void grafana(const TreeNode& node, Notify& notify, Notes& notes) {
  maps<&Notify::grafana, grafana_keys>(node, notify, notes, {"name", "url", "token_file"});
}

void labels(const TreeNode& node, Notify& notify, Notes& notes) {
  if (node.kind == TreeNode::Kind::nothing) return;
  if (node.kind != TreeNode::Kind::map) return wrong(notes, node, "a map of labels");
  for (std::size_t i = 0; i + 1 < node.items.size(); i += 2) {
    const TreeNode& key = node.items[i];
    const TreeNode& value = node.items[i + 1];
    const auto name = key.is_text() ? label_name(key.text) : Text(Failure<std::string>("no text"));
    if (!name) {
      complain(notes, key, fmt::format("{}: {}", in_quotes(key.text), name.error()));
    } else if (!value.is_text() || value.text.empty()) {
      wrong(notes, value, "text");
    } else if (const auto text = printable_text(value.text); !text) {
      complain(notes, value, fmt::format("{}: {}", in_quotes(value.text), text.error()));
    } else if (!notify.labels.emplace(*name, value.text).second) {
      complain(notes, key, fmt::format("label {} again", in_quotes(key.text)));
    }
  }
}

constexpr Key<Notify> notify_keys[] = {
    {"remind_after", duration<&Notify::remind_after, 0, 365 * day>, "repeat_interval"},
    {"alertmanagers", alertmanagers},
    {"labels", labels},
    {"webhooks", webhooks},
    {"mail", mail},
    {"grafana", grafana},
    {"heartbeat", heartbeat},
};

// Notifications wait under the name of their notifier: no two may have the same.
void notify(const TreeNode& node, Config& config, Notes& notes) {
  section<&Config::notify, notify_keys>(node, config, notes);
  std::map<std::string_view, int> lines;
  for (const auto* kind : {"webhooks", "mail", "grafana"}) {
    const TreeNode* const list = value_of(node, kind);
    if (list == nullptr) continue;
    for (const TreeNode& item : list->items) {
      const TreeNode* const name = value_of(item, "name");
      if (name == nullptr || !name->is_text()) continue;
      const auto [first, is_new] = lines.try_emplace(name->text, name->place.line);
      if (is_new) continue;
      complain(notes, *name,
               fmt::format("a second notifier called {}; the first is in line {}",
                           in_quotes(name->text), first->second));
    }
  }
}

// A file, "journald", or "journald:FOLDER".
void postfix_log(const TreeNode& node, Postfix& postfix, Notes& notes) {
  constexpr std::string_view journal = "journald";
  const bool has_journal =
      node.is_text() && (node.text == journal || node.text.starts_with("journald:"));
  if (!has_journal) return path<&Postfix::log>(node, postfix, notes);
  postfix.has_journal = true;
  if (node.text == journal) return;
  const auto folder = std::string_view(node.text).substr(journal.size() + 1);
  if (folder.empty() || folder.find('\0') != std::string_view::npos)
    return complain(notes, node, in_quotes(node.text) + ": journald, or journald:FOLDER");
  postfix.journal_folder = notes.folder / folder;
}

constexpr Key<Postfix> postfix_keys[] = {
    {"log", postfix_log},
    {"policy_socket", path<&Postfix::policy_socket>},
};

Result<std::string, std::string> sender_class(std::string_view text) {
  if (std::ranges::find(kSenderClasses, text) != kSenderClasses.end()) return std::string(text);
  return Failure<std::string>(
      fmt::format("no class of senders; give some of {}", fmt::join(kSenderClasses, ", ")));
}

constexpr Key<Config> config_keys[] = {
    {"domains", domains},
    {"hosts", hosts},
    {"domain_lists", domain_lists},
    {"sender_classes", texts<&Config::sender_classes, sender_class>},
    {"issuers_file", path<&Config::issuers_file>},
    {"dns", section<&Config::dns, dns_keys>},
    {"smtp", section<&Config::smtp, smtp_keys>},
    {"mta_sts", section<&Config::mta_sts, mta_sts_keys>},
    {"acme", section<&Config::acme, acme_keys>},
    {"tlsrpt", section<&Config::tlsrpt, tlsrpt_keys>},
    {"schedule", section<&Config::schedule, schedule_keys>},
    {"politeness", section<&Config::politeness, politeness_keys>},
    {"storage", section<&Config::storage, storage_keys>},
    {"agent", section<&Config::agent, agent_keys>},
    {"fleet", section<&Config::fleet, fleet_keys>},
    {"web", section<&Config::web, web_keys>},
    {"metrics", section<&Config::metrics, metrics_keys>},
    {"notify", notify},
    {"postfix", section<&Config::postfix, postfix_keys>},
};

}  // namespace

Reading read(const TreeNode& root, std::filesystem::path folder) {
  Notes notes{.folder = std::move(folder), .complaints = {}};
  Config config;
  const bool can_hold_keys =
      root.kind == TreeNode::Kind::map || root.kind == TreeNode::Kind::nothing;
  if (can_hold_keys && !has_key(root, "domains") && !has_key(root, "domain_lists") &&
      !has_key(root, "hosts")) {
    complain(notes, TreeNode{}, "the key \"domains\" is missing: which domains to watch");
  }
  read_map<Config>(root, config_keys, config, notes);
  add_services(config);
  std::ranges::stable_sort(notes.complaints, {}, &Complaint::place);
  return {.config = std::move(config), .complaints = std::move(notes.complaints)};
}

}  // namespace config
