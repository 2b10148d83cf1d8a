// Commands, signals and what each command is given of the house.

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstdio>
#include <iostream>
#include <system_error>

#include <CLI/CLI.hpp>
#include <fmt/format.h>
#include <pthread.h>
#include <unistd.h>

#include "agent/cli/check_command.h"
#include "agent/cli/client.h"
#include "agent/cli/command_line.h"
#include "agent/cli/commands.h"
#include "agent/cli/database_commands.h"
#include "agent/cli/explain_command.h"
#include "agent/cli/foresee_command.h"
#include "agent/cli/gate_command.h"
#include "agent/cli/help.h"
#include "agent/cli/maillog_commands.h"
#include "agent/cli/policy_command.h"
#include "agent/cli/tlsrpt_command.h"
#include "agent/daemon.h"
#include "agent/log.h"
#include "agent/watch/supervisor.h"
#include "agent/watch/threads.h"
#include "storage/backup.h"
#include "storage/evidence.h"
#include "storage/recall.h"
#include "storage/sender_reports.h"
#include "storage/transfer.h"
#include "web/routes/report_command.h"

namespace {

constexpr int kTryAgain = 2;  // of `run`: it may start another time

namespace log = agent::log;

// The next of these signals; 0 when none comes within that time.
int next_signal(const sigset_t& awaited, std::chrono::milliseconds within) {
  const auto left = std::max(within, std::chrono::milliseconds{0});
  const auto whole = std::chrono::floor<std::chrono::seconds>(left);
  const timespec patience{.tv_sec = whole.count(),
                          .tv_nsec = std::chrono::nanoseconds{left - whole}.count()};
  return std::max(0, sigtimedwait(&awaited, nullptr, &patience));
}

// Until it may lead; false when told to end.
bool stand_by(agent::Daemon& daemon, agent::Supervisor& supervisor, const sigset_t& awaited) {
  constexpr std::chrono::seconds kAsk{1};
  while (!daemon.try_to_lead()) {
    const int number =
        next_signal(awaited, std::min<std::chrono::milliseconds>(
                                 kAsk, supervisor.every().value_or(std::chrono::hours{1})));
    if (number == SIGTERM || number == SIGINT) {
      supervisor.stopping();
      daemon.stop();
      return false;
    }
    if (number == SIGHUP) {
      supervisor.reloading();
      daemon.reload_by_signal();
      supervisor.ready();
    }
    supervisor.alive(daemon.why_stuck(), daemon.doing());
  }
  return true;
}

int run(const std::filesystem::path& file) {
  // Signals are taken by this thread alone, one at a time; all others inherit the mask.
  sigset_t awaited;
  sigemptyset(&awaited);
  for (const int number : {SIGTERM, SIGINT, SIGHUP}) sigaddset(&awaited, number);
  pthread_sigmask(SIG_BLOCK, &awaited, nullptr);

  agent::Supervisor supervisor(agent::Supervisor::wishes_of_environment(), getpid());
  agent::share_heaps();
  agent::be_frugal_where_limited();
  agent::Daemon daemon;
  try {
    auto begun = daemon.start(file);
    while (begun == agent::Daemon::Begun::stands_by) {
      supervisor.ready();
      if (!stand_by(daemon, supervisor, awaited)) return 0;
      begun = daemon.start(file);
    }
    if (begun == agent::Daemon::Begun::failed) return daemon.exit_status();
  } catch (const std::bad_alloc&) {
    log::error("out-of-memory",
               {{"detail", "the memory that danelaw may use is too little to start"}});
    return kTryAgain;
  } catch (const std::system_error& error) {
    log::error("too-few-threads",
               {{"detail", error.what()},
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
      daemon.reload_by_signal();
      supervisor.ready();
    }
    if (supervisor.every()) {
      const auto stuck = daemon.why_stuck();  // then nothing else is asked of the runner
      supervisor.alive(stuck, stuck ? std::string() : daemon.doing());
    }
    if (ticks() >= forget_at) {
      daemon.forget_old();
      forget_at = ticks() + kForgetEvery;
    }
  }
  supervisor.stopping();
  daemon.stop();
  return 0;
}

agent::Command add_run(CLI::App& app) {
  const auto file = std::make_shared<std::filesystem::path>();
  auto* command = app.add_subcommand("run", "the agent: watch, remember, show, alert");
  command->add_option("--config", *file, "configuration file")->required();
  return {command, [file] { return run(*file); }};
}

agent::Command add_report(CLI::App& app) {
  const auto flags = std::make_shared<web::ReportFlags>();
  auto* command =
      app.add_subcommand("report", "how mail to domains fared over a month, from the database");
  web::add_report(*command, *flags);
  return {command, [flags] {
            const auto settings =
                flags->config_file.empty()
                    ? std::optional{config::Config{}}
                    : agent::load_or_complain(flags->config_file, agent::for_storage());
            if (!settings) return agent::kBadUsage;
            return web::print_report(
                *settings, *flags,
                std::chrono::floor<config::Seconds>(std::chrono::system_clock::now()), std::cout,
                std::cerr);
          }};
}

config::Result<std::unique_ptr<agent::SenderReportStore>, std::string> open_sender_reports(
    const config::Storage& database) {
  auto store = storage::SenderReports::open(database);
  if (!store) return config::Failure<std::string>(store.error());
  return std::move(*store);
}

config::Result<std::int64_t, std::string> migrate_storage(const std::filesystem::path& database,
                                                          const std::string& connection) {
  const auto done = storage::transfer(database, connection);
  if (!done) return config::Failure<std::string>(done.error());
  return done->rows;
}

// What was to be done with these words; the exit status.
int do_it(int argc, char** argv) {
  CLI::App app{"danelaw watches that DANE-secured mail to and from your domains still works",
               "danelaw"};
  app.set_version_flag("--version", fmt::format("danelaw, version {}", DANELAW_VERSION));
  app.require_subcommand(1);
  const std::vector<agent::Command> commands{
      add_run(app),
      agent::add_check(app),
      agent::add_check_config(app, agent::obstacles),
      agent::add_gate(app,
                      [](const config::Config& settings) {
                        return storage::recall_from(
                            settings.storage,
                            std::chrono::floor<config::Seconds>(std::chrono::system_clock::now()));
                      }),
      agent::add_tlsa(app),
      agent::add_backup(app, storage::backup),
      agent::add_restore(app, storage::restore),
      agent::add_migrate_storage(app, migrate_storage),
      agent::add_replay(app),
      add_report(app),
      agent::add_explain(app, storage::evidence_from),
      agent::add_tlsrpt(app, open_sender_reports),
      agent::add_partners(app),
      agent::add_maillog(app),
      agent::add_policy(app),
      agent::add_foresee(app),
  };
  const agent::ClientCommands clients(app);
  agent::add_help(app);
  if (argc < 2) {
    std::cerr << app.help() << "name one of these commands\n";
    return agent::kBadUsage;
  }
  if (const auto wrong = agent::unknown_word(app, {argv + std::min(argc, 1), argv + argc})) {
    std::cerr << *wrong << '\n';
    return agent::kBadUsage;
  }
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    const int status = app.exit(error);
    return status == 0 ? 0 : agent::kBadUsage;
  }
  if (const auto status = clients.run(std::cout, std::cerr)) return *status;
  const auto chosen =
      std::ranges::find_if(commands, [](const agent::Command& one) { return one.app->parsed(); });
  return chosen->run();
}

// A report that nobody got is none, whatever it said; but who closes a pipe has read enough.
bool is_output_written() {
  errno = 0;
  std::cout.flush();
  const bool is_written = std::cout.good() && std::fflush(stdout) == 0 && std::ferror(stdout) == 0;
  return is_written || errno == EPIPE;
}

}  // namespace

int main(int argc, char** argv) {
  std::signal(SIGPIPE, SIG_IGN);
  const int status = do_it(argc, argv);
  if (is_output_written()) return status;
  std::cerr << "danelaw: the output cannot be written to the end\n";
  return agent::kBadUsage;
}
