// What a year of history costs: the size of the database, and the time to read the timeline of one
// host from it. Generated through the real recorder from rounds like the runner's. Prints a table
// and ends with 1 when one of its promises is not kept: 10,000 endpoints (5,000 hosts with two
// addresses each, one domain a host) stay under 200 MB, a timeline is read in under 10 ms.
//
// A host whose records and key are others at every look costs no more after ten times as many
// looks: the third promise, as a ratio.
//
// history_bench [hosts]: with fewer hosts the limit of size shrinks in proportion.
//
// The year holds every change: each host rolls its key every 60 days (the new record beside the old
// one, a day later the key, two days later the old record goes), each zone is signed anew every 7
// days, MX and TLSA records alike. Looks that see nothing new are left out, for they only move the
// last_seen of rows that are there; a year of them is recorded for one host at the end, to show
// that the file does not grow.

#include <algorithm>
#include <charconv>
#include <chrono>
#include <filesystem>
#include <functional>
#include <iostream>
#include <queue>
#include <random>
#include <vector>

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include "agent/rollover/rollover.h"
#include "probes/findings.h"
#include "storage/database.h"
#include "storage/queries.h"
#include "storage/recorder.h"
#include "tests/support/finish.h"
#include "tests/support/scene.h"
#include "web/rollover.h"
#include "web/routes/report_read.h"

