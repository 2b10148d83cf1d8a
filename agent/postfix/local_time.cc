#include "agent/postfix/local_time.h"

#include <ctime>

namespace agent {

probes::reports::Calendar local_calendar(config::Time now) {
  return {.now = now, .to_utc = [](const probes::reports::WallTime& wall) {
            std::tm broken{};
            broken.tm_year = wall.year - 1900;
            broken.tm_mon = wall.month - 1;
            broken.tm_mday = wall.day;
            broken.tm_hour = wall.hour;
            broken.tm_min = wall.minute;
            broken.tm_sec = wall.second;
            broken.tm_isdst = -1;  // of the hour that a clock shows twice, either
            return config::Time{config::Seconds{std::mktime(&broken)}};
          }};
}

}  // namespace agent
