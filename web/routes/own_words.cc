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

void take_out_others(nlohmann::ordered_json& node, const Theirs& theirs) {
  if (!node.is_structured()) return;
  if (node.is_object() && node.contains("evidence") && node["evidence"].is_object()) {
    for (auto& [name, value] : node["evidence"].items()) {
      if (value.is_string()) take_out_others(name, value.get_ref<std::string&>(), theirs);
      if (!value.is_array()) continue;
      for (auto& one : value) {
        if (one.is_string()) take_out_others(name, one.get_ref<std::string&>(), theirs);
      }
    }
  }
  for (auto& one : node) take_out_others(one, theirs);
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
  const auto take_out = [&](std::vector<probes::Finding>& all) {
    for (auto& finding : all) take_out_others(finding.evidence, theirs);
  };
  judged.findings.edit(take_out);
  for (std::size_t i = 0; i < judged.hosts.size(); ++i) {
    if (!judged.hosts[i].findings.empty()) judged.hosts.change(i).findings.edit(take_out);
  }
  state.judged = std::make_shared<const probes::DomainJudgement>(std::move(judged));
  return state;
}

}  // namespace web
