#include "agent/self/welcome.h"

#include <ranges>
#include <string_view>
#include <utility>

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

void Welcome::end_refusal(const Place& place) {
  const auto domain = refused_in_.find(owner_of(place.first));
  if (domain == refused_in_.end() || domain->second.erase(place) == 0) return;
  if (domain->second.empty()) refused_in_.erase(domain);
  const auto address = refused_at_.find(place.second);
  if (--address->second == 0) refused_at_.erase(address);
}

void Welcome::record_sessions(const Name& host, const std::vector<SessionRecord>& sessions) {
  for (const auto& session : sessions) {
    const Place place{host, session.address};
    if (is_welcomed(session)) {
      end_refusal(place);
      welcomed_by_.insert(place);
    } else if (is_refused(session)) {
      welcomed_by_.erase(place);
      auto words = fmt::format("{} {}", session.last_reply->code, session.last_reply->text())
                       .substr(0, kLongestWords);
      const bool is_new =
          refused_in_[owner_of(host)].insert_or_assign(place, std::move(words)).second;
      if (is_new) ++refused_at_[session.address];
    }
  }
}

void Welcome::forget(const Name& host) {
  const auto first_of = [&](const auto& places) { return places.lower_bound({host, ""}); };
  for (auto one = first_of(welcomed_by_); one != welcomed_by_.end() && one->first == host;)
    one = welcomed_by_.erase(one);
  const auto domain = refused_in_.find(owner_of(host));
  if (domain == refused_in_.end()) return;
  std::vector<Place> its;
  const auto& places = domain->second;
  for (auto one = first_of(places); one != places.end() && one->first.first == host; ++one)
    its.push_back(one->first);
  for (const auto& place : its) end_refusal(place);
}

std::vector<SelfCheck> Welcome::checks(Time at, const std::string& helo) const {
  SelfCheck check{.check = "greeting", .checked_at = at};
  if (refused_in_.size() < kEnough || refused_at_.size() < kEnough) {
    if (welcomed_by_.empty()) return {};
    return {check};
  }
  check.is_up = false;
  auto detail = fmt::format("mail servers in {} domains refuse this monitor, which calls itself {}",
                            refused_in_.size(), helo);
  // One of each domain shows best what they have in common.
  for (const auto& [domain, places] : refused_in_ | std::views::take(kMostNamed)) {
    const auto& [place, words] = *places.begin();
    detail += fmt::format("; {} ({}) says: {}", place.first.text(), place.second, words);
  }
  check.detail = std::move(detail);
  return {check};
}

}  // namespace agent
