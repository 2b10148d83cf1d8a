#include "agent/hindsight/asked_senders.h"

#include <algorithm>

#include <fmt/format.h>

#include "probes/judge.h"

namespace agent {

std::vector<probes::Finding> asked_sender_findings(const probes::DomainJudgement& judged,
                                                   const std::vector<std::string>& asked) {
  std::vector<probes::Finding> out;
  if (!is_deliverable(judged.verdict)) return out;
  for (const auto& split : judged.splits) {
    if (is_deliverable(split.verdict) || split.verdict == probes::Verdict::unknown ||
        std::ranges::find(asked, split.sender) == asked.end())
      continue;
    if (out.empty()) {
      out.push_back({.code = probes::Code::dane_fragile,
                     .severity = probes::Severity::high,
                     .subject = {.kind = probes::Subject::Kind::domain,
                                 .name = judged.seen.open()->domain.text()}});
    }
    const auto words = probes::words_of(split.sender);
    out.front().evidence.push_back(
        {"senders", fmt::format("{} ({}): {}", words, split.sender, wire_name(split.verdict))});
  }
  return out;
}

}  // namespace agent
