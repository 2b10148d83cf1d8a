#pragma once

#include <initializer_list>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

// The log: one line per event on standard error, logfmt, times in UTC. Every value is quoted and
// escaped, because many come from outside. Where standard error is the journal of systemd the line
// goes there with its priority, and each of its fields as one of the entry. Any thread may call.
namespace agent::log {

using Fields = std::initializer_list<std::pair<std::string_view, std::string_view>>;

void info(std::string_view event, Fields fields);
void warn(std::string_view event, Fields fields);
void error(std::string_view event, Fields fields);

// Whether that is where this leads: "DEVICE:INODE", as systemd writes $JOURNAL_STREAM
// (systemd.exec(5)).
[[nodiscard]] bool leads_to(const std::string& journal_stream, int descriptor);

// NAME=value of an entry: MESSAGE, PRIORITY (as syslog has it), DANELAW_EVENT, and for each field
// DANELAW_NAME.
[[nodiscard]] std::vector<std::string> journal_entry(int priority, std::string_view event,
                                                     Fields fields);

}  // namespace agent::log
