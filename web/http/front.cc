#include "web/http/front.h"

#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>
#include <condition_variable>
#include <iterator>
#include <list>
#include <mutex>
#include <new>
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
#include "agent/watch/threads.h"
#include "web/http/guest.h"
#include "web/http/turn_pool.h"

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

// For the loop, handshakes and passwords, and for those who look and tell.
constexpr std::size_t kSpareThreads = 28;

// The threads that serve whole requests.
class Pool {
 public:
  Pool(std::size_t threads, std::size_t places, Front::Serve serve, std::function<void()> on_done)
      : places_(places), serve_(std::move(serve)), on_done_(std::move(on_done)) {
    if (agent::start_threads(
            threads_, threads, [this] { work(); }, agent::Spare{.threads = kSpareThreads}) == 0)
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
  // Without memory for a reply the connection is closed without one.
  void serve(Guest& guest) const {
    try {
      guest.reply = serve_(std::move(guest.request).release(), *guest.channel, guest.attempt);
    } catch (const std::exception&) {
      guest.reply.clear();
    }
  }

  void work() {
    std::unique_lock lock(mutex_);
    while (true) {
      work_.wait(lock, [this] { return is_closed_ || !waiting_.empty(); });
      if (waiting_.empty()) return;
      Guests mine;
      mine.splice(mine.end(), waiting_, waiting_.begin());
      lock.unlock();
      auto& guest = mine.front();
      serve(guest);
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
class Wakeup {
 public:
  Wakeup() : fd_(eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC)) {}
  ~Wakeup() { close(fd_); }
  Wakeup(const Wakeup&) = delete;
  Wakeup& operator=(const Wakeup&) = delete;

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
  Loop(int listener, Limits limits, Open open, Login login, Serve serve)
      : listener_(listener),
        limits_(limits),
        open_(std::move(open)),
        login_(std::move(login)),
        handshakes_(limits.handshake_threads, limits.handshakes, greet, [this] { bell_.ring(); }),
        logins_(
            limits.login_threads, limits.logins,
            [this](Guest& guest, bool is_crowded) { return log_in(guest, is_crowded); },
            [this] { bell_.ring(); }),
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
  [[nodiscard]] std::size_t threads() const { return pool_.threads(); }
  Loop(const Loop&) = delete;
  Loop& operator=(const Loop&) = delete;

 private:
  using Phase = Guest::Phase;

  void run() {
    while (!is_stopping_) {
      try {
        wait();
        receive();
        bound_replies();
      } catch (const std::bad_alloc&) {  // they hold it
        if (!guests_.empty()) guests_.pop_front();
      }
    }
    close(listener_);
    std::erase_if(guests_, [](const Guest& guest) { return guest.phase <= Phase::asking; });
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
    if (polled[0].revents != 0) take_back();
  }

  // What the pools have done.
  void take_back() {
    bell_.silence();
    for (auto greeted = handshakes_.done(); !greeted.empty();) {
      const auto guest = greeted.begin();
      const bool stays =
          !guest->has_lost_place && (guest->channel->is_greeted() || guest->wants != 0);
      if (!stays) {
        greeted.erase(guest);
        continue;
      }
      guests_.splice(guests_.end(), greeted, guest);
      if (!guest->channel->is_greeted()) continue;
      guest->phase = Phase::asking;
      hear(guest);
    }
    for (auto tried = logins_.done(); !tried.empty();) {
      const auto guest = tried.begin();
      guests_.splice(guests_.end(), tried, guest);
      if (guest->has_lost_place) {
        guest->reply = refusal(429, "too many passwords are tried at once; come again");
        begin_reply(guest);
      } else {
        ask(guest);
      }
    }
    auto served = pool_.served();
    while (!served.empty()) {
      const auto guest = served.begin();
      guests_.splice(guests_.end(), served, guest);
      begin_reply(guest);
    }
  }

  // Some of those that have come since, each in the place of who has been here longest when there
  // is none.
  void receive() {
    constexpr int kAtOnce = 64;
    for (int i = 0; has_newcomers_ && i < kAtOnce; ++i) {
      const int fd = accept4(listener_, nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC);
      if (fd < 0) {
        // Out of descriptors: those who sit here hold them, and the listener would wake us at once.
        if ((errno == EMFILE || errno == ENFILE) && !guests_.empty()) guests_.pop_front();
        return;
      }
      auto channel = open_(fd);
      if (!channel) continue;
      if (guests_.size() >= limits_.places) guests_.pop_front();
      const bool is_greeted = channel->is_greeted();
      guests_.push_back({.channel = std::move(channel),
                         .source = source_of(fd),
                         .deadline = steady_clock::now() + limits_.request_time,
                         .phase = is_greeted ? Phase::asking : Phase::greeting});
      if (!is_greeted) continue;  // its turn comes when it has said something
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
      case Phase::greeting:
        return handshakes_.admit(guests_, guest, {});
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
      begin_reply(guest);
    } else if (auto subject = login_.subject(guest->request)) {
      guest->deadline = steady_clock::now() + limits_.login_time;
      logins_.admit(guests_, guest, *std::move(subject));
    } else {
      ask(guest);
    }
  }

  void ask(Guests::iterator guest) {
    if (pool_.admit(guests_, guest)) return;
    guest->reply = refusal(503, "too many requests at once");
    begin_reply(guest);
  }

  // A step of a handshake, on a thread for these.
  static bool greet(Guest& guest, bool /*is_crowded*/) {
    const bool is_late = guest.deadline <= steady_clock::now();
    guest.has_begun = true;
    guest.wants = is_late ? short{0} : guest.channel->greet().wants;
    return true;
  }

  // Tries a password, on a thread for these.
  bool log_in(Guest& guest, bool is_crowded) const {
    pollfd gone{.fd = guest.channel->fd(), .events = POLLRDHUP, .revents = 0};
    // Of those who have gone without waiting for the answer there may be any number.
    guest.has_lost_place =
        guest.deadline <= steady_clock::now() || (is_crowded && poll(&gone, 1, 0) > 0);
    if (guest.has_lost_place) return true;
    try {
      guest.attempt = login_.attempt(guest.request.authorization());
      return guest.attempt->is_right;
    } catch (const std::exception&) {  // no memory
      guest.has_lost_place = true;
      return true;
    }
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
  Wakeup bell_;
  Limits limits_;
  Open open_;
  std::atomic<bool> is_stopping_{false};
  bool has_newcomers_ = false;
  Guests guests_;  // by arrival at the front
  Login login_;
  TurnPool handshakes_, logins_;
  Pool pool_;
  std::thread thread_;  // last: it uses the others
};

Front::Front(int listener, Limits limits, Open open, Login login, Serve serve)
    : loop_(std::make_unique<Loop>(listener, limits, std::move(open), std::move(login),
                                   std::move(serve))) {}

Front::~Front() = default;

std::size_t Front::threads() const {
  return loop_->threads();
}

}  // namespace web
