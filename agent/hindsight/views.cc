#include "agent/hindsight/views.h"

#include <algorithm>
#include <ranges>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "probes/catalogue.h"
#include "probes/dane/tlsa.h"
#include "probes/judge.h"
#include "probes/report.h"
#include "probes/shown.h"

namespace agent {
namespace {

using config::Seconds;
using config::Time;
using probes::Code;
using probes::Finding;
using probes::Severity;
using probes::Shown;
using probes::Verdict;
using Opinion = View::Opinion;

// One that was asked and gave no answer for so long is not waited for.
constexpr Seconds kPatience{120};
// A look from so long before a question arose answers it.
constexpr Seconds kBefore{30};
// So many looks, one after the other, before a difference is told.
constexpr int kLooks = 2;

bool is_kept(const View& view, const Places& places, Time at) {
  return view.seen && view.seen->observed_at + places.kept_for >= at;
}

// It cannot tell now, and what it told last was that (troubled_at, held_at), not long ago.
bool may_be(std::optional<Time> View::*that, const View& view, const Places& places, Time at) {
  return view.opinion == Opinion::unknown && view.*that && *(view.*that) + places.kept_for >= at;
}

bool is_trouble(Opinion opinion) {
  return opinion >= Opinion::troubled;
}

bool can_look(const std::string& vantage, const Places& places) {
  return vantage == places.own || places.others.contains(vantage);
}

struct Difference {
  Code code = Code::vantage_split;
  Severity severity = Severity::info;
  std::set<std::string> places;    // that see it otherwise
  std::vector<std::string> words;  // what differs
};

using Speaking = std::map<std::string, const View*>;  // by vantage
using ByPlace = std::map<std::string, Shown>;

// "192.0.2.1: ab12… from one, cd34… from two".
std::string keys_in_words(const std::string& address, const ByPlace& places) {
  constexpr std::size_t kEnough = 16;  // octets of hexadecimal, by which people tell keys apart
  std::vector<std::string> out;
  for (const auto& [vantage, one] : places) {
    for (const auto& key : one.keys)
      out.push_back(fmt::format("{}… from {}", key.substr(0, kEnough), vantage));
  }
  return fmt::format("{} shows {}", address, fmt::join(out, ", "));
}

// Those that are shown a key that what is published refuses, while others are shown one that it
// takes.
std::set<std::string> refused_keys_at(const std::string& address, const ByPlace& places,
                                      const Speaking& views) {
  std::set<std::string> out;
  for (const auto& [vantage, one] : places) {
    if (!views.at(vantage)->refused_at.contains(address)) continue;
    const bool is_alone = std::ranges::any_of(places, [&](const auto& other) {
      return views.at(other.first)->taken_at.contains(address) && other.second.keys != one.keys;
    });
    if (is_alone) out.insert(vantage);
  }
  return out;
}

// Nothing published vouches for any key: the one place that is shown another than all others, of
// whom there are two or more.
std::set<std::string> lone_key_at(const ByPlace& places, const Speaking& views) {
  std::map<std::set<std::string>, std::set<std::string>> by_keys;
  for (const auto& [vantage, one] : places) {
    if (views.at(vantage)->verdict == Verdict::authenticated) return {};
    if (!one.keys.empty()) by_keys[one.keys].insert(vantage);
  }
  if (by_keys.size() != 2) return {};
  const auto& one = by_keys.begin()->second;
  const auto& other = std::next(by_keys.begin())->second;
  if (one.size() == 1 && other.size() > 1) return one;
  if (other.size() == 1 && one.size() > 1) return other;
  return {};
}

// At one address: whether STARTTLS, or the key, depends on the place.
std::optional<Difference> selective(const Speaking& views) {
  std::map<std::string, ByPlace> by_address;
  for (const auto& [vantage, view] : views) {
    for (auto& [address, one] : shown(*view->seen)) {
      if (one.is_known) by_address[address].emplace(vantage, one);
    }
  }
  for (const auto& [address, places] : by_address) {
    Difference out{.code = Code::selective_starttls, .severity = Severity::high};
    for (const auto& [vantage, one] : places) {
      if (!one.offers_starttls) out.places.insert(vantage);
    }
    if (!out.places.empty() && out.places.size() < places.size()) {
      out.words.push_back(fmt::format("{} offers STARTTLS to some places only", address));
      return out;
    }
    out.places = refused_keys_at(address, places, views);
    if (out.places.empty()) out.places = lone_key_at(places, views);
    if (!out.places.empty()) {
      out.words.push_back(keys_in_words(address, places));
      return out;
    }
  }
  return std::nullopt;
}

std::string addresses_in_words(const View& view) {
  const std::set<std::string> all(view.seen->addresses.begin(), view.seen->addresses.end());
  return fmt::format("{}", fmt::join(all, " "));
}

std::string records_in_words(const View& view) {
  std::set<std::string> all;
  for (const auto& record : view.seen->records) all.insert(probes::dane::to_text(record));
  return fmt::format("{}", fmt::join(all, "; "));
}

// What of a host depends on the place: adds the words, and gives those that see it otherwise than
// most do.
std::set<std::string> tell_difference(std::string_view what, std::string (*in_words)(const View&),
                                      const Speaking& views, std::vector<std::string>& words) {
  std::map<std::string, std::set<std::string>> by_words;
  for (const auto& [vantage, view] : views) by_words[in_words(*view)].insert(vantage);
  if (by_words.size() < 2) return {};
  const auto usual =
      std::ranges::max_element(by_words, {}, [](const auto& entry) { return entry.second.size(); });
  std::set<std::string> out;
  std::vector<std::string> each;
  for (const auto& [here, places] : by_words) {
    each.push_back(fmt::format("{} from {}", here, fmt::join(places, " and ")));
    if (here != usual->first) out.insert(places.begin(), places.end());
  }
  words.push_back(fmt::format("{}: {}", what, fmt::join(each, ", ")));
  return out;
}

// The keys that an address shows, where that depends on the place.
std::vector<std::string> differing_keys(const Speaking& views) {
  std::map<std::string, ByPlace> by_address;
  for (const auto& [vantage, view] : views) {
    for (auto& [address, one] : shown(*view->seen)) {
      if (!one.keys.empty()) by_address[address].emplace(vantage, one);
    }
  }
  std::vector<std::string> out;
  for (const auto& [address, places] : by_address) {
    const bool is_one = std::ranges::all_of(places, [&](const auto& entry) {
      return entry.second.keys == places.begin()->second.keys;
    });
    if (!is_one) out.push_back(keys_in_words(address, places));
  }
  return out;
}

// Of a place that sees trouble where others see none.
Severity severity_of(const View& view) {
  switch (view.verdict) {
    case Verdict::down:
      return Severity::low;  // its route
    case Verdict::lookup_failed:
    case Verdict::no_address:
      return Severity::medium;
    default:
      return Severity::high;
  }
}

std::optional<Difference> split(const Speaking& views) {
  Difference out;
  const auto opinions = views | std::views::values | std::views::transform(&View::opinion);
  const auto best = *std::ranges::min_element(opinions);
  for (const auto& [vantage, view] : views) {
    if (view->opinion == best) continue;
    out.places.insert(vantage);
    out.severity = std::max(out.severity, severity_of(*view));
  }
  if (best != Opinion::well && out.places.empty()) return std::nullopt;
  // Why some see trouble; where none does it may depend on the place without harm.
  auto otherwise = tell_difference("TLSA records", records_in_words, views, out.words);
  otherwise.merge(tell_difference("addresses", addresses_in_words, views, out.words));
  for (auto& words : differing_keys(views)) {
    for (const auto& [vantage, view] : views) otherwise.insert(vantage);
    out.words.push_back(std::move(words));
  }
  if (out.places.empty()) out.places = std::move(otherwise);
  return out.places.empty() ? std::nullopt : std::optional{std::move(out)};
}

}  // namespace

bool is_fleet(const Places& places) {
  return !places.others.empty();
}

View view_of(probes::Recorded look, const View* before, Time at) {
  View out{.agent = look.agent, .seen = look.host};
  out.look = std::move(look);
  const auto judged = probes::judge_alone(out.seen, at);
  if (judged.hosts.empty()) return out;
  const auto& host = judged.hosts.front();
  out.verdict = host.verdict;
  for (const auto& endpoint : host.endpoints) {
    if (endpoint.verdict == host.verdict && !out.reason) out.reason = endpoint.reason;
    const auto& session = out.seen->sessions[endpoint.session];
    if (session.key_type != probes::tls::KeyType::by_default) continue;
    if (endpoint.verdict == Verdict::refused) out.refused_at.insert(session.address);
    if (endpoint.verdict == Verdict::authenticated) out.taken_at.insert(session.address);
  }
  const bool is_grave = std::ranges::any_of(judged.findings, [](const Finding& finding) {
    return finding.code != Code::monitor_fault &&
           finding.severity >= probes::row_of(finding.code).alerts.alerts_from;
  });
  if (host.verdict == Verdict::unknown)
    out.opinion = Opinion::unknown;
  else if (!probes::is_deliverable(host.verdict))
    out.opinion = Opinion::held;
  else
    out.opinion = is_grave ? Opinion::troubled : Opinion::well;
  const bool is_same = before != nullptr && before->seen && before->verdict == out.verdict &&
                       before->opinion == out.opinion && shown(*before->seen) == shown(*out.seen);
  if (is_trouble(out.opinion)) out.troubled_at = out.seen->observed_at;
  if (out.opinion == Opinion::unknown && before != nullptr) {
    out.troubled_at = before->troubled_at;
    out.held_at = before->held_at;
  }
  out.in_a_row = is_same ? std::min(before->in_a_row + 1, 1000) : 1;
  if (out.opinion == Opinion::held && out.in_a_row >= kLooks) out.held_at = out.seen->observed_at;
  out.since = is_same ? before->since : out.seen->observed_at;
  out.follows_a_steady =
      is_same ? before->follows_a_steady : before != nullptr && before->in_a_row >= kLooks;
  return out;
}

void forget_gone(Views& views, const Places& places, Time at) {
  std::erase_if(views, [&](const auto& entry) {
    const auto& [vantage, view] = entry;
    return !can_look(vantage, places) &&
           (!is_trouble(view.opinion) || !is_kept(view, places, at)) &&
           !may_be(&View::troubled_at, view, places, at);
  });
  if (!is_fleet(places) && views.size() == 1 && views.contains(places.own)) views.clear();
}

Choice choose(const Views& views, const std::string& arrived, const Places& places,
              bool was_troubled, std::optional<Time> asked_since, Time at) {
  Choice out;
  const auto& newest = views.at(arrived);
  // What a place saw that can look no more is not taken back by its going.
  std::set<std::string> doubtful, held, doubtfully_held;
  for (const auto& [vantage, view] : views) {
    if (is_trouble(view.opinion) && is_kept(view, places, at)) out.troubled.insert(vantage);
    if (may_be(&View::troubled_at, view, places, at)) doubtful.insert(vantage);
    // By whom it can be followed.
    if (!can_look(vantage, places)) continue;
    if (view.opinion == Opinion::held && is_kept(view, places, at)) held.insert(vantage);
    if (may_be(&View::held_at, view, places, at)) doubtfully_held.insert(vantage);
  }
  out.is_in_question = was_troubled || !out.troubled.empty() || !doubtful.empty();
  if (!out.is_in_question) {
    if (arrived == places.own) out.followed = arrived;
    if (newest.in_a_row == 1 && newest.follows_a_steady) {
      for (const auto& [vantage, view] : views) {
        if (can_look(vantage, places) && view.seen && view.seen->observed_at < newest.since)
          out.awaited.insert(vantage);
      }
    }
    return out;
  }
  std::set<std::string> able = places.others, silent;
  able.insert(places.own);
  const auto since = asked_since.value_or(at);
  for (const auto& vantage : able) {
    const auto view = views.find(vantage);
    const bool has_looked = view != views.end() && is_kept(view->second, places, at) &&
                            view->second.seen->observed_at + kBefore >= since;
    if (!has_looked || view->second.opinion == Opinion::unknown) silent.insert(vantage);
    // Whoever sees something new is held against what others see now, and from then on all look at
    // the pace of what is in question.
    if (!has_looked || view->second.seen->observed_at < since ||
        (vantage != arrived && newest.in_a_row == 1 &&
         view->second.seen->observed_at + kBefore < newest.seen->observed_at))
      out.awaited.insert(vantage);
  }
  out.awaited.erase(arrived);
  const bool is_patient = since + kPatience > at;
  if (!is_patient)
    std::erase_if(able,
                  [&](const auto& one) { return silent.contains(one) && !doubtful.contains(one); });
  const auto needed =
      std::min<std::size_t>(std::max(1U, places.quorum), std::max<std::size_t>(1, able.size()));
  // Nothing is followed while those that have not looked yet could make it trouble, or so grave;
  // nor while those could that saw it so and cannot tell now, for they have not seen its end.
  const auto is_open = [&](const std::set<std::string>& see, const std::set<std::string>& saw) {
    if (see.size() >= needed) return false;
    return (is_patient && see.size() + silent.size() >= needed) ||
           see.size() + saw.size() >= needed;
  };
  const bool is_troubled = out.troubled.size() >= needed;
  const bool is_held = held.size() >= needed;
  if (is_open(out.troubled, doubtful)) return out;
  if (!(held.empty() && doubtfully_held.empty()) && is_open(held, doubtfully_held)) return out;
  const auto wanted = is_held ? Opinion::held : is_troubled ? Opinion::troubled : Opinion::well;
  const auto agrees = [&](const std::string& vantage) {
    const auto view = views.find(vantage);
    return view != views.end() && view->second.opinion == wanted &&
           (!is_troubled || out.troubled.contains(vantage));
  };
  // One that cannot tell ends nothing, and says so itself.
  const bool is_own_unknown = arrived == places.own && newest.opinion == Opinion::unknown;
  if (agrees(places.own) || (is_own_unknown && !is_troubled))
    out.followed = places.own;
  else if (agrees(arrived))
    out.followed = arrived;
  if (out.followed) {
    const auto& chosen = views.at(*out.followed);
    if (chosen.is_followed || !chosen.look) out.followed.reset();
  }
  return out;
}

std::optional<Split> find_split(const Views& views, const Places& places,
                                const std::optional<Split>& before, const std::string& host,
                                Time at) {
  Speaking speaking;
  auto changed_last = Time::min();
  for (const auto& [vantage, view] : views) {
    if (can_look(vantage, places) && view.in_a_row >= kLooks && view.opinion != Opinion::unknown &&
        is_kept(view, places, at)) {
      speaking.emplace(vantage, &view);
      changed_last = std::max(changed_last, view.since);
    }
  }
  std::erase_if(speaking,
                [&](const auto& one) { return one.second->seen->observed_at < changed_last; });
  auto found = speaking.size() < 2 ? std::nullopt : selective(speaking);
  if (!found && speaking.size() >= 2) found = split(speaking);
  if (!found) {
    const bool is_open =
        before && std::ranges::any_of(before->places, [&](const auto& vantage) {
          const auto view = views.find(vantage);
          return !speaking.contains(vantage) && view != views.end() && view->second.seen &&
                 view->second.troubled_at.value_or(view->second.seen->observed_at) +
                         places.kept_for >=
                     at;
        });
    return is_open ? before : std::nullopt;
  }
  Finding out{.code = found->code,
              .severity = found->severity,
              .subject = {.kind = probes::Subject::Kind::host, .name = host}};
  for (auto& words : found->words) out.evidence.push_back({"differs", std::move(words)});
  out.evidence.push_back({"seen-from", fmt::format("{}", fmt::join(found->places, ", "))});
  for (const auto& [vantage, view] : speaking)
    out.evidence.push_back({"from-" + vantage, in_words(*view)});
  return Split{.finding = std::move(out), .places = std::move(found->places)};
}

std::string in_words(const View& view) {
  if (!view.seen) return "has not looked yet";
  std::string out{probes::in_words(view.verdict)};
  if (view.reason && view.verdict != Verdict::authenticated)
    out += fmt::format(" ({})", probes::wire_name(*view.reason));
  return out;
}

}  // namespace agent
