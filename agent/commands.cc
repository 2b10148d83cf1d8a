#include "agent/commands.h"

#include <fstream>
#include <ostream>
#include <sstream>

#include <fmt/format.h>

#include "config/load.h"
#include "probes/dane/verify.h"
#include "probes/explain.h"

namespace agent {

int check_config(const std::filesystem::path& file, std::ostream& out, std::ostream& errors) {
  const auto loaded = config::load(file);
  if (loaded) {
    out << fmt::format("{}: {} domains, no errors\n", file.string(), loaded->domains.size());
    return 0;
  }
  for (const auto& error : loaded.error()) errors << config::to_string(error) << '\n';
  return 1;
}

int print_tlsa(const std::filesystem::path& file, std::ostream& out, std::ostream& errors) {
  std::ifstream in(file);
  std::ostringstream text;
  text << in.rdbuf();
  if (!in) {
    errors << fmt::format("cannot read {}\n", file.string());
    return 1;
  }
  const auto chain = probes::tls::parse_pem(text.str());
  if (chain.empty()) {
    errors << fmt::format("{}: no PEM certificate in it\n", file.string());
    return 1;
  }
  using namespace probes::dane;
  for (std::size_t i = 0; i < chain.size(); ++i) {
    const TlsaRecord record{.usage = i == 0 ? kDaneEe : kDaneTa,
                            .selector = kSpki,
                            .matching_type = kSha256,
                            .data = association(*chain[i], kSpki, kSha256)};
    out << fmt::format("{} ; {}\n", to_text(record), probes::printable(chain[i]->subject));
  }
  return 0;
}

}  // namespace agent
