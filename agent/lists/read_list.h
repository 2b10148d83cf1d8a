#pragma once

#include <stop_token>
#include <string>
#include <vector>

#include "config/config.h"
#include "config/listed_domains.h"
#include "config/result.h"

namespace agent {

using ReadList = config::Result<std::vector<config::ListedDomain>, std::string>;

// Asks the list's source, once, and takes half a minute at most. The error says why it is not to be
// had, or what in it is no domain; it may quote the outside world, escape where shown. When told to
// stop, it ends at once.
[[nodiscard]] ReadList read_list(const config::DomainList& list, const std::stop_token& stop);

// The source for people: of a URL what is before its query, for a secret may stand there.
[[nodiscard]] std::string source_of(const config::DomainList& list);

// What keeps the list from being read that stands on this machine: its secrets, its CAs. One
// sentence each.
[[nodiscard]] std::vector<std::string> obstacles_of(const config::DomainList& list);

}  // namespace agent
