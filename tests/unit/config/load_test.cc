#include "config/load.h"

#include <array>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <ostream>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include "config/domain_file.h"
#include "config/listed_domains.h"
#include "config/secret.h"
#include "config/service.h"
#include "tests/support/source_dir.h"

namespace config {

// For messages of failing tests.
void PrintTo(const LoadError& error, std::ostream* out) {
  *out << to_string(error);
}

namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::ElementsAreArray;
using testing::Field;
using testing::HasSubstr;
using testing::Pair;
using testing::SizeIs;

constexpr std::string_view minimal = "domains: [example.org]\n";
constexpr std::size_t mib = std::size_t{1} << 20;

std::string times(std::size_t count, std::string_view text) {
  std::string all;
  all.reserve(count * text.size());
  for (std::size_t i = 0; i < count; ++i) all += text;
  return all;
}

std::vector<std::string> errors_of(std::string_view text) {
  std::vector<std::string> errors;
  if (const auto config = parse(text, "f"); !config) {
    for (const auto& error : config.error()) errors.push_back(to_string(error));
  }
  return errors;
}

Config parsed(std::string_view text, std::string_view file_name = "f") {
  auto config = parse(text, file_name);
  if (config) return *std::move(config);
  for (const auto& error : config.error()) ADD_FAILURE() << to_string(error);
  return {};
}

std::vector<std::string> names(const std::vector<Domain>& domains) {
  std::vector<std::string> all;
  for (const auto& domain : domains) all.push_back(domain.name);
  return all;
}

TEST(Keys, SomeHavePlainerNames) {
  const auto config = parsed(
      "domains: [example.org]\n"
      "smtp: {handshakes_per_address: 3}\n"
      "schedule: {min_interval: 30s}\n"
      "notify: {repeat_interval: 2h}\n");
  EXPECT_EQ(config.smtp.looks, 3U);
  EXPECT_EQ(config.schedule.fastest, 30s);
  EXPECT_EQ(config.notify.remind_after, 2h);
  EXPECT_THAT(errors_of("domains: [example.org]\n"
                        "schedule:\n"
                        "  fastest: 30s\n"
                        "  min_interval: 40s\n"),
              ElementsAre("f:4:3: key \"min_interval\" says what \"fastest\" says in line 3 "
                          "already"));
}

TEST(Hosts, AreServicesByHostAndPort) {
  const auto config = parsed(
      "hosts:\n"
      "  - imap.Example.org:993\n"
      "  - {host: submission.example.org, starttls: smtp, role: outbound, group: doors}\n"
      "  - {host: imap.example.org, port: 143}\n"
      "  - {host: odd.example.org, port: 1143, starttls: imap}\n");
  std::vector<std::string> seen;
  for (const auto& one : config.hosts)
    seen.push_back(one.host + ":" + std::to_string(one.port) + " " +
                   std::string(wire_name(one.starttls)) + " " + one.group);
  EXPECT_THAT(seen,
              ElementsAre("imap.example.org:993 none ", "submission.example.org:587 smtp doors",
                          "imap.example.org:143 imap ", "odd.example.org:1143 imap "));
  // They are watched as domains are.
  EXPECT_THAT(names(config.domains),
              ElementsAre("imap.example.org:993", "submission.example.org:587",
                          "imap.example.org:143", "odd.example.org:1143"));
  EXPECT_EQ(config.domains[1].role, Role::outbound);
  EXPECT_EQ(config.domains[1].group, "doors");
}

TEST(Hosts, AreToldWhatIsWrong) {
  EXPECT_THAT(
      errors_of("hosts:\n"
                "  - imap.example.org\n"
                "  - {port: 993}\n"
                "  - {host: imap.example.org, starttls: none}\n"
                "  - {host: imap.example.org, starttls: ftp, port: 21}\n"
                "  - imap.example.org:993\n"
                "  - imap.example.org:993\n"
                "  - imap.example.org:0\n"),
      ElementsAre("f:2:5: \"imap.example.org\": a service is a host and a port, as "
                  "imap.example.org:993",
                  "f:3:5: a service without a host", "f:4:5: a service without a port",
                  HasSubstr("f:5:40: expected smtp, imap, pop3, sieve or none"),
                  HasSubstr("f:7:5: service imap.example.org:993 again"),
                  HasSubstr("f:8:5: \"imap.example.org:0\": a service is a host and a port")));
}

TEST(Loaded, ThePublicPageAndAppendableListsAreAsTheOperatorSays) {
  const auto config = parsed(
      "domain_lists: [{file: /a, appendable: true}, {file: /b}]\n"
      "web: {public_title: Mail at example.org, public_text: \"Ask <us>\"}\n");
  ASSERT_THAT(config.domain_lists, SizeIs(2));
  EXPECT_TRUE(config.domain_lists[0].appendable);
  EXPECT_FALSE(config.domain_lists[1].appendable) << "by default";
  EXPECT_EQ(config.web.public_title, "Mail at example.org");
  EXPECT_EQ(config.web.public_text, "Ask <us>");
}

void expect_same_settings(const Config& got, const Config& want) {
  EXPECT_THAT(got.dns.resolvers, SizeIs(want.dns.resolvers.size()));
  EXPECT_EQ(got.dns.trust_anchor_file, want.dns.trust_anchor_file);
  EXPECT_EQ(got.dns.timeout, want.dns.timeout);
  EXPECT_EQ(got.dns.every_server, want.dns.every_server);
  EXPECT_EQ(got.smtp.port, want.smtp.port);
  EXPECT_EQ(got.smtp.helo, want.smtp.helo);
  EXPECT_EQ(got.smtp.timeout, want.smtp.timeout);
  EXPECT_EQ(got.smtp.allow_special_addresses, want.smtp.allow_special_addresses);
  EXPECT_EQ(got.smtp.looks, want.smtp.looks);
  EXPECT_EQ(got.smtp.every_key_type, want.smtp.every_key_type);
  EXPECT_EQ(got.mta_sts.enabled, want.mta_sts.enabled);
  EXPECT_EQ(got.mta_sts.ca_file, want.mta_sts.ca_file);
  EXPECT_EQ(got.mta_sts.port, want.mta_sts.port);
  EXPECT_EQ(got.mta_sts.timeout, want.mta_sts.timeout);
  EXPECT_EQ(got.schedule.interval, want.schedule.interval);
  EXPECT_EQ(got.schedule.confirm_after, want.schedule.confirm_after);
  EXPECT_EQ(got.schedule.retry_after, want.schedule.retry_after);
  EXPECT_EQ(got.schedule.workers, want.schedule.workers);
  EXPECT_EQ(got.storage.path, want.storage.path);
  EXPECT_EQ(got.storage.postgresql, want.storage.postgresql);
  EXPECT_EQ(got.storage.retention, want.storage.retention);
  EXPECT_EQ(got.web.listen_address, want.web.listen_address);
  EXPECT_EQ(got.web.port, want.web.port);
  EXPECT_EQ(got.web.external_url, want.web.external_url);
  EXPECT_EQ(got.metrics.detail, want.metrics.detail);
}

TEST(Load, ExampleFileHoldsTheDefaults) {
  const auto config = load(support::source_dir() / "config/danelaw.example.yaml");
  ASSERT_TRUE(config) << to_string(config.error().front());
  expect_same_settings(*config, Config{});
  ASSERT_THAT(names(config->domains), ElementsAre("example.org", "example.net"));
  EXPECT_EQ(config->domains[0].role, Role::inbound);
  EXPECT_EQ(config->domains[1].role, Role::outbound);
  EXPECT_EQ(config->domains[1].group, "partners");
}

TEST(Load, OnlyDomainsMustBeThere) {
  expect_same_settings(parsed(minimal), Config{});
  EXPECT_EQ(Config{}.dns.trust_anchor_file, "/usr/share/dns/root.ds");
}

TEST(Load, EmptySectionsHoldTheDefaults) {
  expect_same_settings(parsed("domains: [example.org]\ndns:\nsmtp:\nweb: {}\n"), Config{});
}

TEST(Load, EveryKeyReachesItsField) {
  const Config config = parsed(R"(
domains:
  - Example.ORG.
  - bücher.example
  - {name: partner.example, role: outbound, group: "big ones"}
dns:
  resolvers: [127.0.0.1, "::1", 127.0.0.1@5353, "[::1]@5353"]
  trust_anchor_file: anchors/lab.ds
  timeout: 5s
  every_server: false
smtp:
  port: 2525
  helo: monitor.example
  timeout: 10m
  allow_special_addresses: true
  looks: 10
  every_key_type: false
sender_classes: [rsa-only, strict-addresses]
mta_sts:
  enabled: false
  ca_file: /etc/our-ca.pem
  port: 8443
  timeout: 5m
acme:
  directories: {Ours: "https://ca.example/acme/directory", ZeroSSL: "", "Let's Encrypt": "https://le.example/d"}
  partners: true
schedule:
  interval: 10s
  confirm_after: 119s
  retry_after: 1m
  workers: 1024
storage:
  path: /srv/danelaw.db
  retention: 30d
metrics: {detail: summary}
web:
  listen_address: "::"
  port: 65535
  external_url: https://danelaw.example/
)",
                               "/etc/danelaw/danelaw.yaml");
  ASSERT_THAT(names(config.domains),
              ElementsAre("example.org", "xn--bcher-kva.example", "partner.example"));
  EXPECT_EQ(config.domains[2].role, Role::outbound);
  EXPECT_EQ(config.domains[2].group, "big ones");
  ASSERT_THAT(config.dns.resolvers, SizeIs(4));
  EXPECT_EQ(config.dns.resolvers[1].address, "::1");
  EXPECT_EQ(config.dns.resolvers[1].port, 53);
  EXPECT_EQ(config.dns.resolvers[3].address, "::1");
  EXPECT_EQ(config.dns.resolvers[3].port, 5353);
  EXPECT_EQ(config.dns.trust_anchor_file, "/etc/danelaw/anchors/lab.ds");
  EXPECT_EQ(config.dns.timeout, 5s);
  EXPECT_FALSE(config.dns.every_server);
  EXPECT_EQ(config.smtp.looks, 10U);
  EXPECT_THAT(config.sender_classes, ElementsAre("rsa-only", "strict-addresses"));
  EXPECT_FALSE(config.mta_sts.enabled);
  EXPECT_EQ(config.mta_sts.ca_file, "/etc/our-ca.pem");
  EXPECT_EQ(config.mta_sts.port, 8443);
  EXPECT_EQ(config.mta_sts.timeout, 5min);
  EXPECT_TRUE(config.acme.enabled);
  EXPECT_TRUE(config.acme.partners);
  EXPECT_THAT(
      config.acme.directories,
      ElementsAre(Pair("Google Trust Services", "https://dv.acme-v02.api.pki.goog/directory"),
                  Pair("Let's Encrypt", "https://le.example/d"),
                  Pair("Ours", "https://ca.example/acme/directory")));
  EXPECT_EQ(config.smtp.port, 2525);
  EXPECT_EQ(config.smtp.helo, "monitor.example");
  EXPECT_EQ(config.smtp.timeout, 10min);
  EXPECT_TRUE(config.smtp.allow_special_addresses);
  EXPECT_FALSE(config.smtp.every_key_type);
  EXPECT_EQ(config.schedule.interval, 10s);
  EXPECT_EQ(config.schedule.confirm_after, 119s);
  EXPECT_EQ(config.schedule.retry_after, 1min);
  EXPECT_EQ(config.schedule.workers, 1024U);
  EXPECT_EQ(config.storage.path, "/srv/danelaw.db");
  EXPECT_EQ(config.storage.retention, std::chrono::days{30});
  EXPECT_EQ(config.web.listen_address, "::");
  EXPECT_EQ(config.web.port, 65535);
  EXPECT_EQ(config.web.external_url, "https://danelaw.example");
  EXPECT_EQ(config.metrics.detail, Detail::summary);
}

