// Any octets are a CA's suggestion when to renew, its directory, and a file of issuers; or a fault
// with words.

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "config/issuer_file.h"
#include "probes/reports/ari.h"
#include "tests/fuzz/demand.h"

using fuzz::demand;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text{reinterpret_cast<const char*>(data), size};
  const auto window = probes::reports::parse_renewal_info(text);
  if (window) {
    demand(window->start < window->end, "a window has a length");
    demand(window->explanation.empty() || window->explanation.starts_with("https://"),
           "an explanation is an https URL");
  } else {
    demand(!window.error().empty() && window.error().size() < 200, "a fault has few words");
  }
  const auto url = probes::reports::renewal_info_url(text);
  demand(!url || (url->starts_with("https://") && url->size() <= 1000), "a URL is short");
  const auto pause = probes::reports::ari_pause(text, config::Time{});
  demand(pause >= config::Seconds{60} && pause <= config::Seconds{86400}, "a pause is bounded");
  const auto issuers = config::parse_issuers(text);
  demand(issuers.issuers.size() <= config::kMostIssuers, "issuers are bounded");
  for (const auto& one : issuers.issuers)
    demand(one.key.size() == 64 && !one.organisation.empty() && one.organisation.size() <= 200,
           "an issuer has a digest and a name");
  return 0;
}
