#include "web/routes/deadlines.h"

#include <algorithm>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <tuple>

#include "probes/explain.h"
#include "web/routes/mail.h"

namespace web {
namespace {

using Json = nlohmann::ordered_json;
using config::Time;
using Kind = probes::Subject::Kind;

class Deadlines {
 public:
  Deadlines(Time now, std::shared_ptr<const agent::RenewalBook> renewals)
      : now_(now), renewals_(std::move(renewals)) {}

  void add(const std::string& kind, const std::optional<Time>& at, Kind subject,
           const std::string& name, const std::string& source) {
    if (at && *at > now_ && *at != agent::kNever)
      by_kind_[kind].emplace(*at, wire_name(subject), name, source);
  }

  void add(const agent::Snapshot::Followed& followed) {
    const auto name = followed.host->host.text();
    const auto standing = followed.rollovers->at(now_);
    // When to change a key that nobody sees is nothing to tell.
    if (probes::shows_certificate(*followed.host)) {
      add("safe-to-switch", standing.safe_to_switch_at, Kind::host, name, "ttl");
      add("recommended-switch", standing.recommended_switch_at, Kind::host, name, "ttl");
    }
    add("safe-to-remove", standing.safe_to_remove_at, Kind::host, name, "ttl");
    if (standing.window) add("caches-recover", standing.window->until, Kind::host, name, "ttl");
  }

  void add(const probes::HostObservation& seen) {
    const auto name = seen.host.text();
    if (seen.tlsa.signatures) {
      add("signature-end", seen.tlsa.signatures->expiration, Kind::host, name, "rrsig");
    }
    for (const auto& session : seen.sessions) {
      if (!session.tls || session.tls->chain.empty()) continue;
      const auto& leaf = *session.tls->chain.front();
      add("certificate-end", leaf.not_after, Kind::host, name, "not-after");
      const auto* advice = renewals_ ? agent::advice_on(*renewals_, leaf) : nullptr;
      if (advice != nullptr && advice->window)
        add("renewal-suggested", advice->window->start, Kind::host, name, "ari");
    }
  }

  void add(const probes::Finding& finding) {
    add("publish-by", finding.due_at, finding.subject.kind, finding.subject.name,
        finding.due_source);
  }

  void add(const agent::Alert& alert) {
    const auto& subject = alert.finding.subject;
    add("mail-bounces", bounces_at(alert), subject.kind, subject.name, "");
  }

  [[nodiscard]] Json next() const {
    std::optional<std::pair<Time, std::string>> out;
    for (const auto& [kind, all] : by_kind_) {
      const std::pair first{std::get<0>(*all.begin()), kind};
      out = out ? std::min(*out, first) : first;
    }
    if (!out) return nullptr;
    return {{"at", config::rfc3339(out->first)}, {"kind", out->second}};
  }

  [[nodiscard]] Json soonest(std::size_t most) const {
    std::set<std::tuple<Time, std::string, Subject, std::string>> chosen;
    for (const auto& [kind, all] : by_kind_) {
      std::size_t left = most;
      for (const auto& [at, subject, name, source] : all) {
        if (left-- == 0) break;
        chosen.emplace(at, kind, Subject{subject, name}, source);
      }
    }
    Json out = Json::array();
    for (const auto& [at, kind, subject, source] : chosen) {
      out.push_back(
          {{"at", config::rfc3339(at)},
           {"kind", kind},
           {"subject", {{"kind", subject.first}, {"name", probes::printable(subject.second)}}},
           {"source", source.empty() ? Json(nullptr) : Json(source)}});
    }
    return out;
  }

 private:
  using Subject = std::pair<std::string, std::string>;  // its kind, its name
  Time now_;
  std::shared_ptr<const agent::RenewalBook> renewals_;
  std::map<std::string, std::set<std::tuple<Time, std::string, std::string, std::string>>> by_kind_;
};

// Whether mail for one of its domains waits: it may hold up that of rare senders alone, or that of
// a few caches.
bool holds_mail(const agent::Alert& alert, const std::set<std::string_view>& delivered) {
  return std::ranges::any_of(alert.hits, [&](const agent::Hit& hit) {
    return hit.holds_mail && std::ranges::any_of(hit.domains, [&](const auto& domain) {
             return !delivered.contains(domain);
           });
  });
}

}  // namespace

std::map<std::string, Json> next_deadlines(const agent::Snapshot& snapshot,
                                           const std::set<std::string>& hosts) {
  std::map<std::string, Deadlines> found;
  for (const auto& [name, seen] : snapshot.hosts) {
    const auto host = name.text();
    if (hosts.contains(host))
      found.try_emplace(host, snapshot.now, snapshot.renewals).first->second.add(*seen);
  }
  for (const auto& followed : snapshot.rollovers) {
    const auto entry = found.find(followed.host->host.text());
    if (entry != found.end()) entry->second.add(followed);
  }
  std::map<std::string, Json> out;
  for (const auto& [host, deadlines] : found) out.emplace(host, deadlines.next());
  return out;
}

Json deadlines_json(const agent::Snapshot& snapshot, std::size_t most) {
  Deadlines out(snapshot.now, snapshot.renewals);
  for (const auto& followed : snapshot.rollovers) out.add(followed);
  for (const auto& [name, seen] : snapshot.hosts) out.add(*seen);
  std::set<std::string_view> delivered;
  for (const auto& domain : snapshot.domains) {
    const auto delivery = storage::delivery_of(domain);
    if (delivery != probes::Delivery::held_up && delivery != probes::Delivery::unknown)
      delivered.insert(domain.configured->name);
  }
  for (const auto& alert : snapshot.alerts) {
    if (alert.state == agent::AlertState::firing && holds_mail(alert, delivered)) out.add(alert);
  }
  for (std::size_t i = 0; i < snapshot.domains.size(); ++i) {
    const auto& domain = snapshot.domains[i];
    if (!domain.judged) continue;
    if (const auto end = snapshot.domains.brief(i).signed_until; end != config::Time::max())
      out.add("signature-end", end, Kind::domain, domain.configured->name, "rrsig");
    for (const auto& finding : domain.judged->findings) out.add(finding);
  }
  return out.soonest(most);
}

}  // namespace web
