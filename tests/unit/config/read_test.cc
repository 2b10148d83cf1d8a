#include "config/read.h"

#include <chrono>
#include <filesystem>
#include <fstream>
#include <regex>
#include <string>
#include <string_view>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "config/load.h"
#include "tests/support/source_dir.h"

// The sections that say who is told, and where lists of domains are; what the keys of the others
// mean is tested with load.
namespace config {
namespace {

using namespace std::chrono_literals;
using testing::Contains;
using testing::ElementsAre;
using testing::ElementsAreArray;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using testing::Pair;
using testing::SizeIs;

std::vector<std::string> errors_of(std::string_view text) {
  std::vector<std::string> errors;
  if (const auto config = parse(text, "f"); !config) {
    for (const auto& error : config.error()) errors.push_back(to_string(error));
  }
  return errors;
}

Config parsed(std::string_view text) {
  auto config = parse(text, "/etc/danelaw/danelaw.yaml");
  if (config) return *std::move(config);
  for (const auto& error : config.error()) ADD_FAILURE() << to_string(error);
  return {};
}

// ---- who is told

TEST(Notify, EveryKeyReachesItsField) {
  const auto notify = parsed(R"(
domains: [example.org]
notify:
  remind_after: 365d
  alertmanagers:
    - {url: "http://127.0.0.1:9093/", token_file: alertmanager.token}
    - {url: "https://[::1]:9093"}
  labels: {site: "Berlin, Süd", _rack2: "17"}
  webhooks:
    - name: chat
      url: https://chat.example.org/hooks/abc
      secret_file: chat.secret
      token_file: /run/chat.token
      template_file: chat.json
      values: {event: {resolved: resolve, otherwise: trigger}}
      least_severity: high
    - {name: plain, url: "http://example.org"}
  mail:
    - name: post.master-1
      server: smtp://Submission.Example.NET
      from: danelaw@Example.net
      to: [a@example.net, b@example.org]
      user: Ümlaut
      password_file: mail.password
      ca_file: ca.pem
      least_severity: critical
    - {name: mail2, server: "smtps://[2001:DB8::1]", from: a@b.test, to: [c@d.test]}
  grafana:
    - {name: graphs, url: "https://grafana.example.org", token_file: grafana.token}
  heartbeat: {url: "https://dead-man.example.net/ping/", every: 10s}
)")
                          .notify;
  EXPECT_EQ(notify.remind_after, std::chrono::days{365});
  ASSERT_THAT(notify.alertmanagers, SizeIs(2));
  EXPECT_EQ(notify.alertmanagers[0].url, "http://127.0.0.1:9093");
  EXPECT_EQ(notify.alertmanagers[0].token_file, "/etc/danelaw/alertmanager.token");
  EXPECT_EQ(notify.alertmanagers[1].url, "https://[::1]:9093");
  EXPECT_EQ(notify.alertmanagers[1].token_file, "");
  EXPECT_THAT(notify.labels, ElementsAre(Pair("_rack2", "17"), Pair("site", "Berlin, Süd")));
  ASSERT_THAT(notify.webhooks, SizeIs(2));
  EXPECT_EQ(notify.webhooks[0].name, "chat");
  EXPECT_EQ(notify.webhooks[0].url, "https://chat.example.org/hooks/abc");
  EXPECT_EQ(notify.webhooks[0].secret_file, "/etc/danelaw/chat.secret");
  EXPECT_EQ(notify.webhooks[0].token_file, "/run/chat.token");
  EXPECT_EQ(notify.webhooks[0].template_file, "/etc/danelaw/chat.json");
  EXPECT_EQ(notify.webhooks[0].values,
            (TemplateWords{{"event", {{"resolved", "resolve"}, {"otherwise", "trigger"}}}}));
  EXPECT_EQ(notify.webhooks[0].least, Least::high);
  EXPECT_EQ(notify.webhooks[1].secret_file, "");
  EXPECT_EQ(notify.webhooks[1].token_file, "");
  EXPECT_EQ(notify.webhooks[1].template_file, "");
  EXPECT_EQ(notify.webhooks[1].least, Least::medium);
  ASSERT_THAT(notify.mail, SizeIs(2));
  EXPECT_EQ(notify.mail[0].name, "post.master-1");
  EXPECT_EQ(notify.mail[0].server, "smtp://submission.example.net:587");
  EXPECT_EQ(notify.mail[0].from, "danelaw@example.net");
  EXPECT_THAT(notify.mail[0].to, ElementsAre("a@example.net", "b@example.org"));
  EXPECT_EQ(notify.mail[0].user, "Ümlaut");
  EXPECT_EQ(notify.mail[0].password_file, "/etc/danelaw/mail.password");
  EXPECT_EQ(notify.mail[0].ca_file, "/etc/danelaw/ca.pem");
  EXPECT_EQ(notify.mail[0].least, Least::critical);
  EXPECT_EQ(notify.mail[1].server, "smtps://[2001:db8::1]:465");
  EXPECT_EQ(notify.mail[1].user, "");
  EXPECT_EQ(notify.mail[1].password_file, "");
  EXPECT_EQ(notify.mail[1].ca_file, "");
  EXPECT_EQ(notify.mail[1].least, Least::medium);
  ASSERT_THAT(notify.grafana, SizeIs(1));
  EXPECT_EQ(notify.grafana[0].name, "graphs");
  EXPECT_EQ(notify.grafana[0].url, "https://grafana.example.org");
  EXPECT_EQ(notify.grafana[0].token_file, "/etc/danelaw/grafana.token");
  ASSERT_TRUE(notify.heartbeat);
  EXPECT_EQ(notify.heartbeat->url, "https://dead-man.example.net/ping");
  EXPECT_EQ(notify.heartbeat->every, 10s);
}

void expect_nobody(const Notify& notify, std::string_view says) {
  EXPECT_EQ(notify.remind_after, 24h) << says;
  EXPECT_THAT(notify.alertmanagers, IsEmpty()) << says;
  EXPECT_THAT(notify.labels, IsEmpty()) << says;
  EXPECT_THAT(notify.webhooks, IsEmpty()) << says;
  EXPECT_THAT(notify.mail, IsEmpty()) << says;
  EXPECT_THAT(notify.grafana, IsEmpty()) << says;
  EXPECT_FALSE(notify.heartbeat) << says;
}

TEST(Notify, NobodyIsToldUnlessNamed) {
  expect_nobody(parsed("domains: [example.org]\n").notify, "no section");
  expect_nobody(parsed("domains: [example.org]\nnotify:\n").notify, "all commented out");
  expect_nobody(parsed("domains: [example.org]\nnotify:\n  labels:\n  heartbeat:\n").notify,
                "a heartbeat of which only the key is there");
}

TEST(Notify, RemindersCanBeSwitchedOff) {
  EXPECT_EQ(parsed("domains: [example.org]\nnotify: {remind_after: 0s}\n").notify.remind_after, 0s);
}

struct ErrorRow {
  std::string_view says;
  std::string text;  // behind a first line with a domain
  std::vector<std::string> want;
};

void expect_errors(const std::vector<ErrorRow>& rows) {
  for (const auto& row : rows) {
    EXPECT_THAT(errors_of("domains: [example.org]\n" + row.text), ElementsAreArray(row.want))
        << row.says;
  }
}

TEST(Notify, SaysWhatIsWrongAndWhere) {
  expect_errors({
      {.says = "a word",
       .text = "notify: me\n",
       .want = {"f:2:9: expected a map of keys, found \"me\""}},
      {.says = "a key like no other",
       .text = "notify: {pager: []}\n",
       .want = {"f:2:10: unknown key \"pager\"; known here: remind_after, repeat_interval, "
                "alertmanagers, labels, "
                "webhooks, mail, grafana, heartbeat"}},
      {.says = "a key of one letter too few",
       .text = "notify: {webhook: []}\n",
       .want = {"f:2:10: unknown key \"webhook\"; did you mean \"webhooks\"?"}},
      {.says = "no reminders, without a unit",
       .text = "notify: {remind_after: 0}\n",
       .want = {"f:2:24: the number 0 has no unit; write s, m, h or d behind it, as in 0s"}},
      {.says = "reminders later than a year",
       .text = "notify: {remind_after: 366d}\n",
       .want = {"f:2:24: expected a duration from 0s to 365d, found \"366d\""}},
      {.says = "one webhook without a list",
       .text = "notify:\n  webhooks: {name: a, url: 'http://b'}\n",
       .want = {"f:3:13: expected a list, found a map of keys"}},
      {.says = "a webhook that is an address",
       .text = "notify:\n  webhooks: ['http://b']\n",
       .want = {"f:3:14: expected a map of keys, found the text \"http://b\""}},
      {.says = "an item with nothing in it",
       .text = "notify:\n  webhooks:\n    - ~\n  mail: [~]\n",
       .want = {"f:4:7: expected a map of keys, found nothing",
                "f:5:10: expected a map of keys, found nothing"}},
      {.says = "what every notifier must have",
       .text = "notify:\n  alertmanagers: [{}]\n  webhooks: [{}]\n  mail: [{}]\n  grafana: [{}]\n"
               "  heartbeat: {}\n",
       .want = {"f:3:19: the key \"url\" is missing", "f:4:14: the key \"name\" is missing",
                "f:4:14: the key \"url\" is missing", "f:5:10: the key \"name\" is missing",
                "f:5:10: the key \"server\" is missing", "f:5:10: the key \"from\" is missing",
                "f:5:10: the key \"to\" is missing", "f:6:13: the key \"name\" is missing",
                "f:6:13: the key \"url\" is missing", "f:6:13: the key \"token_file\" is missing",
                "f:7:14: a heartbeat without a url"}},
      {.says = "a name that is no word",
       .text = "notify:\n  webhooks: [{name: a b, url: 'http://b'}]\n",
       .want = {"f:3:21: \"a b\": not a word of letters, digits, '.', '_' and '-'"}},
      {.says = "an address of another kind",
       .text = "notify:\n  webhooks: [{name: a, url: 'ftp://b'}]\n",
       .want = {"f:3:29: \"ftp://b\": begins neither with http:// nor with https://"}},
      {.says = "a severity nobody is told of",
       .text = "notify:\n  webhooks: [{name: a, url: 'http://b', least_severity: low}]\n",
       .want = {"f:3:57: expected medium, high or critical, found \"low\""}},
      {.says = "a secret in the file itself",
       .text = "notify:\n  webhooks: [{name: a, url: 'http://b', secret: c}]\n",
       .want = {"f:3:41: unknown key \"secret\"; known here: name, url, secret_file, token_file, "
                "template_file, values, least_severity, matchers, method, resolved_url, "
                "token_scheme"}},
      {.says = "words for templates that are none",
       .text = "notify:\n  webhooks:\n    - name: a\n      url: http://b\n      values:\n"
               "        event: trigger\n        code: {a: [b], c: d, c: e, \"f\\n\": g}\n",
       .want = {"f:7:16: expected a map of our words, each with yours, found \"trigger\"",
                "f:8:19: expected text, found a list", "f:8:30: \"c\" again",
                "f:8:36: \"f\\x0a\": too long, or not all of it is printable"}},
      {.says = "a folder for a secret",
       .text = "notify:\n  webhooks: [{name: a, url: 'http://b', secret_file: c/}]\n",
       .want = {"f:3:54: \"c/\": not the name of a file"}},
      {.says = "mail to one address without a list",
       .text =
           "notify:\n  mail: [{name: a, server: 'smtp://b.test', from: c@d.test, to: e@f.test}]\n",
       .want = {"f:3:65: expected a list of one mail address or more, found \"e@f.test\""}},
      {.says = "mail to nobody",
       .text = "notify:\n  mail: [{name: a, server: 'smtp://b.test', from: c@d.test, to: []}]\n",
       .want = {"f:3:65: expected a list of one mail address or more, found a list"}},
      {.says = "every address that is none, where it stands",
       .text = "notify:\n  mail:\n    - name: a\n      server: b.test\n      from: c\n      to:\n"
               "        - d@e.test\n        - f\n        - {}\n",
       .want = {"f:5:15: \"b.test\": write as smtp://mail.example.org:587 or smtps://…:465",
                "f:6:13: \"c\": not a mail address", "f:9:11: \"f\": not a mail address",
                "f:10:11: expected text, found a map of keys"}},
      {.says = "a user of two lines",
       .text = "notify:\n  mail: [{user: \"a\\nb\", name: a, server: 'smtp://b.test', "
               "from: c@d.test, to: [e@f.test]}]\n",
       .want = {"f:3:17: \"a\\x0ab\": too long, or not all of it is printable"}},
      {.says = "labels that are a list",
       .text = "notify: {labels: [a]}\n",
       .want = {"f:2:18: expected a map of labels, found a list"}},
      {.says = "labels that Prometheus does not know",
       .text = "notify:\n  labels:\n    a-b: c\n    __d: e\n    [f]: g\n",
       .want = {"f:4:5: \"a-b\": not the name of a label: letters, digits and '_', no digit first",
                "f:5:5: \"__d\": not the name of a label: letters, digits and '_', no digit first",
                "f:6:5: \"\": no text"}},
      {.says = "labels without a value, which Alertmanager drops",
       .text = "notify:\n  labels:\n    a: ''\n    b:\n    c: []\n",
       .want = {"f:4:8: expected text, found the text \"\"", "f:5:5: expected text, found nothing",
                "f:6:8: expected text, found a list"}},
      {.says = "a label that is not UTF-8, which JSON cannot hold",
       .text = "notify:\n  labels: {a: \"b\xff\"}\n",
       .want = {"f:3:15: \"b\xff\": not UTF-8"}},
      {.says = "a label twice",
       .text = "notify:\n  labels:\n    a: b\n    a: b\n",
       .want = {"f:5:5: label \"a\" again"}},
      {.says = "a heartbeat that is an address",
       .text = "notify: {heartbeat: 'http://a'}\n",
       .want = {"f:2:21: expected a map of keys, found the text \"http://a\""}},
      {.says = "a heartbeat more often than makes sense",
       .text = "notify: {heartbeat: {url: 'http://a', every: 9s}}\n",
       .want = {"f:2:46: expected a duration from 10s to 1d, found \"9s\""}},
  });
}

TEST(Notify, NoTwoNotifiersHaveTheSameName) {
  expect_errors({
      {.says = "of one kind",
       .text = "notify:\n  webhooks:\n    - {name: a, url: 'http://b'}\n"
               "    - {name: a, url: 'http://c'}\n",
       .want = {"f:5:14: a second notifier called \"a\"; the first is in line 4"}},
      {.says = "of different kinds",
       .text = "notify:\n  webhooks: [{name: a, url: 'http://b'}]\n"
               "  mail: [{name: a, server: 'smtp://b.test', from: c@d.test, to: [e@f.test]}]\n"
               "  grafana: [{name: a, url: 'http://b', token_file: c}]\n",
       .want = {"f:4:17: a second notifier called \"a\"; the first is in line 3",
                "f:5:20: a second notifier called \"a\"; the first is in line 3"}},
      {.says = "names that differ in capitals are two",
       .text = "notify:\n  webhooks:\n    - {name: a, url: 'http://b'}\n"
               "    - {name: A, url: 'http://b'}\n",
       .want = {}},
  });
}

// ---- lists of domains

TEST(DomainLists, StandInForDomains) {
  const auto config = parsed(
      "domain_lists:\n  - file: partners.txt\n"
      "  - {file: /srv/ours, role: inbound, group: our own}\n");
  EXPECT_THAT(config.domains, IsEmpty());
  ASSERT_THAT(config.domain_lists, SizeIs(2));
  EXPECT_EQ(config.domain_lists[0].file, "/etc/danelaw/partners.txt");
  EXPECT_EQ(config.domain_lists[0].role, Role::outbound) << "partners, as an export gives them";
  EXPECT_EQ(config.domain_lists[0].group, "");
  EXPECT_EQ(config.domain_lists[1].file, "/srv/ours");
  EXPECT_EQ(config.domain_lists[1].role, Role::inbound);
  EXPECT_EQ(config.domain_lists[1].group, "our own");
}

TEST(DomainLists, MayComeFromElsewhere) {
  const auto config = parsed(R"(
domain_lists:
  - url: "https://inventory.example.org:8443/targets?kind=mail"
    name: inventory
    role: inbound
    group: ours
    refresh: 90s
    token_file: inventory.token
    ca_file: ca.pem
  - {url: "http://[::1]:8080/"}
  - {catalog_zone: Catalog.Example., primary: "192.0.2.1@5353", tsig_key_file: tsig.key}
)");
  ASSERT_THAT(config.domain_lists, SizeIs(3));
  const auto& full = config.domain_lists[0];
  EXPECT_TRUE(full.is_elsewhere());
  EXPECT_EQ(full.url, "https://inventory.example.org:8443/targets?kind=mail");
  EXPECT_EQ(full.name, "inventory");
  EXPECT_EQ(full.role, Role::inbound);
  EXPECT_EQ(full.group, "ours");
  EXPECT_EQ(full.refresh, 90s);
  EXPECT_EQ(full.token_file, "/etc/danelaw/inventory.token");
  EXPECT_EQ(full.ca_file, "/etc/danelaw/ca.pem");
  const auto& bare = config.domain_lists[1];
  EXPECT_EQ(bare.url, "http://[::1]:8080/") << "the slash may matter to the server";
  EXPECT_EQ(bare.name, "___1_") << "of the host, as a word";
  EXPECT_EQ(bare.role, Role::outbound);
  EXPECT_EQ(bare.refresh, 5min);
  const auto& catalog = config.domain_lists[2];
  EXPECT_EQ(catalog.catalog_zone, "catalog.example");
  EXPECT_EQ(catalog.name, "catalog.example");
  EXPECT_EQ(catalog.primary.address, "192.0.2.1");
  EXPECT_EQ(catalog.primary.port, 5353);
  EXPECT_EQ(catalog.tsig_key_file, "/etc/danelaw/tsig.key");
}

TEST(DomainLists, SayWhatIsWrongAndWhere) {
  expect_errors({
      {.says = "a list of nothing",
       .text = "domain_lists: []\n",
       .want = {"f:2:15: expected a list of one file or more, found a list"}},
      {.says = "a file without a list",
       .text = "domain_lists: a.txt\n",
       .want = {"f:2:15: expected a list, found \"a.txt\""}},
      {.says = "a file without its key",
       .text = "domain_lists: [a.txt]\n",
       .want = {"f:2:16: expected a map of keys, found \"a.txt\""}},
      {.says = "an item with nothing in it",
       .text = "domain_lists:\n  - ~\n",
       .want = {"f:3:5: expected a map of keys, found nothing"}},
      {.says = "no file",
       .text = "domain_lists: [{role: inbound}]\n",
       .want = {"f:2:16: exactly one of the keys file, url and catalog_zone is wanted"}},
      {.says = "two places at once",
       .text = "domain_lists: [{file: a, url: \"https://a.test/\"}]\n",
       .want = {"f:2:16: exactly one of the keys file, url and catalog_zone is wanted"}},
      {.says = "a key of another kind of list",
       .text =
           "domain_lists: [{file: a, refresh: 1m}, {url: \"https://a.test\", appendable: true}]\n",
       .want = {"f:2:16: the key \"refresh\" is not for a file",
                "f:2:40: the key \"appendable\" is not for a url"}},
      {.says = "a URL that anybody on the way could answer",
       .text = "domain_lists: [{url: \"http://a.test/\"}]\n",
       .want = {"f:2:22: \"http://a.test/\": http:// only to this machine (127.0.0.1, [::1], "
                "localhost); otherwise https://"}},
      {.says = "a catalog zone without a primary",
       .text = "domain_lists: [{catalog_zone: catalog.test}]\n",
       .want = {"f:2:16: the key \"primary\" is missing: who gives the catalog zone"}},
      {.says = "a transfer that anybody on the way could answer",
       .text = "domain_lists: [{catalog_zone: catalog.test, primary: 192.0.2.1}]\n",
       .want = {"f:2:16: a primary on another machine can only be believed with a "
                "\"tsig_key_file\""}},
      {.says = "a primary that is a name",
       .text = "domain_lists: [{catalog_zone: catalog.test, primary: ns.test}]\n",
       .want = {"f:2:54: \"ns.test\": not an IPv4 or IPv6 address; write as 192.0.2.1, "
                "2001:db8::1, 192.0.2.1@5353"}},
      {.says = "two of one name",
       .text = "domain_lists:\n  - {url: \"https://a.test/1\"}\n  - {url: \"https://a.test/2\"}\n",
       .want = {"f:4:5: a second list called \"a.test\"; the first is in line 3: give each a "
                "\"name\""}},
      {.says = "a role that is none",
       .text = "domain_lists: [{file: a, role: both}]\n",
       .want = {"f:2:32: expected inbound or outbound, found \"both\""}},
  });
  EXPECT_THAT(errors_of("domain_lists: []\n"),
              ElementsAre("f:1:15: expected a list of one file or more, found a list"))
      << "then there would be nothing to watch";
}

// ---- where history is

TEST(Storage, ComplaintsDoNotRepeatWhereAPasswordMayStand) {
  for (const auto* wrong : {"''", "[geheim]", "\"geheim\\n\""}) {
    const auto errors =
        errors_of(std::string("domains: [example.org]\nstorage: {postgresql: ") + wrong + "}\n");
    EXPECT_THAT(errors, ElementsAre(HasSubstr("expected a connection string or URI")));
    EXPECT_THAT(errors, Not(Contains(HasSubstr("geheim"))));
  }
}

// ---- our own Postfix

TEST(OwnPostfix, IsNotAskedUnlessNamed) {
  EXPECT_EQ(parsed("domains: [example.org]\n").postfix.log, "");
  EXPECT_EQ(parsed("domains: [example.org]\npostfix:\n").postfix.policy_socket, "");
  const auto postfix =
      parsed(
          "domains: [example.org]\npostfix: {log: mail.log, policy_socket: /run/danelaw/policy}\n")
          .postfix;
  EXPECT_EQ(postfix.log, "/etc/danelaw/mail.log");
  EXPECT_EQ(postfix.policy_socket, "/run/danelaw/policy");
  EXPECT_FALSE(postfix.has_journal);
}

TEST(Postfix, MayFollowTheJournal) {
  const auto machines = parsed("domains: [example.org]\npostfix: {log: journald}\n").postfix;
  EXPECT_TRUE(machines.has_journal);
  EXPECT_EQ(machines.journal_folder, std::nullopt);
  EXPECT_EQ(machines.log, "");
  const auto folder = parsed("domains: [example.org]\npostfix: {log: 'journald:remote'}\n").postfix;
  EXPECT_TRUE(folder.has_journal);
  EXPECT_EQ(folder.journal_folder, "/etc/danelaw/remote");
  // A file of that name.
  const auto file = parsed("domains: [example.org]\npostfix: {log: ./journald}\n").postfix;
  EXPECT_FALSE(file.has_journal);
  EXPECT_EQ(file.log, "/etc/danelaw/./journald");
}

// ---- the example stays true

// The example with everything that is commented out in force: lines whose comment is a key, or is
// indented as what stands below one.
std::string uncommented() {
  std::ifstream in{support::source_dir() / "config/danelaw.example.yaml"};
  const std::regex example{"( *)# ((?:[a-z_]+:|  ).*)"};
  std::string out;
  for (std::string line; std::getline(in, line);) {
    std::smatch found;
    out += (std::regex_match(line, found, example) ? found.str(1) + found.str(2) : line) + "\n";
  }
  return out;
}

TEST(ExampleFile, HoldsWithEverythingThatIsCommentedOutInForce) {
  const auto config = parsed(uncommented());
  ASSERT_THAT(config.domain_lists, SizeIs(3));
  EXPECT_EQ(config.domain_lists[0].role, DomainList{}.role) << "it is called the default";
  EXPECT_EQ(config.domain_lists[1].refresh, DomainList{}.refresh) << "so is this";
  EXPECT_EQ(config.domain_lists[2].primary.port, 53);
  EXPECT_EQ(config.web.external_url, "https://danelaw.example.org");
  EXPECT_EQ(config.storage.postgresql, "postgresql://danelaw@db.example.org/danelaw");
  const auto& notify = config.notify;
  EXPECT_EQ(notify.remind_after, Notify{}.remind_after);
  ASSERT_THAT(notify.alertmanagers, SizeIs(1));
  EXPECT_EQ(notify.alertmanagers[0].token_file, "/etc/danelaw/alertmanager.token");
  EXPECT_THAT(notify.labels, ElementsAre(Pair("site", "berlin")));
  ASSERT_THAT(notify.webhooks, SizeIs(1));
  EXPECT_EQ(notify.webhooks[0].secret_file, "/etc/danelaw/chat.secret");
  EXPECT_EQ(notify.webhooks[0].token_file, "/etc/danelaw/chat.token");
  EXPECT_EQ(notify.webhooks[0].template_file, "/etc/danelaw/chat.json");
  EXPECT_EQ(notify.webhooks[0].least, Least::high);
  ASSERT_THAT(notify.mail, SizeIs(1));
  EXPECT_EQ(notify.mail[0].server, "smtp://submission.example.net:587");
  EXPECT_THAT(notify.mail[0].to, ElementsAre("postmaster@example.net"));
  EXPECT_EQ(notify.mail[0].user, "danelaw");
  EXPECT_EQ(notify.mail[0].password_file, "/etc/danelaw/mail.password");
  EXPECT_EQ(notify.mail[0].ca_file, "/etc/ssl/certs/ca-certificates.crt");
  EXPECT_EQ(notify.mail[0].least, Least::high);
  ASSERT_THAT(notify.grafana, SizeIs(1));
  EXPECT_EQ(notify.grafana[0].token_file, "/etc/danelaw/grafana.token");
  ASSERT_TRUE(notify.heartbeat);
  EXPECT_EQ(notify.heartbeat->every, Heartbeat{}.every);
}

}  // namespace
}  // namespace config
