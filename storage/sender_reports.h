#pragma once

#include <memory>
#include <string>

#include "agent/senders/sender_sessions.h"
#include "config/result.h"
#include "storage/place.h"

namespace storage {

// Reports of senders in the agent's database, on a connection of its own: neither the agent nor
// readers wait for them. Other processes may write beside it (`danelaw tlsrpt`). Kept as long as
// other history (Recorder::forget), and no more than these; the oldest go first. Of addresses only
// their numbers are kept.
class SenderReports final : public agent::SenderReportStore {
 public:
  static constexpr std::int64_t kMostReports = 200'000;
  static constexpr std::int64_t kMostRows = 2'000'000;  // kinds of sessions, of all reports

  // The file and its schema must be there: the agent makes them.
  [[nodiscard]] static config::Result<std::unique_ptr<SenderReports>, std::string> open(
      const Place& place);
  ~SenderReports() override;

  [[nodiscard]] config::Result<bool, std::string> take(const probes::reports::TlsReport& report,
                                                       config::Time at) override;
  [[nodiscard]] config::Result<std::vector<agent::SenderSessions>, std::string> sessions(
      const Query& query) override;
  [[nodiscard]] config::Result<std::int64_t, std::string> newest() override;

 private:
  struct State;
  explicit SenderReports(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace storage
