#include "probes/evidence.h"

#include <algorithm>
#include <map>
#include <set>
#include <utility>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "probes/dane/tlsa.h"
#include "probes/dns/chain.h"
#include "probes/dns/lookup.h"
#include "probes/dns/server_address.h"
#include "probes/explain.h"
#include "probes/judge.h"
#include "probes/observe.h"
#include "probes/report.h"
#include "probes/resolver_faults.h"

namespace probes {
namespace {

using config::Deadline;
using config::Failure;
using config::Result;
using dns::Answer;
using dns::Message;
using dns::Name;
using dns::Outcome;

// Gives the recorded replies again; whatever else is asked was not recorded.
class RecordedReplies final : public dns::Resolver {
 public:
  explicit RecordedReplies(const dns::Replies& replies) {
    for (const auto& reply : replies)
      by_question_[{reply->question, reply->question_type, reply->was_unchecked}].push_back(reply);
  }

  Result<Message, dns::QueryFault> ask(const dns::Query& query, Deadline /*deadline*/) override {
    for (const bool unchecked : {query.checking_disabled, !query.checking_disabled}) {
      const auto found = by_question_.find({query.name, query.type, unchecked});
      // Asked twice, it was answered twice: what was believed came last.
      if (found != by_question_.end()) return *found->second.back();
    }
    return Failure<dns::QueryFault>(
        {.fault = dns::Fault::network, .detail = "no reply to this was recorded", .server = {}});
  }

 private:
  std::map<std::tuple<Name, std::uint16_t, bool>, std::vector<dns::ReplyPtr>> by_question_;
};

std::string question_of(const Answer& answer) {
  return fmt::format("{} of {}", dns::type_name(answer.type), answer.name.text());
}

std::string key_tags(const Message& reply, dns::DnssecStatus status) {
  std::set<std::string> tags;
  for (const auto& key : dns::key_set_of(reply, {}).first.keys)
    tags.insert(std::to_string(key.tag));
  if (tags.empty()) return "";
  const auto* who = reply.question_type == dns::type::ds ? "names" : "signed by";
  return fmt::format(", {} key {}{}", who, fmt::join(tags, ", "),
                     status == dns::DnssecStatus::secure ? "" : "?");
}

// The links above an answer, each told once.
class Ladder {
 public:
  Ladder(Argument& argument, const std::vector<dns::Record>& anchors)
      : argument_(argument), anchor_(anchors.front().owner) {}

  void climb(const Answer& answer) {
    if (!answer.replies) return;
    auto links = *answer.replies;
    std::erase_if(links, [&](const dns::ReplyPtr& reply) {
      return reply->question_type != dns::type::ds && reply->question_type != dns::type::dnskey;
    });
    std::ranges::stable_sort(links, {}, [](const dns::ReplyPtr& reply) {
      return std::pair{reply->question.label_count(), reply->question_type};
    });
    for (const auto& link : links) {
      if (!told_.emplace(link->question, link->question_type).second) continue;
      const bool is_there = std::ranges::any_of(
          link->answer, [&](const dns::Record& one) { return one.type == link->question_type; });
      const auto name = link->question.is_root() ? std::string("the root") : link->question.text();
      const auto what = dns::type_name(link->question_type);
      if (!is_there) {
        add(answer, fmt::format("{} has no {} records", name, what));
      } else if (link->question == anchor_) {
        add(answer, fmt::format("{} of {}: vouched for by the trust anchor{}", what, name,
                                key_tags(*link, answer.status)));
      } else {
        add(answer, fmt::format("{} of {}{}", what, name, key_tags(*link, answer.status)));
      }
    }
  }

 private:
  // Of a chain that holds as a whole every link does.
  void add(const Answer& answer, std::string what) {
    const bool is_proven =
        is_learned(answer.outcome) && (answer.status == dns::DnssecStatus::secure ||
                                       answer.status == dns::DnssecStatus::insecure);
    argument_.steps.push_back({is_proven ? Standing::proven : Standing::seen, std::move(what)});
  }

