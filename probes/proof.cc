#include "probes/proof.h"

#include <algorithm>
#include <map>

#include <fmt/format.h>

#include "probes/cause_of.h"
#include "probes/explain.h"
#include "probes/shown.h"

namespace probes {
namespace {

// Looks that lie further apart tell nothing of each other: hosts change.
constexpr config::Seconds kOneTime = std::chrono::hours{24};
// As much as clocks are apart.
constexpr config::Seconds kFast = std::chrono::minutes{5};

bool is_said(const Finding& finding, const Argument& argument, const Bundle& bundle) {
  return wire_name(finding.code) == bundle.code &&
         cause_in(argument.judged, finding) == bundle.subject;
}

// What the alert says, in what follows from that look.
const Finding* find_said(const Findings& findings, const Argument& argument, const Bundle& bundle) {
  const auto found = std::ranges::find_if(
      findings, [&](const Finding& finding) { return is_said(finding, argument, bundle); });
  return found == findings.end() ? nullptr : &*found;
}

std::string name_of(const Recorded& recorded) {
  return recorded.host ? recorded.host->host.text() : recorded.domain->domain.text();
}

std::string said_in(const Bundle& bundle) {
  return printable(
      fmt::format("{} of {} {}", bundle.code, wire_name(bundle.subject.kind), bundle.subject.name));
}

// Hosts first: domains are judged with those that were derived, of each the latest.
std::vector<Argument> arguments_of(const Bundle& bundle, const std::vector<dns::Record>& anchors) {
  std::vector<Argument> out(bundle.observations.size());
  std::map<dns::Name, HostSeen> hosts;
  for (const bool is_host : {true, false}) {
    for (std::size_t i = 0; i < out.size(); ++i) {
      const auto& one = bundle.observations[i];
      if ((one.host != nullptr) != is_host) continue;
      out[i] = verify(one, anchors, hosts);
      if (is_host) hosts[one.host->host] = out[i].host;
    }
  }
  return out;
}

// No look by itself shows that places differ: those of one host from different places do.
std::optional<Finding> find_difference(const Bundle& bundle,
                                       const std::vector<Argument>& arguments) {
  const auto code = code_from(bundle.code);
  if (code != Code::selective_starttls && code != Code::vantage_split) return std::nullopt;
  struct Seen {
    config::Time at;
    Verdict verdict;
    std::map<std::string, Shown> shown;  // by address
  };
  std::map<std::string, Seen> by_place;
  for (std::size_t i = 0; i < arguments.size(); ++i) {
    const auto& host = arguments[i].host;
    if (!host || host->host.text() != bundle.subject.name) continue;
    const auto at = bundle.observations[i].observed_at();
    auto& place = by_place[bundle.observations[i].vantage];
    if (at >= place.at) place = {at, arguments[i].judged.verdict, shown(*host)};
  }
  const auto differ = [&](const Seen& here, const Seen& there) {
    if (std::max(here.at, there.at) - std::min(here.at, there.at) > kOneTime) return false;
    if (code == Code::vantage_split && here.verdict != there.verdict) return true;
    return std::ranges::any_of(here.shown, [&](const auto& address) {
      const auto other = there.shown.find(address.first);
      return other != there.shown.end() && address.second.is_known && other->second.is_known &&
             other->second != address.second;
    });
  };
  const bool is_shown = std::ranges::any_of(by_place, [&](const auto& here) {
    return std::ranges::any_of(
        by_place, [&](const auto& there) { return differ(here.second, there.second); });
  });
  if (!is_shown) return std::nullopt;
  return Finding{.code = *code, .subject = bundle.subject};
}

std::string conclusion_of(const Bundle& bundle, const Proof& proof, bool holds,
                          bool is_by_proof_alone) {
  if (proof.arguments.empty()) return "There is no observation in it: nothing is proven.";
  if (!holds) return "The evidence does not hold: what it says is refuted by what it carries.";
  if (bundle.code.empty()) return "The evidence holds.";
  if (!proof.shown)
    return fmt::format(
        "The observations hold, but by themselves they do not show {}: that rests on more than "
        "they carry, e.g. on history.",
        said_in(bundle));
  if (is_by_proof_alone)
    return fmt::format("The evidence proves what was said: {}.", said_in(bundle));
  return fmt::format(
      "What was said follows from the evidence: {}. It rests on what is proven and on what was "
      "seen, which is the word of whoever looked.",
      said_in(bundle));
}

}  // namespace

Proof prove(const Bundle& bundle, const std::vector<dns::Record>& anchors, config::Time now) {
  Proof out{.arguments = arguments_of(bundle, anchors)};
  for (std::size_t i = 0; i < out.arguments.size(); ++i) {
    const auto at = bundle.observations[i].observed_at();
    if (at <= now + kFast) continue;
    out.arguments[i].steps.push_back(
        {Standing::refuted, fmt::format("It is of {}, which has not come.", config::rfc3339(at))});
  }
  const bool holds = !out.arguments.empty() && std::ranges::all_of(out.arguments, &Argument::holds);
  bool is_by_proof_alone = false;
  for (const auto& argument : out.arguments) {
    const auto* finding = find_said(argument.judged.findings, argument, bundle);
    if (finding == nullptr) continue;
    out.shown = *finding;
    is_by_proof_alone =
        is_by_proof_alone || find_said(argument.proven, argument, bundle) != nullptr;
  }
  if (!out.shown) out.shown = find_difference(bundle, out.arguments);
  out.is_proven = holds && (bundle.code.empty() || out.shown);
  out.conclusion = conclusion_of(bundle, out, holds, is_by_proof_alone);
  return out;
}

std::string to_text(const Bundle& bundle, const Proof& proof) {
  std::string out;
  if (!bundle.code.empty())
    out += fmt::format("alert {}: {}\n", printable(bundle.alert_id), said_in(bundle));
  if (proof.shown) out += explain(*proof.shown).title + '\n';
  for (std::size_t i = 0; i < bundle.observations.size(); ++i) {
    const auto& one = bundle.observations[i];
    out += fmt::format("\n{} as seen at {} by {} from {} (danelaw {}):\n", name_of(one),
                       config::rfc3339(one.observed_at()), printable(one.agent),
                       printable(one.vantage), printable(one.version));
    for (const auto& step : proof.arguments[i].steps)
      out += fmt::format("  {:8} {}\n", wire_name(step.standing), step.what);
  }
  out += fmt::format(
      "\nproven: by signatures up to the trust anchor. seen: the word of whoever looked. follows: "
      "from both, by RFC 7672.\n{}\n",
      proof.conclusion);
  return out;
}

nlohmann::ordered_json to_json(const Bundle& bundle, const Proof& proof) {
  using Json = nlohmann::ordered_json;
  auto observations = Json::array();
  for (std::size_t i = 0; i < bundle.observations.size(); ++i) {
    const auto& one = bundle.observations[i];
    auto steps = Json::array();
    for (const auto& step : proof.arguments[i].steps)
      steps.push_back({{"standing", wire_name(step.standing)}, {"what", step.what}});
    observations.push_back({{"target", name_of(one)},
                            {"observed_at", config::rfc3339(one.observed_at())},
                            {"agent", printable(one.agent)},
                            {"vantage", printable(one.vantage)},
                            {"holds", proof.arguments[i].holds()},
                            {"steps", std::move(steps)}});
  }
  const bool is_alerts = !bundle.code.empty();
  return {{"schema", "danelaw.explain/1"},
          {"alert", is_alerts ? Json(printable(bundle.alert_id)) : Json(nullptr)},
          {"code", is_alerts ? Json(printable(bundle.code)) : Json(nullptr)},
          {"subject", is_alerts ? Json{{"kind", wire_name(bundle.subject.kind)},
                                       {"name", printable(bundle.subject.name)}}
                                : Json(nullptr)},
          {"is_proven", proof.is_proven},
          {"conclusion", proof.conclusion},
          {"observations", std::move(observations)}};
}

}  // namespace probes
