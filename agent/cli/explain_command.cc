#include "agent/cli/explain_command.h"

#include <chrono>
#include <fstream>
#include <iostream>
#include <memory>
#include <sstream>

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include "probes/codec/bundle.h"
#include "probes/dns/validate.h"
#include "probes/explain.h"
#include "probes/proof.h"

namespace agent {
namespace {

using probes::printable;

constexpr int kProven = 0;
constexpr int kNotProven = 2;

struct ExplainFlags {
  std::filesystem::path config_file;
  std::filesystem::path trust_anchor;
  std::string format = "text";
  std::string what;
};

using Octets = probes::dns::Bytes;

// At most one octet more than is ever read.
Octets octets_in(std::istream& in) {
  std::string text(probes::kMaxBundle + 1, '\0');
  in.read(text.data(), static_cast<std::streamsize>(text.size()));
  text.resize(static_cast<std::size_t>(in.gcount()));
  return {text.begin(), text.end()};
}

bool is_file(const std::string& what) {
  std::error_code ignored;
  return what == "-" || std::filesystem::exists(what, ignored);
}

// A file, a pipe, or "-" for what is piped to us.
config::Result<Octets, std::string> octets_of_file(const std::string& what) {
  if (what == "-") return octets_in(std::cin);
  std::error_code ignored;
  if (std::filesystem::is_directory(what, ignored))
    return config::Failure<std::string>(fmt::format("{}: is a directory", printable(what)));
  std::ifstream in(what, std::ios::binary);
  if (!in) return config::Failure<std::string>(fmt::format("{}: cannot be read", printable(what)));
  return octets_in(in);
}

config::Result<Octets, std::string> octets_of_alert(const config::Storage& storage,
                                                    const std::string& what,
                                                    const EvidenceFrom& evidence_from) {
  auto found = evidence_from(storage, what);
  if (!found)
    return config::Failure<std::string>(
        fmt::format("{}: no such file, and no alert of that id can be looked up: {}",
                    printable(what), found.error()));
  if (!*found)
    return config::Failure<std::string>(fmt::format(
        "{}: no such file, and no alert of that id with evidence in {}; name the agent's "
        "configuration with --config",
        printable(what),
        storage.postgresql.empty() ? storage.path.string() : "the database of storage.postgresql"));
  return **std::move(found);
}

std::optional<std::vector<probes::dns::Record>> anchors_in(const std::filesystem::path& file) {
  std::ifstream in(file);
  std::ostringstream text;
  text << in.rdbuf();
  if (!in) {
    std::cerr << fmt::format(
        "cannot read the DNSSEC trust anchor {}: install Debian's dns-root-data, or name a file "
        "with --trust-anchor\n",
        file.string());
    return std::nullopt;
  }
  auto anchors = probes::dns::parse_trust_anchors(text.str());
  if (!anchors) {
    std::cerr << fmt::format("{}: {}\n", file.string(), anchors.error());
    return std::nullopt;
  }
  return std::move(*anchors);
}

int run_explain(const ExplainFlags& flags, const EvidenceFrom& evidence_from) {
  config::Config settings;
  if (!flags.config_file.empty()) {
    auto loaded = load_or_complain(flags.config_file, for_checks());
    if (!loaded) return kBadUsage;
    settings = std::move(*loaded);
  }
  const auto octets = is_file(flags.what)
                          ? octets_of_file(flags.what)
                          : octets_of_alert(settings.storage, flags.what, evidence_from);
  if (!octets) {
    std::cerr << octets.error() << '\n';
    return kBadUsage;
  }
  const auto bundle = probes::decode_bundle(*octets);
  if (!bundle) {
    std::cerr << fmt::format("{}: {}\n", printable(flags.what), printable(bundle.error()));
    return kBadUsage;
  }
  const auto anchors =
      anchors_in(flags.trust_anchor.empty() ? settings.dns.trust_anchor_file : flags.trust_anchor);
  if (!anchors) return kBadUsage;
  const auto now = std::chrono::floor<config::Seconds>(std::chrono::system_clock::now());
  const auto proof = probes::prove(*bundle, *anchors, now);
  if (flags.format == "json")
    std::cout << to_json(*bundle, proof).dump() << '\n';
  else
    std::cout << to_text(*bundle, proof);
  return proof.is_proven ? kProven : kNotProven;
}

}  // namespace

Command add_explain(CLI::App& app, EvidenceFrom evidence_from) {
  const auto flags = std::make_shared<ExplainFlags>();
  auto* command = app.add_subcommand(
      "explain", "verify an alert's evidence again, offline and as of then, step by step");
  command
      ->add_option("ALERT-OR-FILE", flags->what,
                   "id of an alert in the database, or a file of evidence (CBOR or JSON); - reads "
                   "from a pipe")
      ->required();
  command->add_option("--config", flags->config_file,
                      "configuration file, for storage.path and the trust anchor");
  command->add_option("--trust-anchor", flags->trust_anchor,
                      "DS or DNSKEY lines; default: that of dns-root-data");
  command->add_option("--format", flags->format, "text or json")
      ->check(CLI::IsMember({"text", "json"}));
  return {command, [flags, evidence_from = std::move(evidence_from)] {
            return run_explain(*flags, evidence_from);
          }};
}

}  // namespace agent
