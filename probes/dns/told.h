#pragma once

#include "probes/dns/message.h"

// PURE
namespace probes::dns {

// A reply that tells something of its question, an answer or a denial, rather than of trouble.
[[nodiscard]] inline bool is_told(const Message& reply) {
  return (reply.rcode == rcode::noerror || reply.rcode == rcode::nxdomain) && !reply.truncated;
}

}  // namespace probes::dns
