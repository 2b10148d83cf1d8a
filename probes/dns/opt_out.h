#pragma once

#include "probes/dns/message.h"

// PURE
namespace probes::dns {

// Whether the proof of `part`, a denial or a wildcard's expansion, rests on an NSEC3 record that
// covers the next closer name with the Opt-Out flag: an unsigned delegation may stand there, so
// that nothing is proven, and the answer is insecure for every validator (RFC 5155 §9.2). libgetdns
// says secure.
[[nodiscard]] bool rests_on_opt_out(const Message& part);

}  // namespace probes::dns
