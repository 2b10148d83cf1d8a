#pragma once

#include <cstddef>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "config/config.h"
#include "config/result.h"

namespace web {

// Who comes in, and what they may do: users with bcrypt hashes (HTTP Basic, RFC 7617), machines
// with tokens (Bearer, RFC 6750). No secret leaves it, and how long an answer takes tells nothing
// about one. Any thread may ask.
class Access {
 public:
  // Passwords are guessed one at a time, whoever asks: some 17 in a second at cost 10. This many
  // may wait for their turn; those behind are told to come again.
  static constexpr int kMostWaiting = 8;

  struct Answer {
    std::optional<config::Right> right;  // nothing: they are not known
    bool is_busy = false;                // too many passwords are being tried; nothing was
  };

  // Reads the token files; the error is for the operator.
  [[nodiscard]] static config::Result<std::shared_ptr<const Access>, std::string> make(
      const config::Web& settings);

  // By the value of the header Authorization; may take as long as bcrypt does, and those who wait.
  // Where there are neither users nor tokens everybody may do everything.
  [[nodiscard]] Answer judge(const std::string& authorization) const;
  // What to answer in WWW-Authenticate to those who are not known.
  [[nodiscard]] std::string challenge() const;

 private:
  struct Pass {
    std::string digest;  // of the token
    config::Right right;
  };
  Access() = default;
  [[nodiscard]] Answer judge_password(const std::string& user, const std::string& password) const;
  [[nodiscard]] config::Right right_of(const std::string& user) const;
  [[nodiscard]] std::string digest(const std::string& secret) const;

  std::string key_;  // of the digests: random, so that they mean nothing elsewhere
  std::map<std::string, std::string> users_;
  std::vector<std::string> operators_;
  std::vector<Pass> passes_;

  mutable std::mutex memory_;
  mutable std::map<std::string, std::string> remembered_;  // user, digest of their right password
  mutable int waiting_ = 0;
  mutable std::mutex trying_;
};

}  // namespace web
