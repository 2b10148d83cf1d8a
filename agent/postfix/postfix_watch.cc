#include "agent/postfix/postfix_watch.h"

#include <algorithm>
#include <chrono>
#include <utility>

#include <nlohmann/json.hpp>

#include "agent/postfix/foretold.h"
#include "agent/postfix/journald_log.h"
#include "agent/postfix/local_time.h"
#include "agent/postfix/log_tail.h"

namespace agent {
namespace {

using config::Lock;
using config::Time;
using probes::reports::Delivery;
using probes::reports::DeliveryStatus;

constexpr std::chrono::seconds kEvery{1};
constexpr int kSaveEvery = 10;  // turns of kEvery
constexpr std::size_t kAtOnce = std::size_t{4} << 20U;
// Lines in a row that no log has.
constexpr std::uint64_t kMostStrange = 100;
// How long a delivery waits for the next probe of its host.
constexpr config::Seconds kPatience = std::chrono::hours{2};
// A session that began while an exception was in force may end after it.
constexpr config::Seconds kStillExcepted = std::chrono::minutes{10};

// What is to be followed, as it calls itself; empty: nothing.
std::string name_of_log(const config::Postfix& settings) {
  if (settings.has_journal) return JournaldLog(settings.journal_folder).name();
  return settings.log.string();
}

std::unique_ptr<LogSource> log_source(const config::Postfix& settings,
                                      const std::optional<std::string>& position) {
  if (settings.has_journal) return std::make_unique<JournaldLog>(settings.journal_folder, position);
  return std::make_unique<LogTail>(settings.log, position);
}

void merge(DeliveryBook::Changes& into, DeliveryBook::Changes more) {
  for (auto& [name, body] : more.domains) {
    into.gone.erase(name);
    into.domains.insert_or_assign(name, std::move(body));
  }
  for (const auto& name : more.gone) into.domains.erase(name);
  into.gone.merge(more.gone);
  if (!more.agreement.empty()) into.agreement = std::move(more.agreement);
  for (const auto number : more.decided) into.undecided.erase(number);
  into.decided.merge(more.decided);
  into.undecided.merge(more.undecided);
  std::ranges::move(more.disagreements, std::back_inserter(into.disagreements));
  if (into.disagreements.size() > DeliveryBook::kMostDisagreements)
    into.disagreements.erase(into.disagreements.begin(),
                             into.disagreements.end() - DeliveryBook::kMostDisagreements);
}

}  // namespace

PostfixWatch::PostfixWatch(DeliveryStore& store, World world)
    : store_(store), world_(std::move(world)), began_(world_.now()) {
  const auto kept = store_.restore();
  if (!kept) {
    world_.report(kept.error(), false);
    return;
  }
  const Lock reading(reading_);
  const Lock lock(mutex_);
  for (const auto& [name, body] : kept->domains) book_.restore_domain(name, body);
  for (const auto& body : kept->disagreements) book_.restore_disagreement(body);
  for (const auto& [number, body] : kept->undecided) book_.restore_undecided(number, body);
  if (!kept->agreement.empty()) book_.restore_agreement(kept->agreement);
  read_logs_ = read_logs_from(*kept);
  kept_reader_ = kept->reader;
}

std::vector<PostfixWatch::ReadLog> PostfixWatch::with_first(std::vector<ReadLog> logs,
                                                            ReadLog first) {
  std::erase_if(logs, [&](const ReadLog& one) { return one.name == first.name; });
  logs.insert(logs.begin(), std::move(first));
  if (logs.size() > kMostLogs) logs.resize(kMostLogs);
  return logs;
}

std::string PostfixWatch::text_of(const std::vector<ReadLog>& logs) {
  auto out = nlohmann::json::array();
  for (const auto& one : logs) out.push_back({one.name, one.position});
  // The name of a file may be any octets.
  return out.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

std::vector<PostfixWatch::ReadLog> PostfixWatch::read_logs_from(const DeliveryStore::Kept& kept) {
  if (kept.position.empty()) return {};
  try {
    const auto json = nlohmann::json::parse(kept.position);
    // Before there were several it was that of one.
    if (!json.is_array()) return {{kept.log, kept.position}};
    std::vector<ReadLog> out;
    for (const auto& one : json)
      out.push_back({one.at(0).get<std::string>(), one.at(1).get<std::string>()});
    return out;
  } catch (const nlohmann::json::exception&) {  // a disk gave it back as something else
    return {};
  }
}

PostfixWatch::~PostfixWatch() {
  stop();
}

config::Result<void, std::string> PostfixWatch::configure(const config::Postfix& settings) {
  refresh_exceptions();
  const Lock reading(reading_);
  const bool has_other_socket =
      server_ ? server_->path() != settings.policy_socket || !server_->is_there()
              : !settings.policy_socket.empty();
  std::unique_ptr<PolicyServer> fresh;
  if (has_other_socket && !settings.policy_socket.empty()) {
    auto started = PolicyServer::start(settings.policy_socket, table_, world_.now);
    if (!started) return config::Failure<std::string>(started.error());
    fresh = std::move(*started);
  }
  if (has_other_socket) server_ = std::move(fresh);
  const auto name = name_of_log(settings);
  if (log_ && log_->name() != name) {
    save();
    // What was counted of it is kept with the next save at the latest, and this with that.
    if (const auto position = log_->position())
      read_logs_ = with_first(std::move(read_logs_), {log_->name(), *position});
    log_.reset();
  }
  if (!log_ && !name.empty()) {
    const auto known = std::ranges::find(read_logs_, name, &ReadLog::name);
    log_ = log_source(settings,
                      known == read_logs_.end() ? std::nullopt : std::optional(known->position));
    reader_ = std::make_unique<probes::reports::MaillogReader>(local_calendar(world_.now()));
    if (known != read_logs_.end() && known == read_logs_.begin()) reader_->restore(kept_reader_);
  }
  const Lock lock(mutex_);
  follows_log_ = log_ != nullptr;
  serves_policy_ = server_ != nullptr;
  return {};
}

void PostfixWatch::start() {
  thread_ = std::jthread([this](const std::stop_token& stop) { work(stop); });
}

void PostfixWatch::stop() {
  thread_.request_stop();
  if (thread_.joinable()) thread_.join();
  const Lock reading(reading_);
  if (log_) save();
  log_.reset();
  server_.reset();
}

void PostfixWatch::refresh_exceptions() {
  const auto exceptions = world_.exceptions();
  table_.set(exceptions);
  const auto at = world_.now();
  const Lock lock(mutex_);
  for (const auto& one : exceptions) {
    if (at < one.until) excepted_[one.domain] = at;
  }
  std::erase_if(excepted_, [&](const auto& one) { return at - one.second > kStillExcepted; });
}

void PostfixWatch::work(const std::stop_token& stop) {
  for (int turn = 1; !stop.stop_requested(); ++turn) {
    refresh_exceptions();
    bool has_more = false;
    {
      const Lock reading(reading_);
      has_more = log_ && read_on();
      if (turn % kSaveEvery == 0) keep_socket();
      if (log_ && turn % kSaveEvery == 0) {
        settle();
        save();
      }
    }
    if (has_more) continue;
    config::Lock wait(waiting_);
    wake_.wait_for(wait, stop, kEvery, [] { return false; });
  }
}

// Somebody removed the socket, as a cleaner of temporary files does: Postfix is not left without.
void PostfixWatch::keep_socket() {
  if (!server_ || server_->is_there()) return;
  auto anew = PolicyServer::start(server_->path(), table_, world_.now);
  world_.report(anew ? server_->path().string() + " was removed, and was made anew" : anew.error(),
                anew.has_value());
  if (anew) server_ = std::move(*anew);
}

// Good as long as mutex_ is held.
DeliveryBook::Foretell PostfixWatch::foretell() const {
  return [this, excepted =
                    &excepted_](const Delivery& delivery) -> std::optional<DeliveryBook::Foretold> {
    const auto judged = world_.judged(delivery.domain);
    if (!judged) return std::nullopt;
    const auto verdict = verdict_about(*judged, delivery);
    if (!verdict) return std::nullopt;
    return DeliveryBook::Foretold{
        .is_right = was_foretold(*verdict, delivery, excepted->contains(delivery.domain)),
        .verdict = *verdict,
        .looked_at = looked_at(*judged, delivery)};
  };
}

// True when there may be more at once.
bool PostfixWatch::read_on() {
  auto& reader = *reader_;
  reader.set_now(world_.now());
  std::vector<probes::reports::MailEvent> events;
  const auto read = log_->read(kAtOnce, [&](std::string_view line) {
    if (auto event = reader.read(line)) events.push_back(*std::move(event));
  });
  std::optional<std::pair<std::string, bool>> news;
  {
    const Lock lock(mutex_);
    const auto say = foretell();
    for (const auto& event : events) book_.take(event, began_, say);
    if (reader.last_at()) last_line_at_ = reader.last_at();
    auto fault = read ? std::nullopt : std::optional(read.error());
    if (!fault && reader.strange() >= kMostStrange)
      fault = log_->name() + ": no line " + std::string(probes::reports::kNoKnownForm);
    if (fault && !log_fault_) news = {*fault, false};
    if (!fault && log_fault_) news = {*log_fault_, true};
    log_fault_ = std::move(fault);
  }
  if (news) world_.report("postfix.log " + news->first, news->second);
  return read && *read;
}

// What only time decides.
void PostfixWatch::settle() {
  const auto at = world_.now();
  const Lock lock(mutex_);
  book_.settle(at, kPatience, foretell());
  book_.forget(at);
}

void PostfixWatch::save() {
  const auto position = log_->position();
  if (!position) return;
  {
    const Lock lock(mutex_);
    merge(unsaved_, book_.take_changes());
  }
  auto logs = with_first(read_logs_, {log_->name(), *position});
  if (logs == read_logs_ && unsaved_ == DeliveryBook::Changes{}) return;
  auto reader = reader_->state();
  const auto done = store_.save(unsaved_, log_->name(), text_of(logs), reader);
  if (done) {
    unsaved_ = {};
    kept_reader_ = std::move(reader);
    read_logs_ = std::move(logs);
    if (store_fault_) world_.report(*store_fault_, true);
    store_fault_.reset();
  } else if (!std::exchange(store_fault_, done.error())) {
    world_.report(done.error(), false);
  }
}

PostfixWatch::View PostfixWatch::view() const {
  View out{.asked = table_.asked(),
           .answered_ok = table_.answered_ok(),
           .answered_not_found = table_.answered_not_found()};
  const Lock lock(mutex_);
  out.follows_log = follows_log_;
  out.serves_policy = serves_policy_;
  out.log_fault = log_fault_;
  out.last_line_at = last_line_at_;
  out.agreement = book_.agreement(world_.now());
  out.totals = book_.totals();
  return out;
}

DeliveryBook::Totals PostfixWatch::waiting_of(
    const std::function<bool(const std::string& domain)>& is_wanted) const {
  const Lock lock(mutex_);
  return book_.waiting_of(is_wanted);
}

std::optional<DomainDeliveries> PostfixWatch::domain(std::string_view name) const {
  const Lock lock(mutex_);
  const auto* found = book_.domain(name);
  return found == nullptr ? std::nullopt : std::optional(*found);
}

std::map<std::string, PostfixWatch::ThroughHost> PostfixWatch::host(std::string_view name) const {
  const Lock lock(mutex_);
  std::map<std::string, ThroughHost> out;
  for (const auto& [domain, deliveries] : book_.domains()) {
    const auto found = deliveries.hosts.find(std::string(name));
    if (found != deliveries.hosts.end())
      out.emplace(domain, ThroughHost{found->second, deliveries.waiting_at(name)});
  }
  return out;
}

std::vector<Disagreement> PostfixWatch::disagreements() const {
  const Lock lock(mutex_);
  return {book_.disagreements().rbegin(), book_.disagreements().rend()};
}

std::vector<PostfixWatch::Proposal> PostfixWatch::proposals(
    const std::function<bool(const std::string&)>& is_watched, std::size_t most) const {
  std::vector<Proposal> out;
  {
    const auto at = world_.now();
    const Lock lock(mutex_);
    for (const auto& [name, domain] : book_.domains()) {
      const auto messages = domain.messages_a_month(at);
      const bool waits = domain.deferred_since && is_about_tls(domain.setback);
      if ((messages > 0 || waits) && !is_watched(name))
        out.push_back(
            {.domain = name, .messages = messages, .has_dane = domain.seems_to_have_dane()});
    }
  }
  std::ranges::sort(out, [](const Proposal& a, const Proposal& b) {
    return std::tuple(!a.has_dane, ~a.messages, a.domain) <
           std::tuple(!b.has_dane, ~b.messages, b.domain);
  });
  if (out.size() > most) out.resize(most);
  return out;
}

}  // namespace agent
