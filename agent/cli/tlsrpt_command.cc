#include "agent/cli/tlsrpt_command.h"

#include <algorithm>
#include <chrono>
#include <iostream>
#include <limits>
#include <string>
#include <system_error>

#include <CLI/CLI.hpp>
#include <fmt/format.h>
#include <sysexits.h>

#include "agent/senders/report_folder.h"
#include "agent/senders/report_intake.h"
#include "probes/explain.h"
#include "probes/reports/report_mail.h"

namespace agent {
namespace {

config::Result<std::string, std::string> read_all(std::istream& in) {
  std::string out(probes::reports::kMostMail + 1, '\0');
  in.read(out.data(), static_cast<std::streamsize>(out.size()));
  if (in.bad()) return config::Failure<std::string>("it cannot be read");
  out.resize(static_cast<std::size_t>(in.gcount()));
  if (out.size() > probes::reports::kMostMail)
    return config::Failure<std::string>("it is too long");
  return out;
}

constexpr int kNoReport = 1;

// The exit status, as of take_report_files(): the worst is the greatest.
int take(SenderReportStore& store, const std::string& name,
         const config::Result<std::string, std::string>& octets, config::Time at, std::ostream& out,
         std::ostream& errors) {
  const auto shown = probes::printable(name);
  if (!octets) {
    errors << fmt::format("{}: {}\n", shown, octets.error());
    return kNoReport;
  }
  int status = 0;
  for (const auto& one : take_reports(store, *octets, at)) {
    if (one.fault) {
      errors << fmt::format("{}: {}\n", shown, *one.fault);
      status = std::max(status, one.is_ours ? EX_TEMPFAIL : kNoReport);
    } else {
      const auto skipped =
          one.skipped == 0 ? std::string() : fmt::format(", {} malformed and skipped", one.skipped);
      out << fmt::format("{}: {}, {}: {} {}{}{}\n", shown, one.organization, one.report_id,
                         one.policies, one.policies == 1 ? "policy" : "policies", skipped,
                         one.is_new ? "" : ", taken before");
    }
  }
  return status;
}

struct TlsrptFlags {
  std::filesystem::path config_file;
  std::vector<std::filesystem::path> reports;
};

int run_tlsrpt(const TlsrptFlags& flags, const OpenReports& open) {
  const auto settings = flags.config_file.empty()
                            ? std::optional{config::Config{}}
                            : load_or_complain(flags.config_file, for_storage());
  if (!settings) return EX_TEMPFAIL;
  const auto store = open(settings->storage);
  if (!store) {
    std::cerr << store.error() << '\n';
    return EX_TEMPFAIL;
  }
  return take_report_files(**store, flags.reports,
                           std::chrono::floor<config::Seconds>(std::chrono::system_clock::now()),
                           std::cin, std::cout, std::cerr);
}

}  // namespace

int take_report_files(SenderReportStore& store, const std::vector<std::filesystem::path>& files,
                      config::Time at, std::istream& in, std::ostream& out, std::ostream& errors) {
  int status = 0;
  const auto take_one = [&](const std::string& name,
                            const config::Result<std::string, std::string>& octets) {
    status = std::max(status, take(store, name, octets, at, out, errors));
  };
  for (const auto& file : files) {
    std::error_code unknown;
    if (file == "-") {
      take_one("-", read_all(in));
    } else if (std::filesystem::is_directory(file, unknown)) {
      const auto found = report_files(file, std::numeric_limits<std::size_t>::max());
      for (const auto& one : found.files) take_one(one.string(), read_report_file(one));
      if (!found.fault) continue;
      errors << *found.fault << '\n';
      status = std::max(status, kNoReport);
    } else {
      take_one(file.string(), read_report_file(file));
    }
  }
  return status;
}

Command add_tlsrpt(CLI::App& app, OpenReports open) {
  const auto flags = std::make_shared<TlsrptFlags>();
  auto* command =
      app.add_subcommand("tlsrpt", "take reports of senders on TLS (RFC 8460); each is taken once");
  command->add_option("--config", flags->config_file, "configuration file, for storage.path");
  command
      ->add_option("FILE", flags->reports,
                   "JSON, gzip of it, a mail, or a folder of these; - for standard input")
      ->required();
  return {command, [flags, open = std::move(open)] { return run_tlsrpt(*flags, open); }};
}

}  // namespace agent
