#include "storage/leadership.h"

#include <atomic>
#include <condition_variable>
#include <mutex>
#include <thread>

#include <fmt/format.h>

#include "storage/database.h"
#include "storage/lock.h"
#include "storage/schema.h"

namespace storage {
namespace {

constexpr std::chrono::seconds kEvery{2};
constexpr std::chrono::seconds kLongest{10};  // of a statement; one ends sessions
constexpr config::Seconds kMemberListed = std::chrono::hours{24};

constexpr const char* kServerTime = "floor(extract(epoch FROM now()))::bigint";

constexpr const char* kNewer =
    "a newer danelaw has taken over the database: it leads, and this one cannot until it is "
    "upgraded";

}  // namespace

struct Leadership::State {
  State(const Place& place, FleetMember member)
      : session(place, Database::Mode::create), self(std::move(member)) {
    migrate(session);
    session.wait_at_most(kLongest);
  }

  // Nobody else may have begun to lead between the lock and the epoch.
  void begin() {
    Transaction transaction{session};
    auto row = session.prepare(
        "UPDATE leader SET epoch = epoch + 1, agent = ?, since = now() RETURNING epoch");
    if (!row.bind(self.name).step()) throw Fault("the table leader has no row");
    epoch = row.integer(0);
    transaction.commit();
    live();
  }

  void live() {
    session
        .prepare(fmt::format(
            "INSERT INTO member(name, vantage, url, seen_at, looks, fault) "
            "VALUES(?, ?, ?, {}, ?, ?) "
            "ON CONFLICT (name) DO UPDATE SET vantage = excluded.vantage, url = excluded.url, "
            "seen_at = excluded.seen_at, looks = excluded.looks, fault = excluded.fault",
            kServerTime))
        .bind(self.name, self.vantage, self.url, static_cast<std::int64_t>(looks.load()),
              self.fault)
        .run();
  }

  // With the mutex, or before others know of it. `asked_at`: before the server heard of us.
  void be_sure_from(agent::Ticks asked_at) {
    auto row = session.prepare(
        fmt::format("SELECT count(*) FROM member WHERE seen_at > {} - ?", kServerTime));
    is_alone = row.bind(kMemberListed.count()).step() && row.integer(0) <= 1;
    sure_from = asked_at;
  }

  void keep() {
    keeper = std::jthread([this](const std::stop_token& stop) {
      std::unique_lock lock(mutex);
      do {
        wake.wait_for(lock, stop, kEvery, [] { return false; });
        if (stop.stop_requested()) return;
      } while (!is_lost(calls.is_well()));
      calls.on_lost(words);
    });
  }

  // With the mutex. As long as nobody else began to lead, it may be had again.
  bool is_lost(bool is_alive) {
    try {
      auto row = session.prepare("SELECT epoch, agent FROM leader");
      if (row.step() && row.integer(0) != epoch) {
        words = fmt::format("agent {} leads now", row.text(1));
        return true;
      }
      if (!is_newest(session)) {
        words = kNewer;
        return true;
      }
      if (!has_server_lock(session) || !is_alive) return false;
      (void)has_name(session, self.name);  // again, when the session is a new one
      const auto asked_at = calls.ticks();
      live();
      be_sure_from(asked_at);
    } catch (const Fault&) {
      // The server is away. When it is back we hear who leads.
    }
    return false;
  }

  // Who leads, and for how long there was no sign of it; nothing while nobody ever did.
  struct Leader {
    FleetMember member;
    config::Seconds silence{0};
  };
  std::optional<Leader> leader() {
    auto row = session.prepare(
        fmt::format("SELECT l.agent, m.vantage, m.url, m.seen_at, m.looks, {} - "
                    "greatest(coalesce(m.seen_at, 0), floor(extract(epoch FROM l.since))::bigint) "
                    "FROM leader l LEFT JOIN member m ON m.name = l.agent WHERE l.epoch > 0",
                    kServerTime));
    if (!row.step()) return std::nullopt;
    return Leader{.member = {.name = row.text(0),
                             .vantage = row.text(1),
                             .url = row.text(2),
                             .leads = true,
                             .seen_at = config::Time{config::Seconds{row.integer(3)}},
                             .looks = static_cast<std::uint64_t>(row.integer(4))},
                  .silence = config::Seconds{row.integer(5)}};
  }

