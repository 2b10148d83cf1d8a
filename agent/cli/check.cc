#include "agent/cli/check.h"

#include <algorithm>
#include <array>
#include <condition_variable>
#include <deque>
#include <map>
#include <mutex>
#include <ostream>
#include <set>
#include <thread>

#include <fmt/format.h>
#include <unistd.h>

#include "agent/alerts/partners.h"
#include "agent/self/smtp_reach.h"
#include "agent/self/welcome.h"
#include "agent/watch/scout.h"
#include "agent/watch/threads.h"
#include "probes/explain.h"
#include "probes/report.h"
#include "probes/resolver_faults.h"
#include "probes/status.h"

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

void print(const probes::DomainJudgement& judged, Format format, std::ostream& out) {
  switch (format) {
    case Format::json:
      out << probes::to_json(judged).dump(-1, ' ', false, nlohmann::json::error_handler_t::replace)
          << '\n';
      return;
    case Format::text:
      out << probes::to_text(judged) << '\n';
      return;
    case Format::nagios:
      return;  // one line for all, when all are done
  }
}

std::string_view nagios_word(Exit status) {
  constexpr std::array<std::string_view, 4> kWords{"OK", "WARNING", "CRITICAL", "UNKNOWN"};
  return kWords[static_cast<std::size_t>(status)];
}

// The output of a Nagios plug-in: one line, whose first words say the worst. Of many domains only
// those are named that somebody must look at.
class NagiosLine {
 public:
  void add(const probes::DomainJudgement& judged) {
    const auto status = exit_of(judged);
    findings_ += std::ranges::count_if(judged.findings, [](const probes::Finding& finding) {
      return finding.severity >= probes::Severity::medium;
    });
    for (const auto& host : judged.hosts) hosts_.insert(host.seen->host);
    domains_.push_back(
        {status,
         fmt::format("{} {}{}", judged.seen->domain.text(), probes::wire_name(judged.verdict),
                     judged.findings.empty()
                         ? std::string()
                         : fmt::format(", {}", wire_name(judged.findings.front().code)))});
  }

  std::string text() {
    constexpr std::size_t kMostNamed = 10;
    std::ranges::stable_sort(domains_, [](const auto& a, const auto& b) {
      return a.status != b.status && worse(a.status, b.status) == a.status;
    });
    const auto worst = domains_.empty() ? Exit::unknown : domains_.front().status;
    const auto bad = static_cast<std::size_t>(
        std::ranges::count_if(domains_, [](const Domain& one) { return one.status != Exit::ok; }));
    std::string out = fmt::format("DANE {}: ", nagios_word(worst));
    if (bad == 0 && domains_.size() > 1) {
      out += fmt::format("{} domains", domains_.size());
    } else {
      const auto named = std::min(std::max<std::size_t>(bad, 1), kMostNamed);
      for (std::size_t i = 0; i < std::min(named, domains_.size()); ++i) {
        const auto& [status, words] = domains_[i];
        if (i > 0) out += "; ";
        if (status != worst) out += fmt::format("{} ", nagios_word(status));
        out += words;
      }
      if (domains_.size() > named) out += fmt::format("; and {} more", domains_.size() - named);
    }
    return out + fmt::format(" | domains={} bad={} findings={} hosts={}\n", domains_.size(), bad,
                             findings_, hosts_.size());
  }

 private:
  struct Domain {
    Exit status;
    std::string words;
  };
  std::vector<Domain> domains_;
  std::set<Name> hosts_;
  std::int64_t findings_ = 0;
};

// A report for every domain as soon as all its hosts have been seen. Each host is looked at once.
class Looks {
 public:
  // `partners`: domains that are judged as the agent judges them, a degree calmer.
  Looks(std::vector<Name> names, std::set<std::string> partners, std::string helo, Format format,
        std::ostream& out, std::ostream& errors)
      : at_(now()),
        partners_(std::move(partners)),
        helo_(std::move(helo)),
        format_(format),
        out_(out),
        errors_(errors),
        count_(names.size()) {
    for (const auto& name : names) tasks_.push_back({.name = name, .is_host = false});
  }

  Exit run(std::vector<std::unique_ptr<Scout>>& scouts) {
    const auto status = look(scouts);
    if (format_ == Format::nagios) out_ << nagios_.text() << std::flush;
    return status;
  }

