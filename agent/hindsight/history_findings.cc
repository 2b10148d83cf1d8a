#include "agent/hindsight/history_findings.h"

#include <algorithm>

#include <fmt/format.h>

#include "agent/hindsight/key_past.h"
#include "agent/hindsight/renewal_forecast.h"
#include "probes/status.h"

namespace agent {
namespace {

using config::Seconds;
using config::Time;
using probes::Code;
using probes::Evidence;
using probes::Severity;
using std::chrono::hours;

// A change of certificate is news for a day, a rollover that takes longer than that hangs.
constexpr Seconds kDay = hours{24};

// As much of a record as is shown.
constexpr std::size_t kLongestRecord = 160;

// The last change of key at an endpoint that is still there.
struct Switch {
  Time at;
  std::string endpoint;
};

std::optional<Switch> last_switch(const History& history, Time at) {
  std::optional<Switch> out;
  for (const auto& endpoint : history.endpoints) {
    const auto* now = own_item_at(endpoint, at);
    if (now == nullptr || now == endpoint.presented.data()) continue;
    if (is_same_key(history, (now - 1)->chain, now->chain)) continue;
    if (!out || now->began.by > out->at) out = Switch{now->began.by, endpoint.name};
  }
  return out;
}

// Key and record were replaced in one go, the old record with them, as far as looks can tell: what
// one does after a compromise (RFC 7671 §13).
bool is_replaced_at_once(const History& history, Time at) {
  const auto overlap = [](const Began& a, const Began& b) {
    return std::max(a.after, b.after) <= std::min(a.by, b.by);
  };
  for (const auto& endpoint : history.endpoints) {
    const auto* now = own_item_at(endpoint, at);
    if (now == nullptr || now == endpoint.presented.data()) continue;
    const auto old_chain = (now - 1)->chain;
    for (const auto& server : history.servers) {
      const auto* given = item_at(server, at);
      if (given == nullptr || given == server.data() || given->fails || (given - 1)->fails)
        continue;
      const bool is_exchange = demand(history, (given - 1)->set, old_chain) == Demand::met &&
                               demand(history, given->set, old_chain) == Demand::refused &&
                               demand(history, given->set, now->chain) == Demand::met;
      if (is_exchange && overlap(given->began, now->began)) return true;
    }
  }
  return false;
}

// When the last set that demanded something was taken away; nothing while there is one, or when
// there was none.
std::optional<Time> lost_at(const History& history, Time at) {
  std::optional<Time> out;
  for (const auto& server : history.servers) {
    for (std::size_t i = 0; i < server.size(); ++i) {
      if (server[i].fails || !demands(history, server[i].set)) continue;
      if (i + 1 == server.size()) return std::nullopt;
      if (server[i + 1].began.by <= at) out = std::max(out.value_or(kEver), server[i + 1].began.by);
    }
  }
  return out;
}

// The records that stood there last and fit what is presented, as they were published.
probes::Remedy lost_records(const History& history, Time at) {
  probes::Remedy out;
  const auto chains = presented(history, at);
  for (const auto& server : history.servers) {
    const auto last = std::find_if(server.rbegin(), server.rend(), [&](const Publication& given) {
      return !given.fails && given.began.by <= at && demands(history, given.set);
    });
    if (last == server.rend()) continue;
    for (const auto record : history.sets[last->set].records) {
      if (std::ranges::none_of(chains, [&](auto chain) { return history.fits[record][chain]; }))
        continue;
      auto text = probes::dane::to_text(history.records[record]);
      if (text.size() > kLongestRecord || std::ranges::find(out.publish, text) != out.publish.end())
        continue;
      out.publish.push_back(std::move(text));
      out.ttl = last->ttl;
    }
  }
  return out;
}

// As the share is shown, in thousandths: where one of two name servers lags, it nears one half.
bool is_most(double share) {
  return share + 0.0005 >= probes::kMostCaches;
}

class FindingsAhead {
 public:
  FindingsAhead(const History& history, const RolloverStanding& standing, const std::string& host)
      : history_(history), standing_(standing), host_(host) {}

  std::vector<probes::Finding> findings() {
    for (const auto code : standing_.findings) add_from_standing(code);
    add_loss();
    add_switch();
    return std::move(out_);
  }

 private:
  probes::Finding& add(Code code, Severity severity, std::vector<Evidence> evidence = {}) {
    return out_.emplace_back(
        probes::Finding{.code = code,
                        .severity = severity,
                        .subject = {.kind = probes::Subject::Kind::host, .name = host_},
                        .evidence = std::move(evidence)});
  }

