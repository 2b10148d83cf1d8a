#include "web/http/connection_loop.h"

#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>
#include <condition_variable>
#include <iterator>
#include <list>
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
#include "config/mutex.h"
#include "web/http/client.h"
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
  Pool(std::size_t threads, std::size_t places, ConnectionLoop::Serve serve,
       std::function<void()> on_done)
      : places_(places), serve_(std::move(serve)), on_done_(std::move(on_done)) {
    if (agent::start_threads(
            threads_, threads,
            [this] {
              agent::name_thread("web");
              work();
            },
            agent::Spare{.threads = kSpareThreads}) == 0)
      throw std::system_error(std::make_error_code(std::errc::resource_unavailable_try_again),
                              "no thread of the web server could be started");
  }
  [[nodiscard]] std::size_t threads() const { return threads_.size(); }
  // Serves what waits, first.
  ~Pool() {
    {
      const config::Lock lock(mutex_);
      is_closed_ = true;
    }
    work_.notify_all();
    for (auto& thread : threads_) thread.join();
  }
  Pool(const Pool&) = delete;
  Pool& operator=(const Pool&) = delete;

  // Takes the client out of `from`, unless too many wait.
  [[nodiscard]] bool admit(Clients& from, Clients::iterator client) {
    {
      const config::Lock lock(mutex_);
      if (waiting_.size() >= places_) return false;
      waiting_.splice(waiting_.end(), from, client);
      ++under_way_;
    }
    work_.notify_one();
    return true;
  }
  // Those that have a reply now.
  [[nodiscard]] Clients served() {
    const config::Lock lock(mutex_);
    under_way_ -= served_.size();
    return std::exchange(served_, {});
  }
  [[nodiscard]] bool is_idle() {
    const config::Lock lock(mutex_);
    return under_way_ == 0;
  }

 private:
  // Without memory for a reply the connection is closed without one.
  void serve(Client& client) const {
    try {
      client.reply = serve_(std::move(client.request).release(), *client.channel, client.attempt);
    } catch (const std::exception&) {
      client.reply.clear();
    }
  }

  void work() {
    config::Lock lock(mutex_);
    while (true) {
      work_.wait(lock, [this]() REQUIRES(mutex_) { return is_closed_ || !waiting_.empty(); });
      if (waiting_.empty()) return;
      Clients mine;
      mine.splice(mine.end(), waiting_, waiting_.begin());
      lock.unlock();
      auto& client = mine.front();
      serve(client);
      lock.lock();
      served_.splice(served_.end(), mine);
      on_done_();
    }
  }

  std::size_t places_;
  ConnectionLoop::Serve serve_;
  std::function<void()> on_done_;
  config::Mutex mutex_;
  std::condition_variable_any work_;
  Clients waiting_ GUARDED_BY(mutex_), served_ GUARDED_BY(mutex_);
  std::size_t under_way_ GUARDED_BY(mutex_) = 0;  // waiting, being served, served
  bool is_closed_ GUARDED_BY(mutex_) = false;
  std::vector<std::thread> threads_;  // last: they use the others
};

// Wakes the loop when a reply is there; any thread may ring.
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

class ConnectionLoop::Loop {
 public:
  Loop(int listener, Limits limits, Open open, Login login, Serve serve)
      : listener_(listener),
        limits_(limits),
        open_(std::move(open)),
        login_(std::move(login)),
        handshakes_(limits.handshake_threads, limits.handshakes, greet, [this] { bell_.ring(); }),
        logins_(
            limits.login_threads, limits.logins,
            [this](Client& client, bool is_crowded) { return log_in(client, is_crowded); },
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
  using Phase = Client::Phase;

  void run() {
    while (!is_stopping_) {
      try {
        wait();
        receive();
        bound_replies();
      } catch (const std::bad_alloc&) {  // they hold it
        if (!clients_.empty()) clients_.pop_front();
      }
    }
    close(listener_);
    std::erase_if(clients_, [](const Client& client) { return client.phase <= Phase::asking; });
    const auto patience = steady_clock::now() + limits_.farewell_time;
    while (!(pool_.is_idle() && clients_.empty()) && steady_clock::now() < patience) wait();
  }

  // Waits for something to happen and lets those go on to whom it happened.
  void wait() {
    std::vector<pollfd> polled{
        {.fd = bell_.fd(), .events = POLLIN, .revents = 0},
        {.fd = is_stopping_ ? -1 : listener_, .events = POLLIN, .revents = 0}};
    auto next = steady_clock::now() + limits_.farewell_time;
    for (const auto& client : clients_) {
      polled.push_back({.fd = client.channel->fd(), .events = client.wants, .revents = 0});
      next = std::min(next, client.deadline);
    }
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(next - steady_clock::now());
    poll(polled.data(), polled.size(), std::max(0, static_cast<int>(left.count())));
    has_newcomers_ = polled[1].revents != 0;
    const auto now = steady_clock::now();
    auto at = clients_.begin();
    for (std::size_t i = 2; i < polled.size(); ++i) {
      const auto client = at++;  // the step may take it away
      if (polled[i].revents != 0) {
        step(client);
      } else if (client->deadline <= now) {
        clients_.erase(client);
      }
    }
    if (polled[0].revents != 0) take_back();
  }

  // What the pools have done.
  void take_back() {
    bell_.silence();
    for (auto greeted = handshakes_.done(); !greeted.empty();) {
      const auto client = greeted.begin();
      const bool stays =
          !client->has_lost_place && (client->channel->is_greeted() || client->wants != 0);
      if (!stays) {
        greeted.erase(client);
        continue;
      }
      clients_.splice(clients_.end(), greeted, client);
      if (!client->channel->is_greeted()) continue;
      client->phase = Phase::asking;
      hear(client);
    }
    for (auto tried = logins_.done(); !tried.empty();) {
      const auto client = tried.begin();
      clients_.splice(clients_.end(), tried, client);
      if (client->has_lost_place) {
        client->reply = refusal(429, "too many passwords are tried at once; come again");
        begin_reply(client);
      } else {
        ask(client);
      }
    }
    auto served = pool_.served();
    while (!served.empty()) {
      const auto client = served.begin();
      clients_.splice(clients_.end(), served, client);
      begin_reply(client);
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
        if ((errno == EMFILE || errno == ENFILE) && !clients_.empty()) clients_.pop_front();
        return;
      }
      auto channel = open_(fd);
      if (!channel) continue;
      if (clients_.size() >= limits_.places) clients_.pop_front();
      const bool is_greeted = channel->is_greeted();
      clients_.push_back({.channel = std::move(channel),
                          .source = source_of(fd),
                          .deadline = steady_clock::now() + limits_.request_time,
                          .phase = is_greeted ? Phase::asking : Phase::greeting});
      if (!is_greeted) continue;  // its turn comes when it has said something
      step(std::prev(clients_.end()));
    }
  }

