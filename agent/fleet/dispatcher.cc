#include "agent/fleet/dispatcher.h"

#include <algorithm>
#include <set>

#include <fmt/format.h>

#include "agent/fleet/sent_look.h"

namespace agent {
namespace {

constexpr std::chrono::milliseconds kEvery{250};  // where no bell is heard
constexpr config::Seconds kWhoEvery{1};
// So many tasks of a vantage are out at first, and at most: more when those that look there are
// quick, fewer when they leave tasks undone.
constexpr std::size_t kWindow = 64;
constexpr std::size_t kMostOut = 8192;
constexpr std::size_t kBatch = 1024;
// Whoever has it would be done by then; longer than it is lent for.
constexpr config::Seconds kPatience{120};

template <class T>
std::string words_of(const TaskBoard::Result<T>& done) {
  return done ? std::string() : done.error();
}

}  // namespace

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
  while (!stop.stop_requested()) {
    try {
      if (!is_clear_) is_clear_ = note(words_of(board_->clear()));
      ask_who_is_there();
      if (is_clear_) {
        while (!stop.stop_requested() && collect()) continue;
        take_back();
        hand_out();
      }
    } catch (const std::exception& e) {
      note(e.what());  // memory is short: what was taken comes back by take_back()
    }
    board_->wait(kEvery);
  }
}

bool Dispatcher::note(const std::string& fault) {
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
  std::set<std::string> others;
  for (const auto& [vantage, count] : lookers_) {
    if (vantage != own_vantage_) others.insert(vantage);
  }
  runner_.set_places(std::move(others));
}

std::size_t Dispatcher::out_at(const std::string& vantage) const {
  const auto begin = out_.lower_bound({vantage, {}});
  return static_cast<std::size_t>(std::distance(
      begin, std::find_if(begin, out_.end(),
                          [&](const auto& one) { return one.first.vantage != vantage; })));
}

void Dispatcher::hand_out() {
  for (const auto& [vantage, count] : lookers_) {
    auto& window = windows_.try_emplace(vantage, kWindow).first->second;
    const auto out = out_at(vantage);
    if (out >= window) continue;
    const auto targets = runner_.take_due(vantage, std::min(window - out, kBatch));
    if (targets.empty()) continue;
    if (out < window / 2 && targets.size() == window - out) window = std::min(2 * window, kMostOut);
    const auto at = clocks_.ticks();
    for (const auto& target : targets) out_.insert_or_assign({vantage, target}, at);
    if (note(words_of(board_->hand_out(vantage, targets)))) continue;
    for (const auto& target : targets) {
      out_.erase({vantage, target});
      runner_.take_look(vantage, target, std::nullopt);
    }
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
    if (!note(words_of(board_->withdraw(vantage, targets)))) continue;
    for (const auto& target : targets) {
      out_.erase({vantage, target});
      runner_.take_look(vantage, target, std::nullopt);
    }
  }
}

bool Dispatcher::collect() {
  auto looks = board_->collect(kBatch, clocks_.wall());
  if (!note(words_of(looks))) return false;
  for (auto& look : *looks) take(std::move(look));
  return looks->size() == kBatch;
}

void Dispatcher::take(SentLook look) {
  // Of what was taken back, or of another leader's, nobody waits for.
  if (out_.erase({look.vantage, look.target}) == 0) return;
  std::optional<probes::Recorded> seen;
  if (!look.body.empty()) {
    auto read = probes::decode(look.body);
    if (!read) {
      calls_.on_fault(fmt::format("what agent {} sent of {} cannot be read: {}", look.agent,
                                  look.target.name.text(), read.error()));
    } else if (is_of(*read, look.target)) {
      seen = with_times_moved(std::move(*read), look.shift, clocks_.wall());
      seen->vantage = look.vantage;
      seen->agent = look.agent;
    } else {
      calls_.on_fault(
          fmt::format("agent {} sent another target than {}", look.agent, look.target.name.text()));
    }
  }
  runner_.take_look(look.vantage, look.target, std::move(seen));
}

}  // namespace agent
