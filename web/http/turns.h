#pragma once

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <list>
#include <map>
#include <optional>
#include <random>
#include <string>

// PURE but for what it remembers.
namespace web {

// Whose turn it is at something that costs much (a TLS handshake, trying a password) and that
// anybody may ask for. Everybody gets a turn, however many ask: first those who have not failed
// lately, by source; of the others one source after the other, and within a source one subject
// after the other. Who failed often, or asks for a subject at which many failed, is held to a pace.
class Turns {
 public:
  using Time = std::chrono::steady_clock::time_point;

  struct Limits {
    std::size_t places = 128;          // that wait, all together
    std::size_t places_a_source = 64;  // of them
    int free_failures = 3;             // of a source or for a subject, before they count
    std::chrono::milliseconds pace{100};
    std::chrono::seconds forgiven{600};  // after that time without a failure all are forgotten
    std::size_t sources = 1024;          // remembered
  };
  // Who asks, and for what.
  struct Claim {
    std::uint64_t id = 0;    // of the caller's choice
    std::string source;      // an address
    std::string subject;     // a user, known or not; may be empty
    bool has_begun = false;  // had a turn, and needs one more: goes first
  };

  // `seed`: of chance, and of which names share a record; nobody outside may know it.
  Turns(Limits limits, std::uint32_t seed) : limits_(limits), random_(seed) {}

  // Waits for a turn. Where there is no place left one is taken at random from the source that
  // holds most, or holds too many: the id of who lost it is returned, maybe that of the newcomer.
  [[nodiscard]] std::optional<std::uint64_t> wait(Claim claim, Time now);
  // Takes the place of who is next; nothing when nobody may go yet.
  [[nodiscard]] std::optional<Claim> next(Time now);
  // When somebody who waits may go; nothing when nobody waits.
  [[nodiscard]] std::optional<Time> ready_at(Time now) const;
  void failed(const Claim& claim, Time now);

  [[nodiscard]] std::size_t waiting() const { return waiting_.size(); }
  [[nodiscard]] std::size_t sources() const { return sources_.size(); }

 private:
  struct Record {
    int failures = 0;
    Time failed_at;
    Time next_at;                 // not before
    std::uint64_t last_turn = 0;  // its number
  };
  // Subjects share records, so that any number of names fits, and known ones do not stand out.
  static constexpr std::size_t kSubjects = 256;

  [[nodiscard]] bool is_bad(const Record& record, Time now) const;
  // Not held to a pace; null: a source of which nothing is remembered.
  [[nodiscard]] const Record* known(const std::string& source) const;
  [[nodiscard]] std::size_t subject(const std::string& name) const;
  [[nodiscard]] Time ready_at(const Claim& claim, Time now) const;
  Record& remembered(const std::string& source);
  std::optional<std::uint64_t> make_room(const std::string& source);

  Limits limits_;
  std::list<Claim> waiting_;  // by arrival
  std::map<std::string, Record> sources_;
  std::array<Record, kSubjects> subjects_{};
  std::minstd_rand random_;
  std::size_t salt_ = random_();
  std::uint64_t turn_ = 0;
};

}  // namespace web