TEST(Load, ADatabaseOfPostgresqlIsNamedInsteadOfAFile) {
  const std::string text = std::string{minimal} + "storage: {postgresql: 'host=db user=me'}\n";
  EXPECT_EQ(parsed(text, "danelaw.yaml").storage.postgresql, "host=db user=me");
}

TEST(Load, RelativePathsStartAtTheFile) {
  const std::string text = std::string{minimal} + "storage: {path: danelaw.db}\n";
  EXPECT_EQ(parsed(text, "/etc/danelaw/danelaw.yaml").storage.path, "/etc/danelaw/danelaw.db");
  EXPECT_EQ(parsed(text, "danelaw.yaml").storage.path, "danelaw.db");
}

struct ErrorRow {
  std::string_view says;
  std::string_view text;
  std::vector<std::string> want;
};

const std::string missing_domains = "f:1:1: the key \"domains\" is missing: which domains to watch";

const ErrorRow error_rows[] = {
    {"an empty file lacks its domains", "", {missing_domains}},
    {"comments alone too", "# nothing\n", {missing_domains}},
    {"other keys do not help", "web: {port: 80}\n", {missing_domains}},
    {"a value named domains is not the key", "storage: {path: domains}\n", {missing_domains}},
    {"a file that is a list", "- example.org\n", {"f:1:1: expected a map of keys, found a list"}},
    {"a file that is a word", "hello\n", {"f:1:1: expected a map of keys, found \"hello\""}},
    {"no domain in the list",
     "domains: []\n",
     {"f:1:10: expected a list of one domain or more, found a list"}},
    {"nothing where the list should be, found at its key",
     "web: {}\ndomains:\n",
     {"f:2:1: expected a list of one domain or more, found nothing"}},
    {"one domain without a list",
     "domains: example.org\n",
     {"f:1:10: expected a list of one domain or more, found \"example.org\""}},
    {"a key of one letter too many, with what was meant",
     "domains: [example.org]\nschedule:\n  intervall: 5m\n",
     {"f:3:3: unknown key \"intervall\"; did you mean \"interval\"?"}},
    {"a misspelled section",
     "domains: [example.org]\nshedule: {}\n",
     {"f:2:1: unknown key \"shedule\"; did you mean \"schedule\"?"}},
    {"a key like no other, with all there are",
     "domains: [example.org]\nweb: {colour: red}\n",
     {"f:2:7: unknown key \"colour\"; known here: listen_address, port, external_url, "
      "hosts, config_file, operators, user_groups, tokens, allow_unauthenticated, public_badges, "
      "public_title, public_text"}},
    {"a merge key is no more than an unknown one",
     "domains: [example.org]\n<<: {}\n",
     {"f:2:1: unknown key \"<<\"; known here: domains, hosts, domain_lists, sender_classes, "
      "issuers_file, "
      "dns, smtp, mta_sts, acme, tlsrpt, schedule, politeness, storage, agent, fleet, web, "
      "metrics, notify, postfix"}},
    {"a class of senders that there is not",
     "domains: [example.org]\nsender_classes: [rsa]\n",
     {"f:2:18: \"rsa\": no class of senders; give some of secure-mx-only, sha256-only, rsa-only, "
      "sha1-unsupported, nsec3-limited, strict-algorithms, aggressive-nsec, trust-anchor-strict, "
      "short-wildcards, strict-addresses, strict-time, strict-security-level, null-mx-ignored, "
      "other-nameserver, rfc-7672"}},
    {"ACME directories that are none",
     "domains: [example.org]\nacme: {directories: {A: \"http://ca.example/\", B: [x], C: "
     "https://}}\n",
     {"f:2:25: \"http://ca.example/\": does not begin with https://",
      "f:2:50: expected an https URL, or \"\" for none, found a list",
      "f:2:58: \"https://\": names no host"}},
    {"a list of ACME directories",
     "domains: [example.org]\nacme: {directories: [https://ca.example/]}\n",
     {"f:2:21: expected a map of CAs to URLs, found a list"}},
    {"a detail that there is not",
     "domains: [example.org]\nmetrics: {detail: all}\n",
     {"f:2:19: expected address, mx, domain or summary, found \"all\""}},
    {"a key that is a list",
     "domains: [example.org]\n? [a]\n: b\n",
     {"f:2:3: expected a key, found a list"}},
    {"a section that is a word",
     "domains: [example.org]\nsmtp: 25\n",
     {"f:2:7: expected a map of keys, found \"25\""}},
    {"a section twice",
     "domains: [example.org]\nweb: {port: 80}\nweb: {port: 81}\n",
     {"f:3:1: key \"web\" again; it is in line 2 already"}},
    {"a key twice",
     "domains: [example.org]\nweb:\n  port: 80\n  port: 80\n",
     {"f:4:3: key \"port\" again; it is in line 3 already"}},
    {"a domain twice, in other clothes",
     "domains:\n  - example.org\n  - name: EXAMPLE.org.\n    role: outbound\n",
     {"f:3:5: domain \"example.org\" again; it is in line 2 already"}},
    {"a domain that is none",
     "domains: [localhost]\n",
     {"f:1:11: \"localhost\": one label only; a domain has two or more, as example.org"}},
    {"a domain that is a list",
     "domains:\n  - [example.org]\n",
     {"f:2:5: expected a domain name, or a map of name, role and group, found a list"}},
    {"a domain without a name",
     "domains:\n  - role: inbound\n    group: name\n",
     {"f:2:5: a domain without a name"}},
    {"an unknown role",
     "domains: [{name: example.org, role: both}]\n",
     {"f:1:37: expected inbound or outbound, found \"both\""}},
    {"a group that is a list",
     "domains: [{name: example.org, group: [a]}]\n",
     {"f:1:38: expected text, found a list"}},
    {"a number that is a word",
     "domains: [example.org]\nsmtp: {port: smtp}\n",
     {"f:2:14: expected a whole number from 1 to 65535, found \"smtp\""}},
    {"a number in quotes is text",
     "domains: [example.org]\nsmtp: {port: \"25\"}\n",
     {"f:2:14: expected a whole number from 1 to 65535, found the text \"25\""}},
    {"port 0",
     "domains: [example.org]\nweb: {port: 0}\n",
     {"f:2:13: expected a whole number from 1 to 65535, found \"0\""}},
    {"port 65536",
     "domains: [example.org]\nweb: {port: 65536}\n",
     {"f:2:13: expected a whole number from 1 to 65535, found \"65536\""}},
    {"a number beyond 64 bits",
     "domains: [example.org]\nschedule: {workers: 99999999999999999999}\n",
     {"f:2:21: expected a whole number from 1 to 1024, found \"99999999999999999999\""}},
    {"a negative number",
     "domains: [example.org]\nschedule: {workers: -1}\n",
     {"f:2:21: expected a whole number from 1 to 1024, found \"-1\""}},
    {"a fraction",
     "domains: [example.org]\nschedule: {workers: 1.5}\n",
     {"f:2:21: expected a whole number from 1 to 1024, found \"1.5\""}},
    {"a duration without a unit",
     "domains: [example.org]\nschedule: {interval: 900}\n",
     {"f:2:22: the number 900 has no unit; write s, m, h or d behind it, as in 10s"}},
    {"a duration of two units",
     "domains: [example.org]\nschedule: {interval: 1h30m}\n",
     {"f:2:22: expected a duration from 10s to 7d, found \"1h30m\""}},
    {"an interval too short",
     "domains: [example.org]\nschedule: {interval: 9s}\n",
     {"f:2:22: expected a duration from 10s to 7d, found \"9s\""}},
    {"a confirmation of two minutes, which would be late",
     "domains: [example.org]\nschedule: {confirm_after: 2m}\n",
     {"f:2:27: expected a duration from 1s to 119s, found \"2m\""}},
    {"a timeout of nothing",
     "domains: [example.org]\ndns: {timeout: 0s}\n",
     {"f:2:16: expected a duration from 1s to 10m, found \"0s\""}},
    {"a duration that is a map",
     "domains: [example.org]\ndns: {timeout: {}}\n",
     {"f:2:16: expected a duration from 1s to 10m, found a map of keys"}},
    {"yes is not true",
     "domains: [example.org]\nsmtp: {every_key_type: yes}\n",
     {"f:2:24: expected true or false, found \"yes\""}},
    {"nor is true in quotes",
     "domains: [example.org]\nsmtp: {every_key_type: 'true'}\n",
     {"f:2:24: expected true or false, found the text \"true\""}},
    {"a value forgotten",
     "domains: [example.org]\nsmtp:\n  helo:\n  port: 25\n",
     {"f:3:3: expected text, found nothing"}},
    {"a resolver that is a name",
     "domains: [example.org]\ndns:\n  resolvers:\n    - dns.example\n    - {}\n",
     {"f:4:7: \"dns.example\": not an IPv4 or IPv6 address; write as 192.0.2.1, 2001:db8::1, "
      "192.0.2.1@5353",
      "f:5:7: expected an address, found a map of keys"}},
    {"resolvers without a list",
     "domains: [example.org]\ndns: {resolvers: 127.0.0.1}\n",
     {"f:2:18: expected a list of addresses, found \"127.0.0.1\""}},
    {"a listen address that is a name",
     "domains: [example.org]\nweb: {listen_address: localhost}\n",
     {"f:2:23: \"localhost\": not an IPv4 or IPv6 address"}},
    {"a script for an address of the page",
     "domains: [example.org]\nweb: {external_url: 'javascript:alert(1)'}\n",
     {"f:2:21: \"javascript:alert(1)\": begins neither with http:// nor with https://"}},
    {"a folder for a file",
     "domains: [example.org]\nstorage: {path: /var/lib/}\n",
     {"f:2:17: \"/var/lib/\": not the name of a file"}},
    {"a file name that is empty",
     "domains: [example.org]\ndns: {trust_anchor_file: ''}\n",
     {"f:2:26: \"\": not the name of a file"}},
    {"what the file says is escaped",
     "domains: [\"a\\e[31m\\n\\\"b\"]\n",
     {"f:1:11: \"a\\x1b[31m\\x0a\\\"b\": a domain name may contain only letters, digits, '-', "
      "'_' and '.'"}},
    {"all errors at once, in the order of the file, the missing key first",
     "web:\n  port: 0\n  prot: 1\nschedule:\n  interval: 5\nsmtp: []\nweb: {listen_address: x}\n",
     {missing_domains, "f:2:9: expected a whole number from 1 to 65535, found \"0\"",
      "f:3:3: unknown key \"prot\"; did you mean \"port\"?",
      "f:5:13: the number 5 has no unit; write s, m, h or d behind it, as in 10s",
      "f:6:7: expected a map of keys, found a list",
      "f:7:1: key \"web\" again; it is in line 1 already",
      "f:7:23: \"x\": not an IPv4 or IPv6 address"}},
};