  // Those who have not taken their reply for longest give theirs up when all together are too much.
  void bound_replies() {
    std::size_t held = 0;
    for (const auto& client : clients_) held += client.rest().size();
    for (auto at = clients_.begin();
         held > limits_.reply_octets && std::next(at) != clients_.end();) {
      const auto oldest = at++;
      if (oldest->rest().empty()) continue;
      held -= oldest->rest().size();
      clients_.erase(oldest);
    }
  }

  // May take the client from the list, and nobody else.
  void step(Clients::iterator client) {
    switch (client->phase) {
      case Phase::greeting:
        return handshakes_.admit(clients_, client, {});
      case Phase::asking:
        return hear(client);
      case Phase::reading_reply:
        return tell(client);
      case Phase::leaving:
        return see_off(client);
    }
  }

  void hear(Clients::iterator client) {
    std::array<char, 4096> some{};
    while (!client->request.is_complete() && !client->request.refusal()) {
      const auto got = client->channel->read(some);
      if (got.count == 0) {
        client->wants = got.wants;
        if (got.wants == 0) clients_.erase(client);
        return;
      }
      client->request.take({some.data(), got.count});
    }
    if (const auto refused = client->request.refusal()) {
      client->reply = refusal(refused->status, refused->why);
      begin_reply(client);
    } else if (auto subject = login_.subject(client->request)) {
      client->deadline = steady_clock::now() + limits_.login_time;
      logins_.admit(clients_, client, *std::move(subject));
    } else {
      ask(client);
    }
  }

  void ask(Clients::iterator client) {
    if (pool_.admit(clients_, client)) return;
    client->reply = refusal(503, "too many requests at once");
    begin_reply(client);
  }

  // A step of a handshake, on a thread for these.
  static bool greet(Client& client, bool /*is_crowded*/) {
    const bool is_late = client.deadline <= steady_clock::now();
    client.has_begun = true;
    client.wants = is_late ? short{0} : client.channel->greet().wants;
    return true;
  }

  // Tries a password, on a thread for these.
  bool log_in(Client& client, bool is_crowded) const {
    // Of those who have gone without waiting for the answer there may be any number.
    client.has_lost_place =
        client.deadline <= steady_clock::now() || (is_crowded && client.channel->has_peer_left());
    if (client.has_lost_place) return true;
    try {
      client.attempt = login_.attempt(client.request.authorization());
      return client.attempt->is_right;
    } catch (const std::exception&) {  // no memory
      client.has_lost_place = true;
      return true;
    }
  }

  void begin_reply(Clients::iterator client) {
    client->phase = Phase::reading_reply;
    client->deadline = steady_clock::now() + limits_.reply_time;
    tell(client);
  }

  void tell(Clients::iterator client) {
    while (!client->rest().empty()) {
      const auto put = client->channel->write(client->rest());
      client->taken += put.count;
      if (put.count > 0) continue;
      client->wants = put.wants;
      if (put.wants == 0) clients_.erase(client);
      return;
    }
    client->channel->finish();
    client->reply.clear();
    client->taken = 0;
    client->phase = Phase::leaving;
    client->wants = POLLIN;
    client->deadline = steady_clock::now() + limits_.farewell_time;
    see_off(client);
  }

  // What a client still sends is read away: to close before would take the reply from it (RFC 9112
  // §9.6).
  void see_off(Clients::iterator client) {
    std::array<char, 4096> rest{};
    constexpr int kAtOnce = 16;
    for (int i = 0; i < kAtOnce; ++i) {
      const auto got = client->channel->read(rest);
      if (got.count > 0) continue;
      client->wants = got.wants;
      if (got.wants == 0) clients_.erase(client);
      return;
    }
  }

  int listener_;
  Wakeup bell_;
  Limits limits_;
  Open open_;
  std::atomic<bool> is_stopping_{false};
  bool has_newcomers_ = false;
  Clients clients_;  // by arrival at the loop
  Login login_;
  TurnPool handshakes_, logins_;
  Pool pool_;
  std::thread thread_;  // last: it uses the others
};

ConnectionLoop::ConnectionLoop(int listener, Limits limits, Open open, Login login, Serve serve)
    : loop_(std::make_unique<Loop>(listener, limits, std::move(open), std::move(login),
                                   std::move(serve))) {}

ConnectionLoop::~ConnectionLoop() = default;

std::size_t ConnectionLoop::threads() const {
  return loop_->threads();
}

}  // namespace web
