#pragma once

#include <stop_token>
#include <string>

#include "web/http/http.h"

namespace web {

// Of a request that another agent has sent on: who. It is not sent on again.
inline constexpr const char* kAskedBy = "danelaw-asked-by";

// Has another agent answer, as whoever asked: their credentials go along. `url`: of its API;
// `self`: our name. Blocks for half a minute at most. Where nothing whole comes it is 503, with the
// reason; when told to stop, it is so at once.
[[nodiscard]] Reply forward(const std::string& url, const Request& request, const std::string& self,
                            const std::stop_token& stop);

}  // namespace web
