#include "web/front.h"

#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>
#include <condition_variable>
#include <iterator>
#include <list>
#include <mutex>
#include <system_error>
#include <thread>
#include <utility>
#include <vector>

#include <fmt/format.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include "agent/log.h"
#include "agent/threads.h"
#include "web/intake.h"

namespace web {
namespace {

using std::chrono::steady_clock;

// What is said to a client whose request nobody reads.
std::string refusal(int status, std::string_view why) {
  const auto body =
      fmt::format(R"({{"type":"about:blank","title":"refused","status":{},"detail":"{}"}})"
                  "\n",
                  status, why);
  return fmt::format(
      "HTTP/1.1 {} Refused\r\nContent-Type: application/problem+json\r\nContent-Length: {}\r\n"
      "Cache-Control: no-store\r\nX-Content-Type-Options: nosniff\r\nRetry-After: 1\r\n"
      "Connection: close\r\n\r\n{}",
      status, body.size(), body);
}

struct Guest {
  enum class Phase { asking, reading_reply, leaving };

  std::unique_ptr<Channel> channel;
  steady_clock::time_point deadline;
  Phase phase = Phase::asking;
  short wants = POLLIN;
  Intake request;
  std::string reply;
  std::size_t taken = 0;  // of the reply

  [[nodiscard]] std::string_view rest() const { return std::string_view(reply).substr(taken); }
};

using Guests = std::list<Guest>;  // one is spliced from list to list, never moved

// The threads that serve whole requests.
class Pool {
 public:
  Pool(std::size_t threads, std::size_t places, Front::Serve serve, std::function<void()> on_done)
      : places_(places), serve_(std::move(serve)), on_done_(std::move(on_done)) {
    if (agent::start_threads(
            threads_, threads, [this] { work(); }, 2 * agent::kRoomToWork) == 0)
      throw std::system_error(std::make_error_code(std::errc::resource_unavailable_try_again),
                              "no thread of the web server could be started");
  }
  [[nodiscard]] std::size_t threads() const { return threads_.size(); }
  // Serves what waits, first.
  ~Pool() {
    {
      const std::scoped_lock lock(mutex_);
      is_closed_ = true;
    }
    work_.notify_all();
    for (auto& thread : threads_) thread.join();
  }
  Pool(const Pool&) = delete;
  Pool& operator=(const Pool&) = delete;

  // Takes the guest out of `from`, unless too many wait.
  [[nodiscard]] bool admit(Guests& from, Guests::iterator guest) {
    {
      const std::scoped_lock lock(mutex_);
      if (waiting_.size() >= places_) return false;
      waiting_.splice(waiting_.end(), from, guest);
      ++under_way_;
    }
    work_.notify_one();
    return true;
  }
  // Those that have a reply now.
  [[nodiscard]] Guests served() {
    const std::scoped_lock lock(mutex_);
    under_way_ -= served_.size();
    return std::exchange(served_, {});
  }
  [[nodiscard]] bool is_idle() {
    const std::scoped_lock lock(mutex_);
    return under_way_ == 0;
  }

 private:
  void work() {
    std::unique_lock lock(mutex_);
    while (true) {
      work_.wait(lock, [this] { return is_closed_ || !waiting_.empty(); });
      if (waiting_.empty()) return;
      Guests mine;
      mine.splice(mine.end(), waiting_, waiting_.begin());
      lock.unlock();
      auto& guest = mine.front();
      guest.reply = serve_(std::move(guest.request).release(), *guest.channel);
      lock.lock();
      served_.splice(served_.end(), mine);
      on_done_();
    }
  }

  std::size_t places_;
  Front::Serve serve_;
  std::function<void()> on_done_;
  std::mutex mutex_;
  std::condition_variable work_;
  Guests waiting_, served_;
  std::size_t under_way_ = 0;  // waiting, being served, served
  bool is_closed_ = false;
  std::vector<std::thread> threads_;  // last: they use the others
};

// Wakes the front when a reply is there; any thread may ring.
class Bell {
 public:
  Bell() : fd_(eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC)) {}
  ~Bell() { close(fd_); }
  Bell(const Bell&) = delete;
  Bell& operator=(const Bell&) = delete;

  void ring() const { (void)!eventfd_write(fd_, 1); }  // a full counter wakes, too
  void silence() const {
    eventfd_t rings = 0;
    (void)!eventfd_read(fd_, &rings);
  }
  [[nodiscard]] int fd() const { return fd_; }

 private:
  int fd_;
};

}  // namespace

class Front::Loop {
 public:
  Loop(int listener, Limits limits, Open open, Serve serve)
      : listener_(listener),
        limits_(limits),
        open_(std::move(open)),
        pool_(limits.threads, limits.queue, std::move(serve), [this] { bell_.ring(); }),
        thread_([this] { run(); }) {
    if (pool_.threads() < limits_.threads) {
      agent::log::warn("few-threads", {{"started", std::to_string(pool_.threads())},
                                       {"wanted", std::to_string(limits_.threads)},
                                       {"for", "the web server"}});
    }
  }

  ~Loop() {
    is_stopping_ = true;
    bell_.ring();
    thread_.join();
  }
  Loop(const Loop&) = delete;
  Loop& operator=(const Loop&) = delete;

 private:
  using Phase = Guest::Phase;

