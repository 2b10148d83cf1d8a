#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "config/config.h"

namespace config {

// The resolvers this machine uses: the "nameserver" lines of resolv.conf(5), in its order, port 53.
// A line that is not exactly that keyword and an address is passed over, as the C library does;
// without a usable line (or file) it is 127.0.0.1, again as there. Callers use it where
// Dns::resolvers is empty.
[[nodiscard]] std::vector<ResolverAddress> system_resolvers(
    const std::filesystem::path& file = "/etc/resolv.conf");

// This machine's own name, as gethostname(2) gives it; "localhost" when it has none.
[[nodiscard]] std::string host_name();

// The agent with what is left empty filled in.
[[nodiscard]] Agent named(Agent agent);

// Where users reach the page, as far as the configuration tells: external_url, or what is listened
// on.
[[nodiscard]] std::string page_address(const Web& web);

}  // namespace config
