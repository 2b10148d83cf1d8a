#pragma once

#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "config/time.h"
#include "probes/verdict.h"
#include "storage/database.h"

// What a report tells of a span of time beside what happened to mail (delivery_spans.h), from
// versions. Reads as many rows as changed in that time, however long it is.
namespace storage {

struct FoundThen {
  config::Time from, until;                                      // of looks that found it
  std::vector<std::pair<probes::Code, probes::Severity>> found;  // as recorded, the worst first
};
// What was found at each of these domains at any time between.
[[nodiscard]] std::map<std::string, std::vector<FoundThen>> read_findings_past(
    Database& db, const std::vector<std::string>& domains, config::Time from, config::Time until);

// What were MX hosts at any time between, by domain.
[[nodiscard]] std::map<std::string, std::set<std::string>> read_hosts_past(Database& db,
                                                                           config::Time from,
                                                                           config::Time until);

// A host began to present another leaf certificate; once, at however many addresses.
struct CertificateChange {
  std::string host;
  config::Time at;          // first seen
  std::string before, now;  // SHA-256 of the certificates, in hexadecimal
  auto operator<=>(const CertificateChange&) const = default;
};
// By host and time. What a host presented first changed nothing.
[[nodiscard]] std::vector<CertificateChange> read_certificate_changes(Database& db,
                                                                      config::Time from,
                                                                      config::Time until);

}  // namespace storage