TEST(Load, SaysWhatIsWrongAndWhere) {
  for (const auto& row : error_rows) {
    EXPECT_THAT(errors_of(row.text), ElementsAreArray(row.want)) << row.says;
  }
}

const ErrorRow yaml_rows[] = {
    {"a mapping where none can be",
     "domains: [example.org]\nweb: a: b\n",
     {"f:2:7: illegal map value"}},
    {"a list not closed", "domains: [example.org\n", {"f:2:1: end of sequence flow not found"}},
    {"an anchor", "domains: &d [example.org]\n", {"f:1:10: anchors (&name) are not supported"}},
    {"an alias without its anchor",
     "domains: *d\n",
     {"f:1:10: the referenced anchor is not defined"}},
    {"a bomb of aliases ends at its first anchor",
     "a: &a [x,x,x]\nb: &b [*a,*a,*a]\nc: &c [*b,*b,*b]\n",
     {"f:1:4: anchors (&name) are not supported"}},
    {"a tag", "domains: !!binary abc\n", {"f:1:10: tags (!name) are not supported"}},
    {"a second document",
     "domains: [example.org]\n---\ndomains: [example.net]\n",
     {"f:2:1: a second document; one is all there can be"}},
    {"a control character, where yaml-cpp would stop reading",
     "domains: [example.org]\nweb: \x04\n",
     {"f:2:6: a control character; write plain UTF-8"}},
    {"UTF-16",
     std::string_view("\xff\xfe"
                      "d\0o\0",
                      6),
     {"f:1:4: a control character; write plain UTF-8"}},
};

