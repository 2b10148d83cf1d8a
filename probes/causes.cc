#include "probes/causes.h"

#include <algorithm>

#include "probes/catalogue.h"

namespace probes {
namespace {

bool is_cause_of(const Finding& cause, const Finding& effect) {
  const bool is_below =
      effect.subject == cause.subject ||
      (effect.subject.kind == Subject::Kind::domain && cause.subject.kind == Subject::Kind::host);
  return &cause != &effect && is_below && explains(cause, effect.code);
}

const Finding* direct_cause(const auto& findings, const Finding& effect) {
  const auto found = std::ranges::find_if(
      findings, [&](const Finding& cause) { return is_cause_of(cause, effect); });
  return found == findings.end() ? nullptr : &*found;
}

const Finding* deepest_cause(const auto& findings, const Finding& finding) {
  const auto* cause = direct_cause(findings, finding);
  // The order has no circles (catalogue_test).
  while (cause != nullptr) {
    const auto* deeper = direct_cause(findings, *cause);
    if (deeper == nullptr) break;
    cause = deeper;
  }
  return cause;
}

}  // namespace

bool explains(const Finding& cause, Code effect) {
  const auto& effects = row_of(cause.code).alerts.explains;
  return cause.is_whole_cause && std::ranges::find(effects, effect) != effects.end();
}

const Finding* cause_among(const Findings& findings, const Finding& finding) {
  return deepest_cause(findings, finding);
}

void link_causes(std::vector<Finding>& findings) {
  for (auto& finding : findings) {
    finding.consequence_of.reset();
    finding.consequences.clear();
  }
  for (auto& finding : findings) {
    const auto* cause = deepest_cause(findings, finding);
    if (cause == nullptr) continue;
    finding.consequence_of = cause->code;
    const Consequence mine{.code = finding.code, .subject = finding.subject};
    auto& known = findings[static_cast<std::size_t>(cause - findings.data())];
    if (std::ranges::find(known.consequences, mine) == known.consequences.end())
      known.consequences.push_back(mine);
    known.severity = std::max(known.severity, finding.severity);
  }
}

}  // namespace probes
