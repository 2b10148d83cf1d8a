#include "probes/derivation.h"

#include <algorithm>
#include <map>
#include <optional>
#include <set>
#include <utility>

#include "probes/dns/chain.h"
#include "probes/dns/lookup.h"
#include "probes/observe.h"
#include "probes/resolver_faults.h"
#include "probes/service.h"

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
    for (const auto& reply : replies) {
      // Asked twice, it was answered twice: what was believed came last.
      by_question_[{reply->question, reply->question_type, reply->was_unchecked}] = reply;
    }
  }

  Result<Message, dns::QueryFault> ask(const dns::Query& query, Deadline /*deadline*/) override {
    for (const bool unchecked : {query.checking_disabled, !query.checking_disabled}) {
      const auto found = by_question_.find({query.name, query.type, unchecked});
      if (found == by_question_.end()) continue;
      auto reply = *found->second;
      reply.authentic_data = is_authentic.value_or(reply.authentic_data);
      return reply;
    }
    return Failure<dns::QueryFault>(
        {.fault = dns::Fault::network, .detail = "no reply to this was recorded", .server = {}});
  }

  std::optional<bool> is_authentic;  // in place of what was recorded: the AD bit

 private:
  std::map<std::tuple<Name, std::uint16_t, bool>, dns::ReplyPtr> by_question_;
};

// What nobody can prove of a lookup: that it failed, but for one whose answer is there, signed.
void take_word(Answer& derived, const Answer& said) {
  if (derived.name != said.name || derived.type != said.type) return;
  const bool is_there =
      derived.outcome != Outcome::failed && derived.status == dns::DnssecStatus::secure;
  if (is_word_only(said) && !is_there) derived = said;
  derived.resolver_fault = said.resolver_fault;
  if (derived.outcome != Outcome::failed) return;
  derived.is_unconfirmed = said.is_unconfirmed;
  derived.is_ours = said.is_ours;
}

}  // namespace

bool is_word_only(const Answer& answer) {
  using dns::Cause;
  if (answer.outcome != Outcome::failed) return false;
  switch (answer.cause) {
    case Cause::timeout:
    case Cause::network:
    case Cause::malformed:
    case Cause::chain_unreachable:
    case Cause::servfail:
    case Cause::refused:
    case Cause::other_rcode:
      return true;
    case Cause::none:
    case Cause::bogus:
    case Cause::signature_expired:
    case Cause::signature_not_yet_valid:
    case Cause::ds_mismatch:
    case Cause::ds_signature:
    case Cause::alias_loop:
    case Cause::too_large:
      return false;
  }
  return false;
}

struct Derivation::Tools {
  Tools(const Recorded& recorded, const std::vector<dns::Record>& anchors)
      : replies(recorded.replies),
        chain(anchors),
        lookup(replies, chain, config::Seconds{60}),
        tls(certificates),
        at(recorded.observed_at()),
        settings{.port = recorded.port, .helo = {}} {}

  ProbeClients clients() { return {.lookup = lookup, .tls = tls}; }
  Answer ask(const Answer& said, const Name& name, std::uint16_t type) {
    if (said.outcome == Outcome::not_queried) return {};
    auto out = lookup.ask(name, type, at, Deadline::max());
    take_word(out, said);
    return out;
  }

  RecordedReplies replies;
  dns::Chain chain;
  dns::Lookup lookup;
  tls::CertificateCache certificates;
  tls::Client tls;
  const config::Time at;
  ProbeSettings settings;
};

Derivation::Derivation(const Recorded& recorded, const std::vector<dns::Record>& anchors)
    : recorded_(recorded), tools_(std::make_unique<Tools>(recorded, anchors)) {}

Derivation::~Derivation() = default;

DomainSeen Derivation::domain() {
  const auto& said = *recorded_.domain;
  auto out =
      observe_domain(said.domain, tools_->settings, tools_->clients(), tools_->at, Deadline::max());
  take_word(out.mx, said.mx);
  if (said.misplaced->outcome == Outcome::not_queried)
    out.misplaced = {};
  else if (out.misplaced.is_set())
    take_word(out.misplaced.change(), *said.misplaced);
  const auto sts_name = said.domain.child("_mta-sts");
  const auto tls_name = said.domain.child("_tls");
  const auto tlsrpt_name = tls_name ? tls_name->child("_smtp") : std::nullopt;
  if (said.sts.is_set() && !out.hosts.empty() && sts_name && tlsrpt_name) {
    auto& sts = out.sts.change();
    sts.sts_txt = tools_->ask(said.sts->sts_txt, *sts_name, dns::type::txt);
    sts.sts = sts::read_sts_record(sts.sts_txt.data);
    sts.tlsrpt_txt = tools_->ask(said.sts->tlsrpt_txt, *tlsrpt_name, dns::type::txt);
    sts.tlsrpt = sts::read_tlsrpt_record(sts.tlsrpt_txt.data);
    if (sts.sts.state == sts::RecordState::valid) sts.fetched = said.sts->fetched;
  }
  out.survey = said.survey;
  return std::make_shared<const DomainObservation>(std::move(out));
}

HostSeen Derivation::host() {
  const auto& said = *recorded_.host;
  auto settings = tools_->settings;
  if (said.starttls) settings.services[said.host] = *said.starttls;
  auto out = observe_records(said.host, settings, tools_->clients(), tools_->at, Deadline::max());
  take_word(out.a, said.a);
  take_word(out.aaaa, said.aaaa);
  if (out.cname.is_set()) take_word(out.cname.change(), *said.cname);
  take_word(out.tlsa, said.tlsa);
  out.survey = said.survey;
  const auto service = service_in(said.host);
  const auto port = service ? service->port : recorded_.port;
  std::ranges::copy_if(
      said.sessions, std::back_inserter(out.sessions), [&](const smtp::SessionRecord& session) {
        return session.port == port &&
               std::ranges::find(out.addresses, session.address) != out.addresses.end();
      });
  return std::make_shared<const HostObservation>(std::move(out));
}

dns::DnssecStatus Derivation::status_of(const Message& link) {
  return tools_->chain.prove(link, tools_->replies, tools_->at, Deadline::max()).proof.status;
}

bool Derivation::rests_on_resolver(const Answer& derived) {
  const auto status_if = [&](std::optional<bool> is_authentic) {
    tools_->replies.is_authentic = is_authentic;
    return tools_->lookup.ask(derived.name, derived.type, tools_->at, Deadline::max()).status;
  };
  const bool differs = status_if(true) != status_if(false);
  tools_->replies.is_authentic.reset();
  return differs;
}

}  // namespace probes
