#include "probes/dns/validate.h"

#include <algorithm>
#include <limits>
#include <sstream>

#include <fmt/format.h>
#include <getdns/getdns.h>
#include <getdns/getdns_extra.h>

#include "probes/dns/getdns_handle.h"
#include "probes/dns/opt_out.h"

namespace probes::dns {
namespace {

using config::Failure;

bool append(getdns_list* list, const getdns_dict* dict) {
  std::size_t length = 0;
  return getdns_list_get_length(list, &length) == GETDNS_RETURN_GOOD &&
         getdns_list_set_dict(list, length, dict) == GETDNS_RETURN_GOOD;
}

bool append(getdns_list* list, const Message& message) {
  const auto wire = write_message(message);
  getdns_dict* raw = nullptr;
  if (!wire || getdns_wire2msg_dict(wire->data(), wire->size(), &raw) != GETDNS_RETURN_GOOD)
    return false;
  const Dict dict{raw};
  return append(list, dict.get());
}

bool append(getdns_list* list, const Record& record) {
  const Message carrier{.question = record.owner,
                        .question_type = record.type,
                        .answer = {record},
                        .authority = {},
                        .extended_errors = {}};
  const auto wire = write_message(carrier);
  getdns_dict* raw = nullptr;
  if (!wire || getdns_wire2msg_dict(wire->data(), wire->size(), &raw) != GETDNS_RETURN_GOOD)
    return false;
  const Dict message{raw};
  getdns_dict* rr = nullptr;
  return getdns_dict_get_dict(message.get(), "/answer/0", &rr) == GETDNS_RETURN_GOOD &&
         append(list, rr);
}

std::size_t count_type(const Message& message, std::uint16_t rtype) {
  const auto is_type = [rtype](const Record& record) { return record.type == rtype; };
  return static_cast<std::size_t>(std::ranges::count_if(message.answer, is_type) +
                                  std::ranges::count_if(message.authority, is_type));
}

bool is_too_large(const Message& message) {
  return count_type(message, type::rrsig) > kMaxSignatures ||
         count_type(message, type::dnskey) > kMaxKeys;
}

bool has_costly_nsec3(const Message& message) {
  return std::ranges::any_of(message.authority, [](const Record& record) {
    return record.type == type::nsec3 && record.data.size() >= 4 &&
           (record.data[2] << 8U | record.data[3]) > int{kMostNsec3Iterations};
  });
}

enum class Signed { in_time, expired, early };

// By how much a signature misses `at`, in serial arithmetic (RFC 4034 §3.1.5); zero in its time.
std::int32_t missed_by(const Rrsig& sig, std::uint32_t at) {
  return std::max({std::int32_t{0}, static_cast<std::int32_t>(at - sig.expiration),
                   static_cast<std::int32_t>(sig.inception - at)});
}

// What Unbound forgives a signature: a tenth of its life within val-sig-skew-min and -max.
std::int32_t grace_of(const Rrsig& sig) {
  constexpr std::int32_t kLeast = 3600;
  constexpr std::int32_t kMost = 86400;
  return std::clamp(static_cast<std::int32_t>(sig.expiration - sig.inception) / 10, kLeast, kMost);
}

enum class Patience { none, grace };

// The message without the signatures that are outside their time.
Message in_time(const Message& message, std::uint32_t at, Patience patience) {
  Message out = message;
  for (auto* section : {&out.answer, &out.authority}) {
    std::erase_if(*section, [&](const Record& record) {
      const auto sig = read_rrsig(record);
      return sig && missed_by(*sig, at) > (patience == Patience::grace ? grace_of(*sig) : 0);
    });
  }
  return out;
}

// libgetdns takes times for signed 32-bit numbers: a signature from before 2038 to beyond is never
// valid for it. And it orders RRsets wrongly that hold the root's name beside others (an octet of
// its comparison is never set), so that a null MX beside another of the same preference fails.
bool is_misjudged(const Message& message) {
  for (const auto* section : {&message.answer, &message.authority}) {
    for (const auto& record : *section) {
      const auto sig = read_rrsig(record);
      if (sig &&
          static_cast<std::int32_t>(sig->expiration) < static_cast<std::int32_t>(sig->inception))
        return true;
      const auto exchange = record.type == type::mx ? name_in(record, 2) : std::nullopt;
      if (exchange && exchange->is_root() && count_type(message, type::mx) > 1) return true;
    }
  }
  return false;
}

// Whether some signature in the message is outside its time, which is what a bogus verdict is then
// put down to. The difference is taken in serial arithmetic.
Signed timing(const Message& message, std::uint32_t at) {
  for (const auto* section : {&message.answer, &message.authority}) {
    for (const auto& record : *section) {
      const auto sig = read_rrsig(record);
      if (!sig || missed_by(*sig, at) == 0) continue;
      return static_cast<std::int32_t>(at - sig->expiration) > 0 ? Signed::expired : Signed::early;
    }
  }
  return Signed::in_time;
}

// What libgetdns makes of messages whose signatures are all in time, or are to be taken so: its own
// arithmetic is kept out of it by a moment from which no time is too far.
int verdict_without_time(const Message& part, const std::vector<const Message*>& support,
                         const std::vector<Record>& anchors) {
  const List judged{getdns_list_create()};
  const List helpers{getdns_list_create()};
  const List trusted{getdns_list_create()};
  bool complete = append(judged.get(), part);
  // Support is a flat list of records: getdns ignores whole messages there.
  for (const auto* message : support) {
    for (const auto* section : {&message->answer, &message->authority}) {
      for (const auto& record : *section) complete = append(helpers.get(), record) && complete;
    }
  }
  for (const auto& record : anchors) complete = append(trusted.get(), record) && complete;
  if (!complete || anchors.empty()) return GETDNS_RETURN_GENERIC_ERROR;
  constexpr std::time_t kEpoch = 0;
  return static_cast<int>(getdns_validate_dnssec2(judged.get(), helpers.get(), trusted.get(),
                                                  kEpoch,
                                                  std::numeric_limits<std::int32_t>::max()));
}

}  // namespace

Proof prove(const Message& part, const std::vector<const Message*>& support,
            const std::vector<Record>& anchors, config::Time at) {
  if (is_too_large(part) ||
      std::ranges::any_of(support, [](const Message* m) { return is_too_large(*m); })) {
    return {.status = DnssecStatus::indeterminate, .cause = Cause::too_large};
  }
  const auto now = static_cast<std::uint32_t>(at.time_since_epoch().count());
  const auto is_late = [&](const Message& message) {
    return timing(message, now) != Signed::in_time;
  };
  const bool any_late =
      is_late(part) || std::ranges::any_of(support, [&](const Message* m) { return is_late(*m); });
  const auto ask = [&](Patience patience) {
    if (!any_late) return verdict_without_time(part, support, anchors);
    std::vector<Message> timely;
    for (const auto* message : support) timely.push_back(in_time(*message, now, patience));
    std::vector<const Message*> pointers;
    for (const auto& message : timely) pointers.push_back(&message);
    return verdict_without_time(in_time(part, now, patience), pointers, anchors);
  };

  auto verdict = ask(Patience::none);
  Proof proof;
  if (verdict == GETDNS_DNSSEC_BOGUS && any_late) {
    verdict = ask(Patience::grace);
    proof.needs_grace = verdict != GETDNS_DNSSEC_BOGUS;
  }
  switch (verdict) {
    case GETDNS_DNSSEC_SECURE:
      proof.status = needs_denial(part) && (has_costly_nsec3(part) || rests_on_opt_out(part))
                         ? DnssecStatus::insecure
                         : DnssecStatus::secure;
      return proof;
    case GETDNS_DNSSEC_INSECURE:
      proof.status = DnssecStatus::insecure;
      return proof;
    case GETDNS_DNSSEC_BOGUS:
      break;
    case GETDNS_RETURN_GENERIC_ERROR:
      return {.status = DnssecStatus::indeterminate, .cause = Cause::malformed};
    default:
      return {.status = DnssecStatus::indeterminate, .cause = Cause::bogus};
  }
  // Would it be right but for the time? Then the time is the reason.
  if (any_late && verdict_without_time(part, support, anchors) == GETDNS_DNSSEC_SECURE) {
    auto when = timing(part, now);
    for (const auto* message : support) {
      if (when == Signed::in_time) when = timing(*message, now);
    }
    return {.status = DnssecStatus::bogus,
            .cause = when == Signed::expired ? Cause::signature_expired
                                             : Cause::signature_not_yet_valid};
  }
  const bool is_beyond_us =
      is_misjudged(part) ||
      std::ranges::any_of(support, [](const Message* m) { return is_misjudged(*m); });
  return {.status = DnssecStatus::bogus, .cause = Cause::bogus, .is_beyond_us = is_beyond_us};
}

config::Result<std::vector<Record>, std::string> parse_trust_anchors(std::string_view text) {
  std::vector<Record> anchors;
  std::istringstream lines{std::string(text)};
  std::string line;
  for (int number = 1; std::getline(lines, line); ++number) {
    line = line.substr(0, line.find(';'));
    if (line.find_first_not_of(" \t\r") == std::string::npos) continue;
    getdns_dict* raw = nullptr;
    const auto status = getdns_str2rr_dict(line.c_str(), &raw, ".", 86400);
    const Dict rr{raw};
    std::uint8_t* wire = nullptr;
    std::size_t size = 0;
    if (status != GETDNS_RETURN_GOOD || !rr ||
        getdns_rr_dict2wire(rr.get(), &wire, &size) != GETDNS_RETURN_GOOD) {
      return Failure<std::string>(fmt::format("line {}: not a resource record", number));
    }
    // A record alone on the wire is an answer section without its header.
    Bytes message{0, 0, 0x80, 0, 0, 1, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 1};
    message.insert(message.end(), wire, wire + size);
    std::free(wire);
    auto read = read_message(message);
    if (!read || read->answer.size() != 1 ||
        (read->answer[0].type != type::ds && read->answer[0].type != type::dnskey)) {
      return Failure<std::string>(fmt::format("line {}: not a DS or DNSKEY record", number));
    }
    anchors.push_back(std::move(read->answer[0]));
  }
  if (anchors.empty()) return Failure<std::string>("no DS or DNSKEY record in it");
  return anchors;
}

}  // namespace probes::dns
