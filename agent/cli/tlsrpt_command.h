#pragma once

#include <filesystem>
#include <functional>
#include <iosfwd>
#include <memory>
#include <string>
#include <vector>

#include "agent/cli/command.h"
#include "agent/senders/sender_sessions.h"

namespace agent {

// `danelaw tlsrpt`: has the store take the reports of files, of the files of folders, and of a mail
// or report on standard input ("-"); a line each of what became of it. 0, or 1 when something was
// no report or could not be taken: an MTA that pipes mail here then returns or keeps it.
[[nodiscard]] int take_report_files(SenderReportStore& store,
                                    const std::vector<std::filesystem::path>& files,
                                    config::Time at, std::istream& in, std::ostream& out,
                                    std::ostream& errors);

// The store beside the history of this database; the error is a sentence.
using OpenReports = std::function<config::Result<std::unique_ptr<SenderReportStore>, std::string>(
    const config::Storage& database)>;

[[nodiscard]] Command add_tlsrpt(CLI::App& app, OpenReports open);

}  // namespace agent
