#include "agent/self/trust_anchor.h"

#include <gtest/gtest.h>

#include "probes/dns/wanted_ds.h"
#include "tests/support/scene.h"

namespace {

using agent::AnchorKey;
using agent::AnchorKeys;
using agent::AnchorState;
using agent::TrustAnchor;
using config::Seconds;
using config::Time;
using probes::dns::Bytes;
using probes::dns::Record;
using std::chrono::days;
using std::chrono::hours;
using support::kNow;

constexpr unsigned kKsk = 0x0101, kZsk = 0x0100, kRevoked = 0x0080;

Bytes key(std::uint8_t seed, unsigned flags = kKsk) {
  Bytes out{static_cast<std::uint8_t>(flags >> 8U), static_cast<std::uint8_t>(flags), 3, 8};
  for (int i = 0; i < 32; ++i) out.push_back(static_cast<std::uint8_t>(seed + i));
  return out;
}

Record anchor_of(const Bytes& key) {
  return {.owner = support::name("."), .type = probes::dns::type::dnskey, .data = key};
}

Record ds_of(const Bytes& key) {
  const auto tag = probes::dns::key_tag_of(key);
  Bytes data{static_cast<std::uint8_t>(tag >> 8U), static_cast<std::uint8_t>(tag), key[3], 2};
  const auto digest = *probes::dns::ds_digest(support::name("."), key, 2);
  data.insert(data.end(), digest.begin(), digest.end());
  return {.owner = support::name("."), .type = probes::dns::type::ds, .data = data};
}
Record with(Record anchor, std::size_t place, std::uint8_t octet) {
  anchor.data[place] = octet;
  return anchor;
}

constexpr Seconds kTtl = hours{48};

using Looks = std::vector<std::pair<Time, std::vector<Bytes>>>;
AnchorKeys seen(const Looks& looks) {
  AnchorKeys out;
  for (const auto& [at, keys] : looks) out.take(support::name("."), keys, kTtl, at);
  return out;
}
std::optional<std::string> fault_of(const std::vector<Record>& anchors, const AnchorKeys& keys,
                                    Time at, std::optional<Time> written_at = {}) {
  return agent::fault_of_anchors(
      {.zone = support::name("."), .records = anchors, .written_at = written_at}, keys, at);
}

struct AnchorCase {
  std::string says;
  std::vector<Record> anchors;
  std::vector<Bytes> keys;
  std::string want;  // part of the words; empty: no fault
};

TEST(TrustAnchor, IsHeldAgainstTheKeysOfItsZone) {
  const auto revoked = key(1, kKsk | kRevoked);
  for (const auto& row : std::vector<AnchorCase>{
           {"the key in use is named", {anchor_of(key(1))}, {key(1), key(9, kZsk)}, ""},
           {"the next one is published and not named",
            {anchor_of(key(1))},
            {key(1), key(2), key(9, kZsk)},
            "further key signing key"},
           {"both are named", {anchor_of(key(1)), anchor_of(key(2))}, {key(1), key(2)}, ""},
           {"a key of the past does no harm", {anchor_of(key(1)), anchor_of(key(7))}, {key(1)}, ""},
           {"the old one is revoked, the new one named (RFC 5011 §2.1)",
            {anchor_of(key(1)), anchor_of(key(2))},
            {revoked, key(2)},
            ""},
           {"all that are named are revoked", {anchor_of(key(1))}, {revoked, key(2)}, "revoked"},
           {"a zone signing key is nobody's anchor",
            {anchor_of(key(1))},
            {key(1), key(3, kZsk)},
            ""},
           {"by its digest, as in dns-root-data", {ds_of(key(1))}, {key(1)}, ""},
           {"another digest", {with(ds_of(key(1)), 20, 0)}, {key(1)}, "further key signing key"},
           {"another tag", {with(ds_of(key(1)), 0, 0)}, {key(1)}, "further key signing key"},
           {"a digest of a type that nobody knows", {with(ds_of(key(1)), 3, 200)}, {key(1)}, ""},
           {"the digest of a key that is revoked now", {ds_of(key(1))}, {revoked}, "revoked"},
           {"a stump of a key", {anchor_of(key(1))}, {key(1), {1, 1, 3, 8}, {}}, ""},
       }) {
    const auto fault = fault_of(row.anchors, seen({{kNow, row.keys}}), kNow);
    EXPECT_EQ(fault.has_value(), !row.want.empty()) << row.says << ": " << fault.value_or("");
    if (fault) {
      EXPECT_NE(fault->find(row.want), std::string::npos) << row.says << ": " << *fault;
    }
  }
}

struct DatedCase {
  std::string says;
  Looks looks;
  Time at;
  std::vector<std::string> want;  // parts of the words
};

// The file names key 1; kNow is 2027-01-15.
TEST(TrustAnchor, SaysSinceWhenAKeyIsThereAndFromWhenItMaySignAlone) {
  const auto before = std::vector{key(1), key(9, kZsk)};
  const auto both = std::vector{key(1), key(2)};
  for (const auto& row : std::vector<DatedCase>{
           {"it came while we looked: published after the set that caches held, RFC 5011 §2.4.1",
            {{kNow - days{1}, before}, {kNow, both}},
            kNow + days{5},
            {"seen since 2027-01-15", "AddPend", "from 2027-02-11 at the earliest"}},
           {"its hold-down is over",
            {{kNow - days{1}, before}, {kNow, both}, {kNow + days{40}, both}},
            kNow + days{40},
            {"seen since 2027-01-15", "Valid by RFC 5011", "may sign alone since 2027-02-11"}},
           {"nobody knows for how long it had been there",
            {{kNow, both}, {kNow + days{1}, both}},
            kNow + days{1},
            {"seen since 2027-01-15", "at any time"}},
           {"it had been there, and has been for a hold-down more",
            {{kNow, both}, {kNow + days{31}, both}},
            kNow + days{31},
            {"may sign alone since 2027-02-14"}},
           {"one cache that is older takes nothing back",
            {{kNow - days{1}, before},
             {kNow, both},
             {kNow + hours{1}, before},
             {kNow + hours{2}, both}},
            kNow + hours{2},
            {"seen since 2027-01-15"}},
           {"it went and came back: the hold-down begins anew, RFC 5011 §2.2",
            {{kNow - days{1}, before},
             {kNow, both},
             {kNow + days{5}, before},
             {kNow + days{6}, both}},
            kNow + days{6},
            {"seen since 2027-01-21", "AddPend", "from 2027-02-17 at the earliest"}},
           {"the clock was a year fast",
            {{kNow + days{365}, both}, {kNow, both}},
            kNow,
            {"seen since 2027-01-15"}},
       }) {
    const auto fault = fault_of({anchor_of(key(1))}, seen(row.looks), row.at);
    ASSERT_TRUE(fault) << row.says;
    for (const auto& part : row.want)
      EXPECT_NE(fault->find(part), std::string::npos) << row.says << ": " << part << ": " << *fault;
  }
}

TEST(TrustAnchor, OfAKeyThatIsNotThereAnyMoreNothingIsSaid) {
  const auto gone = seen({{kNow, {key(1), key(2)}}, {kNow + days{3}, {key(1)}}});
  EXPECT_EQ(fault_of({anchor_of(key(1))}, gone, kNow + days{3}), std::nullopt);
}

TEST(TrustAnchor, SaysHowOldTheFileIs) {
  const auto both = seen({{kNow, {key(1), key(2)}}});
  const auto words = [&](Seconds age) {
    return *fault_of({anchor_of(key(1))}, both, kNow, kNow - age);
  };
  EXPECT_NE(words(days{737}).find("written 2025-01-08 (737 days ago), does not"), std::string::npos)
      << words(days{737});
  EXPECT_NE(words(hours{30}).find("(a day ago)"), std::string::npos) << words(hours{30});
  EXPECT_NE(words(hours{1}).find("written 2027-01-15, does not"), std::string::npos);
  EXPECT_NE(words(-hours{1}).find("written 2027-01-15, does not"), std::string::npos)
      << "a file of the future is of no age";
}

struct StateCase {
  std::string says;
  AnchorKey key;
  bool is_named = false, is_there = true;
  AnchorState want;
};

TEST(AnchorKeys, HaveTheStatesOfRfc5011) {
  const AnchorKey fresh{.first_seen = kNow - days{29}, .last_seen = kNow};
  const AnchorKey old{.first_seen = kNow - days{30}, .last_seen = kNow};
  auto revoked = old;
  revoked.revoked_at = kNow;
  for (const auto& row : std::vector<StateCase>{
           {"new", fresh, false, true, AnchorState::add_pend},
           {"named: we trust it now", fresh, true, true, AnchorState::valid},
           {"after the hold-down", old, false, true, AnchorState::valid},
           {"not there", old, true, false, AnchorState::missing},
           {"revoked", revoked, true, true, AnchorState::revoked},
           {"revoked for good", revoked, true, false, AnchorState::revoked},
       })
    EXPECT_EQ(state_of(row.key, row.is_named, row.is_there, kNow), row.want) << row.says;
  EXPECT_EQ(wire_name(AnchorState::add_pend), "AddPend");
}

TEST(AnchorKeys, TellWhatIsToBeRememberedAndGoOnFromIt) {
  AnchorKeys one;
  const auto root = support::name(".");
  const auto first = one.take(root, {key(1), key(9, kZsk)}, kTtl, kNow);
  ASSERT_EQ(first.size(), 1U) << "a zone signing key is none";
  EXPECT_TRUE(one.take(root, {key(1)}, kTtl, kNow + hours{1} - Seconds{1}).empty());
  EXPECT_EQ(one.take(root, {key(1)}, kTtl, kNow + hours{1}).size(), 1U) << "once an hour";
  EXPECT_TRUE(one.take(root, {key(1), key(2)}, kTtl, kNow).empty()) << "an older answer";
  AnchorKeys after{one.all()};
  const auto news = after.take(root, {key(1, kKsk | kRevoked), key(2)}, kTtl, kNow + days{1});
  ASSERT_EQ(news.size(), 2U);
  EXPECT_EQ(news[0].key, key(1));
  EXPECT_EQ(news[0].first_seen, kNow) << "as before the restart";
  EXPECT_EQ(news[0].revoked_at, kNow + days{1});
  EXPECT_EQ(news[1].published_after, kNow + hours{1} - kTtl);
  EXPECT_EQ(after.take(support::name("test"), {key(1)}, kTtl, kNow)[0].published_after,
            std::nullopt)
      << "another zone's are others";
}

TEST(AnchorKeys, AreNotRememberedBeyondAFew) {
  AnchorKeys one;
  std::vector<Bytes> many;
  for (int i = 0; i < 200; ++i) many.push_back(key(static_cast<std::uint8_t>(i)));
  one.take(support::name("."), many, kTtl, kNow);
  EXPECT_EQ(one.all().size(), agent::kMostAnchorKeys);
}

}  // namespace