  void run() {
    while (!is_stopping_) {
      wait();
      receive();
      bound_replies();
    }
    close(listener_);
    std::erase_if(guests_, [](const Guest& guest) { return guest.phase == Phase::asking; });
    const auto patience = steady_clock::now() + limits_.farewell_time;
    while (!(pool_.is_idle() && guests_.empty()) && steady_clock::now() < patience) wait();
  }

  // Waits for something to happen and lets those go on to whom it happened.
  void wait() {
    std::vector<pollfd> polled{
        {.fd = bell_.fd(), .events = POLLIN, .revents = 0},
        {.fd = is_stopping_ ? -1 : listener_, .events = POLLIN, .revents = 0}};
    auto next = steady_clock::now() + limits_.farewell_time;
    for (const auto& guest : guests_) {
      polled.push_back({.fd = guest.channel->fd(), .events = guest.wants, .revents = 0});
      next = std::min(next, guest.deadline);
    }
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(next - steady_clock::now());
    poll(polled.data(), polled.size(), std::max(0, static_cast<int>(left.count())));
    has_newcomers_ = polled[1].revents != 0;
    const auto now = steady_clock::now();
    auto at = guests_.begin();
    for (std::size_t i = 2; i < polled.size(); ++i) {
      const auto guest = at++;  // the step may take it away
      if (polled[i].revents != 0) {
        step(guest);
      } else if (guest->deadline <= now) {
        guests_.erase(guest);
      }
    }
    if (polled[0].revents != 0) take_replies();
  }

  void take_replies() {
    bell_.silence();
    auto served = pool_.served();
    while (!served.empty()) {
      const auto guest = served.begin();
      guests_.splice(guests_.end(), served, guest);
      begin_reply(guest);
    }
  }

  // All that have come since, each in the place of who has been here longest when there is none.
  void receive() {
    while (has_newcomers_) {
      const int fd = accept4(listener_, nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC);
      if (fd < 0) {
        // Out of descriptors: those who sit here hold them, and the listener would wake us at once.
        if ((errno == EMFILE || errno == ENFILE) && !guests_.empty()) guests_.pop_front();
        return;
      }
      auto channel = open_(fd);
      if (!channel) continue;
      if (guests_.size() >= limits_.places) guests_.pop_front();
      guests_.push_back(
          {.channel = std::move(channel), .deadline = steady_clock::now() + limits_.request_time});
      step(std::prev(guests_.end()));
    }
  }

  // Those who have not taken their reply for longest give theirs up when all together are too much.
  void bound_replies() {
    std::size_t held = 0;
    for (const auto& guest : guests_) held += guest.rest().size();
    for (auto at = guests_.begin();
         held > limits_.reply_octets && std::next(at) != guests_.end();) {
      const auto oldest = at++;
      if (oldest->rest().empty()) continue;
      held -= oldest->rest().size();
      guests_.erase(oldest);
    }
  }

  // May take the guest from the list, and nobody else.
  void step(Guests::iterator guest) {
    switch (guest->phase) {
      case Phase::asking:
        return hear(guest);
      case Phase::reading_reply:
        return tell(guest);
      case Phase::leaving:
        return see_off(guest);
    }
  }

  void hear(Guests::iterator guest) {
    std::array<char, 4096> some{};
    while (!guest->request.is_complete() && !guest->request.refusal()) {
      const auto got = guest->channel->read(some);
      if (got.count == 0) {
        guest->wants = got.wants;
        if (got.wants == 0) guests_.erase(guest);
        return;
      }
      guest->request.take({some.data(), got.count});
    }
    if (const auto refused = guest->request.refusal()) {
      guest->reply = refusal(refused->status, refused->why);
    } else if (pool_.admit(guests_, guest)) {
      return;
    } else {
      guest->reply = refusal(503, "too many requests at once");
    }
    begin_reply(guest);
  }

  void begin_reply(Guests::iterator guest) {
    guest->phase = Phase::reading_reply;
    guest->deadline = steady_clock::now() + limits_.reply_time;
    tell(guest);
  }

  void tell(Guests::iterator guest) {
    while (!guest->rest().empty()) {
      const auto put = guest->channel->write(guest->rest());
      guest->taken += put.count;
      if (put.count > 0) continue;
      guest->wants = put.wants;
      if (put.wants == 0) guests_.erase(guest);
      return;
    }
    guest->channel->finish();
    guest->reply.clear();
    guest->taken = 0;
    guest->phase = Phase::leaving;
    guest->wants = POLLIN;
    guest->deadline = steady_clock::now() + limits_.farewell_time;
    see_off(guest);
  }

  // What a client still sends is read away: to close before would take the reply from it (RFC 9112
  // §9.6).
  void see_off(Guests::iterator guest) {
    std::array<char, 4096> rest{};
    constexpr int kAtOnce = 16;
    for (int i = 0; i < kAtOnce; ++i) {
      const auto got = guest->channel->read(rest);
      if (got.count > 0) continue;
      guest->wants = got.wants;
      if (got.wants == 0) guests_.erase(guest);
      return;
    }
  }

  int listener_;
  Bell bell_;
  Limits limits_;
  Open open_;
  std::atomic<bool> is_stopping_{false};
  bool has_newcomers_ = false;
  Guests guests_;  // by arrival at the front
  Pool pool_;
  std::thread thread_;  // last: it uses the others
};

Front::Front(int listener, Limits limits, Open open, Serve serve)
    : loop_(std::make_unique<Loop>(listener, limits, std::move(open), std::move(serve))) {}

Front::~Front() = default;

}  // namespace web
