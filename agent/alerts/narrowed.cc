#include "agent/alerts/narrowed.h"

#include <algorithm>
#include <utility>

#include "agent/lists/list_health.h"

namespace agent {
namespace {

using Kind = probes::Subject::Kind;

constexpr std::string_view kLeftOut = "(not yours)";

bool is_name_octet(char c) {
  return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '-' ||
         c == '.' || c == '_';
}

// Of "a, b, …", the names of a certificate, those that are theirs, whether others are watched or
// not: as the list of certificates to come has them.
std::string names_of_theirs(std::string_view names, const Owned& owned) {
  std::string out;
  while (!names.empty()) {
    const auto end = std::min(names.find_first_of(", "), names.size());
    const std::string name(names.substr(0, end));
    names.remove_prefix(std::min(end + 1, names.size()));
    if (!name.empty() && owned.fits(name)) out += (out.empty() ? "" : ", ") + name;
  }
  return std::string(out.empty() ? kLeftOut : std::string_view(out));
}

std::vector<std::string> own_of(const std::vector<std::string>& names, const Owned& owned) {
  std::vector<std::string> out;
  std::ranges::copy_if(names, std::back_inserter(out),
                       [&](const std::string& name) { return owned.domain(name) != nullptr; });
  return out;
}

// What was found of that code there, as a domain of theirs has it.
const probes::Finding* own_finding(probes::Code code, const Hit& hit, const Owned& owned) {
  for (const auto& name : hit.domains) {
    const auto* judged = owned.judged(name);
    if (judged == nullptr) continue;
    for (const auto& finding : judged->findings) {
      if (finding.code == code && finding.subject == hit.subject) return &finding;
    }
  }
  return nullptr;
}

// By what was found for domains of theirs; where that is not known, at the hosts, if some of these
// were others' only.
probes::Severity own_severity(const Alert& alert, const Owned& owned, bool has_lost_hits) {
  auto out = probes::Severity::info;
  for (const auto& hit : alert.hits) {
    const auto* own = own_finding(alert.finding.code, hit, owned);
    const auto known = has_lost_hits ? hit.severity : alert.finding.severity;
    out = std::max(out, own != nullptr ? own->severity : known);
  }
  return out;
}

// An alert shows what was found at its first hit, as the first of the domains there had it. Of what
// is left after others' were taken out it shows the same.
void take_own_words(Alert& alert, const Owned& owned) {
  auto& finding = alert.finding;
  const auto is_there = [&](const Hit& hit) { return hit.subject == finding.subject; };
  auto hit = std::ranges::find_if(alert.hits, is_there);
  const bool is_lost = hit == alert.hits.end();
  if (is_lost) hit = alert.hits.begin();
  const auto* own = own_finding(finding.code, *hit, owned);
  if (is_lost) {
    const auto severity = finding.severity;
    finding =
        own != nullptr ? *own : probes::Finding{.code = finding.code, .subject = hit->subject};
    finding.severity = severity;
    finding.consequence_of.reset();  // it is told under this name
    return;
  }
  if (own != nullptr) finding.is_carried = own->is_carried;
  finding.evidence = own != nullptr ? own->evidence : std::vector<probes::Evidence>{};
  std::erase_if(finding.consequences, [&](const probes::Consequence& one) {
    return one.subject.kind == Kind::domain && owned.domain(one.subject.name) == nullptr;
  });
}

Alert about_ourselves(Alert alert, const Owned& owned) {
  for (auto& hit : alert.hits) hit.domains = own_of(hit.domains, owned);
  for (auto& one : alert.finding.evidence)
    one.value = own_detail(alert.cause.name, one.value, owned.is_others);
  if (alert.acknowledged) alert.acknowledged->comment.clear();
  return alert;
}

}  // namespace

std::optional<Alert> narrowed(const Alert& alert, const Owned& owned) {
  auto out = alert;
  out.domains = own_of(alert.domains, owned);
  if (alert.cause.kind == Kind::monitor) return about_ourselves(std::move(out), owned);
  if (out.domains.empty()) return std::nullopt;
  const auto take_out = [&] {
    for (auto& one : out.finding.evidence) take_out_others(one.name, one.value, owned);
  };
  take_out();
  if (out.domains.size() == alert.domains.size()) return out;
  std::erase_if(out.hits, [&](Hit& hit) {
    hit.domains = own_of(hit.domains, owned);
    return hit.domains.empty();
  });
  if (out.hits.empty()) return std::nullopt;
  out.finding.severity = own_severity(out, owned, out.hits.size() < alert.hits.size());
  take_own_words(out, owned);
  take_out();
  // Said of others' domains as well.
  if (out.acknowledged) out.acknowledged->comment.clear();
  const bool is_ours = std::ranges::any_of(out.domains, [&](const std::string& name) {
    return owned.domain(name)->role == config::Role::inbound;
  });
  out.direction = is_ours ? config::Role::inbound : config::Role::outbound;
  return out;
}

// ---- text

// Evidence that is sentences or names of ours; what mail servers say stays as it is.
void take_out_others(std::string_view name, std::string& value, const Owned& owned) {
  if (name == "because" || name == "issuer") value = without_others(value, owned.is_others);
  if (name == "names") value = names_of_theirs(value, owned);
}

std::string without_others(std::string_view text,
                           const std::function<bool(std::string_view)>& is_others) {
  std::string out;
  for (std::size_t at = 0; at < text.size();) {
    while (at < text.size() && text[at] == '.') out += text[at++];  // behind a wildcard
    auto end = at;
    while (end < text.size() && is_name_octet(text[end])) ++end;
    auto name = text.substr(at, end - at);
    while (name.ends_with('.')) name.remove_suffix(1);
    const bool is_left_out = name.find('.') != std::string_view::npos && is_others(name);
    out += is_left_out ? kLeftOut : name;
    at += name.size();
    while (at < text.size() && (at < end || !is_name_octet(text[at]))) {
      out += text[at++];
    }
  }
  return out;
}

std::string own_detail(std::string_view check, std::string_view detail,
                       const std::function<bool(std::string_view)>& is_others) {
  // What a list names, and what it should not, is watched for others or for nobody.
  if (!list_of_check(check).empty() && !detail.empty()) return std::string(kListInShort);
  return without_others(detail, is_others);
}

// ---- owners by matchers

std::vector<Matcher> of_domains(const std::vector<Matcher>& matchers) {
  std::vector<Matcher> out;
  std::ranges::copy_if(matchers, std::back_inserter(out), [](const Matcher& one) {
    return one.name == "domain" || one.name == "group" || one.name == "direction";
  });
  return out;
}

std::optional<Owned> owned_by(const std::vector<Matcher>& matchers, const Watched& watched) {
  auto whose = of_domains(matchers);
  if (whose.empty()) return std::nullopt;
  // What is not configured any more is nobody's.
  const Domains own = [whose = std::move(whose), &watched](const std::string& name) {
    const auto* configured = watched.domains(name);
    const bool is_own = configured != nullptr && fits_domains(whose, {name}, watched.domains);
    return is_own ? configured : nullptr;
  };
  const auto has_host = [own, &watched](const std::string& host) {
    return std::ranges::any_of(watched.users(host),
                               [&](const auto& name) { return own(name) != nullptr; });
  };
  return Owned{
      .domain = own,
      .judged = watched.judged,
      .is_others =
          [own, has_host, &watched](std::string_view name) {
            const std::string text(name);
            if (own(text) != nullptr || has_host(text)) return false;
            return watched.domains(text) != nullptr || !watched.users(text).empty();
          },
      .fits = [own, has_host](
                  const std::string& name) { return own(name) != nullptr || has_host(name); }};
}

}  // namespace agent
