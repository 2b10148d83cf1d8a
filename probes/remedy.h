#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "config/time.h"

// PURE
// What to change in the DNS, so exactly that it can be pasted.
namespace probes {

// Records of one TLSA owner to publish or to take out. Neither: it ends by itself, or by what is no
// change of records.
struct Remedy {
  std::string owner;                   // "_25._tcp.mx.example.org": where the records stand
  std::string zone;                    // that holds it; empty: not known
  std::optional<config::Seconds> ttl;  // of the RRset, as published; null: there is none
  std::string server;  // "ns1.example.org (192.0.2.53)": there only; empty: everywhere
  std::vector<std::string> publish;  // record data, "3 1 1 ab12…"
  std::vector<std::string> remove;
  // The last cache lets senders through so long after it is done; or at that moment, whatever is
  // done. Neither: not known.
  std::optional<config::Seconds> recovers_after;
  std::optional<config::Time> recovers_at;
  bool operator==(const Remedy&) const = default;
};

// "_25._tcp.mx.example.org. 3600 IN TLSA 3 1 1 ab12…", as zone files have it. Where no RRset says a
// TTL it is an hour.
[[nodiscard]] std::string record_line(const Remedy& remedy, std::string_view data);

// The same act, ready to be pasted; empty where there is none, or where a name has characters that
// mean something to a shell or in a zone file. For nsupdate(1); for a zone file of
// BIND, Knot or NSD, with what to take out as comments; and as commands for knotc(8).
[[nodiscard]] std::string nsupdate_text(const Remedy& remedy);
[[nodiscard]] std::string zone_file_text(const Remedy& remedy);
[[nodiscard]] std::string knotc_text(const Remedy& remedy);

// When the last cache lets senders through, if it is done at `at`.
[[nodiscard]] std::optional<config::Time> recovers_at(const Remedy& remedy, config::Time at);

}  // namespace probes
