#include "agent/foresight/renewal_agenda.h"

#include <algorithm>

#include <fmt/format.h>

#include "agent/foresight/issuers.h"
#include "agent/foresight/next_key.h"
#include "probes/dane/tlsa.h"

namespace agent {
namespace {

using config::Seconds;
using config::Time;
using std::chrono::hours;

constexpr Seconds kDay = hours{24};
constexpr int kOk = 200;
constexpr int kTooMany = 429;
constexpr int kServerFault = 500;

// No pause is longer than a day: a later time is one of a clock that was wrong.
bool is_due(const std::optional<Time>& next_at, Time at) {
  return !next_at || *next_at <= at || *next_at > at + kDay;
}

std::optional<std::string_view> retry_after(const probes::net::HttpsAnswer& answer) {
  if (!answer || !answer->retry_after) return std::nullopt;
  return *answer->retry_after;
}

std::optional<std::string> fault_in(const probes::net::HttpsAnswer& answer) {
  if (!answer) return answer.error();
  if (answer->status == kOk) return std::nullopt;
  return fmt::format("HTTP status {}", answer->status);
}

// It is not about the certificate that was asked for: another question would fare no better.
bool is_of_server(const probes::net::HttpsAnswer& answer) {
  return !answer || answer->status == kTooMany || answer->status >= kServerFault;
}

using ReadWindow = config::Result<RenewalWindow, std::string>;

// Nobody renews a certificate that has expired: that a CA does not mean.
ReadWindow window_in(std::string_view reply, Time not_after) {
  auto out = probes::reports::parse_renewal_info(reply);
  if (out && out->start >= not_after)
    return config::Failure<std::string>(
        "a suggestedWindow that starts after the certificate expires");
  return out;
}

std::string with_id(const std::string& url, const std::string& id) {
  return url + (url.ends_with('/') ? "" : "/") + id;
}

}  // namespace

void RenewalAgenda::set_directories(std::map<std::string, std::string> directories) {
  urls_ = std::move(directories);
  std::erase_if(by_url_, [&](const auto& entry) {
    return std::ranges::none_of(urls_, [&](const auto& ca) { return ca.second == entry.first; });
  });
  certificates_.clear();
}

void RenewalAgenda::set_chains(const std::vector<Chain>& chains) {
  std::map<std::string, Asked> in_use;
  std::set<std::string> refused;
  for (const auto& chain : chains) {
    if (in_use.size() >= kMostRenewals) break;
    if (chain.empty()) continue;
    const auto& leaf = *chain.front();
    const auto url = urls_.find(ca_of(leaf.issuer));
    if (url == urls_.end()) continue;
    auto digest = probes::dane::to_hex(leaf.sha256);
    if (const auto known = certificates_.find(digest); known != certificates_.end()) {
      in_use.insert(*known);
      continue;
    }
    if (refused_.contains(digest) || !is_issued_as_said(chain)) {
      refused.insert(std::move(digest));
      continue;
    }
    if (auto id = probes::reports::ari_id(leaf))
      in_use.try_emplace(std::move(digest), Asked{url->second, *std::move(id), leaf.not_after});
  }
  certificates_ = std::move(in_use);
  refused_ = std::move(refused);
}

std::optional<RenewalAgenda::Question> RenewalAgenda::next(Time at) const {
  for (const auto& [digest, asked] : certificates_) {
    if (asked.not_after <= at) continue;
    const auto known = by_url_.find(asked.directory);
    if (known != by_url_.end() && !is_due(known->second.next_at, at)) continue;
    const bool is_known = known != by_url_.end() && !known->second.renewal_info.empty() &&
                          known->second.known_at && at - *known->second.known_at < kDay &&
                          *known->second.known_at <= at;
    const auto told = book_.find(digest);
    if (told != book_.end() && !is_due(told->second.next_at, at)) continue;
    if (!is_known) return Question{asked.directory, asked.directory, {}};
    return Question{with_id(known->second.renewal_info, asked.id), asked.directory, digest};
  }
  return std::nullopt;
}

void RenewalAgenda::Directory::fail(std::string why, const probes::net::HttpsAnswer& answer,
                                    Time at) {
  ++failures;
  fault = std::move(why);
  next_at = at + pause_after(failures, retry_after(answer), at);
}

void RenewalAgenda::take_directory(Directory& directory, const probes::net::HttpsAnswer& answer,
                                   Time at) {
  const auto url = probes::reports::renewal_info_url(answer->body);
  if (!url) {
    directory.fail(url.error(), answer, at);
    directory.next_at = at + kDay;  // what a CA offers changes seldom
    return;
  }
  directory.renewal_info = *url;
  directory.known_at = at;
}

std::optional<RenewalAdvice> RenewalAgenda::take(const Question& question,
                                                 const probes::net::HttpsAnswer& answer, Time at) {
  auto& directory = by_url_[question.directory];
  const bool is_directory = question.certificate.empty();
  const auto fault = fault_in(answer);
  if (fault && (is_directory || is_of_server(answer))) {
    directory.fail(*fault, answer, at);
  } else {
    directory.failures = 0;
    directory.fault.clear();
    directory.next_at.reset();
    if (is_directory) take_directory(directory, answer, at);
  }
  const auto asked = certificates_.find(question.certificate);
  if (asked == certificates_.end()) return std::nullopt;
  const auto known = book_.find(question.certificate);
  auto advice = known != book_.end() ? known->second
                                     : RenewalAdvice{.certificate = question.certificate,
                                                     .not_after = asked->second.not_after};
  const auto window = fault ? ReadWindow(config::Failure<std::string>(*fault))
                            : window_in(answer->body, asked->second.not_after);
  advice = window ? with_window(std::move(advice), *window, retry_after(answer), at)
                  : with_fault(std::move(advice), window.error(), retry_after(answer), at);
  forget_expired(book_, at);
  agent::take(book_, advice);
  return advice;
}

std::string RenewalAgenda::fault_of(const std::string& directory) const {
  const auto known = by_url_.find(directory);
  return known == by_url_.end() ? std::string() : known->second.fault;
}

bool is_issued_as_said(const Chain& chain) {
  const auto& leaf = *chain.front();
  if (leaf.is_self_issued) return false;
  return in_order(chain).size() > 1 ||
         std::none_of(chain.begin() + 1, chain.end(),
                      [&](const auto& one) { return one->subject == leaf.issuer; });
}

}  // namespace agent
