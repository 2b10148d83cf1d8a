#include "agent/cli/client.h"

#include <algorithm>
#include <cstdlib>
#include <functional>
#include <ostream>

#include <CLI/CLI.hpp>
#include <fmt/format.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "agent/cli/client_api.h"
#include "agent/cli/client_arguments.h"
#include "agent/cli/stored_status.h"
#include "agent/cli/table.h"
#include "config/service.h"
#include "probes/explain.h"

namespace agent {
namespace {

constexpr int kRefused = 1, kUnknown = 3;

std::string environment(const char* name) {
  const char* const value = std::getenv(name);
  return value == nullptr ? "" : value;
}

// Of standard output; NO_COLOR as no-color.org has it.
Screen screen_of_output() {
  if (isatty(STDOUT_FILENO) != 1) return {};
  winsize size{};
  const bool is_known = ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0;
  return {.columns = is_known ? size.ws_col : 80U,
          .has_colour = environment("NO_COLOR").empty() && environment("TERM") != "dumb"};
}

// What the agent writes down where nobody has to log in.
std::string who() {
  for (const auto* name : {"SUDO_USER", "USER", "LOGNAME"}) {
    if (auto value = environment(name); !value.empty()) return value;
  }
  return {};
}

std::string line_of(const Json& object) {
  return object.dump(-1, ' ', true, Json::error_handler_t::replace) + '\n';
}

Json array_of(std::vector<Json> items) {
  Json out = Json::array();
  for (auto& item : items) out.push_back(std::move(item));
  return {{"items", std::move(out)}};
}

// What a command says, and how it ends.
struct Said {
  int status = 0;
  std::string text;
};
using Done = config::Result<Said, ApiFault>;

Done failed(std::string detail) {
  return config::Failure<ApiFault>(ApiFault{.detail = std::move(detail)});
}

// The agent's own clock: that of this machine may be another.
config::Result<config::Time, ApiFault> now_of(const AgentApi& api) {
  const auto status = api.get("/api/v1/status");
  if (!status) return config::Failure<ApiFault>(status.error());
  const auto now = config::parse_rfc3339(shown(*status, "/now"));
  if (now) return *now;
  return config::Failure<ApiFault>(
      ApiFault{.detail = api.url() + ": it does not answer as danelaw does"});
}

}  // namespace

struct ClientCommands::Commands {
  AgentAddress address = address_of_environment();
  std::string format = "text";
  std::vector<std::string> words;  // names, or matchers
  std::string id, comment, until, duration, expected_key, by = who();
  bool shows_all = false;

  using Act = std::function<Done(const Commands&, const AgentApi&)>;
  struct Command {
    CLI::App* app;
    Act act;
  };
  std::vector<Command> all;

  [[nodiscard]] bool is_json() const { return format == "json"; }
  // One object to show, in either form.
  [[nodiscard]] Said said(const Json& object, const std::string& text) const {
    return {.text = is_json() ? line_of(object) : text};
  }

  CLI::App* add(CLI::App& to, const std::string& name, const std::string& about, Act act,
                const std::vector<std::string>& formats = {"text", "json"});
  void add_all(CLI::App& app);
  void add_acts(CLI::App& app);
  void add_by(CLI::App& command) {
    command.add_option("--by", by, "who does it, where no login is required; default: the user");
  }

