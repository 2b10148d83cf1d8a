#pragma once

#include <algorithm>
#include <optional>
#include <set>
#include <string>
#include <string_view>

#include "config/config.h"
#include "web/http/http.h"

// PURE
namespace web {

// The parameters of a request's query, each read once by what it must be. What is not given gives
// nothing; an empty word is not given. What cannot be read gives nothing, too, and a fault(), which
// the reader answers with when all are read. That a parameter is known at all the table of routes
// has seen to.
class Query {
 public:
  explicit Query(const Request& request) : given_(request.query) {}

  [[nodiscard]] std::optional<std::string> text(const std::string& name);
  // In digits, between the two.
  [[nodiscard]] std::optional<std::size_t> number(const std::string& name, std::size_t least,
                                                  std::size_t most);
  // A moment as RFC 3339, or as milliseconds since 1970, which Grafana's links carry.
  [[nodiscard]] std::optional<config::Time> moment(const std::string& name);
  // One of the words that `read` knows.
  template <class Read>
  [[nodiscard]] auto word(const std::string& name, Read read) -> decltype(read(std::string())) {
    const auto given = text(name);
    if (!given) return std::nullopt;
    auto value = read(*given);
    if (!value) note_fault(name);
    return value;
  }
  // Some of those words, with commas between.
  template <class Read>
  [[nodiscard]] auto words(const std::string& name, Read read) {
    using Value = typename decltype(read(std::string()))::value_type;
    return word(name, [&](const std::string& given) -> std::optional<std::set<Value>> {
      std::set<Value> out;
      for (std::size_t at = 0; at <= given.size();) {
        const auto end = std::min(given.find(',', at), given.size());
        auto value = read(given.substr(at, end - at));
        if (!value) return std::nullopt;
        out.insert(std::move(*value));
        at = end + 1;
      }
      return out;
    });
  }

  // Whether it is that word, the only one that it may be.
  [[nodiscard]] bool says(const std::string& name, std::string_view only);

  // Whether a list is asked for as a table, all of it.
  [[nodiscard]] bool is_table();
  // How much of a list is asked for. As a table all of it is.
  struct Part {
    std::size_t offset = 0;
    std::size_t limit = 100;
    bool is_table = false;
  };
  [[nodiscard]] Part part(std::size_t most, std::size_t by_default = 100);

  // Why the query cannot be answered: the first of the parameters that could not be read.
  [[nodiscard]] std::optional<Reply> fault() const;

 private:
  void note_fault(const std::string& name);

  const std::map<std::string, std::string>& given_;
  std::optional<std::string> wrong_;  // name
};

[[nodiscard]] std::optional<config::Role> role_from(std::string_view name);

// Whose domains are asked for, by `role` and `group`.
struct Whom {
  std::optional<config::Role> role;
  std::optional<std::string> group;

  [[nodiscard]] bool is_everybody() const { return !role && !group; }
  [[nodiscard]] bool fits(const config::Domain& domain) const {
    return (!role || domain.role == *role) && (!group || domain.group == *group);
  }
};
[[nodiscard]] Whom whom(Query& query);

// The refusal of a parameter: 400, and which.
[[nodiscard]] Reply bad_parameter(const std::string& name, const std::string& value);

}  // namespace web
