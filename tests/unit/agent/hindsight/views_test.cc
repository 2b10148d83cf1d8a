#include "agent/hindsight/views.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/scene.h"

namespace agent {
namespace {

using config::Seconds;
using config::Time;
using support::kNow;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::UnorderedElementsAre;
using Opinion = View::Opinion;

// A host that three places look at.
class SeenFromPlaces : public testing::Test {
 protected:
  SeenFromPlaces() {
    places_.own = "here";
    places_.others = {"east", "west"};
  }
  probes::Recorded look(const std::string& vantage, const support::Scene& scene) const {
    auto host = scene.hosts.at("mx.example.test");
    host.observed_at = at_;
    return {.host = std::make_shared<const probes::HostObservation>(std::move(host)),
            .agent = "agent-" + vantage,
            .vantage = vantage};
  }
  void see(const std::string& vantage, const support::Scene& scene) {
    auto& view = views_[vantage];
    view = view_of(look(vantage, scene), &view, at_);
  }
  Choice choice(const std::string& arrived) const {
    return choose(views_, arrived, places_, was_troubled_, asked_since_, at_);
  }
  void pass(Seconds time) { at_ += time; }
  static support::Scene broken() {
    support::Scene out;
    const auto& pki = support::Pki::get();
    out.serve({pki.old_leaf.certificate, pki.inter.certificate});
    return out;
  }
  static support::Scene stripped() {
    support::Scene out;
    for (auto& session : out.mx().sessions) {
      session.stage = probes::smtp::Stage::starttls;
      session.stop = probes::smtp::SessionStop::not_offered;
      session.offers_starttls = false;
      session.tls.reset();
    }
    return out;
  }
  static support::Scene unknown() {
    support::Scene out;
    for (auto& session : out.mx().sessions) {
      session.stage = probes::smtp::Stage::connect;
      session.stop = probes::smtp::SessionStop::local_fault;
      session.tls.reset();
    }
    return out;
  }
  static support::Scene silent() {
    support::Scene out;
    for (auto& session : out.mx().sessions) {
      session.stage = probes::smtp::Stage::connect;
      session.stop = probes::smtp::SessionStop::connect_timeout;
      session.tls.reset();
    }
    return out;
  }
  // One name server gives a record more than the other.
  static support::Scene lagging() {
    support::Scene out;
    const auto& pki = support::Pki::get();
    const auto wire = [](const probes::dane::TlsaRecord& record) {
      probes::dns::Bytes data{record.usage, record.selector, record.matching_type};
      data.insert(data.end(), record.data.begin(), record.data.end());
      return data;
    };
    const auto used = wire(support::record(3, 1, 1, *pki.leaf.certificate)),
               more = wire(support::record(3, 1, 1, *pki.old_leaf.certificate));
    for (const std::string number : {"1", "2"}) {
      probes::dns::ServerAnswer answer{
          .server = {support::name("ns" + number + ".example.test"), "192.0.2." + number},
          .question = {out.mx().tlsa.name, probes::dns::type::tlsa},
          .outcome = probes::dns::Outcome::answer,
          .is_authoritative = true,
          .data = {used},
          .signatures = probes::dns::SignatureWindow{kNow - std::chrono::days{4},
                                                     kNow + std::chrono::days{10}}};
      if (number == "1") answer.data.push_back(more);
      std::ranges::sort(answer.data);
      out.mx().survey.answers.push_back(std::move(answer));
    }
    return out;
  }
  static void change_key(probes::smtp::SessionRecord& session) {
    const auto& pki = support::Pki::get();
    session.tls->chain = {pki.old_leaf.certificate, pki.inter.certificate};
  }
  std::optional<probes::Finding> split() {
    split_ = find_split(views_, places_, split_, "mx.example.test", at_);
    return split_ ? std::optional{split_->finding} : std::nullopt;
  }

