#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "config/config.h"
#include "config/result.h"

// PURE
// What stands in a list of domains (Config::domain_lists), whether it was a file or came from
// elsewhere.
namespace config {

// No list is larger, in octets; some million names.
inline constexpr std::size_t kLargestList = std::size_t{16} << 20;

// One domain a line; blanks around it and what follows '#' are passed over. `faults` has the lines
// that hold anything else, the first 1000 of them; lines and columns count from 1.
struct DomainLines {
  struct Fault {
    int line = 0;
    int column = 0;
    std::string text;     // as it stands there
    std::string message;  // a phrase
  };
  std::vector<std::string> names;  // A-label form, in their order, perhaps more than once
  std::vector<Fault> faults;
};
[[nodiscard]] DomainLines parse_domain_lines(std::string_view text);

struct ListedDomain {
  std::string name;  // A-label form
  // As the list itself says; null: as its entry in the configuration does.
  std::optional<Role> role;
  std::optional<std::string> group;
  bool operator==(const ListedDomain&) const = default;
};

// The body that a URL gave: JSON in the shape of Prometheus' http_sd, a list of
//   {"targets": ["example.org", …], "labels": {"role": "inbound", "group": "ours"}}
// of whose labels those two count, or else lines as in a file. No name comes twice; the first
// stands. A body with any fault in it is refused as a whole, as a file is: the error names the
// first one, fit for one line of a log. "[]" is a list of none; lines without any name are no list,
// for that is what comes of a source that is broken.
[[nodiscard]] Result<std::vector<ListedDomain>, std::string> parse_listed_domains(
    std::string_view body);

// Each name once, the first of each.
[[nodiscard]] std::vector<ListedDomain> without_repeats(std::vector<ListedDomain> domains);

}  // namespace config
