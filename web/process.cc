#include "web/process.h"

#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>

#include <sys/resource.h>
#include <unistd.h>

namespace web {
namespace {

double boot_time() {
  std::ifstream stat("/proc/stat");
  std::string word;
  double value = 0;
  while (stat >> word) {
    if (word == "btime" && stat >> value) return value;
  }
  return 0;
}

}  // namespace

Process this_process() {
  Process out;
  std::ifstream file("/proc/self/stat");
  std::ostringstream text;
  text << file.rdbuf();
  // The second field is the name in parentheses and may hold anything; the fields behind it are
  // plain numbers.
  const auto all = text.str();
  const auto close = all.rfind(')');
  if (close != std::string::npos) {
    std::istringstream fields(all.substr(close + 1));
    std::string skip;
    const auto ticks = static_cast<double>(sysconf(_SC_CLK_TCK));
    double user = 0;
    double system = 0;
    double start = 0;
    std::uint64_t pages = 0;
    for (int i = 3; i <= 13; ++i) fields >> skip;
    fields >> user >> system;
    for (int i = 16; i <= 21; ++i) fields >> skip;
    fields >> start >> skip >> pages;
    out.cpu_seconds = (user + system) / ticks;
    out.start_time_seconds = boot_time() + start / ticks;
    out.resident_bytes = pages * static_cast<std::uint64_t>(sysconf(_SC_PAGESIZE));
  }
  std::error_code error;
  for (auto entry = std::filesystem::directory_iterator("/proc/self/fd", error);
       !error && entry != std::filesystem::directory_iterator(); entry.increment(error)) {
    ++out.open_fds;
  }
  rlimit limit{};
  if (getrlimit(RLIMIT_NOFILE, &limit) == 0) out.max_fds = limit.rlim_cur;
  return out;
}

}  // namespace web
