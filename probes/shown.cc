#include "probes/shown.h"

#include "probes/dane/tlsa.h"

namespace probes {

std::map<std::string, Shown> shown(const HostObservation& seen) {
  std::map<std::string, Shown> out;
  for (const auto& session : seen.sessions) {
    auto& one = out[session.address];
    if (session.stage > smtp::Stage::ehlo) {
      one.is_known = true;
      one.offers_starttls = one.offers_starttls || session.offers_starttls;
    }
    if (session.tls && !session.tls->chain.empty())
      one.keys.insert(dane::to_hex(session.tls->chain.front()->spki_sha256));
  }
  return out;
}

}  // namespace probes
