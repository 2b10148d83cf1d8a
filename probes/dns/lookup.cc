#include "probes/dns/lookup.h"

#include <algorithm>

#include <fmt/format.h>

namespace probes::dns {
namespace {

using config::Seconds;

// The RRset of that name and type with the signatures over it.
std::vector<Record> rrset(const Message& message, const Name& owner, std::uint16_t rtype) {
  std::vector<Record> out;
  for (const auto& record : message.answer) {
    if (record.owner != owner) continue;
    const auto sig = read_rrsig(record);
    if (record.type == rtype || (sig && sig->type_covered == rtype)) out.push_back(record);
  }
  const bool has_data = std::ranges::any_of(out, [&](const Record& r) { return r.type == rtype; });
  return has_data ? out : std::vector<Record>{};
}

// The part of a reply that the validator is to prove: one RRset, and the denials that came with it
// in case it was made from a wildcard (RFC 4035 §5.3.4).
Message part_of(const Message& message, const Name& owner, std::uint16_t rtype,
                std::vector<Record> answer) {
  Message part;
  part.question = owner;
  part.question_type = rtype;
  part.answer = std::move(answer);
  // What is no wildcard's expansion needs no denial: those in the reply are about the end of an
  // alias chain, perhaps in another zone.
  if (!part.answer.empty() && !needs_denial(part)) return part;
  const auto signer = signer_of(part);
  for (const auto& record : message.authority) {
    const bool is_denial = record.type == type::nsec || record.type == type::nsec3 ||
                           record.type == type::rrsig || record.type == type::soa;
    const bool is_of_zone = !signer || record.owner.is_within(*signer);
    if (is_denial && is_of_zone) part.authority.push_back(record);
  }
  if (part.answer.empty()) part.rcode = message.rcode;
  return part;
}

Seconds published_ttl(const std::vector<Record>& records) {
  std::optional<Seconds> ttl;
  const auto take = [&](std::uint32_t value) {
    ttl = std::min(ttl.value_or(Seconds{value}), Seconds{value});
  };
  for (const auto& record : records) {
    if (const auto sig = read_rrsig(record)) take(sig->original_ttl);
  }
  if (ttl) return *ttl;
  for (const auto& record : records) take(record.ttl);
  return ttl.value_or(Seconds{0});
}

// The DNAME record that redirects `name`, and where to (RFC 6672 §2.2).
struct Redirection {
  Name owner;
  Name target;
};
std::optional<Redirection> redirection(const Message& message, const Name& name) {
  for (const auto& record : message.answer) {
    if (record.type != type::dname || record.owner == name || !name.is_within(record.owner))
      continue;
    const auto to = name_in(record);
    if (!to) continue;
    const auto prefix_size = name.wire().size() - record.owner.wire().size();
    std::string wire{name.wire().substr(0, prefix_size)};
    wire += to->wire();
    const auto target =
        Name::from_wire({reinterpret_cast<const std::uint8_t*>(wire.data()), wire.size()});
    if (target) return Redirection{.owner = record.owner, .target = *target};
  }
  return std::nullopt;
}

Cause cause_of(Fault fault) {
  switch (fault) {
    case Fault::timeout:
      return Cause::timeout;
    case Fault::network:
      return Cause::network;
    case Fault::malformed:
      return Cause::malformed;
    case Fault::cut_off:
      return Cause::network;
  }
  return Cause::network;
}

Cause cause_of(std::uint16_t code) {
  if (code == rcode::servfail) return Cause::servfail;
  return code == rcode::refused ? Cause::refused : Cause::other_rcode;
}

void fail(Answer& answer, Cause cause, std::string detail) {
  answer.outcome = Outcome::failed;
  answer.cause = cause;
  answer.detail = std::move(detail);
}

// A denial of `name`'s data, rather than the end of what this server knows: negative answers carry
// the SOA record of the zone (RFC 2308 §2).
bool tells_of(const Message& message, const Name& name) {
  return message.rcode == rcode::nxdomain ||
         std::ranges::any_of(message.authority, [&](const Record& record) {
           return record.type == type::soa && name.is_within(record.owner);
         });
}

// Needs no second witness: validated, or unsigned and there. What is denied without a proof may be
// the resolver's own word.
bool is_proven(const Answer& answer) {
  return answer.outcome == Outcome::answer ||
         (answer.outcome == Outcome::absent && answer.status == DnssecStatus::secure);
}

}  // namespace

ResolverFault fault_of(const Answer& answer) {
  const auto what = fmt::format("{} of {}", type_name(answer.type), answer.name.text());
  const auto done = [&] {
    if (answer.outcome == Outcome::absent)
      return fmt::format("denies {} without the proof there is", what);
    if (answer.outcome == Outcome::answer)
      return fmt::format("hands out another {} than the zone's own servers", what);
    switch (answer.cause) {
      case Cause::timeout:
      case Cause::network:
        return fmt::format("does not answer {}", what);
      case Cause::malformed:
        return fmt::format("answers {} with what is no reply to it", what);
      case Cause::servfail:
      case Cause::refused:
      case Cause::other_rcode:
        return fmt::format("answers {} with {}", what, rcode_name(answer.rcode));
      case Cause::chain_unreachable:
        return fmt::format("does not hand out the DS and DNSKEY records above {}", what);
      default:
        return answer.signatures ? fmt::format("hands out {} in a way that does not validate", what)
                                 : fmt::format("leaves out the signatures over {}", what);
    }
  }();
  return {.resolver = answer.server, .what = done};
}

struct Lookup::Round {
  Answer answer;
  std::shared_ptr<const Message> message;  // the reply that is being read
  Replies replies;                         // all that were
  Resolver& source;
  bool is_unchecked =
      false;  // it came only with checking disabled, or nobody could have checked it
  config::Time at;
  config::Deadline deadline;
  std::string server;  // who was asked last

