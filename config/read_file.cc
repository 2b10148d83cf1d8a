#include "config/read_file.h"

#include <algorithm>
#include <cerrno>
#include <system_error>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

namespace config {
namespace {

Failure<std::string> cannot(int why) {
  return Failure<std::string>{"cannot be read: " + std::generic_category().message(why)};
}

// One of our own descriptors, as shells have it for `<(COMMAND)`: whoever started us writes there.
bool is_handed_over(const std::filesystem::path& file) {
  const auto& name = file.native();
  return name == "/dev/stdin" || name.starts_with("/dev/fd/") || name.starts_with("/proc/self/fd/");
}

Result<std::string, std::string> read_open(int fd, std::size_t most, bool may_be_pipe) {
  struct stat there {};
  if (fstat(fd, &there) != 0) return cannot(errno);
  if (S_ISDIR(there.st_mode)) return cannot(EISDIR);
  if (!S_ISREG(there.st_mode) && !(may_be_pipe && S_ISFIFO(there.st_mode)))
    return Failure<std::string>{"cannot be read: not a regular file"};
  std::string out;
  while (out.size() <= most) {
    constexpr std::size_t chunk = 65536;
    const auto before = out.size();
    out.resize(before + std::min(chunk, most + 1 - before));
    const auto count = ::read(fd, out.data() + before, out.size() - before);
    const int why = errno;
    out.resize(before + static_cast<std::size_t>(std::max<ssize_t>(count, 0)));
    if (count == 0) break;
    if (count < 0 && why != EINTR) return cannot(why);
  }
  return out;
}

}  // namespace

Result<std::string, std::string> read_file(const std::filesystem::path& file, std::size_t most) {
  const bool is_ours = is_handed_over(file);
  const int fd = open(file.c_str(), O_RDONLY | O_CLOEXEC | (is_ours ? 0 : O_NONBLOCK));
  if (fd < 0) return cannot(errno);
  try {
    auto out = read_open(fd, most, is_ours);
    close(fd);
    return out;
  } catch (...) {
    close(fd);
    throw;
  }
}

}  // namespace config
