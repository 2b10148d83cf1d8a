#include "web/routes/narrow_log.h"

#include <utility>

namespace web {
namespace {

using Is = std::function<bool(const std::string&)>;

Is both(Is one, Is other) {
  if (!one) return other;
  return [one = std::move(one), other = std::move(other)](const std::string& name) {
    return one(name) && other(name);
  };
}

}  // namespace

void narrow(storage::LogQuery& query, const Theirs& theirs) {
  // Where somebody asks for some domains only, the agent is none of them.
  query.has_monitor = !query.has_domain;
  query.has_domain = both(std::move(query.has_domain),
                          [&](const std::string& name) { return theirs.has_domain(name); });
  query.has_host = both(std::move(query.has_host),
                        [&](const std::string& name) { return theirs.has_host(name); });
}

void narrow(std::vector<storage::LogEvent>& events, const Theirs& theirs) {
  for (auto& event : events) {
    if (event.alert) event.alert = theirs.narrowed(*event.alert);
  }
  std::erase_if(events, [](const storage::LogEvent& event) {
    return event.kind == storage::LogEvent::Kind::alert && !event.alert;
  });
}

}  // namespace web
