// What the daemon's parts tell each other and ask of it.

#include <algorithm>
#include <sstream>

#include "agent/cli/check.h"
#include "agent/daemon.h"
#include "agent/log.h"
#include "config/domain_file.h"
#include "config/load.h"
#include "probes/dns/getdns_client.h"
#include "probes/tls/handshake.h"

namespace agent {
namespace {

std::string detail_of(const probes::Finding& finding) {
  for (const auto& [key, value] : finding.evidence) {
    if (key == "detail") return value;
  }
  return {};
}

}  // namespace

void Daemon::report_notifier(const std::string& notifier, const std::string& fault) {
  if (fault.empty()) {
    log::info("notifier-recovered", {{"notifier", notifier}});
  } else {
    log::warn("notifier-failing", {{"notifier", notifier}, {"detail", fault}});
  }
}

void Daemon::publish(const Round& round) {
  const bool is_look = round.domain || round.host;  // most of which only move "last seen"
  if (round.recorded && lead_) lead_->count_look(round.recorded->agent);
  for (const auto& alert : round.alerts) {
    const bool is_news = std::ranges::any_of(
        round.transitions, [&](const Transition& one) { return one.alert_id == alert.id; });
    if (is_news || !is_look || alert.told_at == round.at) feed_.publish("alert", alert.id);
  }
  for (const auto& state : round.judged) feed_.publish("domain", state.configured->name);
  if (round.host) feed_.publish("host", round.host->host.text());
  for (const auto& silence : round.silences) feed_.publish("silence", silence.id);
  for (const auto& domain : round.ended_exceptions)
    log::info("exception-ended", {{"domain", domain}});
  // Nobody who saw that it is over sends mail under it.
  if (!round.ended_exceptions.empty() && postfix_) postfix_->refresh_exceptions();
  const bool has_news = !round.notifications.empty() || !round.transitions.empty() ||
                        std::ranges::any_of(round.alerts, [&](const Alert& alert) {
                          return alert.told_at == round.at;
                        });
  if (has_news && courier_) courier_->wake();
}

Events Daemon::events() {
  return {.on_transition =
              [](const Alert& alert, const Transition& transition) {
                const auto opened = transition.what == Transition::What::opened;
                const auto say = opened ? log::warn : log::info;
                const auto event = wire_name(alert.finding.code);
                const auto domains = std::to_string(alert.domains.size());
                const auto& finding = alert.finding;
                if (finding.code == probes::Code::monitor_fault) {
                  // What is wrong with ourselves is looked for here first.
                  say(event, {{"alert", opened ? "opened" : "resolved"},
                              {"subject", alert.cause.name},
                              {"severity", wire_name(finding.severity)},
                              {"detail", detail_of(finding)},
                              {"reason", transition.reason},
                              {"id", alert.id}});
                  return;
                }
                say(event, {{"alert", opened ? "opened" : "resolved"},
                            {"subject", finding.subject.name},
                            {"severity", wire_name(finding.severity)},
                            {"domains", domains},
                            {"reason", transition.reason},
                            {"id", alert.id}});
              },
          .on_round = [this](const Round& round) { publish(round); },
          .on_fault =
              [](const std::string& detail) {
                log::error("fault", {{"detail", detail}});
              },
          .on_recovery =
              [](const std::string& detail) {
                log::info("recovered", {{"detail", detail}});
              },
          .on_notifications =
              [this] {
                if (courier_) courier_->wake_senders();
              },
          .on_clock_step =
              [](const ClockStep& step) {
                log::warn("clock-stepped", {{"seconds", std::to_string(step.by.count())},
                                            {"before", config::rfc3339(step.before)},
                                            {"after", config::rfc3339(step.after)}});
              }};
}

PostfixWatch::World Daemon::postfix_world() {
  return {
      .now = now,
      .judged = [this](std::string_view domain) -> std::shared_ptr<const probes::DomainJudgement> {
        const auto state = runner_->domain(domain);
        return state ? state->judged : nullptr;
      },
      .exceptions = [this] { return runner_->snapshot()->exceptions; },
      .report =
          [](const std::string& detail, bool is_over) {
            (is_over ? log::info : log::warn)(is_over ? "postfix-recovered" : "postfix-fault",
                                              {{"detail", detail}});
          }};
}

ReportWatch::Calls Daemon::report_calls() {
  return {
      .now = now,
      .on_reports = [this](ReportsBySubject reports) { runner_->take_reports(std::move(reports)); },
      .on_taken =
          [](const std::string& from, const TakenReport& one) {
            const auto say = one.fault ? log::warn : log::info;
            say("tlsrpt-taken", {{"file", from},
                                 {"organization", one.organization},
                                 {"report_id", one.report_id},
                                 {"new", one.is_new ? "yes" : "no"},
                                 {"skipped", std::to_string(one.skipped)},
                                 {"fault", one.fault.value_or("")}});
          },
      .on_fault =
          [](const std::string& detail) {
            log::error("tlsrpt-failed", {{"detail", detail}});
          },
      .on_folder_recovery =
          [] {
            log::info("tlsrpt-recovered", {{"detail", "tlsrpt.folder can be read again"}});
          }};
}

RenewalWatch::Calls Daemon::renewal_calls() {
  return {
      .now = now,
      .in_use = [this](bool partners) { return runner_->chains_in_use(partners); },
      .on_advice = [this](const std::vector<RenewalAdvice>& told) { runner_->take_renewals(told); },
      .on_fault =
          [](const std::string& directory, const std::string& fault) {
            log::info(fault.empty() ? "renewals-told" : "renewals-unknown",
                      {{"directory", directory}, {"detail", fault}});
          }};
}

ListWatch::Calls Daemon::list_calls() {
  return {.now = now,
          .on_change = [this] { adopt_lists(); },
          .on_health = [this](const std::vector<ListHealth>& lists) { runner_->set_lists(lists); },
          .on_event =
              [](const std::string& event, const std::string& list, const std::string& detail) {
                const bool is_well = event == "list-read" || event == "list-readable";
                (is_well ? log::info : log::warn)(event, {{"list", list}, {"detail", detail}});
              }};
}

void Daemon::adopt_lists() {
  const config::Lock one(reloading_);
  auto wanted = configured_;
  lists_->add_to(wanted);
  runner_->reconfigure(std::move(wanted), nullptr);
}

web::Backend Daemon::backend() {
  return {.snapshot = [this] { return runner_->snapshot(); },
          .check_now = [this](std::string_view domain) { return runner_->check_now(domain); },
          .reload = [this] { return reload(); },
          .is_ready = [this] { return is_ready_.load(); },
          .health = [this] { return runner_->health(); },
          .domain = [this](std::string_view name) { return runner_->domain(name); },
          .unrecorded_about =
              [this](const std::string& alert) { return letters_->unrecorded_about(alert); },
          .queries = queries_.get(),
          .actions = runner_.get(),
          .acts = acts_.get(),
          .checks = &checks_,
          .watch =
              [this](const std::string& domain, const std::optional<std::string>& list,
                     const std::optional<std::set<std::string>>& groups) {
                return watch(domain, list, groups);
              },
          .accept_list = [this](const std::string& list) { return lists_->accept(list); },
          .feed = &feed_,
          .postfix = postfix_.get(),
          .senders = senders_.get(),
          .on_report =
              [this] {
                const config::Lock one(watching_);
                if (reports_) reports_->wake();
              },
          .report_folder_fault =
              [this] {
                const config::Lock one(watching_);
                return reports_ ? reports_->folder_fault() : std::nullopt;
              },
          .notifiers = [this] { return courier_->health(); },
          .test_notifiers =
              [this](const std::optional<std::string>& notifier, const std::string& by) {
                return courier_->test(notifier, by, std::chrono::seconds{20});
              },
          .last_reload = [this] { return last_reload(); },
          .agents = [this] { return agents(); },
          .anchors = [this] { return anchors(); },
          .on_scrape = [this](std::size_t series) { look_at_scrape(series); },
          .build = build()};
}

web::Backend Daemon::backend_of_standby() {
  // Ready is whose questions are answered, though another answers them.
  return {.reload = [this] { return reload(); },
          .is_ready = [relay = relay_] { return relay->has_leader(); },
          .health = [] { return Health{}; },
          .leader = [relay = relay_](const web::Request& asked) { return relay->answer(asked); },
          .build = build()};
}

web::Build Daemon::build() {
  return {.version = DANELAW_VERSION,
          .revision = DANELAW_REVISION,
          .openssl = probes::tls::library_version(),
          .resolver = probes::dns::library_version()};
}

void Daemon::look_at_scrape(std::size_t series) {
  constexpr std::size_t kMany = 100'000;
  if (series <= kMany || is_scrape_told_.exchange(true)) return;
  log::warn("many-series",
            {{"series", std::to_string(series)},
             {"detail", "metrics.detail: mx, domain or summary makes scrapes smaller"}});
}

config::Result<std::string, std::string> Daemon::check_once(const std::string& domain) const {
  auto loaded = config::load(file_);
  if (!loaded) return config::Failure<std::string>(config::to_string(loaded.error().front()));
  loaded->domains = {{.name = domain}};
  std::ostringstream out, errors;
  (void)check(*loaded, {domain}, Format::json, out, errors);
  auto text = out.str();
  if (text.empty()) return config::Failure<std::string>(errors.str());
  return text;
}

config::Result<std::string, std::string> Daemon::watch(
    const std::string& domain, const std::optional<std::string>& list,
    const std::optional<std::set<std::string>>& groups) {
  using config::Failure;
  // Who adds a line reads the file first.
  const config::Lock one_at_a_time(adding_);
  const auto loaded = config::load(file_);
  if (!loaded) return Failure<std::string>(config::to_string(loaded.error().front()));
  std::vector<std::filesystem::path> lists;
  for (const auto& one : loaded->domain_lists) {
    if (groups && !groups->contains(one.group)) continue;
    if (one.appendable && (!list || one.file.filename() == *list)) lists.push_back(one.file);
  }
  if (lists.empty())
    return Failure<std::string>("no such list may be added to: see `appendable` of domain_lists");
  if (lists.size() > 1) return Failure<std::string>("several lists may be added to: name one");
  if (const auto added = config::add_to_domain_file(lists.front(), domain); !added)
    return Failure<std::string>(added.error());
  // Also when it stood there: that reload may have failed.
  if (const auto done = reload(); !done)
    return Failure<std::string>("it is in the list now, but: " + done.error());
  return lists.front().filename().string();
}

}  // namespace agent
