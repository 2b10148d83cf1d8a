#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "config/result.h"
#include "storage/place.h"

namespace storage {

// Of the agents with one database of PostgreSQL one leads: it has an advisory lock, on a connection
// of its own, and an epoch, a number that rises with every one that began to lead. Whatever a
// leader decides is written under its epoch (Place::led_in), and refused once there is another: a
// machine that was paused, or cut off, for long writes nothing and finds no letters to send. The
// lock is taken again when the server was away meanwhile.
class Leadership {
 public:
  // Makes the schema, too. The error says who leads. `on_lost`: another agent leads; is called
  // once, from a thread of its own.
  [[nodiscard]] static config::Result<std::unique_ptr<Leadership>, std::string> take(
      const Place& place, const std::string& agent,
      std::function<void(const std::string& words)> on_lost);
  ~Leadership();
  Leadership(const Leadership&) = delete;
  Leadership& operator=(const Leadership&) = delete;

  [[nodiscard]] std::int64_t epoch() const;
  // Asks the server. What it does not answer is taken for yes. Any thread.
  [[nodiscard]] bool is_held();

 private:
  struct State;
  explicit Leadership(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace storage
