#pragma once

#include <set>
#include <string>
#include <vector>

#include "agent/alerts/lifecycle.h"
#include "config/config.h"
#include "probes/judge.h"

// PURE
// What judgements found that is a matter for alerts, one trouble a code.
namespace agent {

// A domain and what was made of it.
struct Judged {
  const config::Domain* configured;
  const probes::DomainJudgement* judgement;
};

// One cause is one trouble: what follows from a finding that is one is none of its own
// (probes/causes.h). `firing`: the codes of the alerts that fire at the subject. What people know
// of already goes on under its name, whatever explains it by now.
[[nodiscard]] std::vector<Trouble> troubles_of_domain(const Judged& domain,
                                                      const std::set<probes::Code>& firing);

// Of a host, as the domains that use it were judged. `refused_keys`: as in Hit. What caches hold of
// a refusal is no trouble of its own while people know of the refusal.
[[nodiscard]] std::vector<Trouble> troubles_of_host(const probes::HostObservation& host,
                                                    const std::vector<Judged>& users,
                                                    const std::vector<std::string>& refused_keys,
                                                    const std::set<probes::Code>& firing);

// Whether the alert is about certificates that nobody can see now, since another one that fires at
// the host says that no session gets to them (STARTTLS is gone, the handshake fails). That one is
// the alert then, and names what was so when it was seen last.
[[nodiscard]] bool is_hidden(probes::Code code, const probes::HostObservation& host,
                             const std::vector<Trouble>& troubles,
                             const std::set<probes::Code>& firing);

// Whether alerts of the one code may hide the other so.
[[nodiscard]] bool hides(probes::Code visible, probes::Code hidden);

// Whether the judgement found anything at the host that is a matter for alerts.
[[nodiscard]] bool has_trouble_at(const probes::DomainJudgement& judged,
                                  const probes::Subject& subject);

// TLSA records that do not fit what is served, whatever led there.
[[nodiscard]] bool is_mismatch(probes::Code code);

}  // namespace agent
