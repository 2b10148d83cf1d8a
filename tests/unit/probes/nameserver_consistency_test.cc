#include "probes/nameserver_consistency.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/scene.h"

// What single name servers say: ns1 and ns2, each asked for the TLSA records and the addresses.
namespace {

using namespace probes;
using dns::Cause;
using dns::Outcome;
using support::kNow;
using support::name;
using testing::ElementsAre;
using testing::IsEmpty;

const dns::Question kAddress{name("mx.example.test"), dns::type::a};
const dns::Question kAbove{name("_tcp.mx.example.test"), dns::type::a};
const dns::Question kTlsa{name("_25._tcp.mx.example.test"), dns::type::tlsa};

class Agreement : public testing::Test {
 protected:
  Agreement() {
    for (const auto& question : {kAddress, kAbove, kTlsa}) {
      for (const auto* server : {"ns1.example.test", "ns2.example.test"}) {
        dns::ServerAnswer answer;
        answer.server = {.name = name(server), .address = "192.0.2.53"};
        answer.question = question;
        answer.is_authoritative = true;
        answer.outcome = question == kAbove ? Outcome::absent : Outcome::answer;
        if (question != kAbove) answer.data = {{192, 0, 2, 1}};
        answer.signatures =
            dns::SignatureWindow{kNow - std::chrono::days{4}, kNow + std::chrono::days{10}};
        survey.answers.push_back(answer);
      }
    }
  }

  dns::ServerAnswer& ns2(const dns::Question& question) {
    for (auto& answer : survey.answers) {
      if (answer.question == question && answer.server.name == name("ns2.example.test"))
        return answer;
    }
    throw std::runtime_error("no such answer");
  }
  void fail_ns2(const dns::Question& question, Cause cause) {
    auto& answer = ns2(question);
    answer.outcome = Outcome::failed;
    answer.cause = cause;
    answer.rcode = cause == Cause::refused ? dns::rcode::refused : dns::rcode::noerror;
    answer.data.clear();
    answer.signatures.reset();
  }
  std::vector<std::string> found(bool is_signed = true) {
    findings = find_in_survey({.kind = Subject::Kind::host, .name = "mx.example.test"}, survey,
                              is_signed, kNow);
    std::vector<std::string> out;
    for (const auto& finding : findings)
      out.push_back(std::string(wire_name(finding.code)) + "/" +
                    std::string(wire_name(finding.severity)));
    return out;
  }
  std::string evidence() const {
    std::string out;
    for (const auto& item : findings.at(0).evidence) out += item.name + "=" + item.value + "\n";
    return out;
  }

  dns::Survey survey;
  std::vector<Finding> findings;
};

TEST_F(Agreement, servers_that_agree_are_no_news) {
  EXPECT_THAT(found(), IsEmpty());
}

TEST_F(Agreement, a_server_with_other_tlsa_records_is_named_with_what_it_says) {
  ns2(kTlsa).data = {{3, 1, 1, 0xab, 0xcd}};
  EXPECT_THAT(found(), ElementsAre("nameserver-split/high"));
  EXPECT_THAT(evidence(), testing::HasSubstr("ns2.example.test (192.0.2.53): 3 1 1 abcd"));
}

TEST_F(Agreement, a_server_without_the_records_is_a_split) {
  ns2(kTlsa).outcome = Outcome::absent;
  ns2(kTlsa).data.clear();
  EXPECT_THAT(found(), ElementsAre("nameserver-split/high"));
  EXPECT_THAT(evidence(), testing::HasSubstr("ns2.example.test (192.0.2.53): no record"));
}

TEST_F(Agreement, addresses_may_differ_on_purpose) {
  ns2(kAddress).data = {{192, 0, 2, 2}};
  EXPECT_THAT(found(), ElementsAre("nameserver-split/medium"));
}

// H-03
TEST_F(Agreement, a_server_that_drops_only_the_type_is_a_split) {
  fail_ns2(kTlsa, Cause::timeout);
  EXPECT_THAT(found(), ElementsAre("nameserver-split/high"));
}

TEST_F(Agreement, a_server_that_refuses_everything_is_failing) {
  for (const auto& question : {kAddress, kAbove, kTlsa}) fail_ns2(question, Cause::refused);
  EXPECT_THAT(found(), ElementsAre("nameserver-failing/medium"));
  EXPECT_THAT(evidence(), testing::HasSubstr("REFUSED"));
}

TEST_F(Agreement, silence_of_all_may_be_our_own_network) {
  for (auto& answer : survey.answers) {
    answer.outcome = Outcome::failed;
    answer.cause = Cause::timeout;
  }
  EXPECT_THAT(found(), IsEmpty());
}

TEST_F(Agreement, a_server_that_has_lost_its_signatures_is_a_split_in_a_signed_zone_only) {
  ns2(kTlsa).signatures.reset();
  EXPECT_THAT(found(), ElementsAre("nameserver-split/high"));
  EXPECT_THAT(evidence(), testing::HasSubstr("no signatures"));
  EXPECT_THAT(found(false), IsEmpty());
}

// H-02: senders whose resolver asks another server go on.
TEST_F(Agreement, a_server_with_expired_signatures_is_a_split) {
  ns2(kTlsa).signatures->expiration = kNow - std::chrono::seconds{1};
  EXPECT_THAT(found(), ElementsAre("nameserver-split/high"));
  ns2(kTlsa).signatures->expiration = kNow;
  EXPECT_THAT(found(), IsEmpty());
}

TEST_F(Agreement, tcp_missing_at_one_server_weighs_more_than_at_all) {
  survey.silent_on_tcp = {ns2(kTlsa).server};
  EXPECT_THAT(found(), ElementsAre("nameserver-udp-only/medium"));
  survey.silent_on_tcp = {survey.answers[0].server, survey.answers[1].server};
  EXPECT_THAT(found(), ElementsAre("nameserver-udp-only/low"));
}

TEST_F(Agreement, what_a_server_refers_to_others_is_not_held_against_it) {
  ns2(kTlsa).outcome = Outcome::not_queried;
  ns2(kTlsa).data.clear();
  EXPECT_THAT(found(), IsEmpty());
}

TEST_F(Agreement, a_denied_name_above_the_records_hides_them_from_some_senders) {
  ns2(kAbove).rcode = dns::rcode::nxdomain;
  EXPECT_THAT(deniers_of(kAbove.name, survey), ElementsAre(ns2(kAbove).server));
  support::Scene scene;
  scene.mx().survey = survey;
  const auto judged = scene.judge();
  EXPECT_THAT(support::findings_of(judged), testing::Contains("ent-nxdomain/high"));
  EXPECT_THAT(support::splits_of(judged), testing::Contains("aggressive-nsec=opportunistic"));
}

}  // namespace
