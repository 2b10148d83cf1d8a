// Flags, wiring, run and drain: the one file that sees the whole house.

#include <algorithm>
#include <atomic>
#include <csignal>
#include <fstream>
#include <iostream>
#include <system_error>
#include <thread>

#include <CLI/CLI.hpp>
#include <fmt/format.h>
#include <pthread.h>
#include <unistd.h>

#include "agent/alerts/lifecycle.h"
#include "agent/cli/check.h"
#include "agent/cli/command_line.h"
#include "agent/cli/commands.h"
#include "agent/cli/gate.h"
#include "agent/history/recorded_past.h"
#include "agent/history/zone_past.h"
#include "agent/log.h"
#include "agent/notify/courier.h"
#include "agent/notify/resilient_outbox.h"
#include "agent/watch/runner.h"
#include "agent/watch/supervisor.h"
#include "agent/watch/threads.h"
#include "config/load.h"
#include "config/name.h"
#include "config/system.h"
#include "probes/dns/getdns_client.h"
#include "probes/explain.h"
#include "probes/tls/handshake.h"
#include "storage/backup.h"
#include "storage/lock.h"
#include "storage/outbox.h"
#include "storage/queries.h"
#include "storage/recorder.h"
#include "web/feed.h"
#include "web/http/entrance.h"
#include "web/http/server.h"
#include "web/routes/api.h"

namespace {

constexpr const char* kVersion = DANELAW_VERSION;  // these two are set by CMakeLists.txt
constexpr const char* kRevision = DANELAW_REVISION;
constexpr int kTryAgain = 2;  // of `run`: it may start another time
constexpr int kBadUsage = 3;  // of `check`, where 1 and 2 are findings

namespace log = agent::log;

config::Time now() {
  return std::chrono::floor<config::Seconds>(std::chrono::system_clock::now());
}

std::optional<config::Config> load(const std::filesystem::path& file) {
  auto loaded = config::load(file);
  if (loaded) return std::move(*loaded);
  for (const auto& error : loaded.error()) std::cerr << config::to_string(error) << '\n';
  return std::nullopt;
}

// Whether the certificates, tokens and passwords of the web server can be read.
config::Result<void, std::string> can_serve(const config::Web& settings) {
  return web::Entrance{[](const web::Guard&) { return web::Site{}; }}.configure(settings);
}

// ---- danelaw run

class Agent {
 public:
  // Everything that can fail does so here, before a thread is started; the words go to the log.
  bool start(const std::filesystem::path& file) {
    file_ = file;
    auto loaded = load(file);
    if (!loaded) return false;
    auto gear = agent::ProbeContext::make(*loaded);
    if (!gear) return fail("no-gear", gear.error());
    if (const auto web = can_serve(loaded->web); !web) return fail("no-web", web.error());
    auto lock = storage::DatabaseLock::take(loaded->storage.path);
    if (!lock) return fail_for_now("no-storage", lock.error());
    lock_ = std::move(*lock);
    auto recorder = storage::SqliteRecorder::open(loaded->storage.path);
    if (!recorder) return fail_for_now("no-storage", recorder.error().detail);
    recorder_ = std::move(*recorder);
    auto desk = recorder_->desk(now() - agent::kRelapse);
    if (!desk) return fail_for_now("no-storage", desk.error().detail);
    auto queries = storage::Queries::open(loaded->storage.path);
    if (!queries) return fail_for_now("no-storage", queries.error());
    queries_ = std::move(*queries);
    auto outbox = storage::SqliteOutbox::open(loaded->storage.path);
    if (!outbox) return fail_for_now("no-storage", outbox.error());
    outbox_ = std::move(*outbox);
    letters_ = std::make_unique<agent::ResilientOutbox>(
        *outbox_, [this] { return runner_->unrecorded_letters(); }, agent::system_clocks().ticks);
    auto notifiers = agent::make_notifiers(*loaded, *letters_);
    if (!notifiers) return fail("no-notifier", notifiers.error());
    runner_ = std::make_unique<agent::Runner>(*loaded, std::move(*gear), *recorder_,
                                              std::move(*desk), events(), agent::system_clocks());
    courier_ = std::make_unique<agent::Courier>(
        *letters_, now, [this] { return runner_->snapshot(); }, report_notifier);
    server_ = std::make_unique<web::Server>(web::site_of(sources()));
    const auto listening = server_->start(loaded->web);
    if (!listening) return fail_for_now("no-web", listening.error());
    if (loaded->smtp.helo.empty()) {
      if (const auto doubt = config::doubt_about_host_name(config::host_name()))
        log::warn("helo-doubtful", {{"detail", *doubt}});
    }
    // With less, libraries fail in ways of their own.
    constexpr std::size_t kLeast = std::size_t{32} << 20U;
    if (!agent::has_room(kLeast)) throw std::bad_alloc();
    runner_->start();
    courier_->employ(std::move(*notifiers));
    is_ready_ = true;
    log::info("started",
              {{"version", kVersion},
               {"domains", std::to_string(loaded->domains.size())},
               {"page", fmt::format("{}://{}:{}/", loaded->web.file.tls ? "https" : "http",
                                    loaded->web.listen_address, loaded->web.port)}});
    return true;
  }