  void keep(Message reply) {
    reply.glue.clear();
    message = std::make_shared<const Message>(std::move(reply));
    replies.push_back(message);
  }
};

Answer Lookup::ask(const Name& name, std::uint16_t rtype, config::Time at,
                   config::Deadline deadline) {
  using std::chrono::steady_clock;
  if (authorities_ == nullptr)
    return walk(resolver_, name, rtype, at, std::min(deadline, steady_clock::now() + patience_));
  // Resolvers that are silent or slow to everybody are not waited for.
  if (const auto poor = resolver_.poor()) {
    auto direct =
        walk(*authorities_, name, rtype, at, std::min(deadline, steady_clock::now() + patience_));
    if (is_learned(direct.outcome)) {
      direct.resolver_fault =
          ResolverFault{.resolver = *poor, .what = "is silent, slow or wrong most of the time"};
      return direct;
    }
  }
  const auto patience = authorities_->is_cut_off() ? std::chrono::milliseconds{patience_}
                                                   : std::chrono::milliseconds{patience_} / 2;
  auto first = walk(resolver_, name, rtype, at, std::min(deadline, steady_clock::now() + patience));
  const bool needs_none =
      is_proven(first) && (first.status == DnssecStatus::secure || !resolver_.is_doubted());
  return needs_none ? first : confirmed(std::move(first), name, rtype, at, deadline);
}

// What others say in place of an answer that proves nothing: our other resolvers, as far as that is
// proven, and the zones' own servers.
Answer Lookup::confirmed(Answer first, const Name& name, std::uint16_t rtype, config::Time at,
                         config::Deadline deadline) {
  const auto until = [&](std::chrono::milliseconds patience) {
    return std::min(deadline, std::chrono::steady_clock::now() + patience);
  };
  const auto blame = [&](Answer right) {
    right.resolver_fault = fault_of(first);
    resolver_.distrust(right.resolver_fault->resolver, name);
    return right;
  };
  for (auto* other : each_) {
    if (is_learned(first.outcome)) break;
    auto answer = walk(*other, name, rtype, at, until(std::chrono::milliseconds{patience_} / 2));
    if (answer.server != first.server && is_learned(answer.outcome) &&
        answer.status == DnssecStatus::secure)
      return blame(std::move(answer));
  }
  auto direct = walk(*authorities_, name, rtype, at, until(patience_));
  if (is_learned(direct.outcome)) {
    if (!is_learned(first.outcome) || direct.status != first.status)
      return blame(std::move(direct));
    // Neither is signed, and one may be older than the other, or given to others than us: that is
    // no fault. The zone's own word counts.
    return direct.outcome == first.outcome && !resolver_.is_doubted() ? first : direct;
  }
  if (is_learned(first.outcome)) return first;
  if (authorities_->is_cut_off() || direct.is_unconfirmed) {
    first.is_unconfirmed = true;
    return first;
  }
  // Both failed: what does not validate at the zone's own servers says more than an error.
  return direct.cause > Cause::other_rcode && direct.cause != Cause::chain_unreachable ? direct
                                                                                       : first;
}

Answer Lookup::walk(Resolver& source, const Name& name, std::uint16_t rtype, config::Time at,
                    config::Deadline deadline) {
  Round round{.answer = {},
              .message = {},
              .replies = {},
              .source = source,
              .is_unchecked = &source == authorities_,
              .at = at,
              .deadline = deadline,
              .server = {}};
  round.answer.name = round.answer.final_name = name;
  round.answer.type = rtype;
  round.answer.status = DnssecStatus::secure;  // until a link turns out weaker
  Name current = name;
  while (query(round, current)) {
    const auto asked = current;
    if (!follow(round, current)) break;
    round.answer.final_name = current;
    const auto data = rrset(*round.message, current, rtype);
    if (!data.empty()) {
      conclude(round, part_of(*round.message, current, rtype, data), Outcome::answer);
      break;
    }
    if (current == asked || tells_of(*round.message, current)) {
      conclude(round, part_of(*round.message, current, rtype, {}), Outcome::absent);
      break;
    }
    // The reply stops at an alias whose target it says nothing about: ask for that.
  }
  if (round.answer.outcome == Outcome::failed && round.answer.cause != Cause::bogus &&
      round.answer.status == DnssecStatus::secure) {
    round.answer.status = DnssecStatus::indeterminate;
  }
  round.answer.server = std::move(round.server);
  round.answer.replies = std::make_shared<const Replies>(std::move(round.replies));
  return std::move(round.answer);
}

// Puts the question to the source; on a resolver's SERVFAIL once more with checking disabled, to
// see what it would not show.
bool Lookup::query(Round& round, const Name& name) {
  auto& answer = round.answer;
  auto reply = round.source.ask({.name = name, .type = answer.type}, round.deadline);
  round.server = reply ? reply->server : reply.error().server;
  if (reply && reply->rcode == rcode::servfail && &round.source != authorities_) {
    answer.extended_errors = reply->extended_errors;
    auto unchecked = round.source.ask(
        {.name = name, .type = answer.type, .checking_disabled = true}, round.deadline);
    if (unchecked) {
      round.keep(std::move(*reply));
      reply = std::move(unchecked);
      reply->was_unchecked = true;
    }
    round.is_unchecked = true;
  }
  if (!reply) {
    answer.is_unconfirmed = reply.error().fault == Fault::cut_off;
    fail(answer, cause_of(reply.error().fault),
         fmt::format("{} of {}: {}", type_name(answer.type), name.text(), reply.error().detail));
    return false;
  }
  round.keep(std::move(*reply));
  const auto& message = *round.message;
  answer.rcode = message.rcode;
  answer.resolver_says_secure = message.authentic_data;
  if (answer.extended_errors.empty()) answer.extended_errors = message.extended_errors;
  if (message.rcode != rcode::noerror && message.rcode != rcode::nxdomain) {
    fail(answer, cause_of(message.rcode),
         fmt::format("{} of {}: {}", type_name(answer.type), name.text(),
                     rcode_name(message.rcode)));
    return false;
  }
  if (message.truncated) {
    fail(answer, Cause::timeout,
         fmt::format("{} of {}: truncated, and TCP did not help", type_name(answer.type),
                     name.text()));
    return false;
  }
  return true;
}

// Walks the aliases of this reply from `current` as far as they go, proving each.
bool Lookup::follow(Round& round, Name& current) {
  auto& answer = round.answer;
  while (true) {
    if (!rrset(*round.message, current, answer.type).empty()) return true;
    std::vector<Record> link;
    std::optional<Name> target;
    std::uint16_t link_type = type::cname;
    Name link_owner = current;
    if (const auto moved = redirection(*round.message, current)) {
      link_type = type::dname;
      link_owner = moved->owner;
      target = moved->target;
    } else if (const auto cname = rrset(*round.message, current, type::cname); !cname.empty()) {
      target = name_in(*std::ranges::find(cname, type::cname, &Record::type));
      if (!target) {
        fail(answer, Cause::malformed, fmt::format("CNAME of {} is no name", current.text()));
        return false;
      }
    }
    if (!target) return true;
    link = rrset(*round.message, link_owner, link_type);
    const auto ttl = published_ttl(link);
    const auto proof =
        prove(round, part_of(*round.message, link_owner, link_type, std::move(link)));
    const bool seen = std::ranges::any_of(
        answer.aliases, [&](const Alias& alias) { return alias.from == *target; });
    answer.aliases.push_back({.from = current, .to = *target, .status = proof.status, .ttl = ttl});
    if (answer.outcome == Outcome::failed) return false;
    if (seen || answer.aliases.size() > kMaxAliases) {
      fail(answer, Cause::alias_loop, fmt::format("aliases of {} do not end", answer.name.text()));
      return false;
    }
    current = *target;
  }
}

bool Lookup::is_forged(const Message& reply, const Name& name, std::uint16_t type, config::Time at,
                       config::Deadline deadline) {
  auto told_of = type;
  auto told = rrset(reply, name, type);
  if (auto alias = rrset(reply, name, type::cname); told.empty() && !alias.empty()) {
    told_of = type::cname;
    told = std::move(alias);
  }
  const auto part = part_of(reply, name, told_of, std::move(told));
  const auto patient_until = std::chrono::steady_clock::now() + patience_;
  const auto proof = chain_.prove(part, resolver_, at, std::min(deadline, patient_until)).proof;
  return !proof.is_beyond_us &&
         (proof.status == DnssecStatus::bogus || proof.status == DnssecStatus::insecure);
}

// Proves a part and takes its status into the answer; a part that is not secure or insecure fails
// the answer.
Proof Lookup::prove(Round& round, const Message& part) {
  auto& answer = round.answer;
  auto result = chain_.prove(part, round.source, round.at, round.deadline);
  std::ranges::copy_if(result.links, std::back_inserter(round.replies), [&](const auto& link) {
    return std::ranges::find(round.replies, link) == round.replies.end();
  });
  // What our library is known to judge wrongly is as the resolver's validator has it.
  if (result.proof.is_beyond_us && !round.is_unchecked)
    result.proof = {.status = round.message->authentic_data ? DnssecStatus::secure
                                                            : DnssecStatus::insecure};
  answer.signer = signer_of(part);
  answer.status = weaker(answer.status, result.proof.status);
  answer.key_sets = result.key_sets;
  answer.signing = worse(answer.signing, result.signing);
  if (result.expires_at) {
    answer.chain_expires_at =
        std::min(answer.chain_expires_at.value_or(*result.expires_at), *result.expires_at);
  }
  if (result.proof.status == DnssecStatus::bogus ||
      result.proof.status == DnssecStatus::indeterminate) {
    fail(answer, result.proof.cause,
         fmt::format("{} of {}: {}", type_name(part.question_type), part.question.text(),
                     result.proof.cause == Cause::none ? wire_name(result.proof.status)
                                                       : wire_name(result.proof.cause)));
    answer.signatures = signature_window(part, round.at);
    answer.broken_at = result.broken_at;
  }
  return result.proof;
}

void Lookup::conclude(Round& round, const Message& part, Outcome outcome) {
  auto& answer = round.answer;
  prove(round, part);
  if (answer.outcome == Outcome::failed) return;
  answer.outcome = outcome;
  answer.signatures = signature_window(part, round.at);
  answer.ttl = published_ttl(outcome == Outcome::answer ? part.answer : part.authority);
  for (const auto& record : part.answer) {
    if (record.type == answer.type) answer.data.push_back(record.data);
  }
  answer.is_from_wildcard = outcome == Outcome::answer && needs_denial(part);
  answer.source = source_of(part);
  if (outcome == Outcome::absent) answer.denial = read_denial(part);
  std::ranges::sort(answer.data);
  const auto twice = std::ranges::unique(answer.data);
  answer.data.erase(twice.begin(), twice.end());
}

}  // namespace probes::dns
