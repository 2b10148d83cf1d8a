#include "probes/observe.h"

#include <algorithm>
#include <array>

#include <arpa/inet.h>
#include <fmt/format.h>

#include "config/service.h"
#include "probes/dane/base_domain.h"
#include "probes/dane/usable.h"
#include "probes/exchange.h"
#include "probes/net/special_address.h"
#include "probes/service.h"
#include "probes/services/session.h"

namespace probes {
namespace {

using config::Deadline;
using config::Time;
using dane::BaseDomains;
using dns::DnssecStatus;
using dns::Outcome;

// Reads the exchanges of a secure or insecure MX answer (RFC 1035 §3.3.9).
void read_exchanges(DomainObservation& seen) {
  for (const auto& data : seen.mx.data) {
    if (data.size() < 3) continue;
    const auto preference = static_cast<std::uint16_t>(data[0] << 8U | data[1]);
    const auto name = dns::Name::from_wire(std::span{data}.subspan(2));
    if (!name) {
      seen.invalid_exchanges.emplace_back("(unreadable)");
    } else if (name->is_root()) {
      seen.has_null_mx = true;
    } else if (!is_host_name(*name) && !address_in(*name)) {
      seen.invalid_exchanges.push_back(name->text());
    } else {
      seen.hosts.push_back({.name = *name, .preference = preference});
    }
  }
  std::ranges::sort(seen.hosts, {},
                    [](const MxHost& host) { return std::pair(host.preference, host.name); });
  if (seen.hosts.size() > kMaxHosts) {
    seen.hosts.resize(kMaxHosts);
    seen.cut = true;
  }
}

void read_addresses(HostObservation& seen) {
  const auto add = [&](const dns::Answer& answer, int family, std::size_t size) {
    for (const auto& data : answer.data) {
      std::array<char, INET6_ADDRSTRLEN> text{};
      if (data.size() != size ||
          inet_ntop(family, data.data(), text.data(), text.size()) == nullptr)
        continue;
      if (seen.addresses.size() >= kMaxAddresses) {
        seen.cut = true;
      } else {
        seen.addresses.emplace_back(text.data());
      }
    }
  };
  add(seen.a, AF_INET, 4);
  add(seen.aaaa, AF_INET6, 16);
}

// How long the work took is added.
template <class Work>
void timed(std::chrono::microseconds& took, Work work) {
  const auto began = std::chrono::steady_clock::now();
  work();
  took += std::chrono::duration_cast<std::chrono::microseconds>(std::chrono::steady_clock::now() -
                                                                began);
}

// An address in place of the host's name is its own address: no lookup, so nothing secure (RFC 7672
// §2.2 has DANE apply to names only).
void take_literal(HostObservation& seen, const std::string& address) {
  const bool is_v6 = address.find(':') != std::string::npos;
  for (auto* answer : {&seen.a, &seen.aaaa}) {
    answer->name = answer->final_name = seen.host;
    answer->outcome = Outcome::absent;
    answer->status = DnssecStatus::insecure;
    answer->ttl = std::chrono::hours{1};
  }
  seen.a.type = dns::type::a;
  seen.aaaa.type = dns::type::aaaa;
  auto& mine = is_v6 ? seen.aaaa : seen.a;
  mine.outcome = Outcome::answer;
  mine.data.emplace_back(is_v6 ? sizeof(in6_addr) : sizeof(in_addr));
  inet_pton(is_v6 ? AF_INET6 : AF_INET, address.c_str(), mine.data.front().data());
  seen.addresses.push_back(address);
}

void look_up_addresses(HostObservation& seen, ProbeClients clients, Time at, Deadline deadline) {
  const auto name = dns_name_of(seen.host);
  seen.a = clients.lookup.ask(name, dns::type::a, at, deadline);
  seen.aaaa = clients.lookup.ask(name, dns::type::aaaa, at, deadline);
  read_addresses(seen);
}

// What led to the deciding lookup proves it, too.
std::shared_ptr<const dns::Replies> both(const std::shared_ptr<const dns::Replies>& first,
                                         const std::shared_ptr<const dns::Replies>& then) {
  if (!first || !then) return first ? first : then;
  auto out = *first;
  out.insert(out.end(), then->begin(), then->end());
  return std::make_shared<const dns::Replies>(std::move(out));
}

// Rung by rung: which names may be the TLSA base domain, and the first secure RRset there.
void look_up_tlsa(HostObservation& seen, std::uint16_t port, ProbeClients clients, Time at,
                  Deadline deadline) {
  const auto name = dns_name_of(seen.host);
  auto bases = dane::base_domains(name, seen.a, seen.aaaa, nullptr);
  if (bases.kind == BaseDomains::Kind::ask_cname) {
    seen.cname = clients.lookup.ask(name, dns::type::cname, at, deadline);
    bases = dane::base_domains(name, seen.a, seen.aaaa, &*seen.cname);
  }
  seen.is_dane_candidate = bases.kind == BaseDomains::Kind::candidates;
  for (const auto& base : bases.names) {
    const auto owner = dns::tlsa_owner(base, port);
    if (!owner) continue;
    seen.base_domain = base;
    const auto before = seen.tlsa.replies;
    seen.tlsa = clients.lookup.ask(*owner, dns::type::tlsa, at, deadline);
    seen.tlsa.replies = both(before, seen.tlsa.replies);
    // A failure ends the search: the next candidate would be a downgrade in an attacker's hand (RFC
    // 7672 §2.1.2).
    if (seen.tlsa.outcome == Outcome::failed) return;
    if (seen.tlsa.outcome == Outcome::answer && seen.tlsa.status == DnssecStatus::secure) break;
  }
  for (const auto& data : seen.tlsa.data) {
    if (seen.records.size() >= kMaxTlsaRecords) {
      seen.cut = true;
      break;
    }
    seen.records.push_back(dane::tlsa_or_unusable(data));
  }
}

std::uint16_t port_of(const dns::Name& host, const ProbeSettings& settings) {
  const auto service = service_in(host);
  return service ? service->port : settings.port;
}

// Nothing of an MX host.
std::optional<config::Starttls> starttls_of(const dns::Name& host, const ProbeSettings& settings) {
  const auto service = service_in(host);
  if (!service) return std::nullopt;
  const auto told = settings.services.find(host);
  return told == settings.services.end() ? config::usual_starttls(service->port) : told->second;
}

// Where records stand by mistake: for another port, at a wildcard that an existing name hides, or
// at a name in the middle of an alias chain, which is never a TLSA base domain (RFC 7672 §2.2.3).
void look_for_misplaced(HostObservation& seen, std::uint16_t port, ProbeClients clients, Time at,
                        Deadline deadline) {
  if (seen.tlsa.outcome != Outcome::absent || seen.tlsa.status != DnssecStatus::secure) return;
  std::vector<std::optional<dns::Name>> names;
  names.push_back(seen.base_domain.parent().child("*"));
  for (const auto other : std::array<std::uint16_t, 2>{465, 587}) {
    if (other != port && !is_service(seen.host))
      names.push_back(dns::tlsa_owner(seen.base_domain, other));
  }
  const auto& aliases = (seen.a.outcome == Outcome::answer ? seen.a : seen.aaaa).aliases;
  for (std::size_t i = 1; i < aliases.size(); ++i)
    names.push_back(dns::tlsa_owner(aliases[i].from, port));
  for (const auto& name : names) {
    if (!name) continue;
    auto found = clients.lookup.ask(*name, dns::type::tlsa, at, deadline);
    if (found.outcome == Outcome::answer) seen.misplaced.push_back(std::move(found));
  }
}

// Every name server about what decides: the addresses (first: a server that does not answer that
// answers nothing), the name above the TLSA records, and these, where they really are.
void ask_every_server(HostObservation& seen, ProbeClients clients, Time at, Deadline deadline) {
  if (clients.surveyor == nullptr || seen.a.outcome == Outcome::failed) return;
  const bool has_tlsa = seen.tlsa.outcome != Outcome::not_queried;
  const auto name = has_tlsa ? seen.base_domain : seen.a.final_name;
  std::vector<dns::Question> questions{{name, dns::type::a}, {name, dns::type::aaaa}};
  if (has_tlsa) {
    if (const auto above = name.child("_tcp")) questions.push_back({*above, dns::type::a});
    questions.push_back({seen.tlsa.name, dns::type::tlsa});
  }
  seen.survey = clients.surveyor->ask(questions, at, deadline);
  if (has_tlsa && seen.tlsa.final_name != seen.tlsa.name)
    seen.survey.add(clients.surveyor->ask({{seen.tlsa.final_name, dns::type::tlsa}}, at, deadline));
}

// The kind of certificate the default handshake did not show.
std::optional<tls::KeyType> other_key_type(const smtp::SessionRecord& shown) {
  if (shown.stage < smtp::Stage::ehlo_tls || !shown.tls || shown.tls->chain.empty())
    return std::nullopt;
  return shown.tls->chain.front()->key_type == tls::KeyType::rsa ? tls::KeyType::ecdsa
                                                                 : tls::KeyType::rsa;
}

bool has_secure_tlsa(const HostObservation& seen) {
  return seen.tlsa.outcome == Outcome::answer && seen.tlsa.status == DnssecStatus::secure &&
         !seen.records.empty();
}

// Whether senders that authenticate nobody, so ask for less of TLS and name no server, may fare
// otherwise at that address than the session showed.
bool may_differ_for_lax(const HostObservation& seen, std::size_t first) {
  const bool is_dane = has_secure_tlsa(seen);
  if (is_dane && !dane::records_compared(seen.records, dane::Digests::sha512_first).empty())
    return false;
  const auto failed = [](const smtp::SessionRecord& session) {
    return session.stage == smtp::Stage::handshake && session.tls &&
           session.tls->stop != tls::HandshakeStop::timeout;
  };
  if (failed(seen.sessions[first])) return true;
  // A handshake without a name, refused for another reason than the kind of certificate.
  const auto& last = seen.sessions.back();
  return !is_dane && last.key_type != tls::KeyType::by_default && failed(last) &&
         last.tls->stop != tls::HandshakeStop::no_certificate;
}

// At a service each session is one of its own protocol.
smtp::SessionRecord run_session(const smtp::SessionPlan& plan,
                                const std::optional<config::Starttls>& starttls,
                                tls::Client& client, Deadline deadline) {
  if (starttls.value_or(config::Starttls::smtp) == config::Starttls::smtp)
    return smtp::run_session(plan, client, deadline);
  return services::run_session({.address = plan.address,
                                .port = plan.port,
                                .starttls = *starttls,
                                .server_name = plan.server_name,
                                .key_type = plan.key_type},
                               client, deadline);
}

void visit(HostObservation& seen, const std::string& address, const ProbeSettings& settings,
           ProbeClients clients, Deadline deadline) {
  smtp::SessionPlan plan{.address = address,
                         .port = port_of(seen.host, settings),
                         .helo = settings.helo,
                         .server_name = seen.records.empty() ? dns_name_of(seen.host).text()
                                                             : seen.base_domain.text()};
  const auto& starttls = seen.starttls;
  if (!settings.allow_special_addresses && net::is_special_address(address)) {
    smtp::SessionRecord untouched;
    untouched.address = address;
    untouched.port = plan.port;
    untouched.stop = smtp::SessionStop::special_address;
    seen.sessions.push_back(std::move(untouched));
    return;
  }
  const auto patience = [&] {
    return std::min(deadline, std::chrono::steady_clock::now() + settings.session_timeout);
  };
  const auto first = seen.sessions.size();
  seen.sessions.push_back(run_session(plan, starttls, clients.tls, patience()));
  // Another back-end may stand behind the same address: what differs is kept, the rest is no news.
  for (unsigned look = 1; look < settings.looks; ++look) {
    if (seen.sessions[first].stage == smtp::Stage::connect) break;
    auto again = run_session(plan, starttls, clients.tls, patience());
    const bool is_known =
        std::any_of(seen.sessions.begin() + static_cast<std::ptrdiff_t>(first), seen.sessions.end(),
                    [&](const auto& known) { return smtp::same_facts(known, again); });
    if (!is_known) seen.sessions.push_back(std::move(again));
  }
  const auto other = settings.every_key_type ? other_key_type(seen.sessions[first]) : std::nullopt;
  if (other) {
    plan.key_type = *other;
    // Without TLSA records senders like Postfix name no server. Most have only one, and do not
    // care.
    if (!starttls && !has_secure_tlsa(seen)) plan.server_name.clear();
    seen.sessions.push_back(run_session(plan, starttls, clients.tls, patience()));
  }
  if (starttls || !may_differ_for_lax(seen, first)) return;  // mail programs are not lax
  plan.key_type = tls::KeyType::by_default;
  plan.is_lax = true;
  if (!has_secure_tlsa(seen)) plan.server_name.clear();
  const auto lax = smtp::run_session(plan, clients.tls, patience());
  seen.sessions[first].lax = smtp::LaxTls{.works = lax.stage == smtp::Stage::done,
                                          .version = lax.tls ? lax.tls->version : std::string(),
                                          .cipher = lax.tls ? lax.tls->cipher : std::string(),
                                          .detail = lax.detail};
}

// What its user has set up leads there, and nothing in DNS: that cannot be forged, so it is secure.
void take_service(DomainObservation& seen) {
  seen.source = MxSource::service;
  seen.mx.name = seen.mx.final_name = seen.domain;
  seen.mx.type = dns::type::mx;
  seen.mx.outcome = Outcome::answer;
  seen.mx.status = DnssecStatus::secure;
  seen.hosts.push_back({.name = seen.domain, .preference = 0});
}

// The addresses of a policy host that we may contact.
std::vector<std::string> addresses_of(const dns::Name& host, const ProbeSettings& settings,
                                      ProbeClients clients, Time at, Deadline deadline) {
  HostObservation found;
  found.a = clients.lookup.ask(host, dns::type::a, at, deadline);
  found.aaaa = clients.lookup.ask(host, dns::type::aaaa, at, deadline);
  read_addresses(found);
  if (!settings.allow_special_addresses) std::erase_if(found.addresses, net::is_special_address);
  return found.addresses;
}

// Records first: without a valid one there is no policy to fetch (RFC 8461 §3.1).
void look_at_sts(DomainObservation& seen, const ProbeSettings& settings, ProbeClients clients,
                 Time at, Deadline deadline) {
  const auto sts_name = seen.domain.child("_mta-sts");
  const auto tls_name = seen.domain.child("_tls");
  const auto tlsrpt_name = tls_name ? tls_name->child("_smtp") : std::nullopt;
  if (clients.pkix == nullptr || !settings.looks_at_sts || !sts_name || !tlsrpt_name) return;
  auto& out = seen.sts.change();
  out.tlsrpt_txt = clients.lookup.ask(*tlsrpt_name, dns::type::txt, at, deadline);
  out.tlsrpt = sts::read_tlsrpt_record(out.tlsrpt_txt.data);
  out.sts_txt = clients.lookup.ask(*sts_name, dns::type::txt, at, deadline);
  out.sts = sts::read_sts_record(out.sts_txt.data);
  if (out.sts.state != sts::RecordState::valid) return;
  const auto host = dns::Name::parse(sts::policy_host(seen.domain.text()));
  if (!host) return;
  const auto patient_until = std::chrono::steady_clock::now() + settings.https_timeout;
  out.fetched =
      sts::fetch_policy({.domain = seen.domain.text(),
                         .addresses = addresses_of(*host, settings, clients, at, deadline),
                         .port = settings.https_port,
                         .at = at},
                        *clients.pkix, std::min(deadline, patient_until));
}

}  // namespace

bool is_first_look(const HostObservation& host, std::size_t session) {
  const auto& mine = host.sessions[session];
  const auto end = host.sessions.begin() + static_cast<std::ptrdiff_t>(session);
  return std::none_of(host.sessions.begin(), end, [&](const smtp::SessionRecord& other) {
    return other.address == mine.address && other.key_type == mine.key_type;
  });
}

bool shows_certificate(const HostObservation& host) {
  return std::ranges::any_of(host.sessions, [](const smtp::SessionRecord& session) {
    return session.tls && !session.tls->chain.empty();
  });
}

bool same_facts(const HostObservation& a, const HostObservation& b) {
  return a.host == b.host && same_facts(a.a, b.a) && same_facts(a.aaaa, b.aaaa) &&
         same_facts(*a.cname, *b.cname) &&
         std::ranges::equal(a.misplaced, b.misplaced,
                            [](const auto& x, const auto& y) { return same_facts(x, y); }) &&
         a.is_dane_candidate == b.is_dane_candidate && a.base_domain == b.base_domain &&
         same_facts(a.tlsa, b.tlsa) && a.records == b.records && a.addresses == b.addresses &&
         a.survey == b.survey && a.starttls == b.starttls &&
         std::ranges::equal(a.sessions, b.sessions, smtp::same_facts) && a.cut == b.cut;
}

std::string_view wire_name(MxSource source) {
  switch (source) {
    case MxSource::mx:
      return "mx";
    case MxSource::implicit:
      return "implicit";
    case MxSource::null:
      return "null";
    case MxSource::none:
      return "none";
    case MxSource::service:
      return "service";
  }
  return "";
}

DomainObservation observe_domain(const dns::Name& domain, const ProbeSettings& settings,
                                 ProbeClients clients, Time at, Deadline deadline) {
  DomainObservation seen;
  seen.domain = domain;
  seen.observed_at = at;
  if (is_service(domain)) {
    take_service(seen);
    return seen;
  }
  timed(seen.mx_took, [&] { seen.mx = clients.lookup.ask(domain, dns::type::mx, at, deadline); });
  if (seen.mx.outcome == Outcome::answer) {
    read_exchanges(seen);
    const bool is_null = seen.has_null_mx && seen.hosts.empty() && seen.invalid_exchanges.empty();
    seen.source = is_null ? MxSource::null : MxSource::mx;
    const bool is_own_host =
        std::ranges::find(seen.hosts, domain, &MxHost::name) != seen.hosts.end();
    const auto owner = dns::tlsa_owner(domain, settings.port);
    if (!is_null && !is_own_host && owner && seen.mx.status == DnssecStatus::secure)
      seen.misplaced = clients.lookup.ask(*owner, dns::type::tlsa, at, deadline);
  } else if (seen.mx.outcome == Outcome::absent && seen.mx.rcode != dns::rcode::nxdomain) {
    seen.source = MxSource::implicit;
    // The domain itself, also where it is an alias: its TLSA base domain is then that of the
    // addresses or the domain, in that order (RFC 7672 §2.2.2, §2.2.3).
    seen.hosts.push_back({.name = domain, .preference = 0});
  }
  if (clients.surveyor != nullptr && seen.mx.outcome != Outcome::failed &&
      seen.mx.rcode != dns::rcode::nxdomain)
    seen.survey = clients.surveyor->ask({{seen.mx.final_name, dns::type::mx}}, at, deadline);
  if (!seen.hosts.empty()) look_at_sts(seen, settings, clients, at, deadline);
  return seen;
}

HostObservation observe_records(const dns::Name& host, const ProbeSettings& settings,
                                ProbeClients clients, Time at, Deadline deadline) {
  HostObservation seen;
  seen.host = host;
  seen.observed_at = at;
  seen.starttls = starttls_of(host, settings);
  const auto port = port_of(host, settings);
  if (const auto address = address_in(host)) {
    take_literal(seen, *address);
    return seen;
  }
  timed(seen.addresses_took, [&] { look_up_addresses(seen, clients, at, deadline); });
  timed(seen.tlsa_took, [&] { look_up_tlsa(seen, port, clients, at, deadline); });
  look_for_misplaced(seen, port, clients, at, deadline);
  ask_every_server(seen, clients, at, deadline);
  return seen;
}

HostObservation observe_host(const dns::Name& host, const ProbeSettings& settings,
                             ProbeClients clients, Time at, Deadline deadline) {
  auto seen = observe_records(host, settings, clients, at, deadline);
  for (const auto& address : seen.addresses) visit(seen, address, settings, clients, deadline);
  if (!settings.looks_at_sts && !is_service(host)) return seen;
  const auto name = dns_name_of(host).text();
  for (auto& session : seen.sessions) {
    if (clients.pkix != nullptr && session.tls && !session.tls->chain.empty())
      session.tls->pkix = clients.pkix->verify(session.tls->chain, name, at);
  }
  return seen;
}

smtp::SessionRecord try_address(const dns::Name& host, const std::string& address,
                                const ProbeSettings& settings, tls::Client& tls,
                                Deadline deadline) {
  return run_session({.address = address,
                      .port = port_of(host, settings),
                      .helo = settings.helo,
                      .server_name = dns_name_of(host).text()},
                     starttls_of(host, settings), tls, deadline);
}

}  // namespace probes
