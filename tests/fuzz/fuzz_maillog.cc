// Lines of a mail log, of any octets: what is told of them is bounded and of domains only; and a
// log that says the same thing twice is told the same twice.

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <variant>
#include <vector>

#include "config/name.h"
#include "probes/reports/maillog.h"
#include "tests/fuzz/demand.h"

namespace {

using fuzz::demand;
using probes::reports::MailEvent;
using probes::reports::MaillogReader;

std::vector<MailEvent> read(std::string_view text) {
  constexpr std::int64_t kNow = 1'790'000'000;
  MaillogReader reader(
      probes::reports::calendar(config::Time{config::Seconds{kNow}}, config::Seconds{3600}));
  std::vector<MailEvent> out;
  while (!text.empty()) {
    const auto end = text.find('\n');
    if (auto event = reader.read(text.substr(0, end))) out.push_back(*std::move(event));
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
  }
  return out;
}

void check_name(const std::string& name) {
  const auto normal = config::normal_domain(name);
  demand(normal.has_value() && *normal == name, "names are in their normal form");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto events = read(text);
  for (const auto& event : events) {
    if (const auto* removed = std::get_if<probes::reports::Removed>(&event)) {
      demand(!removed->queue_id.empty() && removed->queue_id.size() <= 32, "ids are short");
      demand(removed->goes_on_as.size() <= 32, "ids are short");
      continue;
    }
    const auto& delivery = std::get<probes::reports::Delivery>(event);
    check_name(delivery.domain);
    if (!delivery.host.empty()) check_name(delivery.host);
    demand(delivery.before.size() <= MaillogReader::kMostTried, "few hosts are remembered");
    for (const auto& tried : delivery.before) check_name(tried.host);
    demand(delivery.queue_id.size() <= 32, "ids are short");
    demand(delivery.delay.count() >= 0, "no message comes in after it was sent");
    demand((delivery.setback == probes::reports::Setback::none) ==
               (delivery.status == probes::reports::DeliveryStatus::sent),
           "what was not sent has a reason");
  }
  demand(read(text) == events, "the same log says the same");
  return 0;
}
