#include "agent/watch/domain_list.h"

#include <algorithm>
#include <numeric>
#include <utility>

namespace agent {
namespace {

DomainBrief brief_of(const DomainState& state) {
  DomainBrief out{.role = state.configured->role};
  if (!state.judged) return out;
  const auto seen = state.judged->seen.open();
  out.observed_at = seen->observed_at;
  if (seen->mx.signatures) out.signed_until = seen->mx.signatures->expiration;
  out.hosts = state.judged->hosts.identity();
  out.status = probes::status_of(*state.judged);
  out.delivery = probes::delivery_of(*state.judged);
  out.verdict = state.judged->verdict;
  out.is_judged = true;
  out.has_findings = !state.judged->findings.empty();
  return out;
}

}  // namespace

DomainList::DomainList(std::initializer_list<DomainState> states) {
  for (const auto& state : states) push_back(state);
}

DomainList::Order DomainList::by_name() const {
  if (order_) return order_;
  auto out = std::make_shared<std::vector<std::uint32_t>>(size());
  std::iota(out->begin(), out->end(), 0U);
  std::ranges::sort(*out, {}, [this](std::uint32_t place) -> const std::string& {
    return (*this)[place].configured->name;
  });
  return out;
}

std::optional<std::size_t> DomainList::place_of(std::string_view name) const {
  const auto order = by_name();
  const auto found = std::ranges::lower_bound(
      *order, name, {},
      [this](std::uint32_t place) -> std::string_view { return (*this)[place].configured->name; });
  if (found == order->end() || (*this)[*found].configured->name != name) return std::nullopt;
  return *found;
}

void DomainList::push_back(DomainState state) {
  const auto brief = brief_of(state);
  push_back(std::move(state), brief);
}

void DomainList::push_back(DomainState state, DomainBrief brief) {
  order_ = nullptr;
  brief.role = state.configured->role;
  items_.push_back({.state = std::move(state), .brief = brief});
}

void DomainList::set(std::size_t place, DomainState state) {
  auto brief = brief_of(state);
  const auto& before = (*this)[place].configured;
  if (&*before != &*state.configured && before->name != state.configured->name) order_ = nullptr;
  items_.renew(place) = {.state = std::move(state), .brief = brief};
}

void DomainList::set_next_check(std::size_t place, config::Time at) {
  items_.renew(place).state.next_check_at = at;
}

}  // namespace agent
