#include "agent/cli/log_files.h"

#include <array>
#include <cerrno>
#include <cstring>
#include <memory>

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>
#include <zlib.h>

#include "probes/reports/log_line.h"

namespace agent {
namespace {

struct Close {
  void operator()(gzFile file) const { gzclose(file); }
};

// Others that log files are compressed by, which zlib would give as they are.
const char* other_compression(std::string_view begin) {
  if (begin.starts_with("\xFD"
                        "7zXZ"))
    return "xz -dc";
  if (begin.starts_with("BZh")) return "bzip2 -dc";
  if (begin.starts_with("\x28\xB5\x2F\xFD")) return "zstd -dc";
  return nullptr;
}

}  // namespace

config::Result<void, std::string> for_each_line(
    const std::filesystem::path& file,
    const std::function<void(std::string_view, std::uint64_t)>& take, std::uint64_t most) {
  using config::Failure;
  const int fd = file == "-" ? dup(STDIN_FILENO) : open(file.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0)
    return Failure<std::string>(
        fmt::format("cannot read {}: {}", file.string(), std::strerror(errno)));
  const std::unique_ptr<std::remove_pointer_t<gzFile>, Close> in(gzdopen(fd, "rb"));
  if (!in) {
    close(fd);
    return Failure<std::string>("no memory");
  }
  std::array<char, 65536> chunk{};
  std::string line;  // as far as it is read
  std::uint64_t octets = 0, all = 0;
  bool is_first = true;
  while (true) {
    const int count = gzread(in.get(), chunk.data(), chunk.size());
    if (count < 0) {
      int code = 0;
      const char* why = gzerror(in.get(), &code);
      return Failure<std::string>(fmt::format("cannot read all of {}: {}", file.string(),
                                              code == Z_ERRNO ? std::strerror(errno) : why));
    }
    std::string_view text(chunk.data(), static_cast<std::size_t>(count));
    if (std::exchange(is_first, false)) {
      if (const auto* program = other_compression(text))
        return Failure<std::string>(
            fmt::format("{} is compressed in another way than by gzip; try: {} {} | …  -",
                        file.string(), program, file.string()));
    }
    if (text.empty()) break;
    if (all >= most) return {};
    all += text.size();
    while (!text.empty()) {
      const auto end = text.find('\n');
      const auto part = text.substr(0, end);
      if (line.size() < probes::reports::kMostOfLine) line += part;
      octets += part.size();
      if (end == std::string_view::npos) break;
      take(line, octets);
      line.clear();
      octets = 0;
      text.remove_prefix(end + 1);
    }
  }
  if (!line.empty()) take(line, octets);
  if (int code = 0; gzerror(in.get(), &code), code == Z_BUF_ERROR)
    return Failure<std::string>(
        fmt::format("{} ends too soon: its compressed content is cut off", file.string()));
  return {};
}

}  // namespace agent