TEST(Load, TextThatIsNotOurYamlHasOneErrorWithItsPlace) {
  for (const auto& row : yaml_rows) {
    EXPECT_THAT(errors_of(row.text), ElementsAreArray(row.want)) << row.says;
  }
}

std::string staircase(int steps) {
  std::string text;
  for (int i = 0; i < steps; ++i) text += std::string(static_cast<std::size_t>(i), ' ') + "a:\n";
  return text;
}

struct HostileRow {
  std::string_view says;
  std::string text;
  std::string_view want;
};

TEST(Load, HostileTextCostsAnErrorAndNothingElse) {
  const HostileRow rows[] = {
      {"too large", times(16 * mib + 1, " "), "larger than 16 MiB"},
      {"lists in lists", times(4 * mib, "["), "nested too deeply"},
      {"maps in maps", times(4 * mib, "{"), "nested too deeply"},
      {"lists in lists, some way in", times(mib, "[a,"), "nested too deeply"},
      {"lists in lists, as blocks", times(mib, "- "), "nested too deeply"},
      {"keys in keys", times(mib, "? "), "nested too deeply"},
      {"maps in maps, as blocks", staircase(1000), "nested too deeply"},
      {"one endless word", times(mib, "a"), "expected a map of keys, found \"aaa"},
      {"one endless quote", "\"" + times(mib, "a"), "illegal EOF"},
      {"nothing that is UTF-8", times(mib, "\xff"), "expected a map of keys"},
      {"colons", times(mib, ":"), "illegal map value"},
      {"a key of a megabyte", "? " + times(mib, "k") + "\n: v\n", "the key \"domains\" is missing"},
      {"tags", times(mib, "!"), "tag"},
      {"directives", times(mib / 4, "%A b\n"), "missing"},
  };
  for (const auto& row : rows) {
    SCOPED_TRACE(row.says);
    const auto errors = errors_of(row.text);
    ASSERT_FALSE(errors.empty());
    EXPECT_THAT(errors.front(), HasSubstr(row.want));
    EXPECT_LT(errors.front().size(), 300U);
  }
}

