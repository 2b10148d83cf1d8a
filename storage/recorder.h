#pragma once

#include <memory>

#include "agent/alerts/ports.h"
#include "storage/place.h"

namespace storage {

// The agent's memory in one SQLite file (WAL), or a database of PostgreSQL. A round is one
// transaction; it survives the end of the process at any moment; a power cut, in a file
// (synchronous=NORMAL), but for the last moments. One thread at a time, but any asks for damage().
// Upkeep (storage/upkeep.h) goes on meanwhile.
class DatabaseRecorder final : public agent::Recorder {
 public:
  // Makes or opens the file, or what is in a database of PostgreSQL, and brings its schema up to
  // date. The fault names it and what to do.
  [[nodiscard]] static config::Result<std::unique_ptr<DatabaseRecorder>, agent::RecordFault> open(
      const Place& place);
  ~DatabaseRecorder() override;

  [[nodiscard]] config::Result<void, agent::RecordFault> record_all(
      const std::vector<const agent::Round*>& rounds) override;
  [[nodiscard]] config::Result<RestoredState, agent::RecordFault> restore(
      config::Time since) override;
  [[nodiscard]] config::Result<std::map<std::string, config::Time>, agent::RecordFault>
  protected_domains(config::Time since) override;
  [[nodiscard]] config::Result<agent::HostHistory, agent::RecordFault> host_history(
      const probes::dns::Name& host, config::Time since) override;
  [[nodiscard]] config::Result<agent::Signatures, agent::RecordFault> mx_signatures(
      const probes::dns::Name& domain, config::Time since) override;
  [[nodiscard]] config::Result<agent::ZonePast, agent::RecordFault> zone_past(
      const probes::dns::Name& zone, config::Time since) override;
  [[nodiscard]] std::unique_ptr<agent::Chore> keep_only(
      std::vector<config::Domain> domains) override;
  [[nodiscard]] std::unique_ptr<agent::Chore> forget(config::Time before) override;
  [[nodiscard]] std::optional<std::string> damage() const override;

 private:
  struct State;
  template <class Work>
  class ByParts;
  explicit DatabaseRecorder(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace storage
