#include "agent/foresight/next_key.h"

#include <algorithm>
#include <map>
#include <ranges>
#include <set>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "agent/history/cadence.h"
#include "probes/dane/tlsa.h"
#include "probes/tls/issuance.h"

namespace agent {
namespace {

using config::Seconds;
using config::Time;
using probes::tls::Certificate;
using probes::tls::CertificatePtr;

// Two certificates made on one day are two servers', or a second try.
constexpr Seconds kDay = std::chrono::hours{24};
// As many names as help a person to see which certificate is meant.
constexpr std::size_t kNamesTold = 5;
constexpr std::size_t kMostTold = 4;  // certificates
constexpr std::size_t kMostIssuers = 8;

bool names_any(const std::set<std::string>& names, const auto& wanted) {
  return std::ranges::any_of(
      wanted, [&](const std::string& name) { return probes::tls::is_named(names, name); });
}

std::vector<std::string> own_names(const ForeseenHost& host) {
  return {host.host, host.base_domain};
}

std::vector<CertificatePtr> presented_by(const ForeseenHost& host) {
  return host.past == nullptr ? std::vector<CertificatePtr>{} : agent::presented_by(*host.past);
}

std::set<std::string> name_set(const Certificate& leaf) {
  const auto names = names_of(leaf);
  return {names.begin(), names.end()};
}

bool fits_any(const probes::dane::TlsaRecord& record,
              const std::vector<CertificatePtr>& certificates) {
  return std::ranges::any_of(certificates, [&](const CertificatePtr& one) {
    return probes::dane::association(*one, record.selector, record.matching_type) == record.data;
  });
}

// A record for which that holds is published by a server.
bool publishes(const HostHistory& past, const auto& is_wanted) {
  return std::ranges::any_of(past.servers, [&](const auto& server) {
    return !server.second.empty() &&
           std::ranges::any_of(server.second.back().what.records, is_wanted);
  });
}

// The digest of a whole certificate cannot be told from its precertificate: a DANE-EE(3) record of
// one, that fits nothing presented, may be its.
bool may_be_whole(const AnnouncedCertificate& announced, const ForeseenHost& host) {
  if (!announced.is_precertificate) return false;
  return publishes(*host.past, [leaves = presented_by(host)](const auto& record) {
    return record.usage == probes::dane::kDaneEe && record.selector == probes::dane::kCert &&
           !fits_any(record, leaves);
  });
}

// Nobody has shown who issued it: a DANE-TA(2) record may be of the issuer, or of one above that.
// One of an issuer of what the host presents is of that, and of none above another.
bool may_be_by_issuer(const AnnouncedCertificate& announced, const ForeseenHost& host) {
  if (announced.chain.size() > 1 || announced.chain.front()->is_self_issued) return false;
  std::vector<CertificatePtr> direct, higher;
  for (const auto& presented : chains_of(*host.past)) {
    const auto chain = in_order(presented);
    for (std::size_t i = 1; i < chain.size(); ++i) (i == 1 ? direct : higher).push_back(chain[i]);
  }
  return publishes(*host.past, [&](const auto& record) {
    return record.usage == probes::dane::kDaneTa &&
           (fits_any(record, higher) || !fits_any(record, direct));
  });
}

// It is surely the host's next: it names it, or the same as what the host presents.
bool is_surely_for(const Certificate& leaf, const ForeseenHost& host) {
  const auto names = name_set(leaf);
  if (std::ranges::any_of(own_names(host),
                          [&](const std::string& own) { return names.contains(own); }))
    return true;
  return std::ranges::any_of(
      presented_by(host), [&](const CertificatePtr& shown) { return name_set(*shown) == names; });
}

// The names of the host come first among those that are told.
void tell(probes::Finding& finding, const AnnouncedCertificate& announced, const ForeseenHost& host,
          const KeyForecast& foreseen) {
  const auto& leaf = *announced.chain.front();
  auto names = names_of(leaf);
  std::ranges::stable_partition(
      names, [&](const std::string& name) { return names_any({name}, own_names(host)); });
  auto& evidence = finding.evidence;
  evidence.push_back({"issued-at", config::rfc3339(leaf.not_before)});
  evidence.push_back({"shown-at", config::rfc3339(announced.shown_at)});
  if (!announced.shown_by.empty()) evidence.push_back({"shown-by", announced.shown_by});
  evidence.push_back(
      {"names", fmt::format("{}{}",
                            fmt::join(names.begin(),
                                      names.begin() + static_cast<std::ptrdiff_t>(
                                                          std::min(names.size(), kNamesTold)),
                                      ", "),
                            names.size() > kNamesTold ? " …" : "")});
  evidence.push_back({"issuer", leaf.issuer});
  evidence.push_back({"key", key_of(announced)});
  if (foreseen.safe_from)
    evidence.push_back({"safe-from-if-published-now", config::rfc3339(*foreseen.safe_from)});
  for (const auto& why : foreseen.why) evidence.push_back({"because", why});
  finding.next_keys.push_back(key_of(announced));
  for (const auto& record : foreseen.records) {
    if (!finding.remedy) finding.remedy = probes::Remedy{};
    finding.remedy->publish.push_back(probes::dane::to_text(record));
  }
}

Time issued_at(const AnnouncedCertificate* one) {
  return one->chain.front()->not_before;
}

// All that the host has sent, now or before, beside its own certificates.
std::vector<CertificatePtr> issuers_presented_by(const ForeseenHost& host) {
  std::map<probes::tls::Bytes, CertificatePtr> out;
  if (host.past == nullptr) return {};
  for (const auto& [endpoint, versions] : host.past->endpoints) {
    for (const auto& version : versions) {
      for (std::size_t i = 1; i < version.what.size(); ++i)
        out.emplace(version.what[i]->sha256, version.what[i]);
    }
  }
  const auto values = std::views::values(out);
  return {values.begin(), values.end()};
}

// What find_unpublished() says of them; in time that does not grow with the square of their number.
std::vector<const AnnouncedCertificate*> not_superseded(
    const std::vector<const AnnouncedCertificate*>& announced, const ForeseenHost& host, Time at) {
  const auto shown = presented_by(host);
  const auto issuers = issuers_presented_by(host);
  const auto is_believed = [&](const Certificate& leaf) {
    return std::ranges::find(shown, leaf.sha256, &Certificate::sha256) != shown.end() ||
           std::ranges::any_of(issuers, [&](const CertificatePtr& issuer) {
             return probes::tls::has_issued(*issuer, leaf);
           });
  };
  std::map<std::pair<probes::tls::KeyType, std::set<std::string>>,
           std::vector<const AnnouncedCertificate*>>
      alike;
  for (const auto* one : announced)
    alike[{one->chain.front()->key_type, name_set(*one->chain.front())}].push_back(one);
  std::vector<const AnnouncedCertificate*> out;
  for (auto& [kind, all] : alike) {
    std::ranges::stable_sort(all, std::greater{}, issued_at);
    const auto latest = std::ranges::find_if(all, [&, first = issued_at(all.back())](auto* one) {
      return issued_at(one) <= at && issued_at(one) >= first + kDay &&
             is_believed(*one->chain.front());
    });
    std::ranges::copy_if(all, std::back_inserter(out), [&](const auto* one) {
      return latest == all.end() || issued_at(one) + kDay > issued_at(*latest);
    });
  }
  return out;
}

}  // namespace

std::vector<Chain> chains_of(const HostHistory& past) {
  std::vector<Chain> out;
  for (const auto& [endpoint, versions] : past.endpoints) {
    if (!versions.empty() && !versions.back().what.empty()) out.push_back(versions.back().what);
  }
  return out;
}

std::vector<CertificatePtr> presented_by(const HostHistory& past) {
  std::vector<CertificatePtr> out;
  for (const auto& chain : chains_of(past)) out.push_back(chain.front());
  return out;
}

std::vector<std::string> names_asked(const ForeseenHost& host) {
  std::set<std::string> out;
  for (const auto& own : own_names(host)) {
    out.insert(own);
    out.insert(probes::tls::wildcard_for(own));
  }
  for (const auto& shown : presented_by(host)) {
    for (const auto& name : names_of(*shown)) {
      out.insert(name);
      out.insert(probes::tls::wildcard_for(name));
      if (name.starts_with("*.")) out.insert(name.substr(1));
    }
  }
  return {out.begin(), out.end()};
}

std::string key_of(const AnnouncedCertificate& announced) {
  return probes::dane::to_hex(announced.chain.front()->spki_sha256);
}

std::optional<AnnouncedCertificate> announce(Chain chain, std::string shown_by, Time at) {
  if (chain.empty()) return std::nullopt;
  const auto issuance = probes::tls::issuance_of(*chain.front());
  if (!issuance) return std::nullopt;
  return AnnouncedCertificate{.id = probes::dane::to_hex(issuance->id),
                              .chain = std::move(chain),
                              .is_precertificate = issuance->is_precertificate,
                              .shown_at = at,
                              .shown_by = std::move(shown_by)};
}

bool is_for(const Certificate& leaf, const ForeseenHost& host) {
  const auto own = own_names(host);
  const auto names = name_set(leaf);
  if (names_any(names, own)) return true;
  const auto shown = presented_by(host);
  if (std::ranges::any_of(shown, [&](const auto& one) { return names_any(name_set(*one), own); }))
    return false;
  return std::ranges::any_of(shown, [&](const CertificatePtr& one) {
    const auto others = name_set(*one);
    return names_any(names, others) || names_any(others, names);
  });
}

bool is_over(const AnnouncedCertificate& announced, const ForeseenHost& host, Time at) {
  const auto& leaf = *announced.chain.front();
  if (leaf.not_after <= at) return true;
  std::size_t alike = 0, later = 0;
  for (const auto& shown : presented_by(host)) {
    // The certificate itself or one after it, and not that from which it took its key.
    if (shown->spki_sha256 == leaf.spki_sha256 && shown->not_before >= leaf.not_before) return true;
    if (shown->key_type != leaf.key_type) continue;
    ++alike;
    if (shown->not_before > leaf.not_before) ++later;
  }
  return alike > 0 && later == alike;
}

KeyForecast forecast(const AnnouncedCertificate& announced, const ForeseenHost& host, Time at) {
  KeyForecast out{.host = host.host};
  const auto& leaf = *announced.chain.front();
  if (leaf.not_after <= at) {
    out.why.push_back(fmt::format("it expired at {}", config::rfc3339(leaf.not_after)));
    return out;
  }
  if (!host.is_asked) {
    out.is_covered = true;
    out.why.emplace_back("no sender asks for its TLSA records");
    return out;
  }
  if (host.past == nullptr || host.past->servers.empty()) {
    out.why.emplace_back("what it publishes has not been seen yet");
    return out;
  }
  auto decision =
      clear(*host.past, {}, announced.chain,
            {own_names(host), host.users ? host.users() : std::vector<std::string>{}}, at);
  out.why = std::move(decision.why);
  switch (decision.answer) {
    case GateAnswer::yes:
    case GateAnswer::not_before:
      out.is_covered = true;
      out.safe_from = decision.not_before;
      return out;
    case GateAnswer::unknown:
      return out;
    case GateAnswer::never:
      break;
  }
  if (may_be_whole(announced, host)) {
    out.why = {
        "a record of a whole certificate is published that may be its: only the certificate "
        "itself, not its precertificate, can tell"};
    return out;
  }
  if (may_be_by_issuer(announced, host)) {
    out.why = {
        "a DANE-TA(2) record is published that may be of its issuer, or of one above that: show "
        "it with its issuers, too (fullchain.pem)"};
    return out;
  }
  out.is_covered = false;
  out.records = std::move(decision.missing);
  out.safe_from = decision.not_before_then;
  return out;
}

std::optional<probes::Finding> find_unpublished(
    const std::vector<const AnnouncedCertificate*>& announced, const ForeseenHost& host, Time at) {
  if (announced.empty()) return std::nullopt;  // as at most looks
  probes::Finding out{.code = probes::Code::next_key_unpublished,
                      .severity = probes::Severity::medium,
                      .subject = {.kind = probes::Subject::Kind::host, .name = host.host}};
  auto newest_first = not_superseded(announced, host, at);
  std::ranges::stable_sort(newest_first, std::greater{},
                           [](const AnnouncedCertificate* one) { return one->shown_at; });
  for (const auto* one : newest_first) {
    if (out.next_keys.size() >= kMostTold) break;
    if (std::ranges::find(out.next_keys, key_of(*one)) != out.next_keys.end()) continue;
    if (is_over(*one, host, at)) continue;
    const auto foreseen = forecast(*one, host, at);
    if (foreseen.is_covered != false) continue;
    if (is_surely_for(*one->chain.front(), host)) out.severity = probes::Severity::high;
    tell(out, *one, host, foreseen);
  }
  return out.next_keys.empty() ? std::nullopt : std::optional{std::move(out)};
}

Chain with_issuers(Chain chain, const std::vector<CertificatePtr>& known) {
  while (!chain.empty() && chain.size() < kMostIssuers && !chain.back()->is_self_issued) {
    const auto issuer = std::ranges::find_if(known, [&](const CertificatePtr& one) {
      return probes::tls::has_issued(*one, *chain.back()) &&
             std::ranges::none_of(chain,
                                  [&](const auto& other) { return other->sha256 == one->sha256; });
    });
    if (issuer == known.end()) break;
    chain.push_back(*issuer);
  }
  return chain;
}

Chain in_order(const Chain& chain) {
  return chain.empty() ? Chain{} : with_issuers({chain.front()}, chain);
}

}  // namespace agent
