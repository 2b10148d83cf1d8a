#pragma once

#include <string>
#include <string_view>
#include <vector>

#include <nlohmann/json.hpp>

#include "agent/alerts/round.h"
#include "web/routes/theirs.h"

// PURE
namespace web {

// What the agent knows of one domain it may have learned at another, or from a certificate that
// somebody else showed: the evidence of a finding then names hosts of others. They are taken out.
void take_out_others(std::string_view name, std::string& value, const Theirs& theirs);
void take_out_others(std::vector<probes::Evidence>& evidence, const Theirs& theirs);
// The same in a check object, or a part of one, that was recorded: there a name stands once, with a
// list where it had several values.
void take_out_others(nlohmann::ordered_json& node, const Theirs& theirs);
// The same of all that was found there; costs a copy only where there is something to take out.
[[nodiscard]] bool has_words_of_others(const agent::DomainState& state);
[[nodiscard]] agent::DomainState without_words_of_others(agent::DomainState state,
                                                         const Theirs& theirs);

}  // namespace web
