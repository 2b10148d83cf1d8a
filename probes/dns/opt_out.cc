#include "probes/dns/opt_out.h"

#include <algorithm>
#include <optional>
#include <vector>

#include "probes/dns/answer.h"
#include "probes/dns/nsec3.h"

namespace probes::dns {
namespace {

// How many labels of the name exist: for a wildcard's expansion its signatures say it, for a denial
// some record matches the closest encloser. Nothing where that is the name itself, or unknown.
std::optional<std::size_t> labels_that_exist(const Message& part,
                                             const std::vector<Nsec3Span>& spans) {
  for (const auto& record : part.answer) {
    const auto sig = read_rrsig(record);
    if (sig) return sig->labels;
  }
  for (auto labels = part.question.label_count(); labels > 0; --labels) {
    const auto name = part.question.suffix(labels);
    const bool is_matched = std::ranges::any_of(spans, [&](const Nsec3Span& span) {
      return name.is_within(span.zone) && hash_of(name, span) == span.from;
    });
    if (is_matched) return labels;
  }
  return std::nullopt;
}

}  // namespace

bool rests_on_opt_out(const Message& part) {
  if (!needs_denial(part)) return false;
  std::vector<Nsec3Span> spans;
  for (const auto& record : part.authority) {
    auto span = read_nsec3(record);
    // More iterations make the answer insecure anyway.
    if (span && span->iterations <= kMostNsec3Iterations) spans.push_back(*std::move(span));
  }
  if (std::ranges::none_of(spans, &Nsec3Span::has_opt_out)) return false;
  const auto existing = labels_that_exist(part, spans);
  if (!existing || *existing >= part.question.label_count()) return false;
  const auto next_closer = part.question.suffix(*existing + 1);
  return std::ranges::any_of(spans, [&](const Nsec3Span& span) {
    return span.has_opt_out && next_closer.is_within(span.zone) &&
           covers(span, hash_of(next_closer, span));
  });
}

}  // namespace probes::dns