  // After start() failed: 1 when it was refused for what stands in files, 2 when trying again may
  // help (the unit of systemd tells them apart).
  [[nodiscard]] int exit_status() const { return exit_status_; }

  config::Result<void, std::string> reload() {
    const std::scoped_lock one(reloading_);
    config::Result<void, std::string> done;
    try {
      done = take_configuration();
    } catch (const std::bad_alloc&) {
      done = config::Failure<std::string>("no memory");
      log::error("reload-failed", {{"error", done.error()}});
    }
    const std::scoped_lock lock(telling_reload_);
    reload_ = {.is_good = done.has_value(), .succeeded_at = done ? now() : reload_.succeeded_at};
    return done;
  }

  // As for /-/healthy.
  [[nodiscard]] std::optional<std::string> why_stuck() const { return runner_->health().stuck; }

  void forget_old() {
    const auto loaded = config::load(file_);
    if (!loaded) return;
    runner_->forget(now() - loaded->storage.retention);
  }

  // Lets looks under way end, but not for long: what they would have seen will be seen at the next
  // start, and everything decided is recorded already.
  void stop() {
    is_ready_ = false;
    feed_.close();
    server_->stop();
    std::atomic<bool> ended{false};
    const auto end = [&] {
      runner_->stop();
      courier_->stop();
      ended = true;
    };
    std::vector<std::thread> drain;
    if (agent::start_threads(drain, 1, end) == 0) end();
    const auto patience = std::chrono::steady_clock::now() + std::chrono::seconds{3};
    while (!ended && std::chrono::steady_clock::now() < patience)
      std::this_thread::sleep_for(std::chrono::milliseconds{20});
    log::info("stopped", {{"drained", ended ? "yes" : "no"}});
    if (!ended) std::_Exit(0);
    for (auto& thread : drain) thread.join();
  }

 private:
  static bool fail(std::string_view event, const std::string& detail) {
    log::error(event, {{"detail", detail}});
    return false;
  }

  bool fail_for_now(std::string_view event, const std::string& detail) {
    exit_status_ = kTryAgain;
    return fail(event, detail);
  }

