#include "web/http/server.h"

#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <optional>
#include <system_error>
#include <utility>

#include <arpa/inet.h>
#include <fmt/format.h>
#include <httplib.h>
#include <netdb.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include "agent/log.h"
#include "config/mutex.h"
#include "web/http/live_site.h"
#include "web/http/request_framer.h"

namespace web {
namespace {

using config::Failure;
using config::Result;
using std::chrono::steady_clock;

constexpr int kSendBuffer = 128 * 1024;             // octets
constexpr std::chrono::seconds kStreamPatience{5};  // for taking one part of a stream of events

// The client's address, in words.
std::string peer_of(int fd) {
  sockaddr_storage peer{};
  socklen_t size = sizeof peer;
  std::array<char, NI_MAXHOST> host{};
  if (getpeername(fd, reinterpret_cast<sockaddr*>(&peer), &size) != 0 ||
      getnameinfo(reinterpret_cast<sockaddr*>(&peer), size, host.data(), host.size(), nullptr, 0,
                  NI_NUMERICHOST) != 0)
    return "unknown";
  return host.data();
}

// A request that is there as a whole, and the reply to it, as the connection that httplib wants to
// see. The reply is kept, for the loop to write; but a stream goes straight to the client.
class Exchange final : public httplib::Stream {
 public:
  Exchange(std::string_view request, Channel& client, const std::optional<Attempt>& attempt)
      : request_(request), client_(client), attempt_(attempt) {}

  [[nodiscard]] const std::optional<Attempt>& attempt() const { return attempt_; }
  [[nodiscard]] std::string peer() const { return peer_of(client_.fd()); }
  // The path asked for, which httplib does not see: it matches routes by std::regex, which recurses
  // for every octet, megabytes deep.
  [[nodiscard]] const std::string& path() const { return path_; }
  void take_path(std::string& path) {
    path_ = std::move(path);
    path.assign(1, '/');
  }
  // From now on all that is written goes to the client at once.
  void begin_stream() { is_streaming_ = true; }
  // A write alone would tell only at the second ping.
  [[nodiscard]] bool has_client_left() const { return client_.has_peer_left(); }
  [[nodiscard]] std::string release() && { return std::move(reply_); }

  bool is_readable() const override { return true; }
  bool is_writable() const override { return !is_broken_; }

  ssize_t read(char* into, std::size_t size) override {
    const auto count = std::min(size, request_.size());
    std::memcpy(into, request_.data(), count);
    request_.remove_prefix(count);
    return static_cast<ssize_t>(count);
  }

  ssize_t write(const char* from, std::size_t size) override {
    const std::string_view octets(from, size);
    if (is_streaming_) {
      is_broken_ = !client_.write_all(octets, steady_clock::now() + kStreamPatience);
    } else {
      reply_ += octets;
    }
    return is_broken_ ? -1 : static_cast<ssize_t>(size);
  }

  // Nobody asks who the client is.
  void get_remote_ip_and_port(std::string& /*ip*/, int& /*port*/) const override {}
  void get_local_ip_and_port(std::string& /*ip*/, int& /*port*/) const override {}
  socket_t socket() const override { return 0; }

 private:
  std::string_view request_;
  Channel& client_;
  const std::optional<Attempt>& attempt_;
  std::string path_;
  std::string reply_;
  bool is_streaming_ = false;
  bool is_broken_ = false;
};

// Leaves a line in the log for logins that were refused, but not for each where they come by the
// hundred. Any thread may call.
class RefusedLogins {
 public:
  void count(const std::string& client) {
    const config::Lock lock(mutex_);
    ++count_;
    const auto now = steady_clock::now();
    if (now < next_line_) return;
    agent::log::warn("login-refused", {{"client", client}, {"count", std::to_string(count_)}});
    count_ = 0;
    next_line_ = now + std::chrono::seconds{1};
  }

 private:
  config::Mutex mutex_;
  std::size_t count_ GUARDED_BY(mutex_) = 0;  // since the last line
  steady_clock::time_point next_line_ GUARDED_BY(mutex_);
};

// The exchange that this thread serves: httplib shows handlers only the request.
thread_local Exchange* current_exchange = nullptr;

// Reads requests and words replies; it never sees a socket.
class Parser final : public httplib::Server {
 public:
  // httplib ends streams when it holds no listening socket.
  void begin() { svr_sock_ = 0; }
  void end() { svr_sock_ = INVALID_SOCKET; }

