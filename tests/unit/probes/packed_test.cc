#include "probes/codec/packed.h"

#include <gtest/gtest.h>

#include "probes/codec/recorded.h"
#include "probes/kept_domain.h"
#include "tests/support/scene.h"

// What is kept in few octets is what was seen.
namespace {

using namespace probes;
using support::name;
using support::Pki;
using support::Scene;

template <class T>
T packed_and_back(const T& value) {
  codec::Packer packer;
  packer.put(value);
  T out;
  codec::Unpacker{packer.octets().data(), packer.certificates()}.take(out);
  return out;
}

bool is_kept(const DomainObservation& seen) {
  return is_same({.domain = std::make_shared<const DomainObservation>(seen)},
                 {.domain = std::make_shared<const DomainObservation>(packed_and_back(seen))});
}
bool is_kept(const HostObservation& seen) {
  return is_same({.host = std::make_shared<const HostObservation>(seen)},
                 {.host = std::make_shared<const HostObservation>(packed_and_back(seen))});
}

TEST(Packed, IsWhatWasSeenAtTheEndsOfWhatThereIs) {
  EXPECT_TRUE(is_kept(DomainObservation{}));
  EXPECT_TRUE(is_kept(HostObservation{}));
  Scene scene;
  auto seen = scene.domain;
  seen.observed_at = config::Time{config::Seconds{-1}};
  seen.mx.ttl = config::Seconds{std::int64_t{1} << 32U};
  seen.mx.type = 65535;
  seen.mx.data = {{}, dns::Bytes(300, 0xff)};
  seen.mx.detail = std::string("\0\xff", 2);
  seen.mx.chain_expires_at = config::Time{};  // is there, and is nothing
  seen.hosts.push_back({.name = name("."), .preference = 0});
  seen.has_null_mx = true;
  EXPECT_TRUE(is_kept(seen));
}

TEST(Packed, GivesANameByOneThatDiffersInItsFirstLabel) {
  Scene scene;
  auto seen = scene.domain;
  seen.hosts.clear();
  for (const auto* host :
       {"mx1.provider.example", "mx2.provider.example", "mx1.provider.example", "provider.example",
        "example", "test", ".", "mx1.sub.provider.example", "mx3.sub.provider.example", "*.test"})
    seen.hosts.push_back({.name = name(host), .preference = 0});
  EXPECT_TRUE(is_kept(seen));
  const auto octets = [](const DomainObservation& one) {
    codec::Packer packer;
    packer.put(one);
    return packer.octets().size();
  };
  auto less = seen;
  less.hosts.pop_back();
  seen.hosts.back().name = name("mx4.sub.provider.example");
  EXPECT_EQ(octets(seen) - octets(less), 8U) << "its bits, how, whose, and four in a run";
}

TEST(Packed, NamesACertificateByItsPlace) {
  Scene scene;
  const auto again = packed_and_back(scene.mx());
  EXPECT_EQ(again.sessions.at(0).tls->chain, scene.mx().sessions.at(0).tls->chain)
      << "the same, not one like it";
}

TEST(KeptDomain, IsTheSamePackedOrNot) {
  Scene scene;
  const auto seen = std::make_shared<const DomainObservation>(scene.domain);
  KeptDomain kept{seen};
  EXPECT_EQ(kept.open(), seen);
  kept.pack();
  const auto copy = kept;
  kept.pack();
  EXPECT_NE(copy.open(), seen);
  EXPECT_TRUE(copy && is_same({.domain = seen}, {.domain = copy.open()}));
}

TEST(KeptDomain, OfNothingIsNothing) {
  KeptDomain kept;
  kept.pack();
  EXPECT_FALSE(kept);
  EXPECT_EQ(kept.open(), nullptr);
}

TEST(KeptDomain, LosesNoCertificateOfAPolicyHost) {
  Scene scene;
  auto seen = scene.domain;
  seen.sts.change().fetched = sts::Fetched{.outcome = sts::FetchOutcome::policy,
                                           .certificate = Pki::get().leaf.certificate};
  KeptDomain kept{std::make_shared<const DomainObservation>(seen)};
  kept.pack();
  EXPECT_EQ(kept.open()->sts->fetched->certificate, Pki::get().leaf.certificate);
}

}  // namespace
