#include "config/system.h"

#include <array>
#include <cstddef>
#include <fstream>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include <unistd.h>

#include "config/name.h"

namespace config {
namespace {

constexpr int most_lines = 1000;  // resolv.conf is short; anything else is not that file

std::optional<ResolverAddress> nameserver_in(std::string_view line) {
  constexpr std::string_view keyword = "nameserver";
  constexpr std::string_view blanks = " \t\r";
  if (!line.starts_with(keyword)) return std::nullopt;
  line.remove_prefix(keyword.size());
  const std::size_t from = line.find_first_not_of(blanks);
  if (from == 0 || from == std::string_view::npos) return std::nullopt;
  auto address = normal_address(line.substr(from, line.find_last_not_of(blanks) - from + 1));
  if (!address) return std::nullopt;
  return ResolverAddress{.address = *std::move(address)};
}

}  // namespace

std::vector<ResolverAddress> system_resolvers(const std::filesystem::path& file) {
  std::vector<ResolverAddress> resolvers;
  std::ifstream in{file};
  std::string line;
  for (int count = 0; count < most_lines && std::getline(in, line); ++count) {
    if (auto resolver = nameserver_in(line)) resolvers.push_back(*std::move(resolver));
  }
  if (resolvers.empty()) resolvers.push_back({.address = "127.0.0.1"});
  return resolvers;
}

std::string host_name() {
  std::array<char, 256> name{};
  if (gethostname(name.data(), name.size() - 1) != 0 || name[0] == '\0') return "localhost";
  return name.data();
}

std::string page_address(const Web& web) {
  if (!web.external_url.empty()) return web.external_url;
  const bool is_v6 = web.listen_address.find(':') != std::string::npos;
  return (web.file.tls ? "https://" : "http://") +
         (is_v6 ? "[" + web.listen_address + "]" : web.listen_address) + ":" +
         std::to_string(web.port);
}

Agent named(Agent agent) {
  if (agent.name.empty()) agent.name = host_name();
  if (agent.vantage.empty()) agent.vantage = agent.name;
  return agent;
}

}  // namespace config
