#include "agent/fleet/dispatcher.h"

#include <algorithm>
#include <set>

#include <fmt/format.h>

#include "agent/fleet/sent_look.h"
#include "agent/self/progress.h"
#include "agent/watch/threads.h"

namespace agent {
namespace {

constexpr std::chrono::milliseconds kEvery{250};  // where no bell is heard
constexpr config::Seconds kWhoEvery{1};
// So many tasks of a vantage are out at first, and at most: more when those that look there are
// quick, fewer when they leave tasks undone.
constexpr std::size_t kWindow = 64;
constexpr std::size_t kMostOut = 8192;
constexpr std::size_t kBatch = 1024;
// Whoever has it would be done by then.
constexpr config::Seconds kPatience = kLongestLook + config::Seconds{60};

}  // namespace

std::set<std::string> vantages_of(const Lookers& lookers, const std::string& own) {
  std::set<std::string> out;
  for (const auto& [vantage, count] : lookers) {
    if (vantage != own) out.insert(vantage);
  }
  return out;
}

Dispatcher::Dispatcher(Runner& runner, std::unique_ptr<TaskBoard> board, std::string own_vantage,
                       Calls calls, Clocks clocks)
    : runner_(runner),
      board_(std::move(board)),
      own_vantage_(std::move(own_vantage)),
      calls_(std::move(calls)),
      clocks_(std::move(clocks)),
      thread_([this](const std::stop_token& stop) { work(stop); }) {}

Dispatcher::~Dispatcher() {
  thread_.request_stop();
}

void Dispatcher::work(const std::stop_token& stop) {
  name_thread("follow");
  while (!stop.stop_requested()) {
    try {
      if (!is_clear_) is_clear_ = tell_fault(TaskBoard::words_of(board_->clear()));
      ask_who_is_there();
      while (is_clear_ && !stop.stop_requested() && collect()) continue;
      take_back();
      if (is_clear_ && fault_.empty()) hand_out();
    } catch (const std::exception& e) {
      tell_fault(e.what());  // memory is short: what was taken comes back by take_back()
    }
    board_->wait(kEvery);
  }
}

bool Dispatcher::tell_fault(const std::string& fault) {
  if (fault != fault_) {
    if (fault.empty())
      calls_.on_recovery();
    else
      calls_.on_fault(fault);
  }
  fault_ = fault;
  return fault.empty();
}

void Dispatcher::ask_who_is_there() {
  const auto at = clocks_.ticks();
  if (asked_at_ && at - *asked_at_ < kWhoEvery) return;
  asked_at_ = at;
  auto lookers = calls_.lookers();
  if (!lookers || *lookers == lookers_) return;
  lookers_ = std::move(*lookers);
  runner_.set_places(vantages_of(lookers_, own_vantage_));
}

std::size_t Dispatcher::out_at(const std::string& vantage) const {
  const auto begin = out_.lower_bound({vantage, {}});
  return static_cast<std::size_t>(std::distance(
      begin, std::find_if(begin, out_.end(),
                          [&](const auto& one) { return one.first.vantage != vantage; })));
}

std::string Dispatcher::place(const std::string& vantage) const {
  return vantage == own_vantage_ ? std::string() : vantage;
}

void Dispatcher::hand_out() {
  for (const auto& [vantage, count] : lookers_) {
    auto& window = windows_.try_emplace(vantage, kWindow).first->second;
    const auto out = out_at(vantage);
    if (out >= window) continue;
    const auto targets = runner_.take_due(place(vantage), std::min(window - out, kBatch));
    if (targets.empty()) continue;
    if (out < window / 2 && targets.size() == window - out) window = std::min(2 * window, kMostOut);
    const auto at = clocks_.ticks();
    for (const auto& target : targets) out_.insert_or_assign({vantage, target}, at);
    if (tell_fault(TaskBoard::words_of(board_->hand_out(vantage, targets)))) continue;
    give_up(vantage, targets);
  }
}

void Dispatcher::give_up(const std::string& vantage, const std::vector<Target>& targets) {
  for (const auto& target : targets) {
    out_.erase({vantage, target});
    runner_.take_look(place(vantage), target, std::nullopt);
  }
}

void Dispatcher::take_back() {
  const auto at = clocks_.ticks();
  std::map<std::string, std::vector<Target>> overdue;
  for (const auto& [task, since] : out_) {
    if (!lookers_.contains(task.vantage) || at - since >= kPatience)
      overdue[task.vantage].push_back(task.target);
  }
  for (const auto& [vantage, targets] : overdue) {
    auto& window = windows_.try_emplace(vantage, kWindow).first->second;
    window = std::max(window / 2, kWindow);
    // Where the database is away nobody gets them: they are ours again, and what is left there is
    // cleared when it is back.
    if (!tell_fault(TaskBoard::words_of(board_->withdraw(vantage, targets)))) is_clear_ = false;
    give_up(vantage, targets);
  }
}

bool Dispatcher::collect() {
  auto looks = board_->collect(kBatch, clocks_.wall());
  if (!tell_fault(TaskBoard::words_of(looks))) return false;
  for (auto& look : *looks) take(std::move(look));
  return looks->size() == kBatch;
}

void Dispatcher::take(SentLook look) {
  // Of what was taken back, or of another leader's, nobody waits for.
  const auto task = out_.find({look.vantage, look.target});
  if (task == out_.end()) return;
  std::optional<probes::Recorded> seen;
  try {
    seen = read(look);
  } catch (const std::exception& e) {
    calls_.on_fault(e.what());
  }
  runner_.take_look(place(look.vantage), look.target, std::move(seen));
  out_.erase(task);
}

std::optional<probes::Recorded> Dispatcher::read(const SentLook& look) {
  if (look.body.empty()) return std::nullopt;
  auto out = probes::decode(look.body);
  if (!out) {
    calls_.on_fault(fmt::format("what agent {} sent of {} cannot be read: {}", look.agent,
                                look.target.name.text(), out.error()));
    return std::nullopt;
  }
  if (!is_of(*out, look.target)) {
    calls_.on_fault(
        fmt::format("agent {} sent another target than {}", look.agent, look.target.name.text()));
    return std::nullopt;
  }
  auto seen = with_times_moved(std::move(*out), look.shift, clocks_.wall());
  seen.vantage = look.vantage;
  seen.agent = look.agent;
  return seen;
}

}  // namespace agent
