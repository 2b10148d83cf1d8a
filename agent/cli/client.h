#pragma once

#include <iosfwd>
#include <memory>
#include <optional>

namespace CLI {
class App;
}

namespace agent {

// The commands that talk to a running agent: status, alerts, ack, unack, silence, silences,
// unsilence, recheck, lists, accept-list, notify-test. They probe nothing and open no database.
class ClientCommands {
 public:
  // Adds them; `app` outlives this.
  explicit ClientCommands(CLI::App& app);
  ~ClientCommands();
  ClientCommands(const ClientCommands&) = delete;
  ClientCommands& operator=(const ClientCommands&) = delete;

  // Once `app` has parsed: does what was asked for and returns the exit status; nothing when it was
  // another command. status: as `check`. All others: 0 done, 1 the agent says no, 3 the agent
  // cannot be reached, or the arguments cannot be read.
  [[nodiscard]] std::optional<int> run(std::ostream& out, std::ostream& errors) const;

 private:
  struct Commands;
  std::unique_ptr<Commands> commands_;
};

}  // namespace agent
