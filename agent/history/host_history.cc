#include "agent/history/host_history.h"

#include <algorithm>

#include <fmt/format.h>

#include "probes/dane/diagnose_record.h"
#include "probes/dane/usable.h"
#include "probes/dane/verify.h"

namespace agent {
namespace {

using config::Seconds;
using config::Time;
using probes::dns::DnssecStatus;
using probes::dns::Outcome;

Published published(const probes::HostObservation& host, Seconds ttl, bool is_secure) {
  Published out{.ttl = ttl, .is_secure = is_secure};
  for (const auto& alias : host.tlsa.aliases) {
    out.alias = host.tlsa.final_name.text();
    out.alias_ttl = std::max(out.alias_ttl, alias.ttl);
  }
  return out;
}

// What one server said of the records, wherever an alias of the owner leads.
std::optional<Published> published(const probes::HostObservation& host,
                                   const probes::dns::ServerAnswer& answer) {
  // Resolvers refuse what is not signed where it must be, and ask another server.
  if (answer.is_alias || !is_acceptable(answer, host.observed_at)) return std::nullopt;
  auto out = published(host, answer.ttl, true);
  for (const auto& data : answer.data) {
    if (auto record = probes::dane::tlsa_from_wire(data)) out.records.push_back(*record);
  }
  return out;
}

void see_servers(Sample& out, const probes::HostObservation& host) {
  const auto& tlsa = host.tlsa;
  const bool knows_addresses = host.a.outcome != Outcome::failed &&
                               host.aaaa.outcome != Outcome::failed &&
                               host.cname->outcome != Outcome::failed;
  if (tlsa.outcome == Outcome::failed || !knows_addresses) return;
  // Nobody asks for records of a host without address: what is published stands.
  if (tlsa.outcome == Outcome::not_queried && host.addresses.empty()) return;
  if (tlsa.outcome == Outcome::not_queried || tlsa.status != DnssecStatus::secure) {
    out.is_unprotected = true;
    if (tlsa.outcome == Outcome::not_queried) return;
    out.knows_servers = true;
    out.servers[kAllServers] = published(host, tlsa.ttl, false);
    return;
  }
  for (const auto& answer : host.survey.answers) {
    if (answer.question.name != tlsa.final_name || answer.question.type != probes::dns::type::tlsa)
      continue;
    const auto server = answer.server.name.text() + " " + answer.server.address;
    out.servers[server] = published(host, answer);
    if (answer.outcome == Outcome::answer && answer.signatures)
      out.windows[server] = *answer.signatures;
  }
  const bool was_heard =
      std::ranges::any_of(out.servers, [](const auto& entry) { return entry.second.has_value(); });
  if (!was_heard) {
    out.servers.clear();
    auto seen = published(host, tlsa.ttl, true);
    seen.records = host.records;
    out.servers[kAllServers] = std::move(seen);
  }
  out.knows_servers = true;
  if (!was_heard) out.windows.clear();
  if (!was_heard && tlsa.outcome == Outcome::answer && tlsa.signatures)
    out.windows[kAllServers] = *tlsa.signatures;
}

void see_endpoints(Sample& out, const probes::HostObservation& host) {
  out.knows_endpoints =
      host.a.outcome != Outcome::failed && host.aaaa.outcome != Outcome::failed && !host.cut;
  for (std::size_t i = 0; i < host.sessions.size(); ++i) {
    const auto& session = host.sessions[i];
    if (!is_first_look(host, i)) continue;
    const bool has_chain = session.tls && !session.tls->chain.empty();
    // A server without a certificate of that type has no such endpoint.
    const bool is_none = session.tls && session.key_type != probes::tls::KeyType::by_default &&
                         session.tls->stop == probes::tls::HandshakeStop::no_certificate;
    if (is_none) continue;
    out.endpoints[fmt::format("{}/{}", session.address, wire_name(session.key_type))] =
        has_chain ? std::optional{session.tls->chain} : std::nullopt;
  }
  // The other key type is asked for only where the default handshake showed a certificate.
  for (const auto& session : host.sessions) {
    if (session.tls && !session.tls->chain.empty()) continue;
    for (const auto* type : {"rsa", "ecdsa", "eddsa"})
      out.endpoints.try_emplace(fmt::format("{}/{}", session.address, type), std::nullopt);
  }
}

// The same certificates, whatever objects hold them.
bool is_same(const Chain& a, const Chain& b) {
  return std::ranges::equal(a, b, {}, &probes::tls::Certificate::sha256,
                            &probes::tls::Certificate::sha256);
}

template <class What>
Began began(const std::vector<Version<What>>& versions, std::size_t i) {
  return {i == 0 ? kEver : versions[i - 1].last_seen, versions[i].first_seen};
}

template <class Item>
std::size_t index_of(std::vector<Item>& items, const Item& item) {
  const auto found = std::ranges::find(items, item);
  if (found != items.end()) return static_cast<std::size_t>(found - items.begin());
  items.push_back(item);
  return items.size() - 1;
}

// Nothing where the server gave no other than the newest.
std::optional<Version<Signature>> given(const Version<std::optional<Signature>>& version) {
  if (!version.what) return std::nullopt;
  return Version<Signature>{version.first_seen, version.last_seen, *version.what};
}

// Builds the history from the versions.
class HistoryBuilder {
 public:
  HistoryBuilder(const HostHistory& host_history, const std::vector<std::string>& names,
                 const NamesOfUsers& names_of_users)
      : chronicle_(host_history), names_(names), names_of_users_(names_of_users) {}