  config::Result<void, std::string> take_configuration() {
    auto loaded = config::load(file_);
    if (!loaded) {
      for (const auto& error : loaded.error())
        log::error("reload-failed", {{"error", config::to_string(error)}});
      return config::Failure<std::string>(config::to_string(loaded.error().front()));
    }
    auto gear = agent::ProbeContext::make(*loaded);
    if (!gear) {
      log::error("reload-failed", {{"error", gear.error()}});
      return config::Failure<std::string>(gear.error());
    }
    auto notifiers = agent::make_notifiers(*loaded, *letters_);
    if (!notifiers) {
      log::error("reload-failed", {{"error", notifiers.error()}});
      return config::Failure<std::string>(notifiers.error());
    }
    const auto entrance = server_->reconfigure(loaded->web);
    if (!entrance) {
      log::error("reload-failed", {{"error", entrance.error()}});
      return config::Failure<std::string>(entrance.error());
    }
    runner_->reconfigure(*loaded, std::move(*gear));
    courier_->employ(std::move(*notifiers));
    log::info("reloaded", {{"domains", std::to_string(loaded->domains.size())}});
    return {};
  }

  web::Reload last_reload() {
    const std::scoped_lock lock(telling_reload_);
    return reload_;
  }

  static void report_notifier(const std::string& notifier, const std::string& fault) {
    if (fault.empty()) {
      log::info("notifier-recovered", {{"notifier", notifier}});
    } else {
      log::warn("notifier-failing", {{"notifier", notifier}, {"detail", fault}});
    }
  }

  // What changed, for the pages that are open; and the notifiers, which need not wait.
  void publish(const agent::Round& round) {
    const bool is_look = round.domain || round.host;  // most of which only move "last seen"
    for (const auto& alert : round.alerts) {
      const bool is_news = std::ranges::any_of(
          round.transitions,
          [&](const agent::Transition& one) { return one.alert_id == alert.id; });
      if (is_news || !is_look || alert.told_at == round.at) feed_.publish("alert", alert.id);
    }
    for (const auto& state : round.judged) feed_.publish("domain", state.configured.name);
    if (round.host) feed_.publish("host", round.host->host.text());
    for (const auto& silence : round.silences) feed_.publish("silence", silence.id);
    const bool has_news = !round.letters.empty() || !round.transitions.empty() ||
                          std::ranges::any_of(round.alerts, [&](const agent::Alert& alert) {
                            return alert.told_at == round.at;
                          });
    if (has_news && courier_) courier_->hurry();
  }

  static std::string detail_of(const probes::Finding& finding) {
    for (const auto& [key, value] : finding.evidence) {
      if (key == "detail") return value;
    }
    return {};
  }

  agent::Events events() {
    return {.on_transition =
                [](const agent::Alert& alert, const agent::Transition& transition) {
                  const auto opened = transition.what == agent::Transition::What::opened;
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
            .on_round = [this](const agent::Round& round) { publish(round); },
            .on_fault =
                [](const std::string& detail) {
                  log::error("fault", {{"detail", detail}});
                },
            .on_recovery =
                [](const std::string& detail) {
                  log::info("recovered", {{"detail", detail}});
                },
            .on_letters =
                [this] {
                  if (courier_) courier_->hurry_letters();
                },
            .on_clock_step =
                [](const agent::ClockStep& step) {
                  log::warn("clock-stepped", {{"seconds", std::to_string(step.by.count())},
                                              {"before", config::rfc3339(step.before)},
                                              {"after", config::rfc3339(step.after)}});
                }};
  }

  web::Sources sources() {
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
            .feed = &feed_,
            .notifiers = [this] { return courier_->health(); },
            .last_reload = [this] { return last_reload(); },
            .on_scrape = [this](std::size_t series) { look_at_scrape(series); },
            .build = {.version = kVersion,
                      .revision = kRevision,
                      .openssl = probes::tls::library_version(),
                      .resolver = probes::dns::library_version()}};
  }

  // A scrape that strains Prometheus is told once.
  void look_at_scrape(std::size_t series) {
    constexpr std::size_t kMany = 100'000;
    if (series <= kMany || is_scrape_told_.exchange(true)) return;
    log::warn("many-series",
              {{"series", std::to_string(series)},
               {"detail", "metrics.detail: mx, domain or summary makes scrapes smaller"}});
  }

