#pragma once

#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "probes/judge.h"
#include "probes/verdict.h"

// PURE
// A judgement in one word, for all who show one: page, API, metrics, badges, exit status.
namespace probes {

// How urgently somebody must act. The numbers are those of Nagios plug-ins.
enum class Status : std::uint8_t { ok = 0, warning = 1, critical = 2, unknown = 3 };
inline constexpr int kStatusCount = 4;

// By the worst finding: critical, or warning (medium, high). Where a fault of our own kept us from
// knowing it is unknown, unless a critical finding is known all the same: what was seen of a target
// is never hidden by what was not. Never ok while mail is not delivered, whatever was found.
[[nodiscard]] Status status_of(Verdict verdict, const Findings& findings);
[[nodiscard]] Status status_of(const DomainJudgement& judged);
// By what is found at this host of the domain alone.
[[nodiscard]] Status status_of(const DomainJudgement& judged, const HostJudgement& host);
// The worst that is found at this host; null where nothing is.
[[nodiscard]] const Finding* worst_finding(const DomainJudgement& judged,
                                           const HostJudgement& host);

// What happens to mail, whatever is found beside it. In this order tiles and lists show it.
enum class Delivery : std::uint8_t {
  held_up,      // not delivered: it waits at the senders, or is returned
  unprotected,  // delivered, and who sits between can read or forge it
  at_risk,      // delivered and protected, and something is wrong that may end that
  fine,         // delivered and protected; or the domain says that it takes none
  unknown,      // could not be determined
};
inline constexpr int kDeliveryCount = 5;

// From this share of the world's caches on, of those that hold TLSA records which refuse what is
// served, the mail counts as held up, though a sender that asks now would deliver it.
inline constexpr double kMostCaches = 0.5;

// By what was seen and, where it is known, what caches hold: mail is held up, too, where most of
// them refuse each host that takes it. Whoever shows the word takes it from here, or from what was
// recorded of it.
[[nodiscard]] Delivery delivery_of(const DomainJudgement& judged);
// Of mail that is to be delivered through this host.
[[nodiscard]] Delivery delivery_of(const HostJudgement& judged);
// Info where there is none.
[[nodiscard]] Severity worst_severity(const Findings& findings);
// Whether what happens to mail through the host is worse for the one domain than for the other.
[[nodiscard]] bool is_worse(const HostJudgement& one, const HostJudgement& other);
// By what was seen alone, of which `status` is: for what was recorded without the word.
[[nodiscard]] Delivery delivery_seen(Verdict verdict, Status status);

[[nodiscard]] std::string_view wire_name(Status status);      // "ok" …
[[nodiscard]] std::string_view wire_name(Delivery delivery);  // "held-up" …
[[nodiscard]] std::optional<Status> status_from(std::string_view name);
[[nodiscard]] std::optional<Delivery> delivery_from(std::string_view name);

// The worst first: critical, unknown, warning, ok.
[[nodiscard]] int rank(Status status);
// What somebody must do something about first: held up, at risk, unknown, unprotected, fine.
[[nodiscard]] int rank(Delivery delivery);

// How a view shows it, beside the words, for nothing is told by colour alone.
[[nodiscard]] Status look_of(Delivery delivery);
[[nodiscard]] Status look_of(Verdict verdict);
[[nodiscard]] std::string_view sign_of(Status look);

}  // namespace probes
