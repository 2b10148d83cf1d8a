#pragma once

#include <cstddef>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "config/config.h"
#include "config/mutex.h"
#include "config/result.h"
#include "web/http/attempt.h"

namespace web {

// Who comes in, and what they may do: users with bcrypt hashes (HTTP Basic, RFC 7617), machines
// with tokens (Bearer, RFC 6750). No secret leaves it, and how long an answer takes tells nothing
// about one. Any thread may ask.
class Auth {
 public:
  enum class Login { none, user, token };  // none: nobody has to log in
  using Groups = std::set<std::string>;
  struct LoginAnswer {
    std::optional<config::Right> right;  // nothing: they are not known
    bool is_untried = false;             // their password would have to be tried first
    Login login = Login::none;
    std::string name{};  // of the user, or of the token; empty without login
    // They see and operate only what belongs to the domains of these; nothing: everybody's.
    std::optional<Groups> groups{};
  };

  // Reads the token files; the error is for the operator. `before`: whose right passwords are still
  // known then, of users whose hashes are the same.
  [[nodiscard]] static config::Result<std::shared_ptr<const Auth>, std::string> make(
      const config::Web& settings, const Auth* before = nullptr);

  // By the value of the header Authorization, at once. Where there are neither users nor tokens
  // everybody may do everything.
  [[nodiscard]] LoginAnswer judge(const std::string& authorization,
                                  const std::optional<Attempt>& attempt = std::nullopt) const;
  // The user, known or not, whose password would have to be tried before judge() can tell; nothing
  // when it can.
  [[nodiscard]] std::optional<std::string> untried(const std::string& authorization) const;
  // Tries the password, which takes as long as bcrypt does at the highest cost of all users,
  // whatever is wrong. A right one is remembered, and never tried again.
  [[nodiscard]] Attempt attempt(const std::string& authorization) const;
  // What to answer in WWW-Authenticate to those who are not known.
  [[nodiscard]] std::string challenge() const;

 private:
  struct Pass {
    std::string name;    // of the token
    std::string digest;  // of the token
    config::Right right;
    std::optional<Groups> groups;
  };
  Auth() = default;
  struct Credentials {
    std::string user;
    std::string password;
  };
  [[nodiscard]] static std::optional<Credentials> login_of(const std::string& authorization);
  [[nodiscard]] bool is_remembered(const Credentials& login) const;
  [[nodiscard]] std::map<std::string, std::string> remembered() const;
  [[nodiscard]] config::Right right_of(const std::string& user) const;
  [[nodiscard]] LoginAnswer known(const std::string& user) const;
  [[nodiscard]] std::string digest(const std::string& secret) const;

  std::string key_;  // of the digests: random, so that they mean nothing elsewhere
  std::map<std::string, std::string> users_;
  std::vector<std::string> operators_;
  std::map<std::string, Groups> groups_;  // of users who have some
  std::vector<Pass> passes_;

  mutable config::Mutex memory_;
  mutable std::map<std::string, std::string> remembered_
      GUARDED_BY(memory_);  // user, digest of their right password
};

[[nodiscard]] std::string_view wire_name(Auth::Login login);

}  // namespace web