TEST(Load, ErrorsEndSomewhere) {
  const auto errors = errors_of("domains: [example.org]\n" + times(1500, "k: v\n"));
  ASSERT_THAT(errors, SizeIs(1000));
  EXPECT_THAT(errors.back(), HasSubstr("(and 1999 more errors)"));
}

TEST(Load, WhatTheYamlLibraryQuotesIsEscaped) {
  // At the end of the text it quotes its own end-of-file mark, else one octet of a character.
  EXPECT_THAT(errors_of("domains:\n- \"\\"),
              ElementsAre(HasSubstr("unknown escape character: \\x04")));
  EXPECT_THAT(errors_of("domains: [\"\\ü\"]\n"),
              ElementsAre(HasSubstr("unknown escape character: \\xc3")));
}

TEST(Load, QuotesAreCutBetweenCharacters) {
  const auto errors = errors_of("domains: [" + times(59, "a") + "üü.example]\n");
  ASSERT_THAT(errors, SizeIs(1));
  EXPECT_THAT(errors.front(), HasSubstr("\"" + times(59, "a") + "…\""));
}

TEST(Load, ManyDomainsAreReadInOrder) {
  std::string text = "domains:\n";
  for (int i = 0; i < 20000; ++i) text += "  - d" + std::to_string(i) + ".example\n";
  const Config config = parsed(text);
  ASSERT_THAT(config.domains, SizeIs(20000));
  EXPECT_EQ(config.domains[19999].name, "d19999.example");
}

