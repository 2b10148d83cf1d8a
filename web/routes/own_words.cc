#include "web/routes/own_words.h"

#include <algorithm>
#include <memory>
#include <string_view>
#include <utility>

namespace web {

void take_out_others(std::string_view name, std::string& value, const Theirs& theirs) {
  agent::take_out_others(name, value, theirs.owned());
}

void take_out_others(std::vector<probes::Evidence>& evidence, const Theirs& theirs) {
  for (auto& one : evidence) take_out_others(one.name, one.value, theirs);
}

bool has_words_of_others(const agent::DomainState& state) {
  return state.judged && std::ranges::any_of(state.judged->findings, [](const auto& finding) {
           return finding.code == probes::Code::issuer_uncovered ||
                  finding.code == probes::Code::next_key_unpublished;
         });
}

agent::DomainState without_words_of_others(agent::DomainState state, const Theirs& theirs) {
  if (!has_words_of_others(state)) return state;
  auto judged = *state.judged;
  for (auto& finding : judged.findings) take_out_others(finding.evidence, theirs);
  for (auto& host : judged.hosts) {
    for (auto& finding : host.findings) take_out_others(finding.evidence, theirs);
  }
  state.judged = std::make_shared<const probes::DomainJudgement>(std::move(judged));
  return state;
}

}  // namespace web