namespace {

using config::Seconds;
using config::Time;
using probes::dns::Name;
using std::chrono::hours;

constexpr Seconds kLookEvery{900};
constexpr Seconds kDay = hours{24};
constexpr Seconds kYear = 365 * kDay;
constexpr Seconds kRollEvery = 60 * kDay;
constexpr Seconds kSignEvery = 7 * kDay;
constexpr Seconds kSignedFor = 14 * kDay;
constexpr Seconds kSweepEvery = 7 * kDay;  // hourly in the agent: this is what takes most room
const Time kBegin{Seconds{1'780'000'000}};
const Time kEnd = kBegin + kYear;

constexpr double kMegabyte = 1e6;
// 200 MB for 5,000 hosts. The log is as long for few hosts as for many.
constexpr double kMostBytesOfLog = 8 * kMegabyte;
constexpr double kMostBytesAHost = 192 * kMegabyte / 5'000;
constexpr double kMostMilliseconds = 10;
// A report of a month, of a thousand domains; half of their keys are changed in it.
constexpr double kMostMillisecondsOfReport = 2'000;
constexpr std::size_t kHostsRead = 200;

// A leaf of a public CA for an RSA key is about this long: logs' signatures, links and policies
// fill what the test CA leaves out.
constexpr std::size_t kLeafOctets = 1'300;

void must(bool is_done, const std::string& what) {
  if (!is_done) throw std::runtime_error(what);
}

// ---- the world

// One MX host with the domain that uses it.
class Host {
 public:
  Host(std::size_t number, const support::Issued& intermediate, std::size_t count)
      : domain_name_(fmt::format("customer{:05}.example", number)),
        host_name_("mx." + domain_name_),
        addresses_{
            fmt::format("198.{}.{}.{}", 18 + number / 65'536, number / 256 % 256, number % 256),
            fmt::format("2001:db8:{:x}::25", number)},
        intermediate_(intermediate),
        // Neither rollovers nor signatures of different hosts come together.
        rolls_at_(kBegin + kDay + kRollEvery * number / count),
        signed_at_(kBegin - kSignEvery * (number * 7'919 % count) / count) {
    leaf_ = new_leaf(kBegin);
    published_ = {record_of(leaf_)};
  }

  // When something changes next.
  [[nodiscard]] Time next_at() const { return std::min(next_step_at(), signed_at_ + kSignEvery); }

  // Lives up to `at`, which is next_at(). True when something but signatures changed.
  bool live(Time at) {
    signed_at_ = at;  // new records need a new signature
    if (at != next_step_at()) return false;
    step(at);
    return true;
  }

  [[nodiscard]] agent::Round probe_domain(Time at) const {
    const auto domain = see_domain(at);
    return {.target = {.kind = agent::Target::Kind::domain, .name = domain->domain},
            .at = at,
            .domain = domain,
            .mx_signature = agent::recognised(std::nullopt, *agent::mx_window(*domain), at)};
  }

  [[nodiscard]] agent::Round probe_host(Time at, bool is_judged) const {
    const auto host = see_host(at);
    agent::Round out{.target = {.kind = agent::Target::Kind::host, .name = host->host},
                     .at = at,
                     .host = host,
                     .sample = agent::completed({}, agent::sample_of(*host))};
    if (is_judged) out.judged.push_back(judge(see_domain(at), host, at));
    return out;
  }

  [[nodiscard]] Name name() const { return support::name(host_name_); }
  [[nodiscard]] std::vector<std::string> names() const { return {host_name_, domain_name_}; }

 private:
  enum class Step { publish, deploy, forget_change, retire };

  [[nodiscard]] Time next_step_at() const {
    switch (next_step_) {
      case Step::publish:
        return rolls_at_;
      case Step::deploy:
        return rolls_at_ + kDay;
      case Step::forget_change:
        return rolls_at_ + 2 * kDay;
      case Step::retire:
        return rolls_at_ + 3 * kDay;
    }
    return kEnd;
  }

  void step(Time at) {
    switch (next_step_) {
      case Step::publish:
        next_leaf_ = new_leaf(at);
        published_ = {record_of(leaf_), record_of(next_leaf_)};
        std::ranges::sort(published_);
        next_step_ = Step::deploy;
        return;
      case Step::deploy:
        leaf_ = next_leaf_;
        is_change_news_ = true;
        next_step_ = Step::forget_change;
        return;
      case Step::forget_change:
        is_change_news_ = false;
        next_step_ = Step::retire;
        return;
      case Step::retire:
        published_ = {record_of(leaf_)};
        rolls_at_ += kRollEvery;
        next_step_ = Step::publish;
        return;
    }
  }

  [[nodiscard]] probes::tls::CertificatePtr new_leaf(Time at) const {
    support::CertificatePlan plan{.common_name = host_name_,
                                  .dns_names = {host_name_, domain_name_},
                                  .not_before = at,
                                  .not_after = at + 90 * kDay};
    const auto key = support::Key::ecdsa();
    static const auto kBare =
        support::issue(plan, key, intermediate_).certificate->der.size() + std::size_t{20};
    plan.ballast = kLeafOctets - kBare;
    return support::issue(plan, key, intermediate_).certificate;
  }

  static probes::dane::TlsaRecord record_of(const probes::tls::CertificatePtr& leaf) {
    return support::record(3, 1, 1, *leaf);
  }

  [[nodiscard]] probes::dns::SignatureWindow signature() const {
    return {signed_at_ - hours{1}, signed_at_ + kSignedFor};
  }

  [[nodiscard]] probes::dns::Answer answer(const std::string& owner, std::uint16_t type,
                                           std::vector<probes::dns::Bytes> data) const {
    auto out = support::answer(owner, type, std::move(data));
    out.signatures = signature();
    out.chain_expires_at = signature().expiration;
    return out;
  }

  // What both name servers say, which is the same.
  void survey(probes::dns::Survey& survey, const probes::dns::Answer& answer) const {
    for (int i = 1; i <= 2; ++i) {
      survey.answers.push_back({.server = {support::name(fmt::format("ns{}.hoster.example", i)),
                                           fmt::format("203.0.113.{}", i)},
                                .question = {answer.name, answer.type},
                                .outcome = answer.outcome,
                                .is_authoritative = true,
                                .data = answer.data,
                                .ttl = answer.ttl,
                                .signatures = answer.signatures});
    }
  }

  [[nodiscard]] probes::DomainSeen see_domain(Time at) const {
    auto out = std::make_shared<probes::DomainObservation>();
    out->domain = support::name(domain_name_);
    out->observed_at = at;
    out->mx = answer(domain_name_, probes::dns::type::mx, {{0, 10, 0}});
    out->source = probes::MxSource::mx;
    out->hosts = {{.name = name(), .preference = 10}};
    survey(out->survey, out->mx);
    return out;
  }

  [[nodiscard]] probes::HostSeen see_host(Time at) const {
    auto out = std::make_shared<probes::HostObservation>();
    out->host = out->base_domain = name();
    out->observed_at = at;
    out->a = answer(host_name_, probes::dns::type::a, {{198, 18, 0, 1}});
    out->aaaa = answer(host_name_, probes::dns::type::aaaa, {probes::dns::Bytes(16, 1)});
    out->is_dane_candidate = true;
    out->records = published_;
    std::vector<probes::dns::Bytes> wire;
    for (const auto& record : published_) {
      wire.push_back({record.usage, record.selector, record.matching_type});
      wire.back().insert(wire.back().end(), record.data.begin(), record.data.end());
    }
    out->tlsa = answer("_25._tcp." + host_name_, probes::dns::type::tlsa, wire);
    for (const auto* lookup : {&out->a, &out->aaaa, &out->tlsa}) survey(out->survey, *lookup);
    out->addresses = addresses_;
    for (const auto& address : addresses_)
      out->sessions.push_back(support::session(address, {leaf_, intermediate_.certificate}));
    return out;
  }

  // As the runner does, with what history adds to the look for a day.
  [[nodiscard]] agent::DomainState judge(const probes::DomainSeen& domain,
                                         const probes::HostSeen& host, Time at) const {
    auto judged = probes::judge(domain, {{host->host, host}}, at);
    if (is_change_news_) {
      probes::HistoryFindings known;
      known.findings.push_back(
          {.code = probes::Code::certificate_changed,
           .severity = probes::Severity::info,
           .subject = {.kind = probes::Subject::Kind::host, .name = host_name_},
           .evidence = {{"changed-at", config::rfc3339(rolls_at_ + kDay)},
                        {"endpoint", addresses_[0] + "/default"}}});
      probes::add_history_findings(judged, host->host, known);
    }
    return {.configured = config::Domain{.name = domain_name_},
            .judged = std::make_shared<const probes::DomainJudgement>(std::move(judged)),
            .next_check_at = at + kLookEvery};
  }

  std::string domain_name_, host_name_;
  std::vector<std::string> addresses_;
  const support::Issued& intermediate_;
  Time rolls_at_;
  Time signed_at_;
  Step next_step_ = Step::publish;
  bool is_change_news_ = false;
  probes::tls::CertificatePtr leaf_, next_leaf_;
  std::vector<probes::dane::TlsaRecord> published_;
};

// ---- the year

class Year {
 public:
  Year(const std::filesystem::path& file, std::size_t count) : file_(file) {
    auto opened = storage::DatabaseRecorder::open(file);
    must(opened.has_value(), "cannot open the database");
    recorder_ = std::move(*opened);
    const auto root =
        support::self_signed({.common_name = "Bench Root", .is_ca = true}, support::Key::ecdsa());
    intermediate_ = std::make_unique<support::Issued>(
        support::issue({.common_name = "Bench CA", .is_ca = true}, support::Key::ecdsa(), root));
    for (std::size_t i = 0; i < count; ++i) hosts_.emplace_back(i, *intermediate_, count);
    std::vector<config::Domain> domains;
    for (const auto& host : hosts_) domains.push_back({.name = host.names().back()});
    must(support::finish(recorder_->keep_only(domains)).has_value(), "keep_only");
  }

  // Everything in the order of time, so that the rows of one host lie as far apart as in an agent's
  // file.
  void live() {
    using Due = std::pair<Time, std::size_t>;
    std::priority_queue<Due, std::vector<Due>, std::greater<>> due;
    for (std::size_t i = 0; i < hosts_.size(); ++i) {
      record(hosts_[i].probe_domain(kBegin));
      record(hosts_[i].probe_host(kBegin, true));
      due.emplace(hosts_[i].next_at(), i);
    }
    auto swept_at = kBegin;
    while (due.top().first < kEnd) {
      const auto [at, i] = due.top();
      due.pop();
      const bool is_news = hosts_[i].live(at);
      if (!is_news) record(hosts_[i].probe_domain(at));
      record(hosts_[i].probe_host(at, is_news));
      due.emplace(hosts_[i].next_at(), i);
      if (at - swept_at < kSweepEvery) continue;
      forget();
      swept_at = at;
    }
    for (const auto& host : hosts_) record(host.probe_host(kEnd, true));
    forget();
  }

  // A year of looks that see nothing new at one host.
  void look_on() {
    for (auto at = kEnd; at < kEnd + kYear; at += kLookEvery)
      record(hosts_[0].probe_host(at, false));
  }

  [[nodiscard]] const std::vector<Host>& hosts() const { return hosts_; }
  [[nodiscard]] std::size_t rounds() const { return rounds_; }
  [[nodiscard]] double sweeping() const { return sweeping_.count(); }

  // As the disk has it: the file and its log.
  [[nodiscard]] double bytes() const {
    double out = 0;
    for (const auto* suffix : {"", "-wal", "-shm"}) {
      std::error_code absent;
      const auto size = std::filesystem::file_size(file_.string() + suffix, absent);
      if (!absent) out += static_cast<double>(size);
    }
    return out;
  }

 private:
  void record(const agent::Round& round) {
    const auto done = recorder_->record(round);
    must(done.has_value(), done ? "" : done.error().detail);
    ++rounds_;
  }

  // Its retention is longer than the year here.
  void forget() {
    const auto begun = std::chrono::steady_clock::now();
    must(support::finish(recorder_->forget(kBegin)).has_value(), "forget");
    sweeping_ = std::chrono::steady_clock::now() - begun;
  }

  std::filesystem::path file_;
  std::unique_ptr<storage::DatabaseRecorder> recorder_;
  std::unique_ptr<support::Issued> intermediate_;
  std::vector<Host> hosts_;
  std::size_t rounds_ = 0;
  std::chrono::duration<double> sweeping_{};
};

// ---- reading

// From a connection of its own to the JSON of the page, in milliseconds; and how long this thread
// computed, which other work on the machine does not lengthen.
struct Reading {
  double host_history = 0;
  double whole = 0;
  double computing = 0;
};

double thread_milliseconds() {
  timespec spent{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &spent);
  return static_cast<double>(spent.tv_sec) * 1e3 + static_cast<double>(spent.tv_nsec) / 1e6;
}

Reading read(const std::filesystem::path& file, const Host& host) {
  using Clock = std::chrono::steady_clock;
  const auto begun = Clock::now();
  const auto begun_computing = thread_milliseconds();
  auto queries = storage::Queries::open(file);
  must(queries.has_value(), "cannot open the database again");
  const auto host_history = (*queries)->host_history(host.name(), kBegin);
  must(host_history.has_value(), "cannot read the chronicle");
  const auto known = Clock::now();
  auto seen = std::make_shared<probes::HostObservation>();
  seen->host = seen->tlsa.name = host.name();
  const agent::Snapshot::Followed followed{
      seen, std::make_shared<const agent::Rollovers>(history_of(*host_history, host.names()))};
  const auto json = web::timeline_json(followed, *host_history, kEnd, kBegin, kEnd);
  const auto done = Clock::now();
  const auto computing = thread_milliseconds() - begun_computing;
  must(json["records"].size() >= 7 && json["rollovers"].size() >= 6 && json["failing"].empty(),
       "not the year that was lived: " + json.dump());
  using Milliseconds = std::chrono::duration<double, std::milli>;
  return {Milliseconds{known - begun}.count(), Milliseconds{done - begun}.count(), computing};
}

// What the system keeps of the file in memory is let go of.
void drop_cached(const std::filesystem::path& file) {
  const int descriptor = open(file.c_str(), O_RDONLY | O_CLOEXEC);
  must(descriptor >= 0, "open");
  fdatasync(descriptor);
  posix_fadvise(descriptor, 0, 0, POSIX_FADV_DONTNEED);
  close(descriptor);
}

double at_quantile(std::vector<double> values, double quantile) {
  std::ranges::sort(values);
  return values[std::min(values.size() - 1,
                         static_cast<std::size_t>(quantile * static_cast<double>(values.size())))];
}

// Prints how long it takes to read timelines. Returns the median of what was computed for each,
// which is what an idle machine takes when the file is in memory.
double read_all(const std::filesystem::path& file, const std::vector<Host>& hosts, bool is_cold) {
  std::mt19937 random{1};
  std::uniform_int_distribution<std::size_t> any{0, hosts.size() - 1};
  std::vector<double> chronicles, wholes, computing;
  for (std::size_t i = 0; i < kHostsRead; ++i) {
    if (is_cold) drop_cached(file);
    const auto one = read(file, hosts[any(random)]);
    chronicles.push_back(one.host_history);
    wholes.push_back(one.whole);
    computing.push_back(one.computing);
  }
  for (const auto& [what, values] :
       {std::pair{"chronicle read", &chronicles}, std::pair{"timeline read", &wholes},
        std::pair{"timeline read (CPU)", &computing}}) {
    std::cout << fmt::format(
        "{:<44} {:9.2f} ms median {:9.2f} ms p99\n",
        fmt::format("{}, {}", what, is_cold ? "file not in memory" : "new connection"),
        at_quantile(*values, 0.5), at_quantile(*values, 0.99));
  }
  return at_quantile(computing, 0.5);
}

// The last month of all domains, in milliseconds of computing.
double report(const std::filesystem::path& file, std::size_t count) {
  const auto begun = thread_milliseconds();
  auto queries = storage::Queries::open(file);
  must(queries.has_value(), "cannot open the database again");
  const auto report = web::read_report(**queries, {.from = kEnd - 30 * kDay,
                                                   .until = kEnd,
                                                   .now = kEnd,
                                                   .role = {},
                                                   .group = {},
                                                   // Looks without news were left out of the year.
                                                   .longest_silence = kYear});
  must(report.has_value(), "cannot read the report");
  const auto spent = thread_milliseconds() - begun;
  must(report->domains.size() == count && report->total.seconds[0] > 0 &&
           report->total.certificates >= count / 3,
       "not the month that was lived");
  std::cout << fmt::format("{:<44} {:9.2f} ms, {} certificates changed\n",
                           "report of a month (CPU)", spent, report->total.certificates);
  return spent;
}

// ---- a host that never stays

struct Restless {
  std::filesystem::path file;
  std::unique_ptr<storage::DatabaseRecorder> recorder;
  support::Scene scene;
  std::int64_t looks = 0;

  explicit Restless(std::filesystem::path path) : file(std::move(path)) {
    auto opened = storage::DatabaseRecorder::open(file);
    must(opened.has_value(), "cannot open the database of the restless host");
    recorder = std::move(*opened);
  }

  // Milliseconds of computing for each of so many looks.
  double look(int count) {
    const auto& pki = support::Pki::get();
    const auto begun = thread_milliseconds();
    for (int i = 0; i < count; ++i, ++looks) {
      auto host = scene.mx();
      host.observed_at = kBegin + looks * kLookEvery;
      agent::Round round{.target = {.kind = agent::Target::Kind::host, .name = host.host},
                         .at = host.observed_at,
                         .host = std::make_shared<const probes::HostObservation>(host)};
      const auto& leaf = looks % 2 == 0 ? pki.leaf : pki.old_leaf;
      const auto& other = looks % 2 == 0 ? pki.old_leaf : pki.leaf;
      round.sample.servers["ns1"] =
          agent::Published{.ttl = Seconds{looks + 1},
                           .is_secure = true,
                           .records = {support::record(3, 1, 1, *other.certificate)}};
      round.sample.endpoints["192.0.2.1/default"] =
          agent::Chain{leaf.certificate, pki.inter.certificate};
      must(recorder->record(round).has_value(), "record");
    }
    return (thread_milliseconds() - begun) / count;
  }

  // Of reading what is kept and following it, as a look after a restart, and the page, do.
  [[nodiscard]] double read() const {
    constexpr int kTimes = 10;
    const auto begun = thread_milliseconds();
    for (int i = 0; i < kTimes; ++i) {
      auto queries = storage::Queries::open(file);
      must(queries.has_value(), "cannot open the database again");
      const auto& name = scene.hosts.begin()->second.host;
      const auto host_history = (*queries)->host_history(name, kBegin - kYear);
      must(host_history.has_value(), "cannot read the chronicle");
      const agent::Rollovers rollovers(history_of(*host_history, {name.text()}));
      must(!rollovers.history().servers.empty(), "nothing was kept");
    }
    return (thread_milliseconds() - begun) / kTimes;
  }
};

// Whether ten times as many versions cost the same.
bool is_bounded(const std::filesystem::path& file) {
  constexpr int kFew = 2'000, kMany = 20'000, kMeasured = 500;
  constexpr double kSame = 2;
  Restless host{file};
  host.look(kFew - kMeasured);
  const auto few_look = host.look(kMeasured);
  const auto few_read = host.read();
  host.look(kMany - kFew - kMeasured);
  const auto look = host.look(kMeasured) / few_look;
  const auto read = host.read() / few_read;
  std::cout << fmt::format("{:<44} {:9.2f} ms to follow, {:.2f} ms to record\n",
                           "a host that never stays, 2,000 looks", few_read, few_look)
            << fmt::format("{:<44} {:9.2f} x       {:.2f} x\n", "  after 20,000", read, look);
  return look < kSame && read < kSame;
}

void show_tables(const std::filesystem::path& file) {
  storage::Database db{file, storage::Database::Mode::read_only};
  auto rows = db.prepare("SELECT name, sum(pgsize) FROM dbstat GROUP BY name ORDER BY 2 DESC");
  for (int i = 0; i < 10 && rows.step(); ++i)
    std::cout << fmt::format("  {:<42} {:9.1f} MB\n", rows.text(0),
                             static_cast<double>(rows.integer(1)) / kMegabyte);
}

}  // namespace

int main(int argc, char** argv) {
  std::size_t count = 5'000;
  if (argc > 1) {
    const std::string_view text = argv[1];
    if (std::from_chars(text.data(), text.data() + text.size(), count).ec != std::errc{} ||
        count == 0)
      return 2;
  }
  const auto folder =
      std::filesystem::temp_directory_path() / fmt::format("danelaw-history-{}", getpid());
  std::filesystem::create_directory(folder);
  const auto file = folder / "danelaw.db";
  const auto begun = std::chrono::steady_clock::now();
  bool is_kept = false;
  {
    Year year{file, count};
    year.live();
    const std::chrono::duration<double> took = std::chrono::steady_clock::now() - begun;
    const auto size = year.bytes();
    std::cout << fmt::format("{:<44} {:9}\n", "endpoints, two a host", 2 * count)
              << fmt::format("{:<44} {:9}\n", "looks recorded", year.rounds())
              << fmt::format("{:<44} {:9.1f} s\n", "that took", took.count())
              << fmt::format("{:<44} {:9.2f} s\n", "of it the last sweep (hourly in the agent)",
                             year.sweeping())
              << fmt::format("{:<44} {:9.1f} MB\n", "database and log after the year",
                             size / kMegabyte);
    show_tables(file);
    read_all(file, year.hosts(), true);
    const auto milliseconds = read_all(file, year.hosts(), false);
    const auto reporting = report(file, count);
    year.look_on();
    std::cout << fmt::format("{:<44} {:9.0f} octets\n", "growth by 35,040 looks without news",
                             year.bytes() - size);
    is_kept =
        size < kMostBytesOfLog + kMostBytesAHost * static_cast<double>(count) &&
        milliseconds < kMostMilliseconds &&
        reporting < kMostMillisecondsOfReport * std::max(1.0, static_cast<double>(count) / 1'000);
  }
  is_kept = is_bounded(folder / "restless.db") && is_kept;
  std::filesystem::remove_all(folder);
  std::cout << (is_kept ? "kept" : "NOT KEPT")
            << ": under 200 MB for 10,000 endpoints, under 10 ms, a report of a month of 1,000 "
               "domains under 2 s, a restless host bounded\n";
  return is_kept ? 0 : 1;
}
