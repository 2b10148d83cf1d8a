#include "agent/rollover/gate_decision.h"

#include <algorithm>
#include <set>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "probes/dane/verify.h"
#include "probes/tls/issuance.h"
#include "probes/tls/names.h"

namespace agent {
namespace {

using config::Seconds;
using config::Time;
using probes::dane::Digests;
using probes::dane::TlsaRecord;

// A server that has not answered in all that time serves nobody.
constexpr Seconds kLame = std::chrono::hours{24};

// The domain whose senders ask for most: one that the certificate does not name. Null: there is
// none at all.
const std::string* strictest(const std::vector<std::string>& users,
                             const std::set<std::string>& named) {
  const auto unnamed = std::ranges::find_if(
      users, [&](const std::string& user) { return !probes::tls::is_named(named, user); });
  if (unnamed != users.end()) return &*unnamed;
  return users.empty() ? nullptr : &users.front();
}

class GateEvaluator {
 public:
  GateEvaluator(const HostHistory& host_history, const std::vector<std::string>& unheard,
                const Chain& chain, const ReferenceNames& known, Time at)
      : chronicle_(host_history), unheard_(unheard), chain_(chain), at_(at), names_(known.own) {
    const auto list = probes::tls::names_of(*chain.front());
    const std::set<std::string> named(list.begin(), list.end());
    const auto* user = strictest(known.users, named);
    if (user != nullptr) names_.push_back(*user);
    is_unnamed_ = std::ranges::none_of(
        names_, [&](const std::string& name) { return probes::tls::is_named(named, name); });
    history_ = history_of(host_history, names_);
    reaches_ = reaches(history_);
    take_fits();
  }

  GateDecision decide() {
    if (served(history_, at_).empty()) return unknown("no name server gave a usable answer");
    const auto run = accepting_run();
    if (!run) return lagging().empty() ? never() : lags();
    if (!unheard_.empty() && !is_lame())
      return unknown(
          fmt::format("{} did not answer, and has not been heard before; what it gives "
                      "to others is not known",
                      fmt::join(unheard_, ", ")));
    return until_valid(wait_for(*run));
  }

 private:
  void take_fits() {
    // It goes live when it is valid, and not before.
    const auto live_at = std::max(at_, chain_.front()->not_before);
    const auto issuance = probes::tls::issuance_of(*chain_.front());
    const bool is_precertificate = issuance && issuance->is_precertificate;
    for (const auto& record : history_.records) {
      const probes::dane::Expectation wanted{
          .records = {record}, .names = names_, .is_precertificate = is_precertificate};
      fits_.push_back(probes::dane::verify(wanted, chain_, live_at).match.has_value());
    }
  }

  [[nodiscard]] GateDecision until_valid(GateDecision out) const {
    const auto valid_from = chain_.front()->not_before;
    const bool may_go = out.answer == GateAnswer::yes || out.answer == GateAnswer::not_before;
    if (!may_go || std::max(at_, out.not_before.value_or(at_)) >= valid_from) return out;
    out.answer = GateAnswer::not_before;
    out.not_before = valid_from;
    out.why.insert(out.why.begin(), fmt::format("the certificate is not valid before {}",
                                                config::rfc3339(valid_from)));
    return out;
  }

  [[nodiscard]] std::vector<TlsaRecord> records_of(std::size_t set) const {
    std::vector<TlsaRecord> out;
    for (const auto i : history_.sets[set].records) out.push_back(history_.records[i]);
    return out;
  }

  // What a sender of that kind makes of the set, with the certificate live.
  [[nodiscard]] bool is_refused(std::size_t set, Digests digests) const {
    const auto records = records_of(set);
    const auto compared = probes::dane::records_compared(records, digests);
    return !compared.empty() && std::ranges::none_of(compared, [&](std::size_t i) {
      return fits_[history_.sets[set].records[i]];
    });
  }

  [[nodiscard]] bool is_accepted(std::size_t set) const {
    return !demands(history_, set) ||
           (!is_refused(set, Digests::sha512_first) && !is_refused(set, Digests::sha256_only));
  }

  [[nodiscard]] std::optional<Run> accepting_run() const {
    const auto runs = runs_of(history_, [&](std::size_t set) { return is_accepted(set); });
    const auto* run = run_at(runs, at_);
    return run == nullptr ? std::nullopt : std::optional{*run};
  }

  [[nodiscard]] std::optional<Time> watched_since() const {
    std::optional<Time> out;
    for (const auto& [name, versions] : chronicle_.servers) {
      if (!versions.empty()) out = std::min(out.value_or(kNever), versions.front().first_seen);
    }
    return out;
  }

  [[nodiscard]] bool is_lame() const {
    const auto since = watched_since();
    return since && at_ - *since >= kLame;
  }

  // For how long a set given now may stay in a cache.
  [[nodiscard]] Seconds longest_ttl() const {
    Seconds out{0};
    for (const auto* publication : served(history_, at_))
      out = std::max({out, publication->ttl, publication->alias_ttl});
    return out;
  }

  // Records in the published sets that accept it are all DANE-TA(2).
  [[nodiscard]] bool is_by_issuer_only() const {
    bool any = false;
    for (const auto* publication : served(history_, at_)) {
      for (const auto i : history_.sets[publication->set].compared) {
        if (!fits_[i]) continue;
        if (history_.records[i].usage == probes::dane::kDaneEe) return false;
        any = true;
      }
    }
    return any;
  }

  [[nodiscard]] bool demands_now() const {
    return std::ranges::any_of(served(history_, at_), [&](const Publication* publication) {
      return demands(history_, publication->set);
    });
  }

