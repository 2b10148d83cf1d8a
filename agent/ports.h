#pragma once

#include <string>
#include <vector>

#include "agent/round.h"
#include "config/result.h"

// What the agent needs of the world behind it. Implemented in storage/, and by fakes in tests.
namespace agent {

struct RecordFault {
  std::string detail;  // in words, with the file concerned
};

// Remembers rounds. One thread at a time calls it.
class Recorder {
 public:
  Recorder() = default;
  Recorder(const Recorder&) = delete;
  Recorder& operator=(const Recorder&) = delete;
  virtual ~Recorder() = default;

  // All of the round or nothing of it. After success it survives kill -9.
  [[nodiscard]] virtual config::Result<void, RecordFault> record(const Round& round) = 0;
  // The alerts that are pending or firing, as last recorded: how the agent takes up its work after
  // a restart.
  [[nodiscard]] virtual config::Result<std::vector<Alert>, RecordFault> open_alerts() = 0;
  // What was recorded of a host, but versions that were last seen before `since`.
  [[nodiscard]] virtual config::Result<Chronicle, RecordFault> chronicle(
      const probes::dns::Name& host, config::Time since) = 0;
  // Deletes closed history and resolved alerts that ended before that moment; what is open always
  // stays.
  [[nodiscard]] virtual config::Result<void, RecordFault> forget(config::Time before) = 0;
  // Forgets what the configuration no longer names, except its history.
  [[nodiscard]] virtual config::Result<void, RecordFault> keep_only(
      const std::vector<config::Domain>& domains) = 0;
};

}  // namespace agent
