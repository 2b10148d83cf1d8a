#include "web/routes/theirs.h"

#include <algorithm>
#include <utility>

#include "agent/watch/manners.h"
#include "web/routes/own_words.h"

namespace web {
namespace {

using agent::Alert;
using agent::Matcher;
using agent::Silence;
using Kind = probes::Subject::Kind;

constexpr std::string_view kLeftOut = "(not yours)";

bool is_of(const Matcher& matcher, std::initializer_list<std::string_view> labels) {
  return std::ranges::find(labels, matcher.name) != labels.end();
}

bool is_exact(const Matcher& matcher) {
  return matcher.is_equal && !matcher.is_regex;
}

// A pattern that fits the text and nothing else.
std::string as_pattern(std::string_view text) {
  std::string out;
  for (const char c : text) {
    const bool is_word = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') ||
                         (c >= 'A' && c <= 'Z') || c == '_' ||
                         (static_cast<unsigned char>(c) & 0x80U);
    if (!is_word) out += '\\';
    out += c;
  }
  return out;
}

// Of which alerts at domains of these groups have one.
Matcher matcher_of(const Groups& groups) {
  if (groups.size() == 1) return {.name = "group", .value = *groups.begin()};
  Matcher out{.name = "group", .is_regex = true};
  for (const auto& group : groups) out.value += (out.value.empty() ? "" : "|") + as_pattern(group);
  return out;
}

std::string lower(std::string_view text) {
  std::string out(text);
  for (auto& c : out) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return out;
}

constexpr std::string_view kWildcard = "*.";

// Whether a name in a certificate, with a wildcard or without, is for that one.
bool is_for(std::string_view certificate_name, std::string_view name) {
  if (!certificate_name.starts_with(kWildcard)) return certificate_name == name;
  const auto dot = name.find('.');
  return dot != std::string_view::npos &&
         name.substr(dot + 1) == certificate_name.substr(kWildcard.size());
}

// Those of the list that are wanted, each as it is.
template <class T, class Is>
agent::SharedList<T> those(const agent::SharedList<T>& all, Is is_wanted) {
  agent::SharedList<T> out;
  for (std::size_t i = 0; i < all.size(); ++i) {
    if (is_wanted(all[i])) out.push_back(all.shared(i));
  }
  return out;
}

}  // namespace

Theirs::Theirs(std::shared_ptr<const agent::Snapshot> all, Groups groups, IsWatched is_watched)
    : all_(std::move(all)), groups_(std::move(groups)), is_watched_(std::move(is_watched)) {
  const auto add_above = [&](std::string_view name) {
    for (;;) {
      if (!above_.emplace(name).second) return;
      const auto dot = name.find('.');
      if (dot == std::string_view::npos) return;
      name.remove_prefix(dot + 1);
    }
  };
  for (std::size_t i = 0; i < all_->domains.size(); ++i) {
    const auto& state = all_->domains[i];
    if (!groups_.contains(state.configured->group)) continue;
    domains_.emplace(state.configured->name, &state);
    places_.push_back(i);
    add_above(state.configured->name);
    if (!state.judged) continue;
    for (const auto& host : state.judged->hosts) {
      const auto [name, is_new] = hosts_.insert(host.seen->host.text());
      if (is_new) add_above(*name);
    }
  }
}

bool Theirs::has(const probes::Subject& subject) const {
  return subject.kind == Kind::domain ? has_domain(subject.name)
                                      : subject.kind == Kind::host && has_host(subject.name);
}

bool Theirs::is_theirs_alone(const std::string& host) const {
  return has_host(host) && std::ranges::none_of(all_->domains, [&](const auto& state) {
           return state.judged && !has_domain(state.configured->name) &&
                  std::ranges::any_of(state.judged->hosts, [&](const auto& one) {
                    return one.seen->host.text() == host;
                  });
         });
}

agent::Owned Theirs::owned() const {
  const auto state_of = [this](const std::string& name) {
    const auto found = domains_.find(name);
    return found == domains_.end() ? nullptr : found->second;
  };
  return {.domain = [state_of](const std::string& name) -> const config::Domain* {
            const auto* state = state_of(name);
            return state == nullptr ? nullptr : &*state->configured;
          },
          .judged = [state_of](const std::string& name) -> const probes::DomainJudgement* {
            const auto* state = state_of(name);
            return state == nullptr ? nullptr : state->judged.get();
          },
          .is_others = [this](std::string_view name) { return is_others(name); },
          .fits = [this](const std::string& name) { return fits(name); }};
}

// ---- the snapshot

std::shared_ptr<const agent::Snapshot::Shown> Theirs::shown() const {
  if (!all_->announced) return nullptr;
  agent::Snapshot::Shown out;
  std::set<std::string> keys;
  for (const auto& one : all_->announced->certificates) {
    if (!is_named_in(*one.chain.front())) continue;
    out.certificates.push_back(one);
    keys.insert(agent::key_of(one));
  }
  for (const auto& one : all_->announced->not_for_mail) {
    if (keys.contains(one.key)) out.not_for_mail.push_back(one);
  }
  return std::make_shared<const agent::Snapshot::Shown>(std::move(out));
}

// Named one by one: what a snapshot holds beside is nobody's until it is said here whose it is.
agent::Snapshot Theirs::snapshot() const {
  const auto& all = *all_;
  const auto narrow = [&](const agent::SharedList<Alert>& alerts) {
    agent::SharedList<Alert> out;
    for (const auto& alert : alerts) {
      if (auto mine = narrowed(alert)) out.push_back(*std::move(mine));
    }
    return out;
  };
  agent::Snapshot out{
      .now = all.now,
      .started_at = all.started_at,
      .schedule = all.schedule,
      .metrics = all.metrics,
      .hosts = those(all.hosts, [&](const auto& host) { return has_host(host.first.text()); }),
      .rollovers =
          those(all.rollovers, [&](const auto& one) { return has_host(one.host->host.text()); }),
      .places = those(all.places,
                      [&](const auto& places) {
                        return !places.empty() && has_host(places.front().host->host.text());
                      }),
      .alerts = narrow(all.alerts),
      .ended = narrow(all.ended),
      .passed = narrow(all.passed),
      .silences = all.silences,
      .announced = shown(),
      .renewals = all.renewals,
      .vantage = all.vantage,
      .resolvers = all.resolvers,
      .queue_length = all.queue_length,
      .in_flight = all.in_flight,
      .lag = all.lag,
      .rounds = all.rounds,
      .last_round_at = all.last_round_at,
      .progress = all.progress,
      .record_errors = all.record_errors,
      .storage_fault = all.storage_fault,
      .unrecorded_rounds = all.unrecorded_rounds,
      .lost_rounds = all.lost_rounds,
      .clock_steps = all.clock_steps};
  for (auto& check : out.vantage) {
    if (check.detail)
      check.detail = agent::own_detail(check.check, *check.detail, owned().is_others);
  }
  for (const auto place : places_) {
    const auto& state = all.domains[place];
    if (has_words_of_others(state))
      out.domains.push_back(without_words_of_others(state, *this));
    else
      out.domains.push_back(state, all.domains.brief(place));
  }
  out.domains.keep_order();
  std::ranges::copy_if(all.exceptions, std::back_inserter(out.exceptions),
                       [&](const auto& made) { return has_domain(made.domain); });
  std::set<std::string> providers;
  for (const auto& [name, seen] : out.hosts) {
    for (auto& one : agent::providers_of(seen->addresses)) providers.insert(std::move(one));
  }
  std::ranges::copy_if(all.spared, std::back_inserter(out.spared),
                       [&](const auto& one) { return providers.contains(one.provider); });
  return out;
}

// ---- alerts

bool Theirs::is_all_theirs(const Alert& alert) const {
  return alert.cause.kind != Kind::monitor && !alert.domains.empty() &&
         std::ranges::all_of(alert.domains, [&](const auto& name) { return has_domain(name); });
}

std::optional<Alert> Theirs::narrowed(const Alert& alert) const {
  return agent::narrowed(alert, owned());
}

// ---- silences

// Each label by itself: to show one that covers nothing of theirs after all tells nobody's names.
bool Theirs::is_touched_by(const Silence& silence) const {
  std::vector<const Matcher*> of_domains, of_hosts;
  for (const auto& matcher : silence.matchers) {
    if (is_of(matcher, {"domain", "group"})) of_domains.push_back(&matcher);
    if (matcher.name == "mx") of_hosts.push_back(&matcher);
  }
  const auto is_hit = [&](std::size_t place) {
    const auto& domain = *all_->domains[place].configured;
    return std::ranges::all_of(of_domains, [&](const Matcher* one) {
      return agent::fits(*one, one->name == "domain" ? domain.name : domain.group.text());
    });
  };
  if (std::ranges::none_of(places_, is_hit)) return false;
  return std::ranges::all_of(of_hosts, [&](const Matcher* one) {
    return agent::fits(*one, "") ||
           std::ranges::any_of(hosts_, [&](const auto& host) { return agent::fits(*one, host); });
  });
}

bool Theirs::is_bound(const Silence& silence) const {
  return std::ranges::any_of(silence.matchers, [&](const Matcher& one) {
    if (one == matcher_of(groups_)) return true;
    if (!is_exact(one)) return false;
    return (one.name == "group" && has_group(one.value)) ||
           (one.name == "domain" && has_domain(one.value));
  });
}

Silence Theirs::bound(Silence silence) const {
  if (!is_bound(silence)) silence.matchers.push_back(matcher_of(groups_));
  return silence;
}

Silence Theirs::narrowed(Silence silence) const {
  if (is_bound(silence)) return silence;
  for (auto& one : silence.matchers) {
    const bool is_theirs = is_exact(one) && ((one.name == "domain" && has_domain(one.value)) ||
                                             (one.name == "group" && has_group(one.value)) ||
                                             (one.name == "mx" && has_host(one.value)));
    if (is_of(one, {"domain", "group", "mx", "owner", "zone"}) && !is_theirs) one.value = kLeftOut;
  }
  silence.comment.clear();
  return silence;
}

// ---- certificates

bool Theirs::fits(const std::string& certificate_name) const {
  if (has_domain(certificate_name) || has_host(certificate_name)) return true;
  if (!certificate_name.starts_with(kWildcard)) return false;
  const auto is_below = [&](std::string_view name) { return is_for(certificate_name, name); };
  return std::ranges::any_of(hosts_, is_below) ||
         std::ranges::any_of(domains_, [&](const auto& one) { return is_below(one.first); });
}

bool Theirs::is_named_in(const probes::tls::Certificate& leaf) const {
  return std::ranges::any_of(agent::names_of(leaf), [&](const auto& name) { return fits(name); });
}

bool Theirs::is_all_named_in(const probes::tls::Certificate& leaf) const {
  if (leaf.cut) return false;  // whose the rest is nobody knows
  const auto is_below_theirs = [&](std::string_view name) {
    for (;;) {
      if (has_domain(name)) return true;
      const auto dot = name.find('.');
      if (dot == std::string_view::npos) return false;
      name.remove_prefix(dot + 1);
    }
  };
  // What is below a domain of theirs may be a host that others use as well.
  return std::ranges::all_of(agent::names_of(leaf), [&](const std::string& name) {
    bool is_of_host = false;
    for (const auto& host : hosts_) {
      if (!is_for(name, host)) continue;
      if (!is_theirs_alone(host)) return false;
      is_of_host = true;
    }
    return is_of_host || is_below_theirs(name);
  });
}

// ---- text

bool Theirs::is_others(std::string_view name) const {
  const auto known = lower(name);
  if (above_.contains(known)) return false;
  if (is_watched_(known)) return true;
  const auto host = probes::dns::Name::parse(known);
  if (!host) return false;
  const auto& hosts = all_->hosts;
  const auto found = std::ranges::lower_bound(hosts, *host, {}, &agent::Snapshot::Host::first);
  return found != hosts.end() && found->first == *host;
}

std::string Theirs::without_others(std::string_view text) const {
  return agent::without_others(text, owned().is_others);
}

}  // namespace web
