#include "probes/dns/chain.h"

#include <algorithm>

namespace probes::dns {
namespace {

using config::Deadline;
using config::Seconds;
using config::Time;

// Bounds for memory, not for correctness: what is forgotten is fetched and proven again.
constexpr std::size_t kMaxKept = 50'000;
constexpr Seconds kLongestKept{3600};

std::vector<const Message*> pointers(const std::vector<std::shared_ptr<const Message>>& links) {
  std::vector<const Message*> out;
  for (const auto& link : links) out.push_back(link.get());
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
    if (digest == 1) ++set.sha1;
  }
  return set;
}

// What the message says of its own signing.
Signing signing_of(const Message& message) {
  Signing out;
  const bool counts_denials = needs_denial(message);
  std::map<std::pair<Name, std::uint16_t>, bool> only_sha1;  // of each signed RRset
  for (const auto* section : {&message.answer, &message.authority}) {
    for (const auto& record : *section) {
      if (const auto sig = read_rrsig(record)) {
        const auto entry = only_sha1.try_emplace({record.owner, sig->type_covered}, true).first;
        entry->second = entry->second && is_sha1(sig->algorithm);
      } else if (counts_denials && record.type == type::nsec3 && record.data.size() >= 4) {
        const auto iterations = static_cast<std::uint16_t>(record.data[2] << 8U | record.data[3]);
        out.nsec3_iterations = std::max(out.nsec3_iterations, iterations);
      }
    }
  }
  const auto ds = ds_set(message);
  out.is_unsupported = ds.all > 0 && ds.known == 0;
  out.needs_sha1 = (ds.known > 0 && ds.known == ds.sha1) ||
                   std::ranges::any_of(only_sha1, [](const auto& entry) { return entry.second; });
  return out;
}

// Of a link, the denials matter to nobody: they only say that there is no zone cut.
Signing signing_of_link(const Message& link) {
  auto out = signing_of(link);
  out.nsec3_iterations = 0;
  return out;
}

template <class Map>
void keep_small(Map& map) {
  if (map.size() > kMaxKept) map.clear();
}

}  // namespace

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
    return {
        .proof = {.status = DnssecStatus::insecure}, .expires_at = {}, .signing = zone->signing};

  const auto window = signature_window(part, at);
  const Time expires_at =
      window ? std::min(window->expiration, zone->expires_at) : zone->expires_at;
  const auto signing = worse(signing_of(part), zone->signing);
  const auto key = memo_key(part);
  {
    const std::scoped_lock lock(mutex_);
    const auto known = proven_.find(key);
    // Both bounds of a signature's life are inclusive.
    if (known != proven_.end() && at <= known->second && window && window->inception <= at) {
      return {
          .proof = {.status = DnssecStatus::secure}, .expires_at = expires_at, .signing = signing};
    }
  }
  const auto proof = dns::prove(part, {}, zone->keys, at);
  if (proof.status == DnssecStatus::secure) {
    const std::scoped_lock lock(mutex_);
    keep_small(proven_);
    proven_[key] = std::min(expires_at, zone->until);
    return {.proof = proof, .expires_at = expires_at, .signing = signing};
  }
  if (proof.status == DnssecStatus::insecure)
    return {.proof = proof, .expires_at = expires_at, .signing = signing};
  // Not with the keys we know; the zone may have rolled them, or left the chain.
  return prove_down(*signer, part, resolver, at, deadline);
}

Chain::Result Chain::prove_down(const Name& target, const Message& part, Resolver& resolver,
                                Time at, Deadline deadline) {
  if (const auto above = insecure_zone_above(target, at))
    return {
        .proof = {.status = DnssecStatus::insecure}, .expires_at = {}, .signing = above->signing};
  auto result = walk(target, part, resolver, at, deadline, false);
  if (result.proof.status == DnssecStatus::bogus && result.used_kept) {
    result = walk(target, part, resolver, at, deadline, true);
  }
  std::optional<Time> expires_at;
  if (result.proof.status == DnssecStatus::secure) {
    learn_zone(target, result, at);
    const auto window = signature_window(part, at);
    if (window) expires_at = window->expiration;
    for (const auto& link : result.links) {
      const auto life = signature_window(*link, at);
      if (life && expires_at) expires_at = std::min(*expires_at, life->expiration);
    }
  }
  return {.proof = result.proof,
          .expires_at = expires_at,
          .signing = worse(signing_of(part), result.signing)};
}

