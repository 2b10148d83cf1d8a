#include "agent/self/sight.h"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "probes/service.h"

namespace agent {
namespace {

using config::Seconds;
using config::Time;
using probes::dns::Name;

// So long is a step of the clock told as a fault, and after it nothing is forgotten for its age.
constexpr Seconds kStepTold = std::chrono::minutes{10};
constexpr Seconds kTimeDoubtful = std::chrono::hours{24};

// So long is it told that a look was lost to a fault of ours.
constexpr Seconds kLossOfLookTold = std::chrono::minutes{10};

std::string in_words(const ClockStep& step) {
  return fmt::format("the clock was set {} by {} s: it said {}, and then {}",
                     step.by.count() < 0 ? "back" : "forward", std::abs(step.by.count()),
                     config::rfc3339(step.before), config::rfc3339(step.after));
}

bool all_up(const std::vector<SelfCheck>& checks) {
  return std::ranges::all_of(checks, &SelfCheck::is_up);
}

}  // namespace

bool OwnSight::is_fresh(Ticks now, Seconds max_age) const {
  return checked_at_ && now - *checked_at_ < max_age;
}

std::optional<SelfCheck> OwnSight::fault() const {
  const auto failing = blinding(checks_);
  return failing.empty() ? std::nullopt : std::optional{*failing.front()};
}

std::optional<OwnSight::Checked> OwnSight::take(std::vector<SelfCheck> checks,
                                                std::vector<ResolverCheck> resolvers,
                                                Ticks asked_at, Ticks now, Time at) {
  if (checked_at_ && asked_at <= *checked_at_) return std::nullopt;
  // While nothing at all comes from the resolvers that is told, and nothing beside it; nor do slips
  // from the beginning and the end of such a time outlast it.
  const bool is_blind = !blinding(checks).empty();
  if (is_blind || !blinding(checks_).empty()) {
    watch_ = {};
    unconfirmed_ = {};
  } else {
    for (const auto& sight : resolvers) {
      if (sight.fault)
        watch_.record_faults({{.resolver = sight.resolver, .what = *sight.fault}}, std::nullopt,
                             at);
    }
  }
  if (!is_blind) checks.push_back(watch_.check(at));
  Checked out{.checks = checks, .sees_again = !all_up(checks_) && all_up(checks)};
  checks_ = std::move(checks);
  resolvers_ = std::move(resolvers);
  checked_at_ = asked_at;
  for (auto& check : out.checks) check = stepped(std::move(check), now);
  return out;
}

OwnSight::Doubt OwnSight::doubt(const Name& target,
                                const std::vector<const probes::dns::Answer*>& answers, Time at) {
  unconfirmed_.record(target, answers);
  const auto suspect = suspect_of(answers);
  if (!suspect) return {};
  if (!watch_.check(at).is_up) return {.is_ours = true, .controls = {}};
  auto controls = controls_.unrelated(suspect->type, suspect->zones);
  if (unconfirmed_.is_shared(target, suspect->type, !controls.empty())) {
    blame_resolvers("fails for names of several owners, and nobody else can be asked", at);
    return {.is_ours = true, .controls = {}};
  }
  return {.is_ours = false, .controls = std::move(controls)};
}

void OwnSight::blame_resolvers(const std::string& what, Time at) {
  for (const auto& sight : resolvers_) {
    const probes::dns::ResolverFault fault{.resolver = sight.resolver, .what = what};
    watch_.record_faults({fault, fault}, std::nullopt, at);
  }
}

void OwnSight::take(const Name& host, const std::vector<probes::smtp::SessionRecord>& sessions,
                    Time began) {
  reach_.record_sessions(host, sessions, began);
  if (!probes::is_service(host)) welcome_.record_sessions(host, sessions);
}

void OwnSight::take_try(const Name& host, const probes::smtp::SessionRecord& session, Time began) {
  reach_.record_sessions(host, {session}, began);
}

OwnSight::WayOut OwnSight::sense_way_out(Time at, const std::string& helo) {
  const auto before = std::exchange(way_out_, reach_.checks(at));
  greeting_ = welcome_.checks(at, helo);
  WayOut out{.checks = way_out_};
  out.checks.insert(out.checks.end(), greeting_.begin(), greeting_.end());
  for (const auto* name : {"smtp_ipv4", "smtp_ipv6", "service_ipv4", "service_ipv6", "greeting"}) {
    if (std::ranges::find(out.checks, name, &SelfCheck::check) == out.checks.end())
      out.untellable.emplace_back(name);
  }
  out.is_any_up_again = std::ranges::any_of(way_out_, [&](const SelfCheck& one) {
    const auto was = std::ranges::find(before, one.check, &SelfCheck::check);
    return one.is_up && was != before.end() && !was->is_up;
  });
  out.has_turned = (cut_off(way_out_) != nullptr) != (cut_off(before) != nullptr);
  return out;
}

void OwnSight::take_step(const ClockStep& step, Ticks now) {
  ++clock_steps_;
  step_ = Step{.step = step, .at = now};
  checked_at_.reset();
  reach_ = {};
  watch_ = {};
  unconfirmed_ = {};
}

SelfCheck OwnSight::stepped(SelfCheck check, Ticks now) const {
  if (check.check != "clock" || !step_ || now - step_->at >= kStepTold) return check;
  const auto detail = in_words(step_->step);
  check.detail = check.is_up ? detail : fmt::format("{}; {}", check.detail.value_or(""), detail);
  check.is_up = false;
  return check;
}

bool OwnSight::is_time_doubtful(Ticks now) const {
  const auto failing = blinding(checks_);
  return (!failing.empty() && failing.front()->check == "clock") ||
         (step_ && now - step_->at < kTimeDoubtful);
}

void OwnSight::lose_look(std::string why, Ticks now) {
  lost_look_ = LostLook{.at = now, .why = std::move(why)};
}

SelfCheck OwnSight::looks_check(Time at, Ticks now) const {
  SelfCheck check{.check = "looks", .checked_at = at};
  if (!lost_look_ || now - lost_look_->at > kLossOfLookTold) return check;
  check.is_up = false;
  check.detail = lost_look_->why;
  return check;
}

bool OwnSight::is_blind() const {
  return !blinding(checks_).empty() || !blinding(way_out_).empty();
}

std::vector<SelfCheck> OwnSight::checks(Ticks now) const {
  auto out = checks_;
  for (auto& check : out) check = stepped(std::move(check), now);
  out.insert(out.end(), way_out_.begin(), way_out_.end());
  out.insert(out.end(), greeting_.begin(), greeting_.end());
  return out;
}

void OwnSight::forget_target(const Name& name) {
  unconfirmed_.forget(name);
}

void OwnSight::forget_host(const Name& host) {
  reach_.forget(host);
  welcome_.forget(host);
}

void OwnSight::start_anew() {
  reach_ = {};
  watch_ = {};
  unconfirmed_ = {};
}

}  // namespace agent
