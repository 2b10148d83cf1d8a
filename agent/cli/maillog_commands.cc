#include "agent/cli/maillog_commands.h"

#include <algorithm>
#include <array>
#include <chrono>
#include <iostream>
#include <map>
#include <memory>
#include <set>
#include <unordered_map>
#include <unordered_set>
#include <utility>

#include <CLI/CLI.hpp>
#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "agent/cli/log_files.h"
#include "agent/postfix/delivery_book.h"
#include "agent/postfix/local_time.h"
#include "probes/explain.h"
#include "probes/reports/maillog.h"

namespace agent {
namespace {

using Json = nlohmann::ordered_json;
using probes::reports::Delivery;
using probes::reports::DeliveryStatus;
using probes::reports::kNoKnownForm;
using probes::reports::MaillogReader;
using probes::reports::Setback;
using probes::reports::TlsLevel;

// Of a file, where the moment of its first line is looked for.
constexpr std::uint64_t kHead = 65'536;

// By when they begin, since shells name the newest first; what has no such moment comes last.
std::vector<std::filesystem::path> in_time(const LogFiles& logs) {
  std::vector<std::pair<config::Time, std::filesystem::path>> all;
  for (const auto& file : logs.files) {
    probes::reports::LogLineReader reader(local_calendar(logs.now));
    std::optional<config::Time> first;
    const auto look = [&](std::string_view line, std::uint64_t) {
      if (const auto read = reader.read(line); read && !first) first = read->at;
    };
    if (logs.files.size() > 1 && file != "-") (void)for_each_line(file, look, kHead);
    all.emplace_back(first.value_or(config::Time::max()), file);
  }
  std::ranges::stable_sort(all, {}, [](const auto& one) { return one.first; });
  std::vector<std::filesystem::path> out;
  for (auto& [begin, file] : all) out.push_back(std::move(file));
  return out;
}

// Calls `take` with everything that the files say; 0, or 1 after saying what could not be read.
int for_each_event(const LogFiles& logs, std::ostream& errors, const auto& take) {
  int status = 0;
  std::uint64_t events = 0, all_lines = 0;
  for (const auto& file : in_time(logs)) {
    MaillogReader reader(local_calendar(logs.now));
    std::uint64_t lines = 0;
    const auto done = for_each_line(file, [&](std::string_view line, std::uint64_t octets) {
      lines += line.empty() ? 0 : 1;
      const auto event = reader.read(line, octets);
      if (event) take(*event);
      events += event ? 1 : 0;
    });
    all_lines += lines;
    if (done && (lines == 0 || reader.strange() < lines)) continue;
    errors << probes::printable(
                  done ? file.string() + ": no line " + std::string(kNoKnownForm) : done.error(),
                  2000)
           << '\n';
    status = 1;
  }
  if (events == 0 && all_lines > 0 && status == 0)
    errors << "no line is about a delivery by Postfix\n";
  return status;
}

// With every delivery that is not too old.
int for_each_delivery(const LogFiles& logs, std::ostream& errors, const auto& take) {
  return for_each_event(logs, errors, [&](const probes::reports::MailEvent& event) {
    const auto* delivery = std::get_if<Delivery>(&event);
    if (delivery != nullptr && (!logs.since || delivery->at >= *logs.since)) take(*delivery);
  });
}

struct Counts {
  std::map<TlsLevel, std::uint64_t> sent;
  std::map<Setback, std::uint64_t> held;  // deferred or bounced, each try
  config::Time last_at{};
};

struct OfDomain {
  Counts all;
  std::map<std::string, Counts> hosts;
};

// A log of hostile mail names as many domains as it likes.
constexpr std::size_t kMostDomains = 1'000'000;
constexpr std::size_t kMostHosts = 100;

void count(Counts& counts, const Delivery& delivery) {
  if (delivery.status == DeliveryStatus::sent)
    ++counts.sent[delivery.level];
  else
    ++counts.held[delivery.setback];
  counts.last_at = std::max(counts.last_at, delivery.at);
}

std::uint64_t sum(const auto& counts) {
  std::uint64_t out = 0;
  for (const auto& [word, number] : counts) out += number;
  return out;
}

Json json_of(const Counts& counts) {
  Json sent = Json::object(), held = Json::object();
  for (const auto& [level, number] : counts.sent) sent[std::string(wire_name(level))] = number;
  for (const auto& [setback, number] : counts.held) held[std::string(wire_name(setback))] = number;
  return {{"sent", sent}, {"held_up", held}, {"last_at", config::rfc3339(counts.last_at)}};
}

// What waits at the log's end, and when mail last went at each level; nothing is known of domains
// beyond what a book holds.
void add_book(Json& line, const DomainDeliveries* book) {
  Json last = Json::object();
  if (book != nullptr) {
    for (const auto& [level, at] : book->last_sent)
      last[std::string(wire_name(level))] = config::rfc3339(at);
  }
  const auto oldest = book != nullptr ? book->oldest_waiting() : std::nullopt;
  const auto deferred = book != nullptr ? book->deferred_since : std::nullopt;
  line["last_sent"] = std::move(last);
  line["deferred_since"] = deferred ? Json(config::rfc3339(*deferred)) : Json(nullptr);
  line["waiting"] = book != nullptr ? book->waiting.size() : 0;
  line["oldest_waiting_since"] = oldest ? Json(config::rfc3339(*oldest)) : Json(nullptr);
}

std::string words_of(const DomainDeliveries* book) {
  if (book == nullptr || book->waiting.empty()) return {};
  return fmt::format("; {} waiting, the oldest since {}", book->waiting.size(),
                     config::rfc3339(*book->oldest_waiting()));
}

std::string words_of(const Counts& counts) {
  std::vector<std::string> words;
  for (const auto& [level, number] : counts.sent)
    words.push_back(fmt::format("{} sent {}", number,
                                level == TlsLevel::none      ? "in the clear"
                                : level == TlsLevel::unknown ? "(TLS unknown)"
                                                             : wire_name(level)));
  for (const auto& [setback, number] : counts.held)
    words.push_back(fmt::format("{} held up ({})", number, wire_name(setback)));
  std::string out;
  for (const auto& word : words) out += (out.empty() ? "" : ", ") + word;
  return out;
}

struct LogFlags {
  std::vector<std::filesystem::path> files;
  std::string since;
  std::uint64_t least = 1;
  std::filesystem::path config_file;
  std::string format = "text";
};

void add_flags(CLI::App& app, LogFlags& flags) {
  app.add_option("FILE", flags.files, "Postfix log, also compressed by gzip; - for standard input")
      ->required();
  app.add_option("--since", flags.since,
                 "only later ones: a moment (RFC 3339) or how long ago, e.g. 30d");
}

// Nothing after saying what is wrong with the flags.
std::optional<LogFiles> logs_of(const LogFlags& flags) {
  LogFiles out{.files = flags.files,
               .since = config::parse_rfc3339(flags.since),
               .now = std::chrono::floor<config::Seconds>(std::chrono::system_clock::now())};
  if (const auto ago = config::parse_duration(flags.since)) out.since = out.now - *ago;
  if (flags.since.empty() || out.since) return out;
  std::cerr << fmt::format(
      "--since {}: give a moment, as 2026-01-02T03:04:05Z, or how long ago, e.g. 30d\n",
      probes::printable(flags.since));
  return std::nullopt;
}

int run_maillog(const LogFlags& flags) {
  const auto logs = logs_of(flags);
  if (!logs) return kBadUsage;
  std::optional<config::Config> settings;
  if (!flags.config_file.empty()) {
    settings = load_or_complain(flags.config_file, for_checks());
    if (!settings) return kBadUsage;
  }
  return print_maillog(*logs, settings, flags.format == "json", std::cout, std::cerr);
}

}  // namespace

int print_partners(const LogFiles& logs, std::uint64_t least, std::ostream& out,
                   std::ostream& errors) {
  std::unordered_map<std::string, std::uint64_t> messages;
  std::unordered_set<std::string> lately;  // message and domain: recipients stand close together
  const int status = for_each_delivery(logs, errors, [&](const Delivery& delivery) {
    constexpr std::size_t kLately = 100'000;
    // Mail that waits for TLS or DANE is to a partner, too, and one that needs watching; mail to
    // nowhere is a mistyped address.
    const bool waits =
        delivery.status == DeliveryStatus::deferred && is_about_tls(delivery.setback);
    if (delivery.status != DeliveryStatus::sent && !waits) return;
    if (lately.size() >= kLately) lately.clear();
    if (!lately.insert(delivery.queue_id + ' ' + delivery.domain).second) return;
    if (messages.size() < kMostDomains || messages.contains(delivery.domain))
      ++messages[delivery.domain];
  });
  std::vector<std::pair<std::string, std::uint64_t>> sorted(messages.begin(), messages.end());
  std::erase_if(sorted, [&](const auto& one) { return one.second < least; });
  std::ranges::sort(sorted, [](const auto& a, const auto& b) {
    return a.second != b.second ? a.second > b.second : a.first < b.first;
  });
  for (const auto& [domain, number] : sorted) out << domain << '\n';
  return status;
}

int print_maillog(const LogFiles& logs, const std::optional<config::Config>& watched, bool as_json,
                  std::ostream& out, std::ostream& errors) {
  std::unordered_map<std::string, OfDomain> domains;
  DeliveryBook book;
  const auto nothing = [](const Delivery&) { return std::nullopt; };
  const int status = for_each_event(logs, errors, [&](const probes::reports::MailEvent& event) {
    book.take(event, config::Time::max(), nothing);
    if (!std::holds_alternative<Delivery>(event)) return;
    const auto& delivery = std::get<Delivery>(event);
    if (logs.since && delivery.at < *logs.since) return;
    if (domains.size() >= kMostDomains && !domains.contains(delivery.domain)) return;
    auto& domain = domains[delivery.domain];
    count(domain.all, delivery);
    for (const auto& tried : delivery.before) {
      if (domain.hosts.size() < kMostHosts || domain.hosts.contains(tried.host))
        ++domain.hosts[tried.host].held[tried.setback];
    }
    if (delivery.host.empty()) return;
    if (domain.hosts.size() < kMostHosts || domain.hosts.contains(delivery.host))
      count(domain.hosts[delivery.host], delivery);
  });
  std::vector<const std::pair<const std::string, OfDomain>*> sorted;
  for (const auto& one : domains) sorted.push_back(&one);
  std::ranges::sort(sorted, [](const auto* a, const auto* b) {
    const auto left = sum(a->second.all.sent) + sum(a->second.all.held);
    const auto right = sum(b->second.all.sent) + sum(b->second.all.held);
    return left != right ? left > right : a->first < b->first;
  });
  std::set<std::string_view> known;
  if (watched) {
    for (const auto& domain : watched->domains) known.insert(domain.name);
  }
  for (const auto* one : sorted) {
    const auto& [name, domain] = *one;
    const bool is_known = known.contains(name);
    if (as_json) {
      auto line = json_of(domain.all);
      Json hosts = Json::array();
      for (const auto& [host, counts] : domain.hosts) {
        auto item = json_of(counts);
        item["host"] = host;
        hosts.push_back(std::move(item));
      }
      line["domain"] = name;
      line["watched"] = watched ? Json(is_known) : Json(nullptr);
      add_book(line, book.domain(name));
      line["hosts"] = std::move(hosts);
      out << line.dump() << '\n';
      continue;
    }
    out << fmt::format("{}: {}{}{}\n", name, words_of(domain.all), words_of(book.domain(name)),
                       watched && !is_known ? "; not watched" : "");
    for (const auto& [host, counts] : domain.hosts)
      out << fmt::format("  {}: {}\n", host, words_of(counts));
  }
  return status;
}

Command add_partners(CLI::App& app) {
  const auto flags = std::make_shared<LogFlags>();
  auto* command = app.add_subcommand(
      "partners", "domains that a Postfix log shows mail to, most mail first, for domain_lists");
  add_flags(*command, *flags);
  command->add_option("--least", flags->least, "messages that a domain must have had (1)")
      ->check(CLI::Range(0, 1'000'000'000));
  return {command, [flags] {
            const auto logs = logs_of(*flags);
            return logs ? print_partners(*logs, flags->least, std::cout, std::cerr) : kBadUsage;
          }};
}

Command add_maillog(CLI::App& app) {
  const auto flags = std::make_shared<LogFlags>();
  auto* command = app.add_subcommand(
      "maillog", "how a Postfix log says deliveries were protected, and what held them up");
  add_flags(*command, *flags);
  command->add_option("--config", flags->config_file,
                      "configuration file: to know which domains are not watched");
  command->add_option("--format", flags->format, "text or json")
      ->check(CLI::IsMember({"text", "json"}));
  return {command, [flags] { return run_maillog(*flags); }};
}

}  // namespace agent