  std::string reply_to(std::string_view request, Channel& client,
                       const std::optional<Attempt>& attempt) {
    Exchange exchange{request, client, attempt};
    bool closed = false;
    current_exchange = &exchange;
    // Range is not served: httplib sends the page once more for every range of a list.
    process_request(exchange, true, closed, [&exchange](httplib::Request& asked) {
      asked.ranges.clear();
      exchange.take_path(asked.path);
    });
    return std::move(exchange).release();
  }
};

struct Listener {
  int fd = -1;
  std::uint16_t port = 0;
};

// A listening socket, non-blocking; the error is that of errno. SO_REUSEPORT would let a second
// agent share the port in silence.
Result<Listener, int> listen_on(const std::string& address, std::uint16_t port) {
  constexpr int kBacklog = 256;
  sockaddr_in6 v6{.sin6_family = AF_INET6, .sin6_port = htons(port)};
  sockaddr_in v4{.sin_family = AF_INET, .sin_port = htons(port)};
  const bool is_v6 = inet_pton(AF_INET6, address.c_str(), &v6.sin6_addr) == 1;
  if (!is_v6 && inet_pton(AF_INET, address.c_str(), &v4.sin_addr) != 1) return Failure<int>(EINVAL);
  auto* const where = is_v6 ? reinterpret_cast<sockaddr*>(&v6) : reinterpret_cast<sockaddr*>(&v4);
  socklen_t size = is_v6 ? sizeof v6 : sizeof v4;
  const int fd = socket(where->sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  const int on = 1;
  if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) != 0 ||
      bind(fd, where, size) != 0 || listen(fd, kBacklog) != 0 ||
      getsockname(fd, where, &size) != 0) {
    const int error = errno;
    if (fd >= 0) close(fd);
    return Failure<int>(error);
  }
  return Listener{.fd = fd, .port = ntohs(is_v6 ? v6.sin6_port : v4.sin_port)};
}

Request request_of(const httplib::Request& in) {
  Request out{.method = in.method,
              .path = current_exchange->path(),
              .body = in.body,
              .attempt = current_exchange->attempt()};
  for (const auto& [name, value] : in.params) out.query[name] = value;
  for (const auto& [name, value] : in.headers) out.headers[lower_case(name)] = value;
  return out;
}

// One of the few streams that may be open at once.
class StreamPlace {
 public:
  StreamPlace(RequestStats& traffic, int most)
      : traffic_(traffic), is_mine_(traffic.open_stream() <= most) {}
  ~StreamPlace() { traffic_.close_stream(); }
  StreamPlace(const StreamPlace&) = delete;
  StreamPlace& operator=(const StreamPlace&) = delete;
  [[nodiscard]] bool is_mine() const { return is_mine_; }

 private:
  RequestStats& traffic_;
  bool is_mine_;
};

void send_stream(Reply reply, RequestStats& traffic, int most, httplib::Response& out) {
  auto place = std::make_shared<StreamPlace>(traffic, most);
  if (!place->is_mine()) {
    const auto full = problem(503, "too many event streams", "ask again in half a minute, or poll");
    out.status = full.status;
    out.set_header("Retry-After", "30");
    out.set_content(full.body, full.content_type);
    return;
  }
  current_exchange->begin_stream();
  out.set_chunked_content_provider(reply.content_type, [place, next = std::move(reply.stream)](
                                                           std::size_t, httplib::DataSink& sink) {
    if (current_exchange->has_client_left()) return false;
    const auto part = next();
    if (!part) return false;  // we end: the client comes back to whoever serves then
    return part->empty() || sink.write(part->data(), part->size());
  });
}

}  // namespace

struct Server::State {
  State(MakeSite make_site, ConnectionLoop::Limits wanted)
      : entrance(counted(std::move(make_site))), limits(wanted) {}

  LiveSite::Make counted(MakeSite make_site) {
    return [this, make = std::move(make_site)](Guard guard) {
      return make(std::move(guard), traffic);
    };
  }

