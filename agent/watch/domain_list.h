#pragma once

#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <memory>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

#include "agent/alerts/round.h"
#include "agent/watch/shared_list.h"
#include "config/place_iterator.h"
#include "probes/status.h"

// PURE
namespace agent {

// What a list is filtered, sorted and counted by, without going to what was seen of a domain.
struct DomainBrief {
  config::Time observed_at = config::Time::min();   // that: never
  config::Time signed_until = config::Time::max();  // its MX RRset; that: it is not signed
  // Of what is judged of its hosts: config::SharedVector::identity(). Many domains share a list.
  const void* hosts = nullptr;
  probes::Status status = probes::Status::unknown;
  probes::Delivery delivery = probes::Delivery::unknown;
  probes::Verdict verdict = probes::Verdict::unknown;
  config::Role role = config::Role::inbound;
  bool is_judged = false;     // since the start
  bool has_findings = false;  // then
};

// The watched domains, in the order of the configuration. Copies share what neither changes
// (shared_list.h).
class DomainList {
 public:
  using value_type = DomainState;
  using const_iterator = config::PlaceIterator<DomainList>;
  using iterator = const_iterator;

  DomainList() = default;
  DomainList(std::initializer_list<DomainState> states);

  [[nodiscard]] std::size_t size() const { return items_.size(); }
  [[nodiscard]] bool empty() const { return items_.empty(); }
  [[nodiscard]] const DomainState& operator[](std::size_t place) const {
    return items_[place].state;
  }
  [[nodiscard]] const DomainState& front() const { return (*this)[0]; }
  [[nodiscard]] const_iterator begin() const { return {this, 0}; }
  [[nodiscard]] const_iterator end() const { return {this, static_cast<std::ptrdiff_t>(size())}; }
  [[nodiscard]] const DomainBrief& brief(std::size_t place) const { return items_[place].brief; }

  // The places, by the names of the domains as configured.
  using Order = std::shared_ptr<const std::vector<std::uint32_t>>;
  [[nodiscard]] Order by_name() const;
  // Nothing: it is not watched.
  [[nodiscard]] std::optional<std::size_t> place_of(std::string_view name) const;

  // Of a domain that is not there yet.
  void push_back(DomainState state);
  // `brief`: of the same judgement.
  void push_back(DomainState state, DomainBrief brief);
  void set(std::size_t place, DomainState state);
  // `act` may change the copy of the state that it is given.
  template <class Act>
  void change(std::size_t place, const Act& act) {
    auto state = (*this)[place];
    act(state);
    set(place, std::move(state));
  }
  void set_next_check(std::size_t place, config::Time at);
  // So that nobody who reads has to sort: until a name is added or changed.
  void keep_order() { order_ = by_name(); }

 private:
  struct Item {
    DomainState state;
    DomainBrief brief;
  };
  SharedList<Item, Item> items_;
  Order order_;  // null: not known
};

// Whether some of the domains are so, by what is known of them in brief.
template <class Is>
bool is_any(const DomainList& domains, const Is& is) {
  for (std::size_t i = 0; i < domains.size(); ++i) {
    if (is(domains.brief(i))) return true;
  }
  return false;
}

}  // namespace agent
