#include "probes/dane/base_domain.h"

#include <optional>
#include <ostream>
#include <string>
#include <string_view>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/scene.h"

namespace probes::dane {

inline void PrintTo(BaseDomains::Kind kind, std::ostream* out) {
  constexpr const char* words[] = {"candidates", "not_applicable", "no_address", "failed",
                                   "ask_cname"};
  *out << words[static_cast<int>(kind)];
}

namespace {

using dns::Answer;
using dns::DnssecStatus;
using dns::Outcome;
using Kind = BaseDomains::Kind;
using testing::ElementsAreArray;

constexpr std::string_view host = "mx.example.test";
constexpr auto secure = DnssecStatus::secure;
constexpr auto insecure = DnssecStatus::insecure;
constexpr auto servfail = dns::Cause::servfail;

Answer v4(DnssecStatus status = secure) {
  return support::answer(host, dns::type::a, {{192, 0, 2, 1}}, status);
}
Answer v6(DnssecStatus status = secure) {
  return support::answer(host, dns::type::aaaa, {dns::Bytes(16, 0x20)}, status);
}
Answer no_v4(DnssecStatus status = secure) {
  return support::absent(host, dns::type::a, status);
}
Answer no_v6(DnssecStatus status = secure) {
  return support::absent(host, dns::type::aaaa, status);
}
Answer failed_v4() {
  return support::failed(host, dns::type::a, servfail);
}
Answer failed_v6() {
  return support::failed(host, dns::type::aaaa, servfail);
}

// The answer as it is when the host is an alias, over middle.test, of target.test. The status of
// the whole stays that of the weakest link.
Answer aliased(Answer answer) {
  answer.aliases = {{.from = support::name(host), .to = support::name("middle.test")},
                    {.from = support::name("middle.test"), .to = support::name("target.test")}};
  answer.final_name = support::name("target.test");
  return answer;
}

Answer cname(DnssecStatus status) {
  return support::answer(host, dns::type::cname, {{6, 'm', 'i', 'd', 'd', 'l', 'e', 0}}, status);
}

struct Row {
  std::string_view says;
  Answer a, aaaa;
  std::optional<Answer> cname;
  Kind kind;
  std::vector<std::string> names;
};

void expect(const std::vector<Row>& rows) {
  for (const auto& row : rows) {
    SCOPED_TRACE(row.says);
    const auto got =
        base_domains(support::name(host), row.a, row.aaaa, row.cname ? &*row.cname : nullptr);
    EXPECT_EQ(got.kind, row.kind);
    std::vector<std::string> names;
    for (const auto& name : got.names) names.push_back(name.text());
    EXPECT_THAT(names, ElementsAreArray(row.names));
  }
}

TEST(BaseDomains, OfAHostThatIsNoAlias) {
  expect({
      {.says = "A-01: both secure",
       .a = v4(),
       .aaaa = v6(),
       .kind = Kind::candidates,
       .names = {"mx.example.test"}},
      {.says = "C-01: A secure, AAAA securely absent",
       .a = v4(),
       .aaaa = no_v6(),
       .kind = Kind::candidates,
       .names = {"mx.example.test"}},
      {.says = "AAAA secure, A securely absent",
       .a = no_v4(),
       .aaaa = v6(),
       .kind = Kind::candidates,
       .names = {"mx.example.test"}},
      {.says = "the status of an empty answer says nothing about the addresses there are",
       .a = v4(),
       .aaaa = no_v6(insecure),
       .kind = Kind::candidates,
       .names = {"mx.example.test"}},
      {.says = "C-03: insecure, no TLSA query is made",
       .a = v4(insecure),
       .aaaa = v6(insecure),
       .kind = Kind::not_applicable},
      {.says = "C-03 with one family",
       .a = v4(insecure),
       .aaaa = no_v6(),
       .kind = Kind::not_applicable},
      {.says = "of two answers the weaker counts",
       .a = v4(),
       .aaaa = v6(insecure),
       .kind = Kind::not_applicable},
      {.says = "of two answers the weaker counts, whichever it is",
       .a = v4(insecure),
       .aaaa = v6(),
       .kind = Kind::not_applicable},
  });
}

TEST(BaseDomains, OfAHostWithoutAddressOrWithAFailedLookup) {
  expect({
      {.says = "C-02: neither family, secure",
       .a = no_v4(),
       .aaaa = no_v6(),
       .kind = Kind::no_address},
      {.says = "neither family, insecure: an answer all the same, RFC 7672 §2.1.1",
       .a = no_v4(insecure),
       .aaaa = no_v6(insecure),
       .kind = Kind::no_address},
      {.says = "B-21: both fail", .a = failed_v4(), .aaaa = failed_v6(), .kind = Kind::failed},
      {.says = "one fails, the other is empty: the addresses may be in the one that failed",
       .a = failed_v4(),
       .aaaa = no_v6(),
       .kind = Kind::failed},
      {.says = "the same, the other way round",
       .a = no_v4(),
       .aaaa = failed_v6(),
       .kind = Kind::failed},
      {.says = "C-04: A fails, AAAA is secure: go on",
       .a = failed_v4(),
       .aaaa = v6(),
       .kind = Kind::candidates,
       .names = {"mx.example.test"}},
      {.says = "AAAA fails, A is insecure: go on",
       .a = v4(insecure),
       .aaaa = failed_v6(),
       .kind = Kind::not_applicable},
  });
}

TEST(BaseDomains, OfAnAlias) {
  expect({
      {.says = "C-05, C-06, C-07: all links secure: the target first, then the alias, never what "
               "is between, RFC 7672 §2.2.3",
       .a = aliased(v4()),
       .aaaa = aliased(v6()),
       .kind = Kind::candidates,
       .names = {"target.test", "mx.example.test"}},
      {.says = "the same with IPv6 only",
       .a = aliased(no_v4()),
       .aaaa = aliased(v6()),
       .kind = Kind::candidates,
       .names = {"target.test", "mx.example.test"}},
      {.says = "insecure: that says nothing of the alias itself, RFC 7672 §2.1.3",
       .a = aliased(v4(insecure)),
       .aaaa = aliased(v6(insecure)),
       .kind = Kind::ask_cname},
      {.says = "insecure in one family",
       .a = aliased(v4()),
       .aaaa = aliased(v6(insecure)),
       .kind = Kind::ask_cname},
      {.says = "C-11: the alias is secure, its target is not: only the alias is left",
       .a = aliased(v4(insecure)),
       .aaaa = aliased(no_v6(insecure)),
       .cname = cname(secure),
       .kind = Kind::candidates,
       .names = {"mx.example.test"}},
      {.says = "C-13: the alias is insecure itself",
       .a = aliased(v4(insecure)),
       .aaaa = aliased(v6(insecure)),
       .cname = cname(insecure),
       .kind = Kind::not_applicable},
      {.says = "the alias cannot be learned",
       .a = aliased(v4(insecure)),
       .aaaa = aliased(v6(insecure)),
       .cname = support::failed(host, dns::type::cname, servfail),
       .kind = Kind::failed},
      {.says = "the alias has gone meanwhile",
       .a = aliased(v4(insecure)),
       .aaaa = aliased(v6(insecure)),
       .cname = support::absent(host, dns::type::cname),
       .kind = Kind::not_applicable},
      {.says = "an alias of nothing",
       .a = aliased(no_v4()),
       .aaaa = aliased(no_v6()),
       .kind = Kind::no_address},
      {.says = "a CNAME answer is not looked at where the addresses are secure",
       .a = aliased(v4()),
       .aaaa = aliased(v6()),
       .cname = cname(insecure),
       .kind = Kind::candidates,
       .names = {"target.test", "mx.example.test"}},
  });
}

TEST(BaseDomains, AFailedFamilyMakesNoAliasInsecure) {
  expect({{.says = "C-04 with an alias",
           .a = failed_v4(),
           .aaaa = aliased(v6()),
           .kind = Kind::candidates,
           .names = {"target.test", "mx.example.test"}}});
}

}  // namespace
}  // namespace probes::dane
