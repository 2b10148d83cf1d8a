#include "probes/dns/survey.h"

#include <algorithm>
#include <set>

#include "probes/dns/chain.h"
#include "probes/dns/server_address.h"
#include "probes/net/special_address.h"

namespace probes::dns {
namespace {

constexpr std::size_t kMaxZonesKept = 10'000;
constexpr config::Seconds kSerialsKept{5};  // at least

// What the message says of the question: its own RRset, or the alias in its place.
void read_data(ServerAnswer& out, const Message& message, config::Time at) {
  Message part;
  part.question = out.question.name;
  for (const auto wanted : {out.question.type, type::cname}) {
    for (const auto& record : message.answer) {
      const auto sig = read_rrsig(record);
      const bool is_wanted = record.type == wanted || (sig && sig->type_covered == wanted);
      if (record.owner == out.question.name && is_wanted) part.answer.push_back(record);
    }
    if (part.answer.empty()) continue;
    out.is_alias = wanted != out.question.type;
    break;
  }
  for (const auto& record : part.answer) {
    if (record.type == type::rrsig) continue;
    out.data.push_back(record.data);
    out.ttl = config::Seconds{record.ttl};
  }
  std::ranges::sort(out.data);
  const auto twice = std::ranges::unique(out.data);
  out.data.erase(twice.begin(), twice.end());
  out.outcome = out.data.empty() ? Outcome::absent : Outcome::answer;
  if (out.data.empty()) part.authority = message.authority;
  out.signatures = signature_window(part, at);
}

Cause cause_of(std::uint16_t code) {
  if (code == rcode::servfail) return Cause::servfail;
  return code == rcode::refused ? Cause::refused : Cause::other_rcode;
}

// A zone cut below the zone: the question is for other servers.
bool is_referral(const Message& message, const Name& zone) {
  return std::ranges::any_of(message.authority, [&](const Record& record) {
    return record.type == type::ns && record.owner != zone && record.owner.is_within(zone);
  });
}

void read(ServerAnswer& out, const config::Result<Message, QueryFault>& reply, const Name& zone,
          config::Time at) {
  if (!reply) {
    out.outcome = Outcome::failed;
    out.cause = reply.error().fault == Fault::malformed ? Cause::malformed : Cause::timeout;
    return;
  }
  out.rcode = reply->rcode;
  out.is_authoritative = reply->authoritative;
  if (reply->rcode != rcode::noerror && reply->rcode != rcode::nxdomain) {
    out.outcome = Outcome::failed;
    out.cause = cause_of(reply->rcode);
  } else if (reply->truncated) {
    out.outcome = Outcome::failed;
    out.cause = Cause::timeout;
  } else if (!reply->authoritative && is_referral(*reply, zone)) {
    out.outcome = Outcome::not_queried;
  } else if (!reply->authoritative) {
    out.outcome = Outcome::failed;  // a lame delegation: it does not know the zone
    out.cause = Cause::other_rcode;
  } else {
    read_data(out, *reply, at);
  }
}

struct Soa {
  std::uint32_t serial = 0;
  config::Seconds refresh{0};
};

// Two names, then five numbers of four octets: the serial, the refresh and three more.
std::optional<Soa> soa_of(const ServerAnswer& answer) {
  constexpr std::size_t kNumbers = 20;
  if (answer.outcome != Outcome::answer || answer.is_alias) return std::nullopt;
  const auto& data = answer.data.front();
  if (data.size() < kNumbers) return std::nullopt;
  const auto number = [&](std::size_t nth) {
    std::uint32_t out = 0;
    for (std::size_t i = 0; i < 4; ++i)
      out = out << 8U | data[data.size() - kNumbers + nth * 4 + i];
    return out;
  };
  return Soa{.serial = number(0), .refresh = config::Seconds{number(1)}};
}

}  // namespace

bool is_newer(std::uint32_t a, std::uint32_t b) {
  return a != b && a - b < 0x80000000U;
}

std::optional<std::uint32_t> ZoneSerials::newest() const {
  std::optional<std::uint32_t> out;
  for (const auto& [server, serial] : by_server) {
    if (serial && (!out || is_newer(*serial, *out))) out = serial;
  }
  return out;
}

bool is_acceptable(const ServerAnswer& answer, config::Time at) {
  return is_learned(answer.outcome) && answer.signatures && answer.signatures->inception <= at &&
         at < answer.signatures->expiration;
}

void Survey::add(Survey other) {
  std::ranges::move(other.answers, std::back_inserter(answers));
  std::ranges::move(other.silent_on_tcp, std::back_inserter(silent_on_tcp));
  cut = cut || other.cut;
}

Survey Surveyor::ask(const std::vector<Question>& questions, config::Time at,
                     config::Deadline deadline) {
  Survey out;
  if (questions.empty()) return out;
  const auto& zone = zone_of(questions.front().name, at, deadline);
  out.cut = zone.cut;
  std::set<Server> silent;
  for (const auto& question : questions) {
    const Query query{.name = question.name, .type = question.type};
    for (const auto& server : zone.servers) {
      ServerAnswer answer;
      answer.server = server;
      answer.question = question;
      const bool is_first = question == questions.front();
      if (silent.contains(server)) continue;
      const auto ask_over = [&](Transport transport) {
        return direct_.ask_server(query, server.address, transport, deadline);
      };
      const auto reply = ask_over(Transport::udp_first);
      read(answer, reply, zone.name, at);
      // What decides is taken only of those who can sign it: whoever sits between us and one server
      // could say in its name what fits his certificate.
      if (question.type == type::tlsa && is_acceptable(answer, at) &&
          lookup_.is_forged(*reply, question.name, question.type, at, deadline))
        answer.signatures.reset();
      const bool is_heard = answer.outcome != Outcome::failed;
      if (is_first && answer.cause == Cause::timeout) silent.insert(server);
      if (is_first && is_heard && !ask_over(Transport::tcp)) out.silent_on_tcp.push_back(server);
      out.answers.push_back(std::move(answer));
    }
  }
  return out;
}

ZoneSerials Surveyor::serials_of(const Name& apex, config::Time at, config::Deadline deadline) {
  auto& zone = zone_of(apex, at, deadline);
  if (zone.serials) {
    // So that there are two within the refresh; but who is silent is not asked all the time.
    const auto keep = zone.serials->newest()
                          ? std::clamp(zone.serials->refresh / 2, kSerialsKept, kServersKept)
                          : kServersKept;
    if (at - zone.serials->asked_at < keep) return *zone.serials;
  }
  ZoneSerials out{.zone = zone.name, .asked_at = at};
  for (const auto& server : zone.servers) {
    ServerAnswer answer;
    answer.question = {zone.name, type::soa};
    read(answer,
         direct_.ask_server({.name = zone.name, .type = type::soa}, server.address,
                            Transport::udp_first, deadline),
         zone.name, at);
    const auto soa = soa_of(answer);
    if (soa && (!out.newest() || is_newer(soa->serial, *out.newest()))) out.refresh = soa->refresh;
    out.by_server[server] = soa ? std::optional{soa->serial} : std::nullopt;
  }
  zone.serials = out;
  return out;
}

Surveyor::Zone& Surveyor::zone_of(const Name& name, config::Time at, config::Deadline deadline) {
  const auto known = zones_.find(name);
  if (known != zones_.end() && at < known->second.until) return known->second;
  if (zones_.size() > kMaxZonesKept) zones_.clear();
  Zone zone{.name = name, .until = at + kServersKept};
  for (Name above = name; !above.is_root(); above = above.parent()) {
    const auto ns = lookup_.ask(above, type::ns, at, deadline);
    if (ns.outcome == Outcome::failed) break;
    if (ns.outcome != Outcome::answer || !ns.aliases.empty()) continue;
    zone.name = above;
    find_servers(zone, ns, at, deadline);
    break;
  }
  return zones_[name] = std::move(zone);
}

void Surveyor::find_servers(Zone& zone, const Answer& ns, config::Time at,
                            config::Deadline deadline) {
  for (const auto& data : ns.data) {
    const auto server = Name::from_wire(data);
    if (!server) continue;
    for (const auto family : {type::a, type::aaaa}) {
      for (const auto& raw : lookup_.ask(*server, family, at, deadline).data) {
        const auto address = address_text(raw);
        const bool is_barred = !allow_special_addresses_ && net::is_special_address(address);
        if (address.empty() || is_barred || !has_route(address)) continue;
        if (zone.servers.size() >= kMaxServerAddresses) {
          zone.cut = true;
          return;
        }
        zone.servers.push_back({.name = *server, .address = address});
      }
    }
  }
}

}  // namespace probes::dns
