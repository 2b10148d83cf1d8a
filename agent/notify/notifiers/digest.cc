#include "agent/notify/notifiers/digest.h"

#include <algorithm>
#include <charconv>
#include <map>

#include <fmt/format.h>

#include "agent/alerts/alert_json.h"
#include "agent/alerts/notice.h"
#include "agent/notify/notifiers/render.h"
#include "agent/watch/configured.h"
#include "probes/explain.h"

namespace agent {
namespace {

using config::Failure;
using config::Seconds;
using config::Time;

constexpr std::size_t kMostLines = 100;  // of each part; more are counted

std::string minute_of(Time time) {
  const auto text = config::rfc3339(time);
  return text.substr(0, 10) + " " + text.substr(11, 5);
}

// The watched domains of each host.
using Users = std::map<std::string, std::vector<std::string>>;

Users users_of(const Snapshot& snapshot) {
  Users out;
  for (const auto& state : snapshot.domains) {
    if (!state.judged) continue;
    for (const auto& host : state.judged->hosts)
      out[host.seen->host.text()].push_back(state.configured->name);
  }
  return out;
}

// The snapshot outlives what is returned.
Watched watched_in(const Snapshot& snapshot) {
  auto judged = std::make_shared<std::map<std::string_view, const probes::DomainJudgement*>>();
  for (const auto& state : snapshot.domains)
    judged->emplace(state.configured->name, state.judged.get());
  return {.domains = configured(snapshot),
          .judged = [judged = std::move(judged)](
                        const std::string& name) -> const probes::DomainJudgement* {
            const auto found = judged->find(name);
            return found == judged->end() ? nullptr : found->second;
          },
          .users =
              [users = std::make_shared<const Users>(users_of(snapshot))](const std::string& host) {
                const auto found = users->find(host);
                return found == users->end() ? std::vector<std::string>{} : found->second;
              }};
}

// What the digest is about. The snapshot outlives it.
class Part {
 public:
  Part(const Snapshot& snapshot, const std::vector<Matcher>& matchers)
      : matchers_(matchers), watched_(watched_in(snapshot)), owned_(owned_by(matchers, watched_)) {}
  Part(const Part&) = delete;
  Part& operator=(const Part&) = delete;
  Part(Part&&) = delete;
  Part& operator=(Part&&) = delete;
  ~Part() = default;

  [[nodiscard]] bool has_domain(const std::string& name) const {
    return !owned_ || owned_->domain(name) != nullptr;
  }
  [[nodiscard]] bool has_any(const std::vector<std::string>& names) const {
    return !owned_ ||
           std::ranges::any_of(names, [&](const auto& name) { return has_domain(name); });
  }
  [[nodiscard]] bool has_host(const std::string& host) const {
    return !owned_ || has_any(watched_.users(host));
  }
  [[nodiscard]] std::optional<Alert> of(const Alert& alert) const {
    auto out = owned_ ? narrowed(alert, *owned_) : alert;
    if (out && !fits_any(matchers_, *out, watched_.domains)) out.reset();
    return out;
  }
  [[nodiscard]] std::string detail_of(const SelfCheck& check) const {
    const auto detail = check.detail.value_or("");
    return probes::printable(owned_ ? own_detail(check.check, detail, owned_->is_others) : detail);
  }
  // Null: everything.
  [[nodiscard]] const Owned* owned() const { return owned_ ? &*owned_ : nullptr; }

 private:
  const std::vector<Matcher>& matchers_;
  Watched watched_;
  std::optional<Owned> owned_;
};

class Parts {
 public:
  void add(std::string_view title, const std::vector<std::string>& lines, std::string_view none) {
    text_ += fmt::format("{}{}\n", text_.empty() ? "" : "\n", title);
    if (lines.empty()) text_ += fmt::format("  {}\n", none);
    for (std::size_t i = 0; i < std::min(lines.size(), kMostLines); ++i)
      text_ += fmt::format("  {}\n", lines[i]);
    if (lines.size() > kMostLines)
      text_ += fmt::format("  and {} more\n", lines.size() - kMostLines);
  }
  [[nodiscard]] std::string take() { return std::move(text_); }

