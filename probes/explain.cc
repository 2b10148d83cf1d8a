#include "probes/explain.h"

#include <algorithm>
#include <array>
#include <cctype>

#include <fmt/format.h>

#include "config/service.h"
#include "config/utf8.h"
#include "probes/catalogue.h"
#include "probes/findings/parts.h"

namespace probes {
namespace {

std::string replaced(std::string text, std::string_view what, std::string_view by) {
  for (std::size_t at = 0; (at = text.find(what, at)) != std::string::npos; at += by.size())
    text.replace(at, what.size(), by);
  return text;
}

constexpr std::uint16_t kSmtp = 25;

// The zone at fault, as commands name it; where that is not known readers have to fill it in.
std::string zone_of(const Finding& finding) {
  if (finding.root && finding.root->kind == Subject::Kind::zone)
    return printable(finding.root->name, 255);
  return finding.remedy && !finding.remedy->zone.empty() ? finding.remedy->zone : "ZONE";
}

// What becomes of mail that is not delivered there, behind "do not deliver here".
std::string_view waits(const Finding& finding) {
  return finding.is_carried ? ", but to other hosts of the domain"
                            : ": mail waits in their queues, usually for up to five days, and then "
                              "bounces";
}

// What stands for the finding in the texts of its row.
std::string filled(std::string_view text, const Finding& finding) {
  const auto& name = finding.subject.name;
  const auto place = config::service_called(name).value_or(config::ServiceName{name, kSmtp});
  const auto starttls = config::usual_starttls(place.port);
  const auto words = std::to_array<std::pair<std::string_view, std::string>>(
      {{"{zone}", zone_of(finding)},
       {"{host}", place.host},
       {"{port}", std::to_string(place.port)},
       {"{starttls}", starttls == config::Starttls::none
                          ? ""
                          : fmt::format("-starttls {} ", wire_name(starttls))},
       {"{waits}", std::string(waits(finding))},
       {"{name}", name}});
  std::string out(text);
  for (const auto& [what, by] : words) out = replaced(std::move(out), what, by);
  return out;
}

// What of danelaw it is, where its name is one that the program uses.
std::string_view check_words(std::string_view check) {
  constexpr auto kChecks = std::to_array<std::pair<std::string_view, std::string_view>>(
      {{"dns", "DNS lookups fail"},
       {"smtp_ipv4", "port 25 cannot be reached over IPv4"},
       {"smtp_ipv6", "port 25 cannot be reached over IPv6"},
       {"service_ipv4", "no service can be reached over IPv4"},
       {"service_ipv6", "no service can be reached over IPv6"},
       {"trust_anchor", "the DNSSEC trust anchor file is not right"}});
  const auto* const found =
      std::ranges::find(kChecks, check, &std::pair<std::string_view, std::string_view>::first);
  return found == kChecks.end() ? check : found->second;
}

// The first record to publish.
std::string line_of(const Finding& finding) {
  if (!finding.remedy || finding.remedy->publish.empty())
    return "`danelaw tlsa CERT.pem` prints it";
  std::string out;
  for (const auto& data : finding.remedy->publish)
    out += fmt::format("{}`{}`", out.empty() ? "" : " and ", record_line(*finding.remedy, data));
  return out;
}

// The steps of the row, for what is known of this finding.
std::vector<std::string> steps_of(const CatalogueRow& row, const Finding& finding) {
  constexpr std::string_view kIfChanged = "{if-changed}", kOtherwise = "{otherwise}",
                             kKnown = "{known}", kUnlessKnown = "{unless-known}";
  const bool has_way_back =
      !finding.is_old_key_refused && (!finding.key || finding.key->is_unannounced);
  const bool is_known = finding.remedy && !finding.remedy->publish.empty();
  bool is_alternative = false;
  std::vector<std::string> out;
  for (auto step : row.fix) {
    if (step.starts_with(is_known ? kUnlessKnown : kKnown)) continue;
    for (const auto mark : {kKnown, kUnlessKnown})
      if (step.starts_with(mark)) step.remove_prefix(mark.size());
    if (step.starts_with(kIfChanged)) {
      if (!has_way_back) continue;
      step.remove_prefix(kIfChanged.size());
      is_alternative = true;
    }
    std::string text;
    if (step.starts_with(kOtherwise)) {
      text = step.substr(kOtherwise.size());
      if (is_alternative)
        text = fmt::format("Otherwise {}{}",
                           static_cast<char>(std::tolower(static_cast<unsigned char>(text[0]))),
                           text.substr(1));
    } else {
      text = step;
    }
    out.push_back(replaced(filled(text, finding), "{line}", line_of(finding)));
  }
  return out;
}

std::string moment(config::Time time) {
  auto text = config::rfc3339(time);  // "2026-01-02T03:04:05Z"
  text[10] = ' ';
  return text.substr(0, 16) + " UTC";
}

// Enough of a record to know it by.
std::string short_record(std::string_view data) {
  constexpr std::size_t kShown = 12;
  return data.size() <= kShown ? std::string(data) : fmt::format("{}…", data.substr(0, kShown));
}

std::string short_records(const std::vector<std::string>& records) {
  std::string out;
  for (const auto& one : records)
    out += fmt::format("{}{}", out.empty() ? "" : " and ", short_record(one));
  return out;
}

// How it came about: what history knows of the key.
void tell_past(Explanation& out, const Finding& finding) {
  if (!finding.key || finding.code == Code::stale_cache_window || finding.code == Code::dane_lost)
    return;
  const auto& key = *finding.key;
  std::string text;
  if (key.record_removed_at) {
    text = fmt::format("The key has not changed since {}{}; its record was removed at {}.",
                       moment(key.since), key.is_since_before ? " at least" : "",
                       moment(*key.record_removed_at));
  } else if (key.is_unannounced) {
    text =
        fmt::format("The key changed at {}, before its record was published.", moment(key.since));
  } else {
    text = fmt::format("The key has not changed since {}{}, and no record that fits it was seen.",
                       moment(key.since), key.is_since_before ? " at least" : "");
  }
  out.explanation = text + " " + out.explanation;
}

// Which name server lacks what, and what that means.
void tell_gaps(Explanation& out, const Finding& finding) {
  if (finding.gaps.empty()) return;
  const auto& gap = finding.gaps.front();
  const auto what = gap.lacks.empty() ? fmt::format("still gives {}", short_records(gap.keeps))
                                      : fmt::format("lacks {}", short_records(gap.lacks));
  out.title = fmt::format("{}: {} {}", finding.subject.name, gap.server, what);
  out.explanation.clear();
  for (const auto& one : finding.gaps) {
    if (!out.explanation.empty()) out.explanation += " ";
    if (one.lacks.empty()) {
      out.explanation += fmt::format("{} still gives {}; {} does not.", one.server,
                                     short_records(one.keeps), one.given_by);
      continue;
    }
    const bool is_one = one.lacks.size() == 1;
    out.explanation += fmt::format(
        "{} does not give {}{}; {} has {}{}.", one.server, short_records(one.lacks),
        one.is_refusing || one.is_bare
            ? (is_one ? ", the record of the key in use" : ", records of the key in use")
            : "",
        one.given_by, is_one ? "it" : "them",
        one.since ? fmt::format(" since {}", moment(*one.since)) : "");
  }
  const auto zone = zone_of(finding);
  const auto take_over = fmt::format(
      "If {} is a secondary, make it take the zone over: `knotc zone-retransfer {}` or `rndc "
      "retransfer {}` there, and read in its log why it has not: NOTIFY, the transfer's address "
      "and key, a firewall.",
      gap.server, zone, zone);
  if (gap.is_refusing || gap.is_bare) {
    out.senders_now =
        gap.is_refusing
            ? fmt::format(
                  "Senders whose resolver asked {} do not deliver here{}. Senders that asked "
                  "{} deliver.",
                  gap.server, waits(finding), gap.given_by)
            : fmt::format(
                  "Senders whose resolver asked {} find no records to check the "
                  "certificate by: mail is delivered without protection against "
                  "interference. For those that asked {} it is authenticated.",
                  gap.server, gap.given_by);
    out.fix = {take_over,
               fmt::format("If it holds the zone itself, publish there what it lacks: {}.",
                           line_of(finding))};
  } else {
    out.senders_now =
        "No mail is held up by this: every name server accepts the key in use. Caches that asked "
        "the server that lags do not know the other records.";
    out.fix = {take_over,
               "Change no key before every name server gives the new record, and then wait for "
               "two TTLs."};
  }
}

// Which name server gives which old serial number.
void tell_lag(Explanation& out, const Finding& finding) {
  if (finding.gaps.empty()) return;
  const auto zone = zone_of(finding);
  const auto& first = finding.gaps.front();
  out.title =
      fmt::format("{}: {} lacks the changes of the zone {}{}", finding.subject.name, first.server,
                  zone, first.since ? fmt::format(" since {}", moment(*first.since)) : "");
  std::string facts;
  for (const auto& one : finding.gaps) {
    facts += fmt::format(
        "{} gives serial number {}{}; {} gives {}. ", one.server, short_records(one.keeps),
        one.since ? fmt::format(" since {}", moment(*one.since)) : "",
        one.given_by.empty() ? "another server" : one.given_by, short_records(one.lacks));
  }
  out.explanation =
      facts +
      "If it does not take the zone over, the next change, such as a new TLSA record, "
      "does not reach it either, and in the end its signatures expire.";
  out.fix.front() = fmt::format(
      "Make {} take the zone over: `knotc zone-retransfer {}` or `rndc retransfer {}` there, and "
      "read in its log why it has not: NOTIFY, the transfer's address and key, a firewall, or a "
      "zone file that it does not load.",
      first.server, zone, zone);
}

void tell_where_retired(Explanation& out, const Finding& finding) {
  std::string servers;
  for (const auto& gap : finding.gaps)
    servers += fmt::format("{}{}", servers.empty() ? "" : " and ", gap.server);
  if (!servers.empty()) out.title += fmt::format(" at {}", servers);
}

// Which records are missed, where they are only gone.
void tell_loss(Explanation& out, const Finding& finding) {
  if (!finding.remedy || finding.remedy->publish.empty() || !finding.key) return;
  const auto& key = *finding.key;
  const bool is_one = finding.remedy->publish.size() == 1;
  out.explanation = fmt::format(
      "{} {}{}. The key has not changed since {}{}.", short_records(finding.remedy->publish),
      is_one ? "was removed" : "were removed",
      key.record_removed_at ? fmt::format(" at {}", moment(*key.record_removed_at)) : "",
      moment(key.since), key.is_since_before ? " at least" : "");
}

// Of what the row may mean it is this.
void tell_no_address(Explanation& out, const Finding& finding) {
  const Evidence detail{"detail", kHasNoAddress};
  if (std::ranges::find(finding.evidence, detail) == finding.evidence.end()) return;
  out.title = fmt::format("{}: the host has no address", printable(finding.subject.name));
  out.explanation = "Its name has neither an A nor an AAAA record.";
  out.senders_now = finding.is_carried
                        ? "Senders skip it and deliver to other hosts of the domain."
                        : "Senders skip it; where no other host is left, mail bounces.";
  out.fix = {"Publish its address records (A, AAAA) again.",
             "If it is gone for good, name another host in the MX record."};
}

// It has been put right: what is left to say is what the row of the caches says.
void tell_caches(Explanation& out, const Finding& finding) {
  if (!finding.is_in_caches_only) return;
  const auto& row = row_of(Code::stale_cache_window);
  out.title = fmt::format("{}: put right, but caches may still refuse the certificate",
                          finding.subject.name);
  out.explanation = row.explanation;
  out.senders_now = row.senders_now;
  out.fix = steps_of(row, finding);
}

// Whether a character in UTF-8 is shown as it is: no control, no separator of lines or paragraphs,
// no mark that turns the direction of text. An octet that is of no character is not.
bool is_shown(std::string_view character) {
  constexpr auto kHidden = std::to_array<std::string_view>(
      {"\u061C", "\u200E", "\u200F", "\u2028", "\u2029", "\u202A", "\u202B", "\u202C", "\u202D",
       "\u202E", "\u2066", "\u2067", "\u2068", "\u2069"});
  const auto first = static_cast<unsigned char>(character[0]);
  if (character.size() == 1) return first >= 0x20 && first < 0x7F;
  if (first == 0xC2 && static_cast<unsigned char>(character[1]) < 0xA0) return false;
  return std::ranges::find(kHidden, character) == kHidden.end();
}

// The chain breaks in a zone above: what is below is right in itself, and its operators can do
// nothing but say so. They must not be made to give up their own DNSSEC.
void tell_break_above(Explanation& out, const Finding& finding) {
  if (!finding.broken_above) return;
  const bool is_ds = finding.broken_above->is_ds_signature;
  const auto at = printable(finding.broken_above->zone, 255);
  out.title = fmt::format("{}: the DNSSEC chain above it breaks at {}", finding.subject.name, at);
  out.explanation = fmt::format(
      "{} Every signed zone below {} is treated as forged, however right it is in itself.",
      is_ds ? fmt::format("{} signs the DS records of the zones below it with signatures that do "
                          "not verify with its published keys.",
                          at)
            : fmt::format("The keys or signatures of {} do not verify from its parent.", at),
      at);
  out.fix = {fmt::format("Tell the operator of {}: only they can repair it. See "
                         "`delv +rtrace +multi SOA {}.`",
                         at, at),
             "Change nothing in the zones below: their keys, signatures and DS records are not the "
             "cause."};
}

// Those by which we see nothing, and those that leave us our sight.
void tell_own_fault(Explanation& out, const std::string& check) {
  out.title = fmt::format("danelaw cannot see: {}", check_words(check));
  if (check == "storage") {
    out.title = "danelaw cannot record what it sees";
    out.explanation =
        "The database cannot be written. danelaw goes on probing, alerting and notifying from "
        "memory, and records what waits there as soon as it can. If this lasts, history gets a "
        "gap, "
        "and a restart forgets what is not recorded.";
    out.fix = {
        "See `storage` under /api/v1/status: the disk is full, another process holds the "
        "database, or the file or its file system is read-only.",
        "Make room on the disk of storage.path, or end what holds the file."};
  } else if (check == "resolver") {
    out.title = "danelaw's resolver fails where others answer";
    out.explanation =
        "A resolver that danelaw uses gives wrong answers, none, or late ones. The zones' own name "
        "servers were asked instead wherever they can be reached; where not, nothing is said about "
        "the domain. No domain is to blame.";
    out.senders_now = "Mail servers that use the same resolver may hold up mail that is in order.";
    out.fix = {"Ask it yourself what the detail names: `dig @RESOLVER +dnssec`.",
               "Repair or replace it, or name another under dns.resolvers. A validating Unbound on "
               "this machine is the safest."};
  } else if (check == "trust_anchor") {
    out.title = "danelaw's DNSSEC trust anchor file is running out";
    out.explanation =
        "The keys of the root that the file names still prove everything, and checks go on. Once "
        "the root signs with none of them, every domain turns bogus to danelaw, and to every "
        "resolver that validates from the same file. The detail names the keys that the file "
        "lacks, and from when on they may sign alone.";
    out.senders_now = "Nothing changes for senders that follow the root's keys (RFC 5011).";
    out.fix = {
        "Update the file: `apt-get install --only-upgrade dns-root-data`, or add the DS record "
        "that IANA publishes at https://data.iana.org/root-anchors/root-anchors.xml.",
        "danelaw reads it again by itself within a minute. Restart resolvers that read it only "
        "when they start."};
  } else if (check == "looks") {
    out.title = "danelaw loses probes to a fault of its own";
    out.explanation =
        "A probe ended in a fault of danelaw or of this machine, e.g. for want of memory. It says "
        "nothing about the target, which is probed again.";
    out.fix = {
        "See the log for `event=fault`. std::bad_alloc: give danelaw more memory, or set "
        "schedule.workers lower. Anything else is a bug: please report it."};
  } else if (constexpr std::string_view list = "domain_list:"; check.starts_with(list)) {
    out.title = fmt::format("danelaw cannot use the list of domains {}",
                            printable(check.substr(list.size())));
    out.explanation =
        "The source of a list of domain_lists cannot be read, or its list lost more than a fifth "
        "of its names at once. What it named before is still watched.";
    out.senders_now = "Nothing changes for senders.";
    out.fix = {
        "Read what the detail says of the source; domain_lists under /api/v1/status has each list.",
        fmt::format("Where names were lost on purpose, say so: `danelaw accept-list {}`, or the "
                    "button under /status. Each lost name is then watched for a day more.",
                    printable(check.substr(list.size()))),
        "Where they were not, repair the source: a complete list is used again without your help."};
  } else if (check == "clock") {
    out.title = "danelaw cannot trust this machine's clock";
    out.explanation =
        "The clock was set while danelaw ran, or it is wrong. Checks go on by another clock and "
        "all "
        "targets are checked again, but what is recorded around that moment may have a wrong time.";
    out.fix = {"See whether the time is right now, and whether it is kept so: `timedatectl`."};
  } else if (check == "greeting") {
    out.title = "mail servers refuse to talk to danelaw";
    out.explanation =
        "Servers that have nothing to do with each other refuse its sessions before STARTTLS. That "
        "is about danelaw, the name it gives in EHLO or its address, not about them: nothing can "
        "be said about their TLS and certificates while they do.";
    out.fix = {
        "Read what they say: a name that they do not accept, an address without reverse DNS, or a "
        "block list.",
        "Set smtp.helo to a fully qualified name of letters, digits and hyphens that resolves to "
        "this machine's address and back.",
        "Have the address taken off the block list that they name."};
  }
}

// What to do with the same records, and what senders do, the cause says, and it alone: another step
// may undo that one.
void tell_cause(Explanation& out, const CatalogueRow& row, const Finding& finding) {
  const bool is_about_records =
      row.alerts.root == Root::records || finding.code == Code::nameserver_lagging;
  if (!finding.consequence_of || !is_about_records) return;
  const auto cause = wire_name(*finding.consequence_of);
  out.senders_now = fmt::format("What `{}` says, from which this follows.", cause);
  out.fix = {fmt::format("Do what `{}` says, from which this follows, and nothing else.", cause)};
}

// At a service it is people who are shut out, and no queue waits for anybody.
void tell_service(Explanation& out, const CatalogueRow& row, const Finding& finding) {
  const auto service = config::service_called(finding.subject.name);
  if (finding.subject.kind == Subject::Kind::monitor || !service) return;
  if (finding.code == Code::host_down) {  // it has a protocol and a port of its own
    out.title = printable(finding.subject.name) + ": no session";
    out.explanation = "The service does not answer, or not with its protocol.";
    out.fix = {fmt::format("See whether the service runs and port {} is open to those who use it.",
                           service->port)};
    out.references.clear();
  }
  // What is found at services only says what mail programs do.
  if (finding.code != Code::certificate_untrusted) {
    const bool is_shut = row.alerts.queues || row.alerts.refuses;
    out.senders_now = is_shut ? "Mail programs do not connect here, or warn their users: people "
                                "cannot fetch or send mail."
                              : "This keeps no mail program from connecting.";
  }
  out.tlsrpt.reset();
}

}  // namespace

Explanation explain(const Finding& finding) {
  const auto& row = row_of(finding.code);
  Explanation out{.title = filled(row.title, finding),
                  .explanation = filled(row.explanation, finding),
                  .senders_now = filled(row.senders_now, finding)};
  out.fix = steps_of(row, finding);
  for (const auto reference : row.references) out.references.emplace_back(reference);
  if (!row.tlsrpt.empty()) out.tlsrpt = row.tlsrpt;
  if (finding.code == Code::ds_broken || finding.code == Code::dnssec_expired)
    tell_break_above(out, finding);
  tell_past(out, finding);
  if (finding.code == Code::nameserver_split) tell_gaps(out, finding);
  if (finding.code == Code::nameserver_lagging) tell_lag(out, finding);
  if (finding.code == Code::early_retire) tell_where_retired(out, finding);
  if (finding.code == Code::dane_lost) tell_loss(out, finding);
  if (finding.code == Code::mx_invalid) tell_no_address(out, finding);
  tell_caches(out, finding);
  if (finding.code == Code::monitor_fault) tell_own_fault(out, finding.subject.name);
  tell_service(out, row, finding);
  tell_cause(out, row, finding);
  return out;
}

std::string printable(std::string_view text, std::size_t most) {
  std::string out;
  while (!text.empty()) {
    if (out.size() >= most) return out + "…";
    const auto character = text.substr(0, std::max<std::size_t>(config::utf8_length(text), 1));
    if (character == "\\") {
      out += "\\\\";
    } else if (is_shown(character)) {
      out += character;
    } else {
      for (const auto octet : character)
        out += fmt::format("\\x{:02x}", static_cast<unsigned char>(octet));
    }
    text.remove_prefix(character.size());
  }
  return out;
}

}  // namespace probes
