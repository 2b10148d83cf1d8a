#include "agent/check.h"

#include <algorithm>
#include <atomic>
#include <functional>
#include <map>
#include <ostream>
#include <set>
#include <thread>

#include <fmt/format.h>

#include "agent/scout.h"
#include "probes/report.h"

namespace agent {
namespace {

using probes::dns::Name;

config::Time now() {
  return std::chrono::floor<config::Seconds>(std::chrono::system_clock::now());
}

// unknown is no better than a warning and no worse than a critical finding.
Exit worse(Exit a, Exit b) {
  const auto rank = [](Exit status) {
    switch (status) {
      case Exit::ok:
        return 0;
      case Exit::warning:
        return 1;
      case Exit::unknown:
        return 2;
      case Exit::critical:
        return 3;
    }
    return 3;
  };
  return rank(a) >= rank(b) ? a : b;
}

// Runs job(scout, 0) … job(scout, count-1), each thread with a scout of its own.
void in_parallel(std::vector<std::unique_ptr<Scout>>& scouts, std::size_t count,
                 const std::function<void(Scout&, std::size_t)>& job) {
  std::atomic<std::size_t> next{0};
  std::vector<std::jthread> threads;
  for (std::size_t i = 0; i < std::min(scouts.size(), count); ++i) {
    threads.emplace_back([&, i] {
      for (auto index = next++; index < count; index = next++) job(*scouts[i], index);
    });
  }
}

void print(const probes::DomainJudgement& judged, Format format, std::ostream& out) {
  switch (format) {
    case Format::json:
      out << probes::to_json(judged).dump(-1, ' ', false, nlohmann::json::error_handler_t::replace)
          << '\n';
      return;
    case Format::text:
      out << probes::to_text(judged) << '\n';
      return;
    case Format::nagios: {
      constexpr std::array<std::string_view, 4> kWords{"OK", "WARNING", "CRITICAL", "UNKNOWN"};
      const auto problems =
          std::ranges::count_if(judged.findings, [](const probes::Finding& finding) {
            return finding.severity >= probes::Severity::medium;
          });
      out << fmt::format("DANE {}: {} {}{} | findings={} hosts={}\n",
                         kWords[static_cast<std::size_t>(exit_of(judged))],
                         judged.seen->domain.text(), probes::wire_name(judged.verdict),
                         judged.findings.empty()
                             ? std::string()
                             : fmt::format(", {}", probes::wire_name(judged.findings.front().code)),
                         problems, judged.hosts.size());
      return;
    }
  }
}

}  // namespace

Exit exit_of(const probes::DomainJudgement& judged) {
  Exit status = Exit::ok;
  for (const auto& finding : judged.findings) {
    if (finding.code == probes::Code::monitor_fault) status = worse(status, Exit::unknown);
    if (finding.severity == probes::Severity::critical) status = worse(status, Exit::critical);
    if (finding.severity >= probes::Severity::medium) status = worse(status, Exit::warning);
  }
  return judged.verdict == probes::Verdict::unknown ? worse(status, Exit::unknown) : status;
}

Exit check(const config::Config& config, const std::vector<std::string>& domains, Format format,
           std::ostream& out, std::ostream& errors) {
  auto gear = Gear::make(config);
  if (!gear) {
    errors << gear.error() << '\n';
    return Exit::unknown;
  }
  std::vector<Name> names;
  for (const auto& domain : domains) {
    const auto name = Name::parse(domain);
    if (!name) {
      errors << fmt::format("{}: not a domain name\n", domain);
      return Exit::unknown;
    }
    names.push_back(*name);
  }
  std::vector<std::unique_ptr<Scout>> scouts;
  for (std::size_t i = 0; i < std::clamp<std::size_t>(names.size(), 1, config.schedule.workers);
       ++i) {
    auto scout = Scout::make(*gear);
    if (!scout) {
      errors << scout.error() << '\n';
      return Exit::unknown;
    }
    scouts.push_back(std::move(*scout));
  }

  const auto at = now();
  const auto vantage = scouts.front()->look_at_ourselves(at);
  Exit worst = Exit::ok;
  if (const auto* fault = first_failing(vantage)) {
    for (const auto& name : names) {
      auto seen = std::make_shared<probes::DomainObservation>();
      seen->domain = name;
      seen->observed_at = at;
      const auto judged = probes::judge_blind(seen, fault->check, fault->detail.value_or(""));
      print(judged, format, out);
      worst = worse(worst, exit_of(judged));
    }
    return worst;
  }

  std::vector<probes::DomainSeen> seen(names.size());
  in_parallel(scouts, names.size(), [&](Scout& scout, std::size_t i) {
    seen[i] = std::make_shared<const probes::DomainObservation>(scout.look_at_domain(names[i], at));
  });
  std::map<Name, probes::HostSeen> hosts;
  for (const auto& domain : seen) {
    for (const auto& mx : domain->hosts) hosts.try_emplace(mx.name);
  }
  std::vector<Name> host_names;
  for (const auto& [name, nothing] : hosts) host_names.push_back(name);
  in_parallel(scouts, host_names.size(), [&](Scout& scout, std::size_t i) {
    hosts.at(host_names[i]) =
        std::make_shared<const probes::HostObservation>(scout.look_at_host(host_names[i], at));
  });
  for (const auto& domain : seen) {
    const auto judged = probes::judge(domain, hosts, at);
    print(judged, format, out);
    worst = worse(worst, exit_of(judged));
  }
  return worst;
}

}  // namespace agent
