#pragma once

#include <string>
#include <vector>

#include "config/time.h"
#include "probes/dns/survey.h"
#include "probes/verdict.h"

// PURE
// Whether the authoritative servers of a zone agree, and which one is out of step.
namespace probes {

// What a survey says of a domain or a host. `is_signed`: the zone is known to be signed, so that an
// answer without signatures is a fault.
[[nodiscard]] std::vector<Finding> find_in_survey(const Subject& subject, const dns::Survey& survey,
                                                  bool is_signed, config::Time at);

// As people are told of it: name and address.
[[nodiscard]] std::string server_text(const dns::Server& server);

// The servers that deny the existence of `name` although something stands below it (RFC 8020): a
// resolver that minimises names, or cuts at NXDOMAIN, finds nothing there.
[[nodiscard]] std::vector<dns::Server> deniers_of(const dns::Name& name, const dns::Survey& survey);

}  // namespace probes
