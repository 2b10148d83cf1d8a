#include "agent/watch/foresight.h"

#include <algorithm>
#include <map>
#include <set>
#include <utility>

#include "agent/hindsight/issuer_forecast.h"
#include "probes/service.h"

namespace agent {

using config::Time;
using probes::dns::Name;

Foresight::Foresight(const Inventory& inventory, Announcements announcements, RenewalBook renewals)
    : inventory_(inventory),
      announcements_(std::move(announcements)),
      renewals_(std::move(renewals)) {}

// --- issuers

void Foresight::learn(const Inventory::Host& host, Of which) {
  for (const auto& [endpoint, versions] : host.history->endpoints) {
    const auto begin =
        which == Of::ever || versions.empty() ? versions.begin() : versions.end() - 1;
    for (auto version = begin; version != versions.end(); ++version)
      issuers_.learn(version->what, host.name.text());
  }
}

bool Foresight::is_taught() {
  // A domain whose records cannot be learned teaches nothing, perhaps for ever.
  is_taught_ = is_taught_ || (inventory_.has_seen_all_domains() && inventory_.has_seen_all_hosts());
  return is_taught_;
}

// --- hosts

ForeseenHost Foresight::known_of(const Inventory::Host& host) {
  ForeseenHost out{.host = host.name.text(), .base_domain = probes::dns_name_of(host.name).text()};
  if (host.seen) {
    out.base_domain = host.seen->base_domain.text();
    const auto is_known = [](const probes::dns::Answer& answer) {
      return answer.outcome != probes::dns::Outcome::failed;
    };
    const bool is_learned = is_known(host.seen->a) && is_known(host.seen->aaaa) &&
                            is_known(*host.seen->cname) && is_known(host.seen->tlsa);
    out.is_asked = !is_learned || (host.history && !host.history->servers.empty());
  }
  out.users = [&host] { return names_of_users(host); };
  if (host.history) out.past = &*host.history;
  return out;
}

void Foresight::add_findings(Round& round, const Inventory::Host& host,
                             probes::HistoryFindings& to) {
  const auto known = known_of(host);
  for (auto& one : strangers_.take_of_host(known)) {
    round.announced.push_back(one);
    announcements_.take(std::move(one));
  }
  if (auto next = find_unpublished(announcements_.of_host(known), known, round.at))
    to.findings.push_back(std::move(*next));
  if (auto uncovered = find_uncovered_issuer(*host.history, host.rollovers->history(), issuers_,
                                             renewals_, host.name.text(), round.at))
    to.findings.push_back(std::move(*uncovered));
}

bool Foresight::is_unpublished(const Inventory::Host& host, const HostHistory& past,
                               Time at) const {
  auto known = known_of(host);
  known.past = &past;
  return find_unpublished(announcements_.of_host(known), known, at).has_value();
}

// --- certificates that are shown

// All that any host has sent beside its own certificate.
std::vector<probes::tls::CertificatePtr> Foresight::known_issuers() const {
  std::map<probes::tls::Bytes, probes::tls::CertificatePtr> out;
  for (const auto& [name, host] : inventory_.hosts()) {
    if (!host.history) continue;
    for (const auto& [endpoint, versions] : host.history->endpoints) {
      for (const auto& version : versions) {
        for (std::size_t i = 1; i < version.what.size(); ++i)
          out.emplace(version.what[i]->sha256, version.what[i]);
      }
    }
  }
  std::vector<probes::tls::CertificatePtr> all;
  for (auto& [digest, one] : out) all.push_back(std::move(one));
  return all;
}

Foresight::Shown Foresight::take_shown(Round& round, AnnouncedCertificate announced) {
  announced = announcements_.with_known(std::move(announced));
  announced.chain = with_issuers(std::move(announced.chain), known_issuers());
  Shown out;
  for (const auto& [name, host] : inventory_.hosts()) {
    const auto known = known_of(host);
    if (!is_for(*announced.chain.front(), known)) continue;
    out.foreseen.hosts.push_back(forecast(announced, known, round.at));
    out.hosts.push_back(name);
  }
  out.foreseen.has_more_names = announced.chain.front()->cut;
  if (!inventory_.knows_all_hosts()) {
    out.foreseen.domains_unseen = static_cast<std::size_t>(std::ranges::count_if(
        inventory_.domains(), [](const auto& entry) { return !entry.second.seen; }));
  }
  announcements_.forget_expired(round.at);
  if (out.hosts.empty() && inventory_.knows_all_hosts()) {
    strangers_.forget_expired(round.at);
    strangers_.take(std::move(announced));
    return out;
  }
  const auto id = announced.id;
  out.news = announcements_.take(std::move(announced));
  if (out.news == Announcements::News::none) return out;
  if (const auto* one = announcements_.find(id)) round.announced.push_back(*one);
  return out;
}

std::optional<std::string> Foresight::set_not_for_mail(Round& round, const NotForMail& said) {
  if (!announcements_.set_not_for_mail(said)) return "that was said of too many keys already";
  round.not_for_mail.push_back(said);
  return std::nullopt;
}

std::optional<std::string> Foresight::set_for_mail(Round& round, const std::string& key) {
  if (!announcements_.set_for_mail(key)) return "nobody said that of this key";
  round.for_mail.push_back(key);
  return std::nullopt;
}

Foresight::Hosts Foresight::hosts_of_key(const std::string& key) const {
  Hosts out;
  const auto all = announcements_.all();
  for (const auto& [name, host] : inventory_.hosts()) {
    const auto known = known_of(host);
    if (std::ranges::any_of(all, [&](const AnnouncedCertificate& one) {
          return key_of(one) == key && is_for(*one.chain.front(), known);
        }))
      out.push_back(name);
  }
  return out;
}

// --- renewals

Foresight::Renewing Foresight::take_renewals(Round& round, const std::vector<RenewalAdvice>& told) {
  Renewing out;
  forget_expired(renewals_, round.at);
  std::set<std::string> news;
  for (const auto& advice : told) {
    if (take(renewals_, advice)) news.insert(advice.certificate);
  }
  round.renewals = told;
  if (news.empty()) return out;
  for (const auto& [name, host] : inventory_.hosts()) {
    if (!host.history || !host.seen) continue;
    bool is_concerned = false, is_pressed = false;
    for (const auto& leaf : presented_by(*host.history)) {
      const auto* advice = advice_on(renewals_, *leaf);
      if (advice == nullptr || !news.contains(advice->certificate)) continue;
      is_concerned = true;
      is_pressed = is_pressed || is_urgent(*advice, *leaf, round.at);
    }
    if (is_concerned) out.concerned.push_back(name);
    if (is_pressed) out.pressed.push_back(name);
  }
  return out;
}

std::vector<Chain> Foresight::chains_in_use(bool partners) const {
  std::map<probes::tls::Bytes, Chain> out;
  for (const auto& [name, host] : inventory_.hosts()) {
    if (!host.history || (host.own_users == 0 && !partners)) continue;
    for (auto& chain : chains_of(*host.history)) {
      const auto digest = chain.front()->sha256;
      out.emplace(digest, std::move(chain));
    }
    if (out.size() >= kMostRenewals) break;
  }
  std::vector<Chain> all;
  for (auto& [digest, chain] : out) all.push_back(std::move(chain));
  return all;
}

void Foresight::restate(const ClockStep& step) {
  for (auto* shown : {&announcements_, &strangers_})
    shown->restate([&](Time moment) { return restated(moment, step); });
}

}  // namespace agent
