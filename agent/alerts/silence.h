#pragma once

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "agent/alerts/alert.h"
#include "config/matcher.h"
#include "config/result.h"

// PURE
// What people asked not to be told: by labels and time, as Alertmanager's silences are, and for a
// planned change of key also by the key. Alerts open and close as ever.
namespace agent {

using Matcher = config::Matcher;

struct Silence {
  std::string id;
  std::vector<Matcher> matchers;  // all must match; at least one
  config::Time starts_at;
  config::Time ends_at;
  std::string created_by;
  std::string comment;
  // A maintenance window: only trouble of this key is silent, as SHA2-256 of its
  // SubjectPublicKeyInfo in hexadecimal. Another key that is refused is told at once.
  std::optional<std::string> expected_key;
  bool operator==(const Silence&) const = default;
};

inline constexpr std::size_t kMaxMatchers = 20;
inline constexpr std::size_t kMaxMatcherText = 1000;

// What is wrong with it, in words; null when nothing is.
[[nodiscard]] std::optional<std::string> fault_of(const Silence& silence);

// Names and values by which an alert is told from others, one list for each domain it hits at each
// host: alertname, code, severity, direction, and mx, domain, group, owner, zone, check where they
// apply.
using Labels = std::map<std::string, std::string>;
// What is configured of a domain; null when nothing is.
using Domains = std::function<const config::Domain*(const std::string& name)>;
[[nodiscard]] std::vector<Labels> labels_of(const Alert& alert, const Domains& domains);

// As the configuration has them, where a domain's role may stand for an alert's direction. What
// cannot be read was refused when it was loaded.
[[nodiscard]] std::vector<Matcher> matchers_of(const std::vector<std::string>& texts);
// Whether it fits the value of its label; of a label that is not there that is "".
[[nodiscard]] bool fits(const Matcher& matcher, const std::string& value);
// What is wrong with one matcher, in words; null when nothing is. A severity, role or code that no
// alert can have is wrong, too.
[[nodiscard]] std::optional<std::string> fault_of(const Matcher& matcher);
// Whether all matchers fit, at any domain and host that the alert hits.
[[nodiscard]] bool fits_any(const std::vector<Matcher>& matchers, const Alert& alert,
                            const Domains& domains);
// The same of domains alone, by the labels domain, group and direction.
[[nodiscard]] bool fits_domains(const std::vector<Matcher>& matchers,
                                const std::vector<std::string>& names, const Domains& domains);

// The label that names a subject of that kind.
[[nodiscard]] std::string label_name(probes::Subject::Kind kind);
// "DanelawTlsaMismatch": how the code is called as a name of Prometheus alerts.
[[nodiscard]] std::string alert_name(probes::Code code);

[[nodiscard]] bool is_active(const Silence& silence, config::Time at);

// Whether all of the alert is silenced at `at`: each domain it hits, by whichever silence.
[[nodiscard]] bool is_muted(const Alert& alert, const std::vector<Silence>& silences,
                            const Domains& domains, config::Time at);

}  // namespace agent
