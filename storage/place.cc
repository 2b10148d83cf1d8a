#include "storage/place.h"

#include <map>
#include <memory>

#include <libpq-fe.h>

namespace storage {

std::string Place::words() const {
  if (!is_postgresql()) return file_.string();
  const std::unique_ptr<PQconninfoOption, decltype(&PQconninfoFree)> options{
      PQconninfoParse(postgresql_.c_str(), nullptr), PQconninfoFree};
  std::map<std::string, std::string> known;
  for (const auto* one = options.get(); one != nullptr && one->keyword != nullptr; ++one) {
    if (one->val != nullptr) known[one->keyword] = one->val;
  }
  const auto name = known["dbname"].empty() ? known["user"] : known["dbname"];
  const auto host = known["host"].empty() ? known["hostaddr"] : known["host"];
  return "PostgreSQL database" + (name.empty() ? "" : " " + name) +
         (host.empty() ? "" : " at " + host) +
         (known["port"].empty() ? "" : " port " + known["port"]);
}

}  // namespace storage
