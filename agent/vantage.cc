#include "agent/vantage.h"

#include <algorithm>
#include <array>
#include <set>

#include <fmt/format.h>

namespace agent {

using probes::dns::Cause;
using probes::dns::DnssecStatus;
using probes::dns::Outcome;

std::vector<VantageCheck> check_vantage(probes::dns::Lookup& lookup,
                                        const probes::dns::Name& anchor, config::Time at,
                                        config::Deadline deadline) {
  VantageCheck dns{.check = "dns", .checked_at = at};
  VantageCheck clock{.check = "clock", .checked_at = at};
  const auto answer = lookup.ask(anchor, probes::dns::type::soa, at, deadline);
  switch (answer.cause) {
    case Cause::none:
      if (answer.outcome == Outcome::answer && answer.status == DnssecStatus::secure) break;
      dns.is_up = false;
      dns.detail =
          "the resolver hands out the trust anchor's zone without signatures that validate";
      break;
    case Cause::bogus:
      dns.is_up = false;
      dns.detail = answer.signatures
                       ? "what the resolver hands out does not validate from the trust anchor: it "
                         "is the wrong anchor, or the resolver changes answers"
                       : "the resolver strips DNSSEC signatures, or does not know them: use one "
                         "that passes DNSSEC records";
      break;
    case Cause::signature_expired:
    case Cause::signature_not_yet_valid:
      clock.is_up = false;
      clock.detail = fmt::format(
          "signatures at the trust anchor are {}: this machine's clock is wrong, or somebody "
          "replays old data",
          answer.cause == Cause::signature_expired ? "expired" : "not valid yet");
      break;
    default:
      dns.is_up = false;
      dns.detail = fmt::format("no usable answer from the resolver: {}", answer.detail);
  }
  return {dns, clock};
}

namespace {

// What sessions over one family have come to.
struct Reach {
  std::set<std::string> addresses;
  std::set<probes::dns::Name> hosts;
  bool any_reached = false;
  bool any_tried = false;  // a packet was sent
};

void count(Reach& reach, const probes::HostObservation& host,
           const probes::smtp::SessionRecord& session) {
  using probes::smtp::SessionStop;
  if (session.stop == SessionStop::special_address) return;
  reach.addresses.insert(session.address);
  reach.hosts.insert(host.host);
  const bool is_stuck = session.stage == probes::smtp::Stage::connect;
  reach.any_reached = reach.any_reached || !is_stuck;
  reach.any_tried = reach.any_tried || session.stop != SessionStop::no_route;
}

}  // namespace

std::vector<VantageCheck> check_smtp(const std::vector<probes::HostSeen>& hosts, config::Time at) {
  constexpr std::size_t kEnoughAddresses = 3;
  constexpr std::size_t kEnoughHosts = 2;
  std::array<Reach, 2> families;  // IPv4, IPv6
  for (const auto& host : hosts) {
    for (const auto& session : host->sessions)
      count(families[session.address.find(':') == std::string::npos ? 0 : 1], *host, session);
  }
  std::vector<VantageCheck> out;
  for (std::size_t i = 0; i < families.size(); ++i) {
    const auto& reach = families[i];
    if (reach.addresses.size() < kEnoughAddresses || reach.hosts.size() < kEnoughHosts) continue;
    const auto* family = i == 0 ? "IPv4" : "IPv6";
    VantageCheck check{.check = i == 0 ? "smtp_ipv4" : "smtp_ipv6", .checked_at = at};
    check.is_up = reach.any_reached;
    check.is_limit = !reach.any_reached && !reach.any_tried;
    if (check.is_limit) {
      check.detail =
          fmt::format("this machine has no {} route: such addresses are not probed", family);
    } else if (!check.is_up) {
      check.detail = fmt::format(
          "none of {} mail servers could be reached over {}: outgoing connections to the SMTP port "
          "are probably blocked here",
          reach.addresses.size(), family);
    }
    out.push_back(std::move(check));
  }
  return out;
}

const VantageCheck* cut_off(const std::vector<VantageCheck>& smtp) {
  if (std::ranges::any_of(smtp, &VantageCheck::is_up)) return nullptr;
  const auto blocked = std::ranges::find(smtp, false, &VantageCheck::is_limit);
  return blocked == smtp.end() ? nullptr : &*blocked;
}

const VantageCheck* first_failing(const std::vector<VantageCheck>& checks) {
  const auto failing = std::ranges::find(checks, false, &VantageCheck::is_up);
  return failing == checks.end() ? nullptr : &*failing;
}

}  // namespace agent
