#include "web/server.h"

#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>
#include <cstring>
#include <map>
#include <mutex>
#include <thread>

#include <arpa/inet.h>
#include <fmt/format.h>
#include <httplib.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "web/api.h"

namespace web {
namespace {

using config::Failure;
using config::Result;
using std::chrono::steady_clock;

constexpr std::size_t kThreads = 48;

// A client's connection with one deadline and one budget of octets for all it sends: httplib itself
// bounds neither the time of a whole request nor the size of headers and chunked bodies.
class BoundedStream final : public httplib::Stream {
 public:
  BoundedStream(int fd, std::chrono::milliseconds time)
      : fd_(fd), time_(time), deadline_(steady_clock::now() + time) {}

  // From now on each write has the whole time to itself: a stream of events lasts.
  void begin_stream() { is_streaming_ = true; }

  bool is_readable() const override { return begin_ < end_ || wait(POLLIN); }
  bool is_writable() const override { return wait(POLLOUT); }

  ssize_t read(char* into, std::size_t size) override {
    if (begin_ == end_ && !fill()) return -1;
    const auto count = std::min(size, end_ - begin_);
    std::memcpy(into, buffer_.data() + begin_, count);
    begin_ += count;
    return static_cast<ssize_t>(count);
  }

  ssize_t write(const char* from, std::size_t size) override {
    if (is_streaming_) deadline_ = steady_clock::now() + time_;
    while (true) {
      const auto put = send(fd_, from, size, MSG_NOSIGNAL | MSG_DONTWAIT);
      if (put >= 0) return put;
      if (errno == EINTR) continue;
      if ((errno != EAGAIN && errno != EWOULDBLOCK) || !wait(POLLOUT)) return -1;
    }
  }

  void get_remote_ip_and_port(std::string& ip, int& port) const override {
    name(getpeername, ip, port);
  }
  void get_local_ip_and_port(std::string& ip, int& port) const override {
    name(getsockname, ip, port);
  }
  socket_t socket() const override { return fd_; }

 private:
  bool wait(short events) const {
    pollfd wanted{.fd = fd_, .events = events, .revents = 0};
    const auto left =
        std::chrono::ceil<std::chrono::milliseconds>(deadline_ - steady_clock::now()).count();
    return left > 0 && poll(&wanted, 1, static_cast<int>(left)) > 0;
  }

  bool fill() {
    if (budget_ == 0 || !wait(POLLIN)) return false;
    const auto got = recv(fd_, buffer_.data(), std::min(buffer_.size(), budget_), MSG_DONTWAIT);
    if (got <= 0) return false;
    budget_ -= static_cast<std::size_t>(got);
    begin_ = 0;
    end_ = static_cast<std::size_t>(got);
    return true;
  }

  template <class Getter>
  void name(Getter getter, std::string& ip, int& port) const {
    sockaddr_storage address{};
    socklen_t size = sizeof address;
    if (getter(fd_, reinterpret_cast<sockaddr*>(&address), &size) != 0) return;
    std::array<char, INET6_ADDRSTRLEN> text{};
    const void* raw = nullptr;
    if (address.ss_family == AF_INET) {
      const auto* v4 = reinterpret_cast<const sockaddr_in*>(&address);
      raw = &v4->sin_addr;
      port = ntohs(v4->sin_port);
    } else {
      const auto* v6 = reinterpret_cast<const sockaddr_in6*>(&address);
      raw = &v6->sin6_addr;
      port = ntohs(v6->sin6_port);
    }
    if (inet_ntop(address.ss_family, raw, text.data(), text.size()) != nullptr) ip = text.data();
  }

  int fd_;
  std::chrono::milliseconds time_;
  steady_clock::time_point deadline_;
  bool is_streaming_ = false;
  std::size_t budget_ = Server::kRequestOctets;
  std::array<char, 4096> buffer_{};
  std::size_t begin_ = 0;
  std::size_t end_ = 0;
};

// The connection that this thread serves: httplib shows handlers only the request.
thread_local BoundedStream* current_stream = nullptr;

// Ends a connection without losing the reply: what the client still sends is read away for a
// moment.
void close_politely(int fd) {
  shutdown(fd, SHUT_WR);
  std::array<char, 4096> rest{};
  pollfd wanted{.fd = fd, .events = POLLIN, .revents = 0};
  for (int i = 0; i < 16 && poll(&wanted, 1, 100) > 0; ++i) {
    if (recv(fd, rest.data(), rest.size(), MSG_DONTWAIT) <= 0) break;
  }
  close(fd);
}

class BoundedServer final : public httplib::Server {
 public:
  explicit BoundedServer(std::chrono::milliseconds request_time) : request_time_(request_time) {}

 private:
  bool process_and_close_socket(socket_t fd) override {
    BoundedStream stream{fd, request_time_};
    bool closed = false;
    current_stream = &stream;
    // Range is not served: httplib sends the page once more for every range of a list.
    const bool done = process_request(stream, true, closed,
                                      [](httplib::Request& request) { request.ranges.clear(); });
    close_politely(fd);
    return done;
  }

