#include "agent/cli/nagios_line.h"

#include <algorithm>
#include <array>

#include <fmt/format.h>

namespace agent {
namespace {

std::string_view word(probes::Status status) {
  constexpr std::array<std::string_view, probes::kStatusCount> kWords{"OK", "WARNING", "CRITICAL",
                                                                      "UNKNOWN"};
  return kWords[static_cast<std::size_t>(status)];
}

}  // namespace

void NagiosLine::add(const probes::DomainJudgement& judged) {
  findings_ += std::ranges::count_if(judged.findings, [](const probes::Finding& finding) {
    return finding.severity >= probes::Severity::medium;
  });
  for (const auto& host : judged.hosts) hosts_.insert(host.seen->host);
  domains_.push_back(
      {probes::status_of(judged),
       fmt::format("{} {}{}", judged.seen.open()->domain.text(), probes::wire_name(judged.verdict),
                   judged.findings.empty()
                       ? std::string()
                       : fmt::format(", {}", wire_name(judged.findings.front().code)))});
}

void NagiosLine::add(probes::Status status, std::string words) {
  domains_.push_back({status, std::move(words)});
}

std::string NagiosLine::words() {
  constexpr std::size_t kMostNamed = 10;
  std::ranges::stable_sort(domains_, {},
                           [](const Domain& one) { return probes::rank(one.status); });
  const auto worst = domains_.empty() ? probes::Status::unknown : domains_.front().status;
  const auto bad = static_cast<std::size_t>(std::ranges::count_if(
      domains_, [](const Domain& one) { return one.status != probes::Status::ok; }));
  std::string out = fmt::format("DANE {}: ", word(worst));
  if (bad == 0 && domains_.size() > 1) {
    out += fmt::format("{} domains", domains_.size());
  } else {
    const auto named = std::min(std::max<std::size_t>(bad, 1), kMostNamed);
    for (std::size_t i = 0; i < std::min(named, domains_.size()); ++i) {
      const auto& [status, words] = domains_[i];
      if (i > 0) out += "; ";
      if (status != worst) out += fmt::format("{} ", word(status));
      out += words;
    }
    if (domains_.size() > named) out += fmt::format("; and {} more", domains_.size() - named);
  }
  return out;
}

std::string NagiosLine::text() {
  auto out = words();
  const auto bad = std::ranges::count_if(
      domains_, [](const Domain& one) { return one.status != probes::Status::ok; });
  return out + fmt::format(" | domains={} bad={} findings={} hosts={}\n", domains_.size(), bad,
                           findings_, hosts_.size());
}

}  // namespace agent
