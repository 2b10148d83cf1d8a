#pragma once

#include <algorithm>
#include <charconv>
#include <functional>
#include <string>

#include <fmt/format.h>

#include "tests/support/fake_world.h"

// What the benchmarks of the agent itself look at: targets that are made up, without network.
namespace bench {

inline constexpr std::size_t kHostsADomain = 2;

// Domains "d0000001.example", each its own zone, with two of the hosts.
class Crowd final : public support::FakeProber {
 public:
  // `hosts`: how many there are. `look`: what each look begins with.
  Crowd(support::FakeWorld& world, const support::Scene& pattern, std::size_t hosts,
        std::function<void()> look)
      : FakeProber(world), pattern_(pattern), hosts_(hosts), look_(std::move(look)) {}

  probes::DomainObservation probe_domain(const probes::dns::Name& domain,
                                         config::Time at) override {
    look_();
    auto out = pattern_.domain;
    out.domain = out.mx.name = out.mx.final_name = domain;
    out.observed_at = at;
    out.mx.key_sets = keys_of(domain, at);
    std::size_t number = 0;
    const auto text = domain.text();
    std::from_chars(text.data() + 1, text.data() + text.size(), number);
    out.hosts.clear();
    for (std::size_t i = 0; i < kHostsADomain; ++i)
      out.hosts.push_back(
          {.name = host_name((kHostsADomain * number + i) % hosts_), .preference = 10});
    std::ranges::sort(out.hosts);
    return out;
  }
  probes::HostObservation probe_host(const probes::dns::Name& host, config::Time at) override {
    look_();
    auto out = pattern_.hosts.at("mx.example.test");
    out.host = out.base_domain = host;
    out.tlsa.name = out.tlsa.final_name = *probes::dns::tlsa_owner(host, 25);
    out.observed_at = at;
    return out;
  }
  static probes::dns::Name host_name(std::size_t number) {
    return support::name(fmt::format("mx{:05}.provider.example", number));
  }

 private:
  static probes::dns::KeySetsPtr keys_of(const probes::dns::Name& zone, config::Time at) {
    auto out = std::make_shared<probes::dns::KeySets>();
    out->zone = zone;
    out->ds = {.keys = {{.algorithm = 13, .tag = 4711}}, .ttl = config::Seconds{3600}};
    out->dnskey = out->ds;
    out->ds_given_at = out->dnskey_given_at = at;
    return out;
  }
  const support::Scene& pattern_;
  std::size_t hosts_;
  std::function<void()> look_;
};

}  // namespace bench