  std::chrono::milliseconds request_time_;
};

std::string lower_case(std::string text) {
  std::ranges::transform(text, text.begin(), [](char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
  });
  return text;
}

Request request_of(const httplib::Request& in) {
  Request out{.method = in.method, .path = in.path, .body = in.body};
  for (const auto& [name, value] : in.params) out.query[name] = value;
  for (const auto& [name, value] : in.headers) out.headers[lower_case(name)] = value;
  return out;
}

// The names by which this server may be called.
Guard guard_of(const config::Web& settings) {
  Guard guard{.hosts = {"localhost", "127.0.0.1", "[::1]"}};
  const bool is_v6 = settings.listen_address.find(':') != std::string::npos;
  guard.hosts.push_back(is_v6 ? "[" + settings.listen_address + "]" : settings.listen_address);
  const auto scheme = settings.external_url.find("://");
  if (scheme != std::string::npos) {
    auto host = lower_case(settings.external_url.substr(scheme + 3));
    host = host.substr(0, host.find('/'));
    guard.hosts.push_back(host.starts_with('[') ? host.substr(0, host.find(']') + 1)
                                                : host.substr(0, host.find(':')));
  }
  return guard;
}

// One of the few streams that may be open at once.
class StreamPlace {
 public:
  StreamPlace() : is_taken_(++taken <= Server::kMostStreams) {}
  ~StreamPlace() { --taken; }
  StreamPlace(const StreamPlace&) = delete;
  StreamPlace& operator=(const StreamPlace&) = delete;
  [[nodiscard]] bool is_taken() const { return is_taken_; }

 private:
  static inline std::atomic<int> taken{0};
  bool is_taken_;
};

void send_stream(Reply reply, httplib::Response& out) {
  auto place = std::make_shared<StreamPlace>();
  if (!place->is_taken()) {
    const auto full = problem(503, "too many event streams", "ask again in half a minute, or poll");
    out.status = full.status;
    out.set_header("Retry-After", "30");
    out.set_content(full.body, full.content_type);
    return;
  }
  current_stream->begin_stream();
  out.set_chunked_content_provider(reply.content_type, [place, next = std::move(reply.stream)](
                                                           std::size_t, httplib::DataSink& sink) {
    const auto part = next();
    if (!part) return false;  // we end: the client comes back to whoever serves then
    return part->empty() || sink.write(part->data(), part->size());
  });
}

}  // namespace

struct Server::State {
  State(Sources from, std::chrono::milliseconds request_time)
      : sources(std::move(from)), http(request_time) {}
  Sources sources;
  std::unique_ptr<Api> api;
  BoundedServer http;
  std::thread listener;
  std::atomic<bool> has_ended{false};  // the listener
  int port = 0;
};

Server::Server(Sources sources, std::chrono::milliseconds request_time)
    : state_(std::make_unique<State>(std::move(sources), request_time)) {}

Server::~Server() {
  stop();
}

Result<void, std::string> Server::start(const config::Web& settings) {
  auto& http = state_->http;
  state_->api = std::make_unique<Api>(state_->sources, guard_of(settings));
  http.new_task_queue = [] { return new httplib::ThreadPool(kThreads); };
  // httplib's default also sets SO_REUSEPORT, with which a second agent would share the port in
  // silence.
  http.set_socket_options([](socket_t fd) {
    const int on = 1;
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  });
  http.set_tcp_nodelay(true);
  http.set_payload_max_length(kRequestOctets);
  const auto answer = [api = state_->api.get()](const httplib::Request& in,
                                                httplib::Response& out) {
    Reply reply;
    try {
      reply = api->answer(request_of(in));
    } catch (const std::exception& e) {
      reply = problem(500, "internal error", e.what());
    }
    out.status = reply.status;
    for (const auto& [name, value] : reply.headers) out.set_header(name, value);
    if (reply.stream && in.method == "GET") {
      send_stream(std::move(reply), out);
    } else if (reply.status != 204) {
      out.set_content(reply.body, reply.content_type);
    }
  };
  // Before routing there is no body yet; httplib reads it for the methods that may have one.
  http.set_pre_routing_handler([answer](const httplib::Request& in, httplib::Response& out) {
    if (in.method == "POST" || in.method == "DELETE")
      return httplib::Server::HandlerResponse::Unhandled;
    answer(in, out);
    return httplib::Server::HandlerResponse::Handled;
  });
  http.Post(R"([\s\S]*)", answer);
  http.Delete(R"([\s\S]*)", answer);
  if (settings.port == 0) {
    state_->port = http.bind_to_any_port(settings.listen_address);
  } else if (http.bind_to_port(settings.listen_address, settings.port)) {
    state_->port = settings.port;
  }
  if (state_->port <= 0) {
    return Failure<std::string>(
        fmt::format("cannot listen on {} port {}: {}; is another danelaw running?",
                    settings.listen_address, settings.port, std::strerror(errno)));
  }
  state_->listener = std::thread([this] {
    state_->http.listen_after_bind();
    state_->has_ended = true;
  });
  // httplib forgets a stop() that comes before its loop has begun.
  while (!http.is_running() && !state_->has_ended) std::this_thread::yield();
  return {};
}

void Server::stop() {
  if (!state_->listener.joinable()) return;
  state_->http.stop();
  state_->listener.join();
}

std::uint16_t Server::port() const {
  return static_cast<std::uint16_t>(state_->port);
}

}  // namespace web
