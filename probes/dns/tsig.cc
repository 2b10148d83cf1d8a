#include "probes/dns/tsig.h"

#include <array>
#include <cstdlib>
#include <new>

#include <fmt/format.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>

namespace probes::dns {
namespace {

using config::Failure;

constexpr std::uint16_t kFudge = 300;  // seconds, as everybody allows (§10)
constexpr std::uint16_t kAny = 255;
constexpr unsigned kMostUnsigned = 99;  // §5.3.1

struct Kind {
  const char* name;
  const EVP_MD* digest;
};

Kind kind_of(TsigKey::Algorithm algorithm) {
  switch (algorithm) {
    case TsigKey::Algorithm::hmac_sha256:
      return {"hmac-sha256", EVP_sha256()};
    case TsigKey::Algorithm::hmac_sha384:
      return {"hmac-sha384", EVP_sha384()};
    case TsigKey::Algorithm::hmac_sha512:
      return {"hmac-sha512", EVP_sha512()};
  }
  return {"hmac-sha256", EVP_sha256()};
}

Name name_of(TsigKey::Algorithm algorithm) {
  return Name::parse(kind_of(algorithm).name).value_or(Name{});
}

void put16(Bytes& out, std::size_t value) {
  out.push_back(static_cast<std::uint8_t>(value >> 8U));
  out.push_back(static_cast<std::uint8_t>(value));
}

void put(Bytes& out, std::span<const std::uint8_t> octets) {
  out.insert(out.end(), octets.begin(), octets.end());
}

void put_name(Bytes& out, const Name& name) {
  out.insert(out.end(), name.wire().begin(), name.wire().end());
}

void put_time(Bytes& out, std::uint64_t at, std::uint16_t fudge) {
  for (unsigned shift = 48; shift > 0; shift -= 8)
    out.push_back(static_cast<std::uint8_t>(at >> (shift - 8U)));
  put16(out, fudge);
}

void put_mac(Bytes& out, const Bytes& mac) {
  put16(out, mac.size());
  put(out, mac);
}

// §4.3.3
void put_variables(Bytes& out, const Tsig& tsig) {
  put_name(out, tsig.key);
  put16(out, kAny);
  put16(out, 0);
  put16(out, 0);  // TTL
  put_name(out, tsig.algorithm);
  put_time(out, tsig.signed_at, tsig.fudge);
  put16(out, tsig.error);
  put16(out, tsig.other.size());
  put(out, tsig.other);
}

Bytes mac_of(const TsigKey& key, const Bytes& octets) {
  std::array<std::uint8_t, EVP_MAX_MD_SIZE> code{};
  unsigned size = 0;
  // No key at all would be the one of the time before.
  const auto* const secret = key.secret.empty() ? code.data() : key.secret.data();
  if (HMAC(kind_of(key.algorithm).digest, secret, static_cast<int>(key.secret.size()),
           octets.data(), octets.size(), code.data(), &size) == nullptr)
    throw std::bad_alloc();
  return {code.begin(), code.begin() + size};
}

// As it was before it was signed (§4.3.2): with its own id, and without the signature.
Bytes unsigned_form(std::span<const std::uint8_t> message, const TransferMessage& read) {
  Bytes out(message.begin(), message.begin() + static_cast<std::ptrdiff_t>(read.signed_size));
  if (!read.tsig) return out;
  out[0] = static_cast<std::uint8_t>(read.tsig->original_id >> 8U);
  out[1] = static_cast<std::uint8_t>(read.tsig->original_id);
  const auto additionals = static_cast<unsigned>(out[10] << 8U | out[11]) - 1U;
  out[10] = static_cast<std::uint8_t>(additionals >> 8U);
  out[11] = static_cast<std::uint8_t>(additionals);
  return out;
}

std::string error_name(std::uint16_t error) {
  switch (error) {
    case 16:
      return "BADSIG: the secret is another there";
    case 17:
      return "BADKEY: it does not know the key";
    case 18:
      return "BADTIME: its clock or ours is wrong";
    default:
      return fmt::format("error {}", error);
  }
}

std::uint64_t seconds_of(config::Time at) {
  return static_cast<std::uint64_t>(at.time_since_epoch().count());
}

}  // namespace

Bytes TsigExchange::sign(Bytes request, config::Time at) {
  Tsig tsig{.key = key_.name, .algorithm = name_of(key_.algorithm)};
  tsig.signed_at = seconds_of(at);
  tsig.fudge = kFudge;
  tsig.original_id = static_cast<std::uint16_t>(request[0] << 8U | request[1]);
  Bytes digested = request;
  put_variables(digested, tsig);
  const auto mac = mac_of(key_, digested);

  Bytes data;
  put_name(data, tsig.algorithm);
  put_time(data, tsig.signed_at, tsig.fudge);
  put_mac(data, mac);
  put16(data, tsig.original_id);
  put16(data, 0);
  put16(data, 0);
  put_name(request, tsig.key);
  put16(request, type::tsig);
  put16(request, kAny);
  put16(request, 0);
  put16(request, 0);
  put16(request, data.size());
  put(request, data);
  ++request[11];  // the query had no additional records

  digested_.clear();
  put_mac(digested_, mac);
  return request;
}

config::Result<void, std::string> TsigExchange::verify(std::span<const std::uint8_t> message,
                                                       const TransferMessage& read,
                                                       config::Time at) {
  const bool is_first = !is_begun_;
  if (read.tsig && read.tsig->error != 0)
    return Failure<std::string>("the server refuses our signature: " +
                                error_name(read.tsig->error));
  put(digested_, unsigned_form(message, read));
  if (!read.tsig) {
    if (is_first) return Failure<std::string>("the answer is not signed");
    if (++unsigned_ > kMostUnsigned) return Failure<std::string>("too much of it is not signed");
    return {};
  }
  const auto& tsig = *read.tsig;
  if (tsig.key != key_.name || tsig.algorithm != name_of(key_.algorithm))
    return Failure<std::string>("signed with another key");
  if (is_first) {
    put_variables(digested_, tsig);
  } else {
    put_time(digested_, tsig.signed_at, tsig.fudge);
  }
  const auto mac = mac_of(key_, digested_);
  // Whole ones only: nobody cuts them short who need not.
  if (mac.size() != tsig.mac.size() || CRYPTO_memcmp(mac.data(), tsig.mac.data(), mac.size()) != 0)
    return Failure<std::string>("its signature is wrong");
  const auto now = seconds_of(at);
  const auto apart = now > tsig.signed_at ? now - tsig.signed_at : tsig.signed_at - now;
  if (apart > tsig.fudge)
    return Failure<std::string>(
        fmt::format("signed {} s from now: its clock or ours is wrong", apart));
  is_begun_ = true;
  unsigned_ = 0;
  digested_.clear();
  put_mac(digested_, mac);
  return {};
}

}  // namespace probes::dns
