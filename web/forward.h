#pragma once

#include <chrono>
#include <stop_token>
#include <string>

#include "web/http/http.h"

namespace web {

// Of a request that another agent has sent on: who. It is not sent on again.
inline constexpr const char* kAskedBy = "danelaw-asked-by";

struct Forwarded {
  enum class End {
    whole,     // it is the other's reply, or one that says why nothing whole came
    unread,    // the other cannot have seen the request: no connection came about
    given_up,  // told to stop
  };
  End end = End::whole;
  Reply reply;  // 503 where nothing whole came, with the reason
};

// Has another agent answer, as whoever asked: their credentials go along. `url`: of its API;
// `self`: our name. Blocks until `deadline` at most; when told to stop, it ends at once.
[[nodiscard]] Forwarded forward(const std::string& url, const Request& request,
                                const std::string& self,
                                std::chrono::steady_clock::time_point deadline,
                                const std::stop_token& stop);

}  // namespace web
