#include "probes/findings/wide_denials.h"

#include <algorithm>

#include <fmt/format.h>

namespace probes {
namespace {

using dns::Outcome;

// An RRset that exists.
struct There {
  dns::Name name;
  dns::Name source;  // the wildcard that it was made from, or `name`
  std::uint16_t type = 0;
};

std::vector<There> what_is_there(const std::vector<const dns::Answer*>& answers,
                                 const dns::Survey& survey) {
  std::vector<There> out;
  for (const auto* answer : answers) {
    if (answer->outcome == Outcome::answer)
      out.push_back({answer->final_name, answer->source, answer->type});
  }
  for (const auto& one : survey.answers) {
    if (one.outcome == Outcome::answer && !one.is_alias)
      out.push_back({one.question.name, one.question.name, one.question.type});
  }
  return out;
}

bool denies(const dns::Answer& denial, const There& there) {
  if (denial.rcode == dns::rcode::nxdomain) return there.name.is_within(denial.final_name);
  if (!denial.denial || denial.status != dns::DnssecStatus::secure) return false;
  const bool is_same = there.name == denial.final_name || there.source == denial.denial->owner;
  return is_same && !std::ranges::binary_search(denial.denial->types, there.type);
}

}  // namespace

std::optional<Finding> find_wide_denial(const Subject& subject,
                                        const std::vector<const dns::Answer*>& answers,
                                        const dns::Survey& survey) {
  const auto all = what_is_there(answers, survey);
  Finding out{.code = Code::denial_too_wide, .severity = Severity::high, .subject = subject};
  const auto once = [&](std::string name, std::string value) {
    Evidence item{std::move(name), std::move(value)};
    if (std::ranges::find(out.evidence, item) == out.evidence.end())
      out.evidence.push_back(std::move(item));
  };
  for (const auto* denial : answers) {
    if (denial->outcome != Outcome::absent) continue;
    for (const auto& there : all) {
      if (!denies(*denial, there)) continue;
      if (denial->signer && !out.root)
        out.root = Subject{.kind = Subject::Kind::zone, .name = denial->signer->text()};
      const bool is_name = denial->rcode == dns::rcode::nxdomain;
      once("lookup", fmt::format("{} {}", denial->final_name.text(), dns::type_name(denial->type)));
      once("denies", fmt::format("{} {}", there.name.text(), dns::type_name(there.type)));
      once("proof",
           is_name ? "says that the name does not exist"
                   : fmt::format("lists the types of {} without it", denial->denial->owner.text()));
    }
  }
  if (out.evidence.empty()) return std::nullopt;
  return out;
}

}  // namespace probes
