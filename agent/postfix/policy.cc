#include "agent/postfix/policy.h"

#include <utility>

#include "config/name.h"

namespace agent {

void PolicyTable::set(const std::vector<Exception>& exceptions) {
  std::map<std::string, Row, std::less<>> rows;
  const config::Lock lock(mutex_);
  for (const auto& exception : exceptions) {
    Row row{.exception = exception, .asked = {}};
    const auto old = rows_.find(exception.domain);
    if (old != rows_.end() && old->second.exception.made_at == exception.made_at)
      row.asked = old->second.asked;
    rows.emplace(exception.domain, std::move(row));
  }
  rows_ = std::move(rows);
}

std::string PolicyTable::answer(std::string_view map, std::string_view key, config::Time at) {
  constexpr std::size_t kMostOfName = 253;
  std::string name;
  if (map == kName && key.size() <= kMostOfName) name = key;
  // Postfix asks for the next hop as it stands in the mail: in any case, and in any script.
  if (auto normal = config::normal_domain(name)) name = *std::move(normal);
  const config::Lock lock(mutex_);
  const auto found = rows_.find(name);
  if (found != rows_.end()) {
    auto& [exception, asked] = found->second;
    ++asked.times;
    asked.last_at = at;
    if (exception.level == "encrypt" && exception.made_at <= at && at < exception.until) {
      ++ok_;
      return exception.level;
    }
  }
  ++not_found_;
  return {};
}

std::map<std::string, PolicyTable::Asked> PolicyTable::asked() const {
  const config::Lock lock(mutex_);
  std::map<std::string, Asked> out;
  for (const auto& [domain, row] : rows_) out.emplace(domain, row.asked);
  return out;
}

std::uint64_t PolicyTable::answered_ok() const {
  const config::Lock lock(mutex_);
  return ok_;
}

std::uint64_t PolicyTable::answered_not_found() const {
  const config::Lock lock(mutex_);
  return not_found_;
}

}  // namespace agent
