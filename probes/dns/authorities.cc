#include "probes/dns/authorities.h"

#include <algorithm>
#include <sstream>

#include <fmt/format.h>

#include "probes/dns/server_address.h"
#include "probes/dns/told.h"
#include "probes/net/special_address.h"

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
constexpr seconds kRootPatience{10};
constexpr seconds kZoneKept{300};
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

// A server speaks for its own zone only: the rest may be made up, and so what it says of the end of
// an alias that leaves the zone.
void cut_to(const Name& zone, Message& reply) {
  const bool leaves = std::ranges::any_of(reply.answer, [&](const Record& record) {
    if (record.type != type::cname && record.type != type::dname) return false;
    const auto target = name_in(record);
    return !target || !target->is_within(zone);
  });
  if (leaves) reply.rcode = rcode::noerror;
  const auto is_beyond = [&](const Record& record) { return !record.owner.is_within(zone); };
  std::erase_if(reply.answer, is_beyond);
  std::erase_if(reply.authority, is_beyond);
}

QueryFault cut_off() {
  return {
      .fault = Fault::cut_off, .detail = "name servers cannot be asked from here", .server = {}};
}

}  // namespace

std::vector<std::string> parse_root_hints(std::string_view text) {
  std::vector<std::string> out;
  std::istringstream lines{std::string(text)};
  std::string line;
  constexpr std::size_t kMost = 64;
  while (std::getline(lines, line) && out.size() < kMost) {
    std::istringstream words(line.substr(0, line.find(';')));
    std::string owner, ttl, kind, address;
    words >> owner >> ttl >> kind >> address;
    if (kind == "IN") kind = std::exchange(address, {}), words >> address;
    if ((kind == "A" || kind == "AAAA") && is_address(address)) out.push_back(address);
  }
  return out;
}

void DirectReach::heard(Moment at) {
  const config::Lock lock(mutex_);
  closed_until_.reset();
  heard_at_ = at;
}

void DirectReach::close(Moment at) {
  const config::Lock lock(mutex_);
  closed_until_ = at + kClosed;
}

bool DirectReach::is_open(Moment at) const {
  const config::Lock lock(mutex_);
  return heard_at_ && at - *heard_at_ <= kHeard;
}

std::vector<std::string> DirectReach::root_servers(Moment at) const {
  const config::Lock lock(mutex_);
  return at < root_until_ ? root_servers_ : std::vector<std::string>{};
}

void DirectReach::keep_root_servers(std::vector<std::string> addresses, Moment at) {
  const config::Lock lock(mutex_);
  root_servers_ = std::move(addresses);
  root_until_ = at + kRootKept;
}

bool DirectReach::is_closed(Moment at) const {
  const config::Lock lock(mutex_);
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
  if (!zone) zone = find_root();
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
  bool was_asked = false;
  bool was_answered = false;
  for (std::size_t place = 0; place < servers.size(); ++place) {
    const auto& address = servers[place];
    if (++search.questions > kMostQuestions || steady_clock::now() >= search.deadline) break;
    // A packet may be lost: a zone's last server has a second chance.
    const auto patience = place + 1 == servers.size() && !was_answered ? 3 * kPatience : kPatience;
    const auto until = std::min(search.deadline, steady_clock::now() + patience);
    auto reply = direct_.ask_server(query, address, Transport::udp_first, until);
    was_asked = true;
    if (!reply) {
      if (silent_.size() >= kMostZones) silent_.clear();
      silent_[address] = steady_clock::now() + kSilenceKept;
      if (!was_answered && !zone.is_barred) worst = std::move(reply);
      continue;
    }
    silent_.erase(address);
    if (is_told(*reply) && (reply->authoritative || referral(*reply, zone.name, name))) {
      reach_.heard(steady_clock::now());
      return reply;
    }
    was_answered = true;
    if (is_told(*reply)) {
      worst = Failure<QueryFault>(QueryFault{
          .fault = Fault::malformed, .detail = "it does not know the zone", .server = address});
    } else {
      worst = std::move(reply);
    }
  }
  // No time was left, or too much was asked: nothing was learned about the zone.
  if (!was_asked && !servers.empty()) return Failure<QueryFault>(cut_off());
  // Silence may be ours, and refusals those of somebody in between: then nobody speaks for the root
  // either.
  if (was_asked && !is_anybody_there()) {
    reach_.close(steady_clock::now());
    return Failure<QueryFault>(cut_off());
  }
  return worst;
}

bool Authorities::is_anybody_there() {
  if (reach_.is_open(steady_clock::now())) return true;
  const auto root = find_root();
  return root && speaks_for_root(*root);
}

// One of them, that is.
bool Authorities::speaks_for_root(const Zone& root) {
  std::size_t asked = 0;
  for (const auto& address : root.addresses) {
    if (++asked > kEnoughServers) break;
    const auto reply = direct_.ask_server({.name = {}, .type = type::soa}, address,
                                          Transport::udp_first, steady_clock::now() + kPatience);
    if (!reply || !reply->authoritative) continue;
    reach_.heard(steady_clock::now());
    return true;
  }
  return false;
}

std::optional<Authorities::Zone> Authorities::nearest_known(const Name& name) {
  const auto now = steady_clock::now();
  for (Name above = name;; above = above.parent()) {
    const auto known = zones_.find(above);
    if (known != zones_.end() && now < known->second.until) return known->second;
    if (above.is_root()) return std::nullopt;
  }
}

// Nothing when none is known that speaks for the root. The hints come first, which no resolver can
// spoil; a network may have a root of its own, which only its resolvers know.
std::optional<Authorities::Zone> Authorities::find_root() {
  const auto now = steady_clock::now();
  Zone root{.name = {}, .addresses = reach_.root_servers(now), .until = now + kZoneKept};
  if (!root.addresses.empty()) return root;
  for (const auto& address : reach_.root_hints()) add_address(root, address);
  if (!speaks_for_root(root)) {
    root = learn_root();
    if (!speaks_for_root(root)) {
      reach_.close(steady_clock::now());
      return std::nullopt;
    }
  }
  reach_.keep_root_servers(root.addresses, steady_clock::now());
  return root;
}

Authorities::Zone Authorities::learn_root() {
  Zone zone{.name = {}, .addresses = {}, .until = steady_clock::now() + kZoneKept};
  const auto until = steady_clock::now() + kRootPatience;
  const auto asked = [&](const Name& name, std::uint16_t rtype) {
    constexpr int kTries = 3;
    Reply reply = Failure<QueryFault>(QueryFault{});
    for (int tries = 0; tries < kTries; ++tries) {
      reply = resolver_.ask({.name = name, .type = rtype, .checking_disabled = true}, until);
      if (reply && reply->rcode == rcode::noerror) break;
    }
    return reply;
  };
  const auto ns = asked({}, type::ns);
  if (!ns) return zone;
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
  return zone;
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
  if (record.type != type::a && record.type != type::aaaa) return;
  add_address(zone, address_text(record.data));
}

void Authorities::add_address(Zone& zone, const std::string& address) const {
  if (address.empty() || zone.addresses.size() >= kMostServers) return;
  const bool is_barred = !allow_special_addresses_ && net::is_special_address(address);
  if (is_barred || !has_route(address)) {
    zone.is_barred = true;
    return;
  }
  if (std::ranges::find(zone.addresses, address) == zone.addresses.end())
    zone.addresses.push_back(address);
}

}  // namespace probes::dns
