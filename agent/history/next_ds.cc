#include "agent/history/next_ds.h"

#include <algorithm>
#include <set>
#include <string_view>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "probes/dane/tlsa.h"

namespace agent {
namespace {

using probes::Code;
using probes::Severity;
using probes::dns::KeyId;
using probes::dns::WantedDs;
using Fit = WantedDs::Fit;
using Wish = WantedDs::Wish;

// A key that is kept offline signs less often than the others, and still in time: without a wish
// for another that is told only when it becomes late.
constexpr config::Seconds kLate = std::chrono::hours{24 * 7};
constexpr config::Seconds kVeryLate = std::chrono::hours{24 * 2};
// Signers may spread what they make at one time.
constexpr config::Seconds kSpread = std::chrono::hours{1};

constexpr std::size_t kMostShown = 8;  // a zone may ask for as many as it likes

// "34505/13 20326/8": key tag and algorithm, as tools write them.
std::string words_of(const std::set<KeyId>& keys) {
  std::vector<std::string> out;
  for (const auto& key : keys) out.push_back(fmt::format("{}/{}", key.tag, key.algorithm));
  return fmt::format("{}", fmt::join(out, " "));
}

std::set<KeyId> keys_of(const WantedDs& wanted) {
  std::set<KeyId> out;
  for (const auto& ds : wanted.records) out.insert(ds.key);
  return out;
}

// The parent has it done already, as far as is known.
bool is_followed(const WantedDs& wanted, const std::set<KeyId>& now) {
  if (keys_of(wanted) != now) return false;
  return wanted.is_by_keys_only || wanted.given.empty() || wanted.given == wanted.records;
}

// What a parent that follows does; null: nothing that matters.
struct Outlook {
  Code code = Code::ds_change;
  Severity severity = Severity::info;
  std::string_view because;
};
std::optional<Outlook> outlook_on(const WantedDs& wanted, const std::set<KeyId>& now) {
  switch (wanted.wish) {
    case Wish::unknown:
    case Wish::none:
      return std::nullopt;
    case Wish::conflict:
      return Outlook{.severity = Severity::medium,
                     .because = "the CDS and CDNSKEY records contradict each other"};
    case Wish::removal:
      // Perhaps meant, and the end of DANE all the same.
      return Outlook{.severity = Severity::high,
                     .because = "without DS records the zone is insecure, and DANE is lost"};
    case Wish::keys:
      break;
  }
  const auto is_of_known_type = [](const probes::dns::DsData& ds) {
    return std::ranges::find(probes::dns::kDigestTypes, ds.digest_type) !=
           probes::dns::kDigestTypes.end();
  };
  if (std::ranges::none_of(wanted.records, is_of_known_type))  // RFC 4035 §5.2: as without
    return Outlook{.severity = Severity::high,
                   .because =
                       "validators know none of these digest types: the zone would be "
                       "insecure, and DANE lost"};
  // A parent must refuse that (RFC 7344 §4.1). Not all of them look.
  if (wanted.fit == Fit::breaks)
    return Outlook{.code = Code::ds_change_breaks,
                   .severity = Severity::medium,
                   .because = "no key that signs the DNSKEY records has one of these digests"};
  if (is_followed(wanted, now)) return std::nullopt;
  return Outlook{.because = wanted.fit == Fit::fits
                                ? "the zone is ready: a key with one of these digests signs its "
                                  "DNSKEY records"
                                : "whether the zone is ready could not be determined"};
}

// Until when the DS records hold, where the zone goes on signing its DNSKEY records with other keys
// than those that they name, and no more with those.
std::optional<config::Time> stranded_at(const WantedDs& wanted, const std::set<KeyId>& now) {
  std::optional<config::Time> named, other;
  for (const auto& [key, until] : wanted.signed_until) {
    auto& last = now.contains(key) ? named : other;
    last = std::max(last.value_or(until), until);
  }
  return named && other && *named + kSpread < *other ? named : std::nullopt;
}

std::optional<Outlook> outlook_unless_followed(const WantedDs& wanted, const std::set<KeyId>& now,
                                               config::Time end, config::Time at) {
  const auto left = end - at;
  const auto asked = keys_of(wanted);
  const bool is_given_up = !asked.empty() && std::ranges::none_of(asked, [&](const KeyId& key) {
    return now.contains(key);
  });
  if (left <= config::Seconds{0} || (!is_given_up && left > kLate)) return std::nullopt;
  return Outlook{.code = Code::ds_change_breaks,
                 .severity = left > kVeryLate ? Severity::medium : Severity::high,
                 .because =
                     "the zone re-signs its DNSKEY records without the key that the "
                     "parent's DS records name"};
}

void show(probes::Finding& out, const char* label, const std::set<probes::dns::DsData>& records) {
  std::size_t shown = 0;
  for (const auto& [key, digest_type, digest] : records) {
    if (shown++ == kMostShown) break;
    out.evidence.push_back({label, fmt::format("{} {} {} {}", key.tag, key.algorithm, digest_type,
                                               probes::dane::to_hex(digest))});
  }
}

}  // namespace

std::optional<probes::Finding> find_next_ds(const ZonePast& past, const WantedDs& wanted,
                                            const std::string& zone, const probes::Subject& subject,
                                            config::Time at) {
  if (past.ds.empty() || past.dnskey.empty()) return std::nullopt;
  const auto& now = past.ds.back().what;
  const auto end = stranded_at(wanted, now.keys);
  const auto stranded =
      end ? outlook_unless_followed(wanted, now.keys, *end, at) : std::optional<Outlook>();
  auto outlook = outlook_on(wanted, now.keys);
  if (stranded && (!outlook || outlook->severity <= stranded->severity)) outlook = stranded;
  if (!outlook) return std::nullopt;
  probes::Finding out{.code = outlook->code,
                      .severity = outlook->severity,
                      .subject = subject,
                      .evidence = {{"zone", zone},
                                   {"because", std::string(outlook->because)},
                                   {"ds-ttl", fmt::format("{} s", now.ttl.count())},
                                   {"signing", words_of(past.dnskey.back().what.keys)}},
                      .root = probes::Subject{.kind = probes::Subject::Kind::zone, .name = zone}};
  // Where only the digests are to change the keys' names would not tell the two sets apart.
  if (keys_of(wanted) == now.keys && !wanted.given.empty())
    show(out, "ds-now", wanted.given);
  else
    out.evidence.push_back({"ds-now", words_of(now.keys)});
  if (stranded) {
    out.evidence.push_back({"ds-key-signed-until", config::rfc3339(*end)});
    out.due_at = *end - now.ttl;
    out.due_source = "rrsig";
  }
  if (wanted.records.empty() && wanted.wish != Wish::none && wanted.wish != Wish::unknown)
    out.evidence.push_back({"ds-wanted", wanted.wish == Wish::removal ? "none" : "contradictory"});
  show(out, "ds-wanted", wanted.records);
  return out;
}

}  // namespace agent
