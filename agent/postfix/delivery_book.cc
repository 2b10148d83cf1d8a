#include "agent/postfix/delivery_book.h"

#include <algorithm>
#include <utility>

#include <nlohmann/json.hpp>

#include "config/name.h"

namespace agent {
namespace {

// Lines of one try at a message's recipients stand no further apart.
constexpr config::Seconds kOneTry{2};

using config::Time;
using Json = nlohmann::json;
using probes::reports::Delivery;
using probes::reports::DeliveryStatus;
using probes::reports::Removed;
using probes::reports::Setback;
using probes::reports::TlsLevel;

// Postfix tries again within maximal_backoff_time, 4000 s by default.
constexpr config::Seconds kTriedAgain = std::chrono::hours{12};
constexpr std::int64_t kWeek = 7;

std::int64_t day_of(Time at) {
  return std::chrono::floor<std::chrono::days>(at).time_since_epoch().count();
}

// ---- as text

std::int64_t seconds_of(Time at) {
  return at.time_since_epoch().count();
}
Time time_from(const Json& value) {
  return Time{config::Seconds{value.get<std::int64_t>()}};
}

Json to_json(const HostDeliveries& host) {
  Json sent = Json::object();
  for (const auto& [level, at] : host.last_sent)
    sent[std::string(wire_name(level))] = seconds_of(at);
  Json out{{"sent", sent}};
  if (host.deferred_since) out["since"] = seconds_of(*host.deferred_since);
  if (host.setback != Setback::none) out["setback"] = wire_name(host.setback);
  return out;
}

void read(const Json& json, HostDeliveries& out) {
  for (const auto& [name, at] : json.at("sent").items()) {
    if (const auto level = probes::reports::tls_level_from(name))
      out.last_sent[*level] = time_from(at);
  }
  if (json.contains("since")) out.deferred_since = time_from(json.at("since"));
  if (json.contains("setback"))
    out.setback = probes::reports::setback_from(json.at("setback").get<std::string>())
                      .value_or(Setback::other);
}

std::string text_of(const DomainDeliveries& domain) {
  auto out = to_json(static_cast<const HostDeliveries&>(domain));
  out["last"] = seconds_of(domain.last_at);
  Json hosts = Json::object(), waiting = Json::object(), days = Json::object();
  for (const auto& [name, host] : domain.hosts) hosts[name] = to_json(host);
  for (const auto& [id, message] : domain.waiting)
    waiting[id] = {seconds_of(message.arrived_at), seconds_of(message.tried_at), message.hosts,
                   message.is_counted};
  for (const auto& [day, counts] : domain.days) {
    Json sent = Json::object(), held = Json::object();
    for (const auto& [level, count] : counts.sent) sent[std::string(wire_name(level))] = count;
    for (const auto& [setback, count] : counts.held_up)
      held[std::string(wire_name(setback))] = count;
    days[std::to_string(day)] = {{"messages", counts.messages}, {"sent", sent}, {"held", held}};
  }
  out["hosts"] = std::move(hosts);
  out["waiting"] = std::move(waiting);
  out["days"] = std::move(days);
  out["counted"] = domain.counted;
  return out.dump();
}

DomainDeliveries domain_from(const Json& json) {
  DomainDeliveries out;
  read(json, out);
  out.last_at = time_from(json.at("last"));
  for (const auto& [name, host] : json.at("hosts").items()) read(host, out.hosts[name]);
  for (const auto& [id, message] : json.at("waiting").items()) {
    auto& mine = out.waiting[id];
    mine.arrived_at = time_from(message.at(0));
    mine.tried_at = time_from(message.at(1));
    // Older rows have less.
    if (message.size() > 2) mine.hosts = message.at(2).get<std::vector<std::string>>();
    if (message.size() > 3) mine.is_counted = message.at(3).get<bool>();
  }
  for (const auto& [day, counts] : json.at("days").items()) {
    auto& mine = out.days[std::stoll(day)];
    mine.messages = counts.at("messages").get<std::uint64_t>();
    for (const auto& [name, count] : counts.at("sent").items()) {
      if (const auto level = probes::reports::tls_level_from(name))
        mine.sent[*level] = count.get<std::uint64_t>();
    }
    for (const auto& [name, count] : counts.at("held").items()) {
      if (const auto setback = probes::reports::setback_from(name))
        mine.held_up[*setback] = count.get<std::uint64_t>();
    }
  }
  if (json.contains("counted")) out.counted = json.at("counted").get<std::deque<std::string>>();
  return out;
}

std::string text_of(const Disagreement& one) {
  return Json{{"at", seconds_of(one.at)},
              {"domain", one.domain},
              {"host", one.host},
              {"verdict", wire_name(one.verdict)},
              {"looked_at", seconds_of(one.looked_at)},
              {"status", wire_name(one.status)},
              {"level", wire_name(one.level)},
              {"setback", wire_name(one.setback)}}
      .dump();
}

Disagreement disagreement_of(const Delivery& delivery, const DeliveryBook::Foretold& before) {
  return {.at = delivery.at,
          .domain = delivery.domain,
          .host = delivery.host,
          .verdict = before.verdict,
          .looked_at = before.looked_at,
          .status = delivery.status,
          .level = delivery.level,
          .setback = delivery.setback};
}

// Throws on what is not of the form.
Disagreement disagreement_from(std::string_view text) {
  const auto json = Json::parse(text);
  const auto word = [&](const char* key) { return json.at(key).get<std::string>(); };
  return {.at = time_from(json.at("at")),
          .domain = word("domain"),
          .host = word("host"),
          .verdict = probes::verdict_from(word("verdict")).value(),
          .looked_at = time_from(json.at("looked_at")),
          .status = probes::reports::delivery_status_from(word("status")).value(),
          .level = probes::reports::tls_level_from(word("level")).value(),
          .setback = probes::reports::setback_from(word("setback")).value()};
}

// ---- what deliveries say

void take(HostDeliveries& out, const Delivery& delivery) {
  if (delivery.status == DeliveryStatus::sent) {
    auto& last = out.last_sent[delivery.level];
    last = std::max(last, delivery.at);
    return;
  }
  // A bounce is no wait: it says nothing of what is to come.
  if (delivery.status != DeliveryStatus::deferred) return;
  if (!out.deferred_since) out.deferred_since = delivery.at;
  // While mail waits for TLS that is not forgotten for what else delays other mail.
  if (!is_about_tls(out.setback) || is_about_tls(delivery.setback)) out.setback = delivery.setback;
}

void end_deferral(HostDeliveries& out) {
  out.deferred_since.reset();
  out.setback = Setback::none;
}

bool is_counted(const DomainDeliveries& domain, const std::string& queue_id) {
  const auto waits = domain.waiting.find(queue_id);
  return (waits != domain.waiting.end() && waits->second.is_counted) ||
         std::ranges::find(domain.counted, queue_id) != domain.counted.end();
}

bool waits_at(const DomainDeliveries& domain, const std::string& host) {
  return std::ranges::any_of(domain.waiting, [&](const auto& one) {
    return std::ranges::find(one.second.hosts, host) != one.second.hosts.end();
  });
}

// Where nothing waits any more nothing is deferred, though nothing was delivered: it was given up.
// `hosts`: where what waits no more had been refused.
void end_waits(DomainDeliveries& domain, const std::vector<std::string>& hosts) {
  if (domain.waiting.empty()) end_deferral(domain);
  for (const auto& name : hosts) {
    const auto host = domain.hosts.find(name);
    if (host != domain.hosts.end() && !waits_at(domain, name)) end_deferral(host->second);
  }
}

// Those that did not take it.
std::vector<std::string> hosts_of(const Delivery& deferred) {
  std::vector<std::string> out;
  for (const auto& tried : deferred.before) out.push_back(tried.host);
  if (!deferred.host.empty()) out.push_back(deferred.host);
  return out;
}

}  // namespace

std::uint64_t DomainDeliveries::messages_a_month(Time at) const {
  std::uint64_t out = 0;
  for (const auto& [day, counts] : days) {
    if (day > day_of(at) - 30) out += counts.messages;
  }
  return out;
}

bool DomainDeliveries::seems_to_have_dane() const {
  const auto seems = [](const HostDeliveries& one) {
    switch (one.setback) {
      case Setback::certificate:
      case Setback::tlsa_lookup:
      case Setback::starttls_missing:
      case Setback::starttls_refused:
      case Setback::handshake:
        return true;
      case Setback::none:
      case Setback::dane_demanded:  // just that it has none
      case Setback::own_policy:
      case Setback::name_lookup:
      case Setback::unreachable:
      case Setback::server:
      case Setback::other:
        break;
    }
    return one.last_sent.contains(TlsLevel::verified);
  };
  return seems(*this) ||
         std::ranges::any_of(hosts, [&](const auto& host) { return seems(host.second); });
}

std::optional<Time> DomainDeliveries::oldest_waiting() const {
  std::optional<Time> out;
  for (const auto& [id, message] : waiting)
    out = std::min(out.value_or(message.arrived_at), message.arrived_at);
  return out;
}

DomainDeliveries::Queue DomainDeliveries::waiting_at(std::string_view host) const {
  Queue out;
  for (const auto& [id, message] : waiting) {
    if (std::ranges::find(message.hosts, host) == message.hosts.end()) continue;
    ++out.messages;
    out.oldest = std::min(out.oldest.value_or(message.arrived_at), message.arrived_at);
  }
  return out;
}

void DeliveryBook::take(const probes::reports::MailEvent& event, Time compared_from,
                        const Foretell& foretell) {
  if (const auto* removed = std::get_if<Removed>(&event)) {
    end_wait(*removed);
    return;
  }
  const auto& delivery = std::get<Delivery>(event);
  count(delivery);
  if (delivery.at < compared_from) return;
  compare(delivery, foretell);
  for (const auto& tried : delivery.before) {
    auto one = delivery;
    one.host = tried.host;
    one.status = DeliveryStatus::deferred;
    one.setback = tried.setback;
    one.level = TlsLevel::unknown;
    compare(one, foretell);
  }
}

void DeliveryBook::end_wait(const Removed& removed) {
  const auto waiting = waits_for_.extract(removed.queue_id);
  if (waiting.empty()) return;
  for (const auto& name : waiting.mapped()) {
    const auto domain = domains_.find(name);
    if (domain == domains_.end()) continue;
    auto message = domain->second.waiting.extract(removed.queue_id);
    touch(name);
    if (message.empty()) continue;
    if (removed.goes_on_as.empty()) {
      end_waits(domain->second, message.mapped().hosts);
      continue;
    }
    message.key() = removed.goes_on_as;
    domain->second.waiting.insert(std::move(message));
    waits_for_[removed.goes_on_as].insert(name);
  }
}

void DeliveryBook::count(const Delivery& delivery) {
  if (!domains_.contains(delivery.domain) && domains_.size() >= kMostDomains) make_room();
  auto& domain = domains_[delivery.domain];
  gone_.erase(delivery.domain);
  touch(delivery.domain);
  ++counted_[{delivery.status, delivery.level}];
  domain.last_at = std::max(domain.last_at, delivery.at);
  agent::take(domain, delivery);
  const auto host_of = [&](const std::string& name) -> HostDeliveries* {
    if (name.empty() || (domain.hosts.size() >= kMostHosts && !domain.hosts.contains(name)))
      return nullptr;
    return &domain.hosts[name];
  };
  if (auto* host = host_of(delivery.host)) {
    agent::take(*host, delivery);
    if (delivery.status == DeliveryStatus::sent) end_deferral(*host);
  }
  for (const auto& tried : delivery.before) {
    if (auto* host = host_of(tried.host)) {
      if (!host->deferred_since) host->deferred_since = delivery.at;
      host->setback = tried.setback;
    }
  }
  const auto date = day_of(delivery.at);
  const bool is_too_old = domain.days.size() >= kDays && date < domain.days.begin()->first;
  if (!is_too_old) {
    auto& day = domain.days[date];
    if (domain.days.size() > kDays) domain.days.erase(domain.days.begin());  // not this one
    if (delivery.status == DeliveryStatus::sent) {
      ++day.sent[delivery.level];
      if (!is_counted(domain, delivery.queue_id)) ++day.messages;
    } else {
      ++day.held_up[delivery.setback];
    }
  }
  count_waiting(domain, delivery);
  if (delivery.status == DeliveryStatus::sent && domain.waiting.empty()) end_deferral(domain);
}

void DeliveryBook::count_waiting(DomainDeliveries& domain, const Delivery& delivery) {
  const auto& id = delivery.queue_id;
  const bool was_counted = is_counted(domain, id);
  const auto waits = domain.waiting.find(id);
  if (delivery.status != DeliveryStatus::deferred) {
    const bool is_sent = delivery.status == DeliveryStatus::sent;
    if (is_sent && !was_counted) {
      domain.counted.push_back(id);
      if (domain.counted.size() > DomainDeliveries::kMostCounted) domain.counted.pop_front();
    }
    if (waits == domain.waiting.end()) return;
    if (is_sent) waits->second.is_counted = true;
    // Whom an earlier try left waiting has it now; others of this try, who stand beside it, have
    // not.
    if (delivery.at - waits->second.tried_at <= kOneTry) return;
    const auto hosts = std::move(waits->second.hosts);
    domain.waiting.erase(waits);
    waits_no_more(id, delivery.domain);
    end_waits(domain, hosts);
    return;
  }
  if (waits == domain.waiting.end() && domain.waiting.size() >= kMostWaiting) return;
  domain.waiting[id] = {.arrived_at = delivery.at - delivery.delay,
                        .tried_at = delivery.at,
                        .hosts = hosts_of(delivery),
                        .is_counted = was_counted};
  waits_for_[id].insert(delivery.domain);
}

void DeliveryBook::waits_no_more(const std::string& queue_id, const std::string& domain) {
  const auto found = waits_for_.find(queue_id);
  if (found == waits_for_.end()) return;
  found->second.erase(domain);
  if (found->second.empty()) waits_for_.erase(found);
}

// The tenth that had no mail for longest has to go.
void DeliveryBook::make_room() {
  std::vector<std::pair<Time, std::string>> all;
  for (const auto& [name, domain] : domains_) all.emplace_back(domain.last_at, name);
  const auto end = all.begin() + static_cast<std::ptrdiff_t>(all.size() / 10 + 1);
  std::ranges::nth_element(all, end - 1);
  for (auto one = all.begin(); one != end; ++one) {
    for (const auto& [id, message] : domains_[one->second].waiting) waits_no_more(id, one->second);
    domains_.erase(one->second);
    changed_.erase(one->second);
    gone_.insert(one->second);
  }
}

void DeliveryBook::compare(const Delivery& delivery, const Foretell& foretell) {
  const auto said = foretell(delivery);
  if (!said || !said->is_right) return;
  Undecided one{.delivery = delivery, .before = *said};
  if (*said->is_right) return decide(one, true);
  one.number = ++last_number_;
  newly_undecided_.insert(one.number);
  undecided_.push_back(std::move(one));
  if (undecided_.size() <= kMostUndecided) return;
  decide(undecided_.front(), false);
  undecided_.pop_front();
}

void DeliveryBook::waits_for_no_look(const Undecided& one) {
  if (one.number == 0) return;
  newly_decided_.insert(one.number);
  newly_undecided_.erase(one.number);
}

void DeliveryBook::settle(Time at, config::Seconds patience, const Foretell& foretell) {
  std::deque<Undecided> still;
  for (auto& one : undecided_) {
    const auto said = foretell(one.delivery);
    if (!said || !said->is_right) {
      // Not to be told by now; it may be soon, as after a restart. Or nobody watches it any more.
      if (at - one.delivery.at <= patience) {
        still.push_back(std::move(one));
      } else {
        waits_for_no_look(one);
      }
    } else if (*said->is_right) {
      decide(one, true);
    } else if (said->looked_at > one.delivery.at || at - one.delivery.at > patience) {
      decide(one, false);
    } else {
      still.push_back(std::move(one));
    }
  }
  undecided_ = std::move(still);
}

void DeliveryBook::decide(const Undecided& one, bool is_right) {
  auto& day = compared_[day_of(one.delivery.at)];
  ++day.compared;
  day.foretold += is_right ? 1 : 0;
  while (compared_.size() > kDays) compared_.erase(compared_.begin());
  is_agreement_changed_ = true;
  waits_for_no_look(one);
  if (is_right) return;
  new_disagreements_.push_back(disagreement_of(one.delivery, one.before));
  disagreements_.push_back(new_disagreements_.back());
  if (disagreements_.size() > kMostDisagreements) disagreements_.pop_front();
  if (new_disagreements_.size() > kMostDisagreements) new_disagreements_.pop_front();
}

void DeliveryBook::forget(Time at) {
  for (auto& [name, domain] : domains_) {
    std::vector<std::string> hosts;
    const auto gone = std::erase_if(domain.waiting, [&](const auto& one) {
      if (at - one.second.tried_at < kTriedAgain) return false;
      waits_no_more(one.first, name);  // its recipients elsewhere may have been tried since
      std::ranges::copy(one.second.hosts, std::back_inserter(hosts));
      return true;
    });
    if (gone == 0) continue;
    std::ranges::sort(hosts);
    hosts.erase(std::unique(hosts.begin(), hosts.end()), hosts.end());
    end_waits(domain, hosts);
    touch(name);
  }
}

const DomainDeliveries* DeliveryBook::domain(std::string_view name) const {
  const auto found = domains_.find(std::string(name));
  return found == domains_.end() ? nullptr : &found->second;
}

DeliveryBook::Agreement DeliveryBook::agreement(Time at) const {
  Agreement out;
  for (const auto& [day, counts] : compared_) {
    if (day <= day_of(at) - kWeek) continue;
    out.compared += counts.compared;
    out.foretold += counts.foretold;
  }
  return out;
}

DeliveryBook::Totals DeliveryBook::totals() const {
  Totals out{.deliveries = counted_, .waiting = waits_for_.size(), .oldest_waiting = std::nullopt};
  for (const auto& [name, domain] : domains_) {
    if (const auto oldest = domain.oldest_waiting())
      out.oldest_waiting = std::min(out.oldest_waiting.value_or(*oldest), *oldest);
  }
  return out;
}

DeliveryBook::Totals DeliveryBook::waiting_of(
    const std::function<bool(const std::string& domain)>& is_wanted) const {
  Totals out;
  for (const auto& [message, domains] : waits_for_) {
    if (std::ranges::any_of(domains, is_wanted)) ++out.waiting;
  }
  for (const auto& [name, domain] : domains_) {
    const auto oldest = domain.oldest_waiting();
    if (oldest && is_wanted(name))
      out.oldest_waiting = std::min(out.oldest_waiting.value_or(*oldest), *oldest);
  }
  return out;
}

DeliveryBook::Changes DeliveryBook::take_changes() {
  Changes out;
  for (const auto& name : std::exchange(changed_, {})) {
    const auto found = domains_.find(name);
    if (found != domains_.end()) out.domains.emplace(name, text_of(found->second));
  }
  out.gone = std::exchange(gone_, {});
  if (std::exchange(is_agreement_changed_, false)) {
    Json days = Json::object();
    for (const auto& [day, counts] : compared_)
      days[std::to_string(day)] = {counts.compared, counts.foretold};
    out.agreement = days.dump();
  }
  for (const auto& one : std::exchange(new_disagreements_, {}))
    out.disagreements.push_back(text_of(one));
  const auto fresh = std::exchange(newly_undecided_, {});
  for (const auto& one : undecided_) {
    if (fresh.contains(one.number))
      out.undecided.emplace(one.number, text_of(disagreement_of(one.delivery, one.before)));
  }
  out.decided = std::exchange(newly_decided_, {});
  return out;
}

void DeliveryBook::restore_domain(const std::string& name, std::string_view text) {
  try {
    auto domain = domain_from(Json::parse(text));
    for (const auto& [id, message] : domain.waiting) waits_for_[id].insert(name);
    domains_.insert_or_assign(name, std::move(domain));
  } catch (const std::exception&) {  // a disk gave it back as something else: it grows anew
  }
}

void DeliveryBook::restore_agreement(std::string_view text) {
  try {
    const auto days = Json::parse(text);  // items() refers to it
    for (const auto& [day, counts] : days.items())
      compared_[std::stoll(day)] = {.compared = counts.at(0).get<std::uint64_t>(),
                                    .foretold = counts.at(1).get<std::uint64_t>()};
  } catch (const std::exception&) {
  }
}

void DeliveryBook::restore_disagreement(std::string_view text) {
  try {
    disagreements_.push_back(disagreement_from(text));
  } catch (const std::exception&) {
  }
}

void DeliveryBook::restore_undecided(std::int64_t number, std::string_view text) {
  last_number_ = std::max(last_number_, number);
  try {
    auto said = disagreement_from(text);
    Undecided one{.number = number, .delivery = {}, .before = {}};
    one.delivery.at = said.at;
    one.delivery.domain = std::move(said.domain);
    one.delivery.host = std::move(said.host);
    one.delivery.status = said.status;
    one.delivery.level = said.level;
    one.delivery.setback = said.setback;
    one.before = {.is_right = false, .verdict = said.verdict, .looked_at = said.looked_at};
    undecided_.push_back(std::move(one));
  } catch (const std::exception&) {
  }
}

}  // namespace agent
