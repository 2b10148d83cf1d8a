#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "agent/self/self_check.h"
#include "config/time.h"

// PURE
namespace agent {

// How a list of domains from elsewhere is, for people, metrics and the agent's check of itself.
struct ListHealth {
  std::string name;
  std::string source;                   // as people may see it: without the query of a URL
  std::size_t domains = 0;              // that it names
  std::size_t missing = 0;              // that it names no more, and that are watched on for a day
  config::Seconds refresh{300};         // it is read so often
  bool is_tried = false;                // since the agent started, or the list was configured
  std::optional<config::Time> read_at;  // read last, and gone by; null: never
  std::optional<std::string> fault;     // why it could not be read just now, in words
  unsigned failures = 0;                // one after the other
  struct Refusal {
    config::Time since;
    std::vector<std::string> lost;  // names that it lost at once
    std::size_t of = 0;             // of so many
    bool operator==(const Refusal&) const = default;
  };
  std::optional<Refusal> refusal;  // of what was read last, until somebody says that it is right
  bool operator==(const ListHealth&) const = default;
};

// A source that fails this often, one after the other, is told, and so is one that fails when its
// list is as old as that. One that was never read is told at once, for nothing of it is watched.
inline constexpr unsigned kListFailuresTold = 3;

// One check a list, "domain_list:" and its name: what is wrong with it, and what to do about that.
// It blinds nobody. Lists that were not tried yet have none, for nobody knows how they are.
[[nodiscard]] std::vector<SelfCheck> check_lists(const std::vector<ListHealth>& lists,
                                                 config::Time at);

// What of such a fault those are told who see their own domains only: neither names nor an address.
inline constexpr std::string_view kListInShort =
    "the list cannot be read, or has lost many names at once; who sees all domains is told more";

// The name of the list that the check is of; empty: of none.
[[nodiscard]] std::string_view list_of_check(std::string_view check);

}  // namespace agent
