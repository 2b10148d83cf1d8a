#include "agent/standby.h"

#include <fmt/format.h>

#include "agent/log.h"
#include "config/system.h"
#include "storage/task_board.h"

namespace agent {

void Standby::reconfigure(const config::Config& settings, std::shared_ptr<ProbeContext> context) {
  if (prober_) prober_->reconfigure(settings, std::move(context));
}

void Standby::look(const config::Config& settings, const std::shared_ptr<ProbeContext>& context) {
  if (prober_) return;
  const auto self = config::named(settings.agent);
  const storage::Place place{settings.storage};
  auto tasks = storage::DatabaseTaskBoard::open(place, self.name, self.vantage);
  auto looks = storage::DatabaseTaskBoard::open(place, self.name, self.vantage);
  if (!tasks || !looks) return;  // the next sign of life says so, and then it is tried again
  prober_ = std::make_unique<RemoteProber>(
      settings, context, std::move(*tasks), std::move(*looks),
      RemoteProber::Calls{.on_fault =
                              [](const std::string& fault) {
                                log::warn("fault", {{"detail", fault}});
                              }},
      system_clocks());
}

Standby::Looking Standby::looking() const {
  if (!prober_) return {.fault = "has not begun to look"};
  return {.looks = prober_->looks(), .fault = prober_->fault()};
}

std::optional<std::string> Standby::why_stuck() const {
  return prober_ ? prober_->why_stuck() : std::nullopt;
}

void Standby::take(const storage::Candidacy::NotYet& not_yet) {
  const auto url = not_yet.leader.value_or(storage::FleetMember{}).url;
  relay_->follow(url, not_yet.words);
  const config::Lock lock(mutex_);
  if (not_yet.words != not_yet_.words)
    log::info("standing-by", {{"detail", not_yet.words}, {"leader", url}});
  not_yet_ = not_yet;
}

std::string Standby::doing() const {
  const config::Lock lock(mutex_);
  return fmt::format("stands by: {}", not_yet_.words);
}

}  // namespace agent
