#include "agent/daemon.h"

#include <algorithm>
#include <thread>

#include <fmt/format.h>

#include "agent/alerts/lifecycle.h"
#include "agent/alerts/notice.h"
#include "agent/cli/command.h"
#include "agent/log.h"
#include "agent/watch/threads.h"
#include "agent/watch/watched_words.h"
#include "config/load.h"
#include "config/name.h"
#include "config/service.h"
#include "config/system.h"
#include "storage/task_board.h"
#include "web/http/live_site.h"
#include "web/routes/digest_sources.h"

namespace agent {
namespace {

constexpr int kTryAgain = 2;  // exit status

// Whether the certificates, tokens and passwords of the web server can be read.
config::Result<void, std::string> can_serve(const config::Web& settings) {
  return web::LiveSite{[](const web::Guard&) { return web::Site{}; }}.configure(settings);
}

// Remembers nothing: notifiers are made only to see whether they could be.
class NoOutbox final : public Outbox {
 public:
  using Fault = RecordFault;
  config::Result<std::vector<QueuedNotification>, Fault> due(const std::string&, config::Time,
                                                             std::size_t) override {
    return {};
  }
  config::Result<void, Fault> delivered(const std::string&, config::Time) override { return {}; }
  config::Result<void, Fault> failed(const std::string&, config::Time,
                                     const std::string&) override {
    return {};
  }
  config::Result<std::size_t, Fault> waiting(const std::string&) override { return {}; }
  config::Result<std::optional<std::string>, Fault> notifier_state(const std::string&) override {
    return {};
  }
  config::Result<void, Fault> keep_notifier_state(const std::string&,
                                                  const std::optional<std::string>&) override {
    return {};
  }
};

}  // namespace

std::vector<std::string> obstacles(const config::Config& settings) {
  std::vector<std::string> out;
  if (const auto context = ProbeContext::make(settings); !context) out.push_back(context.error());
  NoOutbox outbox;
  if (const auto made = make_notifiers(settings, outbox, {}); !made) out.push_back(made.error());
  if (const auto made = can_serve(settings.web); !made) out.push_back(made.error());
  for (const auto& list : settings.domain_lists)
    std::ranges::move(obstacles_of(list), std::back_inserter(out));
  if (const auto& folder = settings.tlsrpt.folder; !folder.empty()) {
    if (auto fault = report_files(folder, 1).fault)
      out.push_back("tlsrpt.folder: " + *std::move(fault));
  }
  return out;
}

config::Time Daemon::now() {
  return std::chrono::floor<config::Seconds>(std::chrono::system_clock::now());
}

Daemon::~Daemon() {
  if (relay_) relay_->give_up();
}

Daemon::Begun Daemon::start(const std::filesystem::path& file) {
  // One that stood by may be asked to already.
  const config::Lock no_reload(reloading_);
  file_ = file;
  {
    const config::Lock lock(telling_reload_);
    reload_.succeeded_at = now();
  }
  auto loaded = load_or_complain(file);
  // One that takes over goes on with what it stood by with, if the file is no good now.
  if (!loaded && lead_) loaded = settings_;
  if (!loaded) return Begun::failed;
  if (lead_) keep_names(*loaded);
  auto context = ProbeContext::make(*loaded);
  if (!context && lead_) {
    log::error("reload-failed", {{"error", context.error()}});
    loaded = settings_;
    context = context_;
  }
  if (!context) return fail("probe-setup-failed", context.error());
  take_names(*loaded, **context);
  if (const auto web = can_serve(loaded->web); !web) return fail("web-setup-failed", web.error());
  const auto database = take_database(*loaded);
  if (!database) return fail_for_now("storage-unavailable", database.error());
  if (!*database) {
    settings_ = std::move(*loaded);
    context_ = std::move(*context);
    return Begun::stands_by;
  }
  const auto& place = **database;
  auto recorder = storage::DatabaseRecorder::open(place);
  if (!recorder) return fail_for_now("storage-unavailable", recorder.error().detail);
  recorder_ = std::move(*recorder);
  auto restored = recorder_->restore(now() - kRelapse);
  if (!restored) return fail_for_now("storage-unavailable", restored.error().detail);
  auto queries = storage::Queries::open(place);
  if (!queries) return fail_for_now("storage-unavailable", queries.error());
  queries_ = std::move(*queries);
  auto acts = storage::ActLog::open(place);
  if (!acts) return fail_for_now("storage-unavailable", acts.error());
  acts_ = std::move(*acts);
  auto senders = storage::SenderReports::open(place);
  if (!senders) return fail_for_now("storage-unavailable", senders.error());
  senders_ = std::move(*senders);
  auto outbox = storage::DatabaseOutbox::open(place);
  if (!outbox) return fail_for_now("storage-unavailable", outbox.error());
  outbox_ = std::move(*outbox);
  letters_ = std::make_unique<ResilientOutbox>(
      *outbox_,
      [this] {
        // They go out from memory, which asks nobody who leads.
        auto letters = lead_ && !lead_->is_held() ? std::vector<Notification>{}
                                                  : runner_->unrecorded_notifications();
        if (lead_ && !lead_->is_sure())
          std::erase_if(letters,
                        [](const Notification& one) { return !is_about_ourselves(one.alert); });
        return letters;
      },
      system_clocks().ticks);
  auto notifiers = make_notifiers(*loaded, *letters_, web::digest_sources(*queries_));
  if (!notifiers) return fail("notifier-setup-failed", notifiers.error());
  auto renewals = restored->renewals;
  auto list_store = storage::DatabaseListStore::open(place);
  if (!list_store) return fail_for_now("storage-unavailable", list_store.error());
  list_store_ = std::move(*list_store);
  lists_ = std::make_unique<ListWatch>(*list_store_, *loaded, list_calls());
  configured_ = *loaded;
  lists_->add_to(*loaded);
  runner_ = std::make_unique<Runner>(*loaded, std::move(*context), *recorder_, std::move(*restored),
                                     events(), system_clocks());
  auto deliveries = storage::DatabaseDeliveryStore::open(place, named().name);
  if (!deliveries) return fail_for_now("storage-unavailable", deliveries.error());
  deliveries_ = std::move(*deliveries);
  postfix_ = std::make_unique<PostfixWatch>(*deliveries_, postfix_world());
  if (const auto served = postfix_->configure(loaded->postfix); !served)
    return fail_for_now("policy-socket-failed", served.error());
  courier_ = std::make_unique<Courier>(
      *letters_, now, [this] { return runner_->snapshot(); }, report_notifier);
  // Else it would go by itself alone at first.
  if (lead_)
    runner_->set_places(
        vantages_of(lookers(loaded->fleet.takeover).value_or(Lookers{}), named().vantage));
  // Nobody is to read that nothing is watched.
  runner_->take_up();
  if (const auto served = serve(backend(), loaded->web); !served)
    return fail_for_now("web-setup-failed", served.error());
  if (relay_)
    relay_->answer_here([this](const web::Request& asked) { return server_->answer(asked); });
  if (loaded->smtp.helo.empty()) {
    if (const auto doubt = config::doubt_about_host_name(config::host_name()))
      log::warn("helo-doubtful", {{"detail", *doubt}});
  }
  // With less, libraries fail in ways of their own.
  constexpr std::size_t kLeast = std::size_t{32} << 20U;
  if (!has_room(kLeast)) throw std::bad_alloc();
  context_.reset();
  runner_->start();
  postfix_->start();
  courier_->set_notifiers(std::move(*notifiers));
  {
    const config::Lock one(watching_);
    reports_ = std::make_unique<ReportWatch>(*senders_, loaded->tlsrpt.folder, report_calls());
    renewals_ = std::make_unique<RenewalWatch>(std::move(renewals), *loaded, renewal_calls());
  }
  if (const auto begun = dispatch(place, *loaded); !begun)
    return fail_for_now("storage-unavailable", begun.error());
  lists_->start();
  is_ready_ = true;
  log::info("started", {{"version", DANELAW_VERSION},
                        {"domains", std::to_string(loaded->domains.size() - loaded->hosts.size())},
                        {"services", std::to_string(loaded->hosts.size())},
                        {"page", fmt::format("{}://{}:{}/", loaded->web.file.tls ? "https" : "http",
                                             loaded->web.listen_address, loaded->web.port)}});
  return Begun::started;
}

config::Result<std::optional<storage::Place>, std::string> Daemon::take_database(
    const config::Config& settings) {
  using config::Failure;
  const storage::Place place{settings.storage};
  if (!place.is_postgresql()) {
    auto lock = storage::DatabaseLock::take(place);
    if (!lock) return Failure<std::string>(lock.error());
    lock_ = std::move(*lock);
    return std::optional{place};
  }
  if (lead_) return std::optional{place.led_in(lead_->epoch())};
  const auto named = config::named(settings.agent);
  candidacy_ = std::make_unique<storage::Candidacy>(
      place,
      storage::FleetMember{
          .name = named.name, .vantage = named.vantage, .url = config::page_address(settings.web)},
      settings.fleet.takeover);
  auto lead = candidacy_->try_to_lead(leader_calls());
  if (lead) {
    lead_ = std::move(*lead);
    return std::optional{place.led_in(lead_->epoch())};
  }
  const auto& not_yet = lead.error();
  if (!not_yet.leader) return Failure<std::string>(not_yet.words);
  if (not_yet.is_namesake) {
    return Failure<std::string>(
        fmt::format("in use by another agent ({}): stop that one, or give this one a name of its "
                    "own (agent.name), or a database",
                    not_yet.leader->name));
  }
  relay_ = std::make_shared<web::Relay>(named.name);
  standby_ = std::make_unique<Standby>(relay_);
  standby_->take(not_yet);
  if (const auto served = serve(backend_of_standby(), settings.web); !served)
    return Failure<std::string>(served.error());
  return std::optional<storage::Place>{};
}

std::optional<Lookers> Daemon::lookers(config::Seconds patience) {
  const auto all = lead_->members();
  if (!all) return std::nullopt;
  Lookers out;
  for (const auto& one : *all) {
    if (!one.leads && one.silence <= patience && one.fault.empty()) ++out[one.vantage];
  }
  return out;
}

void Daemon::keep_names(config::Config& settings) {
  const auto wanted = config::named(settings.agent);
  const auto current = named();
  if (wanted.name == current.name && wanted.vantage == current.vantage) return;
  log::warn("needs-restart", {{"detail", "agent.name and agent.vantage stay as they were"}});
  settings.agent = current;
}

config::Agent Daemon::named() const {
  const config::Lock lock(telling_reload_);
  return named_;
}

void Daemon::take_names(const config::Config& settings, const ProbeContext& context) {
  const config::Lock lock(telling_reload_);
  named_ = config::named(settings.agent);
  anchors_ = context.anchor.records;
}

config::Result<void, std::string> Daemon::dispatch(const storage::Place& place,
                                                   const config::Config& settings) {
  if (!lead_) return {};
  const auto self = config::named(settings.agent);
  auto board = storage::DatabaseTaskBoard::open(place, self.name, self.vantage);
  if (!board) return config::Failure<std::string>(board.error());
  dispatcher_ = std::make_unique<Dispatcher>(
      *runner_, std::move(*board), self.vantage,
      Dispatcher::Calls{
          .lookers = [this, patience = settings.fleet.takeover] { return lookers(patience); },
          .on_fault =
              [](const std::string& fault) {
                log::warn("fleet-fault", {{"detail", fault}});
              },
          .on_recovery = [] { log::info("fleet-recovered", {}); }},
      system_clocks());
  return {};
}

config::Result<void, std::string> Daemon::serve(web::Backend backend, const config::Web& settings) {
  auto site = web::site_of(std::move(backend));
  if (server_) return server_->lead_to(std::move(site), settings);
  server_ = std::make_unique<web::Server>(std::move(site));
  return server_->start(settings);
}

bool Daemon::try_to_lead() {
  {
    const config::Lock one(reloading_);
    standby_->look(settings_, context_);
    const auto looking = standby_->looking();
    candidacy_->tell(looking.looks, looking.fault);
  }
  auto lead = candidacy_->try_to_lead(leader_calls());
  if (!lead) {
    standby_->take(lead.error());
    return false;
  }
  relay_->take_over();
  const config::Lock one(reloading_);
  lead_ = std::move(*lead);
  auto prober = standby_->stop();
  standby_.reset();
  retiring_ = std::jthread([prober = std::move(prober)]() mutable { prober.reset(); });
  log::info("takes-over", {{"epoch", std::to_string(lead_->epoch())}});
  return true;
}

storage::Leadership::Calls Daemon::leader_calls() {
  return {.on_lost =
              [](const std::string& words) {
                // What it still has in mind is not its own to tell any more.
                log::error("leadership-lost", {{"detail", words}});
                std::_Exit(kTryAgain);
              },
          .is_well = [this] { return !is_ready_ || !runner_->health().stuck; }};
}

config::Result<void, std::string> Daemon::reload() {
  const config::Lock one(reloading_);
  config::Result<void, std::string> done;
  try {
    done = take_configuration();
  } catch (const std::bad_alloc&) {
    done = config::Failure<std::string>("no memory");
    log::error("reload-failed", {{"error", done.error()}});
  }
  const config::Lock lock(telling_reload_);
  reload_ = {.is_good = done.has_value(), .succeeded_at = done ? now() : reload_.succeeded_at};
  return done;
}

void Daemon::reload_by_signal() {
  const auto done = reload();
  if (standby_) return;  // the list of acts is the leader's
  storage::Act act{.at = now(), .login = "signal", .what = "reload", .subject_kind = "agent"};
  if (!done) act.fault = done.error();
  if (const auto noted = acts_->record(std::move(act)); !noted)
    log::warn("act-unrecorded", {{"act", "reload"}, {"detail", noted.error()}});
}

std::string Daemon::doing() const {
  if (standby_) return standby_->doing();
  const auto snapshot = runner_->snapshot();
  const auto open = std::ranges::count(snapshot->alerts, AlertState::firing, &Alert::state);
  const auto services =
      static_cast<std::size_t>(std::ranges::count_if(snapshot->domains, [](const DomainState& one) {
        return config::service_called(one.configured->name).has_value();
      }));
  return fmt::format("watching {}, {} open alert{}",
                     watched_words(snapshot->domains.size() - services, services), open,
                     open == 1 ? "" : "s");
}

std::optional<std::string> Daemon::why_stuck() const {
  if (standby_) return standby_->why_stuck();
  return runner_->health().stuck;
}

void Daemon::forget_old() {
  const auto loaded = config::load(file_);
  if (!loaded) return;
  runner_->forget(now() - loaded->storage.retention);
}

void Daemon::stop() {
  is_ready_ = false;
  feed_.close();
  if (relay_) relay_->give_up();
  server_->stop();
  std::unique_ptr<RemoteProber> prober;
  if (standby_) {
    prober = standby_->stop();
    standby_.reset();
  }
  {
    const config::Lock one(watching_);
    reports_.reset();
    renewals_.reset();
  }
  std::atomic<bool> ended{false};
  const auto end = [&] {
    lists_.reset();
    prober.reset();
    dispatcher_.reset();
    if (retiring_.joinable()) retiring_.join();
    if (postfix_) postfix_->stop();
    if (runner_) runner_->stop();
    if (courier_) courier_->stop();
    checks_.stop();
    lead_.reset();  // asks the runner
    ended = true;
  };
  std::vector<std::thread> drain;
  if (start_threads(drain, 1, end) == 0) end();
  const auto patience = std::chrono::steady_clock::now() + std::chrono::seconds{3};
  while (!ended && std::chrono::steady_clock::now() < patience)
    std::this_thread::sleep_for(std::chrono::milliseconds{20});
  log::info("stopped", {{"drained", ended ? "yes" : "no"}});
  if (!ended) std::_Exit(0);
  for (auto& thread : drain) thread.join();
}

Daemon::Begun Daemon::fail(std::string_view event, const std::string& detail) {
  log::error(event, {{"detail", detail}});
  return Begun::failed;
}

Daemon::Begun Daemon::fail_for_now(std::string_view event, const std::string& detail) {
  exit_status_ = kTryAgain;
  return fail(event, detail);
}

config::Result<void, std::string> Daemon::take_configuration() {
  if (!standby_ && !is_ready_)
    return config::Failure<std::string>("this agent does not watch yet, or no more");
  auto loaded = config::load(file_);
  if (!loaded) {
    for (const auto& error : loaded.error())
      log::error("reload-failed", {{"error", config::to_string(error)}});
    return config::Failure<std::string>(config::to_string(loaded.error().front()));
  }
  auto context = ProbeContext::make(*loaded);
  if (!context) {
    log::error("reload-failed", {{"error", context.error()}});
    return config::Failure<std::string>(context.error());
  }
  if (candidacy_) keep_names(*loaded);
  if (standby_) {
    auto done = server_->reconfigure(loaded->web);
    if (!done) return done;
    standby_->reconfigure(*loaded, *context);
    settings_ = std::move(*loaded);
    context_ = std::move(*context);
    return {};
  }
  auto notifiers = make_notifiers(*loaded, *letters_, web::digest_sources(*queries_));
  if (!notifiers) {
    log::error("reload-failed", {{"error", notifiers.error()}});
    return config::Failure<std::string>(notifiers.error());
  }
  if (const auto served = postfix_->configure(loaded->postfix); !served) {
    log::error("reload-failed", {{"error", served.error()}});
    return config::Failure<std::string>(served.error());
  }
  const auto reconfigured = server_->reconfigure(loaded->web);
  if (!reconfigured) {
    log::error("reload-failed", {{"error", reconfigured.error()}});
    return config::Failure<std::string>(reconfigured.error());
  }
  take_names(*loaded, **context);
  configured_ = *loaded;
  lists_->configure(*loaded);
  lists_->add_to(*loaded);
  runner_->reconfigure(*loaded, std::move(*context));
  {
    const config::Lock one(watching_);
    if (reports_) reports_->set_folder(loaded->tlsrpt.folder);
    if (renewals_) renewals_->configure(*loaded);
  }
  courier_->set_notifiers(std::move(*notifiers));
  log::info("reloaded", {{"domains", std::to_string(loaded->domains.size() - loaded->hosts.size())},
                         {"services", std::to_string(loaded->hosts.size())}});
  return {};
}

std::vector<web::Member> Daemon::agents() {
  const auto snapshot = runner_->snapshot();
  const auto self = named();
  std::vector<web::Member> out{{.name = self.name,
                                .vantage = self.vantage,
                                .last_seen_at = snapshot->last_round_at,
                                .looks = snapshot->rounds}};
  if (!lead_) return out;
  // Without an answer of the database we know of ourselves.
  const auto all = lead_->members();
  if (!all) return out;
  for (const auto& one : *all) {
    if (one.leads) {
      // As the others see it: rounds may be far apart.
      out.front().last_seen_at = one.seen_at;
      out.front().looks = one.looks;
      continue;
    }
    out.push_back({.name = one.name,
                   .vantage = one.vantage,
                   .is_leader = false,
                   .last_seen_at = one.seen_at,
                   .looks = one.looks,
                   .fault = one.fault});
  }
  return out;
}

std::vector<probes::dns::Record> Daemon::anchors() {
  const config::Lock lock(telling_reload_);
  return anchors_;
}

web::Reload Daemon::last_reload() {
  const config::Lock lock(telling_reload_);
  return reload_;
}

}  // namespace agent
