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
//
// A report is taken once, by organization, id and what it says. Nobody signs reports, and ids can
// be guessed (many are the day and the domain): if organization and id were the key, whoever sends
// a forged report first had the true one passed over as taken before. So a second one under the
// same name that says something else is taken beside it: what the forger says is then believed as
// little or as much as before, and the true sender is heard. The end of the report's time is no
// part of the key, for it is cut to the moment of taking where that is earlier.
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
