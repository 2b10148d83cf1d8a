#include "web/http/auth.h"

#include <algorithm>
#include <cstdint>
#include <string_view>

#include <crypt.h>
#include <fmt/format.h>
#include <sys/random.h>

#include "config/secret.h"
#include "probes/tls/crypto.h"
#include "web/http/http.h"

namespace web {
namespace {

using config::Failure;
using config::Result;
using config::Right;
using probes::tls::from_base64;
using probes::tls::is_equal;

// What stands behind the name of the scheme, which knows no case.
std::optional<std::string> credentials(const std::string& authorization, std::string_view scheme) {
  const auto blank = authorization.find(' ');
  if (blank == std::string::npos || lower_case(authorization.substr(0, blank)) != scheme)
    return std::nullopt;
  const auto begin = authorization.find_first_not_of(' ', blank);
  return begin == std::string::npos ? std::string() : authorization.substr(begin);
}

bool is_password_of(const std::string& hash, const std::string& password) {
  const auto space = std::make_unique<crypt_data>();
  const char* const made = crypt_r(password.c_str(), hash.c_str(), space.get());
  return made != nullptr && is_equal(made, hash);
}

// The cost of a bcrypt hash; each one more doubles the time.
int cost_of(const std::string& hash) {
  return (hash.at(4) - '0') * 10 + (hash.at(5) - '0');
}

// Takes as long as a hash of that cost.
void waste(const std::string& password, int cost) {
  (void)is_password_of(fmt::format("$2y${:02}$abcdefghijklmnopqrstuu", cost), password);
}

}  // namespace

std::string_view wire_name(Auth::Login login) {
  switch (login) {
    case Auth::Login::none:
      return "none";
    case Auth::Login::user:
      return "user";
    case Auth::Login::token:
      return "token";
  }
  return "none";
}

std::map<std::string, std::string> Auth::remembered() const {
  const config::Lock lock(memory_);
  return remembered_;
}

Result<std::shared_ptr<const Auth>, std::string> Auth::make(const config::Web& settings,
                                                            const Auth* before) {
  constexpr std::size_t kShortest = 16;
  const auto out = std::shared_ptr<Auth>(new Auth);
  out->users_ = settings.file.users;
  if (before != nullptr) {
    out->key_ = before->key_;
    auto remembered = before->remembered();
    std::erase_if(remembered, [&](const auto& login) {
      const auto now = out->users_.find(login.first);
      return now == out->users_.end() || now->second != before->users_.at(login.first);
    });
    const config::Lock lock(out->memory_);
    out->remembered_ = std::move(remembered);
  } else {
    out->key_.resize(32);
    if (getrandom(out->key_.data(), out->key_.size(), 0) != static_cast<ssize_t>(out->key_.size()))
      return Failure<std::string>("the system has no random numbers");
  }
  out->operators_ = settings.operators;
  for (const auto& [user, groups] : settings.user_groups)
    out->groups_.emplace(user, Groups{groups.begin(), groups.end()});
  for (const auto& token : settings.tokens) {
    const auto secret = config::read_secret(token.file);
    if (!secret) return Failure<std::string>(secret.error());
    if (secret->size() < kShortest) {
      return Failure<std::string>(fmt::format(
          "{}: a token needs {} characters or more; `openssl rand -hex 32` makes a good one",
          token.file.string(), kShortest));
    }
    Pass pass{.name = token.name,
              .digest = out->digest(*secret),
              .right = token.right,
              .groups = std::nullopt};
    if (!token.groups.empty()) pass.groups.emplace(token.groups.begin(), token.groups.end());
    out->passes_.push_back(std::move(pass));
  }
  return out;
}

std::optional<Auth::Credentials> Auth::login_of(const std::string& authorization) {
  const auto basic = credentials(authorization, "basic");
  const auto pair = basic ? from_base64(*basic) : std::nullopt;
  const auto colon = pair ? pair->find(':') : std::string::npos;
  // crypt(3) would read up to the first NUL only.
  if (colon == std::string::npos || pair->find('\0') != std::string::npos) return std::nullopt;
  return Credentials{.user = pair->substr(0, colon), .password = pair->substr(colon + 1)};
}

Auth::LoginAnswer Auth::judge(const std::string& authorization,
                              const std::optional<Attempt>& attempt) const {
  if (users_.empty() && passes_.empty()) return {.right = Right::operate};
  if (const auto token = credentials(authorization, "bearer")) {
    const auto given = digest(*token);
    LoginAnswer answer;
    for (const auto& pass : passes_) {  // all of them, always
      if (is_equal(pass.digest, given))
        answer = {
            .right = pass.right, .login = Login::token, .name = pass.name, .groups = pass.groups};
    }
    return answer;
  }
  const auto login = users_.empty() ? std::nullopt : login_of(authorization);
  if (!login) return {};
  if (is_remembered(*login)) return known(login->user);
  // What was right is remembered: if not here, then users have changed since.
  const bool is_wrong = attempt && attempt->authorization == authorization && !attempt->is_right;
  return {.right = std::nullopt, .is_untried = !is_wrong};
}

std::optional<std::string> Auth::untried(const std::string& authorization) const {
  if (!judge(authorization).is_untried) return std::nullopt;
  return login_of(authorization)->user;
}

// Only right passwords are remembered, one for each user: wrong ones are as dear every time, and no
// number of them drives a right one out.
Attempt Auth::attempt(const std::string& authorization) const {
  Attempt out{.authorization = authorization};
  const auto login = login_of(authorization);
  if (!login || users_.empty()) return out;
  const auto& [user, password] = *login;
  if (is_remembered(*login)) {
    out.is_right = true;
    return out;
  }
  int highest = 0;
  for (const auto& [name, hash] : users_) highest = std::max(highest, cost_of(hash));
  const auto entry = users_.find(user);
  if (entry == users_.end()) {
    waste(password, highest);
    return out;
  }
  out.is_right = is_password_of(entry->second, password);
  if (!out.is_right) {
    // 2^c + (2^c + 2^(c+1) + … + 2^(h-1)) = 2^h
    for (int cost = cost_of(entry->second); cost < highest; ++cost) waste(password, cost);
    return out;
  }
  const config::Lock lock(memory_);
  remembered_[user] = digest(user + '\0' + password);
  return out;
}

bool Auth::is_remembered(const Credentials& login) const {
  const auto given = digest(login.user + '\0' + login.password);
  const config::Lock lock(memory_);
  const auto known = remembered_.find(login.user);
  return known != remembered_.end() && is_equal(known->second, given);
}

Right Auth::right_of(const std::string& user) const {
  const bool operates = std::ranges::find(operators_, user) != operators_.end();
  return operates ? Right::operate : Right::read;
}

Auth::LoginAnswer Auth::known(const std::string& user) const {
  LoginAnswer out{.right = right_of(user), .login = Login::user, .name = user};
  if (const auto mine = groups_.find(user); mine != groups_.end()) out.groups = mine->second;
  return out;
}

std::string Auth::challenge() const {
  return users_.empty() ? R"(Bearer realm="danelaw")" : R"(Basic realm="danelaw", charset="UTF-8")";
}

std::string Auth::digest(const std::string& secret) const {
  return probes::tls::hmac_sha256(key_, secret);
}

}  // namespace web
