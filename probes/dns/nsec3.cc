#include "probes/dns/nsec3.h"

#include <array>

#include <openssl/evp.h>

namespace probes::dns {
namespace {

constexpr std::uint8_t kSha1 = 1;
constexpr std::size_t kHash = 20;

std::string base32hex(std::span<const std::uint8_t> octets) {
  constexpr std::string_view kDigits = "0123456789abcdefghijklmnopqrstuv";
  std::string out;
  unsigned bits = 0;
  unsigned count = 0;
  for (const auto octet : octets) {
    bits = bits << 8U | octet;
    count += 8;
    while (count >= 5) {
      count -= 5;
      out.push_back(kDigits[bits >> count & 31U]);
    }
  }
  if (count > 0) out.push_back(kDigits[bits << (5 - count) & 31U]);
  return out;
}

}  // namespace

std::optional<Nsec3Span> read_nsec3(const Record& record) {
  const auto& data = record.data;
  if (record.type != type::nsec3 || record.owner.is_root() || data.size() < 6 || data[0] != kSha1)
    return std::nullopt;
  const std::size_t salt = data[4];
  if (data.size() < 6 + salt) return std::nullopt;
  const std::size_t hash = data[5 + salt];
  if (data.size() < 6 + salt + hash) return std::nullopt;
  const auto owner = record.owner.wire();
  const auto next = std::span{data}.subspan(6 + salt, hash);
  return Nsec3Span{
      .zone = record.owner.parent(),
      .from = std::string{owner.substr(1, static_cast<unsigned char>(owner[0]))},
      .to = base32hex(next),
      .has_opt_out = (data[1] & 1U) != 0,
      .iterations = static_cast<std::uint16_t>(data[2] << 8U | data[3]),
      .salt = Bytes(data.begin() + 5, data.begin() + 5 + static_cast<std::ptrdiff_t>(salt)),
      .types = types_in_bitmap(std::span{data}.subspan(6 + salt + hash))};
}

std::string hash_of(const Name& name, const Nsec3Span& span) {
  Bytes in(name.wire().begin(), name.wire().end());
  std::array<unsigned char, EVP_MAX_MD_SIZE> hash{};
  for (unsigned round = 0; round <= span.iterations; ++round) {
    in.insert(in.end(), span.salt.begin(), span.salt.end());
    unsigned size = 0;
    if (EVP_Digest(in.data(), in.size(), hash.data(), &size, EVP_sha1(), nullptr) != 1 ||
        size != kHash)
      return {};
    in.assign(hash.begin(), hash.begin() + kHash);
  }
  return base32hex(in);
}

bool covers(const Nsec3Span& span, const std::string& hash) {
  if (span.from < span.to) return span.from < hash && hash < span.to;
  return span.from < hash || hash < span.to;  // the last one goes round to the first
}

std::vector<std::uint16_t> types_in_bitmap(std::span<const std::uint8_t> bitmap) {
  std::vector<std::uint16_t> out;
  constexpr std::size_t kMostOctets = 32;
  while (bitmap.size() >= 2) {
    const std::size_t octets = bitmap[1];
    if (octets == 0 || octets > kMostOctets || bitmap.size() < 2 + octets) return {};
    for (std::size_t bit = 0; bit < octets * 8; ++bit) {
      if ((bitmap[2 + bit / 8] & (0x80U >> bit % 8)) != 0)
        out.push_back(static_cast<std::uint16_t>(std::size_t{bitmap[0]} << 8U | bit));
    }
    bitmap = bitmap.subspan(2 + octets);
  }
  return out;
}

}  // namespace probes::dns
