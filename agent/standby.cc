#include "agent/standby.h"

#include <fmt/format.h>

#include "agent/log.h"
#include "config/system.h"
#include "storage/task_board.h"
#include "web/forward.h"
#include "web/routes/api.h"

namespace agent {

config::Result<void, std::string> Standby::serve(const config::Web& web) {
  server_ = std::make_unique<web::Server>(web::site_of(backend()));
  return server_->start(web);
}

config::Result<void, std::string> Standby::reconfigure(const config::Config& settings,
                                                       std::shared_ptr<ProbeContext> context) {
  auto done = server_->reconfigure(settings.web);
  if (done && prober_) prober_->reconfigure(settings, std::move(context));
  return done;
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
  const std::scoped_lock lock(mutex_);
  if (not_yet.words != not_yet_.words)
    log::info("standing-by", {{"detail", not_yet.words},
                              {"leader", not_yet.leader.value_or(storage::FleetMember{}).url}});
  not_yet_ = not_yet;
}

std::unique_ptr<RemoteProber> Standby::stop() {
  given_up_.request_stop();
  server_->stop();
  return std::move(prober_);
}

std::string Standby::doing() const {
  const std::scoped_lock lock(mutex_);
  return fmt::format("stands by: {}", not_yet_.words);
}

web::Backend Standby::backend() {
  web::Backend out{.reload = reload_, .health = [] { return Health{}; }, .build = build_};
  // Ready is whose questions are answered, though another answers them.
  out.is_ready = [this] {
    const std::scoped_lock lock(mutex_);
    return not_yet_.leader && !not_yet_.leader->url.empty();
  };
  out.leader = [this](const web::Request& request) { return ask_leader(request); };
  return out;
}

web::Reply Standby::ask_leader(const web::Request& request) const {
  const auto now = [&] {
    const std::scoped_lock lock(mutex_);
    return not_yet_;
  }();
  auto not_now = [](std::string detail) {
    auto reply = web::problem(503, "this agent stands by", std::move(detail));
    reply.headers.emplace("Retry-After", "5");
    return reply;
  };
  // Two that take each other for the leader must not ask in a circle.
  if (!request.header(web::kAskedBy).empty()) return not_now("another agent leads by now");
  // It would last for as long as a client likes; the page does without.
  if (request.path == "/api/v1/events") return not_now("events come from the agent that leads");
  if (!now.leader || now.leader->url.empty()) return not_now(now.words);
  return web::forward(now.leader->url, request, self_, given_up_.get_token());
}

}  // namespace agent
