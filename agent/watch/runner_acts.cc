#include <chrono>
#include <optional>
#include <random>
#include <utility>

#include <fmt/format.h>

#include "agent/watch/runner_state.h"

// What people and programs have the agent do.
namespace agent {
namespace {

// Whoever asks for something waits so long for it to be recorded.
constexpr std::chrono::seconds kActPatience{2};

// Unique for ever, in practice.
std::string new_id() {
  std::random_device random;
  return fmt::format("{:08x}{:08x}", random(), random());
}

}  // namespace

Runner::Done Runner::State::decide(const Work& work) {
  return decide_and_do([&](Follower& its_follower, Round& round, Follower::Consequences&) {
    return work(its_follower, round);
  });
}

Runner::Done Runner::State::decide_and_do(const FarWork& work) {
  notice_step();
  Round round{.target = ourselves(), .at = now()};
  Journal::Ticket ticket;
  {
    const config::Lock one(deciding);
    Follower::Consequences led_to;
    if (const std::optional<std::string> fault = work(follower, round, led_to))
      return config::Failure<std::string>(*fault);
    take(led_to);
    ticket = record(round, Follower::Scope::all);
  }
  if (journal->wait(ticket, kActPatience)) return {};
  return config::Failure<std::string>(kUnrecorded);
}

Runner::Done Runner::acknowledge(const std::string& alert, std::optional<Acknowledgement> how) {
  return state_->decide([&](Follower& follower, Round& round) -> std::optional<std::string> {
    if (follower.book().acknowledge(round, alert, std::move(how))) return std::nullopt;
    return "no alert of that id fires";
  });
}

config::Result<Silence, std::string> Runner::silence(Silence wanted) {
  wanted.id = new_id();
  const auto done =
      state_->decide([&](Follower& follower, Round& round) -> std::optional<std::string> {
        constexpr std::size_t kMostSilences = 1000;
        if (follower.book().silences().size() >= kMostSilences)
          return "there are 1000 silences already";
        follower.book().put(round, wanted);
        return std::nullopt;
      });
  return done ? config::Result<Silence, std::string>(wanted)
              : config::Failure<std::string>(done.error());
}

Runner::Done Runner::end_silence(const std::string& id) {
  return state_->decide([&](Follower& follower, Round& round) -> std::optional<std::string> {
    if (follower.book().end_silence(round, id)) return std::nullopt;
    return "no silence of that id is to come or active";
  });
}

config::Result<Exception, std::string> Runner::make_exception(const std::string& domain) {
  std::optional<Exception> made;
  const auto done =
      state_->decide([&](Follower& follower, Round& round) -> std::optional<std::string> {
        auto result = follower.make_exception(round, domain);
        if (!result) return result.error();
        made = std::move(*result);
        return std::nullopt;
      });
  return done ? config::Result<Exception, std::string>(*made)
              : config::Failure<std::string>(done.error());
}

Runner::Done Runner::end_exception(const std::string& domain) {
  return state_->decide([&](Follower& follower, Round& round) {
    return follower.end_exception(round, domain, state_->seeing());
  });
}

config::Result<Foreseen, std::string> Runner::announce(Chain chain, std::string by) {
  Foreseen out;
  const auto done =
      state_->decide_and_do([&](Follower& follower, Round& round,
                                Follower::Consequences& led_to) -> std::optional<std::string> {
        auto announced = agent::announce(std::move(chain), std::move(by), round.at);
        if (!announced) return "that is no certificate";
        auto told = follower.announce(round, std::move(*announced), state_->seeing());
        out = std::move(told.foreseen);
        led_to = std::move(told.led_to);
        return std::nullopt;
      });
  state_->wake.notify_all();
  if (!done) return config::Failure<std::string>(done.error());
  return out;
}

Runner::Done Runner::set_not_for_mail(NotForMail said) {
  auto done =
      state_->decide_and_do([&](Follower& follower, Round& round, Follower::Consequences& led_to) {
        said.at = round.at;
        auto fault = follower.set_not_for_mail(round, said);
        led_to.now = follower.targets_of_key(said.key);
        return fault;
      });
  state_->wake.notify_all();
  return done;
}

Runner::Done Runner::set_for_mail(const std::string& key) {
  auto done =
      state_->decide_and_do([&](Follower& follower, Round& round, Follower::Consequences& led_to) {
        auto fault = follower.set_for_mail(round, key);
        led_to.now = follower.targets_of_key(key);
        return fault;
      });
  state_->wake.notify_all();
  return done;
}

}  // namespace agent
