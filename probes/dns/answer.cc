#include "probes/dns/answer.h"

#include <algorithm>

namespace probes::dns {

std::string_view wire_name(DnssecStatus status) {
  switch (status) {
    case DnssecStatus::secure:
      return "secure";
    case DnssecStatus::insecure:
      return "insecure";
    case DnssecStatus::bogus:
      return "bogus";
    case DnssecStatus::indeterminate:
      return "indeterminate";
  }
  return "";
}

std::string_view wire_name(Outcome outcome) {
  switch (outcome) {
    case Outcome::answer:
      return "answer";
    case Outcome::absent:
      return "absent";
    case Outcome::failed:
      return "failed";
    case Outcome::not_queried:
      return "not-queried";
  }
  return "";
}

std::string_view wire_name(Cause cause) {
  switch (cause) {
    case Cause::none:
      return "none";
    case Cause::timeout:
      return "timeout";
    case Cause::network:
      return "network";
    case Cause::malformed:
      return "malformed";
    case Cause::servfail:
      return "servfail";
    case Cause::refused:
      return "refused";
    case Cause::other_rcode:
      return "other-rcode";
    case Cause::bogus:
      return "bogus";
    case Cause::signature_expired:
      return "signature-expired";
    case Cause::signature_not_yet_valid:
      return "signature-not-yet-valid";
    case Cause::ds_signature:
      return "ds-signature";
    case Cause::ds_mismatch:
      return "ds-mismatch";
    case Cause::chain_unreachable:
      return "chain-unreachable";
    case Cause::alias_loop:
      return "alias-loop";
    case Cause::too_large:
      return "too-large";
  }
  return "";
}

DnssecStatus weaker(DnssecStatus a, DnssecStatus b) {
  const auto rank = [](DnssecStatus status) {
    switch (status) {
      case DnssecStatus::bogus:
        return 0;
      case DnssecStatus::indeterminate:
        return 1;
      case DnssecStatus::insecure:
        return 2;
      case DnssecStatus::secure:
        return 3;
    }
    return 0;
  };
  return rank(a) <= rank(b) ? a : b;
}

Signing worse(const Signing& a, const Signing& b) {
  return {.needs_sha1 = a.needs_sha1 || b.needs_sha1,
          .is_unsupported = a.is_unsupported || b.is_unsupported,
          .nsec3_iterations = std::max(a.nsec3_iterations, b.nsec3_iterations),
          .lacks_algorithm = a.lacks_algorithm || b.lacks_algorithm,
          .needs_grace = a.needs_grace || b.needs_grace,
          .rests_on_opt_out = a.rests_on_opt_out || b.rests_on_opt_out};
}

bool same_facts(const Answer& a, const Answer& b) {
  return a.name == b.name && a.type == b.type && a.outcome == b.outcome && a.status == b.status &&
         a.cause == b.cause && a.detail == b.detail && a.rcode == b.rcode &&
         a.aliases == b.aliases && a.ttl == b.ttl && a.signatures == b.signatures &&
         a.signer == b.signer && a.broken_at == b.broken_at && a.signing == b.signing &&
         a.chain_expires_at == b.chain_expires_at && a.data == b.data && a.is_ours == b.is_ours &&
         a.source == b.source && a.denial == b.denial &&
         a.resolver_fault.has_value() == b.resolver_fault.has_value();
}

}  // namespace probes::dns
