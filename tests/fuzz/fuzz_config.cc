// Any text is a configuration whose every value is in its range, or a list of errors that point
// into the text.

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <set>
#include <string>
#include <string_view>
#include <utility>

#include "config/load.h"
#include "config/name.h"
#include "tests/fuzz/demand.h"

namespace {

using fuzz::demand;
using namespace config;
using namespace std::chrono_literals;

bool is_one_line(std::string_view text) {
  return std::ranges::none_of(text, [](char c) {
    const auto octet = static_cast<unsigned char>(c);
    return octet < 0x20 || octet == 0x7f;
  });
}

bool is_between(Seconds value, Seconds least, Seconds most) {
  return value >= least && value <= most;
}

void check(const Notify& notify) {
  demand(is_between(notify.remind_after, 0s, 24h * 365), "notify.remind_after is in range");
  std::set<std::string> names;
  const auto check_name = [&](const std::string& name) {
    demand(label_value(name) == name, "a notifier's name is a word");
    demand(names.insert(name).second, "no two notifiers have the same name");
  };
  const auto check_url = [](const std::string& url) {
    demand(web_address(url) == url, "an address is in its normal form");
  };
  for (const auto& one : notify.alertmanagers) check_url(one.url);
  for (const auto& [name, value] : notify.labels) {
    demand(label_name(name) == name, "a label's name is one");
    demand(!value.empty() && printable_text(value) == value, "a label's value is one");
  }
  for (const auto& one : notify.webhooks) {
    check_name(one.name);
    check_url(one.url);
  }
  for (const auto& one : notify.mail) {
    check_name(one.name);
    demand(mail_server(one.server) == one.server, "a mail server is in its normal form");
    demand(mail_address(one.from) == one.from, "a sender is in its normal form");
    demand(!one.to.empty(), "there is a recipient");
    for (const auto& to : one.to) demand(mail_address(to) == to, "a recipient is, too");
    demand(printable_text(one.user) == one.user, "a user is a text");
  }
  for (const auto& one : notify.grafana) {
    check_name(one.name);
    check_url(one.url);
    demand(one.token_file.has_filename(), "a token is in a file");
  }
  if (!notify.heartbeat) return;
  check_url(notify.heartbeat->url);
  demand(is_between(notify.heartbeat->every, 10s, 24h), "notify.heartbeat.every is in range");
}

void check(const Config& config) {
  demand(!config.domains.empty() || !config.domain_lists.empty(), "there is something to watch");
  for (const auto& list : config.domain_lists) {
    const int places = (list.file.empty() ? 0 : 1) + (list.url.empty() ? 0 : 1) +
                       (list.catalog_zone.empty() ? 0 : 1);
    demand(places == 1, "a list is in one place");
    demand(list.is_elsewhere() || (list.file.is_absolute() && list.file.has_filename()),
           "a list is a file");
    demand(!list.is_elsewhere() || label_value(list.name) == list.name, "a list has a name");
    demand(is_between(list.refresh, 10s, 24h), "a list is read often enough, and not too often");
    demand(list.url.empty() || list_address(list.url) == list.url, "a list's URL may be asked");
    demand(list.catalog_zone.empty() || !list.tsig_key_file.empty() ||
               is_loopback(list.primary.address),
           "a transfer is signed");
    demand(group_name(list.group) == list.group, "a list's group is a word");
  }
  check(config.notify);
  std::set<std::string> names;
  for (const auto& domain : config.domains) {
    demand(normal_domain(domain.name) == domain.name, "a domain's name is in its normal form");
    demand(names.insert(domain.name).second, "no domain twice");
    const auto& group = domain.group.text();
    demand(is_one_line(group) && group_name(group) == group, "a group is a word");
  }
  for (const auto& [address, port] : config.dns.resolvers) {
    demand(normal_address(address) == address, "a resolver's address is in its normal form");
    demand(port > 0, "a resolver's port is one");
  }
  demand(is_between(config.dns.timeout, 1s, 10min), "dns.timeout is in range");
  demand(!config.dns.trust_anchor_file.empty(), "dns.trust_anchor_file is a file");
  demand(config.smtp.port > 0, "smtp.port is a port");
  demand(helo_name(config.smtp.helo) == config.smtp.helo, "smtp.helo is in its normal form");
  demand(is_between(config.smtp.timeout, 1s, 10min), "smtp.timeout is in range");
  demand(is_between(config.schedule.interval, 10s, 24h * 7), "schedule.interval is in range");
  demand(is_between(config.schedule.confirm_after, 1s, 119s), "schedule.confirm_after is in range");
  demand(is_between(config.schedule.retry_after, 1s, 24h), "schedule.retry_after is in range");
  demand(config.schedule.workers >= 1 && config.schedule.workers <= 1024,
         "schedule.workers is in range");
  demand(config.storage.path.is_absolute() && config.storage.path.has_filename(),
         "storage.path is a file, from the folder of the configuration");
  demand(is_between(config.storage.retention, 1h, 24h * 3650), "storage.retention is in range");
  demand(normal_address(config.web.listen_address) == config.web.listen_address,
         "web.listen_address is in its normal form");
  demand(config.web.port > 0, "web.port is a port");
  demand(config.web.external_url.empty() ||
             web_address(config.web.external_url) == config.web.external_url,
         "web.external_url is in its normal form");
}

void check(const LoadError& error, std::string_view text) {
  demand(error.file == "/etc/danelaw/f", "an error names the file");
  demand(error.line >= 1 && error.column >= 1, "an error points into the text");
  const auto lines = std::ranges::count_if(text, [](char c) { return c == '\n' || c == '\r'; }) + 1;
  demand(error.line <= lines + 1, "an error points to no line behind the text");
  demand(!error.message.empty() && is_one_line(error.message), "an error is one line of text");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string text(data, data + size);
  const auto config = parse(text, "/etc/danelaw/f");
  if (config) {
    check(*config);
    return 0;
  }
  demand(!config.error().empty(), "what is no configuration has an error");
  auto before = std::pair{0, 0};
  for (const auto& error : config.error()) {
    check(error, text);
    demand(before <= std::pair{error.line, error.column}, "errors are in file order");
    before = {error.line, error.column};
  }
  return 0;
}