 private:
  Exit look(std::vector<std::unique_ptr<Scout>>& scouts) {
    const auto vantage = scouts.front()->look_at_ourselves(at_);
    if (const auto* fault = first_failing(vantage)) {
      for (const auto& task : tasks_) report_blind(unseen(task.name), *fault);
      return worst_;
    }
    open_ = tasks_.size();
    {
      // This thread works, too: there may be no other.
      std::vector<std::jthread> threads;
      for (std::size_t i = 1; i < scouts.size(); ++i) {
        const auto work_too = [this, &scout = *scouts[i]] { work(scout); };
        if (start_threads(threads, 1, work_too) == 0) break;
      }
      work(*scouts.front());
    }
    report_unconfirmed(*scouts.front());
    report_unreached();
    if (shows_progress()) errors_ << "\r\033[K" << std::flush;
    report_welcome();
    return worst_;
  }

  struct Task {
    Name name;
    bool is_host = false;
  };

  void work(Scout& scout) {
    std::unique_lock lock(mutex_);
    while (true) {
      wake_.wait(lock, [&] { return !tasks_.empty() || open_ == 0; });
      if (tasks_.empty()) return;
      const auto task = tasks_.front();
      tasks_.pop_front();
      lock.unlock();
      if (task.is_host) {
        auto seen =
            std::make_shared<const probes::HostObservation>(scout.look_at_host(task.name, at_));
        lock.lock();
        controls_.note(*seen);
        unconfirmed_.note(task.name, probes::deciding(*seen));
        hosts_[task.name] = std::move(seen);
      } else {
        auto seen =
            std::make_shared<const probes::DomainObservation>(scout.look_at_domain(task.name, at_));
        lock.lock();
        controls_.note(*seen);
        unconfirmed_.note(task.name, probes::deciding(*seen));
        take(std::move(seen));
      }
      --open_;
      report_complete();
      wake_.notify_all();
    }
  }

  // --- `mutex_` is held

  void take(probes::DomainSeen seen) {
    for (const auto& mx : seen->hosts) {
      if (!hosts_.try_emplace(mx.name).second) continue;
      tasks_.push_back({.name = mx.name, .is_host = true});
      ++open_;
    }
    waiting_.push_back(std::move(seen));
  }

  void report_complete() {
    std::erase_if(waiting_, [&](const probes::DomainSeen& domain) {
      const bool is_complete = std::ranges::all_of(
          domain->hosts, [&](const probes::MxHost& mx) { return hosts_.at(mx.name) != nullptr; });
      if (!is_complete) return false;
      // Where no session got anywhere, or only our resolver told of a failure, the others must tell
      // whether the fault is ours.
      if (is_unconfirmed(*domain)) {
        unconfirmed_domains_.push_back(domain);
      } else if (reaches_somebody(*domain)) {
        report(probes::judge(domain, hosts_, at_));
      } else {
        unreached_.push_back(domain);
      }
      return true;
    });
  }

  bool is_unconfirmed(const probes::DomainObservation& domain) const {
    return probes::is_unconfirmed(probes::deciding(domain)) ||
           std::ranges::any_of(domain.hosts, [&](const probes::MxHost& mx) {
             return probes::is_unconfirmed(probes::deciding(*hosts_.at(mx.name)));
           });
  }

  bool reaches_somebody(const probes::DomainObservation& domain) const {
    bool any_session = false;
    for (const auto& mx : domain.hosts) {
      for (const auto& session : hosts_.at(mx.name)->sessions) {
        any_session = true;
        if (session.stage != probes::smtp::Stage::connect) return true;
      }
    }
    return !any_session;
  }

  void report(probes::DomainJudgement judged) {
    if (partners_.contains(judged.seen->domain.text()))
      judged = tempered(std::move(judged), config::Role::outbound);
    if (shows_progress()) errors_ << "\r\033[K";
    print(judged, format_, out_);
    if (format_ == Format::nagios) nagios_.add(judged);
    out_.flush();
    worst_ = worse(worst_, exit_of(judged));
    ++done_;
    if (shows_progress()) errors_ << fmt::format("{} of {} domains", done_, count_) << std::flush;
  }

  bool shows_progress() const { return count_ > 1 && isatty(STDERR_FILENO) == 1; }

  // --- no thread is left

  // The resolver fails at what any resolver can answer, for others alike, or at what it could tell
  // in this run.
  bool is_resolvers_own(Scout& scout, const Name& target,
                        const std::vector<const probes::dns::Answer*>& answers) {
    const auto suspect = suspect_of(answers);
    if (!suspect) return false;
    if (!is_resolver_faulty_) {
      is_resolver_faulty_ =
          std::ranges::any_of(scout.look_at_resolvers(controls_, at_),
                              [](const ResolverSight& sight) { return sight.fault.has_value(); });
    }
    const auto witnesses = controls_.unrelated(suspect->type, suspect->zones);
    return *is_resolver_faulty_ ||
           unconfirmed_.is_shared(target, suspect->type, !witnesses.empty()) ||
           is_too_many(scout.count_failing(witnesses, at_), witnesses.size());
  }

