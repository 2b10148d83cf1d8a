#include "agent/hindsight/lagging_nameservers.h"

#include <algorithm>

#include <fmt/format.h>

#include "probes/nameserver_consistency.h"

namespace agent {

namespace {

using probes::dns::is_newer;

// What counts as newest after this look. Where all have answered it is what they say, so that a
// zone may begin to count anew.
std::optional<std::uint32_t> newest_now(const LaggingServers& known,
                                        const probes::dns::ZoneSerials& seen) {
  const auto heard = seen.newest();
  const bool all_answered = std::ranges::all_of(
      seen.by_server, [](const auto& entry) { return entry.second.has_value(); });
  if (!heard || !known.newest || all_answered) return heard ? heard : known.newest;
  return is_newer(*heard, *known.newest) ? heard : known.newest;
}

// One that gives what counts as newest; empty when none did this time.
std::string newest_server(const LaggingServers& known, const probes::dns::ZoneSerials& seen) {
  for (const auto& [server, serial] : seen.by_server) {
    if (serial && serial == known.newest) return probes::server_text(server);
  }
  return {};
}

}  // namespace

void record_serials(LaggingServers& known, const probes::dns::ZoneSerials& seen) {
  known.newest = newest_now(known, seen);
  auto& late = known.by_server;
  std::erase_if(late, [&](const auto& entry) { return !seen.by_server.contains(entry.first); });
  for (const auto& [server, serial] : seen.by_server) {
    if (!serial) continue;
    if (!is_newer(*known.newest, *serial)) {
      late.erase(server);
    } else if (const auto before = late.find(server);
               before == late.end() || before->second.serial != *serial) {
      late[server] = {.serial = *serial, .since = seen.asked_at};
    }
  }
}

std::optional<probes::Finding> find_lagging(const LaggingServers& known,
                                            const probes::dns::ZoneSerials& seen,
                                            const probes::Subject& subject) {
  probes::Finding out{
      .code = probes::Code::nameserver_lagging,
      .severity = probes::Severity::low,
      .subject = subject,
      .evidence = {{"zone", seen.zone.text()}},
      .root = probes::Subject{.kind = probes::Subject::Kind::zone, .name = seen.zone.text()}};
  bool any = false;
  for (const auto& [server, lagging_server] : known.by_server) {
    if (seen.asked_at - lagging_server.since <= seen.refresh) continue;
    any = true;
    out.gaps.push_back({.server = probes::server_text(server),
                        .lacks = {},
                        .keeps = {std::to_string(lagging_server.serial)},
                        .given_by = {},
                        .since = lagging_server.since});
    out.evidence.push_back(
        {"server", fmt::format("{}: serial {} since {}", probes::server_text(server),
                               lagging_server.serial, config::rfc3339(lagging_server.since))});
  }
  if (!any) return std::nullopt;
  for (auto& gap : out.gaps) {
    gap.lacks = {std::to_string(known.newest.value_or(0))};
    gap.given_by = newest_server(known, seen);
  }
  out.evidence.push_back({"newest-serial", std::to_string(known.newest.value_or(0))});
  out.evidence.push_back({"refresh", fmt::format("{} s", seen.refresh.count())});
  return out;
}

}  // namespace agent
