#include "agent/cli/policy_command.h"

#include <chrono>
#include <memory>

#include <CLI/CLI.hpp>
#include <unistd.h>

#include "agent/postfix/policy_server.h"

namespace agent {

Command add_policy(CLI::App& app) {
  const auto socket = std::make_shared<std::filesystem::path>();
  auto* command = app.add_subcommand(
      "policy",
      "answer Postfix from the agent's policy socket, or NOTFOUND when the agent is not there");
  command->add_option("--socket", *socket, "the agent's postfix.policy_socket")->required();
  return {command, [socket] {
            constexpr std::chrono::seconds kPatience{2};
            return relay_policy(*socket, STDIN_FILENO, STDOUT_FILENO, kPatience);
          }};
}

}  // namespace agent