  std::unique_ptr<Channel> open(int fd) {
    const int on = 1;
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    // Left to itself the kernel would hold megabytes for a client that does not read.
    setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &kSendBuffer, sizeof kSendBuffer);
    const auto way = entrance.now();
    return way->tls ? way->tls->open(fd) : plain_channel(fd);
  }

  // Health is told to everybody.
  std::optional<std::string> subject(const RequestFramer& request) {
    const auto line = request.first_line();
    if (line.starts_with("GET /-/") || request.authorization().empty()) return std::nullopt;
    return entrance.now()->auth->untried(request.authorization());
  }

  void answer(const httplib::Request& in, httplib::Response& out) {
    const auto began = steady_clock::now();
    Reply reply;
    try {
      reply = entrance.now()->site(request_of(in));
    } catch (const std::exception& e) {
      reply = problem(500, "internal error", e.what());
    }
    if (reply.status == 401 && in.has_header("Authorization"))
      refused_logins.count(current_exchange->peer());
    const auto handler = reply.handler;
    out.status = reply.status;
    for (const auto& [name, value] : reply.headers) out.set_header(name, value);
    if (reply.stream && in.method == "GET") {
      send_stream(std::move(reply), traffic, most_streams, out);
    } else if (reply.status != 204) {
      out.set_content(reply.body, reply.content_type);
    }
    traffic.count(handler, out.status, steady_clock::now() - began);
  }

  RequestStats traffic;
  RefusedLogins refused_logins;
  LiveSite entrance;
  ConnectionLoop::Limits limits;
  Parser parser;
  std::atomic<int> most_streams{0};
  std::uint16_t port = 0;
  std::unique_ptr<ConnectionLoop> loop;  // last: its threads use the others
};

Server::Server(MakeSite make_site, ConnectionLoop::Limits limits)
    : state_(std::make_unique<State>(std::move(make_site), limits)) {}

Server::~Server() {
  stop();
}

Result<void, std::string> Server::start(const config::Web& settings) {
  auto& state = *state_;
  if (auto configured = state.entrance.configure(settings); !configured) return configured;
  const auto answer = [&state](const httplib::Request& in, httplib::Response& out) {
    state.answer(in, out);
  };
  // Before routing there is no body yet; httplib reads it for the methods that may have one.
  state.parser.set_pre_routing_handler(
      [answer](const httplib::Request& in, httplib::Response& out) {
        if (in.method == "POST" || in.method == "DELETE")
          return httplib::Server::HandlerResponse::Unhandled;
        answer(in, out);
        return httplib::Server::HandlerResponse::Handled;
      });
  state.parser.Post("/", answer);
  state.parser.Delete("/", answer);
  state.parser.set_payload_max_length(RequestFramer::kReportOctets);
  const auto listener = listen_on(settings.listen_address, settings.port);
  if (!listener) {
    return Failure<std::string>(fmt::format(
        "cannot listen on {} port {}: {}; is another danelaw running?", settings.listen_address,
        settings.port, std::generic_category().message(listener.error())));
  }
  state.port = listener->port;
  state.parser.begin();
  state.loop = std::make_unique<ConnectionLoop>(
      listener->fd, state.limits, [&state](int fd) { return state.open(fd); },
      ConnectionLoop::Login{
          .subject = [&state](const RequestFramer& request) { return state.subject(request); },
          .attempt =
              [&state](const std::string& authorization) {
                return state.entrance.now()->auth->attempt(authorization);
              }},
      [&state](const std::string& request, Channel& client, const std::optional<Attempt>& attempt) {
        return state.parser.reply_to(request, client, attempt);
      });
  state.most_streams = std::min(kMostStreams, static_cast<int>(state.loop->threads() / 3));
  return {};
}

Result<void, std::string> Server::reconfigure(const config::Web& settings) {
  return state_->entrance.configure(settings);
}

Result<void, std::string> Server::lead_to(MakeSite make_site, const config::Web& settings) {
  return state_->entrance.lead_to(state_->counted(std::move(make_site)), settings);
}

Reply Server::answer(const Request& request) {
  return state_->entrance.now()->site(request);
}

void Server::stop() {
  state_->parser.end();
  state_->loop.reset();
}

std::uint16_t Server::port() const {
  return state_->port;
}

}  // namespace web
