#include "agent/hindsight/renewal_forecast.h"

#include <algorithm>
#include <set>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "agent/hindsight/expected_renewal.h"
#include "agent/history/cadence.h"

namespace agent {
namespace {

using config::Seconds;
using config::Time;
using probes::Code;
using probes::Evidence;
using probes::Severity;
using probes::dane::kCert;
using probes::dane::kDaneEe;
using probes::dane::kDaneTa;
using probes::dane::kSpki;
using std::chrono::hours;

// A mismatch to come is told this long before the last moment to publish, for people who plan; and
// urgently when days are left.
constexpr Seconds kToldAhead = hours{24 * 14};
constexpr Seconds kUrgent = hours{24 * 3};
// So little of a certificate's life is left before no renewal that works.
constexpr Seconds kEnds = hours{24 * 3};

// The issuer without its first part, which names one of the keys an organisation signs with.
std::string_view organisation_of(const SeenCertificate& worn) {
  std::string_view issuer = worn.leaf->issuer;
  for (std::size_t i = 0; i < issuer.size(); ++i) {
    if (issuer[i] == '\\')
      ++i;  // RFC 4514 §2.4: what follows is part of the value
    else if (issuer[i] == ',')
      return issuer.substr(i + 1);
  }
  return {};
}

// Whether one of the set's records of that usage, and of the selector if one is named, fits it.
bool fits(const History& history, const RecordSet& set, const SeenCertificate& worn,
          std::uint8_t usage, std::optional<std::uint8_t> selector = std::nullopt) {
  const auto endpoint = std::ranges::find(history.endpoints, worn.endpoint, &Endpoint::name);
  const auto chain = item_at(endpoint->presented, worn.began_at)->chain;
  return std::ranges::any_of(set.compared, [&](std::size_t i) {
    const auto& record = history.records[i];
    return record.usage == usage && record.selector == selector.value_or(record.selector) &&
           history.fits[i][chain];
  });
}

// The DANE-TA(2) records vouch for whatever key the issuer has signed with so far. Another issuer
// than today's was a choice, and is no habit.
bool is_anchored(const History& history, const RecordSet& set, const RenewalPattern& habit) {
  const auto& now = worn_now(habit);
  if (!fits(history, set, now, kDaneTa)) return false;
  std::set<probes::tls::Bytes> known;
  for (const auto& worn : habit.worn) {
    if (worn.issuing_key && fits(history, set, worn, kDaneTa)) known.insert(*worn.issuing_key);
  }
  return std::ranges::all_of(habit.worn, [&](const SeenCertificate& worn) {
    return !worn.issuing_key || organisation_of(worn) != organisation_of(now) ||
           known.contains(*worn.issuing_key);
  });
}

// Some record of the set fits the next certificate, if it comes by habit.
bool outlives_renewal(const History& history, const RecordSet& set, const RenewalPattern& habit,
                      Time at) {
  const bool fits_key = fits(history, set, worn_now(habit), kDaneEe, kSpki);
  return (fits_key && !habit.brings_new_key) || is_anchored(history, set, habit) ||
         std::ranges::any_of(set.compared,
                             [&](std::size_t record) { return is_to_come(history, record, at); });
}

// Why what fits today will not then, in words.
std::string why(const History& history, const RecordSet& set, const RenewalPattern& habit) {
  const auto& now = worn_now(habit);
  std::vector<std::string> out;
  if (fits(history, set, now, kDaneEe, kSpki)) {
    out.push_back(
        habit.new_keys == habit.renewals
            ? "the key changes at every renewal"
            : fmt::format("the key changed at {} of {} renewals", habit.new_keys, habit.renewals));
  }
  if (fits(history, set, now, kDaneEe, kCert))
    out.emplace_back("a record of the whole certificate fits no other, even with the same key");
  if (fits(history, set, now, kDaneTa))
    out.emplace_back("the issuer signs with several keys, and not each has a record");
  out.push_back("renewed about every " + in_words(habit.interval));
  return fmt::format("{}", fmt::join(out, "; "));
}

class Prediction {
 public:
  Prediction(const HostHistory& host_history, const History& history,
             const RolloverStanding& standing, const RenewalBook& renewals, const std::string& host)
      : chronicle_(host_history),
        history_(history),
        standing_(standing),
        renewals_(renewals),
        host_(host),
        at_(standing.at),
        ttl_(cadence_of(history, standing.at).longest_ttl) {}