  // All that the host presents now has this key already.
  [[nodiscard]] bool is_in_use() const {
    bool any = false;
    for (const auto& [name, versions] : chronicle_.endpoints) {
      if (versions.empty() || versions.back().what.empty()) continue;
      if (versions.back().what.front()->spki_sha256 != chain_.front()->spki_sha256) return false;
      any = true;
    }
    return any;
  }

  [[nodiscard]] GateDecision unknown(std::string why) const {
    return {.answer = GateAnswer::unknown, .why = {std::move(why)}};
  }

  // The servers that refuse it while others accept it already.
  [[nodiscard]] std::vector<std::string> lagging() const {
    std::vector<std::string> out;
    std::size_t i = 0;
    bool any_accepts = false;
    for (const auto& [name, versions] : chronicle_.servers) {
      const auto* now = item_at(history_.servers[i++], at_);
      if (now == nullptr || now->fails) continue;
      if (is_accepted(now->set))
        any_accepts = true;
      else
        out.push_back(name);
    }
    return any_accepts ? out : std::vector<std::string>{};
  }

  [[nodiscard]] GateDecision lags() const {
    return {.answer = GateAnswer::never,
            .why = {fmt::format("{} still gives records that refuse it, other servers accept it: "
                                "bring all to the same zone, and ask again",
                                fmt::join(lagging(), ", "))}};
  }

  // Of its key, beside what each server gives.
  [[nodiscard]] std::vector<TlsaRecord> missing() const {
    std::set<TlsaRecord> out;
    for (const auto* publication : served(history_, at_)) {
      for (auto& record :
           probes::dane::records_lacking(records_of(publication->set), *chain_.front(),
                                         probes::dane::kDaneEe, probes::dane::kSpki))
        out.insert(std::move(record));
    }
    return {out.begin(), out.end()};
  }

  [[nodiscard]] GateDecision never() const {
    GateDecision out{.answer = GateAnswer::never, .missing = missing()};
    const auto valid_from = chain_.front()->not_before;
    out.not_before_then = std::max(at_ + longest_ttl(), valid_from);
    out.why.emplace_back("the published TLSA records refuse this certificate");
    if (valid_from > at_)
      out.why.push_back(
          fmt::format("the certificate is not valid before {}", config::rfc3339(valid_from)));
    if (chain_.size() == 1 && wants_issuer())
      out.why.emplace_back(
          "a DANE-TA(2) record is published, and the file holds one certificate only: give the "
          "file that the server will send, with its issuers (fullchain.pem)");
    if (is_unnamed_ && wants_issuer())
      out.why.emplace_back(
          "a DANE-TA(2) record is published, and the certificate names neither the host nor each "
          "domain that uses it: senders to the others refuse it");
    return out;
  }

  [[nodiscard]] bool wants_issuer() const {
    return std::ranges::any_of(served(history_, at_), [&](const Publication* publication) {
      return std::ranges::any_of(history_.sets[publication->set].compared, [&](std::size_t i) {
        return history_.records[i].usage == probes::dane::kDaneTa;
      });
    });
  }

  [[nodiscard]] GateDecision wait_for(const Run& run) const {
    GateDecision out{.answer = GateAnswer::yes};
    const auto accepts = [&](std::size_t set) { return is_accepted(set); };
    const auto held = held_until(history_, reaches_, accepts, at_);
    if (at_ < history_.forgotten_until)
      return unknown(
          fmt::format("the records changed more often than is remembered: caches may hold sets "
                      "that nobody knows any more until {}",
                      config::rfc3339(std::max(held, history_.forgotten_until))));
    const auto unseen = demands_now() && !is_in_use() ? unseen_until(history_, at_) : kEver;
    const auto free = std::max(held, unseen);
    if (free > at_) {
      out.answer = GateAnswer::not_before;
      out.not_before = free;
      out.why.emplace_back(
          held >= unseen
              ? fmt::format("caches may hold an older TLSA set that refuses it until {}",
                            config::rfc3339(held))
              : fmt::format("this host is watched since {}: what was published before may be in "
                            "caches until {}",
                            config::rfc3339(*watched_since()), config::rfc3339(unseen)));
    } else {
      out.why.emplace_back(
          demands_now() ? "every TLSA set that a cache may hold accepts it"
                        : "no TLSA record demands anything, and no cache holds one that does");
    }
    const auto recommended = run.began.by + 2 * cache_time(history_, reaches_, run, accepts, at_);
    if (recommended > std::max(at_, free)) out.recommended = recommended;
    if (is_by_issuer_only())
      out.why.emplace_back(
          "only DANE-TA(2) records accept it; publish one for its key, too (RFC 7671 §8)");
    if (!unheard_.empty())
      out.why.push_back(
          fmt::format("{} has not answered for a day and is left out", fmt::join(unheard_, ", ")));
    return out;
  }

  const HostHistory& chronicle_;
  const std::vector<std::string>& unheard_;
  const Chain& chain_;
  const Time at_;
  std::vector<std::string> names_;  // that the strictest senders take
  bool is_unnamed_ = false;         // the certificate holds none of them
  History history_;
  std::vector<Reach> reaches_;
  std::vector<bool> fits_;  // parallel to History::records
};

}  // namespace

std::string_view wire_name(GateAnswer answer) {
  switch (answer) {
    case GateAnswer::yes:
      return "yes";
    case GateAnswer::not_before:
      return "not-before";
    case GateAnswer::never:
      return "never";
    case GateAnswer::unknown:
      return "unknown";
  }
  return "";
}

GateDecision clear(const HostHistory& host_history, const std::vector<std::string>& unheard,
                   const Chain& chain, const ReferenceNames& names, Time at) {
  return GateEvaluator(host_history, unheard, chain, names, at).decide();
}

}  // namespace agent
