#include "probes/evidence.h"

#include <algorithm>
#include <map>
#include <set>
#include <utility>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "probes/dane/tlsa.h"
#include "probes/derivation.h"
#include "probes/dns/server_address.h"
#include "probes/explain.h"
#include "probes/judge.h"
#include "probes/report.h"
#include "probes/resolver_faults.h"

namespace probes {
namespace {

using dns::Answer;
using dns::Message;
using dns::Name;
using dns::Outcome;

std::string question_of(const Answer& answer) {
  return fmt::format("{} of {}", dns::type_name(answer.type), answer.name.text());
}

std::string key_tags(const Message& reply) {
  std::set<std::string> tags;
  for (const auto& key : dns::key_set_of(reply, {}).first.keys)
    tags.insert(std::to_string(key.tag));
  if (tags.empty()) return "";
  const auto* who = reply.question_type == dns::type::ds ? "names" : "signed by";
  return fmt::format(", {} key {}", who, fmt::join(tags, ", "));
}

// The links above an answer, each told once, and how far each holds by itself: those above a broken
// one are as sound as ever.
class Ladder {
 public:
  Ladder(Argument& argument, Derivation& derivation, const std::vector<dns::Record>& anchors)
      : argument_(argument), derivation_(derivation), anchor_(anchors.front().owner) {}

  void climb(const Answer& answer) {
    auto links = *answer.replies;
    std::erase_if(links, [&](const dns::ReplyPtr& reply) {
      return reply->question_type != dns::type::ds && reply->question_type != dns::type::dnskey;
    });
    std::ranges::stable_sort(links, {}, [](const dns::ReplyPtr& reply) {
      return std::pair{reply->question.label_count(), reply->question_type};
    });
    for (const auto& link : links) {
      if (told_.emplace(link->question, link->question_type).second) tell(*link);
    }
  }

 private:
  void tell(const Message& link) {
    const auto status = derivation_.status_of(link);
    const bool is_proven =
        status == dns::DnssecStatus::secure || status == dns::DnssecStatus::insecure;
    const bool is_there = std::ranges::any_of(
        link.answer, [&](const dns::Record& one) { return one.type == link.question_type; });
    const auto name = link.question.is_root() ? std::string("the root") : link.question.text();
    const auto what = dns::type_name(link.question_type);
    auto words = is_there ? fmt::format("{} of {}", what, name)
                          : fmt::format("{} has no {} records", name, what);
    if (is_there && is_proven && link.question == anchor_)
      words += ": vouched for by the trust anchor";
    if (is_there) words += key_tags(link);
    if (!is_proven) words += "; what is above does not vouch for that";
    argument_.steps.push_back({is_proven ? Standing::proven : Standing::seen, std::move(words)});
  }

