#include "agent/hindsight/issuer_forecast.h"

#include <algorithm>

#include <fmt/format.h>

#include "agent/foresight/next_key.h"
#include "agent/hindsight/expected_renewal.h"
#include "agent/history/cadence.h"
#include "agent/rollover/rollover_state.h"
#include "probes/dane/verify.h"

namespace agent {
namespace {

using config::Seconds;
using config::Time;
using probes::Severity;
using probes::dane::Digests;
using probes::dane::kDaneEe;
using probes::dane::kDaneTa;
using probes::dane::kSha256;
using probes::dane::kSpki;
using probes::dane::TlsaRecord;
using std::chrono::hours;

constexpr Seconds kSoon = hours{24 * 14};
constexpr Seconds kAhead = hours{24 * 45};
constexpr std::size_t kMostTold = 6;

// The chain that an endpoint presents with this leaf, in order; empty: none.
Chain chain_of(const HostHistory& host_history, const SeenCertificate& worn) {
  const auto endpoint = host_history.endpoints.find(worn.endpoint);
  if (endpoint == host_history.endpoints.end()) return {};
  for (auto version = endpoint->second.rbegin(); version != endpoint->second.rend(); ++version) {
    if (!version->what.empty() && version->what.front()->sha256 == worn.leaf->sha256)
      return in_order(version->what);
  }
  return {};
}

class Forecast {
 public:
  Forecast(const History& history, const RecordSet& set, const RenewalPattern& habit,
           const Chain& chain, Time at)
      : history_(history), set_(set), habit_(habit), chain_(chain), at_(at) {
    std::vector<TlsaRecord> records;
    for (const auto i : set.records) records.push_back(history.records[i]);
    for (const auto digests : {Digests::sha512_first, Digests::sha256_only}) {
      std::vector<TlsaRecord> compared;
      for (const auto i : probes::dane::records_compared(records, digests))
        compared.push_back(records[i]);
      if (!compared.empty()) compared_by_.push_back(std::move(compared));
    }
  }

  // Only DANE-TA(2) records will vouch for the next certificate.
  [[nodiscard]] bool is_by_issuer() const {
    const bool fits_now =
        any([&](const TlsaRecord& record) { return record.usage == kDaneTa && is_above(record); });
    const bool keeps_key = any([&](const TlsaRecord& record) {
      return record.usage == kDaneEe && record.selector == kSpki && fits(record, *chain_.front()) &&
             habit_.renewals > 0 && !habit_.brings_new_key;
    });
    const bool has_next = std::ranges::any_of(set_.compared, [&](std::size_t i) {
      return history_.records[i].usage == kDaneEe && is_to_come(history_, i, at_);
    });
    return fits_now && !keeps_key && !has_next;
  }

  // One of its own key is there, and no renewal was seen that would tell whether it keeps that.
  [[nodiscard]] bool may_keep_key() const {
    return habit_.renewals == 0 && any([&](const TlsaRecord& record) {
             return record.usage == kDaneEe && record.selector == kSpki &&
                    fits(record, *chain_.front());
           });
  }

  // By senders of some kind. False, too, where nobody knows: what stands above an intermediate that
  // nobody has shown.
  [[nodiscard]] bool is_uncovered(const IssuerToCome& issuer) const {
    return std::ranges::any_of(compared_by_, [&](const std::vector<TlsaRecord>& compared) {
      return std::ranges::none_of(compared, [&](const TlsaRecord& record) {
        return record.usage == kDaneTa && may_vouch(record, issuer);
      });
    });
  }

 private:
  [[nodiscard]] bool may_vouch(const TlsaRecord& record, const IssuerToCome& issuer) const {
    if (!issuer.certificates.empty()) {
      return std::ranges::any_of(issuer.certificates,
                                 [&](const auto& one) { return fits(record, *one); });
    }
    if (issuer.key.empty()) return is_high(record) || !is_above(record);
    const bool is_plain = record.selector == kSpki && record.matching_type == kSha256;
    if (is_plain && probes::dane::to_hex(record.data) == issuer.key) return true;
    // It may be of that very intermediate, or of what both stand below.
    return !is_plain || is_high(record);
  }
  template <class Is>
  [[nodiscard]] bool any(Is is) const {
    return std::ranges::any_of(set_.compared,
                               [&](std::size_t i) { return is(history_.records[i]); });
  }
  static bool fits(const TlsaRecord& record, const probes::tls::Certificate& certificate) {
    return record.data ==
           probes::dane::association(certificate, record.selector, record.matching_type);
  }
  [[nodiscard]] bool is_above(const TlsaRecord& record) const {
    return std::any_of(chain_.begin() + 1, chain_.end(),
                       [&](const auto& one) { return fits(record, *one); });
  }
  [[nodiscard]] bool is_high(const TlsaRecord& record) const {
    return chain_.size() > 2 && std::any_of(chain_.begin() + 2, chain_.end(),
                                            [&](const auto& one) { return fits(record, *one); });
  }