  probes::HistoryFindings make() {
    using State = RolloverState;
    const auto state = standing_.state;
    if (state == State::no_dane || state == State::withdrawn || state == State::dns_fail) return {};
    const auto habits = renewal_patterns_of(chronicle_);
    if (state != State::mismatch && state != State::partial_mismatch) {
      add_mismatch(habits);
      add_urgent(habits);
    }
    add_end(habits);
    add_end_of_signature();
    return std::move(out_);
  }

 private:
  void add(Code code, Severity severity, std::vector<Evidence> evidence) {
    out_.findings.push_back({.code = code,
                             .severity = severity,
                             .subject = {.kind = probes::Subject::Kind::host, .name = host_},
                             .evidence = std::move(evidence)});
  }

  struct Breach {
    const RenewalPattern* habit;
    ExpectedRenewal expected;
    std::string why;
  };

  // Why some published set will refuse the next certificate; null: none will.
  [[nodiscard]] std::optional<std::string> why_refused(const RenewalPattern& habit) const {
    for (const auto* given : served(history_, at_)) {
      if (!demands(history_, given->set)) continue;
      const auto& set = history_.sets[given->set];
      if (!outlives_renewal(history_, set, habit, at_)) return why(history_, set, habit);
    }
    return std::nullopt;
  }

  // The renewal expected first that some published set will refuse.
  [[nodiscard]] std::optional<Breach> next_breach(const std::vector<RenewalPattern>& habits) const {
    std::optional<Breach> out;
    for (const auto& habit : habits) {
      const auto expected = expected_renewal(habit, renewals_, at_);
      if (!expected || (out && out->expected.at <= expected->at)) continue;
      if (auto refused = why_refused(habit)) out = Breach{&habit, *expected, *std::move(refused)};
    }
    return out;
  }

  void add_mismatch(const std::vector<RenewalPattern>& habits) {
    const auto breach = next_breach(habits);
    if (!breach) return;
    const auto& expected = breach->expected;
    const auto publish_by = expected.at - 2 * ttl_;
    if (at_ < publish_by - kToldAhead) return;
    add(Code::predicted_mismatch, at_ < publish_by - kUrgent ? Severity::medium : Severity::high,
        {{"expected-renewal", config::rfc3339(expected.at)},
         {"expected-by", expected.source},
         {"publish-by", config::rfc3339(publish_by)},
         {"because", breach->why},
         {"renewals-seen", fmt::format("{}", breach->habit->renewals)}});
    out_.findings.back().due_at = publish_by;
    out_.findings.back().due_source = expected.source;
  }

  // How bad an early renewal would be, and why: nobody knows whether the key changes where none was
  // seen to be renewed.
  [[nodiscard]] std::pair<Severity, std::string> threat_of(const RenewalPattern& habit) const {
    if (auto refused = why_refused(habit)) return {Severity::high, *std::move(refused)};
    const auto sets = served(history_, at_);
    const bool is_by_key = std::ranges::any_of(sets, [&](const Publication* given) {
      const auto& set = history_.sets[given->set];
      return demands(history_, given->set) && !is_anchored(history_, set, habit) &&
             std::ranges::none_of(set.compared,
                                  [&](std::size_t i) { return is_to_come(history_, i, at_); });
    });
    if (is_by_key && habit.renewals == 0)
      return {Severity::medium, "no renewal was seen yet: the next may bring a new key"};
    return {Severity::low, "what is published is expected to take the next certificate"};
  }