  Argument& argument_;
  Derivation& derivation_;
  const Name anchor_;
  std::set<std::pair<Name, std::uint16_t>> told_;
};

// The data as zone files have it, as far as people read it; the first of many.
std::string data_of(std::uint16_t type, const std::vector<dns::Bytes>& all) {
  const bool is_address = type == dns::type::a || type == dns::type::aaaa;
  constexpr std::size_t kMost = 8;
  std::vector<std::string> out;
  for (const auto& data : all) {
    if (out.size() == kMost) {
      out.push_back(fmt::format("… {} in all", all.size()));
      break;
    }
    if (type == dns::type::tlsa) {
      out.push_back(dane::to_text(dane::tlsa_or_unusable(data)));
    } else if (type == dns::type::mx && data.size() > 2) {
      const auto host = Name::from_wire(std::span{data}.subspan(2));
      out.push_back(fmt::format("{} {}", data[0] << 8U | data[1], host ? host->text() : "?"));
    } else if (auto address = dns::address_text(data); is_address && !address.empty()) {
      out.push_back(std::move(address));
    } else {
      out.push_back(dane::to_hex(data));
    }
  }
  return out.empty() ? std::string("none")
                     : printable(fmt::format("{}", fmt::join(out, "; ")), 900);
}

std::string told_by(const Answer& answer) {
  auto out = answer.outcome == Outcome::failed
                 ? fmt::format("{}: failed, {} ({}", question_of(answer), wire_name(answer.cause),
                               printable(answer.detail))
                 : fmt::format("{}: {} ({}", question_of(answer), data_of(answer.type, answer.data),
                               wire_name(answer.status));
  if (answer.signatures)
    out += fmt::format(", signed until {}", config::rfc3339(answer.signatures->expiration));
  return out + ")";
}

// The keys that tie the zone to its parent; the rest of KeySets is of caches, and so of the moment.
bool same_keys(const dns::KeySetsPtr& a, const dns::KeySetsPtr& b) {
  if (!a || !b) return a == b;
  return a->zone == b->zone && a->ds.keys == b->ds.keys && a->dnskey.keys == b->dnskey.keys;
}

Standing standing_of(Answer said, const Answer& derived) {
  if (is_word_only(said)) return Standing::seen;
  said.detail = derived.detail;  // another version may have had other words
  if (!same_facts(said, derived) || said.final_name != derived.final_name ||
      !same_keys(said.key_sets, derived.key_sets))
    return Standing::refuted;
  // Replies that do not validate may be anybody's, and so may insecure data; that it is insecure is
  // proven.
  const bool is_anybodys = derived.outcome == Outcome::failed ||
                           (derived.status == dns::DnssecStatus::insecure && !derived.data.empty());
  return is_anybodys ? Standing::seen : Standing::proven;
}

const Answer* find(const std::vector<const Answer*>& all, const Answer& like) {
  const auto found = std::ranges::find_if(all, [&](const Answer* one) {
    return one->outcome != Outcome::not_queried && one->name == like.name && one->type == like.type;
  });
  return found == all.end() ? nullptr : *found;
}

// Each lookup as the replies have it, held against what was said of it.
void tell_lookups(const std::vector<const Answer*>& said, const std::vector<const Answer*>& derived,
                  Derivation& derivation, Ladder& ladder, Argument& argument) {
  for (const auto* one : derived) {
    // Without replies nothing was asked: an address in place of a name, a service.
    if (one->outcome == Outcome::not_queried || !(one->replies || is_word_only(*one))) continue;
    if (one->replies) ladder.climb(*one);
    const auto* claim = find(said, *one);
    auto standing = claim == nullptr ? Standing::refuted : standing_of(*claim, *one);
    if (standing == Standing::proven && derivation.rests_on_resolver(*one))
      standing = Standing::seen;
    auto words = told_by(*one);
    if (standing == Standing::refuted)
      words =
          fmt::format("{}; but the replies say: {}",
                      claim == nullptr ? question_of(*one) + ": not said" : told_by(*claim), words);
    argument.steps.push_back({standing, std::move(words)});
  }
  for (const auto* one : said) {
    if (one->outcome == Outcome::not_queried || find(derived, *one) != nullptr) continue;
    argument.steps.push_back(
        {Standing::refuted,
         fmt::format("{}; but by the replies nobody asks for that", told_by(*one))});
  }
}

std::string said_by(const dns::ServerAnswer& answer) {
  if (answer.outcome == Outcome::failed) return fmt::format("failed, {}", wire_name(answer.cause));
  if (answer.is_alias) return "an alias";
  const auto data = data_of(answer.question.type, answer.data);
  return answer.signatures ? fmt::format("{} (signed until {})", data,
                                         config::rfc3339(answer.signatures->expiration))
                           : fmt::format("{} (without signatures)", data);
}

// What name servers said, of whom nobody keeps replies: those that said the same together.
void tell_survey(const dns::Survey& survey, Argument& argument) {
  std::vector<std::pair<std::string, std::vector<std::string>>> all;
  for (const auto& answer : survey.answers) {
    if (answer.outcome == Outcome::not_queried) continue;
    const auto words = fmt::format("{} of {}: {}", dns::type_name(answer.question.type),
                                   answer.question.name.text(), said_by(answer));
    auto place = std::ranges::find(all, words, &decltype(all)::value_type::first);
    if (place == all.end()) place = all.insert(all.end(), {words, {}});
    place->second.push_back(
        fmt::format("{} ({})", answer.server.name.text(), printable(answer.server.address)));
  }
  for (const auto& [words, servers] : all) {
    argument.steps.push_back(
        {Standing::seen, fmt::format("{}, as told by {}", words,
                                     printable(fmt::format("{}", fmt::join(servers, ", ")), 900))});
  }
}

void tell_policy(const DomainObservation& domain, Argument& argument) {
  const auto& fetched = domain.sts->fetched;
  if (!fetched) return;
  const auto what = fetched->outcome == sts::FetchOutcome::policy
                        ? fmt::format("mode {}, mx {}", wire_name(fetched->policy.mode),
                                      fmt::join(fetched->policy.mx, " "))
                        : fmt::format("{} ({})", wire_name(fetched->outcome), fetched->detail);
  argument.steps.push_back(
      {Standing::seen, fmt::format("MTA-STS policy at {}: {}",
                                   sts::policy_host(domain.domain.text()), printable(what, 900))});
}

void demand(bool is_so, std::string_view what, Argument& argument) {
  if (!is_so) argument.steps.push_back({Standing::refuted, std::string(what)});
}

std::string in_short(const tls::Certificate& certificate) {
  return fmt::format("{} (SPKI SHA2-256 {})", printable(certificate.subject),
                     dane::to_hex(certificate.spki_sha256));
}

std::string_view stage_words(smtp::Stage stage) {
  switch (stage) {
    case smtp::Stage::connect:
      return "before it was connected";
    case smtp::Stage::banner:
      return "at the greeting";
    case smtp::Stage::ehlo:
      return "at EHLO";
    case smtp::Stage::starttls:
      return "at STARTTLS";
    case smtp::Stage::handshake:
      return "in the TLS handshake";
    case smtp::Stage::ehlo_tls:
      return "at EHLO within TLS";
    case smtp::Stage::done:
      return "after all was said";
  }
  return "";
}

std::string_view stop_words(smtp::SessionStop stop) {
  using smtp::SessionStop;
  switch (stop) {
    case SessionStop::none:
      return "nothing was amiss";
    case SessionStop::special_address:
      return "addresses for special purposes are not contacted";
    case SessionStop::connect_refused:
      return "the connection was refused";
    case SessionStop::connect_unreachable:
      return "the address cannot be reached";
    case SessionStop::connect_timeout:
    case SessionStop::timeout:
      return "no answer came in time";
    case SessionStop::no_route:
      return "this machine cannot reach that family of addresses";
    case SessionStop::local_fault:
      return "this machine could not try";
    case SessionStop::closed:
      return "the server closed the connection";
    case SessionStop::malformed_reply:
      return "the reply was no SMTP";
    case SessionStop::reply_too_long:
      return "the reply did not end";
    case SessionStop::negative_reply:
      return "the server said no";
    case SessionStop::not_offered:
      return "STARTTLS was not offered";
    case SessionStop::tls:
      return "TLS failed";
  }
  return "";
}

// Why a session without a certificate was one: what was noted of it, or else what the server said.
std::string why_ended(const smtp::SessionRecord& session) {
  std::string out(stop_words(session.stop));
  if (!session.detail.empty()) {
    out += fmt::format(" ({})", printable(session.detail));
  } else if (session.stop == smtp::SessionStop::negative_reply && session.last_reply) {
    out += fmt::format(" ({} {})", session.last_reply->code, printable(session.last_reply->text()));
  }
  return out;
}

std::string place_of(const smtp::SessionRecord& session) {
  return fmt::format("{} port {}", printable(session.address), session.port);
}

// Those that were left out are of other machines, whatever they showed.
void refute_others(const HostObservation& said, const HostObservation& derived,
                   Argument& argument) {
  for (const auto& session : said.sessions) {
    const bool is_taken = std::ranges::any_of(derived.sessions, [&](const auto& one) {
      return one.address == session.address && one.port == session.port;
    });
    demand(is_taken,
           fmt::format("a session with {}, which is not where the host is", place_of(session)),
           argument);
  }
}

void tell_sessions(const HostJudgement& host, Argument& argument) {
  for (const auto& endpoint : host.endpoints) {
    const auto& session = host.seen->sessions[endpoint.session];
    const auto where = session.key_type == tls::KeyType::by_default
                           ? place_of(session)
                           : fmt::format("{}, asked for a key of type {}", place_of(session),
                                         wire_name(session.key_type));
    if (session.tls && !session.tls->chain.empty()) {
      argument.steps.push_back({Standing::seen, fmt::format("{} presented {}", where,
                                                            in_short(*session.tls->chain[0]))});
    } else {
      argument.steps.push_back(
          {Standing::seen, fmt::format("{}: the session ended {}: {}", where,
                                       stage_words(session.stage), why_ended(session))});
    }
    argument.steps.push_back(
        {Standing::follows,
         fmt::format("so, for senders to {}: {} ({})", printable(session.address),
                     in_words(endpoint.verdict), in_words(endpoint.reason))});
  }
}

}  // namespace

std::string_view wire_name(Standing standing) {
  switch (standing) {
    case Standing::proven:
      return "proven";
    case Standing::seen:
      return "seen";
    case Standing::follows:
      return "follows";
    case Standing::refuted:
      return "refuted";
  }
  return "";
}

bool Argument::holds() const {
  return std::ranges::none_of(steps,
                              [](const Step& step) { return step.standing == Standing::refuted; });
}

namespace {

// What is left when nobody's word is taken: no sessions, no servers asked one by one, no policy.
DomainSeen without_word(DomainObservation seen) {
  seen.survey = {};
  if (seen.sts.is_set()) seen.sts.change().fetched.reset();
  return std::make_shared<const DomainObservation>(std::move(seen));
}
HostSeen without_word(HostObservation seen) {
  seen.survey = {};
  seen.sessions.clear();
  return std::make_shared<const HostObservation>(std::move(seen));
}

bool is_all_proven(const Argument& argument) {
  return std::ranges::all_of(argument.steps,
                             [](const Step& step) { return step.standing == Standing::proven; });
}

void verify_domain(const DomainObservation& said, Derivation& derivation, Ladder& ladder,
                   const std::map<Name, HostSeen>& hosts, Argument& argument) {
  argument.domain = derivation.domain();
  const auto& derived = *argument.domain;
  tell_lookups(answers_of(said), answers_of(derived), derivation, ladder, argument);
  demand(said.hosts == derived.hosts && said.source == derived.source &&
             said.has_null_mx == derived.has_null_mx &&
             said.invalid_exchanges == derived.invalid_exchanges,
         "the MX hosts are not those of the MX records", argument);
  argument.judged = judge(argument.domain, hosts, said.observed_at);
  if (is_all_proven(argument))
    argument.proven = judge(without_word(derived), {}, said.observed_at).findings;
  tell_survey(derived.survey, argument);
  tell_policy(derived, argument);
  if (argument.judged.verdict != Verdict::unknown)
    argument.steps.push_back({Standing::follows, fmt::format("{}: {}", said.domain.text(),
                                                             in_words(argument.judged.verdict))});
}

void verify_host(const HostObservation& said, Derivation& derivation, Ladder& ladder,
                 Argument& argument) {
  argument.host = derivation.host();
  const auto& derived = *argument.host;
  tell_lookups(answers_of(said), answers_of(derived), derivation, ladder, argument);
  demand(said.base_domain == derived.base_domain &&
             said.is_dane_candidate == derived.is_dane_candidate,
         "the TLSA base domain does not follow from the addresses", argument);
  demand(said.records == derived.records, "the TLSA records are not those of the answer", argument);
  demand(said.addresses == derived.addresses, "the addresses are not those of the answers",
         argument);
  argument.judged = judge_alone(argument.host, said.observed_at);
  if (is_all_proven(argument))
    argument.proven = judge_alone(without_word(derived), said.observed_at).findings;
  tell_survey(derived.survey, argument);
  refute_others(said, derived, argument);
  for (const auto& one : argument.judged.hosts) {
    tell_sessions(one, argument);
    argument.steps.push_back(
        {Standing::follows, fmt::format("{}: {}", said.host.text(), in_words(one.verdict))});
  }
}

}  // namespace

Argument verify(const Recorded& recorded, const std::vector<dns::Record>& anchors,
                const std::map<Name, HostSeen>& hosts) {
  Argument argument;
  Derivation derivation(recorded, anchors);
  Ladder ladder(argument, derivation, anchors);
  if (recorded.domain)
    verify_domain(*recorded.domain, derivation, ladder, hosts, argument);
  else
    verify_host(*recorded.host, derivation, ladder, argument);
  return argument;
}

}  // namespace probes