TEST(Load, ReadsAFile) {
  const std::filesystem::path file = testing::TempDir() + "danelaw_load_test.yaml";
  std::ofstream{file} << "domains: [example.org]\nstorage: {path: x.db}\nweb: {port: 0}\n";
  auto config = load(file);
  ASSERT_FALSE(config);
  EXPECT_THAT(config.error(), ElementsAre(Field(&LoadError::file, file.string())));
  EXPECT_EQ(config.error().front().line, 3);
  std::ofstream{file} << "domains: [example.org]\nstorage: {path: x.db}\n";
  config = load(file);
  ASSERT_TRUE(config);
  EXPECT_EQ(config->storage.path, file.parent_path() / "x.db");
  std::filesystem::remove(file);
}

// ---- lists of domains, beside a configuration that names them

class LoadedLists : public testing::Test {
 protected:
  LoadedLists() { std::filesystem::create_directories(folder_); }
  ~LoadedLists() override { std::filesystem::remove_all(folder_); }

  void write(const std::string& name, std::string_view text) const {
    std::ofstream{folder_ / name, std::ios::binary} << text;
  }
  // "name role group" of each domain, or the errors without the folder.
  std::vector<std::string> load_with(std::string_view text) const {
    write("danelaw.yaml", text);
    std::vector<std::string> out;
    const auto config = load(folder_ / "danelaw.yaml");
    if (config) {
      for (const auto& [name, role, group] : config->domains)
        out.push_back(name + (role == Role::inbound ? " inbound " : " outbound ") + group.text());
    } else {
      const auto folder = folder_.native() + "/";
      for (const auto& error : config.error()) {
        const auto line = to_string(error);
        out.push_back(line.starts_with(folder) ? line.substr(folder.size()) : line);
      }
    }
    return out;
  }

