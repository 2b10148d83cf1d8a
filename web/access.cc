#include "web/access.h"

#include <algorithm>
#include <cstdint>
#include <string_view>

#include <crypt.h>
#include <fmt/format.h>
#include <sys/random.h>

#include "agent/notifiers/wire.h"
#include "web/http.h"

namespace web {
namespace {

using config::Failure;
using config::Result;
using config::Right;

// In a time that depends on the lengths only.
bool is_equal(std::string_view one, std::string_view other) {
  if (one.size() != other.size()) return false;
  unsigned difference = 0;
  for (std::size_t i = 0; i < one.size(); ++i)
    difference |= static_cast<unsigned>(one[i] ^ other[i]) & 0xffU;
  return difference == 0;
}

// RFC 4648 §4, with its padding.
std::optional<std::string> from_base64(std::string_view text) {
  constexpr std::string_view kAlphabet =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  if (text.size() % 4 != 0) return std::nullopt;
  while (text.ends_with('=') && text.size() % 4 != 2) text.remove_suffix(1);
  std::string out;
  std::uint32_t bits = 0;
  int count = 0;
  for (const char c : text) {
    const auto value = kAlphabet.find(c);
    if (value == std::string_view::npos) return std::nullopt;
    bits = bits << 6U | static_cast<std::uint32_t>(value);
    count += 6;
    if (count < 8) continue;
    count -= 8;
    out += static_cast<char>(bits >> static_cast<unsigned>(count) & 0xffU);
  }
  return out;
}

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

}  // namespace

Result<std::shared_ptr<const Access>, std::string> Access::make(const config::Web& settings) {
  constexpr std::size_t kShortest = 16;
  const auto out = std::shared_ptr<Access>(new Access);
  out->key_.resize(32);
  if (getrandom(out->key_.data(), out->key_.size(), 0) != static_cast<ssize_t>(out->key_.size()))
    return Failure<std::string>("the system has no random numbers");
  out->users_ = settings.file.users;
  out->operators_ = settings.operators;
  for (const auto& token : settings.tokens) {
    const auto secret = agent::wire::read_secret(token.file);
    if (!secret) return Failure<std::string>(secret.error());
    if (secret->size() < kShortest) {
      return Failure<std::string>(fmt::format(
          "{}: a token needs {} characters or more; `openssl rand -hex 32` makes a good one",
          token.file.string(), kShortest));
    }
    out->passes_.push_back({.digest = out->digest(*secret), .right = token.right});
  }
  return out;
}

Access::Answer Access::judge(const std::string& authorization) const {
  if (users_.empty() && passes_.empty()) return {.right = Right::operate};
  if (const auto token = credentials(authorization, "bearer")) {
    const auto given = digest(*token);
    Answer answer;
    for (const auto& pass : passes_) {  // all of them, always
      if (is_equal(pass.digest, given)) answer.right = pass.right;
    }
    return answer;
  }
  const auto basic = credentials(authorization, "basic");
  const auto pair = basic ? from_base64(*basic) : std::nullopt;
  const auto colon = pair ? pair->find(':') : std::string::npos;
  // crypt(3) would read up to the first NUL only.
  if (colon == std::string::npos || pair->find('\0') != std::string::npos) return {};
  return judge_password(pair->substr(0, colon), pair->substr(colon + 1));
}

// Only right passwords are remembered, one for each user: wrong ones are as dear every time, and no
// number of them drives a right one out.
Access::Answer Access::judge_password(const std::string& user, const std::string& password) const {
  if (users_.empty()) return {};
  const auto given = digest(user + '\0' + password);
  {
    const std::scoped_lock lock(memory_);
    const auto known = remembered_.find(user);
    if (known != remembered_.end() && is_equal(known->second, given))
      return {.right = right_of(user)};
    if (waiting_ >= kMostWaiting) return {.is_busy = true};
    ++waiting_;
  }
  const auto entry = users_.find(user);
  const bool is_known = entry != users_.end();
  // Who is not known takes as long as who is.
  const auto& hash = is_known ? entry->second : users_.begin()->second;
  bool is_right = false;
  {
    const std::scoped_lock one(trying_);
    is_right = is_password_of(hash, password) && is_known;
  }
  const std::scoped_lock lock(memory_);
  --waiting_;
  if (!is_right) return {};
  remembered_[user] = given;
  return {.right = right_of(user)};
}

Right Access::right_of(const std::string& user) const {
  const bool operates = std::ranges::find(operators_, user) != operators_.end();
  return operates ? Right::operate : Right::read;
}

std::string Access::challenge() const {
  return users_.empty() ? R"(Bearer realm="danelaw")" : R"(Basic realm="danelaw", charset="UTF-8")";
}

std::string Access::digest(const std::string& secret) const {
  return agent::wire::hmac_sha256(key_, secret);
}

}  // namespace web
