#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "agent/postfix/log_source.h"

struct sd_journal;

namespace agent {

// Follows what journald keeps of the mail system: entries with syslog's facility "mail", which is
// what Postfix logs to, whatever its instances are called. Each is given as a line in RFC 3339's
// form ("2026-11-29T02:33:43Z host postfix/smtp[42]: …"). Rotation is journald's own affair.
// Source: sd-journal(3), systemd.journal-fields(7).
class JournaldLog : public LogSource {
 public:
  // The journal of this machine, or the files in `folder`. From its begin, or behind the entry of
  // `position`; where that entry was thrown away, from the one that followed it.
  explicit JournaldLog(std::optional<std::filesystem::path> folder,
                       std::optional<std::string> position = std::nullopt);
  ~JournaldLog() override;

  [[nodiscard]] config::Result<bool, std::string> read(
      std::size_t most, const std::function<void(std::string_view line)>& take) override;
  [[nodiscard]] std::optional<std::string> position() const override { return cursor_; }
  [[nodiscard]] std::string name() const override;

 private:
  struct Close {
    void operator()(sd_journal* journal) const;
  };
  [[nodiscard]] config::Result<void, std::string> open();
  [[nodiscard]] config::Result<bool, std::string> failed(int error);

  std::optional<std::filesystem::path> folder_;
  std::optional<std::string> cursor_;
  std::unique_ptr<sd_journal, Close> journal_;
  bool is_on_unread_ = false;  // an entry that stands where the last one read was thrown away
};

// What stands for an entry in a log; nothing when it is not of a program. `host` may be empty.
[[nodiscard]] std::optional<std::string> journald_line(std::uint64_t microseconds,
                                                       std::string_view host,
                                                       std::string_view program,
                                                       std::string_view pid,
                                                       std::string_view message);

}  // namespace agent
