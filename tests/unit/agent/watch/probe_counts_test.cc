#include "agent/watch/probe_counts.h"

#include <numeric>
#include <set>

#include <gtest/gtest.h>

namespace agent {
namespace {

using probes::HostObservation;
using probes::dns::Cause;
using probes::dns::Outcome;
using probes::smtp::SessionRecord;
using probes::smtp::SessionStop;
using probes::smtp::Stage;

std::uint64_t made(const ProbeCounts& counts, ProbeStep step) {
  return counts.steps.at(static_cast<std::size_t>(step)).made;
}
std::uint64_t missed(const ProbeCounts& counts, ProbeStep step, Miss miss) {
  return counts.steps.at(static_cast<std::size_t>(step)).missed.at(static_cast<std::size_t>(miss));
}
std::uint64_t all_missed(const ProbeCounts& counts) {
  std::uint64_t out = 0;
  for (const auto& tries : counts.steps)
    out = std::accumulate(tries.missed.begin(), tries.missed.end(), out);
  return out;
}

HostObservation host_with(SessionRecord session) {
  HostObservation out;
  out.a.outcome = Outcome::answer;
  out.aaaa.outcome = Outcome::absent;
  out.addresses = {"192.0.2.1"};
  out.sessions.push_back(std::move(session));
  return out;
}

TEST(ProbeCounts, a_session_is_counted_at_every_stage_it_came_to) {
  ProbeCounts counts;
  SessionRecord session;
  session.stage = Stage::handshake;
  session.stop = SessionStop::tls;
  session.took.at(static_cast<std::size_t>(Stage::banner)) = std::chrono::seconds{2};
  counts.count(host_with(session));
  for (const auto step : {ProbeStep::address, ProbeStep::connect, ProbeStep::banner,
                          ProbeStep::ehlo, ProbeStep::starttls, ProbeStep::tls})
    EXPECT_EQ(made(counts, step), 1U) << wire_name(step);
  EXPECT_EQ(made(counts, ProbeStep::ehlo_tls), 0U);
  EXPECT_EQ(made(counts, ProbeStep::tlsa), 0U) << "nobody asked";
  EXPECT_EQ(missed(counts, ProbeStep::tls, Miss::tls_failed), 1U);
  EXPECT_EQ(all_missed(counts), 1U);
  EXPECT_EQ(counts.steps.at(static_cast<std::size_t>(ProbeStep::banner)).took.sum, 2);
}

TEST(ProbeCounts, a_session_that_came_to_its_end_failed_nowhere) {
  ProbeCounts counts;
  SessionRecord session;
  session.stage = Stage::done;
  counts.count(host_with(session));
  EXPECT_EQ(made(counts, ProbeStep::ehlo_tls), 1U);
  EXPECT_EQ(all_missed(counts), 0U);
}

TEST(ProbeCounts, an_address_that_we_may_not_contact_is_no_try) {
  ProbeCounts counts;
  SessionRecord session;
  session.stop = SessionStop::special_address;
  counts.count(host_with(session));
  EXPECT_EQ(made(counts, ProbeStep::connect), 0U);
  EXPECT_EQ(all_missed(counts), 0U);
  EXPECT_EQ(counts.sessions.counts.front(), 0U);
}

TEST(ProbeCounts, of_addresses_one_family_is_enough) {
  ProbeCounts counts;
  HostObservation host;
  host.a.outcome = Outcome::answer;
  host.aaaa.outcome = Outcome::failed;
  host.aaaa.cause = Cause::timeout;
  host.addresses = {"192.0.2.1"};
  counts.count(host);
  EXPECT_EQ(all_missed(counts), 0U);
  host.addresses.clear();
  counts.count(host);
  EXPECT_EQ(missed(counts, ProbeStep::address, Miss::timeout), 1U);
}

TEST(ProbeCounts, a_lookup_that_does_not_validate_is_told_from_one_that_does_not_come) {
  ProbeCounts counts;
  probes::DomainObservation domain;
  domain.mx.outcome = Outcome::failed;
  for (const auto cause : {Cause::signature_expired, Cause::ds_mismatch, Cause::servfail}) {
    domain.mx.cause = cause;
    counts.count(domain);
  }
  EXPECT_EQ(made(counts, ProbeStep::mx), 3U);
  EXPECT_EQ(missed(counts, ProbeStep::mx, Miss::bogus), 2U);
  EXPECT_EQ(missed(counts, ProbeStep::mx, Miss::servfail), 1U);
}

TEST(ProbeCounts, every_word_is_another) {
  std::set<std::string_view> words;
  for (std::size_t i = 0; i < kMisses; ++i) words.insert(wire_name(static_cast<Miss>(i)));
  EXPECT_EQ(words.size(), kMisses);
  words.clear();
  for (std::size_t i = 0; i < kProbeSteps; ++i) words.insert(wire_name(static_cast<ProbeStep>(i)));
  EXPECT_EQ(words.size(), kProbeSteps);
}

}  // namespace
}  // namespace agent
