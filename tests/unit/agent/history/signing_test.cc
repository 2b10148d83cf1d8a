#include "agent/history/signing.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/past.h"

// How an RRset is signed, look after look.
namespace {

using agent::Signature;
using agent::Signatures;
using probes::dns::SignatureWindow;
using std::chrono::days;
using std::chrono::hours;
using std::chrono::minutes;
using support::kNow;
using support::Past;
using testing::IsEmpty;
using testing::SizeIs;

Signatures seen(const Past& past) {
  Signatures out;
  const auto all = past.host_history.signatures.find(agent::kAllServers);
  if (all == past.host_history.signatures.end()) return out;
  for (const auto& one : all->second) out.push_back({one.first_seen, one.last_seen, *one.what});
  return out;
}

std::optional<config::Seconds> left(const Past& past) {
  return agent::signature_left(seen(past));
}

// Signatures good for 14 days that are renewed every so often, looked at hourly.
Past signed_every(hours every, int times) {
  Past past;
  for (int i = 0; i < times; ++i) {
    const auto made = kNow + i * every;
    past.sign(made, made + days{14}).sign(made + every - hours{1}, made + days{14});
  }
  return past;
}

TEST(SignatureHabit, NeedsTwoSigningsSeen) {
  EXPECT_EQ(left(Past{}), std::nullopt);
  EXPECT_EQ(left(signed_every(days{7}, 2)), std::nullopt);
  EXPECT_EQ(left(signed_every(days{7}, 3)), days{7} + hours{1});
}

TEST(SignatureHabit, IsTheLeastThatWasLeft) {
  auto past = signed_every(days{7}, 3);
  past.sign(kNow + days{24}, kNow + days{28}).sign(kNow + days{24} + hours{1}, kNow + days{50});
  EXPECT_EQ(left(past), days{4});
}

TEST(SignatureHabit, AServerThatLagsSignsNothing) {
  auto past = signed_every(days{7}, 2);
  const auto third = kNow + days{14};
  past.sign(third, third + days{14})
      .sign(third + days{2}, third + days{7})  // the second again
      .sign(third + days{2} + hours{1}, third + days{14});
  EXPECT_EQ(left(past), days{7} + hours{1});
}

TEST(SignatureHabit, WhatWasNotWatchedIsNoMeasure) {
  auto past = signed_every(days{7}, 3);
  past.sign(kNow + days{25}, kNow + days{28}).sign(kNow + days{27}, kNow + days{41});
  EXPECT_EQ(left(past), days{7} + hours{1});
}

TEST(SignatureHabit, ShorterSignaturesAreAnotherHabit) {
  auto past = signed_every(days{7}, 3);
  const auto made = kNow + days{21};
  past.sign(made, made + days{3});
  EXPECT_EQ(left(past), std::nullopt) << "they never had seven days";
}

// A server that signs every answer, from an hour ago for a day, looked at every quarter of an hour.
Signatures signed_per_answer(int looks) {
  Signatures out;
  for (int i = 0; i < looks; ++i) {
    const auto at = kNow + minutes{15} * i;
    const SignatureWindow window{at - hours{1} + config::Seconds{i % 3}, at + hours{24}};
    const auto last = out.empty() ? std::nullopt : std::optional{out.back()};
    const auto what = agent::recognised(last, window, at);
    agent::note_version(out, what, {at, at}, std::equal_to<>());
  }
  return out;
}

TEST(SignedPerAnswer, IsOneVersionFromTheSecondLookOn) {
  const auto all = signed_per_answer(100);
  ASSERT_THAT(all, SizeIs(2));
  EXPECT_TRUE(all[1].what.slides_from);
  EXPECT_EQ(all[1].last_seen, kNow + minutes{15} * 99);
  EXPECT_EQ(agent::ends_at(all[1].what, all[1].last_seen), all[1].last_seen + hours{24});
}

// H-10: short by design must not alarm; the look alone would say that a day is little.
TEST(SignedPerAnswer, H_10_IsNeverNearItsEnd) {
  const auto all = signed_per_answer(5);
  const auto at = all.back().last_seen + minutes{15};
  const auto known = agent::predict_end(all, "MX", minutes{5}, {}, at);
  EXPECT_THAT(known.findings, IsEmpty());
  EXPECT_THAT(known.overruled, testing::ElementsAre(probes::Code::rrsig_expiring));
}

TEST(SignedPerAnswer, WhenItStandsStillItIsAnotherSignature) {
  auto all = signed_per_answer(5);
  const auto at = all.back().last_seen + hours{6};
  const SignatureWindow stuck{kNow, kNow + hours{25}};
  const auto what = agent::recognised(all.back(), stuck, at);
  EXPECT_FALSE(what.slides_from);
  EXPECT_EQ(what.expiration, stuck.expiration);
}

TEST(Signing, AZoneSignedAnewOnceIsNotSignedPerAnswer) {
  const SignatureWindow first{kNow, kNow + days{14}};
  const SignatureWindow second{kNow + days{7}, kNow + days{21}};
  Signatures all;
  for (const auto& [at, window] : {std::pair{kNow, first}, std::pair{kNow + days{6}, first},
                                   std::pair{kNow + days{7}, second}}) {
    const auto last = all.empty() ? std::nullopt : std::optional{all.back()};
    agent::note_version(all, agent::recognised(last, window, at), {at, at}, std::equal_to<>());
  }
  ASSERT_THAT(all, SizeIs(2));
  EXPECT_FALSE(all[1].what.slides_from);
}

// H-09, of an MX RRset: made for 14 days, renewed at 7 until now; 36 hours are left.
TEST(Signing, H_09_ASignerThatIsStuckIsTold) {
  Past past = signed_every(days{7}, 4);
  const auto made = kNow + days{21};
  const auto at = made + days{14} - hours{36};
  past.sign(at - minutes{15}, made + days{14});
  const probes::Subject domain{.kind = probes::Subject::Kind::domain, .name = "example.test"};
  const auto known = agent::predict_end(seen(past), "MX", hours{1}, domain, at);
  ASSERT_THAT(known.findings, SizeIs(1));
  EXPECT_EQ(known.findings[0].code, probes::Code::rrsig_expiring);
  EXPECT_EQ(known.findings[0].severity, probes::Severity::high);
  EXPECT_EQ(known.findings[0].subject, domain);
  EXPECT_EQ(known.findings[0].evidence[0].value, "MX");
}

// What servers give, as "SERVER END[, END...]" in days; "-" for the same as most.
std::vector<std::string> told(const agent::HostHistory& host_history) {
  std::vector<std::string> out;
  for (const auto& [server, versions] : host_history.signatures) {
    auto line = server;
    for (const auto& one : versions) {
      line += one.what ? " " + std::to_string((one.what->expiration - kNow) / hours{24}) : " -";
    }
    out.push_back(line);
  }
  return out;
}

TEST(Signing, OnlyServersThatDifferAreToldApart) {
  agent::HostHistory host_history;
  const auto look = [&](int day, days ns1, days ns2) {
    const auto at = kNow + days{day};
    agent::Sample sample{.windows = {{"ns1", {kNow + ns1 - days{15}, kNow + ns1}},
                                     {"ns2", {kNow + ns2 - days{15}, kNow + ns2}}},
                         .seen_at = at};
    agent::record_sample(host_history, agent::completed(host_history, sample), at, at);
  };
  look(0, days{14}, days{14});
  EXPECT_THAT(told(host_history), testing::ElementsAre("* 14"));
  look(7, days{21}, days{14});
  look(8, days{21}, days{14});
  look(9, days{21}, days{21});
  look(10, days{21}, days{21});
  EXPECT_THAT(told(host_history), testing::ElementsAre("* 14 21", "ns2 14 -"));
}

// A lag of long ago must not end what the server gives today.
TEST(Signing, AServerThatLaggedOnceIsNotExpiredForEver) {
  const auto records =
      Past::give({support::record(3, 1, 1, *support::Pki::get().leaf.certificate)});
  agent::HostHistory host_history;
  const auto look = [&](int day, days ns1, days ns2) {
    const auto at = kNow + days{day};
    // What is out of its time teaches nothing of the records.
    const auto second = kNow + ns2 > at ? std::optional{records} : std::nullopt;
    agent::Sample sample{.servers = {{"ns1", records}, {"ns2", second}},
                         .knows_servers = true,
                         .windows = {{"ns1", {kNow + ns1 - days{15}, kNow + ns1}},
                                     {"ns2", {kNow + ns2 - days{15}, kNow + ns2}}},
                         .seen_at = at};
    agent::record_sample(host_history, agent::completed(host_history, sample), at, at);
  };
  look(0, days{14}, days{14});
  look(7, days{21}, days{14});
  look(8, days{21}, days{21});
  look(15, days{28}, days{28});
  const auto history = agent::history_of(host_history, {"mx.example.test"});
  EXPECT_THAT(agent::served(history, kNow + days{15}), SizeIs(2));
  // One that has not caught up, and whose signature is over, is none that answers.
  look(16, days{28}, days{14});
  const auto lagging = agent::history_of(host_history, {"mx.example.test"});
  EXPECT_THAT(agent::served(lagging, kNow + days{16}), SizeIs(1));
}

TEST(Signing, AServerThatIsGoneLeavesNoSignatureOpen) {
  const auto records =
      Past::give({support::record(3, 1, 1, *support::Pki::get().leaf.certificate)});
  agent::HostHistory host_history;
  const auto look = [&](int day, agent::Sample sample) {
    sample.seen_at = kNow + days{day};
    agent::record_sample(host_history, agent::completed(host_history, sample), sample.seen_at,
                         sample.seen_at);
  };
  const SignatureWindow fresh{kNow - days{1}, kNow + days{14}};
  const SignatureWindow old{kNow - days{8}, kNow + days{7}};
  look(0, {.servers = {{"ns1", records}, {"ns2", records}},
           .knows_servers = true,
           .windows = {{"ns1", fresh}, {"ns2", old}}});
  EXPECT_THAT(told(host_history), testing::ElementsAre("* 14", "ns2 7"));
  look(1, {.servers = {{"ns1", records}}, .knows_servers = true, .windows = {{"ns1", fresh}}});
  EXPECT_THAT(told(host_history), testing::ElementsAre("* 14", "ns2 7 -"));
}

// Looks may take minutes.
TEST(SignedPerAnswer, IsSeenOnSlowHostsToo) {
  agent::HostHistory host_history;
  for (int i = 0; i < 20; ++i) {
    const auto at = kNow + minutes{15} * i;
    const agent::Sample sample{.windows = {{"ns1", {at - hours{1}, at + hours{24}}}},
                               .seen_at = at};
    agent::record_sample(host_history, agent::completed(host_history, sample), at, at + minutes{5});
  }
  EXPECT_THAT(host_history.signatures.at(agent::kAllServers), SizeIs(2));
}

}  // namespace
