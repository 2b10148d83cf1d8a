#include "agent/self/outbound_smtp.h"

#include <algorithm>
#include <set>

#include <fmt/format.h>

#include "probes/service.h"

namespace agent {
namespace {

using config::Seconds;
using config::Time;
using probes::dns::Name;
using probes::smtp::SessionRecord;
using probes::smtp::SessionStop;

constexpr std::size_t kEnoughAddresses = 3;
constexpr std::size_t kEnoughHosts = 2;
constexpr std::size_t kWitnesses = 3;  // of a family
// While somebody was reached so lately no witness is needed: shorter than it takes to look again.
constexpr Seconds kLately{2};
// Hostile domains may lead to ever new addresses; more of them prove nothing more.
constexpr std::size_t kMostStuck = 1000;

struct FamilyName {
  const char* check;
  const char* shown;
  const char* who;    // is not reached
  const char* where;  // connections go
};
constexpr std::array<FamilyName, 4> kFamilyNames{
    {{"smtp_ipv4", "IPv4", "mail servers", "the SMTP port"},
     {"smtp_ipv6", "IPv6", "mail servers", "the SMTP port"},
     {"service_ipv4", "IPv4", "services", "their ports"},
     {"service_ipv6", "IPv6", "services", "their ports"}}};

std::size_t family_of(const Name& host, const std::string& address) {
  const std::size_t is_v6 = address.find(':') == std::string::npos ? 0 : 1;
  return (probes::is_service(host) ? 2 : 0) + is_v6;
}

// The same doors by the other protocol.
std::size_t other_of(std::size_t family) {
  return family ^ 1U;
}

// Nobody answered. An address that is never contacted says nothing.
bool is_stuck(const SessionRecord& session) {
  return session.stage == probes::smtp::Stage::connect &&
         session.stop != SessionStop::special_address;
}

bool is_reached(const SessionRecord& session) {
  return session.stage != probes::smtp::Stage::connect;
}

}  // namespace

void OutboundSmtp::record_sessions(Family& family, const Name& host, const SessionRecord& session,
                                   Time began) {
  if (is_reached(session)) {
    family.was_tried = true;
    if (family.reached_at && began < *family.reached_at) return;
    family.reached_at = began;
    auto& answered = family.answered[host];
    family.by_time.erase({answered.at, host});
    answered = {.address = session.address, .at = began};
    family.by_time.emplace(began, host);
    std::erase_if(family.stuck, [&](const auto& one) { return one.second <= began; });
  } else if (is_stuck(session)) {
    family.was_tried = family.was_tried || session.stop != SessionStop::no_route;
    const bool is_news = !family.reached_at || *family.reached_at < began;
    if (is_news && family.stuck.size() < kMostStuck) family.stuck[{host, session.address}] = began;
  }
}

void OutboundSmtp::record_sessions(const Name& host, const std::vector<SessionRecord>& sessions,
                                   Time began) {
  for (const auto& session : sessions)
    record_sessions(families_.at(family_of(host, session.address)), host, session, began);
}

void OutboundSmtp::forget(const Name& host) {
  for (auto& family : families_) {
    if (const auto answered = family.answered.extract(host))
      family.by_time.erase({answered.mapped().at, host});
    for (auto one = family.stuck.lower_bound({host, ""});
         one != family.stuck.end() && one->first.first == host;)
      one = family.stuck.erase(one);
  }
}

void OutboundSmtp::add_controls(std::vector<ControlHost>& out, const Family& family,
                                const Name* besides) {
  std::size_t left = kWitnesses;
  for (auto one = family.by_time.rbegin(); one != family.by_time.rend() && left > 0; ++one) {
    const auto& host = one->second;
    if (besides != nullptr && host == *besides) continue;
    out.push_back({.host = host, .address = family.answered.at(host).address});
    --left;
  }
}

bool OutboundSmtp::is_proven_down(const Family& family) {
  std::set<Name> hosts;
  std::set<std::string> addresses;
  for (const auto& [where, at] : family.stuck) {
    hosts.insert(probes::dns_name_of(where.first));  // the doors of one host go together
    addresses.insert(where.second);
    if (hosts.size() >= kEnoughHosts && addresses.size() >= kEnoughAddresses) return true;
  }
  return false;
}

std::optional<Time> OutboundSmtp::first_stuck(const Family& family) {
  std::optional<Time> out;
  for (const auto& [where, at] : family.stuck) out = std::min(out.value_or(at), at);
  return out;
}

bool OutboundSmtp::is_limit(const Family& family) {
  return !family.was_tried;
}

bool OutboundSmtp::is_down(std::size_t family) const {
  const auto& mine = families_.at(family);
  if (is_proven_down(mine)) return true;
  const auto& other = families_.at(other_of(family));
  return !mine.stuck.empty() && is_proven_down(other) && !is_limit(other);
}

std::vector<OutboundSmtp::ControlHost> OutboundSmtp::controls_for(
    const probes::HostObservation& seen, Time began) const {
  std::vector<ControlHost> out;
  for (std::size_t i = 0; i < kFamilies; ++i) {
    const auto& family = families_.at(i);
    const bool got_stuck = std::ranges::any_of(seen.sessions, [&](const SessionRecord& session) {
      return is_stuck(session) && family_of(seen.host, session.address) == i;
    });
    const bool is_proven = family.reached_at && *family.reached_at + kLately >= began;
    if (got_stuck && !is_proven && !is_proven_down(family)) add_controls(out, family, &seen.host);
  }
  return out;
}

std::vector<OutboundSmtp::ControlHost> OutboundSmtp::controls_while_down() const {
  std::vector<ControlHost> out;
  for (std::size_t i = 0; i < kFamilies; ++i) {
    const auto& mine = families_.at(i);
    const auto& other = families_.at(other_of(i));
    // One that works is tried once after the other failed.
    const auto since =
        is_proven_down(other) && !is_limit(other) ? first_stuck(other) : std::nullopt;
    if (is_down(i) || (since && mine.reached_at < since)) add_controls(out, mine, nullptr);
  }
  return out;
}

std::string OutboundSmtp::detail_of(std::size_t i) const {
  const auto& family = families_.at(i);
  const auto& name = kFamilyNames.at(i);
  if (is_limit(family))
    return fmt::format("this machine has no {} route: such addresses are not probed", name.shown);
  std::set<std::string> addresses;
  for (const auto& [where, at] : family.stuck) addresses.insert(where.second);
  return fmt::format(
      "none of {} {} could be reached over {}: outgoing connections to {} are probably blocked "
      "here",
      addresses.size(), name.who, name.shown, name.where);
}

std::vector<SelfCheck> OutboundSmtp::checks(Time at) const {
  std::vector<SelfCheck> out;
  for (std::size_t i = 0; i < kFamilies; ++i) {
    const auto& family = families_.at(i);
    if (!family.reached_at && !is_down(i)) continue;
    SelfCheck check{.check = kFamilyNames.at(i).check, .is_up = !is_down(i), .checked_at = at};
    if (!check.is_up) {
      check.is_limit = is_limit(family);
      check.detail = detail_of(i);
    }
    out.push_back(std::move(check));
  }
  return out;
}

bool OutboundSmtp::mark_as_local(probes::HostObservation& seen) const {
  bool is_worth_repeating = false;
  for (auto& session : seen.sessions) {
    const auto i = family_of(seen.host, session.address);
    if (!is_stuck(session) || !is_down(i)) continue;
    is_worth_repeating = is_worth_repeating || !is_limit(families_.at(i));
    if (session.stop == SessionStop::no_route) continue;
    session.stop = SessionStop::no_route;
    session.detail = detail_of(i);
  }
  return is_worth_repeating;
}

}  // namespace agent
