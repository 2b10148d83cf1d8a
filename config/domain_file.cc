#include "config/domain_file.h"

#include <cerrno>
#include <sstream>
#include <system_error>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "config/listed_domains.h"
#include "config/name.h"
#include "config/read_file.h"

namespace config {
namespace {

Failure<std::string> failed(const std::string& what, int error) {
  return Failure<std::string>(what + ": " + std::generic_category().message(error));
}

bool has_line(const std::string& content, const std::string& domain) {
  std::istringstream lines{content};
  std::string text;
  while (std::getline(lines, text)) {
    text = text.substr(0, text.find('#'));
    const auto begin = text.find_first_not_of(" \t\r");
    if (begin == std::string::npos) continue;
    const auto there =
        normal_domain(text.substr(begin, text.find_last_not_of(" \t\r") + 1 - begin));
    if (there && *there == domain) return true;
  }
  return false;
}

bool write_all(int fd, std::string_view text) {
  while (!text.empty()) {
    const auto count = write(fd, text.data(), text.size());
    if (count < 0 && errno == EINTR) continue;
    if (count <= 0) return false;
    text.remove_prefix(static_cast<std::size_t>(count));
  }
  return true;
}

}  // namespace

Result<bool, std::string> add_to_domain_file(const std::filesystem::path& file,
                                             const std::string& domain) {
  std::error_code error;
  const auto real = std::filesystem::canonical(file, error);
  if (error) return Failure<std::string>("the list cannot be found: " + error.message());
  auto content = read_file(real, kLargestList);
  if (!content) return Failure<std::string>("the list " + content.error());
  if (content->size() > kLargestList) return Failure<std::string>("the list is larger than 16 MiB");
  if (has_line(*content, domain)) return false;
  if (!content->empty() && content->back() != '\n') *content += '\n';
  *content += domain + "\n";
  auto pattern = real.string() + ".XXXXXX";
  const int fd = mkostemp(pattern.data(), O_CLOEXEC);
  if (fd < 0) return failed("no file can be made beside the list", errno);
  struct stat old {};
  const bool is_written = stat(real.c_str(), &old) == 0 && write_all(fd, *content) &&
                          fchmod(fd, old.st_mode & 07777U) == 0 && fsync(fd) == 0;
  const int why = errno;
  if (is_written) (void)!fchown(fd, old.st_uid, old.st_gid);
  close(fd);
  if (is_written && rename(pattern.c_str(), real.c_str()) == 0) return true;
  const int then = is_written ? errno : why;
  unlink(pattern.c_str());
  return failed("the list cannot be written", then);
}

}  // namespace config