  void add_urgent(const std::vector<RenewalPattern>& habits) {
    const RenewalAdvice* worst = nullptr;
    std::pair<Severity, std::string> threat;
    for (const auto& habit : habits) {
      const auto& leaf = *worn_now(habit).leaf;
      const auto* advice = advice_on(renewals_, leaf);
      if (advice == nullptr || !is_urgent(*advice, leaf, at_)) continue;
      auto one = threat_of(habit);
      if (worst != nullptr && threat.first >= one.first) continue;
      worst = advice;
      threat = std::move(one);
    }
    if (worst == nullptr) return;
    std::vector<Evidence> evidence{{"suggested-from", config::rfc3339(worst->window->start)},
                                   {"suggested-until", config::rfc3339(worst->window->end)}};
    if (worst->moved_from)
      evidence.push_back({"suggested-before", config::rfc3339(worst->moved_from->start)});
    if (!worst->window->explanation.empty())
      evidence.push_back({"explanation", worst->window->explanation});
    evidence.push_back({"certificate", worst->certificate});
    evidence.push_back({"because", threat.second});
    add(Code::renewal_urgent, threat.first, std::move(evidence));
    out_.findings.back().due_at = worst->window->start - 2 * ttl_;
    out_.findings.back().due_source = "ari";
  }

  // Only DANE-TA(2) records fit it: its end will be the end of mail. RFC 7672 §3.1.1 spares
  // usage 3.
  [[nodiscard]] bool needs_validity(const SeenCertificate& worn) const {
    return std::ranges::any_of(served(history_, at_), [&](const Publication* given) {
      const auto& set = history_.sets[given->set];
      return fits(history_, set, worn, kDaneTa) && !fits(history_, set, worn, kDaneEe);
    });
  }

  // Left alone by whoever used to renew it: the look, which knows no habit, only says medium.
  [[nodiscard]] bool is_overdue(const RenewalPattern& habit, const SeenCertificate& worn) const {
    const auto left = worn.leaf->not_after - at_;
    const auto life = worn.leaf->not_after - worn.leaf->not_before;
    const bool is_late = habit.next_at && at_ > *habit.next_at && left < habit.least_left / 2;
    // Short-lived ones are renewed in their last days.
    return left > Seconds{0} && (is_late || left < std::min(kEnds, life / 10));
  }

  void add_end(const std::vector<RenewalPattern>& habits) {
    const SeenCertificate* first = nullptr;
    std::optional<Time> usual;
    for (const auto& habit : habits) {
      for (const auto& worn : habit.worn) {
        if (!worn.is_presented || !needs_validity(worn) || !is_overdue(habit, worn)) continue;
        if (first != nullptr && first->leaf->not_after <= worn.leaf->not_after) continue;
        first = &worn;
        usual = habit.next_at;
      }
    }
    if (first == nullptr) return;
    std::vector<Evidence> evidence{{"not-after", config::rfc3339(first->leaf->not_after)}};
    if (usual) evidence.push_back({"usual-renewal", config::rfc3339(*usual)});
    out_.overruled.push_back(Code::certificate_expiring);
    add(Code::certificate_expiring, Severity::high, std::move(evidence));
  }

  void add_end_of_signature() {
    const auto seen = chronicle_.signatures.find(kAllServers);
    if (seen == chronicle_.signatures.end()) return;
    Signatures all;
    for (const auto& one : seen->second) {
      if (one.what) all.push_back({one.first_seen, one.last_seen, *one.what});
    }
    auto end =
        predict_end(all, "TLSA", ttl_, {.kind = probes::Subject::Kind::host, .name = host_}, at_);
    std::ranges::move(end.findings, std::back_inserter(out_.findings));
    std::ranges::move(end.overruled, std::back_inserter(out_.overruled));
  }

  const HostHistory& chronicle_;
  const History& history_;
  const RolloverStanding& standing_;
  const RenewalBook& renewals_;
  const std::string& host_;
  Time at_;
  Seconds ttl_;
  probes::HistoryFindings out_;
};

}  // namespace

probes::HistoryFindings predict(const HostHistory& host_history, const History& history,
                                const RolloverStanding& standing, const RenewalBook& renewals,
                                const std::string& host) {
  return Prediction(host_history, history, standing, renewals, host).make();
}

}  // namespace agent