  // What a look shows by itself is left to its own findings.
  void add_from_standing(Code code) {
    switch (code) {
      case Code::tlsa_mismatch:
        // Also where our resolver still holds the set before: what counts is what is published.
        if (standing_.state == RolloverState::mismatch)
          add(code, Severity::critical,
              {{"seen-by", "the name servers; our own resolver still holds older records"}});
        return;
      case Code::stale_cache_window:
        return add_window();
      case Code::early_retire:
        return add_early_retire();
      case Code::nameserver_split:
        return add_split();
      case Code::tlsa_orphan:
        return add_orphan();
      case Code::tlsa_residue:
        add(code, Severity::low);
        return;
      default:
        return;
    }
  }

  // A record with a mistake may be meant for the next key, which then will not be accepted.
  void add_orphan() {
    std::vector<Evidence> evidence;
    probes::Remedy remedy;
    for (const auto* given : served(history_, standing_.at)) {
      for (const auto record : history_.sets[given->set].compared) {
        const auto mistake = history_.mistakes.find(record);
        if (mistake == history_.mistakes.end()) continue;
        const auto text = probes::dane::to_text(history_.records[record]).substr(0, kLongestRecord);
        if (std::ranges::find(evidence, text, &Evidence::value) != evidence.end()) continue;
        evidence.push_back({"published-record", text});
        evidence.push_back({"hint", mistake->second});
        if (text.size() < kLongestRecord) remedy.remove.push_back(text);
      }
    }
    const auto severity = evidence.empty() ? Severity::low : Severity::medium;
    auto& finding = add(Code::tlsa_orphan, severity, std::move(evidence));
    if (!remedy.remove.empty()) finding.remedy = std::move(remedy);
  }

  [[nodiscard]] bool is_refusing() const {
    return standing_.state == RolloverState::mismatch ||
           standing_.state == RolloverState::partial_mismatch;
  }

  // The record went before its key: which one it was is known.
  void add_early_retire() {
    auto& finding = add(Code::early_retire, Severity::critical);
    const auto chains = presented(history_, standing_.at);
    finding.is_whole_cause = std::ranges::all_of(chains, [&](std::size_t chain) {
      return !is_refused(chain) || is_retired(history_, chain, standing_.at);
    });
    const auto key = refused_key(history_, standing_.at);
    if (!key || key->removed_records.empty()) return;
    for (const auto& record : key->removed_records)
      finding.evidence.push_back({"removed-record", record});
    finding.remedy = probes::Remedy{.publish = key->removed_records};
  }

  // By what some server gives now.
  [[nodiscard]] bool is_refused(std::size_t chain) const {
    const auto now = served(history_, standing_.at);
    return std::ranges::any_of(now, [&](const Publication* given) {
      return demand(history_, given->set, chain) == Demand::refused;
    });
  }

  // A server that lags gives, now, what refuses an endpoint.
  [[nodiscard]] bool is_refused_by_lag() const {
    const auto now = served(history_, standing_.at);
    const auto chains = presented(history_, standing_.at);
    return std::ranges::any_of(now, [&](const Publication* given) {
      return is_lagging(history_, *given, now) &&
             std::ranges::any_of(chains, [&](std::size_t chain) {
               return demand(history_, given->set, chain) == Demand::refused;
             });
    });
  }

  // By the share of caches: beyond one half most mail is refused. At just one half, as where one of
  // two name servers lags, mail is held up, but that is no reason to tell of it once more.
  [[nodiscard]] Severity severity_of_share() const {
    return standing_.failing_share.value_or(0) > probes::kMostCaches ? Severity::critical
                                                                     : Severity::high;
  }

  // That servers differ is for the look to say; here only what comes of it.
  void add_split() {
    if (is_refusing() || !is_refused_by_lag()) return;
    add(Code::nameserver_split, severity_of_share(),
        {{"refused-by", "a name server that lags gives records that refuse the key in use"}});
  }

