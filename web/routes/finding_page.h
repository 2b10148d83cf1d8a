#pragma once

#include <string>

#include "web/http/http.h"

// PURE
namespace web {

// What a finding means, what senders do and what helps: where the alerts' runbook links lead. A
// page of its own, without script, so that it can be read wherever the link is opened.
[[nodiscard]] Reply finding_page(const std::string& code);

}  // namespace web
