#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "agent/alerts/round.h"
#include "config/result.h"

// What the agent needs of the world behind it. Implemented in storage/, and by fakes in tests.
namespace agent {

struct RecordFault {
  std::string detail;  // in words, with the file concerned
};

// What takes long where there is much. It is done by parts, each of them whole or not at all, so
// that what is decided meanwhile is recorded between them. Lives no longer than whose it is.
class Chore {
 public:
  Chore() = default;
  Chore(const Chore&) = delete;
  Chore& operator=(const Chore&) = delete;
  virtual ~Chore() = default;

  // Does the next part: true while there are more. After a fault it is over.
  [[nodiscard]] virtual config::Result<bool, RecordFault> go_on() = 0;
};

// Remembers rounds. One thread at a time calls it, and goes on with its chores: any may ask for
// one, which does nothing by itself. A null one has nothing to do.
class Recorder {
 public:
  Recorder() = default;
  Recorder(const Recorder&) = delete;
  Recorder& operator=(const Recorder&) = delete;
  virtual ~Recorder() = default;

  // All of the rounds, in their order, or nothing of them. After success they survive kill -9.
  [[nodiscard]] virtual config::Result<void, RecordFault> record_all(
      const std::vector<const Round*>& rounds) = 0;
  [[nodiscard]] config::Result<void, RecordFault> record(const Round& round) {
    return record_all({&round});
  }
  // The alerts that are pending or firing, as last recorded, those that ended since, and what
  // people asked for: how the agent takes up its work after a restart.
  struct RestoredState {
    std::vector<Alert> alerts;
    std::vector<Silence> silences;
    std::vector<Exception> exceptions;
    std::vector<AnnouncedCertificate> announced;  // those that have not expired
    std::vector<NotForMail> not_for_mail;
    RenewalBook renewals;                // of certificates that have not expired
    std::vector<AnchorKey> anchor_keys;  // of the trust anchor's zone
    std::vector<Spared> spared;
  };
  [[nodiscard]] virtual config::Result<RestoredState, RecordFault> restore(config::Time since) = 0;
  // When each domain was last seen authenticated, of those that were since then.
  [[nodiscard]] virtual config::Result<std::map<std::string, config::Time>, RecordFault>
  protected_domains(config::Time since) = 0;
  // What was recorded of a host, but versions that were last seen before `since`.
  [[nodiscard]] virtual config::Result<HostHistory, RecordFault> host_history(
      const probes::dns::Name& host, config::Time since) = 0;
  // The same of the signatures over a domain's MX RRset.
  [[nodiscard]] virtual config::Result<Signatures, RecordFault> mx_signatures(
      const probes::dns::Name& domain, config::Time since) = 0;
  // The same of a zone's keys.
  [[nodiscard]] virtual config::Result<ZonePast, RecordFault> zone_past(
      const probes::dns::Name& zone, config::Time since) = 0;
  // Deletes closed history and resolved alerts that ended before that moment; what is open always
  // stays.
  [[nodiscard]] virtual std::unique_ptr<Chore> forget(config::Time before) = 0;
  // What is wrong with what was recorded, in words, as far as looking through it has shown. Any
  // thread may ask.
  [[nodiscard]] virtual std::optional<std::string> damage() const { return std::nullopt; }
  // Forgets what the configuration no longer names, except its history.
  [[nodiscard]] virtual std::unique_ptr<Chore> keep_only(std::vector<config::Domain> domains) = 0;
};

// A notification as it was recorded, on its way through one notifier.
struct QueuedNotification {
  std::string id;
  std::string notifier;
  std::string body;  // JSON, as to_json(Notification) made it
  int attempts = 0;  // that failed
};

// The notifications decided and not yet delivered. Any thread may call.
class Outbox {
 public:
  Outbox() = default;
  Outbox(const Outbox&) = delete;
  Outbox& operator=(const Outbox&) = delete;
  virtual ~Outbox() = default;

  // The oldest that may be tried at `at`. Of one alert's the next is not given before the one
  // before it is delivered.
  [[nodiscard]] virtual config::Result<std::vector<QueuedNotification>, RecordFault> due(
      const std::string& notifier, config::Time at, std::size_t most) = 0;
  [[nodiscard]] virtual config::Result<void, RecordFault> delivered(const std::string& id,
                                                                    config::Time at) = 0;
  [[nodiscard]] virtual config::Result<void, RecordFault> failed(const std::string& id,
                                                                 config::Time next_try,
                                                                 const std::string& why) = 0;
  // How many wait.
  [[nodiscard]] virtual config::Result<std::size_t, RecordFault> waiting(
      const std::string& notifier) = 0;
  // What a notifier must remember, as the number that Grafana gave to a region.
  [[nodiscard]] virtual config::Result<std::optional<std::string>, RecordFault> notifier_state(
      const std::string& key) = 0;
  [[nodiscard]] virtual config::Result<void, RecordFault> keep_notifier_state(
      const std::string& key, const std::optional<std::string>& value) = 0;
};

}  // namespace agent
