#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "config/result.h"
#include "probes/reports/maillog.h"
#include "probes/verdict.h"

// PURE
// What our own Postfix' deliveries come to, a domain and MX host: all that is kept of its log. It
// names domains and hosts, and messages that wait by Postfix' queue id; no people. Everything in it
// is bounded.
namespace agent {

using Levels = std::map<probes::reports::TlsLevel, config::Time>;

struct HostDeliveries {
  Levels last_sent;                            // by level
  std::optional<config::Time> deferred_since;  // the first since the last that was sent
  probes::reports::Setback setback = probes::reports::Setback::none;  // of the last deferral
  bool operator==(const HostDeliveries&) const = default;
};

struct WaitingMessage {
  config::Time arrived_at;
  config::Time tried_at;
  std::vector<std::string> hosts;  // that did not take it in the last try
  bool is_counted = false;         // another recipient of the domain has it
  bool operator==(const WaitingMessage&) const = default;
};

struct DayOfDeliveries {
  std::uint64_t messages = 0;  // delivered
  std::map<probes::reports::TlsLevel, std::uint64_t> sent;
  std::map<probes::reports::Setback, std::uint64_t> held_up;  // tries
  bool operator==(const DayOfDeliveries&) const = default;
};

struct DomainDeliveries : HostDeliveries {
  // A message to several recipients has a line of each, and those of other messages stand between.
  static constexpr std::size_t kMostCounted = 8;

  config::Time last_at{};
  std::map<std::string, HostDeliveries> hosts;
  std::map<std::string, WaitingMessage> waiting;  // by queue id
  std::map<std::int64_t, DayOfDeliveries> days;   // by days since 1970
  std::deque<std::string> counted;                // queue ids of the last messages delivered
  bool operator==(const DomainDeliveries&) const = default;

  // Delivered in the last 30 days.
  [[nodiscard]] std::uint64_t messages_a_month(config::Time at) const;
  [[nodiscard]] std::optional<config::Time> oldest_waiting() const;
  // Postfix authenticated it, or keeps mail back that it would let go without DANE: where it
  // demands TLS of everybody (smtp_tls_security_level = encrypt) that is said of too many.
  [[nodiscard]] bool seems_to_have_dane() const;

  struct Queue {
    std::size_t messages = 0;
    std::optional<config::Time> oldest;
    bool operator==(const Queue&) const = default;
  };
  // Messages that the host, one of `hosts`, did not take in the last try. One that several hosts
  // did not take waits at each of them.
  [[nodiscard]] Queue waiting_at(std::string_view host) const;
};

// A delivery that went otherwise than the verdict said.
struct Disagreement {
  config::Time at;
  std::string domain, host;  // host: empty where it was about none
  probes::Verdict verdict = probes::Verdict::unknown;
  config::Time looked_at;  // what the verdict rests on
  probes::reports::DeliveryStatus status{};
  probes::reports::TlsLevel level{};
  probes::reports::Setback setback{};
  bool operator==(const Disagreement&) const = default;
};

class DeliveryBook {
 public:
  static constexpr std::size_t kMostDomains = 20'000;
  static constexpr std::size_t kMostHosts = 20;      // a domain
  static constexpr std::size_t kMostWaiting = 1000;  // a domain
  static constexpr int kDays = 31;
  static constexpr std::size_t kMostDisagreements = 1000;
  static constexpr std::size_t kMostUndecided = 10'000;

  // What a watched domain's verdict was, as far as a delivery is concerned.
  struct Foretold {
    std::optional<bool> is_right;  // null: the two say nothing of each other
    probes::Verdict verdict = probes::Verdict::unknown;
    config::Time looked_at;
  };
  // Nothing when the domain is not watched.
  using Foretell =
      std::function<std::optional<Foretold>(const probes::reports::Delivery& delivery)>;

  // Takes up what the log says. Deliveries from before `compared_from` are counted and not
  // compared: nobody remembers what was said then.
  void take(const probes::reports::MailEvent& event, config::Time compared_from,
            const Foretell& foretell);
  // Deliveries that went otherwise than the look before them said wait for the look after them: it
  // tells what the host was like by then. One that agrees with neither is a disagreement; one of
  // which nobody says anything before `patience` is over is not compared. To be called now and
  // then.
  void settle(config::Time at, config::Seconds patience, const Foretell& foretell);
  // Messages that Postfix has not tried for so long are gone, whoever deleted them.
  void forget(config::Time at);

  [[nodiscard]] const DomainDeliveries* domain(std::string_view name) const;
  [[nodiscard]] const std::unordered_map<std::string, DomainDeliveries>& domains() const {
    return domains_;
  }
  [[nodiscard]] const std::deque<Disagreement>& disagreements() const { return disagreements_; }

  // Deliveries compared in the last seven days, and those of them that were foretold.
  struct Agreement {
    std::uint64_t compared = 0, foretold = 0;
  };
  [[nodiscard]] Agreement agreement(config::Time at) const;

  struct Totals {
    std::map<std::pair<probes::reports::DeliveryStatus, probes::reports::TlsLevel>, std::uint64_t>
        deliveries;  // since this process began
    std::size_t waiting = 0;
    std::optional<config::Time> oldest_waiting;
  };
  [[nodiscard]] Totals totals() const;
  // What waits of some domains only.
  [[nodiscard]] Totals waiting_of(
      const std::function<bool(const std::string& domain)>& is_wanted) const;

  // ---- what is kept over a restart: texts of our own making

  struct Changes {
    std::map<std::string, std::string> domains;  // as they are now
    std::set<std::string> gone;
    std::string agreement;                   // all of it; empty: unchanged
    std::vector<std::string> disagreements;  // new ones
    // Deliveries that wait for the look after them, by numbers of the book's own; and those of them
    // that wait no more.
    std::map<std::int64_t, std::string> undecided;
    std::set<std::int64_t> decided;
    bool operator==(const Changes&) const = default;
  };
  // What changed since the last call.
  [[nodiscard]] Changes take_changes();
  // What take_changes once gave; what is not of that form is passed over.
  void restore_domain(const std::string& name, std::string_view text);
  void restore_agreement(std::string_view text);
  void restore_disagreement(std::string_view text);
  void restore_undecided(std::int64_t number, std::string_view text);

 private:
  struct Undecided {
    std::int64_t number = 0;  // 0: was never to wait
    probes::reports::Delivery delivery;
    Foretold before;
  };
  void end_wait(const probes::reports::Removed& removed);
  void count(const probes::reports::Delivery& delivery);
  void count_waiting(DomainDeliveries& domain, const probes::reports::Delivery& delivery);
  void compare(const probes::reports::Delivery& delivery, const Foretell& foretell);
  void decide(const Undecided& one, bool is_right);
  void waits_for_no_look(const Undecided& one);
  void make_room();
  void waits_no_more(const std::string& queue_id, const std::string& domain);
  void touch(const std::string& name) { changed_.insert(name); }

  std::unordered_map<std::string, DomainDeliveries> domains_;
  std::unordered_map<std::string, std::set<std::string>> waits_for_;  // queue id: domains
  std::set<std::string> changed_, gone_;
  std::map<std::int64_t, Agreement> compared_;  // by day
  bool is_agreement_changed_ = false;
  std::deque<Undecided> undecided_;
  std::int64_t last_number_ = 0;  // of one that was undecided
  std::set<std::int64_t> newly_undecided_, newly_decided_;
  std::deque<Disagreement> disagreements_, new_disagreements_;
  std::map<std::pair<probes::reports::DeliveryStatus, probes::reports::TlsLevel>, std::uint64_t>
      counted_;
};

}  // namespace agent
