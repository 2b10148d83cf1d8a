#include "probes/proof.h"

#include <algorithm>

#include <fmt/format.h>

#include "probes/explain.h"

namespace probes {
namespace {

// An alert's finding is proven when a look that is proven shows it.
bool shows(const Argument& argument, const Bundle& bundle) {
  return argument.holds() &&
         std::ranges::any_of(argument.judged.findings, [&](const Finding& finding) {
           return wire_name(finding.code) == bundle.code && finding.subject == bundle.subject;
         });
}

std::string name_of(const Recorded& recorded) {
  return recorded.host ? recorded.host->host.text() : recorded.domain->domain.text();
}

}  // namespace

Proof prove(const Bundle& bundle, const std::vector<dns::Record>& anchors) {
  Proof out;
  for (const auto& one : bundle.observations) out.arguments.push_back(verify(one, anchors));
  const bool holds = !out.arguments.empty() && std::ranges::all_of(out.arguments, &Argument::holds);
  const bool is_shown =
      bundle.code.empty() || std::ranges::any_of(out.arguments, [&](const auto& argument) {
        return shows(argument, bundle);
      });
  out.is_proven = holds && is_shown;
  if (out.arguments.empty()) {
    out.conclusion = "There is no observation in it: nothing is proven.";
  } else if (!holds) {
    out.conclusion = "The evidence does not hold: what it says is refuted by what it carries.";
  } else if (!is_shown) {
    out.conclusion = fmt::format(
        "The observations hold, but by themselves they do not show {}: that rests on more than "
        "they carry, e.g. on history.",
        printable(bundle.code));
  } else {
    out.conclusion = "The evidence proves what was said.";
  }
  return out;
}

std::string to_text(const Bundle& bundle, const Proof& proof) {
  std::string out;
  if (!bundle.code.empty())
    out += fmt::format("{}\nalert {} ({})\n", printable(bundle.title), printable(bundle.alert_id),
                       printable(bundle.code));
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
          {"is_proven", proof.is_proven},
          {"conclusion", proof.conclusion},
          {"observations", std::move(observations)}};
}

}  // namespace probes
