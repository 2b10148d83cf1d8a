#include "agent/cli/gate_command.h"

#include <iostream>
#include <memory>

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include "config/service.h"

namespace agent {
namespace {

struct GateFlags {
  std::filesystem::path config_file;
  std::string host;
  std::filesystem::path certificate;
};

int run_gate(const GateFlags& flags, const RecallFrom& recall_from) {
  const auto settings = load_or_complain(flags.config_file, for_checks());
  if (!settings) return kBadUsage;
  const auto host = config::target_name(flags.host);
  const auto name = host ? probes::dns::Name::parse(*host) : std::nullopt;
  if (!name) {
    std::cerr << fmt::format("--host {}: {}\n", flags.host,
                             host ? "not a host name" : host.error());
    return kBadUsage;
  }
  return static_cast<int>(gate(*settings, {.host = *name, .certificate = flags.certificate},
                               recall_from(*settings), std::cout, std::cerr));
}

}  // namespace

Command add_gate(CLI::App& app, RecallFrom recall_from) {
  const auto flags = std::make_shared<GateFlags>();
  auto* command =
      app.add_subcommand("gate", "say whether this certificate may go live on this MX host now");
  command->add_option("--config", flags->config_file, "configuration file, that of the agent")
      ->required();
  command->add_option("--host", flags->host, "the MX host")->required();
  command
      ->add_option("CERT", flags->certificate,
                   "the certificate with its issuers, as the server will send it: PEM, DER or "
                   "PKCS#7; - for standard input")
      ->required();
  return {command,
          [flags, recall_from = std::move(recall_from)] { return run_gate(*flags, recall_from); }};
}

}  // namespace agent
