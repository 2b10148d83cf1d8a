#pragma once

#include <cstddef>
#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "agent/self/self_check.h"
#include "config/time.h"
#include "probes/observation.h"

// PURE
namespace agent {

// Whether mail servers talk to us at all. One that refuses us before STARTTLS, at its banner, at
// EHLO or at HELO, does so for what it thinks of our name or our address. That is between it and
// us; when servers that have nothing to do with each other do it, it is ours.
class Welcome {
 public:
  // Takes up how sessions with a host began. One that showed neither leaves what was known.
  void record_sessions(const probes::dns::Name& host,
                       const std::vector<probes::smtp::SessionRecord>& sessions);
  // Nobody asks about the host any more.
  void forget(const probes::dns::Name& host);

  // "greeting": down when three addresses of hosts in three domains or more refuse us; `helo` is
  // what we call ourselves. Not in the list while too little is known.
  [[nodiscard]] std::vector<SelfCheck> checks(config::Time at, const std::string& helo) const;

 private:
  using Place = std::pair<probes::dns::Name, std::string>;  // a host and an address of it
  void end_refusal(const Place& place);

  // Who refuses us with which words, by the domain of the host, and how many do at each address.
  std::map<probes::dns::Name, std::map<Place, std::string>> refused_in_;
  std::map<std::string, std::size_t> refused_at_;
  std::set<Place> welcomed_by_;
};

}  // namespace agent
