#include "agent/cli/commands.h"

#include <fstream>
#include <iostream>
#include <memory>
#include <optional>
#include <sstream>
#include <system_error>

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include "agent/cli/certificate_input.h"
#include "agent/rollover/replay.h"
#include "agent/watch/watched_words.h"
#include "config/load.h"
#include "config/name.h"
#include "config/system.h"
#include "probes/dane/verify.h"
#include "probes/explain.h"

namespace agent {

namespace {

// Where secrets can be looked at now.
class Handover {
 public:
  explicit Handover(const Credentials& all)
      : prefix_(all.handed.native() + "/"), secrets_(all.secrets) {
    std::error_code unknown;
    is_running_ = std::filesystem::exists(all.handed, unknown);
    const std::filesystem::directory_iterator any(all.secrets, unknown);
    is_readable_ = !unknown;
  }

  [[nodiscard]] config::LoadScope scope(bool service) const {
    config::LoadScope out{.service = service};
    if (!is_running_ && is_readable_)
      out.place_of = [this](const std::string& path) { return place_of(path); };
    return out;
  }
  // Whether it is of a file that only the unit could look at.
  [[nodiscard]] bool is_beyond_reach(const std::string& fault) const {
    return !is_running_ && !is_readable_ && fault.find(prefix_) != std::string::npos;
  }

 private:
  [[nodiscard]] std::string place_of(const std::string& path) const {
    const auto handed = prefix_ + "secrets_";
    return path.starts_with(handed) ? (secrets_ / path.substr(handed.size())).native() : path;
  }

  std::string prefix_;
  std::filesystem::path secrets_;
  bool is_running_ = false, is_readable_ = false;
};

// Writes what is wrong; how much of it counts.
std::size_t tell(const std::vector<std::string>& faults, const Handover& handover,
                 std::ostream& errors) {
  std::size_t out = 0;
  for (const auto& one : faults) {
    const bool is_note = handover.is_beyond_reach(one);
    errors << one
           << (is_note ? " (note: can be checked only while the agent's unit runs)\n" : "\n");
    if (!is_note) ++out;
  }
  return out;
}

void tell_about(const std::filesystem::path& file, const config::Config& settings,
                std::ostream& out, std::ostream& errors) {
  if (settings.smtp.helo.empty()) {
    if (const auto doubt = config::doubt_about_host_name(config::host_name()))
      errors << fmt::format("{}: warning: {}\n", file.string(), probes::printable(*doubt));
  }
  for (const auto& list : settings.domain_lists) {
    if (list.is_elsewhere())
      out << fmt::format("{}: the list {} is from elsewhere, and was not read\n", file.string(),
                         list.name);
  }
  out << fmt::format(
      "{}: {}, no errors\n", file.string(),
      watched_words(settings.domains.size() - settings.hosts.size(), settings.hosts.size()));
}

}  // namespace

int check_config(const std::filesystem::path& file, const Obstacles& obstacles, std::ostream& out,
                 std::ostream& errors, const Credentials& credentials) {
  const Handover handover(credentials);
  std::vector<std::string> faults;
  auto loaded = config::load(file, handover.scope(true));
  if (!loaded) {
    for (const auto& error : loaded.error()) faults.push_back(config::to_string(error));
    if (tell(faults, handover, errors) > 0) return 1;
    loaded = config::load(file, handover.scope(false));
    if (!loaded) return 1;
    loaded->web = {};  // whether it may serve depends on what cannot be looked at
    faults.clear();
  }
  for (const auto& one : obstacles(*loaded))
    faults.push_back(fmt::format("{}: {}", file.string(), probes::printable(one, 2000)));
  if (tell(faults, handover, errors) > 0) return 1;
  tell_about(file, *loaded, out, errors);
  return 0;
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
