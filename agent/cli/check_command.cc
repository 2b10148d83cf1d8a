#include "agent/cli/check_command.h"

#include <iostream>
#include <memory>

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include "agent/cli/check.h"
#include "config/load.h"
#include "config/name.h"
#include "config/service.h"
#include "probes/explain.h"

namespace agent {
namespace {

struct CheckFlags {
  std::filesystem::path config_file;
  std::vector<std::string> resolvers;
  std::filesystem::path trust_anchor;
  std::uint16_t port = 0;
  std::string format = "text";
  bool allow_special_addresses = false;
  std::string timeout;
  std::string helo;
  std::filesystem::path record_to;
  std::vector<std::string> domains;
};

void add_flags(CLI::App& app, CheckFlags& flags) {
  app.add_option("--config", flags.config_file,
                 "take settings, and domains when none are named, from this file");
  app.add_option("--resolver", flags.resolvers, "ADDR[@PORT] of a resolver; may be repeated")
      ->allow_extra_args(false);
  app.add_option("--trust-anchor", flags.trust_anchor,
                 "DS or DNSKEY lines; default: that of dns-root-data");
  app.add_option("--port", flags.port, "SMTP port (25)")->check(CLI::Range(1, 65535));
  app.add_option("--format", flags.format, "text, json or nagios")
      ->check(CLI::IsMember({"text", "json", "nagios"}));
  app.add_flag("--allow-special-addresses", flags.allow_special_addresses,
               "contact loopback and private addresses");
  app.add_option("--timeout", flags.timeout, "for one SMTP session, e.g. 30s");
  app.add_option("--helo", flags.helo, "what to call ourselves in EHLO");
  app.add_option("--record", flags.record_to,
                 "write what was seen, with what proves it, into this folder (danelaw explain)")
      ->check(CLI::ExistingDirectory);
  app.add_option("DOMAIN", flags.domains, "mail domains");
}

// The settings that file and flags make together; nothing after telling what is wrong.
std::optional<config::Config> settings_of(const CheckFlags& flags) {
  config::Config settings;
  if (!flags.config_file.empty()) {
    auto loaded = load_or_complain(flags.config_file, for_checks());
    if (!loaded) return std::nullopt;
    settings = std::move(*loaded);
  }
  if (!flags.resolvers.empty()) settings.dns.resolvers.clear();
  for (const auto& text : flags.resolvers) {
    const auto resolver = config::parse_resolver(text);
    if (!resolver) {
      std::cerr << fmt::format("--resolver {}: {}\n", text, resolver.error());
      return std::nullopt;
    }
    settings.dns.resolvers.push_back(*resolver);
  }
  if (!flags.timeout.empty()) {
    const auto timeout = config::parse_duration(flags.timeout);
    if (!timeout || timeout->count() < 1) {
      std::cerr << fmt::format(
          "--timeout {}: give a number and a unit (s, m, h or d), e.g. 30s or 2m\n", flags.timeout);
      return std::nullopt;
    }
    settings.smtp.timeout = *timeout;
  }
  if (!flags.trust_anchor.empty()) settings.dns.trust_anchor_file = flags.trust_anchor;
  if (flags.port != 0) settings.smtp.port = flags.port;
  if (!flags.helo.empty()) {
    const auto helo = config::helo_name(flags.helo);
    if (!helo) {
      std::cerr << fmt::format("--helo {}: {}\n", probes::printable(flags.helo), helo.error());
      return std::nullopt;
    }
    settings.smtp.helo = *helo;
  }
  if (flags.allow_special_addresses) settings.smtp.allow_special_addresses = true;
  return settings;
}

int run_check(const CheckFlags& flags) {
  auto settings = settings_of(flags);
  if (!settings) {
    // What calls plug-ins shows their standard output only.
    if (flags.format == "nagios") std::cout << "DANE UNKNOWN: bad usage or configuration\n";
    return kBadUsage;
  }
  std::vector<std::string> domains;
  for (const auto& text : flags.domains) {
    const auto name = config::target_name(text);
    if (!name) {
      if (flags.format == "nagios")
        std::cout << fmt::format("DANE UNKNOWN: {}: {}\n", probes::printable(text), name.error());
      std::cerr << fmt::format("{}: {}\n", text, name.error());
      return kBadUsage;
    }
    domains.push_back(*name);
  }
  if (domains.empty()) {
    for (const auto& domain : settings->domains) domains.push_back(domain.name);
  }
  if (domains.empty()) {
    if (flags.format == "nagios") std::cout << "DANE UNKNOWN: no domain was named\n";
    std::cerr << "name at least one domain, or a --config with domains in it\n";
    return kBadUsage;
  }
  const auto format = flags.format == "json"     ? Format::json
                      : flags.format == "nagios" ? Format::nagios
                                                 : Format::text;
  return static_cast<int>(check(*settings, domains, format, std::cout, std::cerr, flags.record_to));
}

}  // namespace

Command add_check(CLI::App& app) {
  const auto flags = std::make_shared<CheckFlags>();
  auto* command = app.add_subcommand("check", "check mail domains once");
  add_flags(*command, *flags);
  return {command, [flags] { return run_check(*flags); }};
}

}  // namespace agent
