#pragma once

#include <cstddef>
#include <optional>
#include <string>
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

// The check "domain_lists": what is wrong with which list, and what to do about it. It blinds
// nobody.
[[nodiscard]] SelfCheck check_lists(const std::vector<ListHealth>& lists, config::Time at);

// Whether that check says how lists are: right after a start nobody knows yet.
[[nodiscard]] bool are_all_tried(const std::vector<ListHealth>& lists);

}  // namespace agent
