#pragma once

#include <initializer_list>
#include <string_view>
#include <utility>

// The log: one line per event on standard error, logfmt, times in UTC. Every value is quoted and
// escaped, because many come from outside. Any thread may call.
namespace agent::log {

using Fields = std::initializer_list<std::pair<std::string_view, std::string_view>>;

void info(std::string_view event, Fields fields);
void warn(std::string_view event, Fields fields);
void error(std::string_view event, Fields fields);

}  // namespace agent::log
