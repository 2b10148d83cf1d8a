#include <algorithm>
#include <map>
#include <optional>

#include "probes/dane/verify.h"
#include "probes/findings/parts.h"
#include "probes/nameserver_consistency.h"
#include "probes/service.h"

namespace probes {
namespace {

using dns::Outcome;
using dns::ServerAnswer;
using Records = std::map<std::string, dane::TlsaRecord>;  // by their text

// What is longer than any digest is not worth quoting.
constexpr std::size_t kLongestRecord = 400;

struct Given {
  const ServerAnswer* answer;
  Records records;
};

// Nothing where some server says it by an alias: then the records are another zone's.
std::vector<Given> given_by_servers(const HostObservation& seen) {
  std::vector<Given> out;
  for (const auto& answer : seen.survey.answers) {
    const auto& question = answer.question;
    if (question.type != dns::type::tlsa || question.name != seen.tlsa.name ||
        !is_learned(answer.outcome))
      continue;
    if (answer.is_alias) return {};
    Given given{.answer = &answer, .records = {}};
    for (const auto& data : answer.data) {
      const auto record = dane::tlsa_or_unusable(data);
      if (auto text = dane::to_text(record); text.size() <= kLongestRecord)
        given.records.emplace(std::move(text), record);
    }
    out.push_back(std::move(given));
  }
  return out;
}

class Gaps {
 public:
  Gaps(const DomainObservation& domain, const HostObservation& seen, config::Time at)
      : seen_(seen),
        at_(at),
        names_{seen.base_domain.text(), dns_name_of(seen.host).text(), domain.domain.text()},
        all_(given_by_servers(seen)) {}

  std::vector<ServerGap> find() {
    std::vector<ServerGap> out;
    for (const auto& mine : all_) {
      if (auto worst = worst_gap(mine)) out.push_back(std::move(*worst));
    }
    std::ranges::stable_partition(out, harms);
    std::ranges::stable_partition(out, &ServerGap::is_refusing);
    return out;
  }

 private:
  static bool harms(const ServerGap& gap) { return gap.is_refusing || gap.is_bare; }

  // What keys in use need of the others' records; else what else they give. Who alone gives what
  // keys need lacks nothing.
  [[nodiscard]] std::optional<ServerGap> worst_gap(const Given& mine) const {
    std::optional<ServerGap> out;
    for (const auto& theirs : all_) {
      if (mine.records == theirs.records) continue;
      auto found = gap(mine, theirs);
      if (harms(found)) return found;
      if (!out && !harms(gap(theirs, mine))) out = std::move(found);
    }
    return out;
  }

  [[nodiscard]] static bool demands(const Records& records) {
    return std::ranges::any_of(records,
                               [](const auto& entry) { return !dane::why_unusable(entry.second); });
  }
  [[nodiscard]] bool accepts(const Records& records,
                             const std::vector<tls::CertificatePtr>& chain) const {
    dane::Expectation wanted{.names = names_};
    for (const auto& [text, record] : records) wanted.records.push_back(record);
    return dane::verify(wanted, chain, at_).match.has_value();
  }

  [[nodiscard]] ServerGap gap(const Given& mine, const Given& theirs) const {
    ServerGap out{.server = server_text(mine.answer->server),
                  .given_by = server_text(theirs.answer->server)};
    Records needed;
    for (const auto& session : seen_.sessions) {
      if (!session.tls || session.tls->chain.empty()) continue;
      const auto& chain = session.tls->chain;
      if (accepts(mine.records, chain) || !accepts(theirs.records, chain)) continue;
      (demands(mine.records) ? out.is_refusing : out.is_bare) = true;
      for (const auto& [text, record] : theirs.records) {
        if (accepts({{text, record}}, chain)) needed.emplace(text, record);
      }
    }
    for (const auto& [text, record] : harms(out) ? needed : theirs.records) {
      if (!mine.records.contains(text)) out.lacks.push_back(text);
    }
    for (const auto& [text, record] : mine.records) {
      if (!theirs.records.contains(text)) out.keeps.push_back(text);
    }
    return out;
  }

  const HostObservation& seen_;
  config::Time at_;
  std::vector<std::string> names_;
  std::vector<Given> all_;
};

}  // namespace

void add_gaps(std::vector<Finding>& out, const DomainObservation& domain,
              const HostObservation& seen, config::Time at) {
  for (auto& finding : out) {
    if (finding.code != Code::nameserver_split || finding.subject != host_subject(seen)) continue;
    finding.gaps = Gaps(domain, seen, at).find();
    if (finding.gaps.empty()) continue;
    const auto& first = finding.gaps.front();
    finding.remedy = Remedy{.server = first.server};
    if (!first.is_refusing && !first.is_bare) continue;
    // What a key needs one server has and another has not: that they differ is the whole cause.
    finding.is_whole_cause = true;
    finding.remedy->publish = first.lacks;
  }
}

}  // namespace probes
