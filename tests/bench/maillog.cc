// How fast a Postfix log is followed: lines a second on one core, of deliveries as they come, read
// and counted. Fails below 100,000.

#include "probes/reports/maillog.h"

#include <chrono>
#include <cstdio>
#include <string>
#include <vector>

#include <time.h>

#include "agent/postfix/delivery_book.h"

namespace {

constexpr int kMessages = 100'000;
constexpr double kLeast = 100'000;

std::vector<std::string> lines_of_a_day() {
  std::vector<std::string> out;
  for (int i = 0; i < kMessages; ++i) {
    char head[64], id[16], host[64];
    std::snprintf(head, sizeof head, "Nov 28 %02d:%02d:%02d out postfix/", i / 5000, i / 60 % 60,
                  i % 60);
    std::snprintf(id, sizeof id, "%010X", i);
    std::snprintf(host, sizeof host, "mx%d.partner%d.example", i % 3, i % 977);
    const auto smtp = std::string(head) + "smtp[" + std::to_string(1000 + i % 100) + "]: ";
    out.push_back(std::string(head) + "qmgr[7]: " + id +
                  ": from=<a@b.example>, size=313, nrcpt=1 (queue active)");
    out.push_back(smtp + (i % 5 == 0 ? "Untrusted" : "Verified") +
                  " TLS connection established to " + host +
                  "[192.0.2.1]:25: TLSv1.3 with cipher TLS_AES_256_GCM_SHA384 (256/256 bits)");
    out.push_back(smtp + id + ": to=<someone.or.other@partner" + std::to_string(i % 977) +
                  ".example>, relay=" + host +
                  "[192.0.2.1]:25, delay=0.29, delays=0.04/0.09/0.12/0.04, dsn=2.0.0, status=sent "
                  "(250 2.0.0 Ok)");
    out.push_back(std::string(head) + "qmgr[7]: " + id + ": removed");
  }
  return out;
}

// That this process computed; other work on the machine does not lengthen it.
double seconds_spent() {
  timespec spent{};
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &spent);
  return static_cast<double>(spent.tv_sec) + static_cast<double>(spent.tv_nsec) / 1e9;
}

}  // namespace

int main() {
  const auto lines = lines_of_a_day();
  probes::reports::MaillogReader reader(
      probes::reports::calendar(config::Time{std::chrono::seconds{1'795'900'000}}));
  agent::DeliveryBook book;
  const auto nothing = [](const probes::reports::Delivery&) { return std::nullopt; };
  std::size_t events = 0;
  const auto begin = seconds_spent();
  for (const auto& line : lines) {
    const auto event = reader.read(line);
    if (!event) continue;
    ++events;
    book.take(*event, config::Time::min(), nothing);
  }
  const auto kept = book.take_changes();
  const double a_second = static_cast<double>(lines.size()) / (seconds_spent() - begin);
  std::printf(
      "mail log: %.0f lines a second (%zu lines, %zu deliveries and removals, %zu domains)\n",
      a_second, lines.size(), events, kept.domains.size());
  return a_second >= kLeast && events == 2UL * kMessages ? 0 : 1;
}