  History write() {
    out_.forgotten_until = chronicle_.forgotten_until;
    for (const auto& [name, versions] : chronicle_.servers) add_server(name, versions);
    for (const auto& [name, versions] : chronicle_.endpoints) {
      if (!versions.back().what.empty()) add_endpoint(name, versions);
    }
    for (const auto& record : out_.records) {
      std::vector<bool> row;
      for (std::size_t i = 0; i < chains_.size(); ++i) row.push_back(is_match(record, i));
      out_.fits.push_back(std::move(row));
    }
    for (std::size_t i = 0; i < out_.records.size(); ++i) note_mistake(i);
    return std::move(out_);
  }

 private:
  // The users' names are looked at only where the host's own are not enough.
  bool is_match(const probes::dane::TlsaRecord& record, std::size_t chain) {
    const auto is_by = [&](const std::vector<std::string>& names) {
      return probes::dane::verify({.records = {record}, .names = names}, chains_[chain],
                                  since_[chain])
          .match.has_value();
    };
    if (is_by(names_)) return true;
    if (record.usage != probes::dane::kDaneTa || !names_of_users_) return false;
    if (!users_) users_ = names_of_users_();
    return !users_->empty() && is_by(*users_);
  }

  void add_server(const std::string& name, const std::vector<Version<Published>>& versions) {
    out_.server_names.push_back(name);
    auto& server = out_.servers.emplace_back();
    for (std::size_t i = 0; i < versions.size(); ++i) {
      const auto& seen = versions[i].what;
      server.push_back({.began = began(versions, i),
                        .fails = seen.is_gone,
                        .alias = seen.alias,
                        .alias_ttl = seen.alias_ttl,
                        .set = set_of(seen),
                        .ttl = seen.ttl,
                        .expires_at = end_of_signature(name, versions, i),
                        .believed_for = believed_for(versions, i)});
      know(versions[i].last_seen);
    }
  }

  void add_endpoint(const std::string& name, const std::vector<Version<Chain>>& versions) {
    // add_endpoints: no name of an endpoint of its own has a space.
    Endpoint endpoint{.name = name, .is_anothers = name.find(' ') != std::string::npos};
    for (std::size_t i = 0; i < versions.size(); ++i) {
      know(versions[i].last_seen);
      if (!versions[i].what.empty())
        endpoint.presented.push_back({began(versions, i), chain_of(versions[i])});
    }
    out_.endpoints.push_back(std::move(endpoint));
  }