  Places places_;
  Views views_;
  std::optional<Split> split_;
  bool was_troubled_ = false;
  std::optional<Time> asked_since_;
  Time at_ = kNow;
  const support::Scene well_;
};

TEST_F(SeenFromPlaces, an_opinion_is_what_the_host_by_itself_gives_rise_to) {
  see("here", well_);
  EXPECT_EQ(views_.at("here").opinion, Opinion::well);
  see("here", broken());
  EXPECT_EQ(views_.at("here").opinion, Opinion::held);
  see("east", lagging());
  EXPECT_EQ(views_.at("east").opinion, Opinion::troubled) << "mail is delivered";
  EXPECT_EQ(views_.at("here").verdict, probes::Verdict::refused);
  EXPECT_EQ(views_.at("here").in_a_row, 1);
  see("here", broken());
  EXPECT_EQ(views_.at("here").in_a_row, 2);
}

TEST_F(SeenFromPlaces, while_all_is_well_only_own_looks_are_followed) {
  see("here", well_);
  EXPECT_EQ(choice("here").followed, "here");
  see("east", well_);
  EXPECT_EQ(choice("east").followed, std::nullopt);
  EXPECT_FALSE(choice("east").is_in_question);
}

TEST_F(SeenFromPlaces, trouble_that_one_place_sees_counts_where_one_is_enough) {
  see("here", well_);
  see("east", broken());
  const auto chosen = choice("east");
  EXPECT_EQ(chosen.followed, "east");
  EXPECT_THAT(chosen.troubled, ElementsAre("east"));
  EXPECT_THAT(chosen.awaited, ElementsAre("west")) << "whoever has not looked yet is asked";
}

// Else a man in the middle near one place would go unnoticed wherever something else is amiss.
TEST_F(SeenFromPlaces, a_lesser_trouble_of_all_does_not_hide_a_graver_one_of_one) {
  auto intercepted = lagging();
  for (auto& session : intercepted.mx().sessions) change_key(session);
  asked_since_ = at_;
  for (int i = 0; i < 2; ++i) {
    see("here", lagging());
    see("west", lagging());
    if (i == 0) {
      EXPECT_EQ(choice("here").followed, "here");
    }
    see("east", intercepted);
    pass(Seconds{10});
  }
  EXPECT_EQ(choice("east").followed, "east");
  const auto found = split();
  ASSERT_TRUE(found);
  EXPECT_EQ(found->code, probes::Code::selective_starttls);
  places_.quorum = 2;
  EXPECT_EQ(choice("here").followed, "here") << "what two see";
  EXPECT_EQ(choice("east").followed, "here");
}

TEST_F(SeenFromPlaces, another_key_at_one_of_two_addresses_is_told_with_the_keys) {
  support::Scene two, intercepted;
  for (auto* scene : {&two, &intercepted}) {
    auto more = scene->mx().sessions.front();
    more.address = "192.0.2.77";
    scene->mx().sessions.push_back(std::move(more));
  }
  change_key(intercepted.mx().sessions.back());
  for (int i = 0; i < 2; ++i) {
    see("here", two);
    see("west", two);
    see("east", intercepted);
  }
  EXPECT_EQ(views_.at("east").verdict, probes::Verdict::authenticated) << "senders fail over";
  const auto found = split();
  ASSERT_TRUE(found);
  EXPECT_EQ(found->code, probes::Code::selective_starttls);
  EXPECT_THAT(found->evidence.front().value, testing::HasSubstr("192.0.2.77 shows "));
}

TEST_F(SeenFromPlaces, nothing_is_followed_until_those_have_looked_who_may_tip_the_balance) {
  places_.quorum = 2;
  see("here", broken());
  const auto asked = choice("here");
  EXPECT_EQ(asked.followed, std::nullopt);
  EXPECT_THAT(asked.awaited, ElementsAre("east", "west"));
  asked_since_ = at_;
  pass(Seconds{10});
  see("east", well_);
  EXPECT_EQ(choice("east").followed, std::nullopt) << "west may see it, too";
  see("west", broken());
  EXPECT_EQ(choice("west").followed, "here") << "our own look, for the history is of one place";
}

TEST_F(SeenFromPlaces, what_a_quorum_does_not_see_is_no_trouble_of_the_host) {
  places_.quorum = 2;
  see("here", broken());
  asked_since_ = at_;
  pass(Seconds{10});
  see("east", well_);
  see("west", well_);
  EXPECT_EQ(choice("west").followed, "west");
}

TEST_F(SeenFromPlaces, whoever_does_not_answer_counts_no_more_after_a_while) {
  places_.quorum = 2;
  see("here", broken());
  asked_since_ = at_;
  pass(Seconds{130});
  see("here", broken());
  EXPECT_EQ(choice("here").followed, "here") << "all that can see do";
}

TEST_F(SeenFromPlaces, an_end_is_held_against_what_the_others_see_now) {
  was_troubled_ = true;
  asked_since_ = at_;
  see("here", broken());
  see("east", broken());
  see("west", broken());
  pass(Seconds{600});
  see("here", well_);
  const auto early = choice("here");
  EXPECT_EQ(early.followed, std::nullopt);
  EXPECT_THAT(early.awaited, ElementsAre("east", "west"));
  see("east", well_);
  see("west", broken());
  EXPECT_EQ(choice("west").followed, "west") << "one is enough to go on with it";
  see("west", well_);
  EXPECT_EQ(choice("west").followed, "here");
}

TEST_F(SeenFromPlaces, trouble_stays_seen_when_the_place_goes) {
  was_troubled_ = true;
  asked_since_ = at_;
  see("east", broken());
  places_.others = {"west"};
  see("west", well_);
  see("here", well_);
  EXPECT_EQ(choice("here").followed, std::nullopt);
  pass(places_.kept_for + Seconds{1});
  see("west", well_);
  see("here", well_);
  EXPECT_EQ(choice("here").followed, "here");
}

TEST_F(SeenFromPlaces, what_places_saw_that_are_gone_is_forgotten_but_for_trouble) {
  see("here", well_);
  see("east", broken());
  see("west", well_);
  places_.others = {};
  forget_gone(views_, places_, at_);
  EXPECT_THAT(views_, UnorderedElementsAre(testing::Key("here"), testing::Key("east")));
  pass(places_.kept_for + Seconds{1});
  forget_gone(views_, places_, at_);
  EXPECT_THAT(views_, IsEmpty()) << "an agent by itself has no views";
}

TEST_F(SeenFromPlaces, one_that_cannot_tell_neither_opens_nor_ends) {
  see("here", well_);
  see("east", unknown());
  EXPECT_EQ(views_.at("east").opinion, Opinion::unknown);
  EXPECT_FALSE(choice("east").is_in_question);
  see("here", well_);
  see("east", broken());
  see("east", broken());
  was_troubled_ = true;
  asked_since_ = at_;
  ASSERT_TRUE(split());
  pass(Seconds{600});
  see("east", unknown());
  see("west", well_);
  see("here", well_);
  EXPECT_EQ(choice("here").followed, std::nullopt) << "whoever is between need only be slow";
  EXPECT_TRUE(split()) << "the same of the difference";
  see("east", well_);
  see("here", well_);
  EXPECT_EQ(choice("here").followed, "here");
  see("east", well_);
  see("here", well_);
  EXPECT_FALSE(split());
}

TEST_F(SeenFromPlaces, a_difference_is_told_when_it_was_seen_twice) {
  see("here", well_);
  see("here", well_);
  see("east", stripped());
  EXPECT_FALSE(split());
  see("east", stripped());
  const auto found = split();
  ASSERT_TRUE(found);
  EXPECT_EQ(found->code, probes::Code::selective_starttls);
  EXPECT_EQ(found->severity, probes::Severity::high);
  EXPECT_THAT(found->evidence, testing::Contains(probes::Evidence{"seen-from", "east"}));
}

TEST_F(SeenFromPlaces, another_key_that_is_refused_at_one_place_only_is_the_mark_of_one_between) {
  for (int i = 0; i < 2; ++i) {
    see("here", well_);
    see("east", broken());
  }
  const auto found = split();
  ASSERT_TRUE(found);
  EXPECT_EQ(found->code, probes::Code::selective_starttls);
}

TEST_F(SeenFromPlaces, no_answer_at_one_place_is_its_route) {
  for (int i = 0; i < 2; ++i) {
    see("here", well_);
    see("east", silent());
  }
  const auto found = split();
  ASSERT_TRUE(found);
  EXPECT_EQ(found->code, probes::Code::vantage_split);
  EXPECT_EQ(found->severity, probes::Severity::low);
}

TEST_F(SeenFromPlaces, other_addresses_are_worth_a_word) {
  auto elsewhere = well_;
  elsewhere.mx().addresses.pop_back();
  for (int i = 0; i < 2; ++i) {
    see("here", well_);
    see("east", elsewhere);
  }
  const auto found = split();
  ASSERT_TRUE(found);
  EXPECT_EQ(found->severity, probes::Severity::info);
}

TEST_F(SeenFromPlaces, other_records_and_other_keys_of_the_host_are_worth_a_word_that_names_them) {
  const auto& pki = support::Pki::get();
  auto both = well_;
  both.publish({support::record(3, 1, 1, *pki.leaf.certificate),
                support::record(3, 1, 1, *pki.old_leaf.certificate)});
  auto other = both;
  other.serve({pki.old_leaf.certificate, pki.inter.certificate});
  struct Row {
    std::string says;
    support::Scene here, east;
    std::string differs;
  };
  for (const auto& row : {Row{"anycast name servers", well_, both, "TLSA records: 3 1 1 "},
                          Row{"a back-end of its own", both, other, " shows "}}) {
    views_.clear();
    split_.reset();
    for (int i = 0; i < 2; ++i) {
      see("here", row.here);
      see("east", row.east);
    }
    const auto found = split();
    ASSERT_TRUE(found) << row.says;
    EXPECT_EQ(found->code, probes::Code::vantage_split) << row.says;
    EXPECT_EQ(found->severity, probes::Severity::info) << row.says;
    EXPECT_THAT(found->evidence,
                testing::Contains(testing::Field(
                    &probes::Evidence::value,
                    testing::AllOf(testing::HasSubstr(row.differs), testing::HasSubstr("here"),
                                   testing::HasSubstr("east")))))
        << row.says;
  }
}

TEST_F(SeenFromPlaces, trouble_of_one_place_is_told_with_the_records_and_addresses_it_comes_of) {
  const auto& pki = support::Pki::get();
  auto stale = well_;
  stale.publish({support::record(3, 1, 1, *pki.old_leaf.certificate)});
  auto elsewhere = broken();
  elsewhere.mx().addresses = {"198.51.100.7"};
  for (auto& session : elsewhere.mx().sessions) session.address = "198.51.100.7";
  struct Row {
    std::string says;
    support::Scene east;
    std::string differs;
  };
  for (const auto& row : {Row{"anycast name servers", stale, "TLSA records: 3 1 1 "},
                          Row{"GeoDNS", elsewhere, "addresses: "}}) {
    views_.clear();
    split_.reset();
    for (int i = 0; i < 2; ++i) {
      see("here", well_);
      see("east", row.east);
      see("west", well_);
    }
    const auto found = split();
    ASSERT_TRUE(found) << row.says;
    EXPECT_EQ(found->code, probes::Code::vantage_split) << row.says;
    EXPECT_EQ(found->severity, probes::Severity::high) << row.says;
    EXPECT_THAT(found->evidence, testing::Contains(probes::Evidence{"seen-from", "east"}))
        << row.says;
    EXPECT_THAT(found->evidence,
                testing::Contains(testing::AllOf(
                    testing::Field(&probes::Evidence::name, "differs"),
                    testing::Field(&probes::Evidence::value, testing::HasSubstr(row.differs)))))
        << row.says;
  }
}

TEST_F(SeenFromPlaces, other_addresses_with_other_keys_are_worth_a_word_without_records_too) {
  const auto& pki = support::Pki::get();
  auto usual = well_;
  usual.publish({});
  usual.mx().tlsa = support::absent("_25._tcp.mx.example.test", probes::dns::type::tlsa);
  auto elsewhere = usual;
  elsewhere.serve({pki.old_leaf.certificate, pki.inter.certificate});
  elsewhere.mx().addresses = {"198.51.100.7"};
  for (auto& session : elsewhere.mx().sessions) session.address = "198.51.100.7";
  for (int i = 0; i < 2; ++i) {
    see("here", usual);
    see("east", elsewhere);
    see("west", usual);
  }
  const auto found = split();
  ASSERT_TRUE(found);
  EXPECT_EQ(found->code, probes::Code::vantage_split);
  EXPECT_THAT(found->evidence, testing::Contains(probes::Evidence{"seen-from", "east"}));
}

TEST_F(SeenFromPlaces, another_key_at_one_place_alone_is_a_mark_where_no_record_vouches_for_any) {
  const auto& pki = support::Pki::get();
  auto usual = well_;
  usual.publish({});
  usual.mx().tlsa = support::absent("_25._tcp.mx.example.test", probes::dns::type::tlsa);
  auto other = usual;
  other.serve({pki.old_leaf.certificate, pki.inter.certificate});
  const auto look = [&](const support::Scene& west) {
    views_.clear();
    split_.reset();
    for (int i = 0; i < 2; ++i) {
      see("here", usual);
      see("east", other);
      see("west", west);
    }
    return split();
  };
  const auto alone = look(usual);
  ASSERT_TRUE(alone);
  EXPECT_EQ(alone->code, probes::Code::selective_starttls);
  EXPECT_THAT(alone->evidence, testing::Contains(probes::Evidence{"seen-from", "east"}));
  const auto not_alone = look(other);
  ASSERT_TRUE(not_alone);
  EXPECT_EQ(not_alone->code, probes::Code::selective_starttls);
  EXPECT_THAT(not_alone->evidence, testing::Contains(probes::Evidence{"seen-from", "here"}));
  views_.erase("west");
  const auto nobody_knows = split();
  ASSERT_TRUE(nobody_knows);
  EXPECT_EQ(nobody_knows->code, probes::Code::vantage_split) << "which of the two is the other";
}

// A renewal, or STARTTLS turned off for everybody: places see it one after the other.
TEST_F(SeenFromPlaces, what_changed_since_the_others_looked_is_no_difference_of_places) {
  const auto& pki = support::Pki::get();
  auto before = well_;
  before.publish({});
  before.mx().tlsa = support::absent("_25._tcp.mx.example.test", probes::dns::type::tlsa);
  auto renewed = before;
  renewed.serve({pki.old_leaf.certificate, pki.inter.certificate});
  for (const auto& after : {renewed, stripped()}) {
    views_.clear();
    split_.reset();
    for (int i = 0; i < 3; ++i) {
      for (const auto* place : {"here", "east", "west"}) see(place, before);
      pass(Seconds{900});
    }
    see("east", after);
    EXPECT_THAT(choice("east").awaited, testing::ElementsAre("here", "west"));
    pass(Seconds{60});
    see("east", after);
    EXPECT_FALSE(split()) << "the others have not looked since";
    see("here", after);
    EXPECT_FALSE(split());
    pass(Seconds{60});
    see("here", after);
    EXPECT_FALSE(split());
    // Where a place that looks behind the change goes on seeing what was, they differ.
    see("west", before);
    EXPECT_TRUE(split());
    see("west", after);
    see("west", after);
    see("east", after);
    EXPECT_FALSE(split());
  }
}

TEST_F(SeenFromPlaces, trouble_that_all_see_is_no_difference) {
  for (int i = 0; i < 2; ++i) {
    see("here", broken());
    see("east", broken());
  }
  EXPECT_FALSE(split());
}

}  // namespace
}  // namespace agent