  [[nodiscard]] Done status(const AgentApi& api) const;
  [[nodiscard]] Done alerts(const AgentApi& api) const;
  [[nodiscard]] Done acknowledge(const AgentApi& api) const;
  [[nodiscard]] Done take_back(const AgentApi& api) const;
  [[nodiscard]] Done silence(const AgentApi& api) const;
  [[nodiscard]] Done silences(const AgentApi& api) const;
  [[nodiscard]] Done end_silence(const AgentApi& api) const;
  [[nodiscard]] Done recheck(const AgentApi& api) const;
  [[nodiscard]] Done fleet(const AgentApi& api) const;
  [[nodiscard]] Done lists(const AgentApi& api) const;
  [[nodiscard]] Done accept_list(const AgentApi& api) const;
  [[nodiscard]] Done test_notifiers(const AgentApi& api) const;
};

CLI::App* ClientCommands::Commands::add(CLI::App& to, const std::string& name,
                                        const std::string& about, Act act,
                                        const std::vector<std::string>& formats) {
  auto* command = to.add_subcommand(name, about);
  add_address(*command, address);
  command->add_option("--format", format, "how it is printed")->check(CLI::IsMember(formats));
  all.push_back({command, std::move(act)});
  return command;
}

void ClientCommands::Commands::add_all(CLI::App& app) {
  add(app, "status", "what a running agent last saw", &Commands::status, {"text", "json", "nagios"})
      ->add_option("NAME", words, "mail domains or MX hosts; all domains without");
  add(app, "alerts", "alerts of a running agent that are open", &Commands::alerts)
      ->add_flag("--all", shows_all, "also those that begin, and those that are over");
  add(app, "silences", "silences of a running agent: to come, active, lately ended",
      &Commands::silences);
  add(app, "fleet", "the agents that share a running agent's database, and who leads",
      &Commands::fleet);
  add(app, "lists", "lists of domains from elsewhere, as a running agent uses them",
      &Commands::lists);
  add_acts(app);
}

void ClientCommands::Commands::add_acts(CLI::App& app) {
  auto* one = add(app, "ack", "acknowledge an alert: no reminders until it is over",
                  &Commands::acknowledge);
  one->add_option("ID", id, "of the alert")->required();
  one->add_option("--comment", comment, "why, for the others");
  one->add_option("--until", until, "remind again then: a time, or a duration, e.g. 2h");
  add_by(*one);

  one = add(app, "unack", "take an acknowledgement back", &Commands::take_back);
  one->add_option("ID", id, "of the alert")->required();
  add_by(*one);

  one = add(app, "silence", "notify nobody of alerts that match, for a while", &Commands::silence);
  one->add_option("MATCHER", words,
                  "name=value, name!=value, name=~regex or name!~regex; names are those of labels: "
                  "code, severity, direction, domain, group, mx, owner, zone")
      ->required();
  one->add_option("--for", duration, "how long, e.g. 2h")->required();
  one->add_option("--comment", comment, "why, for the others")->required();
  one->add_option("--expected-key", expected_key,
                  "only trouble of this key is silent: SHA2-256 of its SubjectPublicKeyInfo");
  add_by(*one);

  one = add(app, "unsilence", "end a silence", &Commands::end_silence);
  one->add_option("ID", id, "of the silence")->required();
  add_by(*one);

  one = add(app, "recheck", "have a running agent check a domain now", &Commands::recheck);
  one->add_option("DOMAIN", id, "a watched domain")->required();
  add_by(*one);

  one = add(app, "accept-list",
            "have a running agent accept a list that lost more than a fifth of its names at once",
            &Commands::accept_list);
  one->add_option("NAME", id, "of the list")->required();
  add_by(*one);

  one = add(app, "notify-test", "send a notification that is marked as a test",
            &Commands::test_notifiers);
  one->add_option("NAME", id, "only through this notifier; all without");
  add_by(*one);
}

// ---- what is shown

Done ClientCommands::Commands::status(const AgentApi& api) const {
  StoredStatus stored{.url = api.url(), .asked = words.size()};
  auto agent = api.get("/api/v1/status");
  if (!agent) return config::Failure<ApiFault>(agent.error());
  stored.agent = *std::move(agent);
  if (words.empty()) {
    auto rows = api.list("/api/v1/domains", {{"limit", "500"}});
    if (!rows) return config::Failure<ApiFault>(rows.error());
    stored.items = *std::move(rows);
  }
  // The row of that name, among those that it is a part of.
  const auto find = [&](const std::string& list, const std::string& key,
                        const std::string& name) -> config::Result<bool, ApiFault> {
    const auto rows = api.list(list, {{"limit", "500"}, {"q", name}});
    if (!rows) return config::Failure<ApiFault>(rows.error());
    const auto row =
        std::ranges::find_if(*rows, [&](const Json& one) { return shown(one, key) == name; });
    if (row == rows->end()) return false;
    stored.items.push_back(*row);
    return true;
  };
  for (const auto& word : words) {
    const auto name = config::target_name(word);
    if (!name) return failed(fmt::format("{}: {}", probes::printable(word), name.error()));
    auto is_found = find("/api/v1/domains", "/domain", *name);
    if (is_found && !*is_found) is_found = find("/api/v1/mx", "/host", *name);
    if (!is_found) return config::Failure<ApiFault>(is_found.error());
    if (!*is_found) stored.unwatched.push_back(*name);
  }
  const auto text = is_json()            ? line_of(status_json(stored))
                    : format == "nagios" ? status_nagios(stored)
                                         : status_text(stored, screen_of_output());
  return Said{.status = static_cast<int>(worst_of(stored)), .text = text};
}

Done ClientCommands::Commands::alerts(const AgentApi& api) const {
  AgentApi::Query query{{"limit", "500"}};
  if (!shows_all) query.emplace("state", "firing");
  auto items = api.list("/api/v1/alerts", query);
  if (!items) return config::Failure<ApiFault>(items.error());
  std::vector<TableRow> rows;
  for (const auto& one : *items) {
    const auto severity = shown(one, "/severity");
    const auto whom = shown(one, "/acknowledged/by");
    const bool is_acknowledged = one.contains("acknowledged") && one["acknowledged"].is_object();
    const bool is_silenced = one.contains("silenced") && one["silenced"] == true;
    const auto handled = is_acknowledged ? "acknowledged" + (whom.empty() ? "" : " by " + whom)
                         : is_silenced   ? std::string("silenced")
                                         : std::string("-");
    rows.push_back({{shown(one, "/id")},
                    {shown(one, "/state")},
                    {severity, tint_of_severity(severity)},
                    {shown(one, "/first_seen_at")},
                    {fmt::format("{}", count_in(one, "/domains_count"))},
                    {handled},
                    {shown(one, "/title")}});
  }
  const auto text = rows.empty()
                        ? std::string("no alerts\n")
                        : table({"ID", "STATE", "SEVERITY", "SINCE", "DOMAINS", "HANDLED", "WHAT"},
                                rows, screen_of_output());
  return said(array_of(*std::move(items)), text);
}

Done ClientCommands::Commands::silences(const AgentApi& api) const {
  auto items = api.list("/api/v1/silences", {});
  if (!items) return config::Failure<ApiFault>(items.error());
  std::vector<TableRow> rows;
  for (const auto& one : *items) {
    std::string matchers;
    if (one.contains("matchers") && one["matchers"].is_array()) {
      for (const auto& matcher : one["matchers"])
        matchers += (matchers.empty() ? "" : " ") + matcher_text(matcher);
    }
    rows.push_back({{shown(one, "/id")},
                    {shown(one, "/state")},
                    {shown(one, "/starts_at")},
                    {shown(one, "/ends_at")},
                    {shown(one, "/created_by")},
                    {matchers},
                    {shown(one, "/comment")}});
  }
  const auto text = rows.empty() ? std::string("no silences\n")
                                 : table({"ID", "STATE", "FROM", "UNTIL", "BY", "MATCHERS", "WHY"},
                                         rows, screen_of_output());
  return said(array_of(*std::move(items)), text);
}

Done ClientCommands::Commands::fleet(const AgentApi& api) const {
  auto items = api.list("/api/v1/agents", {});
  if (!items) return config::Failure<ApiFault>(items.error());
  std::vector<TableRow> rows;
  for (const auto& one : *items) {
    const bool is_leader = one.contains("is_leader") && one["is_leader"] == true;
    rows.push_back({{shown(one, "/name")},
                    {shown(one, "/vantage")},
                    {is_leader ? "leads" : "follows"},
                    {shown(one, "/last_seen_at")},
                    {fmt::format("{}", count_in(one, "/looks"))},
                    {shown(one, "/fault")}});
  }
  const auto text =
      table({"AGENT", "VANTAGE", "ROLE", "LAST SEEN", "LOOKS", "FAULT"}, rows, screen_of_output());
  return said(array_of(*std::move(items)), text);
}

Done ClientCommands::Commands::lists(const AgentApi& api) const {
  const auto status = api.get("/api/v1/status");
  if (!status) return config::Failure<ApiFault>(status.error());
  std::vector<Json> items;
  if (const auto lists = status->find("domain_lists"); lists != status->end() && lists->is_array())
    items.assign(lists->begin(), lists->end());
  std::vector<TableRow> rows;
  for (const auto& one : items) {
    const bool is_refused = one.contains("refused") && one["refused"].is_object();
    const auto fault = shown(one, "/fault");
    const auto state =
        is_refused      ? fmt::format("lost {} of {} names: see accept-list",
                                      count_in(one, "/refused/lost"), count_in(one, "/refused/of"))
        : fault.empty() ? std::string("OK")
                        : fault;
    rows.push_back({{shown(one, "/name")},
                    {shown(one, "/source")},
                    {fmt::format("{}", count_in(one, "/domains"))},
                    {fmt::format("{}", count_in(one, "/missing"))},
                    {shown(one, "/read_at")},
                    {state}});
  }
  const auto text = rows.empty() ? std::string("no lists from elsewhere\n")
                                 : table({"LIST", "SOURCE", "DOMAINS", "MISSING", "READ", "STATE"},
                                         rows, screen_of_output());
  return said(array_of(std::move(items)), text);
}

// ---- what is done

Done ClientCommands::Commands::acknowledge(const AgentApi& api) const {
  Json body{{"by", by}, {"comment", comment}};
  if (!until.empty()) {
    const auto now = now_of(api);
    if (!now) return config::Failure<ApiFault>(now.error());
    const auto time = parse_until(until, *now);
    if (!time) return failed("--until " + time.error());
    body["until"] = config::rfc3339(*time);
  }
  const auto done = api.send("POST", path_of("/api/v1/alerts/{}/ack", id), {}, body);
  if (!done) return config::Failure<ApiFault>(done.error());
  return said({{"id", id}, {"acknowledged", true}},
              fmt::format("{}: acknowledged\n", probes::printable(id)));
}

Done ClientCommands::Commands::take_back(const AgentApi& api) const {
  const auto done =
      api.send("DELETE", path_of("/api/v1/alerts/{}/ack", id), {{"by", by}}, std::nullopt);
  if (!done) return config::Failure<ApiFault>(done.error());
  return said({{"id", id}, {"acknowledged", false}},
              fmt::format("{}: no longer acknowledged\n", probes::printable(id)));
}

Done ClientCommands::Commands::silence(const AgentApi& api) const {
  Json matchers = Json::array();
  for (const auto& word : words) {
    auto matcher = parse_matcher(word);
    if (!matcher) return failed(matcher.error());
    matchers.push_back(*std::move(matcher));
  }
  const auto length = config::parse_duration(duration);
  if (!length || length->count() < 1) {
    return failed(fmt::format("--for {}: give a number and a unit (s, m, h or d), e.g. 2h",
                              probes::printable(duration)));
  }
  const auto now = now_of(api);
  if (!now) return config::Failure<ApiFault>(now.error());
  Json body{{"matchers", matchers},
            {"ends_at", config::rfc3339(*now + *length)},
            {"created_by", by},
            {"comment", comment}};
  if (!expected_key.empty()) body["expected_key"] = expected_key;
  const auto done = api.send("POST", "/api/v1/silences", {}, body);
  if (!done) return config::Failure<ApiFault>(done.error());
  return said(*done,
              fmt::format("{}: silent until {}\n", shown(*done, "/id"), shown(*done, "/ends_at")));
}

Done ClientCommands::Commands::end_silence(const AgentApi& api) const {
  const auto done =
      api.send("DELETE", path_of("/api/v1/silences/{}", id), {{"by", by}}, std::nullopt);
  if (!done) return config::Failure<ApiFault>(done.error());
  return said({{"id", id}, {"ended", true}}, fmt::format("{}: ended\n", probes::printable(id)));
}

Done ClientCommands::Commands::recheck(const AgentApi& api) const {
  const auto name = config::target_name(id);
  if (!name) return failed(fmt::format("{}: {}", probes::printable(id), name.error()));
  const auto done =
      api.send("POST", path_of("/api/v1/domains/{}/check", *name), {{"by", by}}, std::nullopt);
  if (!done) return config::Failure<ApiFault>(done.error());
  return said({{"domain", *name}}, *name + ": will be checked as soon as possible\n");
}

Done ClientCommands::Commands::accept_list(const AgentApi& api) const {
  const auto done =
      api.send("POST", path_of("/api/v1/lists/{}/accept", id), {{"by", by}}, std::nullopt);
  if (!done) return config::Failure<ApiFault>(done.error());
  return said(*done, fmt::format("{}: accepted; what it lost is watched for a day more\n",
                                 probes::printable(id)));
}

Done ClientCommands::Commands::test_notifiers(const AgentApi& api) const {
  Json body = Json::object();
  if (!id.empty()) body["notifier"] = id;
  const auto done = api.send("POST", "/api/v1/notifiers/test", {{"by", by}}, body);
  if (!done) return config::Failure<ApiFault>(done.error());
  std::string text;
  bool is_any_bad = !done->contains("items") || (*done)["items"].empty();
  if (!is_any_bad) {
    for (const auto& one : (*done)["items"]) {
      const bool is_ok = one.is_object() && one.contains("ok") && one["ok"] == true;
      is_any_bad = is_any_bad || !is_ok;
      text += fmt::format("{}: {}\n", shown(one, "/notifier"),
                          is_ok ? "delivered" : "failed: " + shown(one, "/fault"));
    }
  }
  auto out = said(*done, text);
  out.status = is_any_bad ? kRefused : 0;
  return out;
}

// ---- the whole

ClientCommands::ClientCommands(CLI::App& app) : commands_(std::make_unique<Commands>()) {
  commands_->add_all(app);
}

ClientCommands::~ClientCommands() = default;

std::optional<int> ClientCommands::run(std::ostream& out, std::ostream& errors) const {
  const auto named = std::ranges::find_if(
      commands_->all, [](const Commands::Command& one) { return one.app->parsed(); });
  if (named == commands_->all.end()) return std::nullopt;
  const auto api = AgentApi::make(commands_->address);
  const auto done = api ? named->act(*commands_, *api) : failed(api.error());
  if (done) {
    out << done->text << std::flush;
    return done->status;
  }
  // What calls plug-ins shows their standard output only.
  if (commands_->format == "nagios") {
    auto words = done.error().detail;
    std::ranges::replace(words, '|', '/');  // which would begin the performance data
    out << "DANE UNKNOWN: " << words << '\n';
  }
  errors << "danelaw " << named->app->get_name() << ": " << done.error().detail << '\n';
  const bool is_status = named->app->get_name() == "status";
  return done.error().is_refusal && !is_status ? kRefused : kUnknown;
}

}  // namespace agent
