#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "config/result.h"

// gzip (RFC 1952), of which senders make their reports: "application/tlsrpt+gzip" (RFC 8460 §6.2).
namespace probes::reports {

// Whether it begins as gzip does.
[[nodiscard]] bool is_gzip(std::string_view octets);

// What was compressed: at most `most` octets, and no more memory is used than that, whatever the
// text claims or holds. Several members behind each other are one text. The error is a phrase.
[[nodiscard]] config::Result<std::string, std::string> gunzip(std::string_view octets,
                                                              std::size_t most);

}  // namespace probes::reports
