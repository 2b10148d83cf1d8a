#include "agent/cli/commands.h"

#include <fstream>
#include <iostream>
#include <memory>
#include <optional>
#include <sstream>

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include "agent/cli/certificate_input.h"
#include "agent/rollover/replay.h"
#include "config/load.h"
#include "config/name.h"
#include "config/system.h"
#include "probes/dane/verify.h"
#include "probes/explain.h"

namespace agent {

int check_config(const std::filesystem::path& file, const Obstacles& obstacles, std::ostream& out,
                 std::ostream& errors) {
  const auto loaded = config::load(file);
  if (loaded) {
    const auto found = obstacles(*loaded);
    for (const auto& one : found) {
      errors << fmt::format("{}: {}\n", file.string(), probes::printable(one, 2000));
    }
    if (!found.empty()) return 1;
    if (loaded->smtp.helo.empty()) {
      if (const auto doubt = config::doubt_about_host_name(config::host_name()))
        errors << fmt::format("{}: warning: {}\n", file.string(), probes::printable(*doubt));
    }
    for (const auto& list : loaded->domain_lists) {
      if (list.is_elsewhere())
        out << fmt::format("{}: the list {} is from elsewhere, and was not read\n", file.string(),
                           list.name);
    }
    out << fmt::format("{}: {} domain{}, no errors\n", file.string(), loaded->domains.size(),
                       loaded->domains.size() == 1 ? "" : "s");
    return 0;
  }
  for (const auto& error : loaded.error()) errors << config::to_string(error) << '\n';
  return 1;
}

namespace {

// The whole file; "-" is standard input. Nothing, when it cannot be read, after saying so.
std::optional<std::string> read_whole(const std::filesystem::path& file, std::ostream& errors) {
  std::ostringstream text;
  if (file == "-") {
    text << std::cin.rdbuf();
    return text.str();
  }
  std::ifstream in(file);
  text << in.rdbuf();
  if (in) return text.str();
  errors << fmt::format("cannot read {}\n", file.string());
  return std::nullopt;
}

}  // namespace

int print_replay(const std::filesystem::path& file, std::ostream& out, std::ostream& errors) {
  const auto text = read_whole(file, errors);
  if (!text) return 1;
  const auto played = replay(*text);
  if (!played) {
    errors << fmt::format("{}: {}\n", file.string(), probes::printable(played.error()));
    return 1;
  }
  out << *played;
  return 0;
}

namespace {

std::string shown(const probes::dane::TlsaRecord& record, const TlsaLine& line) {
  const auto data = probes::dane::to_text(record);
  if (line.host.empty()) return data;
  return fmt::format("_{}._tcp.{}. {} IN TLSA {}", line.port, line.host, line.ttl.count(), data);
}

}  // namespace

int print_tlsa(const std::filesystem::path& file, const TlsaLine& line, std::ostream& out,
               std::ostream& errors) {
  using namespace probes::dane;
  const auto read = read_certificates(file, errors);
  if (!read) {
    errors << read.error() << '\n';
    return 1;
  }
  const auto& chain = read->chain;
  for (std::size_t i = 0; i < chain.size(); ++i) {
    const TlsaRecord record{.usage = i == 0 ? kDaneEe : kDaneTa,
                            .selector = kSpki,
                            .matching_type = kSha256,
                            .data = association(*chain[i], kSpki, kSha256)};
    out << fmt::format("{} ; {}\n", shown(record, line), probes::printable(chain[i]->subject));
  }
  if (!chain.empty()) return 0;
  const TlsaRecord record{.usage = kDaneEe,
                          .selector = kSpki,
                          .matching_type = kSha256,
                          .data = digest(probes::tls::Digest::sha256, *read->key)};
  out << fmt::format("{} ; the key\n", shown(record, line));
  return 0;
}

namespace {

struct TlsaFlags {
  std::filesystem::path certificate;
  TlsaLine line;
  std::string ttl;
};

int run_tlsa(const TlsaFlags& flags) {
  auto line = flags.line;
  if (!line.host.empty()) {
    const auto host = config::normal_domain(line.host);
    if (!host) {
      std::cerr << fmt::format("--host {}: {}\n", line.host, host.error());
      return kBadUsage;
    }
    line.host = *host;
  }
  if (!flags.ttl.empty()) {
    const auto duration = config::parse_duration(flags.ttl);
    if (!duration) {
      std::cerr << fmt::format(
          "--ttl {}: give a number and a unit (s, m, h or d), e.g. 30m or 1h\n", flags.ttl);
      return kBadUsage;
    }
    line.ttl = *duration;
  }
  return print_tlsa(flags.certificate, line, std::cout, std::cerr);
}

}  // namespace

Command add_check_config(CLI::App& app, Obstacles obstacles) {
  const auto file = std::make_shared<std::filesystem::path>();
  auto* command = app.add_subcommand("check-config", "name every error of a configuration file");
  command->add_option("FILE", *file)->required();
  return {command, [file, obstacles = std::move(obstacles)] {
            return check_config(*file, obstacles, std::cout, std::cerr);
          }};
}

Command add_tlsa(CLI::App& app) {
  const auto flags = std::make_shared<TlsaFlags>();
  auto* command = app.add_subcommand("tlsa", "print the TLSA records that fit a certificate");
  command
      ->add_option("CERT", flags->certificate,
                   "PEM, DER or PKCS#7: a certificate, with its issuers in any order, or a key; - "
                   "for standard input")
      ->required();
  command->add_option("--host", flags->line.host, "print lines of a zone file for this MX host");
  command->add_option("--port", flags->line.port, "SMTP port (25)")->check(CLI::Range(1, 65535));
  command->add_option("--ttl", flags->ttl, "TTL of those lines, e.g. 1h");
  return {command, [flags] { return run_tlsa(*flags); }};
}

Command add_replay(CLI::App& app) {
  const auto file = std::make_shared<std::filesystem::path>();
  auto* command =
      app.add_subcommand("replay", "rollover states and grades of a sequence of events, on paper");
  command->add_option("FILE", *file, "schema danelaw.replay/1; - for standard input")->required();
  return {command, [file] { return print_replay(*file, std::cout, std::cerr); }};
}

}  // namespace agent