 private:
  std::string text_;
};

std::string alert_line(const Alert& alert, Time now) {
  const auto count = alert.domains.size();
  return fmt::format("{}: {} (since {}{}{})", wire_name(alert.finding.severity), title_of(alert),
                     minute_of(alert.first_seen_at),
                     count > 0 ? fmt::format(", {} domain{}", count, count == 1 ? "" : "s") : "",
                     is_acknowledged(alert, now) ? ", acknowledged" : "");
}

std::vector<std::string> lines_of(std::vector<DigestLine> lines) {
  std::ranges::stable_sort(lines, {}, &DigestLine::at);
  std::vector<std::string> out;
  for (const auto& line : lines) out.push_back(minute_of(line.at) + "  " + line.text);
  return out;
}

std::vector<std::string> deadline_lines(const DigestInput& input, const Part& part) {
  auto lines = input.deadlines;
  std::erase_if(lines, [&](const DigestLine& line) { return !part.has_any(line.domains); });
  return lines_of(std::move(lines));
}

std::vector<std::string> alert_lines(const DigestInput& input, const Part& part) {
  std::vector<Alert> open;
  for (const auto& alert : input.snapshot.alerts) {
    if (alert.state != AlertState::firing) continue;
    if (auto mine = part.of(alert)) open.push_back(*std::move(mine));
  }
  std::ranges::stable_sort(open, std::ranges::greater{},
                           [](const Alert& one) { return one.finding.severity; });
  std::vector<std::string> out;
  for (const auto& alert : open) out.push_back(alert_line(alert, input.snapshot.now));
  return out;
}

std::vector<std::string> rollover_lines(const DigestInput& input, const Part& part) {
  std::vector<std::string> out;
  for (const auto& followed : input.snapshot.rollovers) {
    const auto host = followed.host->host.text();
    if (!followed.rolling_since || !part.has_host(host)) continue;
    out.push_back(fmt::format("{}: {} (since {})", probes::printable(host),
                              wire_name(followed.rollovers->at(input.snapshot.now).state),
                              minute_of(*followed.rolling_since)));
  }
  return out;
}

// "1 domain is watched", of those that the digest is about.
std::string watched(const DigestInput& input, const Part& part) {
  const auto count = std::ranges::count_if(input.snapshot.domains, [&](const DomainState& state) {
    return part.has_domain(state.configured->name);
  });
  return fmt::format("{} domain{} watched", count, count == 1 ? " is" : "s are");
}

// What is wrong with ourselves. While some of that keeps us from knowing a digest never says that
// all is well; nor while something else is.
struct OwnFaults {
  std::vector<std::string> blinding, others;
  [[nodiscard]] bool is_any() const { return !blinding.empty() || !others.empty(); }
};

OwnFaults own_faults(const Snapshot& snapshot, const Part& part) {
  OwnFaults out;
  const auto blinding_checks = blinding(snapshot.vantage);
  for (const auto& check : snapshot.vantage) {
    if (check.is_up || check.is_limit) continue;
    auto& lines = std::ranges::count(blinding_checks, &check) > 0 ? out.blinding : out.others;
    lines.push_back(fmt::format("{}: {}", check.check, part.detail_of(check)));
  }
  return out;
}

std::string subject_of(const OwnFaults& faults, std::size_t alerts) {
  if (!faults.blinding.empty()) return "danelaw: its own checks fail";
  if (alerts > 0) return fmt::format("danelaw: {} alert{} open", alerts, alerts == 1 ? "" : "s");
  return faults.is_any() ? "danelaw: one of its own checks fails" : "danelaw: all is well";
}

}  // namespace

Time last_due(const config::Mail& settings, Time now) {
  constexpr Seconds kDay = std::chrono::hours{24};
  const std::chrono::sys_days today = std::chrono::floor<std::chrono::days>(now);
  std::chrono::sys_days day = today;
  Seconds step = kDay;
  if (settings.digest == config::DigestEvery::weekly) {
    day -= std::chrono::weekday{today} - std::chrono::Monday;
    step = 7 * kDay;
  }
  const auto due = std::chrono::time_point_cast<Seconds>(day) + settings.digest_at;
  return due <= now ? due : due - step;
}

Digest digest_of(const DigestInput& input) {
  const Part part(input.snapshot, input.matchers);
  const auto faults = own_faults(input.snapshot, part);
  const auto alerts = alert_lines(input, part);
  const auto deadlines = deadline_lines(input, part);
  const auto rollovers = rollover_lines(input, part);
  const auto changes = lines_of(input.changes);
  Digest out;
  out.is_well = alerts.empty() && !faults.is_any();
  out.says_nothing =
      out.is_well && deadlines.empty() && rollovers.empty() && changes.empty() && !input.unread;
  out.subject = subject_of(faults, alerts.size());
  Parts parts;
  if (!faults.blinding.empty())
    parts.add("danelaw cannot see everything; what follows may be old:", faults.blinding, "");
  if (!faults.others.empty())
    parts.add("What is wrong with danelaw itself, though it sees the domains:", faults.others, "");
  parts.add("Open alerts", alerts, "none");
  parts.add("Deadlines of the next 14 days", deadlines, "none");
  parts.add("Rollovers under way", rollovers, "none");
  parts.add(fmt::format("What changed since {} UTC", minute_of(input.since)), changes,
            input.unread ? "could not be read: " + probes::printable(*input.unread) : "nothing");
  out.text =
      parts.take() + fmt::format("\n{}. Times are UTC. {}\n", watched(input, part), input.page);
  return out;
}

namespace {

class DigestNotifier final : public StateNotifier {
 public:
  DigestNotifier(config::Mail settings, wire::Envelope head, std::vector<Matcher> matchers,
                 std::string page, Outbox& outbox, DigestSources sources)
      : settings_(std::move(settings)),
        head_(std::move(head)),
        matchers_(std::move(matchers)),
        page_(std::move(page)),
        outbox_(outbox),
        sources_(std::move(sources)) {}

