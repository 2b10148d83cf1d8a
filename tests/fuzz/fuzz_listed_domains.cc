// Any octets are the body of a list of domains: names in their normal form, none twice, or a fault
// of few words that is one harmless line where it is shown. What could be read can be read again as
// lines, and is the same.

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <set>
#include <string>
#include <string_view>

#include "config/listed_domains.h"
#include "config/name.h"
#include "probes/explain.h"
#include "tests/fuzz/demand.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using fuzz::demand;
  const std::string_view body{reinterpret_cast<const char*>(data), size};
  const auto read = config::parse_listed_domains(body);
  if (!read) {
    demand(!read.error().empty() && read.error().size() < 500, "a fault has few words");
    demand(std::ranges::none_of(probes::printable(read.error()),
                                [](char c) { return static_cast<unsigned char>(c) < 0x20; }),
           "a fault is one line where it is shown");
    return 0;
  }
  std::set<std::string> names;
  std::string lines;
  for (const auto& one : *read) {
    demand(config::normal_domain(one.name) == one.name, "a name is in its normal form");
    demand(names.insert(one.name).second, "no name twice");
    demand(!one.group || config::group_name(*one.group) == *one.group, "a group is a word");
    lines += one.name + "\n";
  }
  if (lines.empty()) return 0;
  const auto again = config::parse_listed_domains(lines);
  demand(again && again->size() == read->size(), "names are lines, too");
  return 0;
}