Chain::Walk Chain::walk(const Name& target, const Message& part, Resolver& resolver, Time at,
                        Deadline deadline, bool fresh) {
  constexpr Proof kUnreachable{.status = DnssecStatus::indeterminate,
                               .cause = Cause::chain_unreachable};
  Walk out;
  // Takes one link in; false when it could not be fetched.
  const auto take = [&](const Name& name, std::uint16_t rtype) -> const Message* {
    auto link = fetch(name, rtype, resolver, at, deadline, fresh, out.used_kept);
    if (link) {
      out.links.push_back(link);
      out.signing = worse(out.signing, signing_of_link(*link));
    }
    return link.get();
  };
  const Name top = anchors_.front().owner;
  if (take(top, type::dnskey) == nullptr)
    return {.proof = kUnreachable, .links = {}, .used_kept = false, .signing = {}};

  for (auto labels = top.label_count() + 1; labels <= target.label_count(); ++labels) {
    const Name zone = target.suffix(labels);
    const auto* ds = take(zone, type::ds);
    if (ds == nullptr)
      return {.proof = kUnreachable, .links = {}, .used_kept = false, .signing = {}};
    if (has(*ds, type::ds)) {
      // Only algorithms or digests that nobody knows: all below is as if unsigned (RFC 4035 §5.2).
      // Seen to here, because libgetdns takes an unknown algorithm for a mismatch.
      if (const auto set = ds_set(*ds); set.known == 0) {
        out.proof = dns::prove(*ds, pointers(out.links), anchors_, at);
        if (out.proof.status != DnssecStatus::secure) return out;
        out.proof.status = DnssecStatus::insecure;
        keep_insecure(zone, *ds, out.signing, at);
        return out;
      }
      if (take(zone, type::dnskey) == nullptr)
        return {.proof = kUnreachable, .links = {}, .used_kept = false, .signing = {}};
      continue;
    }
    // No DS here: either no zone cut, or the chain ends and all below is insecure. Asking now keeps
    // us from querying an unsigned zone's servers for types that some of them do not answer (RFC
    // 7672 §2.2.2).
    out.proof = dns::prove(part, pointers(out.links), anchors_, at);
    if (out.proof.status == DnssecStatus::insecure) {
      keep_insecure(zone, *ds, out.signing, at);
      return out;
    }
    if (ds->rcode == rcode::nxdomain) break;
  }
  out.proof = dns::prove(part, pointers(out.links), anchors_, at);
  if (out.proof.status != DnssecStatus::bogus || out.proof.cause != Cause::bogus) return out;
  // Bogus for another reason than time: is it the zone's key set that its parent does not vouch
  // for?
  for (const auto& link : out.links) {
    if (link->question_type != type::dnskey || link->question == top) continue;
    if (dns::prove(*link, pointers(out.links), anchors_, at).status == DnssecStatus::bogus) {
      out.proof.cause = Cause::ds_mismatch;
    }
  }
  return out;
}

Chain::MessagePtr Chain::fetch(const Name& name, std::uint16_t rtype, Resolver& resolver, Time at,
                               Deadline deadline, bool fresh, bool& used_kept) {
  if (!fresh) {
    const std::scoped_lock lock(mutex_);
    const auto kept = messages_.find({name, rtype});
    if (kept != messages_.end() && at < kept->second.until) {
      used_kept = true;
      return kept->second.message;
    }
  }
  auto reply = resolver.ask({.name = name, .type = rtype, .checking_disabled = true}, deadline);
  if (!reply || reply->truncated ||
      (reply->rcode != rcode::noerror && reply->rcode != rcode::nxdomain))
    return {};
  auto message = std::make_shared<const Message>(std::move(*reply));
  const std::scoped_lock lock(mutex_);
  keep_small(messages_);
  messages_[{name, rtype}] = {.message = message, .until = at + shortest_ttl(*message)};
  return message;
}

void Chain::keep_insecure(const Name& zone, const Message& ds, const Signing& signing, Time at) {
  const std::scoped_lock lock(mutex_);
  keep_small(zones_);
  const auto until = at + shortest_ttl(ds);
  zones_[zone] = {.status = DnssecStatus::insecure,
                  .keys = {},
                  .until = until,
                  .expires_at = until,
                  .signing = signing};
}

void Chain::learn_zone(const Name& zone, const Walk& walk, Time at) {
  for (const auto& link : walk.links) {
    if (link->question != zone || link->question_type != type::dnskey) continue;
    if (dns::prove(*link, pointers(walk.links), anchors_, at).status != DnssecStatus::secure)
      return;
    Zone known{.status = DnssecStatus::secure,
               .keys = {},
               .until = at + kLongestKept,
               .expires_at = Time::max(),
               .signing = walk.signing};
    std::ranges::copy_if(link->answer, std::back_inserter(known.keys), [&](const Record& record) {
      return record.type == type::dnskey && record.owner == zone;
    });
    for (const auto& part : walk.links) {
      known.until = std::min(known.until, at + shortest_ttl(*part));
      const auto window = signature_window(*part, at);
      if (window) known.expires_at = std::min(known.expires_at, window->expiration);
    }
    const std::scoped_lock lock(mutex_);
    keep_small(zones_);
    zones_[zone] = std::move(known);
    return;
  }
}

std::optional<Chain::Zone> Chain::known_zone(const Name& name, Time at) {
  if (auto above = insecure_zone_above(name, at)) return above;
  const std::scoped_lock lock(mutex_);
  const auto zone = zones_.find(name);
  if (zone == zones_.end() || at >= zone->second.until || at > zone->second.expires_at)
    return std::nullopt;
  return zone->second;
}

std::optional<Chain::Zone> Chain::insecure_zone_above(const Name& name, Time at) {
  const std::scoped_lock lock(mutex_);
  for (Name above = name;; above = above.parent()) {
    const auto zone = zones_.find(above);
    if (zone != zones_.end() && zone->second.status == DnssecStatus::insecure &&
        at < zone->second.until)
      return zone->second;
    if (above.is_root()) return std::nullopt;
  }
}

}  // namespace probes::dns
