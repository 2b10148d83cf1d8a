#include "agent/cli/check.h"

#include <algorithm>
#include <condition_variable>
#include <fstream>
#include <functional>
#include <map>
#include <ostream>
#include <thread>

#include <fmt/format.h>
#include <unistd.h>

#include "agent/alerts/partners.h"
#include "agent/cli/nagios_line.h"
#include "agent/hindsight/asked_senders.h"
#include "agent/self/sight.h"
#include "agent/watch/inventory.h"
#include "agent/watch/network_prober.h"
#include "agent/watch/seeing.h"
#include "agent/watch/target_queue.h"
#include "agent/watch/threads.h"
#include "config/mutex.h"
#include "probes/explain.h"
#include "probes/findings.h"
#include "probes/report.h"
#include "probes/status.h"

namespace agent {
namespace {

using config::Lock;
using config::Mutex;
using probes::dns::Name;

config::Time now() {
  return std::chrono::floor<config::Seconds>(std::chrono::system_clock::now());
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

// Every target is due once, and never again.
constexpr Ticks kDue{};
constexpr Ticks kNeverDue = Ticks::max();

// Probes each domain once and each of their hosts once, on what the agent stands on, too. A domain
// is reported as soon as all its hosts have been seen; where no session got anywhere, or only our
// resolver told of a failure, the others must tell first whether the fault is ours.
class Check {
 public:
  Check(const std::vector<config::Domain>& domains, std::vector<std::string> sender_classes,
        std::string helo, Format format, std::ostream& out, std::ostream& errors,
        std::function<void(probes::Recorded)> record)
      : at_(now()),
        sender_classes_(std::move(sender_classes)),
        helo_(std::move(helo)),
        format_(format),
        out_(out),
        errors_(errors),
        record_(std::move(record)),
        count_(domains.size()) {
    for (const auto& target : inventory_.adopt(domains).appeared) queue_.add(target, kDue);
  }

  probes::Status run(std::vector<std::unique_ptr<NetworkProber>>& probers) {
    const Lock lock(mutex_);
    if (const auto fault = see_ourselves(*probers.front())) {
      for (const auto& [name, domain] : inventory_.domains()) report_blind(unseen(name), *fault);
    } else {
      probe_all(probers);
      report_unconfirmed(*probers.front());
      const auto way_out = sight_.sense_way_out(at_, helo_);
      report_unreached();
      if (shows_progress()) errors_ << "\r\033[K" << std::flush;
      report_welcome(way_out);
    }
    if (format_ == Format::nagios) out_ << nagios_.text() << std::flush;
    return worst_;
  }

 private:
  using Domain = Inventory::Domain;

  std::optional<SelfCheck> see_ourselves(NetworkProber& prober) REQUIRES(mutex_) {
    sight_.take(prober.probe_ourselves(at_), {}, kDue, kDue, at_);
    return sight_.fault();
  }

  void probe_all(std::vector<std::unique_ptr<NetworkProber>>& probers) REQUIRES(mutex_) {
    mutex_.unlock();
    {
      // This thread works, too: there may be no other.
      std::vector<std::jthread> threads;
      for (std::size_t i = 1; i < probers.size(); ++i) {
        const auto work_too = [this, &prober = *probers[i]] { work(prober); };
        if (start_threads(threads, 1, work_too) == 0) break;
      }
      work(*probers.front());
    }
    mutex_.lock();
  }

  void work(NetworkProber& prober) EXCLUDES(mutex_) {
    Lock lock(mutex_);
    while (const auto target = next(lock)) {
      lock.unlock();
      if (target->kind == Target::Kind::host) {
        auto look = prober.probe_host(target->name, at_);
        auto replies = probes::take_replies(look);
        const auto seen = std::make_shared<const probes::HostObservation>(std::move(look));
        lock.lock();
        record_({.host = seen, .replies = std::move(replies)});
        take(seen);
      } else {
        auto look = prober.probe_domain(target->name, at_);
        auto replies = probes::take_replies(look);
        const auto seen = std::make_shared<const probes::DomainObservation>(std::move(look));
        lock.lock();
        record_({.domain = seen, .replies = std::move(replies)});
        take(seen);
      }
      queue_.give_back(*target, kDue, kNeverDue, 0);
      wake_.notify_all();
    }
  }

  // Nothing when all are done.
  std::optional<Target> next(Lock& lock) REQUIRES(mutex_) {
    while (true) {
      if (auto target = queue_.take(kDue)) return target;
      if (queue_.in_flight() == 0) return std::nullopt;
      wake_.wait(lock);
    }
  }

  void take(const probes::DomainSeen& seen) REQUIRES(mutex_) {
    sight_.take(seen->domain, *seen, at_);
    sight_.doubt(seen->domain, probes::deciding(*seen), at_);
    auto& domain = *inventory_.domain(seen->domain);
    inventory_.take(domain, seen);
    for (const auto& target : inventory_.use(domain, seen->hosts).appeared)
      queue_.add(target, kDue);
    report_if_complete(domain);
  }

  void take(const probes::HostSeen& seen) REQUIRES(mutex_) {
    sight_.take(seen->host, *seen, at_);
    sight_.doubt(seen->host, probes::deciding(*seen), at_);
    sight_.take(seen->host, seen->sessions, at_);
    auto& host = *inventory_.host(seen->host);
    inventory_.take(host, seen);
    for (auto* user : Inventory::users_by_name(host)) report_if_complete(*user);
  }

  static bool is_complete(const Domain& domain) {
    return std::ranges::all_of(domain.hosts,
                               [](const auto& use) { return use.host->seen != nullptr; });
  }

  void report_if_complete(Domain& domain) REQUIRES(mutex_) {
    if (!is_complete(domain)) return;
    if (is_unconfirmed(domain)) {
      unconfirmed_.push_back(&domain);
    } else if (reaches_somebody(domain)) {
      judge(domain);
    } else {
      unreached_.push_back(&domain);
    }
  }

  static bool is_unconfirmed(const Domain& domain) {
    const auto seen = domain.seen.open();
    return probes::is_unconfirmed(probes::deciding(*seen)) ||
           std::ranges::any_of(domain.hosts, [](const auto& use) {
             return probes::is_unconfirmed(probes::deciding(*use.host->seen));
           });
  }

  static bool reaches_somebody(const Domain& domain) {
    bool any_session = false;
    for (const auto& [host, place] : domain.hosts) {
      for (const auto& session : host->seen->sessions) {
        any_session = true;
        if (session.stage != probes::smtp::Stage::connect) return true;
      }
    }
    return !any_session;
  }

  void judge(const Domain& domain) REQUIRES(mutex_) {
    std::map<Name, probes::HostSeen> hosts;
    for (const auto& [host, place] : domain.hosts) hosts[host->name] = host->seen;
    auto judged = probes::judge(domain.seen.open(), hosts, at_);
    for (auto& finding : asked_sender_findings(judged, sender_classes_))
      probes::add_finding(judged, std::move(finding));
    report(with_partner_severity(std::move(judged), domain.configured->role));
  }

  void report(const probes::DomainJudgement& judged) REQUIRES(mutex_) {
    if (shows_progress()) errors_ << "\r\033[K";
    print(judged, format_, out_);
    if (format_ == Format::nagios) nagios_.add(judged);
    out_.flush();
    worst_ = std::min(worst_, probes::status_of(judged),
                      [](auto a, auto b) { return probes::rank(a) < probes::rank(b); });
    ++done_;
    if (shows_progress()) errors_ << fmt::format("{} of {} domains", done_, count_) << std::flush;
  }

  bool shows_progress() const { return count_ > 1 && isatty(STDERR_FILENO) == 1; }

  // --- when all have been probed

  // The resolver fails at what any resolver can answer, for others alike, or at what it could tell
  // in this run.
  bool is_resolvers_own(NetworkProber& prober, const Name& target,
                        const std::vector<const probes::dns::Answer*>& answers) REQUIRES(mutex_) {
    if (!suspect_of(answers)) return false;
    if (!is_resolver_faulty_) {
      is_resolver_faulty_ =
          std::ranges::any_of(prober.probe_resolvers(sight_.controls(), at_),
                              [](const ResolverCheck& one) { return one.fault.has_value(); });
    }
    const auto doubt = sight_.doubt(target, answers, at_);
    return *is_resolver_faulty_ || doubt.is_ours ||
           is_too_many(prober.count_failing(doubt.controls, at_), doubt.controls.size());
  }

  void report_unconfirmed(NetworkProber& prober) REQUIRES(mutex_) {
    for (auto* domain : unconfirmed_) {
      for (const auto& [host, place] : domain->hosts) {
        if (!is_resolvers_own(prober, host->name, probes::deciding(*host->seen))) continue;
        auto excused = *host->seen;
        probes::excuse(excused);
        inventory_.take(*host, std::make_shared<const probes::HostObservation>(std::move(excused)));
      }
      const auto seen = domain->seen.open();
      if (is_resolvers_own(prober, *domain->name, probes::deciding(*seen))) {
        auto excused = *seen;
        probes::excuse(excused);
        inventory_.take(*domain,
                        std::make_shared<const probes::DomainObservation>(std::move(excused)));
      }
      judge(*domain);
    }
  }

  void report_unreached() REQUIRES(mutex_) {
    const auto* blocked = sight_.blocked();
    const Seeing seeing{.blocked = blocked == nullptr ? std::nullopt : std::optional{*blocked}};
    for (const auto* domain : unreached_) {
      if (seeing.hides(*domain->name)) {
        report_blind(domain->seen.open(), *seeing.blocked);
      } else {
        judge(*domain);
      }
    }
  }

  // What only all of them together show.
  void report_welcome(const OwnSight::WayOut& way_out) {
    for (const auto& check : way_out.checks) {
      if (check.check == "greeting" && !check.is_up)
        errors_ << fmt::format("monitor-fault: {}\n",
                               probes::printable(check.detail.value_or(""), 2000));
    }
  }

  void report_blind(const probes::DomainSeen& domain, const SelfCheck& fault) REQUIRES(mutex_) {
    report(probes::judge_blind(domain, fault.check, fault.detail.value_or("")));
  }

  probes::DomainSeen unseen(const Name& name) const {
    auto seen = std::make_shared<probes::DomainObservation>();
    seen->domain = name;
    seen->observed_at = at_;
    return seen;
  }

  const config::Time at_;
  const std::vector<std::string> sender_classes_;  // that the operator asks for
  const std::string helo_;
  const Format format_;
  std::ostream& out_;
  std::ostream& errors_;
  const std::function<void(probes::Recorded)> record_;  // called locked
  const std::size_t count_;
  Mutex mutex_;
  std::condition_variable_any wake_;
  Inventory inventory_ GUARDED_BY(mutex_);
  TargetQueue queue_ GUARDED_BY(mutex_);
  OwnSight sight_ GUARDED_BY(mutex_);
  std::vector<Domain*> unreached_ GUARDED_BY(mutex_);
  std::vector<Domain*> unconfirmed_ GUARDED_BY(mutex_);
  std::optional<bool> is_resolver_faulty_ GUARDED_BY(mutex_);  // once it was wanted
  probes::Status worst_ GUARDED_BY(mutex_) = probes::Status::ok;
  NagiosLine nagios_ GUARDED_BY(mutex_);
  std::size_t done_ GUARDED_BY(mutex_) = 0;
};

// These, with what the configuration says of them; of others nothing.
config::Result<std::vector<config::Domain>, std::string> named(
    const config::Config& config, const std::vector<std::string>& names) {
  std::map<Name, config::Domain> known;
  for (const auto& domain : config.domains) {
    if (const auto name = Name::parse(domain.name)) known.emplace(*name, domain);
  }
  std::vector<config::Domain> out;
  std::set<Name> taken;
  for (const auto& text : names) {
    const auto name = Name::parse(text);
    if (!name) return config::Failure<std::string>(fmt::format("{}: not a domain name", text));
    if (!taken.insert(*name).second) continue;
    const auto configured = known.find(*name);
    out.push_back(configured == known.end() ? config::Domain{.name = name->text()}
                                            : configured->second);
  }
  return out;
}

// Whatever the name, it is one file in the folder: text() escapes what is no host name's.
bool write(const probes::Recorded& seen, const std::filesystem::path& folder) {
  const auto& name = seen.host ? seen.host->host : seen.domain->domain;
  const auto file = folder / fmt::format("{}-{}.cbor", seen.host ? "host" : "domain", name.text());
  const auto octets = probes::encode(seen);
  std::ofstream out(file, std::ios::binary | std::ios::trunc);
  out.write(reinterpret_cast<const char*>(octets.data()),
            static_cast<std::streamsize>(octets.size()));
  return static_cast<bool>(out.flush());
}

}  // namespace

Exit check(const config::Config& config, const std::vector<std::string>& domains, Format format,
           std::ostream& out, std::ostream& errors, const std::filesystem::path& record_to) {
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
  auto context = ProbeContext::make(thorough);
  if (!context) return fails(context.error());
  const auto wanted = named(config, domains);
  if (!wanted) return fails(wanted.error());
  std::vector<std::unique_ptr<NetworkProber>> probers;
  for (std::size_t i = 0; i < std::clamp<std::size_t>(wanted->size(), 1, config.schedule.workers);
       ++i) {
    auto prober = NetworkProber::make(*context);
    if (!prober) return fails(prober.error());
    probers.push_back(std::move(*prober));
  }
  bool is_written = true;
  const auto record = [&](probes::Recorded seen) {
    if (!record_to.empty())
      is_written = write((*context)->signed_by_us(std::move(seen)), record_to) && is_written;
  };
  Check run{*wanted, config.sender_classes, (*context)->settings.helo, format, out, errors, record};
  const auto status = static_cast<Exit>(run.run(probers));
  if (!is_written) return fails(fmt::format("cannot write into {}", record_to.string()));
  return status;
}

}  // namespace agent
