#include "storage/leadership.h"

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

}  // namespace

struct Leadership::State {
  State(const Place& place, std::function<void(const std::string&)> call)
      : session(place, Database::Mode::create), on_lost(std::move(call)) {
    migrate(session);
  }

  // Nobody else may have begun to lead between the lock and the epoch.
  void begin(const std::string& agent) {
    Transaction transaction{session};
    auto row = session.prepare(
        "UPDATE leader SET epoch = epoch + 1, agent = ?, since = now() RETURNING epoch");
    if (!row.bind(agent).step()) throw Fault("the table leader has no row");
    epoch = row.integer(0);
    transaction.commit();
  }

  void keep() {
    keeper = std::jthread([this](const std::stop_token& stop) {
      std::unique_lock lock(mutex);
      do {
        wake.wait_for(lock, stop, kEvery, [] { return false; });
        if (stop.stop_requested()) return;
      } while (!is_lost());
      on_lost(words);
    });
  }

  // With the mutex. As long as nobody else began to lead, it may be had again.
  bool is_lost() {
    try {
      auto row = session.prepare("SELECT epoch, agent FROM leader");
      if (row.step() && row.integer(0) != epoch) {
        words = fmt::format("agent {} leads now", row.text(1));
        return true;
      }
      (void)has_server_lock(session);
    } catch (const Fault&) {
      // The server is away. When it is back we hear who leads.
    }
    return false;
  }

  std::mutex mutex;  // guards the session and the words
  Database session;
  std::function<void(const std::string&)> on_lost;
  std::int64_t epoch = 0;
  std::string words;
  std::condition_variable_any wake;
  std::jthread keeper;  // last: it uses the others
};

Leadership::Leadership(std::unique_ptr<State> state) : state_(std::move(state)) {}
Leadership::~Leadership() = default;

config::Result<std::unique_ptr<Leadership>, std::string> Leadership::take(
    const Place& place, const std::string& agent, std::function<void(const std::string&)> on_lost) {
  return guarded<std::string>(place, [&] {
    auto state = std::make_unique<State>(place, std::move(on_lost));
    if (!has_server_lock(state->session)) {
      auto row = state->session.prepare("SELECT agent FROM leader");
      const auto leader = row.step() ? row.text(0) : std::string();
      throw Fault(fmt::format(
          "in use by another agent ({}): stop that one, or give this one a database of its own",
          leader));
    }
    state->begin(agent);
    state->keep();
    return std::unique_ptr<Leadership>(new Leadership(std::move(state)));
  });
}

std::int64_t Leadership::epoch() const {
  return state_->epoch;
}

bool Leadership::is_held() {
  const std::scoped_lock lock(state_->mutex);
  return !state_->is_lost();
}

}  // namespace storage