  const History& history_;
  const RecordSet& set_;
  const RenewalPattern& habit_;
  const Chain& chain_;
  const Time at_;
  std::vector<std::vector<TlsaRecord>> compared_by_;  // senders of each kind, where they do at all
};

Severity severity_of(Seconds left) {
  if (left < kSoon) return Severity::high;
  return left < kAhead ? Severity::medium : Severity::low;
}

struct Lacking {
  std::vector<IssuerToCome> issuers;
  std::vector<TlsaRecord> published;  // by any server
  ExpectedRenewal renewal;
  bool is_certain = false;  // that the next certificate depends on its issuer
};

std::optional<Lacking> lacking_of(const HostHistory& host_history, const History& history,
                                  const RenewalPattern& habit, const IssuerBook& issuers,
                                  const RenewalBook& renewals, Time at) {
  const auto chain = chain_of(host_history, worn_now(habit));
  if (chain.size() < 2) return std::nullopt;
  Lacking out{.renewal = expected_or_usual_renewal(habit, renewals, at)};
  const auto may_come = issuers.after(chain, at, std::max(out.renewal.at, at));
  if (may_come.empty()) return std::nullopt;
  for (const auto* given : served(history, at)) {
    if (!demands(history, given->set)) continue;
    const Forecast forecast(history, history.sets[given->set], habit, chain, at);
    if (!forecast.is_by_issuer()) continue;
    for (const auto i : history.sets[given->set].records)
      out.published.push_back(history.records[i]);
    out.is_certain = out.is_certain || !forecast.may_keep_key();
    for (const auto& issuer : may_come) {
      const bool is_told =
          std::ranges::find(out.issuers, issuer.key, &IssuerToCome::key) != out.issuers.end();
      if (!is_told && forecast.is_uncovered(issuer)) out.issuers.push_back(issuer);
    }
  }
  return out.issuers.empty() ? std::nullopt : std::optional{std::move(out)};
}

// To publish beside those; none where a digest is asked for that only the certificate could tell,
// and nobody has shown that.
std::vector<TlsaRecord> records_of(const IssuerToCome& issuer,
                                   const std::vector<TlsaRecord>& published) {
  if (!issuer.certificates.empty())
    return probes::dane::records_lacking(published, *issuer.certificates.front(), kDaneTa, kSpki);
  const auto key = probes::dane::from_hex(issuer.key);
  if (!key || probes::dane::digests_beside(published, kDaneTa, kSpki) != std::vector{kSha256})
    return {};
  return {{.usage = kDaneTa, .selector = kSpki, .matching_type = kSha256, .data = *key}};
}

}  // namespace

std::optional<probes::Finding> find_uncovered_issuer(const HostHistory& host_history,
                                                     const History& history,
                                                     const IssuerBook& issuers,
                                                     const RenewalBook& renewals,
                                                     const std::string& host, Time at) {
  std::optional<Lacking> first;
  for (const auto& habit : renewal_patterns_of(host_history)) {
    auto one = lacking_of(host_history, history, habit, issuers, renewals, at);
    if (one && (!first || one->renewal.at < first->renewal.at)) first = std::move(one);
  }
  if (!first) return std::nullopt;
  const auto publish_by = first->renewal.at - 2 * cadence_of(history, at).longest_ttl;
  probes::Finding out{.code = probes::Code::issuer_uncovered,
                      .severity = std::min(severity_of(first->renewal.at - at),
                                           first->is_certain ? Severity::high : Severity::medium),
                      .subject = {.kind = probes::Subject::Kind::host, .name = host},
                      .evidence = {{"expected-renewal", config::rfc3339(first->renewal.at)},
                                   {"expected-by", first->renewal.source}},
                      .due_at = publish_by,
                      .due_source = first->renewal.source,
                      .remedy = probes::Remedy{}};
  for (const auto& issuer : first->issuers) {
    if (out.remedy->publish.size() >= kMostTold) break;
    out.evidence.push_back({"because", issuer.because});
    if (issuer.key.empty()) continue;
    out.evidence.push_back({"issuer", issuer.name.empty() ? issuer.key : issuer.name});
    const auto records = records_of(issuer, first->published);
    for (const auto& record : records) out.remedy->publish.push_back(probes::dane::to_text(record));
    if (records.empty())
      out.evidence.push_back({"hint",
                              "SHA2-512 records are published, and of this issuer only the "
                              "SHA2-256 is known: publish both digests of its certificate"});
  }
  if (out.remedy->publish.empty()) out.remedy.reset();
  return out;
}

}  // namespace agent