  void report_unconfirmed(Scout& scout) {
    for (const auto& domain : unconfirmed_domains_) {
      for (const auto& mx : domain->hosts) {
        auto& host = hosts_.at(mx.name);
        if (!is_resolvers_own(scout, mx.name, probes::deciding(*host))) continue;
        auto excused = *host;
        probes::excuse(excused);
        host = std::make_shared<const probes::HostObservation>(std::move(excused));
      }
      auto seen = *domain;
      if (is_resolvers_own(scout, seen.domain, probes::deciding(seen))) probes::excuse(seen);
      report(probes::judge(std::make_shared<const probes::DomainObservation>(std::move(seen)),
                           hosts_, at_));
    }
  }

  void report_unreached() {
    SmtpReach reach;
    for (const auto& [name, host] : hosts_) reach.note(name, host->sessions, at_);
    const auto smtp = reach.checks(at_);
    const auto* blocked = cut_off(smtp);
    for (const auto& domain : unreached_) {
      if (blocked == nullptr) {
        report(probes::judge(domain, hosts_, at_));
      } else {
        report_blind(domain, *blocked);
      }
    }
  }

  // What only all of them together show.
  void report_welcome() {
    Welcome welcome;
    for (const auto& [name, host] : hosts_) welcome.note(name, host->sessions);
    for (const auto& check : welcome.checks(at_, helo_)) {
      if (!check.is_up)
        errors_ << fmt::format("monitor-fault: {}\n",
                               probes::printable(check.detail.value_or(""), 2000));
    }
  }

  void report_blind(const probes::DomainSeen& domain, const VantageCheck& fault) {
    report(probes::judge_blind(domain, fault.check, fault.detail.value_or("")));
  }

  probes::DomainSeen unseen(const Name& name) const {
    auto seen = std::make_shared<probes::DomainObservation>();
    seen->domain = name;
    seen->observed_at = at_;
    return seen;
  }

  const config::Time at_;
  const std::set<std::string> partners_;
  const std::string helo_;
  const Format format_;
  std::ostream& out_;
  std::ostream& errors_;
  const std::size_t count_;
  std::mutex mutex_;  // guards everything below
  std::condition_variable wake_;
  std::deque<Task> tasks_;
  std::size_t open_ = 0;  // tasks not finished
  std::vector<probes::DomainSeen> waiting_;
  std::vector<probes::DomainSeen> unreached_;
  std::map<Name, probes::HostSeen> hosts_;  // null until looked at
  Controls controls_;
  Unconfirmed unconfirmed_;
  std::vector<probes::DomainSeen> unconfirmed_domains_;
  std::optional<bool> is_resolver_faulty_;  // once it was wanted
  Exit worst_ = Exit::ok;
  NagiosLine nagios_;
  std::size_t done_ = 0;
};

}  // namespace

Exit exit_of(const probes::DomainJudgement& judged) {
  return static_cast<Exit>(probes::status_of(judged));
}

Exit check(const config::Config& config, const std::vector<std::string>& domains, Format format,
           std::ostream& out, std::ostream& errors) {
  // One look must find by itself what the agent would find over time.
  constexpr unsigned kLooks = 3;
  auto thorough = config;
  thorough.smtp.looks = std::max(config.smtp.looks, kLooks);
  const auto fails = [&](const std::string& why) {
    // What calls plug-ins shows their standard output only.
    if (format == Format::nagios) out << fmt::format("DANE UNKNOWN: {}\n", why);
    errors << why << '\n';
    return Exit::unknown;
  };
  auto gear = Gear::make(thorough);
  if (!gear) return fails(gear.error());
  std::vector<Name> names;
  for (const auto& domain : domains) {
    const auto name = Name::parse(domain);
    if (!name) return fails(fmt::format("{}: not a domain name", domain));
    if (std::ranges::find(names, *name) == names.end()) names.push_back(*name);
  }
  std::vector<std::unique_ptr<Scout>> scouts;
  for (std::size_t i = 0; i < std::clamp<std::size_t>(names.size(), 1, config.schedule.workers);
       ++i) {
    auto scout = Scout::make(*gear);
    if (!scout) return fails(scout.error());
    scouts.push_back(std::move(*scout));
  }
  std::set<std::string> partners;
  for (const auto& domain : config.domains) {
    if (domain.role == config::Role::outbound) partners.insert(domain.name);
  }
  Looks looks{std::move(names), std::move(partners), (*gear)->manner.helo, format, out, errors};
  return looks.run(scouts);
}

}  // namespace agent
