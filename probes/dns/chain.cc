#include "probes/dns/chain.h"

#include <algorithm>
#include <tuple>

#include "probes/dns/opt_out.h"
#include "probes/dns/told.h"

namespace probes::dns {
namespace {

using config::Deadline;
using config::Seconds;
using config::Time;

// Bounds for memory, not for correctness: what is forgotten is fetched and proven again.
constexpr std::size_t kMaxKept = 50'000;
constexpr Seconds kLongestKept{3600};

// Of the messages in links.
template <class Links>
std::vector<const Message*> pointers(const Links& links) {
  std::vector<const Message*> out;
  for (const auto& link : links) out.push_back(&link->message);
  return out;
}

template <class Links>
Replies replies(const Links& links) {
  Replies out;
  for (const auto& link : links) out.emplace_back(link, &link->message);
  return out;
}

bool has(const Message& message, std::uint16_t rtype) {
  return std::ranges::any_of(message.answer,
                             [&](const Record& record) { return record.type == rtype; });
}

Seconds shortest_ttl(const Message& message) {
  auto shortest = kLongestKept;
  for (const auto* section : {&message.answer, &message.authority}) {
    for (const auto& record : *section) shortest = std::min(shortest, Seconds{record.ttl});
  }
  return std::max(shortest, Seconds{1});
}

// RFC 4034 §3.1.5: the 32 bits nearest to `at`.
Time signature_time(std::uint32_t value, Time at) {
  const auto now = static_cast<std::uint32_t>(at.time_since_epoch().count());
  return at + Seconds{static_cast<std::int32_t>(value - now)};
}

std::string memo_key(const Message& part) {
  Message bare = part;
  for (auto* section : {&bare.answer, &bare.authority}) {
    for (auto& record : *section) record.ttl = 0;
  }
  const auto wire = write_message(bare);
  return wire ? std::string(wire->begin(), wire->end()) : std::string();
}

bool is_sha1(std::uint8_t algorithm) {
  return algorithm == 5 || algorithm == 7;  // RSASHA1, RSASHA1-NSEC3-SHA1
}

bool is_known_algorithm(std::uint8_t algorithm) {
  return is_sha1(algorithm) || algorithm == 8 || algorithm == 10 ||
         (algorithm >= 13 && algorithm <= 16);
}

// The DS records of a message, as far as validators know algorithm and digest.
struct DsSet {
  std::size_t all = 0;
  std::size_t known = 0;
  std::size_t sha1 = 0;
  std::set<std::uint8_t> algorithms;  // known ones
};
DsSet ds_set(const Message& message) {
  DsSet set;
  for (const auto& record : message.answer) {
    if (record.type != type::ds || record.data.size() < 4) continue;
    const auto digest = record.data[3];
    ++set.all;
    if (!is_known_algorithm(record.data[2]) || (digest != 1 && digest != 2 && digest != 4))
      continue;
    ++set.known;
    set.algorithms.insert(record.data[2]);
    if (digest == 1) ++set.sha1;
  }
  return set;
}

// How one RRset is signed.
struct Signed {
  Name signer;
  std::set<std::uint8_t> algorithms;
};

template <class Map>
void keep_small(Map& map) {
  if (map.size() > kMaxKept) map.clear();
}

}  // namespace

// What the message says of its own signing.
Signing Chain::signing_of(const Message& message, const Algorithms& algorithms) {
  Signing out;
  const bool counts_denials = needs_denial(message);
  std::map<std::pair<Name, std::uint16_t>, Signed> rrsets;
  for (const auto* section : {&message.answer, &message.authority}) {
    for (const auto& record : *section) {
      if (const auto sig = read_rrsig(record)) {
        const auto entry =
            rrsets.try_emplace({record.owner, sig->type_covered}, Signed{sig->signer, {}}).first;
        if (sig->signer == entry->second.signer) entry->second.algorithms.insert(sig->algorithm);
      } else if (counts_denials && record.type == type::nsec3 && record.data.size() >= 4) {
        const auto iterations = static_cast<std::uint16_t>(record.data[2] << 8U | record.data[3]);
        out.nsec3_iterations = std::max(out.nsec3_iterations, iterations);
      }
    }
  }
  out.rests_on_opt_out = rests_on_opt_out(message);
  const auto ds = ds_set(message);
  out.is_unsupported = ds.all > 0 && ds.known == 0;
  out.needs_sha1 =
      (ds.known > 0 && ds.known == ds.sha1) || std::ranges::any_of(rrsets, [](const auto& entry) {
        return std::ranges::all_of(entry.second.algorithms, is_sha1);
      });
  out.lacks_algorithm = std::ranges::any_of(rrsets, [&](const auto& entry) {
    const auto demanded = algorithms.find(entry.second.signer);
    return demanded != algorithms.end() &&
           !std::ranges::includes(entry.second.algorithms, demanded->second);
  });
  return out;
}

std::optional<SignatureWindow> signature_window(const Message& part, Time at) {
  std::map<std::pair<Name, std::uint16_t>, SignatureWindow> best;
  for (const auto* section : {&part.answer, &part.authority}) {
    for (const auto& record : *section) {
      const auto sig = read_rrsig(record);
      if (!sig) continue;
      const SignatureWindow window{signature_time(sig->inception, at),
                                   signature_time(sig->expiration, at)};
      const auto [entry, inserted] = best.try_emplace({record.owner, sig->type_covered}, window);
      if (!inserted && entry->second.expiration < window.expiration) entry->second = window;
    }
  }
  std::optional<SignatureWindow> narrowest;
  for (const auto& [key, window] : best) {
    if (!narrowest) narrowest = window;
    narrowest->inception = std::max(narrowest->inception, window.inception);
    narrowest->expiration = std::min(narrowest->expiration, window.expiration);
  }
  return narrowest;
}

Chain::Result Chain::prove(const Message& part, Resolver& resolver, Time at, Deadline deadline) {
  const auto signer = signer_of(part);
  if (!signer) return prove_down(part.question, part, resolver, at, deadline);

  const auto zone = known_zone(*signer, at);
  if (!zone) return prove_down(*signer, part, resolver, at, deadline);
  if (zone->status == DnssecStatus::insecure)
    return {.proof = {.status = DnssecStatus::insecure},
            .expires_at = {},
            .signing = zone->signing,
            .key_sets = {},
            .links = zone->links};

  const auto window = signature_window(part, at);
  const Time expires_at =
      window ? std::min(window->expiration, zone->expires_at) : zone->expires_at;
  const auto signing = worse(signing_of(part, zone->algorithms), zone->signing);
  const auto key = memo_key(part);
  {
    const config::Lock lock(mutex_);
    const auto known = proven_.find(key);
    // Both bounds of a signature's life are inclusive.
    if (known != proven_.end() && at <= known->second && window && window->inception <= at) {
      return {.proof = {.status = DnssecStatus::secure},
              .expires_at = expires_at,
              .signing = signing,
              .key_sets = zone->key_sets,
              .links = zone->links};
    }
  }
  const auto proof = dns::prove(part, {}, zone->keys, at);
  if (proof.needs_grace || proof.is_beyond_us)
    return prove_down(*signer, part, resolver, at, deadline);
  if (proof.status == DnssecStatus::secure) {
    const config::Lock lock(mutex_);
    keep_small(proven_);
    proven_[key] = std::min(expires_at, zone->until);
    return {.proof = proof,
            .expires_at = expires_at,
            .signing = signing,
            .key_sets = zone->key_sets,
            .links = zone->links};
  }
  if (proof.status == DnssecStatus::insecure)
    return {.proof = proof,
            .expires_at = expires_at,
            .signing = signing,
            .key_sets = {},
            .links = zone->links};
  // Not with the keys we know; the zone may have rolled them, or left the chain.
  return prove_down(*signer, part, resolver, at, deadline);
}

Chain::Result Chain::prove_down(const Name& target, const Message& part, Resolver& resolver,
                                Time at, Deadline deadline) {
  if (const auto above = insecure_zone_above(target, at))
    return {.proof = {.status = DnssecStatus::insecure},
            .expires_at = {},
            .signing = above->signing,
            .key_sets = {},
            .links = above->links};
  auto result = walk(target, part, resolver, at, deadline, false);
  if (result.proof.status == DnssecStatus::bogus && result.used_kept) {
    result = walk(target, part, resolver, at, deadline, true);
  }
  std::optional<Time> expires_at;
  KeySetsPtr key_sets;
  if (result.proof.status == DnssecStatus::secure) {
    key_sets = learn_zone(target, result, at);
    const auto window = signature_window(part, at);
    if (window) expires_at = window->expiration;
    for (const auto& link : result.links) {
      const auto life = signature_window(link->message, at);
      if (life && expires_at) expires_at = std::min(*expires_at, life->expiration);
    }
  }
  auto signing = worse(signing_of(part, result.algorithms), result.signing);
  signing.needs_grace = result.proof.needs_grace;
  return {.proof = result.proof,
          .expires_at = expires_at,
          .signing = signing,
          .key_sets = key_sets,
          .broken_at = result.broken_at,
          .links = replies(result.links)};
}

Chain::Walk Chain::walk(const Name& target, const Message& part, Resolver& resolver, Time at,
                        Deadline deadline, bool fresh) {
  Walk unreachable;
  unreachable.proof = {.status = DnssecStatus::indeterminate, .cause = Cause::chain_unreachable};
  Walk out;
  // Takes one link in; false when it could not be fetched.
  const auto take = [&](const Name& name, std::uint16_t rtype) -> const Message* {
    auto link = fetch(name, rtype, resolver, at, deadline, fresh, out.used_kept);
    if (!link) return nullptr;
    out.links.push_back(link);
    auto signing = signing_of(link->message, out.algorithms);
    signing.nsec3_iterations = 0;  // here they only say that there is no zone cut
    signing.rests_on_opt_out = false;
    out.signing = worse(out.signing, signing);
    if (auto set = ds_set(link->message); set.known > 0)
      out.algorithms[name] = std::move(set.algorithms);
    return &link->message;
  };
  const Name top = anchors_.front().owner;
  if (take(top, type::dnskey) == nullptr) return unreachable;

  for (auto labels = top.label_count() + 1; labels <= target.label_count(); ++labels) {
    const Name zone = target.suffix(labels);
    const auto* ds = take(zone, type::ds);
    if (ds == nullptr) return unreachable;
    if (has(*ds, type::ds)) {
      // Only algorithms or digests that nobody knows: all below is as if unsigned (RFC 4035 §5.2).
      // Seen to here, because libgetdns takes an unknown algorithm for a mismatch.
      if (const auto set = ds_set(*ds); set.known == 0) {
        out.proof = dns::prove(*ds, pointers(out.links), anchors_, at);
        if (out.proof.status != DnssecStatus::secure) return out;
        out.proof.status = DnssecStatus::insecure;
        keep_insecure(zone, *ds, out, at);
        return out;
      }
      if (take(zone, type::dnskey) == nullptr) return unreachable;
      continue;
    }
    // No DS here: either no zone cut, or the chain ends and all below is insecure. Asking now keeps
    // us from querying an unsigned zone's servers for types that some of them do not answer (RFC
    // 7672 §2.2.2).
    out.proof = dns::prove(part, pointers(out.links), anchors_, at);
    if (out.proof.status == DnssecStatus::insecure) {
      keep_insecure(zone, *ds, out, at);
      return out;
    }
    if (ds->rcode == rcode::nxdomain) break;
  }
  out.proof = dns::prove(part, pointers(out.links), anchors_, at);
  if (out.proof.status == DnssecStatus::bogus) find_break(out, target, at);
  return out;
}

// The first link from above that does not hold is the fault; those below it only suffer from it.
void Chain::find_break(Walk& walk, const Name& target, Time at) const {
  for (const auto& link : walk.links) {
    const auto& message = link->message;
    if (message.question == anchors_.front().owner) continue;
    if (dns::prove(message, pointers(walk.links), anchors_, at).status != DnssecStatus::bogus)
      continue;
    // A DS record is its parent's, and signed there (RFC 4034 §5).
    const bool is_ds = message.question_type == type::ds;
    const auto zone =
        is_ds ? signer_of(message).value_or(message.question.parent()) : message.question;
    if (zone != target) walk.broken_at = zone;
    if (walk.proof.cause == Cause::bogus)
      walk.proof.cause = is_ds ? Cause::ds_signature : Cause::ds_mismatch;
    return;
  }
}

Chain::LinkPtr Chain::fetch(const Name& name, std::uint16_t rtype, Resolver& resolver, Time at,
                            Deadline deadline, bool fresh, bool& used_kept) {
  if (!fresh) {
    const config::Lock lock(mutex_);
    const auto kept = links_.find({name, rtype});
    if (kept != links_.end() && at < kept->second.until) {
      used_kept = true;
      return kept->second.link;
    }
  }
  auto reply = resolver.ask({.name = name, .type = rtype, .checking_disabled = true}, deadline);
  if (!reply || !is_told(*reply)) return {};
  reply->was_unchecked = true;
  reply->glue.clear();
  auto link = std::make_shared<const Link>(Link{.message = std::move(*reply), .at = at});
  const config::Lock lock(mutex_);
  keep_small(links_);
  links_[{name, rtype}] = {.link = link, .until = at + shortest_ttl(link->message)};
  return link;
}

void Chain::keep_insecure(const Name& zone, const Message& ds, const Walk& walk, Time at) {
  const config::Lock lock(mutex_);
  keep_small(zones_);
  const auto until = at + shortest_ttl(ds);
  zones_[zone] = {.status = DnssecStatus::insecure,
                  .keys = {},
                  .until = until,
                  .expires_at = until,
                  .signing = walk.signing,
                  .algorithms = {},
                  .key_sets = {},
                  .links = replies(walk.links)};
}

KeySetsPtr Chain::learn_zone(const Name& zone, const Walk& walk, Time at) {
  KeySets sets{.zone = zone, .ds = {}, .dnskey = {}, .ds_given_at = {}, .dnskey_given_at = {}};
  const Message* keys = nullptr;
  for (const auto& link : walk.links) {
    if (link->message.question != zone) continue;
    if (link->message.question_type == type::ds)
      std::tie(sets.ds, sets.ds_given_at) = key_set_of(link->message, link->at);
    if (link->message.question_type != type::dnskey) continue;
    std::tie(sets.dnskey, sets.dnskey_given_at) = key_set_of(link->message, link->at);
    keys = &link->message;
  }
  if (keys == nullptr ||
      dns::prove(*keys, pointers(walk.links), anchors_, at).status != DnssecStatus::secure)
    return nullptr;
  Zone known{
      .status = DnssecStatus::secure,
      .keys = {},
      .until = at + kLongestKept,
      .expires_at = Time::max(),
      .signing = walk.signing,
      .algorithms = {},
      .key_sets = sets.ds.keys.empty() ? nullptr : std::make_shared<const KeySets>(std::move(sets)),
      .links = replies(walk.links)};
  if (const auto own = walk.algorithms.find(zone); own != walk.algorithms.end())
    known.algorithms.insert(*own);
  std::ranges::copy_if(keys->answer, std::back_inserter(known.keys), [&](const Record& record) {
    return record.type == type::dnskey && record.owner == zone;
  });
  for (const auto& link : walk.links) {
    known.until = std::min(known.until, at + shortest_ttl(link->message));
    const auto window = signature_window(link->message, at);
    if (window) known.expires_at = std::min(known.expires_at, window->expiration);
  }
  const config::Lock lock(mutex_);
  keep_small(zones_);
  return zones_.insert_or_assign(zone, std::move(known)).first->second.key_sets;
}

std::optional<Chain::Zone> Chain::known_zone(const Name& name, Time at) {
  if (auto above = insecure_zone_above(name, at)) return above;
  const config::Lock lock(mutex_);
  const auto zone = zones_.find(name);
  if (zone == zones_.end() || at >= zone->second.until || at > zone->second.expires_at)
    return std::nullopt;
  return zone->second;
}

std::optional<Chain::Zone> Chain::insecure_zone_above(const Name& name, Time at) {
  const config::Lock lock(mutex_);
  for (Name above = name;; above = above.parent()) {
    const auto zone = zones_.find(above);
    if (zone != zones_.end() && zone->second.status == DnssecStatus::insecure &&
        at < zone->second.until)
      return zone->second;
    if (above.is_root()) return std::nullopt;
  }
}

}  // namespace probes::dns