  const std::filesystem::path folder_ =
      testing::TempDir() + "danelaw_domain_lists_" + std::to_string(getpid());
};

TEST_F(LoadedLists, AreReadFromTheFolderOfTheConfiguration) {
  write("partners.txt", "b.test\na.test\n");
  EXPECT_THAT(load_with("domain_lists: [{file: partners.txt, group: all}]\n"),
              ElementsAre("b.test outbound all", "a.test outbound all"));
}

TEST_F(LoadedLists, HoldOneNameALineInWhateverClothes) {
  write("list", "# partners\n\n  A.test.\t# the first\r\nbücher.test#x\r\n\t\r\n#\nlast.test");
  EXPECT_THAT(
      load_with("domain_lists: [{file: list}]\n"),
      ElementsAre("a.test outbound ", "xn--bcher-kva.test outbound ", "last.test outbound "));
}

TEST_F(LoadedLists, LeaveWhatIsNamedAlreadyAsItStandsThere) {
  write("one", "ours.test\nA.test\na.test\n");
  write("two", "a.test\nb.test\nOURS.test.\n");
  EXPECT_THAT(
      load_with("domains: [{name: Ours.test, group: us}]\n"
                "domain_lists:\n"
                "  - {file: one, group: first}\n"
                "  - {file: two, role: inbound, group: second}\n"),
      ElementsAre("ours.test inbound us", "a.test outbound first", "b.test inbound second"));
}

TEST_F(LoadedLists, SayInWhichLineANameIsNone) {
  write("one", "a.test\n  b\n# c\nd..test # e\n");
  write("two", "user@a.test\n");
  EXPECT_THAT(load_with("domain_lists: [{file: one}, {file: two}]\n"),
              ElementsAre("one:2:3: one label only; a domain has two or more, as example.org",
                          "one:4:1: an empty label (a dot in front, or two in a row)",
                          "two:1:1: a mail address, not a domain name; is the domain a.test?"));
}

