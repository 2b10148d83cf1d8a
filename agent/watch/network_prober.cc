#include "agent/watch/network_prober.h"

#include <algorithm>
#include <random>
#include <tuple>

#include <fmt/format.h>

#include "agent/self/progress.h"
#include "config/read_file.h"
#include "config/service.h"
#include "config/system.h"

namespace agent {
namespace {

using config::Failure;
using config::Result;
using std::chrono::steady_clock;

// A slow resolver is not a dead one: how it is shall be found out.
constexpr config::Seconds kOwnPatience{15};

constexpr std::size_t kMostWantedKept = 10'000;
constexpr std::size_t kMostOfFile = std::size_t{1} << 20;  // trust anchors, root hints
// What zones ask their parents for is good for its TTL, within these: many targets may have one
// zone.
constexpr config::Seconds kShortestWanted{5};
constexpr config::Seconds kLongestWanted{60};

// Far beyond what any target needs: question and session timeouts end a look, this only bounds
// their sum.
config::Deadline round_deadline() {
  return steady_clock::now() + kLongestLook;
}

probes::ProbeSettings manner_of(const config::Config& config) {
  const auto& smtp = config.smtp;
  std::map<probes::dns::Name, config::Starttls> services;
  for (const auto& service : config.hosts) {
    if (const auto name =
            probes::dns::Name::parse(config::service_name(service.host, service.port)))
      services.emplace(*name, service.starttls);
  }
  return {.port = smtp.port,
          .helo = smtp.helo.empty() ? config::host_name() : smtp.helo,
          .session_timeout = smtp.timeout,
          .allow_special_addresses = smtp.allow_special_addresses,
          .https_port = config.mta_sts.port,
          .https_timeout = config.mta_sts.timeout,
          .looks_at_sts = config.mta_sts.enabled,
          .looks = smtp.looks,
          .services = std::move(services),
          .every_key_type = smtp.every_key_type};
}

std::optional<std::filesystem::file_time_type> written_at(const std::filesystem::path& file) {
  std::error_code error;
  const auto time = std::filesystem::last_write_time(file, error);
  return error ? std::nullopt : std::optional{time};
}

// Debian's dns-root-data has them beside the trust anchor; without them our resolvers are asked who
// serves the root.
std::vector<std::string> root_hints(const std::filesystem::path& trust_anchor) {
  const auto text = config::read_file(trust_anchor.parent_path() / "root.hints", kMostOfFile);
  return probes::dns::parse_root_hints(text.value_or(""));
}

// A resolver by itself, which must answer on its own.
class OneResolver final : public probes::dns::Resolver {
 public:
  OneResolver(probes::dns::GetdnsClient& client, std::size_t place,
              probes::dns::Transport transport = probes::dns::Transport::udp_first)
      : client_(client), place_(place), transport_(transport) {}
  config::Result<probes::dns::Message, probes::dns::QueryFault> ask(
      const probes::dns::Query& query, config::Deadline deadline) override {
    const auto asked = steady_clock::now();
    auto reply = client_.ask_resolver(place_, query, transport_, deadline);
    slowest_ = std::max(slowest_, std::chrono::duration_cast<std::chrono::milliseconds>(
                                      steady_clock::now() - asked));
    return reply;
  }
  [[nodiscard]] std::chrono::milliseconds slowest() const { return slowest_; }

