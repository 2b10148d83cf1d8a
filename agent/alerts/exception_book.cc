#include "agent/alerts/exception_book.h"

#include <algorithm>

#include "probes/verdict.h"

namespace agent {

ExceptionBook::ExceptionBook(const std::vector<Exception>& made) {
  for (const auto& one : made) made_.emplace(one.domain, one);
}

std::optional<Exception> ExceptionBook::make(Round& round, const std::string& domain,
                                             const probes::DomainJudgement& judged) {
  auto made = exception_for(judged, round.at);
  if (!made) return std::nullopt;
  round.exceptions.push_back(*made);
  made_.insert_or_assign(domain, *made);
  well_looks_.erase(domain);
  return made;
}

bool ExceptionBook::end(Round& round, const std::string& domain) {
  const auto made = made_.find(domain);
  if (made == made_.end()) return false;
  round.ended_exceptions.push_back(domain);
  well_looks_.erase(domain);
  made_.erase(made);
  return true;
}

bool ExceptionBook::is_served(const Exception& made) const {
  return is_serving_ && made.level == "encrypt";
}

// A look that could not tell says neither.
bool ExceptionBook::is_well_for_long(const std::string& domain, const Exception& made,
                                     const probes::DomainJudgement& judged) {
  constexpr int kLooks = 2;
  auto& looks = well_looks_[domain];
  // Also where DANE has been given up: mail goes without the exception, and would go in the clear
  // only where the partner takes it no other way.
  const bool is_well =
      is_deliverable(judged.verdict) && judged.verdict != probes::Verdict::cleartext;
  if (is_well) {
    // Every host since all that the look before saw: what was judged anew was not looked at anew.
    auto oldest = config::Time::max(), newest = config::Time::min();
    for (const auto& host : judged.hosts) {
      oldest = std::min(oldest, host.seen->observed_at);
      newest = std::max(newest, host.seen->observed_at);
    }
    if (!judged.hosts.empty() && oldest > std::max(looks.last, made.made_at))
      looks = {looks.count + 1, newest};
  } else if (judged.verdict != probes::Verdict::unknown) {
    looks = {};
  }
  return looks.count >= kLooks;
}

std::optional<probes::Finding> ExceptionBook::follow(Round& round, const std::string& domain,
                                                     const probes::DomainJudgement& judged) {
  const auto made = made_.find(domain);
  if (made == made_.end() || !is_served(made->second))
    return leftover_exception(
        judged, made == made_.end() ? std::nullopt : std::optional{made->second}, round.at);
  const bool is_well = is_well_for_long(domain, made->second, judged);
  if (is_well || round.at >= made->second.until) end(round, domain);
  return std::nullopt;
}

std::vector<Exception> ExceptionBook::all() const {
  std::vector<Exception> out;
  for (const auto& [domain, made] : made_) out.push_back(made);
  return out;
}

}  // namespace agent