  std::filesystem::path file_;
  int exit_status_ = 1;
  storage::DatabaseLock lock_;
  std::atomic<bool> is_ready_{false};
  std::atomic<bool> is_scrape_told_{false};
  std::mutex reloading_;
  std::mutex telling_reload_;  // guards reload_: a scrape must not wait for a reload
  web::Reload reload_{.succeeded_at = now()};
  std::unique_ptr<storage::SqliteRecorder> recorder_;
  std::unique_ptr<storage::Queries> queries_;
  std::unique_ptr<storage::SqliteOutbox> outbox_;
  std::unique_ptr<agent::ResilientOutbox> letters_;
  web::Feed feed_;
  std::unique_ptr<agent::Runner> runner_;
  std::unique_ptr<agent::Courier> courier_;
  std::unique_ptr<web::Server> server_;
};

// ---- danelaw check-config

// Remembers nothing: notifiers are made only to see whether they could be.
class NoOutbox final : public agent::Outbox {
 public:
  using Fault = agent::RecordFault;
  config::Result<std::vector<agent::QueuedNotification>, Fault> due(const std::string&,
                                                                    config::Time,
                                                                    std::size_t) override {
    return {};
  }
  config::Result<void, Fault> delivered(const std::string&, config::Time) override { return {}; }
  config::Result<void, Fault> failed(const std::string&, config::Time,
                                     const std::string&) override {
    return {};
  }
  config::Result<std::size_t, Fault> waiting(const std::string&) override { return {}; }
  config::Result<std::optional<std::string>, Fault> memo(const std::string&) override { return {}; }
  config::Result<void, Fault> keep_memo(const std::string&,
                                        const std::optional<std::string>&) override {
    return {};
  }
};

// What `run` would refuse to start with, though the file itself is right: files that it names.
std::vector<std::string> obstacles(const config::Config& settings) {
  std::vector<std::string> out;
  if (const auto gear = agent::ProbeContext::make(settings); !gear) out.push_back(gear.error());
  NoOutbox outbox;
  if (const auto made = agent::make_notifiers(settings, outbox); !made) out.push_back(made.error());
  if (const auto made = can_serve(settings.web); !made) out.push_back(made.error());
  return out;
}

// ---- danelaw run

// The next of these signals; 0 when none comes within that time.
int next_signal(const sigset_t& awaited, std::chrono::milliseconds within) {
  const auto left = std::max(within, std::chrono::milliseconds{0});
  const auto whole = std::chrono::floor<std::chrono::seconds>(left);
  const timespec patience{.tv_sec = whole.count(),
                          .tv_nsec = std::chrono::nanoseconds{left - whole}.count()};
  return std::max(0, sigtimedwait(&awaited, nullptr, &patience));
}

int run(const std::filesystem::path& file) {
  // Signals are taken by this thread alone, one at a time; all others inherit the mask.
  sigset_t awaited;
  sigemptyset(&awaited);
  for (const int number : {SIGTERM, SIGINT, SIGHUP}) sigaddset(&awaited, number);
  pthread_sigmask(SIG_BLOCK, &awaited, nullptr);

  agent::Supervisor supervisor(agent::Supervisor::wishes_of_environment(), getpid());
  agent::be_frugal_where_limited();
  Agent agent;
  try {
    if (!agent.start(file)) return agent.exit_status();
  } catch (const std::bad_alloc&) {
    log::error("no-memory", {{"detail", "the memory that danelaw may use is too little to start"}});
    return kTryAgain;
  } catch (const std::system_error& error) {
    log::error("no-threads", {{"detail", error.what()},
                              {"hint", "memory or the number of threads is limited too much"}});
    return kTryAgain;
  }
  supervisor.ready();
  const auto ticks = agent::system_clocks().ticks;
  constexpr std::chrono::hours kForgetEvery{1};
  auto forget_at = ticks() + kForgetEvery;
  while (true) {
    const int number =
        next_signal(awaited, std::min<std::chrono::milliseconds>(
                                 supervisor.every().value_or(kForgetEvery), forget_at - ticks()));
    if (number == SIGTERM || number == SIGINT) break;
    if (number == SIGHUP) {
      supervisor.reloading();
      (void)agent.reload();
      supervisor.ready();
    }
    if (supervisor.every()) supervisor.alive(agent.why_stuck());
    if (ticks() >= forget_at) {
      agent.forget_old();
      forget_at = ticks() + kForgetEvery;
    }
  }
  supervisor.stopping();
  agent.stop();
  return 0;
}

// ---- danelaw backup

int back_up(const std::filesystem::path& file, const std::filesystem::path& copy) {
  const auto settings = file.empty() ? std::optional{config::Config{}} : load(file);
  if (!settings) return 1;
  const auto done = storage::backup(settings->storage.path, copy);
  if (!done) std::cerr << done.error() << '\n';
  return done ? 0 : 1;
}

// ---- danelaw restore

int restore(const std::filesystem::path& file, const std::filesystem::path& backup) {
  const auto settings = file.empty() ? std::optional{config::Config{}} : load(file);
  if (!settings) return 1;
  const auto& database = settings->storage.path;
  const auto kept = storage::restore(backup, database);
  if (!kept) {
    std::cerr << kept.error() << '\n';
    return 1;
  }
  std::cout << fmt::format("{} is now the backup {}", database.string(), backup.string());
  if (*kept) std::cout << fmt::format("; the old one is kept as {}", (*kept)->string());
  std::cout << '\n';
  return 0;
}

// ---- danelaw gate

struct GateFlags {
  std::string host;
  std::filesystem::path certificate;
};

int gate(const std::filesystem::path& file, const GateFlags& flags) {
  const auto settings = load(file);
  if (!settings) return kBadUsage;
  const auto host = config::normal_domain(flags.host);
  const auto name = host ? probes::dns::Name::parse(*host) : std::nullopt;
  if (!name) {
    std::cerr << fmt::format("--host {}: {}\n", flags.host,
                             host ? "not a host name" : host.error());
    return kBadUsage;
  }
  const auto recall = [&](const probes::dns::Name& of,
                          config::Time since) -> config::Result<agent::Recalled, std::string> {
    auto queries = storage::Queries::open(settings->storage.path);
    if (!queries) return config::Failure<std::string>(queries.error());
    auto chronicle = (*queries)->chronicle(of, since);
    if (!chronicle) return config::Failure<std::string>(chronicle.error());
    end_by(*chronicle, now());
    const auto delegation = agent::delegation_ttl(of, [&](const probes::dns::Name& zone) {
      auto past = (*queries)->zone_past(zone, since);
      return past ? std::move(*past) : agent::ZonePast{};
    });
    return agent::Recalled{std::move(*chronicle), delegation};
  };
  return static_cast<int>(agent::gate(*settings, {.host = *name, .certificate = flags.certificate},
                                      recall, std::cout, std::cerr));
}

// ---- danelaw tlsa

int tlsa(const std::filesystem::path& file, agent::TlsaLine line, const std::string& ttl) {
  if (!line.host.empty()) {
    const auto host = config::normal_domain(line.host);
    if (!host) {
      std::cerr << fmt::format("--host {}: {}\n", line.host, host.error());
      return kBadUsage;
    }
    line.host = *host;
  }
  if (!ttl.empty()) {
    const auto duration = config::parse_duration(ttl);
    if (!duration) {
      std::cerr << fmt::format(
          "--ttl {}: give a number and a unit (s, m, h or d), e.g. 30m or 1h\n", ttl);
      return kBadUsage;
    }
    line.ttl = *duration;
  }
  return agent::print_tlsa(file, line, std::cout, std::cerr);
}

// ---- danelaw check

struct CheckFlags {
  std::filesystem::path config_file;
  std::vector<std::string> resolvers;
  std::filesystem::path trust_anchor;
  std::uint16_t port = 0;
  std::string format = "text";
  bool allow_special_addresses = false;
  std::string timeout;
  std::string helo;
  std::vector<std::string> domains;
};

void add_check(CLI::App& app, CheckFlags& flags) {
  app.add_option("--config", flags.config_file,
                 "take settings, and domains when none are named, from this file");
  app.add_option("--resolver", flags.resolvers, "ADDR[@PORT] of a resolver; may be repeated")
      ->allow_extra_args(false);
  app.add_option("--trust-anchor", flags.trust_anchor,
                 "DS or DNSKEY lines; default: that of dns-root-data");
  app.add_option("--port", flags.port, "SMTP port (25)")->check(CLI::Range(1, 65535));
  app.add_option("--format", flags.format, "text, json or nagios")
      ->check(CLI::IsMember({"text", "json", "nagios"}));
  app.add_flag("--allow-special-addresses", flags.allow_special_addresses,
               "contact loopback and private addresses");
  app.add_option("--timeout", flags.timeout, "for one SMTP session, e.g. 30s");
  app.add_option("--helo", flags.helo, "what to call ourselves in EHLO");
  app.add_option("DOMAIN", flags.domains, "mail domains");
}

// The settings that file and flags make together; nothing after telling what is wrong.
std::optional<config::Config> settings_of(const CheckFlags& flags) {
  config::Config settings;
  if (!flags.config_file.empty()) {
    auto loaded = load(flags.config_file);
    if (!loaded) return std::nullopt;
    settings = std::move(*loaded);
  }
  if (!flags.resolvers.empty()) settings.dns.resolvers.clear();
  for (const auto& text : flags.resolvers) {
    const auto resolver = config::parse_resolver(text);
    if (!resolver) {
      std::cerr << fmt::format("--resolver {}: {}\n", text, resolver.error());
      return std::nullopt;
    }
    settings.dns.resolvers.push_back(*resolver);
  }
  if (!flags.timeout.empty()) {
    const auto timeout = config::parse_duration(flags.timeout);
    if (!timeout || timeout->count() < 1) {
      std::cerr << fmt::format(
          "--timeout {}: give a number and a unit (s, m, h or d), e.g. 30s or 2m\n", flags.timeout);
      return std::nullopt;
    }
    settings.smtp.timeout = *timeout;
  }
  if (!flags.trust_anchor.empty()) settings.dns.trust_anchor_file = flags.trust_anchor;
  if (flags.port != 0) settings.smtp.port = flags.port;
  if (!flags.helo.empty()) {
    const auto helo = config::helo_name(flags.helo);
    if (!helo) {
      std::cerr << fmt::format("--helo {}: {}\n", probes::printable(flags.helo), helo.error());
      return std::nullopt;
    }
    settings.smtp.helo = *helo;
  }
  if (flags.allow_special_addresses) settings.smtp.allow_special_addresses = true;
  return settings;
}

int check(const CheckFlags& flags) {
  auto settings = settings_of(flags);
  if (!settings) {
    // What calls plug-ins shows their standard output only.
    if (flags.format == "nagios") std::cout << "DANE UNKNOWN: bad usage or configuration\n";
    return kBadUsage;
  }
  std::vector<std::string> domains;
  for (const auto& text : flags.domains) {
    const auto name = config::normal_domain(text);
    if (!name) {
      if (flags.format == "nagios")
        std::cout << fmt::format("DANE UNKNOWN: {}: {}\n", probes::printable(text), name.error());
      std::cerr << fmt::format("{}: {}\n", text, name.error());
      return kBadUsage;
    }
    domains.push_back(*name);
  }
  if (domains.empty()) {
    for (const auto& domain : settings->domains) domains.push_back(domain.name);
  }
  if (domains.empty()) {
    if (flags.format == "nagios") std::cout << "DANE UNKNOWN: no domain was named\n";
    std::cerr << "name at least one domain, or a --config with domains in it\n";
    return kBadUsage;
  }
  const auto format = flags.format == "json"     ? agent::Format::json
                      : flags.format == "nagios" ? agent::Format::nagios
                                                 : agent::Format::text;
  return static_cast<int>(agent::check(*settings, domains, format, std::cout, std::cerr));
}

}  // namespace

