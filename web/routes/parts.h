#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>

#include <nlohmann/json.hpp>

#include "agent/watch/runner.h"
#include "web/http/http.h"

// What several handlers need.
namespace web {

inline constexpr std::size_t kMostItems = 500;  // of a list, in one reply

[[nodiscard]] nlohmann::ordered_json text_or_null(const std::optional<std::string>& value);
// Since when it is so; of what is not known in the history null.
[[nodiscard]] nlohmann::ordered_json since_json(const std::map<std::string, config::Time>& since,
                                                const std::string& domain);
[[nodiscard]] nlohmann::ordered_json alert_json(const agent::Alert& alert,
                                                const agent::Snapshot& snapshot,
                                                const agent::Domains& domains);

// The same with a few of its names, and how many there are: what lists show.
inline constexpr std::size_t kMostNames = 20;
[[nodiscard]] nlohmann::ordered_json short_alert_json(const agent::Alert& alert,
                                                      const agent::Snapshot& snapshot,
                                                      const agent::Domains& domains);

// A title that begins with its subject's name, as one for all that are alike.
[[nodiscard]] std::string without_name(std::string title, const probes::Subject& subject);

// {"code":…,"severity":…,"title":…}; null where there is none.
[[nodiscard]] nlohmann::ordered_json worst_json(const probes::Finding* finding);

// As in JSON, in the catalogue's order.
[[nodiscard]] nlohmann::ordered_json names_of(const std::set<probes::Code>& codes);

// {"items":…,"next":…,"total":…}: `items` are those of the part, of `total`. `more`: members
// beside, of the whole list.
[[nodiscard]] Reply page_of(nlohmann::ordered_json items, std::size_t offset, std::size_t total,
                            const nlohmann::ordered_json& more = nlohmann::ordered_json::object());

[[nodiscard]] Reply storage_failed(const std::string& detail);
// 204, or 404 with the reason.
// Of what people asked for: 503 where it could only not be recorded.
[[nodiscard]] Reply not_done(int status, std::string_view title, const std::string& error);
[[nodiscard]] Reply done_or_not_found(const agent::Actions::Done& done);

// An MX host of a watched domain as it was last seen, or null; and what is said then.
[[nodiscard]] const probes::HostObservation* host_seen(const agent::Snapshot& snapshot,
                                                       const std::string& name);
[[nodiscard]] Reply no_such_host(const std::string& name);

// The host as followed; null when it is not.
[[nodiscard]] const agent::Snapshot::Followed* find_host(const agent::Snapshot& snapshot,
                                                         const std::string& name);

// Whether a request that changes something may come from a page of ours (Fetch Metadata, else
// Origin).
[[nodiscard]] bool is_same_site(const Request& request);

}  // namespace web
