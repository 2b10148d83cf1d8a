#pragma once

#include <chrono>
#include <cstddef>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "web/http/attempt.h"
#include "web/http/channel.h"
#include "web/http/request_framer.h"
#include "web/http/turns.h"

namespace web {

// Receives clients, so that none of them can keep the others waiting. One thread reads requests and
// writes replies, of all clients at once; only a request that is there as a whole gets a thread of
// the pool, and gives it back with the reply still to be written. Slow, silent and endless clients
// hold a place here, and places are bounded: who has been here longest makes room for a newcomer.
// What costs much before anybody knows who asks, handshakes and passwords, is left to few threads
// of their own, in turns (web/http/turns.h).
//
// One request a connection: keeping connections alive would save a page of three files and a scrape
// a minute next to nothing, and keep places taken.
class ConnectionLoop {
 public:
  struct Limits {
    std::chrono::milliseconds request_time{5000};  // from the first octet to the last, TLS included
    std::chrono::milliseconds reply_time{30000};   // for taking the whole reply
    std::chrono::milliseconds farewell_time{1000};  // for the client to close
    std::size_t threads = 48;
    std::size_t places = 256;               // clients that are read from or written to
    std::size_t queue = 256;                // whole requests that wait for a thread
    std::size_t reply_octets = 64U << 20U;  // of all replies that wait to be taken
    std::size_t handshake_threads = 2;
    Turns::Limits handshakes;
    std::size_t login_threads = 2;
    std::chrono::milliseconds login_time{30000};  // for the turn of a password to come
    Turns::Limits logins;
  };
  // The reply to the request, octets both. May write to the channel itself, while it stays away
  // from the loop: then what it returns comes behind that. Called by many threads; must not throw
  // but for want of memory.
  using Serve = std::function<std::string(std::string request, Channel& client,
                                          const std::optional<Attempt>& attempt)>;
  // Makes a channel of an accepted, non-blocking socket, which it owns from then on; null when
  // there is none to be made.
  using Open = std::function<std::unique_ptr<Channel>(int fd)>;

  // What logging in costs. Must not throw.
  struct Login {
    // Whose password has to be tried before the request can be served; nothing when none has.
    std::function<std::optional<std::string>(const RequestFramer& request)> subject;
    // Tries it. Called by few threads, takes long.
    std::function<Attempt(const std::string& authorization)> attempt;
  };

  // Listens on the socket `listener`, non-blocking, which it owns from then on.
  ConnectionLoop(int listener, Limits limits, Open open, Login login, Serve serve);
  ~ConnectionLoop();  // takes no more requests, waits for those under way and a moment for their
                      // readers
  // Of the pool: as many as there is memory for, at least one.
  [[nodiscard]] std::size_t threads() const;
  ConnectionLoop(const ConnectionLoop&) = delete;
  ConnectionLoop& operator=(const ConnectionLoop&) = delete;

 private:
  class Loop;
  std::unique_ptr<Loop> loop_;
};

}  // namespace web
