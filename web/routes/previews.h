#pragma once

#include <string_view>

#include <nlohmann/json.hpp>

#include "agent/history/host_history.h"
#include "agent/watch/runner.h"
#include "config/result.h"

// What a wish would do, or would need, before it is made.
namespace web {

// The open alerts that the silence would cover if it began now, wholly or in part: for each how
// many of the domains hit ("covered" of "of").
[[nodiscard]] nlohmann::ordered_json preview_json(const agent::Snapshot& snapshot,
                                                  agent::Silence silence);

// {"pem":…}: a certificate, with its issuers behind it or without. The error says what is wrong, in
// words.
[[nodiscard]] config::Result<agent::Chain, std::string> chain_from_json(std::string_view body);
// The same of what a file of certificates holds (probes/tls/certificate_file.h), PEM or DER.
[[nodiscard]] config::Result<agent::Chain, std::string> chain_from_file(std::string_view octets);

// The TLSA records that fit it, the server's own key first.
[[nodiscard]] nlohmann::ordered_json fitting_records(const agent::Chain& chain);

// May the certificate go live on the host, which is an MX host of `users`? By what looks have shown
// until now; `danelaw gate` asks the name servers once more.
[[nodiscard]] nlohmann::ordered_json gate_json(const agent::HostHistory& past,
                                               const agent::Chain& chain,
                                               const probes::HostObservation& host,
                                               const std::vector<std::string>& users,
                                               config::Time at);
// The same of a host that was not looked at since the start, but at `known_at` before it: nothing
// is said of what is published, and so of no certificate.
[[nodiscard]] nlohmann::ordered_json gate_json_of_remembered(config::Time known_at);

// When and by whom the certificate was shown before any host presented it, or null.
[[nodiscard]] nlohmann::ordered_json shown_json(const agent::Snapshot& snapshot,
                                                const agent::Chain& chain);

}  // namespace web
