#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <thread>

#include "tests/support/test_ca.h"

// A web server that says what a test tells it to, on loopback. Throws where a test cannot make its
// world.
namespace support {

// A port of a loopback address that is ours, open to connections or not.
class Port {
 public:
  enum Kind { listening, refusing };
  explicit Port(Kind kind);
  ~Port();
  Port(const Port&) = delete;
  Port& operator=(const Port&) = delete;
  [[nodiscard]] int descriptor() const { return fd_; }
  [[nodiscard]] std::uint16_t number() const { return number_; }

 private:
  int fd_;
  std::uint16_t number_ = 0;
};

// The server's side of a connection after its handshake, if it has one.
class Peer {
 public:
  Peer(int fd, void* ssl) : fd_(fd), ssl_(ssl) {}
  // False when the client is gone.
  bool send(std::string_view octets);
  // False when the client was silent for so long.
  bool wait_for_hangup(std::chrono::milliseconds longest);

 private:
  int fd_;
  void* ssl_;
};

using Script = std::function<void(Peer&)>;

Script say(std::string octets);
// The same octets until the client has had enough.
Script say_forever(std::string first, std::string again);
// One octet at a time, and no end.
Script drip(std::string first, char again);

// A whole reply. `fields`: each with its line's end.
std::string http_reply(std::string_view fields, std::string_view body,
                       std::string_view status = "200 OK");

struct ServerPlan {
  const Issued& leaf;
  const Issued* intermediate = nullptr;  // sent behind the leaf
  Script script;
  int newest_version = 0;    // of TLS, as OpenSSL counts them; 0: of the library
  bool says_goodbye = true;  // TLS's close_notify
};

// Serves one connection in a thread of its own.
class HttpsServer {
 public:
  explicit HttpsServer(ServerPlan plan);
  ~HttpsServer();
  HttpsServer(const HttpsServer&) = delete;
  HttpsServer& operator=(const HttpsServer&) = delete;

  [[nodiscard]] std::uint16_t port() const { return port_.number(); }
  // What the client asked, once it has gone.
  const std::string& request();
  const std::string& server_name();

 private:
  void join();
  void serve();

  Port port_{Port::listening};
  ServerPlan plan_;
  std::shared_ptr<void> ctx_;
  std::thread thread_;
  std::string request_, server_name_;
};

// As a file of certificates has it.
std::string pem(const Issued& issued);

}  // namespace support
