#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "agent/alerts/partners.h"
#include "config/mutex.h"

namespace agent {

// What Postfix' smtp_tls_policy_maps is told: "encrypt" for domains whose exception a person has
// approved and whose time is not over, and nothing otherwise. Also nothing for an exception of
// another level: that mail may go in the clear is never said here. Any thread may call.
class PolicyTable {
 public:
  static constexpr std::string_view kName = "danelaw";  // of the socketmap

  struct Asked {
    std::uint64_t times = 0;
    std::optional<config::Time> last_at;
  };

  void set(const std::vector<Exception>& exceptions);
  // Empty: nothing is known of it. Of any other map nothing is.
  [[nodiscard]] std::string answer(std::string_view map, std::string_view key, config::Time at);

  // How often Postfix asked for the domains that have an exception, since each was approved or this
  // process began.
  [[nodiscard]] std::map<std::string, Asked> asked() const;
  [[nodiscard]] std::uint64_t answered_ok() const;
  [[nodiscard]] std::uint64_t answered_not_found() const;

 private:
  struct Row {
    Exception exception;
    Asked asked;
  };
  mutable config::Mutex mutex_;
  std::map<std::string, Row, std::less<>> rows_ GUARDED_BY(mutex_);
  std::uint64_t ok_ GUARDED_BY(mutex_) = 0;
  std::uint64_t not_found_ GUARDED_BY(mutex_) = 0;
};

}  // namespace agent