  std::timed_mutex mutex;  // guards the session and the words
  Database session;
  FleetMember self;
  Calls calls;
  std::int64_t epoch = 0;
  config::Seconds takeover{0};
  std::atomic<agent::Ticks> sure_from;
  std::atomic<bool> is_alone{false};
  std::atomic<std::uint64_t> looks{0};
  std::string words;
  std::condition_variable_any wake;
  std::jthread keeper;  // last: it uses the others
};

Leadership::Leadership(std::unique_ptr<State> state) : state_(std::move(state)) {}
Leadership::~Leadership() = default;

std::int64_t Leadership::epoch() const {
  return state_->epoch;
}

bool Leadership::is_held() {
  const std::unique_lock lock(state_->mutex, kEvery);
  return !lock.owns_lock() || !state_->is_lost(false);
}

bool Leadership::is_sure() const {
  return state_->is_alone || state_->calls.ticks() < state_->sure_from.load() + state_->takeover;
}

void Leadership::count_look(const std::string& agent) {
  if (agent == state_->self.name) ++state_->looks;
}

config::Result<std::vector<FleetMember>, std::string> Leadership::members() {
  const std::scoped_lock lock(state_->mutex);
  try {
    std::vector<FleetMember> out;
    auto row = state_->session.prepare(
        fmt::format("SELECT name, vantage, url, seen_at, looks, fault, {0} - seen_at FROM member "
                    "WHERE seen_at > {0} - ? ORDER BY name",
                    kServerTime));
    row.bind(kMemberListed.count());
    while (row.step()) {
      out.push_back({.name = row.text(0),
                     .vantage = row.text(1),
                     .url = row.text(2),
                     .leads = row.text(0) == state_->self.name,
                     .seen_at = config::Time{config::Seconds{row.integer(3)}},
                     .looks = static_cast<std::uint64_t>(row.integer(4)),
                     .fault = row.text(5),
                     .silence = config::Seconds{row.integer(6)}});
    }
    state_->is_alone = out.size() <= 1;
    return out;
  } catch (const Fault& fault) {
    return config::Failure<std::string>(fault.what());
  }
}

Candidacy::Candidacy(Place place, FleetMember self, config::Seconds takeover)
    : place_(std::move(place)), self_(std::move(self)), takeover_(takeover) {}
Candidacy::~Candidacy() = default;

void Candidacy::tell(std::uint64_t looks, std::string fault) {
  looks_ = looks;
  self_.fault = std::move(fault);
}

// The one that led when the database went, if it may still come back to its lock: until it has
// given another sign of life, or none for too long.
std::optional<FleetMember> Candidacy::returning_leader() {
  if (!was_cut_) return std::nullopt;
  const auto leader = state_->leader();
  const bool is_open = leader && leader->member.name != self_.name &&
                       leader->silence <= takeover_ &&
                       leader_seen_at_.value_or(leader->member.seen_at) == leader->member.seen_at;
  was_cut_ = is_open;
  if (!is_open) return std::nullopt;
  leader_seen_at_ = leader->member.seen_at;
  return leader->member;
}

// Whoever has our name and gave a sign of life within `takeover`. What is left of a session of ours
// that was cut off is waited for, and ended then.
std::optional<Candidacy::NotYet> Candidacy::namesake() {
  auto& session = state_->session;
  if (has_name(session, self_.name)) {
    had_name_ = true;
    return std::nullopt;
  }
  auto row =
      session.prepare(fmt::format("SELECT {} - seen_at FROM member WHERE name = ?", kServerTime));
  const bool is_alive = !row.bind(self_.name).step() || row.integer(0) <= takeover_.count();
  if (!is_alive) {
    end_name(session, self_.name);
    had_name_ = has_name(session, self_.name);
    if (had_name_) return std::nullopt;
  }
  if (!had_name_)
    return NotYet{.words = fmt::format("another agent is called {}", self_.name),
                  .leader = self_,
                  .is_namesake = true};
  NotYet out{.words = "the server still has this agent's session of before"};
  if (auto leader = state_->leader()) out.leader = std::move(leader->member);
  return out;
}

config::Result<std::unique_ptr<Leadership>, Candidacy::NotYet> Candidacy::try_to_lead(
    Leadership::Calls calls) {
  NotYet not_yet;
  auto done = guarded<std::string>(place_, [&]() -> std::unique_ptr<Leadership> {
    if (!state_) state_ = std::make_unique<Leadership::State>(place_, self_);
    state_->self.fault = self_.fault;
    state_->looks = looks_;
    auto& session = state_->session;
    const auto stand_by_for = [&](FleetMember leader) -> std::unique_ptr<Leadership> {
      not_yet.words = fmt::format("agent {} leads", leader.name);
      not_yet.leader = std::move(leader);
      return nullptr;
    };
    if (!is_newest(session)) {  // made newer since; who looks may go on
      state_->live();
      if (auto leader = state_->leader(); leader && leader->silence <= takeover_)
        not_yet.leader = std::move(leader->member);
      not_yet.words = kNewer;
      return nullptr;
    }
    if (auto other = namesake()) {
      not_yet = *std::move(other);
      return nullptr;
    }
    if (auto leader = returning_leader()) {
      state_->live();
      return stand_by_for(*std::move(leader));
    }
    if (!has_server_lock(session)) {
      const auto leader = state_->leader();
      state_->live();
      if (!leader || leader->silence <= takeover_) {
        return stand_by_for(leader ? leader->member : FleetMember{.leads = true});
      }
      end_server_lock(session);
      if (!has_server_lock(session)) {
        not_yet.leader = leader->member;
        not_yet.words = fmt::format("agent {} gives no sign of life, and has its lock still",
                                    leader->member.name);
        return nullptr;
      }
    }
    state_->calls = std::move(calls);
    state_->takeover = takeover_;
    state_->self.fault.clear();
    const auto asked_at = state_->calls.ticks();
    state_->begin();
    state_->be_sure_from(asked_at);
    state_->keep();
    return std::unique_ptr<Leadership>(new Leadership(std::move(state_)));
  });
  if (!done) {
    was_cut_ = state_ != nullptr || was_cut_;
    leader_seen_at_.reset();
    state_.reset();
    return config::Failure<NotYet>({.words = done.error()});
  }
  if (!*done) return config::Failure<NotYet>(std::move(not_yet));
  return std::move(*done);
}

}  // namespace storage
