#include "web/relay.h"

#include <algorithm>
#include <utility>

#include "web/forward.h"

namespace web {
namespace {

using std::chrono::steady_clock;

constexpr std::chrono::seconds kAskAgain{1};  // one that does not listen

Reply not_now(std::string detail) {
  auto reply = problem(503, "this agent stands by", std::move(detail));
  reply.headers.emplace("Retry-After", "5");
  return reply;
}

bool is_act(const Request& request) {
  return request.method != "GET" && request.method != "HEAD";
}

}  // namespace

void Relay::follow(const std::string& url, const std::string& words) {
  {
    const config::Lock lock(mutex_);
    lead_.words = words;
    // While it is unknown who leads the last one may well be answering.
    if (url.empty()) lead_.who = Lead::Who::unknown;
    if (url == lead_.url) lead_.who = Lead::Who::another;
    if (url.empty() || url == lead_.url) return;
  }
  change({.who = Lead::Who::another, .url = url, .words = words});
}

void Relay::take_over() {
  change({.who = Lead::Who::we_soon, .words = "this agent is taking over"});
}

void Relay::answer_here(Site site) {
  change({.who = Lead::Who::we, .site = std::move(site)});
}

void Relay::give_up() {
  change({.who = Lead::Who::nobody, .words = "this agent ends"});
}

void Relay::change(Lead next) {
  auto past = [&] {
    const config::Lock lock(mutex_);
    return std::exchange(lead_, std::move(next)).past;
  }();
  past.request_stop();
  changed_.notify_all();
}

Relay::Lead Relay::lead() const {
  const config::Lock lock(mutex_);
  return lead_;
}

bool Relay::has_leader() const {
  const config::Lock lock(mutex_);
  return lead_.who == Lead::Who::another;
}

void Relay::wait(const Lead& now, Deadline until) {
  config::Lock lock(mutex_);
  while (lead_.past == now.past && steady_clock::now() < until) changed_.wait_until(lock, until);
}

Reply Relay::answer(const Request& request) {
  // It would last for as long as a client likes; the page does without.
  if (request.path == "/api/v1/events") return not_now("events come from the agent that leads");
  const auto deadline = steady_clock::now() + patience_;
  while (true) {
    const auto now = lead();
    if (now.who == Lead::Who::we) return now.site(request);
    if (now.who == Lead::Who::unknown || now.who == Lead::Who::nobody) return not_now(now.words);
    auto reply = not_now(now.words);
    auto until = deadline;
    if (now.who == Lead::Who::another) {
      // Two that take each other for the leader must not ask in a circle.
      if (!request.header(kAskedBy).empty()) return not_now("another agent leads by now");
      auto asked = forward(now.url, request, self_, deadline, now.past.get_token());
      const bool may_wait = asked.end == Forwarded::End::unread && is_act(request);
      if (asked.end != Forwarded::End::given_up && !may_wait) return std::move(asked.reply);
      reply = std::move(asked.reply);
      until = std::min(deadline, steady_clock::now() + kAskAgain);
    }
    if (steady_clock::now() >= deadline) return reply;
    wait(now, until);
  }
}

}  // namespace web
