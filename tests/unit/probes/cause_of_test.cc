#include "probes/cause_of.h"

#include <gtest/gtest.h>

#include "tests/support/scene.h"

namespace {

using namespace probes;
using probes::Code;
using probes::Subject;
using probes::dns::Cause;
using support::Scene;
namespace type = probes::dns::type;

const Subject kHost{.kind = Subject::Kind::host, .name = "mx.example.test"};
const Subject kDomain{.kind = Subject::Kind::domain, .name = "example.test"};

Subject zone(const char* name) {
  return {.kind = Subject::Kind::zone, .name = name};
}

// A lookup with the name of the zone whose signatures count.
probes::dns::Answer signed_by(const char* zone, probes::dns::Answer answer) {
  answer.signer = support::name(zone);
  return answer;
}

probes::dns::Answer failed(const char* zone, std::uint16_t kind) {
  return signed_by(zone, support::failed("mx.example.test", kind, Cause::signature_expired));
}

// The baseline, in which every lookup has another signer, so that a test sees which one counted.
Scene signed_scene() {
  Scene out;
  out.domain.mx = signed_by("of-mx.test", out.domain.mx);
  out.mx().a = signed_by("of-a.test", out.mx().a);
  out.mx().aaaa = signed_by("of-aaaa.test", out.mx().aaaa);
  out.mx().tlsa = signed_by("of-tlsa.test", out.mx().tlsa);
  return out;
}

Subject cause_at_host(Code code, Scene scene, const Subject& subject = kHost) {
  return cause_of({.code = code, .subject = subject}, nullptr, &scene.mx());
}

TEST(Cause, OfAnIllZoneIsTheZone) {
  for (const auto code : {Code::dnssec_expired, Code::ds_broken, Code::rrsig_expiring}) {
    const auto scene = signed_scene();
    EXPECT_EQ(cause_of({.code = code, .subject = kDomain}, &scene.domain, nullptr),
              zone("of-mx.test"))
        << wire_name(code) << ": of a domain, the zone of its MX RRset";
    EXPECT_EQ(cause_at_host(code, scene), zone("of-tlsa.test"))
        << wire_name(code) << ": of a host, the zone of the lookup that decides";
  }
}

TEST(Cause, IsTheZoneOfTheLookupThatFailed) {
  auto scene = signed_scene();
  scene.mx().cname = failed("of-cname.test", type::cname);
  EXPECT_EQ(cause_at_host(Code::dnssec_expired, scene), zone("of-cname.test"));
  scene.mx().aaaa = failed("of-aaaa.test", type::aaaa);
  EXPECT_EQ(cause_at_host(Code::dnssec_expired, scene), zone("of-aaaa.test"));
  scene.mx().a = failed("of-a.test", type::a);
  EXPECT_EQ(cause_at_host(Code::dnssec_expired, scene), zone("of-a.test"));
}

TEST(Cause, IsTheSubjectItselfWhereNoSignerIsKnown) {
  const Scene scene;
  EXPECT_EQ(cause_of({.code = Code::ds_broken, .subject = kDomain}, &scene.domain, nullptr),
            kDomain);
  EXPECT_EQ(cause_at_host(Code::ds_broken, scene), kHost);
  EXPECT_EQ(cause_of({.code = Code::ds_broken, .subject = kHost}, nullptr, nullptr), kHost);
}

// The host's TLSA records stand at a provider's, behind an alias.
Scene aliased_scene() {
  auto out = signed_scene();
  auto& tlsa = out.mx().tlsa;
  tlsa.aliases = {{.from = tlsa.name, .to = support::name("tlsa.provider.test")}};
  tlsa.final_name = support::name("tlsa.provider.test");
  return out;
}

TEST(Cause, OfRecordsBehindAnAliasIsTheirOwner) {
  const Subject owner{.kind = Subject::Kind::owner, .name = "tlsa.provider.test"};
  for (const auto code :
       {Code::tlsa_mismatch, Code::tlsa_mismatch_insecure_mx, Code::stale_cache_window,
        Code::early_retire, Code::predicted_mismatch, Code::combination_stale, Code::fallback_only,
        Code::dane_lost, Code::all_unusable, Code::tlsa_malformed, Code::tlsa_lookup_failed}) {
    EXPECT_EQ(cause_at_host(code, aliased_scene()), owner) << wire_name(code);
    EXPECT_EQ(cause_at_host(code, signed_scene()), kHost) << wire_name(code) << " without alias";
  }
}

TEST(Cause, OfAnExpiredSignatureBehindAnAliasIsTheZoneAllTheSame) {
  EXPECT_EQ(cause_at_host(Code::dnssec_expired, aliased_scene()), zone("of-tlsa.test"));
}

TEST(Cause, OfEverythingElseIsItsOwnSubject) {
  const auto aliased = aliased_scene();
  for (const auto code : {Code::starttls_missing, Code::certificate_expired, Code::host_down,
                          Code::name_mismatch, Code::address_lookup_failed, Code::rrsig_long}) {
    EXPECT_EQ(cause_at_host(code, aliased), kHost) << wire_name(code);
  }
  EXPECT_EQ(cause_of({.code = Code::dane_lost, .subject = kDomain}, &aliased.domain, nullptr),
            kDomain)
      << "of a domain: none of its hosts' records are meant";
  const Subject us{.kind = Subject::Kind::monitor, .name = "clock"};
  EXPECT_EQ(cause_of({.code = Code::monitor_fault, .subject = us}, nullptr, nullptr), us);
}

}  // namespace
