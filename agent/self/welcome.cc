#include "agent/self/welcome.h"

#include <algorithm>
#include <string_view>

#include <fmt/format.h>

#include "probes/dns/owner.h"

namespace agent {
namespace {

using config::Time;
using probes::dns::Name;
using probes::smtp::SessionRecord;
using probes::smtp::SessionStop;
using probes::smtp::Stage;

constexpr std::size_t kEnough = 3;     // addresses, and domains of their hosts
constexpr std::size_t kMostNamed = 3;  // in the detail
constexpr std::size_t kLongestWords = 200;

bool is_refused(const SessionRecord& session) {
  constexpr int kClosing = 421;  // speaks of the server, not of who asks
  return (session.stage == Stage::banner || session.stage == Stage::ehlo) &&
         session.stop == SessionStop::negative_reply && !session.took_helo && session.last_reply &&
         session.last_reply->code != kClosing;
}

bool is_welcomed(const SessionRecord& session) {
  return session.took_helo || session.stage == Stage::starttls ||
         session.stage == Stage::handshake || session.stage == Stage::ehlo_tls ||
         session.stage == Stage::done;
}

}  // namespace

void Welcome::note(const Name& host, const std::vector<SessionRecord>& sessions) {
  for (const auto& session : sessions) {
    const Place place{host, session.address};
    if (is_welcomed(session)) {
      refused_by_.erase(place);
      welcomed_by_.insert(place);
    } else if (is_refused(session)) {
      welcomed_by_.erase(place);
      refused_by_[place] =
          fmt::format("{} {}", session.last_reply->code, session.last_reply->text())
              .substr(0, kLongestWords);
    }
  }
}

void Welcome::forget(const Name& host) {
  const auto is_its = [&](const Place& place) { return place.first == host; };
  std::erase_if(refused_by_, [&](const auto& entry) { return is_its(entry.first); });
  std::erase_if(welcomed_by_, is_its);
}

std::vector<SelfCheck> Welcome::checks(Time at, const std::string& helo) const {
  std::set<Name> domains;
  std::set<std::string> addresses;
  for (const auto& [place, words] : refused_by_) {
    domains.insert(owner_of(place.first));
    addresses.insert(place.second);
  }
  SelfCheck check{.check = "greeting", .checked_at = at};
  if (domains.size() < kEnough || addresses.size() < kEnough) {
    if (welcomed_by_.empty()) return {};
    return {check};
  }
  check.is_up = false;
  auto detail = fmt::format("mail servers in {} domains refuse this monitor, which calls itself {}",
                            domains.size(), helo);
  // One of each domain shows best what they have in common.
  std::set<Name> named;
  for (const auto& [place, words] : refused_by_) {
    if (named.size() == kMostNamed || !named.insert(owner_of(place.first)).second) continue;
    detail += fmt::format("; {} ({}) says: {}", place.first.text(), place.second, words);
  }
  check.detail = std::move(detail);
  return {check};
}

}  // namespace agent
