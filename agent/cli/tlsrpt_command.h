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
// or report on standard input ("-"); a line each of what became of it. Returns the exit status: 0;
// 1 when something is no report or cannot be read, and an MTA that pipes mail here returns it;
// EX_TEMPFAIL (75) when the store would not take one, and the MTA tries again later. The command
// says that, too, when it cannot read its configuration or open the store.
[[nodiscard]] int take_report_files(SenderReportStore& store,
                                    const std::vector<std::filesystem::path>& files,
                                    config::Time at, std::istream& in, std::ostream& out,
                                    std::ostream& errors);

// The store beside the history of this database; the error is a sentence.
using OpenReports = std::function<config::Result<std::unique_ptr<SenderReportStore>, std::string>(
    const config::Storage& database)>;

[[nodiscard]] Command add_tlsrpt(CLI::App& app, OpenReports open);

}  // namespace agent
