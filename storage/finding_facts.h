#pragma once

#include <nlohmann/json.hpp>

#include "probes/verdict.h"

// What is known of a finding beyond its words, in the form in which it is recorded.
namespace storage {

void put_facts(nlohmann::json& typed, const probes::Finding& finding);
// Takes what is there: older records have less.
void take_facts(probes::Finding& finding, const nlohmann::json& typed);

}  // namespace storage
