#include "agent/stragglers.h"

#include <fmt/format.h>

namespace agent {

void note(Stragglers& known, const probes::dns::ZoneSerials& seen) {
  const auto newest = seen.newest();
  if (!newest) return;
  std::erase_if(known, [&](const auto& entry) { return !seen.by_server.contains(entry.first); });
  for (const auto& [server, serial] : seen.by_server) {
    if (!serial) continue;
    const auto before = known.find(server);
    const bool is_behind = probes::dns::is_newer(*newest, *serial);
    if (is_behind && before != known.end() && before->second.serial == *serial) continue;
    if (before != known.end()) known.erase(before);
    if (is_behind) known[server] = {.serial = *serial, .since = seen.asked_at};
  }
}

std::optional<probes::Finding> find_lagging(const Stragglers& known,
                                            const probes::dns::ZoneSerials& seen,
                                            const probes::Subject& subject) {
  probes::Finding out{.code = probes::Code::nameserver_lagging,
                      .severity = probes::Severity::low,
                      .subject = subject,
                      .evidence = {{"zone", seen.zone.text()}}};
  bool any = false;
  for (const auto& [server, straggler] : known) {
    if (seen.asked_at - straggler.since <= seen.refresh) continue;
    any = true;
    out.evidence.push_back(
        {"server", fmt::format("{} ({}): serial {} since {}", server.name.text(), server.address,
                               straggler.serial, config::rfc3339(straggler.since))});
  }
  if (!any || !seen.newest()) return std::nullopt;
  out.evidence.push_back({"newest-serial", std::to_string(*seen.newest())});
  out.evidence.push_back({"refresh", fmt::format("{} s", seen.refresh.count())});
  return out;
}

}  // namespace agent