int main(int argc, char** argv) {
  std::signal(SIGPIPE, SIG_IGN);
  CLI::App app{"danelaw watches that DANE-secured mail to and from your domains still works"};
  app.set_version_flag("--version", fmt::format("danelaw, version {}", kVersion));
  app.require_subcommand(1);
  std::filesystem::path file;
  CheckFlags flags;
  auto* running = app.add_subcommand("run", "the agent: watch, remember, show, alert");
  running->add_option("--config", file, "configuration file")->required();
  auto* checking = app.add_subcommand(
      "check", "one look at mail domains; exit status 0 ok, 1 warning, 2 critical, 3 unknown");
  add_check(*checking, flags);
  auto* config_checking =
      app.add_subcommand("check-config", "name every error of a configuration file");
  config_checking->add_option("FILE", file)->required();
  GateFlags gate_flags;
  auto* gating = app.add_subcommand(
      "gate",
      "may this certificate go live on this MX host now? exit status 0 yes, 1 not yet, 2 no, 3 "
      "unknown");
  gating->add_option("--config", file, "configuration file, that of the agent")->required();
  gating->add_option("--host", gate_flags.host, "the MX host")->required();
  gating
      ->add_option("CERT", gate_flags.certificate,
                   "the certificate with its issuers, as the server will send it: PEM, DER or "
                   "PKCS#7; - for standard input")
      ->required();
  auto* printing = app.add_subcommand("tlsa", "print the TLSA records that fit a certificate");
  printing
      ->add_option("CERT", file,
                   "PEM, DER or PKCS#7: a certificate, with its issuers in any order, or a key; - "
                   "for standard input")
      ->required();
  agent::TlsaLine line;
  std::string ttl;
  printing->add_option("--host", line.host, "print lines of a zone file for this MX host");
  printing->add_option("--port", line.port, "SMTP port (25)")->check(CLI::Range(1, 65535));
  printing->add_option("--ttl", ttl, "TTL of those lines, e.g. 1h");
  auto* backing =
      app.add_subcommand("backup", "copy the database into a new file while the agent runs");
  std::filesystem::path copy;
  backing->add_option("FILE", copy, "the file to make")->required();
  backing->add_option("--config", file, "configuration file, for storage.path");
  auto* restoring = app.add_subcommand(
      "restore",
      "put a backup in the place of a stopped agent's database; the old one is kept beside it");
  restoring->add_option("FILE", copy, "the backup")->required();
  restoring->add_option("--config", file, "configuration file, for storage.path");
  auto* replaying =
      app.add_subcommand("replay", "rollover states and grades of a sequence of events, on paper");
  replaying->add_option("FILE", file, "schema danelaw.replay/1; - for standard input")->required();
  if (argc < 2) {
    std::cerr << app.help() << "name one of these commands\n";
    return kBadUsage;
  }
  if (const auto wrong = agent::unknown_word(app, {argv + std::min(argc, 1), argv + argc})) {
    std::cerr << *wrong << '\n';
    return kBadUsage;
  }
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    const int status = app.exit(error);
    return status == 0 ? 0 : kBadUsage;
  }
  if (*running) return run(file);
  if (*checking) return check(flags);
  if (*gating) return gate(file, gate_flags);
  if (*config_checking) return agent::check_config(file, obstacles, std::cout, std::cerr);
  if (*backing) return back_up(file, copy);
  if (*restoring) return restore(file, copy);
  if (*replaying) return agent::print_replay(file, std::cout, std::cerr);
  return tlsa(file, std::move(line), ttl);
}