  // Of a record that never fitted: one made for a key that was not shown yet has no such mark.
  void note_mistake(std::size_t record) {
    if (std::ranges::find(out_.fits[record], true) != out_.fits[record].end()) return;
    for (const auto& chain : chains_) {
      const auto reading = probes::dane::reading_of(out_.records[record], chain);
      if (!reading) continue;
      out_.mistakes.emplace(record, reading->explanation);
      return;
    }
  }

  void know(Time until) { out_.known_until = std::max(out_.known_until.value_or(until), until); }

  // The last signature that was seen from one moment to another.
  [[nodiscard]] std::optional<Version<Signature>> last_signature(const std::string& server,
                                                                 Time from, Time until) const {
    const auto signatures = chronicle_.signatures.find(server);
    std::optional<Version<Signature>> out;
    if (signatures == chronicle_.signatures.end()) return out;
    for (const auto& one : signatures->second) {
      if (one.first_seen > until || one.last_seen < from) continue;
      out = given(one);
    }
    return out;
  }

  // A zone is signed anew without news for us, and so it will be before the end of the last
  // signature seen, unless that was seen beyond its end; what is believed after its time is, too.
  [[nodiscard]] std::optional<Time> end_of_signature(
      const std::string& server, const std::vector<Version<Published>>& versions,
      std::size_t i) const {
    const auto& version = versions[i];
    const bool is_signed = version.what.is_secure && !version.what.records.empty();
    if (!is_signed || believed_for(versions, i).count() > 0) return std::nullopt;
    const bool is_open = i + 1 == versions.size();
    const auto until = is_open ? Time::max() : version.last_seen;
    auto last = last_signature(server, version.first_seen, until);
    if (!last) last = last_signature(kAllServers, version.first_seen, until);
    if (!last) return std::nullopt;
    const auto end = ends_at(last->what, last->last_seen);
    const bool is_over = end <= std::max(version.last_seen, last->last_seen);
    return is_open && !is_over ? std::nullopt : std::optional{end};
  }

  // After its end, by caches that do not know yet that nothing vouches for the records any more.
  static Seconds believed_for(const std::vector<Version<Published>>& versions, std::size_t i) {
    const bool is_lost =
        i + 1 < versions.size() && versions[i].what.is_secure && !versions[i + 1].what.is_secure;
    return is_lost ? versions[i + 1].what.delegation_ttl : Seconds{0};
  }

  std::size_t set_of(const Published& seen) {
    RecordSet set;
    for (const auto& record : seen.records) set.records.push_back(index_of(out_.records, record));
    if (seen.is_secure) {
      for (const auto i : records_compared(seen.records, probes::dane::Digests::sha512_first))
        set.compared.push_back(set.records[i]);
    }
    return index_of(out_.sets, set);
  }

  std::size_t chain_of(const Version<Chain>& version) {
    for (std::size_t i = 0; i < chains_.size(); ++i) {
      if (is_same(chains_[i], version.what)) return i;
    }
    std::vector<std::string> names;
    for (const auto& certificate : version.what)
      names.push_back(probes::dane::to_hex(certificate->spki_sha256));
    out_.chains.push_back(std::move(names));
    chains_.push_back(version.what);
    since_.push_back(version.first_seen);
    return chains_.size() - 1;
  }

