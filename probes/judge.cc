#include "probes/judge.h"

#include <algorithm>
#include <array>

#include <fmt/format.h>

#include "probes/exchange.h"
#include "probes/findings.h"
#include "probes/nameserver_consistency.h"
#include "probes/resolver_faults.h"
#include "probes/service.h"

namespace probes {
namespace {

using config::Time;
using dns::DnssecStatus;
using dns::Outcome;
using smtp::SessionRecord;
using smtp::SessionStop;
using smtp::Stage;

// What the DNS side of a host demands of a session with it (RFC 7672 §2.2).
enum class Demand {
  nothing,  // DANE does not apply: TLS if it works
  tls,      // TLSA records, all unusable: TLS without authentication
  authentication,
  web_pki,  // of mail programs: DANE does not apply, a CA must vouch for the certificate
};

// A host, as one sender meets it for one domain.
struct Approach {
  const HostObservation& host;
  const Sender& sender;
  bool is_mx_secure = false;
  std::vector<std::string> names;  // reference identifiers for DANE-TA(2)
  Time at;
};

// An answer as the sender's own validator sees it.
struct Sight {
  Outcome outcome;
  DnssecStatus status;
  [[nodiscard]] bool is_secure() const {
    return status == DnssecStatus::secure && is_learned(outcome);
  }
};

Sight sight_of(const dns::Answer& answer, const Sender& sender) {
  Sight sight{.outcome = answer.outcome, .status = answer.status};
  if (!is_learned(sight.outcome)) return sight;
  const auto iterations = sender.limits_nsec3 ? answer.signing.nsec3_iterations : 0;
  const bool is_half_signed = sender.wants_every_algorithm && answer.signing.lacks_algorithm &&
                              answer.status == DnssecStatus::secure;
  const bool is_late = sender.is_strict_about_time && answer.signing.needs_grace;
  if (iterations > dns::kMostNsec3Iterations || is_half_signed || is_late)
    return {.outcome = Outcome::failed, .status = DnssecStatus::indeterminate};
  const bool is_lost = (sender.sha1_is_unsupported && answer.signing.needs_sha1) ||
                       iterations > dns::kFewNsec3Iterations;
  if (is_lost) sight.status = dns::weaker(sight.status, DnssecStatus::insecure);
  return sight;
}

// Whether the sender's validator vouches for the addresses as ours does: else it asks for no TLSA.
bool sees_addresses_as_we(const HostObservation& host, const Sender& sender) {
  return std::ranges::all_of(std::array{&host.a, &host.aaaa}, [&](const dns::Answer* answer) {
    return answer->outcome != Outcome::answer || sight_of(*answer, sender).status == answer->status;
  });
}

// Whether some name server denies the name between the host and its TLSA records.
bool is_denied_above(const HostObservation& host) {
  return !deniers_of(host.tlsa.name.parent(), host.survey).empty();
}

// The records as a client compares them: where a CA vouches for the certificate, PKIX-TA(0) and
// PKIX-EE(1) say of it what DANE-TA(2) and DANE-EE(3) do (RFC 6698 §2.1.1).
std::vector<dane::TlsaRecord> records_for(const HostObservation& host, const Sender& sender) {
  auto out = host.records;
  if (!sender.is_client) return out;
  for (auto& record : out) {
    if (dane::is_pkix(record.usage)) record.usage = static_cast<std::uint8_t>(record.usage + 2);
  }
  return out;
}

Demand demand_of_client(const Approach& approach) {
  const auto& host = approach.host;
  const bool has_tlsa =
      approach.sender.knows_dane && host.tlsa.outcome == Outcome::answer &&
      host.tlsa.status == DnssecStatus::secure &&
      !dane::records_compared(records_for(host, approach.sender), approach.sender.digests).empty();
  return has_tlsa ? Demand::authentication : Demand::web_pki;
}

Demand demand_of(const Approach& approach) {
  if (approach.sender.is_client) return demand_of_client(approach);
  const auto tlsa = sight_of(approach.host.tlsa, approach.sender);
  const bool has_tlsa =
      tlsa.outcome == Outcome::answer && tlsa.is_secure() && !approach.host.records.empty();
  if (!has_tlsa || !sees_addresses_as_we(approach.host, approach.sender)) return Demand::nothing;
  if (approach.sender.minimises_names && is_denied_above(approach.host)) return Demand::nothing;
  if (!approach.is_mx_secure && !approach.sender.dane_on_insecure_mx) return Demand::nothing;
  const bool any_usable =
      !dane::records_compared(approach.host.records, approach.sender.digests).empty();
  return any_usable ? Demand::authentication : Demand::tls;
}

// What DNS alone decides about a host; nothing when sessions must tell.
std::optional<Verdict> decided_by_dns(const HostObservation& host, const Sender& sender) {
  const auto fails = [&](const dns::Answer& answer) {
    return sight_of(answer, sender).outcome == Outcome::failed;
  };
  if (sender.goes_by_the_letter && address_in(host.host)) return Verdict::no_address;
  const bool a_failed = fails(host.a);
  const bool aaaa_failed = fails(host.aaaa);
  if (sender.skips_on_any_address_failure && (a_failed || aaaa_failed))
    return Verdict::lookup_failed;
  if (host.addresses.empty())
    return a_failed || aaaa_failed ? Verdict::lookup_failed : Verdict::no_address;
  if (fails(*host.cname) || fails(host.tlsa)) return Verdict::lookup_failed;
  return std::nullopt;
}

// Whether a reply makes Postfix return the mail at once: 5xx, and what is no answer at all (1xx,
// 3xx). 4xx makes it go on to the next host.
bool is_final(int code) {
  return code / 100 != 2 && code / 100 != 4;
}

// The rungs before STARTTLS: nothing is known about TLS there, so DANE has no say.
std::optional<EndpointJudgement> judge_before_starttls(const SessionRecord& session,
                                                       const Sender& sender, Demand demand) {
  const auto verdict = [](Verdict v, Reason r) {
    return EndpointJudgement{.verdict = v, .reason = r};
  };
  switch (session.stop) {
    case SessionStop::special_address:
      return verdict(Verdict::down, Reason::special_address);
    case SessionStop::no_route:
    case SessionStop::local_fault:
      return verdict(Verdict::unknown, Reason::no_route);
    case SessionStop::connect_refused:
    case SessionStop::connect_unreachable:
    case SessionStop::connect_timeout:
      return verdict(Verdict::down, Reason::connect_failed);
    default:
      break;
  }
  // Where TLS begins at once nothing is said before.
  if (session.stage >= Stage::handshake && sender.is_client) return std::nullopt;
  const auto& habits = session.habits;
  if (sender.goes_by_the_letter ? habits.has_stray_lines : habits.has_endless_line)
    return verdict(Verdict::down, Reason::smtp_broken);
  const auto without_tls = [&](Reason reason) {
    return verdict(demand == Demand::nothing ? Verdict::cleartext : Verdict::refused, reason);
  };
  if (session.stage != Stage::banner && session.stage != Stage::ehlo) {
    const bool is_offered = sender.goes_by_the_letter
                                ? !habits.offers_only_to_postfix
                                : !habits.hides_offer_from_postfix && !habits.has_blotted_banner;
    if (is_offered) return std::nullopt;
    return without_tls(habits.has_blotted_banner ? Reason::starttls_stripped
                                                 : Reason::starttls_missing);
  }
  if (session.stop == SessionStop::timeout) return verdict(Verdict::unknown, Reason::too_slow);
  if (session.stop != SessionStop::negative_reply)
    return verdict(Verdict::down, Reason::smtp_broken);
  if (sender.is_client) return verdict(Verdict::down, Reason::probe_refused);
  // Who takes HELO after a refused EHLO is an old server without extensions, so without STARTTLS
  // (RFC 5321 §3.2).
  if (session.took_helo) return without_tls(Reason::ehlo_refused);
  if (session.stage == Stage::banner) {
    // Postfix takes a 5xx for a 4xx here (smtp_skip_5xx_greeting).
    const int code = session.last_reply ? session.last_reply->code : 0;
    const bool is_refusal = code / 100 == 4 || code / 100 == 5;
    auto judged = verdict(Verdict::down, is_refusal ? Reason::probe_refused : Reason::smtp_broken);
    judged.is_bounce = !is_refusal;
    return judged;
  }
  // Any other refusal is aimed at who asks: our name, our address.
  auto judged = verdict(Verdict::down, Reason::probe_refused);
  judged.is_bounce = session.helo_code != 0 && is_final(session.helo_code);
  return judged;
}

Reason why_no_tls(const SessionRecord& session) {
  if (session.stop == SessionStop::not_offered) {
    return session.has_masked_starttls ? Reason::starttls_stripped : Reason::starttls_missing;
  }
  if (session.stage == Stage::starttls) return Reason::starttls_rejected;
  const bool is_old = session.tls && session.tls->stop == tls::HandshakeStop::version_old;
  return is_old ? Reason::tls_version_old : Reason::tls_handshake_failed;
}

Reason reason_of(dane::Mismatch mismatch) {
  switch (mismatch) {
    case dane::Mismatch::no_match:
    case dane::Mismatch::no_certificate:
      return Reason::tlsa_mismatch;
    case dane::Mismatch::name:
      return Reason::name_mismatch;
    case dane::Mismatch::expired:
      return Reason::certificate_expired;
    case dane::Mismatch::not_yet_valid:
      return Reason::certificate_not_yet_valid;
    case dane::Mismatch::path:
      return Reason::path_invalid;
  }
  return Reason::tlsa_mismatch;
}

// Whether the anchor of a DANE-TA(2) record is in the chain and in date; other usages have none.
bool has_anchor(const dane::TlsaRecord& record, const std::vector<tls::CertificatePtr>& chain,
                Time at) {
  if (record.usage != dane::kDaneTa) return true;
  return std::any_of(chain.begin() + 1, chain.end(), [&](const tls::CertificatePtr& certificate) {
    return dane::association(*certificate, record.selector, record.matching_type) == record.data &&
           certificate->not_before <= at && at <= certificate->not_after;
  });
}

// A chain that went so far as to be shown, held against the records.
EndpointJudgement judge_chain(const SessionRecord& session, const Approach& approach) {
  const auto& chain = session.tls->chain;
  const bool is_weak = !chain.empty() && chain.front()->key_type == tls::KeyType::rsa &&
                       chain.front()->key_bits < approach.sender.least_rsa_bits;
  if (is_weak) return {.verdict = Verdict::refused, .reason = Reason::weak_key};
  dane::Expectation wanted{.records = records_for(approach.host, approach.sender),
                           .names = approach.names,
                           .digests = approach.sender.digests,
                           .accepts_short_wildcards = approach.sender.accepts_short_wildcards};
  auto result = dane::verify(wanted, chain, approach.at);
  const auto rests_on_ca = [&] {
    return result.match && dane::is_pkix(approach.host.records[result.match->record].usage);
  };
  // Without a CA's word such a record says nothing, but another may.
  if (rests_on_ca() && session.tls->pkix != tls::PkixStop::none) {
    wanted.records = approach.host.records;
    result = dane::verify(wanted, chain, approach.at);
    if (!result.match)
      return {.verdict = Verdict::refused, .reason = Reason::certificate_untrusted};
  }
  if (!result.match) return {.verdict = Verdict::refused, .reason = reason_of(result.mismatch)};
  const auto& matched = approach.host.records[result.match->record];
  if (approach.sender.wants_anchor_sent && !has_anchor(matched, chain, approach.at))
    return {.verdict = Verdict::refused, .reason = Reason::anchor_not_sent};
  return {.verdict = approach.is_mx_secure ? Verdict::authenticated : Verdict::host_authenticated,
          .reason = Reason::tlsa_match,
          .match = result.match};
}

// What CAs say of it. Not known where no file of them is there to ask.
EndpointJudgement judge_by_web_pki(const SessionRecord& session) {
  const auto& pkix = session.tls->pkix;
  if (!pkix) return {.verdict = Verdict::unknown, .reason = Reason::web_pki};
  if (*pkix == tls::PkixStop::none)
    return {.verdict = Verdict::authenticated, .reason = Reason::web_pki};
  return {.verdict = Verdict::refused, .reason = Reason::certificate_untrusted};
}

EndpointJudgement judge_session(const SessionRecord& session, const Approach& approach,
                                Demand demand) {
  if (auto early = judge_before_starttls(session, approach.sender, demand)) return *early;
  const bool is_lax = demand != Demand::authentication && demand != Demand::web_pki &&
                      !approach.sender.goes_by_the_letter;
  if (is_lax && session.lax) {
    const bool has_failed = session.stage < Stage::ehlo_tls;
    if (!session.lax->works)
      return {.verdict = demand == Demand::nothing ? Verdict::cleartext : Verdict::refused,
              .reason = has_failed ? why_no_tls(session) : Reason::tls_handshake_failed};
    if (has_failed)
      return {.verdict = demand == Demand::nothing ? Verdict::opportunistic : Verdict::encrypted,
              .reason = why_no_tls(session)};
  }
  if (session.stage < Stage::ehlo_tls) {
    EndpointJudgement judged{
        .verdict = demand == Demand::nothing ? Verdict::cleartext : Verdict::refused,
        .reason = why_no_tls(session)};
    if (judged.reason != Reason::starttls_rejected) return judged;
    // Refused, STARTTLS leaves the session as it was; unanswered, it leaves none to go on with.
    const bool is_answered = session.stop == SessionStop::negative_reply;
    if (!is_answered && demand == Demand::nothing)
      return {.verdict = Verdict::down, .reason = Reason::smtp_broken};
    judged.is_bounce = is_answered && judged.verdict == Verdict::refused && session.last_reply &&
                       is_final(session.last_reply->code);
    return judged;
  }
  EndpointJudgement judged{.verdict = Verdict::opportunistic, .reason = Reason::no_tlsa};
  if (demand == Demand::tls)
    judged = {.verdict = Verdict::encrypted, .reason = Reason::tlsa_unusable};
  if (demand == Demand::web_pki) judged = judge_by_web_pki(session);
  if (demand == Demand::authentication) judged = judge_chain(session, approach);
  if (judged.verdict == Verdict::refused) return judged;
  if (session.stage == Stage::done) return judged;
  // A session that breaks under TLS is had again in clear where TLS may be left away.
  const bool is_broken = session.stop == SessionStop::closed;
  if (is_broken && demand == Demand::nothing)
    return {.verdict = Verdict::cleartext, .reason = Reason::smtp_broken};
  if (approach.sender.is_client && session.stop == SessionStop::negative_reply)
    return {.verdict = Verdict::down, .reason = Reason::probe_refused};
  judged = {.verdict = Verdict::down, .reason = Reason::smtp_broken};
  judged.is_bounce = session.stop == SessionStop::negative_reply && session.helo_code != 0 &&
                     is_final(session.helo_code);
  return judged;
}

// A server without a certificate of that kind has no such endpoint. Mailbox servers say so by
// hanging up (Dovecot 2.3.19).
bool is_absent_key_type(const SessionRecord& session, const Sender& sender) {
  if (session.key_type == tls::KeyType::by_default || !session.tls) return false;
  return session.tls->stop == tls::HandshakeStop::no_certificate ||
         (sender.is_client && session.tls->stop == tls::HandshakeStop::closed);
}

// A sender tries the addresses until one works; of what does not work, that counts which says most.
int rank(Verdict verdict) {
  switch (verdict) {
    case Verdict::authenticated:
      return 9;
    case Verdict::host_authenticated:
      return 8;
    case Verdict::encrypted:
      return 7;
    case Verdict::opportunistic:
      return 6;
    case Verdict::cleartext:
      return 5;
    case Verdict::refused:
      return 4;
    case Verdict::lookup_failed:
      return 3;
    case Verdict::down:
      return 2;
    case Verdict::no_address:
      return 1;
    case Verdict::unknown:
    case Verdict::deferred:
    case Verdict::bounced:
    case Verdict::no_mail:
      return 0;
  }
  return 0;
}

Verdict host_verdict(const Approach& approach) {
  if (const auto decided = decided_by_dns(approach.host, approach.sender)) return *decided;
  const auto demand = demand_of(approach);
  // A sender that offers one kind of key meets the default handshake where that showed this kind
  // already.
  const auto& sessions = approach.host.sessions;
  const auto is_met = [&](const SessionRecord& session) {
    if (approach.sender.key_type == tls::KeyType::by_default)
      return session.key_type == tls::KeyType::by_default;
    if (session.key_type == approach.sender.key_type) return true;
    return session.key_type == tls::KeyType::by_default &&
           std::ranges::none_of(sessions, [&](const SessionRecord& other) {
             return other.address == session.address && other.key_type == approach.sender.key_type;
           });
  };
  Verdict best = Verdict::unknown;
  for (const auto& session : sessions) {
    if (!is_met(session)) continue;
    const auto judged = judge_session(session, approach, demand);
    if (rank(judged.verdict) > rank(best)) best = judged.verdict;
  }
  return best;
}

// Reference identifiers for DANE-TA(2), the TLSA base domain first. By the letter of RFC 7672
// §3.2.2 the next-hop domain may vouch unless the MX RRset is insecure; for Postfix, wherever there
// is one.
std::vector<std::string> reference_names(const DomainObservation& domain,
                                         const HostObservation& host, const Sender& sender,
                                         bool is_mx_secure) {
  std::vector<std::string> names{host.base_domain.text()};
  // A user's program knows the service's host, and nothing else (RFC 7673 §4.2).
  if (sender.is_client) {
    const auto known = dns_name_of(host.host);
    if (known != host.base_domain) names.push_back(known.text());
    return names;
  }
  const auto add = [&](const dns::Name& name) {
    if (std::ranges::find(names, name.text()) == names.end()) names.push_back(name.text());
  };
  if (!sender.goes_by_the_letter && domain.source == MxSource::implicit) return names;
  if (sender.goes_by_the_letter && !is_mx_secure) {
    add(host.host);
    return names;
  }
  add(domain.domain);
  add(domain.mx.final_name);
  return names;
}

std::vector<RecordJudgement> judge_records(const Approach& approach) {
  std::vector<RecordJudgement> out;
  for (const auto& record : records_for(approach.host, approach.sender)) {
    RecordJudgement judged{.unusable = dane::why_unusable(record)};
    for (const auto& session : approach.host.sessions) {
      if (judged.unusable || judged.matched || !session.tls || session.tls->chain.empty()) continue;
      judged.matched = dane::verify({.records = {record}, .names = approach.names},
                                    session.tls->chain, approach.at)
                           .match.has_value();
    }
    out.push_back(judged);
  }
  return out;
}

// The host as told by name servers whose TLSA records, or proven absence of them, are others than
// ours told, and as valid: which server a resolver asks is luck (RFC 7672 §2.2, RFC 2308 §5).
std::vector<HostObservation> told_otherwise(const HostObservation& host) {
  std::vector<HostObservation> out;
  if (!sight_of(host.tlsa, reference_sender()).is_secure()) return out;
  for (const auto& answer : host.survey.answers) {
    if (answer.question.type != dns::type::tlsa || answer.question.name != host.tlsa.final_name ||
        answer.is_alias || !is_acceptable(answer, host.observed_at))
      continue;
    if (answer.outcome == host.tlsa.outcome && answer.data == host.tlsa.data) continue;
    const bool is_known = std::ranges::any_of(out, [&](const HostObservation& other) {
      return other.tlsa.outcome == answer.outcome && other.tlsa.data == answer.data;
    });
    if (is_known) continue;
    auto other = host;
    other.tlsa.outcome = answer.outcome;
    other.tlsa.data = answer.data;
    if (answer.outcome == Outcome::answer) other.tlsa.ttl = answer.ttl;
    other.records.clear();
    for (const auto& data : answer.data) other.records.push_back(dane::tlsa_or_unusable(data));
    out.push_back(std::move(other));
  }
  return out;
}

// Whether the sender takes what leads it to the host for secure. Without MX records Postfix goes by
// the addresses alone.
bool sees_secure_mx(const DomainObservation& domain, const Sender& sender) {
  const bool asks_no_mx = domain.source == MxSource::implicit && sender.dane_on_insecure_mx &&
                          !sender.goes_by_the_letter;
  return asks_no_mx || sight_of(domain.mx, sender).is_secure();
}

// Who it is whose verdict stands for all, and who else there is.
const Sender& reference_for(const DomainObservation& domain) {
  return domain.source == MxSource::service ? reference_client() : reference_sender();
}
const std::vector<Sender>& others_for(const DomainObservation& domain) {
  return domain.source == MxSource::service ? other_clients() : other_senders();
}

// Whether the servers themselves differ, and ours was told what one of them gives: no answer that a
// resolver remembers from before a change.
bool is_split(const HostObservation& host, const std::vector<HostObservation>& others) {
  return !others.empty() &&
         std::ranges::any_of(host.survey.answers, [&](const dns::ServerAnswer& answer) {
           return answer.question.type == dns::type::tlsa &&
                  answer.question.name == host.tlsa.final_name && !answer.is_alias &&
                  is_acceptable(answer, host.observed_at) && answer.outcome == host.tlsa.outcome &&
                  answer.data == host.tlsa.data;
         });
}

// What is judged of a host whose name servers differ. Which of them our resolver asked is luck, and
// must not decide what we say: the verdict would come and go from probe to probe. It is that of the
// senders that fare best; who fares otherwise is a split, nameserver-split says which server is to
// blame, and caches tell when most mail is refused (HostJudgement::most_caches_refuse). Of answers
// that come to the same it is the first in canonical order.
HostSeen judged_as(const DomainObservation& domain, const HostSeen& seen, Time at) {
  auto others = told_otherwise(*seen);
  if (!is_split(*seen, others)) return seen;
  const auto& sender = reference_for(domain);
  const bool is_mx_secure = sees_secure_mx(domain, sender);
  const auto grade = [&](const HostObservation& host) {
    return rank(host_verdict({.host = host,
                              .sender = sender,
                              .is_mx_secure = is_mx_secure,
                              .names = reference_names(domain, host, sender, is_mx_secure),
                              .at = at}));
  };
  const HostObservation* best = seen.get();
  auto best_grade = grade(*best);
  for (const auto& other : others) {
    const auto mine = grade(other);
    if (mine < best_grade || (mine == best_grade && other.tlsa.data >= best->tlsa.data)) continue;
    best = &other;
    best_grade = mine;
  }
  return best == seen.get() ? seen : std::make_shared<const HostObservation>(*best);
}

HostJudgement judge_host(const DomainObservation& domain, const MxHost& mx, const HostSeen& looked,
                         Time at) {
  const auto seen = judged_as(domain, looked, at);
  const auto& reference = reference_for(domain);
  const bool is_mx_secure = sees_secure_mx(domain, reference);
  Approach approach{.host = *seen,
                    .sender = reference,
                    .is_mx_secure = is_mx_secure,
                    .names = reference_names(domain, *seen, reference, is_mx_secure),
                    .at = at};
  HostJudgement judged;
  judged.seen = seen;
  judged.preference = mx.preference;
  judged.verdict = judged.weakest = host_verdict(approach);
  const auto demand = demand_of(approach);
  const auto decided = decided_by_dns(*seen, reference);
  for (std::size_t i = 0; i < seen->sessions.size(); ++i) {
    if (is_absent_key_type(seen->sessions[i], reference)) continue;
    auto endpoint = judge_session(seen->sessions[i], approach, demand);
    // DNS trouble keeps a sender away from the host whatever the session would be like.
    // What the session is like says nothing then: which records it would have to meet is not known.
    if (decided && endpoint.verdict != Verdict::down && endpoint.verdict != Verdict::unknown)
      endpoint = {.verdict = *decided, .reason = Reason::dns_failed};
    if (decided) endpoint.is_bounce = false;
    endpoint.session = i;
    if (openness(endpoint.verdict) > openness(judged.weakest)) judged.weakest = endpoint.verdict;
    judged.endpoints.push_back(endpoint);
  }
  judged.records = judge_records(approach);
  // True when that sender ends elsewhere.
  const auto add_split = [&](const Sender& sender, const HostObservation& host) {
    const bool is_secure_to_it = sees_secure_mx(domain, sender);
    const Approach other{.host = host,
                         .sender = sender,
                         .is_mx_secure = is_secure_to_it,
                         .names = reference_names(domain, host, sender, is_secure_to_it),
                         .at = at};
    const auto verdict = host_verdict(other);
    if (verdict == judged.verdict || verdict == Verdict::unknown) return false;
    judged.splits.push_back({.sender = sender.name, .verdict = verdict});
    return true;
  };
  for (const auto& sender : others_for(domain)) {
    if (!sender.asks_other_servers) {
      add_split(sender, *seen);
      continue;
    }
    for (const auto& host : told_otherwise(*seen)) {
      if (add_split(sender, host)) break;
    }
  }
  judged.findings = find_in_host(domain, judged, at);
  return judged;
}

// A host as a sender finds it on its walk.
struct Stop {
  std::uint16_t preference = 0;
  Verdict verdict = Verdict::unknown;
  bool is_bounce = false;      // refuses in a way that ends the walk
  bool refuses_probe = false;  // us, perhaps not others
  bool is_reached = true;      // among the addresses that a delivery tries
};

// Walks hosts by preference; the first preference with a host that takes mail decides, and among
// equals the most open one, because senders choose among them at random.
Verdict domain_verdict(const DomainObservation& domain, const Sender& sender,
                       const std::vector<Stop>& hosts) {
  // Nobody waits at a service, and no other host is gone to.
  if (domain.source == MxSource::service)
    return hosts.empty() ? Verdict::unknown : hosts.front().verdict;
  if (sight_of(domain.mx, sender).outcome == Outcome::failed) return Verdict::lookup_failed;
  if (domain.source == MxSource::null) return Verdict::no_mail;
  if (domain.has_null_mx && !sender.ignores_null_mx) return Verdict::no_mail;
  if (domain.source == MxSource::none) return Verdict::bounced;
  bool any_unknown = false;
  std::optional<Stop> taken;
  std::optional<Stop> bounced;
  for (const auto& host : hosts) {
    any_unknown = any_unknown || host.refuses_probe || host.verdict == Verdict::unknown;
    if (bounced && bounced->preference < host.preference) break;
    if (host.is_bounce && (!bounced || bounced->refuses_probe)) bounced = host;
    if (!host.is_reached || !is_deliverable(host.verdict)) continue;
    if (taken && taken->preference != host.preference) continue;
    if (!taken || openness(host.verdict) > openness(taken->verdict)) taken = host;
  }
  // Among equals it is luck whether the mail is taken or returned.
  if (taken) return taken->verdict;
  // A refusal that may be for us only is no refusal of the mail, and no way on either.
  if (bounced) return bounced->refuses_probe ? Verdict::unknown : Verdict::bounced;
  if (any_unknown || hosts.size() < domain.hosts.size()) return Verdict::unknown;
  // Nobody has an address: Postfix waits for none to appear (smtp_defer_if_no_mx_address_found).
  // No host at all: what the MX records name are no names.
  const bool no_addresses = std::ranges::all_of(
      hosts, [](const Stop& host) { return host.verdict == Verdict::no_address; });
  return no_addresses ? Verdict::bounced : Verdict::deferred;
}

// Which of the hosts, by preference, a delivery comes to: it tries so many addresses
// (smtp_mx_address_limit of Postfix), and where there are more it takes of both families
// (smtp_balance_inet_protocols), before it knows which of them answer.
std::vector<bool> reached_in_a_delivery(const config::SharedVector<HostJudgement>& hosts) {
  constexpr std::ptrdiff_t kMostAddresses = 5;
  constexpr std::ptrdiff_t kFew = 2;
  const auto is_v6 = [](const std::string& address) {
    return address.find(':') != std::string::npos;
  };
  std::ptrdiff_t v4 = 0;
  std::ptrdiff_t v6 = 0;
  bool begins_with_v6 = false;
  for (const auto& host : hosts) {
    for (const auto& address : host.seen->addresses) {
      if (v4 + v6 == 0) begins_with_v6 = is_v6(address);
      ++(is_v6(address) ? v6 : v4);
    }
  }
  auto left_v4 = std::min(v4, kMostAddresses);
  auto left_v6 = std::min(v6, kMostAddresses);
  if (v4 + v6 > kMostAddresses && v4 > 0 && v6 > 0) {
    if (v6 <= kFew) {
      left_v4 = kMostAddresses - v6;
    } else if (v4 <= kFew) {
      left_v6 = kMostAddresses - v4;
    } else {
      left_v6 = begins_with_v6 ? kMostAddresses - kFew : kFew;
      left_v4 = kMostAddresses - left_v6;
    }
  }
  std::vector<bool> out;
  for (const auto& host : hosts) {
    bool is_reached = host.seen->addresses.empty();
    for (const auto& address : host.seen->addresses) {
      auto& left = is_v6(address) ? left_v6 : left_v4;
      if (left == 0) continue;
      --left;
      is_reached = true;
    }
    out.push_back(is_reached);
  }
  return out;
}

Verdict split_of(const HostJudgement& host, const Sender& sender) {
  for (const auto& split : host.splits) {
    if (split.sender == sender.name) return split.verdict;
  }
  return host.verdict;
}

Verdict verdict_for(const DomainJudgement& judged, const Sender& sender) {
  std::vector<Stop> hosts;
  const auto reached = reached_in_a_delivery(judged.hosts);
  for (std::size_t i = 0; i < judged.hosts.size(); ++i) {
    const auto& host = judged.hosts[i];
    const auto verdict = split_of(host, sender);
    const bool is_bounce = !sender.goes_by_the_letter && !is_deliverable(verdict) &&
                           std::ranges::any_of(host.endpoints, &EndpointJudgement::is_bounce);
    const bool refuses_probe = std::ranges::any_of(
        host.endpoints,
        [](const EndpointJudgement& endpoint) { return endpoint.reason == Reason::probe_refused; });
    hosts.push_back({.preference = host.preference,
                     .verdict = verdict,
                     .is_bounce = is_bounce,
                     .refuses_probe = refuses_probe,
                     .is_reached = reached[i]});
  }
  return domain_verdict(*judged.seen.open(), sender, hosts);
}

}  // namespace

const Sender& reference_sender() {
  static const Sender sender{.name = "reference", .words = "Postfix 3.10"};
  return sender;
}

const std::vector<Sender>& other_senders() {
  static const std::vector<Sender> senders{
      {.name = "secure-mx-only",
       .words = "senders that apply DANE only behind a signed MX, as Exim does",
       .dane_on_insecure_mx = false},
      {.name = "sha256-only",
       .words = "senders that know or prefer SHA2-256",
       .digests = dane::Digests::sha256_only},
      {.name = "rsa-only",
       .words = "senders that offer no ECDSA, which are rare",
       .key_type = tls::KeyType::rsa},
      {.name = "sha1-unsupported",
       .words = "senders whose validator no longer supports SHA-1",
       .sha1_is_unsupported = true},
      {.name = "nsec3-limited",
       .words = "senders whose validator allows fewer NSEC3 iterations",
       .limits_nsec3 = true},
      {.name = "strict-algorithms",
       .words = "senders whose validator wants signatures by every algorithm of the DS records",
       .wants_every_algorithm = true},
      {.name = "aggressive-nsec",
       .words = "senders whose resolver cuts at NXDOMAIN",
       .minimises_names = true},
      {.name = "trust-anchor-strict",
       .words = "senders that want the trust anchor sent and in date",
       .wants_anchor_sent = true},
      {.name = "short-wildcards",
       .words = "senders that accept a wildcard right under a top-level domain",
       .accepts_short_wildcards = true},
      {.name = "strict-addresses",
       .words = "senders that pass over a host when one address lookup fails",
       .skips_on_any_address_failure = true},
      {.name = "strict-time",
       .words = "senders whose validator forgives no expired signature, such as BIND",
       .is_strict_about_time = true},
      {.name = "strict-security-level",
       .words = "senders whose TLS library refuses weak keys",
       .least_rsa_bits = 2048},
      {.name = "null-mx-ignored",
       .words = "senders that ignore a null MX beside others",
       .ignores_null_mx = true},
      {.name = "other-nameserver",
       .words = "senders whose resolver asked a name server that says otherwise",
       .asks_other_servers = true},
      {.name = "rfc-7672",
       .words = "senders that follow the letter of the RFCs where Postfix does not",
       .goes_by_the_letter = true},
  };
  return senders;
}

const Sender& reference_client() {
  static const Sender sender{
      .name = "client", .words = "mail programs that know DANE", .is_client = true};
  return sender;
}

const std::vector<Sender>& other_clients() {
  static const std::vector<Sender> clients{
      {.name = "web-pki-only",
       .words = "mail programs that know no DANE, which most are",
       .is_client = true,
       .knows_dane = false},
      {.name = "sha256-only",
       .words = "senders that know or prefer SHA2-256",
       .digests = dane::Digests::sha256_only,
       .is_client = true},
      {.name = "other-nameserver",
       .words = "senders whose resolver asked a name server that says otherwise",
       .asks_other_servers = true,
       .is_client = true},
  };
  return clients;
}

std::string_view words_of(std::string_view sender) {
  for (const auto* classes : {&other_senders(), &other_clients()}) {
    const auto found = std::ranges::find(*classes, sender, &Sender::name);
    if (found != classes->end()) return found->words;
  }
  return sender;
}

std::string_view wire_name(Reason reason) {
  switch (reason) {
    case Reason::tlsa_match:
      return "tlsa-match";
    case Reason::tlsa_unusable:
      return "tlsa-unusable";
    case Reason::no_tlsa:
      return "no-tlsa";
    case Reason::tlsa_mismatch:
      return "tlsa-mismatch";
    case Reason::dns_failed:
      return "lookup-failed";
    case Reason::name_mismatch:
      return "name-mismatch";
    case Reason::certificate_expired:
      return "certificate-expired";
    case Reason::certificate_not_yet_valid:
      return "certificate-not-yet-valid";
    case Reason::path_invalid:
      return "path-invalid";
    case Reason::anchor_not_sent:
      return "anchor-not-sent";
    case Reason::weak_key:
      return "weak-key";
    case Reason::starttls_missing:
      return "starttls-missing";
    case Reason::starttls_stripped:
      return "starttls-stripped";
    case Reason::starttls_rejected:
      return "starttls-rejected";
    case Reason::ehlo_refused:
      return "ehlo-refused";
    case Reason::tls_handshake_failed:
      return "tls-handshake-failed";
    case Reason::tls_version_old:
      return "tls-version-old";
    case Reason::connect_failed:
      return "connect-failed";
    case Reason::smtp_broken:
      return "smtp-broken";
    case Reason::probe_refused:
      return "probe-refused";
    case Reason::too_slow:
      return "too-slow";
    case Reason::special_address:
      return "special-address";
    case Reason::no_route:
      return "no-route";
    case Reason::web_pki:
      return "web-pki";
    case Reason::certificate_untrusted:
      return "certificate-untrusted";
  }
  return "";
}

DomainJudgement judge(const DomainSeen& domain, const std::map<dns::Name, HostSeen>& hosts,
                      Time at) {
  if (const auto* answer = find_excused(deciding(*domain)))
    return judge_blind(domain, "resolver", answer->detail);
  for (const auto& mx : domain->hosts) {
    const auto seen = hosts.find(mx.name);
    const auto* answer = seen == hosts.end() ? nullptr : find_excused(deciding(*seen->second));
    if (answer != nullptr) return judge_blind(domain, "resolver", answer->detail);
  }
  DomainJudgement judged;
  judged.seen = domain;
  judged.hosts.reserve(domain->hosts.size());
  for (const auto& mx : domain->hosts) {
    const auto seen = hosts.find(mx.name);
    if (seen != hosts.end()) judged.hosts.push_back(judge_host(*domain, mx, seen->second, at));
  }
  judged.verdict = verdict_for(judged, reference_for(*domain));
  judged.weakest = judged.verdict;
  for (const auto& host : judged.hosts) {
    if (openness(host.weakest) > openness(judged.weakest)) judged.weakest = host.weakest;
  }
  for (const auto& sender : others_for(*domain)) {
    const auto verdict = verdict_for(judged, sender);
    if (verdict != judged.verdict && verdict != Verdict::unknown) {
      judged.splits.push_back({.sender = sender.name, .verdict = verdict});
    }
  }
  judged.findings = find_in_domain(judged, at);
  for (const auto& finding : judged.findings)
    judged.severity = std::max(judged.severity, finding.severity);
  return judged;
}

DomainJudgement judge_alone(const HostSeen& host, config::Time at) {
  auto domain = std::make_shared<DomainObservation>();
  domain->domain = host->host;
  domain->observed_at = host->observed_at;
  domain->source = is_service(host->host) ? MxSource::service : MxSource::mx;
  // They stand at no name of the host's: what its zone denies there does not deny them.
  domain->mx.type = dns::type::mx;
  domain->mx.outcome = Outcome::answer;
  domain->mx.status = dns::DnssecStatus::secure;
  domain->hosts = {{.name = host->host, .preference = 0}};
  return judge(domain, {{host->host, host}}, at);
}

DomainJudgement judge_blind(const DomainSeen& domain, std::string_view what,
                            std::string_view detail) {
  DomainJudgement judged;
  judged.seen = domain;
  judged.severity = Severity::medium;
  judged.findings.push_back({.code = Code::monitor_fault,
                             .severity = Severity::medium,
                             .subject = {.kind = Subject::Kind::monitor, .name = std::string(what)},
                             .evidence = {{"detail", std::string(detail)}}});
  return judged;
}

bool is_blinding(const Finding& finding) {
  return finding.code == Code::monitor_fault && finding.severity >= Severity::medium;
}

bool is_blind(const DomainJudgement& judged) {
  return std::ranges::any_of(judged.findings, is_blinding);
}

bool has_dane(const HostJudgement& host) {
  return host.seen->tlsa.outcome == Outcome::answer &&
         host.seen->tlsa.status == DnssecStatus::secure &&
         std::ranges::any_of(host.records,
                             [](const RecordJudgement& record) { return !record.unusable; });
}

}  // namespace probes
