#pragma once

#include <chrono>
#include <cstddef>
#include <list>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include <poll.h>

#include "web/http/attempt.h"
#include "web/http/channel.h"
#include "web/http/request_framer.h"

namespace web {

// A client at the loop, from its coming to its leaving. One thread at a time has it.
struct Client {
  enum class Phase { greeting, asking, reading_reply, leaving };

  std::unique_ptr<Channel> channel;
  std::string source;  // source_of()
  std::chrono::steady_clock::time_point deadline;
  Phase phase = Phase::asking;
  bool has_begun = false;  // to greet
  short wants = POLLIN;
  RequestFramer request;
  std::optional<Attempt> attempt;  // at logging in, when that had to be tried
  bool has_lost_place = false;     // in a TurnPool: too many wait, or for too long
  std::string reply;
  std::size_t taken = 0;  // of the reply

  [[nodiscard]] std::string_view rest() const { return std::string_view(reply).substr(taken); }
};

using Clients = std::list<Client>;  // one is spliced from list to list, never moved

}  // namespace web
