#pragma once

#include <memory>
#include <string>
#include <vector>

#include <openssl/evp.h>

#include "probes/dns/validate.h"
#include "storage/delivery_store.h"
#include "storage/sender_reports.h"
#include "tests/unit/storage/store.h"
#include "web/backend.h"

// An agent that has looked at example.test (its certificate does not match: one alert fires, one is
// pending) and not yet at new.test, as the web sees it.
namespace support {

// As people paste it.
inline std::string pem(const probes::tls::Certificate& certificate) {
  const auto& der = certificate.der;
  std::string text(4 * ((der.size() + 2) / 3) + 1, '\0');
  text.resize(static_cast<std::size_t>(EVP_EncodeBlock(
      reinterpret_cast<unsigned char*>(text.data()), der.data(), static_cast<int>(der.size()))));
  return "-----BEGIN CERTIFICATE-----\n" + text + "\n-----END CERTIFICATE-----\n";
}

inline Scene mismatch() {
  Scene scene;
  scene.serve({Pki::get().old_leaf.certificate, Pki::get().inter.certificate});
  return scene;
}

// What the agent would hold after it has looked at the scene.
inline agent::Snapshot snapshot_of(const Scene& scene) {
  agent::Snapshot out{
      .now = kNow + kMinute, .started_at = kNow, .domains = {domain_state(scene)}, .rounds = 2};
  for (const auto& [host, seen] : scene.hosts)
    out.hosts.push_back({seen.host, std::make_shared<const probes::HostObservation>(seen)});
  return out;
}

// What people asked for, with the ids "f-1", "s-1" and "example.test" known.
class WishList final : public agent::Actions {
 public:
  Done acknowledge(const std::string& alert, std::optional<agent::Acknowledgement> how) override {
    acknowledged = std::move(how);
    return known(alert == "f-1");
  }
  config::Result<agent::Silence, std::string> silence(agent::Silence wanted) override {
    wanted.id = "s-1";
    silences.push_back(wanted);
    return wanted;
  }
  Done end_silence(const std::string& id) override { return known(id == "s-1"); }
  config::Result<agent::Exception, std::string> make_exception(const std::string& domain) override {
    if (domain != "example.test") return config::Failure<std::string>("not so");
    return agent::Exception{
        .domain = domain, .level = "encrypt", .made_at = kNow, .until = kNow + kMinute};
  }
  Done end_exception(const std::string& domain) override { return known(domain == "example.test"); }

  config::Result<agent::Foreseen, std::string> announce(agent::Chain chain,
                                                        std::string by) override {
    announced = std::move(chain);
    announced_by = std::move(by);
    return foreseen;
  }
  Done set_not_for_mail(agent::NotForMail said) override {
    not_for_mail.push_back(std::move(said));
    return {};
  }
  Done set_for_mail(const std::string& key) override { return known(key == std::string(64, 'a')); }

  agent::Chain announced;
  std::string announced_by;
  agent::Foreseen foreseen;
  std::vector<agent::NotForMail> not_for_mail;
  std::optional<agent::Acknowledgement> acknowledged;
  std::vector<agent::Silence> silences;

 private:
  static Done known(bool is_known) {
    if (is_known) return {};
    return config::Failure<std::string>("there is none");
  }
};

class Service {
 public:
  Service() {
    const auto scene = mismatch();
    auto round = domain_round(scene);
    round.alerts = {alert("f-1", agent::AlertState::firing),
                    alert("p-1", agent::AlertState::pending),
                    alert("r-1", agent::AlertState::resolved)};
    round.evidence = {
        {.alert_id = "f-1",
         .at = kNow,
         .body = probes::encode(
             {.host = std::make_shared<const probes::HostObservation>(scene.hosts.begin()->second),
              .agent = "mon1"})}};
    store.keep_only({{.name = "example.test"},
                     {.name = "new.test", .role = config::Role::outbound, .group = "partners"}});
    store.record(round);
    queries = store.queries();
    acts = std::move(*storage::ActLog::open(store.place()));
    senders = std::move(*storage::SenderReports::open(store.place()));
    deliveries = std::move(*storage::DatabaseDeliveryStore::open(store.place(), "here"));
    agent::DeliveryBook book;
    book.take(probes::reports::Delivery{.at = kNow, .queue_id = "A", .domain = "example.test"},
              kNow, [](const auto&) { return std::nullopt; });
    EXPECT_TRUE(deliveries->save(book.take_changes(), "", "", ""));
    postfix = std::make_unique<agent::PostfixWatch>(
        *deliveries,
        agent::PostfixWatch::World{.now = [] { return kNow; },
                                   .judged = [](std::string_view) { return nullptr; },
                                   .exceptions = [this] { return snapshot.exceptions; },
                                   .report = [](const std::string&, bool) {}});
    snapshot = snapshot_of(scene);
    snapshot.domains.push_back({.configured = config::Domain{.name = "new.test",
                                                             .role = config::Role::outbound,
                                                             .group = "partners"},
                                .next_check_at = kNow});
    snapshot.alerts = {round.alerts[0], round.alerts[1]};
    snapshot.alerts.renew(0).told_at = kNow;
    snapshot.vantage = {
        {.check = "dns", .checked_at = kNow},
        {.check = "clock", .is_up = false, .detail = "an hour\nlate", .checked_at = kNow}};
    snapshot.resolvers = {{.resolver = "192.0.2.53", .is_validating = true}};
    snapshot.last_round_at = kNow;
    snapshot.record_errors = 1;
  }