  Argument& argument_;
  const Name anchor_;
  std::set<std::pair<Name, std::uint16_t>> told_;
};

// The data as zone files have it, as far as people read it; the first of many.
std::string data_of(const Answer& answer) {
  const bool is_address = answer.type == dns::type::a || answer.type == dns::type::aaaa;
  constexpr std::size_t kMost = 8;
  std::vector<std::string> out;
  for (const auto& data : answer.data) {
    if (out.size() == kMost) {
      out.push_back(fmt::format("… {} in all", answer.data.size()));
      break;
    }
    if (answer.type == dns::type::tlsa) {
      out.push_back(dane::to_text(dane::tlsa_or_unusable(data)));
    } else if (answer.type == dns::type::mx && data.size() > 2) {
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
  if (answer.outcome == Outcome::failed)
    return fmt::format("{}: failed, {} ({})", question_of(answer), wire_name(answer.cause),
                       printable(answer.detail));
  auto out =
      fmt::format("{}: {} ({}", question_of(answer), data_of(answer), wire_name(answer.status));
  if (answer.signatures)
    out += fmt::format(", signed until {}", config::rfc3339(answer.signatures->expiration));
  return out + ")";
}

// What a resolver or a network did, rather than what a zone says.
bool is_beyond_proof(const Answer& answer) {
  using dns::Cause;
  switch (answer.cause) {
    case Cause::timeout:
    case Cause::network:
    case Cause::malformed:
    case Cause::chain_unreachable:
    case Cause::servfail:
    case Cause::refused:
    case Cause::other_rcode:
      return true;
    default:
      return false;
  }
}

Standing standing_of(const Answer& said, const Answer& again) {
  if (said.outcome == Outcome::failed && is_beyond_proof(said)) return Standing::seen;
  const bool is_same = said.name == again.name && said.type == again.type &&
                       said.outcome == again.outcome && said.data == again.data &&
                       said.aliases == again.aliases && said.rcode == again.rcode &&
                       (!is_learned(said.outcome) || said.status == again.status);
  if (!is_same) return Standing::refuted;
  // Insecure data may be anybody's word; that it is insecure is proven.
  return said.status == dns::DnssecStatus::insecure && !said.data.empty() ? Standing::seen
                                                                          : Standing::proven;
}

// Observes again, of recorded replies instead of the network.
class Again {
 public:
  Again(const Recorded& recorded, const std::vector<dns::Record>& anchors)
      : replies_(recorded.replies),
        chain_(anchors),
        lookup_(replies_, chain_, config::Seconds{60}),
        tls_(certificates_),
        settings_{.port = recorded.port, .helo = {}} {}

  DomainObservation domain(const DomainObservation& said) {
    return observe_domain(said.domain, settings_, clients(), said.observed_at, Deadline::max());
  }
  Answer answer(const Answer& said, config::Time at) {
    return lookup_.ask(said.name, said.type, at, Deadline::max());
  }
  HostObservation host(const HostObservation& said) {
    return observe_records(said.host, settings_, clients(), said.observed_at, Deadline::max());
  }

 private:
  ProbeClients clients() { return {.lookup = lookup_, .tls = tls_}; }

  RecordedReplies replies_;
  dns::Chain chain_;
  dns::Lookup lookup_;
  tls::CertificateCache certificates_;
  tls::Client tls_;
  const ProbeSettings settings_;
};

// `again`: what was asked anew by the way; whatever was not is asked now.
void compare(const std::vector<const Answer*>& said, const std::vector<const Answer*>& again,
             config::Time at, Again& asker, Ladder& ladder, Argument& argument) {
  for (std::size_t i = 0; i < said.size(); ++i) {
    if (said[i]->outcome == Outcome::not_queried) continue;
    const bool is_asked = i < again.size() && again[i]->outcome != Outcome::not_queried;
    const auto other = is_asked ? *again[i] : asker.answer(*said[i], at);
    ladder.climb(other);
    argument.steps.push_back({standing_of(*said[i], other), told_by(*said[i])});
    if (argument.steps.back().standing == Standing::refuted)
      argument.steps.back().what += fmt::format("; but the replies say: {}", told_by(other));
  }
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

void tell_sessions(const HostJudgement& host, Argument& argument) {
  for (const auto& endpoint : host.endpoints) {
    const auto& session = host.seen->sessions[endpoint.session];
    const auto where = session.key_type == tls::KeyType::by_default
                           ? fmt::format("{} port {}", session.address, session.port)
                           : fmt::format("{} port {}, asked for a key of type {}", session.address,
                                         session.port, wire_name(session.key_type));
    if (session.tls && !session.tls->chain.empty()) {
      argument.steps.push_back({Standing::seen, fmt::format("{} presented {}", where,
                                                            in_short(*session.tls->chain[0]))});
    } else {
      argument.steps.push_back(
          {Standing::seen, fmt::format("{}: the session ended {}: {}", where,
                                       stage_words(session.stage), why_ended(session))});
    }
    argument.steps.push_back(
        {Standing::follows, fmt::format("so, for senders to {}: {} ({})", session.address,
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

Argument verify(const Recorded& recorded, const std::vector<dns::Record>& anchors) {
  Argument argument;
  Again again(recorded, anchors);
  Ladder ladder(argument, anchors);
  if (recorded.domain) {
    const auto& said = *recorded.domain;
    const auto domain = again.domain(said);
    compare(answers_of(said), answers_of(domain), said.observed_at, again, ladder, argument);
    demand(said.hosts == domain.hosts && said.source == domain.source &&
               said.has_null_mx == domain.has_null_mx,
           "the MX hosts are not those of the MX records", argument);
    argument.judged = judge(recorded.domain, {}, said.observed_at);
    return argument;
  }
  const auto& said = *recorded.host;
  const auto host = again.host(said);
  compare(answers_of(said), answers_of(host), said.observed_at, again, ladder, argument);
  demand(said.base_domain == host.base_domain && said.is_dane_candidate == host.is_dane_candidate,
         "the TLSA base domain does not follow from the addresses", argument);
  demand(said.records == host.records, "the TLSA records are not those of the answer", argument);
  demand(said.addresses == host.addresses, "the addresses are not those of the answers", argument);
  argument.judged = judge_alone(recorded.host, said.observed_at);
  for (const auto& one : argument.judged.hosts) {
    tell_sessions(one, argument);
    argument.steps.push_back(
        {Standing::follows, fmt::format("{}: {}", said.host.text(), in_words(one.verdict))});
  }
  return argument;
}

}  // namespace probes