TEST_F(LoadedLists, OfWhichOneCannotBeReadAreAnErrorAndNotAllThereIs) {
  write("one", "a.test\n");
  EXPECT_THAT(load_with("domains: [b.test]\ndomain_lists: [{file: one}, {file: two}]\n"),
              ElementsAre("two: cannot be read: No such file or directory"));
  write("huge", "");
  std::filesystem::resize_file(folder_ / "huge", kLargestList + 1);
  EXPECT_THAT(load_with("domain_lists: [{file: huge}]\n"), ElementsAre("huge: larger than 16 MiB"));
  EXPECT_THAT(load_with("domain_lists: [{file: /}]\n"), ElementsAre(HasSubstr("not the name")));
  EXPECT_THAT(load_with("domain_lists: [{file: .}]\n"),
              ElementsAre(".: cannot be read: Is a directory"));
}

// The agent's secrets may be handed to nobody else, and lists may be away with them.
TEST_F(LoadedLists, AreNotReadForWhoNeedsTheDatabaseOnly) {
  write(
      "danelaw.yaml",
      "domain_lists: [{file: missing}]\n"
      "web: {config_file: /nowhere/secrets_web, listen_address: 192.0.2.1, user_groups: {a: [b]}}\n"
      "storage: {path: some.db}\n");
  EXPECT_FALSE(load(folder_ / "danelaw.yaml"));
  EXPECT_FALSE(load(folder_ / "danelaw.yaml", {.service = false}));
  const auto config = load(folder_ / "danelaw.yaml", {.domains = false, .service = false});
  ASSERT_TRUE(config);
  EXPECT_EQ(config->storage.path, folder_ / "some.db");
}

TEST_F(LoadedLists, AndFilesAreLookedForWhereTheReaderHasThem) {
  write("users", "tls_server_config: {cert_file: secrets_crt, key_file: /handed/secrets_key}\n");
  write("danelaw.yaml", "domains: [a.test]\nweb: {config_file: /handed/secrets_users}\n");
  const LoadScope scope{.place_of = [&](const std::string& path) {
    constexpr std::string_view kHanded = "/handed/secrets_";
    return path.starts_with(kHanded) ? (folder_ / path.substr(kHanded.size())).native() : path;
  }};
  const auto config = load(folder_ / "danelaw.yaml", scope);
  ASSERT_TRUE(config) << to_string(config.error()[0]);
  EXPECT_EQ(config->web.config_file, folder_ / "users");
  EXPECT_EQ(config->web.file.tls->cert_file, folder_ / "crt") << "named from the folder it is in";
  EXPECT_EQ(config->web.file.tls->key_file, folder_ / "key");
}

// Opening a pipe waits for somebody who writes into it, who may never come.
TEST_F(LoadedLists, AndEveryOtherFileThatIsAPipeIsRefusedAndNotWaitedFor) {
  const auto pipe = folder_ / "pipe";
  ASSERT_EQ(mkfifo(pipe.c_str(), 0600), 0);
  constexpr auto kWhy = "pipe: cannot be read: not a regular file";
  EXPECT_THAT(load_with("domain_lists: [{file: pipe}]\n"), ElementsAre(kWhy));
  EXPECT_THAT(load_with("domains: [a.test]\nissuers_file: pipe\n"), ElementsAre(kWhy));
  EXPECT_THAT(load_with("domains: [a.test]\nweb: {config_file: pipe}\n"), ElementsAre(kWhy));
  EXPECT_THAT(read_secret(pipe).error(), HasSubstr(kWhy));
  EXPECT_THAT(add_to_domain_file(pipe, "a.test").error(), HasSubstr("not a regular file"));
  std::array<int, 2> ends{};
  ASSERT_EQ(::pipe(ends.data()), 0);
  ASSERT_EQ(::write(ends[1], minimal.data(), minimal.size()), static_cast<ssize_t>(minimal.size()));
  close(ends[1]);
  const auto handed = load("/dev/fd/" + std::to_string(ends[0]));
  EXPECT_TRUE(handed) << "as a shell hands it over";
  close(ends[0]);
}

TEST_F(LoadedLists, HaveErrorsThatEndSomewhere) {
  write("list", times(1500, "x\n"));
  EXPECT_THAT(load_with("domain_lists: [{file: list}]\n"), SizeIs(1000));
}

TEST(Load, FileThatCannotBeReadIsOneErrorWithoutAPlace) {
  const std::pair<std::string, std::string> rows[] = {
      {"/nonexistent/danelaw.yaml",
       "/nonexistent/danelaw.yaml: cannot be read: No such file or directory"},
      {"/", "/: cannot be read: Is a directory"},
      {"/dev/zero", "/dev/zero: cannot be read: not a regular file"},
  };
  for (const auto& [file, want] : rows) {
    const auto config = load(file);
    ASSERT_FALSE(config) << file;
    ASSERT_THAT(config.error(), SizeIs(1));
    EXPECT_EQ(to_string(config.error().front()), want);
  }
}

}  // namespace
}  // namespace config
