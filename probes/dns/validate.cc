#include "probes/dns/validate.h"

#include <algorithm>
#include <limits>
#include <sstream>

#include <fmt/format.h>
#include <getdns/getdns.h>
#include <getdns/getdns_extra.h>

#include "probes/dns/getdns_handle.h"

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

// Whether some signature in the message is outside its time, which is what a bogus verdict is then
// put down to. The difference is taken in serial arithmetic.
Signed timing(const Message& message, std::uint32_t at) {
  for (const auto* section : {&message.answer, &message.authority}) {
    for (const auto& record : *section) {
      const auto sig = read_rrsig(record);
      if (!sig) continue;
      if (static_cast<std::int32_t>(at - sig->expiration) > 0) return Signed::expired;
      if (static_cast<std::int32_t>(sig->inception - at) > 0) return Signed::early;
    }
  }
  return Signed::in_time;
}

}  // namespace

Proof prove(const Message& part, const std::vector<const Message*>& support,
            const std::vector<Record>& anchors, config::Time at) {
  if (is_too_large(part) ||
      std::ranges::any_of(support, [](const Message* m) { return is_too_large(*m); })) {
    return {.status = DnssecStatus::indeterminate, .cause = Cause::too_large};
  }
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
  if (!complete || anchors.empty())
    return {.status = DnssecStatus::indeterminate, .cause = Cause::malformed};

  const auto now = static_cast<std::time_t>(at.time_since_epoch().count());
  const auto ask = [&](std::uint32_t skew) {
    return getdns_validate_dnssec2(judged.get(), helpers.get(), trusted.get(), now, skew);
  };
  switch (static_cast<int>(ask(0))) {
    case GETDNS_DNSSEC_SECURE:
      if (needs_denial(part) && has_costly_nsec3(part)) return {.status = DnssecStatus::insecure};
      return {.status = DnssecStatus::secure};
    case GETDNS_DNSSEC_INSECURE:
      return {.status = DnssecStatus::insecure};
    case GETDNS_DNSSEC_BOGUS:
      break;
    default:
      return {.status = DnssecStatus::indeterminate, .cause = Cause::bogus};
  }
  // Would it be right but for the time? Then the time is the reason.
  constexpr std::uint32_t kTwentyYears = 20U * 366U * 86400U;
  if (static_cast<int>(ask(kTwentyYears)) == GETDNS_DNSSEC_SECURE) {
    auto when = timing(part, static_cast<std::uint32_t>(now));
    for (const auto* message : support) {
      if (when == Signed::in_time) when = timing(*message, static_cast<std::uint32_t>(now));
    }
    if (when == Signed::expired)
      return {.status = DnssecStatus::bogus, .cause = Cause::signature_expired};
    if (when == Signed::early)
      return {.status = DnssecStatus::bogus, .cause = Cause::signature_not_yet_valid};
  }
  return {.status = DnssecStatus::bogus, .cause = Cause::bogus};
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
