#include "agent/postfix/policy_server.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <list>
#include <vector>

#include <fmt/format.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "agent/postfix/socketmap.h"

namespace agent {
namespace {

using config::Failure;

struct Client {
  int fd;
  SocketmapSession session;
};

bool address_of(const std::filesystem::path& path, sockaddr_un& out) {
  out = {};
  out.sun_family = AF_UNIX;
  const auto& text = path.native();
  if (text.empty() || text.size() >= sizeof out.sun_path) return false;
  std::ranges::copy(text, out.sun_path);
  return true;
}

bool bind_to(int fd, const std::filesystem::path& path) {
  sockaddr_un address;
  // As <sys/socket.h> wants it.
  return address_of(path, address) &&
         bind(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0;
}

int connect_to(const std::filesystem::path& path) {
  sockaddr_un address;
  if (!address_of(path, address)) return -1;
  // Non-blocking: where the agent accepts nobody and its queue is full, nobody waits for it.
  const int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  if (fd >= 0 && connect(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
    close(fd);
    return -1;
  }
  return fd;
}

}  // namespace

config::Result<std::unique_ptr<PolicyServer>, std::string> PolicyServer::start(
    const std::filesystem::path& path, PolicyTable& table, std::function<config::Time()> now) {
  const auto failed = [&](std::string_view what) {
    return Failure<std::string>(
        fmt::format("postfix.policy_socket: {} {}: {}", what, path.string(), std::strerror(errno)));
  };
  const auto fresh = path.string() + ".new";
  struct stat old {};
  if (lstat(path.c_str(), &old) == 0 && !S_ISSOCK(old.st_mode))
    return Failure<std::string>(
        fmt::format("postfix.policy_socket: {} is there, and no socket", path.string()));
  const int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  const int wake = eventfd(0, EFD_CLOEXEC);
  const auto give_up = [&](std::string_view what) {
    auto out = failed(what);
    if (fd >= 0) close(fd);
    if (wake >= 0) close(wake);
    unlink(fresh.c_str());
    return out;
  };
  if (fd < 0 || wake < 0) return give_up("no socket for");
  // Made beside it and moved there: Postfix finds the old one or the new one.
  unlink(fresh.c_str());
  errno = ENAMETOOLONG;
  if (!bind_to(fd, fresh)) return give_up("cannot make");
  // Postfix is another user than we are; what it may ask is no secret.
  if (chmod(fresh.c_str(), 0666) != 0 || listen(fd, SOMAXCONN) != 0 ||
      rename(fresh.c_str(), path.c_str()) != 0)
    return give_up("cannot listen at");
  std::unique_ptr<PolicyServer> out(new PolicyServer(path, fd, wake, table, std::move(now)));
  struct stat made {};
  if (lstat(path.c_str(), &made) == 0) out->inode_ = made.st_ino;
  out->thread_ = std::thread([server = out.get()] { server->serve(server->wake_); });
  return out;
}

PolicyServer::PolicyServer(std::filesystem::path path, int listener, int wake, PolicyTable& table,
                           std::function<config::Time()> now)
    : path_(std::move(path)),
      listener_(listener),
      wake_(wake),
      table_(table),
      now_(std::move(now)) {}

bool PolicyServer::is_there() const {
  struct stat there {};
  return lstat(path_.c_str(), &there) == 0 && there.st_ino == inode_;
}

PolicyServer::~PolicyServer() {
  const std::uint64_t one = 1;
  if (thread_.joinable()) {
    while (write(wake_, &one, sizeof one) < 0 && errno == EINTR) {
    }
    thread_.join();
  }
  close(listener_);
  close(wake_);
  if (is_there()) unlink(path_.c_str());  // not that of another who came after us
}

void PolicyServer::serve(int stop) {
  std::list<Client> clients;  // the longest silent first
  const auto lookup = [this](std::string_view map, std::string_view key) {
    return table_.answer(map, key, now_());
  };
  const auto hang_up = [&](std::list<Client>::iterator client) {
    close(client->fd);
    return clients.erase(client);
  };
  std::array<char, 4096> chunk{};
  std::vector<pollfd> waits;
  // Nobody can be let in for want of descriptors: whoever waits is looked after a little later.
  bool is_full = false;
  while (true) {
    waits.assign({{.fd = stop, .events = POLLIN, .revents = 0},
                  {.fd = is_full ? -1 : listener_, .events = POLLIN, .revents = 0}});
    for (const auto& client : clients)
      waits.push_back({.fd = client.fd, .events = POLLIN, .revents = 0});
    constexpr int kLater = 100;  // ms
    if (poll(waits.data(), waits.size(), is_full ? kLater : -1) < 0 && errno != EINTR) break;
    if (waits[0].revents != 0) break;
    is_full = false;
    std::list<Client> active;
    auto client = clients.begin();
    for (std::size_t i = 2; i < waits.size(); ++i) {
      if (waits[i].revents == 0) {
        ++client;
        continue;
      }
      const auto count = recv(client->fd, chunk.data(), chunk.size(), MSG_DONTWAIT);
      bool is_over = count == 0 || (count < 0 && errno != EAGAIN && errno != EINTR);
      if (count > 0) {
        const auto replies =
            client->session.feed({chunk.data(), static_cast<std::size_t>(count)}, lookup);
        // Who asks without reading is not waited for.
        is_over = client->session.is_broken() ||
                  (!replies.empty() &&
                   send(client->fd, replies.data(), replies.size(), MSG_DONTWAIT | MSG_NOSIGNAL) !=
                       static_cast<ssize_t>(replies.size()));
      }
      if (is_over) {
        client = hang_up(client);
      } else {
        active.splice(active.end(), clients, client++);
      }
    }
    clients.splice(clients.end(), active);
    if (waits[1].revents == 0) continue;
    const int fd = accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK);
    if (fd < 0) {
      const bool has_none = errno == EMFILE || errno == ENFILE || errno == ENOMEM;
      if (has_none && !clients.empty()) hang_up(clients.begin());
      is_full = has_none && clients.empty();
      continue;
    }
    if (clients.size() >= kMostClients) hang_up(clients.begin());
    clients.push_back({.fd = fd, .session = {}});
  }
  for (const auto& client : clients) close(client.fd);
}

// ---- the relay

namespace {

bool write_all(int fd, std::string_view octets) {
  while (!octets.empty()) {
    const auto count = write(fd, octets.data(), octets.size());
    if (count < 0 && errno == EINTR) continue;
    if (count <= 0) return false;
    octets.remove_prefix(static_cast<std::size_t>(count));
  }
  return true;
}

// What the agent replies to one request, within the time; nothing on any doubt. The connection is
// closed then (`fd` is -1).
std::string asked(int& fd, std::string_view request, std::chrono::milliseconds patience) {
  const auto lost = [&] {
    if (fd >= 0) close(fd);
    fd = -1;
    return std::string();
  };
  if (fd < 0 || send(fd, request.data(), request.size(), MSG_NOSIGNAL | MSG_DONTWAIT) !=
                    static_cast<ssize_t>(request.size()))
    return lost();
  const auto end = std::chrono::steady_clock::now() + patience;
  std::string reply;
  std::array<char, 256> chunk{};
  while (reply.size() < chunk.size()) {
    pollfd wait{.fd = fd, .events = POLLIN, .revents = 0};
    const auto left =
        std::chrono::ceil<std::chrono::milliseconds>(end - std::chrono::steady_clock::now());
    if (left.count() <= 0 || poll(&wait, 1, static_cast<int>(left.count())) <= 0) return lost();
    const auto count = recv(fd, chunk.data(), chunk.size(), MSG_DONTWAIT);
    if (count < 0 && (errno == EAGAIN || errno == EINTR)) continue;
    if (count <= 0) return lost();
    reply.append(chunk.data(), static_cast<std::size_t>(count));
    for (const std::string_view known : {"OK encrypt", "NOTFOUND "}) {
      if (reply == netstring(known)) return std::string(known);
    }
  }
  return lost();
}

}  // namespace

int relay_policy(const std::filesystem::path& socket, int in, int out,
                 std::chrono::milliseconds patience) {
  SocketmapSession session;
  int agent = -1;
  const auto lookup = [&](std::string_view map, std::string_view key) -> std::string {
    const auto request = netstring(std::string(map) + ' ' + std::string(key));
    const bool was_connected = agent >= 0;
    if (!was_connected) agent = connect_to(socket);
    auto reply = asked(agent, request, patience);
    if (reply.empty() && was_connected) {  // it may have been restarted since
      agent = connect_to(socket);
      reply = asked(agent, request, patience);
    }
    return reply == "OK encrypt" ? "encrypt" : "";
  };
  std::array<char, 4096> chunk{};
  while (!session.is_broken()) {
    const auto count = read(in, chunk.data(), chunk.size());
    if (count < 0 && errno == EINTR) continue;
    if (count <= 0) break;
    if (!write_all(out, session.feed({chunk.data(), static_cast<std::size_t>(count)}, lookup)))
      break;
  }
  if (agent >= 0) close(agent);
  return session.is_broken() ? 1 : 0;
}

}  // namespace agent