  const HostHistory& chronicle_;
  const std::vector<std::string>& names_;
  const NamesOfUsers& names_of_users_;
  std::optional<std::vector<std::string>> users_;  // once they were asked for
  History out_;
  std::vector<Chain> chains_;  // parallel to History::chains
  std::vector<Time> since_;
};

// What the host history has of the server last.
std::optional<Version<Signature>> last_signature(const HostHistory& host_history,
                                                 const std::string& server) {
  const auto known = host_history.signatures.find(server);
  return known == host_history.signatures.end() ? std::nullopt : given(known->second.back());
}

// Servers differ only while one of them lags: they are told by what makes them differ.
void complete_signatures(const HostHistory& host_history, Sample& sample) {
  const auto newest = std::ranges::max_element(
      sample.windows, {}, [](const auto& entry) { return entry.second.expiration; });
  for (const auto& [server, window] : sample.windows) {
    const bool is_common = is_same_signing(window, newest->second);
    if (is_common && window != newest->second) continue;
    const auto whose = is_common ? std::string(kAllServers) : server;
    sample.signatures[whose] =
        recognised(last_signature(host_history, whose), window, sample.seen_at);
  }
  // Who differed, and now does not, or does not serve the zone any more.
  for (const auto& [server, versions] : host_history.signatures) {
    const auto given = sample.servers.find(server);
    const bool is_gone =
        given != sample.servers.end() && given->second && !given->second->is_secure;
    const bool differs = sample.signatures.contains(server);
    if (server == kAllServers || !versions.back().what || differs) continue;
    if (is_gone || sample.windows.contains(server)) sample.signatures[server] = std::nullopt;
  }
}

}  // namespace

Time held_until(const Published& given, Time ended) {
  if (given.is_gone || !given.is_secure || given.records.empty()) return kEver;
  // Behind an alias the set is of use while the alias is known, and may be taken in until then.
  return ended + std::max(given.ttl, given.alias_ttl);
}

Sample sample_of(const probes::HostObservation& host) {
  Sample out{.seen_at = host.observed_at};
  see_servers(out, host);
  see_endpoints(out, host);
  return out;
}

bool is_loss(const HostHistory& host_history, const Sample& sample) {
  return sample.is_unprotected && std::ranges::any_of(host_history.servers, [](const auto& entry) {
           const auto& last = entry.second.back().what;
           return !last.is_gone && last.is_secure;
         });
}

Sample completed(const HostHistory& host_history, Sample sample) {
  for (const auto& [name, versions] : host_history.servers) {
    const auto& last = versions.back().what;
    if (last.is_gone) continue;
    if (sample.is_unprotected) {
      // Whoever gave the records, they are for nobody from then on.
      if (name != kAllServers) sample.servers.erase(kAllServers);
      sample.servers[name] =
          last.is_secure ? Published{.delegation_ttl = sample.delegation_ttl} : last;
    } else if (sample.knows_servers) {
      sample.servers.try_emplace(name, Published{.is_gone = true});
    }
  }
  for (const auto& [name, versions] : host_history.endpoints) {
    if (sample.knows_endpoints && !versions.back().what.empty())
      sample.endpoints.try_emplace(name, Chain{});
  }
  complete_signatures(host_history, sample);
  return sample;
}

bool record_sample(HostHistory& host_history, const Sample& sample, Time began, Time ended) {
  const Look look{began, ended};
  bool is_news = false;
  const auto forget = [&](const Version<Published>& version, Time until) {
    host_history.forgotten_until =
        std::max(host_history.forgotten_until, held_until(version.what, until));
  };
  for (const auto& [name, seen] : sample.servers) {
    if (!seen) continue;
    auto& versions = host_history.servers[name];
    is_news = note_version(versions, *seen, look, std::equal_to<>(), forget) || is_news;
  }
  for (const auto& [name, seen] : sample.endpoints) {
    if (seen) is_news = note_version(host_history.endpoints[name], *seen, look, is_same) || is_news;
  }
  // Their times are compared with the moment of the look, however long it took.
  for (const auto& [name, seen] : sample.signatures)
    note_version(host_history.signatures[name], seen, {sample.seen_at, sample.seen_at},
                 std::equal_to<>());
  bound_versions(
      host_history.servers, [](const Published& last) { return last.is_gone; }, forget);
  bound_versions(host_history.endpoints, [](const Chain& last) { return last.empty(); });
  bound_versions(host_history.signatures, [](const auto& last) { return !last; });
  return is_news;
}

void add_endpoints(HostHistory& host_history, const std::string& host, const HostHistory& other) {
  for (const auto& [name, versions] : other.endpoints)
    host_history.endpoints[host + " " + name] = versions;
}

History history_of(const HostHistory& host_history, const std::vector<std::string>& names,
                   const NamesOfUsers& names_of_users) {
  return HistoryBuilder(host_history, names, names_of_users).write();
}

}  // namespace agent
