#include "probes/explain.h"

#include <algorithm>
#include <array>

#include <fmt/format.h>

#include "probes/catalogue.h"

namespace probes {
namespace {

std::string filled(std::string_view text, const Finding& finding) {
  constexpr std::string_view kName = "{name}";
  std::string out{text};
  for (std::size_t at = 0; (at = out.find(kName, at)) != std::string::npos;) {
    out.replace(at, kName.size(), finding.subject.name);
    at += finding.subject.name.size();
  }
  return out;
}

// Length of the UTF-8 sequence at the front, 0 when it is none.
std::size_t sequence_length(std::string_view text) {
  const auto lead = static_cast<unsigned char>(text[0]);
  const std::size_t length = lead < 0x80                   ? 1
                             : lead >= 0xC2 && lead < 0xE0 ? 2
                             : lead >= 0xE0 && lead < 0xF0 ? 3
                             : lead >= 0xF0 && lead < 0xF5 ? 4
                                                           : 0;
  if (length > text.size()) return 0;
  unsigned value = length == 1 ? lead : lead & (0x7FU >> length);
  for (std::size_t i = 1; i < length; ++i) {
    const auto next = static_cast<unsigned char>(text[i]);
    if ((next & 0xC0U) != 0x80) return 0;
    value = value << 6U | (next & 0x3FU);
  }
  if ((length == 3 && value < 0x800) || (length == 4 && (value < 0x10000 || value > 0x10FFFF)))
    return 0;
  const bool is_surrogate = value >= 0xD800 && value <= 0xDFFF;
  const bool is_control = value < 0x20 || (value >= 0x7F && value < 0xA0);
  // Line and paragraph separators, and the marks that turn the direction of text.
  const bool misleads = (value >= 0x2028 && value <= 0x202E) ||
                        (value >= 0x2066 && value <= 0x2069) || value == 0x200E ||
                        value == 0x200F || value == 0x061C;
  return is_surrogate || is_control || misleads ? 0 : length;
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

// Of our own faults those that leave us our sight.
void tell_own_fault(Explanation& out, const std::string& check) {
  if (check == "storage") {
    out.title = "danelaw cannot record what it sees";
    out.explanation =
        "The database cannot be written. danelaw goes on looking, alerting and notifying from "
        "memory, and records what waits there as soon as it can. If this lasts, history gets a "
        "gap, "
        "and a restart forgets what is not recorded.";
    out.fix = {
        "See `storage` under /api/v1/status: the disk is full, another process holds the "
        "database, or the file or its file system is read-only.",
        "Make room on the disk of storage.path, or end what holds the file."};
  } else if (check == "resolver") {
    out.title = "our resolver fails where others answer";
    out.explanation =
        "A resolver that danelaw uses gives wrong answers, none, or late ones. The zones' own name "
        "servers were asked instead wherever they can be reached; where not, nothing is said about "
        "the domain. No domain is to blame.";
    out.senders_now = "Mail servers that use the same resolver may hold up mail that is in order.";
    out.fix = {"Ask it yourself what the detail names: `dig @RESOLVER +dnssec`.",
               "Repair or replace it, or name another under dns.resolvers. A validating Unbound on "
               "this machine is the safest."};
  } else if (check == "looks") {
    out.title = "danelaw loses looks to a fault of its own";
    out.explanation =
        "A look at a target ended in a fault of danelaw or of this machine, e.g. for want of "
        "memory. "
        "It says nothing about the target, which is looked at again.";
    out.fix = {
        "See the log for `event=fault`. std::bad_alloc: give danelaw more memory, or set "
        "schedule.workers lower. Anything else is a bug: please report it."};
  } else if (check == "clock") {
    out.title = "danelaw cannot trust this machine's clock";
    out.explanation =
        "The clock was set while danelaw ran, or it is wrong. Checks go on by another clock and "
        "all "
        "targets are checked anew, but what is recorded around that moment may have a wrong time.";
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

}  // namespace

Explanation explain(const Finding& finding) {
  const auto& row = row_of(finding.code);
  Explanation out{.title = filled(row.title, finding),
                  .explanation = filled(row.explanation, finding),
                  .senders_now = filled(row.senders_now, finding)};
  for (const auto step : row.fix) out.fix.push_back(filled(step, finding));
  for (const auto reference : row.references) out.references.emplace_back(reference);
  if (!row.tlsrpt.empty()) out.tlsrpt = row.tlsrpt;
  if (finding.code == Code::ds_broken || finding.code == Code::dnssec_expired)
    tell_break_above(out, finding);
  if (finding.code == Code::monitor_fault) tell_own_fault(out, finding.subject.name);
  return out;
}

std::string printable(std::string_view text, std::size_t most) {
  std::string out;
  while (!text.empty()) {
    if (out.size() >= most) return out + "…";
    const auto length = sequence_length(text);
    if (text[0] == '\\') {
      out += "\\\\";
    } else if (length == 0) {
      out += fmt::format("\\x{:02x}", static_cast<unsigned char>(text[0]));
    } else {
      out += text.substr(0, length);
    }
    text.remove_prefix(std::max<std::size_t>(length, 1));
  }
  return out;
}

}  // namespace probes
