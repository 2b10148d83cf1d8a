#pragma once

#include <chrono>
#include <cstddef>
#include <vector>

#include "config/mutex.h"

// Which of several resolvers to ask first: remembered across questions, so that one that is silent
// or slow costs its second once and not with every question. Knows no resolver, only their places
// in a list; reads no clock. Shared by all threads.
namespace probes::dns {

class Standings {
 public:
  using Moment = std::chrono::steady_clock::time_point;
  using Duration = std::chrono::milliseconds;

  // How asking ended.
  enum class Heard {
    well,    // an answer
    badly,   // an error where another resolver had an answer, or what does not validate though the
             // zone's own servers hand out what does
    nothing  // silence, or no reply to the question
  };

  explicit Standings(std::size_t resolvers) : entries_(resolvers) {}

  // All of them, each once: those in good standing as configured, then those that failed of late,
  // the one whose time to be tried again comes first ahead. One whose time has come counts as good,
  // for one caller: the others go on without it until that one knows more.
  [[nodiscard]] std::vector<std::size_t> order(Moment at);
  // `about`: what was asked about, as a number; failures about the same count once.
  void record_reply(std::size_t resolver, Heard heard, Duration took, Moment at, std::size_t about);
  // No resolver is in good standing: each was silent, slow or wrong about kPoor things in a row of
  // late. (Once may be the question's fault: a zone whose servers are dead makes good resolvers
  // slow.)
  [[nodiscard]] bool is_poor(Moment at) const;
  // One of them handed out within kDoubted what was proven wrong: also what cannot be proven is
  // better asked elsewhere.
  void doubt(Moment at);
  [[nodiscard]] bool is_doubted(Moment at) const;
  // How long to wait for it at least: some multiple of what it needed last.
  [[nodiscard]] Duration patience(std::size_t resolver) const;

  static constexpr unsigned kPoor = 3;
  static constexpr Duration kSlow{1000};  // an answer that takes longer counts as none at all
  static constexpr Duration kFirstBan{5'000};
  static constexpr Duration kLongestBan{60'000};
  static constexpr Duration kDoubted{600'000};

 private:
  struct Entry {
    unsigned failures = 0;  // in a row
    std::size_t about = 0;  // the last of them
    Moment banned_until{};
    Duration took{0};  // the last answer
  };
  mutable config::Mutex mutex_;
  std::vector<Entry> entries_ GUARDED_BY(mutex_);
  Moment doubted_until_ GUARDED_BY(mutex_){};
};

}  // namespace probes::dns
