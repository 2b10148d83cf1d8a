#include "web/http/turns.h"

#include <algorithm>
#include <iterator>
#include <tuple>

namespace web {

bool Turns::is_bad(const Record& record, Time now) const {
  return record.failures >= limits_.free_failures && now - record.failed_at < limits_.forgiven;
}

const Turns::Record* Turns::known(const std::string& source) const {
  const auto entry = sources_.find(source);
  return entry == sources_.end() ? nullptr : &entry->second;
}

std::size_t Turns::subject(const std::string& name) const {
  return std::hash<std::string>{}(name + std::to_string(salt_)) % kSubjects;
}

// Whoever comes from a source without failures waits for no pace, not even for that of the subject:
// others cannot keep them out by guessing.
Turns::Time Turns::ready_at(const Claim& claim, Time now) const {
  const auto* source = known(claim.source);
  if (source == nullptr || !is_bad(*source, now)) return now;
  const auto& subject_record = subjects_.at(subject(claim.subject));
  return std::max(source->next_at, is_bad(subject_record, now) ? subject_record.next_at : now);
}

// Those who did well lose the least by being forgotten.
Turns::Record& Turns::remembered(const std::string& source) {
  if (const auto entry = sources_.find(source); entry != sources_.end()) return entry->second;
  if (sources_.size() >= limits_.sources) {
    sources_.erase(std::ranges::min_element(sources_, {}, [](const auto& entry) {
      return std::pair(entry.second.failures, entry.second.last_turn);
    }));
  }
  return sources_[source];
}

std::optional<std::uint64_t> Turns::make_room(const std::string& source) {
  std::map<std::string, std::size_t> held;
  for (const auto& claim : waiting_) ++held[claim.source];
  auto greediest = held.find(source);
  if (greediest->second <= limits_.places_a_source) {
    if (waiting_.size() <= limits_.places) return std::nullopt;
    greediest = std::ranges::max_element(held, {}, [](const auto& entry) { return entry.second; });
  }
  auto unlucky = random_() % greediest->second;
  const auto claim = std::ranges::find_if(
      waiting_, [&](const Claim& one) { return one.source == greediest->first && unlucky-- == 0; });
  const auto id = claim->id;
  waiting_.erase(claim);
  return id;
}

std::optional<std::uint64_t> Turns::wait(Claim claim, Time /*now*/) {
  const auto source = claim.source;
  waiting_.push_back(std::move(claim));
  return make_room(source);
}

std::optional<Turns::Claim> Turns::next(Time now) {
  auto best = waiting_.end();
  // Those with failures get every fourth turn, too, while others come all the time.
  const bool is_for_bad = (turn_ + 1) % 4 == 0;
  using Rank = std::tuple<bool, bool, std::uint64_t, std::uint64_t>;
  Rank best_rank;
  for (auto claim = waiting_.begin(); claim != waiting_.end(); ++claim) {
    if (ready_at(*claim, now) > now) continue;
    const auto* source = known(claim->source);
    const bool is_source_bad = source != nullptr && is_bad(*source, now);
    const Rank rank{!claim->has_begun, is_source_bad != is_for_bad,
                    source == nullptr ? 0 : source->last_turn,
                    subjects_.at(subject(claim->subject)).last_turn};
    if (best != waiting_.end() && rank >= best_rank) continue;
    best = claim;
    best_rank = rank;
  }
  if (best == waiting_.end()) return std::nullopt;
  auto out = std::move(*best);
  waiting_.erase(best);
  ++turn_;
  auto& source = remembered(out.source);
  auto& of_subject = subjects_.at(subject(out.subject));
  source.last_turn = of_subject.last_turn = turn_;
  if (is_bad(source, now)) source.next_at = of_subject.next_at = now + limits_.pace;
  return out;
}

std::optional<Turns::Time> Turns::ready_at(Time now) const {
  std::optional<Time> out;
  for (const auto& claim : waiting_) {
    const auto at = ready_at(claim, now);
    if (!out || at < *out) out = at;
  }
  return out;
}

void Turns::failed(const Claim& claim, Time now) {
  for (auto* record : {&remembered(claim.source), &subjects_.at(subject(claim.subject))}) {
    if (now - record->failed_at >= limits_.forgiven) record->failures = 0;
    record->failures = std::min(record->failures + 1, limits_.free_failures);
    record->failed_at = now;
  }
}

}  // namespace web