  void add_window() {
    const auto share = standing_.failing_share.value_or(0);
    std::vector<Evidence> evidence{{"failing-share", fmt::format("{:.2f}", share)}};
    if (standing_.window) {
      evidence.push_back({"window-from", config::rfc3339(standing_.window->from)});
      if (standing_.window->until)
        evidence.push_back({"window-until", config::rfc3339(*standing_.window->until)});
    }
    if (is_replaced_at_once(history_, standing_.at)) {
      evidence.push_back({"emergency",
                          "the old record went when the new one and its key came: right after a "
                          "compromise, too early at any other time"});
    }
    add(Code::stale_cache_window, severity_of_share(), std::move(evidence)).remedy =
        probes::Remedy{};  // nothing is to be published: it ends by itself
  }

  void add_loss() {
    if (standing_.state != RolloverState::withdrawn && standing_.state != RolloverState::no_dane)
      return;
    const auto lost = lost_at(history_, standing_.at);
    if (!lost || standing_.at - *lost >= kLossTold) return;
    auto& finding =
        add(Code::dane_lost, Severity::high, {{"protected-until", config::rfc3339(*lost)}});
    auto records = lost_records(history_, standing_.at);
    if (records.publish.empty()) return;
    finding.remedy = std::move(records);
    finding.key = unchanged_key(history_, *lost, standing_.at);
    if (finding.key) finding.key->record_removed_at = *lost;
  }

  void add_switch() {
    const auto change = last_switch(history_, standing_.at);
    if (!change) return;
    const std::vector<Evidence> evidence{{"changed-at", config::rfc3339(change->at)},
                                         {"endpoint", change->endpoint}};
    const auto age = standing_.at - change->at;
    if (is_refusing()) add(Code::rollover_late, Severity::high, evidence);
    if (age < kDay) add(Code::certificate_changed, Severity::info, evidence);
    if (standing_.state == RolloverState::switching && age >= kDay)
      add(Code::rollover_stuck, Severity::medium, evidence);
  }

  const History& history_;
  const RolloverStanding& standing_;
  const std::string& host_;
  std::vector<probes::Finding> out_;
};

// "ns1.example.org 192.0.2.53" as findings have it.
std::string server_text(const std::string& name) {
  const auto blank = name.find(' ');
  if (blank == std::string::npos) return name;
  return fmt::format("{} ({})", name.substr(0, blank), name.substr(blank + 1));
}

// `names`: of the history's servers, in their order.
std::vector<std::string> lagging_servers(const History& history,
                                         const std::vector<std::string>& names, Time at) {
  std::vector<std::string> out;
  const auto now = served(history, at);
  for (std::size_t i = 0; i < history.servers.size() && i < names.size(); ++i) {
    const auto* given = item_at(history.servers[i], at);
    if (given != nullptr && !given->fails && is_lagging(history, *given, now))
      out.push_back(server_text(names[i]));
  }
  return out;
}

probes::HostPast past_of(const HostHistory& host_history, const History& history,
                         const RolloverStanding& standing) {
  probes::HostPast out;
  if (const auto key = refused_key(history, standing.at)) out.key = key->past;
  if (standing.window) {
    out.unchanged_key = unchanged_key(history, standing.window->from, standing.at);
    out.refused_since = standing.window->from;
    out.recovers_at = standing.window->until;
  }
  out.is_old_key_refused = is_old_key_refused(history, standing.at);
  out.most_caches_refuse = is_most(standing.held_share);
  out.recovers_after = refusal_ttl(history, standing.at);
  std::vector<std::string> names;  // history_of() has the servers in this order
  for (const auto& [name, versions] : host_history.servers) names.push_back(name);
  out.lagging = lagging_servers(history, names, standing.at);
  for (const auto* given : served(history, standing.at)) {
    for (const auto record : history.sets[given->set].records)
      out.records_since[probes::dane::to_text(history.records[record])] =
          seen_since(history, record, standing.at);
  }
  return out;
}

}  // namespace

probes::HistoryFindings foresee(const HostHistory& host_history, const History& history,
                                const RolloverStanding& standing, const RenewalBook& renewals,
                                const std::string& host) {
  auto out = predict(host_history, history, standing, renewals, host);
  auto shown = FindingsAhead(history, standing, host).findings();
  out.findings.insert(out.findings.begin(), std::make_move_iterator(shown.begin()),
                      std::make_move_iterator(shown.end()));
  out.past = past_of(host_history, history, standing);
  // The look went by our resolver, whose cache is one of those that the window is about: what is
  // published accepts the key by now.
  if (standing.state == RolloverState::stale_risk)
    out.overruled.insert(out.overruled.end(),
                         {Code::tlsa_mismatch, Code::tlsa_mismatch_insecure_mx});
  return out;
}

}  // namespace agent
