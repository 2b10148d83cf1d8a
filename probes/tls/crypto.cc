#include "probes/tls/crypto.h"

#include <array>
#include <cstddef>
#include <cstdint>
#include <new>
#include <span>

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>

namespace probes::tls {
namespace {

const unsigned char* octets_of(std::string_view text) {
  return reinterpret_cast<const unsigned char*>(text.data());
}

}  // namespace

std::string base64(std::string_view octets) {
  std::string out((octets.size() + 2) / 3 * 4 + 1, '\0');  // OpenSSL ends it with a NUL
  EVP_EncodeBlock(reinterpret_cast<unsigned char*>(out.data()), octets_of(octets),
                  static_cast<int>(octets.size()));
  out.pop_back();
  return out;
}

std::optional<std::string> from_base64(std::string_view text) {
  // OpenSSL takes more: white space around it, and padding within.
  constexpr std::string_view kAlphabet =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  const auto padding = text.size() - (text.find_last_not_of('=') + 1);
  const auto digits = text.substr(0, text.size() - padding);
  if (text.size() % 4 != 0 || padding > 2 || digits.find_first_not_of(kAlphabet) != digits.npos)
    return std::nullopt;
  std::string out(text.size() / 4 * 3, '\0');
  if (EVP_DecodeBlock(reinterpret_cast<unsigned char*>(out.data()), octets_of(text),
                      static_cast<int>(text.size())) < 0)
    return std::nullopt;
  out.resize(out.size() - padding);
  return out;
}

std::string hmac_sha256(std::string_view key, std::string_view text) {
  std::array<std::uint8_t, EVP_MAX_MD_SIZE> code{};
  unsigned size = 0;
  // No key at all would be the one of the time before.
  const char* const begin = key.empty() ? "" : key.data();
  if (HMAC(EVP_sha256(), begin, static_cast<int>(key.size()), octets_of(text), text.size(),
           code.data(), &size) == nullptr)
    throw std::bad_alloc();
  return fmt::format("{:02x}", fmt::join(std::span{code}.first(size), ""));
}

bool is_equal(std::string_view one, std::string_view other) {
  return one.size() == other.size() && CRYPTO_memcmp(one.data(), other.data(), one.size()) == 0;
}

}  // namespace probes::tls
