#include "web/routes/own_words.h"

#include <algorithm>
#include <memory>
#include <string_view>
#include <utility>

namespace web {
namespace {

// Evidence that is sentences or names of ours; what mail servers say stays as it is.
bool is_text(std::string_view name) {
  return name == "because" || name == "issuer";
}

// Of "a, b, …", the names of a certificate, those that are theirs, whether others are watched or
// not: as the list of certificates to come has them.
std::string names_of_theirs(std::string_view names, const Theirs& theirs) {
  std::string out;
  while (!names.empty()) {
    const auto end = std::min(names.find_first_of(", "), names.size());
    const std::string name(names.substr(0, end));
    names.remove_prefix(std::min(end + 1, names.size()));
    if (!name.empty() && theirs.fits(name)) out += (out.empty() ? "" : ", ") + name;
  }
  return out.empty() ? "(not yours)" : out;
}

}  // namespace

void take_out_others(std::string_view name, std::string& value, const Theirs& theirs) {
  if (is_text(name)) value = theirs.without_others(value);
  if (name == "names") value = names_of_theirs(value, theirs);
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