  web::Backend backend() {
    return {.snapshot = [this] { return std::make_shared<const agent::Snapshot>(snapshot); },
            .check_now =
                [this](std::string_view domain) {
                  checked.emplace_back(domain);
                  return domain == "example.test";
                },
            .reload = [this]() -> config::Result<void, std::string> {
              ++reloads;
              if (reload_fault.empty()) return {};
              return config::Failure<std::string>(reload_fault);
            },
            .is_ready = [this] { return is_ready; },
            .health = [this] { return health; },
            .domain = [this](std::string_view name) -> std::optional<agent::DomainState> {
              const auto wanted = probes::dns::Name::parse(name);
              for (const auto& state : snapshot.domains) {
                if (wanted && state.configured->name == wanted->text()) return state;
              }
              return std::nullopt;
            },
            .unrecorded_about = [this](const std::string&) { return unrecorded; },
            .queries = queries.get(),
            .actions = &actions,
            .acts = acts.get(),
            .checks = &checks,
            .accept_list = [this](const std::string& list) -> config::Result<void, std::string> {
              accepted.push_back(list);
              if (list == "inventory") return {};
              return config::Failure<std::string>("nothing of it is refused");
            },
            .feed = &feed,
            .postfix = postfix.get(),
            .senders = senders.get(),
            .on_report = [this] { ++reports; },
            .report_folder_fault = [] { return std::optional<std::string>("it cannot be read"); },
            .notifiers =
                [] {
                  return std::vector<agent::NotifierHealth>{{.name = "chat",
                                                             .waiting = 2,
                                                             .delivered = 5,
                                                             .failed = 1,
                                                             .last_success_at = kNow,
                                                             .fault = "answered 500: oh\\x0ano"}};
                },
            .test_notifiers =
                [this](const std::optional<std::string>& notifier, const std::string& by) {
                  tested_by = by;
                  return std::optional{std::vector<agent::Courier::Tested>{
                      {.name = notifier.value_or("all"), .fault = std::nullopt},
                      {.name = "dumb", .fault = "answered 500"}}};
                },
            .last_reload = [] { return web::Reload{.is_good = false, .succeeded_at = kNow}; },
            .agents =
                [] {
                  return std::vector<web::Member>{
                      {.name = "mon1", .vantage = "dc1", .last_seen_at = kNow, .looks = 7}};
                },
            .anchors =
                [] {
                  return *probes::dns::parse_trust_anchors(
                      ". IN DS 20326 8 2 "
                      "E06D44B80B8F1D39A95C0B0D7C65D08458E880409BBC683457104237C7F8EC8D");
                },
            .on_scrape = [this](std::size_t series) { scraped = series; },
            .build = {.version = "1.2.3"}};
  }

  Store store;
  std::unique_ptr<storage::Queries> queries;
  std::unique_ptr<storage::ActLog> acts;
  std::unique_ptr<storage::SenderReports> senders;
  std::unique_ptr<storage::DatabaseDeliveryStore> deliveries;
  std::unique_ptr<agent::PostfixWatch> postfix;
  agent::Snapshot snapshot;
  WishList actions;
  web::Feed feed;
  web::OnceChecks checks{[](const std::string&) -> config::Result<std::string, std::string> {
    return std::string("{}");
  }};
  std::vector<std::string> checked;  // the names asked to be looked at
  int reloads = 0;
  std::vector<std::string> accepted;  // lists
  int reports = 0;                    // new ones of senders
  std::string reload_fault;
  bool is_ready = true;
  agent::Health health;
  std::vector<agent::ResilientOutbox::Sent> unrecorded;
  std::size_t scraped = 0;  // series, of the last scrape
  std::string tested_by;    // who asked for the last test of notifiers
};

}  // namespace support
