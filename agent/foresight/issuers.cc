#include "agent/foresight/issuers.h"

#include <algorithm>

#include <fmt/format.h>

#include "agent/foresight/next_key.h"
#include "probes/dane/tlsa.h"

namespace agent {
namespace {

using config::Seconds;
using config::Time;
using std::chrono::hours;

constexpr std::size_t kMostIssuers = 2000;
constexpr std::size_t kMostUnvouched = 10'000;
// From which no certificate was seen for so long a CA issues no more; nor from one so much older
// than the one in use, unless it was seen to.
constexpr Seconds kInUse = hours{24 * 60};
constexpr Seconds kOneGeneration = hours{24 * 30};

std::string key_of(const probes::tls::Certificate& certificate) {
  return probes::dane::to_hex(certificate.spki_sha256);
}

// The first value of that attribute, which is given with its '='.
std::string value_in(std::string_view name, std::string_view attribute) {
  std::string out;
  bool is_ours = false;
  bool begins = true;
  for (std::size_t i = 0; i < name.size(); ++i) {
    if (begins) {
      if (is_ours) return out;
      is_ours = name.substr(i).starts_with(attribute);
      if (is_ours) i += attribute.size() - 1;
      begins = false;
      continue;
    }
    if (name[i] == '\\' && i + 1 < name.size()) {  // RFC 4514 §2.4
      if (is_ours) out += name[i + 1];
      ++i;
    } else if (name[i] == ',') {
      begins = true;
      if (is_ours) return out;
    } else if (is_ours) {
      out += name[i];
    }
  }
  return is_ours ? out : std::string();
}

bool is_about(const config::AnnouncedIssuer& said, probes::tls::KeyType key_type) {
  return said.key_type.empty() || said.key_type == wire_name(key_type);
}

}  // namespace

std::string organisation_of(std::string_view name) {
  return value_in(name, "O=");
}

std::string ca_of(std::string_view name) {
  auto organisation = organisation_of(name);
  return organisation.empty() ? value_in(name, "CN=") : organisation;
}

void IssuerBook::set_vouch(Vouch vouch) {
  vouch_ = std::move(vouch);
  unvouched_.clear();
}

void IssuerBook::set_announced(std::vector<config::AnnouncedIssuer> announced) {
  announced_ = std::move(announced);
}

void IssuerBook::learn(const Chain& presented, const std::string& host) {
  const auto chain = in_order(presented);
  if (chain.size() < 2) return;
  const auto& leaf = *chain[0];
  const auto organisation = organisation_of(chain[1]->subject);
  if (organisation.empty()) return;
  const auto key = key_of(*chain[1]);
  const auto known = known_.find(key);
  bool is_longer = true, is_later = true;
  if (known != known_.end()) {
    is_longer = chain.size() - 1 > known->second.certificates.size();
    const auto seen = known->second.issued.find(leaf.key_type);
    is_later = seen == known->second.issued.end() || seen->second.issued_at < leaf.not_before;
  }
  if (!is_longer && !is_later) return;
  const std::pair asked{leaf.sha256, chain.size()};
  if (unvouched_.contains(asked)) return;
  if (!vouch_ || !vouch_(chain)) {
    if (unvouched_.size() >= kMostUnvouched) unvouched_.clear();
    unvouched_.insert(asked);
    return;
  }
  if (known == known_.end() && known_.size() >= kMostIssuers) return;
  auto& issuer = known_[key];
  if (is_longer) issuer.certificates.assign(chain.begin() + 1, chain.end());
  issuer.organisation = organisation;
  if (!is_later) return;
  issuer.issued.insert_or_assign(
      leaf.key_type,
      Issuer::Sight{.issued_at = leaf.not_before, .in_use_until = leaf.not_after, .host = host});
}

std::vector<probes::tls::CertificatePtr> IssuerBook::all_certificates() const {
  std::vector<probes::tls::CertificatePtr> out;
  for (const auto& [key, issuer] : known_)
    out.insert(out.end(), issuer.certificates.begin(), issuer.certificates.end());
  return out;
}

const config::AnnouncedIssuer* IssuerBook::announcement(const std::string& key,
                                                        probes::tls::KeyType of) const {
  const auto found = std::ranges::find_if(announced_, [&](const config::AnnouncedIssuer& one) {
    return one.key == key && is_about(one, of);
  });
  return found == announced_.end() ? nullptr : &*found;
}

std::vector<IssuerToCome> IssuerBook::after(const Chain& chain, Time at, Time renewal) const {
  std::vector<IssuerToCome> out;
  if (chain.size() < 2) return out;
  const auto& leaf = *chain[0];
  const auto& mine = *chain[1];
  const auto organisation = organisation_of(mine.subject);
  if (organisation.empty()) return out;
  const auto my_key = key_of(mine);
  const auto all = all_certificates();
  for (const auto& [key, issuer] : known_) {
    const auto seen = issuer.issued.find(leaf.key_type);
    if (key == my_key || issuer.organisation != organisation || seen == issuer.issued.end())
      continue;
    const auto issued_at = seen->second.issued_at;
    const auto made_at = issuer.certificates.front()->not_before;
    const bool is_as_new = made_at >= mine.not_before - kOneGeneration;
    // One that is newer than ours has come to stay, however seldom it is seen to issue.
    const auto in_use_until = made_at > mine.not_before
                                  ? std::max(issued_at + kInUse, seen->second.in_use_until)
                                  : issued_at + kInUse;
    if (in_use_until < at || (!is_as_new && issued_at <= leaf.not_before)) continue;
    const auto* said = announcement(key, leaf.key_type);
    if (said != nullptr && said->until && *said->until <= renewal) continue;
    out.push_back({.key = key,
                   .name = issuer.certificates.front()->subject,
                   .certificates = with_issuers(issuer.certificates, all),
                   .because = fmt::format("{} has had a certificate from it since {}",
                                          seen->second.host, config::rfc3339(issued_at))});
  }
  for (const auto& said : announced_) {
    const bool is_told =
        std::ranges::find(out, said.key, &IssuerToCome::key) != out.end() || said.key == my_key;
    if (is_told || said.organisation != organisation || !is_about(said, leaf.key_type)) continue;
    if ((said.from && *said.from > renewal) || (said.until && *said.until <= renewal)) continue;
    IssuerToCome one{.key = said.key};
    const auto shown = known_.find(said.key);
    if (shown != known_.end()) {
      // A CA's list names those for other kinds of key, too.
      if (said.key_type.empty() && !shown->second.issued.contains(leaf.key_type)) continue;
      one.name = shown->second.certificates.front()->subject;
      one.certificates = with_issuers(shown->second.certificates, all);
    }
    one.because = said.from ? "announced in issuers_file from " + config::rfc3339(*said.from)
                            : std::string("announced in issuers_file");
    out.push_back(std::move(one));
  }
  const auto* mine_said = announcement(my_key, leaf.key_type);
  if (out.empty() && mine_said != nullptr && mine_said->until && *mine_said->until <= renewal)
    out.push_back(
        {.because = fmt::format("the one in use is announced in issuers_file to end at {}",
                                config::rfc3339(*mine_said->until))});
  return out;
}

}  // namespace agent
