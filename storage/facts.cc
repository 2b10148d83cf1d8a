#include "storage/facts.h"

#include <algorithm>
#include <optional>
#include <set>
#include <string>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "probes/dane/tlsa.h"
#include "probes/status.h"
#include "storage/delivery_past.h"
#include "storage/host_history.h"

namespace storage {
namespace {

using Json = nlohmann::json;
using probes::dns::Outcome;

std::string text(const Json& json) {
  return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

class Facts {
 public:
  std::vector<Fact> facts;
  std::vector<Fact> recoveries;

  void domain(const probes::DomainObservation& seen) {
    const auto name = seen.domain.text();
    if (!learned("mx", name, seen.mx)) return;
    Json hosts = Json::array();
    for (const auto& host : seen.hosts) hosts.push_back({host.preference, host.name.text()});
    add("mx", name,
        {{"source", wire_name(seen.source)},
         {"dnssec", wire_name(seen.mx.status)},
         {"ttl", seen.mx.ttl.count()},
         {"hosts", hosts}});
  }

  void host(const probes::HostObservation& seen) {
    const auto name = seen.host.text();
    const bool knows_a = learned("a", name, seen.a);
    const bool knows_aaaa = learned("aaaa", name, seen.aaaa);
    if (knows_a && knows_aaaa)
      add("addresses", name,
          {{"addresses", seen.addresses},
           {"a", wire_name(seen.a.status)},
           {"aaaa", wire_name(seen.aaaa.status)}});
    tlsa(seen);
    for (std::size_t i = 0; i < seen.sessions.size(); ++i) {
      if (is_first_look(seen, i)) endpoint(name, seen.sessions[i]);
    }
  }

  // What rollovers are judged from; storage/host_history reads it back.
  void sample(const std::string& host, const agent::Sample& seen) {
    for (const auto& [server, published] : seen.servers) {
      if (published) add("published", host + "|" + server, published_json(*published));
    }
    for (const auto& [endpoint, chain] : seen.endpoints) {
      if (chain) add("chain", host + "|" + endpoint, chain_json(*chain));
    }
    // Apart from the records, so that a zone signed anew does not copy them.
    for (const auto& [server, signature] : seen.signatures) {
      const auto whose = server == agent::kAllServers ? host : host + "|" + server;
      facts.push_back({"signature", whose, text(signature_json(signature)), seen.seen_at});
    }
  }

  void mx_signature(const probes::DomainObservation& seen, const agent::Signature& signature) {
    facts.push_back(
        {"mx-signature", seen.domain.text(), text(signature_json(signature)), seen.observed_at});
  }

  void zone(const agent::ZoneNews& news) {
    const auto& seen = *news.seen;
    const auto& name = seen.zone.text();
    if (news.has_ds) facts.push_back({"ds", name, text(key_set_json(seen.ds)), seen.ds_given_at});
    if (news.has_dnskey)
      facts.push_back({"dnskey", name, text(key_set_json(seen.dnskey)), seen.dnskey_given_at});
  }

  void judged(const agent::DomainState& state) {
    const auto& judged = *state.judged;
    const auto& name = state.configured->name;
    Json content{{"verdict", wire_name(judged.verdict)},
                 {"weakest", wire_name(judged.weakest)},
                 {"severity", wire_name(judged.severity)}};
    with_delivery(content, probes::delivery_of(judged));
    add("verdict", name, content);
    Json list = Json::array();
    for (const auto& finding : judged.findings)
      list.push_back({wire_name(finding.code), wire_name(finding.severity), finding.subject.name});
    add("findings", name, list);
  }

  void judged_host(const probes::dns::Name& host, const probes::HostJudgement& judged) {
    Json content{{"verdict", wire_name(judged.verdict)},
                 {"severity", wire_name(probes::worst_severity(judged.findings))}};
    with_delivery(content, probes::delivery_of(judged));
    add("host-verdict", host.text(), content);
  }

 private:
  // Where the others say it too, the history goes on as it was before the word was recorded.
  static void with_delivery(Json& content, probes::Delivery delivery) {
    if (delivery != delivery_in(content)) content["delivery"] = wire_name(delivery);
  }
  void add(std::string kind, std::string subject, const Json& content) {
    facts.push_back({std::move(kind), std::move(subject), text(content), std::nullopt});
  }

  bool learned(const std::string& what, const std::string& name,
               const probes::dns::Answer& answer) {
    const auto subject = what + " " + name;
    if (answer.outcome == Outcome::failed) {
      add("failure", subject, {{"cause", wire_name(answer.cause)}, {"detail", answer.detail}});
      return false;
    }
    recoveries.push_back({"failure", subject, "", std::nullopt});
    return answer.outcome != Outcome::not_queried;
  }

  void tlsa(const probes::HostObservation& seen) {
    if (seen.tlsa.outcome == Outcome::not_queried) return;
    const auto owner = seen.tlsa.name.text();
    if (!learned("tlsa", owner, seen.tlsa)) return;
    const auto differing = given_where_servers_differ(seen);
    Json records = Json::array();
    for (const auto& record : seen.records) records.push_back(probes::dane::to_text(record));
    if (differing) records = *differing;
    Json aliases = Json::array();
    for (const auto& alias : seen.tlsa.aliases)
      aliases.push_back({alias.to.text(), alias.ttl.count()});
    Json content{{"outcome", wire_name(differing ? Outcome::answer : seen.tlsa.outcome)},
                 {"dnssec", wire_name(seen.tlsa.status)},
                 {"ttl", seen.tlsa.ttl.count()},
                 {"records", records},
                 {"aliases", aliases}};
    if (differing) content["servers_differ"] = true;
    add("tlsa", owner, content);
  }

  // Which set the resolver has got hold of is chance then, and no change: what some server gives.
  static std::optional<std::set<std::string>> given_where_servers_differ(
      const probes::HostObservation& seen) {
    std::set<std::set<std::string>> sets;
    std::set<std::string> all;
    for (const auto& answer : seen.survey.answers) {
      const auto& question = answer.question;
      const bool is_of_records = question.type == probes::dns::type::tlsa &&
                                 question.name == seen.tlsa.final_name && !answer.is_alias;
      if (!is_of_records || !is_learned(answer.outcome)) continue;
      std::set<std::string> given;
      for (const auto& data : answer.data)
        given.insert(probes::dane::to_text(probes::dane::tlsa_or_unusable(data)));
      all.insert(given.begin(), given.end());
      sets.insert(std::move(given));
    }
    return sets.size() > 1 ? std::optional{all} : std::nullopt;
  }

  void endpoint(const std::string& host, const probes::smtp::SessionRecord& session) {
    const auto subject = fmt::format("{}|{}|{}|{}", host, session.address, session.port,
                                     probes::tls::wire_name(session.key_type));
    Json talk{{"stage", wire_name(session.stage)},
              {"stop", wire_name(session.stop)},
              {"starttls", session.offers_starttls}};
    if (session.tls) {
      talk["version"] = session.tls->version;
      talk["cipher"] = session.tls->cipher;
    }
    add("session", subject, talk);
  }
};

Facts gather(const agent::Round& round) {
  Facts out;
  if (round.domain) out.domain(*round.domain);
  if (round.domain && round.mx_signature) out.mx_signature(*round.domain, *round.mx_signature);
  if (round.host) {
    out.host(*round.host);
    out.sample(round.host->host.text(), round.sample);
  }
  for (const auto& news : round.zones) out.zone(news);
  for (const auto& state : round.judged) {
    if (state.judged) out.judged(state);
  }
  if (round.host && round.host_judged) out.judged_host(round.host->host, *round.host_judged);
  return out;
}

}  // namespace

std::vector<Fact> facts_of(const agent::Round& round) {
  return gather(round).facts;
}
std::vector<Fact> recoveries_of(const agent::Round& round) {
  return gather(round).recoveries;
}

}  // namespace storage
