#include "probes/dns/opt_out.h"

#include <algorithm>
#include <array>
#include <optional>
#include <string>
#include <vector>

#include <openssl/evp.h>

#include "probes/dns/answer.h"

namespace probes::dns {
namespace {

constexpr std::uint8_t kSha1 = 1;
constexpr std::size_t kHash = 20;

// One NSEC3 record (RFC 5155 §3.2). Names of hashes are kept as they stand in owners: base32hex, in
// lower case, whose order is that of the hashes.
struct Span {
  Name zone;
  std::string from, to;
  bool has_opt_out = false;
  std::uint16_t iterations = 0;
  Bytes salt;
};

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

std::optional<Span> read_span(const Record& record) {
  const auto& data = record.data;
  if (record.type != type::nsec3 || record.owner.is_root() || data.size() < 6 || data[0] != kSha1)
    return std::nullopt;
  const std::size_t salt = data[4];
  if (data.size() < 6 + salt) return std::nullopt;
  const std::size_t hash = data[5 + salt];
  if (data.size() < 6 + salt + hash) return std::nullopt;
  const auto& owner = record.owner.wire();
  const auto next = std::span{data}.subspan(6 + salt, hash);
  return Span{
      .zone = record.owner.parent(),
      .from = owner.substr(1, static_cast<unsigned char>(owner[0])),
      .to = base32hex(next),
      .has_opt_out = (data[1] & 1U) != 0,
      .iterations = static_cast<std::uint16_t>(data[2] << 8U | data[3]),
      .salt = Bytes(data.begin() + 5, data.begin() + 5 + static_cast<std::ptrdiff_t>(salt))};
}

// RFC 5155 §5. Empty where the library has no SHA-1.
std::string hash_of(const Name& name, const Span& span) {
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

bool covers(const Span& span, const std::string& hash) {
  if (span.from < span.to) return span.from < hash && hash < span.to;
  return span.from < hash || hash < span.to;  // the last one goes round to the first
}

// How many labels of the name exist: for a wildcard's expansion its signatures say it, for a denial
// some record matches the closest encloser. Nothing where that is the name itself, or unknown.
std::optional<std::size_t> labels_that_exist(const Message& part, const std::vector<Span>& spans) {
  for (const auto& record : part.answer) {
    const auto sig = read_rrsig(record);
    if (sig) return sig->labels;
  }
  for (auto labels = part.question.label_count(); labels > 0; --labels) {
    const auto name = part.question.suffix(labels);
    const bool is_matched = std::ranges::any_of(spans, [&](const Span& span) {
      return name.is_within(span.zone) && hash_of(name, span) == span.from;
    });
    if (is_matched) return labels;
  }
  return std::nullopt;
}

}  // namespace

bool rests_on_opt_out(const Message& part) {
  if (!needs_denial(part)) return false;
  std::vector<Span> spans;
  for (const auto& record : part.authority) {
    auto span = read_span(record);
    // More iterations make the answer insecure anyway.
    if (span && span->iterations <= kMostNsec3Iterations) spans.push_back(*std::move(span));
  }
  if (std::ranges::none_of(spans, &Span::has_opt_out)) return false;
  const auto existing = labels_that_exist(part, spans);
  if (!existing || *existing >= part.question.label_count()) return false;
  const auto next_closer = part.question.suffix(*existing + 1);
  return std::ranges::any_of(spans, [&](const Span& span) {
    return span.has_opt_out && next_closer.is_within(span.zone) &&
           covers(span, hash_of(next_closer, span));
  });
}

}  // namespace probes::dns
