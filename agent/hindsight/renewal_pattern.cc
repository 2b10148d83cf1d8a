#include "agent/hindsight/renewal_pattern.h"

#include <algorithm>
#include <map>
#include <set>

namespace agent {
namespace {

using config::Seconds;
using config::Time;
using probes::tls::Bytes;
using probes::tls::KeyType;

constexpr Seconds kOneRenewal = std::chrono::hours{24};

// Endpoints, and the certificates (SHA2-256) they have presented.
struct EndpointGroup {
  std::vector<std::string> endpoints;
  std::set<Bytes> leaves;
};

bool shares_leaf(const EndpointGroup& a, const EndpointGroup& b) {
  return std::ranges::any_of(a.leaves, [&](const Bytes& leaf) { return b.leaves.contains(leaf); });
}

std::vector<EndpointGroup> flocks_of(const HostHistory& host_history) {
  std::vector<EndpointGroup> out;
  for (const auto& [name, versions] : host_history.endpoints) {
    if (versions.back().what.empty()) continue;
    EndpointGroup mine{{name}, {}};
    for (const auto& version : versions) {
      if (!version.what.empty()) mine.leaves.insert(version.what.front()->sha256);
    }
    for (auto& other : out) {
      if (!shares_leaf(other, mine)) continue;
      mine.endpoints.insert(mine.endpoints.end(), other.endpoints.begin(), other.endpoints.end());
      mine.leaves.merge(other.leaves);
      other.endpoints.clear();
    }
    std::erase_if(out, [](const EndpointGroup& other) { return other.endpoints.empty(); });
    out.push_back(std::move(mine));
  }
  return out;
}

std::optional<Bytes> issuing_key(const Chain& chain) {
  const bool is_sent = chain.size() > 1 && chain[1]->subject == chain[0]->issuer;
  return is_sent ? std::optional{chain[1]->spki_sha256} : std::nullopt;
}

void wear(std::vector<SeenCertificate>& worn, const std::string& endpoint,
          const Version<Chain>& version, bool is_presented) {
  const auto& leaf = version.what.front();
  const auto same = [&](const SeenCertificate& one) { return one.leaf->sha256 == leaf->sha256; };
  auto mine = std::ranges::find_if(worn, same);
  if (mine == worn.end()) mine = worn.insert(worn.end(), {.leaf = leaf, .began_at = kEver});
  mine->is_presented = mine->is_presented || is_presented;
  if (version.first_seen < mine->began_at) return;
  mine->issuing_key = issuing_key(version.what);
  mine->endpoint = endpoint;
  mine->began_at = version.first_seen;
}

// By key type, in the order of issue.
std::map<KeyType, std::vector<SeenCertificate>> worn_by(const EndpointGroup& flock,
                                                        const HostHistory& host_history) {
  std::map<KeyType, std::vector<SeenCertificate>> out;
  for (const auto& endpoint : flock.endpoints) {
    const auto& versions = host_history.endpoints.at(endpoint);
    for (const auto& version : versions) {
      if (version.what.empty()) continue;
      wear(out[version.what.front()->key_type], endpoint, version, &version == &versions.back());
    }
  }
  for (auto& [type, worn] : out)
    std::ranges::stable_sort(worn, {},
                             [](const SeenCertificate& one) { return one.leaf->not_before; });
  std::erase_if(out, [](const auto& entry) {
    return std::ranges::none_of(entry.second, &SeenCertificate::is_presented);
  });
  return out;
}

// Of an even count the lower of the two in the middle: too early a warning is the lesser evil.
Seconds median(std::vector<Seconds> values) {
  const auto middle = values.begin() + static_cast<std::ptrdiff_t>((values.size() - 1) / 2);
  std::ranges::nth_element(values, middle);
  return *middle;
}

// Most of the last three; where they stand even, the last.
bool will_be(const std::vector<bool>& past) {
  const auto first = past.end() - std::min<std::ptrdiff_t>(3, std::ssize(past));
  const auto yes = std::count(first, past.end(), true);
  const auto no = std::count(first, past.end(), false);
  return yes == no ? past.back() : yes > no;
}

RenewalPattern habit_of(std::vector<SeenCertificate> worn) {
  RenewalPattern out{.worn = std::move(worn)};
  std::vector<Seconds> intervals;
  std::vector<bool> brought_new_key;
  std::set<Bytes> keys{out.worn.front().leaf->spki_sha256};
  for (std::size_t i = 1; i < out.worn.size(); ++i) {
    const auto& before = *out.worn[i - 1].leaf;
    const auto& leaf = *out.worn[i].leaf;
    const bool is_new_key = keys.insert(leaf.spki_sha256).second;
    const auto interval = leaf.not_before - before.not_before;
    if (interval < kOneRenewal) continue;
    const auto left = std::max(before.not_after - leaf.not_before, Seconds{0});
    out.least_left = intervals.empty() ? left : std::min(out.least_left, left);
    intervals.push_back(interval);
    brought_new_key.push_back(is_new_key);
  }
  if (intervals.empty()) return out;
  out.renewals = intervals.size();
  out.new_keys = static_cast<std::size_t>(std::ranges::count(brought_new_key, true));
  out.brings_new_key = will_be(brought_new_key);
  out.interval = median(std::move(intervals));
  const auto& last = *out.worn.back().leaf;
  out.next_at = std::min(last.not_before + out.interval, last.not_after);
  return out;
}

}  // namespace

std::vector<RenewalPattern> renewal_patterns_of(const HostHistory& host_history) {
  std::vector<RenewalPattern> out;
  for (const auto& flock : flocks_of(host_history)) {
    for (auto& [type, worn] : worn_by(flock, host_history))
      out.push_back(habit_of(std::move(worn)));
  }
  return out;
}

}  // namespace agent
