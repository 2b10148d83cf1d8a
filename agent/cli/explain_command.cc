#include "agent/cli/explain_command.h"

#include <algorithm>
#include <fstream>
#include <iostream>
#include <iterator>
#include <memory>
#include <sstream>

#include <CLI/CLI.hpp>
#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "probes/codec/bundle.h"
#include "probes/dns/validate.h"
#include "probes/evidence.h"
#include "probes/explain.h"
#include "probes/report.h"

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

// At most one octet more than is ever read.
std::optional<probes::dns::Bytes> octets_in(const std::filesystem::path& file) {
  std::ifstream in(file, std::ios::binary);
  if (!in) return std::nullopt;
  std::string text(probes::kMaxBundle + 1, '\0');
  in.read(text.data(), static_cast<std::streamsize>(text.size()));
  text.resize(static_cast<std::size_t>(in.gcount()));
  return probes::dns::Bytes(text.begin(), text.end());
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

// An alert's finding is proven when a look that is proven shows it.
bool shows(const probes::Argument& argument, const probes::Bundle& bundle) {
  return argument.holds() &&
         std::ranges::any_of(argument.judged.findings, [&](const probes::Finding& finding) {
           return wire_name(finding.code) == bundle.code && finding.subject == bundle.subject;
         });
}

struct Outcome {
  std::vector<probes::Argument> arguments;  // parallel to the observations
  bool is_proven = false;
  std::string verdict;  // one sentence
};

Outcome weigh(const probes::Bundle& bundle, const std::vector<probes::dns::Record>& anchors) {
  Outcome out;
  for (const auto& one : bundle.observations) out.arguments.push_back(probes::verify(one, anchors));
  const bool holds =
      !out.arguments.empty() && std::ranges::all_of(out.arguments, &probes::Argument::holds);
  const bool is_shown =
      bundle.code.empty() || std::ranges::any_of(out.arguments, [&](const auto& argument) {
        return shows(argument, bundle);
      });
  out.is_proven = holds && is_shown;
  if (out.arguments.empty()) {
    out.verdict = "There is no observation in it: nothing is proven.";
  } else if (!holds) {
    out.verdict = "The evidence does not hold: what it says is refuted by what it carries.";
  } else if (!is_shown) {
    out.verdict = fmt::format(
        "The observations hold, but by themselves they do not show {}: that rests on more than "
        "they carry, e.g. on history.",
        printable(bundle.code));
  } else {
    out.verdict = "The evidence proves what was said.";
  }
  return out;
}

std::string name_of(const probes::Recorded& recorded) {
  return recorded.host ? recorded.host->host.text() : recorded.domain->domain.text();
}

void print_text(const probes::Bundle& bundle, const Outcome& outcome) {
  if (!bundle.code.empty())
    std::cout << fmt::format("{}\nalert {} ({})\n", printable(bundle.title),
                             printable(bundle.alert_id), printable(bundle.code));
  for (std::size_t i = 0; i < bundle.observations.size(); ++i) {
    const auto& one = bundle.observations[i];
    std::cout << fmt::format("\n{} as seen at {} by {} from {} (danelaw {}):\n", name_of(one),
                             config::rfc3339(one.observed_at()), printable(one.agent),
                             printable(one.vantage), printable(one.version));
    for (const auto& step : outcome.arguments[i].steps)
      std::cout << fmt::format("  {:8} {}\n", wire_name(step.standing), step.what);
  }
  std::cout << fmt::format(
      "\nproven: by signatures up to the trust anchor. seen: the word of whoever looked. follows: "
      "from "
      "both, by RFC 7672.\n{}\n",
      outcome.verdict);
}

void print_json(const probes::Bundle& bundle, const Outcome& outcome) {
  using Json = nlohmann::ordered_json;
  auto observations = Json::array();
  for (std::size_t i = 0; i < bundle.observations.size(); ++i) {
    const auto& one = bundle.observations[i];
    auto steps = Json::array();
    for (const auto& step : outcome.arguments[i].steps)
      steps.push_back({{"standing", wire_name(step.standing)}, {"what", step.what}});
    observations.push_back({{"target", name_of(one)},
                            {"observed_at", config::rfc3339(one.observed_at())},
                            {"agent", printable(one.agent)},
                            {"vantage", printable(one.vantage)},
                            {"holds", outcome.arguments[i].holds()},
                            {"steps", std::move(steps)}});
  }
  std::cout << Json{{"schema", "danelaw.explain/1"},
                    {"alert",
                     bundle.code.empty() ? Json(nullptr) : Json(printable(bundle.alert_id))},
                    {"code", bundle.code.empty() ? Json(nullptr) : Json(printable(bundle.code))},
                    {"is_proven", outcome.is_proven},
                    {"conclusion", outcome.verdict},
                    {"observations", std::move(observations)}}
                   .dump()
            << '\n';
}

int run_explain(const ExplainFlags& flags, const EvidenceFrom& evidence_from) {
  config::Config settings;
  if (!flags.config_file.empty()) {
    auto loaded = load_or_complain(flags.config_file);
    if (!loaded) return kBadUsage;
    settings = std::move(*loaded);
  }
  std::error_code ignored;
  std::optional<probes::dns::Bytes> octets;
  if (std::filesystem::is_regular_file(flags.what, ignored)) {
    octets = octets_in(flags.what);
  } else {
    auto found = evidence_from(settings.storage.path, flags.what);
    if (!found) {
      std::cerr << found.error() << '\n';
      return kBadUsage;
    }
    octets = std::move(*found);
  }
  if (!octets) {
    std::cerr << fmt::format(
        "{}: no such file, and no alert of that id with evidence in {}; name the agent's "
        "configuration with --config\n",
        printable(flags.what), settings.storage.path.string());
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
  const auto outcome = weigh(*bundle, *anchors);
  if (flags.format == "json")
    print_json(*bundle, outcome);
  else
    print_text(*bundle, outcome);
  return outcome.is_proven ? kProven : kNotProven;
}

}  // namespace

Command add_explain(CLI::App& app, EvidenceFrom evidence_from) {
  const auto flags = std::make_shared<ExplainFlags>();
  auto* command = app.add_subcommand(
      "explain",
      "verify an alert's evidence again, offline and as of then, step by step; exit status 0 when "
      "it proves what was said, 2 when not");
  command
      ->add_option("ALERT-OR-FILE", flags->what,
                   "id of an alert in the database, or a file of evidence (CBOR or JSON)")
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
