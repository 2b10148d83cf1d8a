// How many reports of senders (RFC 8460) one core takes: unpacked, read, written into the database,
// and summed up with all of the days that count. Each is of a hundred policies with ten failures,
// as a large sender's. Prints a table and ends with 1 when it is below the 1,000 a minute that are
// promised.
//
// reports_bench [reports]

#include <charconv>
#include <cstdlib>
#include <filesystem>
#include <iostream>
#include <string>

#include <fmt/format.h>
#include <nlohmann/json.hpp>
#include <time.h>
#include <zlib.h>

#include "agent/senders/refusals.h"
#include "agent/senders/report_intake.h"
#include "storage/database.h"
#include "storage/recorder.h"
#include "storage/sender_reports.h"

namespace {

constexpr double kLeastAMinute = 1000;
constexpr int kPolicies = 100;
constexpr int kFailures = 10;

const config::Time kNow{std::chrono::seconds{1'800'000'000}};

// That this process computed; other work on the machine does not lengthen it.
double seconds_spent() {
  timespec spent{};
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &spent);
  return static_cast<double>(spent.tv_sec) + static_cast<double>(spent.tv_nsec) / 1e9;
}

std::string report(int number) {
  using Json = nlohmann::json;
  Json policies = Json::array();
  for (int p = 0; p < kPolicies; ++p) {
    Json failures = Json::array();
    for (int f = 0; f < kFailures; ++f)
      failures.push_back(
          {{"result-type", f % 2 == 0 ? "certificate-not-trusted" : "dnssec-invalid"},
           {"sending-mta-ip", fmt::format("192.0.2.{}", f)},
           {"receiving-mx-hostname", fmt::format("mx{}.provider.test", f)},
           {"failed-session-count", f + 1}});
    policies.push_back(
        {{"policy", {{"policy-type", "tlsa"}, {"policy-domain", fmt::format("domain{}.test", p)}}},
         {"summary", {{"total-successful-session-count", 1000}}},
         {"failure-details", failures}});
  }
  return Json{{"organization-name", fmt::format("Organization {}", number % 50)},
              {"report-id", std::to_string(number)},
              {"date-range",
               {{"start-datetime", config::rfc3339(kNow - std::chrono::hours{24})},
                {"end-datetime", config::rfc3339(kNow)}}},
              {"policies", policies}}
      .dump();
}

std::string gzip(const std::string& text) {
  z_stream stream{};
  if (deflateInit2(&stream, 6, Z_DEFLATED, 16 + MAX_WBITS, 8, Z_DEFAULT_STRATEGY) != Z_OK)
    throw std::bad_alloc();
  std::string out(deflateBound(&stream, text.size()) + 32, '\0');
  stream.next_in = const_cast<Bytef*>(reinterpret_cast<const Bytef*>(text.data()));
  stream.avail_in = static_cast<uInt>(text.size());
  stream.next_out = reinterpret_cast<Bytef*>(out.data());
  stream.avail_out = static_cast<uInt>(out.size());
  deflate(&stream, Z_FINISH);
  out.resize(stream.total_out);
  deflateEnd(&stream);
  return out;
}

// Of others nothing is summed up.
void watch_all(const std::filesystem::path& file) {
  storage::Database db(file, storage::Database::Mode::create);
  storage::Transaction transaction{db};
  auto domain = db.prepare("INSERT INTO domain(name, role, grp) VALUES(?, 'inbound', 'ours')");
  for (int p = 0; p < kPolicies; ++p) domain.bind(fmt::format("domain{}.test", p)).run();
  auto host = db.prepare("INSERT INTO subject(kind, name) VALUES('addresses', ?)");
  for (int f = 0; f < kFailures; ++f) host.bind(fmt::format("mx{}.provider.test", f)).run();
  transaction.commit();
}

}  // namespace

int main(int argc, char** argv) {
  int count = 200;
  if (argc > 1) {
    const std::string_view text(argv[1]);
    std::from_chars(text.data(), text.data() + text.size(), count);
  }
  auto pattern = (std::filesystem::temp_directory_path() / "danelaw-XXXXXX").string();
  if (mkdtemp(pattern.data()) == nullptr) return 1;
  const std::filesystem::path folder(pattern);
  double a_minute = 0;
  {
    const auto recorder = storage::DatabaseRecorder::open(folder / "bench.db");
    const auto store = storage::SenderReports::open(folder / "bench.db");
    if (!recorder || !store) return 1;
    watch_all(folder / "bench.db");
    double taking = 0;
    for (int i = 0; i < count; ++i) {
      const auto packed = gzip(report(i));
      const auto began = seconds_spent();
      if (!agent::take_reports(**store, packed, kNow).front().is_new) return 1;
      taking += seconds_spent() - began;
    }
    const auto began = seconds_spent();
    const auto sessions = (*store)->sessions({.domain = {},
                                              .host = {},
                                              .from = kNow - agent::kReportCounts,
                                              .until = config::Time::max()});
    if (!sessions || sessions->empty()) return 1;
    const auto subjects = agent::reports_by_subject(*sessions, kNow).size();
    const double summing = seconds_spent() - began;
    a_minute = 60 * count / taking;
    std::cout << fmt::format(
        "{} reports of {} failures each: {:.0f} a minute of one core\n"
        "summed up, {} rows to {} hosts: {:.2f} s\n",
        count, kPolicies * kFailures, a_minute, sessions->size(), subjects, summing);
  }
  std::filesystem::remove_all(folder);
  return a_minute < kLeastAMinute ? 1 : 0;
}
