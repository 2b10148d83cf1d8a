#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <thread>

#include "agent/postfix/policy.h"
#include "config/result.h"

namespace agent {

// Answers Postfix at a socket of the file system, by one thread. Whoever may reach the file may
// ask: what it tells is which partners' mail goes without DANE for now. At most kMostClients at
// once, of which those that were silent longest have to go first; Postfix then comes again.
class PolicyServer {
 public:
  static constexpr std::size_t kMostClients = 256;

  // Takes the place of a socket that an agent left behind. The error is a sentence. `table`
  // outlives the server.
  [[nodiscard]] static config::Result<std::unique_ptr<PolicyServer>, std::string> start(
      const std::filesystem::path& path, PolicyTable& table, std::function<config::Time()> now);
  ~PolicyServer();  // ends the thread, removes the socket
  PolicyServer(const PolicyServer&) = delete;
  PolicyServer& operator=(const PolicyServer&) = delete;

  [[nodiscard]] const std::filesystem::path& path() const { return path_; }
  // Its socket still stands there: whoever took it away took it from Postfix, too.
  [[nodiscard]] bool is_there() const;

 private:
  PolicyServer(std::filesystem::path path, int listener, int wake, PolicyTable& table,
               std::function<config::Time()> now);
  void serve(int stop);

  std::filesystem::path path_;
  std::uint64_t inode_ = 0;  // of the socket
  int listener_;
  int wake_;  // written to at the end
  PolicyTable& table_;
  std::function<config::Time()> now_;
  std::thread thread_;
};

// Relays between Postfix at standard input and output (spawn(8)) and the agent's socket, and
// answers "NOTFOUND " itself whenever the agent is not there or takes longer than `patience`: so
// that Postfix goes on without danelaw. Returns when Postfix has no more to ask. 0, or 1 when what
// Postfix says is no socketmap.
[[nodiscard]] int relay_policy(const std::filesystem::path& socket, int in, int out,
                               std::chrono::milliseconds patience);

}  // namespace agent