 private:
  probes::dns::GetdnsClient& client_;
  const std::size_t place_;
  const probes::dns::Transport transport_;
  std::chrono::milliseconds slowest_{0};
};

std::vector<std::unique_ptr<probes::dns::Resolver>> each_of(probes::dns::GetdnsClient& client,
                                                            std::size_t count) {
  std::vector<std::unique_ptr<probes::dns::Resolver>> out;
  for (std::size_t place = 0; count > 1 && place < count; ++place)
    out.push_back(std::make_unique<OneResolver>(client, place));
  return out;
}

std::vector<probes::dns::Resolver*> pointers(
    const std::vector<std::unique_ptr<probes::dns::Resolver>>& those) {
  std::vector<probes::dns::Resolver*> out;
  for (const auto& one : those) out.push_back(one.get());
  return out;
}

}  // namespace

ProbeContext::ProbeContext(const config::Config& config,
                           std::vector<config::ResolverAddress> servers,
                           std::vector<probes::dns::Record> anchors,
                           std::vector<std::string> root_hints)
    : resolvers(std::move(servers)),
      question_timeout(config.dns.timeout),
      every_server(config.dns.every_server),
      settings(manner_of(config)),
      agent(config::named(config.agent)),
      anchor{.zone = anchors.front().owner, .records = anchors},
      chain(std::move(anchors)),
      standings(resolvers.size()),
      reach(std::move(root_hints)) {}

Result<std::shared_ptr<ProbeContext>, std::string> ProbeContext::make(
    const config::Config& config) {
  const auto& path = config.dns.trust_anchor_file;
  const auto written = written_at(path);
  const auto text = config::read_file(path, kMostOfFile);
  if (!text) {
    return Failure<std::string>(
        fmt::format("cannot read the DNSSEC trust anchor {}: install Debian's dns-root-data or "
                    "name another file",
                    path.string()));
  }
  auto anchors = probes::dns::parse_trust_anchors(*text);
  if (!anchors) return Failure<std::string>(fmt::format("{}: {}", path.string(), anchors.error()));
  std::unique_ptr<probes::tls::WebPki> pkix;
  if (config.mta_sts.enabled || !config.hosts.empty()) {
    auto made = probes::tls::WebPki::trusting(config.mta_sts.ca_file);
    if (!made) {
      return Failure<std::string>(
          fmt::format("cannot use the CA certificates for MTA-STS and services: {}: install "
                      "Debian's ca-certificates, name another file with mta_sts.ca_file, or switch "
                      "mta_sts.enabled off where no hosts are named",
                      made.error().detail));
    }
    pkix = std::move(*made);
  }
  auto servers = config.dns.resolvers.empty() ? config::system_resolvers() : config.dns.resolvers;
  auto context = std::make_shared<ProbeContext>(config, std::move(servers), std::move(*anchors),
                                                root_hints(path));
  context->pkix = std::move(pkix);
  const config::Lock lock(context->mutex_);
  context->anchor_file_ = path;
  context->anchor_written_ = written;
  if (written)
    context->anchor.written_at =
        std::chrono::floor<config::Seconds>(std::chrono::file_clock::to_sys(*written));
  return context;
}

bool ProbeContext::has_new_anchor() {
  const config::Lock lock(mutex_);
  if (anchor_file_.empty()) return false;
  const auto written = written_at(anchor_file_);
  if (!written || written == anchor_written_) return false;
  anchor_written_ = written;
  return true;
}

probes::Recorded ProbeContext::signed_by_us(probes::Recorded seen) const {
  seen.port = settings.port;
  seen.agent = agent.name;
  seen.vantage = agent.vantage;
  seen.version = DANELAW_VERSION;
  return seen;
}

Result<std::unique_ptr<NetworkProber>, std::string> NetworkProber::make(
    std::shared_ptr<ProbeContext> context) {
  auto client =
      probes::dns::GetdnsClient::make(context->resolvers, context->queries, context->standings);
  if (!client) return Failure<std::string>(client.error());
  return std::unique_ptr<NetworkProber>(new NetworkProber(std::move(context), std::move(*client)));
}

NetworkProber::NetworkProber(std::shared_ptr<ProbeContext> context,
                             std::unique_ptr<probes::dns::GetdnsClient> client)
    : context_(std::move(context)),
      client_(std::move(client)),
      each_(each_of(*client_, context_->resolvers.size())),
      authorities_(*client_, *client_, context_->reach, context_->settings.allow_special_addresses),
      lookup_(*client_, context_->chain, context_->question_timeout, &authorities_,
              pointers(each_)),
      own_lookup_(*client_, context_->chain, std::max(context_->question_timeout, kOwnPatience)),
      wish_lookup_(*client_, context_->chain, context_->question_timeout),
      direct_lookup_(authorities_, context_->chain, context_->question_timeout, &authorities_),
      tls_(context_->certificates),
      surveyor_(lookup_, *client_, context_->settings.allow_special_addresses) {}

probes::ProbeClients NetworkProber::clients() {
  return {.lookup = lookup_,
          .tls = tls_,
          .surveyor = context_->every_server ? &surveyor_ : nullptr,
          .pkix = context_->pkix.get()};
}

probes::DomainObservation NetworkProber::probe_domain(const probes::dns::Name& domain,
                                                      config::Time at) {
  return probes::observe_domain(domain, context_->settings, clients(), at, round_deadline());
}

probes::HostObservation NetworkProber::probe_host(const probes::dns::Name& host, config::Time at) {
  return probes::observe_host(host, context_->settings, clients(), at, round_deadline());
}

probes::HostObservation NetworkProber::probe_records(const probes::dns::Name& host,
                                                     config::Time at) {
  return probes::observe_records(host, context_->settings, clients(), at, round_deadline());
}

probes::smtp::SessionRecord NetworkProber::try_address(const probes::dns::Name& host,
                                                       const std::string& address) {
  constexpr config::Seconds kPatience{5};  // two lost SYN segments are sent again in that time
  const auto& settings = context_->settings;
  return probes::try_address(host, address, settings, tls_,
                             steady_clock::now() + std::min(kPatience, settings.session_timeout));
}

std::vector<SelfCheck> NetworkProber::probe_ourselves(config::Time at) {
  // A slip now and then is told by the other checks, and is no blindness.
  constexpr int kTries = 3;
  std::vector<SelfCheck> checks;
  for (int tries = 0; tries < kTries; ++tries) {
    const auto began = steady_clock::now();
    checks = check_ourselves(own_lookup_, context_->anchor.zone, at, round_deadline());
    if (blinding(checks).empty() || steady_clock::now() - began > kOwnPatience / 4) break;
  }
  // Told while all is well: when it is not, nobody can say why.
  const auto keys =
      own_lookup_.ask(context_->anchor.zone, probes::dns::type::dnskey, at, round_deadline());
  if (keys.outcome == probes::dns::Outcome::answer &&
      keys.status == probes::dns::DnssecStatus::secure) {
    const auto known = context_->anchor_keys.take(context_->anchor.zone, keys.data, keys.ttl, at);
    auto fault = fault_of_anchors(context_->anchor, known, at);
    checks.push_back(
        {.check = "trust_anchor", .is_up = !fault, .detail = std::move(fault), .checked_at = at});
  }
  return checks;
}

std::vector<ResolverCheck> NetworkProber::probe_resolvers(const Controls& controls,
                                                          config::Time at) {
  const probes::dns::Query query{.name = context_->anchor.zone, .type = probes::dns::type::soa};
  std::vector<ResolverCheck> out;
  for (std::size_t place = 0; place < context_->resolvers.size(); ++place) {
    ResolverCheck sight{.resolver = probes::dns::shown(context_->resolvers[place])};
    if (std::ranges::find(out, sight.resolver, &ResolverCheck::resolver) != out.end()) continue;
    const auto reply =
        client_->ask_resolver(place, query, probes::dns::Transport::udp_first, round_deadline());
    if (reply && reply->rcode == probes::dns::rcode::noerror)
      sight.is_validating = reply->authentic_data;
    if (!reply) {
      sight.fault = "does not answer";
    } else {
      examine(sight, place, controls, at);
    }
    out.push_back(std::move(sight));
  }
  return out;
}

void NetworkProber::examine(ResolverCheck& sight, std::size_t place, const Controls& controls,
                            config::Time at) {
  OneResolver resolver(*client_, place);
  OneResolver over_tcp(*client_, place, probes::dns::Transport::tcp);
  probes::dns::Lookup lookup(resolver, context_->chain, context_->question_timeout);
  probes::dns::Lookup tcp_lookup(over_tcp, context_->chain, context_->question_timeout);
  const auto is_proven = [](const probes::dns::Answer& answer) {
    return is_learned(answer.outcome) && answer.status == probes::dns::DnssecStatus::secure;
  };
  const auto blame = [&](const probes::dns::Answer& answer, std::string_view how = "") {
    if (!sight.fault) sight.fault = fmt::format("{}{}", probes::dns::fault_of(answer).what, how);
  };
  // At the trust anchor nobody but the resolver can be at fault: whether the records there are
  // right is the check before this.
  const auto& anchor = context_->anchor.zone;
  const auto nobody = anchor.child(fmt::format("danelaw-{:08x}", std::random_device{}()));
  namespace type = probes::dns::type;
  for (const auto& [name, rtype, asked] :
       {std::tuple{anchor, type::soa, &lookup},
        std::tuple{nobody.value_or(anchor), type::a, &lookup},
        std::tuple{anchor, type::tlsa, &lookup}, std::tuple{anchor, type::dnskey, &tcp_lookup}}) {
    const auto answer = asked->ask(name, rtype, at, round_deadline());
    if (!is_proven(answer)) blame(answer, asked == &tcp_lookup ? " over TCP" : "");
  }
  for (const auto& [kind, question] : controls.each()) {
    if (kind == Controls::Kind::bogus) {
      const auto reply =
          client_->ask_resolver(place, {.name = question.name, .type = question.type},
                                probes::dns::Transport::udp_first, round_deadline());
      // AD is what it vouches for; data without AD it merely passes on.
      if (reply && reply->authentic_data &&
          lookup_.ask(question.name, question.type, at, round_deadline()).outcome ==
              probes::dns::Outcome::failed)
        sight.is_validating = false;
      continue;
    }
    const auto answer = lookup.ask(question.name, question.type, at, round_deadline());
    // The name may have changed, or its zone failed.
    if (!is_proven(answer) &&
        is_proven(lookup_.ask(question.name, question.type, at, round_deadline())))
      blame(answer);
  }
  if (!sight.fault && resolver.slowest() > probes::dns::Standings::kSlow)
    sight.fault = fmt::format("takes {:.1f} s to answer",
                              static_cast<double>(resolver.slowest().count()) / 1000);
}

std::size_t NetworkProber::count_failing(const std::vector<probes::dns::Question>& questions,
                                         config::Time at) {
  return static_cast<std::size_t>(std::ranges::count_if(questions, [&](const auto& question) {
    const auto answer = own_lookup_.ask(question.name, question.type, at, round_deadline());
    return !is_learned(answer.outcome);
  }));
}

std::vector<probes::dns::ZoneSerials> NetworkProber::ask_serials(
    const std::set<probes::dns::Name>& zones, config::Time at) {
  std::vector<probes::dns::ZoneSerials> out;
  for (const auto& zone : zones) {
    auto& one = out.emplace_back(context_->every_server
                                     ? surveyor_.serials_of(zone, at, round_deadline())
                                     : probes::dns::ZoneSerials{.zone = zone, .asked_at = at});
    one.wanted = wanted_of(zone, at);
  }
  return out;
}

probes::dns::WantedDs NetworkProber::wanted_of(const probes::dns::Name& zone, config::Time at) {
  using probes::dns::WantedDs;
  if (const auto known = context_->wanted.find(zone, at)) return *known;
  auto [wanted, ttl] = ask_wanted(wish_lookup_, zone, at);
  if (wanted.fit == WantedDs::Fit::breaks) {
    // Caches may hold keys from before what is asked for, or the wish from before: the zone's own
    // servers have both as they are.
    auto [now, now_ttl] = ask_wanted(direct_lookup_, zone, at);
    if (now.wish != WantedDs::Wish::unknown) wanted = std::move(now);
  }
  // Some servers do not answer to types that they do not know: that is not waited for at each look.
  if (wanted.wish == WantedDs::Wish::unknown) ttl = kLongestWanted;
  context_->wanted.take(zone, wanted, at, ttl);
  return wanted;
}

std::pair<probes::dns::WantedDs, config::Seconds> NetworkProber::ask_wanted(
    probes::dns::Lookup& lookup, const probes::dns::Name& zone, config::Time at) {
  namespace type = probes::dns::type;
  using probes::dns::WantedDs;
  const auto cds = lookup.ask(zone, type::cds, at, round_deadline());
  const auto cdnskey = lookup.ask(zone, type::cdnskey, at, round_deadline());
  auto wanted = wanted_ds(cds, cdnskey);
  // The keys that proved the answers are kept for a while; here those of now count.
  const bool is_direct = &lookup == &direct_lookup_ && wanted.wish == WantedDs::Wish::keys;
  const auto keys = is_direct ? lookup.ask(zone, type::dnskey, at, round_deadline()) : cds;
  if (is_learned(keys.outcome) && keys.status == probes::dns::DnssecStatus::secure &&
      keys.replies) {
    if (wanted.wish == WantedDs::Wish::keys)
      wanted.fit = fit_of(wanted.records, zone, *keys.replies);
    wanted.signed_until = signed_until(zone, *keys.replies, at);
    wanted.given = given_ds(zone, *keys.replies);
  }
  return {std::move(wanted), std::min(cds.ttl, cdnskey.ttl)};
}

void AnchorBook::restore(std::vector<AnchorKey> known) {
  const config::Lock lock(mutex_);
  keys_ = AnchorKeys(std::move(known));
}

void AnchorBook::go_on_from(AnchorBook& other) {
  AnchorKeys keys;
  std::vector<AnchorKey> news;
  {
    const config::Lock lock(other.mutex_);
    keys = other.keys_;
    news = other.news_;
  }
  const config::Lock lock(mutex_);
  keys_ = std::move(keys);
  news_ = std::move(news);
}

AnchorKeys AnchorBook::take(const probes::dns::Name& zone,
                            const std::vector<probes::dns::Bytes>& keys, config::Seconds ttl,
                            config::Time at) {
  const config::Lock lock(mutex_);
  for (auto& one : keys_.take(zone, keys, ttl, at)) news_.push_back(std::move(one));
  // Nobody may ask: an agent that only looks for another.
  if (news_.size() > 2 * kMostAnchorKeys) news_.erase(news_.begin(), news_.end() - kMostAnchorKeys);
  return keys_;
}

std::vector<AnchorKey> AnchorBook::take_news() {
  const config::Lock lock(mutex_);
  return std::exchange(news_, {});
}

std::optional<probes::dns::WantedDs> WantedBook::find(const probes::dns::Name& zone,
                                                      config::Time at) {
  const config::Lock lock(mutex_);
  const auto known = known_.find(zone);
  // A clock that was set back makes nothing last longer.
  if (known == known_.end() || at < known->second.asked_at || at >= known->second.until)
    return std::nullopt;
  return known->second.wanted;
}

void WantedBook::take(const probes::dns::Name& zone, const probes::dns::WantedDs& wanted,
                      config::Time at, config::Seconds ttl) {
  const auto keep = std::clamp(ttl, kShortestWanted, kLongestWanted);
  const config::Lock lock(mutex_);
  if (known_.size() > kMostWantedKept) known_.clear();
  const auto known = known_.find(zone);
  if (known != known_.end() && at < known->second.asked_at && known->second.asked_at < at + keep)
    return;
  known_.insert_or_assign(zone, Known{.wanted = wanted, .asked_at = at, .until = at + keep});
}

}  // namespace agent
