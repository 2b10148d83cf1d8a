#pragma once

#include <initializer_list>
#include <span>
#include <string_view>

#include "probes/verdict.h"

// PURE
// All that is known of each finding code, told once: who reads a code's name, texts or rules reads
// its row. docs/findings.md, the lists in docs/alerts.md, the Prometheus rules and the page are
// made from it (script/docs). A new code is a row here, an enumerator in verdict.h, and whatever
// finds it.
namespace probes {

// Whose trouble it is: what one alert stands for, however many hosts and domains it hits.
enum class Root {
  subject,  // of what the finding is about
  records,  // of the TLSA RRset, which several hosts may share at an alias's end
  zone,     // of the zone whose signatures or keys are at fault
};

// What a look must have learned to say that the trouble is over.
enum class Proof {
  endpoints,     // what every endpoint that showed it does now; of a domain, of all its hosts
  any_answer,    // the same, but that an endpoint is silent counts, since it is about silence
  addresses,     // the host's addresses
  records,       // the TLSA records of a host, the MX records of a domain
  name_servers,  // what some name server says
};

// How alerts treat the code.
struct AlertRule {
  Root root = Root::subject;
  // From which severity on it is a matter for alerts, unless another finding is the cause. Those
  // from below high are trouble to come, or a fault of our own.
  Severity alerts_from = Severity::high;
  // May pass by itself: confirmed by three looks or half an hour, where two looks confirm others.
  bool is_transient = false;
  // Senders are refused, by what is published or by what caches hold of it.
  bool refuses = false;
  Proof over_by = Proof::endpoints;
  // A partner's trouble is a degree calmer; this one is what partners are watched for.
  bool keeps_severity = false;
  // Worth writing to a partner's postmaster.
  bool is_for_postmaster = false;
  // Mail waits at the senders while it lasts, unless another host takes it.
  bool queues = false;
  // Where a partner's host or domain shows it, it is ours to act on all the same.
  bool is_ours_to_end = false;
  // A record of the key in use puts it right: it is given as the remedy.
  bool is_cured_by_record = false;
  // The order of explanation: what follows from it where both are found of one subject, or of a
  // host and its domain (causes.h).
  std::initializer_list<Code> explains = {};
};

struct CatalogueRow {
  Code code;
  std::string_view name;  // in JSON, SQL, labels and docs
  AlertRule alerts;
  // For people. What they are: Explanation. {name} stands for the subject, {host} and {port} for
  // where it is ({starttls}: what openssl needs there), {waits} for what becomes of mail that is
  // not delivered there, and in steps {zone} for the zone at fault, {line} for the record to
  // publish, or for how to make it where none is known; a step that begins with {if-changed} is
  // left out where history says that the key has not changed, or that the one before would be
  // refused, too, and {otherwise} begins the step behind it; {known} and {unless-known} begin steps
  // for where it is known what to publish, or not.
  std::string_view title;
  std::string_view explanation;
  std::string_view senders_now;
  std::initializer_list<std::string_view> fix;
  std::initializer_list<std::string_view> references;
  std::string_view tlsrpt;  // the result type that senders would report (RFC 8460 §4.3), or ""
};

// In the order of the enumeration.
[[nodiscard]] std::span<const CatalogueRow> catalogue();
[[nodiscard]] const CatalogueRow& row_of(Code code);

}  // namespace probes
