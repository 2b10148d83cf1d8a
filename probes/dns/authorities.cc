#include "probes/dns/authorities.h"

#include <algorithm>

#include <fmt/format.h>

#include "probes/dns/server_address.h"
#include "probes/special_address.h"

namespace probes::dns {
namespace {

using config::Failure;
using std::chrono::seconds;
using std::chrono::steady_clock;

constexpr std::size_t kMostServers = 12;    // of one zone
constexpr std::size_t kEnoughServers = 4;   // further names are not looked up then
constexpr std::size_t kMostZones = 10'000;  // kept
constexpr unsigned kMostQuestions = 60;     // for one question of ours
constexpr unsigned kDeepest = 3;            // servers whose addresses depend on others' names
constexpr seconds kPatience{1};             // with one server
constexpr seconds kRootPatience{15};
constexpr seconds kZoneKept{300};
constexpr seconds kRootKept{3600};
constexpr seconds kSilenceKept{30};

// The zone below that a reply refers to; nothing when it is no referral on the way to `name`.
std::optional<Name> referral(const Message& reply, const Name& zone, const Name& name) {
  if (reply.rcode != rcode::noerror) return std::nullopt;
  for (const auto& record : reply.authority) {
    if (record.type != type::ns || record.owner == zone) continue;
    if (record.owner.is_within(zone) && name.is_within(record.owner)) return record.owner;
  }
  return std::nullopt;
}

// A server speaks for its own zone only: the rest may be made up.
void cut_to(const Name& zone, Message& reply) {
  const auto is_beyond = [&](const Record& record) { return !record.owner.is_within(zone); };
  std::erase_if(reply.answer, is_beyond);
  std::erase_if(reply.authority, is_beyond);
}

QueryFault cut_off() {
  return {
      .fault = Fault::cut_off, .detail = "name servers cannot be asked from here", .server = {}};
}

}  // namespace

void DirectReach::heard() {
  const std::scoped_lock lock(mutex_);
  closed_until_.reset();
}

void DirectReach::close(Moment at) {
  const std::scoped_lock lock(mutex_);
  closed_until_ = at + kClosed;
}

bool DirectReach::is_closed(Moment at) const {
  const std::scoped_lock lock(mutex_);
  return closed_until_ && at < *closed_until_;
}

struct Authorities::Search {
  config::Deadline deadline;
  unsigned questions = 0;
};

bool Authorities::is_cut_off() const {
  return reach_.is_closed(steady_clock::now());
}

config::Result<Message, QueryFault> Authorities::ask(const Query& query,
                                                     config::Deadline deadline) {
  if (is_cut_off()) return Failure<QueryFault>(cut_off());
  Search search{.deadline = deadline};
  return descend(search, query, 0);
}

Authorities::Reply Authorities::descend(Search& search, const Query& query, unsigned depth) {
  // DS records are the parent's (RFC 4035 §3.1.4.1).
  const auto name =
      query.type == type::ds && !query.name.is_root() ? query.name.parent() : query.name;
  auto zone = nearest_known(name);
  if (!zone) zone = find_root(search);
  if (!zone) return Failure<QueryFault>(cut_off());
  while (true) {
    auto reply = ask_servers(search, *zone, query);
    if (!reply) return reply;
    const auto below = reply->authoritative ? std::nullopt : referral(*reply, zone->name, name);
    if (!below) {
      cut_to(zone->name, *reply);
      return reply;
    }
    zone = find_zone(search, *zone, *below, *reply, depth);
  }
}

// One after the other until one knows: authoritative, or a referral. What errors and lame servers
// said is kept for the case that nobody does better.
Authorities::Reply Authorities::ask_servers(Search& search, const Zone& zone, const Query& query) {
  const auto name =
      query.type == type::ds && !query.name.is_root() ? query.name.parent() : query.name;
  // Servers that we have no way to are our limit, not theirs.
  Reply worst = Failure<QueryFault>(QueryFault{
      .fault = zone.is_barred ? Fault::cut_off : Fault::timeout,
      .detail =
          fmt::format("no name server of {} has an address that can be asked", zone.name.text()),
      .server = {}});
  auto servers = zone.addresses;
  const auto now = steady_clock::now();
  std::ranges::stable_partition(servers, [&](const std::string& address) {
    const auto known = silent_.find(address);
    return known == silent_.end() || known->second <= now;
  });
  bool is_anybody_there = false;
  bool is_anybody_silent = false;
  for (const auto& address : servers) {
    if (++search.questions > kMostQuestions || steady_clock::now() >= search.deadline) break;
    const auto until = std::min(search.deadline, steady_clock::now() + kPatience);
    auto reply = direct_.ask_server(query, address, Transport::udp_first, until);
    if (!reply) {
      if (silent_.size() >= kMostZones) silent_.clear();
      silent_[address] = steady_clock::now() + kSilenceKept;
      is_anybody_silent = true;
      if (!is_anybody_there) worst = std::move(reply);
      continue;
    }
    silent_.erase(address);
    const bool is_told =
        (reply->rcode == rcode::noerror || reply->rcode == rcode::nxdomain) && !reply->truncated;
    if (is_told && (reply->authoritative || referral(*reply, zone.name, name))) {
      reach_.heard();
      return reply;
    }
    is_anybody_there = true;
    if (is_told) {
      worst = Failure<QueryFault>(QueryFault{
          .fault = Fault::malformed, .detail = "it does not know the zone", .server = address});
    } else {
      worst = std::move(reply);
    }
  }
  // Silence may be ours: then the root's servers are silent, too.
  if (is_anybody_silent && !is_anybody_there && (zone.name.is_root() || is_root_silent(search))) {
    reach_.close(steady_clock::now());
    return Failure<QueryFault>(cut_off());
  }
  return worst;
}

bool Authorities::is_root_silent(Search& search) {
  const auto root = find_root(search);
  if (!root) return true;
  for (const auto& address : root->addresses) {
    const auto until = steady_clock::now() + kPatience;
    const auto reply =
        direct_.ask_server({.name = {}, .type = type::soa}, address, Transport::udp_first, until);
    if (reply && reply->authoritative) return false;
  }
  return true;
}

std::optional<Authorities::Zone> Authorities::nearest_known(const Name& name) {
  const auto now = steady_clock::now();
  for (Name above = name;; above = above.parent()) {
    const auto known = zones_.find(above);
    if (known != zones_.end() && now < known->second.until) return known->second;
    if (above.is_root()) return std::nullopt;
  }
}

// Nothing when the resolver cannot tell who serves the root, or none can be asked.
std::optional<Authorities::Zone> Authorities::find_root(Search& search) {
  const Name root;
  if (const auto known = zones_.find(root);
      known != zones_.end() && steady_clock::now() < known->second.until)
    return known->second;
  Zone zone{.name = root, .addresses = {}, .until = steady_clock::now() + kRootKept};
  // A resolver that fails now and then is asked again, and a slow one is waited for: this is once.
  const auto until = std::max(search.deadline, steady_clock::now() + kRootPatience);
  const auto asked = [&](const Name& name, std::uint16_t rtype) {
    constexpr int kTries = 4;
    Reply reply = Failure<QueryFault>(QueryFault{});
    for (int tries = 0; tries < kTries; ++tries) {
      reply = resolver_.ask({.name = name, .type = rtype, .checking_disabled = true}, until);
      if (reply && reply->rcode == rcode::noerror) break;
    }
    return reply;
  };
  const auto ns = asked(root, type::ns);
  if (!ns) return std::nullopt;
  for (const auto& record : ns->answer) {
    if (record.type != type::ns || !record.owner.is_root()) continue;
    const auto server = name_in(record);
    if (!server || zone.addresses.size() >= kEnoughServers) continue;
    for (const auto family : {type::a, type::aaaa}) {
      const auto addresses = asked(*server, family);
      if (!addresses) continue;
      for (const auto& one : addresses->answer) {
        if (one.owner == *server) add_address(zone, one);
      }
    }
  }
  if (zone.addresses.empty()) return std::nullopt;
  return zones_[root] = std::move(zone);
}

// A zone from the referral to it. Glue counts only where the one who gave it could say no better:
// below the zone that refers (RFC 5452 §6 asks for no less).
Authorities::Zone Authorities::find_zone(Search& search, const Zone& above, const Name& name,
                                         const Message& referral, unsigned depth) {
  Zone zone{.name = name, .addresses = {}, .until = steady_clock::now() + kZoneKept};
  std::vector<Name> without;
  for (const auto& record : referral.authority) {
    if (record.type != type::ns || record.owner != name) continue;
    zone.until = std::min(zone.until, steady_clock::now() + seconds{std::max(record.ttl, 5U)});
    const auto server = name_in(record);
    if (!server) continue;
    const auto before = zone.addresses.size();
    for (const auto& glue : referral.glue) {
      if (glue.owner == *server && glue.owner.is_within(above.name)) add_address(zone, glue);
    }
    if (zone.addresses.size() == before) without.push_back(*server);
  }
  for (const auto& server : without) {
    if (depth >= kDeepest || zone.addresses.size() >= kEnoughServers) break;
    for (const auto family : {type::a, type::aaaa}) {
      const auto reply = descend(search, {.name = server, .type = family}, depth + 1);
      if (!reply) continue;
      for (const auto& record : reply->answer) {
        if (record.owner == server) add_address(zone, record);
      }
    }
  }
  if (zones_.size() >= kMostZones) zones_.clear();
  return zones_[name] = std::move(zone);
}

void Authorities::add_address(Zone& zone, const Record& record) const {
  if ((record.type != type::a && record.type != type::aaaa) ||
      zone.addresses.size() >= kMostServers)
    return;
  const auto address = address_text(record.data);
  const bool is_barred = !allow_special_addresses_ && is_special_address(address);
  if (address.empty()) return;
  if (is_barred || !has_route(address)) {
    zone.is_barred = true;
    return;
  }
  if (std::ranges::find(zone.addresses, address) == zone.addresses.end())
    zone.addresses.push_back(address);
}

}  // namespace probes::dns