  // No label has a slash in it: it is never that of another.
  std::string name() const override { return settings_.name + "/digest"; }
  Seconds every() const override { return Seconds{60}; }
  bool is_urgent() const override { return false; }
  bool tells_people() const override { return false; }

  Delivered tell(const Snapshot& snapshot, const std::stop_token& stop) override {
    const auto due = last_due(settings_, snapshot.now);
    const auto known = outbox_.notifier_state(key());
    if (!known) return Failure<std::string>(known.error().detail);
    const auto last = *known ? time_in(**known) : std::nullopt;
    if (!last) return keep(due);
    // Also when the clock was set back.
    if (*last >= due) return {};
    DigestInput input{
        .snapshot = snapshot,
        .matchers = matchers_,
        .deadlines = sources_.deadlines ? sources_.deadlines(snapshot) : std::vector<DigestLine>{},
        .changes = {},
        .unread = {},
        .since = *last,
        .page = page_};
    if (sources_.changes) {
      const Part part(snapshot, matchers_);
      auto changes = sources_.changes(*last, snapshot.now, part.owned());
      if (changes)
        input.changes = *std::move(changes);
      else
        input.unread = changes.error();
    }
    const auto digest = digest_of(input);
    if (!digest.says_nothing || settings_.digest_when_well) {
      const auto message = plain_mail(
          {.from = head_.from, .to = head_.to}, digest.subject, digest.text, snapshot.now,
          fmt::format("digest-{}.{}", due.time_since_epoch().count(), settings_.name));
      if (auto sent = wire::submit(head_, message, stop); !sent) return sent;
    }
    return keep(due);
  }

 private:
  [[nodiscard]] std::string key() const { return "digest/" + settings_.name; }

  static std::optional<Time> time_in(const std::string& text) {
    std::int64_t seconds = 0;
    const auto* const end = text.data() + text.size();
    const auto [stop, fault] = std::from_chars(text.data(), end, seconds);
    if (fault != std::errc{} || stop != end) return std::nullopt;
    return Time{Seconds{seconds}};
  }

  Delivered keep(Time due) {
    const auto done =
        outbox_.keep_notifier_state(key(), std::to_string(due.time_since_epoch().count()));
    return done ? Delivered{} : Failure<std::string>(done.error().detail);
  }

  config::Mail settings_;
  wire::Envelope head_;
  std::vector<Matcher> matchers_;
  std::string page_;
  Outbox& outbox_;
  DigestSources sources_;
};

}  // namespace

std::unique_ptr<StateNotifier> make_digest(config::Mail settings, wire::Envelope head,
                                           std::vector<Matcher> matchers, std::string page,
                                           Outbox& outbox, DigestSources sources) {
  return std::make_unique<DigestNotifier>(std::move(settings), std::move(head), std::move(matchers),
                                          std::move(page), outbox, std::move(sources));
}

}  // namespace agent
